"""Published figures of an area, under the names and bands of its projection."""

from __future__ import annotations

import pandas as pd

from forecast.ehc.ages import BAND_NAMES, BANDS
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
# Band of each published single age of the caseload.
OF_AGE = {"0-2": BAND_NAMES["0-4"]} | {
    str(age): BAND_NAMES[band] for band, (first, last) in BANDS.items() for age in range(max(first, 3), last + 1)
}
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
        {"year": bands["ds"].dt.year, "y": bands["y"], "measure": "caseload", "category": bands["age"].map(BAND_NAMES)}
    )
    single = rows[rows["measure"].eq("caseload") & rows["area_code"].eq(code) & rows["age"].isin(list(OF_AGE))]
    single = single[single["placement"].eq("") & single["need"].eq("")].dropna(subset="y")
    single = single[single.groupby("ds")["age"].transform("nunique").eq(len(OF_AGE))]
    summed = single.groupby([single["ds"].dt.year.rename("year"), single["age"].map(OF_AGE).rename("category")])["y"]
    later = summed.sum().reset_index().assign(measure="caseload")
    long = pd.concat([*parts, split, later], ignore_index=True).dropna(subset="y")
    long["by"] = long["category"].ne("").map({True: "age_band", False: ""})
    return long.astype({"year": int})[list(COLUMNS)]
