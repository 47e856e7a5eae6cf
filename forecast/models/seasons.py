"""Additive seasons on the log scale, for models of many series at once."""

from __future__ import annotations

import numpy as np

from forecast.panel import FloatArray


def seasons(levels: FloatArray, period: int) -> FloatArray:
    """Additive seasons of log levels by phase (n, period): classical decomposition, shrunk towards none.

    The period is 1 or even. Zero unless two years are known. The share of season kept is that of the seasons'
    spread, over all rows, which is not the error of a phase's mean (James and Stein 1961).
    """
    n, length = levels.shape
    season = np.zeros((n, period))
    if period == 1 or length < 2 * period + 1:
        return season
    weights = np.full(period + 1, 1 / period)
    weights[[0, -1]] /= 2
    half = period // 2
    trend = np.stack([np.convolve(level, weights, mode="valid") for level in levels])
    residual = levels[:, half : length - half] - trend
    phase = np.arange(half, length - half) % period
    noise = np.zeros(n)
    for k in range(period):
        season[:, k], error = _mean_and_error(residual[:, phase == k])
        noise += error / period
    season -= season.mean(axis=1, keepdims=True)
    spread = season.var(axis=1).mean()
    kept = max(1 - noise.mean() / spread, 0.0) if spread > 0 else 0.0
    return kept * season


def by_phase(season: FloatArray, length: int) -> FloatArray:
    """Repeat each row's season over the first `length` periods."""
    return season[:, np.arange(length) % season.shape[1]]


def _mean_and_error(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean of each row and the variance of that mean; 0 where fewer than two figures are known."""
    known = np.isfinite(values)
    count = known.sum(axis=1)
    enough = count > 1
    mean = np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1)
    square = np.where(known, (values - mean[:, None]) ** 2, 0.0).sum(axis=1)
    error = square / np.maximum(count - 1, 1) / np.maximum(count, 1)
    return np.where(enough, mean, 0.0), np.where(enough, error, 0.0)
