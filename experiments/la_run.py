"""Run the methods over the rolling origins of a measure and score areas and the nation from the same paths."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from experiments.la_scores import QUANTILES, Scored, cell_statistics
from forecast import models
from forecast.evaluate.origins import evaluation_ends
from forecast.intervals import Draws, measured_spreads
from forecast.models.base import Model
from forecast.models.specs import ModelSpec
from forecast.panel import BoolArray, FloatArray, Panel
from forecast.sources.observations import panel_of, usable
from forecast.study import Study, cell_rows, study_panel

SEED = 2024
N_PATHS = 1000
NATION = "nation"


@dataclass(frozen=True)
class Origins:
    """Some of the origins of a task, to be reported besides all of them.

    Attributes
    ----------
    label : str
    years : tuple of int
    """

    label: str
    years: tuple[int, ...]


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
    also : Origins, optional
        What is reported besides all origins.
    """

    measure: str
    first_origin: int
    last_origin: int
    horizons: tuple[int, ...]
    may_miss: int = 0
    zeros: bool = False
    also: Origins | None = None

    @property
    def origins(self) -> int:
        """Number of origins."""
        return self.last_origin - self.first_origin + 1


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
    named = {name: models.get(name) for name in models.names()}
    named |= {name: spec for name, spec in methods.items() if isinstance(spec, Model)}
    scope = {name: sample for name, model in named.items() if not model.capability.batch}
    studies, seconds = dict[str, Study](), dict[str, float]()
    for name, spec in methods.items():
        start = time.perf_counter()
        studies[name] = study_panel(
            panel, {name: spec}, horizon=max(task.horizons), origins=task.origins, scope=scope, executor=executor
        )
        seconds[name] = time.perf_counter() - start
        progress(f"{task.measure}: {name} {seconds[name]:.1f} s")
    sampled = np.isin(np.asarray(panel.ids), sample)
    kept = same_cells(panel, studies, task.origins) & sampled[None, :, None]
    both = [scored_cells(study, name, kept) for name, study in studies.items()]
    cells, totals = (pd.concat(part, ignore_index=True) for part in zip(*both, strict=True))
    return Scored(task.measure, task.horizons, cells, totals, seconds)


def same_cells(panel: Panel, studies: Mapping[str, Study], origins: int) -> BoolArray:
    """Choose the cells all methods are scored on.

    Returns
    -------
    ndarray of bool (K, n, h)
        Series with a figure at the origin and an outturn that, at this origin and horizon, every method
        with any answer has answered.
    """
    ends = evaluation_ends(panel.values.shape[1], origins)
    answered = {}
    for name, study in studies.items():
        at = [study.rolling.ends.index(end) for end in ends]
        outturn, points = study.rolling.outturn()[at], study.rolling.points[name][at]
        answered[name] = np.isfinite(points) & np.isfinite(outturn)
    known = np.isfinite(panel.values[:, [end - 1 for end in ends]]).T[:, :, None]
    each = np.stack([there & known for there in answered.values()])
    silent = ~each.any(axis=2, keepdims=True)
    return np.asarray((each | silent).all(axis=0) & each.any(axis=0))


def scored_cells(study: Study, name: str, kept: BoolArray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score one method at its origins, each area and their total.

    The error of an area is that of the method's own point, not of a sampled median. The total is summed
    path by path, and its point is the sum of the points.

    Returns
    -------
    cells, totals : DataFrame
        unique_id, model, origin, horizon, ds and the columns of `cell_statistics`.
    """
    panel, rolling = study.panel, study.rolling
    made = study.combinations.get(name)
    calibrating = made.calibrating if made else rolling.points[name]
    cells, totals = [], []
    for end, wanted in zip(evaluation_ends(panel.values.shape[1], len(kept)), kept, strict=True):
        k = rolling.ends.index(end)
        points, outturn = rolling.points[name][k], rolling.outturn()[k]
        rows = np.flatnonzero(np.isfinite(points).all(axis=1) & wanted.any(axis=1))
        if not len(rows):
            continue
        spreads = measured_spreads(rolling, calibrating, seen=end)
        paths = Draws(rolling.window.ids, rolling.window.pools, points, spreads, n_paths=N_PATHS, seed=SEED).draw(rows)
        chosen = wanted[rows]
        actual = np.where(chosen, outturn[rows], np.nan)
        stats = cell_statistics(actual, points[rows], _quantiles(paths))
        cells.append(cell_rows(panel, name, end, rows, stats))
        summed = np.where(chosen[:, :, None], paths, 0.0).sum(axis=0)[None]
        there = [np.where(chosen, each[rows], 0.0).sum(axis=0) for each in (outturn, points)]
        total = [np.where(chosen.any(axis=0), each, np.nan)[None] for each in there]
        stats = cell_statistics(total[0], total[1], _quantiles(summed))
        totals.append(cell_rows(panel, name, end, np.zeros(1, dtype=np.int64), stats).assign(unique_id=NATION))
    return _joined(cells), _joined(totals)


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _quantiles(paths: FloatArray) -> FloatArray:
    """Return the quantiles scored, last axis (..., q)."""
    return np.moveaxis(np.quantile(paths, QUANTILES, axis=-1), 0, -1)
