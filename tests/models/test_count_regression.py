"""The regression of counts against Newton's method by hand, and against rates put into made-up data."""

import numpy as np
import pandas as pd
import pytest

from forecast import Panel
from forecast.calendar import Intervention, intervention_columns
from forecast.models import count_regression
from tests.models.test_structural import (
    CLOSURE,
    DUTY,
    HELD,
    HORIZON,
    MONTHS,
    answer,
    counts,
    expected,
    ratio,
    seen,
)

NAME = "count_regression"


def newton(y, design, offset, *, alpha=0.0, weights=1.0):
    """Maximum likelihood of a log-linear count model with variance mean + alpha mean^2, and its errors."""
    beta = np.linalg.lstsq(design, np.log(y + 0.5) - offset, rcond=None)[0]
    for _ in range(100):
        mean = np.exp(design @ beta + offset)
        weight = weights * mean / (1 + alpha * mean)
        information = design.T @ (weight[:, None] * design)
        beta = beta + np.linalg.solve(information, design.T @ (weight * (y / mean - 1)))
    return beta, np.sqrt(np.diagonal(np.linalg.inv(information)))


def by_hand(y, interventions=(), offset=None, *, alpha=0.0):
    """Points, coefficients and errors, spelled out."""
    length = len(y)
    years = np.arange(1 - length, HORIZON + 1) / 12
    dates = pd.date_range("2016-01-01", periods=length + HORIZON, freq="MS")
    waves = [f(2 * np.pi * k * years) for k in (1, 2) for f in (np.cos, np.sin)]
    design = np.column_stack([np.ones(len(years)), years, *(x.column(dates) for x in interventions), *waves])
    offset = np.zeros(len(years)) if offset is None else offset
    beta, error = newton(y, design[:length], offset[:length], alpha=alpha)
    fixed = offset + design[:, 2:] @ beta[2:]
    weights = 0.5 ** (-years[:length] / 2)
    (level, growth), _ = newton(y, design[:length, :2], fixed[:length], alpha=alpha, weights=weights)
    faded = np.cumsum(0.9 ** (np.arange(1, HORIZON + 1) / 12)) / 12
    return np.exp(level + growth * faded + fixed[length:]), beta, error


def poisson(seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).poisson(expected()[:-HORIZON] / 8).astype(float)


def alpha_of(y, mean, freedom):
    """Bisect for the spread whose Pearson chi-square is its degrees of freedom."""
    low, high = 0.0, 10.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if ((y - mean) ** 2 / (mean + middle * mean**2)).sum() > freedom else (low, middle)
    return low


def test_points_of_poisson_counts_are_those_of_newton():
    y = np.round(expected()[:-HORIZON] / 8)
    points, told = answer(seen(y, CLOSURE, DUTY), name=NAME)
    oracle, beta, error = by_hand(y, (CLOSURE, DUTY))
    np.testing.assert_allclose(points, oracle, rtol=1e-8)
    said = np.array([ratio(told, name) for name in ("a year", "closure", "duty")])
    ends = np.exp(beta[1:4, None] + 1.96 * np.outer(error[1:4], [0, -1, 1]))
    np.testing.assert_allclose(said, ends, atol=0.006)


def test_spread_counts_are_negative_binomial_with_the_spread_of_their_moments():
    y = np.random.default_rng(3).poisson(expected()[:72] * np.random.default_rng(4).gamma(20, 1 / 20, 72)) * 1.0
    points, _ = answer(seen(y), name=NAME)
    alpha = 0.0
    for _ in range(3):
        _, beta, _ = by_hand(y, alpha=alpha)
        years = np.arange(-71, 1) / 12
        waves = [f(2 * np.pi * k * years) for k in (1, 2) for f in (np.cos, np.sin)]
        mean = np.exp(np.column_stack([np.ones(72), years, *waves]) @ beta)
        alpha = alpha_of(y, mean, 72 - 6)
    assert alpha == pytest.approx(1 / 20, rel=0.5)
    np.testing.assert_allclose(points, by_hand(y, alpha=alpha)[0], rtol=1e-5)
    _, low, high = ratio(answer(seen(y, CLOSURE, DUTY), name=NAME)[1], "duty")
    _, lowest, highest = ratio(answer(seen(np.round(expected()[:72]), CLOSURE, DUTY), name=NAME)[1], "duty")
    assert np.log(high / low) > 2 * np.log(highest / lowest)


