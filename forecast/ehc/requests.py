"""Requests for assessment: the national path, and each area's return towards it.

An area's requests are a national path times its deviation. The nation's growth is read from few, noisy
years, so the rule for it is a named setting and not a fit; the deviations are learnt from all areas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import ClassVar

import numpy as np
import pandas as pd

from forecast.calendar import Intervention
from forecast.ehc.figures import Figures
from forecast.ehc.pooled import deviation_steps
from forecast.errors import SpecError
from forecast.models.base import Capability
from forecast.models.history import HALF_COUNT, carried_along
from forecast.panel import BoolArray, FloatArray, Window

MEASURE = "requests"
NATIONAL_RULES: Mapping[str, str] = MappingProxyType(
    {
        "reverting": (
            "growth falls back from the last one to the median of all past ones, half the way every year: the growth "
            "of a flow carries on for a while, but one year's jump says little of the years after"
        ),
        "median": "the median of all past growths: the most robust, and deaf to a lasting change",
        "mean": "the mean of all past growths: uses every year, odd ones too",
        "mean_3": "the mean of the last three growths: follows a change, odd years too",
        "last": "the last growth: follows a change at once, and every odd year",
    }
)
NATIONAL_RULE = "reverting"
KEPT = 0.5
TESTED_YEARS = 3
FADE = 0.5
HOLDS = (Intervention("COVID-19", "hold", date(2020, 3, 23), date(2020, 12, 31)),)


@dataclass(frozen=True, eq=False)
class RequestGrowth:
    """National path times the area's return towards the nation; areas sum to the national path.

    *National path.* Growth by `national_rule`, over past years that no intervention disturbs: growth into or
    out of a year on hold, and into one in which a step begins, says nothing of the trend. Few years of requests
    are known and they cannot tell one rule from another, so the default is the one that was best on flows with
    a longer history, new plans and completed assessments. Three years ahead can be tested; after them growth
    halves every year, so that the long run adds at most one year's growth more and requests per pupil do not
    run away. *Deviation.* What sets an area apart is its requests per
    pupil. They return strongly towards the nation's: how far in 1, 2, ... years is one robust regression
    each over all areas and past years (`pooled.deviation_steps`), larger areas counting for more as they
    have less noise. Then areas are scaled to the national path.

    Pupils are the January caseload over the published share of pupils with a plan, on average over the years
    known; where a share is missing the median area's stands in.

    Attributes
    ----------
    figures : Figures
        All areas, which are learnt from and make up the nation; never looked at beyond the window.
    national_rule : str
        A key of `NATIONAL_RULES`.
    national_total : mapping of year to float, optional
        Take this path for the nation's, by its growth since the origin; years it lacks grow by the rule. To
        measure what the area part is worth alone.
    area_part : bool, default True
        False: every area grows as the nation does.
    interventions : sequence of Intervention
        What disturbs the trend; by default COVID-19, which holds 2020.

    Raises
    ------
    SpecError
        An unknown rule.
    """

    figures: Figures
    national_rule: str = NATIONAL_RULE
    national_total: Mapping[int, float] | None = None
    area_part: bool = True
    interventions: Sequence[Intervention] = HOLDS

    name: ClassVar[str] = "ehc"
    capability: ClassVar[Capability] = Capability(min_history=2, handles_missing=True, batch=True, pooled=True)

    def __post_init__(self) -> None:
        if self.national_rule not in NATIONAL_RULES:
            known = ", ".join(NATIONAL_RULES)
            raise SpecError(f"national rule {self.national_rule!r}: the known ones are {known}. Name one of them.")

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon) of the window's areas, in requests a year; NaN for one without any figure.

        Parameters
        ----------
        window : Window
            Annual; ids `requests/<area code>`. An area the figures lack is forecast too, as one without
            known pupils.
        horizon : int
            Years after the window's last.

        Raises
        ------
        SpecError
            The window is not annual, or holds another measure.
        """
        areas = _areas_of(window)
        known = self.figures.until(int(window.dates[-1].year))
        requests = _together(known.of(MEASURE), areas, window)
        if requests.empty:
            return np.full((len(areas), horizon), np.nan)
        last = int(requests.columns[-1])
        silent = int(window.dates[-1].year) - last
        points = self._forecast(requests.to_numpy(dtype=float), pupils(known, requests.index), last, silent + horizon)
        of_area = pd.DataFrame(points[:, silent:], index=requests.index)
        return of_area.reindex(areas).to_numpy(dtype=float)

    def _forecast(self, values: FloatArray, pupils: FloatArray, origin: int, horizon: int) -> FloatArray:
        """Forecast areas of which each has a figure (n, horizon)."""
        filled, growth = carried_along(values)
        logs = np.log(np.maximum(filled, HALF_COUNT))
        areas = np.repeat(filled[:, -1:], horizon, axis=1)
        if self.area_part:
            areas = np.maximum(areas, HALF_COUNT) * np.exp(
                deviation_steps(
                    (logs - np.log(pupils)[:, None])[:, :, None],
                    np.where(np.isfinite(values), logs, np.nan),
                    horizon=horizon,
                    weights=np.sqrt(filled),
                )
            )
        total = filled[:, -1].sum() * np.exp(self._national(growth, origin, horizon))
        scaled: FloatArray = areas * (total / areas.sum(axis=0))
        return scaled

    def _national(self, growth: FloatArray, origin: int, horizon: int) -> FloatArray:
        """Log growth of the nation since the origin, by year ahead (horizon,)."""
        path = national_path(growth, origin, horizon, rule=self.national_rule, interventions=self.interventions)
        if self.national_total is None:
            return path
        if origin not in self.national_total:
            raise SpecError(f"national_total: {origin}, the origin, is missing. Give the total of that year too.")
        steps = np.diff(path, prepend=0.0)
        for i, year in enumerate(range(origin + 1, origin + horizon + 1)):
            if year in self.national_total:
                steps[i] = np.log(self.national_total[year] / self.national_total[origin]) - steps[:i].sum()
        return np.asarray(steps.cumsum(), dtype=np.float64)


