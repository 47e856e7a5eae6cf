"""How many wait and for how long, by month, wait band and place; what happens after the first contact."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from forecast.publish.speech_language.charts import ChartText, Fan, fans, stacked
from forecast.publish.speech_language.lines import Line, Periods, figures_table
from forecast.publish.speech_language.run import Figures, SpeechLanguageRun
from forecast.publish.speech_language.words import Kind, category_name, exact, kind, month, tag, told, year_name
from forecast.publish.view import Part, Table

MEASURES = ("waiting", "within_target", "over_52_weeks", "median_wait", "p92_wait")
SPLITS = ("locality", "age_band", "tier")
CHILDREN = (("first_contacts", "Seen for the first time"), ("left_list", "Left without being seen"))
SO_FAR = (
    "A wait is the time waited so far by those on the list, at the end of the month. How long children had waited when "
    "they were seen is another figure."
)
MEANS = "Projected bars are means, because means add up; the tables give medians, which do not."
LONGEST = "Waits are followed to 104 weeks; longer ones count as that."
NOT_SEEN = (
    "A child is seen when the first contact takes place. Some leave the list before, and some of those seen go on to "
    "treatment, with contacts for as long as it lasts."
)
ADVICE = (
    "Advice for EHC assessments is counted in requests, see “How many are referred”, and in therapists, see below; not "
    "in contacts."
)


def waits(slt: SpeechLanguageRun, figures: Figures, periods: Periods, *, chart_id: str) -> Part:
    """Tell the list by wait band, the share within the target, those over 52 weeks, and the waits."""
    name, rows = slt.provider.name, figures.series("waiting")
    mark = tag(figures.at("waiting", ds) for ds in rows["ds"])
    bars = f"Children waiting by how long they have waited, {name}: history and projection{mark}"
    lines = f"Share within {slt.goal.weeks} weeks and longest waits, {name}: history and projection{mark}"
    below = "The figures are in the table below the chart."
    listed = ChartText(f"{chart_id}-list", bars, f"{bars}. {below}", mark)
    drawn = (
        Fan("within_target", f"Waiting less than {slt.goal.weeks} weeks", 100 * slt.goal.share, per_cent=True),
        Fan("p92_wait", "Weeks that 92% wait less than", slt.goal.weeks),
    )
    tables = [_by_month(slt, figures, periods.months, "The waiting list", periods)]
    tables += [_split(slt, figures, by, periods) for by in SPLITS]
    every = sorted({*figures.months("waiting", outturn=True), *figures.months("waiting", outturn=False)})
    folded = (
        _bands(slt, figures, periods),
        _by_month(slt, figures, every, "The waiting list month by month", periods),
    )
    return Part(
        title="Who waits, and how long",
        sentences=tuple(filter(None, (_list_then(slt, figures, periods),))),
        charts=(
            stacked(figures, slt.bands, listed, weeks=slt.goal.weeks),
            fans(figures, drawn, ChartText(f"{chart_id}-waits", lines, f"{lines}. {below}", mark)),
        ),
        tables=tuple(t for t in tables if t),
        folded=tuple(t for t in folded if t),
        remarks=(SO_FAR, MEANS, LONGEST),
    )


def afterwards(slt: SpeechLanguageRun, figures: Figures, periods: Periods) -> Part | None:
    """Tell what happens after the first contact: children in treatment, contacts by kind of work."""
    years = periods.years
    tiers = figures.categories("in_treatment", "tier")
    split = tiers if len(tiers) > 1 else ()
    stock = [
        Line(
            month(ds, short=True),
            (figures.at("in_treatment", ds), *(figures.at("in_treatment", ds, "tier", tier) for tier in split)),
            strong=ds == periods.goal,
        )
        for ds in periods.months
    ]
    columns = ("End of", "In treatment", *(category_name("tier", tier) for tier in split))
    works = figures.categories("contacts", "work", freq="academic_year")
    contacts = [
        Line(category_name("work", w), tuple(figures.year("contacts", y, "work", w) for y in years)) for w in works
    ]
    names = [year_name(year) for year in years]
    children = [Line(title, tuple(figures.year(measure, year) for year in years)) for measure, title in CHILDREN]
    tables = (
        figures_table("Children in treatment", columns, [("", stock)], [kind("in_treatment")]),
        figures_table("Contacts by academic year", ("Kind of work", *names), [("", contacts)], [kind("contacts")]),
        figures_table(
            "Children seen, and children who leave unseen, by academic year",
            ("Children", *names),
            [("", children)],
            [kind("left_list")],
        ),
    )
    found = tuple(t for t in tables if t)
    if not found:
        return None
    return Part(
        title="After the first contact",
        sentences=tuple(filter(None, (_treated(figures, periods), _plans(slt, figures, periods)))),
        tables=found,
        remarks=(NOT_SEEN, ADVICE) if len(figures.series("advice_requests")) else (NOT_SEEN,),
    )


def heads(slt: SpeechLanguageRun, measures: Sequence[str]) -> tuple[str, ...]:
    """Return headings of columns; that of the share names the weeks."""
    within = f"Within {slt.goal.weeks} weeks"
    return tuple(within if measure == "within_target" else kind(measure).title for measure in measures)


def _by_month(
    slt: SpeechLanguageRun, figures: Figures, months: Sequence[pd.Timestamp], caption: str, periods: Periods
) -> Table | None:
    known = {*figures.months("waiting", outturn=True)}
    groups = [
        (
            title,
            [
                Line(month(ds, short=True), tuple(figures.at(m, ds) for m in MEASURES), strong=ds == periods.goal)
                for ds in months
                if (ds in known) == past
            ],
        )
        for title, past in (("Actual", True), ("Projection", False))
    ]
    return figures_table(caption, ("End of", *heads(slt, MEASURES)), groups, _kinds(MEASURES))


def _split(slt: SpeechLanguageRun, figures: Figures, by: str, periods: Periods) -> Table | None:
    waiting = {c: figures.at("waiting", periods.goal, by, c) for c in figures.categories("waiting", by)}
    # A tier that is seen at once has no list.
    lines = [
        Line(category_name(by, c), tuple(figures.at(m, periods.goal, by, c) for m in MEASURES))
        for c, figure in waiting.items()
        if figure and figure.high > 0
    ]
    what = {"age_band": "age band"}.get(by, by)
    caption = f"The waiting list at the end of {month(periods.goal)} by {what}"
    columns = (what[:1].upper() + what[1:], *heads(slt, MEASURES))
    return figures_table(caption, columns, [("", lines)], _kinds(MEASURES)) if len(lines) > 1 else None


def _bands(slt: SpeechLanguageRun, figures: Figures, periods: Periods) -> Table | None:
    lines = [
        Line(
            month(ds, short=True),
            tuple(figures.at("waiting", ds, "wait_band", band) for band in slt.bands),
            ds == periods.goal,
        )
        for ds in periods.months
    ]
    columns = ("End of", *(category_name("wait_band", band) for band in slt.bands))
    return figures_table("Children waiting by wait band", columns, [("", lines)], [kind("waiting")])


def _kinds(measures: Sequence[str]) -> list[Kind]:
    return [kind(measure) for measure in measures]


def _list_then(slt: SpeechLanguageRun, figures: Figures, periods: Periods) -> str:
    """Say how many wait, and how many of them within the target, in the month of the target."""
    now, then = (figures.at("waiting", ds) for ds in (slt.known_to, periods.goal))
    share, over = (figures.at(m, periods.goal) for m in ("within_target", "over_52_weeks"))
    if not then:
        return ""
    known = ""
    if now:
        known = f"At the end of {month(slt.known_to)} {exact(now.median, kind('waiting'))} children were waiting. "
    said = f"{known}As things are, {told(then, kind('waiting'), 'wait')} at the end of {month(periods.goal)}"
    if share:
        said += f"; {told(share, kind('within_target'), 'of them')} have waited less than {slt.goal.weeks} weeks"
    if over:
        said += f", and {told(over, kind('over_52_weeks'))} 52 weeks or more"
    return f"{said}{tag((then, share, over))}."


def _treated(figures: Figures, periods: Periods) -> str:
    figure = figures.at("in_treatment", periods.goal)
    if figure is None:
        return ""
    children = told(figure, kind("in_treatment"), "children")
    return f"At the end of {month(periods.goal)} {children} are in treatment{tag((figure,))}."


def _plans(slt: SpeechLanguageRun, figures: Figures, periods: Periods) -> str:
    start = periods.next_year
    figure = figures.year("contacts", start, "work", "plans") if start is not None else None
    if figure is None or start is None or not slt.ehc_area:
        return ""
    contacts = told(figure, kind("contacts"), "contacts")
    return (
        f"Children of {slt.ehc_area} with an EHC plan for speech and language or autism need {contacts} in "
        f"{year_name(start)}, whatever the list{tag((figure,))}."
    )
