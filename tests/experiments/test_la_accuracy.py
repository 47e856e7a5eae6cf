"""The command: what it prints, writes and records; `ehc` on bundled figures looks at nothing after the origin."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from experiments import la_accuracy
from experiments.la_accuracy import HELD_OUT, MAIN, accuracy_of_ehc, log_to_mlflow, metrics_of, views
from experiments.la_methods import EHC, RULES, TRUTH, TRUTH_ALONE, Rule, demand_methods
from experiments.la_run import Origins, Task, complete_panel, run_task
from forecast.ehc.figures import STOCKS, Figures
from forecast.sources.observations import Reading
from jobs import tracking
from jobs.tracking_store import StoreFault
from tests.experiments.la_made_up import SCORED, cells_of, growing, observations, totals_of

TASK = Task("caseload", 2019, 2020, (1, 3), also=Origins("without origin 2019", (2020,)))


def test_origins_are_those_stated():
    requests, caseload = MAIN
    assert (requests.first_origin, requests.last_origin, requests.horizons) == (2019, 2022, (1, 2, 3))
    assert requests.also == Origins("without origin 2020", (2019, 2021, 2022))
    assert (caseload.last_origin, caseload.horizons) == (2023, (1, 3, 5))
    assert caseload.also.years == (2018, 2019, 2020, 2021, 2022, 2023)
    assert all(task.also is None for task in HELD_OUT)


def test_views():
    (first, everything), (second, some) = views(TASK, SCORED)
    assert (first, second) == ("all origins", "without origin 2019")
    assert everything is SCORED
    assert some.cells["origin"].dt.year.unique().tolist() == [2020]
    assert [label for label, _ in views(replace(TASK, also=None), SCORED)] == ["all origins"]


def test_what_mlflow_gets_has_horizons_as_steps_and_shares():
    told = {(name, step): value for name, value, step in metrics_of(SCORED, "naive")}
    assert told["wape", 3] == pytest.approx(0.4)
    assert told["bias", 1] == pytest.approx(0.015)
    assert told["pooled_coverage_80", 0] == pytest.approx(0.5)
    assert told["pooled_total_95", 0] == 1
    assert told["origins", 1] == 2
    assert told["seconds", 0] == 1.0
    some = {name for name, _, _ in metrics_of(SCORED, "naive", prefix="late/")}
    assert {"late/wape", "late/origins", "late/pooled_bias"} < some
    assert not any("seconds" in name for name in some)


def test_a_store_that_cannot_be_used_is_a_fault(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(StoreFault):
        log_to_mlflow([(TASK, SCORED)], uri=f"sqlite:///{tmp_path / 'mlflow.db'}", quick=True)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Twelve areas of every measure, methods without slow fits, and a folder to write to."""
    values = growing(12, 15)
    rows = [observations(values, first=2010, measure=task.measure) for task in (*MAIN, *HELD_OUT)]
    monkeypatch.setattr(la_accuracy.reference, "ehc", lambda: Reading(pd.concat(rows), ()))
    monkeypatch.setattr(la_accuracy, "ALONE", ("drift",))
    methods = {"drift": "drift", RULES[1].name: RULES[1], "auto": ["naive", "drift"]}
    rules = {name: Rule(name, rule.points) for name, rule in zip((EHC, TRUTH, TRUTH_ALONE), RULES, strict=False)}
    monkeypatch.setattr(la_accuracy, "generic_methods", lambda: dict(methods))
    monkeypatch.setattr(la_accuracy, "demand_methods", lambda panel, measure: rules)
    monkeypatch.setattr(la_accuracy, "peer_methods", dict)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_main_prints_all_tables_and_writes_markdown(small, capsys):
    la_accuracy.main(["--no-mlflow", "--jobs", "1", "--markdown", "table.md"])
    said = capsys.readouterr()
    assert said.out.count("WAPE %  ") == 3 + 4  # three tables of averages, a comparison for each set of origins
    assert "requests: 12 local authorities with a figure above zero every year, origins 2019 to 2022" in said.out
    assert "caseload: 12 local authorities with a figure above zero every year, origins 2016 to 2023" in said.out
    assert "AutoETS, AutoARIMA, AutoTheta: not installed." in said.out
    assert "Only requests: without origin 2020; caseload: origins 2018 on" in said.out
    assert "nation: requests" in said.out and "ehc +5" in said.out
    for asked in ("requests, all origins", "caseload, origins 2018 on"):
        assert f"\n{asked}\n  +1 below the best fixed method" in said.out
    assert said.out.count("(targets are asked of ") == 2
    main, held_out = said.out.split("Held out")
    assert "new_plans +1" in held_out and "ehc" not in held_out.replace("ehc apart", "")
    assert main.count("not installed") > 2 and held_out.count("not installed") == 0
    assert "requests_refused: drift" in said.err
    first, second = (small / "table.md").read_text(encoding="utf-8").split("\n\n")[1::2]
    assert first.startswith("| WAPE % | requests +1 | +2 | +3 | 80 % | caseload +1 | +3 | +5 | 80 % |\n")
    assert "| origins | 4 | 3 | 2 |  | 8 | 6 | 4 |  |" in first
    assert "| origins | 3 | 2 | 1 |  | 6 | 4 | 2 |  |" in second
    assert "| ehc |" in first and "| AutoETS | not installed |" in first


