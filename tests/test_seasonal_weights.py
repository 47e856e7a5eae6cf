"""Weights of seasonal members: by kind of series at first, then a little by what did well, pool by pool."""

import numpy as np
import pytest

from forecast.auto import SEASONAL_MEMBERS, combine
from forecast.evaluate.origins import RollingPoints, origins_to_run
from forecast.models import get
from forecast.seasonal_weights import (
    FIRST_YEAR_MEMBERS,
    LONG_MEMBERS,
    SECOND_YEAR_MEMBERS,
    SPARSE_MEMBER,
    best_mean,
    pool_weights,
    prior_weights,
    seasonal_weights,
)
from tests.panels import window

HORIZON = 6


def rolling(values, *, pools=None, errors=None, freq="MS") -> RollingPoints:
    """Points of all members, each off by its own stated noise at every origin."""
    made = window(values, freq)
    if pools is not None:
        object.__setattr__(made, "pools", np.asarray(pools))
    ends, _ = origins_to_run(made, horizon=HORIZON, origins=0)
    ahead = np.hstack([made.values, np.repeat(made.values[:, -1:], HORIZON, axis=1)])
    outturn = np.stack([ahead[:, end : end + HORIZON] for end in ends])
    rng = np.random.default_rng(0)
    sizes = {name: (errors or {}).get(name, 10.0) for name in SEASONAL_MEMBERS}
    points = {name: np.maximum(outturn + size * rng.standard_normal(outturn.shape), 0) for name, size in sizes.items()}
    return RollingPoints(made, ends, points, {})


def counts(n: int = 10, length: int = 60, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).poisson(50, (n, length)).astype(float)


def combined(made: RollingPoints):
    return combine(made, {name: get(name) for name in SEASONAL_MEMBERS})


def shares(weights: np.ndarray, names) -> dict[str, float]:
    return {name: round(float(w), 6) for name, w in zip(SEASONAL_MEMBERS, weights, strict=True) if name in names}


def test_long_series_start_from_the_equal_mean_of_the_engine():
    made = rolling(counts(3))
    combination = combined(made)
    first = combination.weights[:, 0, 0]
    assert shares(first, LONG_MEMBERS) == dict.fromkeys(LONG_MEMBERS, round(1 / 10, 6))
    assert first.sum() == pytest.approx(1)
    assert combination.reasons()[0] == "10 members, the most theta_shrunk 0.10; equal weights"
    np.testing.assert_allclose(combination.points[-1], np.mean([made.points[m][-1] for m in LONG_MEMBERS], axis=0))


def test_short_series_take_members_that_need_no_season():
    values = counts(3, 30)
    values[1, :10] = np.nan
    values[2, :20] = np.nan
    weights = prior_weights(rolling(values).window, SEASONAL_MEMBERS)[:, :, 0]
    assert set(shares(weights[:, 0], LONG_MEMBERS).values()) == {round(1 / 10, 6)}
    for row, members in ((1, SECOND_YEAR_MEMBERS), (2, FIRST_YEAR_MEMBERS)):
        assert {name for name, w in zip(SEASONAL_MEMBERS, weights[:, row], strict=True) if w > 0} == set(members)
    np.testing.assert_allclose(weights.sum(axis=0), 1)


def test_sparse_counts_take_the_sparse_mean_by_their_share_of_zeros():
    values = counts(3)
    values[1, ::4] = 0
    values[2, ::2] = 0
    weights = prior_weights(rolling(values).window, SEASONAL_MEMBERS)[:, :, 0]
    sparse = weights[SEASONAL_MEMBERS.index(SPARSE_MEMBER)]
    assert sparse[0] == 0
    assert sparse[1] == pytest.approx(0.25 / 0.4, abs=0.03)
    assert sparse[2] == 1
    np.testing.assert_allclose(weights.sum(axis=0), 1)


def test_a_combination_of_other_models_is_equal():
    made = rolling(counts(3))
    assert prior_weights(made.window, ["naive", "drift"]).ravel().tolist() == [0.5] * 6


