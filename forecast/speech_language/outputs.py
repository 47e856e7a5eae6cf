"""What a projection of the service says: sums on paths inside, frames of quantiles at the edge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.calendar import academic_year
from forecast.errors import SpecError
from forecast.panel import FloatArray
from forecast.paths import summary
from forecast.speech_language.entry import (
    answers,
    capacity_entry,
    fit_entry,
    option_entry,
    queue_entry,
    settings_entry,
    staff_entry,
    today_entry,
)
from forecast.speech_language.fit import ListFit
from forecast.speech_language.options import OptionRun
from forecast.speech_language.proxy import BandHistory
from forecast.speech_language.service import AS_NOW, Option
from forecast.speech_language.start import Start

LEVELS = (80, 95)
MONTH, YEAR = "MS", "academic_year"
FLOWS = frozenset({"referrals", "advice_requests", "first_contacts", "left_list", "contacts", "capacity"})
"""Counted over a period: an academic year is the sum of its months."""
AVERAGES = frozenset({"wte_needed", "wte_work", "wte_in_post", "wte_gap"})
"""Of an academic year it is the mean of its months."""
COLUMNS = ("option", "measure", "by", "category", "freq", "ds")
MONTHS_A_YEAR = 12
READ_OFF = frozenset({"median_wait", "p92_wait"})
"""Read off published bands."""
OF_EHC = frozenset({"plans", "advice"})
"""Work that EHC demand alone brings."""
WORST = ("published", "local", "synthetic")


@dataclass(frozen=True, eq=False, kw_only=True)
class ServiceProjection:
    """Demand, waits and therapists of a service, path by path, as it is and under each option.

    Attributes
    ----------
    start : Start
        What every option starts from.
    runs : mapping of str to OptionRun
        By name of the option, `AS_NOW` first.
    history : DataFrame
        measure, by, category, ds, y, provenance: what was counted.
    sources : mapping of str to str
        Provenance of referrals, waiting and ehc: published, synthetic or local.
    listed : BandHistory
        The published list.
    fit : ListFit
        What it implies of first contacts and their booking.
    is_proxy : bool
        Whether referrals are the published proxy, in want of a log.
    model : str
        Name of the model of referrals.
    notes : tuple of str
        What is modelled and assumed.
    """

    start: Start
    runs: Mapping[str, OptionRun]
    history: pd.DataFrame
    sources: Mapping[str, str]
    listed: BandHistory
    fit: ListFit
    is_proxy: bool
    model: str
    notes: tuple[str, ...]

    @property
    def provenance(self) -> str:
        """The worst of what the projection rests on: published, local or synthetic."""
        used = ("referrals", "waiting", "ehc") if self.start.ehc is not None else ("referrals", "waiting")
        return worst([self.sources[name] for name in used])

    @property
    def months(self) -> pd.DatetimeIndex:
        """First days of the months projected (M,)."""
        return self.start.months

    @property
    def options(self) -> tuple[Option, ...]:
        """Options besides the service as it is."""
        return tuple(run.option for run in self.runs.values() if run.option is not None)

    def paths(self, measure: str, *, by: str = "", option: str = AS_NOW) -> tuple[FloatArray, tuple[str, ...]]:
        """Return a measure on its paths (categories, M, P), and the categories.

        Raises
        ------
        SpecError
            There is no such option, or measure by that.
        """
        if option not in self.runs:
            raise SpecError(f"option {option!r}: not known; there are {', '.join(self.runs)}. Name one of them.")
        run = self.runs[option]
        if (measure, by) not in run.paths:
            known = ", ".join(f"{name} by {other}" if other else name for name, other in run.paths)
            raise SpecError(f"{measure}{f' by {by}' if by else ''}: not told; there are {known}. Ask for one of them.")
        return run.paths[measure, by], run.categories[measure, by]

    def frame(
        self,
        measure: str,
        *,
        by: str = "",
        option: str = AS_NOW,
        freq: str = MONTH,
        levels: Sequence[float] = LEVELS,
    ) -> pd.DataFrame:
        """Quantiles of one measure.

        Parameters
        ----------
        measure : str
        by : str, optional
            "locality", "age_band", "tier", "source", "wait_band" or "work".
        option : str, default as it is
        freq : {"MS", "academic_year"}
            Of flows the sum of a whole academic year (with its months already counted), of WTE the mean.
        levels : sequence of float
            Per cent of futures within each interval.

        Returns
        -------
        DataFrame
            ds (first of the month, or 1 September), category where `by`, mean, median, lo and hi of each level.

        Raises
        ------
        SpecError
            No such measure, option or freq; a stock by academic year.
        """
        values, categories = self.paths(measure, by=by, option=option)
        dates = self.months
        if freq == YEAR:
            values, dates = self._years(measure, by, categories, values)
        elif freq != MONTH:
            raise SpecError(f"freq {freq!r}: {MONTH} (months) or {YEAR} is needed. Give one of them.")
        frame = pd.DataFrame(
            {
                "category": np.repeat(np.array(categories, dtype=object), len(dates)),
                "ds": np.tile(dates.to_numpy(), len(categories)),
                **{name: column.ravel() for name, column in summary(values, levels).items()},
            }
        )
        return frame if by else frame.drop(columns="category")

    def table(self, *, levels: Sequence[float] = LEVELS) -> pd.DataFrame:
        """Everything in one long frame, what was counted first.

        Returns
        -------
        DataFrame
            option, measure, by, category, freq, ds, mean, median, lo and hi of each level, status ("outturn",
            "modelled" or "projected"), provenance. Modelled are past figures that nobody counted: referrals of the
            proxy, and waits read off published bands.
        """
        counted = pd.concat([self.history.assign(freq=MONTH), self._years_counted()], ignore_index=True)
        guessed = counted["measure"].isin(READ_OFF) | (counted["measure"].eq("referrals") & self.is_proxy)
        past = counted.rename(columns={"y": "mean"}).assign(
            option=AS_NOW, median=counted["y"], status=np.where(guessed, "modelled", "outturn")
        )
        ahead = pd.concat(list(self._projected(levels)), ignore_index=True)
        both = pd.concat([past, ahead.assign(status="projected")], ignore_index=True)
        quantiles = [name for name in ahead.columns if name not in (*COLUMNS, "provenance")]
        return both[[*COLUMNS, *quantiles, "status", "provenance"]]

    def entry(self) -> dict[str, Any]:
        """Return what is told beside the table, as plain values: options side by side, answers, norms, notes."""
        start, target = self.start, self.start.service.target
        found = answers(start)
        return {
            "provider": {"area_code": self.listed.code, "area_name": self.listed.name},
            "known_to": f"{self.listed.months[-1]:%Y-%m}",
            "first": f"{self.months[0]:%Y-%m}",
            "last": f"{self.months[-1]:%Y-%m}",
            "n_paths": int(start.referrals.shape[2]),
            "proxy": self.is_proxy,
            "target": {"within_weeks": target.within_weeks, "share": target.share, "by": f"{target.by:%Y-%m}"},
            "bands": list(start.service.bands.labels),
            "norms": start.service.norms.listed().to_dict(orient="records"),
            "settings": settings_entry(start, model=self.model),
            "staff": staff_entry(start),
            "capacity": capacity_entry(start),
            "today": today_entry(start, self.runs[AS_NOW]),
            "fit": fit_entry(self.fit),
            "queue": queue_entry(start),
            "options": [option_entry(start, run) for run in self.runs.values()],
            "answers": {
                "capacity_for_target": found.capacity_for_target,
                "keep_pace": found.keep_pace,
                "buys": found.buys,
            },
            "notes": list(self.notes),
        }

    def _projected(self, levels: Sequence[float]) -> Iterator[pd.DataFrame]:
        for option, run in self.runs.items():
            for measure, by in run.paths:
                for freq in (MONTH, YEAR):
                    if freq == YEAR and measure not in FLOWS | AVERAGES:
                        continue
                    made = self.frame(measure, by=by, option=option, freq=freq, levels=levels)
                    told = {"option": option, "measure": measure, "by": by, "freq": freq}
                    category = made["category"] if by else pd.Series("", index=made.index)
                    rests_on = category.map(lambda part, measure=measure: self._rests_on(measure, str(part)))
                    yield made.assign(**told, category=category, provenance=rests_on)

    def _rests_on(self, measure: str, category: str) -> str:
        """Provenance of a projected figure, by what it is made of."""
        if measure == "advice_requests" or category in OF_EHC:
            return self.sources["ehc"]
        return self.provenance

    def _years(
        self, measure: str, by: str, categories: Sequence[str], values: FloatArray
    ) -> tuple[FloatArray, pd.DatetimeIndex]:
        """Whole academic years (categories, years, P), and the first day of each."""
        if measure not in FLOWS | AVERAGES:
            raise SpecError(f"{measure} by academic year: it is a figure of a month's end. Ask for freq={MONTH!r}.")
        known = self._known(measure, by, categories)
        months = known.columns.append(self.months) if len(known.columns) else self.months
        whole = np.concatenate([np.repeat(known.to_numpy()[:, :, None], values.shape[2], axis=2), values], axis=1)
        labels = np.asarray(academic_year(pd.DatetimeIndex(months)))
        years = [
            label
            for label in dict.fromkeys(labels[len(known.columns) :])
            if (labels == label).sum() == MONTHS_A_YEAR and np.isfinite(whole[:, labels == label]).all()
        ]
        put = np.mean if measure in AVERAGES else np.sum
        parts = [put(whole[:, labels == year], axis=1) for year in years]
        shape = (len(categories), 0, values.shape[2])
        starts = pd.DatetimeIndex([f"{str(year)[:4]}-09-01" for year in years]).as_unit("ns")
        return (np.stack(parts, axis=1) if parts else np.zeros(shape)), starts

    def _years_counted(self) -> pd.DataFrame:
        """Sum flows that were counted over whole academic years."""
        flows = self.history[self.history["measure"].isin(FLOWS)]
        started = pd.to_datetime(academic_year(pd.DatetimeIndex(flows["ds"])).str[:4] + "-09-01")
        keys = ["measure", "by", "category", "provenance"]
        sums = flows.assign(ds=started).groupby([*keys, "ds"], sort=False)["y"].agg(["sum", "count"]).reset_index()
        whole = sums[sums["count"].eq(MONTHS_A_YEAR)]
        return whole.rename(columns={"sum": "y"}).drop(columns="count").assign(freq=YEAR)

    def _known(self, measure: str, by: str, categories: Sequence[str]) -> pd.DataFrame:
        """Return what was counted of a measure before the first month: categories in rows, months in columns."""
        own = self.history[self.history["measure"].eq(measure) & self.history["by"].eq(by)]
        own = own[own["ds"] < self.months[0]]
        wide = own.pivot(index="category", columns="ds", values="y")
        return wide.reindex(index=list(categories))


def worst(provenances: Sequence[str]) -> str:
    """Return the one of several provenances that a reader must be told of: above all that something is made up.

    >>> worst(["published", "synthetic", "local"])
    'synthetic'
    """
    return max(provenances, key=WORST.index)
