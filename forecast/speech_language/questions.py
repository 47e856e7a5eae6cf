"""Inverse questions: what it takes to meet a target, to stop a list from growing, and what more staff buys.

Each path has an answer of its own, found by bisection on the simulator: with more first contacts a list is never longer
and waits are never longer. The answers of all paths together give a middle one and a range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.panel import FloatArray
from forecast.speech_language.options import clinics_of
from forecast.speech_language.start import Start
from forecast.speech_language.waiting_list import Clinics, ListRun, run_list
from forecast.speech_language.workforce import established, first_contacts_for, in_post, wte_for

STEPS = 14
DOUBLINGS = 5


@dataclass(frozen=True, eq=False)
class Needed:
    """First contacts a week it takes, path by path.

    Attributes
    ----------
    start : Timestamp
        First day of the month from which they are made.
    more : ndarray (P,)
        More than there are as it is, in an average week; negative where fewer would do, infinite where no number does.
    now : float
        First contacts there are in an average week from then on, before noise.
    """

    start: pd.Timestamp
    more: FloatArray
    now: float


class Question:
    """The waiting list of a whole service under more or fewer first contacts from a month on.

    Cells of one clinic are put together, because their totals are the same either way.

    Parameters
    ----------
    start : Start
    since : Timestamp
        First day of the month from which first contacts change.
    """

    def __init__(self, start: Start, since: pd.Timestamp) -> None:
        own, n_clinics = start.has_list, len(start.capacity)
        joined = np.zeros((n_clinics, len(own)))
        joined[start.of_cell[own], np.arange(len(own))] = 1.0
        self._start, self.since = start, since
        self._opening = joined @ start.opening[own]
        self._referrals = np.tensordot(joined, start.referrals[own], axes=1)
        plain = clinics_of(start, None)
        self._clinics = Clinics(
            of_cell=np.arange(n_clinics),
            reneging=plain.reneging,
            removal=plain.removal,
            booking=plain.booking,
            bands=plain.bands,
            target_weeks=plain.target_weeks,
        )
        pattern = start.calendar.profile * start.calendar.since(since)
        self._extra = start.clinic_share[:, None] * pattern
        later = start.calendar.since(since) > 0
        profile = start.calendar.profile[later].sum()
        self.now = float(start.capacity[:, later].sum() / profile) if profile else 0.0

    def run(self, more: FloatArray, *, n_months: int | None = None) -> ListRun:
        """Run the list with so many first contacts a week more on each path (P,), over the first months."""
        start = self._start
        calendar = start.calendar if n_months is None else start.calendar.until(n_months)
        weeks = len(calendar.mondays)
        return run_list(
            self._clinics,
            opening=self._opening,
            referrals=np.ascontiguousarray(self._referrals[:, : len(calendar.months)]),
            weeks=calendar.weeks,
            capacity=start.capacity[:, :weeks],
            groups=np.ones((1, len(self._opening)), dtype=bool),
            noise=start.noise[:weeks],
            extra=self._extra[:, :weeks],
            times=more,
        )

    def fewest(self, enough: Callable[[ListRun], FloatArray], *, n_months: int) -> Needed:
        """Find the fewest first contacts a week more that are enough, path by path.

        Parameters
        ----------
        enough : callable
            Says of a run over the first months whether it is, for each path (P,); once true, true with more.
        n_months : int
        """
        n_paths = self._referrals.shape[2]
        demand = self._referrals.sum() / n_paths / len(self._start.calendar.mondays)
        low = np.full(n_paths, -self._start.capacity.sum(axis=0).max() * 2)
        high = np.full(n_paths, max(demand, 1.0))
        for _ in range(DOUBLINGS):
            lacking = ~enough(self.run(high, n_months=n_months)).astype(bool)
            if not lacking.any():
                break
            low, high = np.where(lacking, high, low), np.where(lacking, 3 * high, high)
        never = ~enough(self.run(high, n_months=n_months)).astype(bool)
        for _ in range(STEPS):
            middle = (low + high) / 2
            met = enough(self.run(middle, n_months=n_months)).astype(bool)
            low, high = np.where(met, low, middle), np.where(met, middle, high)
        return Needed(self.since, np.where(never, np.inf, high), self.now)


def capacity_for_target(start: Start, since: pd.Timestamp) -> Needed:
    """First contacts a week that bring the share within the target wait by the target's month.

    Raises
    ------
    SpecError
        The target's month is not among those projected.
    """
    at = start.month_of(start.service.target.by)
    wanted = 100 * start.service.target.share
    return Question(start, since).fewest(lambda run: run.within[0, at] >= wanted, n_months=at + 1)


def capacity_to_keep_pace(start: Start, since: pd.Timestamp) -> Needed:
    """First contacts a week with which the list is no longer in the last month than before they began."""
    question = Question(start, since)
    at = start.month_of(since)
    opening = np.full(start.referrals.shape[2], start.opening.sum())
    before = question.run(np.zeros_like(opening), n_months=at).size.sum(axis=0)[-1] if at else opening
    last = len(start.months)
    return question.fewest(lambda run: run.size.sum(axis=0)[-1] <= before, n_months=last)


@dataclass(frozen=True, eq=False)
class Bought:
    """What more posts buy by a month, path by path.

    Attributes
    ----------
    posts : float
        Established posts (WTE) more.
    contacts_a_week : float
        First contacts they make, with the treatment that follows.
    waiting, within : ndarray (P,)
        Change of the list in children, and of the share within the target in points.
    """

    posts: float
    contacts_a_week: float
    waiting: FloatArray
    within: FloatArray


def bought_by(start: Start, since: pd.Timestamp, *, posts: float) -> Bought:
    """Say what more posts from a month on change by the target's month."""
    at = start.month_of(start.service.target.by)
    question, more = Question(start, since), contacts_of_posts(start, posts)
    n_paths = start.referrals.shape[2]
    without, with_ = (question.run(np.full(n_paths, each), n_months=at + 1) for each in (0.0, more))
    return Bought(
        posts,
        more,
        with_.size.sum(axis=0)[at] - without.size.sum(axis=0)[at],
        with_.within[0, at] - without.within[0, at],
    )


def contacts_of_posts(start: Start, posts: float) -> float:
    """Return the first contacts a week that established posts make, with the treatment that follows."""
    norms = start.service.norms
    return float(
        first_contacts_for(
            in_post(np.array(posts), vacancy_rate=norms.number("vacancy_rate")),
            hours_a_child=start.mean_hours,
            clinical_hours_a_year=norms.number("clinical_hours_a_year"),
            sickness_rate=norms.number("sickness_rate"),
        )
    )


def posts_of_contacts(start: Start, a_week: FloatArray) -> FloatArray:
    """Return the established posts that first contacts a week take, with the treatment that follows."""
    norms = start.service.norms
    post = wte_for(
        a_week,
        hours_a_child=start.mean_hours,
        clinical_hours_a_year=norms.number("clinical_hours_a_year"),
        sickness_rate=norms.number("sickness_rate"),
    )
    return established(post, vacancy_rate=norms.number("vacancy_rate"))
