"""Lags: exact on the published shares, sensible between them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.ehc.figures import Figures
from forecast.ehc.lags import ADVICE, DECISION_DUE, LONGEST, PLAN_DUE, YEAR, Lags, fitted_lags
from forecast.errors import SpecError
from forecast.reference import find_area

STOCKPORT = "E08000007"
SHARES = st.floats(0, 1)


def lags_of(six: float, twenty: float, late: float) -> Lags:
    return Lags(six, twenty, min(twenty + (1 - twenty) * (1 - late), 1.0))


@given(six=SHARES, twenty=SHARES, late=SHARES)
def test_lags_are_exact_on_the_published_shares(six: float, twenty: float, late: float) -> None:
    lags = lags_of(six, twenty, late)
    decision, _, issue, chance = lags.ranked()
    assert chance.sum() == pytest.approx(1.0)
    assert chance[issue <= PLAN_DUE].sum() == pytest.approx(twenty, abs=1e-9)
    assert chance[issue <= YEAR].sum() == pytest.approx(lags.issued_by_year, abs=1e-9)
    # An early plan needs an early decision, so that few decisions in time can be too few.
    within_12 = chance[issue <= DECISION_DUE + ADVICE].sum()
    assert chance[decision <= DECISION_DUE].sum() == pytest.approx(max(six, within_12), abs=1e-9)


@given(six=SHARES, twenty=SHARES, late=SHARES)
def test_no_case_is_faster_than_the_process(six: float, twenty: float, late: float) -> None:
    decision, ready, issue, _ = lags_of(six, twenty, late).ranked()
    assert (decision >= 1).all()
    assert (ready >= decision + ADVICE).all()
    assert (issue >= ready).all()
    assert issue.max() <= LONGEST


def test_a_late_share_thins_out_at_a_constant_rate() -> None:
    issue = Lags(0.9, 0.5, 0.9).issue
    late = issue[PLAN_DUE + 1 : YEAR + 1]
    np.testing.assert_allclose(late[1:] / late[:-1], (0.1 / 0.5) ** (1 / 32), rtol=1e-9)
    assert (np.diff(issue[YEAR + 1 :]) < 0).all()


def test_an_area_on_time_takes_what_the_process_takes() -> None:
    lags = Lags(1.0, 1.0, 1.0)
    np.testing.assert_allclose(lags.issue, lags.unhindered, atol=1e-12)
    assert lags.unhindered @ np.arange(LONGEST + 1) == pytest.approx(14.5)
    assert lags.decision @ np.arange(len(lags.decision)) == pytest.approx(3.5)


@pytest.mark.parametrize("shares", [(1.1, 0.5, 0.9), (0.5, -0.1, 0.9), (0.5, 0.5, np.nan), (0.5, 0.9, 0.5)])
def test_shares_that_cannot_be_are_refused(shares: tuple[float, float, float]) -> None:
    with pytest.raises(SpecError, match="lags"):
        Lags(*shares)


def test_stockport_has_its_published_shares_and_twenty_of_englands() -> None:
    figures = Figures.bundled()
    england = figures.national["plans_20_week_within"][2023] / figures.national["plans_20_week_den"][2023]
    over, to_year = (figures.national[name][2023] for name in ("plans_over_year", "plans_20_week_to_year"))
    lags = fitted_lags(figures, STOCKPORT)
    assert lags.decided_within_6 == pytest.approx((744 + 20 * 111_723 / (111_723 + 19_863)) / (744 + 27 + 20))
    assert lags.issued_within_20 == pytest.approx((41 + 20 * england) / (419 + 20))
    late = (45 + 20 * over / (over + to_year)) / (329 + 45 + 20)
    assert 1 - lags.issued_by_year == pytest.approx((1 - lags.issued_within_20) * late)
    assert not lags.notes


@pytest.mark.parametrize("name", ["Isles of Scilly", "City of London"])
def test_a_few_plans_say_little_of_a_tiny_area(name: str) -> None:
    figures, code = Figures.bundled(), find_area(name).code
    within, of = (figures.line(measure, code).iloc[-1] for measure in ("plans_20_week_within", "plans_20_week_den"))
    lags = fitted_lags(figures, code)
    assert within in (0, of)
    assert of < 20
    assert 0.2 < lags.issued_within_20 < 0.8
    assert any(f"plans within 20 weeks, {within / of:.0%} of {of:.0f}, counts as" in note for note in lags.notes)


def test_england_stands_in_where_an_area_has_no_share() -> None:
    lags = fitted_lags(Figures.bundled(), find_area("Hackney").code)
    assert lags.decided_within_6 == pytest.approx(111_723 / (111_723 + 19_863))
    assert any("decisions within 6 weeks" in note and "England" in note for note in lags.notes)


def test_an_early_origin_has_an_assumed_share() -> None:
    lags = fitted_lags(Figures.bundled().until(2020), STOCKPORT)
    england = Figures.bundled().national
    share = england["plans_20_week_within"][2020] / england["plans_20_week_den"][2020]
    assert lags.issued_within_20 == pytest.approx((129 + 20 * share) / (302 + 20))
    assert lags.decided_within_6 == 0.85
    assert any("assumed" in note for note in lags.notes)