def test_errors_are_wider_when_neighbours_are_alike():
    rng = np.random.default_rng(8)
    alone = rng.normal(0, 0.1, 72)
    alike = np.array([0.1 * sum(0.8**k * alone[t - k] / 0.1 for k in range(t + 1)) * 0.6 for t in range(72)])
    widths = []
    for noise in (rng.permutation(alike), alike):
        _, low, high = ratio(answer(seen(np.round(400 * np.exp(noise)), DUTY), name=NAME)[1], "duty")
        widths.append(np.log(high / low))
    assert widths[1] > 1.5 * widths[0]


def test_rates_are_recovered_and_told():
    points, told = answer(seen(counts(), CLOSURE, DUTY), name=NAME)
    assert told.startswith("rate ratios (95 %): a year 1.0")
    for name, true in (("closure", 0.67), ("duty", 1.25), ("a year", 1.05)):
        _, low, high = ratio(told, name)
        assert low <= true <= high
        assert high / low < 1.2
    np.testing.assert_allclose(points, expected()[-HORIZON:], rtol=0.08)


def test_a_rate_is_per_head_of_the_exposure():
    people = 5000.0 * 1.3 ** (np.arange(84) // 36)
    rate = expected() / 400
    y = np.random.default_rng(2).poisson(rate[:72] * people[:72] / 50).astype(float)
    frame = pd.DataFrame({"unique_id": "a", "ds": MONTHS[:72], "y": y})
    columns = intervention_columns([CLOSURE, DUTY], MONTHS, "MS").assign(population=people)
    window = Panel.from_frame(frame, freq="MS", known=columns).window()
    points, told = answer(window, name=NAME)
    np.testing.assert_allclose(points, (rate * people)[72:] / 50, rtol=0.12)
    _, low, high = ratio(told, "duty")
    assert low <= 1.25 <= high
    assert "population" not in told
    more = {**window.known, "population": np.array([np.where(np.arange(84) < 72, people, 2 * people)])}
    np.testing.assert_allclose(answer(type(window)(**{**vars(window), "known": more}), name=NAME)[0], 2 * points)


def test_held_figures_are_as_good_as_missing_and_as_an_effect_of_their_own():
    y = poisson()
    held = HELD.column(MONTHS[:72]) > 0
    points, told = answer(seen(np.where(held, 9 * y, y), HELD), name=NAME)
    np.testing.assert_array_equal(points, answer(seen(np.where(held, np.nan, y)), name=NAME)[0])
    own = [Intervention(f"m{i}", "pulse", MONTHS[i].date()) for i in np.flatnonzero(held)]
    assert ratio(told, "a year") == ratio(answer(seen(y, *own), name=NAME)[1], "a year")


def test_growth_is_limited_and_fades():
    y = 10 * 2.0 ** np.arange(8)
    points, _ = answer(seen(y, freq="YS", horizon=40), 40, NAME)
    steps = np.diff(np.log(points))
    assert steps.max() <= np.log(1.5)
    np.testing.assert_allclose(steps[1:] / steps[:-1], 0.9)


def test_a_closure_without_any_count_is_under_a_hundredth():
    y = np.where(CLOSURE.column(MONTHS[:72]) > 0, 0.0, np.round(expected()[:72]))
    points, told = answer(seen(y, CLOSURE), name=NAME)
    assert "closure under 0.01 (under 0.01 to over 100)" in told
    assert np.isfinite(points).all()
    assert points.min() > 100


def test_a_season_needs_more_figures_than_it_has_parts():
    y = np.full(24, np.nan)
    y[[0, 3, 8, 12, 17, 23]] = [5, 6, 9, 4, 7, 8]
    design = count_regression._design(count_regression.read_known(seen(y), HORIZON, least=4), HORIZON, 12)
    assert design.shape == (36, 2)
