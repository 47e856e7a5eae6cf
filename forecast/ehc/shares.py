"""How requests split over ages, and the caseload over needs, placements and causes of ceasing.

Published where an area publishes them, pooled with its region where its own counts are few; need is published for
regions only, so an area's need is *modelled*: its region's need at each age, at the area's ages. Needs and placements
therefore change over the years through the ages of the caseload alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from forecast.ehc import ages
from forecast.ehc.figures import Figures
from forecast.ehc.stock import STOCK_LABELS
from forecast.errors import InputError
from forecast.panel import FloatArray, Names

NEEDS = ("asd", "slcn", "semh", "mld", "sld", "pmld", "spld", "pd", "hi", "vi", "msi", "oth", "unknown")
"""Primary needs; Down syndrome is counted under "oth"."""
PLACEMENTS = (
    "mainstream",
    "special",
    "alternative_provision",
    "further_education",
    "elsewhere",
    "early_years",
    "unknown",
)
CAUSES = (
    "max_age",
    "needs_met",
    "higher_education",
    "employment",
    "moved_la",
    "no_longer_engages",
    "left_england",
    "deceased",
    "other",
    "not_recorded",
)
REQUEST_PRIOR = 400.0
"""Requests' worth of the region's ages, and of the nation's for a region; ages of new plans of 2022 told best those of
2023 with 300 to 500."""
AGE_PRIOR = 50.0
"""Plans' worth, at each age, of the region's placements and causes, and of the nation's for a region."""


