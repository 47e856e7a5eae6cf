"""Naive: the last figure goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import last_observed, take
from forecast.panel import FloatArray, Window


@register
@dataclass(frozen=True)
class Naive:
    """The last observed figure, for every period ahead.

    Assumes a random walk without drift; the yardstick any model has to beat. Good for short series whose
    changes cannot be told from noise.
    """

    name: ClassVar[str] = "naive"
    capability: ClassVar[Capability] = Capability(min_history=1, handles_missing=True, batch=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon)."""
        last = take(window.values, last_observed(window.values))
        return np.repeat(last[:, None], horizon, axis=1)
