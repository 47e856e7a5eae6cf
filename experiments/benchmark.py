"""How does this library compare with its peers? Prints one table, from bundled data alone.

    python -m experiments.benchmark [--panel NAME ...] [--models NAME ...] [--quick] [--no-peers] [--no-mlflow]

Three panels, the last periods of each held out. Every model runs alone in a fresh process on two processors and is
warm when it is timed: this library runs its threads there, peers one process. What a first call costs
besides (imports, compilation where nothing is cached) stands in a column of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from experiments.benchmark_data import TASKS, load
from experiments.benchmark_models import CORES, PEERS, Measured, installed, measure, own_names
from experiments.benchmark_scores import (
    COLUMNS,
    SCUM,
    SCUM_MEMBERS,
    Result,
    mean_of,
    score,
    table_rows,
    verdict,
)
from experiments.tables import markdown_table, text_table, without
from experiments.tracking import experiment_at
from forecast import models
from forecast.threads import THREADS_VARIABLE
from jobs.tracking import SQLITE
from jobs.tracking_store import StoreFault

QUICK_SERIES = 12
EXPERIMENT = "benchmark"
COMMAND = "python -m experiments.benchmark"
EXTRA = 'pip install "send-forecast[bench]"'


def run_panel(
    panel: str,
    names: Sequence[str],
    *,
    every: int = 1,
    at_once: int = 1,
    progress: Callable[[str], None] = lambda line: None,
) -> Result:
    """Run models on a panel, each alone in a fresh process, and score them.

    Parameters
    ----------
    panel : str
    names : sequence of str
        The mean of peers joins them when all of its members are there.
    every : int, default 1
        Take every so many-th series.
    at_once : int, default 1
        Processes at a time; with more than one, seconds are rough.
    progress : callable, optional
        Gets a line a model.

    Returns
    -------
    Result
    """

    def alone(name: str) -> Measured | None:
        try:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                measured = process.submit(measure, panel, every, name).result()
        except Exception as error:
            progress(f"{panel}: {name} failed: {type(error).__name__}: {error}")
            return None
        progress(f"{panel}: {name} {measured.seconds:.1f} s")
        return measured

    with ThreadPoolExecutor(at_once) as threads:
        measured = dict(zip(names, threads.map(alone, names), strict=True))
    if all(name in measured for name in SCUM_MEMBERS):
        members = [each for each in map(measured.get, SCUM_MEMBERS) if each is not None]
        measured[SCUM] = mean_of(members) if len(members) == len(SCUM_MEMBERS) else None
    series = load(panel).every(every)
    scores = {name: None if each is None else score(series, each) for name, each in measured.items()}
    return Result(TASKS[panel], len(series.ids), scores)


def log_to_mlflow(results: Sequence[Result], *, uri: str, params: Mapping[str, str]) -> None:
    """Record one MLflow run a panel, with a child run a model.

    Parameters
    ----------
    results : sequence of Result
    uri : str
        sqlite:///FILE or the address of a server.
    params : mapping of str to str
        Recorded with each panel.

    Raises
    ------
    StoreFault
        The store does not answer.
    """
    from mlflow.entities import Metric, Param
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    client, experiment = experiment_at(uri, EXPERIMENT)
    for result in results:
        parent = client.create_run(experiment, run_name=result.task.panel)
        told = {**params, "panel": result.task.panel, "horizon": result.task.horizon, "series": result.series}
        client.log_batch(parent.info.run_id, params=[Param(key, str(value)) for key, value in told.items()])
        for name, scores in result.scores.items():
            tags = {MLFLOW_PARENT_RUN_ID: parent.info.run_id}
            run = client.create_run(experiment, run_name=f"{result.task.panel} {name}", tags=tags)
            now = run.info.start_time
            metrics = [Metric(key, value, now, 0) for key, value in scores.metrics()] if scores else []
            labels = [Param("model", name), Param("panel", result.task.panel)]
            client.log_batch(run.info.run_id, metrics=metrics, params=labels)
            client.set_terminated(run.info.run_id, status="FINISHED" if scores else "FAILED")
        client.set_terminated(parent.info.run_id)


def versions() -> dict[str, str]:
    """Versions of what is compared."""
    packages = ("send-forecast", "prophet", *(("statsforecast",) if installed(SCUM_MEMBERS) else ()))
    return {package: version(package) for package in packages}


def _models(asked: argparse.Namespace, usage: argparse.ArgumentParser) -> tuple[tuple[str, ...], str]:
    """Return the models to run, and what to say of those left out."""
    if asked.models:
        everything = ("auto", *models.names(), *PEERS, SCUM)
        unknown = [name for name in asked.models if name not in everything]
        if unknown:
            usage.error(f"model {unknown[0]!r}: not known; choose from {', '.join(everything)}")
        wanted = [name for name in asked.models if name != SCUM] + [*SCUM_MEMBERS] * (SCUM in asked.models)
        names = tuple(dict.fromkeys(wanted))
    else:
        names = (*own_names(slow=asked.quick), *(() if asked.no_peers else PEERS))
    there = installed(names)
    missing = [name for name in names if name not in there]
    said = f"Left out, as statsforecast is not installed: {', '.join(missing)}. {EXTRA}" if missing else ""
    if not there:
        usage.exit(1, said + "\n")
    return there, said


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description="This library's models and their peers on three panels.")
    parser.add_argument("--panel", nargs="+", choices=list(TASKS), default=list(TASKS), help="default: all")
    parser.add_argument("--models", nargs="+", metavar="NAME", help="models and peers by name; default: see below")
    parser.add_argument("--quick", action="store_true", help="a dozen series a panel: a smoke test, not the table")
    parser.add_argument("--no-peers", action="store_true", help="this library's models alone")
    parser.add_argument("--no-mlflow", action="store_true", help="record nothing")
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    parser.epilog = (
        f"By default: {', '.join((*own_names(slow=False), *PEERS, SCUM))}; with --quick also "
        f"{', '.join(name for name in own_names(slow=True) if name not in own_names(slow=False))}. "
        "Any other model of this library can be named."
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run, print, record."""
    parser = _parser()
    asked = parser.parse_args(argv)
    names, said = _models(asked, parser)
    os.environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", THREADS_VARIABLE: str(CORES)})
    start = time.perf_counter()
    results = []
    for panel in asked.panel:
        every = -(-len(load(panel).ids) // QUICK_SERIES) if asked.quick else 1
        results.append(run_panel(panel, names, every=every, at_once=CORES if asked.quick else 1, progress=_say))
    used = versions()
    if said:
        print(said)
    print(", ".join(f"{package} {number}" for package, number in used.items()) + f"; Python {sys.version.split()[0]}")
    if asked.quick:
        print(f"--quick: about {QUICK_SERIES} series a panel, {CORES} models at a time: seconds are rough")
    print(
        "80 %, 95 %: coverage; total: of the sum over the horizon. seconds, cpu s: a warm call on at most "
        f"{CORES} processors; first s: imports, compilation, first call; MB: peak."
    )
    if any(SCUM in result.scores for result in results):
        print(f"{SCUM}: mean of {', '.join(SCUM_MEMBERS)}, quantile by quantile; its seconds are their sum.")
    print()
    blank = [""] * (len(COLUMNS) + 1)
    rows = [row for result in results for row in (*table_rows(result), blank)]
    print(text_table(rows))
    for line in (line for result in results for line in verdict(result)):
        print(line)
    print(f"{time.perf_counter() - start:.0f} s in all")
    if asked.markdown:
        shown = [without(table_rows(result), ("first s", "MB")) for result in results]
        asked.markdown.write_text("\n\n".join(map(markdown_table, shown)) + "\n", encoding="utf-8")
    if not asked.no_mlflow:
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}mlflow.db")
        params = {**used, "quick": str(asked.quick), "cores": str(CORES)}
        try:
            log_to_mlflow(results, uri=uri, params=params)
        except StoreFault as fault:
            _say(f"MLflow at '{uri}': not recorded: {fault}. Set MLFLOW_TRACKING_URI, or --no-mlflow to do without.")
    failed = [f"{one.task.panel} {name}" for one in results for name, scores in one.scores.items() if scores is None]
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
