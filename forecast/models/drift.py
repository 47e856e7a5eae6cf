"""Drift: the average change goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import first_observed, last_observed, not_below_zero, take
from forecast.panel import FloatArray, Window


@register
@dataclass(frozen=True)
class Drift:
    """The line through the first and the last observed figure.

    Assumes a random walk with drift; good for steady growth, blind to turns and seasons (Hyndman and
    Athanasopoulos, *Forecasting: Principles and Practice*, 3rd ed., 5.2).
    """

    name: ClassVar[str] = "drift"
    capability: ClassVar[Capability] = Capability(min_history=2, handles_missing=True, batch=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon), not below zero."""
        first, last = first_observed(window.values), last_observed(window.values)
        level = take(window.values, last)
        span = np.maximum(last - first, 1)
        slope = (level - take(window.values, first)) / span
        behind = window.values.shape[1] - 1 - last
        steps = np.arange(1, horizon + 1)[None, :] + behind[:, None]
        return not_below_zero(level[:, None] + slope[:, None] * steps)
