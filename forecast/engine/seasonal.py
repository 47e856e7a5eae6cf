"""Seasonal indices by classical decomposition, shrunk to none or to the pattern of a pool.

The indices of a short history are mostly noise. Each series' are drawn to a target (no season, or the median
pattern of its pool) by the James-Stein factor

    k = max(0, 1 - (m - 3) / (m - 1) x noise variance of an index / mean square distance from the target)

with m the period (James and Stein 1961, *Proceedings of the Fourth Berkeley Symposium* 1, 361-379; for seasonal
indices Miller and Williams 2003, *International Journal of Forecasting* 19, 669-684).

Indices are kept by phase, `t % period` of the column t in `Batch.values`, as *effects*: added to the history where
the season is additive, and its logarithm where it is multiplicative. No season is 0 in both.
"""

from __future__ import annotations

from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray
from forecast.engine.compiling import compiled

Kind = Literal["tested", "shrunk", "pooled", "additive"]

SMALLEST_POOL = 8
LARGEST_EFFECT = 3.0  # a multiplicative index is at most e^3 = 20 times, and at least a twentieth
LARGEST_QUOTIENT = 2.0  # of a figure by its index, over the largest figure
CRITICAL = 1.645  # standard normal, 90 % two-sided

_KNOWN: WeakKeyDictionary[Batch, dict[str, FloatArray]] = WeakKeyDictionary()


@compiled
def centred_average(y: FloatArray, period: int, out: FloatArray) -> None:
    """Fill `out` (n,) with the centred moving average over one period, carried on flat over the ends.

    An even period takes the two outermost figures at half weight (a 2 x m average). `y` has more than a period.
    """
    n = len(y)
    half = period // 2
    for t in range(half, n - half):
        total = 0.0
        for j in range(t - half, t + half + 1):
            total += y[j]
        if period % 2 == 0:
            total -= 0.5 * (y[t - half] + y[t + half])
        out[t] = total / period
    for t in range(half):
        out[t] = out[half]
        out[n - 1 - t] = out[n - 1 - half]


@compiled
def indices(y: FloatArray, first_phase: int, period: int, multiplicative: bool, out: FloatArray) -> float:
    """Fill `out` (period,) with the classical seasonal effects by phase and return their noise variance.

    The differences from the centred moving average (the ratios to it, where multiplicative) are averaged by phase,
    centred to no season over a period, and logged where multiplicative. The noise variance of one index is the
    variance of those figures about their phase's mean, over the number of cycles. The flat ends of the average are
    used as well: they are rougher than the middle, but without them a cycle of a short history is lost.

    Parameters
    ----------
    y : ndarray (n,)
        A history, not negative.
    first_phase : int
        Phase of `y[0]`.
    period : int
    multiplicative : bool
    out : ndarray (period,)
        All 0 where the history has fewer than two cycles, or the period is 1.

    Returns
    -------
    float
        Noise variance of an index (of a ratio, where multiplicative); NaN where it cannot be known.
    """
    out[:] = 0.0
    n = len(y)
    if period < 2 or n < 2 * period:
        return np.nan
    trend = np.empty(n)
    centred_average(y, period, trend)
    counts = np.zeros(period)
    for t in range(n):
        if trend[t] > 0.0 or not multiplicative:
            phase = (first_phase + t) % period
            out[phase] += y[t] / trend[t] if multiplicative else y[t] - trend[t]
            counts[phase] += 1.0
    neutral = 1.0 if multiplicative else 0.0
    seen, inverse = 0, 0.0
    for phase in range(period):
        out[phase] = out[phase] / counts[phase] if counts[phase] > 0.0 else neutral
        if counts[phase] > 0.0:
            inverse += 1.0 / counts[phase]
            seen += 1
    squares, figures = 0.0, 0
    for t in range(n):
        if trend[t] > 0.0 or not multiplicative:
            left = (y[t] / trend[t] if multiplicative else y[t] - trend[t]) - out[(first_phase + t) % period]
            squares += left * left
            figures += 1
    level = out.mean()
    for phase in range(period):
        out[phase] = _log_index(out[phase] / level) if multiplicative else out[phase] - level
    if figures == seen:
        return np.nan
    return float(squares / (figures - seen) * inverse / seen)


@compiled
def _log_index(index: float) -> float:
    """Return the logarithm of an index, no larger than LARGEST_EFFECT either way."""
    if index <= np.exp(-LARGEST_EFFECT):
        return -LARGEST_EFFECT
    return float(min(np.log(index), LARGEST_EFFECT))


@compiled
def shrink(effects: FloatArray, noise: float, target: FloatArray) -> None:
    """Draw seasonal effects (period,) to a target (period,) by the James-Stein factor, in place.

    Where the noise variance is NaN, the target is all there is to go by.
    """
    period = len(effects)
    distance = 0.0
    for phase in range(period):
        distance += (effects[phase] - target[phase]) ** 2
    keep = 0.0
    if distance > 0.0 and not np.isnan(noise):
        keep = min(1.0, max(0.0, 1.0 - (period - 3.0) * noise / distance))
    for phase in range(period):
        effects[phase] = target[phase] + keep * (effects[phase] - target[phase])


