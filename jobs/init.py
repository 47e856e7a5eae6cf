"""A first config for a named local authority."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from forecast.errors import SpecError

if TYPE_CHECKING:
    from forecast.reference import Area

FORMS = {
    "one": "a number",
    "tier": "a number, or by tier",
    "band": "a number, or by wait band",
    "need": "{slcn: , asd: }",
}
_TEMPLATE = Template("""\
# EHC requests, new plans and caseload in $area_name.
# Five years ahead from the figures alone, and to 2035 from request to plan.
#
#   forecast validate -c $file     checks this file and the data, changes nothing
#   forecast run -c $file          makes the projections
#   forecast publish -c $file      makes the page
#
# Paths are relative to this file. Write true or false for yes and no, and put text that could be read as
# something else in quotes, such as "NO" or "12:30".

name: $name
title: $title

# Nothing that became available after this day is read; without the line, all there is today.
$as_of

# The same seed gives the same forecasts. Each forecast is n_paths possible futures; intervals are read from them.
seed: 1
n_paths: 1000
levels: [80, 95]

data:
  # Department for Education: EHC requests, assessments and plans by local authority, once a year.
  # "bundled" is the published data that comes with this package; or give the folder or zip of a release.
  ehc:
    source: sen2_release
    path: bundled
  # NHS England: children and young people waiting for speech and language therapy, once a month.
  # slt: {source: nhs_waiting_list, path: bundled}
  # A service's referrals by month, as counts, with the columns month, locality, age_band, source, tier, referrals.
  # slt_log: {source: slt_referrals, path: slt_referrals.csv}
  # Your own counts from a csv, xlsx or parquet file, one row a month and area. Take the # away, here and
  # under targets, and put your file and column names in. Local data is not published until disclosure
  # control exists.
  # own:
  #   source: table
  #   path: referrals.csv
  #   measure: slt_referrals
  #   freq: MS                     # MS month, QS quarter, YS year, W-MON week
  #   columns:
  #     ds: Month
  #     y: Referrals
  #     area: Locality             # leave out if the file is one series
  #   date_format: "%d/%m/%Y"
  #   provenance: local
  #   max_gap: 2                   # missing months in a row that are filled

targets:
  - name: ehc
    data: ehc
    measures: [requests, new_plans, caseload]
    # Shown on the page, the first as the place the page is about.
    areas: [$areas]
    # Models that learn from many areas at once learn from every local authority.
    pool: all
    horizon: 5                     # years ahead
    # The models are tried from the last six years as if each were today, and scored on what came after.
    origins: 6
    # auto combines methods that suit the series, weighted by how well each did. Or name one of the candidates.
    model: auto
    # Compared with it; auto is the same whichever they are. theta, ets, arima, prophet, structural and
    # count_regression can be added; they are fitted one area at a time, which takes longer.
    candidates: [naive, drift, area_growth, theta_classical, damped_trend]
    # The page gives the chance of more than a number you name:
    # thresholds:
    #   requests: 1000
  # - name: own
  #   data: own
  #   measures: [slt_referrals]
  #   areas: all
  #   horizon: 12                  # months ahead
  #   origins: 12
  #   model: auto
  #   candidates: [naive, seasonal_naive, theta_classical, ets_log, count_regression]
  #   # What happened on known days, told to candidates that can use it (count_regression, structural, arima,
  #   # prophet). step: for good; pulse: from start to end; ramp: builds up from start to end and stays; hold:
  #   # figures from start to end are not learnt from.
  #   interventions:
  #     - {name: covid, kind: hold, start: 2020-03-23, end: 2021-07-19}

# From request to plan: requests by age, the 20 weeks, plans, and the caseload by age, need and placement,
# under dated assumptions. What is not said here carries on as the figures show it.
ehc:
  data: ehc
  areas: [$area]
  until: 2035                      # the caseload to January 2036
  # Your own requests by month, an entry under data with source: table, measure: requests and freq: MS.
  # monthly: own
  # Assessments that one local authority, then the only one under areas, can complete a month; without it the
  # published shares within 20 weeks carry on.
  # capacity: 60
  # Dated changes, each a value or a factor and a reason that the page gives: refusal and withdrawal (shares of
  # requests), no_plan (of completed assessments), overturned (of refusals), requests, cease and transfers_in
  # (multiplied only), capacity. ages and `to`, the last day, can be left out. They hold for each local authority
  # projected.
  # overrides:
  #   - {what: refusal, from: 2026-09-01, value: 0.20, reason: panel practice}
  #   - {what: requests, from: 2026-09-01, multiply: 1.2, ages: [0, 4], reason: early-years entry}

