"""What a projection says: sums on paths inside, frames of quantiles at the edge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.ehc.assumptions import LSRP_BANDS, Assumptions, PlanningTable
from forecast.ehc.measures import BY_AGE, BY_SHARES, CATEGORIES, FREQS, HIDDEN, JANUARY, SHARES, STOCK_FLOW
from forecast.ehc.quantiles import summary
from forecast.errors import SpecError
from forecast.panel import FloatArray
from forecast.reference.areas import Area

LEVELS = (80,)


@dataclass(frozen=True, eq=False)
class Projection:
    """Requests, plans and caseload of an area, path by path.

    Everything inside is a sum over children, so that projections of authorities add up to that of their
    region. Frames are quantiles of sums taken on paths.

    Attributes
    ----------
    area : Area
    members : tuple of str
        Codes of the authorities summed.
    last_flow, until : int
        Latest calendar year with published flows; last one projected.
    assumptions : Assumptions
    paths : mapping of str to ndarray (n_paths, T) or (n_paths, T, categories)
        By measure, "measure/dimension" (`measures.CATEGORIES`), "table:name" or "month:measure". Flows are of the
        calendar years after `last_flow`, or of their months; stocks (`measures.JANUARY`, tables) are of the
        Januaries from `last_flow` + 1 on, whose caseload is the published one.
    history : DataFrame
        measure, by, category, year, y: published figures.
    notes : tuple of str
        What is modelled, and where a figure of the area's own was missing.
    baseline : Projection, optional
        The same paths without overrides; None where there are none.
    """

    area: Area
    members: tuple[str, ...]
    last_flow: int
    until: int
    assumptions: Assumptions
    paths: Mapping[str, FloatArray]
    history: pd.DataFrame
    notes: tuple[str, ...]
    baseline: Projection | None = None

    def requests(self, *, by: str | None = None, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return requests a calendar year; `by` "age" or "age_band"."""
        return self.frame("requests", by=by, levels=levels)

    def plans_issued(self, *, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return EHC plans issued a calendar year."""
        return self.frame("plans_issued", levels=levels)

    def timeliness(self, *, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return the per cent of plans issued within 20 weeks of the request."""
        return self.frame("timeliness_20_week", levels=levels)

    def backlog(self, *, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return children agreed for assessment whose assessment is not completed.

        Counted on 31 December; `ds` is the first day of the year that ends with it.
        """
        return self.frame("backlog", levels=levels)

    def caseload(self, *, by: str | None = None, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return children with a plan in January; `by` "age", "age_band", "need" or "placement"."""
        return self.frame("caseload", by=by, levels=levels)

    def ceased(self, *, by: str | None = None, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Return plans that cease in a calendar year; `by` "cause"."""
        return self.frame("ceased", by=by, levels=levels)

    def stock_flow(self) -> pd.DataFrame:
        """Return means of the caseload's account, which add up: opening + flows = closing.

        Returns
        -------
        DataFrame
            year, opening (that January), new_plans, ceased, transfers_in, residual, adjustment, closing (the
            next January).
        """
        mean = {name: self.paths[name].mean(axis=0) for name in ("caseload", *STOCK_FLOW)}
        flows = {name: mean[name] for name in STOCK_FLOW}
        years = range(self.last_flow + 1, self.until + 1)
        return pd.DataFrame({"year": years, "opening": mean["caseload"][:-1], **flows, "closing": mean["caseload"][1:]})

    def frame(
        self, measure: str, *, by: str | None = None, freq: str = "YS", levels: Sequence[float] = LEVELS
    ) -> pd.DataFrame:
        """Quantiles of one measure.

        Parameters
        ----------
        measure : str
            One of `measures()`.
        by : str, optional
            Dimension.
        freq : {"YS", "MS"}
            A year or a month.
        levels : sequence of float, default 80
            Per cent of futures within each interval.

        Returns
        -------
        DataFrame
            ds, the dimension, mean, median, and lo and hi of each level. `ds` is the first day of the period, also
            of what is counted at its end (backlog, undecided, waiting_over_20_weeks); of what is counted in January
            (caseload, phase_transfers) that of the January.

        Raises
        ------
        SpecError
            There is no such measure, or not by that dimension or `freq`; a level is not a per cent above 1 and
            below 100.
        """
        found = self._summary(measure, by or "", freq, levels)
        return found.rename(columns={"category": by}) if by else found.drop(columns="category")

    def measures(self) -> tuple[tuple[str, str, str], ...]:
        """Every measure there is: name, dimension ("" for the total), and freq."""
        totals = [name for name in self.paths if "/" not in name and ":" not in name]
        found = [(name, "", "YS") for name in (*totals, *SHARES) if name not in HIDDEN]
        found += [(name.split("/")[0], name.split("/")[1], "YS") for name in self.paths if "/" in name]
        found += [("requests", "age_band", "YS"), ("caseload", "age_band", "YS")]
        found += [("caseload", name, "YS") for name in self.paths if name.startswith("table:")]
        months = [name.removeprefix("month:") for name in self.paths if name.startswith("month:")]
        found += [(name, "", "MS") for name in (*months, "timeliness_20_week") if name not in HIDDEN]
        return tuple(found)

    def table(self, *, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Everything in one long frame, published years first.

        Returns
        -------
        DataFrame
            area_code, area_name, measure, by, category, freq, ds, mean, median, lo and hi of each level, and
            status. `ds` as in `frame`. Status is "published", "projected", or "modelled": a projected total split by
            shares that are held as they were, or are those of a region or England. That is requests by age and age
            band, plans that cease by cause, caseload by need and placement, planning tables of a placement; and of
            an authority whose own ages are not published, caseload by age and age band, all planning tables and
            phase transfers.
        """
        parts = [
            self._summary(measure, by, freq, levels).assign(
                measure=measure, by=by, freq=freq, status="modelled" if self._modelled(measure, by) else "projected"
            )
            for measure, by, freq in self.measures()
        ]
        past = self.history.assign(
            ds=pd.to_datetime(self.history["year"].astype(str) + "-01-01"),
            mean=self.history["y"],
            median=self.history["y"],
            freq="YS",
            status="published",
        )
        both = pd.concat([past.drop(columns=["year", "y"]), *parts], ignore_index=True)
        named = both.assign(area_code=self.area.code, area_name=self.area.name)
        first = ["area_code", "area_name", "measure", "by", "category", "freq", "ds"]
        return named[[*first, *[c for c in parts[0].columns if c not in (*first, "status")], "status"]]

    def adjustment(self) -> pd.DataFrame:
        """How far the forecast of the caseload as a whole moves what the cohorts alone would come to.

        Returns
        -------
        DataFrame
            ds (January), mean: difference in children; share: of what the cohorts alone come to, in per cent.
        """
        base = (self.baseline or self).paths
        together, alone = (base[name].mean(axis=0)[1:] for name in ("caseload", "caseload_alone"))
        gap = together - alone
        return pd.DataFrame({"ds": self._dates("caseload", "YS"), "mean": gap, "share": 100 * gap / alone})

    @classmethod
    def total(cls, projections: Iterable[Projection], area: Area, *, history: pd.DataFrame) -> Projection:
        """Add up projections path by path.

        Parameters
        ----------
        projections : iterable of Projection
            Of one `Nation`, with the same assumptions; used one after the other.
        area : Area
            What they make together.
        history : DataFrame
            Published figures of that area: measure, by, category, year, y.
        """
        each = iter(projections)
        first = next(each)
        sums, base = _copied(first.paths), _copied(first.baseline.paths) if first.baseline else None
        members, notes = list(first.members), _weighed(first)
        base_notes = _weighed(first.baseline or first)
        for one in each:
            _add(sums, one.paths)
            if base is not None and one.baseline is not None:
                _add(base, one.baseline.paths)
            members += one.members
            notes.update(_weighed(one))
            base_notes.update(_weighed(one.baseline or one))
        whole = replace(
            first,
            area=area,
            members=tuple(members),
            paths=sums,
            history=history,
            notes=_common(notes, len(members)),
            baseline=None,
        )
        if base is None:
            return whole
        plain = first.assumptions.without_overrides()
        told = _common(base_notes, len(members))
        return replace(whole, baseline=replace(whole, paths=base, assumptions=plain, notes=told))

    def _summary(self, measure: str, by: str, freq: str, levels: Sequence[float]) -> pd.DataFrame:
        """Quantiles of one measure: category, ds, mean, median, lo and hi of each level."""
        if freq not in FREQS:
            there_are = ", ".join(f"{name} ({what})" for name, what in FREQS.items())
            raise SpecError(f"freq {freq!r}: projections are by {there_are}. Give one of the two.")
        if (measure, by, freq) not in self.measures():
            known = sorted({f"{m} by {d}" if d else m for m, d, f in self.measures() if f == freq})
            asked = f"{measure} by {by}" if by else measure
            raise SpecError(f"projection of {self.area.name}: no {asked} ({freq}); there are {', '.join(known)}.")
        values, categories = self._array(measure, by, freq)
        dates = self._dates(measure, freq)[: values.shape[1]]
        return pd.DataFrame(
            {
                "category": np.repeat(categories, len(dates)),
                "ds": np.tile(dates, len(categories)),
                **{name: column.T.ravel() for name, column in summary(values, levels).items()},
            }
        )

    def _array(self, measure: str, by: str, freq: str) -> tuple[FloatArray, Sequence[str]]:
        """Paths of what is shown (n_paths, T, categories), and the categories."""
        month = "month:" if freq == "MS" else ""
        if measure in SHARES:
            part, whole = (self.paths[month + name] for name in SHARES[measure])
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.where(whole > 0, 100 * part / whole, np.nan)[:, :, None], [""]
        if by == "age_band":
            labels = CATEGORIES[f"{measure}/age"]
            oldest = [int(label.split("-")[-1].rstrip("+")) for label in labels]
            whole = self._projected(measure, f"{measure}/age")
            inside = [
                [i for i, age in enumerate(oldest) if first <= age <= last] for first, last in LSRP_BANDS.values()
            ]
            return np.stack([whole[:, :, columns].sum(axis=2) for columns in inside], axis=2), list(LSRP_BANDS)
        if by.startswith("table:"):
            table = self._table(by)
            return self._projected(measure, by)[:, : table.years], list(table.bands)
        if by:
            return self._projected(measure, f"{measure}/{by}"), CATEGORIES[f"{measure}/{by}"]
        return self._projected(measure, month + measure)[:, :, None], [""]

    def _table(self, by: str) -> PlanningTable:
        return next(table for table in self.assumptions.tables if f"table:{table.name}" == by)

    def _modelled(self, measure: str, by: str) -> bool:
        """Whether what is shown are shares of a total that were held or borrowed."""
        if f"{measure}/{by}" in BY_SHARES or (by.startswith("table:") and self._table(by).placement is not None):
            return True
        return (f"{measure}/{by}" in BY_AGE or by.startswith("table:")) and not self._own_ages

    @property
    def _own_ages(self) -> bool:
        """Whether the opening caseload by age is published; that of a sum counts as such."""
        by_age = self.history[self.history["measure"].eq("caseload") & self.history["by"].eq("age_band")]
        return len(self.members) > 1 or bool(by_age["year"].eq(self.last_flow + 1).any())

    def _projected(self, measure: str, name: str) -> FloatArray:
        """Paths after the published ones."""
        return self.paths[name][:, 1:] if measure in JANUARY else self.paths[name]

    def _dates(self, measure: str, freq: str) -> pd.DatetimeIndex:
        """First days of the projected periods; those of a stock are a year later than those of flows."""
        later = measure in JANUARY
        first, last = self.last_flow + 1 + later, self.until + later
        return pd.date_range(f"{first}-01-01", f"{last}-12-31", freq=freq).as_unit("ns")


def _copied(paths: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name: array.copy() for name, array in paths.items()}


def _add(sums: dict[str, FloatArray], paths: Mapping[str, FloatArray]) -> None:
    for name, array in paths.items():
        sums[name] += array


SOME = "More is noted of single authorities: project one to read it."


def _weighed(one: Projection) -> Counter[str]:
    """Count each note for as many authorities as it holds for."""
    return Counter({note: len(one.members) for note in one.notes})


def _common(notes: Counter[str], members: int) -> tuple[str, ...]:
    """Keep notes that hold for every authority of a sum, and say that there are others."""
    common = tuple(note for note, times in notes.items() if times == members and note != SOME)
    return common if len(common) == len(notes) else (*common, SOME)
