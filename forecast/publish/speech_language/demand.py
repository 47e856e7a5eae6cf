"""How many children are referred, by month and academic year, and who they are."""

from __future__ import annotations

from forecast.publish.speech_language.charts import ChartText, Fan, fans
from forecast.publish.speech_language.lines import RANGED, Line, Periods, figures_table
from forecast.publish.speech_language.run import Figures, SpeechLanguageRun
from forecast.publish.speech_language.words import TOPICS, category_name, cell, kind, month, tag, told, year_name
from forecast.publish.view import Part, Row, Table, table
from forecast.publish.words import change

SPLITS = ("locality", "age_band", "tier", "source")
TOO_FEW = 20
MONTHS_SHOWN = 24
WHOLE = "An academic year runs from September to August; one that is not whole in the projection is left out."
PROXY = (
    "There is no log of referrals. They are worked out from the published waiting list: those who have waited less "
    "than a week, and a tenth more for children seen within days. That says little about who is referred."
)
OLD_PATHS = "The total is forecast as a whole and its parts are brought to it: middle figures of parts do not add up."


def demand(slt: SpeechLanguageRun, figures: Figures, periods: Periods, *, chart_id: str) -> Part:
    """Tell referrals by month and academic year, by locality, age band, tier and source."""
    name, rows = slt.provider.name, figures.series("referrals")
    mark = tag(figures.at("referrals", ds) for ds in rows["ds"])
    said = f"Referrals a month, {name}: history and projection{mark}"
    text = ChartText(f"{chart_id}-referrals", said, f"{said}. The figures by year are in the table below.", mark)
    total = _by_year(figures, periods)
    splits = (_split(figures, by, periods) for by in SPLITS)
    months = _by_month(figures)
    return Part(
        title="How many are referred",
        sentences=tuple(filter(None, (_most(figures, periods), _advice(slt, figures, periods)))),
        charts=(fans(figures, (Fan("referrals", "Referrals a month"),), text),),
        tables=tuple(t for t in (total, *splits) if t),
        folded=(months,) if months else (),
        remarks=(WHOLE, PROXY if slt.proxy else OLD_PATHS),
    )


def expected(slt: SpeechLanguageRun, figures: Figures, periods: Periods) -> str:
    """Say how many referrals the next academic year brings, against the last one; "" without a whole year."""
    if periods.next_year is None or not (ahead := figures.year("referrals", periods.next_year)):
        return ""
    said = f"{slt.provider.name} can expect {told(ahead, kind('referrals'), 'referrals')} in the academic year "
    than, figured = "", [ahead]
    for last in periods.known_years[-1:]:
        past = figures.year("referrals", last)
        if past and past.median >= TOO_FEW:
            versus = change(ahead.median, past.median)
            than = f", {versus} the {told(past, kind('referrals'))} of {year_name(last)}"
            figured.append(past)
    guessed = ", as guessed from the published list" if slt.proxy else ""
    return f"{said}{year_name(periods.next_year)}{guessed}{than}{tag(figured)}."


def _by_year(figures: Figures, periods: Periods) -> Table | None:
    measures = ("referrals", "advice_requests")
    groups = [
        (
            title,
            [
                Line(year_name(start), tuple(figures.year(m, start) for m in measures), start == periods.next_year)
                for start in years
            ],
        )
        for title, years in (("Actual", periods.known_years), ("Projection", periods.years))
    ]
    columns = ("Academic year", *(kind(measure).title for measure in measures))
    return figures_table("Referrals by academic year", columns, groups, [kind("referrals")])


def _split(figures: Figures, by: str, periods: Periods) -> Table | None:
    years = (*periods.known_years[-1:], *periods.years)
    lines = [
        Line(category_name(by, c), tuple(figures.year("referrals", year, by, c) for year in years))
        for c in figures.categories("referrals", by, freq="academic_year")
    ]
    columns = (TOPICS[by], *map(year_name, years))
    caption = f"Referrals by {TOPICS[by].lower()} and academic year"
    return figures_table(caption, columns, [("", lines)], [kind("referrals")]) if len(lines) > 1 else None


def _by_month(figures: Figures) -> Table | None:
    months = figures.months("referrals", outturn=False)[:MONTHS_SHOWN]
    found = [figures.at("referrals", ds) for ds in months]
    rows = tuple(Row(month(ds, short=True), (cell(f, kind("referrals")),)) for ds, f in zip(months, found, strict=True))
    caption = f"Referrals month by month, {RANGED}{tag(found)}"
    return table(caption, ("Month", "Referrals"), rows) if rows else None


def _most(figures: Figures, periods: Periods) -> str:
    """Say which locality has most referrals in the next year."""
    start = periods.next_year
    places = figures.categories("referrals", "locality", freq="academic_year")
    if start is None or len(places) < len(("one", "another")):
        return ""
    found = {place: figures.year("referrals", start, "locality", place) for place in places}
    known = {place: figure for place, figure in found.items() if figure}
    if not known:
        return ""
    place = max(known, key=lambda name: known[name].median)
    figure = known[place]
    said = told(figure, kind("referrals"), f"of the referrals of {year_name(start)}")
    return f"Most come from {place}: {said}{tag((figure,))}."


def _advice(slt: SpeechLanguageRun, figures: Figures, periods: Periods) -> str:
    start = periods.next_year
    figure = figures.year("advice_requests", start) if start is not None else None
    if figure is None or start is None:
        return ""
    asked = told(figure, kind("advice_requests"), "times")
    return (
        f"Besides referrals, EHC assessments in {slt.ehc_area} ask the service for advice {asked} in "
        f"{year_name(start)}{tag((figure,))}."
    )
