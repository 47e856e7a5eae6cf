"""Autoregressions, partly pooled: each series' own equations plus twenty pseudo-observations of its pool.

A history of a few years cannot tell a dozen coefficients from noise. Each series, in its own units (zero mean, unit
variance), has the moments M_i of its lagged figures, summed over time; a pool has the mean M of its rows' moments of
one period. The coefficients solve the normal equations of M_i + 20 M: ridge regression towards the pool's coefficients
rather than towards zero (compare Zellner's g-prior: 1986, in *Bayesian Inference and Decision Techniques*). White
noise counts as one more row of each pool, so that a pool of one series is near a plain ridge.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, Whole, member
from forecast.engine.compiling import compiled
from forecast.engine.seasonal import seasonal_effects

PSEUDO_OBSERVATIONS = 20.0
WHITE_ROWS = 1.0
RIDGE = 1e-6
ROWS_AT_ONCE = 4096
LONG_PERIOD = 26  # a longer one has lags about itself and a few recent ones only

MEAN, TREND, DIFFERENCES, LOGS = 0, 1, 2, 3  # what the lags are around
LOG_OFFSET = 0.3  # of the mean, added before logs: zeros stay finite
LARGEST_LOG = 30.0
DRIFT_NOISE = 0.5  # of a squared drift; changes undo one another, so their variance overstates its noise


@member("ar_mean")
def ar_mean(batch: Batch, steps: int) -> FloatArray:
    """Forecast deviations from the mean by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, MEAN)


@member("ar_trend")
def ar_trend(batch: Batch, steps: int) -> FloatArray:
    """Forecast deviations from a straight line by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, TREND)


@member("ar_differences")
def ar_differences(batch: Batch, steps: int) -> FloatArray:
    """Forecast changes about their mean, a drift that is shrunk, by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, DIFFERENCES)


