"""Futures of rare counts: whole, not negative, and as spread out over a year as past totals were.

A count is Poisson around a rate that is uncertain in two ways. The level, one gamma factor a path, holds
over the whole horizon, so totals keep its spread. Clumping, gamma and independent in every period, makes
the variance of one period a multiple of its mean (a negative binomial). Level comes from the errors of
totals at past origins, clumping from changes between neighbouring periods; both lean on the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray
from forecast.engine.compiling import compiled
from forecast.engine.intermittent import pool_sums

LEAST_CLUMPING = 1.0
CLUMPING_PRIOR = 10.0
LEVEL_PRIOR_SERIES = 10.0
LEVEL_PRIOR_COUNTS = 0.3
LEVEL_PRIOR_SHARE = 0.02
LEAST_SHAPE = 0.25
ENDED_PRIOR = 1.0
ENDED_PRIOR_PERIODS = 2000.0
ENDED_ROUNDS = 10
PERIODS_BEFORE = 36
LEAST_LEVEL_VARIANCE = 1e-4
MOST_SEARCHED = 40.0
MOST_DRAWN = 1e18
NO_CLUMPING = 1e-9
NEVER = 1e-18


@dataclass(frozen=True)
class CountNoise:
    """How uncertain the counts of each series are.

    Attributes
    ----------
    level_shape : ndarray (n,)
        Shape of the gamma level that all steps of a path share; its mean is 1, its variance 1 / shape.
    clumping : ndarray (n,)
        Variance over mean of one period's count at a known rate, 1 or more; 1 is Poisson.
    alive : ndarray (n,)
        Chance that the series has not ended, see `chance_alive`.
    """

    level_shape: FloatArray
    clumping: FloatArray
    alive: FloatArray


def count_noise(
    batch: Batch,
    codes: IntArray,
    points: FloatArray,
    actual: FloatArray | None = None,
    predicted: FloatArray | None = None,
    shared: FloatArray | None = None,
) -> CountNoise:
    """Measure how uncertain rare counts are.

    Parameters
    ----------
    batch : Batch
    codes : ndarray of int (n,)
        Of the pools, see `engine.intermittent.pool_sums`.
    points : ndarray (n, h)
        Mean counts forecast.
    actual, predicted : ndarray (K, n, h), optional
        What came and what had been forecast at K past origins; a step is left out if either is NaN.
        Without them, a prior alone says how uncertain levels are.
    shared : ndarray (n,), optional
        Variance of a factor that series are drawn with besides: the level's own is so much less.

    Returns
    -------
    CountNoise
    """
    clumping = clumping_of(batch, codes)
    totals = points.sum(axis=1)
    counts, share = LEVEL_PRIOR_COUNTS * clumping, np.full(len(points), LEVEL_PRIOR_SHARE)
    if actual is not None and predicted is not None:
        found_counts, found_share, series = _level_variance(actual, predicted, clumping, codes)
        trust = series / (series + LEVEL_PRIOR_SERIES)
        counts, share = counts + trust * (found_counts - counts), share + trust * (found_share - share)
    variance = share + counts / np.where(totals > 0, totals, 1.0) - (0.0 if shared is None else shared)
    shape = 1 / np.clip(variance, LEAST_LEVEL_VARIANCE, 1 / LEAST_SHAPE)
    return CountNoise(level_shape=shape, clumping=clumping, alive=chance_alive(batch, codes))


def draw_counts(
    points: FloatArray,
    level_shape: float,
    clumping: float,
    alive: float,
    *,
    n_paths: int,
    rng: np.random.Generator,
    shared: FloatArray | None = None,
) -> FloatArray:
    """Draw joint futures of one series.

    Parameters
    ----------
    points : ndarray (h,)
        Mean counts.
    level_shape, clumping, alive : float
        Of the series, see `CountNoise`. A path on which the series has ended is all zeros.
    n_paths : int
    rng : numpy Generator
    shared : ndarray (h, p) or broadcastable, optional
        Positive factors with mean 1 that series have in common, such as the shock of a pool.

    Returns
    -------
    ndarray (h, p)
        Whole numbers, not negative, with mean `points`. Paths of the two halves have mirrored chances.
    """
    level = rng.standard_gamma(level_shape, n_paths) / level_shape
    if alive < 1:
        level *= (rng.random(n_paths) < alive) / max(alive, 1e-300)
    rate = points[:, None] * level
    if shared is not None:
        rate = rate * shared
    if max(rate.max(), clumping) > MOST_SEARCHED:
        if clumping > 1:
            rate = rng.standard_gamma(rate / (clumping - 1)) * (clumping - 1)
        return rng.poisson(np.minimum(rate, MOST_DRAWN)).astype(np.float64)
    half = rng.random((len(points), (n_paths + 1) // 2))
    counts_at(rate, clumping, half, rate)
    return rate


@compiled
def counts_at(rate: FloatArray, clumping: float, chance: FloatArray, out: FloatArray) -> None:
    """Write the count that is reached with a chance: quantiles of negative binomials, of Poissons without clumping.

    Parameters
    ----------
    rate : ndarray (h, p)
        Means; may be `out`.
    clumping : float
        Variance over mean, 1 or more.
    chance : ndarray (h, (p + 1) // 2)
        Of the first half of the columns; the second half is given what is left to 1.
    out : ndarray (h, p)
    """
    horizon, paths = rate.shape
    half = chance.shape[1]
    clumped = clumping - 1 > NO_CLUMPING
    excess = clumping - 1 if clumped else 1.0
    growth = excess / clumping if clumped else 0.0
    none = np.log(clumping) / excess if clumped else 1.0
    for h in range(horizon):
        for k in range(paths):
            mean = rate[h, k]
            left = chance[h, k] if k < half else 1 - chance[h, k - half]
            at = np.exp(-none * mean)
            step = mean / clumping if clumped else mean
            count = 0.0
            left -= at
            while left > 0 and (at > NEVER or count < mean):
                count += 1
                at *= (step + growth * (count - 1)) / count
                left -= at
            out[h, k] = count


def clumping_of(batch: Batch, codes: IntArray) -> FloatArray:
    """Variance over mean of each series (n,): its own, shrunk to what its pool has at that mean.

    The pool's is 1 + a + b x mean, neither below zero. The rarer a series' counts, the less its own says.
    """
    mean, variance, changes = batch.each(change_rows, 3).T
    weight = changes / (1 + mean) ** 2
    excess = variance - mean
    a, b = _two_terms(mean, mean**2, excess, weight, codes)
    pooled = 1 + a + b * mean
    known = mean > 0
    safe = np.where(known, mean, 1.0)
    prior = np.where(known, CLUMPING_PRIOR * (2 + 1 / safe), 1.0)
    own = np.where(known, variance / safe, pooled)
    return np.asarray(np.maximum((changes * own + prior * pooled) / (changes + prior), LEAST_CLUMPING))


def chance_alive(batch: Batch, codes: IntArray) -> FloatArray:
    """Chance that a series without demand at its end has only paused (n,).

    In each period a series may end for good, with a chance that is the same over a pool and found from it
    (expectation and maximisation, from a prior of one end in `ENDED_PRIOR_PERIODS`). A run of zeros speaks
    for an end the more, the higher the rate was before the last demand and the less demand clumps. A
    series that never had demand counts as alive: its rate is low enough.
    """
    rate, zeros, length, known = batch.each(ending_rows, 4).T
    excess = clumping_of(batch, codes) - 1
    speed = np.clip(rate * np.where(excess > 1e-3, np.log1p(excess) / np.maximum(excess, 1e-3), 1.0), 0.0, 5.0)
    grown = np.expm1(np.minimum(speed * zeros, 50.0))
    odds = np.where(speed > 1e-9, np.exp(speed) * grown / np.maximum(np.expm1(speed), 1e-9), zeros)
    ended = np.full(len(odds), ENDED_PRIOR / ENDED_PRIOR_PERIODS)
    alive = np.ones(len(odds))
    for _ in range(ENDED_ROUNDS):
        alive = np.where(known > 0, 1 / (1 + ended * odds), 1.0)
        ends, periods = pool_sums(np.column_stack([1 - alive, length]), codes).T
        ended = ((ends + ENDED_PRIOR) / (periods + ENDED_PRIOR_PERIODS))[codes]
    return np.asarray(alive)


def _level_variance(
    actual: FloatArray, predicted: FloatArray, clumping: FloatArray, codes: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Two terms of the squared error of a total beyond counting noise: per count, and share of its square.

    The third array is the number of series they come from.
    """
    known = np.isfinite(actual) & np.isfinite(predicted)
    totals = np.where(known, predicted, 0.0).sum(axis=2)
    errors = np.where(known, actual - predicted, 0.0).sum(axis=2)
    origins, series = totals.shape
    weight = known.any(axis=2) / (clumping * totals + 0.1 * totals**2 + 0.25) ** 2
    excess = errors**2 - clumping * totals
    t, e, w = totals.reshape(-1), np.asarray(excess).reshape(-1), np.asarray(weight).reshape(-1)
    counts, share = _two_terms(t, t**2, e, w, np.tile(codes, origins))
    behind = pool_sums(np.where(known, 1.0, 0.0).max(axis=(0, 2))[:, None], codes)[codes, 0]
    return counts[:series], share[:series], behind


def _two_terms(
    x1: FloatArray, x2: FloatArray, y: FloatArray, weight: FloatArray, codes: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Fit y = a x1 + b x2 in each pool by weighted least squares, neither below zero; a and b by row."""
    products = np.column_stack([weight * p for p in (x1 * x1, x1 * x2, x2 * x2, x1 * y, x2 * y)])
    s11, s12, s22, r1, r2 = pool_sums(products, codes).T
    det = s11 * s22 - s12**2
    both = det > 1e-9 * s11 * s22
    det = np.where(both, det, 1.0)
    a, b = (r1 * s22 - r2 * s12) / det, (r2 * s11 - r1 * s12) / det
    only_a = np.where(s11 > 0, r1 / np.where(s11 > 0, s11, 1.0), 0.0)
    only_b = np.where(s22 > 0, r2 / np.where(s22 > 0, s22, 1.0), 0.0)
    inside = both & (a >= 0) & (b >= 0)
    first = np.where(both, b < 0, True)
    a = np.where(inside, a, np.where(first, np.maximum(only_a, 0.0), 0.0))
    b = np.where(inside, b, np.where(first, 0.0, np.maximum(only_b, 0.0)))
    return a[codes], b[codes]


@compiled
def change_rows(values: FloatArray, start: IntArray, stop: IntArray, period: int, out: FloatArray) -> None:
    """Write each row's mean, half the mean squared change from one figure to the next, and their number."""
    for i in range(len(values)):
        mean = square = 0.0
        for t in range(start[i], stop[i]):
            mean += values[i, t]
            if t > start[i]:
                square += (values[i, t] - values[i, t - 1]) ** 2
        changes = stop[i] - start[i] - 1
        out[i, 0], out[i, 1], out[i, 2] = mean / (changes + 1), square / changes / 2, changes


@compiled
def ending_rows(values: FloatArray, start: IntArray, stop: IntArray, period: int, out: FloatArray) -> None:
    """Write the rate before the last demand, zeros since, the row's length, and 1 if there was any demand."""
    for i in range(len(values)):
        last = stop[i] - 1
        while last > start[i] and not values[i, last] > 0:
            last -= 1
        first = max(start[i], last - PERIODS_BEFORE)
        total = 0.0
        for t in range(first, last):
            total += values[i, t]
        out[i, 0] = total / max(last - first, 1)
        out[i, 1] = stop[i] - 1 - last
        out[i, 2] = stop[i] - start[i]
        out[i, 3] = 1.0 if values[i, last] > 0 else 0.0
