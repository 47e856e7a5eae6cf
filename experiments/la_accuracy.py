"""How accurate are the methods on the English local authorities? Prints one table, from bundled data alone.

    python -m experiments.la_accuracy [--quick] [--no-held-out] [--no-mlflow] [--jobs N] [--markdown FILE]

Rolling origins, fixed below; at each origin every method sees the figures up to it and nothing later. WAPE
is taken over all areas at each origin, then averaged over origins. The library's models run through
`study_panel`, the code behind `forecast_panel` and `evaluate_panel`; the simple rules run through it too,
so that all intervals are made alike. Two further measures, new plans and refused requests, show whether
what was chosen on requests and caseload carries over.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import pandas as pd

from experiments.tables import Scored, accuracy_rows, fair, markdown_table, pooled, report, wapes, without
from experiments.tracking import experiment_at
from forecast import models, reference
from forecast.models.base import Capability, Model
from forecast.models.history import last_observed, take
from forecast.models.specs import ModelSpec
from forecast.panel import FloatArray, Panel, Window
from forecast.sources.observations import panel_of, usable
from forecast.study import Study, study_panel
from jobs.tracking import SQLITE
from jobs.tracking_store import StoreFault

ALONE = ("theta", "ets", "arima", "prophet")
HALF_COUNT = 0.5
QUICK_EVERY = 8
SEED = 2024
EXPERIMENT = "la_accuracy"
COMMAND = "python -m experiments.la_accuracy"


@dataclass(frozen=True)
class Task:
    """A measure, the origins it is forecast from and the horizons shown.

    Attributes
    ----------
    measure : str
    first_origin, last_origin : int
        Years; figures after `last_origin + 1` are left out, so that a later release changes nothing.
    horizons : tuple of int
        Years ahead.
    may_miss : int
        Figures a series may lack.
    zeros : bool
        Whether a series may hold a zero.
    """

    measure: str
    first_origin: int
    last_origin: int
    horizons: tuple[int, ...]
    may_miss: int = 0
    zeros: bool = False

    @property
    def origins(self) -> int:
        """Number of origins."""
        return self.last_origin - self.first_origin + 1


MAIN = (Task("requests", 2019, 2022, (1, 2, 3)), Task("caseload", 2016, 2023, (1, 3, 5)))
HELD_OUT = (
    Task("new_plans", 2016, 2022, (1, 2, 3), may_miss=1, zeros=True),
    Task("requests_refused", 2019, 2022, (1, 2, 3), may_miss=1, zeros=True),
)


def national_growths(values: FloatArray) -> FloatArray:
    """Log growth of the nation from year to year, each over the areas known in both (T-1,)."""
    before, after = values[:, :-1], values[:, 1:]
    both = np.isfinite(before) & np.isfinite(after)
    total = np.where(both, after, 0.0).sum(axis=0), np.where(both, before, 0.0).sum(axis=0)
    return np.asarray(np.log(total[0] / total[1]), dtype=np.float64)


def national_last(values: FloatArray, horizon: int, *, share: float = 1.0) -> FloatArray:
    """Each area grows as the nation last did, or by a share of it (n, horizon)."""
    return _grown(values, share * national_growths(values)[-1:], horizon)


def national_mean(values: FloatArray, horizon: int, *, years: int = 3) -> FloatArray:
    """Each area grows as the nation did on average over the last years (n, horizon)."""
    return _grown(values, national_growths(values)[-years:].mean(keepdims=True), horizon)


def half_own_half_national(values: FloatArray, horizon: int) -> FloatArray:
    """Each area grows half as it last did itself and half as the nation did (n, horizon)."""
    national = national_growths(values)[-1]
    own = np.diff(np.log(np.maximum(values[:, -2:], HALF_COUNT)), axis=1)[:, 0]
    return _grown(values, 0.5 * np.where(np.isfinite(own), own, national) + 0.5 * national, horizon)


def _grown(values: FloatArray, rate: FloatArray, horizon: int) -> FloatArray:
    level = take(values, last_observed(values))
    return np.asarray(level[:, None] * np.exp(rate[:, None] * np.arange(1, horizon + 1)), dtype=np.float64)


@dataclass(frozen=True)
class Rule:
    """A rule of thumb in the shape of a model, so that it runs through the same origins and intervals."""

    name: str
    points: Callable[[FloatArray, int], FloatArray]
    capability: ClassVar[Capability] = Capability(min_history=2, handles_missing=True, batch=True, pooled=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon)."""
        return self.points(window.values, horizon)


