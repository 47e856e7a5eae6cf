"""The 20-week pipeline on many paths: decisions, assessments, a queue under capacity, plans.

Children who share a request year and the rates in force at their decision form a group. Everything about a group that
does not depend on the path (how much of it is agreed, ready or issued in each week) is laid out once in `Flow`; a
path then costs a weighted sum of groups a week and, under a capacity, one pass of a queue that serves cases in the
order in which nothing but the queue holds them up. Within a group ages have the same chances at the same time.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from forecast.engine.batch import FloatArray, IntArray
from forecast.engine.compiling import compiled

BoolArray = npt.NDArray[np.bool_]

DUE = 20
AGREED, COMPLETED, ISSUED, WITHIN, TIMED, BACKLOG, PLANS_DUE = range(7)  # by month
DECIDED, SIX_WEEKS, OVERTURNED, OVER_DUE = range(4)  # by year
REFUSED, WITHDRAWN, JOINED, PLANNED = range(4)  # by year and age


class Flow(NamedTuple):
    """What happens to one child of each group, whatever the path.

    Groups: G pairs of a source (0 the opening undecided, then a request year each) and a stretch of constant rates
    in which the decision falls; the same pairs again for overturned refusals; the opening assessments; overturned
    refusals of before the start. Columns named `at` say where each week's entries start: entries of week w are
    `at[w]` to `at[w + 1]`.
    """

    source: IntArray  # (G,)
    stretch: IntArray  # (G,)
    decided: FloatArray  # (G,) share of the source decided in the stretch
    within_6: FloatArray  # (G,) of that, within six weeks
    enter_at: IntArray  # (W + 1,)
    enter_group: IntArray  # (n,)
    enter: FloatArray  # (n, 2) share that joins the assessment, share whose twentieth week it is
    done_at: IntArray  # (W + 1,)
    done_group: IntArray
    done: FloatArray  # (n, 2) completed at the area's own lag, of these within 20 weeks
    key_at: IntArray  # (K + W + 1,) by the week a case is ready, K weeks before the first on
    key_group: IntArray
    key: FloatArray  # (n, DUE + 2) ready, then of these asked for at most 0, 1, .. DUE weeks before
    over: FloatArray  # (Y, 2G + 2) asked for over 20 weeks before a year's end and then still neither done nor ready


class Calendar(NamedTuple):
    """Weeks of the projection and stretches of constant rates."""

    year: IntArray  # (W,)
    month: IntArray  # (W,)
    stretch: IntArray  # (W,)
    last_week: IntArray  # (Y,)
    stretch_year: IntArray  # (S,)
    queue_from: int  # first week under a capacity, W without one
    allowance: FloatArray  # (W,) assessments that may be completed from the month's first day to the week's end


class Rates(NamedTuple):
    """Rates as planned, as logits; `fixed` ones do not move with the path."""

    refusal: FloatArray  # (S, A)
    withdrawal: FloatArray  # (S, A)
    no_plan: FloatArray  # (S, A)
    overturned: FloatArray  # (S,) a share, not a logit
    fixed: BoolArray  # (3, S, A)


class Path(NamedTuple):
    """Scratch of one path."""

    rates: FloatArray  # (3, S, A) refusal, withdrawal, no plan
    amount: FloatArray  # (2G + 2, A) children of each group
    whole: FloatArray  # (2G + 2,)
    plans: FloatArray  # (2G + 2, S) plans if a whole group completes in a stretch
    served: FloatArray  # (2G + 2, S) share of a group completed in each stretch
    joined: FloatArray  # (W,) cases that join the assessment
    completed: FloatArray  # (W,)


class Results(NamedTuple):
    """Where a path's figures go."""

    monthly: FloatArray  # (P, 7, M): AGREED to PLANS_DUE
    yearly: FloatArray  # (P, 4, Y): DECIDED to OVER_DUE
    by_age: FloatArray  # (P, 4, Y, A): REFUSED to PLANNED


@compiled
def expit(logit: float) -> float:
    """Return the share of a logit; infinite logits give exactly 0 and 1."""
    grown: float = np.exp(-abs(logit))
    return 1.0 / (1.0 + grown) if logit >= 0 else grown / (1.0 + grown)


