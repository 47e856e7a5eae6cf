"""The rate of sparse counts, with what a pool has in common: its season, its level, the range of its rates.

Counts too sparse to show a season alone show one together. The pool's counts, relative to what each series
averages, give a pattern (season times level); a series' own rate relative to that pattern is a discounted
gamma-Poisson mean: it starts from the pool's mean rate and moves to the series' own as counts come in.
"""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.intermittent import burn_in, choose, pool_sums, variance
from forecast.engine.sparse import alike

DISCOUNTS = np.array([0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
LEVEL_SMOOTHING = 0.1
MOST_PRIOR_COUNTS = 10.0
LEAST_SHARE = 1e-12  # of the mean rate: a pool that its pattern explains to the last figure has none


@member("pooled_rate", pooled=True)
def pooled_rate(batch: Batch, steps: int) -> FloatArray:
    """Discounted gamma-Poisson mean around the pool's pattern.

    The prior is the pool's: mean and variance of its rates by moments (empirical Bayes). The discount is
    chosen by one-step errors. A series without any demand answers a little more than zero when others of
    its pool have some.

    Returns
    -------
    ndarray (n, steps)
    """
    rate, season = rate_and_season(batch, alike(batch), steps)
    return np.asarray(rate[:, None] * season)


def rate_and_season(batch: Batch, codes: IntArray, steps: int) -> tuple[FloatArray, FloatArray]:
    """Return each row's rate and the season of its pool in the periods after the row.

    Parameters
    ----------
    batch : Batch
    codes : ndarray of int (n,)
        Of the pools, see `pool_sums`.
    steps : int

    Returns
    -------
    rate : ndarray (n,)
        At a season of 1, with the latest level of the pool.
    season : ndarray (n, steps)
        By the phase of the column: rows that stop at different columns are in step. Its mean over a cycle is 1.
    """
    sums = pool_sums(batch.each(relative_rows, 2 * batch.values.shape[1]), codes)
    history, season = np.ones((len(sums), batch.values.shape[1])), np.ones((len(sums), batch.period))
    level = np.ones(len(sums))
    pattern_rows(sums, LEVEL_SMOOTHING, history, season, level)
    prior = _priors(batch.each(moments_rows, 4, history, by_row=(codes,)), codes)
    scores = batch.each(rate_rows, 2 * len(DISCOUNTS) + 1, history, prior, DISCOUNTS, by_row=(codes,))
    phases = (batch.stop[:, None] + np.arange(steps)) % batch.period
    return choose(scores, codes) * level[codes], season[codes[:, None], phases]


def _priors(moments: FloatArray, codes: IntArray) -> FloatArray:
    """Prior counts, prior exposure and variance over mean of each pool (P, 3).

    `moments` (n, 4) holds a series' count, exposure, mean squared residual and length.
    """
    counts, exposure, residual, length = moments.T
    rates = counts / exposure
    series, mean, square, noise, level, inverse = pool_sums(
        np.column_stack([np.ones_like(rates), rates, rates**2, residual, counts / length, 1 / exposure]), codes
    ).T
    mean, square, inverse = mean / series, square / series, inverse / series
    clumping = np.where(level > 0, noise / np.where(level > 0, level, 1.0), 1.0)
    between = np.maximum(square - mean**2 - clumping * mean * inverse, mean**2 / MOST_PRIOR_COUNTS)
    safe = np.where(between > 0, between, 1.0)
    return np.column_stack([mean**2 / safe, mean / safe, np.maximum(clumping, LEAST_SHARE * mean)])


@compiled
def relative_rows(values: FloatArray, start: IntArray, stop: IntArray, period: int, out: FloatArray) -> None:
    """Write counts and means by column, over the root of the mean so that no large series has all the say."""
    columns = values.shape[1]
    for i in range(len(values)):
        out[i, :] = 0.0
        mean = 0.0
        for t in range(start[i], stop[i]):
            mean += values[i, t] / (stop[i] - start[i])
        if mean > 0:
            for t in range(start[i], stop[i]):
                out[i, t] = values[i, t] / np.sqrt(mean)
                out[i, columns + t] = np.sqrt(mean)


@compiled
def pattern_rows(
    sums: FloatArray, smoothing: float, history: FloatArray, seasons: FloatArray, levels: FloatArray
) -> None:
    """Fill each pool's season times level over the history, its season by phase and its latest level: ones at first."""
    columns, period = history.shape[1], seasons.shape[1]
    for i in range(len(sums)):
        counts, means = sums[i, :columns], sums[i, columns:]
        first, last = 0, columns - 1
        while last >= 0 and not means[last] > 0:
            last -= 1
        while first < last and not means[first] > 0:
            first += 1
        if last >= 0:
            season = pool_season(counts, means, first, last + 1, period)
            level = pool_level(counts, means, season, first, last + 1, smoothing)
            for t in range(columns):
                history[i, t] = season[t % period] * level[min(max(t, first), last)]
            seasons[i, :] = season
            levels[i] = level[last]


@compiled
def pool_season(counts: FloatArray, means: FloatArray, first: int, stop: int, period: int) -> FloatArray:
    """Seasonal indices by phase, mean 1, shrunk by James and Stein's rule; ones if two cycles are not known."""
    index = np.ones(period)
    if period < 4 or stop - first < 2 * period:
        return index
    ratio = np.full(stop, np.nan)
    total, known = np.zeros(period), np.zeros(period)
    for t in range(first, stop):
        centre = min(max(t, first + period // 2), stop - 1 - period // 2)
        count, mean = cycle_around(counts, means, centre, period)
        if means[t] > 0 and count > 0:
            ratio[t] = counts[t] / means[t] * mean / count
            total[t % period] += ratio[t]
            known[t % period] += 1
    noise = spread = mean = 0.0
    for p in range(period):
        index[p] = total[p] / known[p] if known[p] > 0 else 1.0
        mean += index[p] / period
    used = 0.0
    for t in range(first, stop):
        if not np.isnan(ratio[t]):
            noise += (ratio[t] - index[t % period]) ** 2
            used += 1
    noise *= period / used / max(used - period, 1.0) / mean**2
    for p in range(period):
        index[p] /= mean
        spread += (index[p] - 1) ** 2 / (period - 1)
    keep = max(0.0, 1 - (period - 3) / (period - 1) * noise / spread) if spread > 0 else 0.0
    for p in range(period):
        index[p] = 1 + keep * (index[p] - 1)
    return index


@compiled
def cycle_around(counts: FloatArray, means: FloatArray, centre: int, period: int) -> tuple[float, float]:
    """Sum counts and means over the cycle around a column; in an even period both ends count half."""
    half = period // 2
    count = mean = 0.0
    for t in range(max(centre - half, 0), min(centre + half + 1, len(counts))):
        weight = 0.5 if period % 2 == 0 and abs(t - centre) == half else 1.0
        count += weight * counts[t]
        mean += weight * means[t]
    return count, mean


@compiled
def pool_level(
    counts: FloatArray, means: FloatArray, season: FloatArray, first: int, stop: int, smoothing: float
) -> FloatArray:
    """Level of the pool: half a mean discounted backwards in time, half one discounted forwards.

    At the last column, the mean discounted backwards alone.
    """
    level = np.zeros(stop)
    count = mean = 0.0
    for t in range(first, stop):
        count = count * (1 - smoothing) + counts[t]
        mean = mean * (1 - smoothing) + means[t] * season[t % len(season)]
        level[t] = count / mean if mean > 0 else 1.0
    last = level[stop - 1]
    count = mean = 0.0
    for t in range(stop - 1, first - 1, -1):
        count = count * (1 - smoothing) + counts[t]
        mean = mean * (1 - smoothing) + means[t] * season[t % len(season)]
        level[t] = (level[t] + (count / mean if mean > 0 else level[t])) / 2
    level[stop - 1] = last
    return level


@compiled
def moments_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    codes: IntArray,
    history: FloatArray,
    out: FloatArray,
) -> None:
    """Write each row's count, exposure, mean squared residual and length."""
    for i in range(len(values)):
        count = exposure = residual = 0.0
        for t in range(start[i], stop[i]):
            count += values[i, t]
            exposure += history[codes[i], t]
        exposure = max(exposure, 1e-9)
        for t in range(start[i], stop[i]):
            residual += (values[i, t] - count / exposure * history[codes[i], t]) ** 2
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = (
            count,
            exposure,
            residual / (stop[i] - start[i]),
            stop[i] - start[i],
        )


@compiled
def rate_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    codes: IntArray,
    history: FloatArray,
    prior: FloatArray,
    discounts: FloatArray,
    out: FloatArray,
) -> None:
    """Score every discount on every row."""
    candidates = len(discounts)
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        pattern = history[codes[i], start[i] : stop[i]]
        spread = variance(y)
        out[i, candidates] = len(y) - burn_in(len(y))
        for k in range(candidates):
            errors, rate = rate_one(y, pattern, prior[codes[i]], discounts[k])
            out[i, k] = errors / spread if spread > 0 else 0.0
            out[i, candidates + 1 + k] = rate


@compiled
def rate_one(y: FloatArray, pattern: FloatArray, prior: FloatArray, discount: float) -> tuple[float, float]:
    """Return the sum of squared one-step errors after the burn-in, and the rate after the last figure."""
    count = exposure = errors = 0.0
    rate = prior[0] / prior[1] if prior[1] > 0 else 0.0
    burn = burn_in(len(y))
    for t in range(len(y)):
        if t >= burn:
            errors += (y[t] - rate * pattern[t]) ** 2
        count = count * (1 - discount) + y[t]
        exposure = exposure * (1 - discount) + pattern[t]
        if prior[1] > 0:
            rate = (prior[0] + count / prior[2]) / (prior[1] + exposure / prior[2])
    return errors, rate
