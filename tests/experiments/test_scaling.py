"""The scaling experiment: what it makes up, what it says of given figures, and that it runs."""

import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments import scaling
from experiments.scaling import alone, log_to_mlflow, metrics_of
from experiments.scaling_work import Measured, Start, digest, end_to_end, measure, synthetic
from experiments.tables import text_table
from jobs import tracking
from jobs.tracking_store import StoreFault

SMALL = Measured(1_000, panel=0.1, forecast=0.3, frame=0.1, cpu=0.9, memory=400, digest="a")
LARGE = Measured(100_000, panel=5.0, forecast=30.0, frame=15.0, cpu=95.0, memory=2_900, digest="b")
START = Start(compiling=20.0, cached=0.5, one_series=12.0, same=True)


def test_synthetic_series_are_of_every_kind():
    table = synthetic(200)
    wide = table.pivot(index="unique_id", columns="ds", values="y")
    assert wide.shape == (200, 84)
    zeros = wide.eq(0).sum(axis=1) / wide.notna().sum(axis=1)
    assert (zeros > 0.4).sum() == pytest.approx(40, abs=2)
    assert (zeros == 0).sum() > 120
    assert wide.iloc[:, :42].isna().all(axis=1).sum() == 10
    assert wide.iloc[:, 42:].notna().all().all()
    assert table["region"].nunique() == 40
    assert table["unique_id"].str.startswith("synthetic").all()


def test_synthetic_series_have_seasons():
    wide = synthetic(100).pivot(index="unique_id", columns="ds", values="y").dropna()
    large = wide[wide.mean(axis=1) > 100]
    shares = large.to_numpy() / large.mean(axis=1).to_numpy()[:, None]
    by_month = shares.reshape(len(large), 7, 12).mean(axis=1)
    assert (np.ptp(by_month, axis=1) > 0.2).mean() > 0.6


def test_synthetic_series_are_the_same_again_and_differ_by_seed():
    pd.testing.assert_frame_equal(synthetic(30), synthetic(30))
    assert not synthetic(30)["y"].equals(synthetic(30, seed=1)["y"])


def test_a_digest_sees_every_figure():
    frame = end_to_end(synthetic(3), "seasonal_naive", 20)
    other = frame.copy()
    other.loc[7, "lo-95"] += 1e-9
    assert digest(frame) == digest(frame.copy()) != digest(other)


def test_the_table_has_a_row_a_size():
    assert text_table(scaling.table_rows([SMALL, LARGE])).splitlines() == [
        "series   panel s  forecast s  to_frame s  all s  cpu s  series/s  peak MB",
        "1,000       0.10        0.30        0.10   0.50   0.90     2,000      400",
        "100,000     5.00       30.00       15.00  50.00  95.00     2,000    2,900",
    ]


def test_the_verdict_is_taken_from_the_numbers():
    assert scaling.verdict([SMALL, LARGE], START) == [
        "series a second, the slowest size (target: at least 1,000): 2,000: met",
        "peak MB, the largest size (target: under 3,000): 2,900: met",
        "seconds a series at 100,000 over those at 1,000: 1.00",
        "first call with nothing compiled, s (target: at most 30): 20.0: met (cached, in a fresh process: 0.5)",
        "one series, warm, ms (target: at most 50): 12.0: met",
        "the same frame on 1 and 2 threads: yes",
    ]
    slow = replace(LARGE, forecast=180.0, memory=3_000)
    said = scaling.verdict([SMALL, slow], Start(compiling=31, cached=1, one_series=51, same=False))
    assert [line.split(": ")[-1] for line in said] == [
        *("missed", "missed", "4.00", "1.0)", "missed", "no"),
    ]
    assert ": missed (" in said[3]


