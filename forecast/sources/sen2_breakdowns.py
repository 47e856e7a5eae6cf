"""Published EHC figures by age, need, placement and cause of ceasing: releases joined, sums checked.

Ages keep the basis of their table: requests and assessments by age on the day of the request, new plans by age when
the plan started, ceased plans by age when it ceased, the caseload by age at 31 August before. Source: Department for
Education, Open Government Licence v3.0.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from forecast.errors import InputError
from forecast.sources import sen2_areas, sen2_checks, sen2_release
from forecast.sources.observations import SourceNote
from forecast.sources.sen2_cuts import CUT_COLUMNS, DIMENSIONS, cut_files, cuts, percentages, read_cut
from forecast.sources.sen2_files import release_files

BREAKDOWN_COLUMNS = (
    "measure",
    "geographic_level",
    "area_code",
    "region_code",
    "ds",
    *DIMENSIONS,
    "y",
    "reason",
    "note",
    "available",
    "source",
)
CELL = ["measure", "area_code", "ds", *DIMENSIONS]
_FILE_COLUMNS = ("period", "cut", "rank", "source")
FILLED = "not listed; the listed ages add up to the total"
_FIGURE = ["measure", "area_code", "year"]
_SHARE_ERROR = 1.0


class Breakdowns(NamedTuple):
    """Frame of `BREAKDOWN_COLUMNS`, the notes of its sources, and warnings."""

    frame: pd.DataFrame
    sources: tuple[SourceNote, ...]
    warnings: tuple[str, ...]


def read(releases: Mapping[Path, sen2_release.Release], *, totals: pd.DataFrame, codes: pd.DataFrame) -> Breakdowns:
    """Read the breakdowns of releases and join them.

    Parameters
    ----------
    releases : mapping of Path to Release
        Where each release lies, and its totals as read.
    totals : DataFrame
        Observations of the totals: what is cut from a total that must not be used is marked too.
    codes : DataFrame
        `sen2_areas.CODE_COLUMNS`: retired codes.

    Returns
    -------
    Breakdowns
        A dimension is "" where a figure is for all of it. `y` is a count of children, or a percentage for
        `need_share` and `need_share_new`; NaN where nothing was published. `reason` says why a figure is missing or
        must not be used: ages that do not add up to the total of their area (by more than 5 and 1 %) are marked.
        An age a release does not list is 0 where the listed ones add up to the total, and no row otherwise. A
        figure that a later release changed is one more row, available from 30 June of that release's year.

    Raises
    ------
    InputError
        If a column, label or figure is not as the schema map says, or a figure is repeated.
    """
    raw, sources, warnings = _stacked(releases)
    known = sen2_areas.recoded(raw, codes=codes)
    _refuse_repeats(known)
    parts = [_marked(part, totals) for _, part in known.groupby("rank")]
    marked = pd.concat(parts or [known], ignore_index=True)
    marked = marked[_is_part(marked)]
    frame = _vintages(marked)[list(BREAKDOWN_COLUMNS)]
    dated = frame.astype({"ds": "datetime64[ns]", "available": "datetime64[ns]"})
    return Breakdowns(dated.sort_values([*CELL, "available"], ignore_index=True), sources, warnings)


def _stacked(
    releases: Mapping[Path, sen2_release.Release],
) -> tuple[pd.DataFrame, tuple[SourceNote, ...], tuple[str, ...]]:
    """Rows of every file; a file's reporting year (`rank`) is the one its own figures show."""
    frames: list[pd.DataFrame] = [pd.DataFrame(columns=[*CUT_COLUMNS, *_FILE_COLUMNS])]
    warnings: list[str] = []
    digests: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for place, release in releases.items():
        files = {file.stem: file for file in release_files(place, cut_files())}
        for cut in cuts(release.layout):
            stem = next((stem for stem in files if stem in cut.files), None)
            if stem is None:
                warnings.append(f"{release.place}: no file for breakdown '{cut.name}' ({', '.join(sorted(cut.files))})")
                continue
            content = files[stem].content()
            frame, said = read_cut(content, cut, label=files[stem].label)
            warnings += said
            if frame.empty:
                continue
            year = int(frame["year"].max()) + (cut.period == "flow")
            digests[year][stem] = hashlib.sha256(content).hexdigest()
            frames.append(frame.assign(period=cut.period, cut=cut.name, rank=year, source=f"dfe-ehc-{year}"))
    found = [frame for frame in frames if len(frame)] or frames
    notes = tuple(_source_note(year, stems) for year, stems in sorted(digests.items()))
    return pd.concat(found, ignore_index=True), notes, tuple(warnings)


def _source_note(year: int, digests: Mapping[str, str]) -> SourceNote:
    return SourceNote(
        id=f"dfe-ehc-{year}",
        title=f"Education, health and care plans, reporting year {year}",
        publisher=sen2_release.PUBLISHER,
        licence=sen2_release.LICENCE,
        released=str(year),
        provenance="published",
        digest=hashlib.sha256(
            "".join(f"{stem}{digest}" for stem, digest in sorted(digests.items())).encode()
        ).hexdigest(),
    )


def _refuse_repeats(known: pd.DataFrame) -> None:
    repeated = known[known.duplicated([*_FIGURE, *DIMENSIONS, "rank"], keep=False)]
    if len(repeated):
        first = repeated.iloc[0]
        raise InputError(
            f"breakdowns: {len(repeated)} rows repeat a figure, first {first['measure']}/{first['area_code']} "
            f"{first['year']} in {first['source']}; one row a figure is allowed. Keep one file a table and release."
        )


