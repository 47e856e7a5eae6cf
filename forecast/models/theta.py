"""Theta, as statsmodels fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.panel import FloatArray, Window


@register
@dataclass(frozen=True)
class Theta:
    """Half a linear trend plus simple exponential smoothing, seasonally adjusted when two years are known.

    Good for monthly counts with a slow trend; for short annual growth it lags behind (Assimakopoulos and
    Nikolopoulos 2000, *International Journal of Forecasting* 16, 521-530; statsmodels `ThetaModel`).
    """

    name: ClassVar[str] = "theta"
    capability: ClassVar[Capability] = Capability(min_history=4)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        from statsmodels.tsa.forecasting.theta import ThetaModel

        y = window.values[0]
        seasonal = has_season(y, window.period)
        fitted = ThetaModel(y, period=window.period, deseasonalize=seasonal, method="auto").fit()
        return not_below_zero(fitted.forecast(horizon))[None, :]
