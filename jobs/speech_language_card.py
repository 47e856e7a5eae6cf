"""The model card of a speech and language projection, in markdown: plain enough to send with the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

from forecast import reference
from forecast.speech_language.service import AS_NOW
from jobs.model_card import cell, section, sources

if TYPE_CHECKING:
    import pandas as pd

KEY_MEASURES = {
    "referrals": "Referrals in the month",
    "waiting": "Children waiting at its end",
    "within_target": "Of them waiting less than the target (%)",
    "wte_needed": "WTE needed to keep pace with demand",
    "wte_in_post": "WTE in post",
}
WHAT = """\
A projection of one speech and language service: referrals month by month, the waiting list week by week of wait, what
follows the first contact, and the therapists (whole-time equivalents, WTE) it takes, as the service is and under each
option. Referrals are forecast {referrals}. The list is a flow model fitted to the published wait bands. Hours,
treatment and staff follow from the norms below. {n_paths:,} possible futures pass through all of it, the same for each
option."""
MET = """\
Target met from: the first month from which it holds until the target's month at least; after that month, the first of \
three months in a row in which it holds, or of the last ones."""
LIMITS = (
    "The norms decide how many therapists are asked for. Each is the service's own; none is checked.",
    "Nothing is published on referrals, first contacts or treatment: capacity and booking are fitted to the list.",
    "An option changes what it says and nothing else: children referred, and how they are seen, stay as they are.",
    "It speaks of numbers of children. It says nothing of any one child and must not be used for one.",
)


