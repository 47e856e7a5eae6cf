"""ONS subnational population projections: persons by area, sex and single year of age.

Source: Office for National Statistics, subnational population projections (Open Government Licence v3.0).
A projection is a reference table: it is dated where it is shown and not cut by an as-of date.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.sources.text import Grid, nearest, read_csv, refuse_data_as_header, shown

NEEDED = ("AREA_CODE", "AREA_NAME", "COMPONENT", "SEX", "AGE_GROUP")
SEXES = ("persons", "males", "females")
OLDEST = "90 and over"
ALL_AGES = "all ages"
NEXT_STEP = "Download the projection again, or correct the file."


def read(path: str | Path, *, encoding: str | None = None) -> pd.DataFrame:
    """Read a projection in the layout ONS publishes: a row an area, sex and age, a column a mid-year.

    Parameters
    ----------
    path : str or Path
        CSV with AREA_CODE, AREA_NAME, COMPONENT, SEX, AGE_GROUP and one column a year.
    encoding : str, optional
        Codec of the file; UTF-8 with or without BOM when not given.

    Returns
    -------
    DataFrame
        `area_code`, `area_name`, `sex` ("persons", "males", "females"), `age` (int; 90 stands for 90 and over;
        "All ages" is left out), `year` (int; the count is for 30 June), `persons` (float), and `january`
        (int, `year + 1`). Rows of components other than Population (births, migration) are left out.

    Raises
    ------
    InputError
        If a column is missing, an age, sex or count is not readable, or a row is repeated. The message
        names file, line, column, value and next step.

    Notes
    -----
    The population at mid-year Y is the nearest one to the children counted at the January census of Y+1,
    whose ages are those at 31 August of Y: rates of plans in January use `january`.
    """
    path = Path(path)
    grid = read_csv(path, encoding=encoding)
    years = [name for name in grid.header if re.fullmatch(r"(19|20)\d\d", name)]
    _check_header(grid, years, path)
    place = {name: grid.header.index(name) for name in (*NEEDED, *years)}
    records: list[tuple[str, str, str, int, int, float]] = []
    seen: dict[tuple[str, str, int], int] = {}
    for row, line in zip(grid.rows, grid.lines, strict=True):
        component, label = row[place["COMPONENT"]], row[place["AGE_GROUP"]]
        if component.casefold() != "population" or label.casefold() == ALL_AGES:
            continue
        code, name = row[place["AREA_CODE"]], row[place["AREA_NAME"]]
        sex = _sex(row[place["SEX"]], path, line)
        age = _age(label, path, line)
        earlier = seen.setdefault((code, sex, age), line)
        if earlier != line:
            raise InputError(
                f"{path}: line {line}: {shown(code)} {sex} aged {label} stands in line {earlier} already; one row an "
                "area, "
                f"sex and age is allowed. {NEXT_STEP}"
            )
        for year in years:
            records.append((code, name, sex, age, int(year), _persons(row[place[year]], path, line, year)))
    if not records:
        raise InputError(f"{path}: no row with COMPONENT 'Population' and a single age; nothing to read. {NEXT_STEP}")
    frame = pd.DataFrame.from_records(records, columns=["area_code", "area_name", "sex", "age", "year", "persons"])
    return frame.assign(january=frame["year"] + 1)


def _check_header(grid: Grid, years: list[str], path: Path) -> None:
    if not set(NEEDED) <= set(grid.header):
        refuse_data_as_header([name for name in grid.header if name not in years], where=str(path))
    for name in NEEDED:
        if name not in grid.header:
            raise InputError(f"{path}: no column {name!r}; {nearest(name, grid.header)} {NEXT_STEP}")
    if not years:
        raise InputError(f"{path}: none of the {len(grid.header)} columns is a year such as 2022. {NEXT_STEP}")
    twice = sorted({name for name in (*NEEDED, *years) if grid.header.count(name) > 1})
    if twice:
        raise InputError(
            f"{path}: column {twice[0]!r} occurs more than once in the header; once is allowed. {NEXT_STEP}"
        )


def _sex(label: str, path: Path, line: int) -> str:
    if label.casefold() in SEXES:
        return label.casefold()
    raise InputError(
        f"{path}: line {line}, column 'SEX': {shown(label)} is not known; {nearest(label, SEXES)} {NEXT_STEP}"
    )


def _age(label: str, path: Path, line: int) -> int:
    if label.casefold() == OLDEST:
        return 90
    if re.fullmatch(r"\d|[1-8]\d", label):
        return int(label)
    raise InputError(
        f"{path}: line {line}, column 'AGE_GROUP': {shown(label)} is not a single age; 0 to 89, '{OLDEST}' or 'All "
        f"ages' is expected. {NEXT_STEP}"
    )


def _persons(text: str, path: Path, line: int, year: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    raise InputError(
        f"{path}: line {line}, column '{year}': {shown(text)} is not a number of persons; a plain number from 0 is "
        f"expected. {NEXT_STEP}"
    )
