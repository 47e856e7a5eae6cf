"""From the `speech_language` section of a config to what a projection starts from: log, waiting list, service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import reference
from forecast.errors import InputError, SendForecastError, SpecError
from forecast.reference import find_area
from forecast.sources import slt_referrals
from forecast.sources.faults import Faults
from forecast.sources.observations import Reading, SourceNote
from forecast.sources.slt_referrals import ReferralLog
from forecast.sources.text import shown
from forecast.speech_language.cells import ALL, KEYS, NO_LIST, Cells
from forecast.speech_language.clinics import Booking
from forecast.speech_language.demand import listed_referrals
from forecast.speech_language.fit import fit_list
from forecast.speech_language.norms import NORMS, weekly
from forecast.speech_language.proxy import BandHistory, band_history
from forecast.speech_language.service import Service
from forecast.speech_language.staff import staff_by_month
from forecast.speech_language.tiers import move_demand
from jobs.config_sources import SltReferrals
from jobs.speech_language_service import service_of

if TYPE_CHECKING:
    from jobs.config import RunConfig
    from jobs.config_speech_language import SpeechLanguageSpec

DIGESTED = ("ds", *KEYS, "source", "y", "reason", "available", "provenance")
LEAVING = ("reneging_a_month", "removal_a_month")
NEAREST = 3


@dataclass(frozen=True)
class SpeechLanguageData:
    """What the section reads, as known on the as-of date.

    Attributes
    ----------
    log : ReferralLog or None
        The service's referrals; None where they are estimated from the waiting list.
    waiting : DataFrame
        Observations of the waiting lists.
    sources : tuple of SourceNote
        Of the waiting lists and the log.
    provenance : tuple of str
        Of all figures.
    synthetic : tuple of str
        Titles of the sources that are synthetic.
    warnings : tuple of str
        What was taken for granted of the log.
    """

    log: ReferralLog | None
    waiting: pd.DataFrame
    sources: tuple[SourceNote, ...]
    provenance: tuple[str, ...]
    synthetic: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 over the log, whatever the order of its rows; the waiting lists are among the run's readings."""
        total = hashlib.sha256()
        if self.log is not None:
            rows = self.log.frame[list(DIGESTED)]
            total.update(np.sort(pd.util.hash_pandas_object(rows, index=False).to_numpy()).tobytes())
        return total.hexdigest()


@dataclass(frozen=True)
class SpeechLanguageJob:
    """One projection of a speech and language service, checked.

    Attributes
    ----------
    section : SpeechLanguageSpec
    data : SpeechLanguageData
    service : Service
    provider, provider_name : str
        Code and name in the waiting lists.
    months : DatetimeIndex
        First days of the months projected.
    ehc_code : str
        Of the area whose EHC demand brings work; "" for none.
    """

    section: SpeechLanguageSpec
    data: SpeechLanguageData
    service: Service
    provider: str
    provider_name: str
    months: pd.DatetimeIndex
    ehc_code: str


def read_speech_language(config: RunConfig, readings: Mapping[str, Reading]) -> SpeechLanguageData | None:
    """Read the referral log of the section and lay out what was known on the as-of date; None without a section.

    Raises
    ------
    InputError
        A log that is refused, or of which nothing was known.
    SpecError
        A log that cannot be read as the config says.
    """
    section = config.speech_language
    if section is None:
        return None
    reading = readings[section.waiting_list]
    log = None if section.referrals is None else _log(config, section.referrals)
    notes = (*reading.sources, *(log.sources if log else ()))
    kinds = {*reading.observations["provenance"], *((log.provenance,) if log else ())}
    return SpeechLanguageData(
        log=log,
        waiting=reading.observations,
        sources=notes,
        provenance=tuple(sorted(kinds)),
        synthetic=tuple(note.title for note in notes if note.provenance == "synthetic"),
        warnings=log.warnings if log else (),
    )


def _log(config: RunConfig, name: str) -> ReferralLog:
    source, paths = config.data[name], config.data_paths(name)
    if not isinstance(source, SltReferrals):
        raise SpecError(f"data {name!r}: is not of source slt_referrals. Name an entry that is.")
    if not paths:
        return _visible(reference.slt_referrals(), config, name)
    read = slt_referrals.read(
        paths[0],
        columns=source.columns.model_dump(exclude_none=True) if source.columns else None,
        date_format=source.date_format,
        sheet=source.sheet,
        encoding=source.encoding,
        provenance=source.provenance,
        available_after_days=source.available_after_days,
        title=source.title or "",
        publisher=source.publisher or "",
        licence=source.licence or "not stated",
    )
    return _visible(read, config, name)


def _visible(log: ReferralLog, config: RunConfig, name: str) -> ReferralLog:
    try:
        return log.visible(pd.Timestamp(config.as_of))
    except InputError as error:
        raise InputError(f"data {name!r} (slt_referrals): {error}") from error


def speech_language_job(config: RunConfig, data: SpeechLanguageData | None) -> SpeechLanguageJob | None:
    """Check the section against its data, before anything is forecast; None without one.

    Raises
    ------
    SpecError
        A provider, tier, locality or age band that the data does not have, staff not known at the start, a target or an
        option outside the months projected, or EHC demand that is not projected so far.
    InputError
        A waiting list that cannot be used, or from which referrals cannot be estimated.
    """
    section = config.speech_language
    if section is None or data is None:
        return None
    ask = _Ask(config)
    code, name = _provider(ask, section, data.waiting)
    ask.faults.refuse()
    with ask.at("waiting_list"):
        history = band_history(data.waiting, code)
    ask.faults.refuse()
    service, cells = service_of(section), _cells(data.log)
    months = pd.date_range(history.months[-1] + pd.offsets.MonthBegin(), periods=section.months, freq="MS")
    _ask_list(ask, service, cells, history, data.log)
    _ask_service(ask, service, cells, months)
    _ask_days(ask, section, months)
    ask.faults.refuse()
    return SpeechLanguageJob(
        section=section,
        data=data,
        service=service,
        provider=code,
        provider_name=name,
        months=months,
        ehc_code=find_area(section.ehc_area).code if section.ehc_area else "",
    )


