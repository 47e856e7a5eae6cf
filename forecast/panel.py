"""Panel: the contract every series meets before a model sees it.

A panel is a set of series with one frequency, on one grid of dates, each with key columns that say what
it is (measure, area). Missing is `NaN`, never zero. A `Window` is the part of a panel a model may see at
one origin: arrays only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import InputError, SpecError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]

SEASON_LENGTH = {"YS": 1, "QS": 4, "MS": 12, "W-MON": 52}
PERIOD_NAME = {"YS": "year", "QS": "quarter", "MS": "month", "W-MON": "week"}
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
    """

    ids: tuple[str, ...]
    values: FloatArray
    dates: pd.DatetimeIndex
    period: int
    pools: Names

    def until(self, length: int) -> Window:
        """Return the window whose origin is the `length`-th date."""
        return replace(self, values=self.values[:, :length], dates=self.dates[:length])

    def rows(self, index: Sequence[int] | IntArray) -> Window:
        """Return the window of some series, in the order asked."""
        chosen = np.asarray(index, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[i] for i in chosen),
            values=self.values[chosen],
            pools=self.pools[chosen],
        )


@dataclass(frozen=True)
class Panel:
    """Series of one frequency on one grid of dates.

    Build it with `Panel.from_frame`. A panel holds bottom series only: published aggregates (region,
    England) are a panel of their own.

    Attributes
    ----------
    frame : DataFrame
        unique_id, ds, y; one row a series and period from the first to the last date of the panel.
    keys : DataFrame
        Key columns by unique_id.
    freq : {"YS", "QS", "MS", "W-MON"}
    groups : tuple of str or None
        Key columns to pool over; None leaves the choice to `pools`.
    """

    frame: pd.DataFrame
    keys: pd.DataFrame
    freq: str
    groups: tuple[str, ...] | None = None

    @classmethod
    def from_frame(cls, df: pd.DataFrame, *, freq: str, groups: Sequence[str] | None = None) -> Panel:
        """Check a long frame and put it on a regular grid.

        Parameters
        ----------
        df : DataFrame
            unique_id, ds, y and any key columns (constant within a series). y may be NaN; it may not be
            negative or infinite. Periods without a row become NaN.
        freq : {"YS", "QS", "MS", "W-MON"}
            ds must be the first day of a period (a Monday for weeks).
        groups : sequence of str, optional
            Key columns to pool over, together. Default: the finest of all key columns together or each
            alone that gives pools of eight series on average, else the whole panel. `[]`: the whole panel.

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
        rows = _checked_rows(df, freq)
        keys = _constant_keys(rows)
        unknown = [name for name in groups or () if name not in keys.columns]
        if unknown:
            known = ", ".join(map(str, keys.columns)) or "none"
            raise SpecError(f"groups {unknown}: not key columns of the panel (it has: {known}). Name one of those.")
        grid = pd.date_range(rows["ds"].min(), rows["ds"].max(), freq=freq)
        wide = rows.pivot(index="unique_id", columns="ds", values="y").reindex(index=keys.index, columns=grid)
        full = pd.DataFrame(
            {
                "unique_id": np.repeat(wide.index.to_numpy(), len(grid)),
                "ds": np.tile(grid.to_numpy(), len(wide)),
                "y": wide.to_numpy(dtype=float).ravel(),
            }
        )
        return cls(frame=full, keys=keys, freq=freq, groups=None if groups is None else tuple(groups))

    @property
    def period(self) -> int:
        """Season length in periods."""
        return SEASON_LENGTH[self.freq]

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """unique_id of every series, sorted."""
        return tuple(self.keys.index)

    @cached_property
    def dates(self) -> pd.DatetimeIndex:
        """All periods of the panel; the last is the origin of a forecast."""
        return pd.DatetimeIndex(self.frame["ds"].iloc[: len(self.frame) // len(self.keys)], freq=self.freq)

    def future(self, horizon: int) -> pd.DatetimeIndex:
        """Return the dates of the `horizon` periods after the panel ends."""
        return pd.date_range(self.dates[-1], periods=horizon + 1, freq=self.freq)[1:]

    @cached_property
    def pools(self) -> Names:
        """Pool name of each series: who may learn from whom."""
        if self.groups is not None:
            return _pool_names(self.keys, self.groups)
        columns = tuple(self.keys.columns)
        choices = [_pool_names(self.keys, by) for by in (columns, *((name,) for name in columns)) if by]
        finest_first = sorted(choices, key=lambda names: -len(np.unique(names)))
        large_enough = (names for names in finest_first if len(names) / len(np.unique(names)) >= MIN_POOL)
        return next(large_enough, _pool_names(self.keys, ()))

    def window(self) -> Window:
        """Return the whole panel as arrays."""
        values = self.frame["y"].to_numpy(dtype=float).reshape(len(self.ids), len(self.dates))
        return Window(ids=self.ids, values=values, dates=self.dates, period=self.period, pools=self.pools)

    def until(self, length: int) -> Panel:
        """Return the panel whose last date is its `length`-th: what was known at an earlier origin."""
        if not 1 <= length <= len(self.dates):
            raise SpecError(f"until {length}: the panel has {len(self.dates)} periods. Ask for 1 to that many.")
        return replace(self, frame=self.frame[self.frame["ds"] <= self.dates[length - 1]].reset_index(drop=True))

    def select(self, ids: Sequence[str]) -> Panel:
        """Return the panel of some series on the same dates."""
        if not len(ids):
            raise SpecError(f"select []: at least one of the {len(self.ids)} series is needed. Name one it holds.")
        missing = sorted(set(ids) - set(self.ids))
        if missing:
            raise SpecError(f"series {missing[0]!r}: not in the panel of {len(self.ids)} series. Ask for one it holds.")
        frame = self.frame[self.frame["unique_id"].isin(ids)].reset_index(drop=True)
        return replace(self, frame=frame, keys=self.keys.loc[sorted(set(ids))])


def _pool_names(keys: pd.DataFrame, by: Sequence[str]) -> Names:
    if not by:
        return np.full(len(keys), "", dtype=np.str_)
    return np.array(["/".join(map(str, values)) for values in keys[list(by)].itertuples(index=False)], dtype=np.str_)


def _checked_rows(df: pd.DataFrame, freq: str) -> pd.DataFrame:
    needed = ("unique_id", "ds", "y")
    missing = [name for name in needed if name not in df.columns]
    if missing:
        raise InputError(
            f"panel: column {', '.join(missing)} missing (found: {', '.join(map(str, df.columns))}); "
            "unique_id, ds and y are needed. Rename your columns."
        )
    if df.empty:
        raise InputError("panel: no rows; at least one series with two figures is needed. Check the filter before it.")
    rows = df.copy()
    if rows["unique_id"].isna().any():
        raise InputError(
            f"panel: {int(rows['unique_id'].isna().sum())} rows without unique_id; each row needs one. "
            "Fill or drop them."
        )
    rows["unique_id"] = rows["unique_id"].astype(str)
    if pd.api.types.is_numeric_dtype(rows["ds"]):
        raise InputError(
            f"panel: column ds holds numbers, first {rows['ds'].iloc[0]:g}; dates are needed. "
            "Write a year as its first day, such as 2024-01-01."
        )
    try:
        rows["ds"] = pd.to_datetime(rows["ds"], format="ISO8601")
    except (ValueError, TypeError) as error:
        raise InputError(
            f"panel: column ds holds a value that is not an ISO date ({_first_sentence(error)}). "
            "Parse dates with their own format first."
        ) from error
    try:
        rows["y"] = pd.to_numeric(rows["y"]).astype(float)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"panel: column y holds a value that is not a number ({_first_sentence(error)}). "
            "Keep symbols as a reason and leave y empty."
        ) from error
    bad = rows[np.isinf(rows["y"]) | (rows["y"] < 0)]
    if len(bad):
        first = bad.iloc[0]
        raise InputError(
            f"series {first['unique_id']!r}: y = {first['y']:g} at {first['ds']:%Y-%m-%d}; counts are finite and not "
            "negative. Correct the figure or leave it empty."
        )
    _check_grid(rows, freq)
    repeated = rows[rows.duplicated(["unique_id", "ds"])]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"series {first['unique_id']!r}: {len(repeated)} repeated periods, first {first['ds']:%Y-%m-%d}; "
            "one row a series and period is allowed. Remove or add up the repeats."
        )
    return rows


def _first_sentence(error: Exception) -> str:
    return str(error).split(". ")[0].split("\n")[0]


def _check_grid(rows: pd.DataFrame, freq: str) -> None:
    undated = rows[rows["ds"].isna()]
    if len(undated):
        raise InputError(
            f"series {undated.iloc[0]['unique_id']!r}: {len(undated)} rows without a date; each needs ds. "
            "Fill or drop them."
        )
    if rows["ds"].dt.tz is not None:
        raise InputError("panel: column ds has a time zone; dates are plain days. Drop it with dt.tz_localize(None).")
    grid = pd.date_range(rows["ds"].min().normalize() - pd.DateOffset(years=1), rows["ds"].max(), freq=freq)
    off = rows[~rows["ds"].isin(grid)]
    if len(off):
        first = off.iloc[0]
        raise InputError(
            f"series {first['unique_id']!r}: date {first['ds']} is not the first day of a {PERIOD_NAME[freq]} "
            f"(freq {freq}). Move it to the period's first day or set another freq."
        )


def _constant_keys(rows: pd.DataFrame) -> pd.DataFrame:
    columns = [name for name in rows.columns if name not in ("unique_id", "ds", "y")]
    grouped = rows.groupby("unique_id", sort=True)
    if not columns:
        return pd.DataFrame(index=grouped.size().index)
    varied = grouped[columns].nunique(dropna=False).gt(1)
    for name in columns:
        if varied[name].any():
            series = varied.index[varied[name]][0]
            raise InputError(
                f"series {series!r}: key column {name!r} changes within the series; a key is constant. "
                "Drop the column or make it part of unique_id."
            )
    return grouped[columns].first()
