"""Panel: the contract every series meets before a model sees it.

A panel is a set of series with one frequency, on one grid of dates, each with key columns that say what
it is (measure, area). Missing is `NaN`, never zero. Columns that are known ahead (interventions, a
population, the calendar) go beyond the last figure. A `Window` is the part of a panel a model may see at one
origin: arrays only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast import grid
from forecast.errors import InputError, SpecError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

SEASON_LENGTH = {"YS": 1, "QS": 4, "MS": 12, "W-MON": 52}
PERIOD_NAME = grid.PERIOD_NAME
FREQ = {period: freq for freq, period in SEASON_LENGTH.items()}
MIN_POOL = 8


@dataclass(frozen=True, eq=False)
class Window:
    """What a model may see at one origin.

    Attributes
    ----------
    ids : tuple of str, length n
    values : ndarray (n, T)
        Counts or levels; NaN where missing.
    dates : DatetimeIndex, length T
        First days of the periods; the last one is the origin.
    period : int
        Season length: 1, 4, 12 or 52 periods.
    pools : ndarray of str (n,)
        Series with one name may learn from each other.
    known : mapping of column name to ndarray (n, F), default none
        Figures that are known ahead, F >= T: one a date of `dates`, then one a period after it.
    """

    ids: tuple[str, ...]
    values: FloatArray
    dates: pd.DatetimeIndex
    period: int
    pools: Names
    known: Mapping[str, FloatArray] = field(default_factory=dict)

    def until(self, length: int) -> Window:
        """Return the window whose origin is the `length`-th date; what is known ahead stays known."""
        return replace(self, values=self.values[:, :length], dates=self.dates[:length])

    def between(self, start: int, stop: int) -> Window:
        """Return the window of the dates from `start` up to `stop`, that one not included."""
        return replace(
            self,
            values=self.values[:, start:stop],
            dates=self.dates[start:stop],
            known={name: array[:, start:] for name, array in self.known.items()},
        )

    def rows(self, index: Sequence[int] | IntArray) -> Window:
        """Return the window of some series, in the order asked."""
        chosen = np.asarray(index, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            values=self.values[chosen],
            pools=self.pools[chosen],
            known={name: array[chosen] for name, array in self.known.items()},
        )

    def regressors(self, horizon: int) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
        """Return the columns known ahead: names (k), past (n, T, k) and future (n, horizon, k).

        Raises
        ------
        SpecError
            A column ends before the last of the `horizon` periods.
        """
        n, length = self.values.shape
        for name, array in self.known.items():
            if array.shape[1] < length + horizon:
                dates = pd.date_range(self.dates[0], periods=length + horizon, freq=FREQ[self.period])
                raise SpecError(
                    f"known column {name!r}: it ends {dates[array.shape[1] - 1]:%Y-%m-%d}; {horizon} periods after "
                    f"{dates[length - 1]:%Y-%m-%d} need it to {dates[-1]:%Y-%m-%d}. Add these rows to known."
                )
        if not self.known:
            return (), np.empty((n, length, 0)), np.empty((n, horizon, 0))
        columns = [array[:, : length + horizon] for array in self.known.values()]
        together = np.stack(columns, axis=2)
        return tuple(self.known), together[:, :length], together[:, length:]


@dataclass(frozen=True, eq=False)
class Panel:
    """Series of one frequency on one grid of dates.

    Build it with `Panel.from_frame`. A panel holds bottom series only: published aggregates (region,
    England) are a panel of their own.

    Attributes
    ----------
    values : ndarray (n, T)
        Counts or levels in the order of `ids`; NaN where missing. Read-only.
    dates : DatetimeIndex, length T
        All periods of the panel; the last is the origin of a forecast.
    keys : DataFrame
        Key columns by unique_id, sorted.
    freq : {"YS", "QS", "MS", "W-MON"}
    groups : tuple of str or None
        Key columns to pool over; None leaves the choice to `pools`.
    known : mapping of column name to ndarray (n, F)
        Figures that are known ahead, F >= T: one a date of `dates`, then one a period after it. Read-only.
    """

    values: FloatArray
    dates: pd.DatetimeIndex
    keys: pd.DataFrame
    freq: str
    groups: tuple[str, ...] | None = None
    known: Mapping[str, FloatArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "known", MappingProxyType(dict(self.known)))

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "known": dict(self.known)}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state)
        self.__post_init__()

    @classmethod
    def from_frame(
        cls,
        df: pd.DataFrame,
        *,
        freq: str,
        known: pd.DataFrame | None = None,
        groups: Sequence[str] | None = None,
    ) -> Panel:
        """Check a long frame and put it on a regular grid.

        Parameters
        ----------
        df : DataFrame
            unique_id, ds, y and any key columns (constant within a series). y may be NaN; it may not be
            negative or infinite. Periods without a row become NaN.
        freq : {"YS", "QS", "MS", "W-MON"}
            ds must be the first day of a period (a Monday for weeks).
        known : DataFrame, optional
            What is known ahead: ds, numeric columns, and unique_id unless the figures are the same for all
            series. Every period of the panel and as many after it as are to be forecast, the same for all.
        groups : sequence of str, optional
            Key columns to pool over, together. `[]`: the whole panel. Default: each series goes to the first
            of these pools that has eight series or more: those like it in all key columns; those like it in
            the first column and in no pool yet; the same for each further column. The series left over share
            one pool. A pool by all columns or by the first depends on no series outside it; name `groups` to
            fix them all.

        Returns
        -------
        Panel

        Raises
        ------
        SpecError
            Unknown frequency or group column.
        InputError
            A row or a series breaks a rule; the message names it.

        Examples
        --------
        >>> df = pd.DataFrame({"unique_id": "requests/A", "ds": ["2021-01-01", "2023-01-01"], "y": [10, 14]})
        >>> Panel.from_frame(df, freq="YS").frame["y"].tolist()
        [10.0, nan, 14.0]
        """
        if freq not in SEASON_LENGTH:
            raise SpecError(f"freq {freq!r}: one of {', '.join(SEASON_LENGTH)} is needed. Set freq to one of them.")
        values, dates, keys = grid.panel_arrays(df, freq)
        unknown = [name for name in groups or () if name not in keys.columns]
        if unknown:
            there = ", ".join(map(str, keys.columns)) or "none"
            raise SpecError(f"groups {unknown}: not key columns of the panel (it has: {there}). Name one of those.")
        made = cls(grid.read_only(values), dates, keys, freq, groups=None if groups is None else tuple(groups))
        return made if known is None else made.with_known(known)

    def with_known(self, known: pd.DataFrame) -> Panel:
        """Return the same panel with more columns that are known ahead, as `from_frame` takes them."""
        there = [name for name in known.columns if name in self.known]
        if there:
            raise InputError(f"known: column {there[0]!r} is in the panel already. Rename it or leave it out.")
        return replace(self, known={**self.known, **grid.known_arrays(known, self.keys.index, self.dates, self.freq)})

    @property
    def frame(self) -> pd.DataFrame:
        """unique_id, ds, y: one row a series and period.

        Made anew each time it is asked for: what is written to it does not reach the panel. Change the frame
        and build another panel with `from_frame` instead.
        """
        n, length = self.values.shape
        return pd.DataFrame(
            {
                "unique_id": self.keys.index.repeat(length),
                "ds": np.tile(self.dates.to_numpy(), n),
                "y": self.values.ravel(),
            }
        )

    @property
    def period(self) -> int:
        """Season length in periods."""
        return SEASON_LENGTH[self.freq]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """unique_id of every series, sorted."""
        return tuple(self.keys.index)

    def future(self, horizon: int) -> pd.DatetimeIndex:
        """Return the dates of the `horizon` periods after the panel ends."""
        return pd.date_range(self.dates[-1], periods=horizon + 1, freq=self.freq)[1:]

    @cached_property
    def pools(self) -> Names:
        """Pool name of each series: who may learn from whom. See `from_frame` for how they are chosen."""
        return _chosen_pools(self.keys) if self.groups is None else _pool_names(self.keys, self.groups)

    def window(self) -> Window:
        """Return the whole panel as arrays."""
        return Window(self.ids, self.values, self.dates, self.period, self.pools, dict(self.known))

    def until(self, length: int) -> Panel:
        """Return the panel whose last date is its `length`-th: what was known at an earlier origin.

        Columns known ahead stay whole.
        """
        if not 1 <= length <= len(self.dates):
            raise SpecError(f"until {length}: the panel has {len(self.dates)} periods. Ask for 1 to that many.")
        return replace(self, values=self.values[:, :length], dates=self.dates[:length])

    def select(self, ids: Sequence[str]) -> Panel:
        """Return the panel of some series on the same dates."""
        if not len(ids):
            raise SpecError(f"select []: at least one of the {len(self.ids)} series is needed. Name one it holds.")
        missing = sorted(set(ids) - set(self.ids))
        if missing:
            raise SpecError(f"series {missing[0]!r}: not in the panel of {len(self.ids)} series. Ask for one it holds.")
        rows = self.keys.index.get_indexer(pd.Index(sorted(set(ids))))
        return replace(
            self,
            values=grid.read_only(self.values[rows]),
            keys=self.keys.iloc[rows],
            known={name: grid.read_only(array[rows]) for name, array in self.known.items()},
        )


def _chosen_pools(keys: pd.DataFrame) -> Names:
    """Pools of eight series or more by all keys, then by each alone among the series left; the rest is ""."""
    pools = _pool_names(keys, ()).astype(object)
    left = np.arange(len(keys))
    for by in dict.fromkeys((tuple(keys.columns), *((name,) for name in keys.columns))):
        if not by or len(left) < MIN_POOL:
            break
        names, codes, counts = np.unique(_pool_names(keys.iloc[left], by), return_inverse=True, return_counts=True)
        enough = counts[codes] >= MIN_POOL
        what = "/".join(map(str, by))
        pools[left[enough]] = [f"{what}={name}" for name in names[codes[enough]]]
        left = left[~enough]
    return pools.astype(np.str_)


def _pool_names(keys: pd.DataFrame, by: Sequence[str]) -> Names:
    if not by:
        return np.full(len(keys), "", dtype=np.str_)
    codes = np.zeros(len(keys), dtype=np.int64)
    for name in by:
        own = np.asarray(pd.factorize(keys[name])[0], dtype=np.int64) + 1
        codes = np.unique(codes * (own.max() + 1) + own, return_inverse=True)[1]
    first = np.unique(codes, return_index=True)[1]
    named = ["/".join(map(str, values)) for values in keys[list(by)].iloc[first].itertuples(index=False)]
    return np.array(named, dtype=np.str_)[codes]
