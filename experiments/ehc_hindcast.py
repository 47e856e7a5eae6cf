"""What do pipeline and cohort of `forecast.ehc` miss by at past origins? Prints tables, from bundled data alone.

    python -m experiments.ehc_hindcast [--quick] [--no-mlflow]

The pipeline starts after the year of its origin, the cohort in the January of its. Sums and WAPE are over areas, means
over origins. Not all of it was known then: nothing older is published by age, so requests have the ages of 2023, plans
cease at the rates of 2023, and a stock has the area's age bands, within them the ages of England in 2023 (January 2023
has the bands of 2022). Rates stay as planned, on one path.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from experiments.tracking import experiment_at
from forecast.ehc import Figures, ages, hazards
from forecast.ehc.caseload import run_cohort
from forecast.ehc.growth import CaseloadGrowth
from forecast.ehc.lags import fitted_lags
from forecast.ehc.opening import fitted_opening
from forecast.ehc.rates import fitted_rates
from forecast.ehc.requests import RequestGrowth
from forecast.ehc.shares import fitted_shares
from forecast.ehc.stages import StageFlows, run_stages
from forecast.ehc.stock import STOCK_LABELS, earlier_stock, national_stock
from forecast.ehc.weeks import Profile, weeks_of
from forecast.models.base import Model
from forecast.panel import FloatArray, Window
from jobs.tracking import SQLITE
from jobs.tracking_store import StoreFault

EXPERIMENT, QUICK_EVERY = "ehc_hindcast", 8
STAGE_ORIGINS, STAGE_YEARS = range(2018, 2023), 2
COHORT_ORIGINS, COHORT_YEARS, LAST_BANDS = range(2018, 2024), 5, 2022
TOPDOWN_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
STOCKPORT, STOCKPORT_YEARS = "E08000007", ((2021, 2021), (2022, 2023))
COUNTED = {"plans": "assessments_issued", "assessments": "assessments_completed"}
SHARES = {"share": "pipeline", "share, before": "last year's", "limited": "capacity", "refusing": "and true refusals"}
READINGS = {"age reached in the year": ages.stock_to_event()[:-1], "age on the day": ages.stock_to_request(0.0)}
TO_15, NET_YEARS, BY = 16, range(2018, 2024), ["ahead", "origin"]

Run = Callable[..., StageFlows]
Tables = Iterator[tuple[str, pd.DataFrame]]


def pipeline_of(known: Figures, code: str, mix: FloatArray, years: int, spread: Profile = "school_days") -> Run:
    """Fit the pipeline of an area; what it returns takes requests (Y,), a capacity, and what share is refused."""
    weeks = weeks_of(known.last_flow + 1, known.last_flow + years, profile=spread)
    rates, lags = replace(fitted_rates(known, code), wander={}), fitted_lags(known, code)
    opening, planned = fitted_opening(known, code, weeks=weeks, rates=rates, lags=lags), rates.by_week(weeks)

    def run(requests: FloatArray, capacity: FloatArray | None = None, refused: FloatArray | None = None) -> StageFlows:
        told = planned if refused is None else replace(planned, refusal=np.tile(refused[weeks.year, None], len(mix)))
        monthly = None if capacity is None else np.repeat(capacity / 12, 12)
        cases, draws = requests[None, :, None] * mix, np.random.default_rng(0)
        return run_stages(cases, weeks=weeks, rates=told, lags=lags, opening=opening, capacity=monthly, rng=draws)

    return run


def in_time(flows: StageFlows) -> FloatArray:
    """Share of plans within 20 weeks (Y,); NaN where none is issued."""
    return np.asarray(flows.within_20_weeks[0] / np.where(flows.timed[0] > 0, flows.timed[0], np.nan))


def true_lines(figures: Figures) -> dict[str, pd.DataFrame]:
    """Return what happened, by area and year: requests, share refused, plans, assessments, 20-week share."""
    lines = {name: figures.of(measure) for name, measure in COUNTED.items()} | {"requests": figures.of("requests")}
    refused = figures.of("requests_refused")
    whole = (refused + figures.of("decided_to_assess")).reindex(columns=refused.columns).fillna(lines["requests"])
    lines["refusal"] = (refused / whole).clip(0.0, 1.0)
    lines["share"] = figures.of("plans_20_week_within") / figures.of("plans_20_week_den")
    return lines


def stage_cells(figures: Figures, origin: int, codes: Sequence[str]) -> pd.DataFrame:
    """Run the pipeline from an origin on the true requests of the next years: a row an area and year.

    Columns `plans`, `assessments` and `share` have last year's beside them (`, before`) and what came (`, true`);
    `limited` is the share under the true assessments as capacity, `refusing` with the true refusals besides.
    """
    known, shares, lines = figures.until(origin), fitted_shares(figures), true_lines(figures)
    years, rows = list(range(origin + 1, min(origin + STAGE_YEARS, figures.last_flow) + 1)), []
    for code in codes:
        true = {name: line.loc[code].reindex([origin, *years]).to_numpy(float) for name, line in lines.items()}
        if not np.isfinite(true["requests"]).all():
            continue
        run = pipeline_of(known, code, shares.of(code).requests, len(years))
        asked, capacity, refusal = (true[name][1:] for name in ("requests", "assessments", "refusal"))
        flows, both = run(asked), np.isfinite([capacity, refusal]).all()
        found = {"plans": flows.issued[0], "assessments": flows.completed[0], "share": in_time(flows)}
        found["limited"] = in_time(run(asked, capacity)) if both else np.full(len(years), np.nan)
        found["refusing"] = in_time(run(asked, capacity, refusal)) if both else found["limited"]
        for name in (*COUNTED, "share"):
            found |= {f"{name}, before": np.repeat(true[name][0], len(years)), f"{name}, true": true[name][1:]}
        rows.append(pd.DataFrame(found).assign(origin=origin, ahead=range(1, len(years) + 1)))
    return pd.concat(rows)


def stage_tables(cells: pd.DataFrame) -> Tables:
    """Score plans and assessments, and the share within 20 weeks."""

    def counts(name: str, rows: pd.DataFrame) -> dict[str, float]:
        found, before, true = rows[[name, f"{name}, before", f"{name}, true"]].dropna().to_numpy().T
        return errors(found, true) | {f"{score}, last year's": value for score, value in errors(before, true).items()}

    def timely(rows: pd.DataFrame) -> dict[str, float]:
        some = 100 * rows[[*SHARES, "share, true"]].dropna()
        error = some[[*SHARES]].sub(some["share, true"], axis=0).rename(columns=SHARES)
        moved = some.sub(some["share, before"], axis=0)[["share", "limited", "refusing", "share, true"]].corr()
        alike = moved["share, true"].iloc[:-1].rename(SHARES)
        parts = (error.abs().mean(), error.mean().add_prefix("bias, "), alike.add_prefix("change, "))
        return {str(said): float(value) for part in parts for said, value in part.items()}

    for name in COUNTED:
        yield f"{name} with true requests, %", by_origin(cells, partial(counts, name))
    yield "20-week share of areas: absolute error and bias, points; correlation of change", by_origin(cells, timely)


def stockport_table(figures: Figures) -> pd.DataFrame:
    """Follow Stockport's 20-week share under its true requests, refusals and completed assessments, %."""
    mix, found = fitted_shares(figures).of(STOCKPORT).requests, []
    spreads: tuple[Profile, ...] = ("even", "school_days")
    for first, last in STOCKPORT_YEARS:
        known, years = figures.until(first - 1), list(range(first, last + 1))
        true = {name: line.loc[STOCKPORT, years].to_numpy(float) for name, line in true_lines(figures).items()}
        told = [true[name] for name in ("requests", "assessments", "refusal")]
        runs = {each: in_time(pipeline_of(known, STOCKPORT, mix, len(years), each)(*told)) for each in spreads}
        found.append(pd.DataFrame({"published": true["share"]} | {str(each): run for each, run in runs.items()}, years))
    return 100 * pd.concat(found)


