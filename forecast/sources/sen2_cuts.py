"""Cuts of DfE's "Education, health and care plans" releases by age, need, placement or cause: reading one csv.

What drifts between releases (file and column names, topics, labels of ages and placements) is data, in
`forecast/reference/schema/`: `breakdowns` of each layout, `categories` and `details` of `common.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pandas as pd

from forecast.errors import InputError
from forecast.sources.sen2_files import rows
from forecast.sources.sen2_schema import common, fold, layout_files, load, read_cell, year_of
from forecast.sources.sen2_table import area_of, check_time_identifier
from forecast.sources.text import nearest, shown

DIMENSIONS = ("age", "need", "placement", "cause")
CUT_COLUMNS = (
    "measure",
    "geographic_level",
    "region_code",
    "region_name",
    "area_code",
    "old_la_code",
    "area_name",
    "year",
    *DIMENSIONS,
    "y",
    "reason",
    "note",
)


@dataclass(frozen=True)
class Across:
    """Columns that are categories of one dimension: their measure, and the accepted names of each category."""

    dimension: str
    measure: str
    columns: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Cut:
    """How one file is cut.

    Attributes
    ----------
    name : str
    files : frozenset of str
        File names without ending.
    period : {"flow", "stock"}
    since : int
        First year read.
    column : str
        Column with the category of a row, or the label of the total.
    topic_column : str
        Column with the topic of a row; "" where every row is a category of the only dimension.
    topics : mapping
        Dimension by topic.
    total : frozenset of str
        Labels (and topics) of the rows that are totals.
    measures : mapping
        Accepted column names of each measure.
    across : Across or None
    """

    name: str
    files: frozenset[str]
    period: str
    since: int
    column: str
    topic_column: str
    topics: Mapping[str, str]
    total: frozenset[str]
    measures: Mapping[str, tuple[str, ...]]
    across: Across | None

    def columns(self) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
        """Columns of figures: measure, dimension and category ("" for all), and the accepted names."""
        for measure, names in self.measures.items():
            yield measure, "", "", names
        if self.across is not None:
            for category, names in self.across.columns.items():
                yield self.across.measure, self.across.dimension, category, names


def _cut(name: str, raw: Mapping[str, Any]) -> Cut:
    chosen, across = raw["rows"], raw.get("across")
    topics = chosen["topics"]
    return Cut(
        name=name,
        files=frozenset(fold(stem) for stem in raw["files"]),
        period=raw["period"],
        since=raw.get("since", 0),
        column=chosen["column"],
        topic_column=chosen.get("topic_column", ""),
        topics={fold(topic): dimension for dimension, listed in topics.items() for topic in listed or [""]},
        total=frozenset(fold(label) for label in chosen["total"]),
        measures={measure: tuple(names) for measure, names in raw.get("measures", {}).items()},
        across=across
        and Across(across["dimension"], across["measure"], {c: tuple(names) for c, names in across["columns"].items()}),
    )


@cache
def cuts(layout: int) -> tuple[Cut, ...]:
    """List the cuts of the layout first used in a reporting year."""
    return tuple(_cut(name, raw) for name, raw in load(f"{layout}.yaml").get("breakdowns", {}).items())


@cache
def cut_files() -> frozenset[str]:
    """File names (without ending) that some layout cuts."""
    years = [int(name[:4]) for name in layout_files()]
    return frozenset().union(*(cut.files for year in years for cut in cuts(year)))


@cache
def percentages() -> frozenset[str]:
    """Measures that are percentages; every other one is a count."""
    return frozenset(load("common.yaml")["shares"])


@cache
def _categories(dimension: str) -> dict[str, str]:
    """Category by label; "" for a detail that is passed over."""
    shared = load("common.yaml")
    known = {fold(label): name for name, labels in shared["categories"][dimension].items() for label in labels}
    return {fold(label): "" for label in shared["details"][dimension]} | known


def read_cut(content: bytes, cut: Cut, *, label: str) -> tuple[pd.DataFrame, list[str]]:
    """Read one csv by its categories, with the totals they belong to.

    Parameters
    ----------
    content : bytes
        The csv.
    cut : Cut
    label : str
        File name for errors.

    Returns
    -------
    frame : DataFrame
        `CUT_COLUMNS`; a dimension is "" where a figure is for all of it.
    warnings : list of str
        Topics the file does not hold.

    Raises
    ------
    InputError
        If a column is missing, a label or figure is not known, or a row is repeated.
    """
    header, lines = rows(content, label)
    at = _locate(cut, header, label)
    figures = [(*column[:3], header[at[column[3][0]]], at[column[3][0]]) for column in cut.columns()]
    records: list[tuple[object, ...]] = []
    seen: dict[tuple[str, int, str, str], int] = {}
    found: set[str] = set()
    for line, fields in lines:
        where = f"{label} line {line}"
        place = _place(fields, cut, at, where=where)
        if place is None:
            continue
        year = year_of(fields[at["time_period"]], period=cut.period, where=where)
        check_time_identifier(fields[at["time_identifier"]], where)
        if year < cut.since:
            continue
        area = area_of(fields, at, where=where)
        earlier = seen.setdefault((area[3], year, *place), line)
        if earlier != line:
            raise InputError(
                f"{where}: {shown(fields[at[cut.column]])} of {shown(area[5])} ({area[3]}) {year} stands already in "
                f"line {earlier}; one row an area, year and category is allowed. Remove one or download the file again."
            )
        found.add(place[0])
        for measure, dimension, category, name, position in figures:
            percent = measure in percentages()
            y, reason = read_cell(fields[position], percent=percent, where=f"{where}, column '{name}'")
            categories = dict([place, (dimension, category)])
            records.append((measure, *area, year, *(categories.get(d, "") for d in DIMENSIONS), y, reason, ""))
    lacking = sorted(set(cut.topics.values()) - found)
    warnings = [f"{label}: no rows by {dimension}; '{cut.name}' has none" for dimension in lacking]
    return pd.DataFrame(records, columns=list(CUT_COLUMNS)), warnings


def _locate(cut: Cut, header: Sequence[str], label: str) -> dict[str, int]:
    """Positions by the first accepted name of each column."""
    position = {fold(name): i for i, name in enumerate(header)}
    needed = [(name, *other) for name, other in common().base_columns.items()]
    needed += [(name,) for name in (cut.column, cut.topic_column) if name]
    needed += [names for *_, names in cut.columns()]
    at: dict[str, int] = {}
    for names in needed:
        there = next((position[fold(name)] for name in names if fold(name) in position), None)
        if there is None:
            raise InputError(
                f"{label}: column '{names[0]}' is missing among {len(header)} columns ({nearest(names[0], header)}) "
                f"'{cut.name}' needs it. Download the file again, or add its new name to the schema map."
            )
        at[names[0]] = there
    return at


def _place(fields: Sequence[str], cut: Cut, at: Mapping[str, int], *, where: str) -> tuple[str, str] | None:
    """Dimension and category of a row; both "" for a total, None for a row that is passed over."""
    value = fields[at[cut.column]]
    topic = fold(fields[at[cut.topic_column]]) if cut.topic_column else ""
    if (topic in cut.total or not cut.topic_column) and fold(value) in cut.total:
        return "", ""
    dimension = cut.topics.get(topic)
    if dimension is None:
        return None
    category = _categories(dimension).get(fold(value))
    if category is None:
        raise InputError(
            f"{where}, column '{cut.column}': {shown(value)} is not a known label of {dimension} "
            f"({nearest(value, list(_categories(dimension)))}) Add it to the schema map, or correct the cell."
        )
    return (dimension, category) if category else None
