"""One authority, as a planner would tell it: requests, decisions, assessments, plans, caseload; path by path."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

import numpy as np

from forecast.ehc.ages import REQUEST_AGE_SPANS, band_sums, population_by_request_age, requests_by_age
from forecast.ehc.assumptions import Assumptions
from forecast.ehc.caseload import (
    PHASES,
    CohortFlows,
    annual_reviews,
    phase_transfers,
    reconciled,
    run_cohort,
    scaled_adjustment,
)
from forecast.ehc.figures import Figures
from forecast.ehc.hazards import AreaCohort
from forecast.ehc.history import published
from forecast.ehc.lags import Lags, fitted_lags
from forecast.ehc.local import MonthlyRequests, calendar_shares
from forecast.ehc.nation import Nation
from forecast.ehc.opening import Opening, fitted_opening
from forecast.ehc.outputs import Projection
from forecast.ehc.overrides import OLDEST, applied
from forecast.ehc.rates import Change, StageRates, fitted_rates
from forecast.ehc.shares import PLACEMENTS, AreaShares, by_share
from forecast.ehc.stages import StageFlows, run_stages
from forecast.ehc.weeks import Profile, Weeks, weeks_of
from forecast.panel import FloatArray
from forecast.reference.areas import Area

NARROW = (
    "Ranges of plans issued, the backlog, the 20-week share, plans that cease and reviews cover how many children ask, "
    "are refused or get no plan, not how the pace and ceasing change from year to year; those of the caseload do."
)
WEEKS_A_YEAR = 52.18
RECENT, FEW = 3, 20
ALL_AGES = ((0, OLDEST),)
SINGLE_AGES = tuple((age, age) for age in range(OLDEST + 1))


class _CohortInputs(TypedDict):
    opening: FloatArray
    new: FloatArray
    hazards: FloatArray
    transfers: FloatArray
    residual: FloatArray


@dataclass(frozen=True, eq=False)
class Story:
    """One authority, ready to be told with any overrides."""

    nation: Nation
    area: Area
    weeks: Weeks
    rates: StageRates
    lags: Lags
    opening: Opening
    shares: AreaShares
    cohort: AreaCohort
    expected: FloatArray
    requests: FloatArray
    topdown: FloatArray
    notes: tuple[str, ...]

    @classmethod
    def of(cls, nation: Nation, code: str, *, profile: Profile, monthly: MonthlyRequests | None = None) -> Story:
        """Gather what the stages of an authority start from.

        Parameters
        ----------
        nation : Nation
        code : str
        profile : Profile
            How a year's requests spread, where no months say so.
        monthly : MonthlyRequests, optional
        """
        figures, row = nation.figures, nation.figures.row(code)
        shares, cohort = nation.shares.of(code), nation.cohort.of(code)
        rates, lags = fitted_rates(figures, code), fitted_lags(figures, code)
        first, told = figures.last_flow + 1, _few(figures, code)
        own = monthly.checked(figures.line("requests", code)).profile() if monthly else None
        weeks = weeks_of(first, nation.until, profile=own or profile)
        population = population_by_request_age(code, [figures.last_flow, *weeks.years])
        requests = expected = requests_by_age(nation.requests[row], shares=shares.requests, population=population)
        if monthly is not None:
            totals, by_month = expected.sum(axis=2), np.array(own) if own else calendar_shares(weeks)
            draws = _rng(nation, code, 3)
            moved, used = monthly.conditioned(totals, first_year=first, profile=by_month, rng=draws)
            requests = expected * np.divide(moved, totals, out=np.ones_like(totals), where=totals > 0)[:, :, None]
            told = (monthly.said(used, first_year=first), *told)
        opening = fitted_opening(figures, code, weeks=weeks, rates=rates, lags=lags)
        return cls(
            nation=nation,
            area=figures.areas[row],
            weeks=weeks,
            rates=rates,
            lags=lags,
            opening=opening,
            shares=shares,
            cohort=cohort,
            expected=expected,
            requests=requests,
            topdown=nation.caseload[row],
            notes=(*told, *shares.notes, *rates.notes, *lags.notes, *opening.notes, *cohort.notes),
        )

    def told(self, assumptions: Assumptions) -> Projection:
        """Run all stages; with overrides, beside the run without them."""
        plain = assumptions.without_overrides()
        flows = self._stages(self.expected, plain)
        anchor = reconciled(topdown=self.topdown, **self._cohort_inputs(flows, plain))
        if self.requests is not self.expected:
            flows = self._stages(self.requests, plain)
        baseline = self._projection(plain, flows, anchor)
        if not assumptions.change_anything:
            return baseline
        changed = self._projection(assumptions, self._stages(self.requests, assumptions), anchor)
        return replace(changed, baseline=baseline)

    def _pace(self, flows: StageFlows, assumptions: Assumptions) -> str:
        """Say what pace is taken for granted."""
        counted = self.nation.figures.line("assessments_completed", self.area.code)
        before = f", against {counted.iloc[-1]:,.0f} in {counted.index[-1]}" if len(counted) else ""
        pace = (
            "assessments are taken to be completed as soon after the request as in the last published year: about "
            f"{np.median(flows.completed[:, 0]):,.0f} in {self.weeks.years[0]}{before}."
        )
        limits = assumptions.capacity_by_month(self.weeks.months)
        if limits is None:
            return f"Without a capacity, {pace} Set a capacity to see what happens if that cannot be done."
        under = (
            "Under a capacity an assessment is completed as soon as the process itself allows and its turn comes, "
            "which can be sooner than before. In past years this told the direction of the 20-week share better than "
            "its size. Ages of new plans do not follow longer waits."
        )
        return f"Until the capacity begins, {pace} {under}" if np.isinf(limits[0]) else under

    def _stages(self, requests: FloatArray, assumptions: Assumptions) -> StageFlows:
        """Send requests (paths, years, ages) through the pipeline."""
        return run_stages(
            requests,
            weeks=self.weeks,
            rates=self.rates.by_week(self.weeks, overridden(assumptions, self.weeks)),
            lags=self.lags,
            opening=self.opening,
            times=overridden(assumptions, self.weeks)(
                "requests", np.ones((len(self.weeks.year), len(REQUEST_AGE_SPANS)))
            ),
            capacity=assumptions.capacity_by_month(self.weeks.months),
            rng=_rng(self.nation, self.area.code, 0),
        )

    def _cohort_inputs(self, flows: StageFlows, assumptions: Assumptions) -> _CohortInputs:
        """Gather what the cohort is run with: plans issued by age, and rates with their overrides."""
        draws = (self.nation.n_paths, len(self.weeks.years))
        shared = np.random.default_rng([self.nation.seed, 1]).standard_normal(draws)
        own = _rng(self.nation, self.area.code, 2).standard_normal(draws)

        def times(what: str, ages: Sequence[tuple[int, int]]) -> FloatArray:
            ones = np.ones((len(self.weeks.thursdays), len(ages)))
            found = applied(assumptions.overrides, what, ones, days=self.weeks.thursdays, ages=ages)
            return self._by_year(found)

        return {
            "opening": self.cohort.opening,
            "new": self.nation.cohort.new_on_stock_ages(flows.issued_by_age, lag=self._lag),
            "hazards": self.cohort.hazards * times("cease", SINGLE_AGES),
            "transfers": self.cohort.transfers * times("transfers_in", ALL_AGES),
            "residual": self.cohort.residual_paths(own=own, shared=shared),
        }

    def _mean_week(self, by_month: FloatArray) -> FloatArray:
        """Mean of a year's weeks (paths, years) of what is told a week, by month."""
        weeks = np.bincount(self.weeks.month).reshape(-1, 12)
        return np.asarray((by_month.reshape(len(by_month), -1, 12) * weeks).sum(axis=2) / weeks.sum(axis=1))

    @property
    def _lag(self) -> float:
        """Years from request to plan, on average, at the area's own pace."""
        issue = self.lags.issue
        return round(float(np.arange(len(issue)) @ issue) / WEEKS_A_YEAR, 2)

    def _by_year(self, weekly: FloatArray) -> FloatArray:
        """Mean over the weeks of each year (years, ages)."""
        total = np.bincount(self.weeks.year)
        sums = [np.bincount(self.weeks.year, column) for column in weekly.T]
        return np.asarray(np.stack(sums, axis=1) / total[:, None])

    def _projection(self, assumptions: Assumptions, flows: StageFlows, anchor: CohortFlows) -> Projection:
        """Carry the plans of some flows into the caseload, with the adjustment of the run without overrides."""
        inputs = self._cohort_inputs(flows, assumptions)
        adjustment = scaled_adjustment(anchor, inputs["new"])
        cohort, alone = run_cohort(adjustment=adjustment, **inputs), run_cohort(**inputs)
        stock = cohort.stock
        by_placement = stock[..., None] * self.shares.placement
        phases = phase_transfers(stock)
        yearly = {
            "requests": flows.requests,
            "decisions": flows.decided,
            "decided_within_6": flows.decided_within_6,
            "refused": flows.refused,
            "withdrawn": flows.withdrawn,
            "agreed": flows.agreed,
            "refusals_overturned": flows.overturned,
            "assessments_completed": flows.completed,
            "plans_issued": flows.issued,
            "no_plan": flows.no_plan,
            "timed": flows.timed,
            "within_20_weeks": flows.within_20_weeks,
            "undecided": flows.undecided_end,
            "backlog": flows.assessing_end,
            "waiting_over_20_weeks": flows.over_20_weeks_end,
            "caseload": cohort.caseload,
            "caseload_alone": alone.caseload,
            "new_plans": cohort.new.sum(axis=2),
            "ceased": cohort.ceased.sum(axis=2),
            "transfers_in": cohort.transfers.sum(axis=2),
            "residual": cohort.residual.sum(axis=2),
            "adjustment": cohort.adjustment.sum(axis=2),
            "annual_reviews": annual_reviews(stock, cohort.ceased),
            "decisions_due_a_week": self._mean_week(flows.monthly["decisions_due"]),
            "plans_due_a_week": self._mean_week(flows.monthly["plans_due"]),
        }
        split = {
            "requests/age": flows.requests_by_age,
            "caseload/age": stock,
            "caseload/need": by_share(stock, self.shares.need),
            "caseload/placement": by_placement.sum(axis=2),
            "ceased/cause": by_share(cohort.ceased, self.shares.cause),
            "phase_transfers/phase": np.stack([phases[name] for name in PHASES], axis=2),
        }
        tables = {
            f"table:{table.name}": np.stack(
                list(
                    band_sums(
                        by_placement[..., PLACEMENTS.index(table.placement)] if table.placement else stock, table.bands
                    ).values()
                ),
                axis=2,
            )
            for table in assumptions.tables
        }
        return Projection(
            area=self.area,
            members=(self.area.code,),
            last_flow=self.nation.figures.last_flow,
            until=self.nation.until,
            assumptions=assumptions,
            paths=yearly | split | tables | {f"month:{_MONTHLY[n]}": array for n, array in flows.monthly.items()},
            history=published(self.nation.figures, self.area.code),
            notes=(*self.notes, NARROW, self._pace(flows, assumptions)),
        )


