"""What do time and memory do as a panel grows? Prints one table, from synthetic series alone.

    python -m experiments.scaling [--sizes N ...] [--model NAME] [--quick] [--no-mlflow]

Monthly series of seven years, made up: seasons, trends and counts of every size, every fifth sparse, some that
start late. Every size runs in a fresh process on two processors, warm: what a first call costs besides stands
below the table. A forecast is 12 months ahead with 500 paths a series, from a long table to one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import ParamSpec, TypeVar

from experiments.benchmark_models import CORES
from experiments.scaling_work import (
    HORIZON,
    MONTHS,
    PATHS,
    SEED,
    Measured,
    Start,
    first_call,
    frame_digest,
    measure,
    one_series,
)
from experiments.tables import text_table
from experiments.tracking import experiment_at
from forecast.threads import THREADS_VARIABLE
from jobs.tracking import SQLITE
from jobs.tracking_store import StoreFault

SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (40, 160)
TARGETS = {"series a second": 1_000, "peak MB": 3_000, "compile s": 30, "one series ms": 50}
EXPERIMENT = "scaling"
COMMAND = "python -m experiments.scaling"

P = ParamSpec("P")
R = TypeVar("R")


def alone(function: Callable[P, R], /, environment: Mapping[str, str], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a fresh process with some environment, on two processors."""
    with _environment(environment), ProcessPoolExecutor(1, get_context("spawn"), initializer=_pin) as pool:
        return pool.submit(function, *args, **kwargs).result()


def starts(model: str, n: int, threads: Mapping[str, str]) -> Start:
    """Measure first calls and small ones, and compare thread counts on `n` series."""
    with TemporaryDirectory() as folder:
        apart = {**threads, "NUMBA_CACHE_DIR": folder}
        compiling = alone(first_call, apart, model)
        cached = alone(first_call, apart, model)
    digests = {alone(frame_digest, {THREADS_VARIABLE: str(count)}, n, model) for count in (1, 2)}
    return Start(compiling, cached, alone(one_series, threads, model), len(digests) == 1)


def table_rows(measured: Sequence[Measured]) -> list[list[str]]:
    """Lay out the table: a header and a row a size."""
    header = ["series", "panel s", "forecast s", "to_frame s", "all s", "cpu s", "series/s", "peak MB"]
    return [header, *(_row(one) for one in measured)]


def _row(one: Measured) -> list[str]:
    seconds = (one.panel, one.forecast, one.frame, one.seconds, one.cpu)
    return [f"{one.series:,}", *(f"{value:.2f}" for value in seconds), f"{one.rate:,.0f}", f"{one.memory:,.0f}"]


def verdict(measured: Sequence[Measured], start: Start) -> list[str]:
    """Say, from the numbers, whether the stated targets are met."""
    smallest, largest = measured[0], measured[-1]
    growth = (largest.seconds / largest.series) / (smallest.seconds / smallest.series)
    rate, memory = min(one.rate for one in measured), max(one.memory for one in measured)
    least, most = TARGETS["series a second"], TARGETS["peak MB"]
    return [
        f"series a second, the slowest size (target: at least {least:,}): {rate:,.0f}: {_met(rate >= least)}",
        f"peak MB, the largest size (target: under {most:,}): {memory:,.0f}: {_met(memory < most)}",
        f"seconds a series at {largest.series:,} over those at {smallest.series:,}: {growth:.2f}",
        _within("first call with nothing compiled, s", start.compiling, TARGETS["compile s"])
        + f" (cached, in a fresh process: {start.cached:.1f})",
        _within("one series, warm, ms", start.one_series, TARGETS["one series ms"]),
        f"the same frame on 1 and 2 threads: {'yes' if start.same else 'no'}",
    ]


def _within(what: str, value: float, most: float) -> str:
    return f"{what} (target: at most {most}): {value:.1f}: {_met(value <= most)}"


def _met(target: bool) -> str:
    return "met" if target else "missed"


def log_to_mlflow(measured: Sequence[Measured], start: Start, *, uri: str, params: Mapping[str, str]) -> None:
    """Record one MLflow run: metrics by size, with the number of series as step.

    Parameters
    ----------
    measured : sequence of Measured
    start : Start
    uri : str
        sqlite:///FILE or the address of a server.
    params : mapping of str to str

    Raises
    ------
    StoreFault
        The store does not answer.
    """
    from mlflow.entities import Metric, Param

    client, experiment = experiment_at(uri, EXPERIMENT)
    run = client.create_run(experiment, run_name=params["model"])
    now = run.info.start_time
    metrics = [Metric(key, value, now, step) for key, value, step in metrics_of(measured, start)]
    client.log_batch(run.info.run_id, metrics=metrics, params=[Param(key, value) for key, value in params.items()])
    client.set_terminated(run.info.run_id)


def metrics_of(measured: Sequence[Measured], start: Start) -> Iterator[tuple[str, float, int]]:
    """Yield name, value and step of what is recorded."""
    for one in measured:
        for name in ("panel", "forecast", "frame", "cpu"):
            yield f"{name}.seconds", getattr(one, name), one.series
        yield "seconds", one.seconds, one.series
        yield "series_per_second", one.rate, one.series
        yield "peak_mb", one.memory, one.series
    yield "compiling.seconds", start.compiling, 0
    yield "cached.seconds", start.cached, 0
    yield "one_series.ms", start.one_series, 0
    yield "same_on_any_threads", float(start.same), 0


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _pin() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Time and memory of panels of synthetic series.")
    parser.add_argument("--sizes", type=int, nargs="+", metavar="N", help=f"default: {' '.join(map(str, SIZES))}")
    parser.add_argument("--model", default="auto", help="default: auto")
    parser.add_argument("--quick", action="store_true", help="a few series: a smoke test, not the table")
    parser.add_argument("--no-mlflow", action="store_true", help="record nothing")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run, print, record."""
    asked = _arguments(argv)
    sizes = sorted(asked.sizes or (QUICK_SIZES if asked.quick else SIZES))
    threads = {THREADS_VARIABLE: str(CORES), "OMP_NUM_THREADS": "1"}
    start = starts(asked.model, sizes[0], threads)
    measured = []
    for size in sizes:
        measured.append(alone(measure, threads, size, asked.model))
        _say(f"{size:,} series: {measured[-1].seconds:.1f} s")
    print(
        f"Synthetic monthly series of {MONTHS} months, {asked.model}, {HORIZON} months ahead, {PATHS} paths a series; "
        f"{CORES} processors"
    )
    if asked.quick:
        print("--quick: too few series to say anything of time or memory")
    print("\n" + text_table(table_rows(measured)) + "\n")
    print("\n".join(verdict(measured, start)))
    if not asked.no_mlflow:
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}mlflow.db")
        params = {"model": asked.model, "quick": str(asked.quick), "cores": str(CORES), "seed": str(SEED)}
        try:
            log_to_mlflow(measured, start, uri=uri, params=params)
        except StoreFault as fault:
            _say(f"MLflow at '{uri}': not recorded: {fault}. Set MLFLOW_TRACKING_URI, or --no-mlflow to do without.")


if __name__ == "__main__":
    main()
