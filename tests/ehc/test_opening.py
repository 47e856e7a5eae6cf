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
    assert "modelled" in opening.notes[-1]


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
