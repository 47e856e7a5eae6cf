"""The simplest members: the last figure with the average growth, and the last season again."""

from __future__ import annotations

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled


@compiled
def drift_points(y: FloatArray, out: FloatArray) -> None:
    """Fill `out` (steps,) with the last figure plus the mean growth of `y` a step, not below zero."""
    n = len(y)
    growth = (y[n - 1] - y[0]) / (n - 1)
    for h in range(len(out)):
        out[h] = max(0.0, y[n - 1] + (h + 1) * growth)


@compiled
def seasonal_naive_points(y: FloatArray, period: int, out: FloatArray) -> None:
    """Fill `out` (steps,) with the figure of the same phase in the last cycle; the last figure under two cycles."""
    n = len(y)
    cycle = period if n >= 2 * period else 1
    for h in range(len(out)):
        out[h] = y[n - cycle + h % cycle]


@compiled
def drift_rows(values: FloatArray, start: IntArray, stop: IntArray, period: int, out: FloatArray) -> None:
    """Fill `out` (n, steps) with `drift_points` of each row."""
    for i in range(len(values)):
        drift_points(values[i, start[i] : stop[i]], out[i])


@compiled
def seasonal_naive_rows(values: FloatArray, start: IntArray, stop: IntArray, period: int, out: FloatArray) -> None:
    """Fill `out` (n, steps) with `seasonal_naive_points` of each row."""
    for i in range(len(values)):
        seasonal_naive_points(values[i, start[i] : stop[i]], period, out[i])


@member("drift")
def drift(batch: Batch, steps: int) -> FloatArray:
    """Return the last figure plus the mean growth a step."""
    return batch.each(drift_rows, steps)


@member("seasonal_naive")
def seasonal_naive(batch: Batch, steps: int) -> FloatArray:
    """Return the figure one cycle earlier; the last figure where there are fewer than two cycles."""
    return batch.each(seasonal_naive_rows, steps)
