"""Established posts by date: as they are, and as an option changes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import FloatArray

ROUNDING = 1e-9


@dataclass(frozen=True)
class StaffStep:
    """Established posts from a day on, until the next step.

    Attributes
    ----------
    start : date
        First day.
    wte : float
        Whole-time posts, filled or not.
    reason : str

    Raises
    ------
    SpecError
        A negative number, or no day.
    """

    start: date
    wte: float
    reason: str = ""

    def __post_init__(self) -> None:
        _check_day("staff", self.start)
        if not 0 <= self.wte < np.inf:
            raise SpecError(f"staff from {self.start}: {self.wte:g} WTE; 0 or more are needed. Correct it.")


@dataclass(frozen=True)
class StaffChange:
    """Established posts more, or fewer, than there would be, from a day on, for good; changes add up.

    Attributes
    ----------
    start : date
        First day.
    more : float
        Whole-time posts more; negative for fewer.
    reason : str

    Raises
    ------
    SpecError
        None, no number, or no day.
    """

    start: date
    more: float
    reason: str = ""

    def __post_init__(self) -> None:
        _check_day("change of staff", self.start)
        if not self.more or not np.isfinite(self.more):
            raise SpecError(
                f"change of staff from {self.start}: {self.more:g} WTE more; any number but 0 is needed. Give it."
            )


def staff_by_month(
    steps: Sequence[StaffStep], months: pd.DatetimeIndex, *, changes: Sequence[StaffChange] = ()
) -> FloatArray:
    """Return established posts, month by month.

    Parameters
    ----------
    steps : sequence of StaffStep
    months : DatetimeIndex (M,)
        First days.
    changes : sequence of StaffChange
        What an option adds or takes away.

    Returns
    -------
    ndarray (M,)
        Mean over the days of the month.

    Raises
    ------
    SpecError
        Posts at the start are not known, two steps begin on one day, or less than none would be left.

    Examples
    --------
    >>> steps = [StaffStep(date(2024, 1, 1), 20.0), StaffStep(date(2024, 4, 16), 22.0)]
    >>> staff_by_month(steps, pd.date_range("2024-03-01", periods=3, freq="MS")).tolist()
    [20.0, 21.0, 22.0]
    """
    ordered = sorted(steps, key=lambda step: step.start)
    first = months[0].date()
    if not ordered or ordered[0].start > first:
        known = f"the first known is from {ordered[0].start}" if ordered else "none is given"
        raise SpecError(
            f"staff: posts on {first}, the first day that is projected, are not known: {known}. Give the posts there "
            "are on that day."
        )
    base = np.full(len(months), float(ordered[0].wte))
    for before, step in pairwise(ordered):
        if before.start == step.start:
            raise SpecError(f"staff from {step.start}: given twice. Give one number for a day.")
        base += (step.wte - before.wte) * _share_from(step.start, months)
    total = base + sum(change.more * _share_from(change.start, months) for change in changes)
    if (total < -ROUNDING).any():
        at = int(np.argmax(total < -ROUNDING))
        raise SpecError(
            f"change of staff: {base[at]:g} WTE in {months[at]:%B %Y} would become {total[at]:g}; less than none "
            "cannot be. Take fewer away."
        )
    return np.maximum(total, 0.0)


def _check_day(what: str, day: object) -> None:
    # A datetime, and so a pandas Timestamp, is a date too, but has an hour, which posts are not told by.
    if not isinstance(day, date) or isinstance(day, datetime):
        raise SpecError(f"{what} from {day!r}: a {type(day).__name__}; a day is needed. Give a datetime.date.")


def _share_from(day: date, months: pd.DatetimeIndex) -> FloatArray:
    """Share of each month's days (M,) from a day on."""
    passed = np.asarray((pd.Timestamp(day) - months).days, dtype=np.float64)
    return np.clip(1 - passed / months.days_in_month.to_numpy(dtype=np.float64), 0.0, 1.0)
