"""Forecasts of SEND demand: EHC plan requests, plans and speech and language.

The public library is what this module exports; the README shows a script of ten lines.
"""

from forecast import models
from forecast.errors import InputError, ModelError, PublishRefused, SendForecastError, SpecError
from forecast.forecasting import evaluate_panel, forecast_panel
from forecast.panel import Panel
from forecast.paths import Forecast

__version__ = "0.1.0"

__all__ = [
    "Forecast",
    "InputError",
    "ModelError",
    "Panel",
    "PublishRefused",
    "SendForecastError",
    "SpecError",
    "evaluate_panel",
    "forecast_panel",
    "models",
]
