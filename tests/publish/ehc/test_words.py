import pytest

from forecast.ehc.caseload import PHASES as MOVES
from forecast.ehc.overrides import WHAT
from forecast.ehc.shares import CAUSES, NEEDS, PLACEMENTS
from forecast.publish.ehc.run import Figure
from forecast.publish.ehc.words import (
    BREAKDOWNS,
    SIZES,
    about,
    category_name,
    cell,
    likely,
    override_dates,
    override_size,
)

FIGURE = Figure(1360, 1348, 900, 2000, published=False)


@pytest.mark.parametrize(
    ("by", "codes"), [("need", NEEDS), ("placement", PLACEMENTS), ("cause", CAUSES), ("phase", tuple(MOVES))]
)
def test_every_category_of_a_projection_has_a_name(by, codes):
    assert set(codes) == set(BREAKDOWNS[by])


def test_everything_that_can_be_overridden_has_a_name():
    assert set(SIZES) == set(WHAT)


def test_a_category_without_a_name_goes_by_its_own():
    assert category_name("table:own", "Years 7 to 11") == "Years 7 to 11"
    assert category_name("age", "0-2") == "Aged 0 to 2"


def test_a_projection_claims_no_more_than_its_range_and_a_published_figure_all_of_it():
    assert (about(FIGURE), likely(FIGURE)) == ("1,300", "likely between 900 and 2,000")
    assert about(Figure(790, 790, float("nan"), float("nan"), published=True)) == "790"
    assert cell(None) == "-\n"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ({"what": "no_plan", "value": 0.055, "multiply": None}, "5.5%"),
        ({"what": "transfers_in", "value": 80.0, "multiply": float("nan")}, "80 a year"),
        ({"what": "cease", "value": None, "multiply": 0.9}, "10% less"),
        ({"what": "requests", "value": float("nan"), "multiply": 1.0}, "unchanged"),
    ],
)
def test_sizes_are_said_in_their_unit(override, said):
    assert override_size(override) == said


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("", "", "throughout"),
        ("2025-09-01", "", "from 1 September 2025 on"),
        ("2025-09-01", "2026-08-31", "1 September 2025 until 31 August 2026"),
    ],
)
def test_dates_are_said_in_words(start, end, said):
    assert override_dates({"start": start, "end": end}) == said
