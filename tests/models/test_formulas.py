"""Points of each model: by hand for the simple ones, the library called directly for the others."""

import logging
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast import models
from tests.panels import window

NAN = np.nan
ANNUAL = np.array([286.0, 247, 337, 362, 329, 512, 705, 790])
MONTHLY = np.round(300 + 2.0 * np.arange(36) + 40 * np.sin(np.arange(36) * np.pi / 6) + np.tile([3.0, -5, 4, 0], 9))


def points(name: str, values, horizon: int, freq: str = "YS") -> list[list[float]]:
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        return models.get(name).forecast(window(values, freq), horizon).round(9).tolist()


def test_naive_is_the_last_figure():
    assert points("naive", [[1, 2, 7], [4, 5, NAN], [NAN, NAN, NAN]], 2)[:2] == [[7, 7], [5, 5]]
    assert np.isnan(points("naive", [[NAN, NAN]], 1)[0][0])


def test_drift_is_the_line_through_first_and_last():
    rows = [[10, 99, 14], [NAN, 3, 5], [2, 4, NAN], [9, 6, 3], [5, NAN, NAN]]
    assert points("drift", rows, 2) == [[16, 18], [7, 9], [8, 10], [0, 0], [5, 5]]


def test_seasonal_naive_repeats_the_latest_of_each_season():
    rows = [[1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, NAN, 7, NAN]]
    assert points("seasonal_naive", rows, 6, "QS") == [[5, 6, 7, 8, 5, 6], [5, 2, 7, 4, 5, 2]]


def test_seasonal_naive_knows_the_phase_when_the_history_is_no_whole_number_of_seasons():
    assert points("seasonal_naive", [[1, 2, 3, 4, 5, 6]], 5, "QS") == [[3, 4, 5, 6, 3]]


def test_seasonal_naive_without_a_season_or_of_a_season_never_seen_is_the_last_figure():
    assert points("seasonal_naive", [[1, 2, 7]], 3) == [[7, 7, 7]]
    assert points("seasonal_naive", [[1, NAN, 3, 4, 5, NAN, 7, 8]], 4, "QS") == [[5, 8, 7, 8]]
    assert points("seasonal_naive", [[1, 2, 7]], 3, "QS") == [[7, 1, 2]]


@pytest.mark.parametrize(("y", "freq", "seasonal"), [(ANNUAL, "YS", False), (MONTHLY, "MS", True)])
def test_theta_is_that_of_statsmodels(y, freq, seasonal):
    from statsmodels.tsa.forecasting.theta import ThetaModel

    direct = ThetaModel(y, period=12 if seasonal else 1, deseasonalize=seasonal).fit().forecast(4)
    np.testing.assert_allclose(points("theta", [y], 4, freq)[0], direct, atol=1e-6)


def direct_ets(y: np.ndarray, **season):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    start = "heuristic" if len(y) >= 10 else "estimated"
    for trend, damped in ((None, False), ("add", False), ("add", True)):
        model = ETSModel(np.log1p(y), trend=trend, damped_trend=damped, initialization_method=start, **season)
        yield model.fit(disp=False)


@pytest.mark.parametrize(
    ("y", "freq", "season"), [(ANNUAL, "YS", {}), (MONTHLY, "MS", {"seasonal": "add", "seasonal_periods": 12})]
)
def test_ets_is_the_one_of_statsmodels_with_the_least_aicc(y, freq, season):
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        fits = sorted(direct_ets(y, **season), key=lambda fit: fit.aicc)
        expected = np.expm1(fits[0].forecast(4))
    np.testing.assert_allclose(points("ets", [y], 4, freq)[0], expected, rtol=1e-6)


def test_arima_is_the_one_of_statsmodels_with_the_least_aicc():
    from statsmodels.tsa.arima.model import ARIMA

    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        orders = ((0, 1, 0), (1, 1, 0), (0, 1, 1))
        fits = [ARIMA(np.log1p(ANNUAL), order=order, trend="t").fit() for order in orders]
        expected = np.expm1(min(fits, key=lambda fit: fit.aicc).forecast(3))
    np.testing.assert_allclose(points("arima", [ANNUAL], 3)[0], expected, rtol=1e-4)


