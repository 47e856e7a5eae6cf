"""What happens to one child of each group of the pipeline, week by week: the part that no path changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forecast.ehc.lags import DECISION_DUE, PLAN_DUE, Lags
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks
from forecast.panel import FloatArray, IntArray

if TYPE_CHECKING:
    from forecast.engine.pipeline import Flow

REJOIN = 26
"""Weeks from a refusal to its being overturned, an assumption: mediation, an appeal and its hearing."""
REJOINED_DUE = 14
"""Weeks from an order to assess to the plan: regulation 44 of the SEND Regulations 2014."""
CLEARING = 156
"""Weeks over which open cases that the lags cannot hold are worked off, an assumption: three years.

Areas with far more assessments in progress than their lags explained (SEN2 aggregate returns to 2021) had about two
thirds of that excess one year later and a fifth after three.
"""


@dataclass(frozen=True, eq=False)
class Entries:
    """Shares of groups, each with its weeks: all arrays (n,), weeks counted from the first of the projection."""

    group: IntArray
    share: FloatArray
    asked: IntArray
    entered: IntArray
    ready: IntArray
    issued: IntArray

    def joined(self, other: Entries) -> Entries:
        """Return both together."""
        return Entries(*(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


def flow_of(
    weeks: Weeks,
    period: IntArray,
    stretch: IntArray,
    lags: Lags,
    *,
    undecided: FloatArray,
    assessing: FloatArray,
    undecided_excess: FloatArray,
    assessing_excess: FloatArray,
    queue_from: int,
) -> Flow:
    """Lay out the flow of a projection.

    The excess of the opening is decided, or completed, evenly over `CLEARING` weeks, who asked first or was ready
    first going first, and always late; in the queue under a capacity it has its turn like any other case.

    Parameters
    ----------
    weeks : Weeks
    period : ndarray (W,)
        Stretch of one year in which requests follow its profile, from 0.
    stretch : ndarray (W,)
        Stretch of constant rates that each week belongs to, from 0.
    lags : Lags
    undecided, assessing : ndarray (EARLIER_WEEKS,)
        Shares of the opening undecided and assessments by the week of their request, oldest first; sum 1 or all 0,
        and none in a week of which the lags leave none open.
    undecided_excess, assessing_excess : ndarray (EARLIER_WEEKS,)
        What of these shares the lags cannot hold: none above them.
    queue_from : int
        First week under a capacity; as many as there are weeks if there is none.
    """
    from forecast.engine.pipeline import Flow

    n_weeks = len(weeks.year)
    source, asks, late = _decided(weeks, period, lags, undecided, undecided_excess)
    key = source * (stretch[-1] + 1) + stretch[asks.entered]
    pairs, group = np.unique(key, return_inverse=True)
    n_pairs = len(pairs)
    n_groups = 2 * n_pairs + 2
    first = replace(asks, group=group)
    entries = first.joined(_rejoined(first, n_pairs, n_weeks, lags))
    entries = entries.joined(_opening(assessing, assessing_excess, n_groups - 2, lags))
    entries = entries.joined(_pending(weeks, n_groups - 1, lags))
    opening = entries.group == n_groups - 2
    timed = (entries.group < n_pairs) | opening
    due = np.where(timed, np.maximum(entries.asked + PLAN_DUE, entries.entered), entries.entered + REJOINED_DUE)
    # What was agreed of earlier requests falls due as a part of all of them, in `stages`.
    due_share = np.where(timed & (entries.asked < 0), 0.0, entries.share)
    enter_share = np.where(opening, 0.0, entries.share)
    own = entries.issued < queue_from
    within = timed & (entries.issued - entries.asked <= PLAN_DUE)
    enter = _by_week(
        np.concatenate([entries.entered, due]),
        np.tile(entries.group, 2),
        np.concatenate([_columns(enter_share, 2, 0), _columns(due_share, 2, 1)]),
        n_weeks,
        n_groups,
    )
    done = _by_week(
        entries.issued[own],
        entries.group[own],
        np.stack([entries.share, entries.share * within], axis=1)[own],
        n_weeks,
        n_groups,
    )
    waited = entries.ready - entries.asked
    by_wait = _columns(entries.share, PLAN_DUE + 2, 0)
    soon = timed & (waited <= PLAN_DUE)
    by_wait[soon, 1 + waited[soon]] = entries.share[soon]
    queued = _by_week(
        entries.ready[~own] + EARLIER_WEEKS, entries.group[~own], by_wait[~own], n_weeks + EARLIER_WEEKS, n_groups
    )
    queued[2][:, 1:] = np.cumsum(queued[2][:, 1:], axis=1)
    return Flow(
        source=pairs // (stretch[-1] + 1),
        stretch=pairs % (stretch[-1] + 1),
        decided=_sums(group, first.share, n_pairs),
        within_6=_sums(group, first.share * ~late, n_pairs),
        enter_at=enter[0],
        enter_group=enter[1],
        enter=enter[2],
        done_at=done[0],
        done_group=done[1],
        done=done[2],
        key_at=queued[0],
        key_group=queued[1],
        key=queued[2],
        over=_over(entries, timed, own, last_weeks(weeks), queue_from, n_groups),
    )


def shares_of(values: FloatArray, otherwise: FloatArray) -> FloatArray:
    """Scale values to sum 1; where all are zero, others."""
    shares: FloatArray = values / values.sum() if values.sum() > 0 else otherwise / otherwise.sum()
    return shares


def last_weeks(weeks: Weeks) -> IntArray:
    """Return the last week of each year (Y,)."""
    return np.flatnonzero(np.diff(weeks.year, append=len(weeks.years)))


def decided_before(weeks: Weeks, lags: Lags) -> FloatArray:
    """Share of a year's decisions made in each of the last `REJOIN` weeks before the start (REJOIN,), oldest first."""
    made = np.convolve(weeks.earlier, lags.decision)[:EARLIER_WEEKS]
    return made[-REJOIN:]