@member("ar_seasonal")
def ar_seasonal(batch: Batch, steps: int) -> FloatArray:
    """Forecast the logarithm without its season: deviations from a straight line by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, LOGS)


def autoregression(batch: Batch, steps: int, around: int) -> FloatArray:
    """Return points (n, steps) of the autoregression around MEAN, TREND, DIFFERENCES or LOGS."""
    lags = lags_of(batch.period)
    effects = seasonal_effects(batch, "shrunk") if around == LOGS else np.zeros((len(batch.values), 1))
    prior = pool_moments(batch, effects, lags, around)
    return batch.each(forecast_rows, steps, batch.pools, effects, Whole(lags), around, Whole(prior))


def lags_of(period: int) -> IntArray:
    """Return 0, the forecast figure itself, and the lags it is forecast from, ascending.

    Examples
    --------
    >>> lags_of(4).tolist(), lags_of(52).tolist()
    ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5, 6, 7, 8, 51, 52, 53])
    """
    if period > LONG_PERIOD:
        return np.array([*range(9), period - 1, period, period + 1], dtype=np.int64)
    return np.arange(period + 2)


def pool_moments(batch: Batch, effects: FloatArray, lags: IntArray, around: int) -> FloatArray:
    """Return each pool's mean moments of one period (P, L, L), L = len(lags); rows count alike.

    A short row counts for the lags it has. Rows are taken a few thousand at a time and added in row order.
    """
    size = len(lags)
    pools = int(batch.pools.max()) + 1
    sums, rows = np.zeros((pools, size, size)), np.zeros((pools, size))
    for part, its_effects in _parts(batch, effects):
        moments = part.each(moments_rows, 1 + size * (size + 1) // 2, its_effects, Whole(lags), around)
        add_to_pools(moments, part.pools, sums, rows)
    larger = np.maximum.outer(np.arange(size), np.arange(size))
    return np.asarray((sums + WHITE_ROWS * np.eye(size)) / (rows[:, larger] + WHITE_ROWS))


def _parts(batch: Batch, effects: FloatArray) -> Iterator[tuple[Batch, FloatArray]]:
    for first in range(0, len(batch.values), ROWS_AT_ONCE):
        cut = slice(first, first + ROWS_AT_ONCE)
        part = replace(
            batch, values=batch.values[cut], start=batch.start[cut], stop=batch.stop[cut], pools=batch.pools[cut]
        )
        yield part, effects[cut]


@compiled
def standardise(
    y: FloatArray, first_phase: int, effects: FloatArray, around: int, z: FloatArray
) -> tuple[int, float, float, float, float]:
    """Fill the front of `z` with the figures the lags are of, at zero mean and unit variance.

    Returns
    -------
    tuple
        How many figures; the mean of y; the centre of z, its slope a period and its standard deviation in the units of
        y over its mean (of its logarithm). Standard deviation 0: the line is all there is.
    """
    n = len(y)
    mean = y.mean()
    for t in range(n):
        z[t] = y[t] / mean
    count = n
    if around == LOGS:
        for t in range(n):
            z[t] = np.log(z[t] * np.exp(-effects[(first_phase + t) % len(effects)]) + LOG_OFFSET)
    elif around == DIFFERENCES:
        count = n - 1
        for t in range(count):
            z[t] = z[t + 1] - z[t]
    centre = z[:count].mean()
    slope = line_slope(z[:count]) if around in (TREND, LOGS) else 0.0
    middle = 0.5 * (count - 1)
    square = 0.0
    for t in range(count):
        z[t] -= centre + slope * (t - middle)
        square += z[t] * z[t]
    deviation = np.sqrt(square / count)
    if around == DIFFERENCES and centre != 0.0:
        centre *= max(0.0, 1.0 - DRIFT_NOISE * square / (count * centre) ** 2)
    if deviation < 1e-9:
        return count, mean, centre, slope, 0.0
    for t in range(count):
        z[t] /= deviation
    return count, mean, centre, slope, deviation


@compiled
def line_slope(z: FloatArray) -> float:
    """Return the least-squares slope of z."""
    n = len(z)
    slope = 0.0
    for t in range(n):
        slope += (t - 0.5 * (n - 1)) * z[t]
    return slope / (n * (n * n - 1.0) / 12.0)


@compiled
def usable(lags: IntArray, count: int) -> int:
    """Return how many of `lags` (0 among them) leave about half of `count` figures for equations."""
    used = 1
    for lag in lags[1:]:
        if lag <= min(count // 2 + 1, count - 2):
            used += 1
    return used


@compiled
def lagged_moments(z: FloatArray, lags: IntArray, moments: FloatArray) -> int:
    """Fill the upper triangle of `moments` (L, L) with the sums of z[t - lags[i]] z[t - lags[j]].

    The sums run over the t for which all lags are there. Neighbouring lags differ from the pair before by one figure at
    either end. Returns the number of t.
    """
    n = len(z)
    first = int(lags[-1])
    for i in range(len(lags)):
        for j in range(i, len(lags)):
            a, b = lags[i], lags[j]
            if i > 0 and lags[i - 1] == a - 1 and lags[j - 1] == b - 1:
                moments[i, j] = moments[i - 1, j - 1] + z[first - a] * z[first - b] - z[n - a] * z[n - b]
            else:
                total = 0.0
                for t in range(first, n):
                    total += z[t - a] * z[t - b]
                moments[i, j] = total
    return n - first


@compiled
def moments_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    effects: FloatArray,
    lags: IntArray,
    around: int,
    out: FloatArray,
) -> None:
    """Fill `out` with how many lags each row has, then its moments of one period: the upper triangle by rows."""
    z = np.empty(values.shape[1])
    moments = np.empty((len(lags), len(lags)))
    for row in range(len(values)):
        out[row] = 0.0
        y = values[row, start[row] : stop[row]]
        if y.max() == 0.0:
            continue
        count, _, _, _, deviation = standardise(y, start[row] % period, effects[row], around, z)
        if deviation == 0.0:
            continue
        used = usable(lags, count)
        equations = lagged_moments(z[:count], lags[:used], moments)
        out[row, 0] = used
        k = 1
        for i in range(len(lags)):
            for j in range(i, len(lags)):
                if j < used:
                    out[row, k] = moments[i, j] / equations
                k += 1


@compiled
def add_to_pools(moments: FloatArray, pools: IntArray, sums: FloatArray, rows: FloatArray) -> None:
    """Add what `moments_rows` answers to `sums` (P, L, L), and to `rows` (P, L) the rows that have each lag."""
    size = rows.shape[1]
    for row in range(len(moments)):
        pool = pools[row]
        for i in range(int(moments[row, 0])):
            rows[pool, i] += 1.0
        k = 1
        for i in range(size):
            for j in range(i, size):
                sums[pool, i, j] += moments[row, k]
                k += 1


@compiled
def coefficients(moments: FloatArray, prior: FloatArray, size: int, system: FloatArray, out: FloatArray) -> None:
    """Fill `out[:size - 1]` with the coefficients of the lags from moments + 20 prior (upper triangles, lag 0 first).

    The ridge on the diagonal is grown until the system is positive definite.
    """
    p = size - 1
    ridge = RIDGE
    solved = False
    while not solved:
        for i in range(p):
            for j in range(i, p):
                system[i, j] = moments[i + 1, j + 1] + PSEUDO_OBSERVATIONS * prior[i + 1, j + 1]
            system[i, i] *= 1.0 + ridge
            system[i, p] = moments[0, i + 1] + PSEUDO_OBSERVATIONS * prior[0, i + 1]
        solved = solve(system, p, out)
        ridge *= 100.0


@compiled
def solve(system: FloatArray, p: int, out: FloatArray) -> bool:
    """Solve by Cholesky: `system` holds the upper triangle and, in column p, the right side; both are overwritten.

    Returns False if the matrix is not positive definite.
    """
    for i in range(p):
        pivot = system[i, i]
        if not pivot > 0.0:
            return False
        root = np.sqrt(pivot)
        for j in range(i, p + 1):
            system[i, j] /= root
        for k in range(i + 1, p):
            factor = system[i, k]
            for j in range(k, p + 1):
                system[k, j] -= factor * system[i, j]
    for i in range(p - 1, -1, -1):
        total = system[i, p]
        for j in range(i + 1, p):
            total -= system[i, j] * out[j]
        out[i] = total / system[i, i]
    return True


@compiled
def extend(z: FloatArray, count: int, lags: IntArray, weights: FloatArray) -> None:
    """Fill z[count:] with forecasts from the figures before, each within half a range of the history's range."""
    low, high = z[:count].min(), z[:count].max()
    reach = 0.5 * (high - low)
    for t in range(count, len(z)):
        total = 0.0
        for j in range(1, len(lags)):
            total += weights[j - 1] * z[t - lags[j]]
        z[t] = min(max(total, low - reach), high + reach)