def overridden(assumptions: Assumptions, weeks: Weeks) -> Change:
    """Return what overrides make of a rate by week: a name and its rates (weeks, ages) to the same with overrides."""

    def change(name: str, base: FloatArray) -> FloatArray:
        ages = ALL_AGES if base.shape[1] == 1 else REQUEST_AGE_SPANS
        return applied(assumptions.overrides, name, base, days=weeks.thursdays, ages=ages)

    return change


def check_rates(figures: Figures, code: str, assumptions: Assumptions, *, until: int) -> None:
    """Refuse overrides that lead to impossible rates in an authority, before anything is forecast.

    Raises
    ------
    SpecError
        A share above 1, or refusal and withdrawal together.
    """
    weeks = weeks_of(figures.last_flow + 1, until)
    fitted_rates(figures, code).by_week(weeks, overridden(assumptions, weeks))


def _few(figures: Figures, code: str) -> tuple[str, ...]:
    """Say so where requests are too few to say much of the years after."""
    recent = figures.line("requests", code).tail(RECENT)
    if len(recent) and recent.mean() >= FEW:
        return ()
    return (f"Fewer than {FEW} requests a year, or none known, say little of the years after: read the ranges.",)


def _rng(nation: Nation, code: str, stage: int) -> np.random.Generator:
    """Draws of one stage of an authority, the same whichever others are projected."""
    return np.random.default_rng([nation.seed, zlib.crc32(code.encode()), stage])


_MONTHLY = {
    "requests": "requests",
    "agreed": "agreed",
    "completed": "assessments_completed",
    "issued": "plans_issued",
    "within_20_weeks": "within_20_weeks",
    "timed": "timed",
    "backlog": "backlog",
    "decisions_due": "decisions_due_a_week",
    "plans_due": "plans_due_a_week",
}
