"""The release's tables: tidy `projections.csv` in the style of DfE open data, and its description.

UTF-8 with a byte order mark, as DfE's own files have: Excel then reads names right. Cells from outside
that a spreadsheet would run as a formula get an apostrophe in front.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.publish.run import RunRecord, Target
from forecast.publish.words import LEVEL_NAMES, MONTHS, measure, reason_words

BOM = "\ufeff"
NOT_APPLICABLE = "z"
NOT_AVAILABLE = "x"
SYMBOLS = {"c": "c", "z": "z", "low": "low", "k": "low", "u": "u", "sum_mismatch": "u", "small": "c"}
NUMBERS = ("value", "median", "mean", "lower_80", "upper_80", "lower_95", "upper_95")
MEANING = {
    "period_start": "First day of the period, ISO date",
    "time_period": "Year of the figure; a stock is counted in the January of that year",
    "time_identifier": "Calendar year, January (annual stock), month, quarter or week of time_period",
    "geographic_level": "Kind of area: National, Regional, Local authority, NHS region, Provider and so on",
    "country_code": "ONS code of the country",
    "country_name": "Name of the country",
    "region_code": "Code of the region the area is in; z where not applicable",
    "region_name": "Name of the region the area is in; z where not applicable",
    "area_code": "ONS or NHS code of the area (for a local authority: new_la_code)",
    "area_name": "Name of the area",
    "measure": "What is counted",
    "value_type": "outturn (a figure that was published or recorded) or projection",
    "value": "The outturn, or the median of the projection",
    "median": "Median of the projection: as likely to be too low as too high; z for an outturn",
    "mean": "Mean of the projection; z for an outturn",
    "lower_80": "Lower end of the interval that should hold the true figure 4 times in 5; z for an outturn",
    "upper_80": "Upper end of the interval that should hold the true figure 4 times in 5; z for an outturn",
    "lower_95": "Lower end of the interval that should hold the true figure 19 times in 20; z for an outturn",
    "upper_95": "Upper end of the interval that should hold the true figure 19 times in 20; z for an outturn",
    "unit": "Unit of the numbers",
    "model": "Forecasting model; z for an outturn",
    "as_of": "No figure that became available after this day was used, ISO date",
    "provenance": "published, synthetic or local: where the figures behind the row come from",
    "note": "Why an outturn is missing or was not used, or what to know about it; blank if nothing",
}
COLUMNS = tuple(MEANING)
REGIONS = {
    "E12000001": "North East",
    "E12000002": "North West",
    "E12000003": "Yorkshire and The Humber",
    "E12000004": "East Midlands",
    "E12000005": "West Midlands",
    "E12000006": "East of England",
    "E12000007": "London",
    "E12000008": "South East",
    "E12000009": "South West",
}


def projections(run: RunRecord) -> pd.DataFrame:
    """Return outturns and projections of the areas on the page, one row each, as text.

    Parameters
    ----------
    run : RunRecord

    Returns
    -------
    DataFrame
        `COLUMNS`; sorted by measure, area and period. Counts have at most one decimal; `x`, `c`, `u`,
        `low` and `z` stand for figures that are missing, as in DfE's files.
    """
    names = {**REGIONS, **_region_names(run)}
    frames = [frame for target in run.targets for frame in (_outturns(run, target), _projected(run, target))]
    table = pd.concat(frames, ignore_index=True)
    table["geographic_level"] = table["geographic_level"].map(lambda level: LEVEL_NAMES.get(level, level))
    table["country_code"], table["country_name"] = "E92000001", "England"
    table["region_name"] = table["region_code"].map(lambda code: names.get(code, NOT_APPLICABLE))
    table["region_code"] = table["region_code"].replace("", NOT_APPLICABLE)
    table["unit"] = table["measure"].map(lambda name: measure(name).unit)
    table["as_of"] = f"{run.as_of:%Y-%m-%d}"
    order = ["measure", "geographic_level", "area_code", "period_start", "value_type"]
    table = table.sort_values(order, kind="stable")[list(COLUMNS)]
    text = {"region_name", "area_code", "area_name", "region_code", "measure", "unit", "model", "note"}
    for column in sorted(text):
        table[column] = table[column].map(plain_cell)
    return table.reset_index(drop=True)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table of text as the bytes of a CSV file."""
    return (BOM + table.to_csv(index=False, lineterminator="\r\n")).encode("utf-8")


def meta_bytes(meaning: Mapping[str, str] = MEANING) -> bytes:
    """Return the description of the columns of `projections.csv`, or of others, as the bytes of a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["col_name", "col_type", "label"])
    writer.writerows([name, "Indicator" if name in NUMBERS else "Filter", label] for name, label in meaning.items())
    return (BOM + out.getvalue()).encode("utf-8")


def read_projections(path: Path) -> pd.DataFrame:
    """Read a release's `projections.csv` back, as `numeric` gives it.

    Raises
    ------
    InputError
        If the file cannot be read or lacks a column.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not readable; publish a run to make a new release.") from error
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise InputError(f"{path}: column '{missing[0]}' is missing; publish a run to make a new release.")
    return numeric(table)


