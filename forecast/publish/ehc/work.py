"""How long it takes, what has to be done, and how the caseload comes to change."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from forecast.publish.ehc.charts import ChartText, fans
from forecast.publish.ehc.people import RANGED, Years, split
from forecast.publish.ehc.run import AreaFigures, Figure
from forecast.publish.ehc.words import about, category_name, cell, kind, likely
from forecast.publish.view import Part, Row, Table, table
from forecast.publish.words import LIKELY, MONTHS, number, period_name, rounded

NEXT = 5
MONTHS_SHOWN = 24
RECENT = 3
LIMITED = "Plans issued, the 20 weeks and the backlog follow from the number of assessments that can be completed."
CARRIED_ON = "The time it took in the last published year is taken to carry on: ranges do not cover a change of pace."
WHOLE_WEEKS = (
    "A month holds the weeks whose Thursday lies in it, four or five: its figures go up and down with that too."
)
IN_TERM = (
    "That requests fall on school days, and so hardly any in August, is an assumption and not a count; the council's "
    "own requests by month can take its place."
)
STEPS = ("refused", "withdrawn", "agreed", "assessments_completed", "no_plan")
CLOCK = ("timeliness_20_week", "decided_within_6_weeks", "backlog", "waiting_over_20_weeks", "undecided")
WEEKLY = ("decisions_due_a_week", "plans_due_a_week")
MONTHLY = ("requests", "agreed", "assessments_completed", "plans_issued", "backlog", *WEEKLY)
ACCOUNT = (
    ("new_plans", "New plans", 1),
    ("ceased", "Plans that cease", -1),
    ("transfers_in", "Moved in from another area", 1),
    ("residual", "Recorded late or corrected", 1),
    ("adjustment", "Adjustment to the top-down forecast", 1),
)
# With spaces that do not break, so that a heading keeps a date on one line.
POST_16 = "31\u00a0March"
OTHER_PHASES = "15\u00a0February"


def how_long(area: AreaFigures, name: str, years: Years, *, capacity: bool, chart_id: str, label: str) -> Part:
    """Tell the share issued within 20 weeks, the backlog, and who waits longer, by year."""
    said = f"Plans issued within 20 weeks and assessments under way, {name}: history and projection{label}"
    sentence = _pace(area, years)
    text = ChartText(f"{chart_id}-clock", said, f"{sentence} The figures are in the table below the chart.")
    return Part(
        title="How long it takes",
        sentences=(sentence,) if sentence else (),
        charts=(fans(area, ("timeliness_20_week", "backlog"), text, same_scale=False),),
        tables=(_by_year(area, CLOCK, years, f"Time from request to plan, {name}{label}"),),
        folded=(_by_year(area, STEPS, years, f"Steps between request and plan, {name}{label}"),),
        remarks=(
            "Assessments under way and those waiting are counted at the end of the year. The 20 weeks run from the "
            "request; the first 6 of them are for the decision whether to assess.",
            LIMITED if capacity else CARRIED_ON,
        ),
    )


def workload(area: AreaFigures, name: str, years: Years, *, as_of: pd.Timestamp, school_days: bool, label: str) -> Part:
    """Tell what falls due: decisions and plans a week, annual reviews, and phase transfers with their date.

    Parameters
    ----------
    area : AreaFigures
    name : str
    years : Years
    as_of : Timestamp
        The months start with that of this day.
    school_days : bool
        Whether requests are assumed to fall on school days.
    label : str
        Behind captions.
    """
    tables = [_due(area, name, years, label)]
    if phases := _phases(area, name, years, label):
        tables.append(phases)
    months = _months(area, name, as_of, label)
    return Part(
        title="The work it brings",
        sentences=tuple(filter(None, (_week(area, as_of),))),
        tables=tuple(tables),
        folded=(months,) if months else (),
        remarks=(
            "A plan for a move between phases has to be final by 15 February of the year of the move, by 31 March for "
            "a move into post-16 education.",
            *((WHOLE_WEEKS,) if months else ()),
            *((IN_TERM,) if months and school_days else ()),
        ),
    )


def account(
    area: AreaFigures,
    name: str,
    years: Years,
    *,
    adjustment: Mapping[int, tuple[float, float]],
    label: str,
) -> Part:
    """Tell how each January's caseload comes from the one before, as sums that add up, and why plans cease.

    Parameters
    ----------
    area : AreaFigures
    name : str
    years : Years
    adjustment : mapping of int to (float, float)
        By January: plans more (or fewer) than the cohorts alone come to, and that in per cent.
    label : str
        Behind captions.
    """
    shown = [year for year in years.ahead if area.at("caseload", year) and area.at("caseload", year + 1)][:NEXT]
    lines = [Row("Caseload in January", tuple(_mean(area, "caseload", year) for year in shown), strong=True)]
    for measure, title, sign in ACCOUNT:
        lines.append(Row(title, tuple(_signed(area, measure, year, sign) for year in shown)))
    lines.append(Row("Caseload a year later", tuple(_mean(area, "caseload", y + 1) for y in shown), strong=True))
    columns = ("In the year", *map(str, shown))
    tables = [table(f"From one January to the next, {name}{label}", columns, tuple(lines))]
    why = f"Why plans cease, {name} (modelled: shares of the middle figure){label}"
    causes = split(area, "ceased", "cause", [*shown[:2], years.key], why, ranged=False)
    if causes:
        tables.append(causes)
    return Part(
        title="How the caseload changes",
        sentences=tuple(filter(None, (_adjusted(adjustment, years),))),
        tables=tuple(tables),
        remarks=(
            "From one January to the next figures are means, because means add up and medians do not: they differ a "
            "little from the medians in the other tables. Rounded figures may be one out.",
            "“Recorded late or corrected” is the part of past changes that published new and ceased plans do not "
            "explain.",
        ),
    )


def _adjusted(adjustment: Mapping[int, tuple[float, float]], years: Years) -> str:
    """Say how far the cohorts were moved by the January of the headline."""
    plans, percent = adjustment.get(years.january, (0.0, 0.0))
    if not round(plans):
        return ""
    more = "higher" if plans > 0 else "lower"
    return (
        "Followed age by age, the caseload differs from the forecast of it as a whole, and an adjustment leads it "
        f"towards that. By January {years.january} it is {number(abs(plans))} plans {more} ({abs(percent):.0f}%) than "
        "following ages alone comes to, before any override: the larger that is, the less sure are the figures by age, "
        "need and placement. The yearly adjustments below come to more, as some of those plans would have ceased since."
    )


def _due(area: AreaFigures, name: str, years: Years, label: str) -> Table:
    """Return what falls due by year: a week on average over the months, and annual reviews with their range."""
    rows = tuple(
        Row(
            str(year),
            tuple(cell(area.at(measure, year)) for measure in (*WEEKLY, "annual_reviews")),
            year == years.key,
        )
        for year in years.ahead
    )
    columns = ("Year", *(kind(measure).title for measure in (*WEEKLY, "annual_reviews")))
    return table(f"What falls due, {name}, {RANGED}{label}", columns, rows)


def _by_year(area: AreaFigures, measures: tuple[str, ...], years: Years, caption: str) -> Table:
    """Return measures by year, each with its range; measures without figures are left out."""
    known = [m for m in measures if len(area.series(m))]
    columns = ("Year", *(kind(m).title for m in known))
    rows = []
    for year in range(years.flow - RECENT + 1, years.end + 1):
        found = [area.at(m, year) for m in known]
        if any(found):
            text = tuple(cell(f, rate=kind(m).rate) for m, f in zip(known, found, strict=True))
            rows.append(Row(str(year), text, year == years.key))
    return table(f"{caption}, {RANGED}", columns, tuple(rows))


def _pace(area: AreaFigures, years: Years) -> str:
    last = area.years("timeliness_20_week", published=True)
    key, backlog = area.at("timeliness_20_week", years.key), area.at("backlog", years.key)
    if not key:
        return ""
    then = area.at("timeliness_20_week", last[-1]) if last else None
    start = f"In {last[-1]}, {number(then.median)}% of plans were issued within 20 weeks. " if then else ""
    ends = f", and {about(backlog)} assessments are under way at its end ({likely(backlog)})" if backlog else ""
    return f"{start}In {years.key} it is {_per_cent(key)}{ends}."


def _per_cent(share: Figure) -> str:
    """Say a projected percentage with its range; a range of one figure is left out."""
    median, low, high = (number(value) for value in (share.median, share.low, share.high))
    said = "less than 1%" if median == "0" else f"about {median}%"
    return said if low == high else f"{said} (likely between {low}% and {high}%)"


def _week(area: AreaFigures, as_of: pd.Timestamp) -> str:
    """Say the decisions and plans of an average week of the next whole year, and the busiest month."""
    year = int(as_of.year) + 1
    decisions, plans = (area.at(measure, year) for measure in WEEKLY)
    months = area.series(WEEKLY[0], freq="MS")
    months = months[months["ds"].dt.year.eq(year)]
    if not decisions or not plans or months.empty:
        return ""
    top = months.loc[months["mean"].idxmax()]
    return (
        f"In {year}, about {number(decisions.median)} decisions whether to assess and {number(plans.median)} plans "
        f"fall due in an average week; most decisions in {MONTHS[top['ds'].month - 1]} ({number(top['mean'])} a week)."
    )


def _phases(area: AreaFigures, name: str, years: Years, label: str) -> Table | None:
    phases = area.categories("phase_transfers", "phase")
    if not phases:
        return None
    columns = (
        "Year of the move",
        *(f"{category_name('phase', p)}, by {POST_16 if '16' in p else OTHER_PHASES}" for p in phases),
    )
    rows = []
    for year in (*years.ahead, years.last):
        found = [area.at("phase_transfers", year, "phase", phase) for phase in phases]
        if any(found):
            rows.append(Row(str(year), tuple(map(cell, found)), year == years.january))
    caption = f"Plans to be finalised for a move between phases, {name}, {RANGED}{label}"
    return table(caption, columns, tuple(rows)) if rows else None


def _months(area: AreaFigures, name: str, as_of: pd.Timestamp, label: str) -> Table | None:
    """Return the next months, medians only; None if the run has no months."""
    start = as_of.to_period("M").to_timestamp()
    known = [m for m in MONTHLY if len(area.series(m, freq="MS"))]
    medians = {m: area.series(m, freq="MS").set_index("ds")["median"] for m in known}
    dates = sorted({ds for series in medians.values() for ds in series.index if ds >= start})[:MONTHS_SHOWN]
    rows = [Row(_short(ds), tuple(number(medians[m].get(ds, float("nan"))) for m in known)) for ds in dates]
    columns = ("Month", *(kind(m).title for m in known))
    caption = f"Month by month: the middle of the {LIKELY} range, {name}{label}"
    return table(caption, columns, tuple(rows)) if rows else None


def _mean(area: AreaFigures, measure: str, year: int) -> str:
    figure = area.at(measure, year)
    return number(figure.mean) if figure else "-"


def _signed(area: AreaFigures, measure: str, year: int, sign: int) -> str:
    figure = area.at(measure, year)
    if not figure:
        return "-"
    value = rounded(sign * figure.mean)
    return f"{value:+,}".replace("-", "−") if value else "0"


def _short(month: pd.Timestamp) -> str:
    """Return a month that does not break across lines."""
    return period_name(month, freq="MS", stock=False, short=True).replace(" ", "\u00a0")
