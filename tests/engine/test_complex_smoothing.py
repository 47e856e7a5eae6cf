"""Complex smoothing: the recursion in complex numbers, as it was first written, and plain rewrites of the rest."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from forecast.engine.batch import Batch, FloatArray
from forecast.engine.complex_smoothing import (
    GRID,
    PSEUDO_ERROR,
    average_forecast,
    best_start,
    complex_smoothing,
    smooth,
)
from forecast.engine.seasonal import seasonal_effects


def batch_of(*rows: FloatArray, period: int) -> Batch:
    """Rows that end together, as late as the longest."""
    width = max(map(len, rows))
    values = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        values[i, width - len(row) :] = row
    start = np.array([width - len(row) for row in rows])
    return Batch(values, start, np.full(len(rows), width), period, np.zeros(len(rows), dtype=np.int64))


def walk(n: int, seed: int = 1) -> FloatArray:
    return 50 + np.cumsum(np.random.default_rng(seed).normal(0.2, 2, n))


def in_complex_numbers(z: FloatArray, a0: float, a1: float, state: complex, steps: int) -> tuple[float, FloatArray]:
    """The sum of squared errors and the forecasts: next = a (y + i error) + (1 - a + i) state, with a = a0 + i a1."""
    a = complex(a0, a1)
    squares = 0.0
    for figure in z:
        error = figure - state.real
        squares += error**2
        state = a * complex(figure, error) + (1 - a + 1j) * state
    path = []
    for _ in range(steps):
        path.append(state.real)
        state = a * complex(state.real, 0.0) + (1 - a + 1j) * state
    return squares, np.array(path)


@pytest.mark.parametrize(("a0", "a1"), [(1.3, 1.0), (1.1, 0.95), (1.6, 1.02)])
def test_the_recursion_is_that_of_complex_numbers(a0: float, a1: float) -> None:
    z = walk(25)
    expected, path = in_complex_numbers(z, a0, a1, complex(45, 3), 1)
    squares, level, _ = smooth(z, a0, a1, 45.0, 3.0)
    assert squares == pytest.approx(expected, rel=1e-10)
    assert level == pytest.approx(path[0], rel=1e-10)


def test_with_a1_of_one_it_is_simple_smoothing() -> None:
    z = walk(12)
    level = 50.0
    for figure in z:
        level += 0.3 * (figure - level)
    assert smooth(z, 1.3, 1.0, 50.0, 9.0)[1] == pytest.approx(level, rel=1e-12)


def test_the_start_is_the_one_an_optimiser_finds() -> None:
    z = walk(15) / 50 - 1

    def loss(states: FloatArray) -> float:
        return smooth(z, 1.2, 0.95, states[0], states[1])[0] + PSEUDO_ERROR * float(states @ states)

    found = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    squares, level, potential = best_start(z, 1.2, 0.95)
    assert squares == pytest.approx(found.fun, rel=1e-8)
    np.testing.assert_allclose([level, potential], found.x, atol=1e-6)


def test_forecasts_are_averaged_by_likelihood() -> None:
    z = walk(14) / 50 - 1
    losses, paths = [], []
    for a0, a1 in GRID:
        squares, level, potential = best_start(z, a0, a1)
        losses.append(squares)
        paths.append(in_complex_numbers(z, a0, a1, complex(level, potential), 6)[1])
    weights = (np.array(losses) / min(losses)) ** (-14 / 2)
    weights[weights < 0.01] = 0.0
    assert 3 < np.count_nonzero(weights)
    out = np.empty(6)
    average_forecast(z, GRID, out)
    np.testing.assert_allclose(out, weights @ np.array(paths) / weights.sum(), rtol=1e-9)


def test_every_point_of_the_grid_forgets() -> None:
    """The discount matrix is stable, and forecasts do not grow by more than a fiftieth a period."""
    for a0, a1 in GRID:
        discount = np.array([[1 - (a0 - a1), a1 - 1], [1 - (a0 + a1), 1 - a0]])
        transition = np.array([[1, a1 - 1], [1, 1 - a0]])
        assert np.abs(np.linalg.eigvals(discount)).max() < 1.0
        assert np.abs(np.linalg.eigvals(transition)).max() <= 1.02


def test_the_season_is_taken_out_and_put_back_by_phase() -> None:
    y = walk(21) * np.resize([0.6, 1.4, 0.8, 1.2], 21)
    batch = batch_of(walk(24, seed=2), y, period=4)
    effects = seasonal_effects(batch, "shrunk")[1]
    assert np.abs(effects).max() > 0.2
    phases = np.arange(3, 30) % 4
    flat = y / np.exp(effects[phases[:21]])
    path = np.empty(6)
    average_forecast(flat / flat.mean() - 1, GRID, path)
    expected = (1 + path) * flat.mean() * np.exp(effects[phases[21:]])
    np.testing.assert_allclose(complex_smoothing(batch, 6)[1], expected, rtol=1e-9)


def test_units_do_not_matter() -> None:
    y = walk(14)
    base = complex_smoothing(batch_of(y, period=4), 4)
    for unit in (1e9, 1e-6):
        np.testing.assert_allclose(complex_smoothing(batch_of(y * unit, period=4), 4), base * unit, rtol=1e-9)


@pytest.mark.parametrize("period", [1, 4, 5])
def test_hard_histories_are_answered(period: int) -> None:
    rows = [
        np.zeros(12),
        np.full(11, 7.0),
        np.array([0.0] * 11 + [1e9]),
        np.array([1e9] + [0.0] * 11),
        np.array([0.0, 0.0, 1.0]),
        2.0 ** np.arange(12),
        np.array([5.0, 0.0] * 6),
    ]
    batch = batch_of(*rows, period=period)
    before = batch.values.copy()
    points = complex_smoothing(batch, 60)
    np.testing.assert_array_equal(batch.values, before)
    assert np.isfinite(points).all()
    assert (points >= 0.0).all()
    np.testing.assert_array_equal(points[0], 0.0)
    np.testing.assert_allclose(points[1], 7.0, rtol=1e-6)
    for row, path in zip(rows, points, strict=True):
        assert path.max() <= 20 * row.max()
