import pandas as pd
import pytest

from forecast.publish.speech_language.run import Figure
from forecast.publish.speech_language.words import (
    category_name,
    cell,
    exact,
    kind,
    met_cell,
    month,
    ranged,
    tag,
    told,
    turned,
    when,
    year_name,
)

LAST = pd.Timestamp("2027-09-01")
NAN = float("nan")
PUBLISHED = Figure(497, 497, NAN, NAN, outturn=True, synthetic=False)
GUESSED = Figure(9, 9, NAN, NAN, outturn=True, synthetic=False, modelled=True)
COUNTED = Figure(120, 120, NAN, NAN, outturn=True, synthetic=True)
MADE_UP = Figure(760, 749, 660, 850, outturn=False, synthetic=True)
TRUE = Figure(760, 749, 660, 850, outturn=False, synthetic=False)


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ((PUBLISHED, None), ""),
        ((PUBLISHED, TRUE), ""),
        ((COUNTED, MADE_UP), " (synthetic data)"),
        ((PUBLISHED, MADE_UP, None), " (projection: synthetic data)"),
        ((TRUE, MADE_UP), " (in part synthetic data)"),
        ((PUBLISHED, COUNTED), " (in part synthetic data)"),
        ((), ""),
    ],
)
def test_what_is_made_up_is_said_and_nothing_else(figures, said):
    assert tag(figures) == said


def test_numbers_claim_no_more_than_their_range():
    assert told(MADE_UP, kind("waiting"), "wait") == "about 750 wait (likely between 660 and 850)"
    assert told(PUBLISHED, kind("waiting"), "children") == "497 children"
    wide = {"median": 35.73, "low": 28.1, "high": 41.2}
    assert ranged(wide, kind("wte_needed"), "WTE") == "about 36 WTE (likely between 28 and 41)"
    assert ranged({**wide, "low": 33.11}, kind("wte_needed")) == "about 35.7 (likely between 33.1 and 41.2)"
    assert ranged({"median": 232.1, "low": 232.1, "high": 232.1}, kind("waiting"), "fewer") == "232 fewer"
    share = {"median": 71.9, "low": 64.6, "high": 79.4}
    assert ranged(share, kind("within_target")) == "about 72% (likely between 65% and 79%)"


def test_an_end_that_no_number_reaches_is_left_open():
    assert ranged({"median": 31.2, "low": 28.4, "high": None}, kind("waiting")) == "about 31 (likely 28 or more)"


def test_a_range_is_turned_end_for_end():
    assert turned({"median": -230.0, "low": -480.0, "high": None}) == {"median": 230.0, "low": None, "high": 480.0}


def test_cells_have_the_range_below_unless_there_is_none():
    assert cell(TRUE, kind("waiting")) == "749\n660 to 850"
    assert cell(PUBLISHED, kind("waiting")) == "497\n"
    assert cell(Figure(22.08, 22.08, 22.08, 22.08, outturn=False, synthetic=True), kind("wte_in_post")) == "22.1\n"
    assert cell(GUESSED, kind("median_wait")) == "9\nmodelled"
    assert told(GUESSED, kind("referrals"), "referrals") == "9 referrals (modelled)"
    assert cell(None, kind("waiting")) == "-\n"
    assert cell(None, kind("waiting"), ranged=False) == "-"
    assert cell(TRUE, kind("waiting"), ranged=False) == "749"


def test_a_number_rounds_half_up_and_has_a_real_minus():
    assert exact(0.25, kind("wte_gap")) == "0.3"
    assert exact(-0.81, kind("wte_gap")) == "−0.8"
    assert exact(-0.02, kind("wte_gap")) == "0.0"
    assert exact(-12.4, kind("waiting")) == "−12"
    assert exact(NAN, kind("waiting")) == "-"


@pytest.mark.parametrize(
    ("month_", "low", "high", "chance", "said", "cell_"),
    [
        ("2025-05", "2025-05", "2025-05", 1.0, "in May 2025", "May\u00a02025\n"),
        (
            *("2025-05", "2025-01", "2026-03", 0.97),
            "in May 2025 (likely between January 2025 and March 2026)",
            "May\u00a02025\nJan\u00a02025 to Mar\u00a02026",
        ),
        (
            *("2025-05", "2025-05", None, 0.61),
            "in May 2025 (by September 2027 in 61% of the simulated futures)",
            "May\u00a02025\nMay\u00a02025 to later, chance 61%",
        ),
        (
            *(None, "2026-02", None, 0.31),
            "not by September 2027 (the chance of it by then is 31%)",
            "not by Sep\u00a02027\nchance 31%",
        ),
        (
            *(None, None, None, 0.0),
            "not by September 2027 (in none of the simulated futures)",
            "not by Sep\u00a02027\nin none of the simulated futures",
        ),
    ],
)
def test_when_something_comes_true(month_, low, high, chance, said, cell_):
    met = {"month": month_, "low": low, "high": high, "chance": chance}
    assert when(met, LAST) == said
    assert met_cell(met, LAST) == cell_


def test_names():
    assert category_name("age_band", "18+") == "Aged 18 and over"
    assert category_name("wait_band", "12-18") == "12 to 18 weeks"
    assert category_name("work", "plans") == "Children with an EHC plan"
    assert category_name("work", "home_visits") == "Home visits"
    assert kind("unheard_of").title == "Unheard of"
    assert month(LAST) == "September 2027"
    assert year_name(pd.Timestamp("2099-09-01")) == "2099/00"
