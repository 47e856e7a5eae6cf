"""What is compared on the local authorities: rules of thumb, models of one area, models of all areas, ceilings.

All run through `study_panel`, so that origins and intervals are alike: the width of an interval comes from a
method's own errors at earlier origins, whatever the package it is from says itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import ClassVar, cast

import numpy as np

from forecast.models.base import Capability, Model
from forecast.models.history import last_observed, take
from forecast.models.specs import ModelSpec
from forecast.panel import FloatArray, Panel, Window

PEERS = ("AutoETS", "AutoARIMA", "AutoTheta")
PEER_PACKAGE = "statsforecast"
EXTRA = 'pip install "send-forecast[bench]"'
ALONE = ("theta", "ets", "arima", "prophet")
AUTO, EHC = "auto", "ehc"
TRUTH, TRUTH_ALONE = "ehc, true total", "true total, no area part"
CEILINGS = (TRUTH, TRUTH_ALONE)
HALF_COUNT = 0.5


def national_growths(values: FloatArray) -> FloatArray:
    """Log growth of the nation from year to year, each over the areas known in both (T-1,)."""
    before, after = values[:, :-1], values[:, 1:]
    both = np.isfinite(before) & np.isfinite(after)
    total = np.where(both, after, 0.0).sum(axis=0), np.where(both, before, 0.0).sum(axis=0)
    return np.asarray(np.log(total[0] / total[1]), dtype=np.float64)


def national_last(values: FloatArray, horizon: int, *, share: float = 1.0) -> FloatArray:
    """Each area grows as the nation last did, or by a share of it (n, horizon)."""
    return _grown(values, share * national_growths(values)[-1:], horizon)


def national_mean(values: FloatArray, horizon: int, *, years: int | None = None) -> FloatArray:
    """Each area grows as the nation did on average, over the last years or over all there are (n, horizon)."""
    return _grown(values, national_growths(values)[-(years or 0) :].mean(keepdims=True), horizon)


def half_own_half_national(values: FloatArray, horizon: int) -> FloatArray:
    """Each area grows half as it last did itself and half as the nation did (n, horizon)."""
    national = national_growths(values)[-1]
    own = np.diff(np.log(np.maximum(values[:, -2:], HALF_COUNT)), axis=1)[:, 0]
    return _grown(values, 0.5 * np.where(np.isfinite(own), own, national) + 0.5 * national, horizon)


def _grown(values: FloatArray, rate: FloatArray, horizon: int) -> FloatArray:
    level = take(values, last_observed(values))
    return np.asarray(level[:, None] * np.exp(rate[:, None] * np.arange(1, horizon + 1)), dtype=np.float64)


@dataclass(frozen=True)
class Rule:
    """A rule of thumb in the shape of a model, so that it runs through the same origins and intervals."""

    name: str
    points: Callable[[FloatArray, int], FloatArray]
    capability: ClassVar[Capability] = Capability(min_history=2, handles_missing=True, batch=True, pooled=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon)."""
        return self.points(window.values, horizon)


RULES = (
    Rule("national last growth", national_last),
    Rule("half own, half national growth", half_own_half_national),
    Rule("0.5 of national last growth", partial(national_last, share=0.5)),
    Rule("0.7 of national last growth", partial(national_last, share=0.7)),
    Rule("national 3-year mean growth", partial(national_mean, years=3)),
    Rule("national mean of all growths", national_mean),
)
FIXED = ("naive", "drift", *(rule.name for rule in RULES), *PEERS, *ALONE)
ORDER = (*FIXED, "area_growth", AUTO, EHC, *CEILINGS)


@dataclass(frozen=True)
class Peer:
    """A model of statsforecast for one annual series; naive where it cannot fit it, as its users would have it.

    Attributes
    ----------
    name : str
        The class in `statsforecast.models`.
    """

    name: str
    capability: ClassVar[Capability] = Capability(min_history=2, slow=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon)."""
        import statsforecast.models as fitters

        points = np.repeat(window.values[:, -1:], horizon, axis=1)
        for row, y in enumerate(window.values):
            try:
                mean = np.asarray(getattr(fitters, self.name)(season_length=1).forecast(y, horizon)["mean"])
            except Exception:  # noqa: S112 - the package's own fallback on any failure
                continue
            if np.isfinite(mean).all():
                points[row] = mean
        return points


def generic_methods() -> dict[str, ModelSpec]:
    """Rules and models that know nothing but the series themselves, by name."""
    return {
        **{name: name for name in ("naive", "drift")},
        **{rule.name: cast("Model", rule) for rule in RULES},
        **{name: name for name in (*ALONE, "area_growth", AUTO)},
    }


def peer_methods() -> dict[str, ModelSpec]:
    """Models of statsforecast, none when it is not installed."""
    return {name: cast("Model", Peer(name)) for name in PEERS} if find_spec(PEER_PACKAGE) else {}


def demand_methods(panel: Panel, measure: str) -> dict[str, ModelSpec]:
    """`ehc` of a measure, and two ceilings: the same told the true total of the panel, with and without an area part.

    Parameters
    ----------
    panel : Panel
        With the outturn: the ceilings are told its totals.
    measure : {"requests", "caseload"}
    """
    from forecast.ehc.figures import Figures
    from forecast.ehc.growth import CaseloadGrowth
    from forecast.ehc.requests import RequestGrowth

    model = {"requests": RequestGrowth, "caseload": CaseloadGrowth}[measure]
    figures, truth = Figures.bundled(), national_totals(panel)
    return {
        EHC: model(figures),
        TRUTH: model(figures, national_total=truth),
        TRUTH_ALONE: model(figures, national_total=truth, area_part=False),
    }


def national_totals(panel: Panel) -> Mapping[int, float]:
    """Sum of all series of a panel by year."""
    return {int(year): float(total) for year, total in zip(panel.dates.year, panel.values.sum(axis=0), strict=True)}
