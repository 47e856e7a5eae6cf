"""What each option brings: when the target is met, how many wait, and how many therapists it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from forecast.publish.speech_language.charts import ChartText, Fan, compared
from forecast.publish.speech_language.lines import RANGED
from forecast.publish.speech_language.run import Figure, Figures, SpeechLanguageRun, month_of
from forecast.publish.speech_language.words import (
    NAN,
    capital,
    cell,
    exact,
    goal_name,
    kind,
    met_cell,
    month,
    odds,
    plain,
    tag,
)
from forecast.publish.view import Fact, Part, Row, table
from forecast.publish.words import listed

SAME_FUTURES = (
    "All options are worked out on the same simulated futures, so that they differ by what is changed, not by chance."
)
COMPARED = ("within_target", "waiting", "wte_needed", "wte_in_post", "wte_gap")
NEED = (
    "WTE needed is for seeing all who are referred as they come, so it is the same under each option unless children "
    "move between tiers. Working off the list adds to it while that lasts: those who are seen are treated too."
)
MORE_CONTACTS = "first contacts a week more"


def glance(slt: SpeechLanguageRun) -> tuple[Fact, ...]:
    """Say for each option when the target is met to stay, or that it is not, and its chance in its month."""
    return tuple(Fact(str(option["title"]), f"{capital(_met(option, slt))}{slt.label}.") for option in slt.options)


def met_as_now(slt: SpeechLanguageRun) -> str:
    """Say when the target is met if nothing changes."""
    return f"As things are, the target of {goal_name(slt.goal)} is {_met(slt.options[0], slt)}{slt.label}."


def options(slt: SpeechLanguageRun, figures: Sequence[Figures], *, chart_id: str) -> Part:
    """Compare the options in a chart of the share within the target, and in tables.

    Parameters
    ----------
    slt : SpeechLanguageRun
    figures : sequence of Figures
        One for each option of the run.
    chart_id : str
    """
    goal, by = slt.goal, month_of(slt.options[0]["by_target"]["month"])
    then = month(by, short=True)
    columns = (
        *("Option", "Target met to stay", f"Chance of the target, {then}", f"Within {goal.weeks} weeks, {then}"),
        *(f"Waiting, {then}", f"WTE needed, year to {then}", f"WTE in post, year to {then}", "Gap"),
    )
    rows = tuple(_row(option, slt, strong=i == 0) for i, option in enumerate(slt.options))
    mark = tag(own.at("within_target", ds) for own in figures for ds in own.series("within_target")["ds"])
    told = tag(own.at(m, ds) for own in figures for m in COMPARED for ds in own.months(m, outturn=False))
    said = f"Share waiting less than {goal.weeks} weeks under each option, {slt.provider.name}{mark}"
    text = ChartText(f"{chart_id}-options", said, f"{said}. The figures are in the table below the chart.", mark)
    fan = Fan("within_target", f"Waiting less than {goal.weeks} weeks", 100 * goal.share, per_cent=True)
    tables = [table(f"What each option brings, {RANGED}{told}", columns, rows)]
    changed = tuple(
        Row(str(o["title"]), (plain("; ".join(map(str, o["changes"]))), str(o["reason"]) or "not given"))
        for o in slt.options
        if o["changes"]
    )
    if changed:
        tables.append(table("What each option changes", ("Option", "Changes", "Why"), changed, words=True))
    return Part(
        title="What each option brings",
        charts=(compared([(str(o["title"]), own) for o, own in zip(slt.options, figures, strict=True)], fan, text),),
        tables=tuple(tables),
        remarks=(_counts(slt), SAME_FUTURES, NEED, *_without_posts(slt)),
    )


def _met(option: Mapping[str, Any], slt: SpeechLanguageRun) -> str:
    """Say when the target is met to stay, with the range, and how likely it is in its month."""
    met, by = option["target_met"], option["by_target"]
    then, likely = month(month_of(by["month"])), odds(float(by["chance"]))
    low, high = (month(month_of(met[end])) if met[end] else "" for end in ("low", "high"))
    ends = f"between {low} and {high}" if low and high else f"not before {low}" if low else ""
    date = f"met to stay from {month(month_of(met['month']))}" if met["month"] else f"not met by {month(slt.last)}"
    sure = f" (likely {ends})" if ends and low != high else ""
    asked = f"chance of the target in {then}: {likely}" if by["chance"] else f"{likely} in {then}"
    return f"{date}{sure}; {asked}"


def _counts(slt: SpeechLanguageRun) -> str:
    """Say when the target counts as met."""
    by = month(slt.goal.by)
    return (
        f"The target is {goal_name(slt.goal)} by {by}. It counts as met to stay from the first month from which the "
        f"share is reached at the end of every month until {by} at least; after that month three in a row count. The "
        "date is that of the middle future, and stands where most futures get there before the projection ends. The "
        f"chance of the target in {by} is the share of futures in which it is reached at the end of that month."
    )


def _without_posts(slt: SpeechLanguageRun) -> tuple[str, ...]:
    """Say whose first contacts are made by therapists who are not among those in post."""
    found = [f"“{o['title']}”" for o in slt.options if any(MORE_CONTACTS in str(change) for change in o["changes"])]
    if not found:
        return ()
    return (
        f"{listed(found)}: the therapists for the first contacts that are added, and for the treatment that follows, "
        "are not in the WTE in post.",
    )


def _row(option: Mapping[str, Any], slt: SpeechLanguageRun, *, strong: bool) -> Row:
    by, share, need = option["by_target"], kind("within_target"), kind("wte_needed")
    within = {"median": by["within"], "low": by["low"], "high": by["high"]}
    cells = (
        *(met_cell(option["target_met"], slt.last), odds(float(by["chance"])), cell(_figure(within), share)),
        *(cell(_figure(option["waiting_by_target"]), kind("waiting")), cell(_figure(option["wte_needed"]), need)),
        *(exact(float(option["wte_in_post"]), need), cell(_figure(option["wte_gap"]), kind("wte_gap"))),
    )
    return Row(str(option["title"]), cells, strong)


def _figure(answer: Mapping[str, Any]) -> Figure:
    median, low, high = (NAN if answer[name] is None else float(answer[name]) for name in ("median", "low", "high"))
    return Figure(median, median, low, high, outturn=False, synthetic=False)
