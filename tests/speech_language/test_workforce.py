"""From contacts to hours to therapists and back: a clinic of 100 first contacts a month, worked on paper.

Each child seen takes 2.5 hours; 60 of 100 go on to treatment, 8 contacts of 1.5 hours each: 480 contacts a month
once as many end as start:

    first contacts   100 x 2.5        =   250 hours a month
    treatment        480 x 1.5        =   720
    together                              970, 9.7 a child seen
    a WTE in post    1,200 x 0.96 / 12 =   96 hours a month, with 4 % sickness
    WTE in post      970 / 96          = 10.104
    posts            10.104 / 0.9      = 11.227, with 10 % vacant
"""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import SpecError
from forecast.speech_language.norms import Norms
from forecast.speech_language.staff import StaffChange, StaffStep, staff_by_month
from forecast.speech_language.treatment import steady_opening, treat
from forecast.speech_language.workforce import (
    WORK,
    Workload,
    available_hours,
    contacts_of_posts,
    established,
    first_contacts_for,
    in_post,
    pathway_hours,
    posts_of_contacts,
    wte,
    wte_for,
)
from tests.speech_language.clinic import norms as norms_of_a_test

MONTHS = pd.date_range("2024-03-01", periods=4, freq="MS")
CLINIC = pd.DataFrame({"locality": ["Marple"], "age_band": ["0-4"], "tier": ["targeted"]})
CELLS = pd.DataFrame(
    {
        "locality": ["Marple", "Marple", "Heatons"],
        "age_band": ["0-4", "5-10", "0-4"],
        "tier": ["targeted", "targeted", "specialist"],
    }
)
YEAR = {"clinical_hours_a_year": 1200.0, "sickness_rate": 0.04}


def norms(**changed):
    values = {
        "first_contact_hours": 2.5,
        "treated_share": 0.6,
        "episode_weeks": 26,
        "contacts_per_episode": 8,
        "contact_hours": 1.5,
        "clinical_hours_a_year": 1200,
        "sickness_rate": 0.04,
        "vacancy_rate": 0.1,
        "reneging_a_month": 0.02,
        "removal_a_month": 0.01,
        "advice_share": 0.7,
        "advice_hours": 5,
        "plan_share": {"slcn": 0.9, "asd": 0.5},
        "plan_contacts_a_year": 6,
        "plan_contact_hours": 1.25,
    }
    given = {name: {"value": value, "source": "Service plan"} for name, value in (values | changed).items()}
    return Norms.from_mapping(given, ehc=True)


def clinic():
    """Hours of the clinic on paper, in its steady state."""
    found, weeks = norms(), np.full(12, 365.25 / 7 / 12)
    rates = {name: found.by_cell(name, CLINIC) for name in ("treated_share", "episode_weeks")}
    treated = treat(
        np.full((1, 12, 2), 100.0),
        opening=steady_opening(np.array([100.0]) / weeks[0], **rates),
        contacts_per_episode=found.by_cell("contacts_per_episode", CLINIC),
        weeks_in_month=weeks,
        **rates,
    )
    return Workload.of(found, CLINIC, seen=np.full((1, 12, 2), 100.0), contacts=treated.contacts)


def test_the_hours_of_the_clinic():
    hours = clinic().by_work()
    assert list(hours) == ["first", "treatment"]
    assert hours["first"] == pytest.approx(250.0)
    assert hours["treatment"] == pytest.approx(720.0)
    assert clinic().total == pytest.approx(970.0)
    assert clinic().total.shape == (12, 2)
    assert pathway_hours(norms(), CLINIC).tolist() == pytest.approx([9.7])


def test_the_therapists_of_the_clinic():
    needed = wte(clinic().total, **YEAR)
    assert needed == pytest.approx(10.104167, abs=1e-6)
    assert established(needed, vacancy_rate=0.1) == pytest.approx(11.226852, abs=1e-6)
    assert in_post(11.226852, vacancy_rate=0.1) == pytest.approx(10.104167, abs=1e-6)
    assert available_hours(10.104167, **YEAR) == pytest.approx(970.0, abs=1e-4)


