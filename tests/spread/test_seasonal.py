"""Intervals of seasonal series hold what they say: for series, for totals over the horizon and over a pool."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from forecast.engine.paths import NORMAL_GRID
from forecast.evaluate.metrics import covered
from forecast.evaluate.origins import RollingPoints, past_origins
from forecast.intervals import Draws, Spreads, measured_spreads
from forecast.spread.seasonal import SeasonalSpread
from tests.panels import window

PERIOD, HORIZON, LENGTH = 4, 8, 40
SERIES = 24
WALK, NOISE, SHOCK = 0.5, 1.0, 0.3
NAN = np.nan


def simulated(
    seed: int, n: int = SERIES, *, walk=WALK, noise=NOISE, shock=SHOCK, length: int = LENGTH, level=30.0, ends=None
):
    """Counts whose roots are a season, a walk of their own, one of the pool's, and noise; and their best points."""
    rng = np.random.default_rng(seed)
    total = length + HORIZON
    size = rng.uniform(0.5, 2.0, (n, 1))
    season = np.tile(rng.normal(0, 2, (n, PERIOD)), total // PERIOD + 1)[:, :total]
    state = (rng.normal(0, walk, (n, total)) * size + rng.normal(0, shock, total)).cumsum(axis=1)
    roots = level + season + state + rng.normal(0, noise, (n, total)) * size
    ends = ends or (*past_origins(length, horizon=HORIZON, period=PERIOD, pool_size=n), length)
    points = [np.maximum(level + state[:, e - 1 : e] + season[:, e : e + HORIZON], 0) ** 2 for e in ends]
    values = np.maximum(roots, 0) ** 2
    made = RollingPoints(window(values[:, :length], "QS"), ends, {"best": np.stack(points)}, {})
    return made, values[:, length:]


def spread_of(rolling: RollingPoints, seen: int | None = None) -> SeasonalSpread:
    seen = seen or rolling.window.values.shape[1]
    spread = measured_spreads(rolling, rolling.points["best"], seen=seen).kinds[0]
    assert isinstance(spread, SeasonalSpread)
    assert isinstance(spread, SeasonalSpread)
    return spread


def paths_of(rolling: RollingPoints, *, pools=None, n_paths: int = 200, seed: int = 0) -> np.ndarray:
    made, points = rolling.window, rolling.points["best"]
    scale = measured_spreads(rolling, points, seen=made.values.shape[1])
    pools = made.pools if pools is None else pools
    return Draws(made.ids, pools, points[-1], scale, n_paths=n_paths, seed=seed).draw(np.arange(len(made.ids)))


@cache
def coverage(n: int = SERIES, runs: int = 40, *, walk=WALK, shock=SHOCK) -> tuple[np.ndarray, float, float, float]:
    """Shares inside the 80 per cent interval: by horizon, totals over it, the pool by step, the pool's total."""
    found = []
    for seed in range(runs):
        rolling, outturn = simulated(seed, n, walk=walk, shock=shock)
        paths = paths_of(rolling, seed=seed)
        ways = ((), (1,), (0,), (0, 1))
        found.append([covered(outturn.sum(axis=w), paths.sum(axis=w), 80) for w in ways])
    single, total, pool, whole = zip(*found, strict=True)
    return np.mean(single, axis=(0, 1)), float(np.mean(total)), float(np.mean(pool)), float(np.mean(whole))


@pytest.mark.parametrize("walk", [0.0, WALK, 1.5])
def test_eighty_per_cent_intervals_hold_eighty_per_cent_of_series_and_of_their_totals(walk):
    single, total, _, _ = coverage(walk=walk)
    assert abs(single.mean() - 0.80) < 0.04
    assert (np.abs(single - 0.80) < 0.10).all()
    assert abs(total - 0.80) < 0.08


def test_totals_need_errors_that_carry_on_and_errors_that_do_not():
    """With the shares of the other panel, totals would be far too narrow, or far too wide."""
    inside = {}
    for walk, other in ((0.0, 1.5), (1.5, 0.0)):
        shares = np.mean([spread_of(simulated(seed, walk=other, shock=0.0)[0]).shares for seed in range(5)], axis=0)
        found = []
        for seed in range(20):
            rolling, outturn = simulated(seed, walk=walk, shock=0.0)
            made, points = rolling.window, rolling.points["best"]
            scale = measured_spreads(rolling, points, seen=LENGTH)
            wrong = replace(scale, kinds=(replace(spread_of(rolling), shares=shares),))
            paths = Draws(made.ids, made.pools, points[-1], wrong, n_paths=200, seed=seed).draw(np.arange(SERIES))
            found.append(covered(outturn.sum(axis=1), paths.sum(axis=1), 80).mean())
        inside[walk] = np.mean(found)
    assert inside[0.0] > 0.90
    assert inside[1.5] < 0.66


def test_totals_over_a_pool_hold_too_because_of_what_it_shares():
    _, _, pool, whole = coverage()
    assert abs(pool - 0.80) < 0.10
    assert abs(whole - 0.80) < 0.13
    alone = []
    for seed in range(20):
        rolling, outturn = simulated(seed, shock=1.0)
        paths = paths_of(rolling, pools=np.arange(SERIES), seed=seed)
        alone.append(covered(outturn.sum(axis=0), paths.sum(axis=0), 80).mean())
    assert np.mean(alone) < 0.55


@pytest.mark.parametrize("n", [1, 3])
def test_a_few_series_alone_are_covered_too(n):
    single, total, _, _ = coverage(n, 120 // n, shock=0.0)
    assert abs(single.mean() - 0.80) < 0.08
    assert abs(total - 0.80) < 0.10


def test_shares_of_the_variance_are_found():
    def shares(**kwargs):
        return np.mean([spread_of(simulated(seed, 60, **kwargs)[0]).shares[0] for seed in range(10)], axis=0)

    common, carried, fresh = shares(walk=0.0, shock=0.0)
    assert fresh > 0.85
    common, carried, fresh = shares(walk=WALK, noise=0.0, shock=0.0)
    assert common + carried > 0.85
    assert shares(walk=0.3, noise=0.3, shock=2.0)[0] > shares(walk=0.3, noise=0.3, shock=0.0)[0] + 0.2
    np.testing.assert_allclose(spread_of(simulated(1)[0]).shares.sum(axis=1), 1)


def mean_over_point(spread: SeasonalSpread, point: float) -> float:
    points = np.full((1, HORIZON), point)
    made = Draws(("a",), np.array([""]), points, Spreads((spread,), np.array([0]), np.array([0])), 4000, seed=1)
    return float(made.draw(np.array([0])).mean() / point)


def test_points_are_means_where_they_are_low_and_medians_where_they_are_high():
    """A standard normal error has variance 1: a median p makes a mean p + 1."""
    one, size = np.array([[0.3, 0.3, 0.4]]), np.ones((1, HORIZON))
    means, low, medians = (
        SeasonalSpread(size, np.array([below]), np.array([0]), NORMAL_GRID[None], one) for below in (np.inf, 8.0, 0.0)
    )
    for point in (0.02, 0.3, 2.0, 8.0):
        assert mean_over_point(means, point) == pytest.approx(1, abs=0.05)
        assert mean_over_point(low, point) == pytest.approx(1, abs=0.05)
    assert mean_over_point(means, 40.0) == pytest.approx(1, abs=0.01)
    assert mean_over_point(low, 16.0) == pytest.approx(1 + 0.5 / 16, abs=0.015)
    assert mean_over_point(medians, 8.0) == pytest.approx(1 + 1 / 8, abs=0.02)
    still = replace(means, size=np.zeros((1, HORIZON)))
    assert mean_over_point(still, 3.0) == pytest.approx(1)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("below", [np.inf, 8.0])
@pytest.mark.parametrize("size", [0.0, 1e-200, 1.0])
@pytest.mark.parametrize("point", [0.0, 1e-310, 1e12])
def test_points_of_nothing_and_sizes_of_nothing_are_no_trouble(below, size, point):
    shares, sizes = np.array([[0.3, 0.3, 0.4]]), np.full((1, HORIZON), size)
    spread = SeasonalSpread(sizes, np.array([below]), np.array([0]), NORMAL_GRID[None], shares)
    points = np.full((1, HORIZON), point)
    made = Draws(("a",), np.array([""]), points, Spreads((spread,), np.array([0]), np.array([0])), 100, seed=1)
    np.testing.assert_allclose(made.draw(np.array([0])), point, rtol=0.01, atol=1e-9)


def test_sizes_grow_over_the_horizon_as_errors_do():
    flat = np.mean([spread_of(simulated(s, 60, walk=0.0, shock=0.0)[0]).size.mean(axis=0) for s in range(10)], axis=0)
    walks = np.mean([spread_of(simulated(s, 60, noise=0.1, shock=0.0)[0]).size.mean(axis=0) for s in range(10)], axis=0)
    assert flat[-1] / flat[0] == pytest.approx(1.0, abs=0.15)
    assert walks[-1] / walks[0] == pytest.approx(np.sqrt(8), rel=0.2)
    assert flat[0] == pytest.approx(1.25 * NOISE * np.sqrt(2 / np.pi), rel=0.15)


def test_a_series_with_larger_errors_than_its_history_moves_gets_a_wider_interval():
    rolling, _ = simulated(1)
    worse = rolling.points["best"].copy()
    worse[:-1, 0] *= np.where(np.arange(HORIZON) % 2, 1.5, 0.5)
    spread = spread_of(replace(rolling, points={"best": worse}))
    assert spread.size[0, 0] > 1.5 * spread_of(rolling).size[0, 0]


@pytest.mark.parametrize("unit", [1e-3, 1e6])
def test_the_unit_of_the_figures_does_not_matter(unit):
    rolling, _ = simulated(1)
    scaled = RollingPoints(
        replace(rolling.window, values=rolling.window.values * unit),
        rolling.ends,
        {"best": rolling.points["best"] * unit},
        {},
    )
    np.testing.assert_allclose(paths_of(scaled), paths_of(rolling) * unit, rtol=1e-8)


def test_no_outturn_after_the_origin_is_used():
    first, _ = simulated(3, ends=tuple(range(28, LENGTH + 1)))
    values = first.window.values.copy()
    values[:, 36:] = np.random.default_rng(1).uniform(1, 1e4, (SERIES, 4))
    second = replace(first, window=replace(first.window, values=values))
    for seen, same in ((36, True), (37, False)):
        a, b = spread_of(first, seen), spread_of(second, seen)
        assert np.array_equal(a.size, b.size) == same
        assert np.array_equal(a.shapes, b.shapes) == same
        assert np.array_equal(a.shares, b.shares) == same


def test_pools_are_measured_apart_and_the_order_of_rows_does_not_matter():
    rolling, _ = simulated(1)
    pools = np.where(np.arange(SERIES) < 10, "x", "y")

    def of(rows, values=rolling.window.values):
        made = replace(rolling.window, values=values, pools=pools).rows(rows)
        return spread_of(RollingPoints(made, rolling.ends, {"best": rolling.points["best"][:, rows]}, {}))

    both, alone = of(np.arange(SERIES)), of(np.arange(10))
    np.testing.assert_array_equal(both.size[:10], alone.size)
    np.testing.assert_array_equal(both.shapes[both.pool[0]], alone.shapes[0])
    np.testing.assert_array_equal(both.shares[both.pool[0]], alone.shares[0])
    turned = of(np.arange(SERIES)[::-1])
    np.testing.assert_allclose(turned.size[::-1], both.size, rtol=1e-12)
    np.testing.assert_allclose(turned.shares, both.shares, rtol=1e-9)


@pytest.mark.parametrize("n", [1, 12])
@pytest.mark.parametrize("length", [1, 3, 7])
def test_histories_without_a_past_origin_have_intervals_all_the_same(n, length):
    rolling, _ = simulated(1, n, length=LENGTH)
    values = rolling.window.values[:, :length]
    short = RollingPoints(window(values, "QS"), (length,), {"best": rolling.points["best"][-1:]}, {})
    paths = paths_of(short)
    assert np.isfinite(paths).all()
    if length > 1:
        assert (np.ptp(paths, axis=2) > 0).all()


@pytest.mark.parametrize("n", [1, 12])
def test_constants_get_narrow_intervals_and_zeros_stay_near_zero(n):
    for level in (0.0, 400.0):
        values, points = np.full((n, LENGTH), level), np.full((3, n, HORIZON), level)
        paths = paths_of(RollingPoints(window(values, "QS"), (32, 36, LENGTH), {"best": points}, {}))
        np.testing.assert_allclose(np.median(paths, axis=2), level, rtol=1e-5)
        assert (np.diff(np.quantile(paths, [0.01, 0.99], axis=2), axis=0) <= 0.5 * level).all()
        assert (np.ptp(paths, axis=2) > 0).all() == (level > 0)


def test_a_constant_among_others_moves_as_they_do_for_its_level():
    rolling, _ = simulated(1)
    rolling.window.values[0] = 900.0
    rolling.points["best"][:, 0] = 900.0
    sizes = spread_of(rolling).size[:, 0]
    assert 0.2 * np.median(sizes[1:]) < sizes[0] < np.median(sizes[1:])


def test_series_a_model_did_not_answer_and_gaps_do_not_disturb_the_others():
    rolling, _ = simulated(4)
    rolling.points["best"][:, 5] = NAN
    rolling.points["best"][-2, 6] = NAN
    rolling.window.values[7, 10:20] = NAN
    rolling.window.values[8, -2] = NAN
    rolling.window.values[9, :-3] = NAN
    spread = spread_of(rolling)
    assert np.isfinite(spread.size).all()
    assert (spread.size > 0).all()
    nobody, _ = simulated(4)
    nobody.points["best"][:] = NAN
    assert np.isfinite(spread_of(nobody).size).all()
