"""The `speech_language` section of a config: one service, its norms and staff, and the options to compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag

from jobs.config_checks import shown
from jobs.config_fields import AnyDay, Many, Measure, Some, Words, not_empty
from jobs.config_sources import Spec

LONGEST_WAIT = 104
MOST_MONTHS = 120
FITTED = "fitted"
LONGEST_FIRST = "longest_first"
T = TypeVar("T")


def _one_or_block(value: object) -> str:
    return "block" if isinstance(value, (Mapping, BaseModel)) else "one"


def _word_number_or_many(value: object) -> str:
    if isinstance(value, str):
        return "word"
    return "many" if isinstance(value, (list, tuple)) else "one"


Amount = Annotated[float, Field(ge=0)]
Week = Annotated[int, Field(ge=0, le=LONGEST_WAIT)]
ByName = Annotated[
    Annotated[float, Tag("one")] | Annotated[dict[Words, T], Field(min_length=1), Tag("block")],
    Discriminator(_one_or_block),
]


class TargetSpec(Spec):
    """What the service is to reach."""

    within_weeks: Annotated[int, Field(ge=1, le=LONGEST_WAIT)]
    """Weeks within which children are to be seen."""
    share: Annotated[float, Field(ge=0, le=1)]
    """Share of those waiting who have waited less, such as 0.92."""
    by: AnyDay
    """The day by which it is to be reached; the month it is in counts."""


class CapacityStepSpec(Spec):
    """First contacts a week, from a day on."""

    start: AnyDay = Field(alias="from")
    """First day; it holds until the next one."""
    a_week: Amount
    """First contacts of the whole service."""
    reason: Words = "first contacts that can be given a week"
    """Why; the page gives it beside the figure."""


class BookingSpec(Spec):
    """How children are booked off the list."""

    share: Annotated[float, Field(ge=0, le=1)]
    """Share of first contacts kept for children who have waited long, the longest first; the others are spread evenly
    over all who wait."""
    over_weeks: Week = 0
    """Weeks from which a wait is long."""


class StaffSpec(Spec):
    """Established posts, from a day on."""

    start: AnyDay = Field(alias="from")
    """First day; it holds until the next one."""
    wte: Amount
    """Whole-time equivalent posts, filled or vacant."""
    reason: Words = "established posts"
    """Why; the page gives it beside the figure."""


class NormSpec(Spec):
    """A figure of the service that no publication gives, and where it is from."""

    value: ByName[ByName[float]]
    """A number; or by tier, `{targeted: 4, specialist: 10}`; or by tier and age band; of leaving the list, by wait
    band."""
    source: Words
    """Where the figure is from; the page gives it."""


class MoreStaffSpec(Spec):
    """Posts on top of those of `staff`, from a day on."""

    start: AnyDay = Field(alias="from")
    """First day; it holds until the next one."""
    more: float
    """Whole-time equivalent posts more, or less."""


class MoreCapacitySpec(Spec):
    """First contacts a week on top of what there is, from a day on."""

    start: AnyDay = Field(alias="from")
    """First day."""
    end: AnyDay | None = Field(default=None, alias="to")
    """Last day; for good when left out."""
    more_a_week: float
    """First contacts a week more, or less."""


class TierMoveSpec(Spec):
    """Demand that moves from one tier to another."""

    from_tier: Words
    to_tier: Words
    share: Annotated[float, Field(ge=0, le=1)]
    """Share of the referrals to the first tier, as they would be without moves, that moves in the end."""
    start: AnyDay
    """First day of the change."""
    delay_months: Annotated[int, Field(ge=0, le=MOST_MONTHS)] = 0
    """Months before it shows."""
    build_up_months: Annotated[int, Field(ge=0, le=MOST_MONTHS)] = 0
    """Months over which it then grows evenly to the whole share."""
    localities: Many[Words] = ()
    """Only there; everywhere when left out."""
    age_bands: Many[Words] = ()
    """Only these; all when left out."""
    reason: Words = "demand moves between tiers"
    """Why; the page gives it."""


def _word(*known: str, otherwise: str) -> BeforeValidator:
    """Refuse a word that is none of those known, and say what else may stand there."""

    def check(value: object) -> object:
        if value not in known:
            raise ValueError(f"must be {' or '.join(known)}, or {otherwise}, not {shown(value)}")
        return value

    return BeforeValidator(check)


_BOOKING_BLOCK = "a block such as {share: 0.3, over_weeks: 18}"
OptionBooking = Annotated[
    Annotated[Literal["longest_first"], _word(LONGEST_FIRST, otherwise=_BOOKING_BLOCK), Tag("one")]
    | Annotated[BookingSpec, Tag("block")],
    Discriminator(_one_or_block),
]
Booking = Annotated[
    Annotated[Literal["fitted", "longest_first"], _word(FITTED, LONGEST_FIRST, otherwise=_BOOKING_BLOCK), Tag("one")]
    | Annotated[BookingSpec, Tag("block")],
    Discriminator(_one_or_block),
]
Capacity = Annotated[
    Annotated[
        Literal["fitted"], _word(FITTED, otherwise="a number or a list with the day each holds from"), Tag("word")
    ]
    | Annotated[Amount, Tag("one")]
    | Annotated[Some[CapacityStepSpec], Tag("many")],
    Discriminator(_word_number_or_many),
]


class OptionSpec(Spec):
    """One option: what is done on top of the service as it is, set beside it."""

    name: Measure
    """Small letters, digits and _."""
    title: Words
    """What the page calls it."""
    wte: Many[MoreStaffSpec] = ()
    """Staff more or less."""
    capacity: Many[MoreCapacitySpec] = ()
    """First contacts a week more or less, whoever gives them."""
    tiers: Many[TierMoveSpec] = ()
    """Demand that moves between tiers."""
    booking: OptionBooking | None = None
    """Another rule of booking; as it is when left out."""
    reason: Words
    """Why; the page gives it."""


class SpeechLanguageSpec(Spec):
    """Referrals, the waiting list, treatment, and the therapists it all takes, with options side by side."""

    referrals: Words | None = None
    """An entry under data whose source is slt_referrals; when left out, referrals are estimated from the published
    waiting list, in total only."""
    waiting_list: Words
    """An entry under data whose source is nhs_waiting_list."""
    provider: Words
    """The provider in it, by name or code."""
    ehc_area: Words | None = None
    """One of the areas of the ehc section: its assessments ask for advice, its plans bring contacts every year."""
    months: Annotated[int, Field(ge=1, le=MOST_MONTHS)]
    """Months ahead of the last published waiting list."""
    model: Words = "auto"
    """How referrals are forecast: a model name, or `auto`."""
    target: TargetSpec
    bands: Annotated[tuple[Week, ...], Field(strict=False, min_length=1)] | None = None
    """Edges of the wait bands shown, in weeks; those NHS England publishes when left out."""
    clinics: Many[Literal["locality", "age_band", "tier"]] = ()
    """What has first contacts of its own; when empty, one clinic sees all."""
    capacity: Capacity = "fitted"
    """First contacts a week of the whole service: as the published list shows them (fitted), a number, or a list with
    the day each holds from."""
    booking: Booking = "fitted"
    """Who is seen first: as the published list shows it (fitted), longest_first, or a share for long waiters."""
    seen_at_once: Many[Words] = ()
    """Tiers without a waiting list."""
    in_treatment: dict[Words, Amount] | None = None
    """Children in treatment at the start, by tier; what the norms come to when left out."""
    staff: Some[StaffSpec]
    """Established posts by date."""
    norms: dict[Words, NormSpec] = Field(default={})
    """The service's own figures, each with its source: nobody publishes them, so none has a default."""
    options: Many[OptionSpec] = ()
    """What could be done, each set beside the service as it is."""


SpeechLanguage = Annotated[SpeechLanguageSpec | None, BeforeValidator(not_empty)]
_BLOCKS: Mapping[tuple[str, ...], type[Spec]] = {
    ("target",): TargetSpec,
    ("capacity",): CapacityStepSpec,
    ("booking",): BookingSpec,
    ("staff",): StaffSpec,
    ("options",): OptionSpec,
    ("options", "wte"): MoreStaffSpec,
    ("options", "capacity"): MoreCapacitySpec,
    ("options", "tiers"): TierMoveSpec,
    ("options", "booking"): BookingSpec,
}


def keys_at(path: Sequence[str | int]) -> list[str]:
    """Keys allowed in a block of the section, as they are written; `path` starts below `speech_language`."""
    words = tuple(step for step in path if isinstance(step, str))
    spec = NormSpec if words[:1] == ("norms",) else _BLOCKS.get(words, SpeechLanguageSpec)
    return [field.alias or name for name, field in spec.model_fields.items()]