def test_arima_of_steady_growth_goes_on_with_it():
    y = np.expm1(np.log1p(100) + 0.1 * np.arange(12))
    np.testing.assert_allclose(
        points("arima", [y], 2)[0], np.expm1(np.log1p(100) + 0.1 * np.array([12, 13])), rtol=1e-3
    )


def test_prophet_has_the_fast_settings():
    from prophet import Prophet

    model = Prophet(
        yearly_seasonality=4,
        weekly_seasonality=False,
        daily_seasonality=False,
        n_changepoints=17,
        uncertainty_samples=0,
    )
    dates = pd.date_range("2020", periods=39, freq="MS")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        model.fit(pd.DataFrame({"ds": dates[:36], "y": np.log1p(MONTHLY)}), algorithm="LBFGS")
        expected = np.expm1(model.predict(pd.DataFrame({"ds": dates[36:]}))["yhat"])
    np.testing.assert_allclose(points("prophet", [MONTHLY], 3, "MS")[0], expected, rtol=1e-6)


def test_prophet_leaves_one_handler_however_often_it_is_asked():
    for _ in range(2):
        points("prophet", [ANNUAL], 1)
    assert len(logging.getLogger("prophet").handlers) <= 1


DIPPED = np.round(np.expm1(np.log1p(100) + 0.08 * np.arange(12) - 0.4 * (np.arange(12) == 6)))
DIP = (np.arange(15) == 6).astype(float)


def known_points(name: str, y, **columns) -> tuple[np.ndarray, str]:
    known = {key: np.array([column]) for key, column in columns.items()}
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        made, (told,) = models.get(name).explained(replace(window([y]), known=known), 3)
    return made[0], told


def test_arima_with_regressors_is_the_one_of_statsmodels_fitted_by_innovations():
    from statsmodels.tsa.arima.model import ARIMA

    made, told = known_points("arima", DIPPED, dip=DIP)
    assert told == ""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        column = DIP[:12, None]
        fits = [
            ARIMA(np.log1p(DIPPED), exog=column, order=order, trend="t").fit(method="innovations_mle")
            for order in ((0, 1, 0), (1, 1, 0), (0, 1, 1))
        ]
        expected = np.expm1(min(fits, key=lambda fit: fit.aicc).forecast(3, exog=np.zeros((3, 1))))
    np.testing.assert_allclose(made, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["arima", "prophet"])
def test_a_known_dip_is_not_taken_for_the_trend(name):
    ahead = np.expm1(np.log1p(100) + 0.08 * np.arange(12, 15))
    told, _ = known_points(name, DIPPED, dip=DIP)
    untold, _ = known_points(name, DIPPED)
    held, said = known_points(name, np.where(DIP[:12] > 0, 9e3, DIPPED), **{"hold:dip": DIP})
    assert said == "dip held out: 1 figure"
    for made in (told, held):
        assert np.abs(made / ahead - 1).max() < 0.04
    assert np.abs(told / ahead - 1).max() < np.abs(untold / ahead - 1).max()


@pytest.mark.parametrize("name", ["arima", "prophet"])
def test_a_change_after_the_last_figure_changes_nothing_and_is_said(name):
    made, said = known_points(name, DIPPED, later=(np.arange(15) >= 13).astype(float))
    np.testing.assert_array_equal(made, known_points(name, DIPPED)[0])
    assert said == "later left out: it changes only after the last figure"


@pytest.mark.parametrize("name", ["theta", "ets", "arima", "prophet"])
def test_nothing_falls_below_zero(name):
    falling = np.array([60.0, 50, 41, 30, 19, 11, 2])
    assert min(points(name, [falling], 6)[0]) >= 0
