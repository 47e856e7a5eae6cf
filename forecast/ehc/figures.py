"""What is known of every local authority on a day: the figures all stages of the EHC model start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from forecast import reference
from forecast.errors import InputError
from forecast.reference.areas import Area, find_area
from forecast.sources.observations import Reading, latest, usable, visible

STOCKS = frozenset({"caseload"})
# Shares that no area publishes for itself: a reference table, dated where it is shown and exempt from as-of.
REFERENCE = "need_share"
ENGLAND = "E92000001"
BREAKDOWNS = ("age", "need", "placement", "cause")


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of English local authorities, as known on a day.

    A flow (requests, decisions, plans issued, ceased) belongs to a calendar year, a stock (caseload) to a
    January. Figures that were suppressed, or marked as not to be used, are NaN: missing is never zero.

    Attributes
    ----------
    areas : tuple of Area
        Today's local authorities, by code.
    totals : mapping of measure to DataFrame
        Index area code, columns years; a row for every area.
    aggregates : mapping of measure to DataFrame
        Published totals of regions and England: index area code, columns years.
    breakdowns : DataFrame
        Figures by age, need, placement or cause of ceasing, of every level: `reference.ehc_breakdowns()`.
    pupils : DataFrame
        Per cent of pupils with a plan: index area code, columns January years.
    last_flow : int
        Latest calendar year with flows; the latest stock is that of the January after.
    """

    areas: tuple[Area, ...]
    totals: Mapping[str, pd.DataFrame]
    aggregates: Mapping[str, pd.DataFrame]
    breakdowns: pd.DataFrame
    pupils: pd.DataFrame
    last_flow: int

    @classmethod
    def bundled(cls, *, as_of: date | str | None = None) -> Figures:
        """Take the published figures that come with the package, as known on a day (default: all there are)."""
        breakdowns, pupils = reference.ehc_breakdowns(), reference.pupils_with_plan()
        return cls.of_reading(reference.ehc(), breakdowns=breakdowns, pupils=pupils, as_of=as_of)

    @classmethod
    def of_reading(
        cls, reading: Reading, *, breakdowns: pd.DataFrame, pupils: pd.DataFrame, as_of: date | str | None = None
    ) -> Figures:
        """Lay out the observations of a source.

        Parameters
        ----------
        reading : Reading
            Of `sources.sen2_release`.
        breakdowns : DataFrame
            As `reference.ehc_breakdowns()`.
        pupils : DataFrame
            area_code, year (of January), percent.
        as_of : date, optional
            What became available later is left out.

        Raises
        ------
        InputError
            If there are no requests or no caseload of local authorities.
        """
        observations = reading.observations
        observations = latest(observations) if as_of is None else visible(observations, pd.Timestamp(as_of))
        frame = observations.assign(y=usable(observations), year=observations["ds"].dt.year)
        local = frame[frame["geographic_level"].eq("local_authority")]
        for measure in ("requests", "caseload"):
            if local.loc[local["measure"].eq(measure), "y"].isna().all():
                raise InputError(
                    f"figures as of {as_of or 'today'}: no {measure} of local authorities; requests and caseload are "
                    "needed. Give a release that holds both, or a later as-of date."
                )
        known = reference.areas()
        today = known[known["geographic_level"].eq("local_authority") & known["last"].eq(known["last"].max())]
        areas = tuple(find_area(code) for code in sorted(today["area_code"]))
        codes = [area.code for area in areas]
        above = frame[frame["geographic_level"].isin(["region", "national"])]
        requests = local[local["measure"].eq("requests")].dropna(subset="y")
        last_flow = int(requests["year"].max())
        return cls(
            areas=areas,
            totals={
                str(measure): rows.pivot(index="area_code", columns="year", values="y").reindex(codes)
                for measure, rows in local.groupby("measure", observed=True)
            },
            aggregates={
                str(measure): rows.pivot(index="area_code", columns="year", values="y")
                for measure, rows in above.groupby("measure", observed=True)
            },
            breakdowns=_usable_breakdowns(breakdowns, as_of),
            pupils=pupils.pivot(index="area_code", columns="year", values="percent").reindex(codes),
            last_flow=last_flow,
        ).until(last_flow)

    def until(self, last_flow: int) -> Figures:
        """Return what was known when the flows of that year and the stock of the January after had just come out."""

        def known(measure: str) -> int:
            return last_flow + (measure in STOCKS)

        measures = self.breakdowns["measure"]
        years, late = self.breakdowns["ds"].dt.year, last_flow + measures.isin(STOCKS).astype(int)
        return replace(
            self,
            totals={m: _up_to(frame, known(m)) for m, frame in self.totals.items()},
            aggregates={m: _up_to(frame, known(m)) for m, frame in self.aggregates.items()},
            breakdowns=self.breakdowns[(years <= late) | measures.str.startswith(REFERENCE)],
            pupils=_up_to(self.pupils, last_flow + 1),
            last_flow=last_flow,
        )

    @cached_property
    def national(self) -> Mapping[str, pd.Series]:
        """Published totals of England: by measure, a figure a year."""
        return {measure: self.line(measure, ENGLAND) for measure in self.aggregates}

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the areas."""
        return tuple(area.code for area in self.areas)

    def row(self, code: str) -> int:
        """Position of an area."""
        return self.codes.index(code)

    def of(self, measure: str) -> pd.DataFrame:
        """Figures of a measure: index area code, columns years; empty where it was never published."""
        empty = pd.DataFrame(index=pd.Index(self.codes, name="area_code"), columns=pd.Index([], dtype="int64"))
        return self.totals.get(measure, empty.astype(float))

    def line(self, measure: str, code: str) -> pd.Series:
        """Return figures of an area, a region or England by year; years without one are left out."""
        for tables in (self.totals, self.aggregates):
            if measure in tables and code in tables[measure].index:
                line = tables[measure].loc[[code]].iloc[0]
                return line.dropna()
        return pd.Series(dtype=float)

    def last(self, measure: str, code: str) -> float:
        """Latest usable figure of an area; NaN where there is none."""
        line = self.of(measure).to_numpy(dtype=float)[self.row(code)]
        known = line[np.isfinite(line)]
        return float(known[-1]) if len(known) else np.nan

    def by_age(self, measure: str, *, year: int | None = None) -> pd.DataFrame:
        """Figures of a measure by age: index area code, columns age labels; NaN where not published.

        Parameters
        ----------
        measure : str
        year : int, optional
            Default the latest.
        """
        return self._by("age", measure, year, level="local_authority").reindex(list(self.codes))

    def national_by_age(self, measure: str, *, year: int | None = None) -> pd.Series:
        """Figures of England by age."""
        found = self._by("age", measure, year, level="national")
        return found.iloc[0] if len(found) else pd.Series(dtype=float)

    def _by(self, dimension: str, measure: str, year: int | None, *, level: str) -> pd.DataFrame:
        rows = self.breakdowns
        others = [name for name in BREAKDOWNS if name != dimension]
        rows = rows[rows["measure"].eq(measure) & rows["geographic_level"].eq(level) & rows[dimension].ne("")]
        rows = rows[(rows[others] == "").all(axis=1)]
        years = rows["ds"].dt.year
        rows = rows[years.eq(years.max() if year is None else year)]
        table: pd.DataFrame = rows.pivot(index="area_code", columns=dimension, values="y")
        return table


def _up_to(table: pd.DataFrame, year: int) -> pd.DataFrame:
    return table.iloc[:, table.columns.to_numpy(dtype=int) <= year]


def _usable_breakdowns(breakdowns: pd.DataFrame, as_of: date | str | None) -> pd.DataFrame:
    if as_of is not None:
        exempt = breakdowns["measure"].str.startswith(REFERENCE)
        breakdowns = breakdowns[exempt | breakdowns["available"].le(pd.Timestamp(as_of))]
    key = ["measure", "area_code", "ds", *BREAKDOWNS]
    newest = breakdowns.sort_values("available").drop_duplicates(key, keep="last")
    return newest.assign(y=usable(newest)).reset_index(drop=True)
