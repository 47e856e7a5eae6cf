"""Inverse questions: what it takes to meet a target, to stop a list from growing, and what more staff buys.

Each path has an answer of its own, found by a search on the simulator: with more first contacts a list is never longer.
Nor is a smaller share of it within the target, but for two cases: booking that never looks at the wait, and clinics of
which some have hardly a list left. The answers of all paths together give a middle one and a range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.panel import FloatArray, IntArray
from forecast.speech_language.options import clinics_of
from forecast.speech_language.start import Start
from forecast.speech_language.waiting_list import ListRun, run_list
from forecast.speech_language.workforce import contacts_of_posts

Gap = Callable[[ListRun, IntArray], FloatArray]

STEPS = 16
TRIPLINGS = 3
NARROW = 0.01  # first contacts a week
HALF, LITTLE = 0.5, 0.02
POINTS = 0.4
CHILDREN = 0.01  # of the list


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
        n_clinics, joined = len(start.capacity), start.joined
        self._start, self.since = start, since
        self._opening = joined @ start.opening
        self._referrals = np.tensordot(joined, start.referrals, axes=1)
        self._clinics = replace(clinics_of(start, None), of_cell=np.arange(n_clinics))
        pattern = start.calendar.profile * start.calendar.since(since)
        self._extra = start.clinic_share[:, None] * pattern
        later = start.calendar.since(since) > 0
        profile = start.calendar.profile[later].sum()
        self.now = float(start.capacity[:, later].sum() / profile) if profile else 0.0

    def run(self, more: FloatArray, *, n_months: int | None = None, paths: IntArray | None = None) -> ListRun:
        """Run the list with so many first contacts a week more on each path (P,).

        Parameters
        ----------
        more : ndarray (P,)
        n_months : int, optional
            The first months alone.
        paths : ndarray of int (P,), optional
            These paths alone.
        """
        start = self._start
        calendar = start.calendar if n_months is None else start.calendar.until(n_months)
        weeks = len(calendar.mondays)
        referrals, noise = self._referrals[:, : len(calendar.months)], start.noise[:weeks]
        if paths is not None:
            referrals, noise = referrals[:, :, paths], noise[:, paths]
        return run_list(
            self._clinics,
            opening=self._opening,
            referrals=referrals,
            weeks=calendar.weeks,
            capacity=start.capacity[:, :weeks],
            groups=np.ones((1, len(self._opening)), dtype=bool),
            noise=noise,
            extra=self._extra[:, :weeks],
            times=more,
        )

    def fewest(self, gap: Gap, *, n_months: int, near: float) -> Needed:
        """Find the fewest first contacts a week more that are enough, path by path.

        Parameters
        ----------
        gap : callable
            Takes a run of some paths over the first months, and which they are; says by how much each is more than
            enough, negative where it is not. Never falls with more.
        n_months : int
        near : float
            A gap that is as good as none.
        """
        n_paths = self._referrals.shape[2]
        every = np.arange(n_paths)

        def ask(more: FloatArray, paths: IntArray) -> FloatArray:
            return gap(self.run(more, n_months=n_months, paths=paths), paths)

        low = np.full(n_paths, -self.now)
        high = np.full(n_paths, max(float(self._referrals.sum()) / n_paths / len(self._start.calendar.mondays), 1.0))
        below, above = ask(low, every), ask(high, every)
        for _ in range(TRIPLINGS):
            lacking = np.flatnonzero(above < 0)
            if len(lacking):
                low[lacking], below[lacking], high[lacking] = high[lacking], above[lacking], 3 * high[lacking]
                above[lacking] = ask(high[lacking], lacking)
        high = np.where(below >= 0, low, high)
        for step in range(1, STEPS):
            open_ = np.flatnonzero((high - low > NARROW) & (above > near))
            if not len(open_):
                break
            share = np.full(len(open_), HALF)
            if step % 2:
                # Along a line between the two, aimed at what is just enough.
                line = (near / 2 - below[open_]) / (above[open_] - below[open_])
                share = np.clip(line, LITTLE, 1 - LITTLE)
            middle = low[open_] + share * (high[open_] - low[open_])
            found = ask(middle, open_)
            enough = found >= 0
            low[open_[~enough]], below[open_[~enough]] = middle[~enough], found[~enough]
            high[open_[enough]], above[open_[enough]] = middle[enough], found[enough]
        return Needed(self.since, np.where(above >= 0, high, np.inf), self.now)


def capacity_for_target(start: Start, since: pd.Timestamp) -> Needed:
    """First contacts a week that bring the share within the target wait by the target's month.

    Raises
    ------
    SpecError
        The target's month is not among those projected.
    """
    at = start.month_of(start.service.target.by)
    wanted = 100 * start.service.target.share
    return Question(start, since).fewest(lambda run, _: run.within[0, at] - wanted, n_months=at + 1, near=POINTS)


def capacity_to_keep_pace(start: Start, since: pd.Timestamp) -> Needed:
    """First contacts a week with which the list is no longer in the last month than before they began."""
    question = Question(start, since)
    at = start.month_of(since)
    opening = np.full(start.referrals.shape[2], start.opening.sum())
    before = question.run(np.zeros_like(opening), n_months=at).size.sum(axis=0)[-1] if at else opening
    last = len(start.months)
    return question.fewest(
        lambda run, paths: before[paths] - run.size.sum(axis=0)[-1], n_months=last, near=CHILDREN * float(before.max())
    )


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
    question = Question(start, since)
    more = float(contacts_of_posts(start.service.norms, np.array(posts), hours_a_child=start.mean_hours))
    n_paths = start.referrals.shape[2]
    without, with_ = (question.run(np.full(n_paths, each), n_months=at + 1) for each in (0.0, more))
    return Bought(
        posts,
        more,
        with_.size.sum(axis=0)[at] - without.size.sum(axis=0)[at],
        with_.within[0, at] - without.within[0, at],
    )