# Speech and language: how many children will wait, how long, and how many therapists (WTE) it takes, as the
# service is and under each option. Take the # away here and before `slt`, and fill in what is your service's.
# speech_language:
#   waiting_list: slt
#   provider: NAME NHS Foundation Trust    # as NHS England's waiting lists name it
#   # Referrals; without the line they are estimated from the waiting list. It needs the entry slt_log.
#   # referrals: slt_log
#   ehc_area: $area
#   months: 48
#   target: {within_weeks: 18, share: 0.92, by: 2027-03-31}
#   staff:                         # established posts, each from its day until the next
#     - {from: 2023-10-01, wte: 0}
#   norms:                         # nobody publishes them: each is your own figure, with its source
$norms
#   options:
#     - {name: more_staff, title: Two more therapists, wte: [{from: 2025-09-01, more: 2}], reason: a bid}

# MLflow keeps the comparison of models. For a server give its address; user and password come from
# environment variables, never from this file. When MLflow does not answer within the timeout (seconds),
# the run goes on without it.
tracking:
  enabled: true
  uri: sqlite:///mlflow.db
  artifacts: mlartifacts
  timeout: 10

output:
  runs: runs
  releases: releases

# true: each new run becomes the current release. false: `forecast publish` does it.
publish:
  after_run: false
""")


def config_for(area_name: str, *, as_of: date | None) -> str:
    """Return a commented config for a local authority.

    Parameters
    ----------
    area_name : str
        A name, an alias or a code.
    as_of : date or None
        Day to pin; None leaves the line as a comment.

    Raises
    ------
    SpecError
        If there is no such area, or it is not a local authority of today.
    """
    return _text_for(_local_authority(area_name), as_of=as_of)


def write_config(area_name: str, folder: Path, *, as_of: date | None, dry_run: bool) -> Path:
    """Write a config for a local authority, named after it.

    Parameters
    ----------
    area_name : str
        A name, an alias or a code.
    folder : Path
        Where to write; made if needed.
    as_of : date or None
        Day to pin; None leaves the line as a comment.
    dry_run : bool
        Check and name the file without writing it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SpecError
        If there is no such local authority today, or the file exists: it is never overwritten.
    """
    area = _local_authority(area_name)
    file = folder / f"{_slug(area.name)}.yaml"
    refusal = SpecError(
        f"config {str(file)!r}: exists already and is not overwritten. Use it, or rename it and try again."
    )
    if file.exists():
        raise refusal
    if not dry_run:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with file.open("x", encoding="utf-8", newline="\n") as out:
                out.write(_text_for(area, as_of=as_of))
        except FileExistsError:
            raise refusal from None
        except OSError as error:
            raise SpecError(
                f"config {str(file)!r}: cannot be written ({error.strerror}). Give a folder you may write to."
            ) from None
    return file


def _local_authority(text: str) -> Area:
    from forecast import reference
    from forecast.sources.text import looks_personal

    if looks_personal(text):
        raise SpecError("area (not shown): looks like a postcode, UPN or NHS number. Name a local authority.")
    area = reference.find_area(text)
    if area.geographic_level != "local_authority":
        raise SpecError(
            f"area {text!r}: is {area.name}, level {area.geographic_level}; a config is written for one "
            "local authority, with its region and England on the page. Name a local authority."
        )
    if not area.current:
        known = reference.areas()
        last = int(known.loc[known["area_code"].eq(area.code), "last"].iloc[0])
        begun = known["region_code"].eq(area.region_code) & known["first"].between(last, last + 1)
        names = list(known.loc[begun & known["geographic_level"].eq("local_authority"), "area_name"])
        instead = f"{' or '.join(names)}, new in {area.region_name} since" if names else "an authority of today"
        raise SpecError(
            f"area {text!r}: is {area.name}, which no longer exists; its last figures are of {last}. Name {instead}."
        )
    return area


def _text_for(area: Area, *, as_of: date | None) -> str:
    name = _slug(area.name)
    shown = (area.name, area.region_name, "England")
    return _TEMPLATE.substitute(
        area_name=area.name,
        name=name,
        file=f"{name}.yaml",
        title=json.dumps(f"EHC plans in {area.name}", ensure_ascii=False),
        as_of=f"as_of: {as_of}" if as_of else "# as_of: 2024-07-01",
        area=json.dumps(area.name, ensure_ascii=False),
        norms="\n".join(_norm_lines()),
        areas=", ".join(json.dumps(each, ensure_ascii=False) for each in dict.fromkeys(shown)),
    )


def _norm_lines() -> Iterator[str]:
    """Ask for each norm of a speech and language service, as comments."""
    from forecast.speech_language.norms import NORMS

    for name, kind in NORMS.items():
        only = ", only with ehc_area" if kind.ehc else ""
        yield f"#     # {kind.title} ({kind.unit}{only}): {FORMS[kind.by]}."
        yield f"#     {name}: {{value: , source: }}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
