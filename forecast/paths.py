"""Forecast: sample paths inside; quantiles, intervals and totals only at the edge.

Totals are summed path by path, because medians and interval ends do not add. Paths are drawn for a block of
series at a time, on several threads, and their figures are the same however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd

from forecast.calendar import academic_year, calendar_year
from forecast.errors import SpecError
from forecast.panel import FloatArray, IntArray
from forecast.threads import in_threads

BLOCK_VALUES = 2**20
KEPT_VALUES = 2**24
SUM_PARTS = 16
YEARS = {"academic_year": academic_year, "calendar_year": calendar_year}
LEDGER_COLUMNS = ("unique_id", "model", "status", "reason", "n_obs", "last_ds")
Column = TypeVar("Column", str, float)


class PathSource(Protocol):
    """Where the paths of a forecast come from: a row's are the same whenever and with whichever others it is drawn."""

    @property
    def n_paths(self) -> int:
        """Paths of a series."""
        ...

    def draw(self, rows: IntArray) -> FloatArray:
        """Return the paths of some series (rows, h, p). Called from several threads at once."""
        ...


@dataclass(frozen=True, eq=False)
class WholePaths:
    """Paths that are there already, as a source."""

    array: FloatArray

    @property
    def n_paths(self) -> int:
        """Paths of a series."""
        return int(self.array.shape[2])

    def draw(self, rows: IntArray) -> FloatArray:
        """Return the paths of some series."""
        return self.array[rows]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Forecast:
    """Joint sample paths of a panel's future.

    Made from `ids`, `ds`, `keys`, `freq`, `ledger` and either `paths` or their `source`, all by name.

    Attributes
    ----------
    ids : tuple of str, length n
        Series with an answer. A series without one is in the ledger alone.
    ds : DatetimeIndex, length h
        First days of the forecast periods.
    source : PathSource
        Draws the paths of some series. Everything here but `paths` goes through them in blocks of series, so
        that memory does not grow with the panel.
    paths : ndarray (n, h, p)
        Non-negative. Path k of every series belongs to the same future, so sums over series are valid. Drawn
        when asked for, and kept only if few.
    keys : DataFrame
        Key columns by unique_id.
    freq : str
    ledger : DataFrame
        One row a series of the panel: unique_id, model, status ("ok", "short", "failed" or
        "not_enough_data"), reason, n_obs, last_ds.
    """

    ids: tuple[str, ...]
    ds: pd.DatetimeIndex
    source: PathSource
    keys: pd.DataFrame
    freq: str
    ledger: pd.DataFrame
    _kept: list[FloatArray] = field(init=False)

    def __init__(
        self,
        *,
        ids: tuple[str, ...],
        ds: pd.DatetimeIndex,
        keys: pd.DataFrame,
        freq: str,
        ledger: pd.DataFrame,
        paths: FloatArray | PathSource | None = None,
        source: PathSource | None = None,
    ) -> None:
        given = source if paths is None else paths  # `replace` gives the source there was besides new paths
        if given is None:
            raise TypeError("Forecast: paths or their source is needed.")
        drawing = WholePaths(given) if isinstance(given, np.ndarray) else given
        fields = {"ids": ids, "ds": ds, "source": drawing, "keys": keys, "freq": freq, "ledger": ledger, "_kept": []}
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        return f"Forecast({len(self.ids)} series, {len(self.ds)} periods, {self.source.n_paths} paths)"

    @property
    def paths(self) -> FloatArray:
        """All paths (n, h, p)."""
        if isinstance(self.source, WholePaths):
            return self.source.array
        if self._kept:
            return self._kept[0]
        whole = np.empty((len(self.ids), len(self.ds), self.source.n_paths))

        def run(first: int) -> None:
            whole[first : first + self._block] = self._draw(np.arange(first, self._end(first)))

        in_threads(run, range(0, len(self.ids), self._block))
        if whole.size <= KEPT_VALUES:
            self._kept.append(whole)
        return whole

    def quantiles(self, qs: Sequence[float]) -> pd.DataFrame:
        """Return quantiles of every series and period.

        Parameters
        ----------
        qs : sequence of float
            Each strictly between 0 and 1.

        Returns
        -------
        DataFrame
            unique_id, ds and a column a quantile, named by its number.
        """
        for q in qs:
            if not 0 < q < 1:
                raise SpecError(f"quantile {q}: strictly between 0 and 1 is needed. Ask for 0.1 rather than 10.")
        return self._by_block(lambda paths: _quantiles(np.sort(paths), qs))

    def to_frame(self, levels: Sequence[float] = (80, 95)) -> pd.DataFrame:
        """Return mean, median and central intervals.

        Parameters
        ----------
        levels : sequence of float, default (80, 95)
            Interval levels in per cent.

        Returns
        -------
        DataFrame
            unique_id, ds, mean, median, then lo-<level> and hi-<level> for each level.
        """
        return self._by_block(lambda paths: summary(paths, levels))

    def prob_above(self, threshold: float) -> pd.DataFrame:
        """Return the chance of more than `threshold`, by unique_id and ds, in column prob_above."""
        return self._by_block(lambda paths: {"prob_above": (paths > threshold).mean(axis=2)})

    def total(
        self,
        *,
        by: str = "ds",
        where: Mapping[str, object] | None = None,
        levels: Sequence[float] = (80, 95),
    ) -> pd.DataFrame:
        """Sum over series, and over periods when `by` is a year, path by path.

        Parameters
        ----------
        by : {"ds", "academic_year", "calendar_year"} or a key column, default "ds"
            What one row stands for. A key column gives a row a value and period.
        where : mapping, optional
            Key column -> value or list of values: the series to sum.
        levels : sequence of float
            Interval levels in per cent.

        Returns
        -------
        DataFrame
            The `by` column (and ds for a key column), n_periods (periods summed), mean, median, lo-, hi-.

        Raises
        ------
        SpecError
            Unknown key or value, nothing selected, or years of annual data.
        """
        rows = self._selected(where or {})
        if by in YEARS:
            if self.freq == "YS":
                raise SpecError(f"total by {by}: the periods are already years. Use by='ds'.")
            labels = YEARS[by](self.ds)
            summed = self._sum(rows)
            years = list(dict.fromkeys(labels))
            totals = np.stack([summed[labels == year].sum(axis=0) for year in years])
            frame = pd.DataFrame({by: years, "n_periods": [int((labels == year).sum()) for year in years]})
            return _with_columns(frame, summary(totals, levels))
        if by == "ds":
            frame = pd.DataFrame({"ds": self.ds, "n_periods": 1})
            return _with_columns(frame, summary(self._sum(rows), levels))
        codes, values = pd.factorize(self._key(by)[rows], sort=True, use_na_sentinel=False)
        groups = np.split(rows[np.argsort(codes, kind="stable")], np.cumsum(np.bincount(codes))[:-1])
        parts = [summary(self._sum(group), levels) for group in groups]
        repeated = pd.Series(values).repeat(len(self.ds)).reset_index(drop=True)
        frame = pd.DataFrame({by: repeated, "ds": np.tile(self.ds.to_numpy(), len(groups)), "n_periods": 1})
        return _with_columns(frame, {name: np.stack([part[name] for part in parts]) for name in parts[0]})

    def _by_block(self, read: Callable[[FloatArray], Mapping[Column, FloatArray]]) -> pd.DataFrame:
        """Read figures off the paths of every series and period, block by block, into columns of a frame."""
        n, horizon = len(self.ids), len(self.ds)
        columns = {name: np.empty((n, horizon)) for name in read(np.empty((0, horizon, self.source.n_paths)))}

        def run(first: int) -> None:
            rows = np.arange(first, self._end(first))
            for name, values in read(self._draw(rows)).items():
                columns[name][rows] = values

        in_threads(run, range(0, n, self._block))
        frame = pd.DataFrame(
            {
                "unique_id": pd.Index(self.ids, dtype=str).repeat(horizon),
                "ds": np.tile(self.ds.to_numpy(), n),
            }
        )
        return _with_columns(frame, columns)

    def _sum(self, rows: IntArray) -> FloatArray:
        """Sum the paths of series (h, p): in parts, each one block after the other, whatever the threads."""
        length = -(-len(rows) // (SUM_PARTS * self._block)) * self._block
        starts = range(0, len(rows), length)
        parts = np.zeros((len(starts), len(self.ds), self.source.n_paths))

        def run(start: int) -> None:
            for first in range(start, min(start + length, len(rows)), self._block):
                block = rows[first : min(first + self._block, start + length)]
                parts[start // length] += self._draw(block).sum(axis=0)

        in_threads(run, starts)
        return np.asarray(parts.sum(axis=0))

    def _draw(self, rows: IntArray) -> FloatArray:
        return self._kept[0][rows] if self._kept else self.source.draw(rows)

    @property
    def _block(self) -> int:
        """Series drawn at a time."""
        return max(BLOCK_VALUES // max(len(self.ds) * self.source.n_paths, 1), 1)

    def _end(self, first: int) -> int:
        return min(first + self._block, len(self.ids))

    def _key(self, name: str) -> np.ndarray:
        if name == "unique_id":
            return np.asarray(self.ids, dtype=object)
        if name not in self.keys.columns:
            known = ", ".join(["unique_id", *map(str, self.keys.columns)])
            raise SpecError(f"key {name!r}: the forecast has the keys {known}. Use one of them.")
        return self.keys.loc[list(self.ids), name].to_numpy()

    def _selected(self, where: Mapping[str, object]) -> np.ndarray:
        if not self.ids:
            raise SpecError("total: no series has an answer to add up. See forecast.ledger for the reasons.")
        chosen = np.ones(len(self.ids), dtype=bool)
        for name, wanted in where.items():
            allowed = list(wanted) if isinstance(wanted, (list, tuple, set)) else [wanted]
            chosen &= pd.Series(self._key(name)).isin(allowed).to_numpy()
        if not chosen.any():
            raise SpecError(f"total where {dict(where)}: no series matches. Check the values against forecast.keys.")
        return np.flatnonzero(chosen)


def summary(paths: FloatArray, levels: Sequence[float]) -> dict[str, FloatArray]:
    """Mean, median and central intervals over the last axis of `paths`."""
    for level in levels:
        if not 0 < level < 100:
            raise SpecError(f"level {level}: a percentage strictly between 0 and 100 is needed. Ask for 80, not 0.8.")
    rising = np.sort(paths, axis=-1)
    columns = {"mean": paths.mean(axis=-1), "median": _quantile(rising, 0.5)}
    for level in levels:
        tail = (1 - level / 100) / 2
        columns[f"lo-{level:g}"] = _quantile(rising, tail)
        columns[f"hi-{level:g}"] = _quantile(rising, 1 - tail)
    return columns


def _quantiles(rising: FloatArray, qs: Sequence[float]) -> dict[float, FloatArray]:
    return {q: _quantile(rising, q) for q in qs}


def _quantile(rising: FloatArray, q: float) -> FloatArray:
    """Quantile of sorted values, linear between neighbours; NaN where one of them is."""
    at = q * (rising.shape[-1] - 1)
    left = int(at)
    right = min(left + 1, rising.shape[-1] - 1)
    low, high, share = rising[..., left], rising[..., right], at - left
    between = low + (high - low) * share if share < 0.5 else high - (high - low) * (1 - share)
    return np.where(np.isnan(rising[..., -1]), np.nan, between)


def _with_columns(frame: pd.DataFrame, columns: Mapping[Column, FloatArray]) -> pd.DataFrame:
    flat = {name: values.ravel() for name, values in columns.items()}
    return pd.concat([frame, pd.DataFrame(flat, index=frame.index)], axis=1)
