"""How figures of speech and language are named, rounded and said."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.publish.speech_language.run import Figure, Goal, month_of
from forecast.publish.view import RANGE_BELOW
from forecast.publish.words import chance, number, period_name, rounding_unit

SYNTHETIC = "synthetic data"
FINE = 10
TENTH = 0.1
NOT_KNOWN = "-"
NAN = float("nan")


@dataclass(frozen=True)
class Kind:
    """How a measure is named.

    Attributes
    ----------
    title : str
        Heading of a column or a chart.
    unit : str
        What is counted, in the released table.
    sign : str
        Behind each number: "%" of a share.
    fine : bool
        Told to a tenth: therapists, not children.
    """

    title: str
    unit: str
    sign: str = ""
    fine: bool = False


KINDS = {
    "referrals": Kind("Referrals", "children referred"),
    "advice_requests": Kind("EHC advice requests", "requests for advice for an EHC assessment"),
    "waiting": Kind("Waiting", "children waiting for a first contact at the end of the month"),
    "within_target": Kind(
        "Within the target", "per cent of those waiting who have waited less than the target, at the end", sign="%"
    ),
    "over_52_weeks": Kind("Over 52 weeks", "children who have waited 52 weeks or more at the end of the month"),
    "median_wait": Kind("Half wait less than (weeks)", "weeks waited so far, median of those waiting"),
    "p92_wait": Kind("92% wait less than (weeks)", "weeks waited so far, 92nd percentile of those waiting"),
    "first_contacts": Kind("First contacts", "first contacts"),
    "left_list": Kind("Left without being seen", "children who left the list without a first contact"),
    "in_treatment": Kind("In treatment", "children in treatment at the end of the month"),
    "contacts": Kind("Contacts", "contacts"),
    "wte_needed": Kind("WTE needed", "whole-time therapists in post to keep pace with demand", fine=True),
    "wte_work": Kind("WTE of the work done", "whole-time therapists that the work done takes", fine=True),
    "wte_in_post": Kind("WTE in post", "whole-time therapists in post", fine=True),
    "wte_gap": Kind("Gap", "whole-time therapists needed less those in post", fine=True),
    "capacity": Kind("Capacity", "first contacts there is capacity for"),
}
WORK = {
    "first": "First contacts",
    "treatment": "Treatment",
    "plans": "Children with an EHC plan",
    "advice": "Advice for EHC assessments",
}
TOPICS = {
    "": "Total",
    "locality": "Locality",
    "age_band": "Age band",
    "tier": "Tier",
    "source": "Source of referral",
    "wait_band": "Wait band",
    "work": "Kind of work",
}


def kind(name: str) -> Kind:
    """Return how a measure is named; one that is not listed goes by its name with spaces."""
    plain = name.replace("_", " ")
    return KINDS.get(name, Kind(capital(plain), plain))


def capital(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]


def category_name(by: str, category: str) -> str:
    """Return how a category of a breakdown is named.

    >>> category_name("age_band", "5-10"), category_name("wait_band", "52+"), category_name("tier", "universal")
    ('Aged 5 to 10', '52 weeks and more', 'Universal')
    """
    plain = category.replace("_", " ")
    match by:
        case "age_band":
            return f"Aged {plain.replace('-', ' to ').replace('+', ' and over')}"
        case "wait_band" if plain.endswith("+"):
            return f"{plain[:-1]} weeks and more"
        case "wait_band":
            return f"{plain.replace('-', ' to ')} weeks"
        case "work" if category in WORK:
            return WORK[category]
        case _:
            return capital(plain)


def plain(text: str) -> str:
    """Return text of the run with one way to write per cent.

    >>> plain("30 % of referrals")
    '30% of referrals'
    """
    return re.sub(r"(?<=\d) %", "%", text)


def odds(probability: float) -> str:
    """Return how likely something is, among the simulated futures; never is said as that.

    >>> odds(0.0), odds(0.004), odds(0.83)
    ('in none of the simulated futures', 'less than 1%', '83%')
    """
    return chance(probability) if probability > 0 else "in none of the simulated futures"


def exact(value: float, kind: Kind, unit: float = TENTH) -> str:
    """Return a number of a measure, to the nearest `unit`; only of therapists to a tenth.

    >>> exact(20.25, KINDS["wte_needed"]), exact(-0.81, KINDS["wte_gap"]), exact(91.6, KINDS["within_target"])
    ('20.3', '−0.8', '92%')
    """
    if not math.isfinite(value):
        return NOT_KNOWN
    if kind.fine and unit < 1:
        tenths = math.floor(value / TENTH + 0.5) * TENTH
        return f"{tenths if abs(tenths) > TENTH / 2 else 0.0:.1f}".replace("-", "−")
    return f"{number(value, max(int(unit), 1))}{kind.sign}".replace("-", "−")


def cell(figure: Figure | None, kind: Kind, *, ranged: bool = True) -> str:
    r"""Return a figure and, on a line of its own, its range; the past has none, nor a figure that is sure.

    Of the past it says there what was worked out rather than counted.

    >>> cell(Figure(20.2, 20.0, 18.0, 22.5, False, False), KINDS["wte_needed"])
    '20.0\n18.0 to 22.5'
    """
    if figure is None:
        return f"{NOT_KNOWN}{RANGE_BELOW}" if ranged else NOT_KNOWN
    middle = exact(figure.median, kind)
    if not ranged:
        return middle
    if figure.outturn:
        return f"{middle}{RANGE_BELOW}{'modelled' if figure.modelled else ''}"
    same = {middle} == {exact(figure.low, kind), exact(figure.high, kind)}
    return f"{middle}{RANGE_BELOW}{'' if same else span(figure.low, figure.high, kind)}"


def span(low: float, high: float, kind: Kind) -> str:
    """Return the ends of a range as "18.0 to 22.5" or "88 to 95%"."""
    return f"{exact(low, kind).removesuffix('%')} to {exact(high, kind)}"


def told(figure: Figure, kind: Kind, what: str = "") -> str:
    """Say a figure in a sentence: a projection no finer than its range allows and with it, the past as it is.

    >>> told(Figure(1484, 1480, 1290, 1702, False, False), KINDS["referrals"], "referrals")
    'about 1,480 referrals (likely between 1,290 and 1,700)'
    """
    if figure.outturn:
        return f"{exact(figure.median, kind)} {what}".rstrip() + (" (modelled)" if figure.modelled else "")
    return ranged({"median": figure.median, "low": figure.low, "high": figure.high}, kind, what)


def ranged(answer: Mapping[str, float | None], kind: Kind, what: str = "") -> str:
    """Say a median with its range, as `told` does; a range of one figure is left out, and so is an end that has none.

    >>> ranged({"median": 6.4, "low": 3.4, "high": None}, KINDS["wte_gap"], "more")
    'about 6.4 more (likely 3.4 or more)'
    """
    found = {name: NAN if value is None else float(value) for name, value in answer.items()}
    low, high = found["low"], found["high"]
    unit = _unit(low, high, kind)
    middle, *ends = (exact(found[name], kind, unit) for name in ("median", "low", "high"))
    said = f"{middle} {what}".rstrip()
    if not math.isfinite(high):
        return f"about {said} (likely {ends[0]} or more)"
    return said if ends[0] == ends[1] else f"about {said} (likely between {ends[0]} and {ends[1]})"


def turned(answer: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return a median and its range with the other sign: fewer in place of more."""
    ends = {"median": answer["median"], "low": answer["high"], "high": answer["low"]}
    return {name: None if value is None else -float(value) for name, value in ends.items()}


