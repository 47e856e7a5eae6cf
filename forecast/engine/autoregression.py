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

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.lagged import (
    DIFFERENCES,
    LOG_OFFSET,
    LOGS,
    MEAN,
    TREND,
    coefficients,
    extend,
    lagged_moments,
    standardise,
    usable,
)
from forecast.engine.seasonal import seasonal_effects

WHITE_ROWS = 1.0
ROWS_AT_ONCE = 4096
LONG_PERIOD = 26  # a longer one has lags about itself and a few recent ones only
LARGEST_LOG = 30.0


@member("ar_mean", pooled=True)
def ar_mean(batch: Batch, steps: int) -> FloatArray:
    """Forecast deviations from the mean by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, MEAN)


@member("ar_trend", pooled=True)
def ar_trend(batch: Batch, steps: int) -> FloatArray:
    """Forecast deviations from a straight line by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, TREND)


@member("ar_differences", pooled=True)
def ar_differences(batch: Batch, steps: int) -> FloatArray:
    """Forecast changes about their mean, a drift that is shrunk, by lags 1 to m + 1.

    Returns
    -------
    ndarray (n, steps)
    """
    return autoregression(batch, steps, DIFFERENCES)


@member("ar_seasonal", pooled=True)
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
    return batch.each(forecast_rows, steps, lags, around, prior, by_row=(batch.pools, effects))


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
        moments = part.each(moments_rows, 1 + size * (size + 1) // 2, lags, around, by_row=(its_effects,))
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
