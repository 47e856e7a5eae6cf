"""Area codes over the years: which retired code belongs to which area of today.

Two kinds of retired code are joined to a later one, each with the evidence for it: an area that was merely
re-coded (same DfE number), and an area that kept its name through a change of boundary (a new DfE number);
the latter's older figures are marked in `note`. Areas that were merged or split under other names keep
their own codes and end or begin.
"""

from __future__ import annotations

import pandas as pd

from forecast.sources.sen2_schema import fold

CODE_COLUMNS = ("retired_code", "old_la_code", "area_code", "kind", "evidence")
RECODED = "re-coded"
BOUNDARY = "boundary_change"


def retired_codes(raw: pd.DataFrame) -> pd.DataFrame:
    """Find the codes that later ones replaced.

    Parameters
    ----------
    raw : DataFrame
        Rows of one or more releases: geographic_level, area_code, old_la_code, area_name, year, measure.

    Returns
    -------
    DataFrame
        `CODE_COLUMNS`: the code that appears last is the current one.
    """
    local = raw[raw["geographic_level"].eq("local_authority")]
    first = local.groupby("area_code")["year"].min()
    latest = local.sort_values("year").drop_duplicates("area_code", keep="last").set_index("area_code")
    found: list[tuple[str, str, str, str, str]] = []
    for number, group in latest.groupby("old_la_code"):
        codes = sorted(group.index, key=lambda code: (first[code], code))
        for retired in codes[:-1]:
            evidence = f"both are DfE number {number}, {group.loc[codes[-1], 'area_name']}"
            found.append((retired, str(number), codes[-1], RECODED, evidence))
    current = latest.drop(index=[row[0] for row in found])
    for _, group in current.groupby(current["area_name"].map(fold)):
        codes = sorted(group.index, key=lambda code: (first[code], code))
        for retired in codes[:-1]:
            old, new = (str(group.loc[code, "old_la_code"]) for code in (retired, codes[-1]))
            evidence = f"both are named {group.loc[retired, 'area_name']}; DfE number {old} became {new}"
            found.append((retired, old, codes[-1], BOUNDARY, evidence))
    return pd.DataFrame(found, columns=list(CODE_COLUMNS), dtype=str).sort_values("retired_code", ignore_index=True)


def recoded(raw: pd.DataFrame, *, codes: pd.DataFrame) -> pd.DataFrame:
    """Put rows under the latest code and name of their area; note figures from before a boundary change.

    Parameters
    ----------
    raw : DataFrame
        Rows of one or more releases.
    codes : DataFrame
        `CODE_COLUMNS` known from before; what the rows show themselves comes first.
    """
    table = pd.concat([retired_codes(raw), codes], ignore_index=True).drop_duplicates("retired_code")
    step = dict(zip(table["retired_code"], table["area_code"], strict=True))
    kind = dict(zip(table["retired_code"], table["kind"], strict=True))
    published = raw["area_code"]
    code = published.map(lambda c: _end_of_chain(c, step))
    moved = published.map(lambda c: kind.get(c) == BOUNDARY)
    was = "boundary_change: published for the area as it was under code " + published
    latest = raw.assign(area_code=code).sort_values(["year", "rank"]).drop_duplicates("area_code", keep="last")
    by_code = latest.set_index("area_code")
    return raw.assign(
        area_code=code,
        area_name=code.map(by_code["area_name"]),
        region_code=code.map(by_code["region_code"]),
        note=raw["note"].where(~moved, was.where(raw["note"].eq(""), raw["note"] + "; " + was)),
    )


def _end_of_chain(code: str, step: dict[str, str]) -> str:
    seen = {code}
    while (later := step.get(code)) is not None and later not in seen:
        seen.add(later)
        code = later
    return code


def area_table(raw: pd.DataFrame) -> pd.DataFrame:
    """List every area of the releases under its latest code.

    Returns
    -------
    DataFrame
        area_code, area_name, region_code, region_name, geographic_level, old_la_code, first, last: the first
        and last year with a row; `last` before the latest year marks an area that was abolished.
    """
    ordered = raw.sort_values(["year", "rank"])
    latest = ordered.drop_duplicates("area_code", keep="last").set_index("area_code")
    years = ordered.groupby("area_code")["year"].agg(["min", "max"])
    columns = ["area_name", "region_code", "region_name", "geographic_level", "old_la_code"]
    table = latest[columns].assign(first=years["min"], last=years["max"])
    return table.sort_index().reset_index()
