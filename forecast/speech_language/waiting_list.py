"""A waiting list for a first contact, week by week on every path.

In each week everybody's wait grows by a week, the week's referrals join, families withdraw and the service takes
children off, and the clinic sees as many as it has first contacts for, by its booking rule. Children are fractions of
a flow, not persons: what makes futures differ is the referrals and the capacity of a path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forecast.errors import InputError, SpecError
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.bands import WEEKS, WaitBands
from forecast.threads import in_threads

if TYPE_CHECKING:
    from forecast.engine import waiting

BoolArray = npt.NDArray[np.bool_]

BLOCK = 64  # paths a thread takes at a time
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


@dataclass(frozen=True, eq=False)
class ListRun:
    """A waiting list on every path, at the end of each month or over it.

    C cells, K groups, B bands, G clinics, M months, P paths. Where nobody waits, all are within the target and the
    waits are 0.

    Attributes
    ----------
    waiting : ndarray (K, B, M, P)
        Children waiting at the end of the month.
    within : ndarray (K, M, P)
        % of those waiting who have waited less than the target.
    over : ndarray (K, M, P)
        Children who have waited at least `long_weeks`.
    median, p92 : ndarray (K, M, P)
        Weeks waited so far by those waiting: half, and 92 %, have waited no longer. Interpolated within the week of
        wait; from 104 on it says 104 and more.
    size : ndarray (C, M, P)
        Children waiting at the end of the month.
    seen, reneged, removed : ndarray (C, M, P)
        Children who had a first contact, whose family withdrew, who were taken off, over the month.
    unused : ndarray (G, M, P)
        First contacts of the month for which nobody waited.
    """

    waiting: FloatArray
    within: FloatArray
    over: FloatArray
    median: FloatArray
    p92: FloatArray
    size: FloatArray
    seen: FloatArray
    reneged: FloatArray
    removed: FloatArray
    unused: FloatArray

    def imbalance(self, opening: FloatArray, referrals: FloatArray) -> float:
        """Return the largest difference of any cell, month and path between what is there and what should be.

        Parameters
        ----------
        opening : ndarray (C, WEEKS)
        referrals : ndarray (C, M, P)

        Returns
        -------
        float
            Children: |waiting before + referred - seen - reneged - removed - waiting after|, about 1e-12 of the list.
        """
        start = np.broadcast_to(opening.sum(axis=1)[:, None, None], (*referrals.shape[:1], 1, referrals.shape[2]))
        before = np.concatenate([start, self.size[:, :-1]], axis=1)
        off = before + referrals - self.seen - self.reneged - self.removed - self.size
        return float(np.abs(off).max(initial=0.0))


def run_list(
    clinics: Clinics,
    *,
    opening: FloatArray,
    referrals: FloatArray,
    weeks: Weeks,
    capacity: FloatArray,
    groups: BoolArray,
    noise: FloatArray | None = None,
    extra: FloatArray | None = None,
    times: FloatArray | None = None,
) -> ListRun:
    """Run a waiting list on every path.

    Parameters
    ----------
    clinics : Clinics
    opening : ndarray (C, WEEKS)
        Children waiting at the start by week of wait; none in cells seen at once.
    referrals : ndarray (C, M, P)
        Children referred in each month.
    weeks : Weeks
    capacity : ndarray (G, T)
        First contacts a week.
    groups : ndarray of bool (K, C)
        Cells whose list is read together.
    noise : ndarray (T, P), optional
        Multiplies the capacity of all clinics.
    extra, times : ndarray (G, T), ndarray (P,), optional
        `extra * times` first contacts a week more (or fewer), before the noise: a change whose size is a matter of the
        path. Capacity does not fall below 0.

    Returns
    -------
    ListRun
        The same figures whatever the number of threads.

    Raises
    ------
    InputError
        Children, referrals or capacities that are negative or not finite, shapes that do not fit, children who wait in
        a cell that has no list.
    SpecError
        A clinic without capacity; only one of `extra` and `times`.

    Notes
    -----
    In a week, in this order: half of the week's leaving, by the band of the wait so far; all who wait have waited a
    week longer; the week's referrals join with a wait of 0 to 1 weeks; first contacts are booked; the other half of the
    leaving, by the band of the new wait. So a child that waits the whole week leaves with the weekly probability, and
    one that joins or is seen in it with that of half a week, because on average that is in the middle of the week. For
    the same reason one that joins in it has half the chance of a first contact that does not go by wait.

    Children of one clinic and one week of wait are served in proportion over its cells, so that a run over the sums of
    a clinic's cells has the same totals. Within a week a first contact is not lost: a list that is hardly there, of a
    clinic with capacity to spare, comes out some children shorter than where each contact has its hour.
    Contacts are booked at the end of a week: with capacity to spare and hardly a list, none is lost that a clinic would
    lose hour by hour, and a list of a handful of children comes out some children short.
    """
    _check(clinics, opening, referrals, weeks, capacity, groups)
    n_paths = referrals.shape[2]
    paths = _factors(capacity, n_paths, noise, extra, times)
    results = _results(len(groups), clinics, referrals, len(capacity))
    rules, months, of_clinic, of_group = _plan(clinics, weeks, len(capacity), groups)
    from forecast.engine import waiting

    start, referred = (np.ascontiguousarray(each, dtype=np.float64) for each in (opening, referrals))

    def run(first: int) -> None:
        block = slice(first, first + BLOCK)
        booked = (capacity[:, :, None] + paths[1][:, :, None] * paths[2][block]) * paths[0][:, block]
        waiting.waiting_paths(
            first, start, referred, np.maximum(booked, 0.0), rules, months, of_clinic, of_group, results
        )

    in_threads(run, range(0, n_paths, BLOCK))
    return ListRun(*results)


def _check_week(value: int, what: str, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value < WEEKS:
        raise SpecError(f"{what} {value!r}: whole weeks from {low} to {WEEKS - 1} are needed. Give such a number.")


def _check(
    clinics: Clinics,
    opening: FloatArray,
    referrals: FloatArray,
    weeks: Weeks,
    capacity: FloatArray,
    groups: BoolArray,
) -> None:
    n_cells = len(clinics.of_cell)
    _check_array("opening", opening, (n_cells, WEEKS))
    _check_array("referrals", referrals, (n_cells, weeks.n_months, None))
    _check_array("capacity", capacity, (None, len(weeks.month)))
    _check_array("groups", groups, (None, n_cells))
    if clinics.of_cell.max(initial=AT_ONCE) >= len(capacity):
        raise SpecError(
            f"capacity: clinic {clinics.of_cell.max()} has none, it is given for {len(capacity)} clinics from 0 on. "
            "Give a row for each clinic."
        )
    stray = np.flatnonzero((clinics.of_cell == AT_ONCE) & opening.any(axis=1))
    if len(stray):
        raise InputError(
            f"opening: {opening[stray[0]].sum():.6g} children wait in cell {stray[0]}, which is seen at once. Give the "
            "cell a clinic, or its children to cells that have one."
        )


def _check_array(what: str, values: FloatArray | BoolArray, shape: tuple[int | None, ...]) -> None:
    fits = values.ndim == len(shape) and all(n is None or n == m for n, m in zip(shape, values.shape, strict=True))
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(f"{what}: the shape is {values.shape}, ({wanted}) is expected. Give one figure for each.")
    if not np.isfinite(values).all() or (values < 0).any():
        raise InputError(f"{what}: figures that are negative or not finite are among them. Give numbers from 0 up.")


def _factors(
    capacity: FloatArray,
    n_paths: int,
    noise: FloatArray | None,
    extra: FloatArray | None,
    times: FloatArray | None,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what multiplies the capacity (T, P), what is added to it (G, T) and how often (P,)."""
    if (extra is None) != (times is None):
        raise SpecError("extra and times: one was given without the other. Give both, or neither.")
    n_weeks = capacity.shape[1]
    if noise is not None:
        _check_array("noise", noise, (n_weeks, n_paths))
    factors = (
        np.broadcast_to(1.0, (n_weeks, n_paths)) if noise is None else noise,
        np.zeros_like(capacity) if extra is None else extra,
        np.zeros(n_paths) if times is None else times,
    )
    shapes = factors[1].shape, factors[2].shape
    wanted = capacity.shape, (n_paths,)
    if shapes != wanted or not all(np.isfinite(each).all() for each in factors):
        raise InputError(
            f"extra and times: shapes {shapes} are given, {wanted} of finite numbers are expected. Give extra by "
            "clinic and week, times by path."
        )
    return factors


