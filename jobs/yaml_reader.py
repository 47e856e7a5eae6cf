"""Strict YAML with the place of every value, so that a fault can be pointed at.

YAML as usually read holds surprises: the last of two equal keys wins, `NO` is false, `010` is 8 and `12:30`
is 750. Here the words `true` and `false` are the only booleans, a date is a date, numbers are decimal, and
whatever another program could read differently is a fault that says how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import cast

import yaml

from forecast.errors import SpecError

YamlPath = tuple[str | int, ...]
Place = tuple[int, int]

MAX_DEPTH = 20
_NULLS = ("", "~", "null", "Null", "NULL")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MAYBE_BOOLEAN = re.compile(r"yes|no|on|off|y|n", re.IGNORECASE)
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_OTHER_BASE = re.compile(r"[-+]?0[0-9_]+|0[xob][0-9a-fA-F_]+")
_GROUPED = re.compile(r"[-+]?[0-9]+(_[0-9]+)+")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong at one place of a file; faults sort in file order."""

    line: int
    column: int
    path: str
    message: str

    def render(self, file: Path) -> str:
        """Return `file:line:column: path: what is wrong`."""
        return f"{file}:{self.line}:{self.column}: {self.path}: {self.message}"


@dataclass(frozen=True)
class YamlFile:
    """What a YAML file says, where it says it, and what is wrong with how it says it.

    Attributes
    ----------
    data : dict
        The values; empty when the file could not be read to its end.
    complete : bool
        Whether the file was read to its end, so that a key not in `data` is really missing.
    faults : tuple of Fault
        In file order.
    values, keys : dict
        Line and column (from 1) of every value and of every key, by path.
    """

    data: dict[str, object]
    complete: bool
    faults: tuple[Fault, ...]
    values: dict[YamlPath, Place]
    keys: dict[YamlPath, Place]

    def place(self, path: YamlPath, *, key: bool = False) -> Place:
        """Return the place of a value (or of its key), or of the nearest block around it that exists."""
        places = self.keys if key else self.values
        while path and path not in places:
            path, places = path[:-1], self.values
        return places.get(path, (1, 1))


def path_text(path: YamlPath) -> str:
    """Return a path as people write it.

    >>> path_text(("targets", 0, "horizon"))
    'targets[0].horizon'
    """
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".") or "config"


