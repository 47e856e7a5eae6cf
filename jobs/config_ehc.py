"""The `ehc` section of a config: whose requests, plans and caseload to project, until when, on which assumptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from jobs.config_fields import AnyDay, Areas, Many, Measure, Some, Words, not_empty, one_or_many
from jobs.config_sources import Spec

LAST_YEAR = 2040
OLDEST = 25
MONTHS = 12


def _first_and_last(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) != 2:
        raise ValueError(f"must be the first and the last age, as in [4, 10], not {len(value)} values")
    return value


def _twelve(value: object) -> object:
    if isinstance(value, (list, tuple)) and len(value) != MONTHS:
        raise ValueError(f"must be {MONTHS} shares, January first, or a name, not {len(value)} values")
    return value


Age = Annotated[int, Field(ge=0, le=OLDEST)]
Ages = Annotated[tuple[Age, Age], Field(strict=False), BeforeValidator(_first_and_last)]
Amount = Annotated[float, Field(ge=0)]
Shares = Annotated[tuple[Amount, ...], Field(strict=False, min_length=MONTHS, max_length=MONTHS)]
Profile = Annotated[
    Annotated[Literal["school_days", "even"], Tag("one")] | Annotated[Shares, BeforeValidator(_twelve), Tag("many")],
    Discriminator(one_or_many),
]


class CapacitySpec(Spec):
    """Assessments that can be completed a month, from a day on."""

    start: AnyDay = Field(alias="from")
    """First day."""
    a_month: Amount
    """Assessments completed a month at most."""
    reason: Words = "assessments that can be completed a month"
    """Why; the page gives it beside the figure."""


class OverrideSpec(Spec):
    """A dated change of a rate or a number, with the reason that the page gives."""

    what: Literal["refusal", "withdrawal", "no_plan", "overturned", "requests", "cease", "capacity", "transfers_in"]
    """Shares: refusal and withdrawal of requests, no_plan of completed assessments, overturned of refusals. requests,
    cease (plans that end) and transfers_in (children who move in) can only be multiplied. capacity is assessments
    completed a month."""
    start: AnyDay = Field(alias="from")
    """First day; nothing before it changes."""
    end: AnyDay | None = Field(default=None, alias="to")
    """Last day; for good when left out."""
    value: float | None = None
    """What it becomes; give this or `multiply`."""
    multiply: float | None = None
    """What the projection without overrides is multiplied by."""
    ages: Ages | None = None
    """First and last age it holds for; all when left out."""
    reason: Words
    """Why; the page gives it beside the figure."""


class TableSpec(Spec):
    """A planning table: the caseload in bands of age, January by January."""

    name: Measure
    """Small letters, digits and _."""
    title: Words
    """Heading."""
    bands: Annotated[dict[Words, Ages], Field(min_length=1)]
    """First and last age at 31 August before, by label."""
    years: Annotated[int, Field(ge=1, le=20)]
    """Academic years ahead."""
    placement: Words | None = None
    """Only plans of one placement group, such as special."""


class NationalRules(Spec):
    """How England's path goes on; areas deviate from it."""

    requests: Words | None = None
    """Name of a rule; the library's own when left out."""
    caseload: Words | None = None
    """Name of a rule; the library's own when left out."""


Capacity = Annotated[
    Annotated[Amount, Tag("one")] | Annotated[Some[CapacitySpec], Tag("many")], Discriminator(one_or_many)
]


class EhcSpec(Spec):
    """Requests, the 20 weeks from request to plan, and the caseload, by local authority."""

    data: Words
    """An entry under data whose source is sen2_release."""
    areas: Areas
    """Local authorities by name or code, the first as the place the page is about; a region or England is the sum
    of its local authorities; `all` takes every one of them, the regions and England."""
    until: Annotated[int, Field(ge=2000, le=LAST_YEAR)]
    """Last calendar year of requests and plans; the caseload goes on to the January after it."""
    monthly: Words | None = None
    """An entry under data with the council's own requests by month: a table whose measure is requests and freq MS. They
    say how requests spread over a year, and move the projected years."""
    profile: Profile = "school_days"
    """How a year's requests fall on its weeks: by school days, evenly, or by twelve shares, January first."""
    national_rule: NationalRules = NationalRules()
    """Named rules of England's path."""
    capacity: Capacity | None = None
    """Assessments that can be completed a month: a number, or a list with the day each holds from. It is that of one
    local authority, which is then the only one under areas. When left out, the published shares of plans within 20
    weeks carry on."""
    overrides: Many[OverrideSpec] = ()
    """Dated changes: policy, practice, local knowledge. They hold for each local authority that is projected."""
    tables: Some[TableSpec] | None = None
    """Planning tables in place of the library's own."""


Ehc = Annotated[EhcSpec | None, BeforeValidator(not_empty)]
_BLOCKS: dict[str, type[Spec]] = {
    "national_rule": NationalRules,
    "capacity": CapacitySpec,
    "overrides": OverrideSpec,
    "tables": TableSpec,
}


def keys_at(path: Sequence[str | int]) -> list[str]:
    """Keys allowed in a block of the section, as they are written; `path` starts below `ehc`."""
    spec = _BLOCKS.get(str(path[0]), EhcSpec) if path else EhcSpec
    return [field.alias or name for name, field in spec.model_fields.items()]