def aged(figures: Figures, rates: hazards.CohortRates, january: int) -> hazards.CohortRates:
    """Put rates on the figures of a January whose stock is known by age band alone."""
    counts = figures.by_age("caseload", year=min(january, LAST_BANDS))[list(ages.BANDS)].fillna(0.0)
    inside = np.array([(np.arange(26) >= first) & (np.arange(26) <= last) for first, last in ages.BANDS.values()])
    singles = counts.to_numpy() @ (inside * rates.stock / (inside @ rates.stock)[:, None])
    labelled = np.concatenate([singles[:, :3].sum(axis=1, keepdims=True), singles[:, 3:]], axis=1)
    rows = pd.DataFrame(labelled, counts.index, STOCK_LABELS).melt(ignore_index=False, var_name="age", value_name="y")
    same = {"measure": "caseload", "geographic_level": "local_authority", "need": "", "placement": "", "cause": ""}
    rows = rows.reset_index().assign(ds=pd.Timestamp(january, 1, 1), **same)
    known = figures.until(january - 1)
    return replace(rates, figures=replace(known, breakdowns=pd.concat([known.breakdowns, rows], ignore_index=True)))


def cohort_cells(figures: Figures, january: int, codes: Sequence[str], rates: hazards.CohortRates) -> pd.DataFrame:
    """Carry caseloads on from a January: a row an area and year.

    Columns `alone` (new plans by the pipeline from the requests forecast), `topdown`, `given` (new plans as they came),
    `even` (these, and the old cease everywhere as in the nation) and `true`; NaN where not known.
    """
    there = aged(figures, rates, january)
    known, stock, issued = there.figures, figures.of("caseload"), figures.of(COUNTED["plans"])
    horizon = min(figures.last_flow + 1 - january, COHORT_YEARS)
    years, profile = list(range(january, january + horizon)), rates.new_plans / rates.new_plans.sum()
    asked = _forecast(known, "requests", RequestGrowth(known), horizon)
    topdown = _forecast(known, "caseload", CaseloadGrowth(known), horizon)
    shares, by_age, rows = fitted_shares(figures), known.by_age("caseload")[list(STOCK_LABELS)].sum(axis=1), []
    for code in codes:
        if not (by_age[code] > 0 and stock[january][code] > 0):
            continue
        area, given = there.of(code), issued.loc[code, years].to_numpy(float)[:, None] * profile
        row = {"given": _carried(area, given), "even": _carried(replace(area, hazards=rates.hazards), given)}
        row |= {"topdown": topdown.loc[code].to_numpy(), "alone": np.full(horizon, np.nan)}
        if code in asked.index and january - 1 in known.line("requests", code):
            flows = pipeline_of(known, code, shares.of(code).requests, horizon)(asked.loc[code].to_numpy())
            row["alone"] = _carried(area, there.new_on_stock_ages(flows.issued_by_age)[0])
        row["true"] = stock.loc[code, [year + 1 for year in years]].to_numpy(float)
        rows.append(pd.DataFrame(row).assign(origin=january, ahead=range(1, horizon + 1)))
    return pd.concat(rows)


