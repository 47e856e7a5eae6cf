"""The norms of a speech and language service: what each is, what it can be, and what is wrong with those given.

A norm decides how many therapists are asked for, so the library has no figure of its own for any.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

By = Literal["one", "tier", "band", "need"]
Fault = tuple[tuple[str, ...], str]

NEEDS = ("slcn", "asd")
FULL_TIME_YEAR = 1957.0
"""Paid hours of a full-time year: 37.5 a week, 365.25 / 7 weeks."""
LEAST_CLINICAL_HOURS = 100.0
"""Fewer are those of a week or a month."""
PARTS = ("value", "source")
NO_DEFAULT = (
    "There is no default: no published norm was found for the sessions a child needs or the clinical hours a therapist "
    "has, and a default would decide how many therapists are asked for. Give each of them under norms, with the figure "
    "the service works to and its source, as in {example}: {{value: ..., source: ...}}."
)


@dataclass(frozen=True, kw_only=True)
class NormKind:
    """What a norm is and which figures it can have.

    Attributes
    ----------
    title : str
        Heading in tables.
    unit : str
    what : str
        The norm in one clause, as an error asks for it.
    low, high : float
        Bounds.
    by : {"one", "tier", "band", "need"}
        One number only; or a number, or by tier, or by tier and age band; or a number, or by wait band; or a number
        for each need in NEEDS.
    ehc : bool
        Needed only where EHC demand brings work.
    above_low, below_high : bool
        Whether the bound itself is out of reach.
    """

    title: str
    unit: str
    what: str
    low: float
    high: float
    by: By = "tier"
    ehc: bool = False
    above_low: bool = False
    below_high: bool = False

    def allows(self, figure: float) -> bool:
        """Whether a figure is within the bounds."""
        low = figure > self.low if self.above_low else figure >= self.low
        high = figure < self.high if self.below_high else figure <= self.high
        return low and high

    @property
    def bounds(self) -> str:
        """Bounds in words.

        >>> NORMS["sickness_rate"].bounds
        '0 or more and less than 1'
        """
        low = f"more than {self.low:g}" if self.above_low else f"{self.low:g} or more"
        high = f"less than {self.high:g}" if self.below_high else f"at most {self.high:g}"
        return f"{low} and {high}"

    @property
    def example(self) -> str:
        """How a share is written."""
        return ", as in 0.04 for 4 %" if self.unit.startswith("share") else ""

    @property
    def wanted(self) -> str:
        """Form of the value in words."""
        return {
            "one": "a number",
            "tier": "a number, a number for each tier, or for each tier one for each age band",
            "band": "a number, or a number for each wait band",
            "need": f"a number for each of {' and '.join(NEEDS)}",
        }[self.by]


NORMS: Mapping[str, NormKind] = MappingProxyType(
    {
        "first_contact_hours": NormKind(
            title="Hours a first contact",
            unit="hours",
            what="working hours that one first contact takes, with its preparation, notes and letters",
            low=0.0,
            high=24.0,
            above_low=True,
        ),
        "treated_share": NormKind(
            title="Children seen who go on to treatment",
            unit="share",
            what="share of children seen at a first contact who go on to treatment",
            low=0.0,
            high=1.0,
        ),
        "episode_weeks": NormKind(
            title="Length of treatment",
            unit="weeks",
            what="mean weeks from the start of treatment to discharge",
            low=0.1,
            high=1000.0,
        ),
        "contacts_per_episode": NormKind(
            title="Treatment contacts a child",
            unit="contacts",
            what="mean number of contacts of a child from the start of treatment to discharge",
            low=0.0,
            high=1000.0,
        ),
        "contact_hours": NormKind(
            title="Hours a treatment contact",
            unit="hours",
            what="working hours that one treatment contact takes, with its preparation, notes and travel",
            low=0.0,
            high=24.0,
            above_low=True,
        ),
        "clinical_hours_a_year": NormKind(
            title="Clinical hours a year",
            unit="hours a year",
            what="hours a whole-time therapist has in a year for contacts and their admin, after leave, training, "
            "meetings and supervision, but before sickness",
            low=LEAST_CLINICAL_HOURS,
            high=FULL_TIME_YEAR,
            by="one",
        ),
        "sickness_rate": NormKind(
            title="Sickness",
            unit="share",
            what="share of working time lost to sickness",
            low=0.0,
            high=1.0,
            by="one",
            below_high=True,
        ),
        "vacancy_rate": NormKind(
            title="Vacancies",
            unit="share",
            what="share of established posts that nobody is in",
            low=0.0,
            high=1.0,
            by="one",
            below_high=True,
        ),
        "reneging_a_month": NormKind(
            title="Families who withdraw while they wait",
            unit="share a month",
            what="share of the children waiting whose family withdraws in a month",
            low=0.0,
            high=1.0,
            by="band",
            below_high=True,
        ),
        "removal_a_month": NormKind(
            title="Children taken off the list by the service",
            unit="share a month",
            what="share of the children waiting whom the service takes off the list, unseen, in a month",
            low=0.0,
            high=1.0,
            by="band",
            below_high=True,
        ),
        "advice_share": NormKind(
            title="EHC assessments that ask for advice",
            unit="share",
            what="share of EHC needs assessments that ask the service for advice",
            low=0.0,
            high=1.0,
            by="one",
            ehc=True,
        ),
        "advice_hours": NormKind(
            title="Hours an EHC advice",
            unit="hours",
            what="working hours that the advice to one EHC needs assessment takes, with seeing the child",
            low=0.0,
            high=100.0,
            by="one",
            ehc=True,
            above_low=True,
        ),
        "plan_share": NormKind(
            title="EHC plans with speech and language provision",
            unit="share",
            what="share of EHC plans that name speech and language provision, of those whose need is slcn (speech, "
            "language and communication) and of those whose need is asd (autism)",
            low=0.0,
            high=1.0,
            by="need",
            ehc=True,
        ),
        "plan_contacts_a_year": NormKind(
            title="Contacts a year for an EHC plan",
            unit="contacts a year",
            what="contacts a year for a child whose plan names speech and language provision, beyond those of a "
            "treatment after a referral",
            low=0.0,
            high=366.0,
            by="one",
            ehc=True,
        ),
        "plan_contact_hours": NormKind(
            title="Hours a contact for an EHC plan",
            unit="hours",
            what="working hours that one contact for an EHC plan takes, with its preparation, notes and travel",
            low=0.0,
            high=24.0,
            by="one",
            ehc=True,
            above_low=True,
        ),
    }
)


def needed(*, ehc: bool) -> list[str]:
    """Names of the norms there must be; `ehc`: EHC demand brings work."""
    return [name for name, kind in NORMS.items() if ehc or not kind.ehc]


def faults(given: Mapping[str, object], *, ehc: bool) -> Iterator[Fault]:
    """Yield all that is wrong with norms as a config gives them.

    Parameters
    ----------
    given : mapping of name to {"value": ..., "source": ...}
    ehc : bool
        Whether EHC demand brings work.

    Yields
    ------
    (path, message)
        Keys from `norms` down to the fault, and what to say: all missing norms in one message, a line each; a sentence
        for any other fault.
    """
    names = needed(ehc=ehc)
    if missing := [name for name in names if name not in given]:
        yield (), _missing(missing, len(names))
    for name, entry in given.items():
        if name not in NORMS:
            near = get_close_matches(str(name), NORMS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(NORMS)}."
            yield (str(name),), f"norm {name!r}: not known; {hint} Correct the name or take it out."
        else:
            yield from (((name, *path), f"norm {name!r}{said}") for path, said in _entry_faults(NORMS[name], entry))


def _missing(missing: list[str], of: int) -> str:
    """Ask for the norms that are missing."""
    verb = "is" if len(missing) == 1 else "are"
    lines = [f"  {name}: {NORMS[name].what} ({NORMS[name].unit})" for name in missing]
    return "\n".join([f"norms: {len(missing)} of {of} {verb} missing:", *lines, NO_DEFAULT.format(example=missing[0])])


def _entry_faults(kind: NormKind, entry: object) -> Iterator[Fault]:
    if not isinstance(entry, Mapping) or "value" not in entry:
        yield (), f": {entry!r} is not a figure with its source. Write {{value: ..., source: ...}}."
        return
    if extra := [str(key) for key in entry if key not in PARTS]:
        yield (extra[0],), f": {extra[0]!r} is no part of it. Write value and source alone."
    source = entry.get("source")
    if not isinstance(source, str) or not any(letter.isalpha() for letter in source):
        yield ("source",), f": source {source!r} says nothing. Say in words where the figure comes from."
    yield from ((("value", *path), said) for path, said in _value_faults(kind, entry["value"]))


def _value_faults(kind: NormKind, value: object, depth: int = 0) -> Iterator[Fault]:
    """Faults of a value, or of one of its parts `depth` levels down."""
    if isinstance(value, Mapping):
        deepest = {"one": 0, "tier": 2, "band": 1, "need": 1}[kind.by]
        if depth == deepest or not value or (kind.by == "need" and set(value) != set(NEEDS)):
            yield (), f": {dict(value)!r} given; {kind.wanted} is needed. Correct it."
            return
        for key, part in value.items():
            yield from (((str(key), *path), f", {key}{said}") for path, said in _value_faults(kind, part, depth + 1))
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or (kind.by == "need" and depth == 0):
        yield (), f": {value!r} given; {kind.wanted} is needed. Correct it."
    elif not kind.allows(value):
        yield (), f": {value:,.10g} cannot be; {kind.what} is {kind.bounds}{kind.example}. Correct it."