@compiled
def set_rates(
    refusal: FloatArray,
    withdrawal: FloatArray,
    no_plan: FloatArray,
    fixed: BoolArray,
    years: IntArray,
    shifts: FloatArray,
    out: FloatArray,
) -> None:
    """Fill `out` (3, S, A) with planned rates moved by what the path (3, Y) adds."""
    for s in range(out.shape[1]):
        for a in range(out.shape[2]):
            out[0, s, a] = expit(refusal[s, a] + (0.0 if fixed[0, s, a] else shifts[0, years[s]]))
            gone = expit(withdrawal[s, a] + (0.0 if fixed[1, s, a] else shifts[1, years[s]]))
            out[1, s, a] = min(gone, 1.0 - out[0, s, a])
            out[2, s, a] = expit(no_plan[s, a] + (0.0 if fixed[2, s, a] else shifts[2, years[s]]))


@compiled
def decide(
    path: Path,
    requests: FloatArray,
    opening: FloatArray,
    overturned: FloatArray,
    flow: Flow,
    years: IntArray,
    yearly: FloatArray,
    by_age: FloatArray,
) -> None:
    """Form the groups of a path, and count its decisions."""
    amount, whole, plans, rates = path.amount, path.whole, path.plans, path.rates
    n_groups, ages = len(flow.source), amount.shape[1]
    for g in range(n_groups):
        s, decided, asked_by = flow.stretch[g], flow.decided[g], requests[flow.source[g]]
        year, total = years[s], 0.0
        for a in range(ages):
            asked, refused, withdrawn = asked_by[a], rates[0, s, a], rates[1, s, a]
            agreed = asked * max(1.0 - refused - withdrawn, 0.0)
            amount[g, a], amount[n_groups + g, a] = agreed, asked * refused * overturned[s]
            by_age[REFUSED, year, a] += decided * asked * refused
            by_age[WITHDRAWN, year, a] += decided * asked * withdrawn
            by_age[JOINED, year, a] += decided * agreed
            total += asked
        yearly[DECIDED, year] += decided * total
        yearly[SIX_WEEKS, year] += flow.within_6[g] * total
    amount[2 * n_groups :] = opening
    for g in range(len(whole)):
        whole[g] = 0.0
        for a in range(ages):
            whole[g] += amount[g, a]
        for s in range(plans.shape[1]):
            plans[g, s] = 0.0
            for a in range(ages):
                plans[g, s] += amount[g, a] * (1.0 - rates[2, s, a])


@compiled
def enter(path: Path, flow: Flow, calendar: Calendar, monthly: FloatArray, yearly: FloatArray) -> None:
    """Count the cases that join the assessment, week by week."""
    whole, plans, joined = path.whole, path.plans, path.joined
    at, group, share = flow.enter_at, flow.enter_group, flow.enter
    n_groups = len(flow.source)
    for w in range(len(joined)):
        month, year, s = calendar.month[w], calendar.year[w], calendar.stretch[w]
        joined[w] = 0.0
        for e in range(at[w], at[w + 1]):
            g = group[e]
            entered = whole[g] * share[e, 0]
            joined[w] += entered
            monthly[PLANS_DUE, month] += share[e, 1] * plans[g, s]
            if g < n_groups:
                monthly[AGREED, month] += entered
            else:
                yearly[OVERTURNED, year] += entered


@compiled
def complete(path: Path, flow: Flow, calendar: Calendar, monthly: FloatArray) -> None:
    """Complete assessments at the area's own lag, week by week."""
    whole, plans, served, completed = path.whole, path.plans, path.served, path.completed
    at, group, share = flow.done_at, flow.done_group, flow.done
    n_groups = len(flow.source)
    for w in range(len(completed)):
        month, s = calendar.month[w], calendar.stretch[w]
        completed[w] = 0.0
        for e in range(at[w], at[w + 1]):
            g = group[e]
            completed[w] += share[e, 0] * whole[g]
            served[g, s] += share[e, 0]
            monthly[ISSUED, month] += share[e, 0] * plans[g, s]
            if g < n_groups or g == 2 * n_groups:
                monthly[TIMED, month] += share[e, 0] * plans[g, s]
                monthly[WITHIN, month] += share[e, 1] * plans[g, s]


