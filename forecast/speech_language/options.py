"""The service under one option: demand, waiting list, treatment and work, on the same futures as every other option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecast.panel import BoolArray, FloatArray
from forecast.speech_language.capacity import capacity_under
from forecast.speech_language.clinics import Clinics
from forecast.speech_language.norms import Norms
from forecast.speech_language.service import Option
from forecast.speech_language.staff import staff_by_month
from forecast.speech_language.start import Start
from forecast.speech_language.tiers import move_demand
from forecast.speech_language.treatment import TreatmentRun, treat
from forecast.speech_language.waiting_list import ListRun, run_list
from forecast.speech_language.workforce import Workload, in_post, wte

Key = tuple[str, str]

DAYS_A_WEEK = 7


@dataclass(frozen=True, eq=False, kw_only=True)
class OptionRun:
    """What comes of one option, path by path.

    Attributes
    ----------
    option : Option or None
        None: the service as it is.
    paths : mapping of (measure, by) to ndarray (categories, M, P)
    categories : mapping of (measure, by) to tuple of str
    """

    option: Option | None
    paths: Mapping[Key, FloatArray]
    categories: Mapping[Key, tuple[str, ...]]

    def total(self, measure: str) -> FloatArray:
        """Return a measure of the whole service (M, P)."""
        whole: FloatArray = self.paths[measure, ""][0]
        return whole


def run_option(start: Start, option: Option | None) -> OptionRun:
    """Run the service under an option.

    Parameters
    ----------
    start : Start
    option : Option or None
        None: as it is.

    Returns
    -------
    OptionRun

    Raises
    ------
    SpecError
        The option takes away more posts or hours than there are, or moves what is not there.
    """
    moves = option.tiers if option else ()
    referrals = move_demand(start.referrals, cells=start.cells.frame, months=start.months, moves=moves)
    capacity = capacity_under(start, option, referrals, referrals)
    listed = _listed(start, option, referrals, capacity)
    if moves:
        # Who is seen at first was referred before the move: hours become contacts by who is seen.
        capacity = capacity_under(start, option, referrals, listed.seen)
        listed = _listed(start, option, referrals, capacity)
    told = _Told(start, start.cells.groups)
    _tell_list(told, start, listed, referrals)
    _tell_work(told, start, option, referrals, listed)
    in_month = np.arange(len(start.months))[:, None] == start.calendar.weeks.month
    told.add("capacity", (in_month * capacity.sum(axis=0)) @ start.noise)
    return OptionRun(option=option, paths=told.paths, categories=told.categories)


def _listed(start: Start, option: Option | None, referrals: FloatArray, capacity: FloatArray) -> ListRun:
    return run_list(
        clinics_of(start, option),
        opening=start.opening,
        referrals=referrals,
        weeks=start.calendar.weeks,
        capacity=capacity,
        groups=start.cells.members(start.cells.groups),
        noise=start.noise,
    )


def clinics_of(start: Start, option: Option | None) -> Clinics:
    """Return where children wait and who is seen first under an option."""
    service = start.service
    return Clinics(
        of_cell=start.of_cell,
        reneging=start.reneging,
        removal=start.removal,
        booking=option.booking if option and option.booking else start.booking,
        bands=service.bands,
        target_weeks=service.target.within_weeks,
    )


class _Told:
    """Collects what is told of an option, summed over groups of cells."""

    def __init__(self, start: Start, groups: Sequence[Key]) -> None:
        self.paths: dict[Key, FloatArray] = {}
        self.categories: dict[Key, tuple[str, ...]] = {}
        self._groups = groups
        self._members = start.cells.members(groups).astype(np.float64)

    def add(self, measure: str, total: FloatArray) -> None:
        """Tell a measure of the whole service (M, P)."""
        self.put(measure, "", ("",), total[None])

    def put(self, measure: str, by: str, categories: Sequence[str], values: FloatArray) -> None:
        """Tell a measure by something (categories, M, P)."""
        self.paths[measure, by], self.categories[measure, by] = values, tuple(categories)

    def cells(self, measure: str, values: FloatArray, *, by: Sequence[str] | None = None) -> None:
        """Tell a measure of cells (C, M, P) by what they are grouped by."""
        summed = np.tensordot(self._members, values, axes=1)
        self.groups(measure, summed, by=by)

    def groups(
        self,
        measure: str,
        values: FloatArray,
        *,
        by: Sequence[str] | None = None,
        told_of: BoolArray | None = None,
    ) -> None:
        """Tell a measure of groups (K, M, P), or of some of them (K,)."""
        for key in dict.fromkeys(key for key, _ in self._groups):
            if by is None or key in by:
                rows = [k for k, (other, _) in enumerate(self._groups) if other == key]
                rows = [k for k in rows if told_of is None or told_of[k]]
                self.put(measure, key, [self._groups[k][1] for k in rows], values[rows])


def _tell_list(told: _Told, start: Start, listed: ListRun, referrals: FloatArray) -> None:
    told.cells("referrals", referrals)
    waits = np.asarray(start.cells.members(start.cells.groups)[:, start.has_list].any(axis=1))
    for measure, values in (
        ("waiting", listed.waiting.sum(axis=1)),
        ("within_target", listed.within),
        ("over_52_weeks", listed.over),
        ("median_wait", listed.median),
        ("p92_wait", listed.p92),
    ):
        told.groups(measure, values, told_of=waits)
    told.put("waiting", "wait_band", start.service.bands.labels, listed.waiting[0])
    told.cells("first_contacts", listed.seen)
    told.cells("left_list", listed.reneged + listed.removed, by=("",))


def _tell_work(told: _Told, start: Start, option: Option | None, referrals: FloatArray, listed: ListRun) -> None:
    """Tell treatment, contacts and WTE: of the work done, and of the work if the list is to stay as it is."""
    months, norms = start.months, start.service.norms
    done = _work(start, listed.seen)
    told.cells("in_treatment", done.treatment.stock, by=("", "tier"))
    contacts = {"first": listed.seen.sum(axis=0), "treatment": done.treatment.contacts.sum(axis=0)}
    if start.ehc is not None:
        told.add("advice_requests", start.ehc.advice)
        contacts["plans"] = start.ehc.contacts(norms)
    told.put("contacts", "work", tuple(contacts), np.stack(list(contacts.values())))
    kept = _work(start, _seen_as_they_come(start, referrals))
    needed = wte_of(norms, kept.load.total)
    told.add("wte_needed", needed)
    for by, parts in (
        ("work", kept.load.by_work()),
        ("tier", kept.load.by("tier")),
        ("age_band", kept.load.by("age_band")),
    ):
        told.put("wte_needed", by, tuple(parts), wte_of(norms, np.stack(list(parts.values()))))
    told.add("wte_work", wte_of(norms, done.load.total))
    posts = staff_by_month(start.service.staff, months, changes=option.wte if option else ())
    post = in_post(posts, vacancy_rate=norms.number("vacancy_rate"))
    told.add("wte_in_post", np.repeat(post[:, None], needed.shape[1], axis=1))
    told.add("wte_gap", needed - post[:, None])


def _seen_as_they_come(start: Start, referrals: FloatArray) -> FloatArray:
    """Return children seen if the list stays as it is now: those referred less those who leave such a list unseen.

    The same share of them leaves under every option: a list that grows, and loses more, takes no less work.
    """
    own = start.has_list
    stays = (1 - start.reneging) * (1 - start.removal)
    a_week = float(start.service.bands.read(start.opening.sum(axis=0)) @ (1 - stays))
    referred = referrals[own].sum(axis=0)
    left = a_week * start.calendar.days[:, None] / DAYS_A_WEEK
    seen = referrals.copy()
    seen[own] *= np.maximum(1 - np.divide(left, referred, out=np.ones_like(referred), where=referred > 0), 0.0)
    return seen


@dataclass(frozen=True, eq=False)
class _Work:
    treatment: TreatmentRun
    load: Workload


def _work(start: Start, seen: FloatArray) -> _Work:
    """Follow children from a first contact through treatment, and count the hours."""
    norms, frame = start.service.norms, start.cells.frame
    treatment = treat(
        seen,
        treated_share=norms.by_cell("treated_share", frame),
        episode_weeks=norms.by_cell("episode_weeks", frame),
        contacts_per_episode=norms.by_cell("contacts_per_episode", frame),
        opening=start.in_treatment,
        weeks_in_month=start.calendar.days / DAYS_A_WEEK,
    )
    ehc = start.ehc
    load = Workload.of(
        norms,
        frame,
        seen=seen,
        contacts=treatment.contacts,
        advice_requests=ehc.advice if ehc else None,
        plan_contacts=ehc.contacts(norms) if ehc else None,
    )
    return _Work(treatment, load)


def wte_of(norms: Norms, hours: FloatArray) -> FloatArray:
    """Return the WTE in post that working hours a month take, by the norms of a service."""
    return wte(
        hours,
        clinical_hours_a_year=norms.number("clinical_hours_a_year"),
        sickness_rate=norms.number("sickness_rate"),
    )
