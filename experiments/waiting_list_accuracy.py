"""How accurate are forecasts of published speech and language waiting lists? Prints tables, from bundled data alone.

    python -m experiments.waiting_list_accuracy [--no-mlflow] [--markdown FILE] [--reference FILE]

Providers that submitted a list in every month, one to six months ahead, from every month at which two are known; each
method sees the months up to it and nothing later. Targets are judged at one and three months, on the origins at which
naive has errors of that horizon behind it to make its interval of. Sizes: errors over outturns, per cent; shares over
18 weeks: percentage points, mean over providers; both per origin, then averaged.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.la_methods import EXTRA
from experiments.la_scores import BOOTSTRAP_SEED, QUANTILES, RESAMPLES, cell_statistics
from experiments.tables import markdown_table, text_table
from experiments.tracking import experiment_at
from experiments.waiting_list_flow import simulated
from experiments.waiting_list_methods import (
    MEASURES,
    N_PATHS,
    NAIVE,
    OURS,
    PEERS,
    RELATIVE,
    SEED,
    Method,
    carried,
    figures,
    methods,
)
from forecast import reference
from forecast.panel import FloatArray
from forecast.speech_language.list_panel import ListPanel, list_panel
from forecast.speech_language.published import forecast_lists, spread_of
from jobs.tracking import SQLITE
from jobs.tracking_store import StoreFault

COMMAND = "python -m experiments.waiting_list_accuracy"
EXPERIMENT = "waiting_list_accuracy"
HORIZON = 6
JUDGED = (1, 3)
SHOWN = (1, 2, 3, 6)
FEWEST = 3  # origins with errors of their own behind them; with fewer, all origins count
GAIN, LOWEST, HIGHEST = 10.0, 75.0, 85.0
UNIT = {"size": "WAPE %", "share": "points"}
ACCURACY = ("measure", "horizon", "origins", "error", "coverage_80", "spread", "first_origin", "last_origin", "command")


@dataclass(frozen=True)
class Difference:
    """A score of one method less that of another, with a 95 % interval over samples of providers."""

    value: float
    low: float
    high: float


def complete_panel() -> ListPanel:
    """Bundled lists of the providers that submitted one in every month."""
    panel = list_panel(reference.slt_waiting().observations)
    return panel.take(np.asarray(np.isfinite(panel.total).all(axis=1)))


def score(panel: ListPanel, run: dict[str, Method]) -> pd.DataFrame:
    """Forecast from every month at which two are known.

    Returns
    -------
    DataFrame
        A row a measure, method, origin, horizon and provider: measure, model, origin, horizon, unique_id, own_errors
        (whether naive has errors of that horizon behind it) and what `la_scores.cell_statistics` gives; without what
        has no outturn.
    """
    parts = []
    for name, method in run.items():
        for known in range(2, len(panel.months)):
            ahead = min(HORIZON, len(panel.months) - known)
            answers = method(panel.until(known), ahead)
            for measure in MEASURES:
                actual = figures(panel, measure)[:, known : known + ahead]
                stats = cell_statistics(actual, answers[measure].points, answers[measure].quantiles)
                before = carried(figures(panel.until(known), measure))[:, -1:]
                cells = {key: value.ravel() for key, value in (stats | {"before": before + 0 * actual}).items()}
                where: dict[str, Any] = {
                    "measure": measure,
                    "model": name,
                    "origin": panel.months[known - 1],
                    "horizon": np.tile(np.arange(1, ahead + 1), len(panel.ids)),
                    "unique_id": np.repeat(panel.ids, ahead),
                }
                own = {"own_errors": where["horizon"] < known}
                parts.append(pd.DataFrame({**where, **own, **cells}))
    return pd.concat(parts, ignore_index=True).dropna(subset="abs_error").reset_index(drop=True)


def judged(cells: pd.DataFrame) -> pd.DataFrame:
    """Keep the origins at which naive has errors of the horizon behind it, at horizons with three such or more."""
    own = cells[cells["own_errors"]].groupby("horizon")["origin"].nunique()
    few = cells["horizon"].map(own).fillna(0).lt(FEWEST)
    return cells[cells["own_errors"] | few]


def by_origin(cells: pd.DataFrame) -> pd.DataFrame:
    """Return error, wis and coverage of every measure, method, horizon and origin."""
    rows = cells.assign(over=np.where(cells["measure"].eq("size"), cells["actual"] / 100, 1.0))
    groups = rows.groupby(["measure", "model", "horizon", "origin"])
    sums = groups[["abs_error", "wis", "over"]].sum()
    covered = 100 * groups[["covered_80", "covered_95"]].mean()
    return pd.DataFrame({"error": sums["abs_error"] / sums["over"], "wis": sums["wis"] / sums["over"]}).join(covered)


def averages(cells: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of `by_origin` over origins, and how many there are: index measure, model, horizon."""
    rows = by_origin(cells).groupby(level=["measure", "model", "horizon"])
    return rows.mean().assign(origins=rows.size())


