"""How accurate are the methods on the English local authorities? Prints tables, from bundled data alone.

    python -m experiments.la_accuracy [--quick] [--no-held-out] [--no-mlflow] [--jobs N] [--markdown FILE]

Rolling origins, fixed below; at each origin every method sees the figures up to it and nothing later, but for
two ceilings that are told the true national total. WAPE is taken over all areas at each origin, then averaged
over origins. All methods run through `study_panel`, the code behind `forecast_panel` and `evaluate_panel`, so
that all intervals are made alike. Two further measures, new plans and refused requests, show whether what was
chosen on requests and caseload carries over.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.la_methods import (
    ALONE,
    EHC,
    EXTRA,
    PEER_PACKAGE,
    PEERS,
    demand_methods,
    generic_methods,
    peer_methods,
)
from experiments.la_run import N_PATHS, SEED, Origins, Task, complete_panel, run_task
from experiments.la_scores import QUANTILES, RESAMPLES, Scored, averages, by_origin, origin_counts, pooled
from experiments.la_tables import accuracy_rows, interval_tables, origin_tables, tables
from experiments.la_verdict import ALL, SINCE_2018, auto_verdict, demand_report
from experiments.tables import markdown_table, without
from experiments.tracking import experiment_at
from forecast import reference
from jobs.tracking import SQLITE
from jobs.tracking_store import StoreFault

QUICK_EVERY = 8
ACCURACY = ("measure", "horizon", "origins", "wape", "coverage_80", "first_origin", "last_origin", "command")
EXPERIMENT = "la_accuracy"
COMMAND = "python -m experiments.la_accuracy"
SHORT = ("95 %", "nation 80 %", "nation 95 %", "bias", "seconds")

MAIN = (
    Task("requests", 2019, 2022, (1, 2, 3), also=Origins("without origin 2020", (2019, 2021, 2022))),
    Task("caseload", 2016, 2023, (1, 3, 5), also=Origins(SINCE_2018, tuple(range(2018, 2024)))),
)
HELD_OUT = (
    Task("new_plans", 2016, 2022, (1, 2, 3), may_miss=1, zeros=True),
    Task("requests_refused", 2019, 2022, (1, 2, 3), may_miss=1, zeros=True),
)


def views(task: Task, scored: Scored) -> Iterator[tuple[str, Scored]]:
    """Yield the scores over all origins and over those reported besides, each with its label."""
    yield ALL, scored
    if task.also:
        yield task.also.label, scored.at(task.also.years)


def log_to_mlflow(results: Sequence[tuple[Task, Scored]], *, uri: str, quick: bool) -> None:
    """Record one MLflow run a measure, with a child run a method: metrics have the horizon as step.

    Parameters
    ----------
    results : sequence of (Task, Scored)
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
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    client, experiment = experiment_at(uri, EXPERIMENT)
    for task, scored in results:
        parent = client.create_run(experiment, run_name=scored.measure)
        told = {"measure": scored.measure, "origins": task.origins, "quick": quick, "seed": SEED, "paths": N_PATHS}
        client.log_batch(parent.info.run_id, params=[Param(key, str(value)) for key, value in told.items()])
        for method in scored.methods:
            tags = {MLFLOW_PARENT_RUN_ID: parent.info.run_id}
            run = client.create_run(experiment, run_name=f"{scored.measure} {method}", tags=tags)
            now = run.info.start_time
            metrics = [
                Metric(name, float(value), now, step)
                for label, part in views(task, scored)
                for name, value, step in metrics_of(part, method, prefix="" if label == ALL else f"{label}/")
                if np.isfinite(value)
            ]
            params = [Param("method", method), Param("measure", scored.measure), Param("quick", str(quick))]
            client.log_batch(run.info.run_id, metrics=metrics, params=params)
            client.set_terminated(run.info.run_id)
        client.set_terminated(parent.info.run_id)


