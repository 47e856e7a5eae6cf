"""What can be wrong with a config, said so that the person who wrote it can put it right.

Two kinds of fault: a field on its own (found by pydantic, reworded here) and fields that contradict each
other. The second kind is checked on the values as read, so that one wrong field does not hide the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from forecast.errors import SpecError
from jobs.yaml_reader import YamlPath

LOG = "slt_referrals"
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"
MEASURE = r"^[a-z][a-z0-9_]*$"
NOT_BLANK = r"\S"
_PATTERNS = {
    NAME: "must be letters, digits, - and _ only, starting with a letter or digit",
    MEASURE: "must be small letters, digits and _ only, starting with a letter",
    NOT_BLANK: "must not be blank",
}
_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list, as in [a, b]",
    "tuple_type": "a list, as in [a, b]",
    "dict_type": "a block of `key: value` lines",
    "model_type": "a block of `key: value` lines",
    "model_attributes_type": "a block of `key: value` lines",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
    "string_too_long": ("at most", "max_length"),
}
S = TypeVar("S", bound=BaseModel)
T = TypeVar("T")
_PASSWORD = re.compile(r"//[^/\s@]*@")


class Problem(NamedTuple):
    """What is wrong at a path; `at_key` points at the key, not at its value."""

    path: YamlPath
    message: str
    at_key: bool = False


def suggestion(word: object, known: Iterable[str]) -> str:
    """Return ` (did you mean '...'?)` for the nearest known word, or list the known ones.

    >>> suggestion("horizn", ["horizon", "origins"])
    " (did you mean 'horizon'?)"
    >>> suggestion("x", ["horizon", "origins"])
    '; known: horizon, origins'
    """
    by_folded = {text.casefold(): text for text in known}
    near = get_close_matches(str(word).casefold(), by_folded, n=1, cutoff=0.6)
    if near:
        return f" (did you mean {by_folded[near[0]]!r}?)"
    return f"; known: {', '.join(by_folded.values())}" if by_folded else ""


def field_problems(
    error: ValidationError, data: object, *, keys_at: Callable[[YamlPath, str | None], Sequence[str]]
) -> Iterator[Problem]:
    """Reword pydantic's errors.

    Parameters
    ----------
    error : ValidationError
        Raised for `data`.
    data : dict
        The values as read.
    keys_at : callable
        The keys allowed in the block at a path, given the kind of source when it is one.
    """
    for detail in error.errors(include_url=False):
        kind, value = detail["type"], detail["input"]
        path = _path_in(data, detail["loc"], absent=kind == "missing")
        context = detail.get("ctx", {})
        if kind == "extra_forbidden":
            source = detail["loc"][2] if path[0] == "data" else None
            hint = suggestion(path[-1], keys_at(path[:-1], str(source)))
            yield Problem(path, f"unknown key{hint}", at_key=True)
        elif kind == "too_short" and len(value) >= context["min_length"]:
            continue  # entries of the list that are refused, each in its own place, are not counted
        elif kind == "missing":
            yield Problem(path, "is needed and missing; add it")
        elif kind == "union_tag_not_found":
            yield Problem((*path, str(context["discriminator"]).strip("'")), "is needed and missing; add it")
        elif kind in ("union_tag_invalid", "literal_error"):
            tagged = kind == "union_tag_invalid"
            where = (*path, str(context["discriminator"]).strip("'")) if tagged else path
            word = context["tag"] if tagged else value
            options = re.findall(r"'([^']*)'", context["expected_tags" if tagged else "expected"])
            yield Problem(where, _not_an_option(word, options))
        else:
            at_key = detail["loc"][-1:] == ("[key]",)
            yield Problem(path, _value_message(detail), at_key=at_key)


def contradictions(
    data: Mapping[str, object],
    *,
    measures: Mapping[str, Sequence[str]],
    rates: Mapping[str, Sequence[str]],
    models: Sequence[str],
    default_candidates: Sequence[str],
) -> Iterator[Problem]:
    """Find fields that do not fit each other, passing over values of the wrong type.

    Parameters
    ----------
    data : dict
        The values as read.
    measures : dict
        The measures a kind of source gives, by `source`.
    rates : dict
        By published measure that is a percentage, the counts to forecast instead.
    models : sequence of str
        Names in the model registry.
    default_candidates : sequence of str
        What a target without `candidates` compares.
    """
    sources = block(data.get("data"))
    for key, source in sources.items():
        yield from _unsigned(block(source), ("data", key))
        yield from _log_problems(block(source), ("data", key), data)
    first: dict[str, int] = {}
    for number, value in enumerate(items(data.get("targets"))):
        target, at = block(value), ("targets", number)
        name = target.get("name")
        if isinstance(name, str) and first.setdefault(name, number) != number:
            yield Problem((*at, "name"), f"{name!r} is also the name of targets[{first[name]}]; give it its own")
        for key in ("measures", "areas", "candidates"):
            yield from repeats(target.get(key), (*at, key))
        yield from _source_problems(target, at, sources, measures, rates)
        yield from _model_problems(target, at, models, default_candidates)
    output = block(data.get("output"))
    if output and output.get("runs", "runs") == output.get("releases", "releases"):
        yield Problem(("output", "releases"), "is the folder of the runs too; give releases a folder of their own")


def _unsigned(source: Mapping[str, object], at: YamlPath) -> Iterator[Problem]:
    """Find what the page must say of published data and a table or log does not."""
    if source.get("source") in ("table", LOG) and source.get("provenance") == "published":
        for key in ("title", "publisher", "licence"):
            if source.get(key) is None:
                yield Problem((*at, key), "is needed when provenance is published, for the page to say; add it")


def _log_problems(source: Mapping[str, object], at: YamlPath, data: Mapping[str, object]) -> Iterator[Problem]:
    """Find a referral log that nothing reads, or that says of the bundled one what it is not."""
    if source.get("source") != LOG:
        return
    if block(data.get("speech_language")).get("referrals") != at[-1]:
        message = "is read for speech_language alone; name it there under referrals, or take the entry out"
        yield Problem(at, message, at_key=True)
    if source.get("path") == "bundled" and source.get("provenance") not in (None, "synthetic"):
        yield Problem((*at, "provenance"), "the bundled referrals are synthetic; leave provenance out")


def _source_problems(
    target: Mapping[str, object],
    at: YamlPath,
    sources: Mapping[str, object],
    measures: Mapping[str, Sequence[str]],
    rates: Mapping[str, Sequence[str]],
) -> Iterator[Problem]:
    name = target.get("data")
    if isinstance(name, str):
        if name not in sources:
            hint = suggestion(name, sources)
            yield Problem((*at, "data"), f"{name!r} is not an entry under data{hint}")
        source = block(sources.get(name))
        if source.get("source") == LOG:
            yield Problem(
                (*at, "data"), f"{name!r} is read for speech_language alone; give counts as a table, or name another"
            )
            return
        given = [source.get("measure")] if source.get("source") == "table" else None
        known = given or measures.get(str(source.get("source")), ())
        for number, measure in enumerate(items(target.get("measures"))):
            names = [word for word in known if isinstance(word, str)]
            if names and isinstance(measure, str) and measure not in names:
                hint = suggestion(measure, names)
                yield Problem((*at, "measures", number), f"{measure!r} is not a measure of data.{name}{hint}")
            elif not given and measure in rates:
                counts = " and ".join(rates[str(measure)])
                yield Problem((*at, "measures", number), f"{measure!r} is a percentage, not a count; forecast {counts}")
    wanted = [word for word in items(target.get("measures")) if isinstance(word, str)]
    for measure in block(target.get("thresholds")):
        if measure not in wanted:
            hint = suggestion(measure, wanted)
            yield Problem((*at, "thresholds", measure), f"is not among the measures of this target{hint}", at_key=True)


def _model_problems(
    target: Mapping[str, object], at: YamlPath, models: Sequence[str], default_candidates: Sequence[str]
) -> Iterator[Problem]:
    single = [name for name in models if name != "auto"]
    given = target.get("candidates", list(default_candidates))
    candidates = [name for name in items(given) if isinstance(name, str)]
    for number, name in enumerate(items(target.get("candidates"))):
        if name == "auto":
            message = "auto is not one of them; take it out here and set model: auto"
            yield Problem((*at, "candidates", number), message)
        elif isinstance(name, str) and name not in single:
            yield Problem((*at, "candidates", number), f"{name!r} is not a model{suggestion(name, single)}")
    model = target.get("model", "auto")
    if isinstance(model, str) and model not in ["auto", *single]:
        hint = suggestion(model, ["auto", *single])
        yield Problem((*at, "model"), f"{model!r} is not a model{hint}")
    elif isinstance(model, str) and model != "auto" and candidates and model not in candidates:
        message = f"{model!r} is not among the candidates ({', '.join(candidates)}); add it there"
        yield Problem((*at, "model"), message)


def made_of(spec: type[S], make: Callable[[S], T], entry: object) -> T | None:
    """Return what an entry makes, or None where a field of it is wrong by itself, which is told elsewhere.

    Raises
    ------
    SpecError
        If the library refuses it.
    """
    try:
        read = spec.model_validate(entry)
    except ValidationError:
        return None
    return make(read)


def refused(make: Callable[[], object], at: YamlPath) -> Iterator[Problem]:
    """Ask the library, and say what it refuses."""
    try:
        make()
    except SpecError as error:
        yield Problem(at, without_subject(error))


def without_subject(error: SpecError) -> str:
    """Return a refusal without what it is about, which its place in the file says."""
    subject, _, said = str(error).partition(": ")
    return said or subject


def as_day(value: object) -> date | None:
    """Return a day written year-month-day, None for anything else."""
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return None
    return day if isinstance(day, date) else None


def repeats(value: object, at: YamlPath) -> Iterator[Problem]:
    """Find words of a list that stand in it twice."""
    seen: set[str] = set()
    for number, item in enumerate(items(value)):
        if isinstance(item, str):
            if item.casefold() in seen:
                yield Problem((*at, number), f"{item!r} is given twice; keep one")
            seen.add(item.casefold())


def _path_in(data: object, loc: Sequence[str | int], *, absent: bool) -> YamlPath:
    """Drop from pydantic's location what is not in the file: the chosen branch of a union, `[key]`."""
    path: list[str | int] = []
    for depth, step in enumerate(loc):
        missing = absent and depth == len(loc) - 1
        if isinstance(data, Mapping) and (step in data or missing):
            path.append(step)
            data = data.get(step)
        elif isinstance(data, list) and isinstance(step, int):
            path.append(step)
            data = data[step]
    return tuple(path)