def _decided(
    weeks: Weeks, period: IntArray, lags: Lags, undecided: FloatArray, excess: FloatArray
) -> tuple[IntArray, Entries, npt.NDArray[np.bool_]]:
    """Give what is decided within the projection: sources (n,), entries as if all agreed, late decisions (n,)."""
    n_weeks = len(weeks.year)
    decision, ready, issue, chance = lags.ranked()
    asked = np.arange(-EARLIER_WEEKS, n_weeks)
    source = np.concatenate([np.zeros(EARLIER_WEEKS, dtype=np.int64), period + 1])
    before = asked < 0
    open_still = decision[None, :] >= -asked[:, None]
    left = np.where(before[:, None], open_still * chance, chance)
    left = left / np.maximum(left.sum(axis=1, keepdims=True), 1e-300)
    row, atom = np.nonzero(np.concatenate([undecided, weeks.share])[:, None] * left)
    share, slow = (
        np.concatenate(each)[row] * left[row, atom]
        for each in ((np.maximum(undecided - excess, 0.0), weeks.share), (excess, np.zeros(n_weeks)))
    )
    turn, part, week = _in_turn(slow, np.maximum(asked[row] + DECISION_DUE + 1, asked[row] + decision[atom]))
    waited = week - asked[row[turn]] - decision[atom[turn]]  # beyond the lag
    row, atom = np.concatenate([row, row[turn]]), np.concatenate([atom, atom[turn]])
    waited = np.concatenate([np.zeros(len(share), dtype=np.int64), waited])
    slowed = np.arange(len(row)) >= len(share)
    issued = asked[row] + issue[atom] + waited
    entries = Entries(
        source[row],
        np.concatenate([share, part]),
        asked[row],
        asked[row] + decision[atom] + waited,
        asked[row] + ready[atom] + waited,
        np.where(slowed, np.maximum(issued, asked[row] + PLAN_DUE + 1), issued),
    )
    inside = (entries.entered < n_weeks) & (entries.share > 0)
    entries = Entries(*(each[inside] for each in vars(entries).values()))
    return entries.group, entries, entries.entered - entries.asked > DECISION_DUE


def _in_turn(share: FloatArray, earliest: IntArray) -> tuple[IntArray, FloatArray, IntArray]:
    """Work cases (n,) off evenly over `CLEARING` weeks in their order: which of them, what of it, in which week (m,).

    No case before its earliest week, so that one which is not yet late waits for that.
    """
    ends = np.cumsum(share)
    if not len(ends) or ends[-1] <= 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0, dtype=np.int64)
    cuts = np.unique(np.concatenate([ends, ends[-1] * np.arange(1, CLEARING + 1) / CLEARING]))
    cuts = cuts[cuts <= ends[-1]]
    part = np.diff(cuts, prepend=0.0)
    middle = cuts - part / 2
    case = np.searchsorted(ends, middle)
    week = np.minimum((middle / ends[-1] * CLEARING).astype(np.int64), CLEARING - 1)
    return case, part, np.maximum(week, earliest[case])