def difference(cells: pd.DataFrame, measure: str, horizon: int, other: str, column: str) -> Difference:
    """Compare ours with another method on the same cells, providers drawn with replacement."""
    part = cells[cells["measure"].eq(measure) & cells["horizon"].eq(horizon) & cells["model"].isin([OURS, other])]
    wide = part.pivot(index="unique_id", columns=["model", "origin"], values=[column, "actual"])
    ours, theirs = (wide[column][name] for name in (OURS, other))
    both = (ours - theirs).to_numpy()
    known = np.isfinite(both)
    over = wide["actual"][OURS].to_numpy() / 100 if measure == "size" else np.ones_like(both)
    n = len(wide)
    samples = np.random.default_rng(BOOTSTRAP_SEED).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    drawn = np.vstack([np.ones(n), samples])
    values = (drawn @ np.where(known, both, 0.0) / (drawn @ np.where(known, over, 0.0))).mean(axis=1)
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return Difference(float(values[0]), float(low), float(high))


def table(cells: pd.DataFrame, measure: str, names: Sequence[str]) -> list[list[str]]:
    """Lay out error, WIS and coverage by method and horizon."""
    found = means(cells)
    heads = ["error", "WIS", "80 %", "95 %"]
    rows = [[f"{measure}, {UNIT[measure]}", *(f"+{h} {head}" for h in SHOWN for head in heads)]]
    for name in names:
        row = [name]
        for horizon in SHOWN:
            each = found[measure, name, horizon]
            row += [f"{each['error']:.1f}", f"{each['wis']:.2f}"]
            row += [f"{each[name]:.0f}" for name in ("covered_80", "covered_95")]
        rows.append(row)
    origins = [f"{found[measure, OURS, horizon]['origins']:.0f}" for horizon in SHOWN]
    return [*rows, ["origins", *(cell for count in origins for cell in (count, "", "", ""))]]


def means(cells: pd.DataFrame) -> dict[tuple[str, str, int], dict[str, float]]:
    """Return `averages` as a dict: what is asked of a measure, a method and a horizon."""
    rows = averages(cells).reset_index()
    keys = zip(rows["measure"], rows["model"], rows["horizon"], strict=True)
    names = ["error", "wis", "covered_80", "covered_95", "origins"]
    scores = (dict(zip(names, row, strict=True)) for row in rows[names].to_numpy(dtype=np.float64))
    return dict(zip(keys, scores, strict=True))


def verdicts(cells: pd.DataFrame) -> Iterator[str]:
    """Say how far below naive we are, and whether the targets are met."""
    found = means(cells)
    for measure in MEASURES:
        for horizon in (*JUDGED, HORIZON):
            for other in (NAIVE,) if measure == "size" else (NAIVE, RELATIVE):
                mine, theirs = (found[measure, name, horizon] for name in (OURS, other))
                less = 100 * (1 - mine["wis"] / theirs["wis"])
                wis, point = (difference(cells, measure, horizon, other, name) for name in ("wis", "abs_error"))
                met = less >= GAIN and point.value <= 0 and LOWEST <= mine["covered_80"] <= HIGHEST
                said = f"target {'met' if met else 'not met'}" if horizon in JUDGED else "no target"
                yield (
                    f"{measure} +{horizon} against {other}: WIS {less:.1f} % below ({wis.value:+.2f}, 95 % "
                    f"{wis.low:+.2f} to {wis.high:+.2f}); point {point.value:+.2f} ({point.low:+.2f} to "
                    f"{point.high:+.2f}); 80 % interval covers {mine['covered_80']:.0f} %: {said}"
                )


def sums(panel: ListPanel) -> list[list[str]]:
    """Score the sum of all providers: errors of ours and naive, and what ranges of summed paths cover."""
    rows = [["sum of the providers", *(f"+{h} {head}" for h in SHOWN for head in ("pooled", "naive", "80 %"))]]
    total, over = panel.total.sum(axis=0), (panel.total * np.nan_to_num(panel.share) / 100).sum(axis=0)
    outturn = {"size": total, "share": 100 * over / total}
    errors: dict[tuple[str, int], list[tuple[float, float, float]]] = {}
    for known in range(2, len(panel.months)):
        made = forecast_lists(panel.until(known), horizon=HORIZON, n_paths=N_PATHS, seed=SEED)
        sizes = made.size_paths.sum(axis=0)
        shares = (made.size_paths * made.share_paths).sum(axis=0) / sizes
        points = made.size.sum(axis=0)
        summed = {"size": (points, sizes), "share": ((made.size * made.share).sum(axis=0) / points, shares)}
        for measure, (point, paths) in summed.items():
            for ahead in range(1, min(HORIZON, len(panel.months) - known) + 1):
                actual, before = outturn[measure][known + ahead - 1], outturn[measure][known - 1]
                unit = actual / 100 if measure == "size" else 1.0
                low, high = np.quantile(paths[ahead - 1], [0.1, 0.9])
                off = abs(point[ahead - 1] - actual) / unit, abs(before - actual) / unit
                errors.setdefault((measure, ahead), []).append((*off, 100.0 * (low <= actual <= high)))
    for measure in MEASURES:
        means = [np.mean(errors[measure, horizon], axis=0) for horizon in SHOWN]
        rows.append(
            [
                f"{measure}, {UNIT[measure]}",
                *(f"{x:.{d}f}" for each in means for x, d in zip(each, (1, 1, 0), strict=True)),
            ]
        )
    return rows


