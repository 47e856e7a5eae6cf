"""Dated overrides: one rate, or the capacity, from a day on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import FloatArray

SHARES = ("refusal", "withdrawal", "no_plan", "overturned")
ONLY_MULTIPLY = ("requests", "cease", "transfers_in")
WITHOUT_AGES = ("overturned", "capacity", "transfers_in")
WHAT = (*SHARES, *ONLY_MULTIPLY, "capacity")
OLDEST = 25
MOST_TIMES = 10.0


@dataclass(frozen=True, kw_only=True)
class Override:
    """One rate, or the capacity, from a day on.

    A later override of the same rate and ages takes over from an earlier one without an end. `multiply` is
    relative to the rate of the projection without overrides.

    Attributes
    ----------
    what : {"refusal", "withdrawal", "no_plan", "overturned", "requests", "cease", "capacity", "transfers_in"}
        Shares of requests (refusal, withdrawal), of completed assessments (no_plan), of refusals (overturned);
        requests, plans that cease and transfers_in can only be multiplied; capacity is assessments completed a
        month. `overturned` is the share of a day's refusals that are overturned later: the override counts at the
        decision, and the child joins the assessments 26 weeks after it. Appeals against refusals from before the
        projection keep the share they were counted with.
    start : date
        First day; of a capacity, which is told by month, the first of one.
    end : date, optional
        Last day; default for good. A capacity holds for the whole of the month it ends in.
    value, multiply : float, optional
        One of the two.
    ages : (int, int), optional
        First and last age, 0 to 25; default all.
    reason : str
        Why; shown beside the figure.

    Raises
    ------
    SpecError
        What, value, ages or dates cannot be.
    """

    what: str
    start: date
    end: date | None = None
    value: float | None = None
    multiply: float | None = None
    ages: tuple[int, int] | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        fault = next(self._faults(), None)
        if fault:
            raise SpecError(f"override of {self.what!r} from {self.start}: {fault}")

    def _faults(self) -> Iterator[str]:
        yield from self._faults_of_days()
        if self.what not in WHAT:
            yield f"not known; it can be of {', '.join(WHAT)}. Name one of them."
        if (self.value is None) == (self.multiply is None):
            yield "exactly one of value and multiply is needed. Give one."
        if self.end is not None and self.end < self.start:
            yield f"it ends on {self.end}, before it starts. Swap the two."
        if self.what == "capacity" and self.start.day != 1:
            month = self.start.replace(day=1)
            yield f"start {self.start}; capacity is told by month. Start on {month}, or a month later."
        yield from self._faults_of_size()
        if self.ages is not None:
            if self.what in WITHOUT_AGES:
                yield f"{self.what} is one figure for all ages. Leave ages out."
            if not 0 <= self.ages[0] <= self.ages[1] <= OLDEST:
                first, last = self.ages
                yield f"ages {first} to {last}; ages run from 0 to {OLDEST}, the younger first. Correct them."

    def _faults_of_days(self) -> Iterator[str]:
        for name, day in (("start", self.start), ("end", self.end)):
            # A datetime, and so a pandas Timestamp, is a date too, but has an hour, which no rate is told by.
            if not (isinstance(day, date) and not isinstance(day, datetime)) and (day is not None or name == "start"):
                yield f"{name} {day!r} is a {type(day).__name__}; a day is needed. Give a datetime.date."

    def _faults_of_size(self) -> Iterator[str]:
        if self.value is not None:
            if self.what in ONLY_MULTIPLY:
                yield f"value {self.value:g}; {self.what} can only be multiplied. Give multiply."
            if self.what in SHARES and not 0 <= self.value <= 1:
                yield f"value {self.value:g}; a share from 0 to 1 is needed. Correct it."
            if not 0 <= self.value < np.inf:
                yield f"value {self.value:g}; 0 or more is needed. Correct it."
        if self.multiply is not None:
            if self.what == "capacity":
                yield "capacity is a number of assessments a month and cannot be multiplied. Give value."
            if not 0 <= self.multiply <= MOST_TIMES:
                yield f"multiply {self.multiply:g}; 0 to {MOST_TIMES:g} times is allowed. Correct it."

    @property
    def span(self) -> tuple[int, int]:
        """First and last age it is about."""
        return self.ages or (0, OLDEST)

    def says(self) -> str:
        """Size in words.

        >>> Override(what="requests", start=date(2025, 9, 1), multiply=1.2).says()
        'times 1.2'
        """
        return f"times {self.multiply:g}" if self.value is None else f"{self.value:g}"

    def holds(self, days: pd.DatetimeIndex) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether it holds on each day (n,)."""
        until = pd.Timestamp.max if self.end is None else pd.Timestamp(self.end)
        return np.asarray((days >= pd.Timestamp(self.start)) & (days <= until))


