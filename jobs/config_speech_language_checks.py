"""What can be wrong with the `speech_language` section of a config beyond single fields, each fault at its place.

The rules of the trade are those of `forecast.speech_language`; here they are asked entry by entry, so that all faults
are found and each has a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from pydantic import ValidationError

from forecast.errors import SpecError
from forecast.reference import find_area
from forecast.speech_language.entry import AS_IT_IS
from forecast.speech_language.norms import NO_DEFAULT, NORMS, faults, needed
from forecast.speech_language.service import AS_NOW
from jobs.config_checks import (
    LOG,
    Problem,
    S,
    T,
    as_day,
    block,
    items,
    made_of,
    refused,
    repeats,
    suggestion,
    without_subject,
)
from jobs.config_speech_language import (
    BookingSpec,
    CapacityStepSpec,
    MoreCapacitySpec,
    MoreStaffSpec,
    NormSpec,
    OptionSpec,
    SpeechLanguageSpec,
    StaffSpec,
    TargetSpec,
    TierMoveSpec,
)
from jobs.speech_language_service import (
    bands_of,
    booking_of,
    capacity_of,
    more_capacity_of,
    more_staff_of,
    move_of,
    option_of,
    service_of,
    staff_of,
    target_of,
)
from jobs.yaml_reader import YamlPath

AT: YamlPath = ("speech_language",)
ENTRIES = {"referrals": (LOG, "referrals are read from"), "waiting_list": ("nhs_waiting_list", "waits are read from")}
WORDS = {"start": "from", "it": "to"}


def speech_language_problems(data: Mapping[str, object], *, models: Sequence[str]) -> Iterator[Problem]:
    """Find what does not fit in the `speech_language` section, passing over values of the wrong type.

    Parameters
    ----------
    data : dict
        The values of a config as read.
    models : sequence of str
        Names in the model registry.
    """
    section = block(data.get("speech_language"))
    found = [
        *_entry_problems(section, block(data.get("data"))),
        *_ehc_problems(section.get("ehc_area"), data),
        *_model_problems(section.get("model"), models),
        *_norm_problems(section),
        *_service_problems(section),
        *_option_problems(items(section.get("options"))),
    ]
    yield from found
    if not found:
        yield from _whole_problems(section)


def _whole_problems(section: Mapping[str, object]) -> Iterator[Problem]:
    """Find parts that are right by themselves and do not fit together."""
    try:
        service = made_of(SpeechLanguageSpec, service_of, section)
    except SpecError as error:
        yield Problem(AT, without_subject(error))
        return
    if service is None:
        return
    for name in service.norms.each:
        if NORMS[name].by == "band":
            yield from refused(partial(service.norms.by_band, name, service.bands), (*AT, "norms", name, "value"))


def _entry_problems(section: Mapping[str, object], sources: Mapping[str, object]) -> Iterator[Problem]:
    for key, (kind, what) in ENTRIES.items():
        name = section.get(key)
        fitting = [entry for entry, source in sources.items() if block(source).get("source") == kind]
        if not isinstance(name, str) or name in fitting:
            continue
        if name in sources:
            cure = f"name {' or '.join(fitting)}" if fitting else "add an entry of that source"
            yield Problem((*AT, key), f"{name!r} is not of source {kind}, which {what}; {cure}")
        else:
            yield Problem((*AT, key), f"{name!r} is not an entry under data{suggestion(name, fitting)}")


def _ehc_problems(name: object, data: Mapping[str, object]) -> Iterator[Problem]:
    """Find an area whose EHC demand is not projected."""
    at = (*AT, "ehc_area")
    if not isinstance(name, str) or not name.strip():
        return
    section = block(data.get("ehc"))
    areas = section.get("areas")
    if not section:
        yield Problem(at, "there is no ehc section to bring its assessments and plans; add one, or take this line out")
        return
    try:
        code = find_area(name).code
    except SpecError as error:
        yield Problem(at, f"{name!r} is {without_subject(error)}")
        return
    if areas != "all" and code not in {_code(text) for text in items(areas)}:
        hint = suggestion(name, [text for text in items(areas) if isinstance(text, str)])
        yield Problem(at, f"{name!r} is not among the areas of the ehc section; add it there{hint}")


def _code(text: object) -> str:
    try:
        return find_area(text).code if isinstance(text, str) and text.strip() else ""
    except SpecError:
        return ""


def _model_problems(name: object, models: Sequence[str]) -> Iterator[Problem]:
    known = ["auto", *(model for model in models if model != "auto")]
    if isinstance(name, str) and name not in known:
        yield Problem((*AT, "model"), f"{name!r} is not a model{suggestion(name, known)}")


def _norm_problems(section: Mapping[str, object]) -> Iterator[Problem]:
    """Find norms that are missing, the first told with why there is no default, and what cannot be of those given."""
    at, given = (*AT, "norms"), block(section.get("norms"))
    ehc = section.get("ehc_area") is not None
    names = needed(ehc=ehc)
    missing = [name for name in names if name not in given]
    for place, name in enumerate(sorted(missing)):
        said = f"is missing: {NORMS[name].what} ({NORMS[name].unit})"
        if place == 0:
            count = f"{len(missing)} of {len(names)} {'are' if len(missing) > 1 else 'is'} missing"
            said = f"{said}. {count}. {NO_DEFAULT.format(example=name)}"
        yield Problem((*at, name), said)
    whole = {name: entry for name, entry in given.items() if _is_whole(NormSpec, entry)}
    for path, message in faults(whole, ehc=ehc):
        if path:
            said = without_subject(SpecError(message))
            yield Problem((*at, *path), said, at_key=path[0] not in NORMS)


def _is_whole(spec: type[S], entry: object) -> bool:
    try:
        spec.model_validate(entry)
    except ValidationError:
        return False
    return True


def _service_problems(section: Mapping[str, object]) -> Iterator[Problem]:
    """Find what cannot be of the service as it is."""
    edges = items(section.get("bands"))
    if edges and all(isinstance(edge, int) for edge in edges):
        yield from refused(partial(bands_of, tuple(edges)), (*AT, "bands"))  # type: ignore[arg-type]
    yield from _piece(TargetSpec, target_of, section.get("target"), (*AT, "target"))
    yield from _piece(BookingSpec, booking_of, section.get("booking"), (*AT, "booking"))
    yield from _pieces(StaffSpec, staff_of, section.get("staff"), (*AT, "staff"))
    yield from _pieces(CapacityStepSpec, capacity_of, section.get("capacity"), (*AT, "capacity"))
    for key in ("staff", "capacity"):
        yield from _repeated_days(items(section.get(key)), (*AT, key))
    for key in ("clinics", "seen_at_once"):
        yield from repeats(section.get(key), (*AT, key))


def _option_problems(given: Sequence[object]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    yield from _repeated_titles(given)
    for number, entry in enumerate(given):
        at, option = (*AT, "options", number), block(entry)
        name = option.get("name")
        if name == AS_NOW:
            yield Problem((*at, "name"), f"{name!r} is the service without any option; give another name")
        elif isinstance(name, str) and first.setdefault(name, number) != number:
            yield Problem((*at, "name"), f"{name!r} is also the name of options[{first[name]}]; give it its own")
        found = [
            *_pieces(MoreStaffSpec, more_staff_of, option.get("wte"), (*at, "wte")),
            *_pieces(MoreCapacitySpec, more_capacity_of, option.get("capacity"), (*at, "capacity")),
            *_pieces(TierMoveSpec, move_of, option.get("tiers"), (*at, "tiers")),
            *_piece(BookingSpec, booking_of, option.get("booking"), (*at, "booking")),
            *_repeated_days(items(option.get("wte")), (*at, "wte")),
        ]
        yield from found
        if not found and name != AS_NOW:
            yield from refused(partial(made_of, OptionSpec, option_of, {"reason": "-", **option}), at)


def _repeated_titles(given: Sequence[object]) -> Iterator[Problem]:
    """Find titles by which the page could not tell an option from another, or from the service as it is."""
    first: dict[str, int] = {}
    for number, entry in enumerate(given):
        title, at = block(entry).get("title"), (*AT, "options", number, "title")
        if not isinstance(title, str):
            continue
        folded = " ".join(title.split()).casefold()
        if folded == AS_IT_IS.casefold():
            yield Problem(at, f"{title!r} is the title of the service without any option; give another")
        elif first.setdefault(folded, number) != number:
            yield Problem(at, f"{title!r} is also the title of options[{first[folded]}]; give it its own")


def _pieces(spec: type[S], make: Callable[[S], T], given: object, at: YamlPath) -> Iterator[Problem]:
    for number, entry in enumerate(items(given)):
        yield from _piece(spec, make, entry, (*at, number))


def _piece(spec: type[S], make: Callable[[S], T], entry: object, at: YamlPath) -> Iterator[Problem]:
    """Ask the library for a piece, and say what it refuses where the word at fault stands."""
    try:
        made_of(spec, make, entry)
    except SpecError as error:
        said = without_subject(error)
        word = said.split()[0].rstrip(":;,")
        word = WORDS.get(word, word)
        yield Problem((*at, word) if word in block(entry) else at, said)


def _repeated_days(given: Sequence[object], at: YamlPath) -> Iterator[Problem]:
    """Find two entries that hold from the same day on."""
    first: dict[object, int] = {}
    for number, entry in enumerate(given):
        day = as_day(block(entry).get("from"))
        if day is not None and first.setdefault(day, number) != number:
            message = f"{day} is also the first day of {at[-1]}[{first[day]}]; keep one"
            yield Problem((*at, number, "from"), message)
