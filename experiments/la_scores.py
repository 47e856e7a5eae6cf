"""Scores on the local authorities: of a cell, of an origin, over origins, and of two methods against each other.

Everything is taken per origin first, over all areas, and then averaged, so that each origin counts the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.panel import FloatArray

QUANTILES = (0.025, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.975)
RESAMPLES = 2000
BOOTSTRAP_SEED = 7


@dataclass(frozen=True)
class Scored:
    """Scores of every method on one measure.

    Attributes
    ----------
    measure : str
    horizons : tuple of int
        Horizons the table shows.
    cells : DataFrame
        unique_id, model, origin, horizon and the columns of `cell_statistics`, a row an area.
    totals : DataFrame
        The same of the sum over areas.
    seconds : mapping of method to float
        Wall time of running it; the methods in the order of the table.
    missing : tuple of str
        Methods whose package is not installed.
    """

    measure: str
    horizons: tuple[int, ...]
    cells: pd.DataFrame
    totals: pd.DataFrame
    seconds: Mapping[str, float]
    missing: tuple[str, ...] = ()

    @property
    def methods(self) -> list[str]:
        """Names, in the order they ran."""
        return list(self.seconds)

    def at(self, years: Sequence[int]) -> Scored:
        """Keep the origins of some years."""
        cells, totals = (part[part["origin"].dt.year.isin(years)] for part in (self.cells, self.totals))
        return replace(self, cells=cells, totals=totals)


def cell_statistics(actual: FloatArray, point: FloatArray, quantiles: FloatArray) -> dict[str, FloatArray]:
    """Return what is scored of forecasts.

    Parameters
    ----------
    actual, point : ndarray (n, h)
        Outturn, NaN where not scored, and point forecast.
    quantiles : ndarray (n, h, q)
        At `QUANTILES`.

    Returns
    -------
    dict of str to ndarray (n, h)
        actual, point, error, abs_error, wis, covered_80, covered_95, lo_80, hi_80, lo_95, hi_95.
    """
    error = point - actual
    stats = {"actual": actual, "point": point, "error": error, "abs_error": np.abs(error)}
    stats["wis"] = weighted_interval_score(actual, quantiles)
    for level, tail in ((80, 0.1), (95, 0.025)):
        low, high = (quantiles[..., QUANTILES.index(q)] for q in (tail, 1 - tail))
        stats[f"covered_{level}"] = ((actual >= low) & (actual <= high)).astype(float)
        stats[f"lo_{level}"], stats[f"hi_{level}"] = low, high
    return stats


def weighted_interval_score(actual: FloatArray, quantiles: FloatArray) -> FloatArray:
    """Weighted interval score from the median and five central intervals (20, 40, 60, 80 and 95 %).

    As twice the quantile loss averaged over `QUANTILES`, which is the same: Bracher, Ray, Gneiting and Reich
    2021, *PLOS Computational Biology* 17, e1008618, equations 1 to 3.

    Parameters
    ----------
    actual : ndarray (...)
    quantiles : ndarray (..., q)
        At `QUANTILES`.

    Returns
    -------
    ndarray (...)
        In the units of the figures; of a forecast without width it is the absolute error.
    """
    q, miss = np.asarray(QUANTILES), actual[..., None] - quantiles
    return np.asarray(2 * np.maximum(q * miss, (q - 1) * miss).mean(axis=-1), dtype=np.float64)


def by_origin(cells: pd.DataFrame) -> pd.DataFrame:
    """Scores of every origin, over its areas.

    Returns
    -------
    DataFrame
        Index model, horizon, origin; wape, bias, wis in per cent of the outturn, and coverage_80,
        coverage_95 in per cent of areas.
    """
    groups = cells.groupby(["model", "horizon", "origin"])
    total = groups[["actual", "abs_error", "error", "wis"]].sum()
    share = 100 * total[["abs_error", "error", "wis"]].div(total["actual"], axis=0)
    covered = 100 * groups[["covered_80", "covered_95"]].mean()
    return pd.concat(
        [
            share.set_axis(["wape", "bias", "wis"], axis=1),
            covered.set_axis(["coverage_80", "coverage_95"], axis=1),
        ],
        axis=1,
    )


def at_each_origin(cells: pd.DataFrame, score: str) -> dict[tuple[str, int, pd.Timestamp], float]:
    """Return one score of `by_origin` by method, horizon and origin."""
    rows = by_origin(cells).reset_index()
    keys = zip(rows["model"], rows["horizon"], rows["origin"], strict=True)
    return dict(zip(keys, rows[score], strict=True))


def averages(scored: Scored, score: str = "wape", cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Average a score of `by_origin` over origins: a row a method, a column a horizon; NaN without an answer."""
    rows = by_origin(scored.cells if cells is None else cells)[score].groupby(level=["model", "horizon"]).mean()
    return rows.unstack("horizon").reindex(index=scored.methods, columns=list(scored.horizons))


