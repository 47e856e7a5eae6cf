"""Moves between tiers: dated, delayed, built up, and nobody is lost on the way."""

from datetime import date, datetime
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import SpecError
from forecast.speech_language.tiers import TierMove, move_demand

MONTHS = pd.date_range("2024-09-01", periods=8, freq="MS")
TIERS = ("specialist", "targeted", "universal")
CELLS = pd.DataFrame(
    list(product(("Heatons", "Marple"), ("0-4", "5-10"), TIERS)), columns=["locality", "age_band", "tier"]
)


def move(**given):
    usual = {"from_tier": "specialist", "to_tier": "targeted", "share": 0.2, "start": date(2024, 9, 1)}
    return TierMove(**(usual | given))


def moved(*moves, referrals=None, cells=CELLS):
    before = np.full((len(cells), len(MONTHS), 1), 100.0) if referrals is None else referrals
    return move_demand(before, cells=cells, months=MONTHS, moves=moves)


def of(found, tier, locality="Marple", age_band="5-10"):
    """Referrals of one cell on the first path, rounded."""
    row = CELLS.index[CELLS[["locality", "age_band", "tier"]].eq([locality, age_band, tier]).all(axis=1)][0]
    return found[row, :, 0].round(9).tolist()


def test_a_move_is_delayed_and_grows_evenly():
    """From December, over four months to 20 %: in a month the mean of its start and end, 2.5, 7.5, 12.5, 17.5 %."""
    found = moved(move(delay_months=3, build_up_months=4))
    assert of(found, "specialist") == [100, 100, 100, 97.5, 92.5, 87.5, 82.5, 80]
    assert of(found, "targeted") == [100, 100, 100, 102.5, 107.5, 112.5, 117.5, 120]
    assert of(found, "universal") == [100] * 8


def test_without_delay_and_build_up_it_is_there_from_its_day_on():
    assert of(moved(move(start=date(2024, 12, 1))), "specialist") == [100] * 3 + [80] * 5
    assert of(moved(move(start=date(2020, 1, 1))), "specialist") == [80] * 8
    assert of(moved(move(start=date(2030, 1, 1))), "specialist") == [100] * 8


def test_a_month_it_begins_in_counts_by_its_days():
    """From 16 November: 15 of 30 days, half of 20 %."""
    assert of(moved(move(start=date(2024, 11, 16))), "specialist") == [100, 100, 90, 80, 80, 80, 80, 80]


def test_a_delay_of_months_from_the_end_of_a_long_month():
    """From 31 January a month on is 30/31 of the way through February."""
    shares = move(start=date(2025, 1, 31), delay_months=1, share=1.0).by_month(MONTHS)
    assert shares.tolist() == pytest.approx([0, 0, 0, 0, 0, 1 / 31, 1, 1])


def test_it_is_for_its_localities_and_age_bands_alone():
    found = moved(move(localities=("Marple",), age_bands=("5-10",)))
    assert of(found, "specialist") == [80] * 8
    assert of(found, "targeted") == [120] * 8
    for place, age in (("Marple", "0-4"), ("Heatons", "5-10"), ("Heatons", "0-4")):
        assert of(found, "specialist", place, age) == of(found, "targeted", place, age) == [100] * 8


def test_shares_are_of_the_referrals_without_moves():
    """20 % go down to targeted and 50 % of those that were targeted on to universal, in any order."""
    first, second = move(), move(from_tier="targeted", to_tier="universal", share=0.5)
    found = moved(first, second)
    assert [of(found, tier)[0] for tier in TIERS] == [80, 70, 150]
    assert moved(second, first) == pytest.approx(found, abs=1e-12)


def test_no_move_changes_nothing_and_what_is_given_stays():
    before = np.random.default_rng(0).poisson(9, (len(CELLS), len(MONTHS), 3)).astype(float)
    kept = before.copy()
    assert (moved(referrals=before) == before).all()
    moved(move(), referrals=before)
    assert (before == kept).all()


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shares=st.tuples(st.floats(0.01, 0.5), st.floats(0.01, 0.5), st.floats(0.01, 1.0)),
    delay=st.integers(0, 9),
    build_up=st.integers(0, 9),
    day=st.dates(date(2024, 1, 1), date(2025, 12, 31)),
)
def test_nobody_is_lost(seed, shares, delay, build_up, day):
    before = np.random.default_rng(seed).poisson(20, (len(CELLS), len(MONTHS), 4)).astype(float)
    timed = {"start": day, "delay_months": delay, "build_up_months": build_up}
    moves = [
        move(share=shares[0], **timed),
        move(share=shares[1], to_tier="universal", localities=("Marple",)),
        move(share=shares[2], from_tier="universal", age_bands=("0-4",), **timed),
    ]
    found = moved(*moves, referrals=before)
    by_place = CELLS.groupby(["locality", "age_band"]).indices
    for rows in by_place.values():
        assert found[rows].sum(axis=0) == pytest.approx(before[rows].sum(axis=0), abs=1e-9)
    assert (found >= 0).all()