def tag(figures: Iterable[Figure | None]) -> str:
    """Return what to write behind a caption over figures: which of them were made up; "" if none was."""
    known = [figure for figure in figures if figure is not None]
    made_up = [figure for figure in known if figure.synthetic]
    if not made_up:
        return ""
    if len(made_up) == len(known):
        return f" ({SYNTHETIC})"
    if all(figure.synthetic != figure.outturn for figure in known):
        return f" (projection: {SYNTHETIC})"
    return f" (in part {SYNTHETIC})"


def month(date: pd.Timestamp, *, short: bool = False) -> str:
    """Return a month as "September 2023"; a short one does not break across lines."""
    name = period_name(date, freq="MS", stock=False, short=short)
    return name.replace(" ", "\u00a0") if short else name


def year_name(start: pd.Timestamp) -> str:
    """Return an academic year as "2024/25"."""
    return f"{start.year}/{(start.year + 1) % 100:02d}"


def goal_name(goal: Goal) -> str:
    """Say the target: "92% waiting less than 18 weeks"."""
    return f"{100 * goal.share:g}% waiting less than {goal.weeks} weeks"


def when(met: Mapping[str, Any], last: pd.Timestamp) -> str:
    """Say when something comes true in the middle future, with the range, or that it does not.

    >>> last = pd.Timestamp("2027-09-01")
    >>> when({"month": "2025-05", "low": "2025-01", "high": "2026-03", "chance": 0.97}, last)
    'in May 2025 (likely between January 2025 and March 2026)'
    >>> when({"month": "2026-05", "low": "2025-01", "high": None, "chance": 0.61}, last)
    'in May 2026 (likely not before January 2025; by September 2027 in 61% of the simulated futures)'
    >>> when({"month": None, "low": "2027-02", "high": None, "chance": 0.14}, last)
    'not by September 2027 (the chance of it by then is 14%)'
    """
    end, likely = month(last), odds(float(met["chance"]))
    if not met["month"]:
        return f"not by {end} ({'the chance of it by then is ' if met['chance'] else ''}{likely})"
    middle, low, high = (month(month_of(met[name])) if met[name] else "" for name in ("month", "low", "high"))
    if low and high:
        return f"in {middle}" if low == high else f"in {middle} (likely between {low} and {high})"
    early = f"likely not before {low}; " if low and low != middle else ""
    return f"in {middle} ({early}by {end} in {likely} of the simulated futures)"


def met_cell(met: Mapping[str, Any], last: pd.Timestamp) -> str:
    """Return when something comes true as a cell of a table, with its range or chance below."""
    by_the_end = f"{'chance ' if met['chance'] else ''}{odds(float(met['chance']))}"
    if not met["month"]:
        return f"not by {month(last, short=True)}{RANGE_BELOW}{by_the_end}"
    low = month(month_of(met["low"] or met["month"]), short=True)
    high = month(month_of(met["high"]), short=True) if met["high"] else f"later, {by_the_end}"
    middle = month(month_of(met["month"]), short=True)
    return f"{middle}{RANGE_BELOW}{'' if low == high else f'{low} to {high}'}"


def _unit(low: float, high: float, kind: Kind) -> float:
    if not (math.isfinite(low) and math.isfinite(high)):
        return TENTH
    if kind.fine:
        return TENTH if high - low < FINE else 1
    return rounding_unit(low, high)
