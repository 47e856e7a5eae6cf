"""Any council's own counts by period from CSV, Excel or Parquet, with a mapping of columns.

Only the mapped columns are read: whatever else the file holds about children never reaches an artefact.
Local data is `provenance="local"` unless said otherwise, and the publishing rules treat it so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import InputError, SpecError
from forecast.sources.cells import PERIOD_ALIAS, read_count, read_period
from forecast.sources.faults import Faults
from forecast.sources.observations import PROVENANCES, Reading, SourceNote, checked, digest_files
from forecast.sources.text import (
    LISTED,
    column_letters,
    looks_personal,
    nearest,
    open_workbook,
    read_bytes,
    read_csv,
    refuse_data_as_header,
    sheet_grid,
    shown,
)

ROLES = ("ds", "y", "area", "area_name")
HEADER_SEARCH = 20
FORMULA = "=+-@"


@dataclass(frozen=True)
class _Rows:
    """The mapped columns of a file: values by role, and the name of each place."""

    columns: Mapping[str, str]
    values: dict[str, list[Any]]
    places: list[str]
    letters: Mapping[str, str]

    def where(self, index: int, role: str) -> str:
        return f"{self.places[index]}, column {self.letters.get(role, '')}{self.columns[role]!r}"


def read(
    path: str | Path,
    *,
    measure: str,
    columns: Mapping[str, str],
    freq: str,
    date_format: str | Sequence[str] | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    provenance: str = "local",
    available_after_days: int = 0,
    allow_fractions: bool = False,
    area_code: str = "local",
    area_name: str = "Local area",
    geographic_level: str = "local",
    title: str = "",
    publisher: str = "",
    licence: str = "not stated",
) -> Reading:
    """Read one measure, a row an area and period.

    Parameters
    ----------
    path : str or Path
        .csv, .xlsx or .parquet.
    measure : str
        Name of the measure in snake case, for example "slt_referrals".
    columns : mapping
        Role to column name: `ds` (date) and `y` (count) are needed; `area` (the areas of a file with more
        than one) and `area_name` may be given.
    freq : {"MS", "QS", "YS", "W-MON"}
        Period of the counts. A date is the first or the last day of its period.
    date_format : str or sequence of str, optional
        strftime form(s) of text dates. Not given: only ISO dates. Real dates of Excel and Parquet need none.
    sheet : str, optional
        Sheet of a workbook that has several.
    encoding : str, optional
        Codec of a CSV file; UTF-8 with or without BOM when not given.
    provenance : {"local", "synthetic", "published"}
    available_after_days : int, default 0
        Days from the end of a period until its count is known. 0: the day after the last day of the
        period, so that the running month is never seen.
    allow_fractions : bool, default False
        For rates; children are counted in whole numbers.
    area_code, area_name : str
        The area of a file without an `area` column.
    geographic_level : str, default "local"
    title, publisher, licence : str
        For the source note; the title is the file name when not given.

    Returns
    -------
    Reading
        `area_code` is the text of the `area` column. Periods without a row stay gaps and are listed in
        `warnings`, as are values that are missing for a reason.

    Raises
    ------
    SpecError
        If measure, columns, freq, date_format, provenance or available_after_days cannot be.
    InputError
        If the file or one of its values is refused; the message names file, place, value and next step.
        Further faults of rows, up to twenty in all, are notes of the error (`faults_of`).
    """
    path = Path(path)
    formats = [date_format] if isinstance(date_format, str) else list(date_format or [])
    _check_spec(
        path,
        measure=measure,
        columns=columns,
        freq=freq,
        formats=formats,
        provenance=provenance,
        days=available_after_days,
    )
    rows = _load(path, columns, sheet, encoding)
    records = _records(rows, freq, formats, allow_fractions, (area_code, area_name))
    if not records:
        raise InputError(f"{path}: a header but no rows. Export the counts again, one row an area and period.")
    frame = pd.DataFrame.from_records(records, columns=["area_code", "area_name", "ds", "y", "reason"])
    after = frame["ds"].dt.to_period(PERIOD_ALIAS[freq]).dt.end_time.dt.normalize()
    observations = frame.assign(
        measure=measure,
        geographic_level=geographic_level,
        region_code="",
        note="",
        available=after + pd.Timedelta(days=1 + available_after_days),
        provenance=provenance,
        source=path.name,
    )
    note = SourceNote(
        id=path.name,
        title=title or path.name,
        publisher=publisher,
        licence=licence,
        released="",
        provenance=provenance,
        digest=digest_files([path]),
    )
    return Reading(checked(observations, where=str(path)), (note,), tuple(_warnings(path, frame, freq)))


def _check_spec(
    path: Path,
    *,
    measure: str,
    columns: Mapping[str, str],
    freq: str,
    formats: Sequence[str],
    provenance: str,
    days: int,
) -> None:
    if re.fullmatch(r"[a-z][a-z0-9_]*", measure) is None:
        raise SpecError(f"{path}: measure {measure!r} is not snake case. Use a name such as 'slt_referrals'.")
    for role in columns:
        if role not in ROLES:
            raise SpecError(f"{path}: columns has {role!r}, which is no role; {nearest(role, ROLES)} Correct columns.")
    for role in ("ds", "y"):
        if role not in columns:
            raise SpecError(f"{path}: columns has no {role!r}; ds (date) and y (count) are needed. Add it to columns.")
    if "area_name" in columns and "area" not in columns:
        raise SpecError(f"{path}: columns has 'area_name' but no 'area'; names go with areas. Add area to columns.")
    if freq not in PERIOD_ALIAS:
        raise SpecError(f"{path}: freq {freq!r} is not known; {nearest(freq, PERIOD_ALIAS)} Set freq to one of them.")
    for form in formats:
        if "%" not in form:
            raise SpecError(f"{path}: date_format {form!r} has no % codes. Write it like '%d/%m/%Y' or '%b-%y'.")
    if provenance not in PROVENANCES:
        raise SpecError(
            f"{path}: provenance {provenance!r} is not known; {nearest(provenance, PROVENANCES)} Correct it."
        )
    if days < 0:
        raise SpecError(f"{path}: available_after_days {days} is before the end of the period. Set it to 0 or more.")


def _load(path: Path, columns: Mapping[str, str], sheet: str | None, encoding: str | None) -> _Rows:
    """Read the mapped columns, by the extension of the file."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        grid = read_csv(path, encoding=encoding)
        return _mapped(path, columns, list(grid.header), grid.rows, [f"{path}: line {line}" for line in grid.lines])
    if suffix == ".xlsx":
        return _load_excel(path, columns, sheet)
    if suffix == ".parquet":
        return _load_parquet(path, columns)
    raise InputError(f"{path}: extension {suffix or 'none'!r} is not read. Save the table as .csv, .xlsx or .parquet.")


