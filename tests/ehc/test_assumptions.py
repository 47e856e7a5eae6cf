"""Assumptions are checked at the door and say what they change."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast.ehc.assumptions import Assumptions, PlanningTable
from forecast.ehc.overrides import Override
from forecast.errors import SpecError

MONTHS = pd.date_range("2025-01-01", periods=3, freq="MS")
PANEL = Override(what="refusal", start=date(2025, 9, 1), value=0.2, reason="panel practice")
ROOM = Override(what="capacity", start=date(2025, 2, 1), value=60.0)


def test_capacity_is_the_same_every_month_or_dated():
    assert Assumptions().capacity_by_month(MONTHS) is None
    assert Assumptions(capacity=50).capacity_by_month(MONTHS).tolist() == [50, 50, 50]
    assert Assumptions(overrides=(ROOM,)).capacity_by_month(MONTHS).tolist() == [np.inf, 60, 60]


def test_listed_names_every_override_and_the_capacity():
    listed = Assumptions(overrides=(PANEL,), capacity=50).listed()
    assert listed[["what", "start", "ages", "value", "reason"]].values.tolist() == [
        ["refusal", "2025-09-01", "all", 0.2, "panel practice"],
        ["capacity", "", "all", 50.0, ""],
    ]


def test_the_baseline_keeps_everything_else():
    given = Assumptions(overrides=(PANEL,), capacity=50, profile="even")
    plain = given.without_overrides()
    assert given.change_anything
    assert not plain.change_anything
    assert plain.profile == "even"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"capacity": -1.0}, "capacity -1: assessments a month are 0 or more"),
        ({"capacity": 50.0, "overrides": (ROOM,)}, "also overridden from a date"),
        ({"profile": "monthly"}, "profile 'monthly': not known; school_days, even or 12"),
        ({"profile": (0.5, 0.5)}, "profile of 2 shares that sum to 1"),
        ({"profile": (0.2,) * 12}, "profile of 12 shares that sum to 2.4"),
        ({"requests_rule": "guess"}, "requests_rule 'guess': not known; the rules are"),
        ({"caseload_rule": "guess"}, "caseload_rule 'guess': not known; the rules are"),
        ({"tables": (PlanningTable("a", "A", {"All": (0, 25)}, 1),) * 2}, "table 'a': given twice"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(SpecError, match=says):
        Assumptions(**given)


@pytest.mark.parametrize(
    ("bands", "years", "says"),
    [
        ({}, 5, "at least one band and one year"),
        ({"All": (0, 25)}, 0, "at least one band and one year"),
        ({"All": (0, 26)}, 5, "band 'All': ages 0 to 26"),
    ],
)
def test_tables_that_cannot_be_are_refused(bands, years, says):
    with pytest.raises(SpecError, match=says):
        PlanningTable("a", "A", bands, years)


def test_a_table_of_an_unknown_placement_is_refused():
    with pytest.raises(SpecError, match="placement 'boarding': not known; the groups are mainstream, special"):
        PlanningTable("a", "A", {"All": (0, 25)}, 5, "boarding")
