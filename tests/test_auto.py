"""Auto: weights come from past origins only, add up to one, and are said in words."""

import numpy as np
import pytest

from forecast import models
from forecast.auto import ANNUAL_MEMBERS, SEASONAL_MEMBERS, combine, default_members
from forecast.evaluate.origins import RollingPoints
from forecast.models.base import Capability
from tests.panels import window

NAN = np.nan


class Stated:
    """A member that exists by its capability only: its points are given."""

    def __init__(self, *, pooled: bool = False):
        self.capability = Capability(min_history=1, pooled=pooled)


def rolling(values, errors: dict[str, float], *, horizon: int = 1, freq: str = "YS", first: int = 4) -> RollingPoints:
    """Points of members that are off by a stated share of the outturn at every origin."""
    made = window(values, freq)
    length = made.values.shape[1]
    ends = tuple(range(first, length + 1))
    ahead = np.hstack([made.values, np.repeat(made.values[:, -1:], horizon, axis=1)])
    outturn = np.stack([ahead[:, end : end + horizon] for end in ends])
    return RollingPoints(made, ends, {name: outturn * (1 + error) for name, error in errors.items()}, {})


def made(errors: dict[str, float], *, n: int = 3, pooled: tuple[str, ...] = (), length: int = 12, **more):
    values = 100.0 + np.arange(n)[:, None] + np.zeros(length)
    part = rolling(values, errors, **more)
    return combine(part, {name: Stated(pooled=name in pooled) for name in errors}), part


def test_weights_of_equal_members_are_equal_and_add_up_to_one():
    combination, part = made({"a": 0.1, "b": -0.1, "c": 0.1})
    np.testing.assert_allclose(combination.weights, 1 / 3)
    expected = np.mean([part.points[name] for name in "abc"], axis=0)
    np.testing.assert_allclose(combination.points, expected)


def test_the_better_member_gets_more_and_both_are_kept_when_close():
    combination, _ = made({"a": 0.104, "b": 0.1})
    a, b = combination.weights[:, 0, 0]
    assert 0.4 < a < b < 0.6
    assert a + b == pytest.approx(1)


def test_weights_by_hand():
    combination, _ = made({"a": 0.104, "b": 0.1})
    excess = np.log((0.1 + 1e-4) / (0.104 + 1e-4))
    by_loss = np.exp(-2 * excess) / (1 + np.exp(-2 * excess))
    assert combination.weights[1, 0, 0] == pytest.approx(0.25 + 0.5 * by_loss)


@pytest.mark.parametrize(("error", "kept"), [(0.1049, True), (0.1052, False), (0.3, False)])
def test_a_member_more_than_a_twentieth_worse_is_left_out(error, kept):
    combination, _ = made({"best": 0.1, "other": error})
    assert (combination.weights[1] > 0).all() == kept
    np.testing.assert_allclose(combination.weights.sum(axis=0), 1)


def test_without_past_origins_members_weigh_equally():
    combination, _ = made({"a": 0.1, "b": 0.4}, first=12)
    assert combination.weights[:, 0, 0].tolist() == [0.5, 0.5]
    assert combination.reasons()[0] == "a 0.50, b 0.50; weights from the prior"


def test_a_small_pool_has_nobody_to_learn_from():
    few, _ = made({"a": 0.1, "p": 0.1}, first=12, n=7, pooled=("p",))
    assert few.weights[:, 0, 0].tolist() == [0.5, 0.5]


def test_without_past_origins_annual_series_trust_the_pooled_model_of_growth():
    trusted, _ = made({"a": 0.1, "p": 0.1}, first=12, n=8, pooled=("p",))
    assert trusted.weights[:, 0, 0].tolist() == [0.0, 1.0]
    assert trusted.reasons()[0] == "p 1.00; weights from the prior"
    months, _ = made({"a": 0.1, "p": 0.1}, first=12, n=8, pooled=("p",), freq="MS")
    assert months.weights[:, 0, 0].tolist() == [0.5, 0.5]


def test_evidence_of_more_origins_than_the_prior_overturns_it():
    overturned, _ = made({"a": 0.05, "p": 0.2}, first=7, n=8, pooled=("p",))
    assert overturned.weights[:, 0, 0].tolist() == [1.0, 0.0]
    outvoted, _ = made({"a": 0.05, "p": 0.2}, first=10, n=8, pooled=("p",))
    assert outvoted.weights[:, 0, 0].tolist() == [0.0, 1.0]


