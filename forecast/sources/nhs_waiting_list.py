"""NHS England community waiting lists: children's speech and language, by month, organisation and wait band.

Source: NHS England, Community Health Services Waiting Lists (Open Government Licence v3.0). The figures are
unvalidated management information; bands need not sum to the total, and a total over a changing set of
providers is not a like-for-like series. The layouts of the workbooks are the business of `nhs_workbook`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.sources.nhs_workbook import VALUES, publication_date, read_workbook
from forecast.sources.observations import FIGURE, Reading, SourceNote, checked, digest_files
from forecast.sources.text import LISTED, shown

__all__ = ["MEASURES", "VALUES", "read", "read_workbook", "readable_name"]

SOURCE_ID = "nhs_community_waiting_lists"
SERVICE = "speech and language"
ENGLAND = "E92000001"
MEASURES = {
    "total": "slt_waiting",
    "w0_1": "slt_waiting_0_1",
    "w1_2": "slt_waiting_1_2",
    "w2_4": "slt_waiting_2_4",
    "w4_12": "slt_waiting_4_12",
    "w12_18": "slt_waiting_12_18",
    "w18_52": "slt_waiting_18_52",
    "w52plus": "slt_waiting_52_plus",
}
OBSERVATION_LEVEL = {"National": "national", "Region": "nhs_region", "ICB": "icb", "Provider": "provider"}
OF_THOSE_THAT_SUBMITTED = "sum over the providers that submitted"
SMALL_WORDS = {"and", "of", "the", "in", "for", "upon", "with", "on"}
ACRONYMS = {"NHS", "CIC", "GP", "ICB", "UK", "HCRG", "CSH", "MSK"}


def read(paths: str | Path | Sequence[str | Path]) -> Reading:
    """Read the children's speech and language waiting lists of one or more workbooks.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Workbooks, or folders (all their .xlsx files).

    Returns
    -------
    Reading
        Measures `slt_waiting` and `slt_waiting_<band>` (persons); levels provider, icb, nhs_region and
        national. `reason` is "not_submitted" where the workbook is blank and "small" where it has `*`.

    Raises
    ------
    InputError
        If a workbook is refused (see `read_workbook`), has not exactly one children's speech and language
        service, or two workbooks of one day disagree.

    Notes
    -----
    The note of a total says that it is a sum over the providers that submitted and, for England, how many did
    where that is not the number of the month before: over a changing set a total is not a like-for-like series.

    `area_code` is the published organisation code. Workbooks that carry names only take the code that
    another of the workbooks gives to the same name (in any case) at the same level; a name that never
    has a code keeps its upper-cased self as code. England is `E92000001`.

    `available` is the publication date on the cover (or the revision date below it, if later). When
    two workbooks give the same month, what the later one repeats unchanged is one row with the earlier date, and
    what it changes is a second row with the later date.
    """
    files = _workbooks(paths)
    warnings: list[str] = []
    parts = []
    for path in files:
        published, guessed = publication_date(path)
        warnings += [guessed] if guessed else []
        rows = _observations(read_workbook(path, service=SERVICE), path)
        parts.append(rows.assign(available=published, file=path.name))
    every = _with_notes(_with_codes(pd.concat(parts, ignore_index=True)))
    kept, revised = _vintages(every)
    if revised:
        warnings.append(
            f"nhs_waiting_list: {revised} figures were changed by a later workbook; the later one is used from then on."
        )
    months = pd.DatetimeIndex(sorted(kept["ds"].unique()))
    absent = pd.date_range(months[0], months[-1], freq="MS").difference(months)
    if len(absent):
        named = ", ".join(f"{month:%Y-%m}" for month in absent)
        warnings.append(f"nhs_waiting_list: no workbook for {named}; these months stay gaps. Add the workbooks.")
    note = SourceNote(
        id=SOURCE_ID,
        title="Community Health Services Waiting Lists",
        publisher="NHS England",
        licence="Open Government Licence v3.0",
        released=f"{every['available'].max():%Y-%m-%d}",
        provenance="published",
        digest=digest_files(files),
    )
    return Reading(checked(kept, where="nhs_waiting_list"), (note,), tuple(warnings))


def _workbooks(paths: str | Path | Sequence[str | Path]) -> list[Path]:
    """List the workbooks to read, in name order, each once."""
    places = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    if not places:
        raise InputError("nhs_waiting_list: the list of workbooks is empty. Name at least one monthly workbook.")
    files: set[Path] = set()
    for place in places:
        inside = (
            [path for path in place.glob("*.xlsx") if not path.name.startswith("~$")] if place.is_dir() else [place]
        )
        if not inside:
            raise InputError(f"{place}: no .xlsx workbook in the folder. Put the monthly workbooks there.")
        files.update(inside)
    return sorted(files, key=lambda path: (path.name, path))


def _observations(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Turn the children's rows of one workbook into observations, with the codes that workbook gives."""
    rows = frame[frame["age_group"].eq("CYP")]
    services = list(rows["service"].unique())
    if len(services) != 1:
        others = ", ".join(map(shown, list(frame["service"].unique())[:LISTED]))
        raise InputError(
            f"{path}: sheet 'Table 4': {len(services)} services match '(CYP) ... {SERVICE}' among {others}; one "
            "is expected. Compare the header row with an earlier month."
        )
    parts = [
        pd.DataFrame(
            {
                "measure": measure,
                "geographic_level": rows["level"].map(OBSERVATION_LEVEL),
                "area_code": rows["code"],
                "area_name": rows["name"],
                "region_code": "",
                "ds": rows["month"],
                "y": rows[column],
                "reason": rows[f"{column}_reason"],
                "note": "",
                "provenance": "published",
                "source": SOURCE_ID,
            }
        )
        for column, measure in MEASURES.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _with_codes(rows: pd.DataFrame) -> pd.DataFrame:
    """Give every organisation one code and one readable name over all workbooks, the latest ones."""
    ordered = rows.sort_values("ds", kind="stable")
    upper = ordered["area_name"].str.upper()
    organisation = ordered["geographic_level"] + "/" + upper
    coded = ordered["area_code"].ne("")
    codes = dict(zip(organisation[coded], ordered["area_code"][coded], strict=True))
    known = [codes.get(key, name) for key, name in zip(organisation, upper, strict=True)]
    code = pd.Series(known, index=ordered.index).mask(ordered["geographic_level"].eq("national"), ENGLAND)
    mixed = ordered["area_name"].ne(upper)
    written = dict(zip(organisation[mixed], ordered["area_name"][mixed], strict=True))
    latest = dict(zip(code, organisation, strict=True))
    names = {key: written.get(last) or readable_name(last.partition("/")[2]) for key, last in latest.items()}
    named = ordered.assign(area_code=code, area_name=code.map(names), organisation=upper)
    clash = named[named.duplicated([*FIGURE, "file"], keep=False)]
    if len(clash):
        first = clash.iloc[0]
        sharing = sorted(clash.loc[clash["area_code"].eq(first["area_code"]), "organisation"].unique())
        who = ", ".join(map(shown, sharing))
        raise InputError(
            f"{first['file']}: organisations {who} share the code {shown(first['area_code'])}; one organisation a "
            "code and "
            "month is allowed. Correct the 'Organisation Code' column."
        )
    return named


def _with_notes(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of each total what it is a sum of and, for England, how many submitted where that changed.

    The number is out of the providers that had submitted by then, in that month or an earlier one.
    """
    counted = rows["measure"].eq(MEASURES["total"]) & rows["reason"].ne("not_submitted")
    providers = rows[counted & rows["geographic_level"].eq("provider")]
    submitted: dict[tuple[pd.Timestamp, pd.Timestamp], set[str]] = {}
    for month, day, code in zip(*(providers[name] for name in ("ds", "available", "area_code")), strict=True):
        submitted.setdefault((month, day), set()).add(code)
    changed = {}
    for month, day in sorted(submitted):
        here = submitted[month, day]
        known = {key: submitted[key] for key in sorted(submitted) if key[0] <= month and key[1] <= day}
        before = [codes for key, codes in known.items() if key[0] == month - pd.offsets.MonthBegin()]
        if before and len(before[-1]) != len(here):
            changed[month, day] = f"; {len(here)} of {len(set().union(*known.values()))} providers submitted"
    keys = pd.MultiIndex.from_frame(rows[["ds", "available"]])
    england = pd.Series([changed.get(key, "") for key in keys], index=rows.index)
    note = OF_THOSE_THAT_SUBMITTED + england.where(rows["geographic_level"].eq("national"), "")
    return rows.assign(note=note.where(rows["geographic_level"].ne("provider"), ""))


def _vintages(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Keep the first row of each figure and the rows that changed it; count the latter."""
    ordered = rows.sort_values([*FIGURE, "available"], kind="stable").reset_index(drop=True)
    again = ordered.duplicated(FIGURE)
    before = ordered[["y", "reason", "available", "file"]].shift()
    same_y = ordered["y"].eq(before["y"]) | (ordered["y"].isna() & before["y"].isna())
    changed = again & ~(same_y & ordered["reason"].eq(before["reason"]))
    torn = changed & ordered["available"].eq(before["available"])
    if torn.any():
        first = ordered[torn].iloc[0]
        raise InputError(
            f"{first['file']}: {first['measure']} of {first['area_name']} in {first['ds']:%Y-%m} is {first['y']:g}, "
            f"but {before.loc[torn, 'y'].iloc[0]:g} in {before.loc[torn, 'file'].iloc[0]}, published the same day "
            f"({first['available']:%Y-%m-%d}). Keep one of the two workbooks."
        )
    return ordered[changed | ~again].reset_index(drop=True), int(changed.sum())


def readable_name(name: str) -> str:
    """Write an upper-cased organisation name in a readable case.

    Examples
    --------
    >>> readable_name("STOCKPORT NHS FOUNDATION TRUST")
    'Stockport NHS Foundation Trust'
    >>> readable_name("GUY'S AND ST THOMAS' NHS FOUNDATION TRUST")
    "Guy's and St Thomas' NHS Foundation Trust"
    """
    words = []
    for position, word in enumerate(name.split()):
        if word.strip("(),.") in ACRONYMS:
            words.append(word)
        elif position and word.strip("(),.").lower() in SMALL_WORDS:
            words.append(word.lower())
        else:
            words.append(re.sub(r"[A-Z]+('[A-Z]+)?", lambda part: part[0].capitalize(), word))
    return " ".join(words)
