"""Spread of seasonal series: sizes, a shape, and how errors hang together over the horizon and over a pool.

Errors are measured at past origins on the square root scale, half way between differences and ratios, where
counts of any size are about equally spread. The size of a series is how much its history moves beyond a
steady season, times what errors of its pool are to that, and is moved part of the way towards the series'
own errors. Over the horizon its square grows by a constant a step. A pool's errors over their sizes, each
size from other origins, give one symmetric shape.

What points say of large figures is near to medians: most members take logs or roots, and weights are chosen by
absolute errors. What they say of low counts is near to means, for there a member averages figures of which each
is mostly noise. So medians are put so much below the points that the mean of futures is the point where points are
low, and by degrees less above that level, see `engine.sparse.means_below`.

Over the horizon and over the series of a pool, an error is the sum of three parts, each with a share of the
variance: one that all series of the pool have in common and one of the series' own, both carried on like a
random walk, and one that is fresh in every period. The shares are those that give sums of past errors their
size, so that totals over periods and over series are as uncertain as they should be.

Series of fewer than two cycles are a tenth wider: their season comes as a surprise.

Everything leans on priors that stand for so many cells, series or origins; they were set on past origins of
monthly and quarterly panels. Cells are pairs of an origin and a step, for one series or all of a pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import stats

from forecast.panel import BoolArray, FloatArray, IntArray, Window
from forecast.spread.past import PoolErrors

OWN_PRIOR_CELLS = 36.0
POOL_PRIOR_CELLS = 24.0
PRIOR_SIZE = 0.9
PRIOR_GROWTH = 0.1
GROWTH_PRIOR_SERIES = 20.0
GROWTHS = np.concatenate([[0.0], np.geomspace(0.003, 1.5, 40)])
SHAPE_PRIOR_SERIES = 15.0
SHAPE_DOF = 6.0
PRIOR_LASTING = 0.4
LASTING_PRIOR_SERIES = 10.0
PRIOR_COMMON = 0.2
COMMON_PRIOR_ORIGINS = 3.0
COMMON_PRIOR_SERIES = 10.0
KEPT_BY_SCALING = 0.68
MOST_LASTING = 0.95
SEPARATE_ORIGINS = 2
LARGEST = 0.98
LEAST_WOBBLE = 0.01
YOUNG = 1.1
LEAST_DIFFERENCES = 4
NO_MOVE = 1e-9
ROOTS = 161


@dataclass(frozen=True)
class SeasonalSpread:
    """Size of a model's errors on the square root scale, by horizon, and how they hang together.

    Attributes
    ----------
    size : ndarray (n, h)
        Mean absolute error.
    means_below : ndarray (n,)
        Level up to which points are means; at twice that, they are half way to medians.
    pool : ndarray of int (n,)
        Rows of `shapes` and `shares`.
    shapes : ndarray (P, g)
        What a standard normal draw at each point of the engine's grid becomes: an error over its size.
    shares : ndarray (P, 3)
        Shares of the variance that are common to a pool, carried on by a series, and fresh; they sum to 1.
    """

    size: FloatArray
    means_below: FloatArray
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
        """Draw futures of some series, points being medians or means; see `spread.past.Spread`."""
        from forecast.engine.paths import fresh, spread_roots, walk

        horizon, n_paths = shared.shape[1:]
        paths, noise = np.empty((2, len(rows), horizon, n_paths))
        for i, rng in enumerate(own):
            paths[i], noise[i] = walk(rng, horizon, n_paths), fresh(rng, horizon, n_paths)
        kind, weights = self.pool[rows], np.sqrt(self.shares)
        roots = self._median_roots(rows, points)
        spread_roots(roots, self.size[rows], kind, self.shapes, weights, pools, shared, noise, paths)
        return paths

    def _median_roots(self, rows: IntArray, points: FloatArray) -> FloatArray:
        """Square roots of the medians (r, h); below zero where most futures are zero."""
        roots, low = np.sqrt(points), self.means_below[rows] > 0
        for kind in np.unique(self.pool[rows[low]]):
            at = np.flatnonzero(low & (self.pool[rows] == kind))
            size, below = self.size[rows[at]], self.means_below[rows[at], None]
            moves = size**2 > NO_MOVE * points[at]
            over = points[at] / np.where(moves, size, 1.0) ** 2
            centred = np.where(moves, size * _root_of_mean(over, self.shapes[kind]), roots[at])
            share = np.divide(below, points[at], out=np.ones_like(roots[at]), where=points[at] > below)
            roots[at] += share * (centred - roots[at])
        return roots


def _root_of_mean(mean: FloatArray, shape: FloatArray) -> FloatArray:
    """Find r such that the mean of max(r + error, 0)**2 is `mean`, for an error of this shape."""
    from forecast.engine.paths import NORMAL_GRID

    weight = stats.norm.pdf(NORMAL_GRID)
    weight /= weight.sum()
    end = shape.max()
    root = np.linspace(-end, end, ROOTS)
    means = np.maximum(root[:, None] + shape, 0.0) ** 2 @ weight
    clear = np.sqrt(np.maximum(mean - weight @ shape**2, 0.0))
    return np.where(mean < means[-1], np.interp(np.sqrt(mean), np.sqrt(means), root), clear)


def seasonal_spread(
    window: Window, past: Sequence[PoolErrors], means_below: FloatArray, young: BoolArray, horizon: int
) -> SeasonalSpread:
    """Measure errors at past origins.

    Parameters
    ----------
    window : Window
        The history up to the origin.
    past : sequence of PoolErrors
        One a pool.
    means_below : ndarray (n,)
        See `SeasonalSpread`.
    young : ndarray of bool (n,)
        Series of fewer than two cycles.
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
        size[pool.rows] = (wobble * own * np.where(young[pool.rows], YOUNG, 1.0))[:, None] * curve
        kind[pool.rows] = code
        shapes[code] = _shape(errors / others[:, :, None])
        shares[code] = _shares(errors)
    return SeasonalSpread(size, means_below, kind, shapes, shares)


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
    """Mean absolute error of a pool by horizon (h,): its square grows by a constant a step, as a walk beside noise.

    In a small pool the growth is near its prior, and so is the size.
    """
    steps = np.arange(1.0, errors.shape[2] + 1)
    curves = np.sqrt(1 + GROWTHS[:, None] * (steps - 1))
    prior = np.sqrt(1 + PRIOR_GROWTH * (steps - 1))
    known = np.isfinite(errors)
    size = np.where(known, np.abs(errors), 0.0)
    if not size.any():
        return np.asarray(PRIOR_SIZE * prior)
    size = np.minimum(size, np.quantile(size[known], LARGEST))
    mean = size.sum(axis=(0, 1)) / np.maximum(known.sum(axis=(0, 1)), 1)
    weight = np.where(mean > 0, known.any(axis=1).sum(axis=0), 0.0)
    misfit = _variance(np.log(np.where(mean > 0, mean, 1.0) / curves), weight)
    misfit += _variance(np.log(prior / curves), np.full(len(steps), GROWTH_PRIOR_SERIES / known.any(axis=(0, 2)).sum()))
    curve = curves[misfit.argmin()]
    level = ((size / curve).sum() + POOL_PRIOR_CELLS * PRIOR_SIZE) / (known.sum() + POOL_PRIOR_CELLS)
    return np.asarray(level * curve, dtype=np.float64)


