"""Overrides change what they say, from the day they say, and cannot contradict each other."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from forecast.ehc.overrides import WHAT, Override, applied, ordered
from forecast.errors import SpecError

DAYS = pd.date_range("2025-08-01", periods=4, freq="MS")
AGES = [(0, 2), (3, 3), (4, 4), (5, 25)]
BASE = np.full((4, 4), 0.1)


def override(**given):
    return Override(**{"what": "refusal", "start": date(2025, 9, 15), **given})


def test_a_value_holds_from_its_day_on_for_its_ages():
    grid = applied([override(value=0.3, ages=(3, 4))], "refusal", BASE, days=DAYS, ages=AGES)
    assert grid[:2].tolist() == BASE[:2].tolist()
    assert grid[2:].tolist() == [[0.1, 0.3, 0.3, 0.1]] * 2


def test_the_last_day_counts():
    days = pd.date_range("2025-09-29", periods=4, freq="D")
    grid = applied([override(value=0.3, end=date(2025, 9, 30))], "refusal", np.full((4, 1), 0.1), days=days)
    assert grid.ravel().tolist() == [0.3, 0.3, 0.1, 0.1]


def test_multiply_is_relative_to_the_rate_without_overrides():
    two = [override(multiply=2.0), override(start=date(2025, 10, 10), multiply=3.0)]
    grid = applied(ordered(two), "refusal", BASE, days=DAYS, ages=AGES)
    assert grid[:, 0].round(12).tolist() == [0.1, 0.1, 0.2, 0.3]


def test_multiples_for_different_ages_compound():
    two = [override(multiply=2.0), override(multiply=3.0, ages=(0, 4))]
    grid = applied(ordered(two), "refusal", BASE, days=DAYS, ages=AGES)
    assert grid[-1].round(12).tolist() == [0.6, 0.6, 0.6, 0.2]


def test_other_rates_and_the_base_stay():
    grid = applied([override(value=0.3)], "withdrawal", BASE, days=DAYS, ages=AGES)
    assert (grid == BASE).all()
    assert (BASE == 0.1).all()


def test_ages_that_figures_do_not_tell_apart_are_refused():
    with pytest.raises(SpecError, match=r"ages 1 to 4 cut through 0 to 2.*border"):
        applied([override(value=0.3, ages=(1, 4))], "refusal", BASE, days=DAYS, ages=AGES)
    with pytest.raises(SpecError, match="ages 3 to 7 cut through 5 to 25"):
        applied([override(value=0.3, ages=(3, 7))], "refusal", BASE, days=DAYS, ages=AGES)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"what": "refusals", "value": 0.1}, "not known; it can be of refusal"),
        ({}, "exactly one of value and multiply"),
        ({"value": 0.1, "multiply": 2.0}, "exactly one of value and multiply"),
        ({"value": 0.1, "end": date(2025, 9, 1)}, "ends on 2025-09-01, before it starts"),
        ({"value": 1.2}, "value 1.2; a share from 0 to 1"),
        ({"value": -0.2}, "value -0.2; a share from 0 to 1"),
        ({"value": float("nan")}, "value nan; a share"),
        ({"what": "capacity", "start": date(2025, 9, 1), "value": -1.0}, "value -1; 0 or more"),
        ({"what": "capacity", "start": date(2025, 9, 1), "multiply": 2.0}, "cannot be multiplied"),
        ({"what": "requests", "value": 100.0}, "can only be multiplied"),
        ({"multiply": -1.0}, "multiply -1; 0 to 10 times"),
        ({"what": "capacity", "start": date(2025, 9, 1), "value": 5.0, "ages": (0, 4)}, "one figure for all ages"),
        ({"value": 0.1, "ages": (5, 4)}, "ages 5 to 4; ages run from 0 to 25"),
        ({"value": 0.1, "ages": (5, 26)}, "ages 5 to 26"),
        ({"what": "capacity", "value": 5.0}, "start 2025-09-15; capacity is told by month. Start on 2025-09-01, or"),
        ({"value": 0.1, "start": "2025-09-01"}, "start '2025-09-01' is a str; a day is needed. Give a datetime.date"),
        ({"value": 0.1, "start": None}, "start None is a NoneType; a day"),
        ({"value": 0.1, "start": datetime(2025, 9, 1, 12)}, r"start datetime.datetime\(.*\) is a datetime; a day"),
        ({"value": 0.1, "start": pd.Timestamp("2025-09-01")}, "is a Timestamp; a day"),
        ({"value": 0.1, "end": pd.NaT}, "end NaT is a NaTType; a day"),
        ({"value": 0.1, "end": "2025-12-31"}, "end '2025-12-31' is a str; a day"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(SpecError, match=says):
        override(**given)


def test_every_rate_is_listed_once():
    with pytest.raises(SpecError) as raised:
        override(what="refusals", value=0.1)
    assert all(str(raised.value).count(f" {what}") == 1 for what in WHAT)
    assert sorted(set(WHAT)) == sorted(WHAT)


def test_a_capacity_holds_from_the_first_of_a_month_to_the_whole_of_another():
    months = pd.date_range("2025-08-01", periods=4, freq="MS")
    room = override(what="capacity", start=date(2025, 9, 1), end=date(2025, 10, 15), value=40.0)
    grid = applied([room], "capacity", np.full((4, 1), np.inf), days=months)
    assert grid.ravel().tolist() == [np.inf, 40, 40, np.inf]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"value": 0.1}, {"value": 0.2}),
        ({"value": 0.1}, {"multiply": 2.0, "ages": (0, 4)}),
        ({"value": 0.1, "end": date(2026, 1, 1)}, {"value": 0.2, "start": date(2026, 1, 1)}),
        ({"multiply": 2.0}, {"multiply": 3.0}),
    ],
)
def test_contradictions_are_refused(one, other):
    with pytest.raises(SpecError, match=r"both hold on .* contradict each other. (End the first by \d|Take one out)"):
        ordered([override(**one), override(**other)])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"value": 0.1}, {"value": 0.2, "start": date(2026, 1, 1)}),
        ({"value": 0.1, "end": date(2025, 12, 31)}, {"value": 0.2, "start": date(2026, 1, 1)}),
        ({"value": 0.1, "ages": (0, 4)}, {"value": 0.2, "ages": (5, 25)}),
        ({"value": 0.1}, {"value": 0.2, "what": "withdrawal"}),
    ],
)
def test_what_goes_together_is_kept_in_order_of_days(one, other):
    first, second = override(**one), override(**other)
    assert ordered([second, first]) == ordered([first, second])
    assert set(ordered([second, first])) == {first, second}
