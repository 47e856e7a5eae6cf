"""The cohort's account: by hand, child by child, and on random inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.ehc.caseload import (
    CohortFlows,
    annual_reviews,
    phase_transfers,
    reconciled,
    run_cohort,
    scaled_adjustment,
)


def inputs(seed: int, *, paths: int = 4, years: int = 5, ages: int = 26) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "opening": rng.gamma(0.5, 100, ages),
        "new": rng.gamma(0.3, 30, (paths, years, ages)),
        "hazards": rng.uniform(0, 1.2, (years, ages)),
        "transfers": rng.uniform(0, 0.2, (paths, years, ages)),
        "residual": rng.normal(0, 0.5, ages),
    }


def assert_balanced(flows: CohortFlows, opening: np.ndarray) -> None:
    names = ("new", "ceased", "transfers", "residual", "adjustment")
    totals = {name: getattr(flows, name).sum(axis=2) for name in names}
    np.testing.assert_allclose(flows.stock[:, 0], np.broadcast_to(opening, flows.stock[:, 0].shape))
    change = totals["new"] - totals["ceased"] + totals["transfers"] + totals["residual"] + totals["adjustment"]
    np.testing.assert_allclose(flows.caseload[:, 1:], flows.caseload[:, :-1] + change, rtol=1e-9, atol=1e-6)
    assert min(array.min() for array in (flows.stock, flows.ceased, flows.new, flows.transfers)) >= 0
    by_age = (flows.stock[:, :-1] - flows.ceased)[..., :-1]
    came = (flows.new + flows.transfers + flows.residual + flows.adjustment)[..., 1:]
    np.testing.assert_allclose(flows.stock[:, 1:, 1:], by_age + came, rtol=1e-9, atol=1e-6)


def test_three_ages_by_hand():
    flows = run_cohort(
        np.array([100.0, 50.0, 10.0]),
        new=np.array([[[8.0, 20.0, 4.0]]]),
        hazards=np.array([0.1, 0.2, 0.0]),
        transfers=np.array([0.05, 0.0, 0.0]),
        residual=np.array([0.0, -0.02, 0.0]),
        target=np.array([[8 + 114.5 + 42.6 + 11]]),
    )
    # Exposed: 100 + 20 / 2 at age 0, 50 + 4 / 2 at 1; all of the oldest end.
    np.testing.assert_allclose(flows.ceased[0, 0], [11.0, 10.4, 10.0])
    np.testing.assert_allclose(flows.transfers[0, 0], [0.0, 5.5, 0.0])
    np.testing.assert_allclose(flows.residual[0, 0], [0.0, 0.0, -1.0])
    before = np.array([8.0, 100 - 11 + 20 + 5.5, 50 - 10.4 + 4 - 1])
    np.testing.assert_allclose(flows.adjustment[0, 0], 11 * before / before.sum())
    np.testing.assert_allclose(flows.stock[0, 1], before * (1 + 11 / before.sum()))


def by_loops(opening, new, hazards, transfers, residual):
    """The same account told age by age, independently."""
    paths, years, ages = new.shape
    stock = np.zeros((paths, years + 1, ages))
    for p in range(paths):
        stock[p, 0] = opening
        for y in range(years):
            for c in range(ages):
                n = new[p, y, c]
                if c == 0:
                    stock[p, y + 1, c] = n
                    continue
                held = stock[p, y, c - 1]
                risk = held + n / 2
                there = held - min(hazards[y, c - 1], 1) * risk + n + transfers[p, y, c - 1] * risk
                stock[p, y + 1, c] = max(there + residual[c - 1] * held, 0.0)
    return stock


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_account_agrees_with_loops(seed):
    given_ = inputs(seed)
    np.testing.assert_allclose(run_cohort(**given_).stock, by_loops(**given_), rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(-2000, 2000))
def test_account_balances_whatever_comes(seed, size):
    given_ = inputs(seed)
    plain = run_cohort(**given_)
    assert_balanced(plain, given_["opening"])
    assert not plain.adjustment.any()
    assert_balanced(run_cohort(adjustment=np.full((4, 5, 26), size / 26), **given_), given_["opening"])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), weight=st.floats(0, 1))
def test_reconciled_balances_and_lies_between(seed, weight):
    given_ = inputs(seed)
    alone = run_cohort(**given_).caseload[:, 1:]
    topdown = np.random.default_rng(seed + 1).gamma(20, alone.mean() / 20, alone.shape)
    flows = reconciled(topdown=topdown, weight=weight, **given_)
    assert_balanced(flows, given_["opening"])
    expected = np.exp((1 - weight) * np.log(alone) + weight * np.log(topdown))
    np.testing.assert_allclose(flows.caseload[:, 1:], expected, rtol=1e-9)


def test_no_weight_leaves_the_cohort_alone_and_full_weight_is_the_topdown():
    given_ = inputs(5)
    topdown = np.full((4, 5), 900.0)
    np.testing.assert_array_equal(reconciled(topdown=topdown, weight=0, **given_).stock, run_cohort(**given_).stock)
    np.testing.assert_allclose(reconciled(topdown=topdown, weight=1, **given_).caseload[:, 1:], topdown)


def test_adjustment_of_the_baseline_leads_to_the_baseline():
    given_ = inputs(6)
    flows = reconciled(topdown=np.full((4, 5), 900.0), **given_)
    again = run_cohort(adjustment=flows.adjustment, **given_)
    np.testing.assert_allclose(again.stock, flows.stock, rtol=1e-9)


def test_adjustment_takes_no_more_than_there_is():
    flows = run_cohort(adjustment=np.full((4, 5, 26), -1e9), **inputs(7))
    np.testing.assert_allclose(flows.stock[:, 1:], 0, atol=1e-9)


def test_more_ceasing_moves_the_caseload_by_the_arithmetic():
    given_ = inputs(8, years=1) | {"hazards": np.full(26, 0.1), "residual": np.zeros(26)}
    plain, changed = run_cohort(**given_), run_cohort(**(given_ | {"hazards": np.full(26, 0.15)}))
    at_risk = given_["opening"][:-1].sum() + given_["new"][:, 0, 1:].sum(axis=1) / 2
    np.testing.assert_allclose(plain.caseload[:, 1] - changed.caseload[:, 1], 0.05 * at_risk)


def test_a_child_more_stays_until_it_ceases():
    given_ = inputs(9) | {"hazards": np.full(26, 0.2), "transfers": np.zeros(26), "residual": np.zeros(26)}
    more = given_["new"].copy()
    more[:, 0, 4] += 10
    extra = run_cohort(**(given_ | {"new": more})).stock - run_cohort(**given_).stock
    np.testing.assert_allclose(extra[:, 1, 4], 10 - 0.2 * 5)
    np.testing.assert_allclose(extra[:, 3, 6], (10 - 0.2 * 5) * 0.8**2)
    np.testing.assert_allclose(extra.sum(axis=2)[:, 1:4], extra[:, [1, 2, 3], [4, 5, 6]])


def test_nobody_is_left_after_25():
    flows = run_cohort(**(inputs(10) | {"hazards": np.zeros(26)}))
    np.testing.assert_allclose(flows.ceased[..., -1], flows.stock[:, :-1, -1])


def test_adjustment_follows_the_number_of_new_plans():
    given_ = inputs(13)
    flows = reconciled(topdown=np.full((4, 5), 900.0), **given_)
    np.testing.assert_array_equal(scaled_adjustment(flows, given_["new"]), flows.adjustment)
    new = given_["new"].copy()
    new[1, 2] *= 0.5
    new[2, 3] = new[2, 3, ::-1] * 3
    new[3, 4] = 0
    scaled = scaled_adjustment(flows, new)
    np.testing.assert_allclose(scaled[1, 2], flows.adjustment[1, 2] / 2)
    np.testing.assert_allclose(scaled[2, 3], flows.adjustment[2, 3] * 3)
    assert not scaled[3, 4].any()
    scaled[1, 2], scaled[2, 3], scaled[3, 4] = flows.adjustment[1, 2], flows.adjustment[2, 3], flows.adjustment[3, 4]
    np.testing.assert_array_equal(scaled, flows.adjustment)


def test_adjustment_stays_where_the_baseline_has_no_new_plans():
    given_ = inputs(14)
    given_["new"][0, 1] = 0
    flows = reconciled(topdown=np.full((4, 5), 900.0), **given_)
    scaled = scaled_adjustment(flows, given_["new"] + 1)
    np.testing.assert_array_equal(scaled[0, 1], flows.adjustment[0, 1])
    assert (np.abs(scaled[0, 2]) > np.abs(flows.adjustment[0, 2])).any()


def test_reviews_are_one_a_plan_but_for_half_of_those_that_cease():
    stock, ceased = np.full((2, 4, 26), 10.0), np.full((2, 3, 26), 4.0)
    np.testing.assert_allclose(annual_reviews(stock, ceased), 26 * 8.0)


def test_phase_transfers_are_the_ages_before_the_move():
    stock = np.broadcast_to(np.arange(26.0), (3, 2, 26))
    found = phase_transfers(stock)
    assert {name: values[0, 0] for name, values in found.items()} == {
        "into school": 3,
        "primary to secondary": 10,
        "into post-16": 15,
    }
