"""Exponential smoothing with a damped trend and a season, ETS(A,Ad,A), averaged over its parameters.

    base = level + phi trend;                     error = z - base - season of the phase
    level = base + alpha error;   trend = phi trend + beta error;   season of the phase += gamma error

(Hyndman, Koehler, Ord and Snyder 2008, *Forecasting with Exponential Smoothing*). A few years of a small series say
little about four parameters, and the ones that fit best are mostly lucky. So no parameters are chosen: the forecasts
of a fixed grid are averaged, each weighted by its likelihood, (sum of squared one-step errors)^(-n/2), as Akaike
weights do between models (Burnham and Anderson 2002, *Model Selection and Multimodel Inference*). At each point of the
grid the initial level and trend minimise the squared errors, which are quadratic in them; the initial season is the
additive one of the whole history, shrunk (`seasonal.py`).
"""

from __future__ import annotations

from itertools import product

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.seasonal import indices, shrink

ALPHAS = (0.05, 0.15, 0.3, 0.5)
TREND_SHARES = (0.0, 0.1)  # beta over alpha
PHIS = (0.8, 0.95)
SEASON_SHARES = (0.0, 0.1, 0.3, 0.6)  # gamma over 1 - alpha
GRID = np.array(
    [
        (alpha, alpha * trend, phi, (1.0 - alpha) * season)
        for alpha, trend, phi, season in product(ALPHAS, TREND_SHARES, PHIS, SEASON_SHARES)
    ]
)

LOG_OFFSET = 0.3  # of the mean, added before logs: zeros stay finite
TREND_PSEUDO_ERROR = 1.0  # squared initial trends count as that many squared errors
LONG_PERIOD = 26  # a longer season is only seen with three cycles, a shorter one with two
LARGEST_GROWTH = 1.0  # of a logarithm, beyond that of the largest figure
SMALLEST_VARIANCE = 1e-12
SMALLEST_WEIGHT = 0.01


@member("ets_log")
def ets_log(batch: Batch, steps: int) -> FloatArray:
    """Damped trend and additive season of log(1 + y / (0.3 mean)); medians.

    Returns
    -------
    ndarray (n, steps)
    """
    return batch.each(ets_rows, steps, GRID, True)


@member("ets_sqrt")
def ets_sqrt(batch: Batch, steps: int) -> FloatArray:
    """Damped trend and additive season of the square root, the scale that steadies counts; medians.

    Returns
    -------
    ndarray (n, steps)
    """
    return batch.each(ets_rows, steps, GRID, False)


@compiled
def smooth(
    z: FloatArray, parameters: FloatArray, level: float, trend: float, season: FloatArray
) -> tuple[float, float, float]:
    """Run the recursion over `z` from given states.

    Parameters
    ----------
    z : ndarray (n,)
    parameters : ndarray (4,)
        alpha, beta, phi, gamma of the error-correction form above.
    level, trend : float
        States before z[0].
    season : ndarray (m,)
        Seasonal states of z[0] to z[m - 1] before; moved in place to those of times t with t % m = 0 to m - 1 after.

    Returns
    -------
    tuple
        Sum of squared one-step errors; level and trend after z.
    """
    alpha, beta, phi, gamma = parameters[0], parameters[1], parameters[2], parameters[3]
    squares, phase = 0.0, 0
    for t in range(len(z)):
        base = level + phi * trend
        error = z[t] - base - season[phase]
        squares += error * error
        level = base + alpha * error
        trend = phi * trend + beta * error
        season[phase] += gamma * error
        phase += 1
        if phase == len(season):
            phase = 0
    return squares, level, trend


