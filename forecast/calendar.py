"""Periods planners count in, working and school days, and the dated interventions that change what is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import SpecError

FloatArray = npt.NDArray[np.float64]
Kind = Literal["step", "pulse", "ramp", "hold"]

KINDS: tuple[Kind, ...] = ("step", "pulse", "ramp", "hold")
HOLD = "hold:"
PERIODS_A_YEAR = {"Y": 1, "Q": 4, "M": 12, "W": 52}
ONE_WEEK = timedelta(days=7)


def academic_year(dates: pd.DatetimeIndex) -> pd.Index:
    """Label dates by English academic year, 1 September to 31 August.

    Examples
    --------
    >>> academic_year(pd.DatetimeIndex(["2024-08-01", "2024-09-01"])).tolist()
    ['2023/24', '2024/25']
    """
    start = dates.year - (dates.month < 9).astype(int)
    return pd.Index([f"{year}/{(year + 1) % 100:02d}" for year in start])


def calendar_year(dates: pd.DatetimeIndex) -> pd.Index:
    """Label dates by calendar year.

    Examples
    --------
    >>> calendar_year(pd.DatetimeIndex(["2024-08-01"])).tolist()
    ['2024']
    """
    return pd.Index([f"{year}" for year in dates.year])


def working_days(months: pd.DatetimeIndex) -> FloatArray:
    """Count the weekdays of months that are no bank holiday in England.

    Parameters
    ----------
    months : DatetimeIndex
        First days.

    Examples
    --------
    >>> working_days(pd.DatetimeIndex(["2024-05-01", "2024-12-01"])).tolist()
    [21.0, 20.0]
    """
    return np.array([float(len(_weekdays(month.year, month.month))) for month in months])


def working_days_of_weeks(mondays: pd.DatetimeIndex) -> FloatArray:
    """Count the weekdays of weeks, from their Mondays, that are no bank holiday in England.

    Examples
    --------
    >>> working_days_of_weeks(pd.DatetimeIndex(["2024-05-06", "2024-05-13"])).tolist()
    [4.0, 5.0]
    """
    return np.array([float(sum(_is_working(day) for day in _days(monday.date()))) for monday in mondays])


def term_days(months: pd.DatetimeIndex) -> FloatArray:
    """Count the school days of months, by the terms of `school_days`.

    Parameters
    ----------
    months : DatetimeIndex
        First days.

    Examples
    --------
    >>> term_days(pd.DatetimeIndex(["2024-05-01", "2024-08-01"])).tolist()
    [17.0, 0.0]
    """
    return np.array([float(sum(map(_in_term, _weekdays(month.year, month.month)))) for month in months])


@cache
def school_days(monday: date) -> int:
    """Count the school days of the week from a Monday.

    Weekdays in term less bank holidays. Terms differ between areas by some days; here: from 3 September to the
    Christmas fortnight, with a week off in late October, mid-February and at the spring bank holiday, a fortnight at
    Easter, and until the Friday before the Monday between 22 and 28 July.

    Examples
    --------
    >>> school_days(date(2024, 5, 6)), school_days(date(2024, 8, 5)), school_days(date(2024, 9, 2))
    (4, 0, 4)
    """
    return sum(_in_term(day) for day in _days(monday) if _is_working(day))


def _days(monday: date) -> tuple[date, ...]:
    return tuple(monday + timedelta(days=k) for k in range(5))


def _in_term(day: date) -> bool:
    """Say whether a working day is one of school."""
    monday = day - timedelta(days=day.weekday())
    if any(start <= monday < stop for start, stop in _breaks((monday + timedelta(days=3)).year)):
        return False
    return day.month != 8 and not (day.month == 9 and day.day < 3)


def _is_working(day: date) -> bool:
    return day not in _bank_holidays(day.year)


@cache
def _weekdays(year: int, month: int) -> tuple[date, ...]:
    """Weekdays of a month that are no bank holiday."""
    days = (date(year, month, 1) + timedelta(days=k) for k in range(31))
    return tuple(day for day in days if day.month == month and day.weekday() < 5 and _is_working(day))


@cache
def _breaks(year: int) -> tuple[tuple[date, date], ...]:
    """Weeks without school that touch a calendar year, each from a Monday to the Monday after."""
    easter_monday = _easter(year) + timedelta(days=1)
    easter = easter_monday if (easter_monday.month, easter_monday.day) < (4, 6) else easter_monday - ONE_WEEK
    summer = _monday_from(date(year, 7, 22))
    autumn = _monday_from(date(year, 9, 3) - timedelta(days=6))
    whit, october, february = date(year, 5, 25), date(year, 10, 22), date(year, 2, 12)
    spans = [(_monday_from(day), _monday_from(day) + ONE_WEEK) for day in (february, whit, october)]
    christmas = [_monday_from(date(before, 12, 19)) for before in (year - 1, year)]
    return (
        (easter, easter + 2 * ONE_WEEK),
        (summer, autumn),
        *spans,
        *((day, day + 2 * ONE_WEEK) for day in christmas),
    )


@cache
def _bank_holidays(year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year))


def _easter(year: int) -> date:
    """Easter Sunday, from the bank holiday two days before it."""
    friday = min(day for day in _bank_holidays(year) if day.weekday() == 4 and (3, 20) <= (day.month, day.day))
    return friday + timedelta(days=2)


def _monday_from(day: date) -> date:
    """Monday on or next after a day."""
    return day + timedelta(days=-day.weekday() % 7)


@dataclass(frozen=True)
class Intervention:
    """Something that happened, or will, on known days and changed what is counted.

    It is dated to days and acts on periods: a period in which it holds throughout counts 1, one in which it
    begins or ends counts the share of its days. A stock, counted on the first day of its period, counts 1 or 0
    by that day.

    - ``step``: from start on, for good (a new duty in law). 1 from start on; no end.
    - ``pulse``: from start to end, then over, of one size throughout (a closure). Without an end, one period.
    - ``ramp``: builds up steadily from start to end and stays there (a roll-out). Grows by 1 a year, so that its
      effect is one a year; without an end it goes on as long as the forecast does.
    - ``hold``: figures from start to end stand apart and say nothing of level, trend or season, whatever their
      sizes (months of a pandemic); what was usual before goes on after. 1 in every period it touches: models take
      these figures as missing, which is to give each period an effect of its own. Without an end, one period.

    Attributes
    ----------
    name : str
    kind : {"step", "pulse", "ramp", "hold"}
    start : date
        First day.
    end : date, optional
        Last day, inclusive.

    Raises
    ------
    SpecError
        An unknown kind, an end before the start, or a step with an end.
    """

    name: str
    kind: Kind
    start: date
    end: date | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SpecError(f"intervention {self.name!r}: kind {self.kind!r} is none of {', '.join(KINDS)}. Use one.")
        if self.end is not None and self.end < self.start:
            raise SpecError(
                f"intervention {self.name!r}: it ends on {self.end}, before it starts on {self.start}. Swap the two."
            )
        if self.kind == "step" and self.end is not None:
            raise SpecError(f"intervention {self.name!r}: a step has no end ({self.end}). Make it a pulse.")

    @property
    def column_name(self) -> str:
        """Name of its column: its own, after `hold:` for a hold, by which models tell it from the others."""
        return f"{HOLD}{self.name}" if self.kind == "hold" else self.name

    def column(self, dates: pd.DatetimeIndex, *, stock: bool = False) -> FloatArray:
        """Return its figure for each period.

        Parameters
        ----------
        dates : DatetimeIndex, length T
            First days of periods without a hole; its `freq` is set.
        stock : bool, default False
            True for what is counted on the first day of a period, such as a caseload in January.

        Returns
        -------
        ndarray (T,)

        Examples
        --------
        >>> months = pd.date_range("2020-03-01", periods=3, freq="MS")
        >>> Intervention("closure", "pulse", date(2020, 4, 16), date(2020, 5, 31)).column(months).tolist()
        [0.0, 0.5, 1.0]
        """
        if dates.freq is None:
            raise SpecError(f"intervention {self.name!r}: dates without a frequency. Set it, as in freq='MS'.")
        grid = dates.union(pd.date_range(dates.freq.rollback(pd.Timestamp(self.start)), dates[-1], freq=dates.freq))
        first, after = grid, grid + dates.freq
        start = pd.Timestamp(self.start)
        if self.end is not None:
            stop = pd.Timestamp(self.end) + pd.Timedelta(days=1)
        elif self.kind in ("step", "ramp"):
            stop = after[-1]
        else:
            start, stop = _period_of(start, grid, after, stock=stock)
        if stock:
            share = np.asarray((first >= start) & (first < stop), dtype=np.float64)
        else:
            days = np.asarray(after.where(after < stop, stop) - first.where(first > start, start))
            share = np.maximum(days / np.asarray(after - first), 0.0)
        if self.kind == "ramp":
            share = share.cumsum() / PERIODS_A_YEAR[str(dates.freqstr)[0]]
        elif self.kind == "hold":
            share = np.asarray(share > 0, dtype=np.float64)
        column: FloatArray = share[grid.get_indexer(dates)]
        return column


def intervention_columns(
    interventions: Sequence[Intervention], dates: pd.DatetimeIndex, freq: str, *, stock: bool = False
) -> pd.DataFrame:
    """Lay interventions out for `Panel.with_known`.

    Parameters
    ----------
    interventions : sequence of Intervention
    dates : DatetimeIndex
        Periods of the history and those to forecast.
    freq : {"YS", "QS", "MS", "W-MON"}
    stock : bool, default False
        As in `Intervention.column`.

    Returns
    -------
    DataFrame
        ds, and one column an intervention.

    Raises
    ------
    SpecError
        Two of one name.
    """
    names = [each.column_name for each in interventions]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SpecError(f"intervention {twice[0]!r}: given twice. Give one of the two another name.")
    grid = pd.DatetimeIndex(dates, freq=freq)
    return pd.DataFrame({"ds": grid, **{each.column_name: each.column(grid, stock=stock) for each in interventions}})


def _period_of(
    day: pd.Timestamp, first: pd.DatetimeIndex, after: pd.DatetimeIndex, *, stock: bool
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Whole of the period a day lies in; of a stock, the one first counted from that day on."""
    later = np.flatnonzero(first >= day) if stock else np.flatnonzero(after > day)
    return (first[later[0]], after[later[0]]) if len(later) else (after[-1], after[-1])
