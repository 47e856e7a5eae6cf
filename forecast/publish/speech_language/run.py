"""What a run says of speech and language: the long table, the options, the answers, and what was assumed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.publish.ehc.run import ENDS

if TYPE_CHECKING:
    from forecast.publish.run import Area

SLT_COLUMNS = (*("option", "measure", "by", "category", "freq", "ds", "mean", "median", *ENDS, "status", "provenance"),)
SLT_KEYS = (
    *("provider", "ehc_area", "known_to", "first", "last", "provenance", "synthetic", "proxy", "target", "bands"),
    *("norms", "settings", "staff", "capacity", "today", "fit", "queue", "options", "answers", "notes"),
)
OPTION_KEYS = (
    *("name", "title", "reason", "changes", "target_met", "by_target", "waiting_by_target", "stops_growing"),
    *("wte_needed", "wte_in_post", "wte_gap"),
)
AS_NOW = "as_now"
OUTTURN, MODELLED = "outturn", "modelled"
PAST = (OUTTURN, MODELLED)
MONTHLY, YEARLY = "MS", "academic_year"
FIRST_MONTH = 9
MONTHS_A_YEAR = 12
TIERS = ("universal", "targeted", "specialist")
SERIES = ["measure", "by", "category", "freq"]
FIGURE = ("mean", "median", "lo-80", "hi-80")


@dataclass(frozen=True)
class Figure:
    """One figure of a series and period.

    Attributes
    ----------
    mean, median, low, high : float
        `low` and `high` are the ends of the 80 % interval; NaN for an outturn.
    outturn : bool
        Of the past, not projected.
    synthetic : bool
        Made from made-up data.
    modelled : bool
        Of the past, but worked out rather than counted.
    """

    mean: float
    median: float
    low: float
    high: float
    outturn: bool
    synthetic: bool
    modelled: bool = False


@dataclass(frozen=True)
class Goal:
    """The waiting time target: `share` of those waiting (0 to 1) have waited less than `weeks`, by a month."""

    weeks: int
    share: float
    by: pd.Timestamp


@dataclass(frozen=True)
class SpeechLanguageRun:
    """The projection of speech and language in a run folder.

    Attributes
    ----------
    table : DataFrame
        One row an option, measure, breakdown and period: `SLT_COLUMNS`.
    provider : Area
    ehc_area : str
        Local authority whose EHC assessments and plans bring work; "" for none.
    known_to, first, last : Timestamp
        Month of the last known waiting list, first and last projected month.
    provenance : frozenset of str
    made_up : tuple of str
        Names of the inputs that are synthetic.
    proxy : bool
        Referrals are worked out from the published waiting list.
    goal : Goal
    bands : tuple of str
        Labels of the wait bands, shortest first.
    norms : tuple of mapping
        name, title, value, unit, source.
    settings : mapping of str to str
    staff : tuple of mapping
        Established posts: from, wte, reason.
    capacity : tuple of mapping
        First contacts a week as given: from, a_week, reason; none if they are fitted.
    today : mapping
        wte_work (median, low, high) and wte_in_post, on average over the first twelve months.
    fit, queue, answers : mapping
    options : tuple of mapping
        `OPTION_KEYS`; the first is the service as it is.
    notes : tuple of str
    """

    table: pd.DataFrame
    provider: Area
    ehc_area: str
    known_to: pd.Timestamp
    first: pd.Timestamp
    last: pd.Timestamp
    provenance: frozenset[str]
    made_up: tuple[str, ...]
    proxy: bool
    goal: Goal
    bands: tuple[str, ...]
    norms: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, str]
    staff: tuple[Mapping[str, Any], ...]
    capacity: tuple[Mapping[str, Any], ...]
    today: Mapping[str, Any]
    fit: Mapping[str, Any]
    queue: Mapping[str, Any]
    options: tuple[Mapping[str, Any], ...]
    answers: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def synthetic(self) -> bool:
        """Say whether any figure behind the projection was made up."""
        return "synthetic" in self.provenance

    @property
    def label(self) -> str:
        """What stands behind every sentence and caption about projected figures."""
        return " (synthetic data)" if self.synthetic else ""


def speech_language_run(entry: Mapping[str, Any], table: pd.DataFrame, provider: Area) -> SpeechLanguageRun:
    """Make the record of the manifest's entry, which has all `SLT_KEYS`, and the long table."""
    target = entry["target"]
    return SpeechLanguageRun(
        table=table,
        provider=provider,
        ehc_area=str(entry["ehc_area"] or ""),
        known_to=month_of(entry["known_to"]),
        first=month_of(entry["first"]),
        last=month_of(entry["last"]),
        provenance=frozenset({*map(str, entry["provenance"]), *map(str, table["provenance"].unique())}),
        made_up=tuple(map(str, entry["synthetic"])),
        proxy=bool(entry["proxy"]),
        goal=Goal(int(target["within_weeks"]), float(target["share"]), month_of(target["by"])),
        bands=tuple(map(str, entry["bands"])),
        norms=tuple(dict(norm) for norm in entry["norms"]),
        settings={str(name): str(value) for name, value in entry["settings"].items()},
        staff=tuple(dict(step) for step in entry["staff"]),
        capacity=tuple(dict(step) for step in entry["capacity"]),
        today=dict(entry["today"]),
        fit=dict(entry["fit"]),
        queue=dict(entry["queue"]),
        options=tuple(dict(option) for option in entry["options"]),
        answers=dict(entry["answers"]),
        notes=tuple(map(str, entry["notes"])),
    )