def cohort_tables(cells: pd.DataFrame) -> Tables:
    """Score the cohort, the top-down forecast and what lies between; and the cohort with true new plans."""

    def blends(rows: pd.DataFrame) -> dict[str, float]:
        alone, topdown, true = rows[["alone", "topdown", "true"]].dropna().to_numpy().T
        found = {f"{w:g}": errors(alone ** (1 - w) * topdown**w, true)["WAPE"] for w in TOPDOWN_WEIGHTS}
        found |= {"sum, alone": errors(alone, true)["sum"], "sum, top-down": errors(topdown, true)["sum"]}
        return found | {"correlation": float(np.corrcoef(np.log(alone / true), np.log(topdown / true))[0, 1])}

    def given(rows: pd.DataFrame) -> dict[str, float]:
        own, even, true = rows[["given", "even", "true"]].dropna().to_numpy().T
        return errors(own, true) | {"WAPE, the old as in the nation": errors(even, true)["WAPE"]}

    yield "Caseload, WAPE % by weight of the top-down; correlation of log errors of the two", by_origin(cells, blends)
    yield "Caseload given the true new plans, %", by_origin(cells, given)


def age_table(figures: Figures) -> pd.DataFrame:
    """Hold England's latest account against two readings of the ages of new and ceased plans."""
    closing, sign = national_stock(figures), np.array([1.0, 1.0, -1.0])
    opening = earlier_stock(figures, closing)
    flows = [hazards._national_flow(figures, "new_plans"), hazards._national_flow(figures, "ceased", cause="moved_la")]
    flows.append(hazards._national_flow(figures, "ceased"))
    rest = hazards.RESIDUAL_AGES * opening / (opening @ hazards.RESIDUAL_AGES)
    rest *= closing.sum() - opening.sum() - sign @ [flow.sum() for flow in flows]
    gained = closing - np.append(0.0, (opening + rest)[:-1])
    told = {name: sign @ [ages.unfolded(flow, each) for flow in flows] for name, each in READINGS.items()}
    return pd.DataFrame({name: np.abs(each - gained)[:TO_15].sum() for name, each in told.items()}, [figures.last_flow])


def area_tables(figures: Figures) -> Tables:
    """Say how far ceasing, residual and net loss of areas repeat themselves, and what the nation's net loss was."""
    stock, new, ceased = (figures.of(name) for name in ("caseload", "new_plans", "ceased"))
    net = (new - stock.diff(axis=1).rename(columns=lambda year: year - 1)) / stock
    last = [figures.last_flow - 1, figures.last_flow]
    shares = {"ceased": ceased / stock, "residual": hazards.published_residuals(figures) / stock, "net loss": net}
    found = {name: share[last].corr("spearman").iloc[0, 1] for name, share in shares.items()}
    yield f"Shares of the stock, rank correlation {last[0]} to {last[1]}", pd.DataFrame(found, last[1:])
    held, began = (figures.national[name] for name in ("caseload", "new_plans"))
    lost = 100 * (began - held.diff().rename(lambda year: year - 1)) / held
    yield "Net loss of England", lost[list(NET_YEARS)].to_frame("% of the stock")


