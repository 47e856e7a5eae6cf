"""Published figures of an area, under the names and bands of its projection."""

from __future__ import annotations

import pandas as pd

from forecast.ehc.figures import Figures

# Measures of a projection and the published ones they carry on.
PUBLISHED = {
    "requests": "requests",
    "refused": "requests_refused",
    "agreed": "decided_to_assess",
    "assessments_completed": "assessments_completed",
    "plans_issued": "assessments_issued",
    "timeliness_20_week": "timeliness_20_week",
    "new_plans": "new_plans",
    "ceased": "ceased",
    "caseload": "caseload",
}
BANDS = {"0-4": "Under 5", "5-10": "5 to 10", "11-15": "11 to 15", "16-19": "16 to 19", "20-25": "20 to 25"}
COLUMNS = ("measure", "by", "category", "year", "y")


def published(figures: Figures, code: str) -> pd.DataFrame:
    """List what was published of an authority, a region or England.

    Parameters
    ----------
    figures : Figures
    code : str

    Returns
    -------
    DataFrame
        measure, by ("" or "age_band"), category, year, y; years without a usable figure are left out.
    """
    parts = [
        figures.line(source, code).rename("y").rename_axis("year").reset_index().assign(measure=measure, category="")
        for measure, source in PUBLISHED.items()
    ]
    rows = figures.breakdowns
    bands = rows[rows["measure"].eq("caseload") & rows["area_code"].eq(code) & rows["age"].isin(list(BANDS))]
    bands = bands[bands["placement"].eq("") & bands["need"].eq("")]
    split = pd.DataFrame(
        {"year": bands["ds"].dt.year, "y": bands["y"], "measure": "caseload", "category": bands["age"].map(BANDS)}
    )
    long = pd.concat([*parts, split], ignore_index=True).dropna(subset="y")
    long["by"] = long["category"].ne("").map({True: "age_band", False: ""})
    return long.astype({"year": int})[list(COLUMNS)]