def _rejoined(first: Entries, n_pairs: int, n_weeks: int, lags: Lags) -> Entries:
    """Refusals overturned later: they rejoin as a group and take what the process takes after a decision."""
    cell = first.group * n_weeks + first.entered
    by_week = _sums(cell, first.share, n_pairs * n_weeks).reshape(n_pairs, n_weeks)
    group, refused = np.nonzero(by_week)
    return _after(group + n_pairs, by_week[group, refused], refused + REJOIN, lags)


def _pending(weeks: Weeks, group: int, lags: Lags) -> Entries:
    """Refusals of before the start that are overturned after it."""
    made = shares_of(decided_before(weeks, lags), np.ones(REJOIN))
    return _after(np.full(REJOIN, group), made, np.arange(REJOIN), lags)


def _after(group: IntArray, share: FloatArray, entered: IntArray, lags: Lags) -> Entries:
    """Entries that begin with the assessment; who asked long ago is late from the first."""
    decision, ready, issue, chance = lags.ranked()
    long_ago = np.full(len(group) * len(chance), -10 * EARLIER_WEEKS)
    return Entries(
        np.repeat(group, len(chance)),
        np.outer(share, chance).ravel(),
        long_ago,
        np.repeat(entered, len(chance)),
        np.add.outer(entered, ready - decision).ravel(),
        np.add.outer(entered, issue - decision).ravel(),
    )


def _opening(assessing: FloatArray, excess: FloatArray, group: int, lags: Lags) -> Entries:
    """Assessments agreed before the start and not completed by then."""
    decision, ready, issue, chance = lags.ranked()
    asked = np.arange(-EARLIER_WEEKS, 0)
    open_now = (decision[None, :] < -asked[:, None]) & (issue[None, :] >= -asked[:, None])
    left = open_now * chance
    left = left / np.maximum(left.sum(axis=1, keepdims=True), 1e-300)
    row, atom = np.nonzero(assessing[:, None] * left)
    order = np.argsort(asked[row] + ready[atom], kind="stable")
    row, atom = row[order], atom[order]
    share, slow = ((each[:, None] * left)[row, atom] for each in (np.maximum(assessing - excess, 0.0), excess))
    turn, part, week = _in_turn(slow, np.maximum(asked[row] + PLAN_DUE + 1, asked[row] + ready[atom]))
    issued = np.concatenate([asked[row] + issue[atom], week])
    row, atom = np.concatenate([row, row[turn]]), np.concatenate([atom, atom[turn]])
    asked = asked[row]
    entered = asked + decision[atom]
    return Entries(np.full(len(row), group), np.concatenate([share, part]), asked, entered, asked + ready[atom], issued)


def _sums(place: IntArray, values: FloatArray, size: int) -> FloatArray:
    """Sum values by place (size,)."""
    sums: FloatArray = np.bincount(place, values, minlength=size).astype(np.float64)
    return sums


def _columns(share: FloatArray, n: int, at: int) -> FloatArray:
    """Return shares as one of n columns (len, n)."""
    columns = np.zeros((len(share), n))
    columns[:, at] = share
    return columns


def _by_week(
    week: IntArray, group: IntArray, values: FloatArray, n_weeks: int, n_groups: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Sum values (n, k) by week and group: where each week starts (n_weeks + 1,), groups (m,), sums (m, k)."""
    inside = (week >= 0) & (week < n_weeks) & (values != 0).any(axis=1)
    key = week[inside] * n_groups + group[inside]
    found, position = np.unique(key, return_inverse=True)
    sums = np.stack([_sums(position, column, len(found)) for column in values[inside].T], axis=1)
    return np.searchsorted(found, np.arange(n_weeks + 1) * n_groups), found % n_groups, sums


def _over(
    entries: Entries,
    timed: npt.NDArray[np.bool_],
    own: npt.NDArray[np.bool_],
    ends: IntArray,
    queue_from: int,
    n_groups: int,
) -> FloatArray:
    """Asked for over 20 weeks before a year's end and then still neither done nor ready (Y, n_groups)."""
    over = np.zeros((len(ends), n_groups))
    for y, end in enumerate(ends):
        late = (entries.entered <= end) & (~timed | (entries.asked < end - PLAN_DUE))
        waits = entries.issued > end if end < queue_from else ~own & (entries.ready > end)
        chosen = late & waits
        over[y] = _sums(entries.group[chosen], entries.share[chosen], n_groups)
    return over
