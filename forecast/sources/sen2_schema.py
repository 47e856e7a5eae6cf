"""The schema map of DfE's "Education, health and care plans" releases, and how one cell or period is read.

What drifts between releases (file names, column names, labels, how a period is written) is data, in
`forecast/reference/schema/`: `common.yaml` and one file a layout, named after the reporting year it first
fits. Adding a release that drifted again means editing those files, not this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from forecast.errors import InputError
from forecast.sources.text import nearest, shown

_COUNT = re.compile(r"\d+(\.0+)?")
_NUMBER = re.compile(r"\d+(\.\d+)?")
_YEAR = re.compile(r"(?:19|20)\d\d")
_ACADEMIC_YEAR = re.compile(r"((?:19|20)\d\d)(\d\d)")


def fold(text: str) -> str:
    """Spelling used to compare labels and column names: lower case, single spaces.

    >>> fold(" Local  Authority ")
    'local authority'
    """
    return " ".join(text.split()).casefold()


@dataclass(frozen=True)
class Filter:
    """Column whose label selects the rows that are totals; `strict` refuses labels it does not know."""

    column: str
    total: frozenset[str]
    known: frozenset[str]
    strict: bool


@dataclass(frozen=True)
class Table:
    """One table of a layout: its file names, its period ("flow" or "stock") and the columns it is read by.

    `measures` gives the accepted column names of each measure, `optional` those of measures a file may lack;
    `since` is the first comparable year; `notes` holds (last year, text) pairs.
    """

    name: str
    files: frozenset[str]
    period: str
    filters: tuple[Filter, ...]
    measures: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]]
    known: frozenset[str]
    since: int
    notes: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class Layout:
    """How the releases from one reporting year on are laid out."""

    year: int
    title: str
    tables: tuple[Table, ...]


@dataclass(frozen=True)
class Common:
    """What all layouts share: base columns, level labels, symbols and the break between collections.

    `percent` gives, by measure that is a percentage, the counts it is made of.
    """

    base_columns: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, str]
    time_identifiers: frozenset[str]
    symbols: Mapping[str, str]
    percent: Mapping[str, tuple[str, ...]]
    may_fall_to_zero: frozenset[str]
    part_of: Mapping[str, str]
    break_year: Mapping[str, int]
    break_note: str


@cache
def load(name: str) -> dict[str, Any]:
    """Load one file of the schema map."""
    text = resources.files("forecast.reference").joinpath("schema", name).read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _folded(labels: Iterable[object]) -> frozenset[str]:
    return frozenset(fold(str(label)) for label in labels)


@cache
def common() -> Common:
    """Load the part of the schema map that all releases share."""
    raw = load("common.yaml")
    series_break = raw["series_break"]
    return Common(
        base_columns={name: tuple(other) for name, other in raw["base_columns"].items()},
        levels={fold(label): level for level, labels in raw["levels"].items() for label in labels},
        time_identifiers=_folded(raw["time_identifiers"]),
        symbols={fold(str(cell)): str(reason) for cell, reason in raw["symbols"].items()},
        percent={rate: tuple(counts) for rate, counts in raw["percent"].items()},
        may_fall_to_zero=frozenset(raw["may_fall_to_zero"]),
        part_of=raw["part_of"],
        break_year={"flow": series_break["flow"], "stock": series_break["stock"]},
        break_note=series_break["note"],
    )


def _table(name: str, raw: Mapping[str, Any]) -> Table:
    return Table(
        name=name,
        files=_folded(raw["files"]),
        period=raw["period"],
        filters=tuple(
            Filter(f["column"], _folded(f["total"]), _folded(f["known"]), f["strict"]) for f in raw.get("filters", [])
        ),
        measures={measure: tuple(columns) for measure, columns in raw["measures"].items()},
        optional={measure: tuple(columns) for measure, columns in raw.get("optional", {}).items()},
        known=_folded(raw["known"]),
        since=raw.get("since", 0),
        notes=tuple((note["until"], note["text"]) for note in raw.get("notes", [])),
    )


def layout_files() -> list[str]:
    """File names of the layouts, oldest first."""
    names = [entry.name for entry in resources.files("forecast.reference").joinpath("schema").iterdir()]
    return sorted(name for name in names if re.fullmatch(r"\d{4}\.yaml", name))


@cache
def layouts() -> tuple[Layout, ...]:
    """Every known layout, oldest first."""
    loaded = [(int(name[:4]), load(name)) for name in layout_files()]
    return tuple(
        Layout(year, raw["title"], tuple(_table(name, table) for name, table in raw["tables"].items()))
        for year, raw in loaded
    )


@cache
def period_of_measure() -> Mapping[str, str]:
    """Whether each measure is a "flow" (of a calendar year) or a "stock" (in January)."""
    return {m: t.period for layout in layouts() for t in layout.tables for m in (*t.measures, *t.optional)}


@cache
def table_files() -> frozenset[str]:
    """File names (without ending) that some layout reads."""
    return frozenset().union(*(table.files for layout in layouts() for table in layout.tables))


def _position(names: Sequence[str], header: Mapping[str, int]) -> int | None:
    return next((header[fold(name)] for name in names if fold(name) in header), None)


def missing_columns(table: Table, header: Sequence[str]) -> list[str]:
    """Needed columns of a table that a header lacks (by any accepted name)."""
    at = {fold(column): i for i, column in enumerate(header)}
    needed = [(name, *other) for name, other in common().base_columns.items()]
    needed += [(f.column,) for f in table.filters]
    needed += list(table.measures.values())
    return [names[0] for names in needed if _position(names, at) is None]


def locate(table: Table, header: Sequence[str], *, where: str) -> tuple[dict[str, int], list[str]]:
    """Find the columns of a table in a header.

    Returns
    -------
    positions : dict
        Position by base column, filter column or measure; optional measures only if they are there.
    unknown : list of str
        Columns the schema map does not know.

    Raises
    ------
    InputError
        If a needed column is missing.
    """
    missing = missing_columns(table, header)
    if missing:
        raise InputError(
            f"{where}: column '{missing[0]}' is missing among {len(header)} columns ({nearest(missing[0], header)}) "
            "It is needed. Download the file again, or add its new name to the schema map of the release year."
        )
    at = {fold(column): i for i, column in enumerate(header)}
    wanted = {name: (name, *other) for name, other in common().base_columns.items()}
    wanted |= {f.column: (f.column,) for f in table.filters}
    wanted |= dict(table.measures)
    positions = {name: at[fold(next(n for n in names if fold(n) in at))] for name, names in wanted.items()}
    positions |= {m: at[fold(n)] for m, names in table.optional.items() for n in names if fold(n) in at}
    read = set(positions.values())
    unknown = [c for i, c in enumerate(header) if i not in read and fold(c) not in table.known]
    return positions, unknown


def year_of(time_period: str, *, period: str, where: str) -> int:
    """Read the year a figure belongs to.

    A flow belongs to its calendar year, a stock to the year of its January: `202324` is January 2024 for a
    stock and, in tables that date a calendar year so, 2023 for a flow.

    >>> year_of("202324", period="stock", where="caseload.csv line 2")
    2024
    >>> year_of("202425", period="flow", where="newplans.csv line 2")
    2024
    >>> year_of("2022", period="stock", where="sen2_age_caseload.csv line 2")
    2022
    """
    text = time_period.strip()
    if _YEAR.fullmatch(text):
        return int(text)
    academic = _ACADEMIC_YEAR.fullmatch(text)
    if academic and (int(academic[1]) + 1) % 100 == int(academic[2]):
        return int(academic[1]) + (period == "stock")
    raise InputError(
        f"{where}, column 'time_period': {shown(time_period)} is not a year (2023) or an academic year (202324). "
        "Correct the cell or download the file again."
    )


def read_cell(text: str, *, percent: bool, where: str) -> tuple[float, str]:
    """Read one figure: its value (NaN when there is none) and the reason why it is missing or rounded.

    >>> read_cell("622", percent=False, where="requests.csv line 2")
    (622.0, '')
    >>> read_cell("low", percent=False, where="requests.csv line 2")
    (0.0, 'low')

    Raises
    ------
    InputError
        If the cell is neither a figure (a count of 0 or more; a percentage of 0 to 100) nor a known symbol.
    """
    cell = text.strip()
    symbols = common().symbols
    if percent and _NUMBER.fullmatch(cell) and float(cell) <= 100:
        return float(cell), ""
    if not percent and _COUNT.fullmatch(cell):
        return float(cell), ""
    reason = symbols.get(fold(cell))
    if reason is not None:
        return (0.0 if reason in ("low", "k") else float("nan")), reason
    rule = "a percentage from 0 to 100" if percent else "a whole number of 0 or more"
    known = ", ".join(symbol for symbol in symbols if symbol)
    raise InputError(
        f"{where}: {shown(text)} is not {rule} or a known symbol ({known}). Correct the cell or download the file "
        "again."
    )
