"""What a service does with its list, read off the published one: first contacts a week, and who is seen first.

The balance of the list says how many left it; less those who leave unseen, that is its capacity. Which booking rule
keeps the wait bands as they were is found by running the list over the months observed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from forecast.errors import InputError
from forecast.panel import FloatArray
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.clinics import Booking, Clinics, Weeks
from forecast.speech_language.proxy import BandHistory, referral_proxy
from forecast.speech_language.waiting_list import ListRun, run_list
from forecast.speech_language.weeks import MonthWeeks

GROWS_ON = 0.25  # of the growth of a list, what is taken to go on
RECENT = 12  # months of which first contacts are averaged: all seasons, where there are as many
SHARES = tuple(round(0.1 * k, 1) for k in range(11))
OVER_WEEKS = (18, 52)
MIN_MONTHS = 3
NHS = WaitBands()


@dataclass(frozen=True, eq=False, kw_only=True)
class ListFit:
    """A published list, as a list to run forward; all but the bands of the opening is modelled.

    Attributes
    ----------
    opening : ndarray (WEEKS,)
        Children waiting at the end of the last month by week of wait.
    capacity : float
        First contacts a week, from now on.
    observed : float
        First contacts a week over the last months.
    booking : Booking
    error_children : float
        Mean distance of the list run over the last months from the published one, in children.
    error_points : float
        The same of the share that has waited less than 18 weeks, in percentage points.
    referrals : float
        Referrals a week over the months of the capacity.
    notes : tuple of str
    """

    opening: FloatArray
    capacity: float
    observed: float
    booking: Booking
    error_children: float
    error_points: float
    referrals: float
    notes: tuple[str, ...] = ()


def fit_list(
    history: BandHistory,
    *,
    referrals: FloatArray | None,
    reneging: FloatArray,
    removal: FloatArray,
    bands: WaitBands,
    booking: Booking | None,
) -> ListFit:
    """Fit capacity and booking rule to a published list.

    Parameters
    ----------
    history : BandHistory
    referrals : ndarray (N,) or None
        Children referred in each month of the history; None takes the published proxy.
    reneging, removal : ndarray (B,)
        Probability in a week, by band of `bands`, that the family withdraws and that the service takes a child off.
    bands : WaitBands
    booking : Booking or None
        The rule, where it is known; None finds it.

    Returns
    -------
    ListFit

    Raises
    ------
    InputError
        Fewer than three months in a row up to the last, or more children leave unseen than left the list.

    Notes
    -----
    First contacts observed are the mean over the last twelve months, or as many as there are: a list wrongly entered
    within them cancels out, as the balance of a month takes it and that of the next gives it back. With them a list
    would grow on as it has, and lists do not: over all providers a quarter of the growth going on is nearest to what
    came (`python -m experiments.waiting_list_accuracy`), so the capacity is more by the rest. The rule is the one of a
    grid - none, a tenth, ... all of the first contacts kept for those over 18 or over 52 weeks - whose wait bands are
    nearest to those observed over all months (squared distance of their shares), run with the first contacts of each
    month. The errors stated are those of the list run with the mean first contacts over the same months.
    """
    given = referral_proxy(history).referrals if referrals is None else referrals
    seen = _observed(history, given, reneging, removal, bands)
    recent = seen.last(RECENT)
    observed = float(np.average(recent.contacts, weights=recent.in_month))
    if observed <= 0:
        raise InputError(
            f"waiting list of {history.name}: more children leave it unseen by the norms (reneging, removal) than left "
            f"it at all in the last {len(recent.contacts)} months. Correct the norms or the referrals."
        )
    rule = booking if booking is not None else min(_rules(), key=lambda each: seen.distance(each, seen.contacts))
    run = recent.run(rule, np.full(len(recent.contacts), observed))
    shares = _within(recent.listed(run)) - _within(recent.bands[1:])
    return ListFit(
        opening=NHS.spread(seen.bands[-1]),
        observed=observed,
        capacity=max(observed + (1 - GROWS_ON) * recent.growth, 0.0),
        booking=rule,
        error_children=float(np.abs(run.size[0, :, 0] - recent.bands[1:].sum(axis=1)).mean()),
        error_points=float(np.abs(shares).mean()),
        referrals=float(recent.referrals.sum() / recent.in_month.sum()),
        notes=(*history.notes, *_notes(len(recent.contacts), rule if booking is None else None)),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Observed:
    """The months a list can be run over: N with bands, N - 1 from one to the next."""

    bands: FloatArray
    referrals: FloatArray
    contacts: FloatArray
    weeks: Weeks
    profile: FloatArray
    clinics: Clinics

    @property
    def growth(self) -> float:
        """Children a week by which the list grew."""
        total = self.bands.sum(axis=1)
        return float((total[-1] - total[0]) / len(self.weeks.month))

    @property
    def in_month(self) -> FloatArray:
        return np.bincount(self.weeks.month).astype(np.float64)

    def last(self, n: int) -> _Observed:
        """Return the last months alone, or all where there are fewer."""
        months = slice(max(len(self.contacts) - n, 0), None)
        kept = self.weeks.month >= len(self.contacts) - n
        month = self.weeks.month[kept]
        return _Observed(
            bands=self.bands[months],
            referrals=self.referrals[months],
            contacts=self.contacts[months],
            weeks=Weeks(month=month - month[0], share=self.weeks.share[kept]),
            profile=self.profile[kept],
            clinics=self.clinics,
        )

    def run(self, booking: Booking, contacts: FloatArray) -> ListRun:
        """Run the list from the first month on, with first contacts a week by month."""
        return run_list(
            replace(self.clinics, booking=booking),
            opening=NHS.spread(self.bands[:1]),
            referrals=self.referrals[None, :, None],
            weeks=self.weeks,
            capacity=(np.maximum(contacts, 0.0)[self.weeks.month] * self.profile)[None],
            groups=np.ones((1, 1), dtype=np.bool_),
        )

    def listed(self, run: ListRun) -> FloatArray:
        """Read the published bands off a run (N - 1, B)."""
        fine = run.waiting[0, :, :, 0].T
        of_band = NHS.of_week[self.clinics.bands.starts]
        return np.stack([fine[:, of_band == k].sum(axis=1) for k in range(NHS.n)], axis=1)

    def distance(self, booking: Booking, contacts: FloatArray) -> float:
        """Squared distance of the shares of the bands from those observed."""
        shares = [_shares(each) for each in (self.listed(self.run(booking, contacts)), self.bands[1:])]
        return float(((shares[0] - shares[1]) ** 2).sum())


def _observed(
    history: BandHistory, referrals: FloatArray, reneging: FloatArray, removal: FloatArray, bands: WaitBands
) -> _Observed:
    """Take the months in a row up to the last, and the first contacts a week that their balance leaves."""
    unlisted = np.flatnonzero(~np.isfinite(history.bands[:, 0]))
    uncounted = np.flatnonzero(~np.isfinite(referrals[1:])) + 1  # a list before it can open the run
    first = max(unlisted.max(initial=-1) + 1, uncounted.max(initial=0))
    listed, months, referred = history.bands[first:], history.months[first:], referrals[first:][1:]
    if len(months) < MIN_MONTHS:
        raise InputError(
            f"waiting list of {history.name}: {len(months)} months in a row with wait bands and referrals up to "
            f"{history.months[-1]:%Y-%m}, {MIN_MONTHS} are needed to fit it. Give more months, or a capacity."
        )
    calendar = MonthWeeks.of(months[1:])
    weeks = calendar.weeks
    profile = weeks.share * calendar.in_month[weeks.month]
    in_month = calendar.in_month
    edges = tuple(sorted({*bands.edges, *NHS.edges}))
    fine = WaitBands(edges)
    rates = [each[bands.of_week[fine.starts]] for each in (reneging, removal)]
    clinics = Clinics(of_cell=np.zeros(1, dtype=np.int64), reneging=rates[0], removal=rates[1], bands=fine)
    leaves = (1 - (1 - reneging) * (1 - removal))[bands.of_week]
    waited = NHS.spread(listed) @ leaves
    left = (waited[:-1] + waited[1:]) / 2 * in_month
    total = listed.sum(axis=1)
    contacts = (total[:-1] + referred - total[1:] - left) / in_month
    return _Observed(bands=listed, referrals=referred, contacts=contacts, weeks=weeks, profile=profile, clinics=clinics)


def _rules() -> Iterator[Booking]:
    """Rules tried: longest first, then shares kept for those over some weeks."""
    yield Booking()
    for over in OVER_WEEKS:
        for share in SHARES[1:]:
            yield Booking(share=share, over_weeks=over)
    yield Booking(share=0.0)


def _shares(bands: FloatArray) -> FloatArray:
    total = bands.sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(bands, total, out=np.zeros_like(bands), where=total > 0))


def _within(bands: FloatArray) -> FloatArray:
    """Per cent of a list by published bands that has waited less than 18 weeks."""
    return np.asarray(100 * _shares(bands)[..., NHS.starts < 18].sum(axis=-1))


def _notes(n_months: int, rule: Booking | None) -> Iterator[str]:
    yield (
        f"First contacts a week are what the balance of the list leaves, on average over the last {n_months} months "
        "(modelled): children taken off the list unseen count as seen where the norms do not say so. A quarter of the "
        "list's growth in that time is taken to go on, as lists of all providers show; give a capacity if you know it."
    )
    if rule is not None and rule.share < 1:
        yield (
            f"The booking rule is fitted to the wait bands (modelled): {100 * rule.share:.0f} % of first contacts for "
            f"children over {rule.over_weeks} weeks, the others spread over all who wait."
        )
    elif rule is not None:
        who = f"children over {rule.over_weeks} weeks before others, " if rule.over_weeks else ""
        yield f"The booking rule is fitted to the wait bands (modelled): {who}the longest first."
