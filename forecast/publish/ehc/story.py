"""The page's section "From request to plan": what a planner asks, in that order, area by area."""

from __future__ import annotations

from forecast.publish.ehc.accuracy import past_errors
from forecast.publish.ehc.assumed import assumed, notes
from forecast.publish.ehc.people import RANGED, Years, how_many, planning_tables, who, years_of
from forecast.publish.ehc.run import AreaFigures, EhcRun
from forecast.publish.ehc.tables import DETAILED, TABLE
from forecast.publish.ehc.words import about, cell, told
from forecast.publish.ehc.work import account, how_long, workload
from forecast.publish.run import Area, RunRecord
from forecast.publish.tables import chosen_forecasts
from forecast.publish.view import RANGE_BELOW, Part, Planning, Row, table
from forecast.publish.words import change, listed, number, percent_change, rounding_unit

TITLE = "From request to plan"
MOST_IN_FULL = 3
MANY = 12
TOO_FEW = 20


def planning(run: RunRecord) -> tuple[Planning, ...]:
    """Return the section of each area told in full; none if the run has none."""
    ehc = run.ehc
    return () if ehc is None else tuple(_planning(run, ehc, area) for area in in_full(ehc.areas))


def in_full(areas: tuple[Area, ...]) -> tuple[Area, ...]:
    """Return the areas told in full: the first ones of the config, or of many areas England if it is one of them."""
    nation = tuple(area for area in areas if area.level == "national")
    return nation if nation and len(areas) > MANY else areas[:MOST_IN_FULL]


def planning_areas(run: RunRecord) -> Part | None:
    """Return key figures of all areas, where there are more than are told in full."""
    ehc = run.ehc
    if ehc is None or len(ehc.areas) <= MOST_IN_FULL:
        return None
    chosen = ehc.table["measure"].isin(["requests", "plans_issued", "caseload"]) & ehc.table["by"].eq("")
    by_area = dict(list(ehc.table[chosen].groupby("area_code")))
    found = {area.code: AreaFigures(by_area[area.code], area.code) for area in ehc.areas}
    years = years_of(found[in_full(ehc.areas)[0].code])
    rows = tuple(_line(found[area.code], area, years) for area in sorted(ehc.areas, key=lambda area: area.name))
    columns = (
        *("Area", f"Requests {years.flow}", f"Requests {years.key}", f"Plans issued {years.key}"),
        *(f"Plans January {years.stock}", f"Plans January {years.january}", "Change in plans"),
    )
    names = [area.name for area in in_full(ehc.areas)]
    in_detail = f"{listed(names)} {'is' if len(names) == 1 else 'are'}"
    detail = " by year, age band, need and placement" if len(ehc.areas) > DETAILED else ""
    return Part(
        title=f"{TITLE}: all areas",
        sentences=(f"{in_detail} told in full above; {TABLE} has all of them{detail}.",),
        tables=(table(f"{TITLE}: all {len(ehc.areas)} areas, {RANGED}{_label(ehc)}", columns, rows),),
    )


def _planning(run: RunRecord, ehc: EhcRun, area: Area) -> Planning:
    own = AreaFigures(ehc.table, area.code)
    base = None if ehc.baseline is None else AreaFigures(ehc.baseline, area.code)
    years, label = years_of(own), _label(ehc)
    anchor = f"request-to-plan-{area.code.lower()}"
    capacity = any(override["what"] == "capacity" for override in ehc.overrides)
    parts = (
        how_many(own, area.name, years, chart_id=anchor, label=label),
        who(own, area.name, years, chart_id=anchor, label=label),
        how_long(own, area.name, years, capacity=capacity, chart_id=anchor, label=label),
        workload(own, area.name, years, as_of=run.as_of, school_days=ehc.by_school_days, label=label),
        account(own, area.name, years, adjustment=ehc.adjustment.get(area.code, {}), label=label),
        planning_tables(own, area.name, ehc.tables, placed=ehc.placed, label=label),
        past_errors(),
        assumed(ehc, own, area.name, years, base=base, label=label),
        notes(ehc, area.code),
    )
    return Planning(
        anchor=anchor,
        title=f"{TITLE}: {area.name}",
        area=area.name,
        synthetic=ehc.synthetic,
        headline=" ".join(filter(None, (_headline(own, area, years, label), _without(ehc, own, base, years)))),
        sentences=tuple(filter(None, (_since(own, years), _beside(run, own, base, area)))),
        parts=tuple(part for part in parts if part is not None),
    )