def speech_language_card(manifest: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Return the model card.

    Parameters
    ----------
    manifest : mapping
        Of a run folder with a `speech_language` entry.
    table : DataFrame
        Its `speech_language.parquet`.
    """
    entry = manifest["speech_language"]
    referrals = "from what the published list implies of them" if entry["proxy"] else "from a monthly log"
    return "\n".join(
        [
            f"# Speech and language, demand, waits and therapists: {manifest['title']}",
            "",
            f"Run `{manifest['run_id']}`, data as of {manifest['as_of']}, package {manifest['package_version']}, "
            f"seed {manifest['seed']}.",
            *section("What it is", [WHAT.format(referrals=referrals, n_paths=entry["n_paths"])]),
            *section("Service and months", list(_scope(entry))),
            *section("Figures", list(_figures(entry, table))),
            *section("Options", list(_options(entry))),
            *section("Data", [*sources(manifest["sources"], entry), *_synthetic(entry)]),
            *section("Norms", list(_norms(entry))),
            *section("Settings", [f"- {name}: {value}" for name, value in entry["settings"].items()]),
            *section("Fit to the published list", list(_fit(entry["fit"]))),
            *section("Notes", [f"- {note}" for note in entry["notes"]]),
            *section("How accurate", list(_accuracy())),
            *section("Limits", [f"- {line}" for line in LIMITS]),
            "",
        ]
    )


def _scope(entry: Mapping[str, Any]) -> Iterator[str]:
    target = entry["target"]
    yield f"{entry['provider']['area_name']}; the waiting list is known to {entry['known_to']}."
    yield f"Projected: {entry['first']} to {entry['last']}."
    share, weeks = f"{100 * target['share']:g} %", target["within_weeks"]
    yield f"Target: {share} of those waiting have waited less than {weeks} weeks by {target['by']}."
    if entry["ehc_area"]:
        yield f"EHC assessments and plans of {entry['ehc_area']} bring work."


def _figures(entry: Mapping[str, Any], table: pd.DataFrame) -> Iterator[str]:
    """Set out the key figures of the service as it is: the last counted, and the first, a middle and the last month."""
    rows = table[table["option"].eq(AS_NOW) & table["by"].eq("") & table["freq"].eq("MS")]
    yield f"{entry['provider']['area_name']} as it is: median, and the 80 % interval."
    yield ""
    yield "| | Last counted | Projected | | |"
    yield "|---|---|---|---|---|"
    for measure, title in KEY_MEASURES.items():
        own = rows[rows["measure"].eq(measure)].dropna(subset="median").sort_values("ds")
        known, ahead = own[own["status"].eq("outturn")], own[own["status"].eq("projected")]
        form = ",.1f" if measure.startswith("wte_") else ",.0f"
        cells = [f"{known['median'].iloc[-1]:{form}} ({known['ds'].iloc[-1]:%Y-%m})" if len(known) else "not counted"]
        for place in (0, len(ahead) // 2, -1) if len(ahead) else ():
            row = ahead.iloc[place]
            middle, low, high = (f"{row[name]:{form}}" for name in ("median", "lo-80", "hi-80"))
            cells.append(f"{row['ds']:%Y-%m}: {middle} ({low} to {high})")
        yield f"| {title} | {' | '.join(cells)} |"


def _options(entry: Mapping[str, Any]) -> Iterator[str]:
    by = entry["target"]["by"]
    yield f"| Option | What changes | Target met from | In {by}: under the target | chance | WTE short |"
    yield "|---|---|---|---|---|---|"
    for each in entry["options"]:
        at, gap = each["by_target"], each["wte_gap"]
        changes = cell("; ".join(each["changes"])) or "nothing"
        met = each["target_met"]["month"] or "not by the last month"
        within = f"{at['within']:.0f} % ({at['low']:.0f} to {at['high']:.0f})"
        short = f"{gap['median']:.1f} ({gap['low']:.1f} to {gap['high']:.1f})"
        yield f"| {cell(each['title'])} | {changes} | {met} | {within} | {100 * at['chance']:.0f} % | {short} |"
    yield ""
    yield MET
    for each in entry["options"]:
        if each["reason"]:
            yield ""
            yield f"{cell(each['title'])}: {cell(each['reason'])}."


def _synthetic(entry: Mapping[str, Any]) -> Iterator[str]:
    for name in entry["synthetic"]:
        yield f"- **{name}** is synthetic: every figure that rests on it is too. Do not plan with them."


def _norms(entry: Mapping[str, Any]) -> Iterator[str]:
    yield "| Norm | Value | Unit | Source |"
    yield "|---|---|---|---|"
    for each in entry["norms"]:
        yield f"| {cell(each['title'])} | {cell(each['value'])} | {cell(each['unit'])} | {cell(each['source'])} |"


def _fit(fit: Mapping[str, Any]) -> Iterator[str]:
    yield f"First contacts a week: {fit['capacity_a_week']:g}. Of them {100 * fit['booking_share']:g} % go to children"
    yield f"who have waited {fit['over_weeks']} weeks or more. Over the months published the fitted list is off by"
    yield f"{fit['error_children']:g} children and, in the share within the target, {fit['error_points']:g} points."


def _accuracy() -> Iterator[str]:
    measured = reference.slt_accuracy()
    yield "Published waiting lists were forecast from past months as if each were today and compared with what happened"
    yield "at every provider that submitted each month (rolling-origin evaluation)."
    yield ""
    yield "| Forecast | Months ahead | Error | Inside the 80 % interval | Origins |"
    yield "|---|---|---|---|---|"
    for each in measured.to_dict(orient="records"):
        size = each["measure"] == "size"
        name = "children waiting (WAPE)" if size else "share over 18 weeks (mean error)"
        error = f"{each['error']:.1f} {'%' if size else 'points'}"
        inside = f"{each['coverage_80']:.0f} %" if isfinite(each["coverage_80"]) else "not measured"
        span = f"{each['origins']}, {each['first_origin']} to {each['last_origin']}"
        yield f"| {name} | {each['horizon']} | {error} | {inside} | {span} |"
    yield ""
    yield "The simulated list beyond six months, referrals, treatment and therapists have not been measured this way."
    yield f"`{measured['command'].iloc[0]}` measures it again, beside simpler rules."
