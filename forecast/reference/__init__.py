"""Data that ships with the package: published series, areas, neighbours, projections; loaded when first asked for."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import pandas as pd

from forecast.errors import InputError
from forecast.reference.areas import Area, area_codes, areas, find_area, neighbours
from forecast.sources.observations import OBSERVATION_COLUMNS, Reading, SourceNote

__all__ = ["Area", "area_codes", "areas", "ehc", "find_area", "neighbours", "population", "slt_waiting", "sources"]

_TEXT = [c for c in OBSERVATION_COLUMNS if c not in ("ds", "y", "available")]


def _data(name: str) -> Traversable:
    return resources.files("forecast.reference").joinpath("data", name)


def _parquet(name: str) -> pd.DataFrame:
    try:
        with resources.as_file(_data(name)) as path:
            return pd.read_parquet(path)
    except FileNotFoundError as error:
        raise InputError(
            f"{name}: not among the bundled data. Build it: python -m forecast.reference.build FOLDER."
        ) from error


@cache
def _index() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(_data("sources.json").read_text(encoding="utf-8"))
    return loaded


def sources(dataset: str) -> tuple[SourceNote, ...]:
    """List the sources of a bundled data set: "ehc", "slt_waiting", "population" or "neighbours"."""
    return tuple(SourceNote(**note) for note in _index().get(dataset, {}).get("sources", []))


@cache
def _reading(dataset: str) -> Reading:
    frame = _parquet(f"{dataset}.parquet")
    frame = frame.assign(
        **{column: frame[column].astype(str) for column in _TEXT},
        ds=frame["ds"].astype("datetime64[ns]"),
        available=frame["available"].astype("datetime64[ns]"),
    )
    return Reading(frame, sources(dataset), tuple(_index().get(dataset, {}).get("warnings", [])))


def _copy(reading: Reading) -> Reading:
    return Reading(reading.observations.copy(), reading.sources, reading.warnings)


def ehc() -> Reading:
    """Bundled EHC series: yearly figures of each LA, region and England, both releases joined.

    Returns
    -------
    Reading
        Measures requests, requests_refused, decided_to_assess, assessments_completed, assessments_issued,
        new_plans, caseload, ceased, plans_20_week_den, plans_20_week_within and timeliness_20_week.
        Source: Department for Education, Open Government Licence v3.0.
    """
    return _copy(_reading("ehc"))


def slt_waiting() -> Reading:
    """Bundled monthly waiting lists for children's speech and language therapy.

    Returns
    -------
    Reading
        By provider, ICB, region and England, in total and by wait band.
        Source: NHS England, Open Government Licence v3.0.
    """
    return _copy(_reading("slt_waiting"))


@cache
def _population() -> pd.DataFrame:
    return _parquet("population.parquet")


def population() -> pd.DataFrame:
    """Bundled subnational population projections by single year of age.

    Source: Office for National Statistics, Open Government Licence v3.0.
    """
    return _population().copy()
