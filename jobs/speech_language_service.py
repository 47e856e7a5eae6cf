"""From the `speech_language` section of a config to the service a projection is of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeVar

from forecast.speech_language.bands import WaitBands
from forecast.speech_language.clinics import Booking
from forecast.speech_language.norms import Norms
from forecast.speech_language.service import CapacityStep, MoreCapacity, Option, Service, Target
from forecast.speech_language.staff import StaffChange, StaffStep
from forecast.speech_language.tiers import TierMove

if TYPE_CHECKING:
    from jobs.config_speech_language import (
        BookingSpec,
        CapacityStepSpec,
        MoreCapacitySpec,
        MoreStaffSpec,
        OptionSpec,
        SpeechLanguageSpec,
        StaffSpec,
        TargetSpec,
        TierMoveSpec,
    )

Dated = TypeVar("Dated", StaffStep, StaffChange, CapacityStep)


def service_of(section: SpeechLanguageSpec) -> Service:
    """Return the service of a section.

    Raises
    ------
    SpecError
        It cannot be.
    """
    capacity, booking = section.capacity, section.booking
    return Service(
        norms=norms_of(section),
        staff=_in_order(map(staff_of, section.staff)),
        target=target_of(section.target),
        bands=bands_of(section.bands),
        clinics=section.clinics,
        capacity=_in_order(map(capacity_of, capacity)) if isinstance(capacity, tuple) else capacity,
        booking="fitted" if booking == "fitted" else booking_of(booking),
        seen_at_once=section.seen_at_once,
        in_treatment=section.in_treatment,
        options=tuple(map(option_of, section.options)),
    )


def _in_order(steps: Iterable[Dated]) -> tuple[Dated, ...]:
    """Put what holds from a day on in the order of the days."""
    return tuple(sorted(steps, key=lambda step: step.start))


def norms_of(section: SpeechLanguageSpec) -> Norms:
    """Return the norms of a section; those about EHC demand only where it brings any."""
    given = {name: norm.model_dump() for name, norm in section.norms.items()}
    return Norms.from_mapping(given, ehc=section.ehc_area is not None)


def bands_of(edges: tuple[int, ...] | None) -> WaitBands:
    """Return the wait bands; those of NHS England without edges."""
    return WaitBands() if edges is None else WaitBands(edges)


def target_of(spec: TargetSpec) -> Target:
    """Return the target."""
    return Target(within_weeks=spec.within_weeks, share=spec.share, by=spec.by)


def staff_of(spec: StaffSpec) -> StaffStep:
    """Return posts from a day on."""
    return StaffStep(start=spec.start, wte=spec.wte, reason=spec.reason)


def capacity_of(spec: CapacityStepSpec) -> CapacityStep:
    """Return first contacts a week from a day on."""
    return CapacityStep(start=spec.start, a_week=spec.a_week, reason=spec.reason)


def booking_of(spec: BookingSpec | Literal["longest_first"]) -> Booking:
    """Return a rule of booking."""
    return Booking() if isinstance(spec, str) else Booking(share=spec.share, over_weeks=spec.over_weeks)


def more_staff_of(spec: MoreStaffSpec) -> StaffChange:
    """Return posts more from a day on."""
    return StaffChange(start=spec.start, more=spec.more)


def more_capacity_of(spec: MoreCapacitySpec) -> MoreCapacity:
    """Return first contacts more from a day on."""
    return MoreCapacity(start=spec.start, more_a_week=spec.more_a_week, end=spec.end)


def move_of(spec: TierMoveSpec) -> TierMove:
    """Return a move between tiers."""
    return TierMove(**dict(spec))


def option_of(spec: OptionSpec) -> Option:
    """Return an option."""
    return Option(
        name=spec.name,
        title=spec.title,
        wte=_in_order(map(more_staff_of, spec.wte)),
        capacity=tuple(map(more_capacity_of, spec.capacity)),
        tiers=tuple(map(move_of, spec.tiers)),
        booking=None if spec.booking is None else booking_of(spec.booking),
        reason=spec.reason,
    )
