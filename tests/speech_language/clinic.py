"""A small service with made-up norms and figures, for tests."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from forecast import speech_language as slt
from forecast.sources.nhs_waiting_list import MEASURES

SOURCE = "made up for a test"
VALUES: dict[str, object] = {
    "first_contact_hours": {"universal": 1.5, "targeted": 3.0, "specialist": 4.0},
    "treated_share": {"universal": 0.0, "targeted": 0.5, "specialist": 0.8},
    "episode_weeks": {"universal": 4.0, "targeted": 12.0, "specialist": 40.0},
    "contacts_per_episode": {"universal": 1.0, "targeted": 6.0, "specialist": 12.0},
    "contact_hours": 2.0,
    "clinical_hours_a_year": 1000.0,
    "sickness_rate": 0.05,
    "vacancy_rate": 0.1,
    "reneging_a_month": 0.01,
    "removal_a_month": 0.0,
}
EHC_VALUES: dict[str, object] = {
    "advice_share": 0.8,
    "advice_hours": 6.0,
    "plan_share": {"slcn": 0.9, "asd": 0.5},
    "plan_contacts_a_year": 6.0,
    "plan_contact_hours": 1.5,
}


def norms(*, ehc: bool = False, **changed: object) -> slt.Norms:
    values = {**VALUES, **(EHC_VALUES if ehc else {}), **changed}
    return slt.Norms.from_mapping({name: {"value": v, "source": SOURCE} for name, v in values.items()}, ehc=ehc)


def service(**changed: Any) -> slt.Service:
    given: dict[str, Any] = {
        "norms": norms(),
        "staff": (slt.StaffStep(date(2023, 1, 1), 10.0),),
        "target": slt.Target(by=date(2024, 9, 30)),
        "seen_at_once": ("universal",),
        "booking": slt.Booking(),
        **changed,
    }
    return slt.Service(**given)


def referral_log(*, months: int = 36, last: str = "2023-09-01", a_month: float = 60.0, seed: int = 3) -> pd.DataFrame:
    """Two localities, two age bands, three tiers, two sources: Poisson counts with a quiet August."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(end=last, periods=months, freq="MS")
    parts = []
    weights = {"universal": 0.2, "targeted": 0.5, "specialist": 0.3}
    for locality, place in (("North", 0.4), ("South", 0.6)):
        for age in ("0-4", "5-10"):
            for tier, share in weights.items():
                for source in ("school", "parent"):
                    level = a_month * place * share / 4 * np.where(dates.month == 8, 0.6, 1.036)
                    keys = {"locality": locality, "age_band": age, "tier": tier, "source": source}
                    parts.append(pd.DataFrame({"ds": dates, **keys, "y": rng.poisson(level).astype(float)}))
    return pd.concat(parts, ignore_index=True)


def published(bands: list[list[float]], *, last: str = "2023-09-01", code: str = "RXX") -> pd.DataFrame:
    """Observations of one provider: a row of seven bands a month."""
    dates = pd.date_range(end=last, periods=len(bands), freq="MS")
    parts = []
    for ds, row in zip(dates, bands, strict=True):
        for measure, y in zip(MEASURES.values(), (sum(row), *row), strict=True):
            parts.append((measure, "provider", code, "Made-up Trust", "", ds, y, "", "", ds + pd.Timedelta(days=70)))
    columns = ["measure", "geographic_level", "area_code", "area_name", "region_code", "ds", "y", "reason", "note"]
    frame = pd.DataFrame(parts, columns=[*columns, "available"])
    return frame.assign(provenance="published", source="test")


LIST = [
    [12.0, 12, 24, 90, 60, 80, 2],
    [12.0, 11, 22, 92, 62, 84, 3],
    [11.0, 12, 24, 90, 64, 88, 4],
    [12.0, 12, 23, 92, 62, 92, 5],
]
