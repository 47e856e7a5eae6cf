"""The weeks of a projection, and how a year's requests are spread over them.

A week runs from Monday and belongs to the calendar year and month of its Thursday, as in ISO 8601: a year has 52 or
53 whole weeks. By default requests come on school days.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from forecast.calendar import school_days
from forecast.errors import SpecError
from forecast.panel import FloatArray, IntArray

Profile = Literal["school_days", "even"] | tuple[float, ...]

EARLIER_WEEKS = 104
ONE_WEEK = timedelta(days=7)


@dataclass(frozen=True, eq=False)
class Weeks:
    """Weeks of whole calendar years, each with its share of its year's requests.

    Attributes
    ----------
    years : tuple of int, length Y
    mondays : DatetimeIndex, length W
    year, month : ndarray (W,)
        Position of each week's year in `years`, and of its month in `months`.
    share : ndarray (W,)
        Share of the year's requests that come in the week; each year sums to 1.
    earlier : ndarray (EARLIER_WEEKS,)
        The same for the weeks before the first, oldest first.
    """

    years: tuple[int, ...]
    mondays: pd.DatetimeIndex
    year: IntArray
    month: IntArray
    share: FloatArray
    earlier: FloatArray

    @property
    def thursdays(self) -> pd.DatetimeIndex:
        """Days that say what holds in a week: what starts on 1 January holds in every week of that year."""
        return self.mondays + pd.Timedelta(days=3)

    @property
    def months(self) -> pd.DatetimeIndex:
        """First days of all months of the years."""
        return pd.date_range(f"{self.years[0]}-01-01", periods=12 * len(self.years), freq="MS")


def weeks_of(first_year: int, last_year: int, *, profile: Profile | Sequence[float] = "school_days") -> Weeks:
    """Lay out the weeks of some calendar years.

    Parameters
    ----------
    first_year, last_year : int
    profile : {"school_days", "even"} or 12 numbers
        How a year's requests spread: over school days of English terms, evenly, or by shares of the calendar
        months (any positive scale), evenly within each.

    Raises
    ------
    SpecError
        An unknown profile, not 12 shares, a negative one, or none above zero; years out of order.

    Examples
    --------
    >>> weeks = weeks_of(2024, 2026)
    >>> len(weeks.mondays), weeks.mondays[0].date().isoformat(), round(float(weeks.share.sum()), 9)
    (157, '2024-01-01', 3.0)
    """
    if last_year < first_year:
        raise SpecError(f"weeks: {first_year} to {last_year} is no span of years. Give the earlier year first.")
    first, stop = _first_monday(first_year), _first_monday(last_year + 1)
    start = first - EARLIER_WEEKS * ONE_WEEK
    mondays = [start + k * ONE_WEEK for k in range((stop - start).days // 7)]
    thursdays = [monday + timedelta(days=3) for monday in mondays]
    weight = _weights(mondays, thursdays, profile)
    # The oldest year is not there in full: its weeks are shared out with those that are left out.
    before = [start - k * ONE_WEEK for k in range(1, 54)]
    oldest = [m for m in before if (m + timedelta(days=3)).year == thursdays[0].year]
    years = np.array([day.year for day in thursdays])
    total = {int(year): float(weight[years == year].sum()) for year in np.unique(years)}
    total[thursdays[0].year] += float(_weights(oldest, [m + timedelta(days=3) for m in oldest], profile).sum())
    share = weight / np.array([total[int(year)] for year in years])
    kept = slice(EARLIER_WEEKS, None)
    months = np.array([day.month for day in thursdays])
    return Weeks(
        years=tuple(range(first_year, last_year + 1)),
        mondays=pd.DatetimeIndex(mondays[kept]),
        year=(years[kept] - first_year).astype(np.int64),
        month=((years[kept] - first_year) * 12 + months[kept] - 1).astype(np.int64),
        share=share[kept],
        earlier=share[:EARLIER_WEEKS],
    )


def _first_monday(year: int) -> date:
    """Monday of the week that holds the year's first Thursday."""
    return date.fromisocalendar(year, 1, 1)


def _weights(mondays: Sequence[date], thursdays: Sequence[date], profile: Profile | Sequence[float]) -> FloatArray:
    if profile == "even":
        return np.ones(len(mondays))
    if profile == "school_days":
        return np.array([float(school_days(monday)) for monday in mondays])
    if isinstance(profile, str):
        raise SpecError(f"profile {profile!r}: is none of school_days, even or 12 monthly shares. Use one.")
    shares = np.asarray(profile, dtype=np.float64)
    if shares.shape != (12,) or not np.isfinite(shares).all() or (shares < 0).any() or shares.sum() <= 0:
        raise SpecError(
            f"profile {tuple(profile)!r}: 12 shares of the calendar months are needed, none negative and not all zero. "
            "Give one for each month from January."
        )
    weeks_in = {(day.year, day.month): _thursdays_in(day.year, day.month) for day in thursdays}
    return np.array([shares[day.month - 1] / weeks_in[day.year, day.month] for day in thursdays])


@cache
def _thursdays_in(year: int, month: int) -> int:
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    first_thursday = first + timedelta(days=(3 - first.weekday()) % 7)
    return ((after - first_thursday).days + 6) // 7
