import numpy as np
import pytest
from statsmodels.tsa.seasonal import seasonal_decompose
from statsmodels.tsa.stattools import acf

from forecast.engine import seasonal
from forecast.engine.batch import Batch

RNG = np.random.default_rng(3)
PATTERN = np.array([1.3, 0.8, 1.0, 0.9])


def batch(rows, period=4, pools=None):
    values = np.array(rows, dtype=float)
    n, length = values.shape
    start, stop = np.zeros(n, np.int64), np.full(n, length, np.int64)
    return Batch(values, start, stop, period, np.zeros(n, np.int64) if pools is None else np.array(pools))


def noisy(n=10, length=24, noise=0.2, period=4):
    seasons = np.tile(PATTERN, length)[:length] if period == 4 else np.ones(length)
    return 50 * seasons * RNG.lognormal(0, noise, (n, length))


def decomposed(y, period, multiplicative):
    """Return figures without trend by phase, the slow way: statsmodels' average, flat at the ends."""
    trend = seasonal_decompose(y, period=period).trend
    known = np.flatnonzero(~np.isnan(trend))
    trend[: known[0]], trend[known[-1] + 1 :] = trend[known[0]], trend[known[-1]]
    return (y / trend if multiplicative else y - trend).reshape(-1, period)


@pytest.mark.parametrize("period", [3, 4])
@pytest.mark.parametrize("multiplicative", [True, False])
def test_indices_are_those_of_a_classical_decomposition(period, multiplicative):
    y = noisy(1)[0]
    by_phase = decomposed(y, period, multiplicative)
    index = by_phase.mean(axis=0)
    expected = np.log(index / index.mean()) if multiplicative else index - index.mean()
    effects = np.empty(period)
    noise = seasonal.indices(y, 0, period, multiplicative, effects)
    np.testing.assert_allclose(effects, expected, rtol=1e-10)
    freedom = len(y) - period
    assert noise == pytest.approx(((by_phase - index) ** 2).sum() / freedom / len(by_phase))


def test_effects_follow_the_phase_of_the_column_not_the_position_in_the_history():
    y = np.tile(PATTERN, 6) * 40
    whole, later = np.empty(4), np.empty(4)
    seasonal.indices(y, 0, 4, True, whole)
    seasonal.indices(y[3:], 3, 4, True, later)
    np.testing.assert_allclose(whole, np.log(PATTERN / PATTERN.mean()), atol=0.02)
    np.testing.assert_allclose(later, whole, atol=0.05)


@pytest.mark.parametrize("y", [np.ones(7), np.zeros(12)], ids=len)
def test_no_season_in_a_history_that_shows_none(y):
    effects = np.ones(4)
    assert np.isnan(seasonal.indices(y, 0, 4, True, effects))
    np.testing.assert_array_equal(effects, 0)


def test_an_index_of_zero_is_kept_within_limits():
    y = np.tile([0.0, 10, 10, 10], 4)
    effects = np.empty(4)
    seasonal.indices(y, 0, 4, True, effects)
    assert effects[0] == -seasonal.LARGEST_EFFECT


def test_shrink_keeps_the_james_stein_share():
    effects, target = np.array([0.3, -0.1, 0.0, -0.2]), np.array([0.1, 0.1, -0.1, -0.1])
    distance = effects - target
    noise = 0.02
    keep = 1 - (4 - 3) / (4 - 1) * noise / (np.sum(distance**2) / (4 - 1))
    assert 0 < keep < 1
    shrunk = effects.copy()
    seasonal.shrink(shrunk, noise, target)
    np.testing.assert_allclose(shrunk, target + keep * distance)


@pytest.mark.parametrize("noise", [np.nan, 1e6])
def test_shrink_falls_back_to_the_target(noise):
    effects, target = np.array([0.3, -0.1, 0.0, -0.2]), np.array([0.1, 0.1, -0.1, -0.1])
    seasonal.shrink(effects, noise, target)
    np.testing.assert_allclose(effects, target)


@pytest.mark.parametrize("period", [2, 3])
def test_two_or_three_phases_are_too_few_to_shrink(period):
    effects = np.arange(period) - (period - 1) / 2
    before = effects.copy()
    seasonal.shrink(effects, 1e6, np.zeros(period))
    np.testing.assert_allclose(effects, before)


def test_seasonality_test_is_that_of_bartletts_limits():
    passed = []
    for noise in np.linspace(0.05, 0.6, 20):
        y = noisy(1, 32, noise)[0]
        r = acf(y, nlags=4, fft=False)[1:]
        expected = abs(r[3]) > 1.645 * np.sqrt((1 + 2 * np.sum(r[:3] ** 2)) / len(y))
        assert seasonal.is_seasonal(y, 4) == expected
        passed.append(expected)
    assert 0 < sum(passed) < 20


