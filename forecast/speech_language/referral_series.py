"""Forecasts of monthly referral series on paths, for horizons longer than a history can tell of.

The first year ahead is the engine's, its intervals measured on errors at past origins. Later years repeat it, times
the growth that the model sees and a shock to each year that lasts: a history of some years says little of how far
it may be off in its own length again. Histories of less than a year have no season and no past origins to speak of:
they move around their level by what they moved so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from forecast.calendar import term_days, working_days
from forecast.forecasting import forecast_panel
from forecast.models.specs import ModelSpec, spec_name
from forecast.panel import FloatArray, Panel
from forecast.study import study_panel

YEAR = 12
SEPARATOR = " | "
AUGUST = 8
# Robust standard deviations over English authorities of the log growth of EHC requests in a year, 2018 to 2023, are
# 0.13 to 0.17 (`reference.ehc`); no yearly referrals to therapy are published.
YEARLY_SPREAD = 0.13
# Children who wait up to a week in England at the end of July and August 2023, against six months that end in term:
# 23 % and 42 % fewer (`reference.slt_waiting`).
OUT_OF_TERM = 0.68
MOST_GROWTH = 1.25
LEAST_SPREAD, MOST_SPREAD = 0.02, 1.0


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is asked of every series.

    Attributes
    ----------
    model : str, Model or list
    months : int
        M, months ahead.
    n_paths : int
        P.
    seed : int
    executor : concurrent.futures.Executor or None
    """

    model: ModelSpec
    months: int
    n_paths: int
    seed: int
    executor: Executor | None = None

    def rates(self, counts: FloatArray, months: pd.DatetimeIndex, *, name: str) -> FloatArray:
        """Forecast a series as counts a day of referral, multiplied back.

        Parameters
        ----------
        counts : ndarray (T,)
            NaN where not known.
        months : DatetimeIndex, length T
        name : str
            Draws depend on it.

        Returns
        -------
        ndarray (M, P)
        """
        panel = Panel.from_frame(_long(counts[None] / referral_days(months), [name], months), freq="MS")
        paths = self._paths(panel, counted=False)[0] * referral_days(panel.future(self.months))[:, None]
        return np.asarray(paths, dtype=np.float64)

    def counts(self, counts: FloatArray, keys: pd.DataFrame, months: pd.DatetimeIndex, *, pool: str) -> FloatArray:
        """Forecast groups as counts.

        Parameters
        ----------
        counts : ndarray (n, T)
            NaN where not known.
        keys : DataFrame, n rows
            What each group is; draws depend on it.
        months : DatetimeIndex, length T
        pool : str
            Column of `keys` whose equals learn from each other.

        Returns
        -------
        ndarray (n, M, P)
        """
        ids = [SEPARATOR.join(row) for row in keys.itertuples(index=False)]
        frame = _long(counts, ids, months).merge(keys.assign(unique_id=ids), on="unique_id")
        panel = Panel.from_frame(frame, freq="MS", groups=[pool])
        place = {name: row for row, name in enumerate(panel.ids)}
        return self._paths(panel, counted=True)[[place[name] for name in ids]]

    def _paths(self, panel: Panel, *, counted: bool) -> FloatArray:
        """Paths of every series (n, M, P)."""
        panel = panel.with_known(_calendar(panel.dates.union(panel.future(self.months))))
        first = min(self.months, YEAR)
        place = {name: row for row, name in enumerate(panel.ids)}
        young = (np.isfinite(panel.values).cumsum(axis=1) > 0).sum(axis=1) < YEAR
        left = np.ones(len(panel.ids), dtype=np.bool_)
        paths = np.empty((len(panel.ids), self.months, self.n_paths))
        if not young.all():
            made = forecast_panel(
                panel,
                horizon=first,
                model=self.model,
                seed=self.seed,
                n_paths=self.n_paths,
                executor=self.executor,
            )
            rows = [place[name] for name in made.ids]
            paths[rows, :first] = made.paths
            left[rows] = young[rows]
        if left.any():
            points = self._points(panel, first)
            for row in np.flatnonzero(left):
                rng = self._generator(panel.ids[row], "level")
                paths[row, :first] = _around(points[row], panel.values[row], rng, self.n_paths, counted=counted)
        if self.months > YEAR:
            self._later_years(panel, paths)
        return paths

    def _later_years(self, panel: Panel, paths: FloatArray) -> None:
        """Carry the paths of the first year on, in place."""
        points = self._points(panel, self.months)
        for row, name in enumerate(panel.ids):
            rng = self._generator(name, "years")
            for start in range(YEAR, self.months, YEAR):
                now = slice(start, min(start + YEAR, self.months))
                before = slice(now.start - YEAR, now.stop - YEAR)
                shock = np.exp(rng.standard_normal(self.n_paths) * YEARLY_SPREAD)
                growth = _growth(points[row, before].sum(), points[row, now].sum())
                paths[row, now] = paths[row, before] * (growth * shock)

    def _points(self, panel: Panel, months: int) -> FloatArray:
        """Points of the model (n, months); the mean of the last year where it has none."""
        study = study_panel(panel, [self.model], horizon=months, executor=self.executor)
        points = study.rolling.points[spec_name(self.model)][-1]
        level = np.nan_to_num(np.nanmean(panel.values[:, -YEAR:], axis=1))
        return np.asarray(np.where(np.isfinite(points), points, level[:, None]))

    def _generator(self, name: str, role: str) -> np.random.Generator:
        digest = blake2b(f"{role}:{name}".encode(), digest_size=16).digest()
        return np.random.default_rng([self.seed, int.from_bytes(digest, "big")])


