"""Weeks of a projection: whole years, and profiles that sum to them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.ehc.weeks import EARLIER_WEEKS, weeks_of
from forecast.errors import SpecError

MONTHS = tuple(float(month) for month in range(1, 13))


@pytest.mark.parametrize("profile", ["school_days", "even", MONTHS])
def test_each_year_sums_to_one(profile: str | tuple[float, ...]) -> None:
    weeks = weeks_of(2024, 2035, profile=profile)
    sums = np.bincount(weeks.year, weeks.share)
    np.testing.assert_allclose(sums, np.ones(12), atol=1e-12)
    assert (weeks.share >= 0).all()
    assert len(weeks.earlier) == EARLIER_WEEKS
    assert weeks.earlier.sum() == pytest.approx(2.0, abs=0.06)


def test_a_week_belongs_to_the_year_and_month_of_its_thursday() -> None:
    weeks = weeks_of(2024, 2027)
    iso = weeks.mondays.isocalendar()
    assert (np.array(weeks.years)[weeks.year] == iso["year"].to_numpy()).all()
    assert np.bincount(weeks.year).tolist() == [52, 52, 53, 52]
    thursdays = weeks.mondays + pd.Timedelta(days=3)
    assert (weeks.months[weeks.month].month == thursdays.month).all()
    assert (weeks.months[weeks.month].year == thursdays.year).all()
    assert (np.diff(weeks.mondays) == np.timedelta64(7, "D")).all()


def test_what_starts_on_new_years_day_holds_in_every_week_of_that_year() -> None:
    weeks = weeks_of(2024, 2027)
    for position, year in enumerate(weeks.years):
        from_then = weeks.thursdays >= pd.Timestamp(f"{year}-01-01")
        assert (from_then == (weeks.year >= position)).all()


def test_monthly_shares_are_met_exactly() -> None:
    weeks = weeks_of(2024, 2025, profile=MONTHS)
    by_month = np.bincount(weeks.month, weeks.share)
    np.testing.assert_allclose(by_month, np.tile(np.array(MONTHS) / 78, 2), atol=1e-12)


def test_a_school_year_profile_has_no_requests_in_august() -> None:
    weeks = weeks_of(2024, 2024)
    by_month = np.bincount(weeks.month, weeks.share)
    assert by_month[7] == 0.0
    assert by_month[10] > by_month[11]


@pytest.mark.parametrize("profile", ["summer", (1.0,) * 11, (-1.0, *(1.0,) * 11), (0.0,) * 12, (np.nan,) * 12])
def test_a_profile_that_cannot_be_is_refused(profile: str | tuple[float, ...]) -> None:
    with pytest.raises(SpecError, match="profile"):
        weeks_of(2024, 2025, profile=profile)  # type: ignore[arg-type]


def test_years_out_of_order_are_refused() -> None:
    with pytest.raises(SpecError, match="earlier year first"):
        weeks_of(2025, 2024)
