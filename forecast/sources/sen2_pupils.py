"""Share of pupils with a statement or an EHC plan, by local authority and January.

Source: Department for Education, local authority interactive tool (Open Government Licence v3.0).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.sources.sen2_schema import fold
from forecast.sources.text import nearest, read_csv, shown

NEEDED = ("la_name", "old_la_code", "january", "pupils_with_plan_pc")
NOT_PUBLISHED = ("-", "")
NEXT_STEP = "Download the file again, or correct the cell."


def read(path: Path, *, codes: Mapping[str, str]) -> pd.DataFrame:
    """Read the shares and put them under the latest code of each area.

    Parameters
    ----------
    path : Path
        CSV with a row an area and January.
    codes : mapping
        Area code by three-digit DfE number (retired ones too), or by folded name for a region and England.

    Returns
    -------
    DataFrame
        `area_code`, `year` (int, of the January), `percent` (float, of pupils in the area's schools). A share that
        is not published has no row. Shares from before a change of boundary are those of the area as it was.

    Raises
    ------
    InputError
        If a column is missing, a cell is not readable, an area with a share is not known, or two rows give the same
        area and January.
    """
    grid = read_csv(path)
    for name in NEEDED:
        if name not in grid.header:
            raise InputError(f"{path.name}: no column '{name}'; {nearest(name, grid.header)} {NEXT_STEP}")
    at = [grid.header.index(name) for name in NEEDED]
    found: dict[tuple[str, int], tuple[int, float]] = {}
    for row, line in zip(grid.rows, grid.lines, strict=True):
        name, number, january, percent = (row[i] for i in at)
        if percent in NOT_PUBLISHED:
            continue
        where = f"{path.name} line {line}"
        code = codes.get(number) or codes.get(fold(name))
        if code is None:
            raise InputError(
                f"{where}, column 'old_la_code': {shown(number)} ({shown(name)}) is not an area of the bundled tables. "
                "Build the release that names it first, or correct the cell."
            )
        figure = _january(january, where), _percent(percent, where)
        earlier, _ = found.setdefault((code, figure[0]), (line, figure[1]))
        if earlier != line:
            raise InputError(
                f"{where}: {shown(name)} ({code}) January {figure[0]} has a share in line {earlier} already; one an "
                f"area and January is allowed. {NEXT_STEP}"
            )
    records = [(code, year, percent) for (code, year), (_, percent) in sorted(found.items())]
    return pd.DataFrame(records, columns=["area_code", "year", "percent"])


def _january(text: str, where: str) -> int:
    if re.fullmatch(r"(19|20)\d\d", text):
        return int(text)
    raise InputError(f"{where}, column 'january': {shown(text)} is not a year such as 2024. {NEXT_STEP}")


def _percent(text: str, where: str) -> float:
    if re.fullmatch(r"\d+(\.\d+)?", text) and float(text) <= 100:
        return float(text)
    raise InputError(
        f"{where}, column 'pupils_with_plan_pc': {shown(text)} is not a percentage from 0 to 100, or '-' where none is "
        f"published. {NEXT_STEP}"
    )
