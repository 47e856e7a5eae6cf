"""Arithmetic of the autoregressions: one history, from its figures to lags, coefficients and forecasts."""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import FloatArray, IntArray
from forecast.engine.compiling import compiled

PSEUDO_OBSERVATIONS = 20.0
RIDGE, LARGEST_RIDGE = 1e-6, 1e12

MEAN, TREND, DIFFERENCES, LOGS = 0, 1, 2, 3  # what the lags are around
LOG_OFFSET = 0.3  # of the mean, added before logs: zeros stay finite
DRIFT_NOISE = 0.5  # of a squared drift; changes undo one another, so their variance overstates its noise


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
def coefficients(moments: FloatArray, prior: FloatArray, size: int, system: FloatArray, out: FloatArray) -> None:
    """Fill `out[:size - 1]` with the coefficients of the lags from moments + 20 prior (upper triangles, lag 0 first).

    The ridge on the diagonal is grown until the system is positive definite. Where none makes it so (a figure is not
    finite), the coefficients are 0.
    """
    p = size - 1
    ridge = RIDGE
    solved = False
    while not solved and ridge < LARGEST_RIDGE:
        for i in range(p):
            for j in range(i, p):
                system[i, j] = moments[i + 1, j + 1] + PSEUDO_OBSERVATIONS * prior[i + 1, j + 1]
            system[i, i] *= 1.0 + ridge
            system[i, p] = moments[0, i + 1] + PSEUDO_OBSERVATIONS * prior[0, i + 1]
        solved = solve(system, p, out)
        ridge *= 100.0
    if not solved:
        out[:p] = 0.0


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
