"""Forecast: sample paths inside; quantiles, intervals and totals only at the edge.

Totals are summed path by path, because medians and interval ends do not add.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.calendar import academic_year, calendar_year
from forecast.errors import SpecError
from forecast.panel import FloatArray

YEARS = {"academic_year": academic_year, "calendar_year": calendar_year}
LEDGER_COLUMNS = ("unique_id", "model", "status", "reason", "n_obs", "last_ds")


@dataclass(frozen=True)
class Forecast:
    """Joint sample paths of a panel's future.

    Attributes
    ----------
    ids : tuple of str, length n
        Series with an answer. A series without one is in the ledger alone.
    ds : DatetimeIndex, length h
        First days of the forecast periods.
    paths : ndarray (n, h, p)
        Non-negative. Path k of every series belongs to the same future, so sums over series are valid.
    keys : DataFrame
        Key columns by unique_id.
    freq : str
    ledger : DataFrame
        One row a series of the panel: unique_id, model, status ("ok", "short", "failed" or
        "not_enough_data"), reason, n_obs, last_ds.
    """

    ids: tuple[str, ...]
    ds: pd.DatetimeIndex
    paths: FloatArray
    keys: pd.DataFrame
    freq: str
    ledger: pd.DataFrame

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
        frame = self._index()
        values = np.quantile(self.paths, list(qs), axis=2)
        return _with_columns(frame, dict(zip(qs, values, strict=True)))

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
        return _with_columns(self._index(), summary(self.paths, levels))

    def prob_above(self, threshold: float) -> pd.DataFrame:
        """Return the chance of more than `threshold`, by unique_id and ds, in column prob_above."""
        return _with_columns(self._index(), {"prob_above": (self.paths > threshold).mean(axis=2)})

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
            summed = self.paths[rows].sum(axis=0)
            years = list(dict.fromkeys(labels))
            totals = np.stack([summed[labels == year].sum(axis=0) for year in years])
            frame = pd.DataFrame({by: years, "n_periods": [int((labels == year).sum()) for year in years]})
            return _with_columns(frame, summary(totals, levels))
        if by == "ds":
            frame = pd.DataFrame({"ds": self.ds, "n_periods": 1})
            return _with_columns(frame, summary(self.paths[rows].sum(axis=0), levels))
        codes, values = pd.factorize(self._key(by)[rows], sort=True, use_na_sentinel=False)
        parts = []
        for code, value in enumerate(values):
            frame = pd.DataFrame({by: value, "ds": self.ds, "n_periods": 1})
            parts.append(_with_columns(frame, summary(self.paths[rows[codes == code]].sum(axis=0), levels)))
        return pd.concat(parts, ignore_index=True)

    def _index(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "unique_id": np.repeat(np.asarray(self.ids, dtype=object), len(self.ds)),
                "ds": np.tile(self.ds.to_numpy(), len(self.ids)),
            }
        )

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
    columns = {"mean": paths.mean(axis=-1), "median": np.median(paths, axis=-1)}
    for level in levels:
        if not 0 < level < 100:
            raise SpecError(f"level {level}: a percentage strictly between 0 and 100 is needed. Ask for 80, not 0.8.")
        tail = (1 - level / 100) / 2
        low, high = np.quantile(paths, [tail, 1 - tail], axis=-1)
        columns[f"lo-{level:g}"] = low
        columns[f"hi-{level:g}"] = high
    return columns


def _with_columns(frame: pd.DataFrame, columns: Mapping[str, FloatArray] | Mapping[float, FloatArray]) -> pd.DataFrame:
    flat = {name: values.ravel() for name, values in columns.items()}
    return pd.concat([frame, pd.DataFrame(flat, index=frame.index)], axis=1)
