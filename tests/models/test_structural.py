"""The structural model against the Gaussian algebra it stands for, and against changes put into made-up data."""

import re
import warnings
from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast import Panel, models
from forecast.calendar import Intervention, intervention_columns
from forecast.models import structural
from forecast.models.known import read_known
from forecast.panel import Window

HORIZON = 12
MONTHS = pd.date_range("2016-01-01", periods=72 + HORIZON, freq="MS")
CLOSURE = Intervention("closure", "pulse", date(2019, 4, 1), date(2019, 8, 31))
DUTY = Intervention("duty", "step", date(2018, 4, 1))
HELD = Intervention("closure", "hold", date(2019, 4, 1), date(2019, 8, 31))


def expected() -> np.ndarray:
    """Counts that grow by 5 % a year, a third of them lost in the closure, a quarter gained by the duty."""
    at = np.arange(len(MONTHS))
    season = 0.15 * np.sin(2 * np.pi * at / 12) + 0.05 * np.cos(4 * np.pi * at / 12)
    effects = np.log(0.67) * CLOSURE.column(MONTHS) + np.log(1.25) * DUTY.column(MONTHS)
    return np.exp(np.log(400) + 0.05 * at / 12 + season + effects)


def counts(seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.poisson(expected()[:-HORIZON] * rng.gamma(400, 1 / 400, 72)).astype(float)


def seen(
    y, *interventions: Intervention, freq: str = "MS", start: str = "2016-01-01", horizon: int = HORIZON
) -> Window:
    dates = pd.date_range(start, periods=len(y) + horizon, freq=freq)
    panel = Panel.from_frame(pd.DataFrame({"unique_id": "a", "ds": dates[: len(y)], "y": y}), freq=freq)
    if interventions:
        panel = panel.with_known(intervention_columns(interventions, dates, freq))
    return panel.window()


def answer(window: Window, horizon: int = HORIZON, name: str = "structural") -> tuple[np.ndarray, str]:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        points, (told,) = models.get(name).explained(window, horizon)
    return points[0], told


def ratio(told: str, name: str) -> tuple[float, float, float]:
    found = re.search(rf"{name} ([\d.]+) \(([\d.]+) to ([\d.]+)\)", told)
    assert found, told
    return float(found[1]), float(found[2]), float(found[3])


def test_points_are_the_gaussian_ones_of_their_variances():
    window = seen(counts(), CLOSURE, DUTY)
    known = read_known(window, HORIZON, least=4)
    model = structural._model(known, np.ptp(known.past, axis=0), 12)
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        noise, wander = model.fit(disp=False, cov_type="none").params
    time = np.arange(len(MONTHS))
    waves = [f(2 * np.pi * k * time / 12) for k in (1, 2) for f in (np.cos, np.sin)]
    covariance = 1e6 * np.ones((len(time), len(time))) + (0.1 / 12) ** 2 * np.outer(time, time)
    covariance += wander * np.minimum.outer(time, time) + 1e6 * sum(np.outer(wave, wave) for wave in waves)
    covariance += sum(np.outer(x, x) for x in (CLOSURE.column(MONTHS), DUTY.column(MONTHS)))
    past = covariance[:72, :72] + noise * np.eye(72)
    mean = covariance[72:, :72] @ np.linalg.solve(past, np.log1p(window.values[0]))
    points, _ = answer(window)
    np.testing.assert_allclose(points, np.expm1(mean), rtol=1e-5)


def test_changes_are_recovered_and_told():
    points, told = answer(seen(counts(), CLOSURE, DUTY))
    for name, true in (("closure", 0.67), ("duty", 1.25), ("a year", 1.05)):
        middle, low, high = ratio(told, name)
        assert low <= true <= high
        assert high / low < 1.3
        assert middle == pytest.approx(true, rel=0.1)
    np.testing.assert_allclose(points, expected()[-HORIZON:], rtol=0.08)


def test_knowing_a_change_makes_the_forecast_better():
    off = {}
    for name, interventions in (("told", (CLOSURE, DUTY)), ("untold", ())):
        errors = [answer(seen(counts(seed), *interventions))[0] / expected()[-HORIZON:] - 1 for seed in range(4)]
        off[name] = np.abs(errors).mean()
    assert off["told"] < 0.7 * off["untold"]


def test_held_figures_are_as_good_as_missing():
    y = counts()
    gone = np.where(HELD.column(MONTHS[:72]) > 0, np.nan, y)
    wild = np.where(HELD.column(MONTHS[:72]) > 0, 9 * y, y)
    points, told = answer(seen(wild, HELD, DUTY))
    np.testing.assert_array_equal(points, answer(seen(gone, DUTY))[0])
    assert told.endswith("closure held out: 5 figures")


def test_a_change_after_the_last_figure_is_left_out_and_said():
    later = Intervention("later", "step", date(2022, 4, 1))
    points, told = answer(seen(counts(), later))
    np.testing.assert_array_equal(points, answer(seen(counts()))[0])
    assert told.endswith("; later left out: it changes only after the last figure")


def test_a_pulse_in_annual_figures():
    growth = 100 * np.exp(0.08 * np.arange(13))
    dip = Intervention("dip", "pulse", date(2021, 1, 1), date(2021, 12, 31))
    y = np.round(np.where(np.arange(10) == 6, 0.7, 1) * growth[:10])
    points, told = answer(seen(y, dip, freq="YS", start="2015-01-01", horizon=3), 3)
    np.testing.assert_allclose(points, growth[10:], rtol=0.03)
    assert ratio(told, "dip")[0] == pytest.approx(0.7, abs=0.02)


def test_an_effect_of_an_open_ramp_goes_on():
    rollout = Intervention("rollout", "ramp", date(2018, 1, 1))
    y = np.round(1000 * np.exp(np.log(1.3) * rollout.column(MONTHS)))
    points, told = answer(seen(y[:72], rollout))
    assert ratio(told, "rollout")[0] == pytest.approx(1.3, abs=0.03)
    np.testing.assert_allclose(points, y[72:], rtol=0.02)


ODD = {
    "constant": [5.0] * 8,
    "zeros": [0.0] * 40,
    "last one": [0.0] * 39 + [50.0],
    "four": [3.0, 9.0, 4.0, 8.0],
    "growth without noise": list(100 * np.exp(0.1 * np.arange(10))),
    "huge": [1e9, 1.1e9, 1.2e9, 1.25e9, 1.4e9],
    "tiny": [1e-6, 2e-6, 1e-6, 3e-6, 1e-6],
    "gaps": [1.0, np.nan, 3.0, 4.0, np.nan, 7.0, 8.0, np.nan],
    "falling": [60.0, 50, 41, 30, 19, 11, 2],
}


@pytest.mark.parametrize("name", ["structural", "count_regression"])
@pytest.mark.parametrize("freq", ["YS", "QS", "MS"])
@pytest.mark.parametrize("y", ODD.values(), ids=ODD)
def test_odd_series_are_survived(name, freq, y):
    dip, gap = Intervention("dip", "pulse", date(2017, 1, 1)), Intervention("gap", "hold", date(2018, 1, 1))
    horizon = 6 if freq == "YS" else 24
    points, told = answer(seen(y, dip, gap, freq=freq, horizon=horizon), horizon, name)
    assert np.isfinite(points).all()
    assert (points >= 0).all()
    assert points.max() <= 40 * np.nanmax(y)
    assert "nan" not in told
