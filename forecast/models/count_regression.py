"""Regression of counts, as statsmodels fits it: rate ratios that people can read."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Any, ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import has_season, not_below_zero
from forecast.models.known import Known, ratio_in_words, ratios_in_words, read_known
from forecast.panel import FloatArray, Window

HARMONICS = 2
ROUNDS = 3
LEAST_SPREAD = 1e-6
MOST_SPREAD = 1e3
HALF_LIFE = 2.0
DAMPING = 0.9
MAX_YEAR_GROWTH = log(1.5)
MOST_CORRELATION = 0.9
LEVEL, TREND = 0, 1


@register
@dataclass(frozen=True)
class CountRegression:
    """Log-linear regression on time, two harmonics of the year and known changes; Poisson, or negative binomial.

    Assumes that rates grow steadily and that effects multiply them; with a column named exposure or
    population the rate is one per head of it. Good for counts of any size, many zeros included, and for saying
    what a dated change did: the ledger gives rate ratios. Their errors allow for counts more spread than
    Poisson (by moments) and for neighbouring figures that are alike. The forecast keeps season and
    effects, but level and growth come from recent figures, which lose half their weight in two years, and
    growth fades by a tenth a year (McCullagh and Nelder 1989, *Generalized Linear Models*; Breslow 1984,
    *Applied Statistics* 33, 38-44; statsmodels `GLM`).
    """

    name: ClassVar[str] = "count_regression"
    capability: ClassVar[Capability] = Capability(min_history=4, handles_missing=True, uses_regressors=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (1, horizon), not below zero."""
        return self.explained(window, horizon)[0]

    def explained(self, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
        """Return points (1, horizon) and, in words, the rate ratio of a year and of each intervention."""
        known = read_known(window, horizon, least=self.capability.min_history)
        if np.nanmax(known.y) == 0:
            return np.zeros((1, horizon)), [ratios_in_words("rate ratios", [], known.notes)]
        design, offset = _design(known, horizon, window.period), _offset(known, horizon)
        seen = np.flatnonzero(np.isfinite(known.y))
        fitted, family = _fit(known.y[seen], design[seen], offset[seen])
        fixed = offset + design[:, TREND + 1 :] @ fitted.params[TREND + 1 :]
        level, growth = _recent(known.y[seen], design[seen], fixed[seen], family)
        fading = DAMPING ** (np.arange(1, horizon + 1) / window.period)
        ahead = level + growth * fading.cumsum() / window.period + fixed[len(known.y) :]
        return not_below_zero(np.exp(ahead))[None, :], [_told(fitted, known)]


def _design(known: Known, horizon: int, period: int) -> FloatArray:
    """Columns of level, years since the origin, regressors and harmonics (T + horizon, k)."""
    length = len(known.y)
    time = np.arange(length + horizon) - (length - 1.0)
    columns = [np.ones(len(time)), time / period, *np.concatenate([known.past, known.future]).T]
    seen = int(np.isfinite(known.y).sum())
    if has_season(known.y, period) and seen > len(columns) + 2 * HARMONICS + 1:
        angle = 2 * np.pi * time / period
        for k in range(1, HARMONICS + 1):
            columns.append(np.cos(k * angle))
            if 2 * k < period:
                columns.append(np.sin(k * angle))
    return np.column_stack(columns)


def _offset(known: Known, horizon: int) -> FloatArray:
    return np.zeros(len(known.y) + horizon) if known.exposure is None else np.log(known.exposure)


def _fit(y: FloatArray, design: FloatArray, offset: FloatArray) -> tuple[Any, Any]:
    """Fit by Poisson; where counts spread more, by negative binomial with the Pearson chi-square it should have."""
    from statsmodels.genmod.families import NegativeBinomial, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    family: Any = Poisson()
    fitted = GLM(y, design, family=family, offset=offset).fit()
    for _ in range(ROUNDS):
        spread = _spread(y, fitted.mu, len(y) - design.shape[1])
        if spread < LEAST_SPREAD:
            break
        family = NegativeBinomial(alpha=spread)
        fitted = GLM(y, design, family=family, offset=offset).fit()
    return fitted, family


def _spread(y: FloatArray, mean: FloatArray, freedom: int) -> float:
    """Return alpha of variance = mean + alpha mean^2 that gives a Pearson chi-square of its degrees of freedom."""
    from scipy.optimize import brentq

    mean = np.maximum(mean, np.finfo(float).tiny ** 0.5)

    def excess(alpha: float) -> float:
        return float(((y - mean) ** 2 / (mean + alpha * mean**2)).sum()) - max(freedom, 1)

    if excess(0.0) <= 0:
        return 0.0
    return MOST_SPREAD if excess(MOST_SPREAD) > 0 else float(brentq(excess, 0.0, MOST_SPREAD))


def _recent(y: FloatArray, design: FloatArray, fixed: FloatArray, family: Any) -> tuple[float, float]:
    """Level at the origin and growth a year, limited, of figures that lose half their weight every two years."""
    from statsmodels.genmod.generalized_linear_model import GLM

    weights = 0.5 ** (-design[:, TREND] / HALF_LIFE)
    fitted = GLM(y, design[:, [LEVEL, TREND]], family=family, offset=fixed, freq_weights=weights).fit()
    level, growth = fitted.params
    return float(level), float(np.clip(growth, -MAX_YEAR_GROWTH, MAX_YEAR_GROWTH))


def _told(fitted: Any, known: Known) -> str:
    """Put the trend and the regressors in words, errors widened for residuals that follow each other."""
    residual = fitted.resid_pearson
    size = float((residual**2).sum())
    alike = float((residual[1:] * residual[:-1]).sum()) / size if size > 0 else 0.0
    alike = min(max(alike, 0.0), MOST_CORRELATION)
    error = fitted.bse * np.sqrt((1 + alike) / (1 - alike))
    names = ("a year", *known.names)
    parts = [ratio_in_words(name, fitted.params[TREND + j], error[TREND + j]) for j, name in enumerate(names)]
    return ratios_in_words("rate ratios", parts, known.notes)