def _is_part(rows: pd.DataFrame) -> pd.Series:
    """Tell the rows of a category from those of all children."""
    named = [rows[dimension].ne("") for dimension in DIMENSIONS]
    return named[0] | named[1] | named[2] | named[3]


def _text(column: pd.Series) -> pd.Series:
    """Text with "" where a merge found nothing, whether or not it found anything at all."""
    return column.astype(str).where(column.notna(), "")


def _others(over: str) -> list[str]:
    return [*_FIGURE, *(dimension for dimension in DIMENSIONS if dimension != over)]


def _marked(part: pd.DataFrame, totals: pd.DataFrame) -> pd.DataFrame:
    """Add the ages not listed, and mark what must not be used, in the rows of one reporting year."""
    share = part["measure"].isin(percentages())
    unusable = totals[totals["reason"].str.contains(":")].drop_duplicates(["measure", "area_code", "ds"], keep="last")
    unusable = unusable.assign(year=unusable["ds"].dt.year)[[*_FIGURE, "reason"]].rename(columns={"reason": "why"})
    counts = part[~share].merge(unusable, how="left", on=_FIGURE)
    counts["reason"] = counts["reason"].mask(
        counts["why"].notna() & counts["y"].notna(), "total_unusable: " + _text(counts["why"])
    )
    counts = pd.concat([counts, _unlisted(counts)], ignore_index=True)
    for over in ("age", "placement", "cause"):
        counts = _checked_sums(counts, over)
    return pd.concat([counts, _checked_shares(part[share])], ignore_index=True)


def _sums(rows: pd.DataFrame, over: str) -> pd.DataFrame:
    """Totals over one dimension beside the sum, number and listed number of their parts."""
    parts = rows[rows[over].ne("")].groupby(_others(over))["y"].agg(["sum", "count", "size"])
    whole = rows[rows[over].eq("") & rows["y"].notna() & rows["reason"].eq("")]
    return whole.join(parts, on=_others(over)).fillna({"sum": 0.0, "count": 0, "size": 0})


def _unlisted(counts: pd.DataFrame) -> pd.DataFrame:
    """Rows of 0 for the ages a release leaves out where its listed ages add up to the total: none were counted."""
    within = ["cut", "measure", "year", "need", "placement", "cause"]
    listed = counts[counts["age"].ne("")]
    sums = _sums(counts, "age")
    complete = sums[sums["sum"].eq(sums["y"]) & sums["count"].eq(sums["size"])][counts.columns]
    wanted = complete.drop(columns="age").merge(listed[[*within, "age"]].drop_duplicates(), on=within)
    there = pd.MultiIndex.from_frame(listed[[*_others("age"), "age"]])
    new = wanted[~pd.MultiIndex.from_frame(wanted[[*_others("age"), "age"]]).isin(there)]
    return new[counts.columns].assign(y=0.0, note=sen2_checks.with_note(new["note"], new["y"].notna(), FILLED))


def _checked_sums(counts: pd.DataFrame, over: str) -> pd.DataFrame:
    """Mark parts that do not add up to their total; if all children's do not, everything cut from that figure."""
    sums = _sums(counts, over).query("count > 0 and sum != y")
    small = (sums["sum"] - sums["y"]).abs() <= (sen2_checks.SMALL_SHARE * sums["y"]).clip(lower=sen2_checks.SMALL_COUNT)
    said = [
        f"{over}s sum to {got:,.0f}, the total is {whole:,.0f}"
        for got, whole in zip(sums["sum"], sums["y"], strict=True)
    ]
    sums = sums.assign(said=said, small=small)
    top = ~_is_part(sums.assign(**{over: ""}))
    for keys, found in ((_others(over), sums), (_FIGURE, sums[top & ~small])):
        hit = counts[keys].merge(found[[*keys, "said", "small"]], how="left", on=keys).set_index(counts.index)
        known = hit["said"].notna()
        text = _text(hit["said"])
        part = counts[over].ne("") if found is sums else _is_part(counts)
        part &= known & counts["y"].notna() & counts["reason"].eq("")
        fails = part & ~hit["small"].eq(True)
        counts = counts.assign(
            reason=counts["reason"].mask(fails, "sum_mismatch: " + text),
            note=counts["note"].where(
                ~(part & ~fails), (counts["note"] + "; sum_note: " + text).str.removeprefix("; ")
            ),
        )
    return counts


def _checked_shares(shares: pd.DataFrame) -> pd.DataFrame:
    """Mark shares of need that do not add up to 100, rounding apart."""
    total = shares.groupby(_others("need"))["y"].transform("sum")
    wrong = shares["y"].notna() & (total - 100).abs().gt(_SHARE_ERROR)
    return shares.assign(
        reason=shares["reason"].mask(wrong, "sum_mismatch: needs sum to " + total.round(1).astype(str))
    )


def _vintages(marked: pd.DataFrame) -> pd.DataFrame:
    """Date each figure and the day it was public; keep of later releases only what they say otherwise."""
    key = [*_FIGURE, *DIMENSIONS]
    ordered = marked.sort_values("rank", kind="stable")
    before = ordered.groupby(key)[["y", "reason"]].shift()
    again = ordered.duplicated(key)
    same = (
        again
        & ordered["reason"].eq(before["reason"])
        & (ordered["y"].eq(before["y"]) | ordered["y"].isna() & before["y"].isna())
    )
    first = ordered.groupby(["measure", "year", "cut"])["rank"].transform("min")
    public = ordered["year"] + ordered["period"].eq("flow").astype(int)
    day = public.where(ordered["rank"].eq(first), ordered["rank"]).astype(str) + "-06-30"
    dated = ordered.assign(ds=pd.to_datetime(ordered["year"].astype(str) + "-01-01"), available=pd.to_datetime(day))
    return dated[~same]
