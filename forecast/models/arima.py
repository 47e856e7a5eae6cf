"""ARIMA, as statsmodels fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.panel import FloatArray, Window

ORDERS = ((0, 1, 0), (1, 1, 0), (0, 1, 1))


@register
@dataclass(frozen=True)
class Arima:
    """Once-differenced ARMA with drift on log1p, order chosen by AICc; seasonal (0,1,1) when there is a season.

    Assumes that growth is stationary around a constant rate; good when one area's history is long enough to
    show it (Box and Jenkins 1970; statsmodels `ARIMA`). One difference keeps AICc comparable over orders.
    """

    name: ClassVar[str] = "arima"
    capability: ClassVar[Capability] = Capability(min_history=6, slow=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        from statsmodels.tsa.arima.model import ARIMA

        y = np.log1p(window.values[0])
        season = has_season(y, window.period)
        seasonal, trend = ((0, 1, 1, window.period), "n") if season else ((0, 0, 0, 0), "t")
        fits = [ARIMA(y, order=order, seasonal_order=seasonal, trend=trend).fit(cov_type="none") for order in ORDERS]
        best = min(fits, key=lambda fit: fit.aicc if np.isfinite(fit.aicc) else np.inf)
        return not_below_zero(np.expm1(best.forecast(horizon)))[None, :]