def test_all_of_a_tier_can_go_and_no_more():
    assert 1 - 0.8 - 0.2 < 0  # in floating point
    found = moved(move(share=0.8), move(share=0.2, to_tier="universal"), referrals=np.ones((len(CELLS), 8, 1)))
    assert of(found, "specialist") == [0] * 8
    assert (found >= 0).all()
    with pytest.raises(SpecError) as raised:
        moved(
            move(share=0.7),
            move(share=0.1, to_tier="universal", localities=("Heatons",)),
            move(share=0.5, to_tier="universal", localities=("Marple",), age_bands=("0-4",)),
        )
    assert str(raised.value) == (
        "moves from specialist: 0.7 to targeted and 0.5 to universal come to 1.2 of its referrals in Marple, ages 0-4; "
        "at most 1 can go. Lower a share."
    )


def test_moves_of_other_children_do_not_add_up():
    apart = move(share=0.7, localities=("Marple",)), move(share=0.7, localities=("Heatons",))
    assert of(moved(*apart), "specialist") == [30] * 8


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"from_tier": "specalist"},
            "move from specalist to targeted: tier 'specalist' is not known; known: specialist,",
        ),
        ({"to_tier": "target"}, "tier 'target' is not known"),
        ({"localities": ("Marple", "Cheadel")}, "locality 'Cheadel' is not known; known: Heatons, Marple. Correct it"),
        ({"age_bands": ("0-5",)}, "age band '0-5' is not known; known: 0-4, 5-10"),
    ],
)
def test_who_is_not_known_is_refused_by_name(given, says):
    with pytest.raises(SpecError, match=says):
        moved(move(**given))


def test_children_are_not_moved_to_where_none_are_counted():
    short = CELLS.drop(index=CELLS.index[CELLS["tier"].eq("targeted") & CELLS["locality"].eq("Marple")])
    with pytest.raises(SpecError, match=r"no targeted children of ages 0-4 are counted in Marple\. Name the loc"):
        moved(move(), cells=short)
    moved(move(localities=("Heatons",)), cells=short)
    short = CELLS.drop(index=CELLS.index[CELLS["tier"].eq("specialist") & CELLS["locality"].eq("Marple")])
    with pytest.raises(SpecError, match=r"no specialist children are counted in Marple, ages of any band\. Correct"):
        moved(move(localities=("Marple",)), cells=short)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"to_tier": "specialist"}, "move from specialist to specialist: both tiers are the same. Name two"),
        ({"share": 0.0}, "share 0; above 0 and at most 1"),
        ({"share": 1.1}, "share 1.1; above 0"),
        ({"share": -0.2}, "share -0.2; above 0"),
        ({"share": float("nan")}, "share nan"),
        ({"start": "2024-09-01"}, "start '2024-09-01' is a str; a day is needed. Give a datetime.date"),
        ({"start": datetime(2024, 9, 1)}, "is a datetime; a day"),
        ({"start": pd.Timestamp("2024-09-01")}, "is a Timestamp; a day"),
        ({"delay_months": -1}, "delay_months -1; a whole number of months, 0 or more"),
        ({"delay_months": 1.5}, "delay_months 1.5"),
        ({"build_up_months": -2}, "build_up_months -2"),
        ({"build_up_months": True}, "build_up_months True"),
        ({"localities": "Marple"}, r"localities 'Marple' is one text; a tuple is needed. Write \('Marple',\)"),
        ({"age_bands": "0-4"}, "age_bands '0-4' is one text"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(SpecError, match=says):
        move(**given)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "20 % of specialist referrals go to targeted, from 1 September 2024"),
        ({"share": 0.125, "delay_months": 1}, "12.5 % of specialist referrals go to targeted, 1 month after 1 Sept"),
        ({"build_up_months": 6, "localities": ("Marple", "Heatons")}, "built up over 6 months, in Marple and Heatons"),
        ({"age_bands": ("0-4", "5-10")}, "from 1 September 2024, ages 0-4 and 5-10"),
    ],
)
def test_it_says_what_it_does(given, says):
    assert says in move(**given).says()