def _label(ehc: EhcRun) -> str:
    return " (synthetic data)" if ehc.synthetic else ""


def _headline(own: AreaFigures, area: Area, years: Years, label: str) -> str:
    requests, plans = own.at("requests", years.key), own.at("plans_issued", years.key)
    stock = own.at("caseload", years.january)
    flows = [
        told(figure, what)
        for figure, what in ((requests, "requests for an EHC needs assessment"), (plans, "plans issued"))
        if figure
    ]
    said = f"In {years.key} {area.name} can expect {listed(flows)}{label}."
    if stock is None:
        return said
    return f"{said} In January {years.january} {told(stock, 'of its children and young people have a plan')}."


def _without(ehc: EhcRun, own: AreaFigures, base: AreaFigures | None, years: Years) -> str:
    """Say how many assumptions are changed, and what requests or caseload, whichever moves more, come to without."""
    if base is None:
        return ""
    count = len(ehc.overrides)
    changed = (
        f"This is with {count} assumption{'' if count == 1 else 's'} changed; without {'it' if count == 1 else 'them'}"
    )
    moved = {}
    for measure, year, what in (
        ("caseload", years.january, f"plans in January {years.january}"),
        ("requests", years.key, f"requests in {years.key}"),
    ):
        with_, without = own.at(measure, year), base.at(measure, year)
        if with_ and without and without.median > 0:
            moved[f"about {about(without)} {what}"] = abs(with_.median / without.median - 1)
    return f"{changed} {max(moved, key=lambda said: moved[said])}." if moved else ""


def _since(own: AreaFigures, years: Years) -> str:
    """Compare with the last published figures, unless they are too few for a percentage to mean anything."""
    compared = []
    for measure, last, ahead, when in (
        ("requests", years.flow, years.key, ""),
        ("caseload", years.stock, years.january, "January "),
    ):
        start, end = own.at(measure, last), own.at(measure, ahead)
        if start and end and start.median >= TOO_FEW:
            what = "requests" if measure == "requests" else "plans"
            compared.append(f"{change(end.median, start.median)} the {number(start.median)} {what} of {when}{last}")
    return f"That is {listed(compared)}. “Likely” means 4 times in 5." if compared else ""


def _beside(run: RunRecord, own: AreaFigures, base: AreaFigures | None, area: Area) -> str:
    """Say how the sections that look at one series alone differ, so that two figures do not surprise.

    They know nothing of overrides, so they are compared with the projection without.
    """
    here, found = ("here", own) if base is None else ("here, without the changed assumptions,", base)
    others = []
    for target in run.targets:
        if target.freq != "YS":
            continue
        ahead = chosen_forecasts(run, target)
        for measure, what in (("requests", "requests in {}"), ("caseload", "plans in January {}")):
            rows = ahead[ahead["area_code"].eq(area.code) & ahead["measure"].eq(measure)]
            for _, last in rows.sort_values("ds").tail(1).iterrows():
                year = int(last["ds"].year)
                if figure := found.at(measure, year):
                    other = number(last["median"], rounding_unit(last["lo-80"], last["hi-80"]))
                    others.append(f"{other} {what.format(year)} ({here} {about(figure)})")
    if not others:
        return ""
    return (
        f"The sections above project each series by itself: {listed(others)}. Here requests, plans and caseload are "
        "one calculation and fit together. Both are projections: read each with its range."
    )


def _line(own: AreaFigures, area: Area, years: Years) -> Row:
    start, end = own.at("caseload", years.stock), own.at("caseload", years.january)
    change_in_stock = percent_change(end.median, start.median) if start and end else "-"
    ahead = [*(cell(own.at(measure, years.key)) for measure in ("requests", "plans_issued")), cell(end)]
    known = [cell(figure).partition(RANGE_BELOW)[0] for figure in (own.at("requests", years.flow), start)]
    return Row(area.name, (known[0], *ahead[:2], known[1], ahead[2], change_in_stock))