def referral_days(months: pd.DatetimeIndex) -> FloatArray:
    """Count the days of months on which referrals come: school days, and other working days at their weight.

    Examples
    --------
    >>> referral_days(pd.DatetimeIndex(["2024-08-01", "2024-10-01"])).round(2).tolist()
    [14.28, 21.72]
    """
    term = term_days(months)
    return np.asarray(term + OUT_OF_TERM * (working_days(months) - term))


def _growth(before: float, now: float) -> float:
    return float(np.clip(now / before, 1 / MOST_GROWTH, MOST_GROWTH)) if before > 0 else 1.0


def _around(
    points: FloatArray, history: FloatArray, rng: np.random.Generator, n_paths: int, *, counted: bool
) -> FloatArray:
    """Draw futures (months, n_paths) whose means are the points, off as far as a history moved around its mean.

    The level is off by what the mean of so many figures is; a month is off besides by as much as one figure was, or
    by chance alone if it counts few.
    """
    known = history[np.isfinite(history)]
    spread = np.std(known, ddof=1) / known.mean() if len(known) > 1 and known.mean() > 0 else MOST_SPREAD
    spread = float(np.clip(spread, LEAST_SPREAD, MOST_SPREAD))
    lasting = spread / np.sqrt(len(known))
    level = points[:, None] * np.exp(rng.standard_normal(n_paths) * lasting - lasting**2 / 2)
    if counted:
        return np.asarray(rng.poisson(level), dtype=np.float64)
    fresh = rng.standard_normal((len(points), n_paths)) * spread - spread**2 / 2
    return np.asarray(level * np.exp(fresh), dtype=np.float64)


def _calendar(months: pd.DatetimeIndex) -> pd.DataFrame:
    """Lay out what models that take columns known ahead are told of each month."""
    return pd.DataFrame(
        {
            "ds": months,
            "working_days": working_days(months),
            "school_days": term_days(months),
            "august": (months.month == AUGUST).astype(np.float64),
        }
    )


def _long(values: FloatArray, ids: Sequence[str], months: pd.DatetimeIndex) -> pd.DataFrame:
    n, length = values.shape
    return pd.DataFrame({"unique_id": np.repeat(ids, length), "ds": np.tile(months.to_numpy(), n), "y": values.ravel()})
