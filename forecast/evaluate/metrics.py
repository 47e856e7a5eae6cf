"""Metrics: each is a statistic of one forecast and a way to add it up.

Statistics are columns of *cells*, one row a series, model, origin and horizon. `summarise` adds them up
within an origin, then averages over origins, so that each origin counts the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.panel import FloatArray

QUANTILES = tuple(np.round(np.arange(0.1, 0.95, 0.1), 1))
MIN_ORIGINS = 3
CELL = ("unique_id", "origin", "horizon")


@dataclass(frozen=True)
class Metric:
    """Sum of a statistic over sum of another, or its mean when `over` is None."""

    name: str
    statistic: str
    over: str | None = None


METRICS = (
    Metric("wape", "abs_error", "actual"),
    Metric("bias", "error", "actual"),
    Metric("mase", "scaled_abs_error"),
    Metric("pinball", "pinball", "actual"),
    Metric("coverage_80", "covered_80"),
    Metric("coverage_95", "covered_95"),
)
STATISTICS = ("actual", "point", "error", "abs_error", "scaled_abs_error", "pinball", "covered_80", "covered_95")


def seasonal_naive_scale(values: FloatArray, period: int) -> FloatArray:
    """Mean absolute seasonal-naive change in sample, the scale of MASE.

    Parameters
    ----------
    values : ndarray (n, T)
        History up to the origin; NaN where missing.
    period : int
        Season length; 1 compares with the period before.

    Returns
    -------
    ndarray (n,)
        NaN where there is no change to measure.
    """
    changes = np.abs(values[:, period:] - values[:, :-period])
    count = np.isfinite(changes).sum(axis=1)
    total = np.where(np.isfinite(changes), changes, 0.0).sum(axis=1)
    return np.where((count > 0) & (total > 0), total / np.maximum(count, 1), np.nan)


def pinball(actual: FloatArray, paths: FloatArray) -> FloatArray:
    """Twice the quantile loss, averaged over 0.1, 0.2, ..., 0.9: summed over actuals it is the WQL.

    Parameters
    ----------
    actual : ndarray (...)
    paths : ndarray (..., p)
    """
    predicted = np.quantile(paths, QUANTILES, axis=-1)
    q = np.asarray(QUANTILES).reshape(-1, *([1] * actual.ndim))
    miss = actual - predicted
    return np.asarray(2 * np.maximum(q * miss, (q - 1) * miss).mean(axis=0), dtype=np.float64)


def covered(actual: FloatArray, paths: FloatArray, level: float) -> FloatArray:
    """1 where the central interval of `level` per cent holds the outturn, else 0; NaN without outturn."""
    tail = (1 - level / 100) / 2
    low, high = np.quantile(paths, [tail, 1 - tail], axis=-1)
    inside = ((actual >= low) & (actual <= high)).astype(float)
    return np.where(np.isfinite(actual), inside, np.nan)


def statistics(actual: FloatArray, paths: FloatArray, scale: FloatArray) -> dict[str, FloatArray]:
    """Return every statistic of a forecast.

    Parameters
    ----------
    actual : ndarray (n, h)
        Outturn; NaN where not known.
    paths : ndarray (n, h, p)
    scale : ndarray (n,)
        From `seasonal_naive_scale`.

    Returns
    -------
    dict of str to ndarray (n, h)
        Keys are `STATISTICS`; the point is the median.
    """
    point = np.median(paths, axis=-1)
    error = point - actual
    return {
        "actual": actual,
        "point": point,
        "error": error,
        "abs_error": np.abs(error),
        "scaled_abs_error": np.abs(error) / scale[:, None],
        "pinball": pinball(actual, paths),
        "covered_80": covered(actual, paths, 80),
        "covered_95": covered(actual, paths, 95),
    }


def summarise(cells: pd.DataFrame, *, by: Sequence[str], min_origins: int = MIN_ORIGINS) -> pd.DataFrame:
    """Add cells up to metrics.

    Parameters
    ----------
    cells : DataFrame
        The columns of `by`, unique_id, origin and `STATISTICS`.
    by : sequence of str
        What one row of the answer stands for, e.g. ("measure", "model", "horizon").
    min_origins : int, default 3
        With fewer origins the metrics are NaN: not measured.

    Returns
    -------
    DataFrame
        by, wape, bias, mase, pinball, coverage_80, coverage_95 (shares), n_series, n_origins.
    """
    keys = list(by)
    sums = cells.groupby([*keys, "origin"], observed=True, sort=True)[list(STATISTICS)]
    total, mean = sums.sum(), sums.mean()
    per_origin = pd.DataFrame(index=total.index)
    for metric in METRICS:
        if metric.over is None:
            per_origin[metric.name] = mean[metric.statistic]
        else:
            over = total[metric.over]
            per_origin[metric.name] = total[metric.statistic] / over.where(over > 0)
    rows = per_origin.groupby(level=keys, observed=True, sort=True)
    frame = rows.mean()
    n_origins = rows.size()
    frame = frame.where(n_origins >= min_origins, np.nan)
    frame["n_series"] = cells.groupby(keys, observed=True, sort=True)["unique_id"].nunique()
    frame["n_origins"] = n_origins
    return frame.reset_index()


def common_cells(cells: pd.DataFrame, *, within: Sequence[str]) -> pd.DataFrame:
    """Keep the forecasts that every measured model made, so that models compare fairly.

    Parameters
    ----------
    cells : DataFrame
        The columns of `within`, unique_id, model, origin and horizon; a unique_id belongs to one value of
        `within`.
    within : sequence of str
        Columns that name one comparison, e.g. ("measure",).

    Returns
    -------
    DataFrame
        Rows of `cells`. A model with fewer than three origins in a comparison is left out of it and does
        not narrow the others.
    """
    origins = cells.groupby([*within, "model"], observed=True)["origin"].transform("nunique")
    measured = cells[origins >= MIN_ORIGINS]
    models = measured.groupby(list(within), observed=True)["model"].transform("nunique")
    made_by = measured.groupby([*CELL], observed=True)["model"].transform("nunique")
    return measured[made_by == models]


def to_long(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the metrics of every cell, long: unique_id, model, origin, horizon, metric, value."""
    keys = ["unique_id", "model", "origin", "horizon"]
    frame = cells[keys].copy()
    for metric in METRICS:
        value = cells[metric.statistic]
        frame[metric.name] = value if metric.over is None else value / cells[metric.over].where(cells[metric.over] > 0)
    return frame.melt(id_vars=keys, var_name="metric", value_name="value")
