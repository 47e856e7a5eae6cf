"""Strict reading of CSV text and Excel cells: every error can name the file, the line or cell, and the value.

Readers ask for text, not for guesses: pandas reads `12/02/2026` as 2 December and shifts columns in
silence when a line has one field too many. Here a line that does not fit its header is refused.
"""

from __future__ import annotations

import calendar
import csv
import difflib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from forecast.errors import InputError, SpecError

UTF8_BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
ZIP_MAGIC = b"PK\x03\x04"

_PERSONAL = re.compile(
    r"(?<![A-Z\d])("
    r"[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}"  # full postcode
    r"|[A-Z]\d{11}[A-Z\d]"  # unique pupil number
    r"|\d{3}[\s-]?\d{3}[\s-]?\d{4}"  # NHS number; a unique learner number has ten digits too
    r")(?![A-Z\d])"
)
_NUMBER = re.compile(r"[<£+-]?\s*\d[\d,.\s]*%?")
_MONTH = f"(?:{'|'.join(f'{name[:3]}t?|{name}' for name in calendar.month_name[1:])})"
_DATE = re.compile(
    r"\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}|(?<!\d)(?:19|20)\d\d[/.-]\d{1,2}(?!\d)|^\d{1,2}[/.-]\d{4}$"
    rf"|\d[\s/.-]*{_MONTH}\b|\b{_MONTH}[\s/.-]*\d",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[^\W\d_][\w ()/&'.-]*")
LISTED = 10


@dataclass(frozen=True)
class Grid:
    """A header and its rows, with the way back to the place in the file.

    Attributes
    ----------
    header : tuple of str
        Column names, surrounding blanks removed; "" where the file has none.
    rows : list of list
        Text for CSV; str, float, bool, date and the like for Excel. Each row is as long as the header.
    lines : list of int
        Line (CSV) or row (Excel) number of each row, from 1.
    """

    header: tuple[str, ...]
    rows: list[list[Any]]
    lines: list[int]


def nearest(word: str, known: Iterable[str]) -> str:
    """Say which known words are nearest to a word, or list the first ten; words that are not plain stay unsaid.

    Examples
    --------
    >>> nearest("Mnth", ["Month", "Referrals"])
    "did you mean 'Month'?"
    >>> nearest("zz", ["Month", "Referrals"])
    "known: 'Month', 'Referrals'."
    """
    names = [name for name in known if _PLAIN.fullmatch(name) and len(name) <= 60 and not looks_like_data(name)]
    folded = {name.casefold(): name for name in names}
    found = difflib.get_close_matches(word.casefold(), list(folded), n=3, cutoff=0.6)
    if found:
        return f"did you mean {' or '.join(repr(folded[name]) for name in found)}?"
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"known: {', '.join(repr(name) for name in names[:LISTED]) or 'none in plain words'}{more}."


def looks_personal(value: object) -> bool:
    """Tell whether a value is or holds something of the shape of a full postcode, a UPN or an NHS number.

    Examples
    --------
    >>> looks_personal("SK1 3XE"), looks_personal("SK4"), looks_personal("NHS no. 943 476 5919")
    (True, False, True)
    """
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return _PERSONAL.search(text.upper()) is not None


def looks_like_data(cell: object) -> bool:
    """Tell whether a cell holds a number, a date or what identifies a child: no name of a column does.

    Examples
    --------
    >>> [looks_like_data(cell) for cell in ("1,204", "12/02/2026", "3 Mar 2015", "SK1 3XE", "Aged 0-4", "Referrals")]
    [True, True, True, True, False, False]
    """
    text = str(cell).strip()
    return bool(_NUMBER.fullmatch(text) or _DATE.search(text)) or looks_personal(cell)


def refuse_data_as_header(header: Iterable[object], *, where: str) -> None:
    """Refuse a first line that holds data, without quoting it: it may be about a child.

    Raises
    ------
    InputError
        If a cell looks like data.
    """
    if any(looks_like_data(cell) for cell in header):
        raise InputError(
            f"{where}: the first line looks like data, not a header (not shown). "
            "Add a header line that names the columns in words."
        )


def shown(value: object) -> str:
    """Quote a value for an error message: shortened, and never something that identifies a child.

    Examples
    --------
    >>> shown("12/02/2026"), shown("SK1 3XE")
    ("'12/02/2026'", '<hidden: looks like a postcode, UPN or NHS number>')
    """
    if looks_personal(value):
        return "<hidden: looks like a postcode, UPN or NHS number>"
    text = " ".join(str(value).split())
    return repr(text if len(text) <= 40 else text[:37] + "...")


def column_letters(index: int) -> str:
    """Name an Excel column, counted from 0.

    Examples
    --------
    >>> column_letters(0), column_letters(25), column_letters(46)
    ('A', 'Z', 'AU')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def read_bytes(path: Path) -> bytes:
    """Read a file, or say that it is missing or empty.

    Raises
    ------
    InputError
        If there is no such file, it cannot be opened or it has no bytes.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or "cannot be read"
        raise InputError(f"{path}: {reason}. Check the path, or export the file again.") from error
    if not content:
        raise InputError(f"{path}: the file is empty (0 bytes). Export it again with a header line and rows.")
    return content


def open_workbook(path: Path) -> CalamineWorkbook:
    """Open an Excel workbook.

    Raises
    ------
    InputError
        If the file is missing, empty, truncated, protected or not a workbook.
    """
    content = read_bytes(path)
    try:
        return CalamineWorkbook.from_object(io.BytesIO(content))
    except CalamineError as error:
        raise InputError(
            f"{path}: not a readable Excel workbook ({len(content)} bytes: {error}); it is truncated, protected or "
            "another kind of file. Download it again, or save it as .xlsx without a password."
        ) from error


def sheet_grid(workbook: CalamineWorkbook, sheet: str, *, path: Path) -> tuple[list[list[Any]], int, int]:
    """Return the cells of a sheet and the row and column offset of the first one.

    Returns
    -------
    tuple of (list of list, int, int)
        Cells of the used area (empty cells are ""), then the number of unused rows above and of unused
        columns to the left.

    Raises
    ------
    InputError
        If the sheet is missing or its contents are damaged.
    """
    if sheet not in workbook.sheet_names:
        raise InputError(
            f"{path}: no sheet {sheet!r}; {nearest(sheet, workbook.sheet_names)} Name the sheet that holds the figures."
        )
    try:
        page = workbook.get_sheet_by_name(sheet)
        start = page.start or (0, 0)
        return page.to_python(), start[0], start[1]
    except CalamineError as error:
        raise InputError(f"{path}: sheet {sheet!r} is damaged ({error}). Download or save the file again.") from error


def decode(content: bytes, path: Path, encoding: str | None) -> str:
    """Decode CSV bytes as UTF-8 (with or without BOM), or in the encoding asked for.

    Raises
    ------
    InputError
        If the bytes are not text in that encoding; the message gives the line and the encoding to set.
    SpecError
        If the encoding has no codec.
    """
    if content.startswith(ZIP_MAGIC):
        raise InputError(
            f"{path}: an Excel workbook or zip with the wrong extension. Rename it to .xlsx, or save as CSV."
        )
    if encoding is None and content.startswith(UTF16_BOMS):
        raise InputError(f"{path}: the text is UTF-16, UTF-8 is expected. Set encoding: utf-16, or save as CSV UTF-8.")
    name = encoding or "utf-8"
    try:
        text = content.removeprefix(UTF8_BOM).decode(name)
    except LookupError as error:
        raise SpecError(f"{path}: unknown encoding {name!r}. Use utf-8, cp1252 or utf-16.") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        other = "cp1252" if name.lower().replace("-", "") == "utf8" else "utf-8"
        raise InputError(
            f"{path}: line {line}: byte 0x{content[error.start]:02x} is not {name} text. "
            f"Set encoding: {other}, or save the file as CSV UTF-8."
        ) from error
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise InputError(f"{path}: line {line}: a NUL character; this is not a CSV text. Save the file as CSV UTF-8.")
    return text


def read_csv(path: Path, *, encoding: str | None = None) -> Grid:
    """Read a comma-separated file as text and check the number of fields of every line.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Codec of the file; UTF-8 with or without BOM when not given.

    Returns
    -------
    Grid
        All fields as text, surrounding blanks removed; lines without any text are left out.

    Raises
    ------
    InputError
        If the file is missing, empty, not text, not comma-separated, badly quoted, or a line has more or
        fewer fields than the header.
    """
    text = decode(read_bytes(path), path, encoding)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: tuple[str, ...] | None = None
    rows: list[list[Any]] = []
    lines: list[int] = []
    try:
        for raw in reader:
            fields = [field.strip() for field in raw]
            if not any(fields):
                continue
            if header is None:
                header = tuple(fields)
                _check_delimiter(header, path, reader.line_num)
                continue
            if len(fields) != len(header):
                raise InputError(
                    f"{path}: line {reader.line_num}: {len(fields)} fields, the header has {len(header)}. "
                    "Quote values that contain a comma, and give every line the same number of fields."
                )
            rows.append(fields)
            lines.append(reader.line_num)
    except csv.Error as error:
        raise InputError(
            f"{path}: line {reader.line_num}: broken quoting ({error}). Close the quotation marks."
        ) from error
    if header is None:
        raise InputError(f"{path}: no text in the file. Export it again with a header line and rows.")
    return Grid(header, rows, lines)


def _check_delimiter(header: tuple[str, ...], path: Path, line: int) -> None:
    """Refuse a file whose header is split by something other than commas."""
    if len(header) > 1:
        return
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if mark in header[0]:
            raise InputError(
                f"{path}: line {line}: columns are separated by {name} ({mark!r}), commas are expected. "
                "Save the file as CSV (comma delimited)."
            )