def read_yaml(path: Path) -> YamlFile:
    """Read one mapping from a YAML file, collecting every fault with its place.

    Parameters
    ----------
    path : Path
        A UTF-8 file (a byte-order mark is allowed) with one document.

    Returns
    -------
    YamlFile
        Values are dict, list, str, int, float, bool, date or None.

    Raises
    ------
    SpecError
        If there is no such file or it cannot be opened.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise SpecError(
            f"config {str(path)!r}: no such file. Check the name, or write one with `forecast init LA`."
        ) from None
    except OSError as error:
        raise SpecError(
            f"config {str(path)!r}: cannot be read ({error.strerror}). Give a YAML file you may open."
        ) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _place_after(raw[: error.start].decode("utf-8", errors="replace"))
        byte = f"0x{raw[error.start]:02x}"
        message = f"byte {byte} is not UTF-8; save the file with encoding UTF-8"
        return YamlFile({}, False, (Fault(line, column, "config", message),), {}, {})
    return _Builder().build(text)


@dataclass
class _Builder:
    """Builds values from the parser's events, which still know anchors, tags and quotes."""

    faults: list[Fault] = field(default_factory=list)
    values: dict[YamlPath, Place] = field(default_factory=dict)
    keys: dict[YamlPath, Place] = field(default_factory=dict)

    def build(self, text: str) -> YamlFile:
        data: object = None
        try:
            events = yaml.parse(text, Loader=yaml.SafeLoader)
            data = self._document(events)
        except yaml.reader.ReaderError as error:
            place = _place_after(text[: error.position])
            self._fault(place, (), f"character U+{error.character:04X} is not allowed; remove it")
            return self._file({}, complete=False)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._fault(_place(mark) if mark else (1, 1), (), _syntax_message(error))
            return self._file({}, complete=False)
        except _TooDeep as error:
            self._fault(error.place, (), f"more than {MAX_DEPTH} levels of nesting; a config needs about five")
            return self._file({}, complete=False)
        if isinstance(data, dict):
            return self._file(data, complete=True)
        if data is None and not self.faults:
            self._fault((1, 1), (), "the file is empty; start from `forecast init LA`")
        elif data is not None:
            self._fault(self.values[()], (), "must be a block of `key: value` lines, starting with `name:`")
        return self._file({}, complete=False)

    def _file(self, data: dict[str, object], *, complete: bool) -> YamlFile:
        return YamlFile(data, complete, tuple(sorted(self.faults)), self.values, self.keys)

    def _fault(self, place: Place, path: YamlPath, message: str) -> None:
        self.faults.append(Fault(*place, path_text(path), message))

    def _document(self, events: Iterator[yaml.Event]) -> object:
        data, documents = None, 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._fault(_place(event.start_mark), (), "a second document starts here; keep one, without `---`")
                    break
                data = self._value(next(events), events, ())
        return data

    def _value(self, event: yaml.Event, events: Iterator[yaml.Event], path: YamlPath) -> object:
        place = _place(event.start_mark)
        self.values[path] = place
        if len(path) > MAX_DEPTH:
            raise _TooDeep(place)
        if isinstance(event, yaml.AliasEvent):
            self._fault(place, path, f"aliases (`*{event.anchor}`) are not allowed; write the value out")
            return None
        event = cast("yaml.ScalarEvent | yaml.CollectionStartEvent", event)
        if event.anchor:
            self._fault(place, path, f"anchors (`&{event.anchor}`) are not allowed; remove it")
        if event.tag:
            self._fault(place, path, f"tags (`{event.tag}`) are not allowed; remove it")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        event = cast("yaml.ScalarEvent", event)
        return event.value if event.style else self._plain(event.value, place, path)

    def _sequence(self, events: Iterator[yaml.Event], path: YamlPath) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._value(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[yaml.Event], path: YamlPath) -> dict[str, object]:
        block: dict[str, object] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            place = _place(event.start_mark)
            if not isinstance(event, yaml.ScalarEvent):
                self._fault(place, path, "a key must be one word before a colon")
                self._skip(event, events)
                self._skip(next(events), events)
                continue
            key = event.value
            here = (*path, key)
            if event.anchor:
                self._fault(place, here, f"anchors (`&{event.anchor}`) are not allowed; remove it")
            if key == "<<" and not event.style:
                self._fault(place, path, "merge keys (`<<`) are not allowed; write the keys out")
                self._skip(next(events), events)
            elif key in block:
                first = self.keys[here][0]
                self._fault(place, here, f"the key is given twice (first in line {first}); keep one")
                self._skip(next(events), events)
            else:
                self.keys[here] = place
                block[key] = self._value(next(events), events, here)
        return block

    def _skip(self, event: yaml.Event, events: Iterator[yaml.Event]) -> None:
        """Pass over a value that is refused as a whole."""
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth == 0:
                return
            event = next(events)

    def _plain(self, text: str, place: Place, path: YamlPath) -> object:
        """Return the value of an unquoted scalar, or its text with a fault if it has two readings."""
        if text in _NULLS:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        quoted = f'"{text}"'
        if _MAYBE_BOOLEAN.fullmatch(text):
            word = "true" if text.lower() in ("yes", "on", "y") else "false"
            self._fault(place, path, f"{text} may mean {word} or the word; write {word}, or quote it: {quoted}")
        elif _OTHER_BASE.fullmatch(text):
            self._fault(
                place, path, f"{text} is read as another number by some programs; quote it: {quoted}, or write it "
                "in decimal without a leading 0"
            )  # fmt: skip
        elif _GROUPED.fullmatch(text):
            self._fault(place, path, f"{text} has underscores; write {text.replace('_', '')}")
        elif _BASE_60.fullmatch(text):
            self._fault(place, path, f"{text} is read as a number by some programs; quote it: {quoted}")
        elif _DATE.fullmatch(text):
            try:
                return date.fromisoformat(text)
            except ValueError:
                self._fault(place, path, f"{text} is not a day of the calendar; write year-month-day")
        elif _FLOAT.fullmatch(text):
            return float(text)
        return text


class _TooDeep(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.place = place


def _place(mark: object) -> Place:
    position = cast("yaml.Mark", mark)
    return position.line + 1, position.column + 1


def _place_after(text: str) -> Place:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def _syntax_message(error: yaml.MarkedYAMLError) -> str:
    """Say in one line what the parser could not read, with the usual cure."""
    problem = " ".join((error.problem or "not YAML").split())
    if "'\\t'" in problem:
        return "a tab; YAML allows only spaces here"
    if "escape" in problem:
        return 'a backslash in "double quotes"; use single quotes, or / in paths'
    if "mapping values are not allowed" in problem:
        return "a colon where none can be; put the value in quotes, or check the indentation"
    if "alias" in (error.context or ""):
        return "aliases are not allowed; quote text that starts with *"
    return f"not YAML: {problem}; check quotes, brackets and indentation"
