"""Arithmetic on histories that several models share."""

from __future__ import annotations

import numpy as np

from forecast.panel import FloatArray, IntArray

HALF_COUNT = 0.5
"""What stands for a count of zero where a logarithm is taken."""
MAD_TO_SD = 1.4826
"""Standard deviation of a normal for each unit of its median absolute deviation."""


def last_observed(values: FloatArray) -> IntArray:
    """Return the column of each row's last figure, -1 where it has none."""
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), values.shape[1] - 1 - known[:, ::-1].argmax(axis=1), -1)


def first_observed(values: FloatArray) -> IntArray:
    """Return the column of each row's first figure, -1 where it has none."""
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), known.argmax(axis=1), -1)


def carried_along(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Fill the gaps of areas that are looked at together, and tell how their total grows.

    Gaps inside a row are interpolated on the log scale. A row that ends early goes on as the total does; one that
    starts late stays missing before its first figure, and counts in the total's growth from its second one on.

    Parameters
    ----------
    values : ndarray (n, T)
        Not negative; NaN where missing. In every column some row has a figure.

    Returns
    -------
    filled : ndarray (n, T)
    growth : ndarray (T-1,)
        Log growth of the total from column to column, over the rows known in both.

    Examples
    --------
    >>> filled, growth = carried_along(np.array([[10.0, 20.0, 40.0], [5.0, 10.0, np.nan]]))
    >>> filled[1].tolist(), np.exp(growth).round(6).tolist()
    ([5.0, 10.0, 20.0], [2.0, 2.0])
    """
    filled = values.copy()
    at = np.arange(values.shape[1])
    first, last = first_observed(values), last_observed(values)
    for row in np.flatnonzero(np.isnan(values).any(axis=1)):
        inside = slice(max(int(first[row]), 0), int(last[row]) + 1)
        filled[row, inside] = interpolated(values[row, inside])
    growth = np.zeros(len(at) - 1)
    for t in range(1, len(at)):
        both = np.isfinite(filled[:, t]) & np.isfinite(filled[:, t - 1])
        now, before = filled[both, t].sum(), filled[both, t - 1].sum()
        growth[t - 1] = np.log(max(now, HALF_COUNT) / max(before, HALF_COUNT))
        ended = t > last
        filled[ended, t] = filled[ended, t - 1] * np.exp(growth[t - 1])
    return filled, growth


def take(values: FloatArray, columns: IntArray) -> FloatArray:
    """Return one figure a row; NaN where the column is -1."""
    picked = values[np.arange(len(values)), np.maximum(columns, 0)]
    return np.where(columns >= 0, picked, np.nan)


def not_below_zero(points: object) -> FloatArray:
    """Return points as floats, with zero for what is below it."""
    floored: FloatArray = np.maximum(np.asarray(points, dtype=np.float64), 0.0)
    return floored


def has_season(y: FloatArray, period: int) -> bool:
    """Say whether a history holds the two years a season is estimated from."""
    return period > 1 and len(y) >= 2 * period


def interpolated(y: FloatArray) -> FloatArray:
    """Fill the missing figures of a history on the log scale; those at its ends take the nearest figure."""
    known = np.isfinite(y)
    if known.all():
        return y
    at = np.arange(len(y))
    return np.asarray(np.expm1(np.interp(at, at[known], np.log1p(y[known]))), dtype=np.float64)
