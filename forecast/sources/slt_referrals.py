"""A service's own monthly referral log, as counts by locality, age band, source of referral and tier.

Only the mapped columns are read, and a file that has a row a child is refused: what identifies a child never gets
further than the door. Local data is `provenance="local"` unless said otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import InputError, SpecError
from forecast.sources.cells import read_count, read_period
from forecast.sources.faults import Faults
from forecast.sources.observations import PROVENANCES, SourceNote, digest_files
from forecast.sources.slt_referrals_file import Rows, label, load
from forecast.sources.text import LISTED, nearest, shown

KEYS = ("locality", "age_band", "source", "tier")
COLUMNS = ("month", *KEYS, "referrals")
NEEDED = ("month", "referrals")
FRAME = ("ds", *KEYS, "y", "reason", "available", "provenance")
ALL = "all"
PROVENANCE = "provenance"


@dataclass(frozen=True, eq=False)
class ReferralLog:
    """A referral log with every month and group in it.

    Attributes
    ----------
    frame : DataFrame
        ds (first day of the month), locality, age_band, source, tier (text; "all" where the log does not tell), y
        (referrals received; NaN where not known), reason (why it is not known, else ""), available (the day the
        figure was known), provenance. One row a month and group, sorted; a group is a combination that occurs in the
        file. Months before the first of a locality have no rows.
    provenance : {"published", "synthetic", "local"}
    sources : tuple of SourceNote
    warnings : tuple of str
        What was taken for granted, for the page and the manifest.
    """

    frame: pd.DataFrame
    provenance: str
    sources: tuple[SourceNote, ...]
    warnings: tuple[str, ...] = ()

    def visible(self, as_of: pd.Timestamp | str) -> ReferralLog:
        """Return the log as it was known on a day: no look-ahead.

        Raises
        ------
        InputError
            Nothing was known by then.
        """
        kept = self.frame[self.frame["available"] <= pd.Timestamp(as_of)].reset_index(drop=True)
        if kept.empty:
            first = self.frame["available"].min()
            raise InputError(
                f"{self.sources[0].title}: its first month was known on {first:%Y-%m-%d}, after the as-of date "
                f"{pd.Timestamp(as_of):%Y-%m-%d}. Set a later date."
            )
        return replace(self, frame=kept)


def read(
    path: str | Path,
    *,
    columns: Mapping[str, str] | None = None,
    date_format: str | Sequence[str] | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    provenance: str | None = None,
    available_after_days: int = 0,
    title: str = "",
    publisher: str = "",
    licence: str = "not stated",
) -> ReferralLog:
    """Read a log of counts: a row a month and group.

    Parameters
    ----------
    path : str or Path
        .csv, .xlsx or .parquet.
    columns : mapping, optional
        Role to column name; the roles are `month`, `locality`, `age_band`, `source`, `tier` and `referrals`, of which
        month and referrals are needed. What has no column is "all". Not given: columns named as the roles, those
        that are there.
    date_format : str or sequence of str, optional
        strftime form(s) of text months. Not given: only ISO dates (2023-09, 2023-09-01).
    sheet : str, optional
        Sheet of a workbook that has several.
    encoding : str, optional
        Codec of a CSV file; UTF-8 with or without BOM when not given.
    provenance : {"local", "synthetic", "published"}, optional
        Not given: what the file says in a column of that name, else "local".
    available_after_days : int, default 0
        Days from the end of a month until its counts are known. 0: the day after the last of the month.
    title, publisher, licence : str
        For the source note; the title is the file name when not given.

    Returns
    -------
    ReferralLog
        A combination that occurs anywhere in the file and has no row in a month counts as zero there where its
        locality has other rows in that month, for extracts list no empty groups; `warnings` says how many.

    Raises
    ------
    SpecError
        If columns, date_format, provenance or available_after_days cannot be.
    InputError
        If the file or one of its values is refused, if it looks like a row a child, or if a locality has no row in a
        month after its first. The message names file, place, value and next step. Further faults of rows, up to
        twenty in all, are notes of the error (`faults_of`).
    """
    path = Path(path)
    formats = [date_format] if isinstance(date_format, str) else list(date_format or [])
    _check_spec(path, columns=columns, formats=formats, provenance=provenance, days=available_after_days)
    rows = load(path, wanted=set((columns or {}).values()) or set(NEEDED), sheet=sheet, encoding=encoding)
    named = _columns(path, columns, rows.header)
    said = _provenance(path, rows, provenance)
    counted = _counted(rows, named, formats)
    if counted.empty:
        raise InputError(f"{path}: a header but no rows. Export the counts again, one row a month and group.")
    frame, zeros = _filled(path, counted)
    after = frame["ds"] + pd.offsets.MonthBegin(1)
    frame = frame.assign(available=after + pd.Timedelta(days=available_after_days), provenance=said)
    note = SourceNote(
        id=path.name,
        title=title or path.name,
        publisher=publisher,
        licence=licence,
        released="",
        provenance=said,
        digest=digest_files([path]),
    )
    dates = {"ds": "datetime64[ns]", "available": "datetime64[ns]"}
    return ReferralLog(frame[list(FRAME)].astype(dates), said, (note,), tuple(_warnings(path, frame, zeros, named)))


def _check_spec(
    path: Path, *, columns: Mapping[str, str] | None, formats: Sequence[str], provenance: str | None, days: int
) -> None:
    for role in columns or ():
        if role not in COLUMNS:
            raise SpecError(
                f"{path}: columns has {role!r}, which is no role; {nearest(role, COLUMNS)} Correct columns."
            )
    for role in NEEDED:
        if columns is not None and role not in columns:
            raise SpecError(f"{path}: columns has no {role!r}; month and referrals are needed. Add it to columns.")
    for form in formats:
        if "%" not in form:
            raise SpecError(f"{path}: date_format {form!r} has no % codes. Write it like '%d/%m/%Y' or '%b-%y'.")
    if provenance is not None and provenance not in PROVENANCES:
        raise SpecError(
            f"{path}: provenance {provenance!r} is not known; {nearest(provenance, PROVENANCES)} Correct it."
        )
    if days < 0:
        raise SpecError(f"{path}: available_after_days {days} is before the end of the month. Set it to 0 or more.")


def _columns(path: Path, columns: Mapping[str, str] | None, header: Sequence[str]) -> dict[str, str]:
    """Return the column of each role that has one."""
    wanted = dict(columns or {role: role for role in COLUMNS if role in header or role in NEEDED})
    for role, name in wanted.items():
        if name not in header:
            raise InputError(f"{path}: no column {name!r} (for {role}); {nearest(name, header)} Correct columns.")
        if list(header).count(name) > 1:
            raise InputError(f"{path}: {list(header).count(name)} columns are named {name!r}. Rename one of them.")
    return wanted


def _provenance(path: Path, rows: Rows, given: str | None) -> str:
    """Say where the counts come from: as the file says, which a caller may not contradict."""
    if PROVENANCE not in rows.header:
        return given or "local"
    column = rows.header.index(PROVENANCE)
    said = sorted({str(row[column]).strip() for row in rows.rows if any(str(value).strip() for value in row)})
    if len(said) > 1 or not set(said) <= set(PROVENANCES):
        raise InputError(
            f"{path}: column 'provenance' says {', '.join(map(shown, said[:LISTED]))}; one of {', '.join(PROVENANCES)} "
            "is expected in all rows. Correct it, or leave the column out."
        )
    if said and given not in (None, said[0]):
        raise InputError(
            f"{path}: column 'provenance' says {said[0]}, not {given}. Leave provenance out of the config."
        )
    return said[0] if said else given or "local"


def _counted(rows: Rows, named: Mapping[str, str], formats: Sequence[str]) -> pd.DataFrame:
    """Read every row; refuse what is no month, name or count, and two counts of one month and group."""
    at = {role: rows.header.index(name) for role, name in named.items()}
    faults = Faults()
    seen: dict[tuple[Any, ...], str] = {}
    spelled: dict[tuple[str, str], tuple[str, str]] = {}
    records = []
    for row, place in zip(rows.rows, rows.places, strict=True):
        values = {role: row[column] for role, column in at.items()}
        where = {role: f"{place}, column {name!r}" for role, name in named.items()}
        if all(value is None or str(value).strip() == "" for value in values.values()):
            continue
        ds = count = None
        keys: list[str] = []
        with faults.kept():
            ds = read_period(values["month"], freq="MS", formats=formats, where=where["month"])
        for role in KEYS:
            with faults.kept():
                keys.append(label(values[role], role=role, where=where[role], spelled=spelled) if role in at else ALL)
        with faults.kept():
            count = read_count(values["referrals"], allow_fractions=False, where=where["referrals"])
        if ds is None or len(keys) < len(KEYS):
            continue
        earlier = seen.setdefault((ds, *keys), place)
        if earlier != place:
            what = ", ".join(key for key in keys if key != ALL) or "all referrals"
            faults.add(
                [
                    InputError(
                        f"{place}: {shown(what)} has a count for {ds:%Y-%m} already, at {earlier}; one row a month and "
                        "group is allowed. Add up or remove the repeat."
                    )
                ]
            )
        elif count is not None:
            records.append((ds, *keys, *count))
    faults.refuse()
    return pd.DataFrame.from_records(records, columns=["ds", *KEYS, "y", "reason"])


def _filled(path: Path, counted: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Give every group of a locality a row in each month since the locality's first; return how many were added."""
    last = counted["ds"].max()
    faults = Faults()
    parts = []
    for locality, rows in counted.groupby("locality"):
        months = pd.date_range(rows["ds"].min(), last, freq="MS")
        absent = months.difference(pd.DatetimeIndex(rows["ds"]))
        if len(absent):
            named = ", ".join(f"{day:%Y-%m}" for day in absent[:6]) + (", ..." if len(absent) > 6 else "")
            whose = "" if locality == ALL else f" of {shown(locality)}"
            faults.add(
                [
                    InputError(
                        f"{path}: no row{whose} in {named}, though there are some before; a month without referrals is "
                        "not told from a missing one. Add its rows, zeros included, or begin the log after it."
                    )
                ]
            )
        groups = rows[list(KEYS)].drop_duplicates()
        parts.append(pd.DataFrame({"ds": months}).merge(groups, how="cross"))
    faults.refuse()
    frame = pd.concat(parts).merge(counted, on=["ds", *KEYS], how="left")
    added = frame["reason"].isna()
    frame = frame.assign(y=frame["y"].mask(added, 0.0), reason=frame["reason"].fillna(""))
    return frame.sort_values(["ds", *KEYS]).reset_index(drop=True), int(added.sum())


def _warnings(path: Path, frame: pd.DataFrame, zeros: int, named: Mapping[str, str]) -> list[str]:
    found = []
    if zeros:
        found.append(
            f"{path.name}: {zeros:,} of {len(frame):,} months and groups have no row; they count as zero, for the "
            "locality has other rows in that month."
        )
    untold = [role.replace("_", " ") for role in KEYS if role not in named]
    if untold:
        found.append(f"{path.name}: referrals are not told apart by {', '.join(untold)}.")
    begins = frame.groupby("locality")["ds"].min()
    for locality, first in begins[begins > begins.min()].items():
        found.append(
            f"{path.name}: {shown(locality)} begins in {first:%Y-%m}, later than others; it had no zeros before."
        )
    for reason, count in frame.loc[frame["reason"].ne(""), "reason"].value_counts(sort=False).sort_index().items():
        found.append(f"{path.name}: {count} counts have no figure, reason {reason!r}; they are missing, not zero.")
    return found
