"""From the `ehc` section of a config to what a projection starts from: figures, areas and assumptions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import reference
from forecast.ehc.assumptions import Assumptions
from forecast.ehc.figures import REFERENCE, Figures
from forecast.ehc.hazards import fitted_cohort
from forecast.ehc.local import MonthlyRequests
from forecast.ehc.shares import fitted_shares
from forecast.ehc.story import check_rates
from forecast.errors import InputError, SpecError
from forecast.reference import Area, find_area
from forecast.sources import sen2_breakdowns, sen2_release, sen2_schema
from forecast.sources.observations import Reading, SourceNote, usable
from forecast.sources.sen2_breakdowns import Breakdowns
from forecast.sources.sen2_files import find_releases
from forecast.sources.text import shown
from jobs.ehc_assumptions import assumptions_of

if TYPE_CHECKING:
    from jobs.config import RunConfig
    from jobs.config_ehc import EhcSpec

NO_AREA = "local"


@dataclass(frozen=True)
class EhcData:
    """What the section reads: the figures of its entry under data, with their breakdowns, as known on the as-of date.

    Attributes
    ----------
    figures : Figures
    monthly : mapping of code to MonthlyRequests
        Requests that local authorities counted themselves.
    sources : tuple of SourceNote
        Of the breakdowns, the share of pupils with a plan, the population projections and the monthly requests.
    provenance : tuple of str
        Of all figures.
    warnings : tuple of str
        Breakdowns that a release does not give.
    references : tuple of str
        Sources read as tables for reference alone, whatever the as-of date: shares of need, population projections.
    """

    figures: Figures
    monthly: Mapping[str, MonthlyRequests]
    sources: tuple[SourceNote, ...]
    provenance: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the breakdowns, whatever the order of rows and the release they came in."""
        total = hashlib.sha256()
        for frame in (self.figures.breakdowns.drop(columns="source"), self.figures.pupils):
            total.update(np.sort(pd.util.hash_pandas_object(frame, index=False).to_numpy()).tobytes())
        return total.hexdigest()


@dataclass(frozen=True)
class EhcJob:
    """One projection from request to plan, checked.

    Attributes
    ----------
    section : EhcSpec
    data : EhcData
    assumptions : Assumptions
    wanted : tuple of Area
        Areas shown, in the order of the config: local authorities, and regions and England as sums of theirs.
    needed : tuple of Area
        Local authorities to project, region by region.
    """

    section: EhcSpec
    data: EhcData
    assumptions: Assumptions
    wanted: tuple[Area, ...]
    needed: tuple[Area, ...]


def read_ehc(config: RunConfig, readings: Mapping[str, Reading]) -> EhcData | None:
    """Lay out the figures of the section's entry and read their breakdowns; None without a section.

    Raises
    ------
    InputError
        Data without requests or caseload, or breakdowns or months that cannot be read.
    SpecError
        Months of no local authority.
    """
    if config.ehc is None:
        return None
    reading = readings[config.ehc.data]
    paths = config.data_paths(config.ehc.data)
    breakdowns = _of_release(paths[0], reading) if paths else _bundled()
    figures = Figures.of_reading(
        reading, breakdowns=breakdowns.frame, pupils=reference.pupils_with_plan(), as_of=config.as_of
    )
    measures = figures.breakdowns["measure"]
    used = set(figures.breakdowns["source"].unique())
    dated = {*figures.breakdowns.loc[~measures.str.startswith(REFERENCE), "source"], *(n.id for n in reading.sources)}
    population = reference.sources("population")
    own = [readings[config.ehc.monthly]] if config.ehc.monthly else []
    return EhcData(
        figures=figures,
        monthly=_monthly(config, config.ehc, own, figures),
        sources=(
            *(note for note in breakdowns.sources if note.id in used),
            *reference.sources("pupils_with_plan"),
            *population,
            *(note for each in own for note in each.sources),
        ),
        provenance=tuple(sorted({kind for each in (reading, *own) for kind in each.observations["provenance"]})),
        warnings=breakdowns.warnings,
        references=(*sorted(used - dated), *(note.id for note in population)),
    )


def _monthly(
    config: RunConfig, section: EhcSpec, readings: Sequence[Reading], figures: Figures
) -> dict[str, MonthlyRequests]:
    """Return the months of each local authority that counted its own requests, by code."""
    found: dict[str, MonthlyRequests] = {}
    for reading in readings:
        for text, rows in reading.observations.groupby("area_code"):
            code = _owner(config, section, str(text), figures)
            if code in found:
                raise InputError(
                    f"data {section.monthly!r}: {find_area(code).name} stands under two names, one of them "
                    f"{shown(str(text))}. Give it one."
                )
            found[code] = MonthlyRequests.from_frame(rows.assign(y=usable(rows))[["ds", "y"]])
    return found