def accuracy(cells: pd.DataFrame) -> pd.DataFrame:
    """Return what pages tell of the forecasts, with the columns of `reference.slt_accuracy`."""
    rows = []
    found, ours = means(cells), cells[cells["model"].eq(OURS)]
    for measure in MEASURES:
        for horizon in range(1, HORIZON + 1):
            part = ours[ours["measure"].eq(measure) & ours["horizon"].eq(horizon)]
            mean = found[measure, OURS, horizon]
            months = pd.DatetimeIndex(part["origin"])
            first, last = (f"{month:%Y-%m}" for month in (months.min(), months.max()))
            some = part[(part["actual"] > 0) & (part["point"] > 0)]
            errors: FloatArray = np.log(some["actual"].to_numpy() / np.maximum(some["point"].to_numpy(), 1e-9))
            spread = round(100 * spread_of(errors, some["before"].to_numpy()), 1) if measure == "size" else np.nan
            told = (round(mean["error"], 1), round(mean["covered_80"], 0))
            rows.append((measure, horizon, int(mean["origins"]), *told, spread, first, last, COMMAND))
    return pd.DataFrame(rows, columns=list(ACCURACY))


def log_to_mlflow(cells: pd.DataFrame, *, uri: str) -> None:
    """Record one MLflow run a measure, with a child run a method: metrics have the horizon as step.

    Raises
    ------
    StoreFault
        The store does not answer.
    """
    from mlflow.entities import Metric, Param
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    client, experiment = experiment_at(uri, EXPERIMENT)
    found = averages(cells)
    for measure, of_measure in found.groupby(level="measure"):
        parent = client.create_run(experiment, run_name=str(measure))
        told = {"measure": measure, "seed": SEED, "paths": N_PATHS, "providers": cells["unique_id"].nunique()}
        client.log_batch(parent.info.run_id, params=[Param(key, str(value)) for key, value in told.items()])
        for method, rows in of_measure.groupby(level="model"):
            run = client.create_run(
                experiment, run_name=f"{measure} {method}", tags={MLFLOW_PARENT_RUN_ID: parent.info.run_id}
            )
            table = rows.reset_index("horizon")
            metrics = [
                Metric(name, float(value), run.info.start_time, int(horizon))
                for name in ("error", "wis", "covered_80", "covered_95", "origins")
                for horizon, value in zip(table["horizon"], table[name], strict=True)
            ]
            params = [Param("method", str(method)), Param("measure", str(measure))]
            client.log_batch(run.info.run_id, metrics=metrics, params=params)
            client.set_terminated(run.info.run_id)
        client.set_terminated(parent.info.run_id)


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Accuracy of forecasts of published waiting lists.")
    parser.add_argument("--no-mlflow", action="store_true", help="record nothing")
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    parser.add_argument("--reference", type=Path, help="also write what pages tell of the forecasts to this csv")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Run, print, record."""
    asked = _arguments(argv)
    panel, run = complete_panel(), methods()
    cells = score(panel, run)
    kept = judged(cells)
    parts = [table(kept, measure, list(run)) for measure in MEASURES]
    print(f"{len(panel.ids)} providers, {panel.months[0]:%Y-%m} to {panel.months[-1]:%Y-%m}; WIS at {QUANTILES}\n")
    print("\n\n".join([*map(text_table, parts), "\n".join(verdicts(kept))]))
    print("\nFrom every month at which two are known, naive's errors grown where it has none of the horizon:")
    print("\n".join(verdicts(cells)))
    print("\n" + text_table(sums(panel)))
    print("\n" + text_table(simulated(reference.slt_waiting().observations)))
    if not set(PEERS) <= set(run):
        print(f"\n{', '.join(PEERS)}: not installed. {EXTRA}")
    if asked.markdown:
        asked.markdown.write_text("\n\n".join(map(markdown_table, parts)) + "\n", encoding="utf-8")
    if asked.reference:
        accuracy(cells).to_csv(asked.reference, index=False, lineterminator="\n")
    if not asked.no_mlflow:
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"{SQLITE}mlflow.db")
        try:
            log_to_mlflow(kept, uri=uri)
        except StoreFault as fault:
            print(
                f"MLflow at '{uri}': not recorded: {fault}. Set MLFLOW_TRACKING_URI, or --no-mlflow to do without.",
                file=sys.stderr,
            )


if __name__ == "__main__":
    main()
