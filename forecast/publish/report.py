"""The page of a run, in words and rows, and as HTML that opens offline."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from importlib.resources import files

import pandas as pd

from forecast.publish.accuracy import accuracy, pooled_accuracy
from forecast.publish.block import area_block
from forecast.publish.changes import Previous, changes
from forecast.publish.ehc.story import planning, planning_areas
from forecast.publish.method import licences, method, sources, unusable, versions
from forecast.publish.overview import all_areas
from forecast.publish.run import Area, RunRecord, Target
from forecast.publish.speech_language.story import speech_language
from forecast.publish.view import Fact, Page, Section
from forecast.publish.words import day, listed, measure
from forecast.sources.observations import AGGREGATES

MANY_AREAS = 12
FAILURES_NAMED = 15
OGL = "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"


def areas_drawn(target: Target) -> tuple[Area, ...]:
    """Return the areas that get a chart, the one told in full first.

    Up to `MANY_AREAS` areas: all, in the order of the config. More: England, then the regions, then the
    integrated care boards, as far as they are no more than that, and a table of all areas.
    """
    if len(target.areas) <= MANY_AREAS:
        return target.areas
    drawn: list[Area] = []
    for level in reversed(AGGREGATES):
        areas = sorted((area for area in target.areas if area.level == level), key=lambda area: area.name)
        if len(drawn) + len(areas) > MANY_AREAS:
            break
        drawn += areas
    return tuple(drawn) or target.areas[:1]


def build_page(
    run: RunRecord,
    *,
    published: pd.Timestamp,
    release_id: str,
    current: pd.DataFrame,
    previous: Previous | None = None,
) -> Page:
    """Say a run in words and rows.

    Parameters
    ----------
    run : RunRecord
    published : Timestamp
        Day of the release.
    release_id : str
    current : DataFrame
        `projections(run)`.
    previous : Previous, optional
        The release before this one.

    Returns
    -------
    Page
    """
    sections = tuple(_section(run, target, name) for target in run.targets for name in target.measures)
    drawn = {target.name: areas_drawn(target) for target in run.targets}
    synthetic = "synthetic" in run.provenance
    plans, spoken = planning(run), speech_language(run)
    firsts = [*(areas[0].name for areas in drawn.values()), *(plan.area for plan in plans[:1])]
    places = listed(list(dict.fromkeys(firsts)))
    return Page(
        title=str(run.manifest["title"]),
        facts=(
            Fact("Area", places),
            Fact("Figures known by", day(run.as_of)),
            Fact("Published", day(published)),
        ),
        synthetic=synthetic,
        alerts=_alerts(run),
        summary=(
            *(Fact(section.title, section.lead.headline, section.anchor) for section in sections),
            *(Fact(plan.title, plan.headline, plan.anchor) for plan in (*plans[:1], spoken) if plan),
        ),
        sections=sections,
        planning=plans,
        planning_areas=planning_areas(run),
        speech_language=spoken,
        changes=changes(run, current, previous, drawn),
        method=method(run, {name: areas[0] for name, areas in drawn.items()}),
        sources=sources(run),
        licences=licences(run),
        unusable=unusable(run),
        warnings=tuple(str(warning) for warning in run.manifest["warnings"]),
        versions=versions(run, release_id),
    )


def render(page: Page) -> str:
    """Return the page as HTML: no script, no font, nothing loaded from elsewhere."""
    import jinja2

    loader = jinja2.PackageLoader("forecast.publish", "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    css = files("forecast.publish").joinpath("templates/page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(page=page, css=css, ogl=OGL)


def _section(run: RunRecord, target: Target, name: str) -> Section:
    first, *others = areas_drawn(target)
    many = len(target.areas) > MANY_AREAS
    checked = accuracy(run, target, name, first)
    if many:
        levels = Counter(area.level for area in target.areas if area.level != first.level)
        for level, _ in levels.most_common(1):
            checked = replace(checked, tables=(*checked.tables, *pooled_accuracy(run, target, name, level)))
    anchor = f"{target.name}-{name}".replace("_", "-")
    return Section(
        anchor=anchor,
        title=measure(name).title,
        synthetic=run.synthetic(target.name),
        lead=area_block(run, target, name, first, chart_id=anchor, full=True),
        accuracy=checked,
        cards=tuple(
            area_block(run, target, name, area, chart_id=f"{anchor}-{i}", full=False)
            for i, area in enumerate(others, start=1)
        ),
        all_areas=all_areas(run, target, name) if many else None,
    )


def _alerts(run: RunRecord) -> tuple[str, ...]:
    if run.manifest["status"] == "ok":
        return ()
    failed = run.ledger[run.ledger["status"].eq("failed")]
    pairs = zip(failed["measure"], failed["area_name"], strict=True)
    names = [f"{measure(name).title}, {area}" for name, area in pairs]
    which = f" ({'; '.join(names[:FAILURES_NAMED])})" if names else ""
    return (f"A model failed in this run where it should have worked{which}: see how these projections are made.",)