def _load_excel(path: Path, columns: Mapping[str, str], sheet: str | None) -> _Rows:
    workbook = open_workbook(path)
    names = workbook.sheet_names
    if sheet is None and len(names) > 1:
        raise InputError(
            f"{path}: {len(names)} sheets ({', '.join(map(shown, names[:LISTED]))}), one is expected. Set sheet: to "
            "one."
        )
    chosen = sheet or names[0]
    cells, above, left = sheet_grid(workbook, chosen, path=path)
    texts = [[" ".join(str(cell).split()) for cell in row] for row in cells[:HEADER_SEARCH]]
    filled = [i for i, row in enumerate(texts) if any(row)]
    if not filled:
        raise InputError(f"{path}: sheet {chosen!r} is empty. Put a header row and the counts there, or set sheet.")
    header = next((i for i in filled if set(columns.values()) <= set(texts[i])), filled[0])
    numbered = [(above + i + 1, row) for i, row in enumerate(cells) if i > header]
    places = [f"{path}: sheet {chosen!r} row {line}" for line, _ in numbered]
    rows = _mapped(path, columns, texts[header], [row for _, row in numbered], places)
    letters = {role: f"{column_letters(left + texts[header].index(name))} " for role, name in columns.items()}
    return replace(rows, letters=letters)


def _load_parquet(path: Path, columns: Mapping[str, str]) -> _Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    read_bytes(path)
    try:
        with pq.ParquetFile(path) as file:
            header = list(file.schema_arrow.names)
            _check_columns(path, columns, header)
            table = file.read(columns=list(dict.fromkeys(columns.values())))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: not a readable Parquet file ({' '.join(str(error).split())}). Write the file again."
        ) from error
    values = {role: table.column(name).to_pylist() for role, name in columns.items()}
    return _Rows(columns, values, [f"{path}: row {i + 1}" for i in range(table.num_rows)], {})