RULES = (
    Rule("national last growth", national_last),
    Rule("half own, half national growth", half_own_half_national),
    Rule("0.5 of national last growth", partial(national_last, share=0.5)),
    Rule("0.7 of national last growth", partial(national_last, share=0.7)),
    Rule("national 3-year mean growth", national_mean),
)
METHODS: Mapping[str, ModelSpec] = {
    **{name: name for name in ("naive", "drift")},
    **{rule.name: cast("Model", rule) for rule in RULES},
    **{name: name for name in (*ALONE, "area_growth", "auto")},
}


def complete_panel(observations: pd.DataFrame, task: Task) -> Panel:
    """Panel of the local authorities whose series is complete, up to the outturn of the last origin.

    Marked figures (`usable`) count as missing. Areas that were made or merged in these years drop out here.
    """
    rows = observations[
        (observations["measure"] == task.measure)
        & (observations["geographic_level"] == "local_authority")
        & (observations["ds"].dt.year <= task.last_origin + 1)
    ]
    wide = rows.assign(y=usable(rows)).pivot(index="area_code", columns="ds", values="y")
    complete = wide.isna().sum(axis=1) <= task.may_miss
    if not task.zeros:
        complete &= ~wide.eq(0).any(axis=1)
    return panel_of(rows[rows["area_code"].isin(wide.index[complete])], freq="YS", groups=())