def test_a_pool_leans_to_the_member_that_did_well_and_calibrates_on_the_equal_mean():
    made = rolling(counts(60), errors={"ets_log": 1.0})
    combination = combined(made)
    best = combination.weights[SEASONAL_MEMBERS.index("ets_log"), :, 0]
    assert (best > 0.5).all()
    assert (best < 0.8).all()
    assert combination.origins.tolist() == [2] * 60
    few = combined(rolling(counts(8), errors={"ets_log": 1.0})).weights[SEASONAL_MEMBERS.index("ets_log"), :, 0]
    assert (few > 0.15).all()
    assert (few < 0.4).all()
    assert combination.reasons()[0].startswith("10 members, the most ets_log 0.")
    assert combination.reasons()[0].endswith("; weights from 2 past origins")
    equal = np.mean([made.points[m] for m in LONG_MEMBERS], axis=0)
    np.testing.assert_allclose(combination.calibrating, equal)
    assert not np.allclose(combination.points[-1], equal[-1])
    np.testing.assert_allclose(combination.points[0], equal[0])


@pytest.mark.parametrize(("n", "length"), [(7, 60), (10, 41)])
def test_few_series_or_few_cycles_stay_equal(n, length):
    combination = combined(rolling(counts(n, length), errors={"ets_log": 1.0}))
    assert combination.weights[SEASONAL_MEMBERS.index("ets_log"), 0, 0] == pytest.approx(1 / 10)
    assert combination.origins.tolist() == [0] * n


def test_pools_are_weighed_apart():
    values = counts(20)
    pools = np.repeat([0, 1], 10)
    made = rolling(values, pools=pools)
    before = combined(made).weights
    late = [k for k, end in enumerate(made.ends) if end < 60]
    made.points["ets_sqrt"][np.ix_(late, np.arange(10))] = made.outturn()[np.ix_(late, np.arange(10))]
    after = combined(made).weights
    np.testing.assert_array_equal(before[:, 10:], after[:, 10:])
    assert (after[SEASONAL_MEMBERS.index("ets_sqrt"), :10] > before[SEASONAL_MEMBERS.index("ets_sqrt"), :10]).all()


def test_weights_see_no_outturn_after_their_origin():
    made = rolling(counts())
    first = [seasonal_weights(made, SEASONAL_MEMBERS, k)[0] for k in range(3)]
    made.window.values[:, 57:] = 1e6
    changed = [seasonal_weights(made, SEASONAL_MEMBERS, k)[0] for k in range(3)]
    assert made.ends == (54, 57, 60)
    for k in range(2):
        np.testing.assert_array_equal(first[k], changed[k])
    assert not np.array_equal(first[2], changed[2])


def test_series_too_short_at_the_past_origins_stay_equal_and_do_not_count():
    values = counts(70)
    values[:10, :40] = np.nan
    made = rolling(values, errors={"ets_log": 1.0})
    made.points["ets_sqrt"][:, :10] = 1e6
    weights = combined(made).weights
    assert weights[SEASONAL_MEMBERS.index("ets_log"), 10, 0] > 0.5
    assert set(np.unique(weights[:, :10].round(6))) == {0.0, round(1 / 6, 6)}
    made.points["ets_sqrt"][:, :10] = 0.0
    np.testing.assert_array_equal(combined(made).weights[:, 10:], weights[:, 10:])


def test_each_third_of_the_horizon_has_its_own_weights():
    errors = np.ones((2, 30, 6))
    errors[0, :, :2] = errors[1, :, 4:] = 0.1
    weights = pool_weights(errors, 1000)
    np.testing.assert_allclose(weights.sum(axis=0), 1)
    assert (weights[0, :2] > 0.8).all()
    np.testing.assert_allclose(weights[0, 2:4], 0.5)
    assert (weights[0, 4:] < 0.2).all()
    assert pool_weights(np.ones((2, 5, 1)), 5).ravel().tolist() == [0.5, 0.5]


def test_the_best_mean_beats_the_equal_one_and_every_member():
    rng = np.random.default_rng(4)
    common, errors = rng.standard_normal(400), rng.standard_normal((4, 400))
    errors[0] += 2 * common
    errors[1] -= 2 * common
    errors[2:] *= 6
    weights = best_mean(errors)
    loss = np.abs(weights @ errors).mean()
    assert weights.sum() == pytest.approx(1)
    assert loss < 0.8 * np.abs(errors.mean(axis=0)).mean()
    assert loss < np.abs(errors).mean(axis=1).min()
    trials = rng.dirichlet(np.ones(4), 2000)
    assert loss < 1.05 * np.abs(trials @ errors).mean(axis=1).min()


def test_without_errors_the_best_mean_is_equal():
    assert best_mean(np.zeros((4, 0))).tolist() == [0.25] * 4
    assert best_mean(np.zeros((2, 5))).tolist() == [0.5, 0.5]
