"""Weeks of a projection: whole years, and profiles that sum to them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from forecast.ehc.weeks import EARLIER_WEEKS, school_days, weeks_of
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


@pytest.mark.parametrize("year", range(2016, 2036))
def test_a_school_year_has_about_195_days(year: int) -> None:
    # 190 days of teaching and 5 without pupils (Education (School Day and School Year) Regulations 1999).
    first = date.fromisocalendar(year, 36, 1)
    first -= timedelta(days=7) if first > date(year, 9, 3) else timedelta(0)
    assert 190 <= sum(school_days(first + timedelta(days=7 * k)) for k in range(52)) <= 200


@pytest.mark.parametrize(
    ("monday", "days"),
    [
        (date(2024, 1, 1), 0),  # Christmas
        (date(2024, 1, 8), 5),
        (date(2024, 2, 12), 0),  # half term
        (date(2024, 3, 25), 4),  # Good Friday
        (date(2024, 4, 1), 0),
        (date(2024, 4, 15), 5),
        (date(2024, 5, 6), 4),  # early May bank holiday
        (date(2024, 5, 27), 0),  # half term
        (date(2024, 7, 15), 5),
        (date(2024, 8, 19), 0),  # summer
        (date(2024, 9, 2), 4),
        (date(2024, 10, 28), 0),  # half term
        (date(2023, 4, 10), 0),  # Easter Monday and the week after
        (date(2022, 9, 19), 4),  # state funeral
    ],
)
def test_school_days_of_known_weeks(monday: date, days: int) -> None:
    assert school_days(monday) == days


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