def numeric(table: pd.DataFrame) -> pd.DataFrame:
    """Return `projections` with numbers as floats, symbols as NaN and period_start as dates."""
    numbers = {column: pd.to_numeric(table[column], errors="coerce") for column in NUMBERS}
    return table.assign(**numbers, period_start=pd.to_datetime(table["period_start"], format="%Y-%m-%d"))


def on_page(frame: pd.DataFrame, target: Target) -> pd.DataFrame:
    """Keep the rows of a target's measures and areas that are on the page."""
    chosen = frame["target"].eq(target.name) & frame["measure"].isin(target.measures)
    return frame[chosen & frame["area_code"].isin([area.code for area in target.areas])]


def chosen_forecasts(run: RunRecord, target: Target) -> pd.DataFrame:
    """Return the projections the page shows: one row a series and period, by the target's model."""
    rows = on_page(run.forecasts, target)
    key = ["unique_id", "ds"]
    if rows.duplicated(key).any():
        rows = rows[rows["model"].eq(target.model)]
    return rows.sort_values(key)


def plain_cell(text: str) -> str:
    """Keep a spreadsheet from running a text as a formula.

    >>> plain_cell("=1+1"), plain_cell("Stockport")
    ("'=1+1", 'Stockport')
    """
    return "'" + text if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def figure(value: float) -> str:
    """Return a number with at most one decimal, or the symbol of a missing one."""
    if pd.isna(value):
        return NOT_AVAILABLE
    return f"{value:.1f}".removesuffix(".0")


def _outturns(run: RunRecord, target: Target) -> pd.DataFrame:
    rows = on_page(run.history, target)
    table = rows[["geographic_level", "region_code", "area_code", "area_name", "measure", "provenance"]].copy()
    values = zip(rows["usable"], rows["reason"], strict=True)
    table["value"] = [_symbol(reason) if pd.isna(value) else figure(value) for value, reason in values]
    notes = zip(rows["reason"], rows["note"], strict=True)
    table["note"] = ["; ".join(part for part in (reason_words(r) if r else "", n) if part) for r, n in notes]
    for column in (*NUMBERS[1:], "model"):
        table[column] = NOT_APPLICABLE
    table["value_type"] = "outturn"
    return table.assign(**_time(rows, target))


def _projected(run: RunRecord, target: Target) -> pd.DataFrame:
    rows = chosen_forecasts(run, target)
    table = rows[["geographic_level", "region_code", "area_code", "area_name", "measure", "model"]].copy()
    named = {"value": "median", "median": "median", "mean": "mean"}
    ends = {f"{word}_{q}": f"{short}-{q}" for q in (80, 95) for word, short in (("lower", "lo"), ("upper", "hi"))}
    for column, source in {**named, **ends}.items():
        table[column] = [figure(value) for value in rows[source]]
    history = run.history[run.history["target"].eq(target.name)]["provenance"]
    table["provenance"] = _worst(history)
    table["value_type"] = "projection"
    table["note"] = ""
    return table.assign(**_time(rows, target))


def _time(rows: pd.DataFrame, target: Target) -> dict[str, list[str]]:
    stocks = [measure(name).stock for name in rows["measure"]]
    return {
        "period_start": [f"{ds:%Y-%m-%d}" for ds in rows["ds"]],
        "time_period": [str(ds.year) for ds in rows["ds"]],
        "time_identifier": [_identifier(ds, target.freq, stock) for ds, stock in zip(rows["ds"], stocks, strict=True)],
    }


def _identifier(ds: pd.Timestamp, freq: str, stock: bool) -> str:
    match freq:
        case "YS":
            return "January" if stock else "Calendar year"
        case "MS":
            return MONTHS[ds.month - 1]
        case "QS":
            return f"Calendar year Q{(ds.month + 2) // 3}"
        case _:
            return f"Week of {ds:%Y-%m-%d}"


def _region_names(run: RunRecord) -> Mapping[str, str]:
    rows = run.history[run.history["geographic_level"].isin(["region", "nhs_region"])]
    pairs = rows[["area_code", "area_name"]].drop_duplicates("area_code")
    return dict(zip(pairs["area_code"], pairs["area_name"], strict=True))


def _symbol(reason: str) -> str:
    return SYMBOLS.get(reason.partition(":")[0].strip(), NOT_AVAILABLE)


def _worst(provenance: Iterable[str]) -> str:
    found = set(provenance)
    return next((name for name in ("local", "synthetic") if name in found), "published")
