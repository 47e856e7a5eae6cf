"""Complex exponential smoothing: the level and what the last errors tell of its future, smoothed together.

A figure and the information beside it are one complex number; one complex parameter a0 + i a1 smooths both:

    level = level - (1 - a1) potential + (a0 - a1) error
    potential = level + (1 - a0) potential + (a0 + a1) error        (the level before)

(Svetunkov, Kourentzes and Ord 2022, *Naval Research Logistics* 69, 1108-1123.) With a1 = 1 it is simple smoothing by
a0 - 1; above 1 it carries growth on, below 1 it returns to the mean. As in `seasonal_ets.py` the parameter is not
chosen: forecasts of a grid are averaged by likelihood, each from the initial states that minimise the squared errors.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.seasonal import add_season, remove_season, seasonal_effects

A0 = (1.03, 1.1, 1.2, 1.35, 1.55, 1.8)
A1 = (0.95, 0.98, 1.0, 1.01, 1.02)
GRID = np.array(list(product(A0, A1)))

PSEUDO_ERROR = 1.0  # squared initial states count as that many squared errors
SMALLEST_VARIANCE = 1e-12
SMALLEST_WEIGHT = 0.01


@member("complex_smoothing")
def complex_smoothing(batch: Batch, steps: int) -> FloatArray:
    """Complex smoothing of deviations from the mean, without the season, which shrunk indices put back.

    Returns
    -------
    ndarray (n, steps)
    """
    return batch.each(complex_rows, steps, GRID, by_row=(seasonal_effects(batch, "shrunk"),))


@compiled
def smooth(z: FloatArray, a0: float, a1: float, level: float, potential: float) -> tuple[float, float, float]:
    """Run the recursion over `z` (n,) from given states; return the sum of squared errors and the states after."""
    squares = 0.0
    for t in range(len(z)):
        error = z[t] - level
        squares += error * error
        level, potential = (
            level - (1.0 - a1) * potential + (a0 - a1) * error,
            level + (1.0 - a0) * potential + (a0 + a1) * error,
        )
    return squares, level, potential


@compiled
def best_start(z: FloatArray, a0: float, a1: float) -> tuple[float, float, float]:
    """Return the least sum of squared one-step errors, with the initial level and potential that give it.

    The errors from any start are those from (0, 0) less `level` times the response r1 to a level of 1 and
    `potential` times the response r2 to a potential of 1. Both pay for their size, which the sum includes.
    """
    level0, level1, level2 = 0.0, 1.0, 0.0
    potential0, potential1, potential2 = 0.0, 0.0, 1.0
    squares, with1, with2 = 0.0, 0.0, 0.0
    moment11, moment12, moment22 = PSEUDO_ERROR, 0.0, PSEUDO_ERROR
    kept, turned, gain, lift = 1.0 - a0, 1.0 - a1, a0 - a1, a0 + a1
    for t in range(len(z)):
        error, r1, r2 = z[t] - level0, level1, level2
        squares += error * error
        with1 += error * r1
        with2 += error * r2
        moment11 += r1 * r1
        moment12 += r1 * r2
        moment22 += r2 * r2
        next0 = level0 - turned * potential0 + gain * error
        potential0 = level0 + kept * potential0 + lift * error
        next1 = level1 - turned * potential1 - gain * r1
        potential1 = level1 + kept * potential1 - lift * r1
        next2 = level2 - turned * potential2 - gain * r2
        potential2 = level2 + kept * potential2 - lift * r2
        level0, level1, level2 = next0, next1, next2
    determinant = moment11 * moment22 - moment12 * moment12
    level = (with1 * moment22 - with2 * moment12) / determinant
    potential = (moment11 * with2 - moment12 * with1) / determinant
    return squares - level * with1 - potential * with2, level, potential


@compiled
def average_forecast(z: FloatArray, grid: FloatArray, path: FloatArray) -> None:
    """Fill `path` (steps,) with the forecasts of z averaged over the grid (G, 2) of parameters by likelihood.

    Points of the grid with under a hundredth of the best's weight are left out.
    """
    n = len(z)
    fits = np.empty((len(grid), 3))
    for g in range(len(grid)):
        squares, fits[g, 1], fits[g, 2] = best_start(z, grid[g, 0], grid[g, 1])
        fits[g, 0] = max(squares, SMALLEST_VARIANCE * n)
    least = fits[:, 0].min()
    path[:] = 0.0
    weights = 0.0
    for g in range(len(grid)):
        weight = np.exp(-0.5 * n * np.log(fits[g, 0] / least))
        if weight < SMALLEST_WEIGHT:
            continue
        weights += weight
        a0, a1 = grid[g, 0], grid[g, 1]
        _, level, potential = smooth(z, a0, a1, fits[g, 1], fits[g, 2])
        for h in range(len(path)):
            path[h] += weight * level
            level, potential = level - (1.0 - a1) * potential, level + (1.0 - a0) * potential
    for h in range(len(path)):
        path[h] /= weights


@compiled
def complex_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    effects: FloatArray,
    grid: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` (n, steps) with each row's forecasts, within half a range of its range without the season."""
    scaled = np.empty(values.shape[1])
    for row in range(len(values)):
        y = values[row, start[row] : stop[row]]
        z = scaled[: len(y)]
        remove_season(y, start[row] % period, effects[row], True, z)
        mean = z.mean()
        if mean == 0.0:
            out[row] = 0.0
            continue
        for t in range(len(y)):
            z[t] = z[t] / mean - 1.0
        average_forecast(z, grid, out[row])
        low, high = z.min(), z.max()
        reach = 0.5 * (high - low)
        for h in range(out.shape[1]):
            out[row, h] = max(0.0, 1.0 + min(max(out[row, h], low - reach), high + reach)) * mean
        add_season(out[row], stop[row] % period, effects[row], True)