def national_path(
    growth: FloatArray, origin: int, horizon: int, *, rule: str, interventions: Sequence[Intervention] = HOLDS
) -> FloatArray:
    """Log growth of a flow's national total since its last figure.

    Parameters
    ----------
    growth : ndarray (T-1,)
        Past log growths, year by year; the last is that into `origin`.
    origin : int
    horizon : int
    rule : str
        A key of `NATIONAL_RULES`.
    interventions : sequence of Intervention
        Growths they disturb are left out, unless none is left.

    Returns
    -------
    ndarray (horizon,)

    Examples
    --------
    >>> national_path(np.array([0.1, 0.1, 0.2]), 2019, 2, rule="reverting").round(3).tolist()
    [0.15, 0.275]
    >>> national_path(np.array([0.1, 0.1, 0.2]), 2019, 6, rule="median").round(3).tolist()
    [0.1, 0.2, 0.3, 0.35, 0.375, 0.388]
    """
    usual = growth[undisturbed(origin - len(growth), origin, interventions)]
    usual = usual if len(usual) else growth
    if not len(usual):
        return np.zeros(horizon)
    ahead = np.arange(1, horizon + 1)
    centre, last = float(np.median(usual)), float(usual[-1])
    if rule == "mean":
        centre = float(usual.mean())
    elif rule == "mean_3":
        centre = float(usual[-3:].mean())
    elif rule == "last":
        centre = last
    rate = centre + (KEPT**ahead * (last - centre) if rule == "reverting" else 0.0)
    path: FloatArray = (rate * FADE ** np.maximum(ahead - TESTED_YEARS, 0)).cumsum()
    return path


def undisturbed(first: int, last: int, interventions: Sequence[Intervention]) -> BoolArray:
    """Say which growths from year to year between two years no intervention disturbs (last - first,)."""
    years = pd.date_range(f"{first}-01-01", f"{last}-01-01", freq="YS")
    kept = np.ones(len(years) - 1, dtype=bool)
    for each in interventions:
        column = each.column(years)
        touched = (column[1:] > 0) | (column[:-1] > 0) if each.kind == "hold" else np.diff(column) != 0
        kept &= ~touched
    return kept


def pupils(figures: Figures, codes: pd.Index) -> FloatArray:
    """Approximate the pupils of areas by what is known: caseload over the share of pupils with a plan.

    Parameters
    ----------
    figures : Figures
    codes : Index
        Area codes.

    Returns
    -------
    ndarray (n,)
        Geometric mean over the Januaries in which both are known; NaN for an area without a caseload.
    """
    caseload, percent = figures.of("caseload"), figures.pupils
    years = caseload.columns.intersection(percent.columns)
    plans = caseload.reindex(index=codes, columns=years).to_numpy(dtype=float)
    with_plan = percent.reindex(index=codes, columns=years)
    share = with_plan.fillna(percent[years].median()).to_numpy(dtype=float)
    usable = (plans > 0) & (share > 0)
    logs = np.log(np.where(usable, 100 * plans / np.where(usable, share, 1.0), 1.0)).sum(axis=1)
    found = usable.sum(axis=1)
    return np.where(found > 0, np.exp(logs / np.maximum(found, 1)), np.nan)


def _areas_of(window: Window) -> list[str]:
    """Area codes of a window's series."""
    if window.period != 1:
        raise SpecError(f"period {window.period}: requests are forecast by year. Give a panel of freq 'YS'.")
    for unique_id in window.ids:
        if not unique_id.startswith(f"{MEASURE}/"):
            raise SpecError(f"series {unique_id!r}: 'ehc' forecasts {MEASURE}. Name series {MEASURE}/<area code>.")
    return [unique_id.removeprefix(f"{MEASURE}/") for unique_id in window.ids]


def _together(known: pd.DataFrame, areas: list[str], window: Window) -> pd.DataFrame:
    """Figures of every area that has one, from the first year to the last (index area code, columns years).

    Where the window has a figure it is the window's.
    """
    own = pd.DataFrame(window.values, index=pd.Index(areas), columns=window.dates.year)
    both = own.combine_first(known)
    both = both.loc[both.notna().any(axis=1), both.notna().any()]
    return both.reindex(columns=range(int(both.columns.min()), int(both.columns.max()) + 1)) if both.size else both
