"""Scores of the benchmark, the mean of four peers, the table and what it says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from experiments.benchmark_data import Series, Task
from experiments.benchmark_models import QUANTILES, Answer, Measured
from forecast.evaluate.metrics import seasonal_naive_scale
from forecast.panel import FloatArray

SCUM = "SCUM"
SCUM_MEMBERS = ("AutoETS", "AutoCES", "AutoARIMA", "DynamicOptimizedTheta")
DECILES = slice(1, -1)
COLUMNS = ("MASE", "sMAPE %", "WQL", "80 %", "95 %", "total 80 %", "seconds", "cpu s", "first s", "MB")


@dataclass(frozen=True)
class Scores:
    """How good a model's answer was and what it cost.

    Attributes
    ----------
    mase : float
        Mean over series of the mean absolute error over the horizon, each over its in-sample mean absolute
        seasonal-naive change; series without any change are left out.
    smape : float
        Mean of 2 |y - f| / (|y| + |f|), 0 where both are 0 (a share).
    wql : float
        Twice the quantile loss, averaged over 0.1, ..., 0.9, summed over all and divided by the summed outturn.
    coverage_80, coverage_95 : float
        Share of outturns within the central interval.
    coverage_total_80 : float
        Share of series whose sum over the horizon is within its own interval; NaN without paths.
    answered : int
        Series scored.
    seconds, cpu_seconds, first_seconds, memory_mb : float
        See `Measured`.
    """

    mase: float
    smape: float
    wql: float
    coverage_80: float
    coverage_95: float
    coverage_total_80: float
    answered: int
    seconds: float
    cpu_seconds: float
    first_seconds: float
    memory_mb: float

    def metrics(self) -> Iterator[tuple[str, float]]:
        """Yield what is known: names and figures."""
        for name, value in asdict(self).items():
            if np.isfinite(value):
                yield name, float(value)


@dataclass(frozen=True)
class Result:
    """All models on one panel.

    Attributes
    ----------
    task : Task
    series : int
        Series of the panel, or of its sample.
    scores : mapping of model name to Scores or None
        None where the model failed.
    """

    task: Task
    series: int
    scores: Mapping[str, Scores | None]


def score(series: Series, measured: Measured) -> Scores:
    """Score an answer on the series it holds figures for."""
    answer = measured.answer
    kept = np.asarray(np.isfinite(answer.points).all(axis=1) & np.isfinite(answer.quantiles).all(axis=(1, 2)))
    actual, points, quantiles = series.actual[kept], answer.points[kept], answer.quantiles[kept]
    scale = seasonal_naive_scale(series.history[kept], series.task.period)
    size = np.abs(actual) + np.abs(points)
    return Scores(
        mase=float(np.nanmean(np.abs(points - actual).mean(axis=1) / scale)),
        smape=float(np.mean(2 * np.abs(points - actual) / np.where(size > 0, size, 1.0))),
        wql=float(quantile_loss(actual, quantiles[..., DECILES], QUANTILES[DECILES]).mean() * 2 / actual.mean()),
        coverage_80=_within(actual, quantiles, 0.1, 0.9),
        coverage_95=_within(actual, quantiles, 0.025, 0.975),
        coverage_total_80=_totals_within(actual, answer, kept),
        answered=int(kept.sum()),
        seconds=measured.seconds,
        cpu_seconds=measured.cpu,
        first_seconds=measured.first,
        memory_mb=measured.memory,
    )


def quantile_loss(actual: FloatArray, predicted: FloatArray, qs: Sequence[float]) -> FloatArray:
    """Quantile loss of every outturn (...) and quantile (..., q)."""
    q = np.asarray(qs)
    miss = actual[..., None] - predicted
    return np.asarray(np.maximum(q * miss, (q - 1) * miss), dtype=np.float64)


def _within(actual: FloatArray, quantiles: FloatArray, low: float, high: float) -> float:
    ends = quantiles[..., QUANTILES.index(low)], quantiles[..., QUANTILES.index(high)]
    return float(np.mean((actual >= ends[0]) & (actual <= ends[1])))


def _totals_within(actual: FloatArray, answer: Answer, kept: npt.NDArray[np.bool_]) -> float:
    if answer.totals is None:
        return float("nan")
    low, high = answer.totals[kept].T
    total = actual.sum(axis=1)
    return float(np.mean((total >= low) & (total <= high)))


def mean_of(members: Sequence[Measured]) -> Measured:
    """Average the points and, quantile by quantile, the quantiles of models run one after the other.

    Seconds add up; memory is that of the largest. There are no joint paths to average, hence no totals.
    """
    answers = [each.answer for each in members]
    return Measured(
        Answer(np.mean([a.points for a in answers], axis=0), np.mean([a.quantiles for a in answers], axis=0)),
        first=sum(each.first for each in members),
        seconds=sum(each.seconds for each in members),
        cpu=sum(each.cpu for each in members),
        memory=max(each.memory for each in members),
    )


def table_rows(result: Result) -> list[list[str]]:
    """Lay out a panel: a header and a row a model."""
    rows = [[f"{result.task.panel}, h={result.task.horizon}, {result.series} series", *COLUMNS]]
    for name, scores in result.scores.items():
        if scores is None:
            rows.append([name, *["failed"], *["-"] * (len(COLUMNS) - 1)])
            continue
        label = name if scores.answered == result.series else f"{name} ({scores.answered} series)"
        shares = (scores.coverage_80, scores.coverage_95, scores.coverage_total_80)
        costs = (scores.seconds, scores.cpu_seconds, scores.first_seconds)
        rows.append(
            [
                label,
                f"{scores.mase:.4f}",
                f"{100 * scores.smape:.2f}",
                f"{scores.wql:.4f}",
                *("-" if np.isnan(share) else f"{100 * share:.1f}" for share in shares),
                *(f"{cost:.2f}" if cost < 10 else f"{cost:.0f}" for cost in costs),
                f"{scores.memory_mb:.0f}",
            ]
        )
    return rows


def verdict(result: Result, name: str = "auto") -> list[str]:
    """Compare a model of this library with the mean of peers, if both ran."""
    own, peers = result.scores.get(name), result.scores.get(SCUM)
    if own is None or peers is None:
        return []
    times = peers.seconds / own.seconds, peers.cpu_seconds / own.cpu_seconds
    return [
        f"{result.task.panel}: {name} / {SCUM}: MASE {own.mase / peers.mase:.3f} = {own.mase:.4f} / {peers.mase:.4f}, "
        f"WQL {own.wql / peers.wql:.3f} = {own.wql:.4f} / {peers.wql:.4f}; "
        f"1/{times[0]:.0f} of its seconds, 1/{times[1]:.0f} of its processor seconds"
    ]
