"""From contacts to hours to whole-time therapists (WTE), and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.panel import FloatArray
from forecast.speech_language.norms import Norms

MONTHS_A_YEAR = 12
WEEKS_A_YEAR = 365.25 / 7
WORK = ("first", "treatment", "plans", "advice")


def in_post(established: FloatArray | float, *, vacancy_rate: float) -> FloatArray:
    """Return the WTE in post when a share of established posts is vacant."""
    return np.asarray(established * (1 - vacancy_rate))


def established(in_post: FloatArray | float, *, vacancy_rate: float) -> FloatArray:
    """Return the established posts it takes to have some WTE in post."""
    return np.asarray(in_post / (1 - vacancy_rate))


def wte(hours: FloatArray | float, *, clinical_hours_a_year: float, sickness_rate: float) -> FloatArray:
    """Return the WTE in post that some work takes.

    Parameters
    ----------
    hours : ndarray or float
        Working hours a month.
    clinical_hours_a_year : float
        Hours a WTE has for contacts and their admin in a year, before sickness; every month has a twelfth.
    sickness_rate : float
        Share of them that is lost, 0 to less than 1.

    Returns
    -------
    ndarray
        Of the shape of hours.

    Examples
    --------
    >>> float(wte(1200.0, clinical_hours_a_year=1200.0, sickness_rate=0.04).round(2))
    12.5
    """
    return np.asarray(hours * MONTHS_A_YEAR / (clinical_hours_a_year * (1 - sickness_rate)))


def available_hours(in_post: FloatArray | float, *, clinical_hours_a_year: float, sickness_rate: float) -> FloatArray:
    """Return the working hours a month that some WTE in post have; the reverse of `wte`."""
    return np.asarray(in_post * (clinical_hours_a_year * (1 - sickness_rate)) / MONTHS_A_YEAR)


def pathway_hours(norms: Norms, cells: pd.DataFrame) -> FloatArray:
    """Return the working hours that a child brings once seen, from the first contact to discharge.

    Parameters
    ----------
    norms : Norms
    cells : DataFrame
        tier and age_band, a row a cell.

    Returns
    -------
    ndarray (C,)
        First contact, and for the share who go on to treatment their contacts.
    """
    per_contact = norms.by_cell("contacts_per_episode", cells) * norms.by_cell("contact_hours", cells)
    return norms.by_cell("first_contact_hours", cells) + norms.by_cell("treated_share", cells) * per_contact


def first_contacts_for(
    in_post: FloatArray | float,
    *,
    hours_a_child: FloatArray | float,
    clinical_hours_a_year: float,
    sickness_rate: float,
) -> FloatArray:
    """Return the first contacts a week that some WTE in post can carry, with the treatment that follows.

    What they can carry for good: at the start, when little treatment follows yet, they have hours for more.

    Parameters
    ----------
    in_post : ndarray or float
        WTE.
    hours_a_child : ndarray or float
        Working hours that a child brings once seen, the mean of `pathway_hours` over the children seen.
    clinical_hours_a_year, sickness_rate : float
        As for `wte`.

    Examples
    --------
    >>> each = {"hours_a_child": 10.0, "clinical_hours_a_year": 1200.0, "sickness_rate": 0.0}
    >>> float(first_contacts_for(1.0, **each).round(2))  # 120 children a year
    2.3
    """
    a_month = available_hours(in_post, clinical_hours_a_year=clinical_hours_a_year, sickness_rate=sickness_rate)
    return np.asarray(a_month * MONTHS_A_YEAR / WEEKS_A_YEAR / hours_a_child)


def wte_for(
    first_contacts_a_week: FloatArray | float,
    *,
    hours_a_child: FloatArray | float,
    clinical_hours_a_year: float,
    sickness_rate: float,
) -> FloatArray:
    """Return the WTE in post that some first contacts a week take; the reverse of `first_contacts_for`."""
    a_month = first_contacts_a_week * hours_a_child * WEEKS_A_YEAR / MONTHS_A_YEAR
    return wte(a_month, clinical_hours_a_year=clinical_hours_a_year, sickness_rate=sickness_rate)


def contacts_of_posts(norms: Norms, posts: FloatArray, *, hours_a_child: float) -> FloatArray:
    """Return the first contacts a week that established posts make, with the treatment that follows."""
    return first_contacts_for(
        in_post(posts, vacancy_rate=norms.number("vacancy_rate")),
        hours_a_child=hours_a_child,
        clinical_hours_a_year=norms.number("clinical_hours_a_year"),
        sickness_rate=norms.number("sickness_rate"),
    )


def posts_of_contacts(norms: Norms, a_week: FloatArray, *, hours_a_child: float) -> FloatArray:
    """Return the established posts that first contacts a week take, with the treatment that follows."""
    post = wte_for(
        a_week,
        hours_a_child=hours_a_child,
        clinical_hours_a_year=norms.number("clinical_hours_a_year"),
        sickness_rate=norms.number("sickness_rate"),
    )
    return established(post, vacancy_rate=norms.number("vacancy_rate"))


@dataclass(frozen=True, eq=False, kw_only=True)
class Workload:
    """Working hours a month, by the work they go to.

    Attributes
    ----------
    cells : DataFrame
        locality, age_band and tier, a row a cell.
    first, treatment : ndarray (C, M, P)
        First contacts; treatment contacts.
    advice, plans : ndarray (M, P), optional
        Advice to EHC assessments; contacts for EHC plans. None where EHC demand is not known.
    """

    cells: pd.DataFrame
    first: FloatArray
    treatment: FloatArray
    advice: FloatArray | None = None
    plans: FloatArray | None = None

    @classmethod
    def of(
        cls,
        norms: Norms,
        cells: pd.DataFrame,
        *,
        seen: FloatArray,
        contacts: FloatArray,
        advice_requests: FloatArray | None = None,
        plan_contacts: FloatArray | None = None,
    ) -> Workload:
        """Turn contacts into hours.

        Parameters
        ----------
        norms : Norms
        cells : DataFrame
        seen, contacts : ndarray (C, M, P)
            First contacts and treatment contacts of the month.
        advice_requests, plan_contacts : ndarray (M, P), optional
            Assessments that ask for advice; contacts for plans.
        """

        def hours(figures: FloatArray | None, name: str) -> FloatArray | None:
            return None if figures is None else np.asarray(figures * norms.number(name))

        return cls(
            cells=cells,
            first=seen * norms.by_cell("first_contact_hours", cells)[:, None, None],
            treatment=contacts * norms.by_cell("contact_hours", cells)[:, None, None],
            advice=hours(advice_requests, "advice_hours"),
            plans=hours(plan_contacts, "plan_contact_hours"),
        )

    @property
    def total(self) -> FloatArray:
        """All hours (M, P)."""
        return np.asarray(sum(self.by_work().values()))

    def by_work(self) -> dict[str, FloatArray]:
        """Hours (M, P) by work in the order of WORK; without what is not known."""
        found = {
            "first": self.first.sum(axis=0),
            "treatment": self.treatment.sum(axis=0),
            "plans": self.plans,
            "advice": self.advice,
        }
        return {work: hours for work in WORK if (hours := found[work]) is not None}

    def by(self, column: str) -> dict[str, FloatArray]:
        """Hours (M, P) of first contacts and treatment by a column of the cells; advice and plans have no cell."""
        of = self.cells[column].astype(str).to_numpy()
        return {
            name: np.asarray(self.first[of == name].sum(axis=0) + self.treatment[of == name].sum(axis=0))
            for name in dict.fromkeys(of)
        }