def test_what_two_more_posts_buy():
    """1.8 in post x 96 hours = 172.8 a month, 2,073.6 a year; / 9.7 = 213.77 children a year, 4.097 a week."""
    filled = in_post(2.0, vacancy_rate=0.1)
    assert first_contacts_for(filled, hours_a_child=9.7, **YEAR) == pytest.approx(213.773196 * 7 / 365.25, abs=1e-6)


@given(
    in_post=st.floats(0.1, 500),
    hours=st.floats(0.5, 100),
    clinical=st.floats(100, 1957),
    sickness=st.floats(0, 0.9),
    vacancy=st.floats(0, 0.9),
)
def test_there_and_back(in_post, hours, clinical, sickness, vacancy):
    year = {"clinical_hours_a_year": clinical, "sickness_rate": sickness}
    assert wte(available_hours(in_post, **year), **year) == pytest.approx(in_post)
    a_week = first_contacts_for(in_post, hours_a_child=hours, **year)
    assert wte_for(a_week, hours_a_child=hours, **year) == pytest.approx(in_post)
    posts = established(in_post, vacancy_rate=vacancy)
    assert posts >= in_post
    assert posts * (1 - vacancy) == pytest.approx(in_post)


def test_more_sickness_and_fewer_clinical_hours_take_more_therapists():
    usual = wte(np.array([970.0]), **YEAR)
    assert (wte(np.array([970.0]), clinical_hours_a_year=1200.0, sickness_rate=0.08) > usual).all()
    assert (wte(np.array([970.0]), clinical_hours_a_year=1000.0, sickness_rate=0.04) > usual).all()


def workload():
    """Two months and one path, of three cells with norms of their own, with EHC demand."""
    return Workload.of(
        norms(contact_hours={"targeted": 1, "specialist": 2}, first_contact_hours={"targeted": 2, "specialist": 3}),
        CELLS,
        seen=np.array([[[10.0], [20.0]], [[1.0], [1.0]], [[5.0], [0.0]]]),
        contacts=np.array([[[40.0], [50.0]], [[7.0], [0.0]], [[30.0], [10.0]]]),
        advice_requests=np.array([[4.0], [6.0]]),
        plan_contacts=np.array([[8.0], [16.0]]),
    )


def test_hours_by_work_tier_and_age_band_worked_by_hand():
    """First: (10 + 1) x 2 + 5 x 3 = 37 and (20 + 1) x 2 = 42; treatment: 47 + 60 = 107 and 50 + 20 = 70."""
    hours = workload()
    found = {work: each.ravel().tolist() for work, each in hours.by_work().items()}
    assert found == {"first": [37, 42], "treatment": [107, 70], "plans": [10, 20], "advice": [20, 30]}
    assert hours.total.ravel().tolist() == [174, 162]
    by_tier = {tier: each.ravel().tolist() for tier, each in hours.by("tier").items()}
    assert by_tier == {"targeted": [69, 92], "specialist": [75, 20]}
    by_age = {age: each.ravel().tolist() for age, each in hours.by("age_band").items()}
    assert by_age == {"0-4": [60 + 75, 90 + 20], "5-10": [9, 2]}


def test_all_that_has_a_cell_is_in_one_group():
    hours = workload()
    of_cells = hours.first.sum(axis=0) + hours.treatment.sum(axis=0)
    for column in CELLS:
        assert sum(hours.by(column).values()) == pytest.approx(of_cells)
    assert sum(hours.by_work().values()) == pytest.approx(hours.total)


def test_work_is_told_in_one_order_and_what_is_not_known_is_left_out():
    assert tuple(workload().by_work()) == WORK
    without = Workload.of(norms(), CLINIC, seen=np.ones((1, 1, 1)), contacts=np.ones((1, 1, 1)))
    assert list(without.by_work()) == ["first", "treatment"]
    assert without.advice is None