def _check_columns(path: Path, columns: Mapping[str, str], header: Sequence[str]) -> None:
    if not set(columns.values()) <= set(header):
        refuse_data_as_header(header, where=str(path))
    for role, name in columns.items():
        if name not in header:
            raise InputError(f"{path}: no column {name!r} (for {role}); {nearest(name, header)} Correct columns.")
        if header.count(name) > 1:
            raise InputError(
                f"{path}: {header.count(name)} columns are named {name!r} (for {role}). Rename one of them."
            )


def _mapped(
    path: Path, columns: Mapping[str, str], header: list[str], rows: list[list[Any]], places: list[str]
) -> _Rows:
    _check_columns(path, columns, header)
    values = {role: [row[header.index(name)] for row in rows] for role, name in columns.items()}
    return _Rows(columns, values, places, {})


def _records(
    rows: _Rows, freq: str, formats: Sequence[str], allow_fractions: bool, single: tuple[str, str]
) -> list[tuple[str, str, pd.Timestamp, float, str]]:
    """Read every row; refuse what is no area, period or count, and two counts of one area and period."""
    records = []
    faults = Faults()
    seen: dict[tuple[str, pd.Timestamp], int] = {}
    written: dict[tuple[str, ...], tuple[str, str, int]] = {}
    for i in range(len(rows.places)):
        if all(values[i] is None or str(values[i]).strip() == "" for values in rows.values.values()):
            continue
        area = ds = count = None
        with faults.kept():
            area = _area(rows, i, written) if "area" in rows.columns else single
        with faults.kept():
            ds = read_period(rows.values["ds"][i], freq=freq, formats=formats, where=rows.where(i, "ds"))
        with faults.kept():
            count = read_count(rows.values["y"][i], allow_fractions=allow_fractions, where=rows.where(i, "y"))
        if area is None or ds is None:
            continue
        earlier = seen.setdefault((area[0], ds), i)
        if earlier != i:
            faults.add(
                [
                    InputError(
                        f"{rows.where(i, 'ds')}: area {shown(area[0])} has a count for {ds:%Y-%m-%d} already, at "
                        f"{rows.places[earlier]}; one row an area and period is allowed. Add up or remove the repeat."
                    )
                ]
            )
        elif count is not None:
            records.append((*area, ds, *count))
    faults.refuse()
    return records


def _area(rows: _Rows, index: int, written: dict[tuple[str, ...], tuple[str, str, int]]) -> tuple[str, str]:
    """Return code and name of the area of a row; the value of a personal identifier is never shown."""
    texts = {}
    for role in ("area", "area_name"):
        if role not in rows.columns:
            continue
        value = rows.values[role][index]
        texts[role] = "" if value is None else " ".join(str(value).split())
        if looks_personal(value):
            raise InputError(
                f"{rows.where(index, role)}: the value (not shown) looks like a postcode, UPN or NHS number; an area "
                "is a group of people. Map a column such as locality or ward, and count rows by it."
            )
        if not texts[role]:
            raise InputError(f"{rows.where(index, role)}: the area is blank. Fill it in, or write 'Unknown'.")
        if texts[role][0] in FORMULA or not texts[role].isprintable():
            raise InputError(
                f"{rows.where(index, role)}: {shown(texts[role])} begins like an Excel formula or holds a character "
                "that does not print. Write a plain name."
            )
    code, name = texts["area"], texts.get("area_name", texts["area"])
    known, called, first = written.setdefault((code.casefold(),), (code, name, index))
    told = written.setdefault((code, name), (code, name, index))[2] != index
    if (known, called) != (code, name) and not told:
        raise InputError(
            f"{rows.where(index, 'area')}: area {shown(code)} ({name}) is written {shown(known)} ({called}) at "
            f"{rows.places[first]}; one spelling an area is expected. Correct one of them."
        )
    return code, name


def _warnings(path: Path, frame: pd.DataFrame, freq: str) -> list[str]:
    """List periods without a row, and how many values are missing for which reason."""
    found = []
    for code, part in frame.groupby("area_code"):
        grid = pd.date_range(part["ds"].min(), part["ds"].max(), freq=freq)
        absent = grid.difference(pd.DatetimeIndex(part["ds"]))
        if len(absent):
            named = ", ".join(f"{day:%Y-%m-%d}" for day in absent[:6]) + (", ..." if len(absent) > 6 else "")
            found.append(
                f"{path.name}: area {shown(code)}: {len(absent)} periods without a row ({named}); they stay gaps."
            )
    for reason, count in frame.loc[frame["reason"].ne(""), "reason"].value_counts(sort=False).sort_index().items():
        found.append(f"{path.name}: {count} values have no figure, reason {reason!r}; they are missing, not zero.")
    return found
