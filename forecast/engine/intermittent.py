"""Forecasts of sparse counts: the temporal and demand-size methods of the field, their smoothing pooled.

A sparse series says little about how fast its rate moves. So each member chooses its smoothing from a
small grid by the squared one-step errors of the series and, as if they were `POOL_WEIGHT` errors more,
those of its pool. Averages are exponentially weighted with weights that sum to one from the first figure
on: no member hangs on an initial value. The members of this module answer one rate for all steps.
"""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.sparse import alike

SMOOTHINGS = np.array([0.01, 0.03, 0.06, 0.1, 0.2, 0.35])
SIZE_SMOOTHINGS = np.array([0.03, 0.1, 0.25])
BUCKET_SMOOTHINGS = np.array([0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
POOL_WEIGHT = 150.0

ROUNDING = 1e-24
EXACT_BITS = 40


@member("tsb", pooled=True)
def tsb(batch: Batch, steps: int) -> FloatArray:
    """Chance of demand in a period times its size, each smoothed by itself.

    The chance falls with every period without demand, so a series that has died out goes to zero
    (Teunter, Syntetos and Babai 2011, *European Journal of Operational Research* 214, 606-615).

    Returns
    -------
    ndarray (n, steps)
    """
    return _flat(tsb_rate(batch, alike(batch)), steps)


@member("croston_sba", pooled=True)
def croston_sba(batch: Batch, steps: int) -> FloatArray:
    """Size of a demand over the gap between demands, each smoothed, with the correction for bias.

    The gap that is still open lengthens the mean gap, so that a series without demand for long goes towards
    zero (Syntetos and Boylan 2005, *International Journal of Forecasting* 21, 303-314; the open gap is an
    addition).

    Returns
    -------
    ndarray (n, steps)
    """
    return _flat(croston_rate(batch, alike(batch)), steps)


@member("adida", pooled=True)
def adida(batch: Batch, steps: int) -> FloatArray:
    """Sum the history into buckets as long as the mean gap between demands, smooth these, spread evenly.

    Nikolopoulos et al. 2011, *Journal of the Operational Research Society* 62, 544-554.

    Returns
    -------
    ndarray (n, steps)
    """
    return _flat(adida_rate(batch, alike(batch)), steps)


def tsb_rate(batch: Batch, codes: IntArray) -> FloatArray:
    """Return what `tsb` answers (n,) for pools of these codes (n,)."""
    scores = batch.each(tsb_rows, 2 * len(SMOOTHINGS) * len(SIZE_SMOOTHINGS) + 1, SMOOTHINGS, SIZE_SMOOTHINGS)
    return choose(scores, codes)


def croston_rate(batch: Batch, codes: IntArray) -> FloatArray:
    """Return what `croston_sba` answers (n,) for pools of these codes (n,)."""
    return choose(batch.each(croston_rows, 2 * len(SMOOTHINGS) + 1, SMOOTHINGS), codes)


def adida_rate(batch: Batch, codes: IntArray) -> FloatArray:
    """Return what `adida` answers (n,) for pools of these codes (n,)."""
    return choose(batch.each(adida_rows, 2 * len(BUCKET_SMOOTHINGS) + 1, BUCKET_SMOOTHINGS), codes)


def choose(scores: FloatArray, codes: IntArray) -> FloatArray:
    """Take, for each series, the candidate with the least squared error in the series and its pool.

    Parameters
    ----------
    scores : ndarray (n, 2 G + 1)
        The sum of squared errors of G candidates over the variance of the series, their number, and what
        the candidates answer. A series that does not vary has zeros for sums.
    codes : ndarray of int (n,)
        Of the pools, see `pool_sums`.

    Returns
    -------
    ndarray (n,)
    """
    candidates = scores.shape[1] // 2
    errors, count, answers = np.split(scores, [candidates, candidates + 1], axis=1)
    means = pool_sums(errors / count, codes)
    series = pool_sums((errors.max(axis=1) > 0).astype(np.float64)[:, None], codes)
    best = np.argmin(errors + POOL_WEIGHT * (means / np.maximum(series, 1.0))[codes], axis=1)
    return np.asarray(np.take_along_axis(answers, best[:, None], axis=1)[:, 0])


def pool_sums(x: FloatArray, codes: IntArray) -> FloatArray:
    """Sum rows by pool, the same to the last bit in any order of rows.

    Parameters
    ----------
    x : ndarray (n, k)
        Finite.
    codes : ndarray of int (n,)
        0 to P - 1, each there at least once.

    Returns
    -------
    ndarray (P, k)
        Sums of figures rounded to 2**-40 of the pool's largest in the column.
    """
    order = np.argsort(codes, kind="stable")
    first = np.flatnonzero(np.diff(codes[order], prepend=-1))
    largest = np.maximum.reduceat(np.abs(x[order]), first, axis=0)
    unit = np.ldexp(1.0, np.frexp(largest)[1] - EXACT_BITS)
    whole = np.rint(x[order] / unit[codes[order]]).astype(np.int64)
    return np.asarray(np.add.reduceat(whole, first, axis=0) * unit)


def _flat(rate: FloatArray, steps: int) -> FloatArray:
    return np.repeat(rate[:, None], steps, axis=1)


@compiled
def tsb_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    chance_smoothings: FloatArray,
    size_smoothings: FloatArray,
    out: FloatArray,
) -> None:
    """Score every pair of smoothings on every row."""
    candidates = len(chance_smoothings) * len(size_smoothings)
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        spread = variance(y)
        out[i, candidates] = len(y) - burn_in(len(y))
        k = 0
        for chance_smoothing in chance_smoothings:
            for size_smoothing in size_smoothings:
                errors, rate = tsb_one(y, chance_smoothing, size_smoothing)
                out[i, k] = errors / spread if spread > 0 else 0.0
                out[i, candidates + 1 + k] = rate
                k += 1


@compiled
def croston_rows(
    values: FloatArray, start: IntArray, stop: IntArray, period: int, smoothings: FloatArray, out: FloatArray
) -> None:
    """Score every smoothing on every row."""
    candidates = len(smoothings)
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        spread = variance(y)
        out[i, candidates] = len(y) - burn_in(len(y))
        for k in range(candidates):
            errors, rate = croston_one(y, smoothings[k])
            out[i, k] = errors / spread if spread > 0 else 0.0
            out[i, candidates + 1 + k] = rate


@compiled
def adida_rows(
    values: FloatArray, start: IntArray, stop: IntArray, period: int, smoothings: FloatArray, out: FloatArray
) -> None:
    """Score every smoothing on the buckets of every row."""
    candidates = len(smoothings)
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        length = bucket_length(y)
        buckets = bucket_sums(y, length)
        spread = variance(buckets)
        out[i, candidates] = len(buckets) - burn_in(len(buckets))
        for k in range(candidates):
            errors, rate = smoothed_one(buckets, smoothings[k])
            out[i, k] = errors / spread if spread > 0 else 0.0
            out[i, candidates + 1 + k] = rate / length


@compiled
def tsb_one(y: FloatArray, chance_smoothing: float, size_smoothing: float) -> tuple[float, float]:
    """Return the sum of squared one-step errors after the burn-in, and the rate after the last figure."""
    chance = chance_weight = size = size_weight = rate = errors = 0.0
    burn = burn_in(len(y))
    for t in range(len(y)):
        if t >= burn:
            errors += (y[t] - rate) ** 2
        chance *= 1 - chance_smoothing
        chance_weight = chance_weight * (1 - chance_smoothing) + 1
        if y[t] > 0:
            chance += 1
            size = size * (1 - size_smoothing) + y[t]
            size_weight = size_weight * (1 - size_smoothing) + 1
        if size_weight > 0:
            rate = chance / chance_weight * (size / size_weight)
    return errors, rate


@compiled
def croston_one(y: FloatArray, smoothing: float) -> tuple[float, float]:
    """Return the sum of squared one-step errors after the burn-in, and the rate after the last figure."""
    gaps = size = weight = rate = errors = open_gap = 0.0
    burn = burn_in(len(y))
    for t in range(len(y)):
        if t >= burn:
            errors += (y[t] - rate) ** 2
        open_gap += 1
        if y[t] > 0:
            gaps = gaps * (1 - smoothing) + open_gap
            size = size * (1 - smoothing) + y[t]
            weight = weight * (1 - smoothing) + 1
            open_gap = 0.0
        if weight > 0:
            rate = (1 - smoothing / 2) * size / (gaps + open_gap)
    return errors, rate


@compiled
def smoothed_one(y: FloatArray, smoothing: float) -> tuple[float, float]:
    """Return the sum of squared one-step errors after the burn-in, and the mean after the last figure."""
    total = weight = mean = errors = 0.0
    burn = burn_in(len(y))
    for t in range(len(y)):
        if t >= burn:
            errors += (y[t] - mean) ** 2
        total = total * (1 - smoothing) + y[t]
        weight = weight * (1 - smoothing) + 1
        mean = total / weight
    return errors, mean


@compiled
def burn_in(length: int) -> int:
    """Figures to learn from before errors count: a quarter of the series, three or more, never all."""
    return min(max(3, length // 4), length - 1)


@compiled
def bucket_length(y: FloatArray) -> int:
    """Return the mean gap between demands, rounded; at most a third of the series."""
    demands = 0
    for figure in y:
        if figure > 0:
            demands += 1
    return max(1, min(int(len(y) / max(demands, 1) + 0.5), len(y) // 3))


@compiled
def bucket_sums(y: FloatArray, length: int) -> FloatArray:
    """Sum stretches of `length`, counted from the end; what is left over at the start falls away."""
    count = len(y) // length
    sums = np.zeros(count)
    first = len(y) - count * length
    for t in range(first, len(y)):
        sums[(t - first) // length] += y[t]
    return sums


@compiled
def variance(y: FloatArray) -> float:
    """Return the mean squared distance from the mean, 0 where it is of rounding only."""
    mean = total = 0.0
    for figure in y:
        mean += figure / len(y)
    for figure in y:
        total += (figure - mean) ** 2 / len(y)
    return total if total > ROUNDING * mean * mean else 0.0
