"""Exponential smoothing without a season: simple, and with a damped trend.

Error-correction form (Hyndman, Koehler, Ord and Snyder 2008, *Forecasting with Exponential Smoothing*): with e the
error of the one-step forecast l + phi b, the next level is l + phi b + alpha e and the next slope phi b + beta e.
The slope starts at none and moves little (beta up to a twentieth of alpha): a slope that follows every turn costs more
than it gains a year ahead. Given alpha, beta and phi the errors are linear in the first level, which least squares
gives at once; a coarse grid, then steps along one parameter at a time, find the three.
"""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.seasonal import add_season, remove_season, seasonal_effects

LOWEST = np.array([0.02, 0.002, 0.8])  # alpha, beta / alpha, phi
HIGHEST = np.array([0.98, 0.05, 0.98])
GRID = np.array(
    [[alpha, share, phi] for alpha in (0.1, 0.3, 0.6, 0.9) for share in (0.01, 0.04) for phi in (0.85, 0.96)]
)
STEPS = np.array([0.1, 0.01, 0.04])
ROUNDS = 3
HELD = 0.1  # strength of the pseudo-observation of the first level, in figures


@compiled
def damped_points(
    y: FloatArray, alpha: float, beta: float, phi: float, level: float, slope: float, out: FloatArray
) -> None:
    """Fill `out` (steps,) with damped-trend forecasts of `y` at given parameters.

    Parameters
    ----------
    y : ndarray (n,)
    alpha, beta, phi : float
        Of the level, of the slope (both per unit of error) and of the damping.
    level, slope : float
        States before the first figure.
    """
    for k in range(len(y)):
        damped = phi * slope
        error = y[k] - level - damped
        level += damped + alpha * error
        slope = damped + beta * error
    for h in range(len(out)):
        slope *= phi
        level += slope
        out[h] = level


@compiled
def damped_fit(y: FloatArray, alpha: float, beta: float, phi: float) -> tuple[float, float]:
    """Return the sum of squared one-step errors and the best first level, with no first slope.

    A weak pseudo-observation holds the level at the first figure.
    """
    level, slope = 0.0, 0.0
    share, tilt = 1.0, 0.0  # what one unit of first level adds to the level and the slope
    squares, cross, weight = HELD * y[0] * y[0], HELD * y[0], HELD
    for k in range(len(y)):
        slope *= phi
        tilt *= phi
        level += slope
        share += tilt
        error = y[k] - level
        squares += error * error
        cross += error * share
        weight += share * share
        slope += beta * error
        tilt -= beta * share
        level += alpha * error
        share -= alpha * share
    first = cross / weight
    return squares - first * cross, first


@compiled
def damped_trend(y: FloatArray, out: FloatArray) -> None:
    """Fill `out` (steps,) with forecasts of the damped trend that fits `y` best one step ahead."""
    best, first = np.inf, y[0]
    at, tried = np.zeros(3), np.zeros(3)
    for g in range(len(GRID)):
        loss, level = damped_fit(y, GRID[g, 0], GRID[g, 0] * GRID[g, 1], GRID[g, 2])
        if loss < best:
            best, first = loss, level
            for j in range(3):
                at[j] = tried[j] = GRID[g, j]
    for halvings in range(ROUNDS):
        for j in range(3):
            step = STEPS[j] * 0.5**halvings
            for side in (-step, step):
                tried[j] = min(max(at[j] + side, LOWEST[j]), HIGHEST[j])
                loss, level = damped_fit(y, tried[0], tried[0] * tried[1], tried[2])
                if loss < best:
                    best, first = loss, level
                    at[j] = tried[j]
                    break
            tried[j] = at[j]
    damped_points(y, at[0], at[0] * at[1], at[2], first, 0.0, out)


@compiled
def damped_rows(
    values: FloatArray, start: IntArray, stop: IntArray, period: int, effects: FloatArray, out: FloatArray
) -> None:
    """Fill `out` (n, steps) with the damped trend of each row without its season, the season put back."""
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        level = np.empty(len(y))
        remove_season(y, start[i] % period, effects[i], True, level)
        damped_trend(level, out[i])
        add_season(out[i], stop[i] % period, effects[i], True)


@member("damped_trend")
def damped_trend_member(batch: Batch, steps: int) -> FloatArray:
    """Return damped trend on multiplicative indices shrunk to no season."""
    return batch.each(damped_rows, steps, by_row=(seasonal_effects(batch, "shrunk"),))