def _plan(
    clinics: Clinics, weeks: Weeks, n_clinics: int, groups: BoolArray
) -> tuple[waiting.Rules, waiting.Months, waiting.Members, waiting.Members]:
    from forecast.engine import waiting

    at = np.searchsorted(weeks.month, np.arange(weeks.n_months + 1)).astype(np.int64)
    longest = int(np.diff(at).max())
    reneged, removed = (np.pad(each, (0, longest), mode="edge") for each in clinics.leaving())
    booking = clinics.booking
    rules = waiting.Rules(
        reneged,
        removed,
        float(booking.share),
        booking.over_weeks,
        clinics.bands.starts,
        clinics.target_weeks,
        clinics.long_weeks,
    )
    months = waiting.Months(at, np.ascontiguousarray(weeks.share, dtype=np.float64))
    return (
        rules,
        months,
        _members(clinics.of_cell == np.arange(n_clinics)[:, None]),
        _members(groups & (clinics.of_cell != AT_ONCE)),
    )


def _members(masks: BoolArray) -> waiting.Members:
    """Cells of each row of masks (n, C), one after the other."""
    from forecast.engine import waiting

    at = np.concatenate([[0], np.cumsum(masks.sum(axis=1))]).astype(np.int64)
    return waiting.Members(at, np.nonzero(masks)[1].astype(np.int64))


def _results(n_groups: int, clinics: Clinics, referrals: FloatArray, n_clinics: int) -> waiting.Results:
    """Room for the figures; cells that are seen at once are filled in."""
    from forecast.engine import waiting

    n_cells, n_months, n_paths = referrals.shape
    waiting_in = np.empty((n_groups, clinics.bands.n, n_months, n_paths))
    within, over, median, p92 = (np.empty((n_groups, n_months, n_paths)) for _ in range(4))
    size, seen, reneged, removed = (np.empty((n_cells, n_months, n_paths)) for _ in range(4))
    at_once = clinics.of_cell == AT_ONCE
    size[at_once], seen[at_once], reneged[at_once], removed[at_once] = 0.0, referrals[at_once], 0.0, 0.0
    unused = np.empty((n_clinics, n_months, n_paths))
    return waiting.Results(waiting_in, within, over, median, p92, size, seen, reneged, removed, unused)
