"""Arithmetic on histories that several models share."""

from __future__ import annotations

import numpy as np

from forecast.panel import FloatArray, IntArray


def last_observed(values: FloatArray) -> IntArray:
    """Return the column of each row's last figure, -1 where it has none."""
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), values.shape[1] - 1 - known[:, ::-1].argmax(axis=1), -1)


def first_observed(values: FloatArray) -> IntArray:
    """Return the column of each row's first figure, -1 where it has none."""
    known = ~np.isnan(values)
    return np.where(known.any(axis=1), known.argmax(axis=1), -1)


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
