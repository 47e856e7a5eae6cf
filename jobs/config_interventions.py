"""Dated interventions in a config: their block under a target, and what can be wrong with several together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forecast.calendar import Kind
from jobs.config_checks import Problem, as_day, block, items
from jobs.config_fields import AnyDay, Measure
from jobs.config_sources import Spec
from jobs.yaml_reader import YamlPath

KEPT_NAMES = ("exposure", "population")


class InterventionSpec(Spec):
    """Something that happened, or will, on known days and changed what is counted."""

    name: Measure
    """Small letters, digits and _; the ledger calls its effect so."""
    kind: Kind
    """step: for good; pulse: from start to end; ramp: builds up from start to end and stays; hold: figures from
    start to end stand apart and are not learnt from."""
    start: AnyDay
    """First day. An effect that begins after the last figure cannot be estimated and is not in the forecast."""
    end: AnyDay | None = None
    """Last day; a pulse or hold without it lasts one period, a ramp without it goes on."""


def intervention_problems(
    data: Mapping[str, object], *, able: Sequence[str], default_candidates: Sequence[str]
) -> Iterator[Problem]:
    """Find interventions that do not fit each other or their target, passing over values of the wrong type.

    Parameters
    ----------
    data : dict
        The values of a config as read.
    able : sequence of str
        Models that can use interventions.
    default_candidates : sequence of str
        What a target without `candidates` compares.
    """
    for number, value in enumerate(items(data.get("targets"))):
        target, at = block(value), ("targets", number)
        given = items(target.get("interventions"))
        candidates = [*items(target.get("candidates", list(default_candidates))), target.get("model")]
        if given and not any(name in able for name in candidates):
            message = f"no candidate can use them; add {', '.join(able[:-1])} or {able[-1]} under candidates"
            yield Problem((*at, "interventions"), message, at_key=True)
        first: dict[str, int] = {}
        for place, entry in enumerate(given):
            intervention = block(entry)
            yield from _problems(intervention, (*at, "interventions", place))
            name = intervention.get("name")
            if isinstance(name, str) and first.setdefault(name, place) != place:
                message = f"{name!r} is also the name of interventions[{first[name]}]; give it its own"
                yield Problem((*at, "interventions", place, "name"), message)


def _problems(intervention: Mapping[str, object], at: YamlPath) -> Iterator[Problem]:
    name, kind = intervention.get("name"), intervention.get("kind")
    start, end = as_day(intervention.get("start")), as_day(intervention.get("end"))
    if name in KEPT_NAMES:
        yield Problem((*at, "name"), f"{name!r} is kept for what counts are in proportion to; give another name")
    if start and end and end < start:
        yield Problem((*at, "end"), f"{end} is before the start, {start}; swap the two")
    elif end and kind == "step":
        yield Problem((*at, "end"), "a step lasts for good; take the end out, or make it a pulse")
