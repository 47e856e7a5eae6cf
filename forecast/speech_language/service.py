"""A speech and language service as it is and as it may become: norms, staff, clinics, target and options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import isfinite

from forecast.errors import SpecError
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.cells import KEYS
from forecast.speech_language.clinics import Booking
from forecast.speech_language.norms import Norms
from forecast.speech_language.staff import StaffChange, StaffStep
from forecast.speech_language.tiers import TierMove

AS_NOW = "as_now"
FITTED = "fitted"


@dataclass(frozen=True, kw_only=True)
class Target:
    """The wait a service aims for.

    Attributes
    ----------
    by : date
        The target is judged at the end of this day's month.
    within_weeks : int, default 18
    share : float, default 0.92
        Share of those waiting who have waited less than that.

    Raises
    ------
    SpecError
        A share that is not above 0 and below 1, or weeks outside 1 to 104.
    """

    by: date
    within_weeks: int = 18
    share: float = 0.92

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise SpecError(f"target share {self.share:g}: above 0 and below 1 is needed, as 0.92. Correct it.")
        if not 1 <= self.within_weeks <= 104:
            raise SpecError(f"target within_weeks {self.within_weeks}: 1 to 104 weeks are needed. Correct it.")


@dataclass(frozen=True, kw_only=True)
class CapacityStep:
    """First contacts the whole service can make in a week, from a day on.

    Raises
    ------
    SpecError
        Fewer than 0.
    """

    start: date
    a_week: float
    reason: str = ""

    def __post_init__(self) -> None:
        if not (self.a_week >= 0 and isfinite(self.a_week)):
            raise SpecError(f"capacity {self.a_week:g} from {self.start}: 0 or more a week is needed. Correct it.")


@dataclass(frozen=True, kw_only=True)
class MoreCapacity:
    """First contacts a week added from a day to another, or, if negative, taken away.

    Attributes
    ----------
    start : date
        First day.
    more_a_week : float
    end : date, optional
        Last day; default for good.

    Raises
    ------
    SpecError
        None, or an end before the start.
    """

    start: date
    more_a_week: float
    end: date | None = None

    def __post_init__(self) -> None:
        if not self.more_a_week or not isfinite(self.more_a_week):
            raise SpecError(
                f"more_a_week {self.more_a_week:g} from {self.start}: a number other than 0 is needed. Correct it."
            )
        if self.end is not None and self.end < self.start:
            raise SpecError(f"more_a_week from {self.start}: it ends on {self.end}, before it starts. Swap the two.")


@dataclass(frozen=True, kw_only=True)
class Option:
    """One way to change the service; compared with leaving it as it is, over the same futures.

    Attributes
    ----------
    name : str
        Short, of small letters, digits and _.
    title : str
        What a reader sees.
    reason : str
    wte : sequence of StaffChange
        Established posts more or fewer. Their hours go to new children: first contacts and the treatment that follows.
    capacity : sequence of MoreCapacity
    tiers : sequence of TierMove
        Hours that are freed go to new children; hours that are needed come from them.
    booking : Booking, optional
        Another rule of booking.

    Raises
    ------
    SpecError
        A name that is taken by the service as it is, or an option that changes nothing.
    """

    name: str
    title: str
    reason: str = ""
    wte: tuple[StaffChange, ...] = ()
    capacity: tuple[MoreCapacity, ...] = ()
    tiers: tuple[TierMove, ...] = ()
    booking: Booking | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or self.name == AS_NOW:
            raise SpecError(f"option {self.name!r}: {AS_NOW!r} is the service as it is. Give it another name.")
        if not (self.wte or self.capacity or self.tiers or self.booking):
            raise SpecError(
                f"option {self.name!r}: it changes nothing. Give wte, capacity, tiers or booking, or take it out."
            )

    def changes(self) -> tuple[str, ...]:
        """Say what it changes, in words."""
        return tuple(self._changes())

    def _changes(self) -> Iterator[str]:
        for staff in self.wte:
            yield f"{abs(staff.more):g} WTE posts {_more(staff.more)} from {_day(staff.start)}"
        for step in self.capacity:
            until = f" to {_day(step.end)}" if step.end else ""
            size = f"{abs(step.more_a_week):g} first contacts a week {_more(step.more_a_week)}"
            yield f"{size} from {_day(step.start)}{until}"
        for move in self.tiers:
            yield move.says()
        if self.booking is not None:
            yield f"booking, from the first month on: {booking_words(self.booking)}"


@dataclass(frozen=True, eq=False, kw_only=True)
class Service:
    """Everything a projection takes for granted of a service.

    Attributes
    ----------
    norms : Norms
    staff : sequence of StaffStep
        Established posts (WTE), each from its day until the next.
    target : Target
    bands : WaitBands
    clinics : sequence of {"locality", "age_band", "tier"}
        Children who agree in these share first contacts; none puts all into one clinic.
    capacity : "fitted", float or sequence of CapacityStep
        First contacts the whole service can make in a week; "fitted" is what the waiting list of the last months
        implies.
    booking : "fitted" or Booking
    seen_at_once : sequence of str
        Tiers without a waiting list.
    in_treatment : mapping of tier to children, optional
        In treatment at the start; by default as many as the referrals of the last months keep there.
    options : sequence of Option

    Raises
    ------
    SpecError
        Staff or capacity out of order, an unknown key under clinics, two options of one name.
    """

    norms: Norms
    staff: tuple[StaffStep, ...]
    target: Target
    bands: WaitBands = field(default_factory=WaitBands)
    clinics: tuple[str, ...] = ("locality",)
    capacity: float | str | tuple[CapacityStep, ...] = FITTED
    booking: Booking | str = FITTED
    seen_at_once: tuple[str, ...] = ()
    in_treatment: Mapping[str, float] | None = None
    options: tuple[Option, ...] = ()

    def __post_init__(self) -> None:
        if not self.staff:
            raise SpecError("staff: established posts from a day on are needed. Give at least one step.")
        _check_order("staff", [step.start for step in self.staff])
        for name, given in (("capacity", self.capacity), ("booking", self.booking)):
            if isinstance(given, str) and given != FITTED:
                raise SpecError(f"{name} {given!r}: not known; it is {FITTED!r} or given. Correct it.")
        if isinstance(self.capacity, tuple):
            if not self.capacity:
                raise SpecError(f"capacity: the list is empty. Give a step, or {FITTED!r}.")
            _check_order("capacity", [step.start for step in self.capacity])
        elif not isinstance(self.capacity, str) and not (self.capacity >= 0 and isfinite(self.capacity)):
            raise SpecError(f"capacity {self.capacity:g}: 0 or more first contacts a week are needed. Correct it.")
        unknown = [key for key in self.clinics if key not in KEYS]
        if unknown or len(set(self.clinics)) < len(self.clinics):
            raise SpecError(f"clinics {list(self.clinics)}: any of {', '.join(KEYS)}, each once. Correct it.")
        self._check_others()

    def _check_others(self) -> None:
        names = [option.name for option in self.options]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SpecError(f"option {twice[0]!r}: given twice. Give one of the two another name.")
        for tier, children in (self.in_treatment or {}).items():
            if not (children >= 0 and isfinite(children)):
                raise SpecError(f"in_treatment {tier!r}: {children:g} children; 0 or more are needed. Correct it.")


def booking_words(booking: Booking) -> str:
    """Say a rule of booking.

    >>> booking_words(Booking(share=0.3, over_weeks=18))
    'of first contacts 30% for those who have waited 18 weeks or more, the others whatever the wait'
    >>> booking_words(Booking())
    'the longest waiting first'
    """
    if booking.share == 1 and not booking.over_weeks:
        return "the longest waiting first"
    if not booking.share:
        return "first contacts whatever the wait"
    who = f"those who have waited {booking.over_weeks} weeks or more" if booking.over_weeks else "the longest waiting"
    if booking.share == 1:
        return f"{who} first, the others whatever the wait"
    return f"of first contacts {100 * booking.share:.3g}% for {who}, the others whatever the wait"


def _check_order(name: str, days: list[date]) -> None:
    if days != sorted(set(days)):
        said = ", ".join(day.isoformat() for day in days)
        raise SpecError(f"{name}: the days {said} must rise, each once. Put them in order.")


def _more(amount: float) -> str:
    return "more" if amount > 0 else "fewer"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
