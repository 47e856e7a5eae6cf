"""What a run says of the way from request to plan: the long table, the table without overrides, what was assumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from forecast.publish.run import Area

ENDS = ("lo-80", "hi-80", "lo-95", "hi-95")
EHC_COLUMNS = ("area_code", "area_name", "measure", "by", "category", "freq", "ds", "mean", "median", *ENDS, "status")
EHC_KEYS = (*("areas", "until", "overrides", "notes", "settings", "tables", "adjustment", "provenance", "references"),)
PUBLISHED = "published"
MODELLED = "modelled"
FIGURE = ("mean", "median", "lo-80", "hi-80")
SERIES = ["measure", "by", "category", "freq"]


@dataclass(frozen=True)
class Figure:
    """One figure of an area and period.

    Attributes
    ----------
    mean, median, low, high : float
        `low` and `high` are the ends of the 80 % interval; NaN for a published figure.
    published : bool
    """

    mean: float
    median: float
    low: float
    high: float
    published: bool


@dataclass(frozen=True)
class EhcRun:
    """The projection from request to plan in a run folder.

    Attributes
    ----------
    table : DataFrame
        One row an area, measure, breakdown and period: `EHC_COLUMNS`.
    baseline : DataFrame or None
        The same without overrides, on the same paths; None if nothing was overridden.
    areas : tuple of Area
        In the order of the config.
    until : int
        Last year of the projection.
    overrides : tuple of mapping
        what, start, end, ages, value, multiply, reason.
    notes : mapping of str to tuple of str
        By area.
    settings : mapping of str to str
    tables : mapping of str to str
        Titles of the planning tables by name, in the order of the config.
    adjustment : mapping of str to mapping of int to (float, float)
        By area and January: plans that the cohorts were moved by since the start, and per cent of what they alone
        come to; without overrides.
    provenance : frozenset of str
    references : frozenset of str
        Sources read as tables for reference, whatever the as-of date.
    placed : frozenset of str
        Planning tables of one placement group.
    """

    table: pd.DataFrame
    baseline: pd.DataFrame | None
    areas: tuple[Area, ...]
    until: int
    overrides: tuple[Mapping[str, Any], ...]
    notes: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, str]
    tables: Mapping[str, str]
    adjustment: Mapping[str, Mapping[int, tuple[float, float]]]
    provenance: frozenset[str]
    references: frozenset[str]
    placed: frozenset[str]

    @property
    def synthetic(self) -> bool:
        """Say whether any figure behind the projection was made up."""
        return "synthetic" in self.provenance

    @property
    def by_school_days(self) -> bool:
        """Say whether requests are assumed to fall on school days, somewhere."""
        return self.settings.get("profile", "").startswith("school_days")


class AreaFigures:
    """The figures of one area, found by measure, breakdown and period."""

    def __init__(self, table: pd.DataFrame, code: str) -> None:
        rows = table[table["area_code"].eq(code)]
        own = rows.sort_values("ds", kind="stable")
        self._series = {key: part for key, part in own.groupby(SERIES, sort=False)}
        self._figures: dict[tuple[str, str, str], dict[int, Figure]] = {}
        self._none = own.iloc[:0]
        # Projected rows have the categories in their order; published ones need not.
        ahead_first = rows.sort_values("status", key=lambda status: status.eq(PUBLISHED), kind="stable")
        self._order = ahead_first.drop_duplicates(["measure", "by", "category"])[["measure", "by", "category"]]

    def series(self, measure: str, by: str = "", category: str = "", *, freq: str = "YS") -> pd.DataFrame:
        """Return the rows of one series by date; no rows if there is no such series."""
        return self._series.get((measure, by, category, freq), self._none)

    def categories(self, measure: str, by: str) -> tuple[str, ...]:
        """Return the categories of a breakdown, in the order of the projection."""
        chosen = self._order["measure"].eq(measure) & self._order["by"].eq(by)
        return tuple(self._order[chosen]["category"])

    def modelled(self, measure: str, by: str) -> bool:
        """Say whether a breakdown is a total split by shares that are held as they were, or borrowed."""
        return any(self.series(measure, by, c)["status"].eq(MODELLED).any() for c in self.categories(measure, by))

    def at(self, measure: str, year: int, by: str = "", category: str = "") -> Figure | None:
        """Return the figure of a year, or None if there is none."""
        key = (measure, by, category)
        if key not in self._figures:
            self._figures[key] = _by_year(self.series(*key))
        return self._figures[key].get(year)

    def years(self, measure: str, by: str = "", category: str = "", *, published: bool) -> tuple[int, ...]:
        """Return the years that were published, or those that are projected."""
        rows = self.series(measure, by, category)
        return tuple(int(ds.year) for ds in rows[rows["status"].eq(PUBLISHED) == published]["ds"])


def _by_year(rows: pd.DataFrame) -> dict[int, Figure]:
    known = rows[rows["median"].notna()]
    columns = [known[name].astype(float).tolist() for name in FIGURE]
    published = known["status"].eq(PUBLISHED).tolist()
    return {ds.year: Figure(*row) for ds, *row in zip(known["ds"], *columns, published, strict=True)}