def ordered(overrides: Sequence[Override]) -> tuple[Override, ...]:
    """Return overrides by their first day.

    Raises
    ------
    SpecError
        Two contradict each other.
    """
    for one, other in combinations(found := sorted(overrides, key=lambda o: (o.start, o.what, o.span)), 2):
        _check_pair(one, other)
    return tuple(found)


def applied(
    overrides: Sequence[Override],
    what: str,
    base: FloatArray,
    *,
    days: pd.DatetimeIndex,
    ages: Sequence[tuple[int, int]] = ((0, OLDEST),),
) -> FloatArray:
    """Return a rate with its overrides.

    Parameters
    ----------
    overrides : sequence of Override
        As `ordered` returns them.
    what : str
    base : ndarray (days, ages)
        The rate without overrides.
    days : DatetimeIndex
        Days an override is looked up on.
    ages : sequence of (first, last), default all in one
        Ages each column stands for.

    Returns
    -------
    ndarray (days, ages)

    Raises
    ------
    SpecError
        An override starts or ends within a column's ages.

    Examples
    --------
    >>> days = pd.DatetimeIndex(["2025-06-01", "2025-12-01"])
    >>> panel = Override(what="refusal", start=date(2025, 9, 1), value=0.2)
    >>> applied([panel], "refusal", np.full((2, 1), 0.13), days=days).ravel().tolist()
    [0.13, 0.2]
    """
    grid = np.array(base, dtype=np.float64)
    given = [override for override in overrides if override.what == what]
    for span in dict.fromkeys(override.span for override in given):
        inside = _columns(span, ages, what)
        held = grid[:, inside].copy()
        for override in (o for o in given if o.span == span):
            rows = np.flatnonzero(override.holds(days))
            new = override.value if override.multiply is None else held[rows] * override.multiply
            grid[rows[:, None], inside] = new
    return grid


def _columns(span: tuple[int, int], ages: Sequence[tuple[int, int]], what: str) -> list[int]:
    """Columns whose ages lie in a span."""
    for first, last in ages:
        if first < span[0] <= last or first <= span[1] < last:
            raise SpecError(
                f"override of {what!r}: ages {span[0]} to {span[1]} cut through {first} to {last}, which figures do "
                "not tell apart. Start or end at its border."
            )
    return [i for i, (first, last) in enumerate(ages) if span[0] <= first and last <= span[1]]


def _check_pair(one: Override, other: Override) -> None:
    """Refuse two overrides, the earlier first, that say different things of the same children on the same day."""
    if one.what != other.what or one.span[1] < other.span[0] or other.span[1] < one.span[0]:
        return
    if one.end is not None and one.end < other.start:
        return
    takes_over = one.span == other.span and one.end is None and one.start < other.start
    compound = one.span != other.span and one.multiply is not None and other.multiply is not None
    if takes_over or compound:
        return
    said = [f"from {o.start} ({o.says()}, ages {o.span[0]} to {o.span[1]})" for o in (one, other)]
    apart = f"End the first by {other.start - timedelta(days=1)}, or take" if one.start < other.start else "Take"
    raise SpecError(
        f"overrides of {one.what!r} {said[0]} and {said[1]}: both hold on {other.start} and contradict each other. "
        f"{apart} one out."
    )
