"""The model card of a projection from request to plan, in markdown: plain enough to send with the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from forecast import reference

if TYPE_CHECKING:
    import pandas as pd

KEY_MEASURES = {
    "requests": "Requests in the year",
    "plans_issued": "Plans issued in the year",
    "timeliness_20_week": "Plans within 20 weeks (%)",
    "caseload": "Plans in January",
}
WHAT = """\
A projection of requests for an education, health and care needs assessment, of the 20 weeks from request to plan, and
of the plans maintained each January, by local authority. Requests follow England's path and the area's deviation from
it, learnt from all local authorities together. A pipeline takes them through the decision, the assessment and the plan
with the area's own rates and delays, pulled towards England's where there are few. The caseload is moved on by single
year of age: new plans come in, plans cease at rates by age. {n_paths:,} possible futures pass through all of it; every
figure is a quantile of sums over them."""
LIMITS = (
    "What is not in the figures is not in the projection: a change of law, funding or practice enters as a dated "
    "override, or not at all.",
    "Need, placement and causes are modelled where the area publishes none: shares of its region or of England by age.",
    "An interval of requests or of the caseload covers what past errors show, others less (see the notes). None covers "
    "a future that is unlike all of the past.",
    "The published flows do not explain the published caseload in full; the rest is carried on and shown as residual.",
    "It speaks of numbers of children in an area. It says nothing of any one child and must not be used for one.",
)


def model_card(manifest: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Return the model card.

    Parameters
    ----------
    manifest : mapping
        Of a run folder with an `ehc` entry.
    table : DataFrame
        Its `ehc.parquet`.
    """
    entry = manifest["ehc"]
    return "\n".join(
        [
            f"# From request to plan: {manifest['title']}",
            "",
            f"Run `{manifest['run_id']}`, data as of {manifest['as_of']}, package {manifest['package_version']}, "
            f"seed {manifest['seed']}.",
            *section("What it is", [WHAT.format(n_paths=entry["n_paths"])]),
            *section("Areas and years", list(_scope(entry))),
            *section("Figures", list(_figures(entry["areas"][0], table))),
            *section("Data", list(sources(manifest["sources"], entry))),
            *section("Settings", [f"- {name}: {value}" for name, value in entry["settings"].items()]),
            *section("Overrides", list(_overrides(entry["overrides"]))),
            *section("Agreement with the forecast of totals", list(_adjustment(entry))),
            *section("Notes by area", list(_notes(entry))),
            *section("How accurate", list(_accuracy())),
            *section("Limits", [f"- {line}" for line in LIMITS]),
            "",
        ]
    )


def section(title: str, lines: Sequence[str]) -> list[str]:
    """Return the lines of a section of a card."""
    return ["", f"## {title}", "", *lines]


def _scope(entry: Mapping[str, Any]) -> Iterator[str]:
    names = [area["area_name"] for area in entry["areas"]]
    shown = ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
    yield f"{shown}."
    yield ""
    yield f"Known: calendar years to {entry['last_flow']}, January {entry['last_flow'] + 1}."
    yield f"Projected: calendar years to {entry['until']}, the caseload to January {entry['until'] + 1}."


def _figures(area: Mapping[str, str], table: pd.DataFrame) -> Iterator[str]:
    """Set out the key figures of the first area: the last published, and the first, a middle and the last projected."""
    rows = table[table["area_code"].eq(area["area_code"]) & table["by"].eq("") & table["freq"].eq("YS")]
    yield f"{area['area_name']}: median, and the 80 % interval."
    yield ""
    yield "| | Last published | Projected | | |"
    yield "|---|---|---|---|---|"
    for measure, title in KEY_MEASURES.items():
        own = rows[rows["measure"].eq(measure)].dropna(subset="median").sort_values("ds")
        known, ahead = own[own["status"].eq("published")], own[own["status"].ne("published")]
        cells = [f"{known['median'].iloc[-1]:,.0f} ({known['ds'].iloc[-1].year})" if len(known) else "not published"]
        for place in (0, len(ahead) // 2, -1) if len(ahead) else ():
            row = ahead.iloc[place]
            cells.append(f"{row['ds'].year}: {row['median']:,.0f} ({row['lo-80']:,.0f} to {row['hi-80']:,.0f})")
        yield f"| {title} | {' | '.join(cells)} |"


def sources(notes: Sequence[Mapping[str, str]], entry: Mapping[str, Any]) -> Iterator[str]:
    """List the sources of a run and say which are tables for reference, and which are synthetic."""
    for source in notes:
        released = f", {source['released']}" if source["released"] else ""
        exempt = " Reference table, exempt from the as-of date." if source["id"] in entry.get("references", ()) else ""
        made_up = " **Synthetic: nobody was counted.**" if source["provenance"] == "synthetic" else ""
        yield f"- {source['publisher']}, {source['title']}{released}. {source['licence']}.{exempt}{made_up}"
    yield f"- Provenance of what it rests on: {', '.join(entry['provenance'])}."


def cell(text: object) -> str:
    """Return a text as it can stand in a table: on one line, without the mark between cells."""
    return " ".join(str(text).replace("|", "/").split())


def _overrides(overrides: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not overrides:
        yield "None: rates and delays carry on as they are."
        return
    yield "| What | From | To | Ages | Becomes | Why |"
    yield "|---|---|---|---|---|---|"
    for each in overrides:
        size = f"{each['value']:g}" if each["value"] is not None else f"times {each['multiply']:g}"
        yield f"| {each['what']} | {each['start']} | {each['end']} | {each['ages']} | {size} | {cell(each['reason'])} |"


def _adjustment(entry: Mapping[str, Any]) -> Iterator[str]:
    area = entry["areas"][0]
    rows = entry["adjustment"].get(area["area_code"], ())
    yield "The caseload by age and the forecast of the total caseload are brought together on every path; what that"
    yield "adds or takes away is shown as adjustment, never hidden in another figure."
    if rows:
        largest = max(rows, key=lambda row: abs(row["percent"]))
        yield f"The largest in {area['area_name']}: {largest['plans']:+,.0f} plans by January {largest['year']},"
        yield f"{largest['percent']:+.1f} % of what the caseload by age alone comes to, without overrides."


def _notes(entry: Mapping[str, Any]) -> Iterator[str]:
    for area in entry["areas"][:1]:
        for note in entry["notes"].get(area["area_code"], ()):
            yield f"- {note}"


def _accuracy() -> Iterator[str]:
    measured = reference.ehc_accuracy()
    yield "Requests and caseload were forecast from past years as if each were today and compared with what happened"
    yield "in all local authorities (rolling-origin evaluation). The caseload is the forecast of it as a whole, before"
    yield "it is brought together with the caseload by age."
    yield ""
    yield "| Forecast | Years ahead | Error (WAPE) | Inside the 80 % interval | Origins |"
    yield "|---|---|---|---|---|"
    for each in measured.itertuples(index=False):
        span = f"{each.origins}, {each.first_origin} to {each.last_origin}"
        yield f"| {each.measure} | {each.horizon} | {each.wape:.1f} % | {each.coverage_80:.0f} % | {span} |"
    yield ""
    yield "Plans issued, the 20 weeks and the backlog have not been measured this way."
    yield "`python -m experiments.ehc_hindcast` prints how far they and the caseload by age are off when told the true"
    yield "requests or plans, with some knowledge of later years."
    yield f"`{measured['command'].iloc[0]}` measures it again, beside simpler rules. `forecast evaluate` gives the"
    yield "errors of this run's own targets."
