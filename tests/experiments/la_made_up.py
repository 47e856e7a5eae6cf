"""Made-up areas and scores that the tests of the area experiment share."""

import numpy as np
import pandas as pd

from experiments.la_scores import Scored
from forecast.sources.observations import OBSERVATION_COLUMNS


def observations(values: np.ndarray, *, first: int, measure: str = "requests") -> pd.DataFrame:
    """Rows of areas A00, A01, ... from a year on."""
    areas, years = np.indices(values.shape)
    code = [f"A{i:02d}" for i in areas.ravel()]
    known = {
        "measure": measure,
        "geographic_level": "local_authority",
        "area_code": code,
        "area_name": code,
        "ds": pd.to_datetime([f"{first + year}-01-01" for year in years.ravel()]),
        "y": values.ravel(),
    }
    return pd.DataFrame({**dict.fromkeys(OBSERVATION_COLUMNS, ""), **known})


def growing(n: int = 10, length: int = 8, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(rng.uniform(100, 900, n)[:, None] * np.exp((rng.normal(0.1, 0.1, (n, length))).cumsum(axis=1)))


def cells_of(errors: dict[tuple[str, int, int], list[float]]) -> pd.DataFrame:
    """Cells by (model, origin, horizon) from the errors of areas a, b, ... of 100 each, 1000 at origin 2020."""
    rows = []
    for (model, origin, horizon), answers in errors.items():
        actual = 1000.0 if origin == 2020 else 100.0
        for area, error in zip("abcd", answers, strict=False):
            known = {"unique_id": area, "model": model, "origin": pd.Timestamp(f"{origin}-01-01"), "horizon": horizon}
            scores = {"actual": actual, "point": actual + error, "error": error, "abs_error": abs(error)}
            spread = {"wis": abs(error) / 2, "covered_80": float(abs(error) < 15), "covered_95": 1.0}
            ends = {"lo_80": actual - 15, "hi_80": actual + 15, "lo_95": actual - 99, "hi_95": actual + 99}
            rows.append({**known, **scores, **spread, **ends})
    return pd.DataFrame(rows)


def totals_of(cells: pd.DataFrame) -> pd.DataFrame:
    """Totals that are within 80 % where they are right to a tenth."""
    keys = ["model", "origin", "horizon"]
    frame = cells.groupby(keys, sort=False)[["actual", "point", "error"]].sum().reset_index()
    right = (frame["error"].abs() <= frame["actual"] / 10).astype(float)
    ends = {f"{end}_{level}": frame["actual"] for end in ("lo", "hi") for level in (80, 95)}
    return frame.assign(
        unique_id="nation", abs_error=frame["error"].abs(), wis=0.0, covered_80=right, covered_95=1.0, **ends
    )


CELLS = cells_of(
    {
        ("naive", 2019, 1): [10, -10],
        ("naive", 2020, 1): [60, 0],
        ("naive", 2019, 3): [40, 40],
        ("late", 2020, 1): [20, 20],
        ("auto", 2019, 1): [12, 12],
        ("auto", 2020, 1): [30, 30],
        ("auto", 2019, 3): [-41, 41],
    }
)
SCORED = Scored("caseload", (1, 3), CELLS, totals_of(CELLS), {"naive": 1.0, "late": 2.0, "auto": 3.5})