def _owner(config: RunConfig, section: EhcSpec, text: str, figures: Figures) -> str:
    """Find the local authority of a table: that of a row's area, or the first the section names."""
    where = f"{config.file.name}: ehc.monthly: data {section.monthly!r}"
    if text == NO_AREA:
        first = section.areas[0]
        if section.areas == "all" or find_area(first).geographic_level != "local_authority":
            raise SpecError(
                f"{where} names no local authority, nor is one first under ehc.areas. Put it first there, or give its "
                "column as area under columns."
            )
        return find_area(first).code
    try:
        code = find_area(text).code
    except SpecError:
        code = ""
    if code not in figures.codes:
        raise SpecError(
            f"{where} has figures of {shown(text)}, which is no local authority of today. Give the counts of whole "
            "authorities, or one series without area under columns."
        )
    return code


def _bundled() -> Breakdowns:
    return Breakdowns(reference.ehc_breakdowns(), reference.sources("ehc_breakdowns"), ())


def _of_release(path: Path, reading: Reading) -> Breakdowns:
    """Read the breakdowns of downloaded releases; where they give no shares of need, the bundled ones stand in."""
    places = find_releases(path, sen2_schema.table_files())
    releases = {place: sen2_release.read_release(place) for place in places}
    read = sen2_breakdowns.read(releases, totals=reading.observations, codes=reference.area_codes())
    if read.frame["measure"].str.startswith(REFERENCE).any():
        return read
    bundled = _bundled()
    shares = bundled.frame[bundled.frame["measure"].str.startswith(REFERENCE)]
    frame = pd.concat([read.frame, shares], ignore_index=True)
    return Breakdowns(frame, (*read.sources, *bundled.sources), read.warnings)


def ehc_job(config: RunConfig, data: EhcData | None) -> EhcJob | None:
    """Check the section against its data; None without one.

    Raises
    ------
    SpecError
        A last year that is in the data already, or an override that ends before the projection begins.
    InputError
        Figures that the split over ages or the cohort needs are not known, or months count something else.
    """
    section = config.ehc
    if section is None or data is None:
        return None
    last = data.figures.last_flow
    if section.until <= last:
        raise SpecError(
            f"{config.file.name}: ehc.until: {section.until}, but figures go to {last} already on {config.as_of}. "
            f"Set {last + 1} or later."
        )
    for number, override in enumerate(section.overrides):
        if override.end is not None and override.end.year <= last:
            raise SpecError(
                f"{config.file.name}: ehc.overrides[{number}].to: {override.end} is before the first projected year, "
                f"{last + 1}, so that nothing would change. Give a later day or take the override out."
            )
    _ask(config, section, data)
    wanted, assumptions = _wanted(section, data.figures), assumptions_of(section)
    needed = _needed(wanted, data.figures)
    for area in needed if section.overrides else ():
        try:
            check_rates(data.figures, area.code, assumptions, until=section.until)
        except SpecError as error:
            raise SpecError(f"{config.file.name}: ehc.overrides: {area.name}: {error}") from error
    return EhcJob(section, data, assumptions, wanted, needed)


def _ask(config: RunConfig, section: EhcSpec, data: EhcData) -> None:
    """Ask what the projection would refuse after all forecasts are made."""
    try:
        fitted_shares(data.figures)
        fitted_cohort(data.figures)
    except InputError as error:
        raise InputError(f"{config.file.name}: ehc.data: data {section.data!r}: {error}") from error
    for code, months in data.monthly.items():
        try:
            months.checked(data.figures.line("requests", code))
        except InputError as error:
            where = f"{config.file.name}: ehc.monthly: data {section.monthly!r}, {find_area(code).name}"
            raise InputError(f"{where}: {error}") from error


def _wanted(section: EhcSpec, figures: Figures) -> tuple[Area, ...]:
    if section.areas != "all":
        return tuple(find_area(text) for text in section.areas)
    named = sorted(figures.areas, key=lambda area: area.name)
    regions = sorted(dict.fromkeys(area.region_name for area in named))
    return (*named, *(find_area(region) for region in regions), find_area("England"))


def _needed(wanted: tuple[Area, ...], figures: Figures) -> tuple[Area, ...]:
    """Local authorities that are wanted or belong to a region or nation that is, region by region."""
    codes = {area.code for area in wanted}
    whole = any(area.geographic_level == "national" for area in wanted)
    found = [area for area in figures.areas if whole or {area.code, area.region_code} & codes]
    return tuple(sorted(found, key=lambda area: (area.region_code, area.code)))
