"""Forecast a panel, evaluate models on it: the two verbs of the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import cast

import numpy as np
import pandas as pd

from forecast.errors import SpecError
from forecast.evaluate.metrics import STATISTICS, seasonal_naive_scale, statistics, summarise, to_long
from forecast.evaluate.origins import evaluation_ends
from forecast.models.base import Model
from forecast.models.specs import ModelSpec, by_name, spec_name
from forecast.panel import Panel
from forecast.paths import Forecast
from forecast.study import cell_rows, no_cells, study_panel

Projection = Callable[[Panel, int], Forecast]


def forecast_panel(
    panel: Panel,
    *,
    horizon: int,
    model: ModelSpec = "auto",
    seed: int = 0,
    n_paths: int = 1000,
    integer: bool = False,
    max_gap: int = 2,
    executor: Executor | None = None,
) -> Forecast:
    """Forecast every series of a panel.

    Parameters
    ----------
    panel : Panel
    horizon : int
        Periods after the last date of the panel.
    model : str, Model or list, default "auto"
        A name of `models.names()`, an instance, a list (the equal mean of its models) or "auto" (a
        combination weighted by rolling origins).
    seed, n_paths : int
        The same seed gives the same paths, whatever the order of rows.
    integer : bool, default False
        Draw whole numbers.
    max_gap : int, default 2
        Longest interior gap that is interpolated, and longest silence at the end of a series.
    executor : concurrent.futures.Executor, optional
        Where one-series-at-a-time models run; default in this process.

    Returns
    -------
    Forecast

    Examples
    --------
    >>> df = pd.DataFrame({"unique_id": "requests/A", "ds": pd.date_range("2019", periods=5, freq="YS"),
    ...                    "y": [100.0, 110, 120, 130, 140]})
    >>> fc = forecast_panel(Panel.from_frame(df, freq="YS"), horizon=2, model="drift", seed=1)
    >>> fc.to_frame()["median"].round().tolist()
    [150.0, 160.0]
    """
    study = study_panel(panel, [model], horizon=horizon, max_gap=max_gap, executor=executor)
    return study.forecast(spec_name(model), seed=seed, n_paths=n_paths, integer=integer)


def evaluate_panel(
    panel: Panel,
    *,
    horizon: int,
    models: Sequence[ModelSpec | Projection],
    origins: int = 6,
    by: Sequence[str] | None = None,
    seed: int = 0,
    max_gap: int = 2,
    executor: Executor | None = None,
) -> pd.DataFrame:
    """Score models by rolling-origin evaluation.

    Parameters
    ----------
    panel : Panel
    horizon : int
    models : sequence
        Names, instances, lists, or callables `(panel, horizon) -> Forecast` such as a domain projection.
    origins : int, default 6
        Latest origins, one period apart; an origin counts at each horizon whose outturn exists.
    by : sequence of str, optional
        Pool instead: what one score stands for, of model, horizon, unique_id and key columns. Errors are
        added up within an origin, then averaged over origins; fewer than three give NaN, "not measured".
    seed, max_gap, executor
        As for `forecast_panel`.

    Returns
    -------
    DataFrame
        unique_id, model, origin, horizon, metric, value; with `by` those columns, n_series, n_origins,
        metric, value.
    """
    if horizon < 1:
        raise SpecError(f"horizon {horizon}: at least 1 period is needed. Ask for 1 or more.")
    if origins < 1:
        raise SpecError(f"origins {origins}: at least 1 is needed. Ask for 3 or more to have anything measured.")
    specs = by_name(models)
    named = {name: cast("ModelSpec", spec) for name, spec in specs.items() if not _is_projection(spec)}
    parts = []
    if named:
        study = study_panel(panel, named, horizon=horizon, origins=origins, max_gap=max_gap, executor=executor)
        parts.append(study.cells(list(named), origins=origins, seed=seed))
    parts += [
        _projection_cells(panel, name, cast("Projection", spec), horizon=horizon, origins=origins)
        for name, spec in specs.items()
        if _is_projection(spec)
    ]
    filled = [part for part in parts if len(part)]
    cells = pd.concat(filled, ignore_index=True) if filled else no_cells()
    return to_long(cells) if by is None else _pooled(cells.join(panel.keys, on="unique_id"), by)


def _pooled(cells: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    allowed = [name for name in cells.columns if name not in ("origin", "ds", *STATISTICS)]
    unknown = [name for name in by if name not in allowed]
    if unknown or not by:
        raise SpecError(f"by {list(by)}: scores can be pooled by {', '.join(allowed)}. Name one or more of them.")
    keys = [*by, "n_series", "n_origins"]
    return summarise(cells, by=by).melt(id_vars=keys, var_name="metric", value_name="value")


def _is_projection(spec: ModelSpec | Projection) -> bool:
    return callable(spec) and not isinstance(spec, Model)


def _projection_cells(panel: Panel, name: str, project: Projection, *, horizon: int, origins: int) -> pd.DataFrame:
    window = panel.window()
    padded = np.hstack([window.values, np.full((len(window.ids), horizon), np.nan)])
    position = {unique_id: i for i, unique_id in enumerate(window.ids)}
    parts = []
    for end in evaluation_ends(window.values.shape[1], origins):
        made = project(panel.until(end), horizon)
        rows = np.array([position[unique_id] for unique_id in made.ids], dtype=np.int64)
        scale = seasonal_naive_scale(window.values[rows, :end], window.period)
        stats = statistics(padded[rows, end : end + horizon], made.paths, scale)
        parts.append(cell_rows(panel, name, end, rows, stats))
    return pd.concat(parts, ignore_index=True) if parts else no_cells()