def by_origin(cells: pd.DataFrame, scored: Callable[[pd.DataFrame], dict[str, float]]) -> pd.DataFrame:
    """Score the areas of each origin and years ahead: a row each, and one for the mean of the origins."""
    table = pd.DataFrame({key: scored(rows) for key, rows in cells.groupby(BY)}).T
    means = table.groupby(level=0).mean().assign(origin="mean").set_index("origin", append=True)
    return pd.concat([table, means]).sort_index(level=0, sort_remaining=False, kind="stable").rename_axis(BY)


def errors(found: FloatArray, true: FloatArray) -> dict[str, float]:
    """Return the error of the sum, and the sum of absolute errors, in per cent of the true sum."""
    error = 100 * (found - true) / true.sum()
    return {"sum": float(error.sum()), "WAPE": float(np.abs(error).sum())}


def _forecast(known: Figures, measure: str, model: Model, horizon: int) -> pd.DataFrame:
    table = known.of(measure).dropna(how="all")
    dates = pd.DatetimeIndex([pd.Timestamp(year, 1, 1) for year in table.columns])
    ids = tuple(f"{measure}/{code}" for code in table.index)
    window = Window(ids, table.to_numpy(float), dates, 1, np.full(len(ids), measure))
    return pd.DataFrame(model.forecast(window, horizon), index=table.index)


def _carried(area: hazards.AreaCohort, new: FloatArray) -> FloatArray:
    rates = {"hazards": area.hazards, "transfers": area.transfers, "residual": area.residual}
    return run_cohort(area.opening, new=new[None], **rates).caseload[0, 1:]


def run(figures: Figures, codes: Sequence[str]) -> Tables:
    """Run all parts on some areas."""
    yield from stage_tables(pd.concat([stage_cells(figures, origin, codes) for origin in STAGE_ORIGINS]))
    yield "Stockport's 20-week share under its true requests, refusals and assessments, %", stockport_table(figures)
    rates = hazards.fitted_cohort(figures)
    yield from cohort_tables(pd.concat([cohort_cells(figures, origin, codes, rates) for origin in COHORT_ORIGINS]))
    yield "Account of England at ages to 15: children missed if ages of flows are", age_table(figures)
    yield from area_tables(figures)


def log_to_mlflow(tables: Mapping[str, pd.DataFrame], *, uri: str, quick: bool) -> None:
    """Record one MLflow run of all tables: metrics have the years ahead as step, or the year of the figures."""
    from mlflow.entities import Metric, Param

    client, experiment = experiment_at(uri, EXPERIMENT)
    run, metrics = client.create_run(experiment, run_name=EXPERIMENT).info, []
    for title, table in tables.items():
        rows = table.xs("mean", level="origin") if table.index.nlevels > 1 else table
        for column, line in rows.to_dict().items():
            name = re.sub(r"[^\w\-./ ]", "", f"{title}/{column}".replace("%", "per cent"))
            metrics += [Metric(name, float(value), run.start_time, int(step)) for step, value in line.items()]
    client.log_batch(run.run_id, metrics=metrics, params=[Param("quick", str(quick))])
    client.set_terminated(run.run_id)


def main(argv: Sequence[str] | None = None) -> None:
    """Run, print, record."""
    parser = argparse.ArgumentParser(description="Errors of pipeline and cohort of forecast.ehc at past origins.")
    parser.add_argument("--quick", action="store_true", help="every eighth area: a smoke test, not the tables")
    parser.add_argument("--no-mlflow", action="store_true", help="record nothing")
    asked = parser.parse_args(argv)
    start, figures = time.perf_counter(), Figures.bundled()
    codes = figures.codes[:: QUICK_EVERY if asked.quick else 1]
    tables = dict(run(figures, codes))
    report = "\n\n".join(f"{title}\n\n{table.round(2).to_string()}" for title, table in tables.items())
    print(f"{len(codes)} local authorities\n\n{report}\n\n{time.perf_counter() - start:.0f} s in all")
    if not asked.no_mlflow:
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}mlflow.db")
        try:
            log_to_mlflow(tables, uri=uri, quick=asked.quick)
        except StoreFault as fault:
            print(
                f"MLflow at '{uri}': not recorded: {fault}. Set MLFLOW_TRACKING_URI, or --no-mlflow.", file=sys.stderr
            )


if __name__ == "__main__":
    main()
