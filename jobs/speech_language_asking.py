"""What of a `speech_language` section does not fit its data, asked before any forecast, each fault at its line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.errors import SendForecastError, SpecError
from forecast.panel import FloatArray, IntArray
from forecast.sources.faults import Faults
from forecast.speech_language.cells import NO_LIST, Cells
from forecast.speech_language.clinics import Booking
from forecast.speech_language.demand import listed_referrals, recent_referrals
from forecast.speech_language.fit import ListFit, fit_list
from forecast.speech_language.norms import NORMS, weekly
from forecast.speech_language.proxy import BandHistory
from forecast.speech_language.service import Option, Service
from forecast.speech_language.staff import staff_by_month
from forecast.speech_language.start import capacity_by_week, pathways, treated_at_start
from forecast.speech_language.tiers import move_demand
from forecast.speech_language.weeks import MonthWeeks
from jobs.yaml_reader import path_text, read_yaml

if TYPE_CHECKING:
    from jobs.config import RunConfig
    from jobs.config_speech_language import SpeechLanguageSpec

LEAVING = ("reneging_a_month", "removal_a_month")
SECTION = "speech_language"
ROUNDING = 1e-9


class Ask:
    """Asks the library, keeps what it refuses and says where in the config that stands."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.faults = Faults()

    @contextmanager
    def at(self, *path: str | int) -> Iterator[None]:
        """Keep a fault that is raised inside, and go on after the block; `path` starts below the section."""
        with self.faults.kept():
            try:
                yield
            except SendForecastError as error:
                raise type(error)(f"{self._where(path)}: {str(error).removeprefix(f'{path[-1]}: ')}") from error

    def refuse(self, path: tuple[str | int, ...], message: str) -> None:
        """Keep a fault."""
        self.faults.add([SpecError(f"{self._where(path)}: {message}")])

    def _where(self, path: tuple[str | int, ...]) -> str:
        file, at = self.config.file, (SECTION, *path)
        line, column = read_yaml(file).place(at)
        return f"{file.name}:{line}:{column}: {path_text(at)}"


def ask_list(
    ask: Ask, service: Service, cells: Cells, history: BandHistory, log: pd.DataFrame | None
) -> ListFit | None:
    """Ask whether the list can be fitted: to the log, or to the referrals that it implies itself."""
    with ask.at("seen_at_once"):
        has_list = _with_list(service, cells)
        referrals = None if log is None else listed_referrals(log, cells, has_list, history)
        leaving = [weekly(service.norms.by_band(name, service.bands)) for name in LEAVING]
        with ask.at("waiting_list"):
            return fit_list(
                history,
                referrals=referrals,
                reneging=leaving[0],
                removal=leaving[1],
                bands=service.bands,
                booking=Booking(),
            )
    return None


def _with_list(service: Service, cells: Cells) -> IntArray:
    of_cell, _ = cells.clinics(service.clinics, service.seen_at_once)
    return np.flatnonzero(of_cell != NO_LIST)


def ask_service(ask: Ask, service: Service, cells: Cells, months: pd.DatetimeIndex) -> None:
    """Ask what the projection would refuse after all forecasts are made."""
    for name in service.norms.each:
        if NORMS[name].by == "tier":
            with ask.at("norms", name, "value"):
                service.norms.by_cell(name, cells.frame)
    if service.in_treatment is not None:
        each = np.ones(len(cells))
        with ask.at("in_treatment"):
            treated_at_start(service, cells, each, each)
    with ask.at("staff"):
        staff_by_month(service.staff, months)
    for number, option in enumerate(service.options):
        _ask_moves(ask, number, option, cells, months)
        with ask.at("options", number, "wte"):
            staff_by_month(service.staff, months, changes=option.wte)


def _ask_moves(ask: Ask, number: int, option: Option, cells: Cells, months: pd.DatetimeIndex) -> None:
    """Ask for each move by itself, and for all of them together if each can be."""
    nobody = np.zeros((len(cells), 1, 1))
    possible = []
    for place, move in enumerate(option.tiers):
        with ask.at("options", number, "tiers", place):
            move_demand(nobody, cells=cells.frame, months=months[:1], moves=[move])
            possible.append(move)
    if len(possible) == len(option.tiers):
        with ask.at("options", number, "tiers"):
            move_demand(nobody, cells=cells.frame, months=months[:1], moves=possible)


