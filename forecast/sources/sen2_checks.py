"""Marks on published figures: sums that do not add up, and zeros that cannot be.

A mark in `reason` makes a figure unusable; a mark in `note` does not. Nothing is corrected.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from forecast.sources.sen2_schema import common

SMALL_COUNT = 5
SMALL_SHARE = 0.01
LARGE_BEFORE = 50


class _Row(NamedTuple):
    """One figure; `y` is None where nothing was published."""

    at: int
    measure: str
    level: str
    code: str
    name: str
    region: str
    year: int
    y: float | None


class _Marks:
    def __init__(self) -> None:
        self.reasons: dict[int, str] = {}
        self.notes: defaultdict[int, list[str]] = defaultdict(list)

    def refuse(self, row: _Row, text: str) -> None:
        self.reasons[row.at] = text

    def note(self, row: _Row, text: str) -> None:
        self.notes[row.at].append(text)


def with_note(note: pd.Series, where: pd.Series, text: str) -> pd.Series:
    """Add a text to the notes of some rows, after what they say already."""
    return note.where(~where, (note + "; " + text).str.removeprefix("; "))


def marked(observations: pd.DataFrame) -> pd.DataFrame:
    """Mark implausible zeros and failed sums.

    Parameters
    ----------
    observations : DataFrame
        One row a measure, area and year; `reason` as published.

    Returns
    -------
    DataFrame
        The same rows; `reason` set where a figure must not be used, `note` added to where a difference is
        small or explained by an area that was not available.
    """
    rows = _rows(observations)
    marks = _Marks()
    _mark_zeros(rows, marks)
    by_sum: defaultdict[tuple[str, int], list[_Row]] = defaultdict(list)
    for row in rows:
        if row.measure not in common().percent:
            by_sum[row.measure, row.year].append(row)
    for group in by_sum.values():
        _check_sums(group, marks)
    reasons = [marks.reasons.get(i, said) for i, said in enumerate(observations["reason"])]
    notes = ["; ".join(filter(None, [said, *marks.notes[i]])) for i, said in enumerate(observations["note"])]
    return observations.assign(reason=reasons, note=notes)


def _rows(frame: pd.DataFrame) -> list[_Row]:
    names = ("measure", "geographic_level", "area_code", "area_name", "region_code")
    columns = zip(*(frame[name].tolist() for name in names), strict=True)
    figures = zip(frame["ds"].dt.year.tolist(), frame["y"].tolist(), strict=True)
    return [
        _Row(at, measure, level, code, name, region, year, None if math.isnan(y) else y)
        for at, ((measure, level, code, name, region), (year, y)) in enumerate(zip(columns, figures, strict=True))
    ]


def _mark_zeros(rows: Iterable[_Row], marks: _Marks) -> None:
    """Mark a published 0 where the year before had many: the year after plays no part, so no look-ahead.

    What may fall to zero (a council may refuse no request) is noted only, unless the figure it is part of is
    itself an impossible zero.
    """
    figure: Mapping[tuple[str, str, int], _Row] = {(r.measure, r.code, r.year): r for r in rows}

    def before(row: _Row) -> float:
        return getattr(figure.get((row.measure, row.code, row.year - 1)), "y", None) or 0.0

    zeros = [r for r in rows if r.y == 0 and r.measure not in common().percent and before(r) >= LARGE_BEFORE]
    impossible = {(r.measure, r.code, r.year) for r in zeros if r.measure not in common().may_fall_to_zero}
    for row in zeros:
        text = f"0 published after {before(row):,.0f} the year before"
        part_of = (common().part_of.get(row.measure, row.measure), row.code, row.year)
        if part_of not in impossible:
            marks.note(row, text)
            continue
        marks.refuse(row, f"implausible_zero: {text}")
        for above in (row.region, "E92000001"):
            if total := figure.get((row.measure, above, row.year)):
                marks.note(total, f"counts an implausible 0 of {row.name}")


def _total(rows: Iterable[_Row]) -> float:
    return sum(row.y for row in rows if row.y is not None)


def _small(difference: float, total: float) -> bool:
    return abs(difference) <= max(SMALL_COUNT, SMALL_SHARE * total)


def _check_sums(group: Sequence[_Row], marks: _Marks) -> None:
    """Check one measure and year: local authorities against regions, regions against England.

    Where a region is not the sum of its areas, the areas are refused; but the region is refused where all
    areas do sum to England and the regions do not.
    """
    areas = [r for r in group if r.level == "local_authority"]
    regions = [r for r in group if r.level == "region" and r.y is not None]
    england = next((r for r in group if r.level == "national" and r.y is not None), None)
    failed = [region for region in regions if not _adds_up(region, areas, marks)]
    region_at_fault = False
    if england is not None and england.y is not None and regions:
        sum_of_regions, sum_of_areas = _total(regions), _total(areas)
        regions_fit = _small(sum_of_regions - england.y, england.y)
        region_at_fault = bool(failed) and not regions_fit and _small(sum_of_areas - england.y, england.y)
        if not regions_fit and not region_at_fault:
            marks.refuse(england, f"sum_mismatch: regions sum to {sum_of_regions:,.0f}, England is {england.y:,.0f}")
        elif regions_fit and sum_of_regions != england.y:
            marks.note(england, f"sum_note: regions sum to {sum_of_regions:,.0f}")
    for region in failed:
        inside = [r for r in areas if r.region == region.code and r.y is not None]
        text = (
            f"sum_mismatch: {len(inside)} areas of {region.name} sum to {_total(inside):,.0f}, "
            f"the region is {region.y:,.0f}"
        )
        for row in [region] if region_at_fault else inside:
            marks.refuse(row, text)


def _adds_up(region: _Row, areas: Iterable[_Row], marks: _Marks) -> bool:
    """Whether a region is the sum of its areas, or differs by little or by what is not available."""
    inside = [r for r in areas if r.region == region.code]
    known = [r.y for r in inside if r.y is not None]
    missing = [r.name for r in inside if r.y is None]
    if not known or region.y is None:
        return True
    short = region.y - sum(known)
    if missing and 0 <= short <= len(missing) * max(*known, LARGE_BEFORE):
        names = ", ".join(missing)
        said = f"areas sum to {sum(known):,.0f} without {names}" if short else f"does not count {names}"
        marks.note(region, f"sum_note: {said} (not available)")
        return True
    if short and _small(short, region.y):
        marks.note(region, f"sum_note: areas sum to {sum(known):,.0f}")
    return _small(short, region.y)
