"""The members of the engine as models: what they make of missing figures, short rows, constants, and pools."""

from dataclasses import replace

import numpy as np
import pytest

from forecast import models
from forecast.engine.batch import Batch, members
from forecast.models.compiled import MIN_HISTORY, Compiled, batch_of
from tests.panels import window

NAN = np.nan
ALONE = ["theta_classical", "damped_trend", "ets_log", "complex_smoothing", "adida"]


def counts(n: int = 4, length: int = 40, seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    season = 1 + 0.4 * np.sin(2 * np.pi * np.arange(length) / 12)
    return rng.poisson(80 * season, (n, length)).astype(float)


def points(name: str, values: np.ndarray, horizon: int) -> np.ndarray:
    return models.get(name).forecast(window(values, "MS"), horizon)


@pytest.mark.parametrize("name", sorted(members()))
def test_a_whole_window_is_given_to_the_member_as_it_is(name):
    values = counts()
    n, length = values.shape
    whole = Batch(values, np.zeros(n, np.int64), np.full(n, length), 12, np.zeros(n, np.int64))
    np.testing.assert_array_equal(points(name, values, 5), members()[name](whole, 5))


@pytest.mark.parametrize("name", ALONE)
def test_a_row_that_ends_early_is_forecast_from_its_own_end(name):
    values = counts()
    ended = values.copy()
    ended[1, -3:] = ended[2, -1:] = NAN
    made = points(name, ended, 5)
    for i, behind in enumerate((0, 3, 1, 0)):
        then = points(name, values[i : i + 1, : 40 - behind], 5 + behind)
        np.testing.assert_array_equal(made[i], then[0, behind:])


@pytest.mark.parametrize("name", ALONE)
def test_a_row_that_begins_late_keeps_the_months_of_its_season(name):
    values = counts()
    late = values.copy()
    late[1, :12] = NAN
    made = points(name, late, 5)
    np.testing.assert_array_equal(made[1], points(name, values[1:2, 12:], 5)[0])
    np.testing.assert_array_equal(made[0], points(name, values[:1], 5)[0])


@pytest.mark.parametrize("freq", ["YS", "QS", "MS", "W-MON"])
@pytest.mark.parametrize("name", sorted(members()))
def test_a_window_that_begins_later_in_the_year_has_the_same_season(name, freq):
    values = counts(length=120 if freq == "W-MON" else 40)
    values[:, :3] = NAN
    whole = window(values, freq)
    later = whole.between(3, values.shape[1])
    np.testing.assert_array_equal(models.get(name).forecast(later, 5), models.get(name).forecast(whole, 5))
    ends = [batch_of(each)[0].stop % whole.period for each in (whole, later)]
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("name", sorted(members()))
def test_gaps_inside_a_row_are_filled_on_the_log_scale(name):
    values = counts()
    gappy, filled = values.copy(), values.copy()
    gappy[1, 20:22] = NAN
    filled[1, 20:22] = np.expm1(np.interp([20, 21], [19, 22], np.log1p(values[1, [19, 22]])))
    made = points(name, gappy, 5)
    np.testing.assert_allclose(made, points(name, filled, 5), rtol=1e-9)
    assert not np.array_equal(made[1], points(name, values, 5)[1])


@pytest.mark.parametrize("name", sorted(members()))
def test_a_constant_is_carried_to_the_last_bit_whatever_its_pool_does(name):
    values = counts(9)
    values[2] = 0.1
    values[3, :30] = NAN
    values[3, 30:-2] = 7.3
    values[3, -2:] = NAN
    made = points(name, values, 4)
    assert (made[2] == 0.1).all()
    assert (made[3] == 7.3).all()


@pytest.mark.parametrize("name", sorted(members()))
def test_a_series_of_zeros_alone_stays_there(name):
    assert (points(name, np.zeros((1, 30)), 4) == 0).all()


@pytest.mark.parametrize("name", sorted(members()))
def test_fewer_than_three_figures_have_no_answer_and_disturb_nobody(name):
    values = counts(3)
    short = np.vstack([np.full((3, 40), NAN), values])
    short[1, -1] = short[2, -2:] = 5.0
    made = points(name, short, 4)
    assert np.isnan(made[:3]).all()
    np.testing.assert_array_equal(made[3:], points(name, values, 4))
    assert MIN_HISTORY == models.get(name).capability.min_history == 3


def test_nobody_with_three_figures_gives_no_answers():
    made = points("theta_shrunk", np.array([[NAN, 1.0, 2.0], [NAN, NAN, NAN]]), 2)
    assert made.shape == (2, 2)
    assert np.isnan(made).all()


def test_points_are_not_below_zero_and_the_window_is_left_alone():
    falling = np.linspace(100, 2, 30)[None, :]
    made = window(falling.copy(), "MS")
    for name in members():
        assert (models.get(name).forecast(made, 24) >= 0).all()
    np.testing.assert_array_equal(made.values, falling)


def test_members_share_the_batch_of_a_window():
    made = window(counts(), "MS")
    first, rows = batch_of(made)
    models.get("theta_shrunk").forecast(made, 2)
    again, _ = batch_of(made)
    assert again is first
    assert rows.tolist() == [0, 1, 2, 3]
    other, _ = batch_of(made.until(39))
    assert other is not first
    assert (other.stop == 39).all()


def test_pools_are_numbered_among_the_rows_that_are_asked():
    values = counts(5)
    values[0, 2:] = NAN
    made = replace(window(values, "MS"), pools=np.array(["east", "west", "north", "west", "north"]))
    batch, rows = batch_of(made)
    assert rows.tolist() == [1, 2, 3, 4]
    assert batch.pools.tolist() == [1, 0, 1, 0]
    assert batch.period == 12


def test_a_model_says_what_its_member_does():
    assert models.get("damped_trend").summary == Compiled("damped_trend").summary
    assert models.get("damped_trend").summary != models.get("tsb").summary
    assert models.get("damped_trend") == Compiled("damped_trend")
