"""Weeks of a projection, and how a service's list, capacity and treatment are laid out over its cells."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast import SpecError
from forecast import speech_language as slt
from forecast.speech_language.cells import Cells
from forecast.speech_language.fit import ListFit
from forecast.speech_language.start import capacity_by_week, shared_out, treated_at_start
from forecast.speech_language.weeks import MonthWeeks
from tests.speech_language.clinic import service


def calendar() -> MonthWeeks:
    return MonthWeeks.of(pd.date_range("2023-10-01", periods=15, freq="MS"))


def test_weeks_belong_to_the_month_of_their_thursday() -> None:
    made = calendar()
    assert made.mondays[0] == pd.Timestamp("2023-10-02")
    assert made.in_month.tolist()[:6] == [4, 5, 4, 4, 5, 4]
    assert ((made.mondays + pd.Timedelta(days=3)).month == made.months.month[made.weeks.month]).all()


def test_referrals_come_on_working_days() -> None:
    made = calendar()
    shares = np.bincount(made.weeks.month, weights=made.weeks.share)
    assert shares == pytest.approx(np.ones(15))
    christmas = made.mondays.get_loc(pd.Timestamp("2023-12-25"))
    assert made.weeks.share[christmas] == pytest.approx(3 / 18)
    assert made.profile.mean() == pytest.approx(1.0)


def test_the_first_months_alone_are_the_same_weeks() -> None:
    whole, part = calendar(), calendar().until(3)
    assert part.mondays.equals(whole.mondays[:13])
    assert part.profile.tolist() == whole.profile[:13].tolist()


def test_a_week_counts_from_a_day_by_its_thursday() -> None:
    since = calendar().since(pd.Timestamp("2023-11-01"))
    assert calendar().mondays[int(np.argmax(since))] == pd.Timestamp("2023-10-30")


def test_the_list_is_shared_out_as_referrals_are() -> None:
    total = np.zeros(105)
    total[[0, 30]] = 40.0, 20.0
    made = shared_out(total, np.array([3.0, 100.0, 1.0]), np.array([0, 2]))
    assert made.sum(axis=1).tolist() == [45.0, 0.0, 15.0]
    assert made[0, 30] == 15.0
    with pytest.raises(SpecError, match="referrals: none in the last months"):
        shared_out(total, np.array([0.0, 5.0]), np.array([0]))


def test_a_capacity_holds_from_its_day_until_the_next() -> None:
    steps = (slt.CapacityStep(start=date(2023, 1, 1), a_week=5), slt.CapacityStep(start=date(2024, 1, 1), a_week=8))
    made = capacity_by_week(service(capacity=steps), fitted(), calendar(), hours_a_child=8.0)
    weeks = calendar().mondays + pd.Timedelta(days=3)
    assert made / calendar().profile == pytest.approx(np.where(weeks < pd.Timestamp("2024-01-01"), 5.0, 8.0))
    assert capacity_by_week(service(), fitted(), calendar(), hours_a_child=8.0).mean() == pytest.approx(7.5)


def fitted() -> ListFit:
    booking = slt.Booking()
    return ListFit(
        opening=np.zeros(105),
        capacity=7.5,
        observed=7.0,
        booking=booking,
        error_children=0.0,
        error_points=0.0,
        referrals=9.0,
    )


def test_children_in_treatment_are_as_given_or_as_many_as_come() -> None:
    cells = Cells(
        pd.DataFrame(
            {
                "locality": ["A", "B", "A"],
                "age_band": "all",
                "tier": ["targeted", "targeted", "specialist"],
            }
        )
    )
    recent, seen = np.array([3.0, 1.0, 2.0]), np.array([2.0, 1.0, 0.5])
    norms = service().norms
    steady = treated_at_start(service(), cells, recent, seen)
    lengths = norms.by_cell("episode_weeks", cells.frame) * norms.by_cell("treated_share", cells.frame)
    assert steady == pytest.approx(seen * lengths)
    given = service(in_treatment={"targeted": 80.0, "specialist": 30.0})
    assert treated_at_start(given, cells, recent, seen).tolist() == [60.0, 20.0, 30.0]
    with pytest.raises(SpecError, match="'universal' is not a tier of the referrals"):
        treated_at_start(service(in_treatment={"universal": 1.0, "targeted": 2, "specialist": 3}), cells, recent, seen)
