"""Structural time series, as statsmodels fits it: level, trend, season and dated interventions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.models.known import Known, ratio_in_words, ratios_in_words, read_known
from forecast.panel import FloatArray, Window

HARMONICS = 2
DIFFUSE = 1e6
YEAR_GROWTH = 0.1
EFFECT = 1.0


@register
@dataclass(frozen=True)
class Structural:
    """Level that wanders, steady growth, two harmonics of the year and known changes, all in log1p.

    Assumes effects that multiply, such as a pandemic that took a third of referrals. Good for gappy series of
    ten and more figures with interventions on known dates, which it tells apart from a wandering level, giving
    their ratios. Growth and effects are estimated from a starting point of none, give or take 0.1 a year and 1
    in logs, so that short series do not run away (Harvey 1989, *Forecasting, Structural Time Series Models and
    the Kalman Filter*; statsmodels `UnobservedComponents`).
    """

    name: ClassVar[str] = "structural"
    capability: ClassVar[Capability] = Capability(min_history=4, handles_missing=True, slow=True, uses_regressors=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        return self.explained(window, horizon)[0]

    def explained(self, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
        """Return points (1, horizon) and, in words, growth a year and the ratio of each intervention."""
        known = read_known(window, horizon, least=self.capability.min_history)
        if np.nanmin(known.y) == np.nanmax(known.y):
            return np.full((1, horizon), np.nanmax(known.y)), [ratios_in_words("ratios", [], known.notes)]
        size = np.ptp(known.past, axis=0)
        model = _model(known, size, window.period)
        fitted = model.fit(disp=False, cov_type="none", warn_convergence=False)
        points = not_below_zero(np.expm1(fitted.forecast(horizon, exog=known.future / size if known.names else None)))
        return points[None, :], [_told(fitted, known, size, window.period)]


def _model(known: Known, size: FloatArray, period: int) -> Any:
    """Lay out the states: level, growth a period, harmonics, and an effect a regressor."""
    from statsmodels.tsa.statespace.initialization import Initialization
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    season = {"freq_seasonal": [{"period": period, "harmonics": HARMONICS}], "stochastic_freq_seasonal": [False]}
    model = UnobservedComponents(
        np.log1p(known.y),
        level="local linear deterministic trend",
        exog=known.past / size if known.names else None,
        mle_regression=False,
        **(season if has_season(known.y, period) else {}),
    )
    variance = np.full(model.k_states, DIFFUSE)
    variance[1] = (YEAR_GROWTH / period) ** 2
    variance[model.k_states - len(known.names) :] = EFFECT**2
    model.ssm.initialize(
        Initialization(model.k_states, "known", constant=np.zeros(model.k_states), stationary_cov=np.diag(variance))
    )
    return model


def _told(fitted: Any, known: Known, size: FloatArray, period: int) -> str:
    state, error = fitted.filtered_state[:, -1], np.sqrt(np.diagonal(fitted.filtered_state_cov[:, :, -1]))
    first = len(state) - len(known.names)
    parts = [ratio_in_words("a year", period * state[1], period * error[1])]
    for j, name in enumerate(known.names):
        parts.append(ratio_in_words(name, state[first + j] / size[j], error[first + j] / size[j]))
    return ratios_in_words("ratios", parts, known.notes)
