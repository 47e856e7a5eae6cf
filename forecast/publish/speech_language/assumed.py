"""What the projection takes for granted: the norms with their sources, the settings, the fit, and notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from forecast.publish.speech_language.accuracy import FEW
from forecast.publish.speech_language.run import SpeechLanguageRun
from forecast.publish.speech_language.words import exact, kind, plain
from forecast.publish.view import Fact, Part, Row, Table, table
from forecast.publish.words import day, listed, percent

NOTES_SHOWN = 12
SETTINGS = {
    "model": "Model of referrals",
    "booking": "How children are booked off the list",
    "clinics": "Children who share first contacts",
    "seen_at_once": "Tiers without a waiting list",
    "capacity": "First contacts there is capacity for",
    "in_treatment": "Children in treatment at the start",
}
SHARE = "share"
NEEDS = {"slcn": "speech and language", "asd": "autism"}
VACANCIES = "vacancy_rate"
NO_NORM = "No published norm was found for these, so the library has none of its own: each was given in the config."


def assumed(slt: SpeechLanguageRun) -> Part:
    """List the norms with their sources, and the settings and the fit to open."""
    norms = tuple(Row(str(n["title"]), (_figure(n), str(n["unit"]), str(n["source"]))) for n in slt.norms)
    tables = [table("Norms", ("Norm", "Figure", "Unit", "Source"), norms, words=True)] if norms else []
    settings = tuple(Row(SETTINGS.get(key, _spaced(key)), (_spaced(value),)) for key, value in slt.settings.items())
    folded = []
    if settings:
        folded.append(
            table("Settings of the speech and language projection", ("Setting", "Value"), settings, words=True)
        )
    shown = (
        ("What the published list shows", _fit(slt)),
        ("Rules of thumb, with the referrals projected", _queue(slt)),
    )
    folded += [table(f"{caption}{slt.label}", ("Figure", "Value"), rows, words=True) for caption, rows in shown if rows]
    return Part(
        title="What was assumed",
        sentences=tuple(filter(None, (_made_up(slt),))),
        tables=(*_staff(slt), *tables),
        remarks=(NO_NORM,),
        folded=tuple(folded),
    )


def notes(slt: SpeechLanguageRun) -> Part | None:
    """Return what to know about the figures."""
    if not slt.notes:
        return None
    more = tuple(Row(plain(line), ()) for line in slt.notes[NOTES_SHOWN:])
    return Part(
        title="What to know about the speech and language figures",
        remarks=tuple(map(plain, slt.notes[:NOTES_SHOWN])),
        folded=(table(f"{len(more)} more notes", ("Note",), more, words=True),) if more else (),
    )


def how_made(slt: SpeechLanguageRun | None) -> tuple[Fact, ...]:
    """Say how the projection of speech and language is made; nothing if the run has none."""
    if slt is None:
        return ()
    return (
        Fact(
            "Speech and language",
            "Referrals are forecast month by month. Week by week, each simulated future adds them to the waiting list, "
            "takes off those who leave it, and books as many first contacts as the clinics have capacity for, by the "
            "booking rule that fits the published wait bands. Children seen go on to treatment by the norms of the "
            "service, and the contacts of a child turn into hours and whole-time therapists. Ranges are widened by how "
            "far forecasts of published lists were from what happened in the months ahead that can be measured. "
            f"{FEW}",
        ),
    )


def _made_up(slt: SpeechLanguageRun) -> str:
    if not slt.synthetic:
        return ""
    which = f": {listed([f'“{name}”' for name in slt.made_up])}" if slt.made_up else ""
    return (
        f"Some of the input was made up to show how this works{which}. What rests on it is marked “synthetic data”: do "
        "not plan with it. The published waiting list is true."
    )


def _fit(slt: SpeechLanguageRun) -> tuple[Row, ...]:
    fit, tenths = slt.fit, kind("wte_needed")
    if not fit:
        return ()
    kept = f"{percent(float(fit['booking_share']))} of first contacts"
    long = f" for those who have waited {int(fit['over_weeks'])} weeks or more" if fit["over_weeks"] else ""
    return (
        Row("First contacts a week, observed over the last months", (exact(float(fit["observed_a_week"]), tenths),)),
        Row("First contacts a week, taken from now on", (exact(float(fit["capacity_a_week"]), tenths),)),
        Row("Kept for the longest waits first", (f"{kept}{long}",)),
        Row(
            "The model's list is off by, on average",
            (f"{exact(float(fit['error_children']), kind('waiting'))} children",),
        ),
        Row(
            f"Its share within {slt.goal.weeks} weeks is off by",
            (f"{float(fit['error_points']):.1f} percentage points",),
        ),
    )


def _queue(slt: SpeechLanguageRun) -> tuple[Row, ...]:
    """Say the rules of thumb of queues; those that do not apply are left out."""
    tenths, whole = kind("wte_needed"), kind("waiting")
    told = (
        ("demand_a_week", "Referrals a week to tiers with a list, first year", tenths, ""),
        ("target_queue", "List at which the target can be held", whole, " children"),
        ("target_capacity", "First contacts a week to hold it there", tenths, ""),
        ("relief_capacity", "First contacts a week to get there in half a year", tenths, ""),
    )
    queue = slt.queue
    rows = [
        Row(title, (f"{exact(float(queue[name]), unit)}{of}",))
        for name, title, unit, of in told
        if queue.get(name) is not None
    ]
    if queue.get("load") is not None:
        rows.insert(1, Row("Referrals for each first contact there is capacity for", (f"{float(queue['load']):.2f}",)))
    return tuple(rows)


def _staff(slt: SpeechLanguageRun) -> tuple[Table, ...]:
    """List established posts, the vacancies that leave fewer in post, and first contacts as they are given."""
    rows = [Row("Established posts", _step(step, f"{step['wte']:g} WTE")) for step in slt.staff]
    rows += [
        Row(str(norm["title"]), ("-", f"{_figure(norm)} of posts", str(norm["source"])))
        for norm in slt.norms
        if norm["name"] == VACANCIES
    ]
    rows += [Row("First contacts a week", _step(step, f"{step['a_week']:g}")) for step in slt.capacity]
    if not rows:
        return ()
    return (table("Staff and capacity assumed", ("What", "From", "Figure", "Why"), tuple(rows), words=True),)


def _step(step: Mapping[str, Any], figure: str) -> tuple[str, str, str]:
    since = day(pd.Timestamp(step["from"])) if step["from"] else "-"
    return since, figure, str(step["reason"]) or "not given"


def _figure(norm: Mapping[str, Any]) -> str:
    """Return the figure of a norm in words, shares in per cent: "speech and language 90%, autism 40%"."""
    text = plain(str(norm["value"]))
    if not str(norm["unit"]).startswith(SHARE):
        return text
    named = re.sub(r"^\w+|(?<=, )\w+", lambda found: NEEDS.get(found[0], found[0]), text)
    return re.sub(r"(?:^|(?<= ))\d+(?:\.\d+)?(?=[,;]|$)", lambda found: f"{100 * float(found[0]):.4g}%", named)


def _spaced(text: str) -> str:
    return plain(text.replace("_", " "))
