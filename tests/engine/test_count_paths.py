"""Futures of rare counts have the mean, the variance and the totals they say."""

import numpy as np
import pytest
from scipy import stats

from forecast.engine.batch import Batch
from forecast.engine.count_paths import CountNoise, clumping_of, count_noise, counts_at, draw_counts
from forecast.engine.sparse import alike


def made(values, pools=None) -> Batch:
    values = np.asarray(values, dtype=float)
    n, length = values.shape
    codes = np.zeros(n, dtype=int) if pools is None else np.asarray(pools)
    return Batch(values, np.zeros(n, dtype=int), np.full(n, length), 12, codes)


def clumping(batch: Batch) -> np.ndarray:
    return clumping_of(batch, alike(batch))


def noise(batch: Batch, *args, **kwargs) -> CountNoise:
    return count_noise(batch, alike(batch), *args, **kwargs)


def drawn(points, level_shape, clumping, alive=1.0, **more) -> np.ndarray:
    rng = np.random.default_rng(5)
    return draw_counts(np.asarray(points, dtype=float), level_shape, clumping, alive, n_paths=20_000, rng=rng, **more)


def test_counts_are_whole_and_not_negative():
    paths = drawn([0.0, 0.3, 5.0], 2.0, 1.5)
    assert paths.shape == (3, 20_000)
    assert (paths == np.rint(paths)).all()
    assert (paths >= 0).all()
    assert (paths[0] == 0).all()


def test_mean_and_variance_of_a_period_and_of_the_total():
    points, shape, clumping = np.array([0.5, 1.0, 2.0]), 4.0, 3.0
    paths = drawn(points, shape, clumping)
    assert paths.mean(axis=1) == pytest.approx(points, rel=0.04)
    assert paths.var(axis=1) == pytest.approx(clumping * points + points**2 / shape, rel=0.06)
    total = paths.sum(axis=0)
    assert total.var() == pytest.approx(clumping * 3.5 + 3.5**2 / shape, rel=0.05)


@pytest.mark.parametrize("clumping", [1.0, 1.4, 30.0])
def test_counts_are_the_quantiles_of_their_distribution(clumping):
    rate = np.repeat([[0.0], [0.02], [1.0], [7.5], [40.0]], 60, axis=1)
    half = np.random.default_rng(1).random((5, 30))
    half[:, 0] = 0.0
    chance, counts = np.hstack([half, 1 - half]), np.empty_like(rate)
    counts_at(rate, clumping, half, counts)
    size = rate[1:] / max(clumping - 1, 1e-9)
    law = stats.poisson(rate[1:]) if clumping == 1 else stats.nbinom(size, 1 / clumping)
    finite = chance[1:] < 1
    np.testing.assert_array_equal(counts[1:][finite], np.maximum(law.ppf(chance[1:]), 0)[finite])
    assert (counts[0] == 0).all()
    assert np.isfinite(counts).all()


@pytest.mark.parametrize(("point", "clumping"), [(39.0, 2.0), (1e9, 3.0), (1e30, 1.0), (5.0, 60.0)])
def test_large_counts_and_large_clumps_are_drawn_too(point, clumping):
    paths = drawn([point], 1e6, clumping)
    assert (paths == np.rint(paths)).all()
    assert paths.mean() == pytest.approx(min(point, 1e18), rel=0.2)


def test_one_path_can_be_drawn():
    rng = np.random.default_rng(1)
    made_ = [draw_counts(np.array([2.0]), 4.0, 1.5, 1.0, n_paths=1, rng=rng)[0, 0] for _ in range(1000)]
    assert np.mean(made_) == pytest.approx(2, rel=0.15)


def test_poisson_when_nothing_is_uncertain():
    paths = drawn([1.0, 1.0], 1e6, 1.0)
    assert paths.var(axis=1) == pytest.approx([1, 1], rel=0.03)
    assert np.corrcoef(paths)[0, 1] == pytest.approx(0, abs=0.02)


def test_a_series_that_may_have_ended_is_all_zeros_on_some_paths():
    paths = drawn([20.0, 20.0], 1e6, 1.0, 0.25)
    assert (paths == 0).all(axis=0).mean() == pytest.approx(0.75, abs=0.01)
    assert paths.mean(axis=1) == pytest.approx([20, 20], rel=0.03)
    assert (drawn([1.0], 2.0, 1.0, 0.0) == 0).all()


def test_a_shock_is_shared():
    shock = np.where(np.arange(20_000) % 2, 1.5, 0.5)[None, :]
    paths = drawn([50.0, 50.0], 1e6, 1.0, shared=shock)
    assert np.corrcoef(paths[0], shock[0])[0, 1] > 0.9


def test_same_generator_same_paths():
    assert (drawn([0.4], 3.0, 1.2) == drawn([0.4], 3.0, 1.2)).all()


def test_clumping_is_found():
    rng = np.random.default_rng(1)
    rates = rng.uniform(0.2, 1.0, 300)[:, None]
    poisson = rng.poisson(rates, (300, 60))
    clumped = rng.poisson(rng.gamma(rates / 2, 2.0, (300, 60)))
    found = clumping(made(np.vstack([poisson, clumped]), np.repeat([0, 1], 300)))
    assert np.median(found[:300]) == pytest.approx(1, abs=0.05)
    assert np.median(found[300:]) == pytest.approx(3, rel=0.15)
    assert (found >= 1).all()


def test_one_series_is_shrunk_to_its_pool_by_hand():
    y = np.array([0, 2, 0, 2, 0.0])
    # Mean .8, half the mean squared change 2: alone in its pool, own and pool agree at 2 / .8.
    assert clumping(made([y])) == pytest.approx([2.5])
    # A pool of Poisson rows and one with clumps: 4 changes of its own, 10 x (2 + 1 / .8) for the pool.
    steady = [[0, 1, 0, 1, 1, 0.0][:5]] * 50
    rest = clumping(made([*steady, [0.0] * 5, y]))
    assert 1 <= rest[0] < rest[-1] < 2.5
    assert rest[-2] >= 1


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_the_level_comes_from_errors_of_past_totals(share):
    rng = np.random.default_rng(2)
    n, rate = 600, 0.8
    history = rng.poisson(rate, (n, 48))
    predicted = np.full((2, n, 12), rate)
    level = rng.gamma(1 / share, share, (2, n, 1)) if share else np.ones((2, n, 1))
    actual = rng.poisson(rate * level * np.ones(12)).astype(float)
    actual[1, :, 6:] = np.nan
    spread = noise(made(history), predicted[0], actual, predicted)
    assert np.median(1 / spread.level_shape) == pytest.approx(share, abs=0.06)
    shared = noise(made(history), predicted[0], actual, predicted, np.full(n, 0.1))
    less = np.maximum(1 / spread.level_shape - 0.1, 1e-4)
    np.testing.assert_allclose(1 / shared.level_shape, less)


def test_without_past_errors_a_prior_stands():
    points = np.array([[1.0] * 12, [0.0] * 12])
    spread = noise(made(np.tile([1.0, 0, 2, 1], (2, 9))), points)
    assert isinstance(spread, CountNoise)
    assert 1 / spread.level_shape[0] == pytest.approx(0.02 + 0.3 * spread.clumping[0] / 12)
    unknown = np.full((2, 2, 12), np.nan)
    nothing = noise(made(np.zeros((2, 9))), points, unknown, unknown)
    assert nothing.level_shape[0] == pytest.approx(1 / (0.02 + 0.3 * nothing.clumping[0] / 12))
    assert nothing.clumping.tolist() == [1, 1]
