"""Spread of annual series, and of others in their first year: a shock a pool shares, and each area's own part.

Errors are measured on the log1p scale at the latest origins, in two parts: a *shared shock* that hits all
areas of a pool alike, and each area's own part, whose size is the area's own shrunk to what areas of its
level have. Few origins are known, so the shock is shrunk to a stated prior and has Student's t tails with a
degree of freedom an origin. Both parts wander over the horizon like a random walk, so that totals over
periods are as uncertain as they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize, stats

from forecast.panel import MIN_POOL, FloatArray, IntArray, Window
from forecast.spread.past import PoolErrors

SHOCK_PRIOR_ORIGINS = 3.0
SHOCK_PRIOR_SHARE = 0.2
OWN_PRIOR_ORIGINS = 3.0
OWN_DOF = 5.0
GROWTH_BOUNDS = (0.3, 2.0)


@dataclass(frozen=True)
class AnnualSpread:
    """Size of a model's errors on the log1p scale, by horizon.

    Attributes
    ----------
    shared : ndarray (n, h)
        Scale of the shock a series shares with its pool; 0 in a pool too small to tell.
    shared_dof : ndarray (n,)
        Degrees of freedom of the shock.
    own : ndarray (n, h)
        Standard deviation of the series' own part.
    own_dof : ndarray (n,)
        Degrees of freedom of the own part's shape.
    """

    shared: FloatArray
    shared_dof: FloatArray
    own: FloatArray
    own_dof: FloatArray

    def paths(
        self,
        rows: IntArray,
        points: FloatArray,
        pools: IntArray,
        shared: FloatArray,
        own: Sequence[np.random.Generator],
    ) -> FloatArray:
        """Draw futures of some series, points being medians; see `spread.past.Spread`."""
        from forecast.engine.paths import spread_logs, walk

        horizon, n_paths = shared.shape[1:]
        paths = np.empty((len(rows), horizon, n_paths))
        for path, rng in zip(paths, own, strict=True):
            path[:] = walk(rng, horizon, n_paths)
        dofs, shape = np.unique(np.concatenate([self.own_dof[rows], self.shared_dof[rows]]), return_inverse=True)
        spread_logs(
            points,
            self.own[rows] / _deviation(self.own_dof[rows])[:, None],
            shape[: len(rows)],
            self.shared[rows],
            shape[len(rows) :],
            pools,
            np.stack([_student(float(dof)) for dof in dofs]),
            shared,
            paths,
        )
        return paths


def annual_spread(window: Window, past: Sequence[PoolErrors], horizon: int) -> AnnualSpread:
    """Measure errors at past origins.

    Parameters
    ----------
    window : Window
        The history up to the origin.
    past : sequence of PoolErrors
        One a pool.
    horizon : int
    """
    steps = np.arange(1, horizon + 1)
    n = len(window.ids)
    spread = AnnualSpread(np.zeros((n, horizon)), np.full(n, np.inf), np.zeros((n, horizon)), np.full(n, OWN_DOF))
    change, changes = _change_variance(window)
    for pool in past:
        rows = pool.rows
        errors = np.log1p(pool.actual) - np.log1p(pool.predicted)
        if len(rows) >= MIN_POOL and np.isfinite(errors).any():
            shock = _shock(pool.actual, pool.predicted)
            errors = errors - np.where(np.isfinite(shock), shock, 0.0)[:, None, :]
            growth = _variance_growth(errors)
            by_level = _variance_by_level(errors / steps ** (growth / 2), pool.predicted)
            variance = _own_variance(errors, np.asarray(steps**growth, dtype=np.float64), by_level)
            shared, dof = _shock_variance(shock, steps, variance)
            spread.shared[rows] = np.sqrt(shared * steps)
            spread.shared_dof[rows] = dof
            spread.own[rows] = np.sqrt(variance[:, None] * steps**growth)
        else:
            variance = _own_variance(errors, steps, change[rows])
            origins = np.isfinite(errors).any(axis=2).sum(axis=0)
            spread.own_dof[rows] = np.maximum(origins + np.minimum(changes[rows], OWN_PRIOR_ORIGINS), 2.5)
            spread.own[rows] = np.sqrt(variance[:, None] * steps)
    return spread


def _shock(actual: FloatArray, predicted: FloatArray) -> FloatArray:
    """Error of the pool's total by origin and horizon (K, h)."""
    both = ~np.isnan(actual)
    total, expected = np.where(both, actual, 0.0).sum(axis=1), np.where(both, predicted, 0.0).sum(axis=1)
    return np.where(both.any(axis=1), np.log1p(total) - np.log1p(expected), np.nan)


