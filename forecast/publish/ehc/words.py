"""Names of what lies between a request and a plan: measures, breakdowns, overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from forecast.publish.ehc.run import Figure
from forecast.publish.view import RANGE_BELOW
from forecast.publish.words import Measure, day, interval, measure, number, rounding_unit

EHC_MEASURES = {
    "requests": Measure("Requests", "requests for an EHC needs assessment"),
    "decisions": Measure("Decisions whether to assess", "decisions whether to assess"),
    "refused": Measure("Requests refused", "requests refused"),
    "withdrawn": Measure("Requests withdrawn", "requests withdrawn"),
    "refusals_overturned": Measure("Refusals overturned", "refusals overturned"),
    "no_plan": Measure("Ended without a plan", "assessments that ended without a plan"),
    "agreed": Measure("Assessments agreed", "assessments agreed"),
    "plans_issued": Measure("Plans issued", "plans issued"),
    "timeliness_20_week": Measure(
        "Plans issued within 20 weeks", "per cent of plans issued within 20 weeks", rate=True, axis="Per cent"
    ),
    "decided_within_6_weeks": Measure(
        "Requests decided within 6 weeks", "per cent of requests decided within 6 weeks", rate=True
    ),
    "undecided": Measure("Requests waiting for a decision", "requests waiting for a decision at the end of the year"),
    "backlog": Measure("Assessments under way", "assessments under way at the end of the period"),
    "waiting_over_20_weeks": Measure(
        "Waiting over 20 weeks", "children and young people waiting over 20 weeks at the end of the year"
    ),
    "new_plans": Measure("New plans", "new plans in the caseload"),
    "ceased": Measure("Plans that cease", "plans that cease"),
    "transfers_in": Measure("Moved in from another area", "plans moved in from another area"),
    "residual": Measure("Recorded late", "plans recorded late or corrected, the published residual"),
    "adjustment": Measure(
        "Adjustment to the top-down forecast", "plans added so that the caseload follows the forecast of it as a whole"
    ),
    "annual_reviews": Measure("Annual reviews", "annual reviews due in the year"),
    "phase_transfers": Measure("Phase transfers", "plans to be finalised for a phase transfer"),
    "decisions_due_a_week": Measure("Decisions due a week", "decisions due a week, on average"),
    "plans_due_a_week": Measure("Plans due a week", "plans due a week, on average"),
}
NEEDS = {
    "asd": "Autistic spectrum disorder",
    "slcn": "Speech, language and communication",
    "semh": "Social, emotional and mental health",
    "mld": "Moderate learning difficulty",
    "sld": "Severe learning difficulty",
    "pmld": "Profound and multiple learning difficulty",
    "spld": "Specific learning difficulty",
    "pd": "Physical disability",
    "hi": "Hearing impairment",
    "vi": "Vision impairment",
    "msi": "Multi-sensory impairment",
    "oth": "Other need",
    "unknown": "Not recorded",
}
PLACEMENTS = {
    "mainstream": "Mainstream school",
    "special": "Special school",
    "alternative_provision": "Alternative provision",
    "further_education": "Further education",
    "elsewhere": "Educated elsewhere",
    "early_years": "Early years setting",
    "unknown": "Not recorded",
}
CAUSES = {
    "max_age": "Reached the greatest age",
    "needs_met": "Needs met without a plan",
    "higher_education": "Went to higher education",
    "employment": "Went into employment",
    "moved_la": "Moved to another area",
    "no_longer_engages": "No longer wishes to engage",
    "left_england": "Left England",
    "deceased": "Died",
    "other": "Other",
    "not_recorded": "Not recorded",
}
PHASES = {
    "into school": "Into school",
    "primary to secondary": "Primary to secondary school",
    "into post-16": "Into post-16 education",
}
BREAKDOWNS = {"need": NEEDS, "placement": PLACEMENTS, "cause": CAUSES, "phase": PHASES}
SIZES = {
    "refusal": "Share of requests refused",
    "withdrawal": "Share of requests withdrawn",
    "no_plan": "Share of assessments that end without a plan",
    "overturned": "Share of refusals overturned later",
    "requests": "Requests",
    "cease": "Share of plans that cease in a year",
    "transfers_in": "Plans moved in from another area",
    "capacity": "Assessments that can be completed",
}
SETTINGS = {
    "profile": "How requests fall on the weeks of a year",
    "requests": "England's path of requests",
    "caseload": "England's path of the caseload",
}
UNITS = {"capacity": "a month", "transfers_in": "a year"}


def kind(name: str) -> Measure:
    """Return how a measure of the projection from request to plan is named."""
    return EHC_MEASURES.get(name) or measure(name)


def category_name(by: str, category: str) -> str:
    """Return how a category of a breakdown is named.

    >>> category_name("age_band", "Under 5"), category_name("age", "20+"), category_name("need", "slcn")
    ('Aged under 5', 'Aged 20 and over', 'Speech, language and communication')
    """
    if by in {"age", "age_band"}:
        return f"Aged {category.lower().replace('-', ' to ').replace('+', ' and over')}"
    plain = category.replace("_", " ")
    return BREAKDOWNS.get(by, {}).get(category, plain[:1].upper() + plain[1:])


def about(figure: Figure) -> str:
    """Return a projection no finer than its range allows, to stand after "about".

    >>> about(Figure(1360, 1348, 900, 2000, published=False))
    '1,300'
    """
    return number(figure.median, _unit(figure))


def likely(figure: Figure) -> str:
    """Say the range of a projection: "likely between 900 and 2,000"."""
    unit = _unit(figure)
    return f"likely between {number(figure.low, unit)} and {number(figure.high, unit)}"


def told(figure: Figure, what: str = "") -> str:
    """Say a figure of something, to stand in a sentence: a projection with its range, a published figure as it is.

    >>> told(Figure(1360, 1348, 900, 2000, published=False), "requests")
    'about 1,300 requests (likely between 900 and 2,000)'
    >>> told(Figure(790, 790, float("nan"), float("nan"), published=True))
    '790'
    >>> told(Figure(960, 960, 960, 960, published=False), "requests")
    '960 requests'
    """
    said = f"{about(figure)} {what}".rstrip()
    sure = number(figure.low, _unit(figure)) == number(figure.high, _unit(figure))
    return said if figure.published or sure else f"about {said} ({likely(figure)})"


def cell(figure: Figure | None, *, rate: bool = False, ranged: bool = True) -> str:
    r"""Return a figure and, on a line of its own, its range; a published figure has none.

    >>> cell(Figure(102, 100, 90, 1100, published=False)), cell(Figure(9.8, 9.8, 0, 0, published=True), rate=True)
    ('100\n90 to 1,100', '10%\n')
    """
    if figure is None:
        return f"-{RANGE_BELOW}" if ranged else "-"
    sign = "%" if rate else ""
    middle = f"{number(figure.median)}{sign}"
    if not ranged:
        return middle
    return f"{middle}{RANGE_BELOW}{'' if figure.published else interval(figure.low, figure.high) + sign}"


def override_size(override: Mapping[str, Any]) -> str:
    """Say what an override sets a rate to.

    >>> override_size({"what": "refusal", "value": 0.25, "multiply": None})
    '25%'
    >>> override_size({"what": "requests", "value": None, "multiply": 1.2})
    '20% more'
    >>> override_size({"what": "capacity", "value": 60.0, "multiply": None})
    '60 a month'
    """
    value, times = override["value"], override["multiply"]
    if times is not None and not pd.isna(times):
        points = round(100 * (float(times) - 1), 1)
        return f"{abs(points):g}% {'more' if points > 0 else 'less'}" if points else "unchanged"
    unit = UNITS.get(str(override["what"]))
    return f"{float(value):,g} {unit}" if unit else f"{100 * float(value):g}%"


def override_dates(override: Mapping[str, Any]) -> str:
    """Say from when to when an override holds: "from 1 September 2025 on"."""
    if not override["start"]:
        return "throughout"
    start = day(pd.Timestamp(override["start"]))
    return f"{start} until {day(pd.Timestamp(override['end']))}" if override["end"] else f"from {start} on"


def _unit(figure: Figure) -> int:
    return 1 if figure.published else rounding_unit(figure.low, figure.high)
