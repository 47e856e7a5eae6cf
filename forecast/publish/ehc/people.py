"""How many, who they are, and the tables planners fill in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from forecast.publish.ehc.charts import ChartText, fans, stacked
from forecast.publish.ehc.run import AreaFigures
from forecast.publish.ehc.words import about, category_name, cell, kind, told
from forecast.publish.view import Group, Part, Row, Table, table
from forecast.publish.words import LIKELY

HISTORY = 4
ROUND = 5
SOON = 3
WORTH_A_ROW = 0.5
RANGED = f"with the {LIKELY} range"
MODELLED = (
    "Modelled: worked out from shares by age, not counted; the notes below say whose shares they are. The shares are "
    "taken to stay as they are: a range is that of the total alone."
)
PLACED = "In tables of special schools a range is that of the total alone: the share placed there is taken to stay."


@dataclass(frozen=True)
class Years:
    """The years the section speaks of.

    Attributes
    ----------
    flow, stock : int
        Last published year of requests, and last published January of the caseload.
    key : int
        The year of the headline: the first round one (2025, 2030) at least three years ahead of the last figure,
        or the last of the projection.
    end : int
        Last year of the projection.
    """

    flow: int
    stock: int
    key: int
    end: int

    @property
    def ahead(self) -> tuple[int, ...]:
        """Projected calendar years."""
        return tuple(range(self.flow + 1, self.end + 1))

    @property
    def january(self) -> int:
        """January of the headline: that of its year, or the first projected one."""
        return max(self.key, self.stock + 1)

    @property
    def last(self) -> int:
        """Last projected January: the one after the last year."""
        return self.end + 1


def years_of(area: AreaFigures) -> Years:
    """Find the years of an area from its published and projected figures."""
    ahead = area.years("requests", published=False)
    flow = ahead[0] - 1
    stock = max(area.years("caseload", published=True), default=flow + 1)
    end = ahead[-1]
    key = -(-(flow + 1 + SOON) // ROUND) * ROUND
    return Years(flow, stock, min(key, end), end)


def how_many(area: AreaFigures, name: str, years: Years, *, chart_id: str, label: str) -> Part:
    """Tell requests and plans issued by year, and the caseload by January, with ranges."""
    measures = ("requests", "plans_issued", "caseload")
    columns = ("Year", "Requests", "Plans issued", "Plans in January")
    published = [y for y in range(years.flow - HISTORY + 1, years.flow + 1) if any(area.at(m, y) for m in measures)]
    past = tuple(_row(area, year, measures) for year in published)
    ahead = [_row(area, year, measures, strong=year == years.key) for year in years.ahead]
    if area.at("caseload", years.last):
        ahead.append(replace(_row(area, years.last, measures), head=f"January {years.last}"))
    said = f"Requests for an EHC needs assessment and plans issued a year, {name}: history and projection{label}"
    text = ChartText(f"{chart_id}-flow", said, f"{_told(area, years)} The figures are in the table below the chart.")
    return Part(
        title="How many",
        charts=(fans(area, ("requests", "plans_issued"), text, same_scale=True),),
        tables=(
            Table(
                f"Requests, plans issued and caseload, {name}, {RANGED}{label}",
                columns,
                tuple(Group(title, rows) for title, rows in (("Actual", past), ("Projection", tuple(ahead))) if rows),
            ),
        ),
        remarks=("A figure without a range was published. Plans in January are counted before the year's requests.",),
    )


def who(area: AreaFigures, name: str, years: Years, *, chart_id: str, label: str) -> Part:
    """Tell the caseload by age band, need and placement, and requests by age band."""
    stocks = [years.stock + 2, years.january, years.last]
    parts = [
        split(area, "caseload", by, stocks, f"Caseload by {word}, {name}{_mark(area, 'caseload', by)}{label}")
        for by, word in (("age_band", "age"), ("need", "main need"), ("placement", "placement"))
    ]
    flows = [years.flow + 2, years.key, years.end]
    asked = f"Requests by age, {name}{_mark(area, 'requests', 'age_band')}{label}"
    requests = split(area, "requests", "age_band", flows, asked)
    text = ChartText(
        f"{chart_id}-ages",
        f"Children and young people with a plan by age band, {name}: January of each year{label}",
        f"{_largest(area, years)} Bars are stacked by age band; the figures are in the table below the chart.",
    )
    shown = (("requests", "age_band"), *(("caseload", by) for by in ("age_band", "need", "placement")))
    modelled = any(area.modelled(measure, by) for measure, by in shown)
    return Part(
        title="Who they are",
        sentences=tuple(filter(None, (_largest(area, years),))),
        charts=(stacked(area, "age_band", text),),
        tables=tuple(t for t in parts if t),
        folded=(requests,) if requests else (),
        remarks=(MODELLED,) if modelled else (),
    )


def planning_tables(
    area: AreaFigures, name: str, titles: Mapping[str, str], *, placed: Set[str], label: str
) -> Part | None:
    """Fill in the planners' own tables: plans by band in each academic year ahead; None if the run has none.

    Parameters
    ----------
    area : AreaFigures
    name : str
    titles : mapping of str to str
        By name of the table.
    placed : set of str
        Tables of one placement group, whose share is modelled.
    label : str
        Behind captions.
    """
    tables = []
    for key, title in titles.items():
        by = f"table:{key}"
        categories = area.categories("caseload", by)
        years = sorted({year for c in categories for year in area.years("caseload", by, c, published=False)})
        if years:
            columns = ("Academic year", *(category_name(by, c) for c in categories))
            rows = tuple(
                Row(f"{y - 1}/{y % 100:02d}", tuple(cell(area.at("caseload", y, by, c)) for c in categories))
                for y in years
            )
            tables.append(table(f"{title}, {name}{_mark(area, 'caseload', by)}, {RANGED}{label}", columns, rows))
    if not tables:
        return None
    return Part(
        title="Planning tables",
        sentences=("Plans in the January of each academic year, in the bands that planners report.",),
        tables=tuple(tables),
        remarks=(PLACED,) if placed & titles.keys() else (),
    )


def split(
    area: AreaFigures, measure: str, by: str, years: Sequence[int], caption: str, *, ranged: bool = True
) -> Table | None:
    """Return a table of a measure by a breakdown in some years; None if the run has no such breakdown in them.

    The last published year stands first. Categories that round to nothing throughout are left out. `ranged` False
    leaves the ranges out.
    """
    categories = area.categories(measure, by)
    stock = kind(measure).stock
    wanted = sorted({*_last_published(area, measure, by), *years})
    shown = [year for year in wanted if any(area.at(measure, year, by, c) for c in categories)]
    columns = (_first_column(by), *(f"January {year}" if stock else str(year) for year in shown))
    found = {c: [area.at(measure, year, by, c) for year in shown] for c in categories}
    rows = tuple(
        Row(_row_head(by, c), tuple(cell(figure, ranged=ranged) for figure in known))
        for c, known in found.items()
        if any(figure and figure.median >= WORTH_A_ROW for figure in known)
    )
    return table(f"{caption}, {RANGED}" if ranged else caption, columns, rows) if rows else None


def _row_head(by: str, category: str) -> str:
    name = category_name(by, category).removeprefix("Aged ")
    return name[:1].upper() + name[1:]


def _first_column(by: str) -> str:
    return {"age_band": "Age", "need": "Main need", "placement": "Placement", "cause": "Why"}.get(by, "Group")


def _row(area: AreaFigures, year: int, measures: Sequence[str], *, strong: bool = False) -> Row:
    return Row(str(year), tuple(cell(area.at(m, year)) for m in measures), strong)


def _last_published(area: AreaFigures, measure: str, by: str) -> tuple[int, ...]:
    """Return the last year with a published breakdown, if there is one."""
    return tuple(sorted({y for c in area.categories(measure, by) for y in area.years(measure, by, c, published=True)}))[
        -1:
    ]


def _mark(area: AreaFigures, measure: str, by: str) -> str:
    """Say in a caption that a breakdown is modelled."""
    return " (modelled)" if area.modelled(measure, by) else ""


def _told(area: AreaFigures, years: Years) -> str:
    figure = area.at("requests", years.key)
    return f"Requests in {years.key}: {told(figure)}." if figure else ""


def _largest(area: AreaFigures, years: Years) -> str:
    """Say which age band grows most in number."""
    grown = {}
    (first,) = _last_published(area, "caseload", "age_band") or (years.stock,)
    for band in area.categories("caseload", "age_band"):
        start, end = (area.at("caseload", y, "age_band", band) for y in (first, years.january))
        if start and end:
            grown[band] = (end.median - start.median, start, end)
    if not grown:
        return ""
    band, (more, start, end) = max(grown.items(), key=lambda item: item[1][0])
    if more <= 0:
        return ""
    who = category_name("age_band", band).lower()
    return (
        f"The largest growth is among those {who}: from {about(start)} plans in January {first} to {told(end)} in "
        f"January {years.january}."
    )
