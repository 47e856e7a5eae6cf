"""What the projection takes for granted: the norms with their sources, the settings, the fit, and notes."""

from __future__ import annotations

from forecast.publish.speech_language.run import SpeechLanguageRun
from forecast.publish.speech_language.words import exact, kind
from forecast.publish.view import Fact, Part, Row, table
from forecast.publish.words import chance, listed

NOTES_SHOWN = 12
SETTINGS = {
    "model": "Model of referrals",
    "booking": "How children are booked off the list",
    "clinics": "Clinics with first contacts of their own",
    "seen_at_once": "Tiers without a waiting list",
    "capacity": "First contacts there is capacity for",
}
NO_NORM = "No published norm was found for these, so the library has none of its own: each was given in the config."


def assumed(slt: SpeechLanguageRun) -> Part:
    """List the norms with their sources, and the settings and the fit to open."""
    norms = tuple(Row(str(n["title"]), (str(n["value"]), str(n["unit"]), str(n["source"]))) for n in slt.norms)
    tables = (table("Norms", ("Norm", "Figure", "Unit", "Source"), norms, words=True),) if norms else ()
    settings = tuple(Row(SETTINGS.get(key, _plain(key)), (_plain(value),)) for key, value in slt.settings.items())
    fit = (*_fit(slt), *_queue(slt))
    folded = []
    if settings:
        folded.append(
            table("Settings of the speech and language projection", ("Setting", "Value"), settings, words=True)
        )
    if fit:
        folded.append(table(f"What the published list shows{slt.label}", ("Figure", "Value"), fit, words=True))
    return Part(
        title="What was assumed",
        sentences=tuple(filter(None, (_made_up(slt),))),
        tables=tables,
        remarks=(NO_NORM,),
        folded=tuple(folded),
    )


def notes(slt: SpeechLanguageRun) -> Part | None:
    """Return what to know about the figures."""
    if not slt.notes:
        return None
    more = tuple(Row(line, ()) for line in slt.notes[NOTES_SHOWN:])
    return Part(
        title="What to know about the speech and language figures",
        remarks=slt.notes[:NOTES_SHOWN],
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
            "far simulated lists were from what happened in the months ahead that can be measured.",
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
    kept = f"{chance(float(fit['booking_share']))} of first contacts"
    long = f" for those who have waited {int(fit['over_weeks'])} weeks or more" if fit["over_weeks"] else ""
    return (
        Row("First contacts a week", (exact(float(fit["capacity_a_week"]), tenths),)),
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
        ("demand_a_week", "Referrals a week in the first year", tenths, ""),
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


def _plain(text: str) -> str:
    return text.replace("_", " ")