@compiled
def best_start(
    z: FloatArray, parameters: FloatArray, season: FloatArray, seasons: FloatArray
) -> tuple[float, float, float]:
    """Return the least sum of squared one-step errors, with the initial level and trend that give it.

    The errors from any start are those from (0, 0) less `level` times the response r1 to a level of 1 and `trend`
    times the response r2 to a trend of 1, so the best start solves two normal equations. The trend pays for its size,
    which the sum includes. `season` (m,) is the initial one; `seasons` (3, m) is overwritten.
    """
    alpha, beta, phi, gamma = parameters[0], parameters[1], parameters[2], parameters[3]
    for j in range(len(season)):
        seasons[0, j] = season[j]
        seasons[1, j] = 0.0
        seasons[2, j] = 0.0
    level0, level1, level2 = 0.0, 1.0, 0.0
    trend0, trend1, trend2 = 0.0, 0.0, 1.0
    squares, with1, with2 = 0.0, 0.0, 0.0
    moment11, moment12, moment22 = 0.0, 0.0, TREND_PSEUDO_ERROR
    phase = 0
    for t in range(len(z)):
        base0, base1, base2 = level0 + phi * trend0, level1 + phi * trend1, level2 + phi * trend2
        error = z[t] - base0 - seasons[0, phase]
        r1, r2 = base1 + seasons[1, phase], base2 + seasons[2, phase]
        squares += error * error
        with1 += error * r1
        with2 += error * r2
        moment11 += r1 * r1
        moment12 += r1 * r2
        moment22 += r2 * r2
        level0, trend0 = base0 + alpha * error, phi * trend0 + beta * error
        level1, trend1 = base1 - alpha * r1, phi * trend1 - beta * r1
        level2, trend2 = base2 - alpha * r2, phi * trend2 - beta * r2
        seasons[0, phase] += gamma * error
        seasons[1, phase] -= gamma * r1
        seasons[2, phase] -= gamma * r2
        phase += 1
        if phase == len(season):
            phase = 0
    determinant = moment11 * moment22 - moment12 * moment12
    level = (with1 * moment22 - with2 * moment12) / determinant
    trend = (moment11 * with2 - moment12 * with1) / determinant
    return squares - level * with1 - trend * with2, level, trend


@compiled
def average_forecast(z: FloatArray, season: FloatArray, grid: FloatArray, path: FloatArray) -> None:
    """Fill `path` (steps,) with the forecasts of z averaged over the grid (G, 4) of parameters by likelihood.

    Points of the grid with under a hundredth of the best's weight are left out. Without a season (m = 1) only those
    with gamma 0 are used.
    """
    n, m = len(z), len(season)
    fits = np.empty((len(grid), 3))
    seasons = np.empty((3, m))
    least = np.inf
    for g in range(len(grid)):
        if m == 1 and grid[g, 3] > 0.0:
            fits[g, 0] = np.inf
            continue
        squares, fits[g, 1], fits[g, 2] = best_start(z, grid[g], season, seasons)
        fits[g, 0] = max(squares, SMALLEST_VARIANCE * n)
        least = min(least, fits[g, 0])
    path[:] = 0.0
    weights = 0.0
    for g in range(len(grid)):
        weight = np.exp(-0.5 * n * np.log(fits[g, 0] / least))
        if weight < SMALLEST_WEIGHT:
            continue
        weights += weight
        seasons[0] = season
        _, level, trend = smooth(z, grid[g], fits[g, 1], fits[g, 2], seasons[0])
        for h in range(len(path)):
            trend *= grid[g, 2]
            level += trend
            path[h] += weight * (level + seasons[0, (n + h) % m])
    for h in range(len(path)):
        path[h] /= weights


@compiled
def season_length(n: int, period: int) -> int:
    """Return `period` if n figures are enough cycles to see its season, else 1."""
    cycles = 3 if period > LONG_PERIOD else 2
    return period if period > 1 and n >= cycles * period else 1


@compiled
def ets_rows(
    values: FloatArray, start: IntArray, stop: IntArray, period: int, grid: FloatArray, logs: bool, out: FloatArray
) -> None:
    """Fill `out` (n, steps) with each row's forecasts.

    They stay within half a range of the history's range on the scale of smoothing: up to about three times the largest.
    """
    scaled = np.empty(values.shape[1])
    no_season = np.zeros(period)
    for row in range(len(values)):
        y = values[row, start[row] : stop[row]]
        mean = y.mean()
        if mean == 0.0:
            out[row] = 0.0
            continue
        z = scaled[: len(y)]
        for t in range(len(y)):
            z[t] = np.log1p(y[t] / (LOG_OFFSET * mean)) if logs else np.sqrt(y[t] / mean)
        season = np.zeros(season_length(len(y), period))
        if len(season) > 1:
            noise = indices(z, 0, period, False, season)
            shrink(season, noise, no_season)
        average_forecast(z, season, grid, out[row])
        low, high = z.min(), z.max()
        reach = 0.5 * (high - low)
        if logs:
            reach = min(reach, LARGEST_GROWTH)
        for h in range(out.shape[1]):
            point = min(max(out[row, h], low - reach, 0.0), high + reach)
            out[row, h] = LOG_OFFSET * mean * np.expm1(point) if logs else mean * point * point
