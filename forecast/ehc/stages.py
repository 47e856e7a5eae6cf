"""From request to plan: the 20-week pipeline in weekly steps, on many paths at once.

A request is decided on (6 weeks): refused, withdrawn or agreed. An agreed assessment is completed after the area's
own lag, or, under a capacity, first come first served after what the process itself takes; it leads to a plan or to
none. Some refusals are overturned half a year later and join then. Timeliness, backlog and plans are results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.special import logit

from forecast.ehc.flow import flow_of, last_weeks
from forecast.ehc.lags import DECISION_DUE, PLAN_DUE, Lags
from forecast.ehc.opening import Opening
from forecast.ehc.rates import WeeklyRates
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks
from forecast.errors import SpecError
from forecast.panel import FloatArray, IntArray
from forecast.threads import in_threads

if TYPE_CHECKING:
    from forecast.engine import pipeline

BLOCK = 64  # paths a thread takes at a time


@dataclass(frozen=True, eq=False)
class StageFlows:
    """What the pipeline gave on every path.

    On every path: undecided at the start + requests = decided + undecided_end; decided = refused + withdrawn + agreed;
    assessments at the start + agreed + overturned = completed + assessing_end; completed = issued + no_plan.

    Attributes
    ----------
    years : tuple of int
    requests, decided, refused, withdrawn, agreed, overturned, completed, issued, no_plan : ndarray (P, Y)
        Requests by the year they came in, all else by the year it happened. `overturned` are refusals of earlier that
        join the assessment.
    decided_within_6, timed, within_20_weeks : ndarray (P, Y)
        Decisions within 6 weeks; plans whose time counts (all but overturned refusals) and those within 20 weeks.
    undecided_end, assessing_end, over_20_weeks_end : ndarray (P, Y)
        At the year's end: requests undecided, assessments agreed and not completed, those of them asked for over 20
        weeks ago.
    requests_by_age, refused_by_age, withdrawn_by_age, agreed_by_age, issued_by_age : ndarray (P, Y, ages)
        By age at the request.
    monthly : mapping of str to ndarray (P, 12 Y)
        requests, agreed, completed, issued, timed, within_20_weeks; backlog (agreed and not completed, at the month's
        end); decisions_due and plans_due (a week, by the calendar, whether or not done earlier).
    """

    years: tuple[int, ...]
    requests: FloatArray
    decided: FloatArray
    refused: FloatArray
    withdrawn: FloatArray
    agreed: FloatArray
    overturned: FloatArray
    completed: FloatArray
    issued: FloatArray
    no_plan: FloatArray
    decided_within_6: FloatArray
    timed: FloatArray
    within_20_weeks: FloatArray
    undecided_end: FloatArray
    assessing_end: FloatArray
    over_20_weeks_end: FloatArray
    requests_by_age: FloatArray
    refused_by_age: FloatArray
    withdrawn_by_age: FloatArray
    agreed_by_age: FloatArray
    issued_by_age: FloatArray
    monthly: Mapping[str, FloatArray]


def run_stages(
    requests: FloatArray,
    *,
    weeks: Weeks,
    rates: WeeklyRates,
    lags: Lags,
    opening: Opening,
    times: FloatArray | None = None,
    capacity: FloatArray | None = None,
    rng: np.random.Generator,
) -> StageFlows:
    """Run requests through the pipeline.

    Parameters
    ----------
    requests : ndarray (P, Y, ages)
        Requests of each year, none negative.
    weeks : Weeks
        Of the same Y years.
    rates : WeeklyRates
    lags : Lags
    opening : Opening
    times : ndarray (W, ages), optional
        What the requests of each week are multiplied by; default 1.
    capacity : ndarray (12 Y,), optional
        Assessments that can be completed in each month. Months before the first limited one may be infinite: the
        area's own lag carries on until then.
    rng : numpy.random.Generator
        Draws how the rates wander.

    Raises
    ------
    SpecError
        Requests do not fit the weeks or are negative; a capacity of another length, negative, missing, or infinite
        after a limited month.
    """
    from forecast.engine import pipeline

    n_paths, n_years, n_ages = _checked(requests, weeks)
    queue_from, allowance = _allowance(capacity, weeks)
    stretch, firsts = _stretches(weeks, rates.refusal, rates.withdrawal, rates.no_plan, rates.overturned, *rates.fixed)
    period, opens = _stretches(weeks, np.ones((len(weeks.year), n_ages)) if times is None else times)
    asked = requests[:, weeks.year[opens]] * (1.0 if times is None else times[opens])
    flow = flow_of(
        weeks,
        period,
        stretch,
        lags,
        undecided=opening.undecided_weeks if opening.undecided.sum() else np.zeros(EARLIER_WEEKS),
        assessing=opening.assessing_weeks,
        undecided_excess=opening.undecided_excess,
        assessing_excess=opening.assessing_excess,
        queue_from=queue_from,
    )
    results = pipeline.Results(
        np.zeros((n_paths, 7, 12 * n_years)), np.zeros((n_paths, 4, n_years)), np.zeros((n_paths, 4, n_years, n_ages))
    )
    calendar = pipeline.Calendar(
        weeks.year, weeks.month, stretch, last_weeks(weeks), weeks.year[firsts], queue_from, allowance
    )
    planned = pipeline.Rates(
        logit(rates.refusal[firsts]),
        logit(rates.withdrawal[firsts]),
        logit(rates.no_plan[firsts]),
        rates.overturned[firsts],
        np.ascontiguousarray(rates.fixed[:, firsts]),
    )
    start = np.broadcast_to(opening.undecided, (n_paths, 1, n_ages))
    groups = np.ascontiguousarray(np.concatenate([start, asked], axis=1))
    shifts = rates.shifts(rng, n_paths, n_years)
    open_cases = np.stack([opening.assessing, opening.appeals])

    def run(first: int) -> None:
        stop = min(first + BLOCK, n_paths)
        pipeline.pipeline_paths(first, stop, groups, open_cases, shifts, planned, flow, calendar, results)

    in_threads(run, range(0, n_paths, BLOCK))
    return _collected(asked, period, weeks, opening, results)


def _collected(
    asked: FloatArray, period: IntArray, weeks: Weeks, opening: Opening, results: pipeline.Results
) -> StageFlows:
    from forecast.engine import pipeline

    n_paths, n_years = len(asked), len(weeks.years)
    by_age = _sums(asked * np.bincount(period, weeks.share)[:, None], weeks.year[np.flatnonzero(_starts(period))])
    weekly = asked.sum(axis=2)[:, period] * weeks.share
    requests = by_age.sum(axis=2)
    monthly = {name: results.monthly[:, k] for k, name in enumerate(MONTHLY)}
    by_year = {name: each.reshape(n_paths, n_years, 12).sum(axis=2) for name, each in monthly.items()}
    decided = results.yearly[:, pipeline.DECIDED]
    refused, withdrawn, agreed, issued = (results.by_age[:, k] for k in range(4))
    backlog = monthly["backlog"][:, 11::12]
    undecided = opening.undecided.sum() + np.cumsum(requests - decided, axis=1)
    monthly |= _due(weekly, weeks, opening, monthly["plans_due"])
    monthly["requests"] = _sums(weekly, weeks.month)
    return StageFlows(
        years=weeks.years,
        requests=requests,
        decided=decided,
        refused=refused.sum(axis=2),
        withdrawn=withdrawn.sum(axis=2),
        agreed=agreed.sum(axis=2),
        overturned=results.yearly[:, pipeline.OVERTURNED],
        completed=by_year["completed"],
        issued=by_year["issued"],
        no_plan=np.maximum(by_year["completed"] - by_year["issued"], 0.0),
        decided_within_6=results.yearly[:, pipeline.SIX_WEEKS],
        timed=by_year["timed"],
        within_20_weeks=by_year["within_20_weeks"],
        undecided_end=np.maximum(undecided, 0.0),
        assessing_end=backlog,
        over_20_weeks_end=results.yearly[:, pipeline.OVER_DUE],
        requests_by_age=by_age,
        refused_by_age=refused,
        withdrawn_by_age=withdrawn,
        agreed_by_age=agreed,
        issued_by_age=issued,
        monthly=monthly,
    )


MONTHLY = ("agreed", "completed", "issued", "within_20_weeks", "timed", "backlog", "plans_due")


def _checked(requests: FloatArray, weeks: Weeks) -> tuple[int, int, int]:
    if requests.ndim != 3 or requests.shape[1] != len(weeks.years):
        raise SpecError(
            f"requests of shape {requests.shape}: paths x {len(weeks.years)} years x ages are needed. Give each year "
            "of the weeks."
        )
    if not (requests >= 0).all():
        raise SpecError("requests: none may be negative or missing. Mend the paths.")
    return requests.shape


def _allowance(capacity: FloatArray | None, weeks: Weeks) -> tuple[int, FloatArray]:
    """First week under a capacity, and what may be completed from each month's first day to each week's end (W,)."""
    n_weeks = len(weeks.year)
    if capacity is None or np.isinf(capacity).all():
        return n_weeks, np.zeros(n_weeks)
    if capacity.shape != (len(weeks.months),) or not (capacity >= 0).all():
        raise SpecError(
            f"capacity of {capacity.size} months: {len(weeks.months)} figures of 0 or more are needed, one a month. "
            "Mend it."
        )
    limited = np.flatnonzero(np.isfinite(capacity))
    unlimited = np.flatnonzero(np.isinf(capacity))
    if len(unlimited) and unlimited[-1] > limited[0]:
        raise SpecError(
            f"capacity: {weeks.months[unlimited[-1]]:%Y-%m} has none, after a month with one; what follows a "
            "capacity is not known then. Give a capacity for each month after the first."
        )
    starts = np.flatnonzero(np.diff(weeks.month, prepend=-1))
    passed = np.arange(n_weeks) - starts[weeks.month] + 1
    monthly = np.bincount(weeks.month)
    allowance = np.where(np.isfinite(capacity), capacity, 0.0)[weeks.month] * (passed / monthly[weeks.month])
    return int(starts[limited[0]]), allowance


def _stretches(weeks: Weeks, *columns: FloatArray) -> tuple[IntArray, IntArray]:
    """Count the stretches of weeks of one year with the same figures (W,), and give their first weeks."""
    table = np.concatenate([weeks.year[:, None], *(each.reshape(len(weeks.year), -1) for each in columns)], axis=1)
    changed = np.concatenate([[True], (np.diff(table, axis=0) != 0).any(axis=1)])
    return np.cumsum(changed) - 1, np.flatnonzero(changed)


def _starts(label: IntArray) -> npt.NDArray[np.bool_]:
    """Say where a label begins (n,)."""
    return np.asarray(np.diff(label, prepend=-1) != 0)


def _sums(values: FloatArray, label: IntArray) -> FloatArray:
    """Sum over the second axis by label; labels are in order."""
    return np.asarray(np.add.reduceat(values, np.flatnonzero(_starts(label)), axis=1))


def _due(asked: FloatArray, weeks: Weeks, opening: Opening, plans: FloatArray) -> dict[str, FloatArray]:
    """Decisions and plans that fall due a week, by month (P, 12 Y); `asked` are requests by week (P, W)."""
    in_month = np.bincount(weeks.month)
    decisions = np.zeros_like(asked)
    decisions[:, DECISION_DUE:] = asked[:, :-DECISION_DUE]
    early = np.bincount(weeks.month[:DECISION_DUE], weeks.earlier[-DECISION_DUE:], minlength=len(in_month))
    late = np.bincount(weeks.month[:PLAN_DUE], weeks.earlier[-PLAN_DUE:], minlength=len(in_month))
    return {
        "decisions_due": (_sums(decisions, weeks.month) + opening.requested * early) / in_month,
        "plans_due": (plans + opening.planned * late) / in_month,
    }
