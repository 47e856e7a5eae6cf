"""Pooled regression: what areas do against the nation, learnt robustly and without the nation's own moves."""

import numpy as np
import pytest

from forecast.ehc.pooled import deviation_steps, fit_steps


def returning(n: int = 60, length: int = 9, *, noise: float = 0.05, seed: int = 4) -> np.ndarray:
    """Log levels that come three tenths of the way back to the nation every year (n, T)."""
    rng = np.random.default_rng(seed)
    apart = np.empty((n, length))
    apart[:, 0] = rng.normal(0, 0.4, n)
    for t in range(1, length):
        apart[:, t] = 0.7 * apart[:, t - 1] + rng.normal(0, noise, n)
    return apart


def test_the_way_back_is_found_step_by_step():
    apart = returning(n=400, noise=0.02)
    coefficients = fit_steps(apart[:, :, None], apart, horizon=3, prior_pairs=0.0)
    np.testing.assert_allclose(coefficients[:, 0], 0.7 ** np.arange(1, 4) - 1, atol=0.02)


def test_the_fit_is_huber_s_as_an_independent_library_has_it():
    from statsmodels.robust.norms import HuberT
    from statsmodels.robust.robust_linear_model import RLM

    rng = np.random.default_rng(8)
    features = rng.normal(size=(301, 2, 2))
    target = np.zeros((301, 2))
    target[:, 1] = features[:, 0] @ [0.4, -0.2] + 0.3 * rng.standard_t(2, 301)
    x = features[:, 0] - np.median(features[:, 0], axis=0)
    y = target[:, 1] - np.median(target[:, 1])
    oracle = RLM(y, x, M=HuberT(t=1.345)).fit(tol=1e-10, maxiter=200).params
    found = fit_steps(features, target, horizon=1, prior_pairs=0.0)[0]
    np.testing.assert_allclose(found, oracle, atol=1e-4)


def test_the_ridge_is_worth_so_many_pairs_that_say_nothing_moves():
    apart = np.outer(np.linspace(-1, 1, 41), [1.0, 0.5])
    free, shrunk = (fit_steps(apart[:, :, None], apart, horizon=1, prior_pairs=p)[0, 0] for p in (0.0, 41.0))
    assert free == pytest.approx(-0.5)
    assert shrunk == pytest.approx(-0.25, abs=0.01)


def test_what_the_whole_nation_does_teaches_nothing():
    apart = returning()
    shock = np.cumsum([0.0, 0.1, 0.3, -0.4, 0.2, 0.2, 0.1, 0.0, 0.9])
    alone = deviation_steps(apart[:, :, None], apart, horizon=4)
    together = deviation_steps((apart + shock)[:, :, None], apart + shock, horizon=4)
    np.testing.assert_allclose(together, alone, atol=1e-12)


def test_a_few_wild_figures_do_not_turn_the_fit():
    apart = returning(n=200, length=2)
    wild = apart.copy()
    wild[np.argsort(apart[:, -2])[-6:], -1] += 3.0
    calm, shaken = (fit_steps(apart[:, :, None], target, horizon=1)[0, 0] for target in (apart, wild))
    x, y = apart[:, :-1].ravel(), (wild[:, 1:] - wild[:, :-1]).ravel()
    assert (x @ y) / (x @ x) > calm + 0.1, "least squares would be turned"
    assert shaken == pytest.approx(calm, abs=0.05)


def test_heavier_areas_count_for_more():
    stay, halve = returning(n=50, noise=0.0), returning(n=50, noise=0.0, seed=5)
    stay[:] = stay[:, :1]
    target = np.concatenate([stay, halve])
    weights = np.repeat([[1.0], [100.0]], 50, axis=0) * np.ones(target.shape)
    alike = fit_steps(target[:, :, None], target, horizon=1)[0, 0]
    heavy = fit_steps(target[:, :, None], target, horizon=1, weights=weights)[0, 0]
    assert heavy < alike - 0.05


def test_rows_may_come_in_any_order():
    rng = np.random.default_rng(2)
    target = returning()
    features = np.stack([target, rng.normal(size=target.shape)], axis=2)
    order = rng.permutation(len(target))
    straight = deviation_steps(features, target, horizon=3)
    np.testing.assert_allclose(deviation_steps(features[order], target[order], horizon=3), straight[order], atol=1e-12)


def test_an_area_of_which_nothing_is_known_stays_with_the_nation():
    target = returning()
    features = target[:, :, None].copy()
    features[3] = np.nan
    target[5, 2] = np.nan
    steps = deviation_steps(features, target, horizon=2)
    assert np.isfinite(steps).all()
    assert (steps[3] == 0).all()


def test_no_further_than_the_longest_step_seen():
    target = returning(length=4)
    steps = deviation_steps(target[:, :, None], target, horizon=6)
    np.testing.assert_array_equal(steps[:, 3:], np.repeat(steps[:, 2:3], 3, axis=1))
    assert not np.allclose(steps[:, 1], steps[:, 2])


@pytest.mark.parametrize("length", [1, 2])
def test_without_a_pair_nothing_moves(length: int):
    target = np.full((4, length), np.nan)
    target[:, -1] = 1.0
    assert (deviation_steps(target[:, :, None], target, horizon=3) == 0).all()


def test_a_lone_area_is_its_own_nation():
    target = returning(n=1)
    assert (deviation_steps(target[:, :, None], target, horizon=3) == 0).all()