def _value_message(detail: ErrorDetails) -> str:
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} {_PATTERNS[context['pattern']]}"
    if kind == "too_short":
        return "is empty; give at least one entry"
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        unit = " characters" if kind == "string_too_long" else ""
        return f"must be {words} {context[bound]:g}{unit}, not {shown(value)}"
    wanted = _WANTED.get(kind, detail["msg"])
    if value is None:
        return f"is empty; must be {wanted}"
    quote = "; put it in quotes" if kind == "string_type" and not _is_block(value) else ""
    return f"must be {wanted}, not {shown(value)}{quote}"


def _not_an_option(word: object, options: Sequence[str]) -> str:
    if len(options) == 1:
        return f"must be a list, as in [a, b], or the word {options[0]}, not {shown(word)}"
    return f"must be one of {', '.join(options)}, not {shown(word)}{_near(word, options)}"


def _near(word: object, options: Sequence[str]) -> str:
    hint = suggestion(word, options)
    return hint if hint.startswith(" (") else ""


def shown(value: object) -> str:
    """Return a value as written, cut short, without a password that stands in an address."""
    if _is_block(value):
        return "a list" if isinstance(value, (list, tuple)) else "a block"
    if value is None:
        return "nothing"
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    text = _PASSWORD.sub("//***@", " ".join(text.split()))
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return repr(text) if isinstance(value, str) else text


def _is_block(value: object) -> bool:
    return isinstance(value, (list, tuple, Mapping))


def block(value: object) -> Mapping[str, object]:
    """Return a value read as a block, empty when it is something else."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[object]:
    """Return a value read as a list, empty when it is something else."""
    return value if isinstance(value, (list, tuple)) else ()
