"""A waiting list for a first contact, week by week on every path.

In each week everybody's wait grows by a week, the week's referrals join, families withdraw and the service takes
children off, and the clinic sees as many as it has first contacts for, by its booking rule. Children are fractions of
a flow, not persons: what makes futures differ is the referrals and the capacity of a path.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from forecast.errors import InputError, SpecError
from forecast.panel import FloatArray
from forecast.speech_language.bands import WEEKS
from forecast.speech_language.clinics import AT_ONCE, Clinics, Weeks
from forecast.threads import in_threads

if TYPE_CHECKING:
    from forecast.engine import waiting

BoolArray = npt.NDArray[np.bool_]

BLOCK = 64  # paths a thread takes at a time


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
