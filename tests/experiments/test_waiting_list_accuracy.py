"""Naive's intervals, scores, verdicts and what the command writes, on lists that are made up."""

import numpy as np
import pandas as pd
import pytest

from experiments import waiting_list_accuracy as experiment
from experiments.la_scores import QUANTILES
from experiments.waiting_list_accuracy import averages, by_origin, difference, judged, score, verdicts
from experiments.waiting_list_methods import NAIVE, OURS, RELATIVE, drift, naive, pooled
from forecast import reference
from tests.speech_language.test_published import panel_of, wandering

PANEL = panel_of(wandering(8, 9, spread=0.1))
RUN = {OURS: pooled, NAIVE: lambda panel, horizon: naive(panel, horizon, relative=("size",))}
CELLS = score(PANEL, {**RUN, RELATIVE: lambda panel, horizon: naive(panel, horizon, relative=("size", "share"))})


def test_naive_has_the_pooled_relative_errors_of_its_past():
    panel = panel_of([[100.0, 110, 121], [200, 180, 180], [50, 50, 40]])
    answer = naive(panel, 2, relative=("size",))["size"]
    past = [0.1, 0.1, -0.1, 0.0, 0.0, -0.2]
    assert answer.points.tolist() == [[121, 121], [180, 180], [40, 40]]
    assert answer.quantiles[1, 0] == pytest.approx(180 * (1 + np.quantile(past, QUANTILES)))
    assert answer.quantiles[0, 1] == pytest.approx(121 * (1 + np.quantile([0.21, -0.1, -0.2], QUANTILES)))
    own = naive(panel, 1, relative=("size",), of_series=True)["size"]
    assert own.quantiles[0, 0] == pytest.approx(np.full(len(QUANTILES), 133.1))
    longer = naive(panel, 3, relative=("size",))["size"]
    assert longer.quantiles[0, 2, 0] == pytest.approx(121 * (1 + np.sqrt(1.5) * np.quantile([0.21, -0.1, -0.2], 0.025)))


def test_drift_goes_on_with_the_mean_change():
    answer = drift(panel_of([[100.0, 110, 120], [200, 180, 160], [50, 50, 50]]), 2)["size"]
    assert answer.points.tolist() == [[130, 140], [140, 120], [50, 50]]


def test_origins_are_those_with_errors_of_the_horizon_behind_them():
    kept = judged(CELLS)
    counts = kept.groupby("horizon")["origin"].nunique().to_dict()
    assert counts == {1: 7, 2: 5, 3: 3, 4: 4, 5: 3, 6: 2}
    assert CELLS.groupby("horizon")["origin"].nunique().to_dict() == {1: 7, 2: 6, 3: 5, 4: 4, 5: 3, 6: 2}


def test_scores_are_taken_per_origin_then_averaged():
    part = CELLS[CELLS["model"].eq(NAIVE) & CELLS["horizon"].eq(1) & CELLS["measure"].eq("size")]
    by_hand = []
    for k in range(1, 8):
        off = np.abs(PANEL.total[:, k] - PANEL.total[:, k + 1]).sum()
        by_hand.append(100 * off / PANEL.total[:, k + 1].sum())
    assert by_origin(part)["error"].tolist() == pytest.approx(by_hand)
    assert averages(part)["error"].iloc[0] == pytest.approx(np.mean(by_hand))


def test_the_difference_is_that_of_the_averages_and_its_interval_holds_it():
    kept, found = judged(CELLS), averages(judged(CELLS))
    for measure in ("size", "share"):
        told = difference(kept, measure, 1, NAIVE, "wis")
        ours, theirs = (found.loc[(measure, name, 1), "wis"] for name in (OURS, NAIVE))
        assert told.value == pytest.approx(ours - theirs)
        assert told.low <= told.value <= told.high


def test_verdicts_judge_one_and_three_months_alone():
    lines = list(verdicts(judged(CELLS)))
    assert len(lines) == 9
    assert all(line.endswith("no target") == ("+6" in line) for line in lines)


def test_main_prints_and_writes_and_the_file_has_the_columns_pages_read(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(experiment, "complete_panel", lambda: PANEL)
    monkeypatch.setattr(experiment, "methods", lambda: {**RUN, RELATIVE: RUN[NAIVE]})
    experiment.main(["--no-mlflow", "--reference", str(tmp_path / "a.csv"), "--markdown", str(tmp_path / "t.md")])
    said = capsys.readouterr().out
    assert "8 providers, 2023-01 to 2023-09" in said and "sum of the providers" in said and "not installed" in said
    written = pd.read_csv(tmp_path / "a.csv")
    assert list(written.columns) == list(reference.slt_accuracy().columns)
    assert written["horizon"].tolist() == [*range(1, 7)] * 2
    assert written["spread"].notna().tolist() == [True] * 6 + [False] * 6
    assert (tmp_path / "t.md").read_text(encoding="utf-8").startswith("| size, WAPE %")


def test_the_bundled_file_is_that_of_the_bundled_lists():
    """The errors it states are those of our points from every origin, by hand for one month ahead."""
    panel = experiment.complete_panel()
    assert len(panel.ids) == 69
    errors = []
    for known in range(2, 9):
        made = pooled(panel.until(known), 1)["size"].points[:, 0]
        errors.append(100 * np.abs(made - panel.total[:, known]).sum() / panel.total[:, known].sum())
    stated = reference.slt_accuracy().set_index(["measure", "horizon"])["error"]
    assert stated["size", 1] == pytest.approx(np.mean(errors), abs=0.06)
