"""From request to plan: conservation, capacity, overrides, published facts, and a case-by-case oracle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.ehc.ages import REQUEST_AGES
from forecast.ehc.figures import Figures
from forecast.ehc.flow import REJOIN
from forecast.ehc.lags import DECISION_DUE, PLAN_DUE, Lags, fitted_lags
from forecast.ehc.opening import Opening, fitted_opening, opening_of
from forecast.ehc.rates import StageRates, Wander, WeeklyRates, fitted_rates, request_mix
from forecast.ehc.stages import StageFlows, run_stages
from forecast.ehc.weeks import EARLIER_WEEKS, FloatArray, Weeks, weeks_of
from forecast.errors import SpecError

STOCKPORT = "E08000007"
LAGS = Lags(0.8, 0.5, 0.9)
ON_TIME = Lags(1.0, 1.0, 1.0)


def plain_rates(
    refusal: float = 0.2, withdrawal: float = 0.02, no_plan: float = 0.06, overturned: float = 0.1, sd: float = 0.0
) -> StageRates:
    def by_age(rate: float) -> FloatArray:
        return np.array([rate, min(1.5 * rate, 1.0)])

    wander = {"refusal": Wander(sd, 0.6), "no_plan": Wander(sd, 0.6)}
    return StageRates(by_age(refusal), by_age(withdrawal), by_age(no_plan), overturned, wander)


def opened(weeks: Weeks, lags: Lags = LAGS, *, undecided: float = 30.0, assessing: float = 150.0) -> Opening:
    return opening_of(
        weeks,
        lags,
        undecided=undecided * np.array([0.7, 0.3]),
        assessing=assessing * np.array([0.7, 0.3]),
        requested=500.0,
        agreed=390.0,
        appeals=np.array([3.0, 2.0]),
    )


def run(
    requests: FloatArray,
    *,
    weeks: Weeks,
    rates: WeeklyRates | None = None,
    lags: Lags = LAGS,
    opening: Opening | None = None,
    capacity: FloatArray | None = None,
) -> StageFlows:
    return run_stages(
        requests,
        weeks=weeks,
        rates=rates or plain_rates().by_week(weeks),
        lags=lags,
        opening=opening or opened(weeks, lags),
        capacity=capacity,
        rng=np.random.default_rng(5),
    )


def requests_of(weeks: Weeks, *, paths: int = 3, level: float = 500.0, seed: int = 1) -> FloatArray:
    moves = np.random.default_rng(seed).normal(0.0, 0.2, (paths, len(weeks.years), 1)).cumsum(axis=1)
    return level * np.exp(moves) * np.array([0.7, 0.3])


def months(weeks: Weeks, figure: float) -> FloatArray:
    return np.full(len(weeks.months), figure)


def assert_conserved(flows: StageFlows, opening: Opening) -> None:
    undecided = opening.undecided.sum() + np.cumsum(flows.requests - flows.decided, axis=1)
    np.testing.assert_allclose(undecided, flows.undecided_end, atol=1e-6)
    np.testing.assert_allclose(flows.decided, flows.refused + flows.withdrawn + flows.agreed, atol=1e-6)
    came = flows.agreed + flows.overturned
    open_cases = opening.assessing.sum() + np.cumsum(came - flows.completed, axis=1)
    np.testing.assert_allclose(open_cases, flows.assessing_end, atol=1e-6)
    np.testing.assert_allclose(flows.completed, flows.issued + flows.no_plan, atol=1e-6)
    np.testing.assert_allclose(flows.issued, flows.issued_by_age.sum(axis=2), atol=1e-6)
    np.testing.assert_allclose(flows.agreed, flows.monthly["agreed"].reshape(*flows.agreed.shape, 12).sum(axis=2))
    np.testing.assert_allclose(flows.requests, flows.monthly["requests"].reshape(*flows.agreed.shape, 12).sum(axis=2))


def assert_possible(flows: StageFlows) -> None:
    arrays = {name: each for name, each in vars(flows).items() if isinstance(each, np.ndarray)} | flows.monthly
    for name, each in arrays.items():
        assert (each >= 0).all(), name
    slack = 1e-9
    assert (flows.within_20_weeks <= flows.timed + slack).all()
    assert (flows.timed <= flows.issued + slack).all()
    assert (flows.over_20_weeks_end <= flows.assessing_end + 1e-6).all()
    assert (flows.decided_within_6 <= flows.decided + slack).all()


SHARE = st.floats(0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(
    shares=st.tuples(SHARE, SHARE, SHARE),
    refusal=SHARE,
    withdrawal=SHARE,
    no_plan=SHARE,
    overturned=SHARE,
    level=st.floats(0.0, 2_000.0),
    open_cases=st.tuples(st.floats(0.0, 300.0), st.floats(0.0, 2_000.0)),
    capacity=st.one_of(st.none(), st.tuples(st.floats(0.0, 100.0), st.integers(0, 23))),
    profile=st.sampled_from(["school_days", "even", (1.0,) + (0.0,) * 11]),
    seed=st.integers(0, 1_000),
)
def test_every_child_is_accounted_for(
    shares: tuple[float, float, float],
    refusal: float,
    withdrawal: float,
    no_plan: float,
    overturned: float,
    level: float,
    open_cases: tuple[float, float],
    capacity: tuple[float, int] | None,
    profile: str | tuple[float, ...],
    seed: int,
) -> None:
    weeks = weeks_of(2024, 2025, profile=profile)
    lags = Lags(shares[0], shares[1], 1 - (1 - shares[1]) * shares[2])
    opening = opened(weeks, lags, undecided=open_cases[0], assessing=open_cases[1])
    limits = None
    if capacity is not None:
        limits = months(weeks, capacity[0])
        limits[: capacity[1]] = np.inf
    flows = run(
        requests_of(weeks, level=level, seed=seed),
        weeks=weeks,
        rates=plain_rates(refusal, withdrawal, no_plan, overturned, sd=0.5).by_week(weeks),
        lags=lags,
        opening=opening,
        capacity=limits,
    )
    assert_conserved(flows, opening)
    assert_possible(flows)
    if limits is not None:
        assert (flows.monthly["completed"] <= limits + 1e-9).all()
        assert (flows.monthly["issued"] <= limits + 1e-9).all()


def cases_one_by_one(
    requests: FloatArray, weeks: Weeks, rates: WeeklyRates, lags: Lags, opening: Opening, capacity: FloatArray | None
) -> dict[str, FloatArray]:
    """Follow every fraction of a child, one path, on its own: slow, and knows neither groups nor stretches."""
    n_weeks, n_years, ages = len(weeks.year), len(weeks.years), requests.shape[1]
    limited = np.isfinite(capacity) if capacity is not None else np.zeros(len(weeks.months), dtype=bool)
    start = next((w for w in range(n_weeks) if limited[weeks.month[w]]), n_weeks)
    out = {name: np.zeros(n_years) for name in ("refused", "agreed", "overturned", "completed", "issued", "within")}
    out |= {"issued_by_age": np.zeros((n_years, ages)), "over": np.zeros(n_years), "waiting": np.zeros(n_years)}
    due: list[list[tuple[float, int, int, int, bool]]] = [[] for _ in range(n_weeks)]  # own lag
    queue: list[list[tuple[float, int, int, int, bool]]] = [[] for _ in range(n_weeks)]  # by week of readiness
    cases: list[tuple[float, int, int, int, bool, int]] = []
    triples = list(zip(*(each.tolist() for each in lags.ranked()), strict=True))

    def admit(size: float, age: int, asked: int, entered: int, ready: int, issued: int, timed: bool) -> None:
        if entered < n_weeks and size > 0:
            cases.append((size, age, asked, entered, timed, ready if issued >= start else -1_000_000 - issued))

    def rejoin(size: float, age: int, week: int) -> None:
        if week < n_weeks:
            out["overturned"][weeks.year[week]] += size
        for decision, ready, issue, chance in triples:
            admit(size * chance, age, -9_999, week, week + ready - decision, week + issue - decision, False)

    def ask(size: float, age: int, week: int) -> None:
        possible = [t for t in triples if week >= 0 or t[0] >= -week]
        whole = sum(t[3] for t in possible)
        for decision, ready, issue, chance in possible:
            at, part = week + decision, size * chance / whole
            if at >= n_weeks:
                continue
            refused = part * rates.refusal[at, age]
            agreed = part - refused - part * rates.withdrawal[at, age]
            out["refused"][weeks.year[at]] += refused
            out["agreed"][weeks.year[at]] += agreed
            admit(agreed, age, week, at, week + ready, week + issue, True)
            rejoin(refused * rates.overturned[at], age, at + REJOIN)

    for age in range(ages):
        for k in range(EARLIER_WEEKS):
            week = k - EARLIER_WEEKS
            if opening.undecided_weeks[k]:
                ask(opening.undecided[age] * opening.undecided_weeks[k], age, week)
            possible = [t for t in triples if t[0] < -week <= t[2]]
            for decision, ready, issue, chance in possible:
                size = opening.assessing[age] * opening.assessing_weeks[k] * chance / sum(t[3] for t in possible)
                admit(size, age, week, week + decision, week + ready, week + issue, True)
        for w in range(n_weeks):
            ask(requests[weeks.year[w], age] * weeks.share[w], age, w)
        made = np.convolve(weeks.earlier, lags.decision)[:EARLIER_WEEKS][-REJOIN:]
        for w in range(REJOIN):
            rejoin(opening.appeals[age] * made[w] / made.sum(), age, w)
    for size, age, asked, entered, timed, key in cases:
        if key <= -1_000_000:
            if -key - 1_000_000 < n_weeks:
                due[-key - 1_000_000].append((size, age, asked, entered, timed))
        elif key < n_weeks:
            queue[max(key, 0)].append((size, age, asked, key, timed))
    line: list[list[float | int | bool]] = []
    done_by_case: list[tuple[float, int, int]] = []

    def finish(size: float, age: int, asked: int, timed: bool, week: int) -> None:
        year = weeks.year[week]
        plans = size * (1 - rates.no_plan[week, age])
        out["completed"][year] += size
        out["issued"][year] += plans
        out["issued_by_age"][year, age] += plans
        out["within"][year] += plans if timed and week - asked <= PLAN_DUE else 0.0
        done_by_case.append((size, asked, week))

    used = 0.0
    for w in range(n_weeks):
        for size, age, asked, _, timed in due[w]:
            finish(size, age, asked, timed, w)
        line.extend([*case] for case in queue[w])
        if w < start:
            continue
        if w == start or weeks.month[w] != weeks.month[w - 1]:
            used = 0.0
        in_month = np.flatnonzero(weeks.month == weeks.month[w])
        may = capacity[weeks.month[w]] * (w - in_month[0] + 1) / len(in_month) - used  # type: ignore[index]
        # Those who became ready in the same week are served alike.
        line.sort(key=lambda case: case[3])
        while line and may > 1e-12:
            first = [case for case in line if case[3] == line[0][3]]
            waiting = sum(float(case[0]) for case in first)
            share = min(1.0, may / waiting)
            for case in first:
                finish(float(case[0]) * share, int(case[1]), int(case[2]), bool(case[4]), w)
                case[0] = float(case[0]) * (1 - share)
            used += waiting * share
            may -= waiting * share
            if share < 1:
                break
            line = line[len(first) :]
    for y in range(n_years):
        end = int(np.flatnonzero(weeks.year == y)[-1])
        inside = [(size, asked) for size, _, asked, entered, _, _ in cases if entered <= end]
        gone = [(size, asked) for size, asked, week in done_by_case if week <= end]
        out["waiting"][y] = sum(s for s, _ in inside) - sum(s for s, _ in gone)
        out["over"][y] = sum(s for s, a in inside if a < end - PLAN_DUE) - sum(s for s, a in gone if a < end - PLAN_DUE)
    return out


@pytest.mark.parametrize("limit", ["none", "from the start", "from May"])
@pytest.mark.parametrize("lags", [Lags(0.8, 0.3, 0.9), Lags(0.3, 0.9, 1.0)])
def test_each_case_followed_on_its_own_gives_the_same(limit: str, lags: Lags) -> None:
    weeks = weeks_of(2024, 2025)
    late = weeks.thursdays >= pd.Timestamp("2024-10-15")

    def change(name: str, base: FloatArray) -> FloatArray:
        base = base.copy()
        if name == "refusal":
            base[late, 0] = 0.4
        if name == "no_plan":
            base[late] *= 2.0
        if name == "overturned":
            base[late] = 0.3
        return base

    rates = plain_rates().by_week(weeks, change)
    requests = np.array([[[300.0, 100.0], [500.0, 250.0]]])
    opening = opened(weeks, lags)
    capacity = None if limit == "none" else months(weeks, 34.0)
    if capacity is not None and limit == "from May":
        capacity[:4] = np.inf
    flows = run(requests, weeks=weeks, rates=rates, lags=lags, opening=opening, capacity=capacity)
    slow = cases_one_by_one(requests[0], weeks, rates, lags, opening, capacity)
    for name, found in (
        ("refused", flows.refused),
        ("agreed", flows.agreed),
        ("overturned", flows.overturned),
        ("completed", flows.completed),
        ("issued", flows.issued),
        ("issued_by_age", flows.issued_by_age),
        ("within", flows.within_20_weeks),
        ("waiting", flows.assessing_end),
        ("over", flows.over_20_weeks_end),
    ):
        np.testing.assert_allclose(found[0], slow[name], rtol=1e-7, atol=1e-7, err_msg=name)
