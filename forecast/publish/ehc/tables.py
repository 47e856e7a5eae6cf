"""The released table of the way from request to plan: tidy `ehc_projections.csv` and its description."""

from __future__ import annotations

import pandas as pd

from forecast.publish.ehc.run import PUBLISHED, EhcRun
from forecast.publish.ehc.words import category_name, kind
from forecast.publish.run import RunRecord
from forecast.publish.tables import MEANING, NOT_APPLICABLE, NUMBERS, csv_bytes, figure, meta_bytes, plain_cell
from forecast.publish.words import LEVEL_NAMES, MONTHS

TABLE, META = "ehc_projections.csv", "ehc_projections.meta.csv"
CONFIGURED, BASELINE = "as configured", "without overrides"
TOPICS = {"": "Total", "age": "Age", "age_band": "Age band", "need": "Main need", "cause": "Reason for ceasing"}
KINDS = {PUBLISHED: "outturn", "projected": "projection", "modelled": "modelled"}
SOURCES = {"value": "median", "median": "median", "mean": "mean"} | {
    f"{word}_{q}": f"{short}-{q}" for q in (80, 95) for word, short in (("lower", "lo"), ("upper", "hi"))
}
_OWN = {
    "time_identifier": "Calendar year, January (annual stock) or month of time_period; backlog, undecided and "
    "waiting_over_20_weeks of a year are counted on its 31 December, backlog of a month at its end",
    "scenario": f"{CONFIGURED}, or {BASELINE}: the same simulated futures with nothing overridden",
    "measure": "What is counted; new_plans: the outturn is the published count of new plans in the caseload, the "
    "projection is that of plans_issued, which is published by itself and differs from it",
    "breakdown_topic": "What the figure is broken down by: Total, Age, Age band, Main need, Placement and so on",
    "breakdown": "Category of the breakdown; Total where there is none. Of more than 20 areas months and single ages "
    "are left out",
    "value_type": "outturn (published), projection, or modelled (worked out from shares by age, not counted)",
    "value": "The outturn, or the median of the projection; medians of parts do not add to that of the total",
    "mean": "Mean of the projection; means of parts add to that of the total; z for an outturn",
    "as_of": "No figure that became available after this day was used, ISO date; tables for reference (shares of need, "
    "population projections) are exempt",
    "provenance": "published or synthetic: where the figures behind the projection come from",
}
_ORDER = (
    *("period_start", "time_period", "time_identifier", "geographic_level", "country_code", "country_name"),
    *("region_code", "region_name", "area_code", "area_name", "scenario", "measure", "breakdown_topic", "breakdown"),
    *("value_type", *NUMBERS, "unit", "as_of", "provenance"),
)
EHC_MEANING = {column: _OWN.get(column) or MEANING[column] for column in _ORDER}
DETAILED = 20
_SORTED = ["measure", "geographic_level", "area_code", "scenario", "by", "place", "freq", "ds"]


def ehc_files(run: RunRecord) -> dict[str, bytes]:
    """Return the files a release has of the way from request to plan, by name; none if the run has none."""
    if run.ehc is None:
        return {}
    return {TABLE: csv_bytes(ehc_projections(run, run.ehc)), META: meta_bytes(EHC_MEANING)}


def ehc_projections(run: RunRecord, ehc: EhcRun) -> pd.DataFrame:
    """Return outturns and projections of every area, one row each, as text.

    Parameters
    ----------
    run : RunRecord
    ehc : EhcRun

    Returns
    -------
    DataFrame
        `EHC_MEANING`'s columns; sorted by measure, area, scenario, breakdown and period. The scenario without overrides
        has no outturns: they are the same. Of more than `DETAILED` areas, years and age bands only: with months and
        single ages the table would be too long for a spreadsheet.
    """
    frames = [ehc.table.assign(scenario=CONFIGURED)]
    if ehc.baseline is not None:
        ahead = ehc.baseline[ehc.baseline["status"].ne(PUBLISHED)]
        frames.append(ahead.assign(scenario=BASELINE))
    rows = pd.concat(frames, ignore_index=True)
    if len(ehc.areas) > DETAILED:
        rows = rows[rows["freq"].eq("YS") & rows["by"].ne("age")]
    rows["geographic_level"] = rows["area_code"].map({area.code: LEVEL_NAMES[area.level] for area in ehc.areas})
    pairs = rows[["by", "category"]].drop_duplicates().reset_index(drop=True)
    rows = rows.merge(pairs.assign(place=pairs.index), on=["by", "category"])
    rows = rows.sort_values(_SORTED, kind="stable")
    table = rows[["geographic_level", "area_code", "area_name", "scenario", "measure"]].copy()
    published = rows["status"].eq(PUBLISHED)
    for column, source in SOURCES.items():
        text = rows[source].map(figure)
        table[column] = text if column == "value" else text.mask(published, NOT_APPLICABLE)
    return _named(table, rows, run, ehc)[list(EHC_MEANING)].reset_index(drop=True)


def _named(table: pd.DataFrame, rows: pd.DataFrame, run: RunRecord, ehc: EhcRun) -> pd.DataFrame:
    """Add periods, places, breakdowns and units to the numbers."""
    from forecast import reference

    places = reference.areas().set_index("area_code")
    for column in ("region_code", "region_name"):
        table[column] = table["area_code"].map(places[column]).fillna("").replace("", NOT_APPLICABLE)
    table["country_code"], table["country_name"] = "E92000001", "England"
    table["period_start"] = rows["ds"].dt.strftime("%Y-%m-%d")
    table["time_period"] = rows["ds"].dt.year.astype(str)
    yearly = rows["measure"].map({name: _identifier(name) for name in rows["measure"].unique()})
    months = rows["ds"].dt.month.map(dict(enumerate(MONTHS, start=1)))
    table["time_identifier"] = yearly.where(rows["freq"].eq("YS"), months)
    table["breakdown_topic"] = rows["by"].map({by: _topic(by, ehc) for by in rows["by"].unique()})
    table["breakdown"] = [
        category_name(by, name) if by else "Total" for by, name in zip(rows["by"], rows["category"], strict=True)
    ]
    table["value_type"] = rows["status"].map(KINDS)
    table["unit"] = rows["measure"].map({name: kind(name).unit for name in rows["measure"].unique()})
    table["as_of"] = f"{run.as_of:%Y-%m-%d}"
    table["provenance"] = "synthetic" if ehc.synthetic else "published"
    for column in ("area_name", "measure", "breakdown_topic", "breakdown"):
        table[column] = table[column].map({text: plain_cell(text) for text in table[column].unique()})
    return table


def _identifier(measure: str) -> str:
    return "January" if kind(measure).stock else "Calendar year"


def _topic(by: str, ehc: EhcRun) -> str:
    if by.startswith("table:"):
        name = by.removeprefix("table:")
        return ehc.tables.get(name, name)
    return TOPICS.get(by, by[:1].upper() + by[1:].replace("_", " "))
