"""The call: from referrals and a published waiting list to waits and therapists, as it is and under each option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import replace
from datetime import date
from types import MappingProxyType

import numpy as np
import pandas as pd

from forecast.ehc.outputs import Projection
from forecast.errors import InputError, SpecError
from forecast.models.specs import ModelSpec, spec_name
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.cells import NO_LIST, Cells
from forecast.speech_language.clinics import Booking
from forecast.speech_language.demand import Ask, demand_of, listed_referrals, recent_referrals
from forecast.speech_language.door import check_options, checked_log, known_lists
from forecast.speech_language.ehc_demand import ehc_demand
from forecast.speech_language.fit import ListFit, fit_list
from forecast.speech_language.history import counted_list, counted_referrals
from forecast.speech_language.noise import capacity_noise
from forecast.speech_language.norms import weekly
from forecast.speech_language.options import OptionRun, run_option
from forecast.speech_language.outputs import WORST, ServiceProjection, worst
from forecast.speech_language.proxy import BandHistory, band_history
from forecast.speech_language.referrals import ReferralPaths
from forecast.speech_language.service import AS_NOW, Service
from forecast.speech_language.start import (
    Start,
    capacity_by_week,
    pathways,
    shared_out,
    treated_at_start,
)
from forecast.speech_language.weeks import MonthWeeks

NO_PROVENANCE: Mapping[str, str] = MappingProxyType({})


def project(
    service: Service,
    *,
    waiting: pd.DataFrame,
    provider: str,
    referrals: pd.DataFrame | None = None,
    ehc: Projection | None = None,
    months: int = 48,
    model: ModelSpec = "auto",
    as_of: date | str | None = None,
    provenance: Mapping[str, str] = NO_PROVENANCE,
    n_paths: int = 1000,
    seed: int = 0,
    executor: Executor | None = None,
) -> ServiceProjection:
    """Project demand, waits and therapists of a service.

    Parameters
    ----------
    service : Service
        What is taken for granted, and the options.
    waiting : DataFrame
        Observations of published waiting lists, as known on the day of the projection
        (`forecast.reference.slt_waiting().observations` or those of `forecast.sources.nhs_waiting_list.read`).
    provider : str
        Code of the provider in them.
    referrals : DataFrame, optional
        A monthly log: ds, locality, age_band, source, tier, y. Without one the referrals are the published proxy.
    ehc : Projection, optional
        From request to plan in the area of the service, with as many paths: its assessments ask for advice and its
        plans bring contacts.
    months : int, default 48
        Months after the last published list.
    model : str, Model or list, default "auto"
        Of the referrals, as for `forecast_panel`.
    as_of : date, optional
        Nothing of `waiting` that became available later is read.
    provenance : mapping
        Of referrals, waiting and ehc: "published", "synthetic" or "local"; by default that of a column `provenance`
        of the log, or else local, and the others published.
    n_paths, seed : int
        The same seed gives the same paths.
    executor : concurrent.futures.Executor, optional
        Where one-series-at-a-time models run.

    Returns
    -------
    ServiceProjection

    Raises
    ------
    SpecError
        Something of the service contradicts the referrals or the months.
    InputError
        No such provider, or a list or log that cannot be used.
    """
    if months < 1:
        raise SpecError(f"months {months}: at least 1 is needed. Ask for more.")
    ask = Ask(model=model, n_paths=n_paths, seed=seed, executor=executor)
    checked = checked_log(referrals, as_of=as_of) if referrals is not None else None
    listed = band_history(known_lists(waiting, as_of=as_of), provider)
    first = listed.months[-1] + pd.offsets.MonthBegin()
    ahead = pd.date_range(first, periods=months, freq="MS").as_unit("ns")
    check_options(service, ahead)
    demand = demand_of(ask, listed, checked, ahead)
    if ehc is not None and ehc.paths["caseload"].shape[0] != n_paths:
        raise InputError(
            f"EHC demand of {ehc.area.name}: {ehc.paths['caseload'].shape[0]} paths, the service has {n_paths}. "
            "Project both with the same n_paths."
        )
    start, fit = _start(service, listed, demand, ehc, ahead, ask)
    runs: dict[str, OptionRun] = {AS_NOW: _with_sources(run_option(start, None), demand)}
    runs |= {option.name: run_option(start, option) for option in service.options}
    used = _provenances(provenance, checked)
    before = demand.history[demand.history["ds"].lt(ahead[0])]
    history = [
        counted_referrals(before).assign(provenance=used["referrals"]),
        counted_list(listed, service).assign(provenance=used["waiting"]),
    ]
    return ServiceProjection(
        start=start,
        runs=runs,
        history=pd.concat(history, ignore_index=True),
        sources=used,
        listed=listed,
        fit=fit,
        is_proxy=referrals is None,
        model=spec_name(model),
        notes=tuple(dict.fromkeys(_notes(start, fit, demand, referrals is None))),
    )


def _provenances(given: Mapping[str, str], referrals: pd.DataFrame | None) -> dict[str, str]:
    """Where referrals, waiting and ehc come from.

    Raises
    ------
    SpecError
        A word that is none of the three.
    """
    used = {"waiting": "published", "ehc": "published", **given}
    if referrals is None:
        used["referrals"] = used["waiting"]
    elif "referrals" not in used:
        told = list(referrals["provenance"].unique()) if "provenance" in referrals else ["local"]
        used["referrals"] = worst([str(word) for word in told])
    odd = [word for word in used.values() if word not in WORST]
    if odd:
        raise SpecError(f"provenance {odd[0]!r}: it is one of {', '.join(WORST)}. Correct it.")
    return used


def _start(
    service: Service,
    listed: BandHistory,
    demand: ReferralPaths,
    ehc: Projection | None,
    ahead: pd.DatetimeIndex,
    ask: Ask,
) -> tuple[Start, ListFit]:
    """Fit the list, and lay out what every option starts from."""
    cells, calendar = Cells(demand.cells), MonthWeeks.of(ahead)
    of_cell, n_clinics = cells.clinics(service.clinics, service.seen_at_once)
    has_list = np.flatnonzero(of_cell != NO_LIST)
    leaving = [weekly(service.norms.by_band(name, service.bands)) for name in ("reneging_a_month", "removal_a_month")]
    fit = fit_list(
        listed,
        referrals=listed_referrals(demand.history, cells, has_list, listed),
        reneging=leaving[0],
        removal=leaving[1],
        bands=service.bands,
        booking=service.booking if isinstance(service.booking, Booking) else None,
    )
    recent = recent_referrals(demand.history, cells, listed.months[-1])
    hours = pathways(service, cells)
    opening = shared_out(fit.opening, recent, has_list)
    a_child = float(np.average(hours[has_list], weights=recent[has_list]))
    total = capacity_by_week(service, fit, calendar, hours_a_child=a_child)
    share = np.bincount(of_cell[has_list], weights=recent[has_list], minlength=n_clinics)
    seen = _seen_a_week(recent, has_list, float(total.mean()))
    start = Start(
        service=service,
        cells=cells,
        calendar=calendar,
        opening=opening,
        referrals=demand.paths,
        of_cell=of_cell,
        capacity=np.outer(share / share.sum(), total),
        clinic_share=share / share.sum(),
        noise=capacity_noise(
            fit,
            weeks=len(calendar.mondays),
            n_paths=ask.n_paths,
            seed=ask.seed,
            referrals=demand.paths[has_list].sum(axis=0),
        ),
        reneging=leaving[0],
        removal=leaving[1],
        booking=fit.booking,
        in_treatment=treated_at_start(service, cells, recent, seen),
        hours_a_child=hours,
        ehc=ehc_demand(ehc, months=ahead, norms=service.norms) if ehc is not None else None,
    )
    return start, fit


def _seen_a_week(recent: FloatArray, has_list: IntArray, capacity: float) -> FloatArray:
    """First contacts a week of each cell as it is (C,): with a list a share of the capacity, else the referrals."""
    seen = recent / (365.25 / 7)
    seen[has_list] = capacity * recent[has_list] / recent[has_list].sum()
    return seen


def _with_sources(run: OptionRun, demand: ReferralPaths) -> OptionRun:
    """Add referrals by source, which no option changes, to what is told of the service as it is."""
    if len(demand.by_source) < 2:
        return run
    names = tuple(demand.by_source)
    paths = {**run.paths, ("referrals", "source"): np.stack([demand.by_source[name] for name in names])}
    return replace(run, paths=paths, categories={**run.categories, ("referrals", "source"): names})


def _notes(start: Start, fit: ListFit, demand: ReferralPaths, is_proxy: bool) -> Iterator[str]:
    yield from demand.notes
    yield from fit.notes
    if len(start.cells) > 1:
        yield (
            "The published list is one number: it is split over localities, ages and tiers as their referrals of the "
            "last twelve months are, and so are first contacts over clinics (modelled)."
        )
    yield (
        "First contacts follow the working days of a week; that fewer are made in school holidays is not modelled. "
        "Nor are contacts that were booked and not kept, beyond what the fitted capacity holds of them."
    )
    if start.service.in_treatment is None:
        yield "Children in treatment at the start are as many as those seen keep there (modelled), not counted."
    if is_proxy:
        yield "Without a referral log there are no localities, ages or tiers."
    if start.ehc is not None:
        yield from start.ehc.notes
