"""How many therapists are needed, how many are in post, and what they work on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forecast.publish.speech_language.charts import ChartText, staff
from forecast.publish.speech_language.lines import Line, Periods, figures_table
from forecast.publish.speech_language.run import YEARLY, Figures, SpeechLanguageRun, month_of
from forecast.publish.speech_language.words import (
    category_name,
    exact,
    kind,
    month,
    ranged,
    tag,
    turned,
    year_name,
)
from forecast.publish.view import Part

STEP = 0.1
MEASURES = ("wte_needed", "wte_in_post", "wte_gap", "wte_work")
NEED = (
    "Needed: therapists in post, if every child referred is seen as they come, less those who leave the list, and the "
    "list neither grows nor falls. Working off the list takes more: see “Questions answered”."
)
DONE = "Work done: therapists that the work takes which the clinics' capacity allows, while the others wait."
PARTS = "Tiers and age bands hold the work for children referred; plans and advice stand under the kinds of work."
NORMS_DECIDE = "Therapists follow from contacts by the norms below: another norm gives another need."


def therapists(slt: SpeechLanguageRun, figures: Figures, periods: Periods, *, chart_id: str) -> Part | None:
    """Tell therapists needed against those in post, by academic year, kind of work and tier."""
    name, rows = slt.provider.name, figures.series("wte_needed")
    mark = tag(figures.at(m, ds) for m in ("wte_needed", "wte_in_post") for ds in rows["ds"])
    said = f"Whole-time therapists needed and in post by month, {name}{mark}"
    text = ChartText(f"{chart_id}-staff", said, f"{said}. The figures by year are in the table below.", mark)
    years = [
        Line(year_name(y), tuple(figures.year(m, y) for m in MEASURES), y == periods.next_year) for y in periods.years
    ]
    columns = ("Academic year", *(kind(m).title for m in MEASURES))
    parts = [
        (
            title,
            [
                Line(category_name(by, c), tuple(figures.year("wte_needed", year, by, c) for year in periods.years))
                for c in figures.categories("wte_needed", by, freq=YEARLY)
            ],
        )
        for title, by in (("By kind of work", "work"), ("By tier", "tier"), ("By age band", "age_band"))
    ]
    tables = (
        figures_table("Whole-time therapists (WTE)", columns, [("", years)], [kind(m) for m in MEASURES]),
        figures_table(
            "Therapists needed by kind of work, tier and age band (WTE)",
            ("What", *map(year_name, periods.years)),
            parts,
            [kind("wte_needed")],
        ),
    )
    found = tuple(t for t in tables if t)
    if not found:
        return None
    return Part(
        title="Therapists needed and in post",
        sentences=tuple(filter(None, (_since(figures, periods),))),
        charts=(staff(figures, text),),
        tables=found,
        remarks=(NEED, DONE, *((PARTS,) if any(lines for _, lines in parts[1:]) else ()), NORMS_DECIDE),
    )


def short_of(slt: SpeechLanguageRun, figures: Figures) -> str:
    """Say how many therapists keep pace with demand over the year to the target, and how many are in post."""
    now = slt.options[0]
    need, both = (_mark(slt, figures, measures) for measures in (("wte_needed",), ("wte_in_post", "wte_gap")))
    needed = ranged(now["wte_needed"], kind("wte_needed"), "whole-time therapists (WTE)")
    posts = exact(float(now["wte_in_post"]), kind("wte_in_post"))
    return (
        f"Keeping pace with demand takes {needed} over the 12 months to {month(month_of(now['by_target']['month']))}"
        f"{need}. In post are {posts}: {gap_words(now['wte_gap'])}{both}."
    )


def today(slt: SpeechLanguageRun, figures: Figures) -> str:
    """Say what the work done in the first year takes, where that is not what is in post; "" where it is."""
    if not out_of_step(slt):
        return ""
    done, in_post = slt.today["wte_work"], float(slt.today["wte_in_post"])
    takes, posts = ranged(done, kind("wte_work"), "WTE"), exact(in_post, kind("wte_in_post"))
    against = f", more than the {posts} in post" if float(done["median"]) > in_post else f" of the {posts} in post"
    mark = _mark(slt, figures, ("wte_work", "wte_in_post"))
    return f"By these norms today's work takes {takes}{against}{mark}: check norms and posts before using the gap."


def out_of_step(slt: SpeechLanguageRun) -> bool:
    """Say whether the work done in the first year and those in post differ by more than a tenth of those in post."""
    in_post = float(slt.today["wte_in_post"])
    return abs(float(slt.today["wte_work"]["median"]) - in_post) > STEP * in_post


def gap_words(gap: Mapping[str, float | None]) -> str:
    """Say a gap and its range.

    >>> gap_words({"median": 3.2, "low": 1.0, "high": 5.5}), gap_words({"median": -0.4, "low": -2.0, "high": 1.0})
    ('about 3.2 WTE short (likely between 1.0 and 5.5)', 'about 0.4 WTE to spare (likely between −1.0 and 2.0)')
    """
    if float(gap["median"] or 0) >= 0:
        return ranged(gap, kind("wte_gap"), "WTE short")
    return ranged(turned(gap), kind("wte_gap"), "WTE to spare")


def _mark(slt: SpeechLanguageRun, figures: Figures, measures: Sequence[str]) -> str:
    """Return what to write behind projected figures of some measures that are not in the table themselves."""
    known = [figures.at(measure, ds) for measure in measures for ds in figures.months(measure, outturn=False)]
    return tag(known) if known else slt.label


def _since(figures: Figures, periods: Periods) -> str:
    """Say from which academic year on more therapists are needed than are in post."""
    gaps = {year: figures.year("wte_gap", year) for year in periods.years}
    known = {year: gap for year, gap in gaps.items() if gap}
    if not known:
        return ""
    short = [year for year, gap in known.items() if gap.median > 0]
    mark = tag(known.values())
    if not short:
        return f"In no academic year are more therapists needed than are in post{mark}."
    if len(short) == len(known):
        return f"In every academic year shown more therapists are needed than are in post{mark}."
    if short == list(known)[-len(short) :]:
        return f"From {year_name(short[0])} on more therapists are needed than are in post{mark}."
    return f"More therapists are needed than are in post in {', '.join(map(year_name, short))}{mark}."
