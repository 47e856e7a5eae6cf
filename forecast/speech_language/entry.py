"""What is recorded of a projection beside its table: options side by side, answers, norms, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.panel import FloatArray
from forecast.speech_language import queueing
from forecast.speech_language.fit import ListFit
from forecast.speech_language.options import OptionRun
from forecast.speech_language.questions import (
    Needed,
    Question,
    bought_by,
    capacity_for_target,
    capacity_to_keep_pace,
)
from forecast.speech_language.service import AS_NOW, FITTED, booking_words
from forecast.speech_language.start import Start
from forecast.speech_language.verdicts import middle, stops_growing, target_met
from forecast.speech_language.workforce import posts_of_contacts

POSTS = 2.0
AS_IT_IS = "As it is"
A_YEAR = 12


@dataclass(frozen=True)
class Answers:
    """Answers to the inverse questions, as plain values.

    Attributes
    ----------
    capacity_for_target : mapping
        start, a_week, more_a_week, wte_more (each median, low, high) and fed_back: the share within the target in its
        month, median over paths, when the middle answer is put in.
    keep_pace : mapping
        The same for a list that is no longer at the end than at the start, without fed_back.
    buys : mapping
        wte, start, month, first_contacts_a_week, and the change in waiting and within by the target's month.
    """

    capacity_for_target: dict[str, Any]
    keep_pace: dict[str, Any]
    buys: dict[str, Any]


def answers(start: Start) -> Answers:
    """Answer the inverse questions, with first contacts that begin with the first option, or at once."""
    since = since_when(start)
    needed = capacity_for_target(start, since)
    more = middle(needed.more, digits=6)["median"]
    fed_back = None
    if more is not None:
        at = start.month_of(start.service.target.by)
        run = Question(start, since).run(np.full(start.referrals.shape[2], more), n_months=at + 1)
        fed_back = middle(run.within[0, at])["median"]
    bought = bought_by(start, since, posts=POSTS)
    return Answers(
        capacity_for_target={**_needed(start, needed), "fed_back": {"within": fed_back}},
        keep_pace=_needed(start, capacity_to_keep_pace(start, since)),
        buys={
            "wte": POSTS,
            "start": _month(since),
            "month": _month(pd.Timestamp(start.service.target.by)),
            "first_contacts_a_week": round(bought.contacts_a_week, 2),
            "waiting": middle(bought.waiting, digits=1),
            "within": middle(bought.within),
        },
    )


def since_when(start: Start) -> pd.Timestamp:
    """Return the month from which more first contacts can be made: of the first option in time, or the first one."""
    options = start.service.options
    days = [step.start for option in options for step in option.wte]
    days += [step.start for option in options for step in option.capacity]
    days += [move.start for option in options for move in option.tiers]
    months = (pd.Timestamp(day).to_period("M").to_timestamp() for day in days)
    by = pd.Timestamp(start.service.target.by)
    return min((month for month in months if start.months[0] <= month <= by), default=start.months[0])


def option_entry(start: Start, run: OptionRun) -> dict[str, Any]:
    """Return what is said of an option beside others."""
    target, months = start.service.target, start.months
    at = start.month_of(target.by)
    within, waiting = run.total("within_target"), run.total("waiting")
    listed = run.option
    return {
        "name": listed.name if listed else AS_NOW,
        "title": listed.title if listed else AS_IT_IS,
        "reason": listed.reason if listed else "",
        "changes": list(listed.changes()) if listed else [],
        "target_met": target_met(within, share=target.share, months=months, by=at).entry(),
        "by_target": {
            "month": _month(months[at]),
            "within": middle(within[at])["median"],
            "low": middle(within[at])["low"],
            "high": middle(within[at])["high"],
            "chance": round(float((within[at] >= 100 * target.share).mean()), 4),
        },
        "waiting_by_target": middle(waiting[at], digits=1),
        "stops_growing": stops_growing(waiting, opening=float(start.opening.sum()), months=months).entry(),
        "wte_needed": middle(_year_to(run.total("wte_needed"), at)),
        "wte_in_post": middle(_year_to(run.total("wte_in_post"), at))["median"],
        "wte_gap": middle(_year_to(run.total("wte_gap"), at)),
    }


def queue_entry(start: Start) -> dict[str, Any]:
    """Return what rules of thumb say of the list, with the referrals and first contacts of the first year."""
    first = start.calendar.until(min(A_YEAR, len(start.months)))
    weeks = len(first.mondays)
    demand = float(start.referrals[start.has_list][:, : len(first.months)].sum(axis=(0, 1)).mean() / weeks)
    capacity = float(start.capacity[:, :weeks].sum() / first.profile.sum())
    target = start.service.target.within_weeks
    queue = queueing.target_queue(demand, target_weeks=target)
    relief = queueing.relief_capacity(demand, queue=float(start.opening.sum()), target_queue=queue)
    return {
        "demand_a_week": round(demand, 2),
        "load": round(queueing.load(demand, capacity=capacity), 3) if capacity > 0 else None,
        "target_queue": round(queue, 1),
        "target_capacity": round(queueing.target_capacity(demand, target_weeks=target), 2),
        "relief_capacity": None if relief is None else round(relief, 2),
    }


def fit_entry(fit: ListFit) -> dict[str, Any]:
    """Return what the observed list implies, and how well it is met."""
    return {
        "capacity_a_week": round(fit.capacity, 2),
        "observed_a_week": round(fit.observed, 2),
        "booking_share": round(fit.booking.share, 3),
        "over_weeks": fit.booking.over_weeks,
        "error_children": round(fit.error_children, 2),
        "error_points": round(fit.error_points, 2),
    }


def settings_entry(start: Start, *, model: str) -> dict[str, str]:
    """Return the settings in words."""
    service = start.service
    return {
        "model": model,
        "capacity": "fitted to the published list, and follows the posts" if service.capacity == FITTED else "given",
        "clinics": f"by {' and '.join(service.clinics)}" if service.clinics else "one for all",
        "booking": booking_words(start.booking),
        "seen_at_once": ", ".join(service.seen_at_once) or "no tier",
        "in_treatment": "as many as those seen keep there" if service.in_treatment is None else "as given by tier",
    }


def staff_entry(start: Start) -> list[dict[str, Any]]:
    """Return established posts by date, with their reasons."""
    return [{"from": step.start.isoformat(), "wte": step.wte, "reason": step.reason} for step in start.service.staff]


def capacity_entry(start: Start) -> list[dict[str, Any]]:
    """Return first contacts a week as they are given, by date with their reasons; none if they are fitted."""
    given = start.service.capacity
    if isinstance(given, str):
        return []
    if isinstance(given, tuple):
        return [{"from": step.start.isoformat(), "a_week": step.a_week, "reason": step.reason} for step in given]
    return [{"from": "", "a_week": float(given), "reason": ""}]


def today_entry(start: Start, run: OptionRun) -> dict[str, Any]:
    """Return the WTE that the work done takes, and those in post, on average over the first twelve months."""
    last = min(A_YEAR, len(start.months)) - 1
    return {
        "wte_work": middle(_year_to(run.total("wte_work"), last)),
        "wte_in_post": middle(_year_to(run.total("wte_in_post"), last))["median"],
    }


def _needed(start: Start, needed: Needed) -> dict[str, Any]:
    return {
        "start": _month(needed.start),
        "a_week": middle(needed.now + needed.more),
        "more_a_week": middle(needed.more),
        "wte_more": middle(posts_of_contacts(start.service.norms, needed.more, hours_a_child=start.mean_hours)),
    }


def _year_to(values: FloatArray, at: int) -> FloatArray:
    """Mean of the twelve months up to one (P,), so that a season does not tell."""
    year: FloatArray = values[max(at - A_YEAR + 1, 0) : at + 1].mean(axis=0)
    return year


def _month(day: pd.Timestamp) -> str:
    return f"{day:%Y-%m}"
