"""A made-up projection of speech and language, as a run folder holds it: arithmetic, for tests to work out the page.

The published rows are the waiting list of Stockport NHS Foundation Trust (NHS England, Community Health Services
Waiting Lists 2023, Open Government Licence v3.0) and are true; every other figure is invented and stands for no child.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.publish.speech_language.run import SLT_COLUMNS
from tests.publish.ehc.frame import write_ehc

NAN = float("nan")
PROVIDER = {"area_code": "RWJ", "area_name": "Stockport NHS Foundation Trust"}
BANDS = ("0-1", "1-2", "2-4", "4-12", "12-18", "18-52", "52+")
WAITING = {
    1: (22, 18, 60, 135, 45, 7, 0),
    2: (13, 16, 65, 123, 56, 13, 0),
    3: (12, 18, 27, 150, 55, 21, 0),
    4: (27, 18, 56, 129, 50, 28, 0),
    5: (31, 27, 35, 142, 69, 27, 0),
    6: (11, 31, 51, 147, 72, 19, 0),
    7: (27, 33, 76, 180, 81, 40, 0),
    8: (29, 26, 24, 234, 97, 34, 0),
    9: (38, 33, 66, 172, 139, 48, 1),
}
BAND_SHARES = (0.07, 0.06, 0.12, 0.36, 0.2, 0.17, 0.02)
LOCALITIES = dict(zip((f"Locality {i}" for i in range(1, 8)), (0.2, 0.17, 0.16, 0.14, 0.13, 0.11, 0.09), strict=True))
AGES = {"0-4": 0.55, "5-10": 0.35, "11-18": 0.1}
TIERS = {"universal": 0.25, "targeted": 0.45, "specialist": 0.3}
SOURCES = {"health visitor": 0.35, "school or nursery": 0.4, "parent or carer": 0.1, "GP or paediatrician": 0.15}
WORKS = {"first": 0.3, "treatment": 0.55, "plans": 0.1, "advice": 0.05}
# Share of a month in a year's referrals: few in August, more in the autumn.
SEASON = dict(zip(range(1, 13), (1.06, 1.04, 1.14, 0.9, 1.05, 1.1, 0.95, 0.4, 1.05, 1.15, 1.15, 1.01), strict=True))
PAST = pd.date_range("2019-10-01", "2023-09-01", freq="MS")
AHEAD = pd.date_range("2023-10-01", "2027-09-01", freq="MS")
BY = "2027-03"
# Waiting and WTE in post of each option, as shares of the service as it is, once they are at work.
OPTIONS = {"as_now": (1.0, 20.0), "more_staff": (0.5, 22.0), "redesign": (0.8, 20.0), "clinic_rule": (0.9, 20.0)}
WHOLE_YEARS = (2023, 2024, 2025, 2026)


def slt_frame(*, provenance: str = "synthetic", log: bool = True) -> pd.DataFrame:
    """Make the long table.

    Referrals are 115 a month times the season in 2019/20 and grow by 5 % a year. The list grows by 6 children a
    month from 497, half as fast with more staff. A median is 98 % of the mean; the 80 % interval reaches 5 % of the
    mean, times the root of the years ahead, to either side, and the 95 % interval half as far again.

    Parameters
    ----------
    provenance : str
        Of referrals and all that is projected.
    log : bool
        Whether there is a log of referrals; without it they are one series and a proxy.
    """
    rows = [(*row, provenance) for row in _rows(log=log)]
    rows += [(*row, "published") for row in _published()]
    return pd.DataFrame(rows, columns=list(SLT_COLUMNS))


def referred(month: pd.Timestamp) -> float:
    """Mean of the referrals of a month."""
    year = month.year - (month.month < 9)
    return 115.0 * SEASON[month.month] * 1.05 ** (year - 2019)


def waiting(month: pd.Timestamp, option: str = "as_now") -> float:
    """Mean of the children waiting at the end of a projected month."""
    ahead = _ahead(month)
    share, _ = OPTIONS[option]
    return (497.0 + 6.0 * ahead) * (1.0 - (1.0 - share) * min(1.0, ahead / 24))


def needed(month: pd.Timestamp) -> float:
    """Mean of the therapists needed in a projected month."""
    return 20.0 * 1.05 ** (_ahead(month) / 12)


def slt_entry(*, provenance: str = "synthetic", log: bool = True) -> dict[str, Any]:
    """Make the entry of the manifest."""
    made_up = provenance == "synthetic"
    return {
        **{"provider": PROVIDER, "ehc_area": "Stockport", "known_to": "2023-09", "first": "2023-10"},
        **{"last": "2027-09", "n_paths": 1000, "provenance": sorted({provenance, "published"})},
        **{"synthetic": ["the log of referrals"] if made_up else [], "proxy": not log},
        **{"target": {"within_weeks": 18, "share": 0.92, "by": BY}, "bands": list(BANDS), "norms": NORMS},
        "settings": {"model": "auto", "booking": "fitted", "seen_at_once": "universal", "clinics": "by locality"}
        | {"in_treatment": "as given by tier"},
        "staff": [{"from": "2023-10-01", "wte": 22.2, "reason": "posts agreed in the budget"}],
        "capacity": [{"from": "2024-09-01", "a_week": 26.0, "reason": "clinics planned"}],
        "today": {"wte_work": _triple(19.1, 17.5, 20.6), "wte_in_post": 20.0},
        "fit": {
            "capacity_a_week": 24.6,
            "observed_a_week": 23.1,
            "booking_share": 0.35,
            "over_weeks": 12,
            "error_children": 14.2,
        }
        | {"error_points": 1.6},
        "queue": {"demand_a_week": 29.1, "load": 1.08, "target_queue": 131.0, "target_capacity": 29.4}
        | {"relief_capacity": 43.2},
        **{"options": [_option(name) for name in OPTIONS], "answers": ANSWERS, "notes": list(NOTES)},
    }


def write_slt(folder: Path, *, provenance: str = "synthetic", log: bool = True, **run: Any) -> Path:
    """Write a run folder with a projection of speech and language; `run` goes to `write_ehc`."""
    write_ehc(folder, **run)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["speech_language"] = slt_entry(provenance=provenance, log=log)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    slt_frame(provenance=provenance, log=log).to_parquet(folder / "speech_language.parquet")
    return folder


def _rows(*, log: bool) -> Iterator[tuple[object, ...]]:
    splits = {"locality": LOCALITIES, "age_band": AGES, "tier": TIERS} if log else {}
    sources = {"source": SOURCES} if log else {}
    status = "outturn" if log else "modelled"
    for month in PAST:
        yield from _split("referrals", month, referred(month), {**splits, **sources}, status=status)
    for year in (2020, 2021, 2022):
        total = _sum_of_year(referred, year)
        start = pd.Timestamp(year, 9, 1)
        yield from _split("referrals", start, total, {**splits, **sources}, status=status, freq="academic_year")
    for month in AHEAD:
        yield from _split("referrals", month, referred(month), {**splits, **sources})
        yield _row("advice_requests", month, 40.0 * SEASON[month.month])
        yield from _split("in_treatment", month, 900.0 + 4 * _ahead(month), {"tier": TIERS} if log else {})
        contacts = {"first": 105.0, "treatment": 800.0, "plans": 160.0}
        yield from (_row("contacts", month, n * SEASON[month.month], "work", w) for w, n in contacts.items())
        yield _row("left_list", month, 9.0)
        yield _row("capacity", month, 106.0)
    for option in OPTIONS:
        for month in AHEAD:
            yield from _list(option, month, splits)
            yield from _staff(option, month, "MS", needed(month), splits)
        for year in WHOLE_YEARS:
            mean = _sum_of_year(needed, year) / 12
            yield from _staff(option, pd.Timestamp(year, 9, 1), "academic_year", mean, splits)
    for year in WHOLE_YEARS:
        yield from _of_year(year, {**splits, **sources})


def _list(option: str, month: pd.Timestamp, splits: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[object, ...]]:
    stock = waiting(month, option)
    bands = dict(zip(BANDS, BAND_SHARES, strict=True))
    yield from _split("waiting", month, stock, {**splits, "wait_band": bands}, option=option)
    shown = {"within_target": 81.0 + 15 * (497 - stock) / 497, "over_52_weeks": 0.02 * stock}
    shown |= {"median_wait": 9.0 * stock / 497, "p92_wait": 26.0 * stock / 497, "first_contacts": 105.0}
    for measure, mean in shown.items():
        yield _row(measure, month, mean, option=option)
        share = 1.0 if measure in {"within_target", "median_wait", "p92_wait"} else 0.0
        for by, split in splits.items():
            yield from (_row(measure, month, mean * (share or s), by, c, option=option) for c, s in split.items())


def _staff(
    option: str, when: pd.Timestamp, freq: str, mean: float, splits: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[object, ...]]:
    in_post = OPTIONS[option][1]
    breakdowns = {"work": WORKS, **({"tier": TIERS, "age_band": AGES} if splits else {})}
    yield from _split("wte_needed", when, mean, breakdowns, option=option, freq=freq)
    yield _row("wte_work", when, 0.9 * mean, option=option, freq=freq)
    yield (option, "wte_in_post", "", "", freq, when, *[in_post] * 6, "projected")
    median, width = 0.98 * mean - in_post, _width(when, mean)
    ends = (median - width, median + width, median - 1.5 * width, median + 1.5 * width)
    yield (option, "wte_gap", "", "", freq, when, mean - in_post, median, *ends, "projected")


def _of_year(year: int, splits: Mapping[str, Mapping[str, float]]) -> Iterator[tuple[object, ...]]:
    start, freq = pd.Timestamp(year, 9, 1), "academic_year"
    yield from _split("referrals", start, _sum_of_year(referred, year), splits, freq=freq)
    yield _row("advice_requests", start, 480.0, freq=freq)
    for measure, mean in {"first_contacts": 1260.0, "left_list": 108.0, "capacity": 1272.0}.items():
        yield _row(measure, start, mean, freq=freq)
    for work, mean in {"first": 1260.0, "treatment": 9600.0, "plans": 1920.0}.items():
        yield _row("contacts", start, mean, "work", work, freq=freq)


def _published() -> Iterator[tuple[object, ...]]:
    for month, bands in WAITING.items():
        ds, total = pd.Timestamp(2023, month, 1), sum(bands)
        shown = {"waiting": total, "within_target": 100 * (1 - sum(bands[5:]) / total), "over_52_weeks": bands[6]}
        shown |= {"median_wait": 7.5, "p92_wait": 17.0}
        for measure, y in shown.items():
            status = "modelled" if measure in {"median_wait", "p92_wait"} else "outturn"
            yield _row(measure, ds, float(y), status=status)
        for band, y in zip(BANDS, bands, strict=True):
            yield _row("waiting", ds, float(y), "wait_band", band, status="outturn")


def _split(
    measure: str,
    when: pd.Timestamp,
    mean: float,
    splits: Mapping[str, Mapping[str, float]],
    *,
    option: str = "as_now",
    status: str = "projected",
    freq: str = "MS",
) -> Iterator[tuple[object, ...]]:
    yield _row(measure, when, mean, option=option, status=status, freq=freq)
    for by, split in splits.items():
        for category, share in split.items():
            yield _row(measure, when, mean * share, by, category, option=option, status=status, freq=freq)


def _row(
    measure: str,
    when: pd.Timestamp,
    mean: float,
    by: str = "",
    category: str = "",
    *,
    option: str = "as_now",
    status: str = "projected",
    freq: str = "MS",
) -> tuple[object, ...]:
    if status != "projected":
        return (option, measure, by, category, freq, when, mean, mean, NAN, NAN, NAN, NAN, status)
    median, width = 0.98 * mean, _width(when, mean)
    ends = (median - width, median + width, median - 1.5 * width, median + 1.5 * width)
    return (option, measure, by, category, freq, when, mean, median, *ends, status)


def _width(when: pd.Timestamp, mean: float) -> float:
    return 0.05 * abs(mean) * max(1.0, _ahead(when) / 12) ** 0.5


def _ahead(month: pd.Timestamp) -> int:
    return (month.year - 2023) * 12 + month.month - 9


def _sum_of_year(monthly: Any, year: int) -> float:
    return sum(monthly(month) for month in pd.date_range(f"{year}-09-01", periods=12, freq="MS"))


def _triple(median: float, low: float, high: float) -> dict[str, float]:
    return {"median": median, "low": low, "high": high}


def _met(month: str | None, low: str | None, high: str | None, chance: float) -> dict[str, Any]:
    return {"month": month, "low": low, "high": high, "chance": chance}


TITLES = {
    "as_now": ("As it is", "", []),
    "more_staff": (
        "Two more therapists",
        "the board agreed to fund two posts",
        ["2 WTE more from September 2024"],
    ),
    "redesign": (
        "A stronger targeted offer",
        "schools are trained to support language needs",
        ["20% of specialist referrals move to targeted, from December 2024, building up over 12 months"],
    ),
    "clinic_rule": (
        "Longest waits first",
        "booking rule agreed with the clinics",
        ["Longest first from September 2024", "3 first contacts more a week from September 2024"],
    ),
}
MET = {
    "as_now": _met(None, None, None, 0.04),
    "more_staff": _met("2025-05", "2025-01", "2026-03", 0.97),
    "redesign": _met("2026-11", "2025-10", None, 0.61),
    "clinic_rule": _met(None, "2026-02", None, 0.31),
}


def _option(name: str) -> dict[str, Any]:
    title, reason, changes = TITLES[name]
    month = pd.Timestamp(BY)
    stock, need, in_post = waiting(month, name), needed(month), OPTIONS[name][1]
    share, chance = 0.98 * (81.0 + 15 * (497 - stock) / 497), {"more_staff": 0.93, "redesign": 0.52}.get(name, 0.02)
    return {
        **{"name": name, "title": title, "reason": reason, "changes": changes, "target_met": MET[name]},
        "by_target": {"month": BY, "within": share, "low": share - 6, "high": share + 5, "chance": chance},
        "waiting_by_target": _triple(0.98 * stock, 0.8 * stock, 1.2 * stock),
        "stops_growing": MET["redesign"] if name != "as_now" else MET["as_now"],
        **{"wte_needed": _triple(0.98 * need, 0.9 * need, 1.1 * need), "wte_in_post": in_post},
        "wte_gap": _triple(0.98 * need - in_post, 0.9 * need - in_post, 1.1 * need - in_post),
    }


NORMS = [
    *(
        {"name": name, "title": title, "value": value, "unit": unit, "source": "made up for tests"}
        for name, title, value, unit in (
            ("first_contact_hours", "Time of a first contact", "targeted 1.5; specialist 2", "hours"),
            (
                "treated_share",
                "Children seen who go on to treatment",
                "targeted 0.6; specialist 0-4 0.8, 5-10 1",
                "share",
            ),
            ("clinical_hours_a_year", "Clinical hours a therapist has in a year", "1,000", "hours a year a WTE"),
            ("sickness_rate", "Sickness", "0.04", "share"),
            ("vacancy_rate", "Vacancies", "0.1", "share"),
            ("removal_a_month", "Children taken off the list", "0-1 0.005, 52+ 0.02", "share a month"),
            ("plan_share", "EHC plans with provision", "slcn 0.9, asd 0.4", "share"),
        )
    )
]
ANSWERS = {
    "capacity_for_target": {
        "start": "2024-09",
        "a_week": _triple(31.0, 28.0, 36.0),
        "more_a_week": _triple(6.4, 3.4, 11.4),
        "wte_more": _triple(2.3, 1.2, 4.1),
        "fed_back": {"within": 92.3},
    },
    "keep_pace": {
        "start": "2024-09",
        "a_week": _triple(27.0, 25.0, 30.0),
        "more_a_week": _triple(2.4, 0.4, 5.4),
        "wte_more": _triple(0.9, 0.1, 2.0),
    },
    "buys": {
        **{"wte": 2.0, "start": "2024-09", "month": BY, "first_contacts_a_week": 5.1},
        **{"waiting": _triple(-330.0, -480.0, -190.0), "within": _triple(14.0, 6.0, 21.0)},
    },
}
NOTES = (
    "The published bands of March 2023 did not add up to the total and were scaled to it.",
    "Children who go on to treatment are counted in the month of their first contact.",
)