@pytest.mark.parametrize(("y", "period"), [(np.tile([1.0, 9], 3), 4), (np.full(20, 3.0), 4), (np.arange(9.0), 1)])
def test_seasonality_needs_two_cycles_and_change(y, period):
    assert not seasonal.is_seasonal(y, period)


@pytest.mark.parametrize("multiplicative", [True, False])
def test_season_is_removed_and_put_back(multiplicative):
    y, effects = noisy(1, 11)[0], np.array([0.2, -0.1, 0.1, -0.2])
    level = np.empty(11)
    seasonal.remove_season(y, 3, effects, multiplicative, level)
    at = effects[(3 + np.arange(11)) % 4]
    np.testing.assert_allclose(level, y / np.exp(at) if multiplicative else y - at)
    seasonal.add_season(level, 3, effects, multiplicative)
    np.testing.assert_allclose(level, y)


def test_a_surge_in_an_empty_phase_is_not_blown_up():
    level = np.empty(4)
    seasonal.remove_season(np.array([1.0, 1, 1, 7]), 0, np.array([0.0, 0, 0, -3]), True, level)
    np.testing.assert_allclose(level, [1, 1, 1, 14])


def test_points_are_not_below_zero():
    points = np.array([1.0, 1.0])
    seasonal.add_season(points, 1, np.array([0.0, -2.0, 2.0, 0.0]), False)
    np.testing.assert_array_equal(points, [0, 3])


def test_pooled_pattern_is_the_median_of_each_pool_of_eight_rows():
    rows = noisy(19)
    pools = [0] * 8 + [1] * 7 + [0] * 4
    made = batch(rows, pools=pools)
    effects = np.empty((19, 4))
    for row, out in zip(rows, effects, strict=True):
        seasonal.indices(row, 0, 4, True, out)
    expected = np.median(effects[np.array(pools) == 0], axis=0)
    pattern = seasonal.pooled_pattern(made)
    np.testing.assert_allclose(pattern[0], expected - expected.mean())
    np.testing.assert_array_equal(pattern[1], 0)


def test_rows_under_two_cycles_neither_give_to_the_pattern_nor_take_it():
    made = batch(noisy(8))
    short = Batch(made.values, np.array([0] * 7 + [17]), made.stop, 4, made.pools)
    np.testing.assert_array_equal(seasonal.pooled_pattern(short), 0)
    eight = Batch(
        np.vstack([made.values, made.values[:1]]), np.append(short.start, 0), np.full(9, 24), 4, np.zeros(9, int)
    )
    assert np.abs(seasonal.pooled_pattern(eight)).max() > 0.1
    np.testing.assert_array_equal(seasonal.seasonal_effects(eight, "pooled")[7], 0)


def test_effects_of_each_kind():
    rows = noisy(9, 24, 0.15)
    rows[3] = 50 * RNG.lognormal(0, 0.3, 24)
    made = batch(rows)
    for kind in ("tested", "shrunk", "pooled", "additive"):
        effects = seasonal.seasonal_effects(made, kind)
        for row, got in zip(rows, effects, strict=True):
            expected = np.empty(4)
            noise = seasonal.indices(row, 0, 4, kind != "additive", expected)
            if kind == "tested":
                expected *= seasonal.is_seasonal(row, 4)
            else:
                seasonal.shrink(expected, noise, seasonal.pooled_pattern(made)[0] * (kind == "pooled"))
            np.testing.assert_array_equal(got, expected)
    assert not seasonal.seasonal_effects(made, "tested").any(axis=1).all()
    assert seasonal.seasonal_effects(made, "tested").any()


def test_small_pools_fall_back_to_no_season_as_target():
    made = batch(noisy(7))
    np.testing.assert_array_equal(seasonal.seasonal_effects(made, "pooled"), seasonal.seasonal_effects(made, "shrunk"))


def test_effects_are_computed_once_a_batch_and_forgotten_with_it():
    made = batch(noisy(3))
    assert seasonal.seasonal_effects(made, "shrunk") is seasonal.seasonal_effects(made, "shrunk")
    before = len(seasonal._KNOWN)
    del made
    assert len(seasonal._KNOWN) < before


def test_shrinkage_brings_noisy_indices_closer_to_the_truth():
    made = batch(noisy(40, 12, 0.4))
    truth = np.log(PATTERN) - np.log(PATTERN).mean()
    error = {
        kind: np.mean((seasonal.seasonal_effects(made, kind) - truth) ** 2) for kind in ("tested", "shrunk", "pooled")
    }
    assert error["pooled"] < error["shrunk"]
    classical = seasonal._classical(made, True)[:, :-1]
    assert error["shrunk"] < np.mean((classical - truth) ** 2)
