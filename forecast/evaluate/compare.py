"""Tell whether one model is better than another or the difference is noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from forecast.errors import SpecError
from forecast.evaluate.metrics import MIN_ORIGINS
from forecast.panel import FloatArray

RESAMPLES = 2000
COLUMNS = (
    "model",
    "reference",
    "wape",
    "wape_reference",
    "difference",
    "lo-95",
    "hi-95",
    "n_series",
    "n_origins",
    "verdict",
)


def compare(
    cells: pd.DataFrame,
    *,
    reference: str,
    by: Sequence[str] = ("horizon",),
    seed: int = 0,
) -> pd.DataFrame:
    """Compare every model with a reference, paired over series and origins.

    Series and origins are resampled independently (a two-way bootstrap), because areas share the shock of
    an origin and an area's errors resemble each other over origins; the interval is widened for the few
    origins there are.

    Parameters
    ----------
    cells : DataFrame
        unique_id, model, origin, horizon, actual, abs_error and the columns of `by`.
    reference : str
        Model the others are compared with.
    by : sequence of str, default ("horizon",)
        A comparison for each of their values; none: one over everything.
    seed : int

    Returns
    -------
    DataFrame
        by, model, reference, wape, wape_reference (over the cells both have), difference, lo-95, hi-95, n_series,
        n_origins and verdict: "better" or "worse" when the interval of the difference leaves zero out,
        "noise" when it does not, "not measured" with fewer than three origins.
    """
    models = sorted(map(str, cells["model"].unique()))
    if reference not in models:
        raise SpecError(
            f"reference {reference!r}: not among the evaluated models {', '.join(models)}. Name one of them."
        )
    keys = list(by)
    rows = []
    for values, part in cells.groupby(keys, observed=True, sort=True) if keys else [((), cells)]:
        base = part[part["model"] == reference]
        for name in models:
            if name != reference:
                own = part[part["model"] == name]
                rows.append({**dict(zip(keys, values, strict=True)), **_paired(name, own, base, reference, seed)})
    return pd.DataFrame(rows, columns=[*keys, *COLUMNS])


def _paired(name: str, own: pd.DataFrame, base: pd.DataFrame, reference: str, seed: int) -> dict[str, object]:
    pairs = own.merge(base, on=["unique_id", "origin", "horizon"], suffixes=("", "_ref"))
    pairs = pairs.dropna(subset=["abs_error", "abs_error_ref", "actual"])
    n_origins, n_series = pairs["origin"].nunique(), pairs["unique_id"].nunique()
    row: dict[str, object] = {"model": name, "reference": reference, "n_series": n_series, "n_origins": n_origins}
    if n_origins < MIN_ORIGINS or pairs["actual"].sum() <= 0:
        empty = dict.fromkeys(("wape", "wape_reference", "difference", "lo-95", "hi-95"), np.nan)
        return {**row, **empty, "verdict": "not measured"}
    missed, missed_ref, actual = (_matrix(pairs, column) for column in ("abs_error", "abs_error_ref", "actual"))
    wape, wape_ref = _mean_wape(missed, actual), _mean_wape(missed_ref, actual)
    low, high = (
        wape
        - wape_ref
        + _widened(
            np.nanquantile(_resampled(missed - missed_ref, actual, seed), [0.025, 0.975]) - (wape - wape_ref), n_origins
        )
    )
    verdict = "noise" if low <= 0 <= high else ("better" if high < 0 else "worse")
    return {
        **row,
        "wape": wape,
        "wape_reference": wape_ref,
        "difference": wape - wape_ref,
        "lo-95": low,
        "hi-95": high,
        "verdict": verdict,
    }


def _matrix(pairs: pd.DataFrame, column: str) -> FloatArray:
    wide = pairs.pivot_table(index="origin", columns="unique_id", values=column, aggfunc="sum", fill_value=0.0)
    return wide.to_numpy(dtype=float)


def _resampled(gain: FloatArray, actual: FloatArray, seed: int) -> FloatArray:
    """Two-way bootstrap of the difference in WAPE."""
    rng = np.random.default_rng(seed)
    k, n = gain.shape
    origins = rng.multinomial(k, np.full(k, 1 / k), size=RESAMPLES)
    series = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    above, below = series @ gain.T, series @ actual.T
    by_origin = np.divide(above, below, out=np.zeros_like(above), where=below > 0)
    counted = origins * (below > 0)
    total = counted.sum(axis=1)
    difference: FloatArray = np.where(total > 0, (counted * by_origin).sum(axis=1) / np.maximum(total, 1), np.nan)
    return difference


def _widened(ends: FloatArray, n_origins: int) -> FloatArray:
    """Widen the ends of a bootstrap interval for the few origins it resamples: Student's t over normal, and n - 1."""
    factor = stats.t.ppf(0.975, n_origins - 1) / stats.norm.ppf(0.975) * np.sqrt(n_origins / (n_origins - 1))
    return np.asarray(ends * factor, dtype=np.float64)


def _mean_wape(missed: FloatArray, actual: FloatArray) -> float:
    """Add up within an origin and average over origins, as `summarise` does."""
    total = actual.sum(axis=1)
    return float((missed.sum(axis=1)[total > 0] / total[total > 0]).mean())
