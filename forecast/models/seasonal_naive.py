"""Seasonal naive: the same season of the last cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import last_observed, take
from forecast.panel import FloatArray, Window


@register
@dataclass(frozen=True)
class SeasonalNaive:
    """For each season, its latest observed figure; the last figure for a season never seen or a series without.

    Assumes that the pattern of the year repeats; the yardstick for seasonal series.
    """

    name: ClassVar[str] = "seasonal_naive"
    capability: ClassVar[Capability] = Capability(min_history=1, min_cycles=1, handles_missing=True, batch=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon)."""
        n, length = window.values.shape
        carried = window.values.copy()
        for t in range(window.period, length):
            carried[:, t] = np.where(np.isnan(carried[:, t]), carried[:, t - window.period], carried[:, t])
        last = take(window.values, last_observed(window.values))
        points = np.empty((n, horizon))
        for step in range(horizon):
            column = length - window.period + step % window.period
            points[:, step] = carried[:, column] if column >= 0 else np.nan
        return np.where(np.isnan(points), last[:, None], points)
