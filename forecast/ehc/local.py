"""A council's own monthly requests: how they spread over a year, and what they say of the years not published yet."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.ehc.weeks import Weeks
from forecast.errors import InputError
from forecast.panel import FloatArray

PROFILE_MONTHS = 24
MONTH_NOISE, COMMON_NOISE = 0.2, 0.1
"""How far a month lies from its expected count beside chance, as a log: by itself, and in common with its neighbours
(the profile is not known exactly). Assumptions: no months of many authorities are published."""
SAME_COUNT = 0.15
"""How far a year's months may differ from the published year, as a share, to be the same count."""


@dataclass(frozen=True, eq=False)
class MonthlyRequests:
    """Counts of requests received, month by month.

    Attributes
    ----------
    months : DatetimeIndex
        First days, each once, in order.
    counts : ndarray
        Requests received; NaN where not known.
    """

    months: pd.DatetimeIndex
    counts: FloatArray

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> MonthlyRequests:
        """Take columns ds (any day of the month) and y.

        Raises
        ------
        InputError
            A column, a date or all figures are missing, a month stands twice, or a count is not one.
        """
        missing = [name for name in ("ds", "y") if name not in frame.columns]
        if missing:
            raise InputError(f"monthly requests: no column '{missing[0]}'; ds and y are needed. Rename or add it.")
        try:
            line = frame.assign(ds=pd.to_datetime(frame["ds"]), y=pd.to_numeric(frame["y"]))
        except (ValueError, TypeError) as error:
            raise InputError(f"monthly requests: {error}. Give dates in ds and numbers in y.") from error
        if line["ds"].isna().any() or np.isinf(line["y"]).any():
            raise InputError("monthly requests: a date is missing or a count has no end. Correct or take out the row.")
        line = line.assign(ds=line["ds"].dt.to_period("M").dt.to_timestamp()).sort_values("ds")
        twice = line.loc[line["ds"].duplicated(), "ds"]
        if len(twice):
            raise InputError(f"monthly requests: {twice.iloc[0]:%Y-%m} stands twice; one count a month. Add them up.")
        counts = line["y"].to_numpy(dtype=np.float64)
        if np.isnan(counts).all():
            raise InputError("monthly requests: no figure at all; at least one month is needed. Leave monthly out.")
        if (counts < 0).any():
            at = line["ds"].iloc[int(np.argmax(counts < 0))]
            raise InputError(f"monthly requests: {counts.min():g} in {at:%Y-%m}; a count is 0 or more. Correct it.")
        return cls(pd.DatetimeIndex(line["ds"]), counts)

    def profile(self) -> tuple[float, ...] | None:
        """Return each month's usual share of its year, January first; None with fewer than two years of months.

        A month's share is its mean count over that of all months, each count first taken relative to the mean of
        the year around it, so that growth does not look like a season.
        """
        known = np.isfinite(self.counts)
        if known.sum() < PROFILE_MONTHS or len(set(self.months[known].month)) < 12:
            return None
        line = pd.Series(self.counts, index=self.months).asfreq("MS")
        around = line.rolling(12, center=True, min_periods=6).mean()
        relative = (line / around.replace(0.0, np.nan)).dropna()
        share = relative.groupby(pd.DatetimeIndex(relative.index).month).mean().reindex(range(1, 13)).fillna(0.0)
        return tuple((share / share.sum()).tolist())

    def checked(self, published: pd.Series) -> MonthlyRequests:
        """Return the months if they count what is published, or refuse them.

        Parameters
        ----------
        published : Series
            Requests by calendar year.

        Raises
        ------
        InputError
            A whole year of months differs from the published year by more than 15 %.
        """
        years = self.months.year.to_numpy()
        for year in np.unique(years):
            counts = self.counts[(years == year) & np.isfinite(self.counts)]
            said = float(published.get(year, np.nan))
            if len(counts) == 12 and abs(counts.sum() / said - 1) > SAME_COUNT:
                raise InputError(
                    f"monthly requests of {year}: {counts.sum():,.0f} in all, {said:,.0f} published; within "
                    f"{SAME_COUNT:.0%} is needed to be the same count. Check what the months count, or leave them out."
                )
        return self

    def said(self, used: int, *, first_year: int) -> str:
        """Say what the months were used for, given how many are of the projected years."""
        first, last = f"{self.months[0]:%B %Y}", f"{self.months[-1]:%B %Y}"
        span = first if first == last else f"{first} to {last}"
        shown = "set how a year's requests spread over its months", "are too few to show a season"
        season = shown[self.profile() is None]
        level = (
            f"; {used} of {len(self.months)} are of {first_year} or later: their sum counts for that year, spread as "
            "all months are, and moves what is left of it and the years after"
            if used
            else f"; none is of {first_year} or later, so that no year moves"
        )
        return f"The authority's own monthly requests, {span}, {season}{level}."

    def conditioned(
        self, paths: FloatArray, *, first_year: int, profile: FloatArray, rng: np.random.Generator
    ) -> tuple[FloatArray, int]:
        """Move paths of yearly requests to what the months since have shown.

        The sum of a year's months already counted is taken as it is. What it says of the level is weighed against what
        was expected by how far paths spread and how noisy months are (an ensemble Kalman update with perturbed
        observations: Evensen 1994, *Journal of Geophysical Research* 99, 10143-10162).

        Parameters
        ----------
        paths : ndarray (n_paths, years)
            Requests of the calendar years from `first_year` on.
        first_year : int
        profile : ndarray (12,)
            Share of each calendar month in its year.
        rng : numpy Generator

        Returns
        -------
        paths : ndarray (n_paths, years)
        months : int
            Months used: those of the years of `paths`.
        """
        year = self.months.year.to_numpy() - first_year
        used = np.flatnonzero((year >= 0) & (year < paths.shape[1]) & np.isfinite(self.counts))
        if not len(used):
            return paths, 0
        share = profile[self.months.month.to_numpy()[used] - 1]
        expected = paths[:, year[used]] * share
        counted = self.counts[used]
        surprise = np.log((counted.sum() + 0.5) / (expected.sum(axis=1) + 0.5))
        noise = max(MONTH_NOISE**2, 1 / max(float(counted.mean()), 1.0)) / len(used) + COMMON_NOISE**2
        spread = float(surprise.var())
        weight = spread / (spread + noise)
        shift = np.exp(weight * (surprise + rng.normal(0.0, np.sqrt(noise), len(paths))))
        moved = paths * shift[:, None]
        for y in np.unique(year[used]):
            inside = year[used] == y
            left = max(1 - float(share[inside].sum()), 0.0)
            moved[:, y] = counted[inside].sum() + moved[:, y] * left
        return moved, len(used)


def calendar_shares(weeks: Weeks) -> FloatArray:
    """Share of each calendar month in the first year of `weeks`: each week spread over its Monday to Friday (12,)."""
    first = weeks.year == 0
    days = weeks.mondays[first].to_numpy()[:, None] + np.arange(5).astype("timedelta64[D]")
    months = days.astype("datetime64[M]").astype(np.int64) - (weeks.years[0] - 1970) * 12
    share = np.repeat(weeks.share[first], 5) / 5
    return np.bincount(np.clip(months.ravel(), 0, 11), share, minlength=12).astype(np.float64)
