"""How far past forecasts of published waiting lists were off, measured beforehand over all providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from forecast import reference
from forecast.publish.speech_language.run import month_of
from forecast.publish.speech_language.words import month
from forecast.publish.view import Part, Row, table

SIZE = "size"
TITLES = {SIZE: "Children waiting", "share": "Share waiting over 18 weeks"}
FEW = (
    "Nine months are few, and they were seen while the method was made; the simulated list itself, run on without its "
    "spread, was as far off one to three months ahead as taking the last list to stay (naive)."
)
NOT_MEASURED = (
    "These are forecasts of published lists from their own past figures, one to six months ahead. The ranges of the "
    "simulated list are widened by them. The accuracy of the simulated list beyond six months is not measured, nor is "
    "that of referrals, treatment and therapists: published figures to check them against do not exist."
)


def past_errors() -> Part:
    """Return the errors of past forecasts of waiting lists, by measure and months ahead."""
    measured = reference.slt_accuracy()
    rows = tuple(_row(each) for each in measured.to_dict("records"))
    columns = ("Forecast", "Off by, on average", "Inside the likely range", "Forecasts made in")
    return Part(
        title="How far past forecasts of waiting lists were off",
        sentences=(
            "Published lists were forecast as if in past months, with no later figure, and compared with what happened "
            "at every provider that submitted each month.",
        ),
        tables=(table("How far past forecasts of waiting lists were off, all providers", columns, rows),),
        remarks=(
            "Off by: for children waiting the sum of all providers' errors, whatever their sign, in per cent of the "
            "sum of their lists; for the share the average error. The likely range should hold 80% of them.",
            FEW,
            NOT_MEASURED,
        ),
    )


def _row(each: Mapping[Any, Any]) -> Row:
    measure, months = str(each["measure"]), int(each["horizon"])
    error = f"{each['error']:.0f}%" if measure == SIZE else f"{each['error']:.1f} points"
    first, last = (month(month_of(each[name]), short=True) for name in ("first_origin", "last_origin"))
    inside = f"{each['coverage_80']:.0f}%" if pd.notna(each["coverage_80"]) else "not measured"
    head = f"{TITLES.get(measure, measure)}, {months} month{'' if months == 1 else 's'} ahead"
    return Row(head, (error, inside, f"{first} to {last}"))
