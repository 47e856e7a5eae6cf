"""The service under one option: demand, waiting list, treatment and work, on the same futures as every other option."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.panel import FloatArray
from forecast.speech_language.clinics import Clinics
from forecast.speech_language.norms import Norms
from forecast.speech_language.service import Option
from forecast.speech_language.staff import staff_by_month
from forecast.speech_language.start import Start
from forecast.speech_language.tiers import move_demand
from forecast.speech_language.treatment import TreatmentRun, treat
from forecast.speech_language.waiting_list import ListRun, run_list
from forecast.speech_language.workforce import Workload, first_contacts_for, in_post, wte

Key = tuple[str, str]


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
        The option takes away more than there is, or moves what is not there.
    """
    moves = option.tiers if option else ()
    referrals = move_demand(start.referrals, cells=start.cells.frame, months=start.months, moves=moves)
    capacity = _capacity(start, option, referrals)
    groups = start.cells.groups
    listed = run_list(
        clinics_of(start, option),
        opening=start.opening,
        referrals=referrals,
        weeks=start.calendar.weeks,
        capacity=capacity,
        groups=start.cells.members(groups),
        noise=start.noise,
    )
    told = _Told(start, groups)
    _tell_list(told, listed, referrals)
    _tell_work(told, start, option, referrals, listed)
    at_most = np.array([np.bincount(start.calendar.weeks.month, weights=capacity.sum(axis=0))]).T
    told.add("capacity", np.repeat(at_most, start.referrals.shape[2], axis=1))
    return OptionRun(option=option, paths=told.paths, categories=told.categories)


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

    def groups(self, measure: str, values: FloatArray, *, by: Sequence[str] | None = None) -> None:
        """Tell a measure of groups (K, M, P)."""
        for key in dict.fromkeys(key for key, _ in self._groups):
            if by is None or key in by:
                rows = [k for k, (other, _) in enumerate(self._groups) if other == key]
                self.put(measure, key, [self._groups[k][1] for k in rows], values[rows])


def _tell_list(told: _Told, listed: ListRun, referrals: FloatArray) -> None:
    told.cells("referrals", referrals)
    told.groups("waiting", listed.waiting.sum(axis=1))
    told.groups("within_target", listed.within)
    told.groups("over_52_weeks", listed.over)
    told.groups("median_wait", listed.median)
    told.groups("p92_wait", listed.p92)
    told.cells("first_contacts", listed.seen)
    told.cells("left_list", listed.reneged + listed.removed, by=("",))


def _tell_bands(told: _Told, start: Start, listed: ListRun) -> None:
    told.put("waiting", "wait_band", start.service.bands.labels, listed.waiting[0])


def _tell_work(told: _Told, start: Start, option: Option | None, referrals: FloatArray, listed: ListRun) -> None:
    """Tell treatment, contacts and WTE: of the work done, and of the work if the list is to stay as it is."""
    _tell_bands(told, start, listed)
    months, norms = start.months, start.service.norms
    done = _work(start, listed.seen)
    told.cells("in_treatment", done.treatment.stock, by=("", "tier"))
    contacts = {"first": listed.seen.sum(axis=0), "treatment": done.treatment.contacts.sum(axis=0)}
    if start.ehc is not None:
        told.add("advice_requests", start.ehc.advice)
        contacts["plans"] = start.ehc.contacts(norms)
    told.put("contacts", "work", tuple(contacts), np.stack(list(contacts.values())))
    kept = _work(start, _seen_as_they_come(start, referrals, listed))
    needed = wte_of(norms, kept.load.total)
    told.add("wte_needed", needed)
    for by, parts in (("work", kept.load.by_work()), ("tier", kept.load.by("tier"))):
        told.put("wte_needed", by, tuple(parts), wte_of(norms, np.stack(list(parts.values()))))
    told.add("wte_work", wte_of(norms, done.load.total))
    posts = staff_by_month(start.service.staff, months, changes=option.wte if option else ())
    post = in_post(posts, vacancy_rate=norms.number("vacancy_rate"))
    told.add("wte_in_post", np.repeat(post[:, None], needed.shape[1], axis=1))
    told.add("wte_gap", needed - post[:, None])


def _seen_as_they_come(start: Start, referrals: FloatArray, listed: ListRun) -> FloatArray:
    """Return children seen if the list is to stay as it is: those referred less those who leave unseen (C, M, P)."""
    own = start.has_list
    referred, left = referrals[own].sum(axis=0), (listed.reneged + listed.removed)[own].sum(axis=0)
    seen = referrals.copy()
    seen[own] *= np.maximum(1 - np.divide(left, referred, out=np.ones_like(left), where=referred > 0), 0.0)
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
        weeks_in_month=start.calendar.in_month,
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


def _capacity(start: Start, option: Option | None, referrals: FloatArray) -> FloatArray:
    """Return first contacts a week of each clinic under an option (G, T).

    Hours for new children stay what they are. Where children are moved between tiers, a child takes other hours, and so
    the hours make more or fewer first contacts; what children seen at once take more is taken from them. Posts more
    bring first contacts with the treatment that follows them.
    """
    if option is None:
        return start.capacity
    month, norms = start.calendar.weeks.month, start.service.norms
    capacity, hours = start.capacity, None
    if option.tiers:
        before, after = (_mean_hours(start, each.mean(axis=2)) for each in (start.referrals, referrals))
        at_once = np.setdiff1d(np.arange(len(start.of_cell)), start.has_list)
        more = (referrals[at_once] - start.referrals[at_once]).mean(axis=2) * start.hours_a_child[at_once, None]
        taken = more.sum(axis=0)[month] * start.calendar.weeks.share
        capacity = (capacity * before[:, month] - start.clinic_share[:, None] * taken) / after[:, month]
        hours = after
    more_a_week = _more_contacts(start, option)
    if option.wte:
        posts = staff_by_month(start.service.staff, start.months, changes=option.wte)
        extra = posts - staff_by_month(start.service.staff, start.months)
        mean = start.mean_hours
        if hours is not None:
            mean = float(np.average(hours, axis=0, weights=start.clinic_share).mean())
        contacts = first_contacts_for(
            in_post(extra, vacancy_rate=norms.number("vacancy_rate")),
            hours_a_child=mean,
            clinical_hours_a_year=norms.number("clinical_hours_a_year"),
            sickness_rate=norms.number("sickness_rate"),
        )
        more_a_week = more_a_week + contacts[month]
    return np.maximum(capacity + start.clinic_share[:, None] * (more_a_week * start.calendar.profile), 0.0)


def _mean_hours(start: Start, referrals: FloatArray) -> FloatArray:
    """Hours a child on the list of each clinic brings once seen, by month (G, M); referrals (C, M)."""
    clinics = np.zeros((len(start.capacity), len(start.of_cell)))
    clinics[start.of_cell[start.has_list], start.has_list] = 1.0
    children, hours = clinics @ referrals, clinics @ (referrals * start.hours_a_child[:, None])
    return np.divide(hours, children, out=np.full_like(hours, start.mean_hours), where=children > 0)


def _more_contacts(start: Start, option: Option) -> FloatArray:
    """First contacts a week that an option adds by itself (T,)."""
    more = np.zeros(len(start.calendar.mondays))
    for step in option.capacity:
        after = 0.0 if step.end is None else start.calendar.since(pd.Timestamp(step.end) + pd.Timedelta(days=1))
        more += step.more_a_week * (start.calendar.since(pd.Timestamp(step.start)) - after)
    return more
