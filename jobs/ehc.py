"""The step from request to plan: project every local authority asked for, sum regions and England over the paths.

Projections are made one at a time and let go as soon as their table is laid out, so that all of England fits in
memory: a region is summed while its local authorities pass, and England while the regions do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.ehc import growth, requests
from forecast.ehc.figures import Figures
from forecast.ehc.history import published
from forecast.ehc.nation import prepared
from forecast.ehc.outputs import Projection
from forecast.ehc.projection import project_each
from forecast.reference import Area, find_area
from jobs.ehc_inputs import EhcJob

if TYPE_CHECKING:
    from jobs.config import RunConfig

TOLD_EVERY = 25


@dataclass(frozen=True)
class EhcResult:
    """What the step leaves in the run folder.

    Attributes
    ----------
    table : DataFrame
        Every area's `Projection.table`, in the order of the config.
    baseline : DataFrame or None
        The same without overrides and capacity, on the same paths; None if there are none.
    entry : mapping
        What the manifest says: areas, until, last_flow, n_paths, settings, tables, overrides, notes and adjustment
        by area code, provenance, references.
    kept : mapping of str to Projection
        By code, the areas that a later step asked for.
    """

    table: pd.DataFrame
    baseline: pd.DataFrame | None
    entry: Mapping[str, Any]
    kept: Mapping[str, Projection] = field(default_factory=dict)


@dataclass(frozen=True)
class _Shown:
    """What is kept of an area's projection."""

    table: pd.DataFrame
    baseline: pd.DataFrame | None
    notes: tuple[str, ...]
    adjustment: list[dict[str, float]]
    projection: Projection | None


def project_all(
    job: EhcJob, config: RunConfig, *, progress: Callable[[str], None], keep: Set[str] = frozenset()
) -> EhcResult:
    """Project the areas of the section.

    Parameters
    ----------
    job : EhcJob
    config : RunConfig
    progress : callable
        Gets a line every so many local authorities.
    keep : set of str
        Codes of areas, among those of the section, whose projection a later step needs.
    """
    shown = _shown(job, config, progress, keep)
    tables = [shown[area.code].table for area in job.wanted]
    baselines = [table for area in job.wanted if (table := shown[area.code].baseline) is not None]
    return EhcResult(
        table=pd.concat(tables, ignore_index=True),
        baseline=pd.concat(baselines, ignore_index=True) if baselines else None,
        entry=_entry(job, config, shown),
        kept={code: each.projection for code, each in shown.items() if each.projection is not None},
    )


def _shown(job: EhcJob, config: RunConfig, progress: Callable[[str], None], kept: Set[str]) -> dict[str, _Shown]:
    """Project, and keep what is shown of the areas wanted, by code."""
    wanted = {area.code for area in job.wanted}
    shown: dict[str, _Shown] = {}

    def keep(made: Projection) -> Projection:
        if made.area.code in wanted:
            shown[made.area.code] = _Shown(
                table=made.table(levels=config.levels),
                baseline=made.baseline.table(levels=config.levels) if made.baseline else None,
                notes=made.notes,
                adjustment=_adjustment(made),
                projection=made if made.area.code in kept else None,
            )
        return made

    nation = prepared(
        job.data.figures,
        until=job.section.until,
        assumptions=job.assumptions,
        n_paths=config.n_paths,
        seed=config.seed,
    )
    each = _counted(
        project_each(nation, [area.code for area in job.needed], assumptions=job.assumptions, monthly=job.data.monthly),
        whole=len(job.needed),
        progress=progress,
    )
    england = next((area for area in job.wanted if area.geographic_level == "national"), None)
    regions = map(keep, _regions(map(keep, each), None if england else wanted, job.data.figures))
    if england:
        keep(Projection.total(regions, england, history=published(job.data.figures, england.code)))
    else:
        deque(regions, maxlen=0)
    return shown


def _counted(each: Iterable[Projection], *, whole: int, progress: Callable[[str], None]) -> Iterator[Projection]:
    for number, made in enumerate(each, start=1):
        if number % TOLD_EVERY == 0 and number < whole:
            progress(f"ehc: {number} of {whole} local authorities")
        yield made


def _regions(each: Iterable[Projection], wanted: Set[str] | None, figures: Figures) -> Iterator[Projection]:
    """Sum local authorities, which come region by region, to the regions wanted, or to all of them."""
    for code, members in groupby(each, key=lambda made: made.area.region_code):
        if wanted is None or code in wanted:
            yield Projection.total(members, find_area(code), history=published(figures, code))
        else:
            deque(members, maxlen=0)


def _adjustment(made: Projection) -> list[dict[str, float]]:
    """Return what the forecast of totals adds to what the cohorts alone come to: January, plans, and per cent of it."""
    rows = made.adjustment()[["ds", "mean", "share"]]
    return [
        {"year": int(ds.year), "plans": round(float(mean), 1), "percent": round(float(share), 2)}
        for ds, mean, share in rows.itertuples(index=False)
    ]


def _entry(job: EhcJob, config: RunConfig, shown: Mapping[str, _Shown]) -> dict[str, Any]:
    assumptions, listed = job.assumptions, job.assumptions.listed()
    return {
        "areas": [
            {"area_code": area.code, "area_name": area.name, "geographic_level": area.geographic_level}
            for area in job.wanted
        ],
        "until": job.section.until,
        "last_flow": job.data.figures.last_flow,
        "n_paths": config.n_paths,
        "settings": _settings(job),
        "tables": [
            {"name": table.name, "title": table.title, "years": table.years, "placement": table.placement or ""}
            for table in assumptions.tables
        ],
        "overrides": listed.astype(object).where(listed.notna(), None).to_dict(orient="records"),
        "notes": {code: list(each.notes) for code, each in shown.items()},
        "adjustment": {code: each.adjustment for code, each in shown.items()},
        "provenance": list(job.data.provenance),
        "references": list(job.data.references),
    }


def _settings(job: EhcJob) -> dict[str, str]:
    """Return the settings by name, as words: the rules with what they say."""
    assumptions = job.assumptions
    own = [area for area in job.needed if area.code in job.data.monthly]
    counted = ", ".join(area.name for area in own)
    return {
        "profile": _profile(job, [area for area in own if job.data.monthly[area.code].profile() is not None]),
        "requests": f"{assumptions.requests_rule}: {requests.NATIONAL_RULES[assumptions.requests_rule]}",
        "caseload": f"{assumptions.caseload_rule}: {growth.NATIONAL_RULES[assumptions.caseload_rule]}",
        **({"monthly": f"own requests by month of {counted}"} if counted else {}),
    }


def _profile(job: EhcJob, seasons: Sequence[Area]) -> str:
    """Say how requests fall on a year: as the settings have it, or as months of their own show for some authorities."""
    profile = job.assumptions.profile
    text = profile if isinstance(profile, str) else ", ".join(f"{share:g}" for share in profile)
    named = ", ".join(area.name for area in seasons)
    if not seasons:
        return text
    return f"own months of {named}" if len(seasons) == len(job.needed) else f"{text}; own months of {named}"
