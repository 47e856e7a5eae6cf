"""What can be wrong with the `ehc` section of a config beyond single fields, each fault at its place.

The rules of the trade (which rate is a share, what contradicts what) are those of `forecast.ehc`; here they are
asked entry by entry, so that all faults are found and each has a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from forecast.ehc import growth, requests
from forecast.ehc.ages import REQUEST_AGE_SPANS
from forecast.ehc.assumptions import Assumptions
from forecast.ehc.overrides import Override, applied
from forecast.ehc.shares import PLACEMENTS
from forecast.errors import SpecError
from forecast.reference import find_area
from jobs.config_checks import Problem, block, items, made_of, refused, suggestion, without_subject
from jobs.config_ehc import MONTHS, CapacitySpec, OverrideSpec, TableSpec
from jobs.ehc_assumptions import capacity_from, override_of, table_of
from jobs.yaml_reader import YamlPath, path_text

SOURCE = "sen2_release"
AT: YamlPath = ("ehc",)
MONTHLY = ("table", "requests", "MS")
RULES: Mapping[str, Mapping[str, str]] = {"requests": requests.NATIONAL_RULES, "caseload": growth.NATIONAL_RULES}
BY_REQUEST_AGE = ("refusal", "withdrawal", "no_plan", "requests")


def ehc_problems(data: Mapping[str, object]) -> Iterator[Problem]:
    """Find what does not fit in the `ehc` section, passing over values of the wrong type.

    Parameters
    ----------
    data : dict
        The values of a config as read.
    """
    section = block(data.get("ehc"))
    yield from _source_problems(section.get("data"), block(data.get("data")))
    yield from _monthly_problems(section.get("monthly"), block(data.get("data")))
    yield from _area_problems(items(section.get("areas")))
    for key, known in RULES.items():
        name = block(section.get("national_rule")).get(key)
        if isinstance(name, str) and name not in known:
            yield Problem((*AT, "national_rule", key), f"{name!r} is not a rule{suggestion(name, known)}")
    shares = tuple(share for share in map(_number, items(section.get("profile"))) if share is not None)
    if len(shares) == MONTHS and min(shares) >= 0:
        yield from refused(partial(Assumptions, profile=shares), (*AT, "profile"))
        if section.get("monthly") is not None:
            yield Problem((*AT, "profile"), "monthly says how requests spread over a year too; give one of the two")
    yield from _override_problems(section)
    yield from _capacity_problems(section)
    yield from _table_problems(items(section.get("tables")))


def _source_problems(name: object, sources: Mapping[str, object]) -> Iterator[Problem]:
    fitting = [key for key, source in sources.items() if block(source).get("source") == SOURCE]
    if not isinstance(name, str) or name in fitting:
        return
    if name in sources:
        cure = f"name {' or '.join(fitting)}" if fitting else "add an entry of that source"
        yield Problem((*AT, "data"), f"{name!r} is not of source {SOURCE}, which plans are projected from; {cure}")
    else:
        yield Problem((*AT, "data"), f"{name!r} is not an entry under data{suggestion(name, fitting)}")


def _monthly_problems(name: object, sources: Mapping[str, object]) -> Iterator[Problem]:
    if not isinstance(name, str):
        return
    source = block(sources.get(name))
    if not source:
        tables = [key for key, other in sources.items() if block(other).get("source") == "table"]
        yield Problem((*AT, "monthly"), f"{name!r} is not an entry under data{suggestion(name, tables)}")
    elif (source.get("source"), source.get("measure"), source.get("freq")) != MONTHLY:
        wanted = "with measure: requests and freq: MS"
        yield Problem((*AT, "monthly"), f"{name!r} is not a table {wanted}; correct it under data or name another")


def _area_problems(given: Sequence[object]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, text in enumerate(given):
        if not isinstance(text, str) or not text.strip():
            continue
        at = (*AT, "areas", number)
        try:
            area = find_area(text)
        except SpecError as error:
            yield Problem(at, f"{text!r} is {without_subject(error)}")
            continue
        if not area.current:
            yield Problem(at, f"{area.name} no longer exists; name the local authorities that came after it")
        elif first.setdefault(area.code, number) != number:
            yield Problem(at, f"{text!r} is the same area as areas[{first[area.code]}]; keep one")


def _override_problems(section: Mapping[str, object]) -> Iterator[Problem]:
    made: dict[YamlPath, Override] = {}
    for number, entry in enumerate(items(section.get("overrides"))):
        at = (*AT, "overrides", number)
        reasoned = {"reason": "-", **block(entry)}
        yield from _kept(made, at, reasoned, partial(made_of, OverrideSpec, override_of))
    for number, entry in enumerate(items(section.get("capacity"))):
        at = (*AT, "capacity", number)
        yield from _kept(made, at, entry, partial(made_of, CapacitySpec, capacity_from))
    until, capacity = _number(section.get("until")), _number(section.get("capacity"))
    if capacity is not None:
        dated = tuple(override for override in made.values() if override.what == "capacity")
        yield from refused(partial(Assumptions, capacity=capacity, overrides=dated[:1]), (*AT, "capacity"))
    yield from _lapses(made, until)
    places = list(made)
    for number, at in enumerate(places):
        if until is not None and made[at].start.year > until:
            message = f"{made[at].start} is after until ({until:g}) and would change nothing; take it out"
            yield Problem((*at, "from"), message)
        for before in places[:number]:
            pair = partial(Assumptions, overrides=(made[before], made[at]))
            yield from (Problem(at, f"with {path_text(before)}, {problem.message}") for problem in refused(pair, at))


def _lapses(made: Mapping[YamlPath, Override], until: float | None) -> Iterator[Problem]:
    """Find capacities that end with none after them."""
    capacities = {at: override for at, override in made.items() if override.what == "capacity"}
    for at, override in capacities.items():
        if override.end is None or (until is not None and override.end.year > until):
            continue
        after = pd.Timestamp(override.end) + pd.offsets.MonthBegin()
        if not any(other.holds(pd.DatetimeIndex([after])).any() for other in capacities.values()):
            message = f"no capacity is given from {after:%Y-%m-%d} on; leave `to` out, or add one from that day"
            yield Problem((*at, "to"), message)


def _capacity_problems(section: Mapping[str, object]) -> Iterator[Problem]:
    """Refuse a capacity where several local authorities are projected: it is one authority's."""
    given = section.get("areas")
    if not (given == "all" or any(map(_several, items(given))) or len({*map(_code, items(given))} - {""}) > 1):
        return
    message = "a capacity is one local authority's, and several are projected; name that one alone under areas"
    if section.get("capacity") is not None:
        yield Problem((*AT, "capacity"), message)
    for number, entry in enumerate(items(section.get("overrides"))):
        if block(entry).get("what") == "capacity":
            yield Problem((*AT, "overrides", number, "what"), message)


