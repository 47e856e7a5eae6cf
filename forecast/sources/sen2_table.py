"""Reading one csv of DfE's EHC plans release: the total of each area and year, as published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from forecast.errors import InputError
from forecast.sources.sen2_files import rows
from forecast.sources.sen2_schema import Table, common, fold, locate, read_cell, year_of
from forecast.sources.text import shown

RAW_COLUMNS = (
    "measure",
    "geographic_level",
    "region_code",
    "region_name",
    "area_code",
    "old_la_code",
    "area_name",
    "year",
    "y",
    "reason",
    "note",
)


def read_table(content: bytes, table: Table, *, label: str) -> tuple[pd.DataFrame, list[str]]:
    """Read the totals of one csv.

    Returns
    -------
    frame : DataFrame
        `RAW_COLUMNS`.
    warnings : list of str
        Columns and topics the schema map does not know, and optional columns that are missing.
    """
    header, lines = rows(content, label)
    at, extra = locate(table, header, where=label)
    warnings = [
        f"{label}: column {shown(column)} is not in the schema map of the release; not read" for column in extra
    ]
    warnings += [
        f"{label}: column {shown(names[0])} is missing; {measure} is not read"
        for measure, names in table.optional.items()
        if measure not in at
    ]
    measures = [m for m in (*table.measures, *table.optional) if m in at]
    records: list[tuple[object, ...]] = []
    seen: dict[tuple[str, int], int] = {}
    unknown: dict[str, str] = {}
    any_row = False
    for line, fields in lines:
        any_row = True
        where = f"{label} line {line}"
        if not _is_total(fields, table, at, where=where, unknown=unknown):
            continue
        year = year_of(fields[at["time_period"]], period=table.period, where=where)
        check_time_identifier(fields[at["time_identifier"]], where)
        if year < table.since:
            continue
        area = area_of(fields, at, where=where)
        if (area[3], year) in seen:
            raise InputError(
                f"{where}: {shown(area[5])} ({area[3]}) {year} stands already in line {seen[area[3], year]}; one row "
                "an area "
                "and year is allowed. Remove one or download the file again."
            )
        seen[area[3], year] = line
        note = next((text for until, text in table.notes if year <= until), "")
        for measure in measures:
            column = header[at[measure]]
            y, reason = read_cell(
                fields[at[measure]], percent=measure in common().percent, where=f"{where}, column '{column}'"
            )
            records.append((measure, *area, year, y, reason, note))
    if not records:
        _no_totals(label, table, unknown, any_row=any_row)
    for value, column in unknown.items():
        warnings.append(
            f"{label}: column '{column}' has {shown(value)}, not in the schema map of the release; not read"
        )
    return pd.DataFrame(records, columns=list(RAW_COLUMNS)), warnings


def _no_totals(label: str, table: Table, unknown: Mapping[str, str], *, any_row: bool) -> None:
    if not any_row:
        raise InputError(f"{label}: has a header but no rows; rows are needed. Download it again.")
    wanted = sorted(table.filters[0].total)[0] if table.filters else "any area"
    value, column = next(iter(unknown.items()), ("", table.filters[0].column if table.filters else "time_period"))
    found = f"unknown label {shown(value)} found instead" if value else "no row has it"
    raise InputError(
        f"{label}, column '{column}': no totals ('{wanted}'); {found}. If the label was renamed, add it to the schema "
        "map of the release year; otherwise download the file again."
    )


def _is_total(
    fields: Sequence[str], table: Table, at: Mapping[str, int], *, where: str, unknown: dict[str, str]
) -> bool:
    for chosen in table.filters:
        value = fields[at[chosen.column]]
        label = fold(value)
        if label in chosen.total:
            continue
        if label not in chosen.known:
            if chosen.strict:
                raise InputError(
                    f"{where}, column '{chosen.column}': label {shown(value)} is not known. Add it to the schema map "
                    "of the "
                    "release year, or correct the cell."
                )
            unknown.setdefault(value, chosen.column)
        return False
    return True


def check_time_identifier(value: str, where: str) -> None:
    """Refuse a `time_identifier` that is neither calendar nor academic year."""
    if fold(value) not in common().time_identifiers:
        raise InputError(
            f"{where}, column 'time_identifier': {shown(value)} is not known (Calendar year or Academic year). "
            "Correct the cell or download the file again."
        )


def area_of(fields: Sequence[str], at: Mapping[str, int], *, where: str) -> tuple[str, str, str, str, str, str]:
    """Level, region code, region name, area code, DfE number and name of a row.

    Raises
    ------
    InputError
        If the level is not known or the code is no area code.
    """
    label = fields[at["geographic_level"]]
    level = common().levels.get(fold(label))
    if level is None:
        raise InputError(
            f"{where}, column 'geographic_level': {shown(label)} is not known (National, Regional or Local authority). "
            "Correct the cell or add the label to the schema map."
        )
    column = {"national": "country", "region": "region", "local_authority": "new_la"}[level] + "_code"
    code = fields[at[column]].strip()
    if len(code) != 9 or code[0] != "E" or not code[1:].isdigit():
        raise InputError(
            f"{where}, column '{column}': {shown(code)} is not an area code (E and eight digits). Correct the cell or "
            "download the file again."
        )
    region_code, region_name = (fields[at[name]].strip() for name in ("region_code", "region_name"))
    if level == "national":
        return level, "", "", code, "", fields[at["country_name"]].strip()
    if level == "region":
        return level, region_code, region_name, code, "", region_name
    return (
        level,
        region_code,
        region_name,
        code,
        fields[at["old_la_code"]].strip(),
        fields[at["la_name"]].strip(),
    )