def month_of(text: str) -> pd.Timestamp:
    """Return the first day of a month written as "2023-09" or as a day in it."""
    return pd.Timestamp(str(text)[: len("2023-09")])


class Figures:
    """The figures of one option, found by measure, breakdown and period.

    What an option cannot change it need not repeat: a series it lacks is that of the service as it is. Outturns
    are the same for all.
    """

    def __init__(self, table: pd.DataFrame, option: str = AS_NOW) -> None:
        self._own = _series(table[table["option"].eq(option)])
        self._as_now = self._own if option == AS_NOW else _series(table[table["option"].eq(AS_NOW)])
        self._none = table.iloc[:0]
        self._found: dict[tuple[str, str, str, str], dict[pd.Timestamp, Figure]] = {}

    def series(self, measure: str, by: str = "", category: str = "", *, freq: str = MONTHLY) -> pd.DataFrame:
        """Return the rows of one series by date; no rows if there is no such series."""
        key = (measure, by, category, freq)
        own = self._own.get(key)
        return self._as_now.get(key, self._none) if own is None else own

    def categories(self, measure: str, by: str, *, freq: str = MONTHLY) -> tuple[str, ...]:
        """Return the categories of a breakdown in the order of the run; ages and tiers in their own."""
        known = (key for key in (*self._own, *self._as_now) if key[:2] == (measure, by) and key[3] == freq)
        return tuple(sorted(dict.fromkeys(key[2] for key in known), key=lambda name: _place(by, name)))

    def at(
        self, measure: str, when: pd.Timestamp, by: str = "", category: str = "", *, freq: str = MONTHLY
    ) -> Figure | None:
        """Return the figure of a period, or None if there is none."""
        key = (measure, by, category, freq)
        if key not in self._found:
            self._found[key] = dict(_figures(self.series(measure, by, category, freq=freq)))
        return self._found[key].get(when)

    def year(self, measure: str, start: pd.Timestamp, by: str = "", category: str = "") -> Figure | None:
        """Return the figure of the academic year that starts on a 1 September."""
        return self.at(measure, start, by, category, freq=YEARLY)

    def months(self, measure: str, *, outturn: bool) -> tuple[pd.Timestamp, ...]:
        """Return the months of a total that are of the past, or those that are projected."""
        rows = self.series(measure)
        return tuple(rows[rows["status"].isin(PAST) == outturn]["ds"])


def academic_year(month: pd.Timestamp) -> pd.Timestamp:
    """Return the 1 September on which the academic year of a month starts."""
    return pd.Timestamp(month.year - (month.month < FIRST_MONTH), FIRST_MONTH, 1)


def _place(by: str, category: str) -> int:
    """Return where a category stands: ages by their first year, tiers from universal to specialist."""
    if by == "tier":
        return TIERS.index(category) if category in TIERS else len(TIERS)
    first = re.match(r"\d+", category) if by == "age_band" else None
    return int(first[0]) if first else 0


def _series(table: pd.DataFrame) -> dict[tuple[str, str, str, str], pd.DataFrame]:
    rows = table.sort_values("ds", kind="stable")
    found = {tuple(map(str, key)): part for key, part in rows.groupby(SERIES, sort=False)}
    order = table[SERIES].drop_duplicates().astype(str).itertuples(index=False, name=None)
    return {key: found[key] for key in order}


def _figures(rows: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, Figure]]:
    known = rows[rows["median"].notna()]
    numbers = known[list(FIGURE)].astype(float).to_numpy().tolist()
    outturn, modelled = known["status"].isin(PAST), known["status"].eq(MODELLED)
    flags = zip(outturn, known["provenance"].eq("synthetic"), modelled, strict=True)
    for ds, (mean, median, low, high), (past, made_up, guessed) in zip(known["ds"], numbers, flags, strict=True):
        yield ds, Figure(mean, median, low, high, bool(past), bool(made_up), bool(guessed))
