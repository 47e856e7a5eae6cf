"""The questions turned round: what capacity meets the target, what more therapists buy, when the list stops growing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forecast.publish.speech_language.run import SpeechLanguageRun, month_of
from forecast.publish.speech_language.words import Kind, exact, goal_name, kind, month, ranged, turned, when
from forecast.publish.speech_language.workforce import out_of_step
from forecast.publish.view import Part, Row, table

FINE = Kind("", "", fine=True)
POINTS = Kind("", "")
SEARCHED = (
    "Each simulated future has an answer of its own; the middle one and the range of all of them are told. Posts are "
    "those established: with vacancies fewer are in post."
)
GAP = (
    "These posts come on top of what today's first contacts take, whatever that is by the norms; the gap in therapists "
    "is all work against those in post. The two differ here because today's work and those in post do."
)
STOPS = "A list has stopped growing in the month after which it is never again as long."


def answers(slt: SpeechLanguageRun) -> Part:
    """Answer the planners' questions in sentences with ranges."""
    found = slt.answers
    told = (
        _to_target(slt, found.get("capacity_for_target")),
        _keep_pace(slt, found.get("keep_pace")),
        _buys(slt, found.get("buys")),
    )
    rows = tuple(Row(str(o["title"]), (_growing(o["stops_growing"], slt),)) for o in slt.options)
    stops = table(f"When the list stops growing{slt.label}", ("Option", "The list stops growing"), rows, words=True)
    return Part(
        title="Questions answered",
        sentences=tuple(filter(None, told)),
        tables=(stops,),
        remarks=(SEARCHED, *((GAP,) if out_of_step(slt) else ()), STOPS),
    )


def _to_target(slt: SpeechLanguageRun, answer: Mapping[str, Any] | None) -> str:
    """Say what meets the target in the middle future, and what that gives when put back."""
    if not answer:
        return ""
    asked = f"What brings {goal_name(slt.goal)} by {month(slt.goal.by)}?"
    if answer["a_week"]["median"] is None:
        return (
            f"{asked} In most simulated futures no number of first contacts from {_start(answer)} on does{slt.label}."
        )
    back = answer["fed_back"]["within"]
    checked = f" Put back into the projection, the middle answer gives {back:.1f}%{slt.label}." if back else ""
    return f"{asked} From {_start(answer)} on, {_capacity(answer)}{slt.label}.{checked}"


def _keep_pace(slt: SpeechLanguageRun, answer: Mapping[str, Any] | None) -> str:
    if not answer or answer["a_week"]["median"] is None:
        return ""
    return (
        f"What keeps the list from growing until {month(slt.last)}? From {_start(answer)} on, "
        f"{_capacity(answer)}{slt.label}."
    )


def _capacity(answer: Mapping[str, Any]) -> str:
    return (
        f"{ranged(answer['a_week'], FINE, 'first contacts a week')}. That is {_more(answer['more_a_week'], 'a week')} "
        f"than there are, or {_more(answer['wte_more'], 'WTE posts')} with the treatment that follows"
    )


def _more(answer: Mapping[str, Any], what: str) -> str:
    """Say how much more, or how much less where the middle is below zero."""
    if answer["median"] >= 0:
        return ranged(answer, FINE, f"more {what}")
    return ranged(turned(answer), FINE, f"fewer {what}")


def _buys(slt: SpeechLanguageRun, answer: Mapping[str, Any] | None) -> str:
    if not answer:
        return ""
    contacts = exact(float(answer["first_contacts_a_week"]), FINE)
    children = ranged(turned(answer["waiting"]), kind("waiting"), "fewer children wait")
    points = ranged(answer["within"], POINTS, "percentage points higher")
    return (
        f"What do {answer['wte']:g} WTE posts more buy? From {_start(answer)} on, {contacts} first contacts more a "
        f"week, with the treatment that follows. At the end of {month(month_of(answer['month']))} {children}, and the "
        f"share within {slt.goal.weeks} weeks is {points}{slt.label}."
    )


def _growing(met: Mapping[str, Any], slt: SpeechLanguageRun) -> str:
    return when(met, slt.last)


def _start(answer: Mapping[str, Any]) -> str:
    return month(month_of(answer["start"]))
