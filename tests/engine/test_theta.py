import numpy as np
import pytest
from scipy.optimize import minimize
from statsmodels.tsa.forecasting.theta import ThetaModel, ThetaModelResults
from statsmodels.tsa.holtwinters import SimpleExpSmoothing

from forecast.engine import seasonal, theta
from forecast.engine.batch import Batch

RNG = np.random.default_rng(5)
KINDS = {"theta_classical": "tested", "theta_shrunk": "shrunk", "theta_pooled": "pooled", "theta_additive": "additive"}


def history(n=30, growth=0.5):
    return 40 + growth * np.arange(n) + np.cumsum(RNG.normal(0, 2, n)) + RNG.normal(0, 2, n)


def model(y, alpha, weight, level, steps):
    """Fiorucci et al. 2016, equations 11 to 15, with lines fitted anew; return one-step errors and forecasts."""
    figures, made, errors = list(y), [], []
    for t in range(1, len(y) + steps + 1):
        known = np.array(figures[: t - 1])
        slope, intercept = np.polyfit(np.arange(1, t), known, 1) if t > 2 else (0.0, known[0] if t > 1 else 0.0)
        rest = (1 - alpha) ** (t - 1)
        point = level + weight * (rest * intercept + (1 - rest * (1 - alpha)) / alpha * slope)
        if t > len(y):
            figures.append(point)
            made.append(point)
        elif t > theta.SKIPPED:
            errors.append(y[t - 1] - point)
        level = alpha * figures[t - 1] + (1 - alpha) * level
    return np.array(errors), np.array(made)


def lines(y):
    intercepts, slopes = np.empty(len(y)), np.empty(len(y))
    theta.running_lines(y, intercepts, slopes)
    return intercepts, slopes


def batch(rows, period=4):
    values = np.array(rows, dtype=float)
    n, length = values.shape
    return Batch(values, np.arange(n) % 3, np.full(n, length, np.int64), period, np.zeros(n, np.int64))


def test_running_lines_are_least_squares_lines():
    y = history(9)
    intercepts, slopes = lines(y)
    for k in range(1, 9):
        np.testing.assert_allclose([slopes[k], intercepts[k]], np.polyfit(np.arange(1, k + 2), y[: k + 1], 1))
    assert (intercepts[0], slopes[0]) == (y[0], 0)


def one_ahead(y, alpha, weight, level):
    """The next figure by statsmodels, its first level moved from y[0], where it puts it, to `level`."""
    simple = SimpleExpSmoothing(y, initialization_method="known", initial_level=y[0])
    smoothed = simple.fit(smoothing_level=alpha, optimized=False).forecast(1)[0]
    slope, intercept = np.polyfit(np.arange(1, len(y) + 1), y, 1)
    plain = ThetaModel(y, deseasonalize=False, use_test=False, period=1).fit().model
    fitted = ThetaModelResults(slope, alpha, 1.0, smoothed, np.zeros(0), False, plain)
    moved = level - (y[0] - weight * (intercept + slope))
    return fitted.forecast(1, theta=1 / (1 - weight)).iloc[0] + (1 - alpha) ** len(y) * moved


@pytest.mark.parametrize(("alpha", "weight"), [(0.1, 0.5), (0.45, 0.8), (0.9, 0.0)])
def test_every_step_is_that_of_statsmodels_after_the_steps_before(alpha, weight):
    y = history()
    intercepts, slopes = lines(y)
    out = np.empty(8)
    theta.dynamic_points(y, intercepts[-1], slopes[-1], alpha, weight, 35.0, out)
    for h in range(8):
        expected = one_ahead(np.append(y, out[:h]), alpha, weight, 35.0)
        np.testing.assert_allclose(out[h], expected, rtol=1e-8)


@pytest.mark.parametrize(("alpha", "weight", "level"), [(0.1, 0.3, 35.0), (0.6, 0.9, 50.0), (0.95, 0.0, 10.0)])
def test_dynamic_points_are_those_of_the_published_recursion(alpha, weight, level):
    y = history(20)
    intercepts, slopes = lines(y)
    out = np.empty(8)
    theta.dynamic_points(y, intercepts[-1], slopes[-1], alpha, weight, level, out)
    np.testing.assert_allclose(out, model(y, alpha, weight, level, 8)[1], rtol=1e-8)