class _Ask:
    """Asks the library, keeps what it refuses and says where in the config that stands."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.faults = Faults()

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """Keep a fault that is raised inside, and go on after the block."""
        with self.faults.kept():
            try:
                yield
            except SendForecastError as error:
                raise type(error)(f"{self._where(path)}: {error}") from error

    def refuse(self, path: str, message: str) -> None:
        """Keep a fault."""
        self.faults.add([SpecError(f"{self._where(path)}: {message}")])

    def _where(self, path: str) -> str:
        return f"{self.config.file.name}: speech_language.{path}"


def _provider(ask: _Ask, section: SpeechLanguageSpec, waiting: pd.DataFrame) -> tuple[str, str]:
    """Find the provider in the waiting lists, by code or name; neither where there is none."""
    known = waiting.sort_values("ds").drop_duplicates("area_code", keep="last").set_index("area_code")["area_name"]
    wanted = section.provider.casefold()
    for code, name in known.items():
        if wanted in (str(code).casefold(), name.casefold()):
            return str(code), str(name)
    names = {name.casefold(): name for name in known}
    near = [names[each] for each in get_close_matches(wanted, names, n=NEAREST, cutoff=0.5)]
    hint = f"the nearest are {', '.join(near)}" if near else f"it has {', '.join(sorted(known)[:NEAREST])} and more"
    ask.refuse(
        "provider",
        f"{shown(section.provider)} is not in data {section.waiting_list!r} as known on {ask.config.as_of}; {hint}. "
        "Use a name or code of the data.",
    )
    return "", ""


def _cells(log: ReferralLog | None) -> Cells:
    """Lay out the groups of children that referrals are told by."""
    if log is None:
        return Cells(pd.DataFrame({key: [ALL] for key in KEYS}))
    every = pd.MultiIndex.from_product([sorted(log.frame[key].unique()) for key in KEYS], names=KEYS)
    return Cells(every.to_frame(index=False))


def _ask_list(ask: _Ask, service: Service, cells: Cells, history: BandHistory, log: ReferralLog | None) -> None:
    """Ask whether the list can be fitted: to the log, or to the referrals that it implies itself."""
    with ask.at("seen_at_once"):
        of_cell, _ = cells.clinics(service.clinics, service.seen_at_once)
        has_list = np.flatnonzero(of_cell != NO_LIST)
        referrals = listed_referrals(log.frame, cells, has_list, history) if log else None
        leaving = [weekly(service.norms.by_band(name, service.bands)) for name in LEAVING]
        with ask.at("waiting_list"):
            fit_list(
                history,
                referrals=referrals,
                reneging=leaving[0],
                removal=leaving[1],
                bands=service.bands,
                booking=Booking(),
            )


def _ask_service(ask: _Ask, service: Service, cells: Cells, months: pd.DatetimeIndex) -> None:
    """Ask what the projection would refuse after all forecasts are made."""
    for name in service.norms.each:
        if NORMS[name].by == "tier":
            with ask.at(f"norms.{name}.value"):
                service.norms.by_cell(name, cells.frame)
    tiers = cells.values("tier")
    odd = sorted({*(service.in_treatment or tiers)} ^ {*tiers})
    if odd:
        what = "has no figure" if odd[0] in tiers else "is no tier of the referrals"
        ask.refuse("in_treatment", f"{odd[0]!r} {what}; one is needed for each of {', '.join(tiers)}. Correct it.")
    with ask.at("staff"):
        staff_by_month(service.staff, months)
    nobody = np.zeros((len(cells), 1, 1))
    for number, option in enumerate(service.options):
        with ask.at(f"options[{number}].tiers"):
            move_demand(nobody, cells=cells.frame, months=months[:1], moves=option.tiers)
        with ask.at(f"options[{number}].wte"):
            staff_by_month(service.staff, months, changes=option.wte)


def _ask_days(ask: _Ask, section: SpeechLanguageSpec, months: pd.DatetimeIndex) -> None:
    """Refuse days beyond the months projected: they would change nothing, or cannot be judged."""
    last = months[-1] + pd.offsets.MonthEnd()
    span = f"{months[0]:%Y-%m} to {months[-1]:%Y-%m}"
    by, ehc = section.target.by, ask.config.ehc
    if not months[0] <= pd.Timestamp(by) <= last:
        ask.refuse("target.by", f"{by} is not in the months projected, {span}. Give another day or other months.")
    if section.ehc_area and ehc is not None and ehc.until < last.year:
        ask.refuse("months", f"they end in {last:%Y-%m}, after ehc.until ({ehc.until}). Project EHC demand as far.")
    for number, option in enumerate(section.options):
        for key in ("wte", "capacity", "tiers"):
            for place, entry in enumerate(getattr(option, key)):
                if pd.Timestamp(entry.start) > last:
                    at = f"options[{number}].{key}[{place}]"
                    ask.refuse(at, f"{entry.start} is after the months projected, {span}: it would change nothing.")
