"""The kinds of value a config may hold, each with its check and the words that go with a refusal."""

from __future__ import annotations

import codecs
import re
from datetime import date, datetime
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, ValidationInfo

from jobs.config_checks import MEASURE, NAME, NOT_BLANK, as_day, shown, suggestion

BUNDLED = "bundled"
SQLITE = "sqlite:///"
MOST_GAP = 24
DEFAULT_CANDIDATES = ("naive", "drift", "area_growth", "theta_classical", "damped_trend")
BUNDLED_SOURCES = ("sen2_release", "nhs_waiting_list", "slt_referrals")


def one_or_many(value: object) -> str:
    """Tell a list from a single value, for what may be either."""
    return "many" if isinstance(value, (list, tuple)) else "one"


def not_empty(value: object) -> object:
    """Refuse a section that is named and says nothing."""
    if value is None:
        raise ValueError("is empty; fill the section in or take the line out")
    return value


def _iso_day(value: object) -> date:
    day = as_day(value)
    if day is None:
        raise ValueError(f"must be a day written year-month-day, as in 2024-07-01, not {shown(value)}")
    return day


def _not_after_today(day: date, info: ValidationInfo) -> date:
    if info.context and day > info.context["today"]:
        raise ValueError(f"{day} is after today ({info.context['today']}); give today or an earlier day")
    return day


def _not_an_address(path: str) -> str:
    if "://" in path:
        raise ValueError("is an address; download the file and give its path")
    return path


def _not_bundled(path: str) -> str:
    if path == BUNDLED:
        raise ValueError(f"no data is bundled for table; only for {', '.join(BUNDLED_SOURCES)}. Give a file")
    return path


def _known_encoding(name: str) -> str:
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"{name!r} is not an encoding{suggestion(name, ['utf-8', 'cp1252'])}") from None
    return name


def _date_format(pattern: str) -> str:
    sample = date(2023, 11, 27)
    try:
        read = datetime.strptime(sample.strftime(pattern), pattern)
    except (ValueError, re.error):
        read = None
    if read is None or read.year != sample.year:
        raise ValueError(f"{pattern!r} does not give a date with its year; write it as in %d/%m/%Y")
    return pattern


def _usual_levels(levels: tuple[int, ...]) -> tuple[int, ...]:
    if list(levels) != sorted(set(levels)):
        raise ValueError(f"must increase, as in {sorted(set(levels))}")
    absent = [level for level in (80, 95) if level not in levels]
    if absent:
        raise ValueError(f"must include 80 and 95; add {' and '.join(map(str, absent))}")
    return levels


def _tracking_uri(uri: str) -> str:
    try:
        parts = urlsplit(uri)
        secret, host = parts.username is not None or parts.password is not None, parts.hostname
    except ValueError:
        raise ValueError("is not an address; write sqlite:///mlflow.db or https://host") from None
    if secret:
        raise ValueError(
            "has a user or password in it; take them out and set the environment variables "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
    if parts.scheme == "sqlite":
        if not uri.startswith(SQLITE) or uri.removeprefix(SQLITE) in ("", ":memory:"):
            raise ValueError("names no database file; write sqlite:///mlflow.db")
    elif parts.scheme not in ("http", "https"):
        raise ValueError("must start with sqlite:///, http:// or https://; MLflow no longer keeps runs in a folder")
    elif not host:
        raise ValueError("names no server; write https://host")
    return uri


Name = Annotated[str, Field(pattern=NAME, max_length=60)]
Measure = Annotated[str, Field(pattern=MEASURE, max_length=60)]
Words = Annotated[str, Field(pattern=NOT_BLANK, max_length=200)]
DataPath = Annotated[Words, AfterValidator(_not_an_address)]
TablePath = Annotated[DataPath, AfterValidator(_not_bundled)]
DateFormat = Annotated[Words, AfterValidator(_date_format)]
Encoding = Annotated[Words, AfterValidator(_known_encoding)]
TrackingUri = Annotated[Words, AfterValidator(_tracking_uri)]
AnyDay = Annotated[date, BeforeValidator(_iso_day)]
Day = Annotated[AnyDay, AfterValidator(_not_after_today)]
MaxGap = Annotated[int, Field(ge=0, le=MOST_GAP)]
T = TypeVar("T")
Some = Annotated[tuple[T, ...], Field(min_length=1, strict=False)]
Many = Annotated[tuple[T, ...], Field(strict=False)]
OneOrMany = Annotated[
    Annotated[T, Tag("one")] | Annotated[Some[T], Tag("many")],
    Discriminator(one_or_many),
]
Areas = Annotated[
    Annotated[Literal["all"], Tag("one")] | Annotated[Some[Words], Tag("many")],
    Discriminator(one_or_many),
]
Levels = Annotated[tuple[Annotated[int, Field(ge=1, le=99)], ...], Field(strict=False), AfterValidator(_usual_levels)]
