"""A small run folder as a nightly run leaves it: DfE's and NHS England's published totals, made-up projections.

Outturns: Department for Education, Education, health and care plans (2024 release) and NHS England, Community
Health Services Waiting Lists 2023, both under the Open Government Licence v3.0. Projections and scores are
arithmetic, so that a test can work out what the page must say.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STOCKPORT = ("E08000007", "Stockport", "local_authority", "E12000002")
NORTH_WEST = ("E12000002", "North West", "region", "E12000002")
ENGLAND = ("E92000001", "England", "national", "")
TRUST = ("RWJ", "Stockport NHS Foundation Trust", "provider", "Y62")
NAN = float("nan")
OUTTURN: dict[tuple[str, str], tuple[int, Sequence[float]]] = {
    ("requests", "E08000007"): (2016, (286, 247, 337, 362, 329, 512, 705, 790)),
    ("requests", "E12000002"): (2019, (10942, 9802, 12795, 16302, 21045)),
    ("requests", "E92000001"): (2016, (55235, 64555, 72423, 82329, 75951, 93302, 114482, 138242)),
    ("new_plans", "E08000007"): (2019, (275, 311, 360, NAN, 431)),
    ("new_plans", "E92000001"): (2019, (53899, 60097, 62180, 66706, 84428)),
    ("caseload", "E08000007"): (2019, (2195, 2359, 2383, 2618, 2827, 3115)),
    ("caseload", "E12000002"): (2019, (47353, 52875, 58455, 64506, 71971, 82819)),
    ("caseload", "E92000001"): (
        2014,
        (237111, 240183, 256315, 287290, 319819, 353995, 390109, 430697, 473255, 517048, 576474),
    ),
}
SLT_WAITING = {
    "RWJ": (287, 286, 283, 308, 331, 331, 437, 444, 497),
    "E92000001": (67774, 65871, 73316, 72776, 72168, 72071, 68352, 61739, 65057),
}
OGL = "Open Government Licence v3.0"
WAPE = {"auto": 0.10, "naive": 0.18, "drift": 0.15, "area_growth": 0.11, "theta": 0.16, "prophet": 0.20}
SLOW = ("prophet",)
NEIGHBOURS = 4


def write_run(
    folder: Path,
    *,
    run_id: str = "0123456789ab",
    provenance: str = "published",
    status: str = "ok",
    name: str = "Stockport",
    extra_areas: int = 0,
    growth: float = 0.05,
    history_until: int = 2024,
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Path:
    """Write a run folder and return it.

    Parameters
    ----------
    folder : Path
    run_id, provenance, status : str
    name : str
        Name of the first area.
    extra_areas : int
        Further local authorities on the page, growing from 100 requests.
    growth : float
        Yearly growth of the median; the intervals are 10 % (80) and 20 % (95) of it a year ahead on either side.
    history_until : int
        Last year of a stock; flows end a year before.
    change : callable, optional
        Changes the manifest before it is written.
    """
    areas = [(STOCKPORT[0], name, *STOCKPORT[2:]), NORTH_WEST, ENGLAND]
    areas += [(f"E0900{i:04d}", f"Area {i:03d}", "local_authority", "E12000007") for i in range(1, extra_areas + 1)]
    ehc = _history(areas, provenance, history_until)
    slt = _waiting()
    history = pd.concat([ehc, slt], ignore_index=True)
    history["unique_id"] = history["measure"] + "/" + history["area_code"]
    forecasts = pd.concat(
        [
            _forecasts(ehc, target="ehc", freq="YS", horizon=5, growth=growth, thresholds={"requests": 1000.0}),
            _forecasts(slt, target="slt", freq="MS", horizon=6, growth=growth, thresholds={}),
        ],
        ignore_index=True,
    )
    folder.mkdir(parents=True, exist_ok=True)
    history.to_parquet(folder / "history.parquet")
    forecasts.to_parquet(folder / "forecasts.parquet")
    _scores().to_parquet(folder / "scores.parquet")
    _ledger(history).to_parquet(folder / "ledger.parquet")
    manifest = _manifest(areas, run_id=run_id, provenance=provenance, status=status)
    manifest["as_of"] = f"{history_until}-07-01"
    if change is not None:
        change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    return folder


def _history(areas: Sequence[tuple[str, ...]], provenance: str, until: int) -> pd.DataFrame:
    rows = []
    for code, area, level, region in areas:
        for measure, stock in (("requests", False), ("new_plans", False), ("caseload", True)):
            grown = (2016, tuple(100.0 * 1.1**k for k in range(8))) if level == "local_authority" else None
            first, values = OUTTURN.get((measure, code)) or grown or (2020, ())
            for year, y in enumerate(values, start=first):
                if year > until - (not stock):
                    continue
                reason = "sum_mismatch: region 6078, area 6078" if np.isnan(y) else ""
                first_person_level = year == (2023 if stock else 2022)
                note = "series_break: first person-level return" if first_person_level else ""
                released = pd.Timestamp(year + (not stock), 6, 30)
                value = 6078.0 if reason else float(y)
                common = (measure, level, code, area, region, pd.Timestamp(year, 1, 1), value, reason, note, released)
                rows.append(("ehc", *common, provenance, "dfe_ehc"))
    return _observations(rows)


def _waiting() -> pd.DataFrame:
    rows = []
    for code, area, level, region in (TRUST, ENGLAND):
        for month, y in enumerate(SLT_WAITING[code], start=1):
            ds = pd.Timestamp(2023, month, 1)
            released = ds + pd.DateOffset(months=2, days=13)
            common = ("slt_waiting", level, code, area, region, ds, float(y), "", "", released)
            rows.append(("slt", *common, "published", "nhs_chs"))
    return _observations(rows)


def _observations(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    columns = ["target", "measure", "geographic_level", "area_code", "area_name", "region_code", "ds", "y"]
    return pd.DataFrame(rows, columns=[*columns, "reason", "note", "available", "provenance", "source"])


def _forecasts(
    history: pd.DataFrame, *, target: str, freq: str, horizon: int, growth: float, thresholds: dict[str, float]
) -> pd.DataFrame:
    rows = []
    keys = ["measure", "geographic_level", "area_code", "area_name", "region_code"]
    for key, part in history[history["reason"].eq("")].groupby(keys, sort=False):
        last = part.sort_values("ds").iloc[-1]
        dates = pd.date_range(last["ds"], periods=horizon + 1, freq=freq)[1:]
        threshold = thresholds.get(str(key[0]), NAN)
        for h, ds in enumerate(dates, start=1):
            median = last["y"] * (1 + growth) ** h
            spread = {level: share * median * h**0.5 for level, share in ((80, 0.1), (95, 0.2))}
            row = dict(zip(keys, key, strict=True))
            row |= {
                "target": target,
                "unique_id": f"{key[0]}/{key[2]}",
                "model": "auto",
                "origin": last["ds"],
                "ds": ds,
            }
            row |= {"horizon": h, "mean": median * 1.01, "median": median}
            row |= {f"{end}-{q}": median + sign * spread[q] for q in (80, 95) for end, sign in (("lo", -1), ("hi", 1))}
            above = NAN if np.isnan(threshold) else float(np.clip(0.5 + (median - threshold) / threshold, 0, 1))
            rows.append(row | {"threshold": threshold, "prob_above": above, "on_page": True})
    return pd.DataFrame(rows)


def _scores() -> pd.DataFrame:
    """Six origins, horizons as far as 2023; every area misses by the same share, growing with the horizon."""
    rows = []
    areas = [STOCKPORT, *((f"E0800{i:04d}", f"Neighbour {i}", "local_authority", "E12000002") for i in range(100, 110))]
    areas += [NORTH_WEST, ENGLAND]
    for measure, last in (("requests", 2023), ("new_plans", 2023), ("caseload", 2024)):
        for index, (code, _, level, _) in enumerate(areas):
            for origin in range(last - 6, last):
                for horizon in range(1, min(5, last - origin) + 1):
                    rows += [
                        _cell(
                            ("ehc", measure, level, code),
                            model=model,
                            origin=pd.Timestamp(origin, 1, 1),
                            horizon=horizon,
                            error=error,
                        )
                        for model, error in WAPE.items()
                        if model not in SLOW or index <= NEIGHBOURS
                    ]
    for code, level in ((TRUST[0], TRUST[2]), (ENGLAND[0], ENGLAND[2])):
        for month in (6, 7, 8):
            origin = pd.Timestamp(2023, month, 1)
            rows += [
                _cell(
                    ("slt", "slt_waiting", level, code),
                    model=model,
                    origin=origin,
                    horizon=horizon,
                    error=WAPE[model],
                )
                for horizon in range(1, 10 - month)
                for model in ("auto", "naive", "drift")
            ]
    return pd.DataFrame(rows)


def _cell(key: Sequence[str], *, model: str, origin: pd.Timestamp, horizon: int, error: float) -> dict[str, object]:
    target, measure, level, code = key
    actual = 1000.0
    miss = actual * error * horizon**0.5
    step = pd.DateOffset(years=horizon) if target == "ehc" else pd.DateOffset(months=horizon)
    return {
        **{"target": target, "measure": measure, "geographic_level": level, "area_code": code},
        **{"unique_id": f"{measure}/{code}", "model": model, "origin": origin, "horizon": horizon},
        **{"ds": origin + step, "actual": actual, "point": actual - miss, "error": -miss, "abs_error": miss},
        **{"scaled_abs_error": error, "pinball": miss / 2, "covered_80": float(origin.year % 5 > 0), "covered_95": 1.0},
    }


def _ledger(history: pd.DataFrame) -> pd.DataFrame:
    keys = ["target", "measure", "geographic_level", "area_code", "area_name", "unique_id"]
    used = history[history["reason"].eq("")]
    ledger = used.groupby(keys, sort=False).agg(n_obs=("y", "size"), last_ds=("ds", "max")).reset_index()
    monthly = ledger["target"].eq("slt")
    ledger["model"] = np.where(monthly, "drift", "auto")
    ledger["status"] = np.where(monthly, "short", "ok")
    ledger["reason"] = np.where(
        monthly, "fewer than 12 months", "area_growth 0.60, drift 0.40; weights from 6 past origins"
    )
    return ledger


def _manifest(areas: Sequence[tuple[str, ...]], *, run_id: str, provenance: str, status: str) -> dict[str, Any]:
    def listed(chosen: Sequence[tuple[str, ...]]) -> list[dict[str, str]]:
        return [{"area_code": a[0], "area_name": a[1], "geographic_level": a[2]} for a in chosen]

    def source(name: str, title: str, publisher: str, released: str, kind: str) -> dict[str, str]:
        common = {"id": name, "title": title, "publisher": publisher, "licence": OGL, "released": released}
        return {**common, "provenance": kind, "digest": "0" * 64}

    return {
        **{"schema": 1, "run_id": run_id, "name": "stockport", "title": "SEND demand in Stockport"},
        **{"package_version": "0.1.0", "as_of": "2024-07-01", "created": "2024-07-02T01:00:00", "seed": 2024},
        **{"n_paths": 1000, "levels": [80, 95], "config": {}, "config_path": "stockport.yaml"},
        "data_digest": "f" * 64,
        "sources": [
            source(
                *("dfe_ehc", "Education, health and care plans", "Department for Education", "2024-06-30"), provenance
            ),
            source(*("nhs_chs", "Community Health Services Waiting Lists", "NHS England", "2023-11-09"), "published"),
        ],
        "warnings": ["caseload.csv: unknown extra column 'new_column' was left out"],
        "provenance": sorted({provenance, "published"}),
        "targets": [
            {
                **{"name": "ehc", "data": "ehc", "measures": ["requests", "new_plans", "caseload"], "freq": "YS"},
                **{"horizon": 5, "model": "auto", "candidates": sorted(WAPE), "origins": 6, "unit": ""},
                **{"thresholds": {"requests": 1000.0}, "areas": listed(areas)},
            },
            {
                **{"name": "slt", "data": "slt", "measures": ["slt_waiting"], "freq": "MS", "horizon": 6},
                **{"model": "auto", "candidates": ["drift", "naive"], "origins": 3, "unit": "", "thresholds": {}},
                "areas": listed([TRUST, ENGLAND]),
            },
        ],
        "status": status,
        "steps": {"read": 0.1},
        "versions": {"python": "3.11", "pandas": "3.0"},
    }
