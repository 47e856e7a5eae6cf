"""Pooled autoregressions: against a plain rewrite with lag matrices and numpy's solver."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.engine import autoregression as ar
from forecast.engine.batch import Batch, FloatArray, Member
from forecast.engine.lagged import usable
from forecast.engine.seasonal import seasonal_effects

MEMBERS = [ar.ar_mean, ar.ar_trend, ar.ar_differences, ar.ar_seasonal]


def batch_of(*rows: FloatArray, period: int, pools: list[int] | None = None) -> Batch:
    """Rows that end together, as late as the longest."""
    width = max(map(len, rows))
    values = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        values[i, width - len(row) :] = row
    start = np.array([width - len(row) for row in rows])
    codes = np.array(pools or [0] * len(rows))
    return Batch(values, start, np.full(len(rows), width), period, codes)


def cyclic(n: int, seed: int, period: int = 4, season: float = 0.4) -> FloatArray:
    random = np.random.default_rng(seed)
    t = np.arange(n)
    level = 40 + seed + 0.2 * t + np.cumsum(random.normal(0, 1, n))
    return np.maximum(level * (1 + season * np.sin(2 * np.pi * t / period)) + random.normal(0, 2, n), 0.0)


ROWS = [cyclic(24, 1), cyclic(24, 2), cyclic(18, 3), cyclic(24, 4)]


def line(z: FloatArray) -> FloatArray:
    """A straight line over z and on for 5."""
    t = np.arange(len(z)) - (len(z) - 1) / 2
    slope, centre = np.polyfit(t, z, 1)
    return centre + slope * (np.arange(len(z) + 5) - (len(z) - 1) / 2)


def normal_equations(z: FloatArray, lags: list[int]) -> tuple[FloatArray, FloatArray, int]:
    x = np.array([[z[t - lag] for lag in lags] for t in range(max(lags), len(z))])
    target = z[max(lags) :]
    return x.T @ x, x.T @ target, len(target)


def slowly(rows: list[FloatArray], period: int, member: Member) -> list[FloatArray]:
    """Five forecasts of each row, all of one pool and with all lags."""
    lags = list(range(1, period + 2))
    effects = seasonal_effects(batch_of(*rows, period=period), "shrunk")
    width = max(map(len, rows))
    series = []
    for row, effect in zip(rows, effects, strict=True):
        z = row / row.mean()
        factors = np.exp(effect)[np.arange(width - len(row), width + 5) % period]
        if member is ar.ar_seasonal:
            z = np.log(z / factors[: len(row)] + 0.3)
        elif member is ar.ar_differences:
            z = np.diff(z)
        flat = np.full(len(z) + 5, z.mean())
        base = line(z) if member in (ar.ar_trend, ar.ar_seasonal) else flat
        deviation = np.sqrt(np.mean((z - base[:-5]) ** 2))
        series.append(((z - base[:-5]) / deviation, base, deviation, factors[len(row) :]))
    equations = [normal_equations(z, lags) for z, *_ in series]
    gram = (sum(g / n for g, _, n in equations) + np.eye(len(lags))) / (len(rows) + 1)
    right = sum(r / n for _, r, n in equations) / (len(rows) + 1)
    answers = []
    for row, (z, base, deviation, factors), (g, r, _) in zip(rows, series, equations, strict=True):
        weights = np.linalg.solve(g + 20 * gram, r + 20 * right)
        path = list(z)
        for _ in range(5):
            path.append(sum(w * path[-lag] for w, lag in zip(weights, lags, strict=True)))
        kept = 1.0
        if member is ar.ar_differences:
            kept = max(0.0, 1 - 0.5 * deviation**2 / len(z) / base[0] ** 2)
        points = (kept * base + deviation * np.array(path))[-5:]
        if member is ar.ar_differences:
            points = row[-1] / row.mean() + np.cumsum(points)
        elif member is ar.ar_seasonal:
            points = (np.exp(points) - 0.3) * factors
        answers.append(points * row.mean())
    return answers


@pytest.mark.parametrize("member", MEMBERS)
def test_a_pool_is_answered_as_a_slow_rewrite_does(member: Member) -> None:
    expected = slowly(ROWS, 4, member)
    np.testing.assert_allclose(member(batch_of(*ROWS, period=4), 5), expected, rtol=3e-6)


@pytest.mark.parametrize("member", MEMBERS)
def test_pools_do_not_learn_from_one_another(member: Member) -> None:
    together = member(batch_of(*ROWS, period=4, pools=[1, 0, 1, 0]), 3)
    np.testing.assert_array_equal(together[[0, 2]], member(batch_of(ROWS[0], ROWS[2], period=4), 3))
    assert np.abs(together / member(batch_of(*ROWS, period=4), 3) - 1).max() > 1e-3


def test_chunks_of_rows_do_not_change_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(*ROWS, period=4, pools=[0, 1, 0, 1])
    whole = ar.ar_trend(batch, 3)
    monkeypatch.setattr(ar, "ROWS_AT_ONCE", 3)
    np.testing.assert_array_equal(ar.ar_trend(batch, 3), whole)


def test_threads_do_not_change_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = batch_of(*[cyclic(9, seed) for seed in range(130)], period=1)
    answers = []
    for threads in ("1", "3"):
        monkeypatch.setenv("FORECAST_THREADS", threads)
        answers.append(ar.ar_mean(batch, 2))
    np.testing.assert_array_equal(*answers)


def test_a_short_row_counts_for_the_lags_it_has() -> None:
    rows = [cyclic(24, 1), cyclic(6, 2)]
    batch = batch_of(*rows, period=4)
    no_season = np.zeros((2, 1))
    both = ar.pool_moments(batch, no_season, ar.lags_of(4), ar.MEAN)[0]
    singles = [
        ar.pool_moments(batch_of(row, period=4), no_season[:1], ar.lags_of(4), ar.MEAN)[0] * 2 - np.eye(6)
        for row in rows
    ]
    assert usable(ar.lags_of(4), 6) == 5
    near = np.triu_indices(5)
    np.testing.assert_allclose(both[near], ((singles[0] + singles[1] + np.eye(6)) / 3)[near], rtol=1e-12)
    np.testing.assert_allclose(both[:, 5], ((singles[0] + np.eye(6)) / 2)[:, 5], rtol=1e-12)


def test_an_autoregression_of_one_lag_is_found() -> None:
    random = np.random.default_rng(5)
    rows = []
    for _ in range(40):
        z = [0.0]
        for _ in range(59):
            z.append(0.7 * z[-1] + random.normal())
        rows.append(100 + 5 * np.array(z))
    points = ar.ar_mean(batch_of(*rows, period=1), 1)[:, 0]
    centre = np.mean(rows, axis=1)
    ratio = np.polyfit(np.array([row[-1] for row in rows]) - centre, points - centre, 1)[0]
    assert ratio == pytest.approx(0.7, abs=0.1)


@pytest.mark.parametrize("member", MEMBERS)
def test_units_do_not_matter(member: Member) -> None:
    base = member(batch_of(*ROWS, period=4), 4)
    for unit in (1e9, 1e-6):
        scaled = member(batch_of(*[row * unit for row in ROWS], period=4), 4)
        np.testing.assert_allclose(scaled, base * unit, rtol=1e-6)


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
        3.0 * np.arange(12),
    ]
    for pools in ([0] * len(rows), list(range(len(rows)))):
        batch = batch_of(*rows, period=period, pools=pools)
        before = batch.values.copy()
        points = member(batch, 60)
        np.testing.assert_array_equal(batch.values, before)
        assert np.isfinite(points).all()
        assert (points >= 0.0).all()
        np.testing.assert_array_equal(points[0], 0.0)
        np.testing.assert_allclose(points[1], 7.0, rtol=1e-6)
        for row, path in zip(rows, points, strict=True):
            assert path.max() <= row.max() + np.ptp(row) * 1.5


@pytest.mark.parametrize("member", [ar.ar_trend, ar.ar_differences])
def test_a_straight_line_goes_on_but_not_for_ever(member: Member) -> None:
    points = member(batch_of(10.0 + 2.0 * np.arange(12), period=1), 40)[0]
    np.testing.assert_allclose(points[:16], 34.0 + 2.0 * np.arange(16), rtol=1e-6)
    np.testing.assert_allclose(points[16:], 32.0 + 22.0 * 1.5, rtol=1e-6)


@pytest.mark.parametrize("member", MEMBERS)
def test_weekly_lags_are_few(member: Member) -> None:
    assert ar.lags_of(52).tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 51, 52, 53]
    points = member(batch_of(cyclic(110, 1, period=52), cyclic(30, 2, period=52), period=52), 3)
    assert np.isfinite(points).all()
