"""Sample paths around point forecasts, as wide as past errors say.

The width never comes from a model's own word. It comes from what the same model got wrong at its latest
origins, on the log1p scale, in two parts: a *shared shock* that hits all areas of a pool alike, and each
area's own part, whose size is the area's own shrunk to what areas of its level have. Few origins are
known, so the shock is shrunk to a stated prior and has Student's t tails with a degree of freedom an
origin. Both parts wander over the horizon like a random walk, so that totals over periods are as
uncertain as they should be.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import optimize, stats

from forecast.evaluate.origins import CALIBRATION_ORIGINS, RollingPoints
from forecast.panel import MIN_POOL, FloatArray, IntArray, Names, Window

SHOCK_PRIOR_ORIGINS = 3.0
SHOCK_PRIOR_SHARE = 0.2
OWN_PRIOR_ORIGINS = 3.0
OWN_DOF = 5.0
GROWTH_BOUNDS = (0.3, 2.0)
NORMAL_GRID = np.linspace(-5, 5, 401)


@dataclass(frozen=True)
class ErrorScale:
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


def error_scale(rolling: RollingPoints, points: FloatArray, *, seen: int) -> ErrorScale:
    """Measure a model's errors at the origins whose outturn is known at another, later origin.

    Parameters
    ----------
    rolling : RollingPoints
    points : ndarray (K, n, h)
        The model's points at the origins of `rolling`.
    seen : int
        Periods the later origin sees; no outturn after them is used.

    Returns
    -------
    ErrorScale
    """
    window = rolling.window.until(seen)
    ends, steps = np.asarray(rolling.ends), np.arange(1, points.shape[2] + 1)
    recent = (ends < seen) & (ends >= seen - CALIBRATION_ORIGINS)
    known = (ends[recent, None] + steps[None, :] <= seen)[:, None, :] & np.isfinite(points[recent])
    actual, predicted = np.where(known, rolling.outturn()[recent], np.nan), points[recent]
    n, horizon = len(window.ids), len(steps)
    scale = ErrorScale(np.zeros((n, horizon)), np.full(n, np.inf), np.zeros((n, horizon)), np.full(n, OWN_DOF))
    change, changes = _change_variance(window)
    for pool in np.unique(window.pools):
        rows = np.flatnonzero(window.pools == pool)
        errors = np.log1p(actual[:, rows]) - np.log1p(predicted[:, rows])
        if len(rows) >= MIN_POOL and np.isfinite(errors).any():
            shock = _shock(actual[:, rows], predicted[:, rows])
            errors = errors - np.where(np.isfinite(shock), shock, 0.0)[:, None, :]
            growth = _variance_growth(errors)
            level = predicted[:, rows]
            variance = _own_variance(errors, steps**growth, _variance_by_level(errors / steps ** (growth / 2), level))
            shared, dof = _shock_variance(shock, steps, variance)
            scale.shared[rows] = np.sqrt(shared * steps)
            scale.shared_dof[rows] = dof
            scale.own[rows] = np.sqrt(variance[:, None] * steps**growth)
        else:
            variance = _own_variance(errors, steps, change[rows])
            origins = np.isfinite(errors).any(axis=2).sum(axis=0)
            scale.own_dof[rows] = np.maximum(origins + np.minimum(changes[rows], OWN_PRIOR_ORIGINS), 2.5)
            scale.own[rows] = np.sqrt(variance[:, None] * steps)
    return scale


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


@dataclass(frozen=True)
class Walks:
    """Standard normal random walks over the horizon: what is random in a forecast, apart from its size.

    Attributes
    ----------
    own : ndarray (n, h, p)
    shared : ndarray (n, h, p) or broadcastable
        The same for every series of a pool.
    """

    own: FloatArray
    shared: FloatArray


def draw_walks(ids: Sequence[str], pools: Names, *, horizon: int, n_paths: int, seed: int) -> Walks:
    """Draw the walks of series and pools.

    A series' draws depend on its id and the seed, its pool's on the pool's name: neither on the order of
    rows nor on other series.
    """
    own = np.stack([_walk(name, "own", horizon, n_paths, seed) for name in ids])
    shared = np.empty_like(own)
    for pool in np.unique(pools):
        rows = np.flatnonzero(pools == pool)
        shared[rows] = _walk(str(pool), "pool", horizon, n_paths, seed)
    return Walks(own=own, shared=shared)


def sample_paths(points: FloatArray, scale: ErrorScale, walks: Walks) -> FloatArray:
    """Draw joint futures around points.

    Parameters
    ----------
    points : ndarray (n, h)
        Taken as medians.
    scale : ErrorScale
    walks : Walks

    Returns
    -------
    ndarray (n, h, p)
        Not negative.
    """
    paths = np.empty_like(walks.own)
    for i in range(len(points)):
        spread = _student(walks.own[i], scale.own_dof[i]) * scale.own[i][:, None] / _deviation(scale.own_dof[i])
        if scale.shared[i].any():
            spread += _student(walks.shared[i], scale.shared_dof[i]) * scale.shared[i][:, None]
        paths[i] = np.expm1(np.log1p(points[i])[:, None] + spread)
    return np.maximum(paths, 0.0, out=paths)


def _walk(name: str, role: str, horizon: int, n_paths: int, seed: int) -> FloatArray:
    """Random walks over the horizon, each step's marginal standard normal (h, p).

    Each path has its mirror image, so that medians stay at the points however few paths there are.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{role}:{name}".encode())])
    half = rng.standard_normal((horizon, (n_paths + 1) // 2))
    steps = np.hstack([half, -half])[:, :n_paths].cumsum(axis=0)
    return np.asarray(steps / np.sqrt(np.arange(1, horizon + 1))[:, None], dtype=np.float64)


def _student(z: FloatArray, dof: float) -> FloatArray:
    """Turn standard normal draws into Student's t of the same rank."""
    if not np.isfinite(dof):
        return z
    return np.interp(z, NORMAL_GRID, _student_grid(dof))


@cache
def _student_grid(dof: float) -> FloatArray:
    return np.asarray(stats.t.ppf(stats.norm.cdf(NORMAL_GRID), dof), dtype=np.float64)


def _deviation(dof: float) -> float:
    """Return the standard deviation of Student's t."""
    return float(np.sqrt(dof / (dof - 2)))
