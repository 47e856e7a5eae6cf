"""From request to plan: conservation, capacity, overrides, published facts, and a case-by-case oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.ehc.figures import Figures
from forecast.ehc.lags import Lags, fitted_lags
from forecast.ehc.opening import Opening, fitted_opening, opening_of
from forecast.ehc.rates import StageRates, Wander, WeeklyRates, fitted_rates, request_mix
from forecast.ehc.stages import StageFlows, run_stages
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks, weeks_of
from forecast.errors import SpecError
from forecast.panel import FloatArray
from tests.ehc.one_by_one import OneByOne

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
    times: FloatArray | None = None,
    capacity: FloatArray | None = None,
) -> StageFlows:
    return run_stages(
        requests,
        weeks=weeks,
        rates=rates or plain_rates().by_week(weeks),
        lags=lags,
        opening=opening or opened(weeks, lags),
        times=times,
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
    for name in ("agreed", "requests"):
        by_year = flows.monthly[name].reshape(*flows.agreed.shape, 12).sum(axis=2)
        np.testing.assert_allclose(getattr(flows, name), by_year, atol=1e-9)


def assert_possible(flows: StageFlows) -> None:
    arrays = {name: each for name, each in vars(flows).items() if isinstance(each, np.ndarray)} | flows.monthly
    for name, each in arrays.items():
        assert (each >= 0).all(), name
    slack = 1e-9
    assert (flows.within_20_weeks <= flows.timed + slack).all()
    assert (flows.timed <= flows.issued + slack).all()
    assert (flows.over_20_weeks_end <= flows.assessing_end + 1e-6).all()
    assert (flows.decided_within_6 <= flows.decided + slack).all()


def timeliness(flows: StageFlows) -> FloatArray:
    return np.asarray(flows.within_20_weeks / flows.timed)


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
    lags = Lags(shares[0], shares[1], min(shares[1] + (1 - shares[1]) * (1 - shares[2]), 1.0))
    opening = opened(weeks, lags, undecided=open_cases[0], assessing=open_cases[1])
    possible = plain_rates(refusal, withdrawal, no_plan, overturned, sd=0.5)
    possible = replace(possible, withdrawal=np.minimum(possible.withdrawal, 1 - possible.refusal))
    limits = None
    if capacity is not None:
        limits = months(weeks, capacity[0])
        limits[: capacity[1]] = np.inf
    flows = run(
        requests_of(weeks, level=level, seed=seed),
        weeks=weeks,
        rates=possible.by_week(weeks),
        lags=lags,
        opening=opening,
        capacity=limits,
    )
    assert_conserved(flows, opening)
    assert_possible(flows)
    if limits is not None:
        assert (flows.monthly["completed"] <= limits + 1e-9).all()
        assert (flows.monthly["issued"] <= limits + 1e-9).all()


@pytest.mark.parametrize("limit", ["none", "from the start", "from May"])
@pytest.mark.parametrize("lags", [Lags(0.8, 0.3, 0.9), Lags(0.3, 0.9, 1.0)])
@pytest.mark.parametrize("open_cases", [(30.0, 60.0), (100.0, 400.0)])
def test_each_case_followed_on_its_own_gives_the_same(limit: str, lags: Lags, open_cases: tuple[float, float]) -> None:
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
    opening = opened(weeks, lags, undecided=open_cases[0], assessing=open_cases[1])
    capacity = None if limit == "none" else months(weeks, 34.0)
    if capacity is not None and limit == "from May":
        capacity[:4] = np.inf
    times = np.where((weeks.thursdays >= pd.Timestamp("2025-03-01"))[:, None], [1.3, 0.9], 1.0)
    flows = run(requests, weeks=weeks, rates=rates, lags=lags, opening=opening, times=times, capacity=capacity)
    slow = OneByOne(requests[0], weeks, rates, lags, opening, times, capacity).told()
    for name, found in (
        ("refused", flows.refused),
        ("agreed", flows.agreed),
        ("in_six_weeks", flows.decided_within_6),
        ("overturned", flows.overturned),
        ("completed", flows.completed),
        ("issued", flows.issued),
        ("issued_by_age", flows.issued_by_age),
        ("within", flows.within_20_weeks),
        ("waiting", flows.assessing_end),
        ("over", flows.over_20_weeks_end),
    ):
        np.testing.assert_allclose(found[0], slow[name], rtol=1e-7, atol=1e-7, err_msg=name)


def without_opening(weeks: Weeks, lags: Lags) -> Opening:
    nothing = np.zeros(2)
    return opening_of(weeks, lags, undecided=nothing, assessing=nothing, requested=0.0, agreed=0.0)


def test_an_even_year_on_time_is_what_a_pencil_says() -> None:
    weeks = weeks_of(2024, 2024, profile="even")
    rates = plain_rates(0.25, 0.0, 0.0, 0.0).by_week(
        weeks, lambda n, base: np.full_like(base, 0.25 if n == "refusal" else 0)
    )
    requests = np.array([[[5_200.0, 0.0]]])
    flows = run(requests, weeks=weeks, rates=rates, lags=ON_TIME, opening=without_opening(weeks, ON_TIME))
    # 100 a week. Undecided: all of the last week, 5 in 6 of the one before, and so on.
    assert flows.undecided_end[0, 0] == pytest.approx(100 * (6 + 5 + 4 + 3 + 2 + 1) / 6)
    assert flows.refused[0, 0] == pytest.approx(0.25 * (5_200 - 350))
    # In progress: 75 agreed a week for the 14.5 - 3.5 weeks between decision and plan.
    assert flows.assessing_end[0, 0] == pytest.approx(75 * 11)
    assert flows.issued[0, 0] == pytest.approx(0.75 * (5_200 - 350) - 75 * 11)
    assert timeliness(flows)[0, 0] == pytest.approx(1.0)
    assert flows.decided_within_6[0, 0] == pytest.approx(5_200 - 350)
    assert flows.over_20_weeks_end[0, 0] == pytest.approx(0.0, abs=1e-9)
    assert flows.monthly["decisions_due"][0, 6] == pytest.approx(100)
    assert flows.monthly["plans_due"][0, 6] == pytest.approx(75)


def test_a_queue_under_capacity_is_what_a_pencil_says() -> None:
    weeks = weeks_of(2024, 2026, profile="even")
    nothing = plain_rates(0.0, 0.0, 0.0, 0.0).by_week(weeks)
    requests = np.array([[[5_200.0, 0.0], [5_200.0, 0.0], [5_300.0, 0.0]]])
    opening = without_opening(weeks, ON_TIME)
    flows = run(requests, weeks=weeks, rates=nothing, lags=ON_TIME, opening=opening, capacity=months(weeks, 260.0))
    # 100 come a week and about 60 go: 40 a week are added to those the process holds anyway.
    assert flows.completed[0, 1:] == pytest.approx([3_120, 3_120])
    assert np.diff(flows.assessing_end[0])[0] == pytest.approx(5_200 - 3_120)
    assert timeliness(flows)[0, 0] > 0.4
    assert timeliness(flows)[0, 1:] == pytest.approx([0.0, 0.0])


def test_no_capacity_at_all_completes_nothing() -> None:
    weeks = weeks_of(2024, 2026)
    flows = run(requests_of(weeks), weeks=weeks, capacity=months(weeks, 0.0))
    assert not flows.completed.any()
    assert not flows.timed.any()
    assert_conserved(flows, opened(weeks))


def test_ample_capacity_is_an_area_on_time() -> None:
    weeks = weeks_of(2024, 2026)
    requests = requests_of(weeks)
    opening = opened(weeks, ON_TIME, assessing=60.0)  # no more than the process holds
    ample = run(requests, weeks=weeks, lags=ON_TIME, opening=opening, capacity=months(weeks, 1e6))
    unlimited = run(requests, weeks=weeks, lags=ON_TIME, opening=opening)
    np.testing.assert_allclose(ample.issued_by_age, unlimited.issued_by_age, rtol=1e-9)
    np.testing.assert_allclose(ample.within_20_weeks, unlimited.within_20_weeks, rtol=1e-9)
    np.testing.assert_allclose(ample.over_20_weeks_end, unlimited.over_20_weeks_end, atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(low=st.floats(0.0, 60.0), more=st.floats(0.0, 40.0), seed=st.integers(0, 100))
def test_more_capacity_is_never_worse(low: float, more: float, seed: int) -> None:
    weeks = weeks_of(2024, 2026)
    requests = requests_of(weeks, seed=seed)
    poor = run(requests, weeks=weeks, capacity=months(weeks, low))
    rich = run(requests, weeks=weeks, capacity=months(weeks, low + more))
    for name in ("completed", "within_20_weeks"):
        less, greater = (np.cumsum(each.monthly[name], axis=1) for each in (poor, rich))
        assert (greater >= less - 1e-6).all(), name
    assert (rich.monthly["backlog"] <= poor.monthly["backlog"] + 1e-6).all()
    assert (rich.over_20_weeks_end <= poor.over_20_weeks_end + 1e-6).all()


def test_what_the_lags_cannot_hold_is_worked_off_evenly_over_three_years_and_late() -> None:
    weeks = weeks_of(2024, 2028)
    nothing = np.zeros((1, 5, 2))
    rates = plain_rates(0.0, 0.0, 0.0, 0.0).by_week(weeks)
    opening = replace(opened(weeks, undecided=0.0, assessing=900.0), appeals=np.zeros(2))
    flows = run(nothing, weeks=weeks, rates=rates, opening=opening)
    held = 900 * (1 - opening.assessing_excess.sum())
    excess = 900 - held
    assert 100 < held < 250
    assert flows.completed[0, 0] == pytest.approx(held + excess / 3, rel=0.01)
    assert flows.completed[0, 1:] == pytest.approx([excess / 3, excess / 3, 0.0, 0.0], rel=0.03, abs=1e-9)
    assert flows.completed.sum() == pytest.approx(900)
    assert flows.within_20_weeks[0, 1:].max() == 0
    none_held = replace(opening, assessing_excess=opening.assessing_weeks)
    late = run(nothing, weeks=weeks, rates=rates, opening=none_held)
    assert late.within_20_weeks.max() == 0
    assert late.completed[0, :3] == pytest.approx([300.0] * 3)


def test_undecided_requests_that_the_lags_cannot_hold_are_decided_evenly_and_late() -> None:
    weeks = weeks_of(2024, 2028)
    nothing = np.zeros((1, 5, 2))
    rates = plain_rates(0.0, 0.0, 0.0, 0.0).by_week(weeks)
    opening = replace(opened(weeks, undecided=300.0, assessing=0.0), appeals=np.zeros(2))
    excess = 300 * float(opening.undecided_excess.sum())
    assert 200 < excess < 280
    flows = run(nothing, weeks=weeks, rates=rates, opening=opening)
    assert flows.decided[0] == pytest.approx(
        [300 - excess * 2 / 3, excess / 3, excess / 3, 0.0, 0.0], rel=0.01, abs=1e-9
    )
    assert flows.decided.sum() == pytest.approx(300)
    none_held = replace(opening, undecided_excess=opening.undecided_weeks)
    late = run(nothing, weeks=weeks, rates=rates, opening=none_held)
    assert late.decided_within_6.max() == 0
    assert late.within_20_weeks.max() == 0
    assert late.completed.sum() == pytest.approx(300)


def test_even_an_excess_asked_for_lately_is_late() -> None:
    weeks = weeks_of(2024, 2028)
    rates = plain_rates(0.0, 0.0, 0.0, 0.0).by_week(weeks)
    lately = np.zeros(EARLIER_WEEKS)
    lately[-3] = 1.0
    opening = replace(
        opened(weeks, undecided=100.0, assessing=100.0),
        appeals=np.zeros(2),
        undecided_weeks=lately,
        assessing_weeks=lately,
        undecided_excess=lately,
        assessing_excess=lately,
    )
    flows = run(np.zeros((1, 5, 2)), weeks=weeks, rates=rates, opening=opening)
    assert flows.completed.sum() == pytest.approx(200)
    assert flows.decided_within_6.max() == 0
    assert flows.within_20_weeks.max() == 0
    slow = OneByOne(np.zeros((5, 2)), weeks, rates, LAGS, opening, np.ones((len(weeks.year), 2)), capacity=None).told()
    np.testing.assert_allclose(flows.completed[0], slow["completed"], rtol=1e-7)


def test_under_a_capacity_the_excess_queues_like_any_case() -> None:
    weeks = weeks_of(2024, 2025)
    opening = opened(weeks, assessing=900.0)
    spread, plain = (
        run(requests_of(weeks), weeks=weeks, opening=each, capacity=months(weeks, 40.0))
        for each in (opening, replace(opening, assessing_excess=np.zeros(len(opening.assessing_excess))))
    )
    for name, each in plain.monthly.items():
        np.testing.assert_allclose(spread.monthly[name], each, rtol=1e-9, atol=1e-9, err_msg=name)


def test_unused_capacity_is_not_carried_into_the_next_month() -> None:
    weeks = weeks_of(2024, 2025)
    capacity = months(weeks, 1_000.0)
    capacity[14] = 5.0
    flows = run(requests_of(weeks), weeks=weeks, capacity=capacity)
    assert flows.monthly["completed"][:, 14] == pytest.approx([5.0] * 3)


def test_until_a_capacity_begins_the_areas_own_lag_carries_on() -> None:
    weeks = weeks_of(2024, 2026)
    requests = requests_of(weeks)
    capacity = months(weeks, 20.0)
    capacity[:15] = np.inf
    limited, free = run(requests, weeks=weeks, capacity=capacity), run(requests, weeks=weeks)
    for name in ("completed", "issued", "backlog", "within_20_weeks"):
        np.testing.assert_allclose(limited.monthly[name][:, :15], free.monthly[name][:, :15], rtol=1e-9)
    assert limited.monthly["completed"][:, 15:].max() <= 20 + 1e-9


def test_more_refusal_means_fewer_plans_by_what_arithmetic_says() -> None:
    weeks = weeks_of(2024, 2026)
    requests = requests_of(weeks)
    opening = opened(weeks, assessing=0.0)
    opening = replace(opening, appeals=np.zeros(2))
    plain, strict = (
        run(requests, weeks=weeks, rates=plain_rates(refusal, 0.02, 0.06, 0.0).by_week(weeks), opening=opening)
        for refusal in (0.2, 0.3)
    )
    kept = (1 - np.array([0.3, 0.45]) - [0.02, 0.03]) / (1 - np.array([0.2, 0.3]) - [0.02, 0.03])
    np.testing.assert_allclose(strict.issued_by_age, plain.issued_by_age * kept, rtol=1e-9)
    np.testing.assert_allclose(strict.refused_by_age, plain.refused_by_age * 1.5, rtol=1e-9)


def test_a_refusal_rate_from_a_date_changes_only_what_is_decided_from_then() -> None:
    weeks = weeks_of(2024, 2026)
    requests = requests_of(weeks)
    from_then = weeks.thursdays >= pd.Timestamp("2025-06-01")

    def change(name: str, base: FloatArray) -> FloatArray:
        return np.where(from_then[:, None], 0.5, base) if name == "refusal" else base

    rates = plain_rates(overturned=0.0)
    plain = run(requests, weeks=weeks, rates=rates.by_week(weeks))
    changed = run(requests, weeks=weeks, rates=rates.by_week(weeks, change))
    for name, each in plain.monthly.items():
        np.testing.assert_array_equal(changed.monthly[name][:, :17], each[:, :17], err_msg=name)
    agreed, before = changed.monthly["agreed"][:, 17:], plain.monthly["agreed"][:, 17:]
    by_age = np.array([0.7 * (1 - 0.2 - 0.02), 0.3 * (1 - 0.3 - 0.03)])
    then = 0.7 * (1 - 0.5 - 0.02) + 0.3 * (1 - 0.5 - 0.03)
    np.testing.assert_allclose(agreed, before * then / by_age.sum(), rtol=1e-9)
    np.testing.assert_allclose(changed.decided, plain.decided, rtol=1e-12)


def test_more_requests_from_a_date_come_from_then_only() -> None:
    weeks = weeks_of(2024, 2026)
    requests = requests_of(weeks)
    times = np.where((weeks.thursdays >= pd.Timestamp("2025-06-01"))[:, None], [1.5, 1.0], 1.0)
    plain, more = run(requests, weeks=weeks), run(requests, weeks=weeks, times=times)
    for name, each in plain.monthly.items():
        np.testing.assert_allclose(more.monthly[name][:, :17], each[:, :17], rtol=1e-12, err_msg=name)
    # Of the first age, seven in ten of the requests, there are half as many again.
    np.testing.assert_allclose(more.monthly["requests"][:, 17:], plain.monthly["requests"][:, 17:] * 1.35, rtol=1e-9)
    np.testing.assert_allclose(more.requests_by_age[:, 2], plain.requests_by_age[:, 2] * [1.5, 1.0], rtol=1e-9)
    np.testing.assert_allclose(more.requests_by_age.sum(axis=2), more.requests, rtol=1e-9)
    assert_conserved(more, opened(weeks))


def test_overturned_refusals_add_plans_half_a_year_later() -> None:
    weeks = weeks_of(2024, 2027, profile="even")
    requests = np.tile([700.0, 300.0], (1, 4, 1))
    opening = replace(opened(weeks), appeals=np.zeros(2))
    none, some = (
        run(requests, weeks=weeks, rates=plain_rates(overturned=share).by_week(weeks), opening=opening)
        for share in (0.0, 0.25)
    )
    np.testing.assert_array_equal(none.agreed, some.agreed)
    assert not none.overturned.any()
    # In a steady state a quarter of the refused come back; in the first year those refused before July.
    assert some.overturned[0, 2] == pytest.approx(0.25 * none.refused[0, 2], rel=0.01)
    assert some.overturned[0, 0] == pytest.approx(0.25 * none.refused[0, 0] / 2, rel=0.1)
    gain = (some.issued_by_age - none.issued_by_age)[0, 3]
    np.testing.assert_allclose(gain, 0.25 * none.refused_by_age[0, 3] * (1 - np.array([0.06, 0.09])), rtol=0.02)
    # They count neither as in time nor as late, as published timeliness leaves them out.
    np.testing.assert_allclose(timeliness(some), timeliness(none), rtol=1e-9)


def test_fixed_rates_are_the_same_on_every_path_and_others_wander() -> None:
    weeks = weeks_of(2024, 2026)
    requests = np.tile([350.0, 150.0], (300, 3, 1))
    rates = plain_rates(sd=0.5)
    free = run(requests, weeks=weeks, rates=rates.by_week(weeks))
    fixed = run(
        requests,
        weeks=weeks,
        rates=rates.by_week(weeks, lambda name, base: np.full_like(base, 0.2) if name == "refusal" else base),
    )
    assert np.ptp(fixed.refused, axis=0).max() < 1e-9
    share = free.refused / free.decided
    assert 0.05 < share[:, 0].std() < share[:, 2].std()
    assert np.median(share[:, 2]) == pytest.approx((0.7 * 0.2 + 0.3 * 0.3), abs=0.02)


def test_threads_and_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    weeks = weeks_of(2024, 2025)
    requests = requests_of(weeks, paths=150)
    rates = plain_rates(sd=0.5).by_week(weeks)
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("FORECAST_THREADS", threads)
        found.append(run(requests, weeks=weeks, rates=rates, capacity=months(weeks, 30.0)))
    for name, each in found[0].monthly.items():
        np.testing.assert_array_equal(each, found[1].monthly[name])
    np.testing.assert_array_equal(found[0].issued_by_age, found[1].issued_by_age)


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        (np.ones((2, 3, 2)), "2 years"),
        (np.ones((2, 2)), "2 years"),
        (np.full((2, 2, 2), -1.0), "negative"),
        (np.full((2, 2, 2), np.nan), "missing"),
    ],
)
def test_requests_that_cannot_be_are_refused(requests: FloatArray, words: str) -> None:
    weeks = weeks_of(2024, 2025)
    with pytest.raises(SpecError, match=words):
        run(requests, weeks=weeks)


@pytest.mark.parametrize(
    ("capacity", "words"),
    [
        (np.full(12, 5.0), "24 figures"),
        (np.full(24, -5.0), "24 figures"),
        (np.full(24, np.nan), "24 figures"),
        (np.array([5.0] * 20 + [np.inf] * 4), "2025-12"),
    ],
)
def test_a_capacity_that_cannot_be_is_refused(capacity: FloatArray, words: str) -> None:
    weeks = weeks_of(2024, 2025)
    with pytest.raises(SpecError, match=words):
        run(requests_of(weeks), weeks=weeks, capacity=capacity)


def test_stockport_agreed_more_assessments_than_it_completed() -> None:
    figures = Figures.bundled()
    assert figures.line("decided_to_assess", STOCKPORT)[2023] == 622
    assert figures.line("assessments_completed", STOCKPORT)[2023] == 441


@pytest.mark.parametrize(("profile", "off_by"), [("even", 0.12), ("school_days", 0.18)])
def test_the_fall_of_stockports_timeliness_follows_from_its_requests_and_capacity(profile: str, off_by: float) -> None:
    figures = Figures.bundled()
    line = {name: figures.line(name, STOCKPORT) for name in ("requests", "requests_refused", "assessments_completed")}
    refusal = line["requests_refused"] / line["requests"]
    refusal[2023] = 106 / (106 + 622)
    published = figures.line("plans_20_week_within", STOCKPORT) / figures.line("plans_20_week_den", STOCKPORT)
    found = {}
    # From the assessments published as in progress at the ends of 2020 and, the last time, 2021.
    for first, last in ((2021, 2021), (2022, 2023)):
        known = figures.until(first - 1)
        weeks = weeks_of(first, last, profile=profile)
        rates = fitted_rates(known, STOCKPORT)
        lags = Lags(744 / 771, fitted_lags(known, STOCKPORT).issued_within_20, 0.95)
        years = list(weeks.years)
        asked = line["requests"][years].to_numpy()[:, None] * request_mix(figures, STOCKPORT)
        in_year = refusal[years].to_numpy()[weeks.year]

        def change(name: str, base: FloatArray, in_year: FloatArray = in_year) -> FloatArray:
            return np.repeat(in_year[:, None], base.shape[1], axis=1) if name == "refusal" else base

        flows = run_stages(
            asked[None],
            weeks=weeks,
            rates=replace(rates, wander={}).by_week(weeks, change),
            lags=lags,
            opening=fitted_opening(known, STOCKPORT, weeks=weeks, rates=rates, lags=lags),
            capacity=np.repeat(line["assessments_completed"][years].to_numpy() / 12, 12),
            rng=np.random.default_rng(1),
        )
        found |= dict(zip(years, timeliness(flows)[0], strict=True))
    assert [round(float(published[year]), 3) for year in found] == [0.941, 0.494, 0.098]
    assert found[2021] == pytest.approx(published[2021], abs=off_by)
    assert found[2022] == pytest.approx(published[2022], abs=0.1)
    assert found[2023] == pytest.approx(published[2023], abs=0.1)