def test_what_mlflow_gets_has_sizes_as_steps():
    told = {(name, step): value for name, value, step in metrics_of([SMALL, LARGE], START)}
    assert told["seconds", 100_000] == pytest.approx(50)
    assert told["forecast.seconds", 1_000] == pytest.approx(0.3)
    assert told["series_per_second", 1_000] == pytest.approx(2_000)
    assert told["peak_mb", 100_000] == 2_900
    assert (told["one_series.ms", 0], told["same_on_any_threads", 0]) == (12.0, 1.0)


def test_a_store_that_cannot_be_used_is_a_fault(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(StoreFault):
        log_to_mlflow([SMALL], START, uri=f"sqlite:///{tmp_path / 'mlflow.db'}", params={"model": "auto"})


@pytest.fixture
def in_this_process(monkeypatch, tmp_path):
    """Work is done here instead of in fresh processes; the environments it asks for are noted."""
    seen = []

    def here(function, environment, *args):
        seen.append((function.__name__, dict(environment)))
        with scaling._environment({name: value for name, value in environment.items() if "CACHE" not in name}):
            return function(*args)

    monkeypatch.setattr(scaling, "alone", here)
    monkeypatch.setattr(scaling, "QUICK_SIZES", (3, 6))
    monkeypatch.chdir(tmp_path)
    return seen


def test_main_measures_every_size_alone(in_this_process, capsys):
    scaling.main(["--sizes", "6", "3", "--model", "seasonal_naive", "--no-mlflow"])
    said = capsys.readouterr()
    assert "Synthetic monthly series of 84 months, seasonal_naive, 12 months ahead, 500 paths a series" in said.out
    assert "the same frame on 1 and 2 threads: yes" in said.out
    assert [line.split()[0] for line in said.out.splitlines()[3:5]] == ["3", "6"]
    assert said.err.splitlines()[-1].startswith("6 series: ")
    asked = [name for name, _ in in_this_process]
    assert asked == [*("first_call",) * 2, *("frame_digest",) * 2, "one_series", "measure", "measure"]
    cold, cached, one, two, *_ = [environment for _, environment in in_this_process]
    assert cold == cached
    assert "NUMBA_CACHE_DIR" in cold
    assert [each["FORECAST_THREADS"] for each in (one, two)] == ["1", "2"]


def test_main_quick_says_so_and_says_when_nothing_was_recorded(in_this_process, capsys, monkeypatch, tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    scaling.main(["--quick", "--model", "seasonal_naive"])
    said = capsys.readouterr()
    assert "--quick: too few series" in said.out
    assert "not recorded" in said.err and "--no-mlflow" in said.err


def test_the_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("FORECAST_THREADS", "7")
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    with scaling._environment({"FORECAST_THREADS": "1", "NUMBA_CACHE_DIR": "x"}):
        assert (os.environ["FORECAST_THREADS"], os.environ["NUMBA_CACHE_DIR"]) == ("1", "x")
    assert os.environ["FORECAST_THREADS"] == "7"
    assert "NUMBA_CACHE_DIR" not in os.environ


@pytest.mark.slow
def test_a_size_is_measured_in_a_fresh_process():
    made = alone(measure, {"FORECAST_THREADS": "1"}, 8, "seasonal_naive", 20)
    assert made.series == 8
    assert made.digest == digest(end_to_end(synthetic(8), "seasonal_naive", 20))
    assert 50 < made.memory < 3_000
    assert alone(os.getpid, {}) != os.getpid()


@pytest.mark.slow
def test_mlflow_has_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in tracking.ENVIRONMENT:
        monkeypatch.setenv(name, "")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    log_to_mlflow([SMALL, LARGE], START, uri=uri, params={"model": "auto", "quick": "False"})
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("scaling").experiment_id])
    assert (run.info.run_name, run.info.status, run.data.params["quick"]) == ("auto", "FINISHED", "False")
    history = client.get_metric_history(run.info.run_id, "seconds")
    assert {metric.step: metric.value for metric in history} == pytest.approx({1_000: 0.5, 100_000: 50.0})
