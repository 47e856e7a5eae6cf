"""What the benchmark runs: this library's models and their peers, each alone in a process of its own.

Peers run as they come: native intervals, nothing clipped, one process. A model of statsforecast that fails
on a series is answered by its seasonal naive, as its users would have it.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from experiments.benchmark_data import SEED, Series, load
from forecast import models
from forecast.panel import FloatArray
from forecast.paths import Forecast

QUANTILES: tuple[float, ...] = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
LEVELS = (20, 40, 60, 80, 95)
CORES = 2
WARMING_SERIES = 2
OWN = ("auto", "seasonal_naive", "theta", "ets", "structural", "count_regression", "prophet")
STATSFORECAST = ("SeasonalNaive", "AutoETS", "AutoCES", "AutoARIMA", "DynamicOptimizedTheta", "AutoTheta")
MEGABYTE = 1_000_000


@dataclass(frozen=True, eq=False)
class Answer:
    """Forecasts of a panel; NaN where a model gave none.

    Attributes
    ----------
    points : ndarray (n, h)
    quantiles : ndarray (n, h, 11)
        At `QUANTILES`.
    totals : ndarray (n, 2) or None
        Ends of the 80 % interval of the sum over the horizon; None of a model that draws no paths.
    """

    points: FloatArray
    quantiles: FloatArray
    totals: FloatArray | None = None


Run = Callable[[Series], Callable[[], Answer]]


@dataclass(frozen=True)
class Contender:
    """A model of the benchmark.

    Attributes
    ----------
    run : callable
        Forecasts series; what it returns reads the answer out, which is not timed.
    package : str
        What has to be installed.
    batch : bool
        True: answers all series at once, so that warming up takes them all. False: takes a few.
    """

    run: Run
    package: str
    batch: bool = False


@dataclass(frozen=True, eq=False)
class Measured:
    """An answer and what it cost.

    Attributes
    ----------
    answer : Answer
    first : float
        Wall seconds of warming up: imports, compilation, a first call.
    seconds, cpu : float
        Wall and processor seconds of a warm call, from a long table to points and quantiles.
    memory : float
        Peak of the process in MB.
    """

    answer: Answer
    first: float
    seconds: float
    cpu: float
    memory: float


def contender(name: str) -> Contender:
    """Return a model of the benchmark by its name."""
    if name in STATSFORECAST:
        return Contender(partial(_statsforecast, name), "statsforecast")
    if name == "Prophet":
        return Contender(_prophet, "prophet")
    return Contender(partial(_own, name), "forecast", batch=name == "auto" or models.get(name).capability.batch)


def own_names(*, slow: bool) -> tuple[str, ...]:
    """Names of this library's models in the table, those that take long included or not."""
    return tuple(name for name in OWN if slow or name == "auto" or not models.get(name).capability.slow)


PEERS = (*STATSFORECAST, "Prophet")


def installed(names: Sequence[str]) -> tuple[str, ...]:
    """Keep the models whose package is there."""
    return tuple(name for name in names if find_spec(contender(name).package))


def measure(panel: str, every: int, name: str) -> Measured:
    """Warm a model up, then time it on a panel; to be called in a fresh process.

    Parameters
    ----------
    panel : str
    every : int
        Take every so many-th series.
    name : str
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    series, model = load(panel).every(every), contender(name)
    warming = series.for_warming(None if model.batch else WARMING_SERIES)
    _ = series.frame, warming.frame
    first = time.perf_counter()
    model.run(warming)
    start, cpu = time.perf_counter(), time.process_time()
    read = model.run(series)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    return Measured(read(), start - first, seconds, cpu_seconds, peak_memory())


def peak_memory() -> float:
    """Return the most memory this process has held, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count the process this one was forked from
        text = status.read_text(encoding="ascii")
        return float(text.partition("VmHWM:")[2].split()[0]) * 1024 / MEGABYTE
    if sys.platform == "win32":
        return float("nan")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / MEGABYTE


def _own(name: str, series: Series) -> Callable[[], Answer]:
    from forecast import Panel, forecast_panel

    panel = Panel.from_frame(series.frame, freq=series.task.freq)
    made = forecast_panel(panel, horizon=series.task.horizon, model=name, seed=SEED)
    return partial(_read_paths, series, made, made.quantiles(QUANTILES))


def _read_paths(series: Series, made: Forecast, table: pd.DataFrame) -> Answer:
    n, horizon = series.actual.shape
    row = pd.Index(series.ids).get_indexer(pd.Index(made.ids))
    quantiles, totals = np.full((n, horizon, len(QUANTILES)), np.nan), np.full((n, 2), np.nan)
    quantiles[row] = table[list(QUANTILES)].to_numpy().reshape(-1, horizon, len(QUANTILES))
    totals[row] = np.quantile(made.paths.sum(axis=1), [0.1, 0.9], axis=-1).T
    return Answer(quantiles[:, :, QUANTILES.index(0.5)], quantiles, totals)


def _statsforecast(name: str, series: Series) -> Callable[[], Answer]:
    import statsforecast
    import statsforecast.models as fitters

    period = series.task.period
    engine = statsforecast.StatsForecast(
        models=[getattr(fitters, name)(season_length=period, alias=name)],
        freq=series.task.freq,
        n_jobs=1,
        fallback_model=fitters.SeasonalNaive(period),
    )
    table = engine.forecast(df=series.frame[["unique_id", "ds", "y"]], h=series.task.horizon, level=list(LEVELS))
    return partial(_read_levels, name, series, table)


def _read_levels(name: str, series: Series, table: pd.DataFrame) -> Answer:
    below = [f"{name}-lo-{level}" for level in reversed(LEVELS)]
    above = [f"{name}-hi-{level}" for level in LEVELS]
    ordered = table.set_index("unique_id").loc[list(series.ids), [*below, name, *above]]
    quantiles = ordered.to_numpy(dtype=np.float64).reshape(*series.actual.shape, len(QUANTILES))
    return Answer(quantiles[:, :, len(LEVELS)], quantiles)


def _prophet(series: Series) -> Callable[[], Answer]:
    from prophet import Prophet

    task = series.task
    ahead = pd.DataFrame({"ds": series.dates[-task.horizon :]})
    points, paths = [], []
    np.random.seed(SEED)  # noqa: NPY002 - where Prophet draws from
    for y in series.history:
        known = np.isfinite(y)
        model = Prophet(yearly_seasonality=min(5, task.period // 2), weekly_seasonality=False, daily_seasonality=False)
        model.fit(pd.DataFrame({"ds": series.dates[: len(y)][known], "y": y[known]}), algorithm="LBFGS")
        paths.append(model.predictive_samples(ahead)["yhat"])
        model.uncertainty_samples = 0
        points.append(model.predict(ahead)["yhat"].to_numpy(dtype=float))
    return partial(_read_samples, np.stack(points), np.stack(paths))


def _read_samples(points: FloatArray, paths: FloatArray) -> Answer:
    totals = np.quantile(paths.sum(axis=1), [0.1, 0.9], axis=-1).T
    return Answer(points, np.moveaxis(np.quantile(paths, QUANTILES, axis=-1), 0, -1), totals)
