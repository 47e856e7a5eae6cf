"""Names, periods, rounding and phrases of the page: how a figure is said to a planner."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

LIKELY = "4 in 5"
VERY_LIKELY = "19 in 20"

LEVEL_NAMES = {
    "local_authority": "Local authority",
    "region": "Regional",
    "national": "National",
    "nhs_region": "NHS region",
    "icb": "Integrated care board",
    "provider": "Provider",
    "local": "Local area",
}
LEVEL_PLURALS = {
    "local_authority": "local authorities",
    "region": "regions",
    "national": "England",
    "nhs_region": "NHS regions",
    "icb": "integrated care boards",
    "provider": "providers",
    "local": "local areas",
}
MODEL_NAMES = {
    "auto": "Combination of methods (auto)",
    "area_growth": "National path with the area's own deviation (area_growth)",
    "theta": "Theta method, each area alone (theta)",
    "ets": "Exponential smoothing, each area alone (ets)",
    "arima": "ARIMA, each area alone (arima)",
    "prophet": "Prophet, each area alone (prophet)",
    "structural": "Structural model, each area alone (structural)",
    "count_regression": "Regression of counts, each area alone (count_regression)",
    "theta_classical": "Theta method, each area alone (theta_classical)",
    "ets_log": "Exponential smoothing of logarithms, each area alone (ets_log)",
    "damped_trend": "Trend that flattens, each area alone (damped_trend)",
    "drift": "Simple rule: the average past change goes on (drift)",
}
METHODS = {
    "naive": "the last figure",
    "seasonal_naive": "the figure a year before",
    "drift": "the average past change",
    "area_growth": "the national path with the area's own deviation",
    "theta": "the theta method",
    "ets": "exponential smoothing",
    "arima": "ARIMA",
    "prophet": "Prophet",
    "structural": "a structural model",
    "count_regression": "a regression of counts",
    "theta_classical": "the theta method",
    "theta_shrunk": "the theta method with a cautious season",
    "theta_pooled": "the theta method with a season learnt together",
    "theta_additive": "the theta method with an additive season",
    "ets_log": "exponential smoothing of logarithms",
    "ets_sqrt": "exponential smoothing of square roots",
    "complex_smoothing": "complex exponential smoothing",
    "damped_trend": "a trend that flattens",
    "ar_trend": "an autoregression around a trend",
    "ar_seasonal": "an autoregression with a season",
    "ar_differences": "an autoregression of changes",
    "ar_mean": "an autoregression around the mean",
    "tsb": "the chance of any times how many",
    "croston_sba": "how many over how often",
    "adida": "smoothing of sums over longer periods",
    "pooled_rate": "a recent rate with a pattern learnt together",
    "sparse_mean": "a mean of methods for rare counts",
}
ACRONYMS = {word: word.upper() for word in ("ehc", "la", "nhs", "sen", "send", "slt")}
REASONS = {
    "x": "not available",
    "z": "not applicable",
    "c": "suppressed by the publisher",
    "low": "rounds to zero",
    "k": "rounds to zero",
    "u": "low reliability",
    "blank": "left blank by the publisher",
    "small": "a small number the publisher withheld",
    "not_submitted": "not submitted",
    "sum_mismatch": "published figures do not add up",
    "implausible_zero": "a zero that cannot be right",
}
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


@dataclass(frozen=True)
class Measure:
    """How a measure is named.

    Attributes
    ----------
    title : str
        Heading.
    unit : str
        What is counted, after a number: "790 new EHC plans".
    stock : bool
        Counted on a day in January (True) or over the year (False), when the data are yearly.
    rate : bool
        A percentage: changes are in percentage points.
    axis : str
        Shorter label for the axis of a chart; "" means the title.
    """

    title: str
    unit: str
    stock: bool = False
    rate: bool = False
    axis: str = ""


MEASURES = {
    "requests": Measure("Requests for an EHC needs assessment", "requests for an EHC needs assessment"),
    "requests_refused": Measure("Requests refused", "requests refused"),
    "decided_to_assess": Measure("Decisions to assess", "decisions to assess"),
    "assessments_completed": Measure("Assessments completed", "assessments completed"),
    "assessments_issued": Measure("Assessments that led to a plan", "assessments that led to a plan"),
    "new_plans": Measure("New EHC plans", "new EHC plans"),
    "caseload": Measure(
        "Children and young people with an EHC plan",
        "children and young people with an EHC plan",
        stock=True,
        axis="Children and young people with a plan",
    ),
    "ceased": Measure("EHC plans that ceased", "EHC plans that ceased"),
    "timeliness_20_week": Measure(
        "New EHC plans issued within 20 weeks",
        "per cent of new EHC plans issued within 20 weeks",
        rate=True,
    ),
    "slt_waiting": Measure(
        "Children and young people waiting for speech and language therapy",
        "children and young people waiting for speech and language therapy",
        axis="Children and young people waiting",
    ),
}


def measure(name: str) -> Measure:
    """Return how a measure is named; a measure that is not listed goes by its name with spaces.

    >>> measure("slt_referrals").title, measure("first_visits").title
    ('SLT referrals', 'First visits')
    """
    plain = " ".join(ACRONYMS.get(word, word) for word in name.split("_"))
    return MEASURES.get(name, Measure(plain[:1].upper() + plain[1:], plain))


def period_index(ds: pd.Timestamp, freq: str) -> int:
    """Return the number of a period, counted in periods: neighbours differ by one."""
    match freq:
        case "YS":
            return int(ds.year)
        case "QS":
            return int(ds.year * 4 + (ds.month - 1) // 3)
        case "MS":
            return int(ds.year * 12 + ds.month - 1)
        case _:
            return int((ds - pd.Timestamp("1970-01-05")).days // 7)


def period_at(index: int, freq: str) -> pd.Timestamp:
    """Return the first day of a numbered period: the inverse of `period_index`."""
    match freq:
        case "YS":
            return pd.Timestamp(index, 1, 1)
        case "QS":
            return pd.Timestamp(index // 4, index % 4 * 3 + 1, 1)
        case "MS":
            return pd.Timestamp(index // 12, index % 12 + 1, 1)
        case _:
            return pd.Timestamp("1970-01-05") + pd.Timedelta(weeks=index)


def period_name(ds: pd.Timestamp, *, freq: str, stock: bool, short: bool = False) -> str:
    """Return a period in words.

    >>> period_name(pd.Timestamp("2024-01-01"), freq="YS", stock=True)
    'January 2024'
    >>> period_name(pd.Timestamp("2023-09-01"), freq="MS", stock=True, short=True)
    'Sep 2023'
    """
    month = MONTHS[ds.month - 1]
    match freq:
        case "YS" if not stock:
            return str(ds.year)
        case "YS" | "MS":
            return f"{month[:3] if short else month} {ds.year}"
        case "QS":
            last = MONTHS[ds.month + 1]
            return f"{month[:3]} {ds.year}" if short else f"{month} to {last} {ds.year}"
        case _:
            return f"{ds.day} {month[:3]} {ds.year}" if short else f"week of {ds.day} {month} {ds.year}"


def in_period(name: str) -> str:
    """Return a period after "in": "in 2028", "in the week of 4 September 2023"."""
    return f"in the {name}" if name.startswith("week") else f"in {name}"


def period_word(freq: str, number: int = 1) -> str:
    """Return the name of a period: "year", "2 years" is `f"{n} {period_word(freq, n)}"`."""
    word = {"YS": "year", "QS": "quarter", "MS": "month"}.get(freq, "week")
    return word if number == 1 else word + "s"


def day(date: pd.Timestamp) -> str:
    """Return a date as "1 July 2024"."""
    return f"{date.day} {MONTHS[date.month - 1]} {date.year}"


def released(text: str) -> str:
    """Say when a source was released: it may state a day, a month, a year or nothing.

    >>> released("2024-06-30"), released("2024-06"), released("2024"), released("")
    ('30 June 2024', 'June 2024', '2024', 'not stated')
    """
    found = re.fullmatch(r"(\d{4})(?:-(\d\d)(?:-\d\d)?)?", text)
    if found is None or found[2] is None:
        return text or "not stated"
    return day(pd.Timestamp(text)) if len(text) == len("2024-06-30") else f"{MONTHS[int(found[2]) - 1]} {found[1]}"


def rounding_unit(low: float, high: float) -> int:
    """Return the step to round a projection to, so that it claims no more than its interval allows.

    Two figures of the width of the 80 % interval: 780 to 1,310 is 530 wide, so tens.

    >>> rounding_unit(780, 1310), rounding_unit(3, 9), rounding_unit(150_000, 210_000)
    (10, 1, 1000)
    """
    width = high - low
    return 1 if width < 100 else int(10 ** (math.floor(math.log10(width)) - 1))


def rounded(value: float, unit: int = 1) -> int:
    """Return the nearest multiple of `unit`; halves go up.

    >>> rounded(1023.4, 10), rounded(2.5)
    (1020, 3)
    """
    return math.floor(value / unit + 0.5) * unit


def number(value: float, unit: int = 1) -> str:
    """Return a number to the nearest `unit` with thousands marked; "-" where there is none.

    >>> number(1023.4, 10), number(float("nan"))
    ('1,020', '-')
    """
    return f"{rounded(value, unit):,}" if math.isfinite(value) else "-"


def interval(low: float, high: float, unit: int = 1) -> str:
    """Return the ends of an interval as "780 to 1,310"."""
    return f"{number(low, unit)} to {number(high, unit)}"


def change(new: float, old: float, *, rate: bool = False) -> str:
    """Say how a projection differs from an earlier figure: "around 29% more than", "about the same as".

    >>> change(1020, 790), change(10, 0), change(100, 100)
    ('around 29% more than', 'up from', 'about the same as')
    """
    if rate:
        points = round(abs(new - old))
        if points == 0:
            return "about the same as"
        return (
            f"around {points} percentage {'point' if points == 1 else 'points'} {'more' if new > old else 'less'} than"
        )
    if old == 0:
        return "about the same as" if new == 0 else "up from"
    per_cent = round(100 * (new - old) / old)
    if per_cent == 0:
        return "about the same as"
    return f"around {abs(per_cent):,}% {'more' if per_cent > 0 else 'fewer'} than"


def percent_change(new: float, old: float) -> str:
    """Return a change as "+29%", or "-" when the earlier figure is zero or missing."""
    if not (math.isfinite(old) and math.isfinite(new)) or old == 0:
        return "-"
    per_cent = round(100 * (new - old) / old)
    return f"{per_cent:+,}%".replace("-", "−") if per_cent else "0%"


def percent(share: float, decimals: int = 0) -> str:
    """Return a share of 1 in per cent, or "not measured" where it is NaN."""
    return f"{100 * share:.{decimals}f}%" if math.isfinite(share) else "not measured"


def chance(probability: float) -> str:
    """Return a probability in per cent; paths are too few to tell 0 from 1 in 100.

    >>> chance(0.456), chance(0.001), chance(1.0)
    ('46%', 'less than 1%', 'more than 99%')
    """
    if probability < 0.01:
        return "less than 1%"
    if probability > 0.99:
        return "more than 99%"
    return f"{round(100 * probability)}%"


def model_name(name: str, freq: str) -> str:
    """Return what a model does, with its name in the registry in brackets."""
    if name == "naive":
        return f"Simple rule: the same as the last {period_word(freq)} (naive)"
    if name == "seasonal_naive":
        return f"Simple rule: the same {period_word(freq)} a year before (seasonal_naive)"
    if name in MODEL_NAMES or name not in METHODS:
        return MODEL_NAMES.get(name, name)
    what = re.sub("^(the|an?) ", "", METHODS[name])
    return f"{what[:1].upper()}{what[1:]} ({name})"


def in_sentence(name: str) -> str:
    """Return the name of a model as it stands within a sentence.

    >>> in_sentence("Combination of methods (auto)"), in_sentence("ARIMA, each area alone (arima)")
    ('combination of methods (auto)', 'ARIMA, each area alone (arima)')
    """
    return name if name.startswith(("ARIMA", "Prophet")) else name[:1].lower() + name[1:]


def reason_words(reason: str) -> str:
    """Say why a figure is missing or not used: "sum_mismatch: LA 10, region 12" in words."""
    symbol, _, detail = reason.partition(":")
    words = REASONS.get(symbol.strip(), symbol.strip().replace("_", " "))
    return f"{words} ({detail.strip()})" if detail.strip() else words


def listed(items: Sequence[str], *, last: Literal["and", "or"] = "and") -> str:
    """Join words as prose: "1, 2 and 3"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}"
