"""How the projections were made and from what: the part of the page an auditor reads."""

from __future__ import annotations

from collections.abc import Mapping

from forecast.publish.block import series_of
from forecast.publish.choice import choice
from forecast.publish.ehc.assumed import how_made
from forecast.publish.run import Area, RunRecord, Target
from forecast.publish.speech_language.assumed import how_made as how_spoken
from forecast.publish.tables import on_page
from forecast.publish.view import Fact, Row, Table, table
from forecast.publish.words import (
    LIKELY,
    VERY_LIKELY,
    listed,
    measure,
    model_name,
    period_name,
    period_word,
    reason_words,
    released,
)

NAMED_AREAS = 15
FOR_REFERENCE = "; reference table, read whatever the day the figures are known by"


def method(run: RunRecord, leads: Mapping[str, Area]) -> tuple[Fact, ...]:
    """Say in a few sentences how projections are made, and for each measure which model answered and why."""
    paths = f"{int(run.manifest['n_paths']):,}"
    facts = [
        Fact(
            "What a projection is",
            "What would happen if the patterns of past years went on. It knows nothing of decisions still to be "
            "made: a new policy, a new school or a change in who is assessed can move the true figure outside it.",
        ),
        Fact(
            "How sure it is",
            f"Each projection is {paths} simulated futures. Their spread is set by how far past forecasts were from "
            "what happened, not by the model's own claim; the fewer can be checked, the more it leans on a starting "
            "assumption. Areas share a part of their shocks. The true figure "
            f"should fall inside the {LIKELY} range 80% of the time, and inside the {VERY_LIKELY} range 95% of it; how "
            f"often it fell inside the {LIKELY} range in past checks stands under the tables of errors.",
        ),
        Fact(
            "How models are judged",
            "By rolling-origin evaluation: the forecast is made as if in a past period, with no later figure, and "
            f"compared with what happened. {_checked(run)} The further ahead, the fewer have an outcome yet.",
        ),
    ]
    for target in run.targets:
        first = leads[target.name]
        for name in target.measures:
            facts.append(Fact(f"{measure(name).title}, {first.name}", _why(run, target, name, first)))
    return (*facts, *how_made(run.ehc), *how_spoken(run.speech_language))


def _checked(run: RunRecord) -> str:
    """Say from how many past periods each measure was checked, and which methods from fewer."""
    known = run.scores[run.scores["actual"].notna() & run.scores["point"].notna()]
    told = []
    for target in run.targets:
        for name in target.measures:
            rows = known[known["target"].eq(target.name) & known["measure"].eq(name)]
            origins = rows.groupby("model")["origin"].nunique()
            most = int(origins.get(target.model, 0))
            fewer: dict[int, list[str]] = {}
            for model in origins[origins < most].index:
                fewer.setdefault(int(origins[model]), []).append(model)
            less = "; ".join(f"{listed(models)} from {count}" for count, models in sorted(fewer.items(), reverse=True))
            span = f"{most or 'no'} past {period_word(target.freq, most)}{f' ({less})' if less else ''}"
            told.append(f"{measure(name).title}: from {span}.")
    return " ".join(told)


def _why(run: RunRecord, target: Target, name: str, area: Area) -> str:
    rows = series_of(run.ledger, target, name, area)
    if not len(rows):
        return f"Not enough data for {area.name}."
    row = rows.iloc[0]
    reason = str(row["reason"]).strip()
    if row["status"] == "ok":
        return choice(str(row["model"]), reason, freq=target.freq)
    said = f" Why: {reason.rstrip('.')}." if reason else ""
    if row["status"] == "short":
        return f"The series is short ({row['n_obs']} figures), so {row['model']} answered.{said}"
    if row["status"] == "not_enough_data":
        return f"Not enough data ({row['n_obs']} figures).{said}"
    return f"{model_name(str(row['model']), target.freq)}.{said}"


def sources(run: RunRecord) -> Table:
    """Return the sources with publisher, date, licence and kind; tables for reference are marked."""
    references = run.ehc.references if run.ehc else frozenset()
    rows = tuple(
        Row(
            str(source["title"]),
            (
                str(source["publisher"]),
                released(str(source["released"])),
                str(source["licence"]),
                f"{source['provenance']}{FOR_REFERENCE if source['id'] in references else ''}",
            ),
        )
        for source in run.manifest["sources"]
    )
    return table("Sources", ("Source", "Publisher", "Released", "Licence", "Kind"), rows, words=True)


def licences(run: RunRecord) -> tuple[str, ...]:
    """Return the attribution that the Open Government Licence asks for, if any source is under it."""
    open_government = [s for s in run.manifest["sources"] if "open government licence" in str(s["licence"]).lower()]
    publishers = listed(list(dict.fromkeys(str(s["publisher"]) for s in open_government))) if open_government else ""
    return (f"Contains public sector information from {publishers}",) if publishers else ()


def unusable(run: RunRecord) -> tuple[str, ...]:
    """Return one line a measure, period and reason: figures that were published but not used, with the areas."""
    lines = []
    for target in run.targets:
        history = on_page(run.history, target)
        rows = history[history["reason"].ne("") & ~history["reason"].isin(["low", "k"])]
        rows = rows.assign(kind=[reason.partition(":")[0] for reason in rows["reason"]])
        for _, part in rows.groupby(["measure", "ds", "kind"], sort=True):
            first = part.iloc[0]
            names = sorted(set(part["area_name"]))
            more = f" and {len(names) - NAMED_AREAS} more" if len(names) > NAMED_AREAS else ""
            why = reason_words(first["reason"] if len(part) == 1 else first["kind"])
            when = period_name(first["ds"], freq=target.freq, stock=measure(first["measure"]).stock)
            lines.append(f"{measure(first['measure']).title}, {when}: {why}. {', '.join(names[:NAMED_AREAS])}{more}.")
    return tuple(lines)


def versions(run: RunRecord, release_id: str) -> tuple[Fact, ...]:
    """Return what it takes to make the same figures again."""
    manifest = run.manifest
    tools = [f"{name} {version}" for name, version in manifest["versions"].items()]
    return (
        Fact("Release", release_id),
        Fact("Run", str(manifest["run_id"])),
        Fact("Run made", str(manifest["created"])),
        Fact("Seed and futures", f"{manifest['seed']}; {manifest['n_paths']}"),
        Fact("Digest of the data", str(manifest["data_digest"])),
        Fact("Software", ", ".join([f"send-forecast {manifest['package_version']}", *tools])),
    )
