"""A waiting list by week of wait on many paths: children join, leave, and are seen as capacity allows.

Cells (children who are counted together) that are booked from one clinic share its first contacts in proportion, so
what happens to a week's children of a clinic is worked out once, week by week, and passed on to its cells at the end of
each month. In a month of k weeks position x is the week of wait that children have when the month ends: who waited w
weeks at its start is at w + k, who joins in its j-th week at k - j. The last week of wait is open: who is beyond it is
served in proportion with those in it, and counted in it at the month's end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from forecast.engine.batch import FloatArray, IntArray
from forecast.engine.compiling import compiled

NOBODY = 1e-9  # children; below it nobody waits


class Rules(NamedTuple):
    """How children leave and are booked, and how a list is read. W weeks of wait, months of at most L weeks."""

    reneged: FloatArray  # (W + L,) share of those in a week of wait whom the family withdraws within half a week
    removed: FloatArray  # (W + L,) share whom the service takes off
    kept: float  # share of first contacts for the longest waiters
    over: int  # weeks from which one is among them
    bands: IntArray  # (B,) first week of each band
    target: int  # weeks below which a wait is within the target
    long: int  # weeks from which a wait is long


class Months(NamedTuple):
    """Weeks of the months, and what each week has of its month's referrals."""

    at: IntArray  # (M + 1,) first week of each month
    share: FloatArray  # (T,)


class Members(NamedTuple):
    """Which cells belong to each clinic or group: those of i are `cell[at[i]:at[i + 1]]`."""

    at: IntArray  # (n + 1,)
    cell: IntArray


class Results(NamedTuple):
    """Where the figures go; all at the end of a month or over it."""

    waiting: FloatArray  # (K, B, M, P)
    within: FloatArray  # (K, M, P) % below target weeks
    over: FloatArray  # (K, M, P)
    median: FloatArray  # (K, M, P) weeks
    p92: FloatArray  # (K, M, P) weeks
    size: FloatArray  # (C, M, P)
    seen: FloatArray  # (C, M, P)
    reneged: FloatArray  # (C, M, P)
    removed: FloatArray  # (C, M, P)
    unused: FloatArray  # (G, M, P) first contacts nobody was there for


class Month(NamedTuple):
    """Children of one clinic in one month by position (W + L,): at first, still there, and where the others went."""

    first: FloatArray
    now: FloatArray
    seen: FloatArray
    reneged: FloatArray
    removed: FloatArray


@compiled
def gather(month: Month, lists: FloatArray, cells: IntArray, joining: float, shares: FloatArray) -> int:
    """Add up a clinic's cells at the start of a month; return the position after the last that is not empty."""
    weeks, k = lists.shape[1], len(shares)
    first = month.first
    first[:] = 0.0
    for c in cells:
        for w in range(weeks):
            first[k + w] += lists[c, w]
    for j in range(k):
        first[k - 1 - j] = joining * shares[j]
    month.now[:] = first
    month.seen[:] = 0.0
    month.reneged[:] = 0.0
    month.removed[:] = 0.0
    stop: int = k + weeks
    while stop > 0 and first[stop - 1] == 0.0:
        stop -= 1
    return stop


@compiled
def leave(month: Month, rules: Rules, shortest: int, stop: int) -> None:
    """Take off who leaves in half a week; children at position `shortest` are in the first week of wait."""
    now, reneged, removed = month.now, month.reneged, month.removed
    for x in range(shortest, stop):
        withdrawn, taken = now[x] * rules.reneged[x - shortest], now[x] * rules.removed[x - shortest]
        reneged[x] += withdrawn
        removed[x] += taken
        now[x] -= withdrawn + taken


@compiled
def see(month: Month, first: int, stop: int, share: float) -> None:
    """See a share of the children at positions `first` to `stop`."""
    now, seen = month.now, month.seen
    for x in range(first, stop):
        booked = now[x] * share
        seen[x] += booked
        now[x] -= booked


@compiled
def see_longest(month: Month, first: int, last: int, stop: int, contacts: float) -> float:
    """See the longest waiters from position `first` on; return the contacts left over. From `last` on all are one."""
    now, seen = month.now, month.seen
    if stop > last:
        waiting = now[last:stop].sum()
        see(month, last, stop, min(contacts / waiting, 1.0) if waiting > 0.0 else 0.0)
        contacts = max(contacts - waiting, 0.0)
    for x in range(min(stop, last) - 1, first - 1, -1):
        if contacts <= 0.0:
            break
        booked = min(now[x], contacts)
        seen[x] += booked
        now[x] -= booked
        contacts -= booked
    return contacts


@compiled
def see_evenly(month: Month, newest: int, stop: int, contacts: float) -> float:
    """See children whatever their wait; return the contacts left over.

    Those at position `newest` join in this week: on average they are there for half of it and have half the chance.
    """
    before = month.now[newest + 1 : stop].sum()
    joined = month.now[newest] if newest < stop else 0.0
    if contacts < before + joined / 2:
        share = contacts / (before + joined / 2)
        see(month, newest, newest + 1, share / 2)
        see(month, newest + 1, stop, share)
        return 0.0
    see(month, newest + 1, stop, 1.0)
    contacts -= before
    if joined > 0.0:
        see(month, newest, newest + 1, min(contacts / joined, 1.0))
    return max(contacts - joined, 0.0)


