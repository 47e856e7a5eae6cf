"""Prophet with its fast settings."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.models.known import ratios_in_words, read_known
from forecast.panel import FloatArray, Window

SEASONS = 4
CHANGEPOINTS = 25


@register
@dataclass(frozen=True)
class Prophet:
    """Piecewise linear trend of log1p with a yearly Fourier season, fitted by LBFGS.

    Assumes changes of trend at a few dates; good for long monthly series with holes (Taylor and Letham
    2018, *The American Statistician* 72, 37-45). Few seasonal terms, LBFGS and no sampling keep a fit short.
    Columns known ahead are additive regressors on the log scale.
    """

    name: ClassVar[str] = "prophet"
    capability: ClassVar[Capability] = Capability(min_history=6, handles_missing=True, slow=True, uses_regressors=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        return self.explained(window, horizon)[0]

    def explained(self, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
        """Return points (1, horizon) and, in words, what was done with each regressor that is not used."""
        for chatty in map(logging.getLogger, ("cmdstanpy", "prophet")):
            if not chatty.handlers:
                chatty.addHandler(logging.NullHandler())
        from prophet import Prophet as Fitter

        known = read_known(window, horizon, least=self.capability.min_history)
        figures = int(np.isfinite(known.y).sum())
        model = Fitter(
            yearly_seasonality=SEASONS if has_season(known.y, window.period) else False,
            weekly_seasonality=False,
            daily_seasonality=False,
            n_changepoints=min(CHANGEPOINTS, max(figures // 2 - 1, 0)),
            uncertainty_samples=0,
        )
        columns = [f"known{j}" for j in range(len(known.names))]
        for column in columns:
            model.add_regressor(column, mode="additive")
        seen = pd.DataFrame({"ds": window.dates, "y": np.log1p(known.y)})
        model.fit(seen.assign(**dict(zip(columns, known.past.T, strict=True))), algorithm="LBFGS")
        ahead = pd.date_range(window.dates[-1], periods=horizon + 1, freq=window.dates.freq)[1:]
        asked = pd.DataFrame({"ds": ahead}).assign(**dict(zip(columns, known.future.T, strict=True)))
        points = not_below_zero(np.expm1(model.predict(asked)["yhat"].to_numpy(dtype=float)))
        return points[None, :], [ratios_in_words("ratios", [], known.notes)]
