"""From the `speech_language` section of a config to what a projection starts from: log, waiting list, service."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import reference
from forecast.errors import InputError, SpecError
from forecast.reference import find_area
from forecast.sources import slt_referrals
from forecast.sources.observations import Reading, SourceNote
from forecast.sources.slt_referrals import ReferralLog
from forecast.sources.text import shown
from forecast.speech_language.cells import ALL, KEYS, Cells
from forecast.speech_language.proxy import band_history
from forecast.speech_language.service import Service
from jobs.config_sources import SltReferrals
from jobs.speech_language_asking import Ask, Contacts, ask_capacity, ask_days, ask_list, ask_service
from jobs.speech_language_service import bands_of, service_of

if TYPE_CHECKING:
    from jobs.config import RunConfig
    from jobs.config_speech_language import SpeechLanguageSpec

DIGESTED = ("ds", *KEYS, "source", "y", "reason", "available", "provenance")
LONG_WEEKS = 52
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
        What was taken for granted of the log, and what the wait bands cannot show.
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
        warnings=(*(log.warnings if log else ()), *_unseen(section)),
    )


def _unseen(section: SpeechLanguageSpec) -> Iterator[str]:
    """Warn of wait bands that cannot show who has waited longer than the target, or than the longest told."""
    bands, weeks = bands_of(section.bands), section.target.within_weeks
    edges = {weeks: f"{weeks} weeks, the target", LONG_WEEKS: f"{LONG_WEEKS} weeks"}
    lacking = [said for edge, said in edges.items() if edge not in bands.edges]
    if lacking:
        yield (
            f"speech_language.bands: no edge at {', nor at '.join(lacking)}: the table of wait bands cannot show who "
            f"has waited longer. The bands are {', '.join(bands.labels)}."
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
        A provider, tier, locality or age band that the data does not have, staff or capacity not known at the start, a
        target or an option outside the months projected, an option that takes away more first contacts than there are,
        or EHC demand that is not projected so far.
    InputError
        A waiting list that cannot be used, or from which referrals cannot be estimated.
    """
    section = config.speech_language
    if section is None or data is None:
        return None
    ask = Ask(config)
    code, name = _provider(ask, section, data.waiting)
    ask.faults.refuse()
    with ask.at("waiting_list"):
        history = band_history(data.waiting, code)
    ask.faults.refuse()
    service, cells = service_of(section), _cells(data.log)
    months = pd.date_range(history.months[-1] + pd.offsets.MonthBegin(), periods=section.months, freq="MS")
    frame = data.log.frame if data.log else None
    fit = ask_list(ask, service, cells, history, frame)
    ask_service(ask, service, cells, months)
    ask_days(ask, section, months)
    ask.faults.refuse()
    if fit is not None:
        ask_capacity(ask, service, Contacts.of(service, cells, history, frame, fit=fit, months=months))
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


def _provider(ask: Ask, section: SpeechLanguageSpec, waiting: pd.DataFrame) -> tuple[str, str]:
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
        ("provider",),
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
