"""How far past forecasts of requests and caseload were off, measured beforehand over all local authorities."""

from __future__ import annotations

from forecast import reference
from forecast.publish.view import Part, Row, table

TITLES = {"requests": "Requests", "caseload": "Caseload"}
NOT_MEASURED = (
    "Plans issued, the 20 weeks and the backlog have not been measured this way: how often their ranges hold is not "
    "known."
)
AS_A_WHOLE = (
    "The caseload here is the forecast of it as a whole, before it is brought together with the caseload by age."
)


def past_errors() -> Part:
    """Return the errors of past forecasts, by measure and years ahead."""
    rows = tuple(
        Row(
            f"{TITLES[str(each['measure'])]}, {_ahead(int(each['horizon']))}",
            (
                f"{each['wape']:.0f}%",
                f"{each['coverage_80']:.0f}%",
                f"{each['first_origin']} to {each['last_origin']}",
            ),
        )
        for _, each in reference.ehc_accuracy().iterrows()
    )
    columns = ("Forecast", "Off by, on average", "Inside the likely range", "Made in each of")
    return Part(
        title="How far past forecasts were off",
        sentences=(
            "Requests and caseload were forecast as if in past years, with no later figure, and compared with what "
            "happened in every local authority.",
        ),
        tables=(table("How far past forecasts were off, all authorities", columns, rows),),
        remarks=(
            "Off by: the sum of all authorities' errors, whatever their sign, in per cent of the sum of their figures. "
            "The likely range should hold 80% of them.",
            AS_A_WHOLE,
            NOT_MEASURED,
        ),
    )


def _ahead(years: int) -> str:
    return f"{years} year{'' if years == 1 else 's'} ahead"
