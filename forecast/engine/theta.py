"""Theta members: half a moving trend plus simple exponential smoothing, on four kinds of seasonal indices.

The dynamic optimised theta model (Fiorucci, Pellegrini, Louzada, Petropoulos and Koehler 2016, *International
Journal of Forecasting* 32, 1151-1161) forecasts y_t by

    l_{t-1} + w [(1 - a)^{t-1} A_{t-1} + (1 - (1 - a)^t) / a x B_{t-1}],    w = 1 - 1 / theta,

with l the smoothed level and A + B t the least-squares line through the figures so far. Given the smoothing
parameter a, its errors are linear in w and in the first level, which least squares therefore gives at once: only a is
searched for.
"""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.seasonal import Kind, add_season, remove_season, seasonal_effects

SLOWEST, FASTEST = 0.05, 0.95  # smoothing parameters, and no slower than one over the figures
LARGEST_WEIGHT = 0.9  # theta up to 10
SKIPPED = 2  # figures before the line has a slope
HELD_LEVEL, HELD_WEIGHT = 0.01, 0.3  # strength of the pseudo-observations, in figures
GRID = 10
HALVINGS = 4


@compiled
def running_lines(y: FloatArray, intercepts: FloatArray, slopes: FloatArray) -> None:
    """Fill in the least-squares lines through `y[: k + 1]` for each k, time counted from 1; flat through one figure."""
    mean = y[0]
    slope = 0.0
    intercepts[0] = mean
    slopes[0] = slope
    for k in range(1, len(y)):
        t = k + 1.0
        slope = ((t - 2.0) * slope + 6.0 / t * (y[k] - mean)) / (t + 1.0)
        mean += (y[k] - mean) / t
        intercepts[k] = mean - 0.5 * (t + 1.0) * slope
        slopes[k] = slope


@compiled
def one_step_fit(y: FloatArray, intercepts: FloatArray, slopes: FloatArray, alpha: float) -> tuple[float, float, float]:
    """Return the sum of squared one-step errors, and the best weight of the line and first level, at one `alpha`.

    Pseudo-observations hold the level at the first figure and the weight at a half (theta 2), which only tells in
    short histories.

    Parameters
    ----------
    y, intercepts, slopes : ndarray (n,)
        A history without season and its `running_lines`.
    alpha : float
        Smoothing parameter, above 0 and below 1.

    Returns
    -------
    tuple of float
        Sum of squares; weight of the line, 0 to LARGEST_WEIGHT; level before the first figure, not negative.
    """
    n = len(y)
    rest = 1.0 - alpha
    power, smoothed = 1.0, 0.0
    uu, ul, ll, uw, ww, lw = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(n):
        if k >= SKIPPED:
            pull = power * intercepts[k - 1] + (1.0 - power * rest) / alpha * slopes[k - 1]
            left = y[k] - smoothed
            uu += left * left
            ul += left * power
            ll += power * power
            uw += left * pull
            ww += pull * pull
            lw += power * pull
        smoothed = rest * smoothed + alpha * y[k]
        power *= rest
    held = HELD_WEIGHT * ww / (n - SKIPPED)
    uu += HELD_LEVEL * y[0] * y[0] + 0.25 * held
    ul += HELD_LEVEL * y[0]
    ll += HELD_LEVEL
    uw += 0.5 * held
    ww += held
    weight = 0.5
    determinant = ll * ww - lw * lw
    if determinant > 0.0:
        weight = min(max((uw * ll - ul * lw) / determinant, 0.0), LARGEST_WEIGHT)
    level = max((ul - weight * lw) / ll, 0.0)
    squares = uu + level**2 * ll + weight**2 * ww + 2.0 * (level * weight * lw - level * ul - weight * uw)
    return squares, weight, level


