"""The rows of a referral log as a file holds them, and what may name a group of children.

A file with columns about one child is refused whole: what identifies a child never gets further than this door.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import InputError
from forecast.sources.text import (
    LISTED,
    looks_personal,
    open_workbook,
    read_bytes,
    read_csv,
    refuse_data_as_header,
    sheet_grid,
    shown,
)

HEADER_SEARCH = 20
FORMULA = "=+-@"
_PERSON = re.compile(
    r"\b(nhs (no|num|number)|upn|uln|unique (pupil|learner) (no|number)|d ?o ?b|(date|month) of birth|birth ?date"
    r"|post ?code|(fore|sur|first|last|family|given|full|child'?s?|patient'?s?|pupil'?s?) ?names?"
    r"|(child|patient|pupil|person|client|referral) ?(id|ref|reference|number))\b"
)
_MONTH_NAME = re.compile(r"\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b", re.IGNORECASE)


@dataclass(frozen=True)
class Rows:
    """A table as it stands.

    Attributes
    ----------
    header : sequence of str
    rows : sequence of sequences
        Each as long as the header.
    places : sequence of str
        File and line of each row, for errors.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]
    places: Sequence[str]


def load(path: Path, *, wanted: set[str], sheet: str | None, encoding: str | None) -> Rows:
    """Read a table, by the extension of its file.

    Parameters
    ----------
    path : Path
        .csv, .xlsx or .parquet.
    wanted : set of str
        Column names by which the header of a sheet is known.
    sheet, encoding : str, optional

    Raises
    ------
    InputError
        If the file is not readable or of another kind, if its header holds data, or if a column is about one child.
    """
    rows = _load(path, wanted, sheet, encoding)
    _refuse_persons(path, rows.header)
    return rows


def _load(path: Path, wanted: set[str], sheet: str | None, encoding: str | None) -> Rows:
    suffix = path.suffix.lower()
    if suffix == ".csv":
        grid = read_csv(path, encoding=encoding)
        return Rows(grid.header, grid.rows, [f"{path}: line {line}" for line in grid.lines])
    if suffix == ".xlsx":
        return _load_excel(path, wanted, sheet)
    if suffix == ".parquet":
        return _load_parquet(path)
    raise InputError(f"{path}: extension {suffix or 'none'!r} is not read. Save the log as .csv, .xlsx or .parquet.")


def _load_excel(path: Path, wanted: set[str], sheet: str | None) -> Rows:
    """Take the first row with the wanted names for the header, else the first that is filled."""
    workbook = open_workbook(path)
    names = workbook.sheet_names
    if sheet is None and len(names) > 1:
        listed = ", ".join(map(shown, names[:LISTED]))
        raise InputError(f"{path}: {len(names)} sheets ({listed}), one is expected. Set sheet: to one.")
    chosen = sheet or names[0]
    cells, above, _ = sheet_grid(workbook, chosen, path=path)
    texts = [[" ".join(str(cell).split()) for cell in row] for row in cells[:HEADER_SEARCH]]
    filled = [i for i, row in enumerate(texts) if any(row)]
    if not filled:
        raise InputError(f"{path}: sheet {chosen!r} is empty. Put a header row and the counts there, or set sheet.")
    header = next((i for i in filled if wanted <= set(texts[i])), filled[0])
    places = [f"{path}: sheet {chosen!r} row {above + i + 1}" for i in range(header + 1, len(cells))]
    return Rows(texts[header], cells[header + 1 :], places)


def _load_parquet(path: Path) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    read_bytes(path)
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: not a readable Parquet file ({' '.join(str(error).split())}). Write the file again."
        ) from error
    rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    return Rows(table.column_names, rows, [f"{path}: row {i + 1}" for i in range(len(rows))])


def _refuse_persons(path: Path, header: Sequence[str]) -> None:
    refuse_data_as_header([name for name in header if name], where=str(path))
    for name in header:
        if _PERSON.search(re.sub(r"[\s_.-]+", " ", name).casefold().strip()):
            raise InputError(
                f"{path}: column {name!r} is about one child; a log of counts is expected, a row a month and group. "
                "Count the referrals by month, locality, age band, source and tier, and give that table."
            )


def label(value: object, *, role: str, where: str, spelled: dict[tuple[str, str], tuple[str, str]]) -> str:
    """Return the name of a group of children as a row gives it.

    Parameters
    ----------
    value : object
    role : str
        What it names: "locality", "age_band", "source" or "tier".
    where : str
        Place named in the error.
    spelled : dict
        Spellings met before, by role and folded name; added to.

    Raises
    ------
    InputError
        If it is blank, a date, looks like a formula, is spelled otherwise elsewhere, or identifies a child; that is
        never shown.
    """
    text = "" if value is None else " ".join(str(value).split())
    if looks_personal(value):
        raise InputError(
            f"{where}: the value (not shown) looks like a postcode, UPN or NHS number; groups of children are "
            "expected. Map a column such as locality or ward, and count referrals by it."
        )
    if not text:
        raise InputError(f"{where}: the {role.replace('_', ' ')} is blank. Fill it in, or write 'Unknown'.")
    if isinstance(value, dt.date) or (role == "age_band" and _MONTH_NAME.search(text)):
        raise InputError(
            f"{where}: {shown(text)} is a date; a spreadsheet makes one of '5-10'. Format the column as text and write "
            "the name again."
        )
    if text[0] in FORMULA or not text.isprintable():
        raise InputError(
            f"{where}: {shown(text)} begins like an Excel formula or holds a character that does not print. Write a "
            "plain name."
        )
    known, first = spelled.setdefault((role, text.casefold()), (text, where))
    if known != text:
        raise InputError(
            f"{where}: {shown(text)} is written {shown(known)} at {first}; one spelling is expected. Correct one of "
            "them."
        )
    return text
