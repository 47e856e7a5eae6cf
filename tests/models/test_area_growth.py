"""Area growth: areas sum to the national path, and the national rule follows what the areas show."""

import numpy as np
import pandas as pd
import pytest

from forecast.models.area_growth import AreaGrowth, forecast_pool, national_path, persistence
from forecast.panel import Window


def counts(n: int = 40, length: int = 10, seed: int = 1) -> np.ndarray:
    """Areas of different size that grow by about a tenth a year, each with its own noise."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(50, 3000, n)[:, None]
    return size * np.exp(0.1 * np.arange(length) + rng.normal(0, 0.05, (n, length)))


def test_areas_sum_to_the_national_path():
    values = counts()
    total = values.sum(axis=0)
    growth = np.diff(np.log(total))
    weight = persistence(values)
    rate = weight * growth[-1] + (1 - weight) * np.median(growth)
    points = forecast_pool(values, horizon=4)
    np.testing.assert_allclose(points.sum(axis=0), total[-1] * np.exp(rate * np.arange(1, 5)))


def test_areas_that_grow_alike_keep_their_shares():
    values = np.outer([1.0, 20.0, 300.0], 100 * 1.1 ** np.arange(6))
    np.testing.assert_allclose(forecast_pool(values, horizon=3), values[:, -1:] * 1.1 ** np.arange(1, 4))


def test_growth_that_carries_on_in_areas_makes_the_nation_follow_its_last_growth():
    rng = np.random.default_rng(3)
    own = np.zeros((60, 9))
    for t in range(1, 9):
        own[:, t] = 0.6 * own[:, t - 1] + rng.normal(0, 0.03, 60)
    assert persistence(500 * np.exp(own.cumsum(axis=1))) > 0.95


def test_noise_in_areas_makes_the_nation_follow_its_median_growth():
    noisy = counts(n=80)
    assert persistence(noisy) < 0.05
    noisy[:, -1] *= 0.8
    ahead = forecast_pool(noisy, horizon=1).sum() / noisy[:, -1].sum()
    assert 1.05 < ahead < 1.15


def test_too_little_evidence_weighs_last_and_median_equally():
    assert persistence(counts(length=2)) == 0.5
    assert persistence(np.outer([1.0, 2.0], 1.1 ** np.arange(8))) == 0.5
    assert persistence(np.array([[10.0, 10.0, 20.0], [10.0, 10.0, 10.0]])) == 0.5
    two_sided = national_path(np.array([0.1, 0.1, 0.3]), 1, period=1, last_weight=0.5)
    np.testing.assert_allclose(two_sided, [0.2])


def test_an_area_far_from_its_own_level_comes_part_of_the_way_back():
    values = counts(n=60)
    calm = forecast_pool(values, horizon=3)[0] / values[0, -1]
    values[0, -1] *= 1.5
    shocked = forecast_pool(values, horizon=3)[0] / values[0, -1]
    assert (shocked < calm).all()
    assert (shocked > calm / 1.5).all()


def test_a_growth_of_more_than_half_a_year_is_not_extended():
    doubling = np.array([[10.0, 20.0, 40.0, 80.0]])
    np.testing.assert_allclose(forecast_pool(doubling, horizon=2), [[120.0, 180.0]])


def test_order_of_rows_does_not_matter():
    values = counts()
    values[3, :4] = np.nan
    values[7, 5] = np.nan
    order = np.random.default_rng(0).permutation(len(values))
    np.testing.assert_allclose(forecast_pool(values[order], 3), forecast_pool(values, 3)[order], rtol=1e-9)


def test_scale_of_the_counts_does_not_matter():
    values = counts()
    np.testing.assert_allclose(forecast_pool(values * 7, 3), forecast_pool(values, 3) * 7, rtol=1e-9)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_short_histories_get_finite_answers(length):
    points = forecast_pool(counts(length=length), horizon=5)
    assert np.isfinite(points).all()
    if length == 1:
        np.testing.assert_allclose(points, np.repeat(counts(length=1), 5, axis=1))


def test_a_single_series_gets_the_national_path_of_itself():
    series = np.array([[100.0, 110.0, 118.0, 131.0, 140.0, 156.0]])
    growth = np.diff(np.log(series[0]))
    path = national_path(growth, 3, period=1, last_weight=persistence(series))
    np.testing.assert_allclose(forecast_pool(series, 3)[0], 156.0 * np.exp(path))


def test_zeros_stay_possible_and_dead_series_stay_zero():
    values = counts()
    values[0] = 0.0
    values[1, -1] = 0.0
    points = forecast_pool(values, horizon=3)
    assert np.isfinite(points).all()
    np.testing.assert_array_equal(points[0], 0.0)
    assert (points[1] > 0).all()
    np.testing.assert_array_equal(forecast_pool(np.zeros((4, 6)), horizon=2), 0.0)


def test_missing_figures_do_not_move_the_others_much():
    values = counts(n=60)
    holed = values.copy()
    holed[0, :5] = np.nan
    holed[1, 4] = np.nan
    holed[2, -2:] = np.nan
    full, patched = forecast_pool(values, 2), forecast_pool(holed, 2)
    assert np.isfinite(patched).all()
    np.testing.assert_allclose(patched[3:], full[3:], rtol=0.02)
    np.testing.assert_allclose(patched[2], full[2], rtol=0.3)


def test_a_series_that_is_never_seen_has_no_answer():
    values = counts(n=5)
    values[2] = np.nan
    points = forecast_pool(values, 2)
    assert np.isnan(points[2]).all()
    assert np.isfinite(np.delete(points, 2, axis=0)).all()
    assert np.isnan(forecast_pool(np.full((2, 3), np.nan), 2)).all()


def test_periods_nobody_has_reported_yet_count_as_ahead():
    values = counts(n=20)
    late = np.column_stack([values, np.full((20, 2), np.nan)])
    np.testing.assert_allclose(forecast_pool(late, 2), forecast_pool(values, 4)[:, 2:])


def test_a_shared_season_comes_back():
    months = np.arange(48)
    season = 1 + 0.3 * np.sin(2 * np.pi * months / 12)
    values = np.outer([100.0, 300.0, 900.0], season * 1.002**months)
    ahead = np.arange(48, 60)
    truth = np.outer([100.0, 300.0, 900.0], (1 + 0.3 * np.sin(2 * np.pi * ahead / 12)) * 1.002**ahead)
    np.testing.assert_allclose(forecast_pool(values, 12, period=12), truth, rtol=0.01)


def test_an_area_with_its_own_season_keeps_it():
    quarters = np.arange(40)
    summer, winter = 100 + 40.0 * (quarters % 4 == 2), 100 + 40.0 * (quarters % 4 == 0)
    rng = np.random.default_rng(5)
    values = np.vstack([summer] * 4 + [winter] * 4) * np.exp(rng.normal(0, 0.01, (8, 40)))
    points = forecast_pool(values, 4, period=4)
    assert (points[:4].argmax(axis=1) == 2).all()
    assert (points[4:].argmax(axis=1) == 0).all()


@pytest.mark.parametrize("length", [3, 9, 25])
def test_monthly_histories_of_any_length_are_answered(length):
    values = counts(n=6, length=length)
    values[0, : length // 2] = np.nan
    points = forecast_pool(values, 6, period=12)
    assert np.isfinite(points).all()
    assert (points >= 0).all()


def test_pools_do_not_see_each_other():
    values = counts(n=20)
    pools = np.repeat([0, 1], 10)
    window = Window(
        ids=tuple(f"area{i:02d}" for i in range(20)),
        values=values,
        dates=pd.date_range("2010", periods=10, freq="YS"),
        period=1,
        pools=pools,
    )
    points = AreaGrowth().forecast(window, 3)
    np.testing.assert_array_equal(points[:10], forecast_pool(values[:10], 3))
    np.testing.assert_array_equal(points[10:], forecast_pool(values[10:], 3))