def metrics_of(scored: Scored, method: str, *, prefix: str = "") -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of what is recorded of a method: shares, not per cent."""
    for score in ("wape", "bias", "wis", "coverage_80", "coverage_95"):
        values = averages(scored, score).T.to_dict()[method]
        for horizon in scored.horizons:
            yield f"{prefix}{score}", values[horizon] / 100, horizon
    answered = origin_counts(scored).T.to_dict()[method]
    for horizon in scored.horizons:
        yield f"{prefix}origins", answered[horizon], horizon
    for name, value in pooled(scored).T.to_dict()[method].items():
        yield f"{prefix}pooled_{name}", value / 100, 0
    if not prefix:
        yield "seconds", scored.seconds[method], 0


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

    if find_spec(PEER_PACKAGE):
        import statsforecast.models  # noqa: F401


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
    parser.add_argument("--reference", type=Path, help="also write what pages tell of ehc to this csv")
    return parser.parse_args(argv)


def run(asked: argparse.Namespace) -> list[tuple[Task, Scored]]:
    """Run all tasks asked for, saying first what they are run on."""
    observations = reference.ehc().observations
    held_out = not asked.quick if asked.held_out is None else asked.held_out
    peers, results = peer_methods(), []
    with _workers(asked.jobs) as executor:
        for task in (*MAIN, *HELD_OUT) if held_out else MAIN:
            panel = complete_panel(observations, task)
            rule = f"at most {task.may_miss} figure missing" if task.may_miss else "a figure above zero every year"
            years = f"origins {task.first_origin} to {task.last_origin}"
            print(f"{task.measure}: {len(panel.ids)} local authorities with {rule}, {years}")
            methods = generic_methods()
            if task in MAIN:
                methods |= peers | demand_methods(panel, task.measure)
            every = QUICK_EVERY if asked.quick else 1
            scored = run_task(panel, task, methods, every=every, executor=executor, progress=_say)
            missing = () if peers or task not in MAIN else PEERS
            results.append((task, replace(scored, missing=missing)))
    return results


def report(results: Sequence[tuple[Task, Scored]]) -> str:
    """Put all tables and verdicts into text."""
    main, held_out = ([each for each in results if (each[0] in MAIN) is asked] for asked in (True, False))
    first = [scored for _, scored in main]
    besides = [list(views(task, scored))[-1] for task, scored in main]
    parts = [*tables(first), *interval_tables(first), "\n".join(auto_verdict(first, alone=ALONE))]
    parts += ["Only " + "; ".join(f"{part.measure}: {label}" for label, part in besides)]
    parts += [*tables([part for _, part in besides]), *interval_tables([part for _, part in besides])]
    for task, scored in main:
        parts += origin_tables(scored)
        parts += [demand_report(part, label) for label, part in views(task, scored)]
    if held_out:
        last = [scored for _, scored in held_out]
        parts += ["Held out", *tables(last), "\n".join(auto_verdict(last, alone=ALONE))]
    return "\n\n".join(parts)


def short_table(results: Sequence[tuple[Task, Scored]]) -> str:
    """Return the README's table, over all origins and then over those reported besides."""
    both = zip(*(views(task, scored) for task, scored in results if task in MAIN), strict=True)
    parts = [
        ", ".join(f"{one.measure}: {label}" for label, one in pairs)
        + "\n\n"
        + markdown_table(without(accuracy_rows([one for _, one in pairs]), SHORT))
        for pairs in both
    ]
    return "\n\n".join(parts) + "\n"


def accuracy_of_ehc(results: Sequence[tuple[Task, Scored]]) -> pd.DataFrame:
    """Return what pages tell of `ehc`: requests over all origins, the caseload over those from 2018 on.

    Returns
    -------
    DataFrame
        measure, horizon, origins, wape, coverage_80 (per cent, averaged over origins), first_origin, last_origin,
        command.
    """
    rows = []
    for task, scored in results:
        if task in MAIN:
            part = [each for _, each in views(task, scored)][-1 if task.measure == "caseload" else 0]
            scores = by_origin(part.cells).loc[EHC]
            for horizon in part.horizons:
                of_origins = scores.xs(horizon, level="horizon")
                years = pd.DatetimeIndex(of_origins.index).year
                means = [round(float(of_origins[name].mean()), 1) for name in ("wape", "coverage_80")]
                rows.append((task.measure, horizon, len(years), *means, min(years), max(years), COMMAND))
    return pd.DataFrame(rows, columns=list(ACCURACY))


def main(argv: Sequence[str] | None = None) -> None:
    """Run, print, record."""
    asked = _arguments(argv)
    start = time.perf_counter()
    results = run(asked)
    if asked.quick:
        print(f"--quick: scored on every {QUICK_EVERY}th of them; models of one area see those alone")
    if any(scored.missing for _, scored in results):
        print(f"{', '.join(PEERS)}: not installed. {EXTRA}")
    else:
        print(f"{', '.join(PEERS)}: where statsforecast cannot fit a series, its last figure is carried forward")
    print(
        f"Per origin over all areas, then averaged; (n): over n origins only, see below. 80 %, 95 %: coverage of "
        f"areas, and of their sum (nation) from sums of {N_PATHS} paths.\nWIS: weighted interval score at the "
        f"quantiles {', '.join(map(str, QUANTILES))}. Intervals of differences: {RESAMPLES} samples of areas.\n"
    )
    print(report(results))
    print(f"\n{time.perf_counter() - start:.0f} s in all; seconds of a method are wall time on {asked.jobs} processes")
    if asked.markdown:
        asked.markdown.write_text(short_table(results), encoding="utf-8")
    if asked.reference:
        accuracy_of_ehc(results).to_csv(asked.reference, index=False, lineterminator="\n")
    if not asked.no_mlflow:
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}mlflow.db")
        try:
            log_to_mlflow(results, uri=uri, quick=asked.quick)
        except StoreFault as fault:
            _say(f"MLflow at '{uri}': not recorded: {fault}. Set MLFLOW_TRACKING_URI, or --no-mlflow to do without.")


if __name__ == "__main__":
    main()