@dataclass(frozen=True, eq=False)
class AreaShares:
    """Shares of one area; every row sums to 1.

    Attributes
    ----------
    requests : ndarray (19,)
        Over `ages.REQUEST_AGES`.
    need : ndarray (26, 13)
        Over `NEEDS`, at each age of the stock. Modelled.
    placement : ndarray (26, 7)
        Over `PLACEMENTS`.
    cause : ndarray (26, 10)
        Over `CAUSES`, by age in the January before the plan ceased. Modelled.
    notes : tuple of str
        What is modelled or filled in.
    """

    requests: FloatArray
    need: FloatArray
    placement: FloatArray
    cause: FloatArray
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of every area: `of`. Build it with `fitted_shares`."""

    figures: Figures

    def of(self, code: str) -> AreaShares:
        """Return the shares of an area."""
        row = self.figures.row(code)
        region = self.figures.areas[row].region_code
        near = self._regions == region
        notes = ["Need by age is modelled: that of the region an authority is in, at its own ages."]
        if not self._requests[row].sum() > 0:
            notes.append("Requests by age are not published: the ages are those of its region.")
        if not self._placements[row].sum() > 0:
            notes.append("Placement by age is not published: that of its region was used.")
        requests, placements, causes = self._requests, self._placements, self._causes
        cause = _leaning(causes[row], causes[near].sum(axis=0), causes.sum(axis=0), worth=AGE_PRIOR)
        cause[-1] = np.eye(len(CAUSES))[CAUSES.index("max_age")]
        return AreaShares(
            requests=_leaning(requests[row], requests[near].sum(axis=0), requests.sum(axis=0), worth=REQUEST_PRIOR),
            need=self._needs[region],
            placement=_on_singles(
                _leaning(placements[row], placements[near].sum(axis=0), placements.sum(axis=0), worth=AGE_PRIOR)
            ),
            cause=cause,
            notes=tuple(notes),
        )

    @cached_property
    def _needs(self) -> dict[str, FloatArray]:
        """Need by age (26, 13) of each region."""
        rows = _rows_of(self.figures, "need_share", STOCK_LABELS)
        rows = rows[rows["need"].ne("") & rows["placement"].eq("")]
        england = rows[rows["geographic_level"].eq("national")]
        nation = _table(england, "need", STOCK_LABELS, NEEDS)
        nation /= nation.sum(axis=1, keepdims=True)
        found = {}
        for region in np.unique(self._regions):
            plans = self._placements[self._regions == region].sum(axis=(0, 2))
            percent = _table(rows[rows["area_code"].eq(region)], "need", STOCK_LABELS, NEEDS)
            found[str(region)] = _on_singles(_pooled(percent / 100 * plans[:, None], nation, AGE_PRIOR))
        return found

    @cached_property
    def _regions(self) -> Names:
        return np.array([area.region_code for area in self.figures.areas])

    @cached_property
    def _requests(self) -> FloatArray:
        """Requests by age (areas, 19); 0 where not published, which leaves it to the region."""
        table = self.figures.by_age("requests").reindex(columns=list(ages.REQUEST_AGES))
        return np.asarray(table.fillna(0.0).to_numpy(dtype=float))

    @cached_property
    def _placements(self) -> FloatArray:
        """Plans by age and placement (areas, 24, 7)."""
        return self._each("caseload", "placement", STOCK_LABELS, PLACEMENTS)

    @cached_property
    def _causes(self) -> FloatArray:
        """Ceased plans by opening age and cause (areas, 26, 10)."""
        events = self._each("ceased", "cause", ages.REQUEST_AGES, CAUSES)
        to_event = ages.stock_to_event()
        leavers = ages.unfolded(events.sum(axis=(0, 2)), to_event)
        return np.asarray(ages.conversion(profile=leavers, likelihood=to_event)[:, 1:].T @ events)

    def _each(self, measure: str, dimension: str, labels: Sequence[str], categories: Sequence[str]) -> FloatArray:
        rows = _rows_of(self.figures, measure, labels)
        rows = rows[rows[dimension].ne("") & rows["geographic_level"].eq("local_authority")]
        wide = rows.pivot(index="area_code", columns=["age", dimension], values="y")
        columns = pd.MultiIndex.from_product([labels, categories])
        counts = wide.reindex(index=list(self.figures.codes), columns=columns).fillna(0.0).to_numpy(dtype=float)
        return np.asarray(counts.reshape(len(counts), len(labels), len(categories)))


def fitted_shares(figures: Figures) -> Shares:
    """Prepare the shares of all areas.

    Raises
    ------
    InputError
        If no requests by age are known (first published for 2023).
    """
    if _rows_of(figures, "requests", ages.REQUEST_AGES).empty:
        raise InputError(
            f"requests by age, {figures.last_flow}: not known; the split over ages needs them (first published for "
            "2023, known from mid-2024). Choose a later as-of date."
        )
    return Shares(figures)


def by_share(values: FloatArray, shares: FloatArray) -> FloatArray:
    """Split counts by age (..., 26) over k categories (..., k); sums stay.

    Parameters
    ----------
    values : ndarray (..., 26)
    shares : ndarray (26, k)
        Rows sum to 1.
    """
    return np.asarray(values @ shares)


def _rows_of(figures: Figures, measure: str, labels: Sequence[str]) -> pd.DataFrame:
    """Rows of a measure by age, of the latest year that has those ages."""
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq(measure) & rows["age"].isin(labels)]
    return rows[rows["ds"].eq(rows.loc[rows["age"].eq("3"), "ds"].max())]


def _table(rows: pd.DataFrame, dimension: str, labels: Sequence[str], categories: Sequence[str]) -> FloatArray:
    """Figures of one area (labels, categories); 0 where there are none."""
    wide = rows.pivot(index="age", columns=dimension, values="y").reindex(index=list(labels), columns=list(categories))
    return np.array(wide.fillna(0.0).to_numpy(dtype=float))


def _leaning(own: FloatArray, region: FloatArray, nation: FloatArray, *, worth: float) -> FloatArray:
    """Return shares of an area's counts, leaning on its region's, which lean on the nation's."""
    return _pooled(own, _pooled(region, nation / nation.sum(axis=-1, keepdims=True), worth), worth)


def _pooled(counts: FloatArray, prior: FloatArray, worth: float) -> FloatArray:
    """Return shares along the last axis: counts, and a prior worth so many of them."""
    total = counts.sum(axis=-1, keepdims=True)
    return np.asarray((counts + worth * prior) / (total + worth))


def _on_singles(values: FloatArray) -> FloatArray:
    """Repeat the row of "under 3" for 0, 1 and 2."""
    return np.concatenate([np.repeat(values[:1], 2, axis=0), values])
