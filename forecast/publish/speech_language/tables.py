"""The released table of speech and language: tidy `speech_language_projections.csv` and its description."""

from __future__ import annotations

import pandas as pd

from forecast.publish.ehc.tables import KINDS, SOURCES
from forecast.publish.run import RunRecord
from forecast.publish.speech_language.run import OUTTURN, PAST, YEARLY, SpeechLanguageRun
from forecast.publish.speech_language.words import TOPICS, capital, category_name, kind
from forecast.publish.tables import MEANING, NOT_APPLICABLE, NUMBERS, csv_bytes, figure, meta_bytes, plain_cell
from forecast.publish.words import LEVEL_NAMES, MONTHS

TABLE, META = "speech_language_projections.csv", "speech_language_projections.meta.csv"
OUTTURNS = "recorded"
_OWN = {
    "time_period": "Calendar year of a month, or academic year: 202425 is September 2024 to August 2025",
    "time_identifier": "Month of time_period, or Academic year. A list is counted at the end of the month. Of an "
    "academic year flows are sums, with the months already known, and therapists means over its months",
    "option": "What is assumed of the service: as it is, or the title of an option; recorded: a figure of the past, "
    "the same for all",
    "measure": "What is counted; wte_needed is what keeps pace with demand, wte_work what the work done takes",
    "breakdown_topic": "What the figure is broken down by: Total, Locality, Age band, Tier, Wait band and so on",
    "breakdown": "Category of the breakdown; Total where there is none",
    "value_type": "outturn (published or recorded), modelled (of the past, but worked out, not counted) or projection",
    "value": "Figure of the past, or the median of the projection; medians of parts do not add to that of the total",
    "mean": "Mean of the projection; means of parts add to that of the total; z for the past",
    "provenance": "published, synthetic or local: where the figures behind the row come from; synthetic figures are "
    "made up and not for planning",
}
_ORDER = (
    *("period_start", "time_period", "time_identifier", "geographic_level", "country_code", "country_name"),
    *("area_code", "area_name", "option", "measure", "breakdown_topic", "breakdown", "value_type", *NUMBERS),
    *("unit", "as_of", "provenance"),
)
SLT_MEANING = {column: _OWN.get(column) or MEANING[column] for column in _ORDER}
_SORTED = ["measure", "place_option", "place", "freq", "ds"]


def speech_language_files(run: RunRecord) -> dict[str, bytes]:
    """Return the files a release has of speech and language, by name; none if the run has none."""
    if run.speech_language is None:
        return {}
    return {TABLE: csv_bytes(speech_language_projections(run, run.speech_language)), META: meta_bytes(SLT_MEANING)}


def speech_language_projections(run: RunRecord, slt: SpeechLanguageRun) -> pd.DataFrame:
    """Return outturns and projections of the service under each option, one row each, as text.

    Parameters
    ----------
    run : RunRecord
    slt : SpeechLanguageRun

    Returns
    -------
    DataFrame
        `SLT_MEANING`'s columns; sorted by measure, option, breakdown and period. The past stands once.
    """
    past = slt.table["status"].isin(PAST)
    titles = {str(option["name"]): str(option["title"]) for option in slt.options}
    order = {name: i for i, name in enumerate(titles)}
    rows = slt.table.assign(
        title=slt.table["option"].map(titles).mask(past, OUTTURNS),
        place_option=slt.table["option"].map(order).mask(past, -1),
    )
    pairs = rows[["by", "category"]].drop_duplicates().reset_index(drop=True)
    rows = rows.merge(pairs.assign(place=pairs.index), on=["by", "category"])
    rows = rows.sort_values(_SORTED, kind="stable", ignore_index=True)
    return _named(rows, run, slt)[list(SLT_MEANING)]


def _named(rows: pd.DataFrame, run: RunRecord, slt: SpeechLanguageRun) -> pd.DataFrame:
    """Write numbers as text, and add periods, places, breakdowns and units."""
    past, yearly = rows["status"].isin(PAST), rows["freq"].eq(YEARLY)
    table = pd.DataFrame(index=rows.index)
    for column, source in SOURCES.items():
        text = rows[source].map(figure)
        table[column] = text if column == "value" else text.mask(past, NOT_APPLICABLE)
    table["period_start"] = rows["ds"].dt.strftime("%Y-%m-%d")
    year = rows["ds"].dt.year
    academic = year.astype(str) + ((year + 1) % 100).astype(str).str.zfill(2)
    table["time_period"] = academic.where(yearly, year.astype(str))
    months = rows["ds"].dt.month.map(dict(enumerate(MONTHS, start=1)))
    table["time_identifier"] = months.mask(yearly, "Academic year")
    table["geographic_level"] = LEVEL_NAMES[slt.provider.level]
    table["country_code"], table["country_name"] = "E92000001", "England"
    table["area_code"], table["area_name"] = slt.provider.code, slt.provider.name
    table["option"], table["measure"] = rows["title"], rows["measure"]
    table["breakdown_topic"] = rows["by"].map({by: TOPICS.get(by, capital(by)) for by in rows["by"].unique()})
    pairs = zip(rows["by"], rows["category"], strict=True)
    table["breakdown"] = [category_name(by, name) if by else "Total" for by, name in pairs]
    table["value_type"] = rows["status"].map({**KINDS, OUTTURN: "outturn"})
    table["unit"] = rows["measure"].map({name: kind(name).unit for name in rows["measure"].unique()})
    table["as_of"] = f"{run.as_of:%Y-%m-%d}"
    table["provenance"] = rows["provenance"]
    for column in ("area_name", "option", "measure", "breakdown_topic", "breakdown"):
        table[column] = table[column].map({text: plain_cell(text) for text in table[column].unique()})
    return table
