"""Weights of combinations and reasons of models, as a run keeps them and MLflow shows them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast import Panel
from forecast.study import study_panel
from jobs.explained import REASON_COLUMNS, WEIGHT_COLUMNS, reasons_of, weights_of
from jobs.tracking_record import _explain


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Four years of months of one locality, one month of another, and a step known ahead."""
    months = pd.date_range("2020-01-01", periods=48, freq="MS")
    y = 50 + 10 * np.sin(np.arange(48) * np.pi / 6) + 20 * (months >= "2022-01-01")
    long = pd.DataFrame({"unique_id": "long", "ds": months, "y": np.round(y)})
    new = pd.DataFrame({"unique_id": "new", "ds": months[-1:], "y": 3.0})
    frame = Panel.from_frame(pd.concat([long, new]), freq="MS")
    dates = frame.dates.union(frame.future(2))
    return frame.with_known(pd.DataFrame({"ds": dates, "duty": (dates >= "2022-01-01").astype(float)}))


def test_weights_are_means_over_the_series_that_are_answered(panel: Panel) -> None:
    study = study_panel(panel, {"both": ["naive", "drift"], "naive": "naive"}, horizon=2)
    weights = weights_of(study)
    assert list(weights.columns) == WEIGHT_COLUMNS
    drift = weights[weights["member"].eq("drift")]
    assert drift["horizon"].tolist() == [1, 2]
    assert (drift["model"] == "both").all()
    answered = study.combinations["both"].weights.sum(axis=(0, 2)) > 0
    expected = study.combinations["both"].weights[:, answered].mean(axis=1)
    np.testing.assert_allclose(weights["weight"].to_numpy().reshape(2, 2), expected)
    assert weights.groupby("horizon")["weight"].sum().tolist() == pytest.approx([1, 1])
    assert drift["series"].tolist() == (study.combinations["both"].weights[1] > 0).sum(axis=0).tolist()


def test_a_study_without_combination_has_no_weights(panel: Panel) -> None:
    weights = weights_of(study_panel(panel, {"naive": "naive"}, horizon=2))
    assert weights.empty
    assert list(weights.columns) == WEIGHT_COLUMNS


def test_reasons_give_rate_ratios_and_leave_out_what_was_not_asked(panel: Panel) -> None:
    models = {"count_regression": "count_regression", "arima": "arima"}
    study = study_panel(panel, models, horizon=2, scope={"arima": ["long"]})
    reasons = reasons_of(study, ["count_regression", "arima"])
    assert list(reasons.columns) == REASON_COLUMNS
    said = reasons.set_index(["model", "unique_id"])["reason"]
    assert said["count_regression", "long"].startswith("rate ratios (95 %): a year ")
    assert "; duty 1." in said["count_regression", "long"]
    assert ("arima", "new") not in said.index
    assert set(reasons_of(study, ["arima"])["model"]) <= {"arima"}


def test_mlflow_shows_the_rows_of_one_model_as_text(tmp_path: Path) -> None:
    weights = pd.DataFrame({"model": ["auto", "mine"], "member": ["drift", "naive"], "weight": [1 / 3, 1.0]})
    weights.to_parquet(tmp_path / "weights.parquet")
    (tmp_path / "auto").mkdir()
    _explain("auto", tmp_path, tmp_path / "auto")
    assert (tmp_path / "auto" / "weights.csv").read_text() == "model,member,weight\nauto,drift,0.3333\n"
    assert [path.name for path in (tmp_path / "auto").iterdir()] == ["weights.csv"]


def test_a_run_keeps_both(published: Path) -> None:
    (run,) = (path for path in (published / "runs").iterdir() if (path / "manifest.json").exists())
    files = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert {"weights.parquet", "reasons.parquet"} <= set(files)
    weights = pd.read_parquet(run / "weights.parquet")
    total = weights.groupby(["target", "measure", "geographic_level", "model", "horizon"])["weight"].sum()
    assert total.to_numpy() == pytest.approx(1.0)
    assert {"area_name", "model", "reason"} <= set(pd.read_parquet(run / "reasons.parquet").columns)
