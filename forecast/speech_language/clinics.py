"""Where children wait, why they leave, who is seen first, and in which weeks: the rules of a waiting list."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from forecast.errors import SpecError
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.bands import WEEKS, WaitBands

AT_ONCE = -1  # clinic of a cell that has no list


@dataclass(frozen=True, kw_only=True)
class Booking:
    """Who is seen first. Left as it is: who has waited longest.

    Attributes
    ----------
    share : float
        Share of a week's first contacts kept for children who have waited at least `over_weeks`, the longest first.
        The others are spread evenly over all who wait, whatever their wait. What the first part cannot use the second
        gets; the second is short of children only when nobody waits.
    over_weeks : int
        From 0 to 104.

    Raises
    ------
    SpecError
        A share outside 0 to 1, or weeks that are not a whole number from 0 to 104.
    """

    share: float = 1.0
    over_weeks: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise SpecError(f"booking share {self.share!r}: a share from 0 to 1 is needed. 1 books the longest first.")
        _check_week(self.over_weeks, "booking over_weeks", 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class Clinics:
    """Where children wait, why they leave, and who is seen first.

    Attributes
    ----------
    of_cell : ndarray of int (C,)
        Clinic (pool of first contacts) from which each cell is booked, 0 to G - 1; -1: seen at once, no list.
    reneging, removal : ndarray (B,)
        Probability in a week, by band of the wait, that the family withdraws and that the service takes the child off.
        They compete: 1 - (1 - reneging)(1 - removal) leave, in proportion to the two.
    booking : Booking
    bands : WaitBands
    target_weeks, long_weeks : int
        A wait is within the target below the one, and long from the other on; 1 to 104.

    Raises
    ------
    SpecError
        A clinic below -1, probabilities that are not one from 0 to 1 for each band, weeks outside 1 to 104.
    """

    of_cell: IntArray
    reneging: FloatArray
    removal: FloatArray
    booking: Booking = field(default_factory=Booking)
    bands: WaitBands = field(default_factory=WaitBands)
    target_weeks: int = 18
    long_weeks: int = 52

    def __post_init__(self) -> None:
        if (
            self.of_cell.ndim != 1
            or not np.issubdtype(self.of_cell.dtype, np.integer)
            or (self.of_cell < AT_ONCE).any()
        ):
            raise SpecError(
                "clinics of_cell: a whole number from -1 up is needed for each cell. Give its clinic, or -1 for cells "
                "seen at once."
            )
        for name, rates in (("reneging", self.reneging), ("removal", self.removal)):
            if np.shape(rates) != (self.bands.n,) or not ((rates >= 0) & (rates <= 1)).all():
                raise SpecError(
                    f"clinics {name} {np.asarray(rates).tolist()}: a probability from 0 to 1 is needed for each of the "
                    f"{self.bands.n} bands {', '.join(self.bands.labels)}. Give weekly ones."
                )
        _check_week(self.target_weeks, "clinics target_weeks", 1)
        _check_week(self.long_weeks, "clinics long_weeks", 1)

    def leaving(self) -> tuple[FloatArray, FloatArray]:
        """Share of those in each week of wait who withdraw and are taken off within half a week, each (WEEKS,)."""
        left = 1 - np.sqrt((1 - self.reneging) * (1 - self.removal))
        both = self.reneging + self.removal
        per = np.divide(left, both, out=np.zeros(self.bands.n), where=both > 0)
        withdrawn, taken = (each * per for each in (self.reneging, self.removal))
        return withdrawn[self.bands.of_week], taken[self.bands.of_week]


@dataclass(frozen=True, eq=False, kw_only=True)
class Weeks:
    """The weeks of a run.

    Attributes
    ----------
    month : ndarray of int (T,)
        Position of each week's month: 0 to M - 1, none left out, never falling.
    share : ndarray (T,)
        Share of that month's referrals that comes in the week; the weeks of a month sum to 1.

    Raises
    ------
    SpecError
        Months out of order or left out, shares that are negative or do not sum to 1.
    """

    month: IntArray
    share: FloatArray

    def __post_init__(self) -> None:
        steps = np.diff(self.month, prepend=-1)
        if not len(steps) or steps[0] != 1 or ((steps != 0) & (steps != 1)).any():
            raise SpecError(
                "weeks month: months count 0, 1, 2 ... and each has a week or more. Put the weeks in order."
            )
        if self.share.shape != self.month.shape or not (self.share >= 0).all():
            raise SpecError("weeks share: one share, none negative, is needed for each week. Give one for each.")
        sums = np.bincount(self.month, self.share)
        if not np.allclose(sums, 1.0, rtol=0.0, atol=1e-9):
            worst = int(np.argmax(np.abs(sums - 1.0)))
            raise SpecError(
                f"weeks share: the weeks of month {worst} sum to {sums[worst]:.6g}, not 1. Scale the shares of each "
                "month to sum to 1."
            )

    @property
    def n_months(self) -> int:
        """Number of months, M."""
        return int(self.month[-1]) + 1


def _check_week(value: int, what: str, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value < WEEKS:
        raise SpecError(f"{what} {value!r}: whole weeks from {low} to {WEEKS - 1} are needed. Give such a number.")
