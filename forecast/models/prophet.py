"""Prophet with its fast settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.panel import FloatArray, Window

SEASONS = 4
CHANGEPOINTS = 25


@register
@dataclass(frozen=True)
class Prophet:
    """Piecewise linear trend of log1p with a yearly Fourier season, fitted by LBFGS.

    Assumes changes of trend at a few dates; good for long monthly series with holes (Taylor and Letham
    2018, *The American Statistician* 72, 37-45). Few seasonal terms, LBFGS and no sampling keep a fit short.
    """

    name: ClassVar[str] = "prophet"
    capability: ClassVar[Capability] = Capability(min_history=6, handles_missing=True, slow=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        for chatty in map(logging.getLogger, ("cmdstanpy", "prophet")):
            if not chatty.handlers:
                chatty.addHandler(logging.NullHandler())
        from prophet import Prophet as Fitter

        y = np.log1p(window.values[0])
        known = int(np.isfinite(y).sum())
        model = Fitter(
            yearly_seasonality=SEASONS if has_season(y, window.period) else False,
            weekly_seasonality=False,
            daily_seasonality=False,
            n_changepoints=min(CHANGEPOINTS, max(known // 2 - 1, 0)),
            uncertainty_samples=0,
        )
        model.fit(pd.DataFrame({"ds": window.dates, "y": y}), algorithm="LBFGS")
        ahead = pd.date_range(window.dates[-1], periods=horizon + 1, freq=window.dates.freq)[1:]
        points = model.predict(pd.DataFrame({"ds": ahead}))["yhat"].to_numpy(dtype=float)
        return not_below_zero(np.expm1(points))[None, :]