def ask_days(ask: Ask, section: SpeechLanguageSpec, months: pd.DatetimeIndex) -> None:
    """Refuse days outside the months projected: they would change nothing, change it twice, or cannot be judged."""
    first, last = months[0], months[-1] + pd.offsets.MonthEnd()
    span = f"{first:%Y-%m} to {last:%Y-%m}"
    by, ehc = section.target.by, ask.config.ehc
    if not first <= pd.Timestamp(by) <= last:
        message = f"{by} is not in the months projected, {span}. Give another day or other months."
        ask.refuse(("target", "by"), message)
    if section.ehc_area and ehc is not None and ehc.until < last.year:
        message = f"they end in {last:%Y-%m}, after ehc.until ({ehc.until}). Project EHC demand as far."
        ask.refuse(("months",), message)
    for number, option in enumerate(section.options):
        for key in ("wte", "capacity", "tiers"):
            for place, entry in enumerate(getattr(option, key)):
                at = ("options", number, key, place)
                if pd.Timestamp(entry.start) > last:
                    ask.refuse(at, f"{entry.start} is after the months projected, {span}: it would change nothing.")
                elif key == "tiers" and pd.Timestamp(entry.start) < first:
                    message = (
                        f"{entry.start} is before the months projected, {span}: referrals counted since have it "
                        "already. Start it then or later."
                    )
                    ask.refuse(at, message)


@dataclass(frozen=True, eq=False, kw_only=True)
class Contacts:
    """What decides how many first contacts a week there are.

    Attributes
    ----------
    fit : ListFit
    calendar : MonthWeeks
    hours_a_child : float
        Mean hours that a child on the list brings once seen.
    """

    fit: ListFit
    calendar: MonthWeeks
    hours_a_child: float

    @classmethod
    def of(
        cls,
        service: Service,
        cells: Cells,
        history: BandHistory,
        log: pd.DataFrame | None,
        *,
        fit: ListFit,
        months: pd.DatetimeIndex,
    ) -> Contacts:
        """Weigh the hours of a child by the referrals of the last months."""
        has_list, hours = _with_list(service, cells), pathways(service, cells)
        recent = np.ones(len(cells)) if log is None else recent_referrals(log, cells, history.months[-1])
        weights = recent[has_list]
        a_child = float(np.average(hours[has_list], weights=weights)) if weights.any() else 1.0
        return cls(fit=fit, calendar=MonthWeeks.of(months), hours_a_child=a_child)


def ask_capacity(ask: Ask, service: Service, contacts: Contacts) -> None:
    """Ask whether first contacts are known from the first week, and refuse options that take more than there are.

    Posts and moves of an option change first contacts by who is referred: such an option is judged when it is run.
    """
    calendar = contacts.calendar
    with ask.at("capacity"):
        there = capacity_by_week(service, contacts.fit, calendar, hours_a_child=contacts.hours_a_child)
        for number, option in enumerate(service.options):
            if option.capacity and not option.wte and not option.tiers:
                _ask_less(ask, number, option, there, calendar)


def _ask_less(ask: Ask, number: int, option: Option, there: FloatArray, calendar: MonthWeeks) -> None:
    changes = []
    for step in option.capacity:
        after = 0.0 if step.end is None else calendar.since(pd.Timestamp(step.end) + pd.Timedelta(days=1))
        changes.append(step.more_a_week * (calendar.since(pd.Timestamp(step.start)) - after) * calendar.profile)
    left = there + np.sum(changes, axis=0)
    short = np.flatnonzero(left < -ROUNDING)
    if not len(short):
        return
    week = short[0]
    most = int(np.argmin([change[week] for change in changes]))
    ask.refuse(
        ("options", number, "capacity", most, "more_a_week"),
        f"{option.capacity[most].more_a_week:g} takes away more than there are in the week of "
        f"{calendar.mondays[week]:%Y-%m-%d}, {there[week]:.1f} first contacts. Take fewer away.",
    )