@compiled
def forecast_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    pools: IntArray,
    effects: FloatArray,
    lags: IntArray,
    around: int,
    prior: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` (n, steps) with each row's forecasts.

    They go beyond the largest figure by half the range of the history at most, and by as much more as a straight line
    over that range would go, for as many steps as the history has figures.
    """
    size, steps = len(lags), out.shape[1]
    z = np.empty(values.shape[1] + steps)
    moments, system, weights = np.empty((size, size)), np.empty((size, size)), np.empty(size)
    for row in range(len(values)):
        y = values[row, start[row] : stop[row]]
        top = y.max()
        if top == 0.0:
            out[row] = 0.0
            continue
        phase = start[row] % period
        count, mean, centre, slope, deviation = standardise(y, phase, effects[row], around, z)
        z[count : count + steps] = 0.0
        if deviation > 0.0:
            used = usable(lags, count)
            lagged_moments(z[:count], lags[:used], moments)
            coefficients(moments, prior[pools[row]], used, system, weights)
            extend(z[: count + steps], count, lags[:used], weights)
        level = y[-1] / mean
        span = top - y.min()
        for h in range(steps):
            figure = centre + slope * (0.5 * (count + 1) + h) + deviation * z[count + h]
            if around == DIFFERENCES:
                level += figure
                figure = level
            elif around == LOGS:
                effect = effects[row, (phase + len(y) + h) % effects.shape[1]]
                figure = (np.exp(min(figure, LARGEST_LOG)) - LOG_OFFSET) * np.exp(effect)
            out[row, h] = min(max(figure * mean, 0.0), top + span * (0.5 + min(1.0, (h + 1.0) / len(y))))