@compiled
def dynamic_points(
    y: FloatArray, intercept: float, slope: float, alpha: float, weight: float, level: float, out: FloatArray
) -> None:
    """Fill `out` (steps,) with the dynamic model's forecasts, each taken as the next figure.

    Parameters
    ----------
    y : ndarray (n,)
    intercept, slope : float
        Least-squares line through `y`, time counted from 1.
    alpha, weight, level : float
        Smoothing parameter, 1 - 1/theta, and the level before the first figure.
    """
    n = len(y)
    rest = 1.0 - alpha
    power = 1.0
    mean = 0.0
    for k in range(n):
        level = rest * level + alpha * y[k]
        power *= rest
        mean += y[k]
    mean /= n
    for h in range(len(out)):
        t = n + h + 1.0
        point = level + weight * (power * intercept + (1.0 - power * rest) / alpha * slope)
        slope = ((t - 2.0) * slope + 6.0 / t * (point - mean)) / (t + 1.0)
        mean += (point - mean) / t
        intercept = mean - 0.5 * (t + 1.0) * slope
        level = rest * level + alpha * point
        power *= rest
        out[h] = point


@compiled
def dynamic_theta(y: FloatArray, out: FloatArray) -> float:
    """Fill `out` (steps,) with forecasts of the dynamic optimised theta model and return its smoothing parameter."""
    intercepts, slopes = np.empty(len(y)), np.empty(len(y))
    running_lines(y, intercepts, slopes)
    slowest = max(SLOWEST, 1.0 / len(y))
    step = (FASTEST - slowest) / (GRID - 1)
    best, alpha, weight, level = np.inf, slowest, 0.0, y[0]
    for g in range(GRID):
        tried = slowest + g * step
        loss, w, first = one_step_fit(y, intercepts, slopes, tried)
        if loss < best:
            best, alpha, weight, level = loss, tried, w, first
    for _ in range(HALVINGS):
        step *= 0.5
        middle = alpha
        for tried in (middle - step, middle + step):
            if slowest <= tried <= FASTEST:
                loss, w, first = one_step_fit(y, intercepts, slopes, tried)
                if loss < best:
                    best, alpha, weight, level = loss, tried, w, first
    dynamic_points(y, intercepts[-1], slopes[-1], alpha, weight, level, out)
    return alpha


@compiled
def theta_rows(
    values: FloatArray,
    start: IntArray,
    stop: IntArray,
    period: int,
    effects: FloatArray,
    multiplicative: bool,
    out: FloatArray,
) -> None:
    """Fill `out` (n, steps) with dynamic theta on each row without its season, the season put back."""
    for i in range(len(values)):
        y = values[i, start[i] : stop[i]]
        level = np.empty(len(y))
        remove_season(y, start[i] % period, effects[i], multiplicative, level)
        dynamic_theta(level, out[i])
        add_season(out[i], stop[i] % period, effects[i], multiplicative)


@member("theta_classical")
def theta_classical(batch: Batch, steps: int) -> FloatArray:
    """Return dynamic theta on classical multiplicative indices, where the season passes a test at 90 %."""
    return _theta(batch, steps, "tested")


@member("theta_shrunk")
def theta_shrunk(batch: Batch, steps: int) -> FloatArray:
    """Return dynamic theta on multiplicative indices shrunk to no season."""
    return _theta(batch, steps, "shrunk")


@member("theta_pooled", pooled=True)
def theta_pooled(batch: Batch, steps: int) -> FloatArray:
    """Return dynamic theta on multiplicative indices shrunk to the pattern of the pool."""
    return _theta(batch, steps, "pooled")


@member("theta_additive")
def theta_additive(batch: Batch, steps: int) -> FloatArray:
    """Return dynamic theta on additive indices shrunk to no season."""
    return _theta(batch, steps, "additive")


def _theta(batch: Batch, steps: int, kind: Kind) -> FloatArray:
    return batch.each(theta_rows, steps, kind != "additive", by_row=(seasonal_effects(batch, kind),))