def test_main_quick_leaves_the_held_out_measures_and_says_when_nothing_was_recorded(small, capsys, monkeypatch):
    (small / "mlflow.db").mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    la_accuracy.main(["--quick", "--jobs", "1"])
    said = capsys.readouterr()
    assert "Held out" not in said.out
    assert "every 8th" in said.out
    assert "not recorded" in said.err and "--no-mlflow" in said.err


def changed_after(figures: Figures, last_flow: int) -> Figures:
    """Other figures after the flows of a year and the stock of the January after."""
    rng = np.random.default_rng(11)

    def change(frame, year):
        later = frame.columns.to_numpy(dtype=int) > year
        return frame * np.where(later, rng.uniform(0.3, 3, frame.shape), 1.0)

    return replace(
        figures,
        totals={m: change(frame, last_flow + (m in STOCKS)) for m, frame in figures.totals.items()},
        aggregates={m: change(frame, last_flow + (m in STOCKS)) for m, frame in figures.aggregates.items()},
        pupils=change(figures.pupils, last_flow + 1),
    )


@pytest.mark.parametrize("task", MAIN, ids=lambda task: task.measure)
def test_ehc_looks_at_no_figure_after_the_origin(task, monkeypatch):
    origin = 2020
    figures = Figures.bundled()
    observed = la_accuracy.reference.ehc().observations
    later = (observed["ds"].dt.year > origin) & (observed["measure"] == task.measure)
    other = observed.assign(
        y=observed["y"] * np.where(later, np.random.default_rng(12).uniform(0.3, 3, len(observed)), 1)
    )
    runs = []
    for known, rows in (
        (figures, observed),
        (changed_after(figures, origin - (task.measure in STOCKS)), other),
    ):
        monkeypatch.setattr(Figures, "bundled", lambda known=known: known)
        panel = complete_panel(rows, task)
        ehc = {EHC: demand_methods(panel, task.measure)[EHC]}
        runs.append(run_task(panel, task, ehc))
    for before, after in ((runs[0].cells, runs[1].cells), (runs[0].totals, runs[1].totals)):
        seen = before["origin"].dt.year <= origin
        assert seen.any()
        for column in ("point", "lo_80", "hi_95"):
            same = np.isclose(before[column], after[column], rtol=1e-9)
            assert same[seen].all()
            assert not same[~seen].any()


@pytest.mark.slow
def test_mlflow_has_a_run_a_measure_with_a_child_a_method(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in tracking.ENVIRONMENT:
        monkeypatch.setenv(name, "")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    log = partial(log_to_mlflow, [(TASK, SCORED)], uri=uri, quick=False)
    log()
    log()
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("la_accuracy")
    runs = client.search_runs([experiment.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    parents = {run.info.run_id: run for run in runs if run not in children}
    assert [run.info.run_name for run in parents.values()] == ["caseload"] * 2
    assert sorted(run.info.run_name for run in children) == [
        f"caseload {method}" for method in ("auto", "auto", "late", "late", "naive", "naive")
    ]
    auto = next(run for run in children if run.data.params["method"] == "auto")
    assert auto.data.tags["mlflow.parentRunId"] in parents
    history = client.get_metric_history(auto.info.run_id, "wape")
    assert {metric.step: metric.value for metric in history} == pytest.approx({1: 0.075, 3: 0.41})
    late = client.get_metric_history(auto.info.run_id, "without origin 2019/wape")
    assert {metric.step: metric.value for metric in late} == pytest.approx({1: 0.03})
    assert auto.info.status == "FINISHED"
    assert (tmp_path / "mlartifacts").as_uri() == experiment.artifact_location


def test_what_pages_tell_of_ehc_is_what_was_scored():
    errors = {(EHC, 2017, 1): [90, 90], (EHC, 2018, 1): [10, -10], (EHC, 2020, 1): [200, 0], (EHC, 2018, 3): [20, 40]}
    cells = cells_of(errors)
    scored = replace(SCORED, cells=cells, totals=totals_of(cells), horizons=(1, 3))
    frame = accuracy_of_ehc([(MAIN[1], scored)])
    assert frame.drop(columns="command").to_numpy().tolist() == [
        ["caseload", 1, 2, 10.0, 75.0, 2018, 2020],  # 20 of 200 and 200 of 2000; 2 of 2 and 1 of 2 within
        ["caseload", 3, 1, 30.0, 0.0, 2018, 2018],
    ]
    everything = accuracy_of_ehc([(MAIN[0], replace(scored, measure="requests"))])
    assert everything.loc[0, ["origins", "first_origin"]].tolist() == [3, 2017]
