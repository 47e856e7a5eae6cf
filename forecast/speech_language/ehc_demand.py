"""What EHC demand brings to a speech and language service: advice to assessments, and children whose plans name it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.calendar import working_days
from forecast.ehc.measures import CATEGORIES
from forecast.ehc.outputs import Projection
from forecast.errors import SpecError
from forecast.panel import FloatArray
from forecast.speech_language.norm_kinds import NEEDS
from forecast.speech_language.norms import Norms

MONTHS_A_YEAR = 12


@dataclass(frozen=True, eq=False)
class EhcDemand:
    """Work that comes from EHC assessments and plans.

    Attributes
    ----------
    advice : ndarray (M, P)
        Advice requests in the month: assessments agreed, times the share that asks the service.
    plans : ndarray (M, P)
        Children at the end of the month whose plan names speech and language provision.
    notes : tuple of str
    """

    advice: FloatArray
    plans: FloatArray
    notes: tuple[str, ...]

    def contacts(self, norms: Norms) -> FloatArray:
        """Contacts of the children with such a plan in each month (M, P)."""
        return self.plans * norms.number("plan_contacts_a_year") / MONTHS_A_YEAR


def ehc_demand(projection: Projection, *, months: pd.DatetimeIndex, norms: Norms) -> EhcDemand:
    """Read advice requests and plans with provision off a projection from request to plan.

    Parameters
    ----------
    projection : Projection
        Of the area the service works in; as many paths as the projection of the service.
    months : DatetimeIndex (M,)
        First days.
    norms : Norms
        With those of EHC demand.

    Returns
    -------
    EhcDemand

    Raises
    ------
    SpecError
        The projection ends before the months do, or begins after them and the figures before it are not published.

    Notes
    -----
    Assessments are projected from January of the first year without published figures; before it the published number
    of its year is spread over the working days of the months. The caseload by need is known each January: between
    two it is taken to change evenly, before the first to be as it was then.
    """
    if "advice_share" not in norms.each:
        raise SpecError(
            "EHC demand: the norms about it (advice_share and others) are not given. Give them, with ehc=True, or "
            "leave EHC demand out."
        )
    last = pd.Timestamp(year=projection.until, month=MONTHS_A_YEAR, day=1)
    if months[-1] > last:
        raise SpecError(
            f"EHC demand of {projection.area.name}: projected to {last:%B %Y}, the service to {months[-1]:%B %Y}. "
            "Project EHC demand further, or the service less far."
        )
    agreed = np.stack([_agreed(projection, month) for month in months])
    with_plan = _plans(projection, months, norms)
    return EhcDemand(agreed * norms.number("advice_share"), with_plan, tuple(_notes(projection, months)))


def _agreed(projection: Projection, month: pd.Timestamp) -> FloatArray:
    """Assessments agreed in a month (P,)."""
    paths = projection.paths["month:agreed"]
    at = (month.year - projection.last_flow - 1) * MONTHS_A_YEAR + month.month - 1
    if at >= 0:
        return paths[:, at]
    history = projection.history
    known = history[history["measure"].eq("agreed") & history["by"].eq("") & history["year"].eq(month.year)]["y"]
    if known.empty:
        raise SpecError(
            f"EHC demand of {projection.area.name}: decisions to assess in {month.year} are not published, and the "
            f"projection begins in {projection.last_flow + 1}. Start the service's projection later."
        )
    days = working_days(pd.date_range(f"{month.year}-01-01", periods=MONTHS_A_YEAR, freq="MS"))
    return np.full(len(paths), float(known.iloc[0]) * days[month.month - 1] / days.sum())


def _plans(projection: Projection, months: pd.DatetimeIndex, norms: Norms) -> FloatArray:
    """Children with provision at the end of each month (M, P): the caseload by need, between Januaries evenly."""
    share = norms.by_need("plan_share")
    columns = [CATEGORIES["caseload/need"].index(need) for need in NEEDS]
    stock = projection.paths["caseload/need"][:, :, columns] @ np.array([share[need] for need in NEEDS])
    ends = np.asarray((months.year - projection.last_flow - 1) * MONTHS_A_YEAR + months.month, dtype=np.float64)
    place = np.clip(ends / MONTHS_A_YEAR, 0, stock.shape[1] - 1)
    before = np.minimum(place.astype(np.int64), stock.shape[1] - 2)
    return np.asarray((stock[:, before] + (stock[:, before + 1] - stock[:, before]) * (place - before)).T)


def _notes(projection: Projection, months: pd.DatetimeIndex) -> Iterator[str]:
    yield (
        f"EHC demand is that of children who live in {projection.area.name}, from birth to 25; the service is for "
        "those registered with its GPs, often to 16 or 19. Its children and those of the area are not the same."
    )
    yield "Plans by need are modelled from the shares of the region by age, not counted in the area."
    if months[0].year <= projection.last_flow:
        yield (
            f"Assessments agreed before January {projection.last_flow + 1} are the published figure of the year, "
            "spread over its working days."
        )