@compiled
def serve(path: Path, flow: Flow, calendar: Calendar, monthly: FloatArray, yearly: FloatArray) -> None:
    """Complete assessments under a capacity, first come first served: who was ready earlier goes first."""
    whole, plans, served, completed = path.whole, path.plans, path.served, path.completed
    at, group, key = flow.key_at, flow.key_group, flow.key
    n_groups, weeks = len(flow.source), len(completed)
    kept = len(at) - 1 - weeks  # weeks of readiness before the first week
    head, left, used = 0, 1.0, 0.0  # first cohort of the queue, what is left of it, capacity used this month
    for w in range(calendar.queue_from, weeks):
        month, s = calendar.month[w], calendar.stretch[w]
        if w == 0 or calendar.month[w - 1] != month:
            used = 0.0
        while head <= w + kept:
            ready = 0.0
            for e in range(at[head], at[head + 1]):
                ready += whole[group[e]] * key[e, 0]
            may = calendar.allowance[w] - used
            short = ready > 0.0 and ready * left > may
            share = max(may, 0.0) / ready if short else left
            recent = DUE - (w + kept - head)  # weeks from request to readiness that are in time now
            for e in range(at[head], at[head + 1]):
                g = group[e]
                served[g, s] += share * key[e, 0]
                monthly[ISSUED, month] += share * key[e, 0] * plans[g, s]
                if g < n_groups or g == 2 * n_groups:
                    monthly[TIMED, month] += share * key[e, 0] * plans[g, s]
                    if recent >= 0:
                        monthly[WITHIN, month] += share * key[e, 1 + recent] * plans[g, s]
            completed[w] += share * ready
            used += share * ready
            if short:
                left -= share
                break
            head, left = head + 1, 1.0
        year = calendar.year[w]
        if w == calendar.last_week[year]:
            remaining = left
            for j in range(head, w + kept + 1):
                recent = DUE - (w + kept - j)
                for e in range(at[j], at[j + 1]):
                    inside = key[e, 1 + recent] if recent >= 0 else 0.0
                    yearly[OVER_DUE, year] += whole[group[e]] * remaining * (key[e, 0] - inside)
                remaining = 1.0


@compiled
def count(
    path: Path, flow: Flow, calendar: Calendar, monthly: FloatArray, yearly: FloatArray, by_age: FloatArray
) -> None:
    """Count what waits and what was completed, and plans by age."""
    whole, amount, served, no_plan = path.whole, path.amount, path.served, path.rates[2]
    waiting = whole[len(whole) - 2]
    for w in range(len(path.joined)):
        waiting += path.joined[w] - path.completed[w]
        monthly[COMPLETED, calendar.month[w]] += path.completed[w]
        monthly[BACKLOG, calendar.month[w]] = max(waiting, 0.0)
    for y in range(yearly.shape[1]):
        for g in range(len(whole)):
            yearly[OVER_DUE, y] += whole[g] * flow.over[y, g]
        yearly[OVER_DUE, y] = max(yearly[OVER_DUE, y], 0.0)
    for g in range(len(whole)):
        for s in range(served.shape[1]):
            if served[g, s] > 0.0:
                for a in range(amount.shape[1]):
                    by_age[PLANNED, calendar.stretch_year[s], a] += served[g, s] * amount[g, a] * (1.0 - no_plan[s, a])


@compiled
def pipeline_paths(
    first: int,
    stop: int,
    requests: FloatArray,
    opening: FloatArray,
    shifts: FloatArray,
    rates: Rates,
    flow: Flow,
    calendar: Calendar,
    results: Results,
) -> None:
    """Run paths `first` to `stop` and fill their part of `results`, which is zero before.

    Parameters
    ----------
    requests : ndarray (P, Y + 1, A)
        The opening undecided, then requests of each year.
    opening : ndarray (2, A)
        The opening assessments, and overturned refusals of before the start.
    shifts : ndarray (P, 3, Y)
        What a path adds to the logits of refusal, withdrawal and no plan.
    """
    n_groups, n_stretches, ages = 2 * len(flow.source) + 2, len(calendar.stretch_year), requests.shape[2]
    weeks = len(calendar.year)
    path = Path(
        np.empty((3, n_stretches, ages)),
        np.empty((n_groups, ages)),
        np.empty(n_groups),
        np.empty((n_groups, n_stretches)),
        np.empty((n_groups, n_stretches)),
        np.empty(weeks),
        np.empty(weeks),
    )
    for p in range(first, stop):
        monthly, yearly, by_age = results.monthly[p], results.yearly[p], results.by_age[p]
        path.served[:] = 0.0
        years = calendar.stretch_year
        set_rates(rates.refusal, rates.withdrawal, rates.no_plan, rates.fixed, years, shifts[p], path.rates)
        decide(path, requests[p], opening, rates.overturned, flow, years, yearly, by_age)
        enter(path, flow, calendar, monthly, yearly)
        complete(path, flow, calendar, monthly)
        serve(path, flow, calendar, monthly, yearly)
        count(path, flow, calendar, monthly, yearly, by_age)
