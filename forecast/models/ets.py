"""Exponential smoothing, as statsmodels fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.panel import FloatArray, Window

HEURISTIC_START = 10


@register
@dataclass(frozen=True)
class Ets:
    """Additive smoothing of log1p: level, trend or damped trend, chosen by AICc; a season when there are two cycles.

    Assumes that recent figures say most; good for smooth series of ten and more figures (Hyndman, Koehler,
    Ord and Snyder 2008, *Forecasting with Exponential Smoothing*; statsmodels `ETSModel`).
    """

    name: ClassVar[str] = "ets"
    capability: ClassVar[Capability] = Capability(min_history=5)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        y = np.log1p(window.values[0])
        season = {"seasonal": "add", "seasonal_periods": window.period} if has_season(y, window.period) else {}
        start = "heuristic" if len(y) >= HEURISTIC_START else "estimated"
        fits = [
            ETSModel(y, trend=trend, damped_trend=damped, initialization_method=start, **season).fit(disp=False)
            for trend, damped in ((None, False), ("add", False), ("add", True))
        ]
        best = min(fits, key=lambda fit: fit.aicc if np.isfinite(fit.aicc) else np.inf)
        return not_below_zero(np.expm1(best.forecast(horizon)))[None, :]
