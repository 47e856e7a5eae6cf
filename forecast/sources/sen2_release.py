"""DfE's "Education, health and care plans" release (SEN2), as downloaded: a folder or a zip of csv files.

Reads the totals of each area and year, keeps symbols as reasons, joins releases of different layouts into
one series per measure and area, and marks what must not be used (`sen2_checks`). Figures: counts of
requests, assessments and plans; `timeliness_20_week` is a percentage. Source: Department for Education,
Open Government Licence v3.0.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pandas as pd

from forecast.errors import InputError
from forecast.sources import sen2_areas, sen2_checks
from forecast.sources.observations import Reading, SourceNote, checked
from forecast.sources.sen2_files import File, find_releases, release_files, rows
from forecast.sources.sen2_schema import Layout, common, layouts, missing_columns, period_of_measure, table_files
from forecast.sources.sen2_table import read_table

LICENCE = "Open Government Licence v3.0"
PUBLISHER = "Department for Education"


@dataclass(frozen=True)
class Release:
    """One release as published: nothing joined, re-coded or marked yet.

    Attributes
    ----------
    place : str
        Name of the folder or zip.
    year : int
        Reporting year: that of its latest January stock, or the year after its latest flow.
    layout : int
        Reporting year of the layout that fitted.
    raw : DataFrame
        `RAW_COLUMNS`, one row a measure, area and year, under the codes and names of the files.
    digest : str
        SHA-256 over the names and contents of the files read.
    warnings : tuple of str
    """

    place: str
    year: int
    layout: int
    raw: pd.DataFrame
    digest: str
    warnings: tuple[str, ...]

    @property
    def id(self) -> str:
        """Name observations carry in `source`, such as `dfe-ehc-2024`."""
        return f"dfe-ehc-{self.year}"


def read(path: Path | str | Sequence[Path | str]) -> Reading:
    """Read one or more releases into one series per measure and area.

    Parameters
    ----------
    path : path or sequence of paths
        Folder or zip of a release as downloaded (files in `data/` or lying flat, csv or csv.gz), or a
        folder that holds several.

    Returns
    -------
    Reading
        One row a figure and vintage (see `join`); `y` is NaN where nothing was published; `reason` says why, or
        why a published figure must not be used.

    Raises
    ------
    InputError
        If a file, column, label or figure is not as the schema map of its release says.
    """
    given = [path] if isinstance(path, str | Path) else list(path)
    found = [release for place in given for release in find_releases(Path(place), table_files())]
    if not found:
        raise InputError(
            f"{', '.join(str(p) for p in given)}: no tables of the release found (looked for "
            f"{', '.join(sorted(table_files()))} as .csv or .csv.gz). Give the folder or zip as downloaded."
        )
    from forecast.reference import area_codes

    return join([read_release(place) for place in found], codes=area_codes())


def read_release(path: Path | str) -> Release:
    """Read one release as published.

    Parameters
    ----------
    path : path
        Folder or zip of the release.

    Raises
    ------
    InputError
        As `read`.
    """
    place = Path(path)
    files = release_files(place, table_files())
    if not files:
        raise InputError(
            f"{place}: no tables of the release found (looked for {', '.join(sorted(table_files()))} as .csv or "
            ".csv.gz). Give the folder or zip as downloaded."
        )
    contents = {file.label: file.content() for file in files}
    layout = _fitting_layout(files, contents)
    frames: list[pd.DataFrame] = []
    warnings: list[str] = []
    digest = hashlib.sha256()
    for table in layout.tables:
        named = [file for file in files if file.stem in table.files]
        if len(named) > 1:
            raise InputError(
                f"{place.name}: {named[0].label} and {named[1].label} both hold table '{table.name}'; one is allowed. "
                "Keep the one as downloaded."
            )
        if not named:
            warnings.append(f"{place.name}: no file for table '{table.name}' ({', '.join(sorted(table.files))}.csv)")
            continue
        content = contents[named[0].label]
        frame, unknown = read_table(content, table, label=named[0].label)
        frames.append(frame)
        warnings += unknown
        digest.update(named[0].stem.encode() + hashlib.sha256(content).digest())
    raw = pd.concat(frames, ignore_index=True)
    stock = raw["measure"].map(period_of_measure()).eq("stock")
    year = int((raw["year"] + (~stock).astype(int)).max())
    return Release(place.name, year, layout.year, raw, digest.hexdigest(), tuple(warnings))


def _fitting_layout(files: Sequence[File], contents: Mapping[str, bytes]) -> Layout:
    """Pick the layout most of whose tables fit; if none fits, the nearest, whose reading then names the fault."""
    headers = {file.stem: rows(contents[file.label], file.label)[0] for file in files}

    def fit(layout: Layout) -> tuple[int, int, int]:
        missing = [
            len(missing_columns(table, headers[stem])) for table in layout.tables for stem in table.files & set(headers)
        ]
        return (sum(m == 0 for m in missing), len(missing), -sum(missing))

    return max(layouts(), key=fit)


def _in_order(releases: Iterable[Release]) -> list[Release]:
    return sorted(releases, key=lambda r: (r.year, r.layout))


def stack(releases: Iterable[Release], *, codes: pd.DataFrame) -> pd.DataFrame:
    """Put releases under each other, oldest first (`rank`), under the latest code and name of each area."""
    ordered = _in_order(releases)
    raw = pd.concat([r.raw.assign(source=r.id, rank=i) for i, r in enumerate(ordered)], ignore_index=True)
    return sen2_areas.recoded(raw, codes=codes)


def join(releases: Iterable[Release], *, codes: pd.DataFrame) -> Reading:
    """Join releases to one series per measure and area, with the vintages of what was revised.

    A figure is dated 30 June of the year after its flow, or of the year of its stock. What a later release says
    otherwise (a figure, a symbol or a mark) is one more row, available from 30 June of that release's year; so is
    an area that it adds to a year published before. A year for which a release has no figure at all leaves the
    earlier one standing. Retired codes are joined to the latest code of the same area; sums are checked within
    what each release and those before it say, and failures marked.

    Parameters
    ----------
    releases : iterable of Release
    codes : DataFrame
        Known retired codes (`area_codes.csv`), added to those the releases show themselves.

    Raises
    ------
    InputError
        If two releases are of the same reporting year.
    """
    ordered = _in_order(releases)
    twice = next((a for a, b in pairwise(ordered) if a.id == b.id), None)
    if twice:
        raise InputError(
            f"{twice.place}: reporting year {twice.year} was found twice; one release a year is joined. Keep one."
        )
    raw = stack(ordered, codes=codes)
    warnings = [w for r in ordered for w in r.warnings] + _revisions(raw)
    period = raw["measure"].map(period_of_measure())
    at_break = raw["year"].eq(period.map(common().break_year))
    figures = raw.assign(
        ds=pd.to_datetime(raw["year"].astype(str) + "-01-01"),
        public=raw["year"] + period.eq("flow").astype(int),
        provenance="published",
        note=sen2_checks.with_note(raw["note"], at_break, common().break_note),
    )
    observations = checked(_vintages(figures, ordered), where=", ".join(r.id for r in ordered))
    return Reading(observations, tuple(_source_note(r) for r in ordered), tuple(warnings))


def _latest_with_figures(raw: pd.DataFrame) -> pd.DataFrame:
    published = raw["y"].notna().groupby([raw["measure"], raw["year"], raw["rank"]]).transform("any")
    score = raw["rank"] + published * (raw["rank"].max() + 1)
    best = score.groupby([raw["measure"], raw["year"]]).transform("max")
    chosen: pd.DataFrame = raw[score.eq(best)]
    return chosen.reset_index(drop=True)


def _vintages(figures: pd.DataFrame, ordered: Sequence[Release]) -> pd.DataFrame:
    """Rows each release adds to what those before it said, marked without what came later."""
    key = ["measure", "area_code", "year"]
    said = ["y", "reason", "note"]
    stands = figures.assign(note="").iloc[:0][[*key, *said]]
    found = []
    for rank, release in enumerate(ordered):
        seen = sen2_checks.marked(_latest_with_figures(figures[figures["rank"] <= rank]))
        before = seen[key].merge(stands, how="left", on=key)
        same = seen[said].eq(before[said]) | (seen[said].isna() & before[said].isna())
        new = seen[~same.all(axis=1)]
        earlier = figures.loc[figures["rank"] < rank, ["measure", "year"]]
        again = pd.MultiIndex.from_frame(new[["measure", "year"]]).isin(pd.MultiIndex.from_frame(earlier))
        day = new["public"].where(~again, release.year).astype(str) + "-06-30"
        found.append(new.assign(available=pd.to_datetime(day)))
        stands = pd.concat([stands, new[[*key, *said]]]).drop_duplicates(key, keep="last")
    return pd.concat(found, ignore_index=True)


def _revisions(raw: pd.DataFrame) -> list[str]:
    known = raw[raw["y"].notna()].sort_values("rank")
    figures = known.groupby(["measure", "area_code", "year"], as_index=False)["y"].agg(["first", "last", "nunique"])
    revised = figures[figures["nunique"] > 1]
    if revised.empty:
        return []
    row = revised.iloc[0]
    return [
        f"{len(revised)} figures were revised by a later release, first {row['measure']}/{row['area_code']} "
        f"{row['year']}: {row['first']:g} became {row['last']:g}; the later one is used from then on"
    ]


def _source_note(release: Release) -> SourceNote:
    return SourceNote(
        id=release.id,
        title=f"Education, health and care plans, reporting year {release.year}",
        publisher=PUBLISHER,
        licence=LICENCE,
        released=str(release.year),
        provenance="published",
        digest=release.digest,
    )
