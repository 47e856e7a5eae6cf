"""Rare counts are drawn as whole numbers, hold what they say over a year, and share a pool's level."""

import numpy as np
import pytest

from forecast.evaluate.metrics import covered
from forecast.evaluate.origins import RollingPoints
from forecast.intervals import Draws, measured_spreads
from forecast.spread.counts import CountSpread
from forecast.spread.seasonal import SeasonalSpread
from tests.panels import window

HORIZON, LENGTH, ENDS = 12, 60, (48, 54, 60)


def simulated(seed: int, n: int = 40, *, level: float = 0.0, rate: float = 0.3):
    """Poisson counts whose rates a pool moves together once an origin; and their rates before that as points."""
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.5 * rate, 1.5 * rate, (n, 1))
    moved = np.repeat(np.exp(rng.normal(0, level, (1, (LENGTH + HORIZON) // HORIZON))), HORIZON, axis=1)
    counts = rng.poisson(rates * moved).astype(float)
    points = np.repeat(np.repeat(rates[None], len(ENDS), axis=0), HORIZON, axis=2)
    return RollingPoints(window(counts[:, :LENGTH], "MS"), ENDS, {"rate": points}, {}), counts[:, LENGTH:]


def scale_of(rolling: RollingPoints, seen: int = LENGTH):
    return measured_spreads(rolling, rolling.points["rate"], seen=seen)


def paths_of(rolling: RollingPoints, seed: int = 0) -> np.ndarray:
    made, points = rolling.window, rolling.points["rate"][-1]
    draws = Draws(made.ids, made.pools, points, scale_of(rolling), n_paths=300, seed=seed)
    return draws.draw(np.arange(len(made.ids)))


def test_paths_are_whole_with_the_points_as_means():
    rolling, _ = simulated(1)
    paths = paths_of(rolling)
    np.testing.assert_array_equal(paths, np.round(paths))
    assert (paths >= 0).all()
    assert paths.mean() == pytest.approx(rolling.points["rate"][-1].mean(), rel=0.05)


def test_totals_of_a_year_and_of_a_pool_hold():
    year, pool = [], []
    for seed in range(20):
        rolling, outturn = simulated(seed, level=0.15)
        paths = paths_of(rolling, seed)
        for actual, drawn, found in (
            (outturn.sum(axis=1), paths.sum(axis=1), year),
            (outturn.sum(), paths.sum(axis=(0, 1)), pool),
        ):
            found.append(np.mean([covered(actual + nudge, drawn, 80) for nudge in (-0.5, 0, 0.5)]))
    assert abs(np.mean(year) - 0.80) < 0.08
    assert np.mean(pool) > 0.68


def test_the_shock_of_a_pool_is_what_its_totals_missed():
    def shock(level: float) -> float:
        return np.mean([scale_of(simulated(seed, 200, level=level)[0]).kinds[-1].shock[0] for seed in range(10)])

    assert shock(0.0) < 0.13
    assert shock(0.5) > 0.25


def test_rare_counts_are_taken_for_such_whatever_is_missing():
    rolling, _ = simulated(1, 9)
    values = rolling.window.values
    values[1] += 40
    values[2] *= 1.01
    values[3, 30:32] = np.nan
    values[4, :20] = np.nan
    values[5] = np.nan
    values[6] = 0
    values[7, 20] = 0.5
    values[8] += 3
    rolling.points["rate"][:, 1] += 40
    rolling.points["rate"][:, 8] += 3
    rolling = RollingPoints(rolling.window, ENDS, rolling.points, {})
    scale = scale_of(rolling)
    assert [type(spread) for spread in scale.kinds] == [SeasonalSpread, CountSpread]
    np.testing.assert_array_equal(scale.kind, [1, 0, 0, 1, 1, 0, 1, 1, 1])
    np.testing.assert_array_equal(scale.row, [0, 0, 1, 1, 2, 2, 3, 4, 5])
    np.testing.assert_array_equal(scale.kinds[0].means_below, [10, np.inf, 0])
    paths = paths_of(rolling)
    assert np.isfinite(paths).all()
    np.testing.assert_allclose(paths[2].mean(), rolling.points["rate"][-1][2, 0], rtol=0.2)


@pytest.mark.parametrize("clumped", [False, True])
@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0, 4.0, 8.0, 12.0, 20.0])
def test_the_mean_of_paths_stays_at_the_point(rate, clumped):
    rng = np.random.default_rng(int(10 * rate))
    rates = rng.uniform(0.8, 1.2, (16, 1)) * rate
    moved = rates * (rng.gamma(rates, 1 / rates, (16, LENGTH + HORIZON)) if clumped else 1)
    counts = rng.poisson(moved * np.ones(LENGTH + HORIZON)).astype(float)
    points = np.repeat(np.repeat(rates[None], len(ENDS), axis=0), HORIZON, axis=2)
    paths = paths_of(RollingPoints(window(counts[:, :LENGTH], "MS"), ENDS, {"rate": points}, {}))
    total = paths.sum(axis=1)
    assert paths.mean() == pytest.approx(points[-1].mean(), rel=0.03)
    assert np.median(total, axis=1).mean() == pytest.approx(points[-1].sum(axis=1).mean(), rel=0.04, abs=1)
    assert np.median(total.sum(axis=0)) == pytest.approx(points[-1].sum(), rel=0.04)


@pytest.mark.parametrize("hurt", [np.nan, 0.5])
def test_one_missing_figure_or_one_fraction_changes_a_sparse_forecast_by_little(hurt):
    rolling, _ = simulated(2, 12)
    before = paths_of(rolling)[0]
    rolling.window.values[0, 40] = hurt
    after = paths_of(RollingPoints(rolling.window, ENDS, rolling.points, {}))[0]
    np.testing.assert_array_equal(after, np.round(after))
    assert after.sum(axis=0).mean() == pytest.approx(before.sum(axis=0).mean(), rel=0.1)


@pytest.mark.parametrize("dense", [0, 4])
def test_pools_that_are_all_sparse_or_have_none_are_measured_too(dense):
    rolling, _ = simulated(1, 8)
    rolling.window.values[:dense] += 40
    object.__setattr__(rolling.window, "pools", np.repeat(["x", "y"], 4))
    paths = paths_of(rolling)
    assert np.isfinite(paths).all()
    assert scale_of(rolling).kind.tolist() == [0] * dense + [int(dense > 0)] * (8 - dense)


def test_no_outturn_after_the_origin_is_used():
    first, second = simulated(3)[0], simulated(3)[0]
    second.window.values[:, 54:] = np.random.default_rng(1).poisson(2, (40, 6))
    for seen, same in ((54, True), (60, False)):
        a, b = scale_of(first, seen), scale_of(second, seen)
        if seen == 54:
            np.testing.assert_array_equal(a.kinds[-1].clumping, b.kinds[-1].clumping)
        np.testing.assert_equal(np.array_equal(a.kinds[-1].shock, b.kinds[-1].shock), same)