def test_weights_at_an_origin_rest_on_outturn_known_there():
    values = np.full((2, 12), 100.0)
    part = rolling(values, {"a": 0.1, "b": 0.1}, horizon=2)
    late = np.asarray(part.ends) >= 8
    part.points["a"][late] = 150.0
    combination = combine(part, {"a": Stated(), "b": Stated()})
    early = ~late | (np.asarray(part.ends) == 8)
    share = (combination.points - part.points["b"]) / np.where(part.points["a"] == part.points["b"], NAN, 40)
    np.testing.assert_allclose(combination.points[early & ~late], 110.0)
    assert share[late][0, 0, 0] == pytest.approx(0.5)
    assert share[-1, 0, 0] < 0.5


def test_pools_have_their_own_weights():
    values = np.full((4, 12), 100.0)
    part = rolling(values, {"a": 0.1, "b": 0.1})
    part.points["a"][:, 2:] = 130.0
    object.__setattr__(part.window, "pools", np.array([0, 0, 1, 1]))
    weights = combine(part, {"a": Stated(), "b": Stated()}).weights
    assert weights[:, 0, 0].tolist() == weights[:, 1, 0].tolist() == [0.5, 0.5]
    assert weights[:, 2, 0].tolist() == weights[:, 3, 0].tolist() == [0.0, 1.0]


def test_members_without_an_answer_leave_their_share_to_the_others():
    part = rolling(np.full((2, 12), 100.0), {"a": 0.1, "b": 0.2, "c": 0.3})
    part.points["a"][:, 0] = NAN
    for name in "abc":
        part.points[name][:, 1] = NAN
    combination = combine(part, {name: Stated() for name in "abc"}, equal=True)
    assert combination.weights[:, 0, 0].tolist() == [0.0, 0.5, 0.5]
    np.testing.assert_allclose(combination.points[-1, 0], 125.0)
    assert np.isnan(combination.points[:, 1]).all()
    assert combination.reasons()[0] == "b 0.50, c 0.50; equal weights"
    assert combination.reasons()[1] == ""


def test_a_horizon_without_outturn_takes_the_weights_of_the_one_before():
    combination, _ = made({"a": 0.1, "b": 0.3}, horizon=6, first=8)
    assert (combination.weights[0] == 1).all()


def test_reason_names_the_largest_first_and_the_origins_behind_it():
    combination, _ = made({"worse": 0.103, "better": 0.1, "left_out": 0.5})
    said, origins = combination.reasons()[0].split("; ")
    assert said.startswith("better 0.5")
    assert ", worse 0.4" in said
    assert "left_out" not in said
    assert origins == "weights from 6 past origins and the prior"


def test_weights_do_not_fall_back_to_equal_where_the_evidence_ends():
    horizon = 6
    part = rolling(np.full((8, 12), 100.0), {"a": 0.1, "b": 0.3}, horizon=horizon, first=6)
    weights = combine(part, {"a": Stated(), "b": Stated()}).weights[:, 0, :]
    measured = [sum(end + h <= 12 for end in part.ends) for h in range(1, horizon + 1)]
    assert min(measured) < 3 <= max(measured)
    assert (weights[0] == weights[0, 0]).all() and weights[0, 0] > 0.5


def test_the_reason_says_where_later_horizons_differ():
    part = rolling(np.full((8, 12), 100.0), {"a": 0.1, "b": 0.1}, horizon=2)
    part.points["a"][:, :, 0] = 120.0
    part.points["b"][:, :, 1] = 120.0
    said = combine(part, {"a": Stated(), "b": Stated()}).reasons()[0]
    assert said.startswith("b 1.00; ") and said.endswith("; at the last horizon a 1.00")


def test_small_pools_weigh_all_horizons_alike_and_large_ones_each_horizon():
    for n, shares in ((3, {0.5}), (8, {0.0, 1.0})):
        part = rolling(np.full((n, 12), 100.0), {"a": 0.1, "b": 0.1}, horizon=2)
        part.points["a"][:, :, 0] = 120.0
        part.points["b"][:, :, 1] = 120.0
        weights = combine(part, {"a": Stated(), "b": Stated()}).weights
        assert set(weights[:, 0, :].round(1).ravel()) == shares


def test_pools_of_zeros_are_weighed_by_the_prior():
    combination = combine(rolling(np.zeros((2, 12)), {"a": 0.1, "b": 0.3}), {"a": Stated(), "b": Stated()})
    assert combination.weights[:, 0, 0].tolist() == [0.5, 0.5]
    assert (combination.points == 0).all()


def test_default_members_are_registered_and_fast():
    assert default_members(1) == ANNUAL_MEMBERS
    assert default_members(12) == default_members(4) == SEASONAL_MEMBERS
    for name in (*ANNUAL_MEMBERS, *SEASONAL_MEMBERS):
        assert not models.get(name).capability.slow