def run_task(
    panel: Panel,
    task: Task,
    methods: Mapping[str, ModelSpec],
    *,
    every: int = 1,
    executor: Executor | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Scored:
    """Run methods one after the other over the origins of a task and score them on the same cells.

    Parameters
    ----------
    panel : Panel
    task : Task
    methods : mapping of name to model spec
    every : int, default 1
        Score every so many-th area, and ask models that see one area at a time for those alone.
    executor : Executor, optional
        Where these models run.
    progress : callable, optional
        Gets a line a method.

    Returns
    -------
    Scored
    """
    sample = panel.ids[::every]
    scope = {name: sample for name in models.names() if not models.get(name).capability.batch}
    parts, seconds = [], {}
    for name, spec in methods.items():
        start = time.perf_counter()
        study = study_panel(
            panel, {name: spec}, horizon=max(task.horizons), origins=task.origins, scope=scope, executor=executor
        )
        parts.append(scored_cells(study, name, origins=task.origins))
        seconds[name] = time.perf_counter() - start
        progress(f"{task.measure}: {name} {seconds[name]:.1f} s")
    cells = pd.concat(parts, ignore_index=True)
    known = panel.frame.dropna(subset="y").set_index(["unique_id", "ds"]).index
    at_origin = pd.MultiIndex.from_frame(cells[["unique_id", "origin"]]).isin(known)
    return Scored(task.measure, task.horizons, fair(cells[at_origin & cells["unique_id"].isin(sample)]), seconds)


def scored_cells(study: Study, name: str, *, origins: int) -> pd.DataFrame:
    """Score a method at its origins, the error being that of its own point and not of a sampled median."""
    cells = study.cells([name], origins=origins, seed=SEED)
    rolling, panel = study.rolling, study.panel
    seen = panel.dates.get_indexer(pd.DatetimeIndex(cells["origin"])) + 1
    area = pd.Index(panel.ids).get_indexer(pd.Index(cells["unique_id"]))
    points = rolling.points[name][np.searchsorted(rolling.ends, seen), area, cells["horizon"].to_numpy() - 1]
    error = points - cells["actual"]
    return cells.assign(point=points, error=error, abs_error=error.abs())


def log_to_mlflow(scored: Sequence[Scored], *, uri: str, quick: bool) -> None:
    """Record one MLflow run a method: metrics by measure, with the horizon as step.

    Parameters
    ----------
    scored : sequence of Scored
    uri : str
        sqlite:///FILE or the address of a server.
    quick : bool
        Recorded as a parameter.

    Raises
    ------
    StoreFault
        The store does not answer.
    """
    from mlflow.entities import Metric, Param

    client, experiment = experiment_at(uri, EXPERIMENT)
    for method in scored[0].methods:
        run = client.create_run(experiment, run_name=method)
        now = run.info.start_time
        told = [told for one in scored for told in metrics_of(one, method) if np.isfinite(told[1])]
        metrics = [Metric(key, float(value), now, step) for key, value, step in told]
        params = [Param("method", method), Param("quick", str(quick)), Param("seed", str(SEED))]
        client.log_batch(run.info.run_id, metrics=metrics, params=params)
        client.set_terminated(run.info.run_id)


def metrics_of(scored: Scored, method: str) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of what is recorded of a method: shares, not per cent."""
    wape, origins = wapes(scored)
    for horizon in scored.horizons:
        yield f"{scored.measure}.wape", wape.loc[method, horizon] / 100, horizon
        yield f"{scored.measure}.origins", origins.loc[method, horizon], horizon
    for name, value in pooled(scored).loc[method].items():
        yield f"{scored.measure}.{name}", value / 100, 0
    yield f"{scored.measure}.seconds", scored.seconds[method], 0


@contextmanager
def _workers(jobs: int) -> Iterator[Executor | None]:
    """Give a pool of processes that have the slow libraries loaded, so that no method pays for loading them."""
    if jobs < 2:
        yield None
        return
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(_load_fitters, range(jobs)))
        yield pool


def _load_fitters(_: int) -> None:
    logging.getLogger("prophet").addHandler(logging.NullHandler())
    import prophet  # noqa: F401
    import statsmodels.tsa.api  # noqa: F401


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Accuracy of every method on English local authorities.")
    parser.add_argument("--quick", action="store_true", help="every eighth area: a smoke test, not the table")
    parser.add_argument(
        "--held-out", action=argparse.BooleanOptionalAction, help="measures held out; default unless --quick"
    )
    parser.add_argument("--no-mlflow", action="store_true", help="record nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; default all processors")
    parser.add_argument("--markdown", type=Path, help="also write a short table to this file")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run, print, record."""
    asked = _arguments(argv)
    start = time.perf_counter()
    observations = reference.ehc().observations
    every = QUICK_EVERY if asked.quick else 1
    held_out = not asked.quick if asked.held_out is None else asked.held_out
    tasks = (*MAIN, *HELD_OUT) if held_out else MAIN
    panels = [complete_panel(observations, task) for task in tasks]
    with _workers(asked.jobs) as executor:
        scored = [
            run_task(panel, task, METHODS, every=every, executor=executor, progress=_say)
            for task, panel in zip(tasks, panels, strict=True)
        ]
    for task, panel in zip(tasks, panels, strict=True):
        rule = f"at most {task.may_miss} figure missing" if task.may_miss else "a figure above zero every year"
        years = f"origins {task.first_origin} to {task.last_origin}"
        print(f"{task.measure}: {len(panel.ids)} local authorities with {rule}, {years}")
    if asked.quick:
        print(
            f"--quick: scored on every {QUICK_EVERY}th of them; theta and ets (and auto's share of them) on those alone"
        )
    print("Per origin over all areas, then averaged; (n): over n origins only, see below. 80 %, 95 %: coverage.\n")
    print(report(scored[: len(MAIN)], alone=ALONE))
    if held_out:
        print("\nHeld out\n\n" + report(scored[len(MAIN) :], alone=ALONE))
    spent = time.perf_counter() - start
    print(f"\n{spent:.0f} s in all; seconds of a method are wall time on {asked.jobs} processes")
    if asked.markdown:
        rows = without(accuracy_rows(scored[: len(MAIN)]), ("95 %", "bias", "seconds"))
        asked.markdown.write_text(markdown_table(rows) + "\n", encoding="utf-8")
    if not asked.no_mlflow:
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}mlflow.db")
        try:
            log_to_mlflow(scored, uri=uri, quick=asked.quick)
        except StoreFault as fault:
            _say(f"MLflow at '{uri}': not recorded: {fault}. Set MLFLOW_TRACKING_URI, or --no-mlflow to do without.")


if __name__ == "__main__":
    main()
