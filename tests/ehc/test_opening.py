"""What is open at the start: numbers from published figures, ages in weeks from the lags."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.ehc.figures import Figures
from forecast.ehc.lags import Lags, fitted_lags
from forecast.ehc.opening import Opening, fitted_opening, opening_of
from forecast.ehc.rates import fitted_rates, request_mix
from forecast.ehc.weeks import EARLIER_WEEKS, Weeks, weeks_of
from forecast.reference import find_area

STOCKPORT = "E08000007"
WEEKS = weeks_of(2024, 2025)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


def fitted(figures: Figures, code: str, weeks: Weeks = WEEKS) -> Opening:
    return fitted_opening(
        figures, code, weeks=weeks, rates=fitted_rates(figures, code), lags=fitted_lags(figures, code)
    )


def test_stockports_assessments_roll_forward_from_2021(figures: Figures) -> None:
    opening = fitted(figures, STOCKPORT)
    rates = fitted_rates(figures, STOCKPORT)
    assert opening.undecided.sum() == pytest.approx(62)
    withdrawn_2022 = 705 * float(request_mix(figures, STOCKPORT) @ rates.withdrawal)
    more_undecided = 62 * (1 - 512 / 790)
    expected = 164 + (705 - 94 - withdrawn_2022 - 540) + (790 - 106 - 0 - 441) - more_undecided
    assert opening.assessing.sum() == pytest.approx(expected)
    assert "modelled" in opening.notes[0]
    assert "113 are more than the area's own lags leave open" in opening.notes[2]


def test_the_last_published_number_is_taken_as_it_is(figures: Figures) -> None:
    opening = fitted(figures.until(2021), STOCKPORT, weeks_of(2022, 2023))
    assert opening.assessing.sum() == pytest.approx(164)


def test_every_area_has_something_possible_open(figures: Figures) -> None:
    for code in figures.codes:
        opening = fitted(figures, code)
        for name in ("undecided", "assessing", "appeals", "undecided_weeks", "assessing_weeks"):
            assert (getattr(opening, name) >= 0).all(), (code, name)
        assert opening.undecided_weeks.sum() == pytest.approx(1)
        assert opening.assessing_weeks.sum() == pytest.approx(1)


def test_an_area_that_says_little_gets_what_its_lags_make_likely(figures: Figures) -> None:
    opening = fitted(figures, find_area("Hackney").code)
    assert opening.assessing.sum() > 0
    assert any("lags" in note for note in opening.notes)


@pytest.mark.parametrize("total", [20.0, 200.0, 350.0])
def test_no_week_holds_more_than_were_agreed_then(total: float) -> None:
    lags = Lags(0.8, 0.2, 0.85)
    opening = opening_of(
        WEEKS, lags, undecided=np.array([30.0]), assessing=np.array([total]), requested=500.0, agreed=400.0
    )
    held = total * opening.assessing_weeks
    assert held.sum() == pytest.approx(total)
    assert (held <= 400 * WEEKS.earlier + 1e-9).all()
    mean_age = float(opening.assessing_weeks @ np.arange(EARLIER_WEEKS, 0, -1))
    assert 5 < mean_age < 60


def test_a_longer_queue_reaches_further_back() -> None:
    lags = Lags(0.8, 0.2, 0.85)
    ago = np.arange(EARLIER_WEEKS, 0, -1)
    ages = [
        float(
            opening_of(
                WEEKS, lags, undecided=np.zeros(1), assessing=np.array([total]), requested=500.0, agreed=400.0
            ).assessing_weeks
            @ ago
        )
        for total in (50.0, 150.0, 300.0)
    ]
    assert ages == sorted(ages)


def test_open_cases_are_kept_where_nothing_was_agreed_the_year_before() -> None:
    empty_end = weeks_of(2024, 2024, profile=(1.0,) + (0.0,) * 11)
    opening = opening_of(
        empty_end, Lags(1.0, 1.0, 1.0), undecided=np.ones(1), assessing=np.ones(1), requested=0.0, agreed=0.0
    )
    assert opening.undecided_weeks.sum() == pytest.approx(1)
    assert opening.assessing_weeks.sum() == pytest.approx(1)


def test_what_is_beyond_the_lags_is_told_apart_week_by_week(figures: Figures) -> None:
    for name, undecided, assessing in (("Lewisham", False, True), ("Milton Keynes", True, True)):
        code = find_area(name).code
        opening, lags = fitted(figures, code), fitted_lags(figures, code)
        assert (opening.undecided_excess <= opening.undecided_weeks + 1e-12).all()
        assert (opening.assessing_excess <= opening.assessing_weeks + 1e-12).all()
        decided = np.concatenate([np.cumsum(lags.decision)[:EARLIER_WEEKS], np.ones(EARLIER_WEEKS)])[:EARLIER_WEEKS]
        open_still = opening.requested * float(WEEKS.earlier[::-1] @ (1 - decided))
        excess = max(opening.undecided.sum() - open_still, 0.0)
        assert opening.undecided.sum() * opening.undecided_excess.sum() == pytest.approx(excess)
        said = "".join(opening.notes)
        assert ("requests without a decision at the start" in said) == undecided
        assert (f"Of {opening.assessing.sum():,.0f} assessments in progress at the start" in said) == assessing
        assert "evenly over 3 years" in said


def test_no_more_open_than_the_lags_hold_leaves_no_excess() -> None:
    lags, cases = Lags(0.8, 0.2, 0.85), np.array([20.0])
    opening = opening_of(WEEKS, lags, undecided=cases, assessing=cases, requested=500.0, agreed=400.0)
    assert not opening.undecided_excess.any()
    assert not opening.assessing_excess.any()


@pytest.mark.filterwarnings("error")
def test_what_stands_in_for_open_cases_is_no_excess(figures: Figures) -> None:
    standing_in = 0
    for code in figures.codes:
        opening = fitted(figures, code)
        assert np.isfinite(opening.undecided_excess).all(), code
        assert np.isfinite(opening.assessing_excess).all(), code
        if any(note.startswith("Requests without a decision:") for note in opening.notes):
            standing_in += 1
            assert not opening.undecided_excess.any(), code
        if any("modelled from the area's lags" in note for note in opening.notes):
            standing_in += 1
            assert not opening.assessing_excess.any(), code
    assert standing_in >= 6


def test_a_long_queue_is_in_excess_by_what_the_lags_do_not_hold() -> None:
    lags, agreed = Lags(0.8, 0.2, 0.85), 400.0
    reached, issued = (
        np.concatenate([np.cumsum(each), np.ones(EARLIER_WEEKS)]) for each in (lags.decision, lags.issue)
    )
    # Asked k weeks ago: decided by now are those within k - 1 weeks.
    held = agreed * float(WEEKS.earlier[::-1] @ (reached[:EARLIER_WEEKS] - issued[:EARLIER_WEEKS]))
    opening = opening_of(WEEKS, lags, undecided=np.zeros(1), assessing=np.array([350.0]), requested=0.0, agreed=agreed)
    assert 350 * opening.assessing_excess.sum() == pytest.approx(350 - held)


@pytest.mark.parametrize("name", ["Leicester", "Hackney", "Isle of Wight"])
def test_requests_of_an_earlier_year_move_with_england(figures: Figures, name: str) -> None:
    code = find_area(name).code
    line, england = figures.line("requests", code), figures.national["requests"]
    assert line.index[-1] == 2022
    opening = fitted(figures, code)
    assert opening.requested == pytest.approx(line[2022] * england[2023] / england[2022])
    assert opening.requested > line[2022]
    assert any("2022 moved with those of England" in note for note in opening.notes)
