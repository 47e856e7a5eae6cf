"""First contacts a week under an option: hours for new children, and what they come to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import FloatArray
from forecast.speech_language.service import Option
from forecast.speech_language.staff import staff_by_month
from forecast.speech_language.start import Start
from forecast.speech_language.workforce import contacts_of_posts

ROUNDING = 1e-9
LITTLE = 1e-9


def capacity_under(start: Start, option: Option | None, referrals: FloatArray, seen: FloatArray) -> FloatArray:
    """Return first contacts a week of each clinic under an option (G, T), before noise.

    Hours for new children stay what they are. Where children are moved between tiers, hours follow them from clinic to
    clinic, what children seen at once take more is taken from them, and they make more or fewer first contacts by the
    hours that a child takes. Posts more bring first contacts with the treatment that follows them.

    Parameters
    ----------
    start : Start
    option : Option or None
    referrals, seen : ndarray (C, M, P)
        Under the option; seen tells the hours a child takes.

    Raises
    ------
    SpecError
        More hours or posts are taken away than there are.
    """
    if option is None:
        return start.capacity
    month, mean_hours = start.calendar.weeks.month, start.mean_hours
    capacity = start.capacity
    if option.tiers:
        before, after = start.referrals.mean(axis=2), referrals.mean(axis=2)
        a_child = _hours_a_child(start, seen.mean(axis=2))
        there = capacity * _hours_a_child(start, before)[:, month]
        load = _hours(start, after) / np.maximum(_hours(start, before), LITTLE)
        at_once = np.setdiff1d(np.arange(len(start.of_cell)), start.has_list)
        taken = (after - before)[at_once].T @ start.hours_a_child[at_once]
        hours = there * load[:, month]
        left = there.sum(axis=0) - taken[month] * start.calendar.weeks.share
        capacity = hours * left / np.maximum(hours.sum(axis=0), LITTLE) / a_child[:, month]
        mean_hours = float(np.average(a_child.mean(axis=1), weights=start.clinic_share))
    more = _more_contacts(start, option) + _contacts_of_posts(start, option, mean_hours)[month]
    found = capacity + start.clinic_share[:, None] * (more * start.calendar.profile)
    short = np.flatnonzero(found.sum(axis=0) < -ROUNDING)
    if len(short):
        day = start.calendar.mondays[short[0]]
        raise SpecError(
            f"option {option.name!r}: in the week of {day:%Y-%m-%d} it takes away more first contacts or hours than "
            f"there are, by {-found.sum(axis=0)[short[0]]:.1f} first contacts. Take fewer away."
        )
    return np.maximum(found, 0.0)


def _hours(start: Start, children: FloatArray) -> FloatArray:
    """Hours that children with a list bring, by clinic and month (G, M); children (C, M)."""
    return start.joined @ (children * start.hours_a_child[:, None])


def _hours_a_child(start: Start, children: FloatArray) -> FloatArray:
    """Hours a child on the list of each clinic brings once seen, by month (G, M); children (C, M)."""
    count, hours = start.joined @ children, _hours(start, children)
    return np.divide(hours, count, out=np.full_like(hours, start.mean_hours), where=count > 0)


def _contacts_of_posts(start: Start, option: Option, mean_hours: float) -> FloatArray:
    """First contacts a week that the posts of an option make, month by month (M,)."""
    if not option.wte:
        return np.zeros(len(start.months))
    with_, without = (staff_by_month(start.service.staff, start.months, changes=c) for c in (option.wte, ()))
    return contacts_of_posts(start.service.norms, with_ - without, hours_a_child=mean_hours)


def _more_contacts(start: Start, option: Option) -> FloatArray:
    """First contacts a week that an option adds by itself (T,)."""
    more = np.zeros(len(start.calendar.mondays))
    for step in option.capacity:
        after = 0.0 if step.end is None else start.calendar.since(pd.Timestamp(step.end) + pd.Timedelta(days=1))
        more += step.more_a_week * (start.calendar.since(pd.Timestamp(step.start)) - after)
    return more
