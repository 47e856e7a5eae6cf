"""One monthly workbook of NHS England's community health services waiting lists, in any of its layouts.

Each workbook gives one month: Table 4 holds the total waiting list by service, Tables 4a to 4g the seven
wait bands, a row an organisation. The layout drifts between months: the header row moves, the columns
before the services are unlabelled, then "Organisation Type, Organisation Name" (with "level, name" in one
table), then gain an "Organisation Code"; "Organisation" becomes "Provider"; names turn to upper case; the
publication date is a date, then text. Places are found by what the cells say, and what a table says it is
gets checked.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from python_calamine import CalamineWorkbook

from forecast.errors import InputError
from forecast.sources.text import column_letters, nearest, open_workbook, sheet_grid, shown

# sheet -> (column of the tidy frame, what the first line of the sheet must say)
TABLES = {
    "Table 4": ("total", "total waiting list"),
    "Table 4a": ("w0_1", "waiting >?0-1 weeks"),
    "Table 4b": ("w1_2", "waiting >?1-2 weeks"),
    "Table 4c": ("w2_4", "waiting >?2-4 weeks"),
    "Table 4d": ("w4_12", "waiting >?4-12 weeks"),
    "Table 4e": ("w12_18", "waiting >?12-18 weeks"),
    "Table 4f": ("w18_52", "waiting >?18-52 weeks"),
    "Table 4g": ("w52plus", "waiting (over |>)52 weeks"),
}
VALUES = tuple(column for column, _ in TABLES.values())
LEVELS = {"national": "National", "region": "Region", "icb": "ICB", "organisation": "Provider", "provider": "Provider"}
LEAD_LABELS = {
    "level": ("", "level", "organisation type"),
    "code": ("code", "organisation code"),
    "name": ("", "name", "organisation name"),
}
MARKS = {"": "not_submitted", "*": "small"}
COMPARE = "Compare it with an earlier month, and correct the cell or download the workbook again."


@dataclass(frozen=True)
class Cells:
    """One sheet of one workbook; row and column 0 are the first used ones."""

    path: Path
    sheet: str
    rows: list[list[Any]]
    above: int
    left: int

    @classmethod
    def of(cls, workbook: CalamineWorkbook, path: Path, sheet: str) -> Cells:
        """Read a sheet of an open workbook."""
        return cls(path, sheet, *sheet_grid(workbook, sheet, path=path))

    def at(self, row: int, column: int) -> str:
        """Name a cell as Excel does, with file and sheet."""
        return f"{self.path}: {self.sheet}!{column_letters(self.left + column)}{self.above + row + 1}"

    def text(self, row: int, column: int) -> str:
        """Return the text of a cell with single blanks."""
        return " ".join(str(self.rows[row][column]).split())


@dataclass(frozen=True)
class Layout:
    """Where a table keeps its header, its leading columns and the services that are wanted."""

    header: int
    lead: dict[str, int]
    services: tuple[tuple[int, str], ...]
    levels_named: bool


def read_workbook(path: str | Path, *, service: str | None = None) -> pd.DataFrame:
    """Read one monthly workbook, in any layout, into a tidy frame.

    Parameters
    ----------
    path : str or Path
        The workbook as published (.xlsx).
    service : str, optional
        Read only the services whose label contains this text, in any case. Default: all.

    Returns
    -------
    DataFrame
        One row an organisation and service: `month` (Timestamp), `level` (National, Region, ICB, Provider),
        `code` ("" where the workbook has none), `name` and `service` as published, `age_group` ("Adult",
        "CYP"), persons waiting in `total`, `w0_1`, `w1_2`, `w2_4`, `w4_12`, `w12_18`, `w18_52`, `w52plus`
        (weeks; float, NaN when not published), and for each a `<value>_reason`: "", "not_submitted"
        (blank) or "small" (`*`).

    Raises
    ------
    InputError
        If the file is truncated, a sheet, header or service is missing, or a cell holds something other
        than a count, a blank or `*`. The message names file, sheet, cell and value.
    """
    path = Path(path)
    workbook = open_workbook(path)
    month = _month(workbook, path)
    frame = pd.DataFrame()
    for sheet, (column, says) in TABLES.items():
        cells = Cells.of(workbook, path, sheet)
        _check_title(cells, says, month)
        table = _read_table(cells, column, service)
        frame = _join(frame, table, cells, column) if len(frame) else table
    reasons = [f"{column}_reason" for column in VALUES]
    named = frame.assign(month=month)
    return named[["month", "level", "code", "name", "service", "age_group", *VALUES, *reasons]]


def publication_date(path: Path) -> tuple[pd.Timestamp, str]:
    """Return the day a workbook became public, and a warning when only its file name tells the month.

    Raises
    ------
    InputError
        If neither the cover sheet nor the file name gives a date.
    """
    workbook = open_workbook(path)
    cover = next((sheet for sheet in workbook.sheet_names if sheet.casefold().startswith("cover")), "")
    cells = Cells.of(workbook, path, cover) if cover else Cells(path, cover, [], 0, 0)
    days = []
    for i, row in enumerate(cells.rows):
        label = str(row[0]).strip().rstrip(":").casefold()
        if label in ("published", "revised") and len(row) > 1 and cells.text(i, 1) not in ("", "-"):
            days.append(_cover_date(cells, i))
    if days:
        return max(days), ""
    named = re.search(r"(20\d\d)-(0[1-9]|1[0-2])", path.name)
    if named is None:
        raise InputError(
            f"{path}: no publication date: the cover sheet has no 'Published:' date and the file name no YYYY-MM. "
            "Name the file after its month of publication, for example community_health_2023-11.xlsx."
        )
    last = pd.Timestamp(int(named[1]), int(named[2]), 1) + pd.offsets.MonthEnd(0)
    return last, (
        f"{path.name}: no publication date on the cover; the last day of the month in the file name, "
        f"{last:%Y-%m-%d}, is used so that nothing is seen too early."
    )


def _cover_date(cells: Cells, row: int) -> pd.Timestamp:
    value = cells.rows[row][1]
    if isinstance(value, dt.date):
        return pd.Timestamp(value)
    try:
        return pd.Timestamp(dt.datetime.strptime(cells.text(row, 1), "%d/%m/%Y"))
    except ValueError as error:
        raise InputError(
            f"{cells.at(row, 1)}: {cells.text(row, 0)} {shown(value)} is not a date; an Excel date or dd/mm/yyyy is "
            f"expected. {COMPARE}"
        ) from error


def _month(workbook: CalamineWorkbook, path: Path) -> pd.Timestamp:
    """Find the month of Table 4: in its own title, or, when that names none, in the contents."""
    cells = Cells.of(workbook, path, "Table 4")
    texts = [cells.text(0, 0)] if cells.rows else []
    if "Contents" in workbook.sheet_names:
        contents = [str(cell) for row in Cells.of(workbook, path, "Contents").rows for cell in row]
        texts += [text for text in contents if text.startswith("Table 4:")]
    for text in texts:
        month = _month_in(text)
        if month is not None:
            return month
    raise InputError(
        f"{path}: neither the title of sheet 'Table 4' nor its line in 'Contents' names a month such as 'January "
        f"2023' (found {'; '.join(shown(text) for text in texts) or 'no text'}). Check that this is a monthly workbook."
    )


def _month_in(text: str) -> pd.Timestamp | None:
    names = list(calendar.month_name)
    found = re.search(rf"\b({'|'.join(names[1:])}) (20\d\d)\b", text)
    return None if found is None else pd.Timestamp(int(found[2]), names.index(found[1]), 1)


def _check_title(cells: Cells, says: str, month: pd.Timestamp) -> None:
    """Refuse a sheet whose first line names another band or another month."""
    title = cells.text(0, 0) if cells.rows else ""
    if re.search(says, title, flags=re.IGNORECASE) is None:
        raise InputError(
            f"{cells.path}: sheet {cells.sheet!r} is titled {shown(title)}, a title matching {says!r} is expected; the "
            f"tables may have been renumbered. {COMPARE}"
        )
    stated = _month_in(title)
    if stated is not None and stated != month:
        raise InputError(
            f"{cells.path}: sheet {cells.sheet!r} is for {stated:%B %Y} but Table 4 is for {month:%B %Y}; all tables "
            f"of a workbook are for one month. {COMPARE}"
        )


def _read_table(cells: Cells, column: str, service: str | None) -> pd.DataFrame:
    """Read one table: a row an organisation and wanted service, with the value and its reason."""
    layout = _layout(cells, service)
    records = []
    seen: dict[tuple[str, str], int] = {}
    level = ""
    for i in range(layout.header + 1, len(cells.rows)):
        name = cells.text(i, layout.lead["name"])
        if not name:
            _refuse_nameless(cells, i, layout)
            continue
        level = _level(cells, i, layout, level)
        earlier = seen.setdefault((level, name.upper()), i)
        if earlier != i:
            raise InputError(
                f"{cells.at(i, layout.lead['name'])}: {level} {shown(name)} stands in row {cells.above + earlier + 1} "
                f"already; one row an organisation is allowed. {COMPARE}"
            )
        code = cells.text(i, layout.lead["code"]) if "code" in layout.lead else ""
        for j, label in layout.services:
            group = "CYP" if label.startswith("(CYP)") else "Adult"
            records.append((level, code, name, label, group, *_count(cells, i, j, label)))
    if not records:
        raise InputError(f"{cells.path}: sheet {cells.sheet!r} has a header but no organisation. {COMPARE}")
    fields = ["level", "code", "name", "service", "age_group", column, f"{column}_reason"]
    return pd.DataFrame.from_records(records, columns=fields)


def _layout(cells: Cells, service: str | None) -> Layout:
    """Find the header row, the leading columns and the wanted services of a table."""
    header, first = _header(cells)
    order = {2: ("level", "name"), 3: ("level", "code", "name")}.get(first)
    if order is None:
        raise InputError(
            f"{cells.at(header, first)}: {first} columns stand before the first service, 2 or 3 are expected (level, "
            f"code, name). {COMPARE}"
        )
    for j, role in enumerate(order):
        label = cells.text(header, j)
        if label.casefold() not in LEAD_LABELS[role]:
            raise InputError(
                f"{cells.at(header, j)}: header {shown(label)} is not known for the {role} column; "
                f"{nearest(label, LEAD_LABELS[role])} {COMPARE}"
            )
    labels = [(j, cells.text(header, j)) for j in range(first, len(cells.rows[header]))]
    wanted = tuple((j, label) for j, label in labels if label and (service or "").casefold() in label.casefold())
    if not wanted:
        raise InputError(
            f"{cells.at(header, first)}: no service in the header row contains {service!r}; "
            f"{nearest(service or '', [label for _, label in labels])} {COMPARE}"
        )
    return Layout(header, {role: j for j, role in enumerate(order)}, wanted, cells.text(header, 0) != "")


def _header(cells: Cells) -> tuple[int, int]:
    """Find the header row and the first service column: the first cell that starts with (A) or (CYP)."""
    for i, row in enumerate(cells.rows[:15]):
        for j, cell in enumerate(row):
            if str(cell).startswith(("(A)", "(CYP)")):
                return i, j
    raise InputError(
        f"{cells.path}: sheet {cells.sheet!r} has no header row with '(A) ...' and '(CYP) ...' services in its first "
        f"15 rows. {COMPARE}"
    )


def _refuse_nameless(cells: Cells, row: int, layout: Layout) -> None:
    """Refuse figures without an organisation; a line without figures is a footnote or empty."""
    for j, label in layout.services:
        if cells.text(row, j):
            raise InputError(
                f"{cells.at(row, layout.lead['name'])}: no organisation name, yet {shown(label)} has "
                f"{shown(cells.rows[row][j])}; each figure needs its organisation. {COMPARE}"
            )


def _level(cells: Cells, row: int, layout: Layout, above: str) -> str:
    """Return the level of a row; layouts without a level header name it in the first row of a block only."""
    label = cells.text(row, layout.lead["level"])
    if label.casefold() in LEVELS:
        return LEVELS[label.casefold()]
    if not label and cells.text(row, layout.lead["name"]).casefold() == "england":
        return "National"
    if not label and above not in ("", "National") and not layout.levels_named:
        return above
    raise InputError(
        f"{cells.at(row, layout.lead['level'])}: level {shown(label)} of "
        f"{shown(cells.text(row, layout.lead['name']))} is "
        f"not known; {nearest(label, dict.fromkeys(LEVELS.values()))} {COMPARE}"
    )


def _count(cells: Cells, row: int, column: int, label: str) -> tuple[float, str]:
    """Read a count of persons, or why there is none."""
    cell = cells.rows[row][column]
    if isinstance(cell, float | int) and not isinstance(cell, bool) and cell >= 0 and float(cell).is_integer():
        return float(cell), ""
    if isinstance(cell, str) and cell.strip() in MARKS:
        return float("nan"), MARKS[cell.strip()]
    raise InputError(
        f"{cells.at(row, column)}: {shown(cell)} under {shown(label)} is not a count; a whole number from 0, a blank "
        "or '*' "
        f"is expected. {COMPARE}"
    )


def _join(frame: pd.DataFrame, table: pd.DataFrame, cells: Cells, column: str) -> pd.DataFrame:
    """Put one more value column beside the others; the organisations must be those of Table 4."""
    key = ["level", "name", "service"]
    mine, theirs = (part[key].apply(lambda text: text.str.upper()) for part in (frame, table))
    differ = pd.concat([mine, theirs]).drop_duplicates(keep=False)
    if len(differ):
        first = differ.iloc[0]
        raise InputError(
            f"{cells.path}: sheets 'Table 4' and {cells.sheet!r} do not list the same rows: {first['level']} "
            f"{shown(first['name'])}, {shown(first['service'])} is in one only. {COMPARE}"
        )
    values = table.set_index(pd.MultiIndex.from_frame(theirs))[[column, f"{column}_reason"]]
    aligned = values.reindex(pd.MultiIndex.from_frame(mine))
    return frame.assign(**{name: aligned[name].to_numpy() for name in aligned.columns})