@compiled
def is_seasonal(y: FloatArray, period: int) -> bool:
    """Return whether the autocorrelation at one period differs from zero at 90 % (Bartlett's limits).

    Never with fewer than two cycles (Fiorucci et al. 2016, *International Journal of Forecasting* 32, 1151-1161).
    """
    n = len(y)
    if period < 2 or n < 2 * period:
        return False
    mean = y.mean()
    variance = 0.0
    for t in range(n):
        variance += (y[t] - mean) ** 2
    if not variance > 0.0:
        return False
    squares = 0.0
    correlation = 0.0
    for lag in range(1, period + 1):
        squares += correlation * correlation
        correlation = 0.0
        for t in range(lag, n):
            correlation += (y[t] - mean) * (y[t - lag] - mean)
        correlation /= variance
    return bool(abs(correlation) > CRITICAL * np.sqrt((1.0 + 2.0 * squares) / n))


@compiled
def remove_season(y: FloatArray, first_phase: int, effects: FloatArray, multiplicative: bool, out: FloatArray) -> None:
    """Fill `out` (n,) with `y` without its season: less the effects, or over their exponentials.

    A quotient is at most LARGEST_QUOTIENT of the largest figure: a surge in a phase that is else empty tells little
    about the other phases.
    """
    period = len(effects)
    largest = 0.0
    for t in range(len(y)):
        largest = max(largest, LARGEST_QUOTIENT * y[t])
    for phase in range(period):
        effect = np.exp(-effects[phase]) if multiplicative else effects[phase]
        for t in range((phase - first_phase) % period, len(y), period):
            out[t] = min(y[t] * effect, largest) if multiplicative else y[t] - effect


@compiled
def add_season(points: FloatArray, first_phase: int, effects: FloatArray, multiplicative: bool) -> None:
    """Put the season back into forecasts (steps,), in place and not below zero; `first_phase` is the first step's."""
    period = len(effects)
    for phase in range(period):
        effect = np.exp(effects[phase]) if multiplicative else effects[phase]
        for h in range((phase - first_phase) % period, len(points), period):
            points[h] = max(0.0, points[h] * effect if multiplicative else points[h] + effect)


@compiled
def classical_rows(
    values: FloatArray, start: IntArray, stop: IntArray, period: int, multiplicative: bool, out: FloatArray
) -> None:
    """Fill `out` (n, period + 1) with each row's classical effects and, last, their noise variance."""
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        out[i, period] = indices(y, start[i] % period, period, multiplicative, out[i, :period])


@compiled
def shrunk_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    classical: FloatArray,
    targets: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` (n, period) with each row's effects, shrunk to its target (n, period)."""
    for i in range(len(values)):
        for phase in range(period):
            out[i, phase] = classical[i, phase]
        if stop[i] - start[i] >= 2 * period:
            shrink(out[i], classical[i, period], targets[i])


@compiled
def tested_rows(
    values: FloatArray, start: IntArray, stop: IntArray, period: int, classical: FloatArray, out: FloatArray
) -> None:
    """Fill `out` (n, period) with the classical effects of rows whose season passes the test, with 0 elsewhere."""
    for i in range(len(values)):
        seasonal = is_seasonal(values[i, start[i] : stop[i]], period)
        for phase in range(period):
            out[i, phase] = classical[i, phase] if seasonal else 0.0


def pooled_pattern(batch: Batch) -> FloatArray:
    """Return the median multiplicative effects of each pool (P, period), 0 for pools under SMALLEST_POOL rows.

    Rows count alike, those with fewer than two cycles not at all.
    """
    known = _KNOWN.setdefault(batch, {})
    if "pattern" not in known:
        effects = _classical(batch, True)[:, :-1]
        counted = batch.stop - batch.start >= 2 * batch.period
        pattern = np.zeros((int(batch.pools.max(initial=-1)) + 1, batch.period))
        for pool in range(len(pattern)):
            rows = effects[counted & (batch.pools == pool)]
            if len(rows) >= SMALLEST_POOL:
                pattern[pool] = np.median(rows, axis=0)
                pattern[pool] -= pattern[pool].mean()
        known["pattern"] = pattern
    return known["pattern"]


def seasonal_effects(batch: Batch, kind: Kind) -> FloatArray:
    """Return the seasonal effects of each row by phase (n, period), computed once a batch.

    Parameters
    ----------
    batch : Batch
    kind : {"tested", "shrunk", "pooled", "additive"}
        "tested": multiplicative and classical, where the seasonal autocorrelation passes a test at 90 %;
        "shrunk": multiplicative, shrunk to no season;
        "pooled": multiplicative, shrunk to `pooled_pattern`;
        "additive": additive, shrunk to no season.

    Returns
    -------
    ndarray (n, period)
        Logarithms of the indices; for "additive" the indices in units of the data. Do not write to it.
    """
    known = _KNOWN.setdefault(batch, {})
    if kind not in known:
        classical = _classical(batch, kind != "additive")
        if kind == "tested":
            known[kind] = batch.each(tested_rows, batch.period, by_row=(classical,))
        else:
            targets = np.zeros((len(batch.pools), batch.period))
            if kind == "pooled":
                targets = pooled_pattern(batch)[batch.pools]
            known[kind] = batch.each(shrunk_rows, batch.period, by_row=(classical, targets))
    return known[kind]


def _classical(batch: Batch, multiplicative: bool) -> FloatArray:
    known = _KNOWN.setdefault(batch, {})
    key = f"classical {multiplicative}"
    if key not in known:
        known[key] = batch.each(classical_rows, batch.period + 1, multiplicative)
    return known[key]
