import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from statsmodels.tsa.holtwinters import ExponentialSmoothing, SimpleExpSmoothing

from forecast.engine import seasonal, smoothing
from forecast.engine.batch import Batch

RNG = np.random.default_rng(8)


def history(n=30, growth=0.5):
    return 40 + growth * np.arange(n) + np.cumsum(RNG.normal(0, 2, n)) + RNG.normal(0, 2, n)


def batch(rows, period=4):
    values = np.array(rows, dtype=float)
    n, length = values.shape
    return Batch(values, np.arange(n) % 3, np.full(n, length, np.int64), period, np.zeros(n, np.int64))


def holt(y, alpha, beta, phi, level, slope):
    model = ExponentialSmoothing(
        y,
        trend="add",
        damped_trend=True,
        initialization_method="known",
        initial_level=level,
        initial_trend=slope,
    )
    return model.fit(smoothing_level=alpha, smoothing_trend=beta / alpha, damping_trend=phi, optimized=False)


@pytest.mark.parametrize("alpha", [0.05, 0.4, 1.0])
def test_without_a_slope_it_is_simple_smoothing_as_of_statsmodels(alpha):
    y = history()
    out = np.empty(4)
    smoothing.damped_points(y, alpha, 0.0, 0.9, 35.0, 0.0, out)
    model = SimpleExpSmoothing(y, initialization_method="known", initial_level=35.0)
    np.testing.assert_allclose(out, model.fit(smoothing_level=alpha, optimized=False).forecast(4), rtol=1e-8)


@pytest.mark.parametrize(("alpha", "beta", "phi"), [(0.1, 0.01, 0.98), (0.5, 0.2, 0.8), (0.9, 0.1, 0.9)])
def test_damped_trend_is_that_of_statsmodels(alpha, beta, phi):
    y = history()
    out = np.empty(12)
    smoothing.damped_points(y, alpha, beta, phi, 38.0, 0.7, out)
    np.testing.assert_allclose(out, holt(y, alpha, beta, phi, 38.0, 0.7).forecast(12), rtol=1e-8)


@pytest.mark.parametrize(("alpha", "beta", "phi"), [(0.05, 0.002, 0.98), (0.5, 0.02, 0.8), (0.9, 0.04, 0.9)])
def test_first_level_has_the_least_squares(alpha, beta, phi):
    y = history()

    def objective(level):
        return holt(y, alpha, beta, phi, level, 0.0).sse + smoothing.HELD * (level - y[0]) ** 2

    loss, first = smoothing.damped_fit(y, alpha, beta, phi)
    assert loss == pytest.approx(objective(first), rel=1e-8)
    assert loss == pytest.approx(minimize_scalar(objective, (30, 50)).fun, rel=1e-8)


def test_search_is_close_to_an_exhaustive_one():
    for growth in (0.0, 2.0):
        y = history(40, growth)
        chosen = []
        points = np.empty(8)
        smoothing.damped_trend(y, points)
        for alpha in np.linspace(0.02, 0.98, 25):
            for share in np.linspace(0.002, 0.05, 7):
                for phi in np.linspace(0.8, 0.98, 7):
                    loss, level = smoothing.damped_fit(y, alpha, alpha * share, phi)
                    chosen.append((loss, alpha, alpha * share, phi, level))
        best = min(chosen)
        expected = np.empty(8)
        smoothing.damped_points(y, *best[1:], 0.0, expected)
        np.testing.assert_allclose(points, expected, rtol=0.02)


def test_forecasts_stay_at_a_constant_and_follow_growth_less_and_less():
    out = np.empty(6)
    smoothing.damped_trend(np.full(12, 7.0), out)
    np.testing.assert_allclose(out, 7)
    smoothing.damped_trend(10 + 2 * np.arange(40.0), out)
    growth = np.diff(out)
    assert (growth > 0.3).all()
    assert (np.diff(growth) < 0).all()


def test_member_takes_the_season_out_and_puts_it_back():
    season = np.tile([1.4, 0.7, 1.0, 0.9], 8)
    made = batch([history(32) * season for _ in range(4)])
    points = smoothing.damped_trend_member(made, 6)
    effects = seasonal.seasonal_effects(made, "shrunk")
    for i in range(4):
        out = np.empty(6)
        smoothing.damped_trend(
            made.values[i, made.start[i] :] / np.exp(effects[i][np.arange(made.start[i], 32) % 4]), out
        )
        np.testing.assert_allclose(points[i], out * np.exp(effects[i][np.arange(32, 38) % 4]))
    assert np.ptp(effects) > 0.2


@pytest.mark.parametrize("period", [1, 4, 7])
def test_member_answers_any_history(period):
    spike = np.zeros(17)
    spike[-1] = 5
    rows = [np.zeros(17), np.full(17, 3.0), spike, spike[::-1], 1e9 * history(17), 1e-6 * history(17)]
    made = batch(rows, period)
    before = made.values.copy()
    points = smoothing.damped_trend_member(made, 200)
    assert np.isfinite(points).all()
    assert (points >= 0).all()
    assert (points.max(axis=1) <= 5 * made.values.max(axis=1)).all()
    np.testing.assert_array_equal(made.values, before)
    few = smoothing.damped_trend_member(Batch(made.values, made.stop - 3, made.stop, period, made.pools), 2)
    assert np.isfinite(few).all()
    assert (few >= 0).all()


def test_points_scale_with_the_data():
    rows = np.array([history(24) for _ in range(4)])
    once, often = (smoothing.damped_trend_member(batch(rows * scale), 5) for scale in (1, 1000))
    np.testing.assert_allclose(often, once * 1000, rtol=1e-9)
