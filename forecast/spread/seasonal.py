"""How wrong the points of seasonal series turned out to be: sizes, shape and how errors hang together.

Errors are measured on the square root scale, where counts of any size are about equally spread, at the
latest past origins. A series' size is how much its history wobbles times what its pool's errors are to
that, moved part of the way towards the series' own errors; over the horizon sizes grow by a power of the
step. All errors of a pool over their sizes give one symmetric shape.

Over the horizon and over the series of a pool, an error is the sum of three parts, each with a share of the
variance: one that all series of the pool have in common and one of the series' own, both carried on like a
random walk, and one that is fresh in every period. The shares are those that give sums of past errors their
size, so that totals over periods and over series are as uncertain as they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from forecast.panel import FloatArray, IntArray, Window
from forecast.spread.past import PoolErrors

OWN_PRIOR_CELLS = 24.0
POOL_PRIOR_CELLS = 24.0
PRIOR_SIZE = 0.9
PRIOR_GROWTH = 0.25
GROWTH_PRIOR_SERIES = 200.0
MOST_GROWTH = 1.0
SHAPE_PRIOR_SERIES = 15.0
SHAPE_DOF = 6.0
PRIOR_CARRIED = 0.4
CARRIED_PRIOR_SERIES = 10.0
PRIOR_SHARED = 0.2
SHARED_PRIOR_ORIGINS = 3.0
SHARED_PRIOR_SERIES = 10.0
KEPT_BY_SCALING = 0.72
MOST_CARRIED = 0.95
SEPARATE_ORIGINS = 2
LARGEST = 0.98
LEAST_WOBBLE = 0.01
LEAST_DIFFERENCES = 4
NO_MOVE = 1e-9


@dataclass(frozen=True)
class SeasonalSpread:
    """Size of a model's errors on the square root scale, by horizon, and how they hang together.

    Attributes
    ----------
    size : ndarray (n, h)
        Mean absolute error.
    pool : ndarray of int (n,)
        Rows of `shapes` and `shares`.
    shapes : ndarray (P, g)
        What a standard normal draw at each point of the engine's grid becomes: an error over its size.
    shares : ndarray (P, 3)
        Shares of the variance that are common to a pool, carried on by a series, and fresh; they sum to 1.
    """

    size: FloatArray
    pool: IntArray
    shapes: FloatArray
    shares: FloatArray

    def paths(
        self,
        rows: IntArray,
        points: FloatArray,
        pools: IntArray,
        shared: FloatArray,
        own: Sequence[np.random.Generator],
    ) -> FloatArray:
        """Draw futures of some series, points being medians; see `spread.past.Spread`."""
        from forecast.engine.paths import fresh, spread_roots, walk

        horizon, n_paths = shared.shape[1:]
        paths, noise = np.empty((2, len(rows), horizon, n_paths))
        for i, rng in enumerate(own):
            paths[i], noise[i] = walk(rng, horizon, n_paths), fresh(rng, horizon, n_paths)
        kind, weights = self.pool[rows], np.sqrt(self.shares)
        spread_roots(np.sqrt(points), self.size[rows], kind, self.shapes, weights, pools, shared, noise, paths)
        return paths


def seasonal_spread(window: Window, past: Sequence[PoolErrors], horizon: int) -> SeasonalSpread:
    """Measure errors at past origins.

    Parameters
    ----------
    window : Window
        The history up to the origin.
    past : sequence of PoolErrors
        One a pool.
    horizon : int
    """
    n, roots = len(window.ids), np.sqrt(window.values)
    size, kind = np.empty((n, horizon)), np.empty(n, dtype=np.int64)
    shapes, shares = np.empty((len(past), len(_prior_shape()))), np.empty((len(past), 3))
    for code, pool in enumerate(past):
        wobble = _wobble(roots[pool.rows], window.period)
        errors = np.sqrt(pool.actual) - np.sqrt(pool.predicted)
        errors /= np.where(wobble > 0, wobble, 1.0)[:, None]
        curve = _curve(errors)
        errors /= curve
        known = np.isfinite(errors)
        cells, sums = known.sum(axis=2), np.where(known, np.abs(errors), 0.0).sum(axis=2)
        own = _to_prior(sums.sum(axis=0), cells.sum(axis=0))
        others = _to_prior(sums.sum(axis=0) - sums, cells.sum(axis=0) - cells)
        size[pool.rows] = (wobble * own)[:, None] * curve
        kind[pool.rows] = code
        shapes[code] = _shape(errors / others[:, :, None])
        shares[code] = _shares(errors)
    return SeasonalSpread(size, kind, shapes, shares)


def _to_prior(total: FloatArray, cells: IntArray) -> FloatArray:
    return np.asarray((total + OWN_PRIOR_CELLS) / (cells + OWN_PRIOR_CELLS), dtype=np.float64)


def _wobble(roots: FloatArray, period: int) -> FloatArray:
    """How much histories move beyond a steady season (n,).

    The geometric mean of how much figures differ from a year before, and of how much that difference moves in
    a period. A history too short for that is measured by its moves from one period to the next, in its pool's
    usual ratio; one that never moved is taken to move as its pool does for its level.
    """
    yearly = roots[:, period:] - roots[:, :-period]
    difference, differences = _mean_size(yearly)
    size = np.sqrt(difference * _mean_size(np.diff(yearly, axis=1))[0])
    move = _mean_size(np.diff(roots, axis=1))[0]
    long = differences > LEAST_DIFFERENCES
    both = long & (size > 0) & (move > 0)
    ratio = np.median(size[both] / move[both]) if both.any() else 1.0
    size = np.where(long, size, ratio * move)
    level = _mean_size(roots)[0]
    moves = size > NO_MOVE * level
    share = np.median(size[moves] / level[moves]) if moves.any() else LEAST_WOBBLE
    return np.asarray(np.where(moves, size, share * level), dtype=np.float64)


def _mean_size(x: FloatArray) -> tuple[FloatArray, IntArray]:
    known = np.isfinite(x)
    count = known.sum(axis=1)
    return np.where(known, np.abs(x), 0.0).sum(axis=1) / np.maximum(count, 1), count


def _curve(errors: FloatArray) -> FloatArray:
    """Mean absolute error of a pool by horizon (h,): a power of the step, near its prior in a small pool."""
    steps = np.arange(1.0, errors.shape[2] + 1)
    known = np.isfinite(errors)
    size = np.where(known, np.abs(errors), 0.0)
    if not size.any():
        return np.asarray(PRIOR_SIZE * steps**PRIOR_GROWTH)
    size = np.minimum(size, np.quantile(size[known], LARGEST))
    mean = size.sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)
    weight = np.where(mean > 0, known.any(axis=1).sum(axis=0), 0.0)
    x, y = np.log(steps), np.log(np.where(mean > 0, mean, 1.0))
    x, y = x - np.average(x, weights=weight), y - np.average(y, weights=weight)
    prior = 1 + GROWTH_PRIOR_SERIES / known.any(axis=(0, 2)).sum()
    growth = (weight @ (x * y) + prior * PRIOR_GROWTH) / (weight @ x**2 + prior)
    power = steps ** np.clip(growth, 0, MOST_GROWTH)
    level = ((size / power).sum() + POOL_PRIOR_CELLS * PRIOR_SIZE) / (known.sum() + POOL_PRIOR_CELLS)
    return np.asarray(level * power, dtype=np.float64)


def _shape(scaled: FloatArray) -> FloatArray:
    """Quantiles of a pool's errors over their sizes, symmetric, near Student's t in a small pool."""
    from forecast.engine.paths import NORMAL_GRID

    known = np.abs(scaled[np.isfinite(scaled)])
    if not known.any():
        return _prior_shape()
    series = np.isfinite(scaled).any(axis=(0, 2)).sum()
    rank = 2 * stats.norm.cdf(np.abs(NORMAL_GRID)) - 1
    measured = np.sign(NORMAL_GRID) * np.quantile(known, rank)
    return np.asarray((series * measured + SHAPE_PRIOR_SERIES * _prior_shape()) / (series + SHAPE_PRIOR_SERIES))


@cache
def _prior_shape() -> FloatArray:
    """Student's t of mean size 1, of the rank of a standard normal draw at the points of the engine's grid."""
    from forecast.engine.paths import NORMAL_GRID

    mean_size = 2 * SHAPE_DOF / (SHAPE_DOF - 1) * stats.t.pdf(0, SHAPE_DOF)
    return np.asarray(stats.t.ppf(stats.norm.cdf(NORMAL_GRID), SHAPE_DOF) / mean_size, dtype=np.float64)


def _shares(errors: FloatArray) -> tuple[float, float, float]:
    """Shares of the variance of a pool's errors that are common, carried on, and fresh.

    A series' errors at an origin count over their own root mean square, so that none stands out. What is
    carried on makes errors of two steps j < k go together, on average by the square root of j / k.
    """
    known = np.isfinite(errors)
    errors = np.where(known, errors, 0.0)
    cells = known.sum(axis=2)
    size = np.sqrt((errors**2).sum(axis=2) / np.maximum(cells, 1))
    errors /= np.where(size > 0, size, 1.0)[:, :, None]
    series = int((size > 0).any(axis=0).sum())
    roots = np.sqrt(np.arange(1.0, errors.shape[2] + 1))
    pairs = errors.sum(axis=2) ** 2 - (errors**2).sum(axis=2)
    walked = 2 * ((known * roots).cumsum(axis=2)[:, :, :-1] * (known / roots)[:, :, 1:]).sum(axis=2)
    total = float(walked[size > 0].sum()) * KEPT_BY_SCALING
    carried = float(pairs.sum()) / total if total > 0 else PRIOR_CARRIED
    carried = (series * carried + CARRIED_PRIOR_SERIES * PRIOR_CARRIED) / (series + CARRIED_PRIOR_SERIES)
    count = np.maximum((known & (size > 0)[:, :, None]).sum(axis=1), 1)
    beyond = (errors.sum(axis=1) / count) ** 2 - 1 / count
    by_origin = [float(x[c > 1].mean()) for x, c in zip(beyond, count, strict=True) if (c > 1).any()]
    weight = min(len(by_origin), SEPARATE_ORIGINS) * series / (series + SHARED_PRIOR_SERIES)
    measured = float(np.mean(by_origin)) if by_origin else 0.0
    shared = (SHARED_PRIOR_ORIGINS * PRIOR_SHARED + weight * measured) / (SHARED_PRIOR_ORIGINS + weight)
    shared = float(np.clip(shared, 0.0, MOST_CARRIED))
    carried = float(np.clip(carried, shared, MOST_CARRIED))
    return shared, carried - shared, 1 - carried
