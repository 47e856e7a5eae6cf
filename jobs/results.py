"""Read back what runs left: the latest run of a config, its scores and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import SpecError
from forecast.evaluate.compare import COLUMNS, compare
from forecast.evaluate.metrics import common_cells, summarise
from jobs.record import read_manifest, whole_run

PLACE = ("target", "measure", "geographic_level")


def manifests(runs: Path) -> list[dict[str, Any]]:
    """Return the manifests of all complete runs in a folder, the latest made last.

    Raises
    ------
    InputError
        If one of them is damaged.
    """
    found = [(read_manifest(path.parent), path.stat().st_mtime_ns) for path in runs.glob("[!.]*/manifest.json")]
    return [manifest for manifest, _ in sorted(found, key=lambda pair: (_made(pair[0]), pair[1]))]


def _made(manifest: dict[str, Any]) -> float:
    return datetime.fromisoformat(manifest["created"]).timestamp()


def latest_run(runs: Path, *, name: str, run_id: str | None = None) -> dict[str, Any]:
    """Return the manifest of a run: the one named, or the latest of a config.

    Raises
    ------
    SpecError
        If there is none; the message says what to run.
    InputError
        If it is not whole.
    """
    found = [manifest["run_id"] for manifest in manifests(runs) if manifest["name"] == name]
    if run_id is None and not found:
        raise SpecError(f"config {name!r}: no run in {runs} yet. Make one: forecast run.")
    if run_id is not None and run_id not in found:
        known = ", ".join(found[-3:]) or "none yet"
        raise SpecError(f"run {run_id!r}: not in {runs} for config {name!r} (latest: {known}). Name one of them.")
    return whole_run(runs / (run_id or found[-1]))


def read_scores(folder: Path) -> pd.DataFrame:
    """Return the scores of a run folder, one row a series, model, origin and horizon."""
    return pd.read_parquet(folder / "scores.parquet")


def scores_table(scores: pd.DataFrame, *, all_cells: bool = False) -> pd.DataFrame:
    """Return accuracy by target, measure, geographic level, model and horizon.

    Parameters
    ----------
    scores : DataFrame
    all_cells : bool, default False
        True: each model on all of its own past forecasts. False: at each target, measure, level and horizon
        on the past forecasts that all models measured there made, so that they compare fairly; a model with
        too few stays, not measured, with the series and origins it has.
    """
    by = [*PLACE, "model", "horizon"]
    own = summarise(scores, by=by)
    if all_cells or own.empty:
        return own
    shared = own[by].merge(summarise(common_cells(scores, within=[*PLACE, "horizon"]), by=by), on=by, how="left")
    for column in ("n_series", "n_origins"):
        shared[column] = shared[column].fillna(own[column]).astype(int)
    return shared


def scores_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy as a terminal shows it: shares in per cent, the unit in the heading."""
    shares = ["wape", "bias", "coverage_80", "coverage_95"]
    shown = table.drop(columns=["target", "pinball"])
    shown[shares] = shown[shares] * 100
    names = {"wape": "WAPE %", "bias": "bias %", "mase": "MASE"}
    return shown.round(1).rename(columns={**{name: f"{name} %" for name in shares}, **names})


def comparison_table(scores: pd.DataFrame, *, reference: str, measures: Sequence[str] = ()) -> pd.DataFrame:
    """Compare every model with a reference, by target, measure, geographic level and horizon; empty without scores."""
    if scores.empty:
        return pd.DataFrame(columns=[*PLACE, "horizon", *COLUMNS])
    unknown = sorted(set(measures) - set(scores["measure"].unique()))
    if unknown:
        known = ", ".join(sorted(map(str, scores["measure"].unique())))
        raise SpecError(f"measure {unknown[0]!r}: not in this run (it has {known}). Name one of those.")
    rows = scores[scores["measure"].isin(measures)] if measures else scores
    return compare(rows, reference=reference, by=[*PLACE, "horizon"])