def _variance(x: FloatArray, weight: FloatArray) -> FloatArray:
    """Weighted sum of squares around the weighted mean (rows,)."""
    centred = x - np.average(x, axis=1, weights=weight)[:, None]
    return np.asarray(centred**2 @ weight, dtype=np.float64)


def _shape(scaled: FloatArray) -> FloatArray:
    """Quantiles of a pool's errors over their sizes, symmetric, near Student's t in a small pool."""
    from forecast.engine.paths import NORMAL_GRID

    known = np.abs(scaled[np.isfinite(scaled)])
    if not known.any():
        return _prior_shape()
    series = np.isfinite(scaled).any(axis=(0, 2)).sum()
    measured = np.sign(NORMAL_GRID) * np.quantile(known, _ranks_of_size())
    return np.asarray((series * measured + SHAPE_PRIOR_SERIES * _prior_shape()) / (series + SHAPE_PRIOR_SERIES))


@cache
def _ranks_of_size() -> FloatArray:
    from forecast.engine.paths import NORMAL_GRID

    return np.asarray(2 * stats.norm.cdf(np.abs(NORMAL_GRID)) - 1, dtype=np.float64)


@cache
def _prior_shape() -> FloatArray:
    """Student's t of mean size 1, of the rank of a standard normal draw at the points of the engine's grid."""
    from forecast.engine.paths import NORMAL_GRID

    mean_size = 2 * SHAPE_DOF / (SHAPE_DOF - 1) * stats.t.pdf(0, SHAPE_DOF)
    return np.asarray(stats.t.ppf(stats.norm.cdf(NORMAL_GRID), SHAPE_DOF) / mean_size, dtype=np.float64)


def _shares(errors: FloatArray) -> tuple[float, float, float]:
    """Shares of the variance of a pool's errors that are common, carried on, and fresh.

    A series' errors at an origin count over their own root mean square, so that none stands out.
    """
    known = np.isfinite(errors)
    square = np.where(known, errors**2, 0.0).sum(axis=2) / np.maximum(known.sum(axis=2), 1)
    known &= (square > 0)[:, :, None]
    scaled = np.where(known, errors / np.sqrt(np.where(square > 0, square, 1.0))[:, :, None], 0.0)
    common = float(np.clip(_common(scaled, known), 0.0, MOST_LASTING))
    lasting = float(np.clip(_lasting(scaled, known), common, MOST_LASTING))
    return common, lasting - common, 1 - lasting


def _lasting(scaled: FloatArray, known: BoolArray) -> float:
    """Share that walks over the horizon: it makes steps j < k go together, on average by the square root of j / k."""
    series = known.any(axis=(0, 2)).sum()
    together = (scaled.sum(axis=2) ** 2 - (scaled**2).sum(axis=2)).sum()
    roots = np.sqrt(np.arange(1.0, scaled.shape[2] + 1))
    walking = 2 * ((known * roots).cumsum(axis=2)[:, :, :-1] * (known / roots)[:, :, 1:]).sum() * KEPT_BY_SCALING
    measured = together / walking if walking > 0 else PRIOR_LASTING
    return float((series * measured + LASTING_PRIOR_SERIES * PRIOR_LASTING) / (series + LASTING_PRIOR_SERIES))


def _common(scaled: FloatArray, known: BoolArray) -> float:
    """Share that all series have in common: how much their mean moves beyond what independent errors would."""
    count = known.sum(axis=1)
    several = count > 1
    beyond = np.where(several, (scaled.sum(axis=1) / np.maximum(count, 1)) ** 2 - 1 / np.maximum(count, 1), 0.0)
    origins = several.any(axis=1)
    if not origins.any():
        return PRIOR_COMMON
    measured = (beyond[origins].sum(axis=1) / several[origins].sum(axis=1)).mean()
    series = known.any(axis=(0, 2)).sum()
    weight = min(origins.sum(), SEPARATE_ORIGINS) * series / (series + COMMON_PRIOR_SERIES)
    return float((COMMON_PRIOR_ORIGINS * PRIOR_COMMON + weight * measured) / (COMMON_PRIOR_ORIGINS + weight))