@pytest.mark.parametrize("alpha", [0.08, 0.4, 0.9])
def test_weight_and_level_have_the_least_squares(alpha):
    y = history(25, growth=1.0)
    intercepts, slopes = lines(y)
    loss, weight, level = theta.one_step_fit(y, intercepts, slopes, alpha)

    pulls = -np.subtract(*(model(y, alpha, w, 0.0, 0)[0] for w in (1.0, 0.0)))
    held = theta.HELD_WEIGHT * np.mean(pulls**2)

    def objective(parameters):
        errors = model(y, alpha, *parameters, 0)[0]
        return np.sum(errors**2) + held * (parameters[0] - 0.5) ** 2 + theta.HELD_LEVEL * (parameters[1] - y[0]) ** 2

    assert loss == pytest.approx(objective([weight, level]), rel=1e-8)
    bounds = [(0, theta.LARGEST_WEIGHT), (0, None)]
    best = minimize(objective, [0.5, y[0]], bounds=bounds, method="L-BFGS-B")
    assert loss == pytest.approx(best.fun, rel=1e-4)


def test_search_finds_the_best_smoothing_parameter():
    for growth in (0.0, 0.5, 2.0):
        y = history(40, growth)
        found = theta.dynamic_theta(y, np.empty(1))
        tried = np.arange(theta.SLOWEST, theta.FASTEST, 0.002)
        losses = [theta.one_step_fit(y, *lines(y), alpha)[0] for alpha in tried]
        assert theta.one_step_fit(y, *lines(y), found)[0] <= min(losses) * 1.001


def test_forecasts_follow_a_straight_line_and_stay_at_a_constant():
    out = np.empty(6)
    theta.dynamic_theta(np.full(12, 7.0), out)
    np.testing.assert_allclose(out, 7)
    theta.dynamic_theta(10 + 2 * np.arange(40.0), out)
    np.testing.assert_allclose(out, 10 + 2 * np.arange(40, 46), rtol=0.02)


@pytest.mark.parametrize("name", KINDS)
def test_member_takes_the_season_out_and_puts_it_back(name):
    season = np.tile([1.4, 0.7, 1.0, 0.9], 8)
    made = batch([history(32) * season * RNG.lognormal(0, 0.1, 32) for _ in range(9)])
    points = getattr(theta, name)(made, 6)
    effects = seasonal.seasonal_effects(made, KINDS[name])
    for i in range(9):
        y, at = made.values[i, made.start[i] :], effects[i][np.arange(made.start[i], 32) % 4]
        later = effects[i][np.arange(32, 38) % 4]
        out = np.empty(6)
        if name == "theta_additive":
            theta.dynamic_theta(y - at, out)
            expected = out + later
        else:
            theta.dynamic_theta(y / np.exp(at), out)
            expected = out * np.exp(later)
        np.testing.assert_allclose(points[i], expected)
    assert np.ptp(effects) > 0.2


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("period", [1, 2, 4, 7])
def test_members_answer_any_history(name, period):
    spike = np.zeros(17)
    spike[-1] = 5
    rows = [
        np.zeros(17),
        np.full(17, 3.0),
        spike,
        spike[::-1],
        1e9 * history(17),
        1e-6 * history(17),
        np.exp(np.arange(17)),
    ]
    made = batch(rows, period)
    before = made.values.copy()
    points = getattr(theta, name)(made, 60)
    assert np.isfinite(points).all()
    assert (points >= 0).all()
    assert (points.max(axis=1) <= 20 * made.values.max(axis=1)).all()
    np.testing.assert_array_equal(made.values, before)
    short = Batch(made.values, made.stop - 3, made.stop, period, made.pools)
    few = getattr(theta, name)(short, 2)
    assert np.isfinite(few).all()
    assert (few >= 0).all()


@pytest.mark.parametrize("name", KINDS)
def test_points_scale_with_the_data(name):
    rows = np.array([history(24) for _ in range(8)])
    once, often = (getattr(theta, name)(batch(rows * scale), 5) for scale in (1, 1000))
    np.testing.assert_allclose(often, once * 1000, rtol=1e-9)
