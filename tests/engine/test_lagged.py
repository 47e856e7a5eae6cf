"""Arithmetic of the autoregressions, against numpy and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.engine import lagged
from forecast.engine.batch import IntArray


@pytest.mark.parametrize("lags", [[0, 1, 2, 3], [0, 1, 2, 5, 6], [0]])
def test_moments_are_sums_over_the_times_all_lags_are_there(lags: list[int]) -> None:
    z = np.random.default_rng(1).normal(size=17)
    codes: IntArray = np.array(lags)
    moments = np.full((len(lags), len(lags)), np.nan)
    assert lagged.lagged_moments(z, codes, moments) == 17 - lags[-1]
    x = np.array([[z[t - lag] for lag in lags] for t in range(lags[-1], 17)])
    upper = np.triu_indices(len(lags))
    np.testing.assert_allclose(moments[upper], (x.T @ x)[upper], rtol=1e-12)


@pytest.mark.parametrize(("count", "used"), [(24, 6), (8, 6), (7, 5), (4, 3), (3, 2), (2, 1)])
def test_short_histories_have_fewer_lags(count: int, used: int) -> None:
    assert lagged.usable(np.arange(6), count) == used


def test_a_system_is_solved() -> None:
    root = np.random.default_rng(3).normal(size=(4, 4))
    matrix, right = root @ root.T + np.eye(4), np.array([1.0, -2.0, 0.5, 3.0])
    out = np.empty(4)
    assert lagged.solve(np.column_stack([np.triu(matrix), right]), 4, out)
    np.testing.assert_allclose(out, np.linalg.solve(matrix, right), rtol=1e-10)
    assert not lagged.solve(np.array([[1.0, 2.0, 1.0], [2.0, 1.0, 1.0]]), 2, out)


def test_the_ridge_grows_until_there_is_an_answer() -> None:
    moments = np.array([[1.0, 0.5, 0.5], [0.0, 1.0, 3.0], [0.0, 0.0, 1.0]])
    out = np.empty(3)
    lagged.coefficients(moments, np.zeros((3, 3)), 3, np.empty((3, 3)), out)
    assert np.isfinite(out[:2]).all()
    assert np.abs(out[:2]).max() < 0.5


def test_the_slope_is_that_of_least_squares() -> None:
    z = np.random.default_rng(3).normal(size=20) + 0.1 * np.arange(20)
    assert lagged.line_slope(z) == pytest.approx(np.polyfit(np.arange(20), z, 1)[0])


def test_no_ridge_helps_figures_that_are_not_finite() -> None:
    moments = np.full((3, 3), np.nan)
    out = np.full(3, 9.0)
    lagged.coefficients(moments, np.zeros((3, 3)), 3, np.empty((3, 3)), out)
    assert out.tolist() == [0.0, 0.0, 9.0]


def test_an_extension_stays_near_the_history() -> None:
    z = np.array([1.0, 2.0, 4.0, 0.0, 0.0, 0.0])
    lagged.extend(z, 3, np.array([0, 1]), np.array([1.2]))
    np.testing.assert_allclose(z[3:], [4.8, 5.5, 5.5])
    z[3:] = 0.0
    lagged.extend(z, 3, np.array([0, 1, 3]), np.array([-0.5, 0.25]))
    np.testing.assert_allclose(z[3:], [-0.5 if v < -0.5 else v for v in (-1.75, 0.75, 0.625)])
