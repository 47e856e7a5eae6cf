"""Norms are asked for by name, with their unit and a source; none has a default."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import SpecError
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.norms import NORMS, Norms, faults, needed, weekly

CELLS = pd.DataFrame(
    {
        "locality": ["Marple", "Marple", "Marple", "Marple"],
        "age_band": ["0-4", "5-10", "0-4", "5-10"],
        "tier": ["targeted", "targeted", "specialist", "specialist"],
    }
)


def given(**changed: Any) -> dict[str, Any]:
    """All norms, as a config gives them."""
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
    return {name: {"value": value, "source": "Service plan 2023"} for name, value in (values | changed).items()}


def norms(**changed: Any) -> Norms:
    return Norms.from_mapping(given(**changed), ehc=True)


def test_no_norm_has_a_default():
    with pytest.raises(SpecError) as raised:
        Norms.from_mapping({}, ehc=True)
    lines = str(raised.value).splitlines()
    assert lines[0] == "norms: 15 of 15 are missing:"
    assert [line.split(":")[0].strip() for line in lines[1:-1]] == list(NORMS)
    for line, kind in zip(lines[1:-1], NORMS.values(), strict=True):
        assert line.endswith(f": {kind.what} ({kind.unit})")
    assert lines[-1] == (
        "There is no default: no published norm was found for the sessions a child needs or the clinical hours a "
        "therapist has, and a default would decide how many therapists are asked for. Give each of them under norms, "
        "with the figure the service works to and its source, as in first_contact_hours: {value: ..., source: ...}."
    )


def test_all_that_are_missing_are_named_and_no_other():
    short = given()
    del short["contact_hours"], short["sickness_rate"]
    with pytest.raises(SpecError) as raised:
        Norms.from_mapping(short, ehc=True)
    assert str(raised.value).splitlines()[:3] == [
        "norms: 2 of 15 are missing:",
        f"  contact_hours: {NORMS['contact_hours'].what} (hours)",
        "  sickness_rate: share of working time lost to sickness (share)",
    ]
    assert "as in contact_hours: {value" in str(raised.value)
    assert len(str(raised.value).splitlines()) == 4


def test_one_that_is_missing_is_one():
    short = given()
    del short["vacancy_rate"]
    with pytest.raises(SpecError, match=r"norms: 1 of 15 is missing:\n  vacancy_rate: share of established posts"):
        Norms.from_mapping(short, ehc=True)


def test_norms_of_ehc_demand_are_needed_with_it_alone():
    of_ehc = {"advice_share", "advice_hours", "plan_share", "plan_contacts_a_year", "plan_contact_hours"}
    assert set(needed(ehc=True)) - set(needed(ehc=False)) == of_ehc
    without = {name: norm for name, norm in given().items() if name not in of_ehc}
    assert list(Norms.from_mapping(without, ehc=False).each) == needed(ehc=False)
    assert list(Norms.from_mapping(given(), ehc=False).each) == needed(ehc=False)
    with pytest.raises(SpecError, match="norms: 5 of 15 are missing:\n  advice_share: share of EHC needs assessments"):
        Norms.from_mapping(without, ehc=True)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"contact_hours": -1.5}, "norm 'contact_hours': -1.5 cannot be; working hours .* more than 0 and at most 24"),
        ({"contact_hours": 0}, "norm 'contact_hours': 0 cannot be; .* more than 0"),
        ({"contact_hours": 25}, "25 cannot be"),
        ({"contact_hours": float("nan")}, "nan cannot be"),
        ({"contact_hours": float("inf")}, "inf cannot be"),
        ({"contact_hours": True}, "True given; a number, a number for each tier"),
        ({"contact_hours": None}, "None given; a number"),
        ({"contact_hours": "1.5"}, "'1.5' given; a number"),
        ({"contact_hours": {}}, "{} given; a number"),
        (
            {"contact_hours": {"targeted": {"0-4": {"boys": 1}}}},
            "norm 'contact_hours', targeted, 0-4: {'boys': 1} given",
        ),
        ({"contact_hours": {"targeted": {"0-4": -1}}}, "norm 'contact_hours', targeted, 0-4: -1 cannot be"),
        ({"treated_share": 1.01}, r"1.01 cannot be; .* is 0 or more and at most 1, as in 0.04 for 4 %. Correct"),
        (
            {"sickness_rate": 4},
            "4 cannot be; share of working time lost to sickness is 0 or more and less than 1, as in",
        ),
        ({"sickness_rate": 1}, "1 cannot be; .* less than 1"),
        ({"vacancy_rate": 1}, "1 cannot be; .* less than 1"),
        ({"vacancy_rate": {"targeted": 0.1}}, "{'targeted': 0.1} given; a number is needed"),
        ({"episode_weeks": 0}, "0 cannot be; mean weeks .* 0.1 or more"),
        ({"contacts_per_episode": -1}, "-1 cannot be"),
        ({"clinical_hours_a_year": 25}, "25 cannot be; .* 100 or more and at most 1,?957"),
        ({"clinical_hours_a_year": 2000}, "2,000 cannot be"),
        ({"reneging_a_month": 1}, "1 cannot be; .* less than 1"),
        (
            {"removal_a_month": {"0-1": {"a": 0.1}}},
            "norm 'removal_a_month', 0-1: {'a': 0.1} given; a number, or a number for",
        ),
        ({"plan_share": 0.5}, "0.5 given; a number for each of slcn and asd"),
        ({"plan_share": {"slcn": 0.5}}, "{'slcn': 0.5} given; a number for each of slcn and asd"),
        ({"plan_share": {"slcn": 0.5, "asd": 2}}, "norm 'plan_share', asd: 2 cannot be"),
        ({"advice_hours": -5}, "-5 cannot be"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_by_name(changed, says):
    with pytest.raises(SpecError, match=says):
        norms(**changed)


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (1.5, "norm 'contact_hours': 1.5 is not a figure with its source. Write {value: ..., source: ...}"),
        ({"source": "Plan"}, "is not a figure with its source"),
        ({"value": 1.5}, "norm 'contact_hours': source None says nothing. Say in words where the figure comes from"),
        ({"value": 1.5, "source": " "}, "source ' ' says nothing"),
        ({"value": 1.5, "source": "..."}, "source '...' says nothing"),
        ({"value": 1.5, "source": 2023}, "source 2023 says nothing"),
        ({"value": 1.5, "source": "Plan", "unit": "hours"}, "'unit' is no part of it"),
    ],
)
def test_a_norm_is_a_figure_and_its_source(entry, says):
    with pytest.raises(SpecError) as raised:
        Norms.from_mapping(given() | {"contact_hours": entry}, ehc=True)
    assert says in str(raised.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [("contact_hour", "did you mean 'contact_hours'?"), ("xyz", "known: first_contact_hours, treated_share,")],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, says):
    with pytest.raises(SpecError) as raised:
        Norms.from_mapping(given() | {name: {"value": 1, "source": "Plan"}}, ehc=True)
    assert f"norm {name!r}: not known; {says}" in str(raised.value)


def test_all_faults_are_told_each_with_its_place():
    wrong = given(sickness_rate=4, contact_hours={"targeted": 0, "specialist": {"0-4": 99}})
    wrong["treated_share"]["source"] = ""
    wrong["vacancies"] = wrong.pop("vacancy_rate")
    found = list(faults(wrong, ehc=True))
    assert {path for path, _ in found} == {
        (),
        ("vacancies",),
        ("treated_share", "source"),
        ("sickness_rate", "value"),
        ("contact_hours", "value", "targeted"),
        ("contact_hours", "value", "specialist", "0-4"),
    }
    with pytest.raises(SpecError) as raised:
        Norms.from_mapping(wrong, ehc=True)
    assert str(raised.value) == "\n".join(message for _, message in found)
    assert not list(faults(given(), ehc=True))


def test_every_norm_takes_its_bounds_as_it_says():
    for name, kind in NORMS.items():
        for bound, inside in ((kind.low, not kind.above_low), (kind.high, not kind.below_high)):
            value = {"slcn": bound, "asd": bound} if kind.by == "need" else bound
            assert (not list(faults(given(**{name: value}), ehc=True))) == inside, name


def test_one_number_is_that_of_every_cell_and_band():
    found = norms()
    assert found.number("clinical_hours_a_year") == 1200.0
    assert found.by_cell("contact_hours", CELLS).tolist() == [1.5] * 4
    assert found.by_band("reneging_a_month", WaitBands((18,))).tolist() == [0.02] * 2
    assert found.by_need("plan_share") == {"slcn": 0.9, "asd": 0.5}


def test_a_norm_by_tier_and_age_band_is_read_row_by_row():
    found = norms(contact_hours={"targeted": 1, "specialist": {"0-4": 2, "5-10": 3}})
    assert found.by_cell("contact_hours", CELLS).tolist() == [1.0, 1.0, 2.0, 3.0]
    assert found.by_cell("contact_hours", CELLS.iloc[::-1]).tolist() == [3.0, 2.0, 1.0, 1.0]
    with pytest.raises(SpecError, match="norm 'contact_hours': given for targeted, specialist, where one number"):
        found.number("contact_hours")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (
            {"targeted": 1},
            "norm 'contact_hours': no figure for specialist, where children are counted; given are targeted 1",
        ),
        (
            {"specialist": {"0-4": 1}},
            "no figure for targeted nor specialist, 5-10, where .* given are specialist 0-4 1.",
        ),
    ],
)
def test_a_tier_or_age_band_without_a_figure_is_refused(value, says):
    with pytest.raises(SpecError, match=says):
        norms(contact_hours=value).by_cell("contact_hours", CELLS)


def test_a_norm_by_wait_band_is_in_the_order_of_the_bands():
    found = norms(reneging_a_month={"18+": 0.03, "0-18": 0.01})
    assert found.by_band("reneging_a_month", WaitBands((18,))).tolist() == [0.01, 0.03]
    with pytest.raises(SpecError, match=r"for wait bands 18\+, 0-18; those of the list are 0-4, 4\+. Give one number"):
        found.by_band("reneging_a_month", WaitBands((4,)))


def test_a_norm_that_is_not_by_need_says_so():
    with pytest.raises(SpecError, match="norm 'contact_hours': not given for each of slcn, asd"):
        norms().by_need("contact_hours")


def test_a_month_of_weekly_leaving_is_the_leaving_of_a_month():
    share = np.array([0.0, 0.02, 0.3])
    left = (1 - weekly(share)) ** (365.25 / 7 / 12)
    assert left == pytest.approx(1 - share, abs=1e-12)


def test_they_are_listed_in_words_with_unit_and_source():
    found = norms(contact_hours={"targeted": 1, "specialist": {"0-4": 2, "5-10": 2.5}}).listed().set_index("name")
    assert list(found.index) == list(NORMS)
    assert found.loc["contact_hours"].tolist() == [
        "Hours a treatment contact",
        "targeted 1; specialist 0-4 2, 5-10 2.5",
        "hours",
        "Service plan 2023",
    ]
    assert found.loc["clinical_hours_a_year", "value"] == "1,200"
    assert found.loc["plan_share", "value"] == "slcn 0.9, asd 0.5"


def test_they_do_not_follow_what_they_were_made_from():
    made = given(contact_hours={"targeted": 1, "specialist": 2})
    found = Norms.from_mapping(made, ehc=True)
    made["contact_hours"]["value"]["targeted"] = 9
    assert found.by_cell("contact_hours", CELLS).tolist() == [1.0, 1.0, 2.0, 2.0]
    assert pickle.loads(pickle.dumps(found)).number("sickness_rate") == 0.04  # noqa: S301
