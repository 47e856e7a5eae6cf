"""What every option starts from: the list as it is, referrals to come, the weeks, and the first contacts there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.cells import NO_LIST, Cells
from forecast.speech_language.clinics import Booking
from forecast.speech_language.ehc_demand import EhcDemand
from forecast.speech_language.fit import ListFit
from forecast.speech_language.service import CapacityStep, Service
from forecast.speech_language.staff import staff_by_month
from forecast.speech_language.treatment import steady_opening
from forecast.speech_language.weeks import MonthWeeks
from forecast.speech_language.workforce import contacts_of_posts, pathway_hours


@dataclass(frozen=True, eq=False, kw_only=True)
class Start:
    """What every option starts from.

    Attributes
    ----------
    service : Service
    cells : Cells
    calendar : MonthWeeks
    opening : ndarray (C, WEEKS)
        Children waiting by week of wait at the end of the month before the first.
    referrals : ndarray (C, M, P)
        Without any redesign.
    of_cell : ndarray (C,)
        Clinic of each cell; `NO_LIST` where there is no list.
    capacity : ndarray (G, T)
        First contacts a week of each clinic, before noise.
    clinic_share : ndarray (G,)
        Share of the first contacts that each clinic has.
    noise : ndarray (T, P)
    reneging, removal : ndarray (B,)
        A week.
    booking : Booking
    in_treatment : ndarray (C,)
        At the start.
    hours_a_child : ndarray (C,)
        That a child brings once seen, from the first contact to discharge.
    ehc : EhcDemand or None
    """

    service: Service
    cells: Cells
    calendar: MonthWeeks
    opening: FloatArray
    referrals: FloatArray
    of_cell: IntArray
    capacity: FloatArray
    clinic_share: FloatArray
    noise: FloatArray
    reneging: FloatArray
    removal: FloatArray
    booking: Booking
    in_treatment: FloatArray
    hours_a_child: FloatArray
    ehc: EhcDemand | None

    @property
    def months(self) -> pd.DatetimeIndex:
        """First days of the months (M,)."""
        return self.calendar.months

    @property
    def has_list(self) -> IntArray:
        """Positions of the cells with a waiting list."""
        return np.flatnonzero(self.of_cell != NO_LIST)

    @property
    def joined(self) -> FloatArray:
        """Cells of each clinic, as 1 and 0 (G, C)."""
        clinics = np.zeros((len(self.capacity), len(self.of_cell)))
        clinics[self.of_cell[self.has_list], self.has_list] = 1.0
        return clinics

    @property
    def mean_hours(self) -> float:
        """Hours a child on the list brings once seen, mean over those referred."""
        weight = self.referrals[self.has_list].sum(axis=(1, 2))
        return float(np.average(self.hours_a_child[self.has_list], weights=weight))

    def month_of(self, day: object) -> int:
        """Position of the month of a day.

        Raises
        ------
        SpecError
            It is not among the months projected.
        """
        first = pd.Timestamp(str(day)).to_period("M").to_timestamp()
        at = (first.year - self.months[0].year) * 12 + first.month - self.months[0].month
        if not 0 <= at < len(self.months):
            raise SpecError(
                f"{first:%B %Y}: not among the months projected, {self.months[0]:%B %Y} to {self.months[-1]:%B %Y}. "
                "Give a day within them, or project more months."
            )
        return at


def shared_out(total: FloatArray, recent: FloatArray, has_list: IntArray) -> FloatArray:
    """Split the list of a whole service over its cells as referrals are.

    Parameters
    ----------
    total : ndarray (WEEKS,)
        Children waiting.
    recent : ndarray (C,)
        Referrals of each cell in the last months.
    has_list : ndarray of int
        Cells with a waiting list.

    Returns
    -------
    ndarray (C, WEEKS)

    Raises
    ------
    SpecError
        No referrals to a cell with a list.
    """
    weight = recent[has_list]
    if weight.sum() <= 0:
        raise SpecError(
            "referrals: none in the last months for children who have a waiting list. Check seen_at_once and the log."
        )
    opening = np.zeros((len(recent), len(total)))
    opening[has_list] = np.outer(weight / weight.sum(), total)
    return opening


def capacity_by_week(service: Service, fit: ListFit, calendar: MonthWeeks, *, hours_a_child: float) -> FloatArray:
    """Return first contacts of the whole service in each week (T,), before noise: on working days.

    A fitted capacity grows and shrinks with the posts there are; one that is given stands as it is.

    Parameters
    ----------
    service : Service
    fit : ListFit
    calendar : MonthWeeks
    hours_a_child : float
        Mean hours that a child on the list brings once seen.

    Raises
    ------
    SpecError
        No step of a given capacity holds at the start.
    """
    if isinstance(service.capacity, tuple):
        level = _levels(service.capacity, calendar)
    elif isinstance(service.capacity, str):
        posts = staff_by_month(service.staff, calendar.months)
        more = contacts_of_posts(service.norms, posts - posts[0], hours_a_child=hours_a_child)
        level = np.maximum(fit.capacity + more, 0.0)[calendar.weeks.month]
    else:
        level = np.full(len(calendar.mondays), service.capacity)
    return level * calendar.profile


def _levels(steps: Sequence[CapacityStep], calendar: MonthWeeks) -> FloatArray:
    thursdays = calendar.mondays + pd.Timedelta(days=3)
    starts = pd.DatetimeIndex([pd.Timestamp(step.start) for step in steps])
    at = np.searchsorted(starts, thursdays, side="right") - 1
    if at[0] < 0:
        raise SpecError(
            f"capacity: first contacts a week on {thursdays[0]:%Y-%m-%d}, in the first week projected, are not known; "
            f"the first step starts on {starts[0]:%Y-%m-%d}. Give the capacity there is on that day."
        )
    return np.array([step.a_week for step in steps])[at]


def treated_at_start(service: Service, cells: Cells, recent: FloatArray, seen_a_week: FloatArray) -> FloatArray:
    """Return children in treatment at the start (C,): as given by tier, or as many as those seen keep there.

    Parameters
    ----------
    service : Service
    cells : Cells
    recent : ndarray (C,)
        Referrals of each cell in the last months: a figure of a tier is split as they are.
    seen_a_week : ndarray (C,)
        First contacts a week of each cell.

    Raises
    ------
    SpecError
        A tier that is not there, or one without a figure.
    """
    if service.in_treatment is None:
        shares = {name: service.norms.by_cell(name, cells.frame) for name in ("treated_share", "episode_weeks")}
        return steady_opening(seen_a_week, **shares)
    given, tiers = service.in_treatment, cells.values("tier")
    odd = sorted(set(given) ^ set(tiers))
    if odd:
        what = "is not a tier of the referrals" if odd[0] in given else "has no figure"
        raise SpecError(f"in_treatment: {odd[0]!r} {what}; the tiers are {', '.join(tiers)}. Give one figure for each.")
    opening = np.zeros(len(cells))
    for tier, children in given.items():
        inside = cells.inside("tier", [tier])
        weight = recent[inside]
        opening[inside] = children * (weight / weight.sum() if weight.sum() > 0 else 1 / inside.sum())
    return opening


def pathways(service: Service, cells: Cells) -> FloatArray:
    """Return hours that a child brings once seen, from the first contact to discharge (C,)."""
    return pathway_hours(service.norms, cells.frame)
