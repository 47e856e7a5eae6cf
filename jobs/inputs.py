"""From a config to panels: read the sources, keep what was visible, find the areas.

Every published geographic level of a measure is a panel of its own: areas and the totals of them are never
in one panel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import reference
from forecast.errors import InputError, SpecError
from forecast.panel import PERIOD_NAME, Panel
from forecast.sources import nhs_waiting_list, sen2_release, table
from forecast.sources.faults import Faults
from forecast.sources.observations import AGGREGATES, Reading, panel_of, usable, visible
from forecast.sources.text import shown
from jobs.config_fields import MOST_GAP
from jobs.interventions import with_interventions, without_effect

if TYPE_CHECKING:
    from jobs.config import RunConfig, Target

DATE_FORM = {"YS": "%Y", "QS": "%Y-%m", "MS": "%Y-%m", "W-MON": "%Y-%m-%d"}
FREQ = {"sen2_release": "YS", "nhs_waiting_list": "MS"}


@dataclass(frozen=True)
class PanelJob:
    """One panel to forecast: a measure at one geographic level.

    Attributes
    ----------
    target : Target
        The part of the config it belongs to.
    measure, geographic_level : str
    panel : Panel
    areas : DataFrame
        area_code, area_name, region_code of its series.
    on_page : tuple of str
        Area codes the page shows, in the order of the config.
    neighbours : tuple of str
        Area codes where slow models are evaluated besides.
    max_gap : int
    parts : Panel or None
        For published totals, the panel of the areas they are totals of, where all areas may be learnt from.
    warnings : tuple of str
        Interventions that change nothing in the forecast, and why.
    """

    target: Target
    measure: str
    geographic_level: str
    panel: Panel
    areas: pd.DataFrame
    on_page: tuple[str, ...]
    neighbours: tuple[str, ...]
    max_gap: int
    parts: Panel | None
    warnings: tuple[str, ...] = ()


def freq_of(config: RunConfig, data: str) -> str:
    """Period of an entry under data."""
    source = config.series(data)
    return source.freq if source.source == "table" else FREQ[source.source]


def read_sources(config: RunConfig) -> dict[str, Reading]:
    """Read every source of the config but referral logs, keeping only what was available on its as-of date."""
    return {name: read_source(config, name) for name in series_of(config)}


def series_of(config: RunConfig) -> list[str]:
    """Entries under data that are read as series: all but referral logs."""
    return [name for name, source in config.data.items() if source.source != "slt_referrals"]


def read_source(config: RunConfig, name: str) -> Reading:
    """Read one entry under data, keeping only what was available on the as-of date."""
    reading = _read(config, name)
    seen = visible(reading.observations, pd.Timestamp(config.as_of))
    if seen.empty:
        first = reading.observations["available"].min()
        raise InputError(
            f"data {name!r} ({config.data[name].source}): none of its {len(reading.observations)} figures was "
            f"available on {config.as_of}; the first became so on {first:%Y-%m-%d}. "
            f"Set a later as_of in {config.file.name}."
        )
    return Reading(seen, reading.sources, reading.warnings)


def _read(config: RunConfig, name: str) -> Reading:
    source = config.series(name)
    paths = config.data_paths(name)
    if source.source == "sen2_release":
        return sen2_release.read(paths[0]) if paths else reference.ehc()
    if source.source == "nhs_waiting_list":
        return nhs_waiting_list.read(paths) if paths else reference.slt_waiting()
    return table.read(
        paths[0],
        measure=source.measure,
        columns=source.columns.model_dump(exclude_none=True),
        freq=source.freq,
        date_format=source.date_format,
        sheet=source.sheet,
        encoding=source.encoding,
        provenance=source.provenance,
        available_after_days=source.available_after_days,
        title=source.title or "",
        publisher=source.publisher or "",
        licence=source.licence or "not stated",
    )


def panel_jobs(config: RunConfig, readings: Mapping[str, Reading]) -> list[PanelJob]:
    """Check the data of every target and lay it out in panels.

    Raises
    ------
    InputError
        A measure without figures, or a local series with a longer gap than allowed.
    SpecError
        An area the data does not have; the message names the nearest.
    """
    return [job for target in config.targets for job in target_jobs(config, target, readings[target.data].observations)]


def target_jobs(config: RunConfig, target: Target, observations: pd.DataFrame) -> list[PanelJob]:
    """Check the data of one target and lay it out in panels, one a measure and geographic level.

    Raises
    ------
    InputError, SpecError
        As `panel_jobs`: the first fault, with the others as its notes.
    """
    source = config.series(target.data)
    freq = freq_of(config, target.data)
    here = observations[observations["measure"].isin(target.measures)]
    faults = Faults()
    faults.add(_absent_measures(config, target, observations))
    if here.empty:
        faults.refuse()
    if source.source == "sen2_release":
        here = _still_reported(here)
    if source.source == "table":
        faults.add(_gaps(here, freq, source.max_gap, config.file.name))
    wanted = _wanted_areas(config, target, here, faults)
    if len(wanted):
        faults.add(_unusable(config, target, here, list(wanted["area_code"])))
    faults.refuse()
    jobs = []
    for measure in target.measures:
        parts = _panel_of_parts(here[here["measure"] == measure], freq) if target.pool == "all" else None
        for level in dict.fromkeys(wanted["geographic_level"]):
            rows = here[(here["measure"] == measure) & (here["geographic_level"] == level)]
            shown = tuple(wanted.loc[wanted["geographic_level"] == level, "area_code"])
            if target.pool == "areas":
                rows = rows[rows["area_code"].isin(shown)]
            if not usable(rows).notna().any():
                continue
            panel = with_interventions(panel_of(rows, freq=freq, groups=()), target, source.source, measure)
            areas = rows.drop_duplicates("area_code", keep="last")[["area_code", "area_name", "region_code"]]
            near = _neighbours(shown) if level == "local_authority" and len(shown) < len(areas) else ()
            jobs.append(
                PanelJob(
                    target=target,
                    measure=measure,
                    geographic_level=level,
                    panel=panel,
                    areas=areas.set_index("area_code"),
                    on_page=shown,
                    neighbours=near,
                    max_gap=source.max_gap,
                    parts=parts if level in AGGREGATES else None,
                    warnings=without_effect(target, panel, form=DATE_FORM[freq]),
                )
            )
    return jobs


def _absent_measures(config: RunConfig, target: Target, observations: pd.DataFrame) -> Iterator[InputError]:
    given = sorted(observations["measure"].unique())
    for measure in target.measures:
        if measure not in given:
            yield InputError(
                f"target {target.name!r}: data {target.data!r} has no figures of {measure!r} visible on {config.as_of} "
                f"(it has {', '.join(given)}). Name one of those under measures in {config.file.name}."
            )


def _unusable(config: RunConfig, target: Target, here: pd.DataFrame, areas: list[str]) -> Iterator[InputError]:
    """Find measures without a figure that may be used for any area shown: there is nothing to forecast from."""
    form = DATE_FORM[freq_of(config, target.data)]
    for measure, of_all in here.groupby("measure"):
        rows = of_all[of_all["area_code"].isin(areas)]
        if not usable(rows).notna().any():
            told = [f", first {row.area_name} {row.ds:{form}}: {row.reason}" for row in rows.head(1).itertuples()]
            yield InputError(
                f"target {target.name!r}: none of the {len(rows)} figures of {measure!r} in data {target.data!r} for "
                f"its areas can be used{''.join(told)}. Give figures, or take the measure out of {config.file.name}."
            )


def _still_reported(observations: pd.DataFrame) -> pd.DataFrame:
    """Leave out areas without a row in the latest period: DfE lists every area that exists, if only as `x`."""
    key = ["measure", "geographic_level"]
    latest = observations["ds"] == observations.groupby(key)["ds"].transform("max")
    reported = pd.MultiIndex.from_frame(observations.loc[latest, ["measure", "area_code"]])
    return observations[pd.MultiIndex.from_frame(observations[["measure", "area_code"]]).isin(reported)]


def _panel_of_parts(observations: pd.DataFrame, freq: str) -> Panel | None:
    bottom = observations[~observations["geographic_level"].isin(AGGREGATES)]
    return panel_of(bottom, freq=freq, groups=()) if usable(bottom).notna().any() else None


def _neighbours(areas: tuple[str, ...]) -> tuple[str, ...]:
    """Neighbours of the areas that have any: a council that was abolished or has just been made has none."""
    found: set[str] = set()
    for area in areas:
        with suppress(SpecError):
            found.update(reference.neighbours(area))
    return tuple(sorted(found - set(areas)))


def _wanted_areas(config: RunConfig, target: Target, observations: pd.DataFrame, faults: Faults) -> pd.DataFrame:
    """Rows of area_code, area_name and geographic_level to show, bottom levels first for `all`."""
    latest = observations.sort_values("ds").drop_duplicates("area_code", keep="last")
    known = latest[["area_code", "area_name", "geographic_level"]]
    if target.areas == "all":
        order = known["geographic_level"].map(lambda level: AGGREGATES.index(level) + 1 if level in AGGREGATES else 0)
        return known.iloc[np.lexsort((known["area_name"], order))]
    names = known["area_name"].str.casefold()
    rows = [known.iloc[:0]]
    for text in target.areas:
        match = known[(known["area_code"] == text) | (names == text.casefold())]
        with faults.kept():
            if match.empty:
                code = _code_of(text, list(known["area_name"]), target.name, config.file.name)
                match = known[known["area_code"] == code]
            if match.empty:
                raise InputError(
                    f"target {target.name!r}: area {shown(text)} has no figures in data {target.data!r} visible on "
                    f"{config.as_of}. Choose another area or a later as_of in {config.file.name}."
                )
        rows.append(match)
    return pd.concat(rows).drop_duplicates("area_code")


def _code_of(text: str, names: list[str], target: str, file: str) -> str:
    try:
        return reference.find_area(text).code
    except SpecError as error:
        near = get_close_matches(text.casefold(), [name.casefold() for name in names], n=3, cutoff=0.5)
        hint = ", ".join(name for name in names if name.casefold() in near) or ", ".join(sorted(names)[:3])
        raise SpecError(
            f"{file}: targets[{target}].areas: {shown(text)} is not an area of its data; the nearest are {hint}. "
            "Use a name or code of the data."
        ) from error


def _gaps(observations: pd.DataFrame, freq: str, max_gap: int, file: str) -> Iterator[InputError]:
    """Find local series with too long a gap: its owner can fill it, and a guess would be silent."""
    for (measure, code), rows in observations.groupby(["measure", "area_code"]):
        dates = pd.DatetimeIndex(rows.loc[usable(rows).notna(), "ds"]).sort_values()
        if dates.empty:
            continue
        grid = pd.date_range(dates[0], dates[-1], freq=freq)
        missing = np.diff(grid.get_indexer(dates)) - 1
        longest = int(missing.max(initial=0))
        if longest > max_gap:
            start = int(grid.get_indexer(dates)[missing.argmax()]) + 1
            span = _span(grid[start], grid[start + longest - 1], form=DATE_FORM[freq])
            periods = f"{PERIOD_NAME[freq]}s missing in a row" if longest > 1 else f"{PERIOD_NAME[freq]} missing"
            allow = f" or set max_gap: {longest} under data in {file}" if longest <= MOST_GAP else ""
            yield InputError(
                f"series '{measure}/{code}': {longest} {periods} ({span}); {max_gap} allowed. Fill them{allow}."
            )


def _span(first: pd.Timestamp, last: pd.Timestamp, *, form: str) -> str:
    """Write a stretch of time: "2024-02", "2023-12..2024-01"."""
    return first.strftime(form) if first == last else f"{first.strftime(form)}..{last.strftime(form)}"
