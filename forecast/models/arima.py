"""ARIMA, as statsmodels fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.models.known import ratios_in_words, read_known
from forecast.panel import FloatArray, Window

ORDERS = ((0, 1, 0), (1, 1, 0), (0, 1, 1))


@register
@dataclass(frozen=True)
class Arima:
    """Once-differenced ARMA with drift on log1p, order chosen by AICc; seasonal (0,1,1) when there is a season.

    Assumes that growth is stationary around a constant rate; good when one area's history is long enough to
    show it (Box and Jenkins 1970; statsmodels `ARIMA`). One difference keeps AICc comparable over orders.
    Columns known ahead are regressors on the log scale, fitted by innovations where no figure is missing, which is
    many times faster.
    """

    name: ClassVar[str] = "arima"
    capability: ClassVar[Capability] = Capability(min_history=6, slow=True, uses_regressors=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        return self.explained(window, horizon)[0]

    def explained(self, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
        """Return points (1, horizon) and, in words, what was done with regressors that are not used."""
        from statsmodels.tsa.arima.model import ARIMA

        known = read_known(window, horizon, least=self.capability.min_history)
        y = np.log1p(known.y)
        past, future = (known.past, known.future) if known.names else (None, None)
        method = "innovations_mle" if known.names and np.isfinite(y).all() else "statespace"
        season = has_season(y, window.period)
        seasonal, trend = ((0, 1, 1, window.period), "n") if season else ((0, 0, 0, 0), "t")
        fits = [
            ARIMA(y, exog=past, order=order, seasonal_order=seasonal, trend=trend).fit(method=method, cov_type="none")
            for order in ORDERS
        ]
        best = min(fits, key=lambda fit: fit.aicc if np.isfinite(fit.aicc) else np.inf)
        points = not_below_zero(np.expm1(best.forecast(horizon, exog=future)))
        return points[None, :], [ratios_in_words("ratios", [], known.notes)]
