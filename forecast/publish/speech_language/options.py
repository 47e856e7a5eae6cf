"""What each option brings: when the target is met, how many wait, and how many therapists it takes."""

from __future__ import annotations

from collections.abc import Mapping
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
    tag,
    when,
)
from forecast.publish.view import Fact, Part, Row, table
from forecast.publish.words import chance

SAME_FUTURES = (
    "All options are worked out on the same simulated futures, so that they differ by what is changed, not by chance."
)
MET = (
    "It counts as met in the first of three months in a row in which the share is reached at the month's end. The date "
    "is that of the middle future, and stands where most futures reach it before the projection ends. In some it is "
    "met early and lost again, so its chance in that month is given too."
)


def glance(slt: SpeechLanguageRun) -> tuple[Fact, ...]:
    """Say for each option when the target is met, or that it is not."""
    return tuple(Fact(str(option["title"]), f"{capital(_met(option, slt))}{slt.label}.") for option in slt.options)


def met_as_now(slt: SpeechLanguageRun) -> str:
    """Say when the target is met if nothing changes."""
    return f"As things are, the target of {goal_name(slt.goal)} is {_met(slt.options[0], slt)}{slt.label}."


def options(slt: SpeechLanguageRun, figures: Mapping[str, Figures], *, chart_id: str) -> Part:
    """Compare the options in a chart of the share within the target, and in tables.

    Parameters
    ----------
    slt : SpeechLanguageRun
    figures : mapping of str to Figures
        By title of the option.
    chart_id : str
    """
    goal, by = slt.goal, month_of(slt.options[0]["by_target"]["month"])
    then = month(by, short=True)
    columns = (
        *("Option", "Target met", f"Chance of the target, {then}", f"Within {goal.weeks} weeks, {then}"),
        *(f"Waiting, {then}", f"WTE needed, year to {then}", f"WTE in post, year to {then}", "Gap"),
    )
    rows = tuple(_row(option, slt, strong=i == 0) for i, option in enumerate(slt.options))
    mark = tag(own.at("within_target", ds) for own in figures.values() for ds in own.series("within_target")["ds"])
    said = f"Share waiting less than {goal.weeks} weeks under each option, {slt.provider.name}{mark}"
    text = ChartText(f"{chart_id}-options", said, f"{said}. The figures are in the table below the chart.", mark)
    fan = Fan("within_target", f"Waiting less than {goal.weeks} weeks", 100 * goal.share, per_cent=True)
    tables = [table(f"What each option brings, {RANGED}{slt.label}", columns, rows)]
    changed = tuple(
        Row(str(o["title"]), ("; ".join(map(str, o["changes"])), str(o["reason"]) or "not given"))
        for o in slt.options
        if o["changes"]
    )
    if changed:
        tables.append(table("What each option changes", ("Option", "Changes", "Why"), changed, words=True))
    return Part(
        title="What each option brings",
        charts=(compared(figures, fan, text),),
        tables=tuple(tables),
        remarks=(f"The target is {goal_name(goal)} by {month(goal.by)}. {MET}", SAME_FUTURES),
    )


def _met(option: Mapping[str, Any], slt: SpeechLanguageRun) -> str:
    """Say when the target is met, and how likely it is in its month: a target can be met early and lost again."""
    met, by = option["target_met"], option["by_target"]
    then, odds = f"at the end of {month(month_of(by['month']))}", chance(float(by["chance"]))
    if not met["month"]:
        ever = chance(float(met["chance"]))
        futures = f"in {ever} of the simulated futures it is met at some time, in {odds} {then}"
        return f"not met by {month(slt.last)}: {futures}"
    return f"met {when(met, slt.last)}; {then} it is met in {odds} of the simulated futures"


def _row(option: Mapping[str, Any], slt: SpeechLanguageRun, *, strong: bool) -> Row:
    by, share, need = option["by_target"], kind("within_target"), kind("wte_needed")
    within = {"median": by["within"], "low": by["low"], "high": by["high"]}
    cells = (
        *(met_cell(option["target_met"], slt.last), chance(float(by["chance"])), cell(_figure(within), share)),
        *(cell(_figure(option["waiting_by_target"]), kind("waiting")), cell(_figure(option["wte_needed"]), need)),
        *(exact(float(option["wte_in_post"]), need), cell(_figure(option["wte_gap"]), kind("wte_gap"))),
    )
    return Row(str(option["title"]), cells, strong)


def _figure(answer: Mapping[str, Any]) -> Figure:
    median, low, high = (NAN if answer[name] is None else float(answer[name]) for name in ("median", "low", "high"))
    return Figure(median, median, low, high, outturn=False, synthetic=False)
