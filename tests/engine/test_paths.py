"""Kernels that make paths of draws agree with the formulas they state."""

import numpy as np
import pytest
from scipy import stats

from forecast.engine.paths import NORMAL_GRID, fresh, spread_logs, spread_roots, walk


def student(dof: float) -> np.ndarray:
    return stats.t.ppf(stats.norm.cdf(NORMAL_GRID), dof)


def draws(n: int, horizon: int = 3, n_paths: int = 40, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, horizon, n_paths))


def test_spread_on_logs_is_the_stated_sum():
    points, own, shared = np.array([[100.0, 120, 90], [0, 5, 2]]), np.full((2, 3), 0.2), np.array([[0.1] * 3, [0] * 3])
    z, common = draws(2), draws(1, seed=2)
    shapes = np.stack([NORMAL_GRID, student(4)])
    paths = z.copy()
    spread_logs(points, own, np.array([1, 0]), shared, np.array([0, 1]), np.array([0, 0]), shapes, common, paths)
    moved = 0.2 * np.stack([np.interp(z[0], NORMAL_GRID, student(4)), z[1]])
    moved[0] += 0.1 * common[0]
    expected = np.maximum(np.expm1(np.log1p(points)[:, :, None] + moved), 0)
    np.testing.assert_allclose(paths, expected, rtol=1e-9, atol=1e-12)
    assert (paths >= 0).all()


def test_spread_on_roots_is_the_stated_sum():
    points, size = np.array([[10.0, 11, 9], [0, 2, 1]]), np.array([[0.5, 0.6, 0.7], [1, 1, 1]])
    weights = np.sqrt([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])
    walks, noise, common = draws(2), draws(2, seed=2), draws(2, seed=3)
    shapes = np.stack([NORMAL_GRID, student(4)])
    paths = walks.copy()
    spread_roots(points, size, np.array([1, 0]), shapes, weights, np.array([1, 0]), common, noise, paths)
    z = np.einsum("ij,jihp->ihp", weights[[1, 0]], np.stack([common[[1, 0]], walks, noise]))
    moved = size[:, :, None] * np.stack([np.interp(z[0], NORMAL_GRID, student(4)), z[1]])
    np.testing.assert_allclose(paths, np.maximum(points[:, :, None] + moved, 0) ** 2, rtol=1e-9, atol=1e-12)
    assert (paths[1, 0] == 0).any()


def test_draws_beyond_the_grid_stay_at_its_end():
    far, none = np.array([[[9.0, -9.0, np.inf]]]), np.zeros((1, 1, 3))
    root, zero = np.array([[20.0]]), np.array([0])
    spread_roots(root, np.ones((1, 1)), zero, NORMAL_GRID[None], np.array([[0, 1.0, 0]]), zero, none, none, far)
    np.testing.assert_array_equal(far[0, 0], [25.0**2, 15.0**2, 25.0**2])


@pytest.mark.parametrize(("draw", "together"), [(walk, np.sqrt(1 / 3)), (fresh, 0.0)])
def test_draws_are_standard_normal_at_each_step_and_hang_together_as_said(draw, together):
    made = draw(np.random.default_rng(3), 3, 4001)
    np.testing.assert_allclose(made.mean(axis=1), 0, atol=0.03)
    np.testing.assert_allclose(made.std(axis=1), 1, atol=0.05)
    assert np.corrcoef(made[0], made[2])[0, 1] == pytest.approx(together, abs=0.06)
    np.testing.assert_array_equal(made[:, 2001:], -made[:, :2000])
