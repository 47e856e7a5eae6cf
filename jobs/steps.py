"""The steps of the nightly job that do the work: evaluate each panel, forecast it, lay out the tables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast import models
from forecast.auto import default_members
from forecast.models.area_growth import AreaGrowth
from forecast.models.base import Model
from forecast.sources.observations import AGGREGATES, Reading
from forecast.study import LADDER, Study, study_panel
from jobs.explained import reasons_of, weights_of
from jobs.inputs import DATE_FORM, PanelJob, freq_of
from jobs.record import RunFrames

if TYPE_CHECKING:
    from jobs.config import RunConfig, Target

PARALLEL_FROM = 40


@dataclass(frozen=True)
class Evaluated:
    """A panel with its models run over the origins, and their scores."""

    job: PanelJob
    study: Study
    cells: pd.DataFrame


def evaluate_all(jobs: Sequence[PanelJob], config: RunConfig, executor: Executor | None) -> list[Evaluated]:
    """Run and score the candidates of every panel; with workers, one panel is scored while the next one runs."""
    if executor is None:
        return [evaluate(job, config, None) for job in jobs]
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(lambda job: evaluate(job, config, executor), jobs))


def evaluate(job: PanelJob, config: RunConfig, executor: Executor | None) -> Evaluated:
    """Run and score the candidates of one panel."""
    target = job.target
    names, members = candidate_names(target), default_members(job.panel.period)
    specs = {name: _spec(name, job) for name in (*names, *members)}
    study = study_panel(
        job.panel,
        {name: specs[name] for name in names},
        horizon=target.horizon,
        origins=target.origins,
        max_gap=job.max_gap,
        auto_members=[specs[name] for name in members],
        scope=_scope(job, names),
        executor=executor,
    )
    return Evaluated(job, study, study.cells(names, origins=target.origins, seed=config.seed))


def candidate_names(target: Target) -> list[str]:
    """Names of what is scored: the candidates, the chosen model, and the simple rules."""
    return list(dict.fromkeys([*target.candidates, target.model, *(step for step, _ in LADDER)]))


def _spec(name: str, job: PanelJob) -> str | Model:
    """Name a model, or give the one that asks the areas of a total how their growth behaves."""
    if name == AreaGrowth.name and job.parts is not None:
        return AreaGrowth(areas=job.parts.window())
    return name


def _scope(job: PanelJob, names: list[str]) -> dict[str, list[str]]:
    """Series a one-at-a-time model is run for: all, or the areas shown and their neighbours."""
    if job.target.slow_scope == "all":
        return {}
    ids = [f"{job.measure}/{code}" for code in (*job.on_page, *job.neighbours)]
    singles: list[Model] = [models.get(name) for name in names if name != "auto"]
    return {model.name: ids for model in singles if not model.capability.batch}


def forecast_all(config: RunConfig, readings: Mapping[str, Reading], studies: list[Evaluated]) -> RunFrames:
    """Forecast every panel with the model of its target and lay out the tables of the run folder."""
    forecasts, scores, ledgers, weights, reasons = [], [], [], [], []
    for done in studies:
        job, target = done.job, done.job.target
        made = done.study.forecast(target.model, seed=config.seed, n_paths=config.n_paths)
        table = made.to_frame(levels=config.levels)
        threshold = np.nan if job.geographic_level in AGGREGATES else target.thresholds.get(job.measure, np.nan)
        above = made.prob_above(threshold)["prob_above"] if np.isfinite(threshold) else np.nan
        table = table.assign(
            model=table["unique_id"].map(made.ledger.set_index("unique_id")["model"]),
            origin=job.panel.dates[-1],
            horizon=np.tile(np.arange(1, target.horizon + 1), len(made.ids)),
            threshold=threshold,
            prob_above=above,
        )
        table = _labelled(table, job)
        forecasts.append(table.assign(on_page=table["area_code"].isin(job.on_page)))
        scores.append(_labelled(done.cells, job))
        ledgers.append(_labelled(made.ledger, job))
        of_panel = {"target": target.name, "measure": job.measure, "geographic_level": job.geographic_level}
        weights.append(weights_of(done.study).assign(**of_panel))
        reasons.append(_labelled(reasons_of(done.study, candidate_names(target)), job))
    history = pd.concat(
        [
            readings[target.data]
            .observations.query("measure in @target.measures")
            .assign(target=target.name, unique_id=lambda df: df["measure"] + "/" + df["area_code"])
            for target in config.targets
        ],
        ignore_index=True,
    )
    ledger = pd.concat(ledgers, ignore_index=True)
    forms = {target.name: DATE_FORM[freq_of(config, target.data)] for target in config.targets}
    return RunFrames(
        history=history,
        forecasts=pd.concat(forecasts, ignore_index=True),
        scores=pd.concat(scores, ignore_index=True),
        ledger=ledger,
        weights=pd.concat(weights, ignore_index=True),
        reasons=pd.concat(reasons, ignore_index=True),
        areas={
            target.name: _page_areas([done.job for done in studies if done.job.target.name == target.name])
            for target in config.targets
        },
        status="model_failed" if failures(ledger) else "ok",
        warnings=(
            *(warning for reading in readings.values() for warning in reading.warnings),
            *_not_used(history, forms),
            *dict.fromkeys(warning for done in studies for warning in done.job.warnings),
        ),
    )


def _not_used(history: pd.DataFrame, forms: Mapping[str, str]) -> Iterator[str]:
    """Say which published figures are not used because they cannot be right: marks such as "sum_mismatch: ..."."""
    marked = history[history["reason"].str.contains(":")].sort_values(["target", "measure", "ds", "area_code"])
    for (target, measure), rows in marked.groupby(["target", "measure"]):
        first = rows.iloc[0]
        counted = "1 published figure" if len(rows) == 1 else f"{len(rows)} published figures"
        yield (
            f"target {target!r}: {counted} of {measure!r} not used, first {first['area_name']} "
            f"{first['ds'].strftime(forms[str(target)])}: {first['reason']}"
        )


def _labelled(frame: pd.DataFrame, job: PanelJob) -> pd.DataFrame:
    code = frame["unique_id"].str.split("/", n=1).str[1]
    return frame.assign(
        target=job.target.name,
        measure=job.measure,
        geographic_level=job.geographic_level,
        area_code=code,
        area_name=code.map(job.areas["area_name"]),
        region_code=code.map(job.areas["region_code"]),
    )


def _page_areas(jobs: list[PanelJob]) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for job in jobs:
        for code in job.on_page:
            if code in job.areas.index:
                name = str(job.areas.loc[code, "area_name"])
                found.setdefault(code, {"area_code": code, "area_name": name, "geographic_level": job.geographic_level})
    wanted = list(dict.fromkeys(code for job in jobs for code in job.on_page))
    return [found[code] for code in wanted if code in found]


def failures(ledger: pd.DataFrame) -> tuple[str, ...]:
    """List the series a model failed on, as "target: unique_id: reason"."""
    failed = ledger[ledger["status"] == "failed"]
    return tuple(f"{row.target}: {row.unique_id}: {row.reason}" for row in failed.itertuples())


@contextmanager
def worker_pool(jobs: Sequence[PanelJob], workers: int | None) -> Iterator[Executor | None]:
    """Give a process pool when there is enough slow work to pay for starting it."""
    count = workers or os.cpu_count() or 1
    work = 0
    for job in jobs:
        scope = _scope(job, candidate_names(job.target))
        for name in candidate_names(job.target):
            if name != "auto" and not models.get(name).capability.batch:
                work += len(scope.get(name, job.panel.ids))
    if count < 2 or work < PARALLEL_FROM:
        yield None
        return
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        yield pool