@compiled
def pass_on(
    month: Month, of: FloatArray, joining: float, shares: FloatArray, stop: int
) -> tuple[float, float, float, float]:
    """Give a cell, of which (W,) wait, its part of the clinic's month; return its seen, reneged, removed and size."""
    last, k = len(of) - 1, len(shares)
    seen, reneged, removed, size, beyond = 0.0, 0.0, 0.0, 0.0, 0.0
    for x in range(stop - 1, -1, -1):  # from the longest wait down: a place is read before it is written
        part = of[x - k] if x >= k else joining * shares[k - 1 - x]
        kept = 0.0
        if part > 0.0:
            part /= month.first[x]
            seen += part * month.seen[x]
            reneged += part * month.reneged[x]
            removed += part * month.removed[x]
            kept = part * month.now[x]
            size += kept
        if x < last:
            of[x] = kept
        else:
            beyond += kept
    of[last] = beyond
    return seen, reneged, removed, size


@compiled
def wait_of(below: FloatArray, count: float) -> float:
    """Return the wait that `count` of those waiting do not exceed; `below` (W + 1,) counts those below each week."""
    low, high = 0, len(below) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if below[middle] < count:
            low = middle
        else:
            high = middle
    wait: float = low + (count - below[low]) / (below[high] - below[low])
    return wait


@compiled
def read(lists: FloatArray, cells: IntArray, rules: Rules, below: FloatArray, told: FloatArray) -> None:
    """Read the list of a group into `told`: children by band (B,), % within the target, long waits, median, p92."""
    weeks: int = lists.shape[1]
    n_bands = len(rules.bands)
    below[:] = 0.0
    for c in cells:
        for w in range(weeks):
            below[w + 1] += lists[c, w]
    for w in range(weeks):
        below[w + 1] += below[w]
    total: float = below[weeks]
    for b in range(n_bands):
        end = below[rules.bands[b + 1]] if b + 1 < n_bands else total
        told[b] = end - below[rules.bands[b]]
    if total < NOBODY:
        told[n_bands], told[n_bands + 1], told[n_bands + 2], told[n_bands + 3] = 100.0, 0.0, 0.0, 0.0
        return
    told[n_bands] = 100.0 * below[rules.target] / total
    told[n_bands + 1] = total - below[rules.long]
    told[n_bands + 2] = wait_of(below, 0.5 * total)
    told[n_bands + 3] = wait_of(below, 0.92 * total)


@compiled
def month_of(month: Month, rules: Rules, capacity: FloatArray, stop: int, weeks: int) -> float:
    """Run one month of one clinic with first contacts by week (k,); return those nobody was there for.

    Half of a week's leaving is before children join and are seen, by the wait at its start, and half after, by the wait
    at its end: as if both came about in the middle of the week.
    """
    k = len(capacity)
    unused = 0.0
    for newest in range(k - 1, -1, -1):  # the position of those who join
        leave(month, rules, newest + 1, stop)
        kept = capacity[k - 1 - newest] * rules.kept
        left = capacity[k - 1 - newest] - kept
        if kept > 0.0:
            left += see_longest(month, newest + rules.over, newest + weeks - 1, stop, kept)
        if left > 0.0:
            unused += see_evenly(month, newest, stop, left)
        leave(month, rules, newest, stop)
        while stop > newest and month.now[stop - 1] == 0.0:
            stop -= 1
        stop = max(stop, newest)
    return unused


@compiled
def waiting_paths(
    first: int,
    opening: FloatArray,
    referrals: FloatArray,
    capacity: FloatArray,
    rules: Rules,
    months: Months,
    clinics: Members,
    groups: Members,
    results: Results,
) -> None:
    """Run the paths from `first` on that have a capacity here and fill their part of `results`.

    Parameters
    ----------
    opening : ndarray (C, W)
        Children waiting at the start by week of wait; none in a cell without a clinic.
    referrals : ndarray (C, M, P)
    capacity : ndarray (G, T, n)
        First contacts a week of paths `first` to `first + n`, none negative.
    """
    n_cells, weeks = opening.shape
    n_bands, at = len(rules.bands), months.at
    n = len(rules.reneged)
    month = Month(np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n))
    lists, below, told = np.empty((n_cells, weeks)), np.empty(weeks + 1), np.empty(n_bands + 4)
    for i in range(capacity.shape[2]):
        p = first + i
        lists[:] = opening
        for m in range(len(at) - 1):
            shares = months.share[at[m] : at[m + 1]]
            for g in range(len(clinics.at) - 1):
                cells = clinics.cell[clinics.at[g] : clinics.at[g + 1]]
                joining = 0.0
                for c in cells:
                    joining += referrals[c, m, p]
                stop = gather(month, lists, cells, joining, shares)
                results.unused[g, m, p] = month_of(month, rules, capacity[g, at[m] : at[m + 1], i], stop, weeks)
                for c in cells:
                    seen, reneged, removed, size = pass_on(month, lists[c], referrals[c, m, p], shares, stop)
                    results.seen[c, m, p], results.size[c, m, p] = seen, size
                    results.reneged[c, m, p], results.removed[c, m, p] = reneged, removed
            for k in range(len(groups.at) - 1):
                read(lists, groups.cell[groups.at[k] : groups.at[k + 1]], rules, below, told)
                results.waiting[k, :, m, p] = told[:n_bands]
                results.within[k, m, p], results.over[k, m, p] = told[n_bands], told[n_bands + 1]
                results.median[k, m, p], results.p92[k, m, p] = told[n_bands + 2], told[n_bands + 3]
