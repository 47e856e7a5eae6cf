"""Data that ships with the package: published series, areas, neighbours, projections; loaded when first asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import pandas as pd

from forecast.errors import InputError
from forecast.reference.areas import Area, area_codes, areas, find_area, neighbours
from forecast.sources.observations import OBSERVATION_COLUMNS, Reading, SourceNote
from forecast.sources.sen2_breakdowns import BREAKDOWN_COLUMNS
from forecast.sources.slt_referrals import ReferralLog, read

__all__ = [
    "Area",
    "area_codes",
    "areas",
    "ehc",
    "ehc_accuracy",
    "ehc_breakdowns",
    "find_area",
    "neighbours",
    "population",
    "pupils_with_plan",
    "slt_referrals",
    "slt_waiting",
    "sources",
]

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
    """List the sources of a bundled data set, named as its file: "ehc", "ehc_breakdowns", "neighbours" and so on."""
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
        assessments_no_plan, new_plans, caseload, ceased, plans_20_week_den, plans_20_week_within and
        timeliness_20_week; from 2022 assessments_withdrawn; of 2023 requests_undecided, requests_withdrawn,
        decisions_within_6_weeks, decisions_over_6_weeks, refusals_to_mediation, refusals_to_tribunal,
        plans_20_week_to_year and plans_over_year; to 2021 assessments_undecided.
        Source: Department for Education, Open Government Licence v3.0.

    Notes
    -----
    Requests are those received in the year, with their outcome so far: decided_to_assess + requests_refused +
    requests_undecided + requests_withdrawn = requests in 2023. The decisions within and over 6 weeks do not add up to
    them: it seems that they are all decisions made in the year, so their own sum is the base of a rate. Assessments are
    those with an outcome in the year; assessments_undecided is a stock, those in progress on 31 December.
    """
    return _copy(_reading("ehc"))


@cache
def _breakdowns() -> pd.DataFrame:
    frame = _parquet("ehc_breakdowns.parquet")
    text = [c for c in BREAKDOWN_COLUMNS if c not in ("ds", "y", "available")]
    return frame.assign(
        **{column: frame[column].astype(str) for column in text},
        ds=frame["ds"].astype("datetime64[ns]"),
        available=frame["available"].astype("datetime64[ns]"),
    )


def ehc_breakdowns() -> pd.DataFrame:
    """Bundled EHC figures by age, need, placement and cause of ceasing.

    Returns
    -------
    DataFrame
        measure, geographic_level, area_code, region_code, ds, age, need, placement, cause ("" for all of a
        dimension), y (a count of children; a percentage for need_share and need_share_new), reason, note, available,
        source. See `forecast.sources.sen2_breakdowns.read` for reasons and ages not listed.
        Source: Department for Education, Open Government Licence v3.0.

    Notes
    -----
    By age ("0-2", "3" ... "19", "20+", "unknown"): requests, requests_refused, decided_to_assess, requests_undecided,
    requests_withdrawn, assessments_issued and assessments_no_plan of 2023 (age on the day of the request), new_plans of
    2022 and 2023 (age at the start), ceased of 2023 (age at the end, and by cause). caseload of January 2024 by age at
    31 August before ("0-2", "3" ... "25") and placement. By band ("0-4", "5-10", "11-15", "16-19", "20-25"): caseload
    2010 to 2022 and new_plans 2009 to 2021, on an age basis that is not stated. Of England and the regions:
    need_share of the caseload of January 2025 by age or placement, need_share_new of the new plans of 2024 by age (for
    Inner and Outer London, E13000001 and E13000002, in place of London).
    """
    return _breakdowns().copy()


@cache
def _ehc_accuracy() -> pd.DataFrame:
    with resources.as_file(_data("ehc_accuracy.csv")) as path:
        return pd.read_csv(path)


def ehc_accuracy() -> pd.DataFrame:
    """How far past forecasts of requests and caseload were off, over all local authorities.

    Returns
    -------
    DataFrame
        measure ("requests" or "caseload"), horizon (years ahead), origins (past years tried from), wape (per cent:
        absolute errors over outturns, mean over origins), coverage_80 (per cent of authorities inside the 80 %
        interval), first_origin, last_origin (a calendar year; the January for the caseload), command (what measures
        it). The caseload is the forecast as a whole, before it is brought together with the cohorts.
    """
    return _ehc_accuracy().copy()


@cache
def _pupils() -> pd.DataFrame:
    return _parquet("pupils_with_plan.parquet")


def pupils_with_plan() -> pd.DataFrame:
    """Bundled share of pupils with a statement or an EHC plan.

    Returns
    -------
    DataFrame
        area_code (local authorities, regions, England), year (of the January), percent.
        Source: Department for Education, Open Government Licence v3.0.
    """
    return _pupils().copy()


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
def _slt_referrals() -> ReferralLog:
    with resources.as_file(_data("slt_referrals_synthetic.csv")) as path:
        return replace(read(path), sources=sources("slt_referrals"), warnings=())


def slt_referrals() -> ReferralLog:
    """Bundled **synthetic** monthly referrals to speech and language therapy, October 2019 to September 2023.

    Returns
    -------
    ReferralLog
        Seven localities, three age bands, four sources and three tiers; `provenance` is "synthetic". Nobody was
        counted: see `forecast.reference.synthetic_referrals` for how it is made.
    """
    log = _slt_referrals()
    return replace(log, frame=log.frame.copy())


@cache
def _slt_accuracy() -> pd.DataFrame:
    with resources.as_file(_data("slt_accuracy.csv")) as path:
        return pd.read_csv(path)


def slt_accuracy() -> pd.DataFrame:
    """How far past forecasts of published speech and language waiting lists were off, over the providers.

    Returns
    -------
    DataFrame
        measure ("size" of the list, or "share" over 18 weeks), horizon (months ahead), origins (past months tried
        from), error (size: absolute errors over outturns, per cent; share: percentage points; mean over origins),
        coverage_80 (per cent of providers inside the 80 % interval), spread (standard deviation of the error of a list
        of 600 that its 80 % interval stands for, per cent of the list; NaN for the share), first_origin, last_origin
        (months), command (what measures it).
    """
    return _slt_accuracy().copy()


@cache
def _population() -> pd.DataFrame:
    return _parquet("population.parquet")


def population() -> pd.DataFrame:
    """Bundled subnational population projections by single year of age.

    Source: Office for National Statistics, Open Government Licence v3.0.
    """
    return _population().copy()
