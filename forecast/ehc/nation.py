"""What all authorities share: joint paths of requests and caseload, and what is learnt from all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pandas as pd

from forecast.ehc.assumptions import Assumptions
from forecast.ehc.figures import Figures
from forecast.ehc.growth import CaseloadGrowth
from forecast.ehc.hazards import CohortRates, fitted_cohort
from forecast.ehc.requests import RequestGrowth
from forecast.ehc.shares import Shares, fitted_shares
from forecast.errors import SpecError
from forecast.forecasting import forecast_panel
from forecast.intervals import Draws
from forecast.models.base import Model
from forecast.panel import FloatArray, Panel

LATEST = 2040
MOST_TIMES = 5.0
"""What a path may come to, against the middle one: the errors of tiny authorities, or of those with faulty figures,
have long tails. From 2016 to 2023 no authority's requests outgrew the nation's by more than 3.2 times."""


@dataclass(frozen=True, eq=False)
class Nation:
    """What all areas share: joint paths of requests and caseload, and what is learnt from all of them.

    Attributes
    ----------
    figures : Figures
    until : int
        Last calendar year of flows.
    seed, n_paths : int
    requests : ndarray (areas, n_paths, years)
        Path k of every area belongs to one future.
    caseload : ndarray (areas, n_paths, years)
        The caseload of the Januaries after, forecast as a whole.
    cohort : CohortRates
    shares : Shares
    """

    figures: Figures
    until: int
    seed: int
    n_paths: int
    requests: FloatArray
    caseload: FloatArray
    cohort: CohortRates
    shares: Shares


def prepared(figures: Figures, *, until: int, assumptions: Assumptions, n_paths: int, seed: int) -> Nation:
    """Forecast requests and caseload of all areas together, and learn what areas share.

    Parameters
    ----------
    figures : Figures
    until : int
    assumptions : Assumptions
        Its rules for the nation are used here; overrides are not.
    n_paths, seed : int
    """
    years = until - figures.last_flow
    if not figures.last_flow < until <= LATEST:
        raise SpecError(
            f"until {until}: the figures end in {figures.last_flow} and projections in {LATEST}. Give a year between."
        )
    requests = RequestGrowth(figures, national_rule=assumptions.requests_rule, interventions=assumptions.interventions)
    caseload = CaseloadGrowth(figures, national_rule=assumptions.caseload_rule)
    return Nation(
        figures=figures,
        until=until,
        seed=seed,
        n_paths=n_paths,
        requests=_joint_paths(figures, "requests", requests, years, n_paths=n_paths, seed=seed),
        caseload=_joint_paths(figures, "caseload", caseload, years, n_paths=n_paths, seed=seed),
        cohort=fitted_cohort(figures),
        shares=fitted_shares(figures),
    )


def _joint_paths(figures: Figures, measure: str, model: Model, years: int, *, n_paths: int, seed: int) -> FloatArray:
    """Paths of a measure (areas, n_paths, years); an area without figures of its own follows its region."""
    table = figures.of(measure)
    long = table.melt(ignore_index=False, var_name="year", value_name="y").reset_index().dropna(subset="y")
    panel = Panel.from_frame(
        pd.DataFrame(
            {
                "unique_id": measure + "/" + long["area_code"],
                "ds": pd.to_datetime(long["year"].astype(str) + "-01-01"),
                "y": long["y"],
            }
        ),
        freq="YS",
        groups=(),
    )
    made = forecast_panel(panel, horizon=years, model=model, n_paths=n_paths, seed=seed, max_gap=table.shape[1])
    codes = tuple(unique_id.split("/")[1] for unique_id in made.ids)
    # Drawn by the area's name alone, its requests and its caseload meet the same surprises on each path: a future with
    # many requests is one with many plans. Errors of the cohort they feed and of the caseload forecast as a whole
    # correlated by 0.8 to 0.93 at past origins (experiments.ehc_hindcast): drawn apart, their mean would be too sure.
    draws = replace(cast("Draws", made.source), ids=codes)
    paths = draws.draw(np.arange(len(codes))).transpose(0, 2, 1)
    found = np.full((len(figures.areas), n_paths, years), np.nan)
    found[[figures.row(code) for code in codes]] = np.minimum(
        paths, MOST_TIMES * (np.median(paths, axis=1, keepdims=True) + 1)
    )
    missing = np.flatnonzero(np.isnan(found[:, 0, 0]))
    regions = np.array([area.region_code for area in figures.areas])
    plans = np.array([figures.last("caseload", code) for code in figures.codes])
    for row in missing:
        mates = np.flatnonzero((regions == regions[row]) & ~np.isin(np.arange(len(regions)), missing) & (plans > 0))
        found[row] = found[mates].sum(axis=0) * (np.nan_to_num(plans[row]) / plans[mates].sum())
    return found
