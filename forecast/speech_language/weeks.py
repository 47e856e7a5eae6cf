"""The weeks of some months in a row: whose month each is, and how referrals and first contacts fall on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.calendar import working_days_of_weeks
from forecast.panel import FloatArray
from forecast.speech_language.clinics import Weeks


@dataclass(frozen=True, eq=False, kw_only=True)
class MonthWeeks:
    """The weeks of a projection: from Monday, of the month of their Thursday.

    Attributes
    ----------
    months : DatetimeIndex (M,)
        First days.
    mondays : DatetimeIndex (T,)
    weeks : Weeks
        Referrals of a month come on its working days.
    profile : ndarray (T,)
        Working days of each week over those of an average week: first contacts follow them.
    """

    months: pd.DatetimeIndex
    mondays: pd.DatetimeIndex
    weeks: Weeks
    profile: FloatArray

    @classmethod
    def of(cls, months: pd.DatetimeIndex) -> MonthWeeks:
        """Lay out the weeks of some months in a row."""
        days = pd.date_range(months[0], months[-1] + pd.offsets.MonthEnd(), freq="W-THU")
        mondays = days - pd.Timedelta(days=3)
        month = np.asarray((days.year - months[0].year) * 12 + days.month - months[0].month, dtype=np.int64)
        working = working_days_of_weeks(mondays)
        share = working / np.bincount(month, weights=working)[month]
        return cls(
            months=months,
            mondays=mondays,
            weeks=Weeks(month=month, share=share),
            profile=working / working.mean(),
        )

    @property
    def in_month(self) -> FloatArray:
        """Weeks of each month (M,)."""
        return np.bincount(self.weeks.month).astype(np.float64)

    @property
    def days(self) -> FloatArray:
        """Days of each month (M,)."""
        return self.months.days_in_month.to_numpy(dtype=np.float64)

    def until(self, n_months: int) -> MonthWeeks:
        """Return the first months alone."""
        kept = self.weeks.month < n_months
        return MonthWeeks(
            months=self.months[:n_months],
            mondays=self.mondays[kept],
            weeks=Weeks(month=self.weeks.month[kept], share=self.weeks.share[kept]),
            profile=self.profile[kept],
        )

    def since(self, day: pd.Timestamp) -> FloatArray:
        """Say which weeks begin on or after a day, as 1 and 0 (T,)."""
        return np.asarray(self.mondays + pd.Timedelta(days=3) >= day, dtype=np.float64)
