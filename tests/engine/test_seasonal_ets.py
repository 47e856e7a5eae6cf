"""ETS(A,Ad,A): the recursion against statsmodels, the start and the average against plain rewrites."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecast.engine.batch import Batch, FloatArray, Member
from forecast.engine.seasonal_ets import (
    GRID,
    LOG_OFFSET,
    TREND_PSEUDO_ERROR,
    average_forecast,
    best_start,
    ets_log,
    ets_sqrt,
    season_length,
    smooth,
)

MEMBERS = [ets_log, ets_sqrt]
PARAMETERS = np.array([0.3, 0.06, 0.9, 0.2])


def batch_of(*rows: FloatArray, period: int) -> Batch:
    """Rows that end together, as late as the longest."""
    width = max(map(len, rows))
    values = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        values[i, width - len(row) :] = row
    start = np.array([width - len(row) for row in rows])
    return Batch(values, start, np.full(len(rows), width), period, np.zeros(len(rows), dtype=np.int64))


def seasonal(n: int, period: int, seed: int = 1) -> FloatArray:
    t = np.arange(n)
    noise = np.random.default_rng(seed).normal(0, 3, n)
    return 50 + 0.3 * t + 12 * np.sin(2 * np.pi * t / period) + noise


def statsmodels_smooth(y: FloatArray, parameters: FloatArray, level: float, trend: float, season: FloatArray) -> Any:
    model = ETSModel(
        y,
        trend="add",
        damped_trend=True,
        seasonal="add",
        seasonal_periods=len(season),
        initialization_method="known",
        initial_level=level,
        initial_trend=trend,
        initial_seasonal=season,
    )
    alpha, beta, phi, gamma = parameters
    # Its season is that of t - m first, so the states before are listed backwards.
    return model.smooth(np.array([alpha, beta, gamma, phi, level, trend, *season[::-1]]))


@pytest.mark.parametrize(("n", "period"), [(20, 4), (31, 12), (9, 3)])
def test_the_recursion_is_that_of_statsmodels(n: int, period: int) -> None:
    y = seasonal(n, period)
    season = np.linspace(-3, 4, period)
    expected = statsmodels_smooth(y, PARAMETERS, 40.0, 1.5, season)
    ours = season.copy()
    squares, level, trend = smooth(y, PARAMETERS, 40.0, 1.5, ours)
    assert squares == pytest.approx(np.sum(expected.resid**2), rel=1e-8)
    assert level == pytest.approx(expected.level[-1], rel=1e-8)
    assert trend == pytest.approx(expected.slope[-1], rel=1e-8)
    damped = np.cumsum(PARAMETERS[2] ** np.arange(1, 7))
    forecast = level + trend * damped + ours[(n + np.arange(6)) % period]
    np.testing.assert_allclose(forecast, expected.forecast(6), rtol=1e-8)


@pytest.mark.parametrize("period", [1, 4])
def test_the_start_is_the_one_an_optimiser_finds(period: int) -> None:
    y = seasonal(17, 4) / 50
    season = np.linspace(-0.2, 0.2, period) if period > 1 else np.zeros(1)

    def loss(states: FloatArray) -> float:
        squares, _, _ = smooth(y, PARAMETERS, states[0], states[1], season.copy())
        return squares + TREND_PSEUDO_ERROR * states[1] ** 2

    found = minimize(loss, [1.0, 0.0], method="BFGS", options={"gtol": 1e-9})
    squares, level, trend = best_start(y, PARAMETERS, season, np.empty((3, period)))
    assert squares == pytest.approx(found.fun, rel=1e-8)
    np.testing.assert_allclose([level, trend], found.x, atol=1e-6)
    assert squares == pytest.approx(loss(np.array([level, trend])), rel=1e-10)


def test_forecasts_are_averaged_by_likelihood() -> None:
    z, season = seasonal(16, 4) / 50, np.array([0.1, 0.2, -0.1, -0.2])
    losses, paths = [], []
    for parameters in GRID:
        squares, level, trend = best_start(z, parameters, season, np.empty((3, 4)))
        after = season.copy()
        _, level, trend = smooth(z, parameters, level, trend, after)
        losses.append(squares)
        paths.append(level + trend * np.cumsum(parameters[2] ** np.arange(1, 6)) + after[(16 + np.arange(5)) % 4])
    weights = (np.array(losses) / min(losses)) ** (-16 / 2)
    weights[weights < 0.01] = 0.0
    assert 5 < np.count_nonzero(weights) < len(GRID)
    expected = weights @ np.array(paths) / weights.sum()
    out = np.empty(5)
    average_forecast(z, season, GRID, out)
    np.testing.assert_allclose(out, expected, rtol=1e-10)


def test_without_a_season_gamma_plays_no_part() -> None:
    z = seasonal(12, 4) / 50
    alone, all_of_it = np.empty(3), np.empty(3)
    average_forecast(z, np.zeros(1), GRID[GRID[:, 3] == 0.0], alone)
    average_forecast(z, np.zeros(1), GRID, all_of_it)
    np.testing.assert_array_equal(alone, all_of_it)


def test_every_point_of_the_grid_forgets() -> None:
    """Errors die out: the discount matrix of level and trend is stable, and gamma in the usual region."""
    for alpha, beta, phi, gamma in GRID:
        discount = np.array([[1 - alpha, phi * (1 - alpha)], [-beta, phi * (1 - beta)]])
        assert np.abs(np.linalg.eigvals(discount)).max() < 1.0
        assert 0.0 <= gamma <= 1.0 - alpha


@pytest.mark.parametrize(
    ("n", "period", "length"), [(23, 12, 1), (24, 12, 12), (10, 1, 1), (155, 52, 1), (156, 52, 52), (8, 4, 4)]
)
def test_a_season_needs_cycles(n: int, period: int, length: int) -> None:
    assert season_length(n, period) == length


@pytest.mark.parametrize("member", MEMBERS)
def test_a_clean_pattern_goes_on(member: Member) -> None:
    pattern = np.array([20.0, 40.0, 60.0, 30.0])
    points = member(batch_of(np.tile(pattern, 8), period=4), 6)
    np.testing.assert_allclose(points[0], np.resize(pattern, 6), rtol=0.02)


@pytest.mark.parametrize("member", MEMBERS)
def test_less_than_two_cycles_is_answered_without_a_season(member: Member) -> None:
    y = seasonal(7, 4)
    np.testing.assert_array_equal(member(batch_of(y, period=4), 5), member(batch_of(y, period=1), 5))


@pytest.mark.parametrize("member", MEMBERS)
def test_units_do_not_matter(member: Member) -> None:
    y = seasonal(14, 4)
    base = member(batch_of(y, period=4), 4)
    for unit in (1e9, 1e-6):
        np.testing.assert_allclose(member(batch_of(y * unit, period=4), 4), base * unit, rtol=1e-9)


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("period", [1, 4, 5])
def test_hard_histories_are_answered(member: Member, period: int) -> None:
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
    points = member(batch, 60)
    np.testing.assert_array_equal(batch.values, before)
    assert np.isfinite(points).all()
    assert (points >= 0.0).all()
    np.testing.assert_array_equal(points[0], 0.0)
    np.testing.assert_allclose(points[1], 7.0, rtol=1e-6)
    for row, path in zip(rows, points, strict=True):
        assert path.max() <= np.e * row.max() * (1 + LOG_OFFSET)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_row_is_answered_alike_in_any_company(member: Member) -> None:
    rows = [seasonal(13, 4), seasonal(9, 4, seed=2), seasonal(5, 4, seed=3)]
    together = member(batch_of(*rows, period=4), 3)
    for i, row in enumerate(rows):
        np.testing.assert_array_equal(member(batch_of(row, period=4), 3)[0], together[i])