def test_posts_change_on_their_day():
    """21 from 16 April: 15 of 30 days at 20 and 15 at 21. June has 5 of 30 days at 21 and 25 at 18."""
    steps = [StaffStep(date(2024, 6, 6), 18.0), StaffStep(date(2023, 1, 1), 20.0), StaffStep(date(2024, 4, 16), 21.0)]
    found = staff_by_month(steps, MONTHS)
    assert found.tolist() == pytest.approx([20.0, 20.5, 21.0, (5 * 21 + 25 * 18) / 30])


def test_changes_add_up():
    steps = [StaffStep(date(2024, 3, 1), 20.0), StaffStep(date(2024, 6, 1), 22.0)]
    changes = [
        StaffChange(date(2024, 4, 1), 2.0),
        StaffChange(date(2024, 5, 1), -0.5, "retirement"),
        StaffChange(date(2024, 5, 1), 1.0),
    ]
    assert staff_by_month(steps, MONTHS, changes=changes).tolist() == [20.0, 22.0, 22.5, 24.5]
    assert staff_by_month(steps, MONTHS, changes=[StaffChange(date(2024, 5, 1), -20.0)])[2] == 0.0


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([], "posts on 2024-03-01, the first day that is projected, are not known: none is given. Give the posts"),
        ([(date(2024, 3, 2), 20.0)], "not known: the first known is from 2024-03-02"),
        (
            [(date(2024, 1, 1), 20.0), (date(2024, 4, 1), 1.0), (date(2024, 4, 1), 2.0)],
            "staff from 2024-04-01: given twice",
        ),
    ],
)
def test_posts_that_cannot_be_known_are_refused(steps, says):
    with pytest.raises(SpecError, match=says):
        staff_by_month([StaffStep(*step) for step in steps], MONTHS)


def test_no_more_posts_can_go_than_there_are():
    with pytest.raises(
        SpecError, match=r"change of staff: 2 WTE in May 2024 would become -1; less than none cannot be"
    ):
        staff_by_month([StaffStep(date(2024, 1, 1), 2.0)], MONTHS, changes=[StaffChange(date(2024, 5, 1), -3.0)])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: StaffStep(date(2024, 1, 1), -1.0), "staff from 2024-01-01: -1 WTE; 0 or more are needed"),
        (lambda: StaffStep(date(2024, 1, 1), float("nan")), "nan WTE"),
        (lambda: StaffStep(date(2024, 1, 1), float("inf")), "inf WTE"),
        (lambda: StaffStep("2024-01-01", 1.0), "staff from '2024-01-01': a str; a day is needed. Give a datetime.date"),
        (lambda: StaffStep(datetime(2024, 1, 1), 1.0), "a datetime; a day is needed"),
        (lambda: StaffStep(pd.Timestamp("2024-01-01"), 1.0), "a Timestamp; a day is needed"),
        (lambda: StaffChange(date(2024, 1, 1), 0.0), "change of staff from 2024-01-01: 0 WTE more; any number but 0"),
        (lambda: StaffChange(date(2024, 1, 1), float("nan")), "nan WTE more"),
        (lambda: StaffChange("2024", 1.0), "change of staff from '2024': a str"),
    ],
)
def test_what_cannot_be_is_refused(make, says):
    with pytest.raises(SpecError, match=says):
        make()


def test_posts_and_first_contacts_turn_into_each_other() -> None:
    given = norms_of_a_test()
    a_week = contacts_of_posts(given, np.array([3.0, -1.0]), hours_a_child=8.0)
    assert a_week[0] == pytest.approx(3 * 0.9 * 1000 * 0.95 / (365.25 / 7) / 8)
    assert posts_of_contacts(given, a_week, hours_a_child=8.0) == pytest.approx([3.0, -1.0])