def _shock_variance(shock: FloatArray, steps: IntArray, own: FloatArray) -> tuple[float, float]:
    """Variance of the shock a period, and its degrees of freedom."""
    prior = SHOCK_PRIOR_SHARE / (1 - SHOCK_PRIOR_SHARE) * float(np.median(own))
    known = np.isfinite(shock).any(axis=1)
    by_origin = np.nanmean(shock[known] ** 2 / steps, axis=1)
    degrees = SHOCK_PRIOR_ORIGINS + int(known.sum())
    return (SHOCK_PRIOR_ORIGINS * prior + float(by_origin.sum())) / degrees, degrees


def _variance_growth(errors: FloatArray) -> float:
    """Exponent of the own variance over the horizon: the slope of log robust variance on log steps."""
    spread = np.array([np.nanmedian(np.abs(e)) if np.isfinite(e).any() else np.nan for e in errors.transpose(2, 0, 1)])
    usable = np.flatnonzero(spread > 0)
    if len(usable) < 2:
        return 1.0
    slope = np.polyfit(np.log(usable + 1.0), 2 * np.log(spread[usable]), 1)[0]
    return float(np.clip(slope, *GROWTH_BOUNDS))


def _variance_by_level(errors: FloatArray, level: FloatArray) -> FloatArray:
    """Fit the square of one-period errors at each series' latest level: a + b / level, both not negative."""
    square, inverse = errors**2, 1 / (level + 1)
    known = np.isfinite(square)
    capped = np.minimum(square[known], np.quantile(square[known], 0.98))
    design = np.column_stack([np.ones(capped.size), inverse[known]])
    weight = 1 / (np.median(capped) * (1 + inverse[known] / np.median(inverse[known])) + 1e-12)
    size = np.linalg.norm(design * weight[:, None], axis=0)
    coefficients = optimize.nnls(design * weight[:, None] / size, capped * weight)[0] / size
    latest = np.array([row[~np.isnan(row)][-1] if (~np.isnan(row)).any() else np.nan for row in inverse[:, :, 0].T])
    filled = np.where(np.isnan(latest), np.nanmedian(inverse), latest)
    return np.asarray(np.maximum(coefficients[0] + coefficients[1] * filled, 1e-6), dtype=np.float64)


def _own_variance(errors: FloatArray, growth: FloatArray | IntArray, prior: FloatArray) -> FloatArray:
    """Each series' mean square error a period, shrunk to its prior as if that were some origins more (n,)."""
    square = errors**2 / growth
    known = np.isfinite(square)
    by_origin = np.where(known, square, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    origins = known.any(axis=2).sum(axis=0)
    pooled = (by_origin.sum(axis=0) + OWN_PRIOR_ORIGINS * prior) / (origins + OWN_PRIOR_ORIGINS)
    return np.asarray(pooled, dtype=np.float64)


def _change_variance(window: Window) -> tuple[FloatArray, IntArray]:
    """Variance of a series' log changes about their mean, never below counting noise, and their number."""
    changes = np.diff(np.log1p(window.values), axis=1)
    known = ~np.isnan(changes)
    count = known.sum(axis=1)
    mean = np.where(known, changes, 0.0).sum(axis=1) / np.maximum(count, 1)
    square = np.where(known, (changes - mean[:, None]) ** 2, 0.0).sum(axis=1)
    seen = ~np.isnan(window.values)
    level = np.where(seen, window.values, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return np.maximum(square / np.maximum(count - 1, 1), 1 / (1 + level)), count


@cache
def _student(dof: float) -> FloatArray:
    """Student's t of the rank of a standard normal draw, at the points of the engine's grid."""
    from forecast.engine.paths import NORMAL_GRID

    if not np.isfinite(dof):
        return NORMAL_GRID
    return np.asarray(stats.t.ppf(stats.norm.cdf(NORMAL_GRID), dof), dtype=np.float64)


def _deviation(dof: FloatArray) -> FloatArray:
    """Return the standard deviation of Student's t."""
    return np.asarray(np.sqrt(dof / (dof - 2)), dtype=np.float64)
