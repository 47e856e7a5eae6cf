"""A made-up projection from request to plan, as a run folder holds it: arithmetic, for tests to work out the page.

The published rows are Stockport's and are true; every projected figure is invented and stands for no child.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.publish.ehc.run import EHC_COLUMNS
from tests.run_folder import write_run

NAN = float("nan")
UNTIL = 2035
REQUESTS = dict(zip(range(2016, 2024), (286, 247, 337, 362, 329, 512, 705, 790), strict=True))
ISSUED = dict(zip(range(2019, 2024), (275, 311, 360, 531, 415), strict=True))
CASELOAD = dict(zip(range(2019, 2025), (2195, 2359, 2383, 2618, 2827, 3115), strict=True))
TIMELY = {2019: 88.0, 2020: 91.0, 2021: 94.1, 2022: 40.0, 2023: 9.8}
BANDS = {"Under 5": 0.07, "5 to 10": 0.33, "11 to 15": 0.36, "16 to 19": 0.18, "20 to 25": 0.06}
REQUEST_BANDS = {"Under 5": 0.33, "5 to 10": 0.39, "11 to 15": 0.22, "16 to 19": 0.05, "20 to 25": 0.01}
NEEDS = {
    **{"asd": 0.33, "slcn": 0.22, "semh": 0.21, "mld": 0.08, "sld": 0.04, "spld": 0.03, "pd": 0.03, "pmld": 0.015},
    **{"hi": 0.02, "vi": 0.01, "msi": 0.002, "oth": 0.02, "unknown": 0.013},
}
PLACEMENTS = {
    **{"mainstream": 0.42, "special": 0.36, "further_education": 0.13, "elsewhere": 0.05},
    **{"alternative_provision": 0.01, "early_years": 0.01, "unknown": 0.02},
}
CAUSES = {"max_age": 0.35, "needs_met": 0.1, "no_longer_engages": 0.3, "moved_la": 0.15, "other": 0.1}
PHASES = {"into school": 0.035, "primary to secondary": 0.07, "into post-16": 0.08}
TABLES = {
    "lsrp": BANDS,
    "scap_primary": {"Reception to Year 6": 0.12},
    "scap_secondary": {"Years 7 to 11": 0.16, "Years 12 to 14": 0.08},
}
PLANNING: tuple[dict[str, Any], ...] = (
    {"name": "lsrp", "title": "Plans by age band, as in a Local SEND Reform Plan", "years": 5},
    {"name": "scap_primary", "title": "Special schools, primary", "years": 5, "placement": "special"},
    {"name": "scap_secondary", "title": "Special schools, secondary and after", "years": 7, "placement": "special"},
)
OVERRIDE = {
    **{"what": "refusal", "start": "2025-09-01", "end": "", "ages": "all", "value": 0.25, "multiply": None},
    "reason": "the panel reads the threshold as the Code of Practice does",
}
ADJUSTMENT = [{"year": 2029, "plans": -204.0, "percent": -4.4}, {"year": 2030, "plans": -251.6, "percent": -5.1}]
NOTES = (
    "Need is modelled: regional shares of need by age times the area's own ages.",
    "The cohort and the top-down forecast of the caseload differed by 2% in 2030 before they were brought together.",
)


def ehc_frame(*, code: str = "E08000007", name: str = "Stockport", scale: float = 1.0) -> pd.DataFrame:
    """Make the long frame of one area.

    Requests grow by 6 % a year from 790, 60 % of them become plans, 7 % of a caseload cease in a year, 20 move in and
    30 are recorded late. A median is 98 % of the mean; the 80 % interval reaches 10 % of it, times the root of
    the years ahead, to either side, and the 95 % interval half as far again.

    Parameters
    ----------
    code, name : str
    scale : float
        Multiplies the projected requests.
    """
    rows = list(_rows(scale))
    frame = pd.DataFrame(rows, columns=list(EHC_COLUMNS[2:]))
    return frame.assign(area_code=code, area_name=name)[list(EHC_COLUMNS)]


def until_year(until: int) -> pd.DataFrame:
    """Make the long frame of a projection that ends early: flows to a year, stocks to the January after it."""
    frame = ehc_frame()
    later = frame["measure"].isin(["caseload", "phase_transfers"])
    return frame[frame["ds"].dt.year.le(until + later)].reset_index(drop=True)


def flows(scale: float = 1.0) -> dict[int, dict[str, float]]:
    """Means of the account of the caseload, by calendar year; `start` is January of the year, `end` of the next."""
    stock, years = float(CASELOAD[2024]), {}
    for year in range(2024, UNTIL + 1):
        requests = REQUESTS[2023] * 1.06 ** (year - 2023) * scale
        flow = {"requests": requests, "new_plans": 0.6 * requests, "ceased": 0.07 * stock}
        flow |= {"transfers_in": 20.0, "residual": 30.0, "adjustment": -0.01 * stock}
        end = stock + flow["new_plans"] - flow["ceased"] + 50.0 + flow["adjustment"]
        years[year] = flow | {"start": stock, "end": end}
        stock = end
    return years


def write_ehc(
    folder: Path,
    *,
    areas: tuple[tuple[str, str], ...] = (("E08000007", "Stockport"),),
    overrides: bool = True,
    ehc_provenance: str = "published",
    **run: Any,
) -> Path:
    """Write a run folder with a projection from request to plan and return it; `run` goes to `write_run`."""
    scale = 0.9 if overrides else 1.0
    listed = [{"area_code": c, "area_name": n, "geographic_level": "local_authority"} for c, n in areas]
    settings = {"profile": "school_days", "requests": "median of past national growths"}
    ehc = {"areas": listed, "until": UNTIL, "n_paths": 1000, "settings": settings, "provenance": [ehc_provenance]}
    ehc |= {
        "adjustment": {code: ADJUSTMENT for code, _ in areas},
        "tables": list(PLANNING),
        "references": ["ons-snpp"],
        "overrides": [OVERRIDE] if overrides else [],
        "notes": {code: list(NOTES) for code, _ in areas},
    }
    write_run(folder, **run)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"ehc": ehc}, indent=2), encoding="utf-8")
    frame = pd.concat([ehc_frame(code=c, name=n, scale=scale) for c, n in areas], ignore_index=True)
    frame.to_parquet(folder / "ehc.parquet")
    if overrides:
        baseline = pd.concat([ehc_frame(code=c, name=n) for c, n in areas], ignore_index=True)
        baseline.to_parquet(folder / "ehc_baseline.parquet")
    return folder


def _rows(scale: float) -> Iterator[tuple[object, ...]]:
    for measure, known in (("requests", REQUESTS), ("plans_issued", ISSUED), ("caseload", CASELOAD)):
        yield from (_published(measure, year, y) for year, y in known.items())
    yield from (_published("timeliness_20_week", year, y) for year, y in TIMELY.items())
    yield from (_published("caseload", 2024, CASELOAD[2024] * s, "age_band", b) for b, s in BANDS.items())
    yield from (_published("caseload", 2022, CASELOAD[2022] * s, "age_band", b) for b, s in BANDS.items())
    for year, flow in flows(scale).items():
        yield from _of_year(year, flow)
        if year < 2028:
            yield from _of_months(year, flow)


def _of_year(year: int, flow: dict[str, float]) -> Iterator[tuple[object, ...]]:
    requests, end = flow["requests"], flow["end"]
    shares = {"decisions": 0.98, "refused": 0.2, "agreed": 0.77, "assessments_completed": 0.63, "plans_issued": 0.6}
    for measure, share in {"requests": 1.0, **shares}.items():
        yield _projected(measure, year, requests * share)
    ends = {"undecided": 0.1, "backlog": 0.4, "waiting_over_20_weeks": 0.25, "annual_reviews": 4.0}
    for measure, share in ends.items():
        yield _projected(measure, year, requests * share)
    for measure in ("new_plans", "ceased", "transfers_in", "residual", "adjustment"):
        yield _projected(measure, year, flow[measure])
    yield _projected("timeliness_20_week", year, 15.0 + year - 2024)
    yield _projected("decided_within_6_weeks", year, 80.0)
    parts = {("ceased", "cause"): (CAUSES, flow["ceased"]), ("requests", "age_band"): (REQUEST_BANDS, requests)}
    for (measure, by), (split, total) in parts.items():
        yield from (_projected(measure, year, total * share, by, name) for name, share in split.items())
    yield _projected("caseload", year + 1, end)
    yield from (_projected("phase_transfers", year + 1, end * s, "phase", name) for name, s in PHASES.items())
    for by, split in {"age_band": BANDS, "need": NEEDS, "placement": PLACEMENTS}.items():
        yield from (_projected("caseload", year + 1, end * s, by, name) for name, s in split.items())
    for table in PLANNING:
        if year - 2023 <= table["years"]:
            by, split = f"table:{table['name']}", TABLES[table["name"]]
            yield from (_projected("caseload", year + 1, end * s, by, n) for n, s in split.items())


def _of_months(year: int, flow: dict[str, float]) -> Iterator[tuple[object, ...]]:
    yield _projected("decisions_due_a_week", year, flow["requests"] / 52)
    yield _projected("plans_due_a_week", year, flow["new_plans"] / 52)
    for month in range(1, 13):
        share = (0.6 if month == 8 else 1.0364) / 12
        for measure in ("requests", "agreed", "assessments_completed", "plans_issued"):
            yield _projected(measure, year, flow["requests"] * share, month=month)
        yield _projected("backlog", year, flow["requests"] * 0.4, month=month)
        yield _projected("decisions_due_a_week", year, flow["requests"] * share * 12 / 52, month=month)
        yield _projected("plans_due_a_week", year, flow["new_plans"] * share * 12 / 52, month=month)


def _published(measure: str, year: int, y: float, by: str = "", category: str = "") -> tuple[object, ...]:
    return (measure, by, category, "YS", pd.Timestamp(year, 1, 1), y, y, NAN, NAN, NAN, NAN, "published")


def _projected(
    measure: str, year: int, mean: float, by: str = "", category: str = "", month: int = 0
) -> tuple[object, ...]:
    width = 0.1 * abs(mean) * max(1, year - 2023) ** 0.5
    median = 0.98 * mean
    status = "modelled" if by in {"need", "placement", "cause"} else "projected"
    when = pd.Timestamp(year, month or 1, 1)
    ends = (median - width, median + width, median - 1.5 * width, median + 1.5 * width)
    return (measure, by, category, "MS" if month else "YS", when, mean, median, *ends, status)