def origin_counts(scored: Scored) -> pd.DataFrame:
    """Origins each method has answered: a row a method, a column a horizon."""
    counts = scored.cells.groupby(["model", "horizon"])["origin"].nunique().unstack("horizon")
    return counts.reindex(index=scored.methods, columns=list(scored.horizons)).fillna(0).astype(int)


def pooled(scored: Scored) -> pd.DataFrame:
    """Coverage over all cells of the shown horizons, of areas and of the total, and the average bias; per cent."""
    cells, totals = (part[part["horizon"].isin(scored.horizons)] for part in (scored.cells, scored.totals))
    names = ["covered_80", "covered_95"]
    of_areas, of_total = (100 * part.groupby("model")[names].mean() for part in (cells, totals))
    frame = pd.concat(
        [
            of_areas.set_axis(["coverage_80", "coverage_95"], axis=1),
            of_total.set_axis(["total_80", "total_95"], axis=1),
            by_origin(cells)["bias"].groupby(level="model").mean(),
        ],
        axis=1,
    )
    return frame.reindex(scored.methods)


def best_of(scored: Scored, among: Sequence[str], horizon: int, *, beside: str) -> str:
    """Return the method of `among` with the lowest WAPE, in hindsight, over the origins that `beside` answered.

    A method that missed one of these origins is not chosen.
    """
    cells = scored.cells[scored.cells["horizon"] == horizon]
    cells = cells[cells["origin"].isin(cells.loc[cells["model"] == beside, "origin"])]
    counts, wape = cells.groupby("model")["origin"].nunique(), averages(scored, cells=cells)[horizon]
    there = [name for name in among if counts.get(name, 0) == counts[beside]]
    return str(wape[there].idxmin())


@dataclass(frozen=True)
class Gain:
    """One method against another at one horizon, over the same cells.

    Attributes
    ----------
    horizon, origins : int
    method, other : str
    wape, other_wape : float
        Per cent.
    low, high : float
        95 % interval of `wape - other_wape` over samples of areas.
    """

    horizon: int
    origins: int
    method: str
    other: str
    wape: float
    other_wape: float
    low: float
    high: float

    @property
    def percent(self) -> float:
        """How far below the other it is, in per cent of the other."""
        return 100 * (1 - self.wape / self.other_wape)


def gain(scored: Scored, method: str, other: str, horizon: int) -> Gain:
    """Compare two methods; the interval is from a paired bootstrap over areas.

    Areas are drawn with replacement, each with all its origins and for both methods at once: this says how
    far the choice of areas could have made the difference, not what other years would have brought.
    """
    cells = scored.cells[(scored.cells["horizon"] == horizon) & scored.cells["model"].isin([method, other])]
    wide = cells.pivot(index="unique_id", columns=["model", "origin"], values=["abs_error", "actual"])
    ours, theirs = (wide["abs_error"][name] for name in (method, other))
    origins = ours.columns.intersection(theirs.columns)
    errors = [each[origins].fillna(0.0).to_numpy() for each in (ours, theirs)]
    actual = wide["actual"][method][origins].fillna(0.0).to_numpy()
    n = len(wide)
    samples = np.random.default_rng(BOOTSTRAP_SEED).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    drawn = np.vstack([np.ones(n), samples])
    wape = [100 * (drawn @ error / (drawn @ actual)).mean(axis=1) for error in errors]
    low, high = np.quantile((wape[0] - wape[1])[1:], [0.025, 0.975])
    return Gain(horizon, len(origins), method, other, wape[0][0], wape[1][0], float(low), float(high))
