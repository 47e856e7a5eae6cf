"""Sparse counts are drawn as whole numbers, hold what they say over a year, and share a pool's level."""

import numpy as np
import pytest

from forecast.evaluate.metrics import covered
from forecast.evaluate.origins import RollingPoints
from forecast.intervals import Draws, error_scale
from forecast.spread.counts import CountPaths, sparse_counts
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
    return error_scale(rolling, rolling.points["rate"], seen=seen)


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
        return np.mean([scale_of(simulated(seed, 200, level=level)[0]).spreads[1].shock[0] for seed in range(10)])

    assert shock(0.0) < 0.13
    assert shock(0.5) > 0.25


def test_only_whole_sparse_counts_without_gaps_are_taken_for_such():
    rolling, _ = simulated(1, 8)
    values = rolling.window.values
    values[1] += 40
    values[2] += np.where(values[2] > 0, 0.5, 0)
    values[3, 30:33] = np.nan
    values[4, :20] = np.nan
    values[5] = np.nan
    values[6] = 0
    assert sparse_counts(rolling.window).tolist() == [True, False, False, False, True, False, True, True]
    scale = scale_of(rolling)
    assert [type(spread) for spread in scale.spreads] == [SeasonalSpread, CountPaths]
    np.testing.assert_array_equal(scale.spread, [1, 0, 0, 0, 1, 0, 1, 1])
    np.testing.assert_array_equal(scale.row, [0, 0, 1, 2, 1, 3, 2, 3])
    paths = paths_of(rolling)
    assert np.isfinite(paths).all()


@pytest.mark.parametrize("dense", [0, 4])
def test_pools_that_are_all_sparse_or_have_none_are_measured_too(dense):
    rolling, _ = simulated(1, 8)
    rolling.window.values[:dense] += 40
    object.__setattr__(rolling.window, "pools", np.repeat(["x", "y"], 4))
    paths = paths_of(rolling)
    assert np.isfinite(paths).all()
    assert scale_of(rolling).spread.tolist() == [0] * dense + [1] * (8 - dense)


def test_no_outturn_after_the_origin_is_used():
    first, second = simulated(3)[0], simulated(3)[0]
    second.window.values[:, 54:] = np.random.default_rng(1).poisson(2, (40, 6))
    for seen, same in ((54, True), (60, False)):
        a, b = scale_of(first, seen), scale_of(second, seen)
        if seen == 54:
            np.testing.assert_array_equal(a.spreads[1].clumping, b.spreads[1].clumping)
        np.testing.assert_equal(np.array_equal(a.spreads[-1].shock, b.spreads[-1].shock), same)