def _several(text: object) -> bool:
    """Say whether an area is a sum of local authorities."""
    code = _code(text)
    return bool(code) and find_area(code).geographic_level != "local_authority"


def _code(text: object) -> str:
    """Return the code of an area; nothing for what is not one, which is told elsewhere."""
    try:
        return find_area(text).code if isinstance(text, str) and text.strip() else ""
    except SpecError:
        return ""


def _kept(
    made: dict[YamlPath, Override], at: YamlPath, entry: object, read: Callable[[object], Override | None]
) -> Iterator[Problem]:
    """Keep an override under its place, or say what is wrong where the word at fault stands."""
    try:
        override = read(entry)
    except SpecError as error:
        said = without_subject(error)
        word = {"it": "to", "start": "from"}.get(said.split()[0], said.split()[0])
        yield Problem((*at, word) if word in block(entry) else at, said)
    else:
        if override is not None:
            made[at] = override
            yield from refused(partial(_tell_apart, override), (*at, "ages"))


def _tell_apart(override: Override) -> None:
    """Refuse ages that the figures of requests put together with others."""
    if override.ages and override.what in BY_REQUEST_AGE:
        rate = np.zeros((1, len(REQUEST_AGE_SPANS)))
        days = pd.DatetimeIndex([override.start])
        applied([override], override.what, rate, days=days, ages=REQUEST_AGE_SPANS)


def _table_problems(given: Sequence[object]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, entry in enumerate(given):
        at, name = (*AT, "tables", number), block(entry).get("name")
        if isinstance(name, str) and first.setdefault(name, number) != number:
            yield Problem((*at, "name"), f"{name!r} is also the name of tables[{first[name]}]; give it its own")
        placement = block(entry).get("placement")
        if isinstance(placement, str) and placement not in PLACEMENTS:
            hint = suggestion(placement, PLACEMENTS)
            yield Problem((*at, "placement"), f"{placement!r} is not a placement group{hint}")
            continue
        yield from refused(partial(made_of, TableSpec, table_of, entry), (*at, "bands"))


def _number(value: object) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
