"""The benchmark's panels, scores and table against figures worked out another way."""

import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments import benchmark, benchmark_models
from experiments.benchmark import log_to_mlflow, main, run_panel
from experiments.benchmark_data import FOLDER, TASKS, Series, Task, load
from experiments.benchmark_models import (
    LEVELS,
    QUANTILES,
    Answer,
    Measured,
    _read_levels,
    _statsforecast,
    contender,
    peak_memory,
)
from experiments.benchmark_scores import (
    COLUMNS,
    SCUM,
    SCUM_MEMBERS,
    Result,
    mean_of,
    quantile_loss,
    score,
    table_rows,
    verdict,
)
from forecast.evaluate.metrics import pinball
from jobs import tracking

QUARTERS = Task("made up", "QS", "2020-10-01", 2)


def made_up(n: int = 5, length: int = 14) -> Series:
    """Quarterly series, the second of which began later and the third of which never changed."""
    values = np.random.default_rng(3).poisson(20, (n, length)).astype(float)
    values[1, :3] = np.nan
    values[2, :-2] = 7.0
    values[3, -1] = 0.0
    keys = pd.DataFrame({"kind": ["a"] * n}, index=pd.Index([f"s{9 - i}" for i in range(n)], name="unique_id"))
    return Series(QUARTERS, keys, pd.date_range(end=QUARTERS.last, periods=length, freq="QS"), values)


def answer_to(series: Series, seed: int = 4) -> Answer:
    quantiles = np.sort(np.random.default_rng(seed).poisson(20, (*series.actual.shape, 11)), axis=2).astype(float)
    quantiles[3, -1] = 0.0
    return Answer(quantiles[:, :, 5], quantiles, totals=np.array([[30.0, 45.0]] * len(series.ids)))


def measured(answer: Answer, seconds: float = 1.0) -> Measured:
    return Measured(answer, first=2.0, seconds=seconds, cpu=2 * seconds, memory=100 * seconds)


@pytest.mark.parametrize(
    ("panel", "shape", "figures", "total", "held_out"),
    [
        ("hospital", (767, 84), 767 * 84, 17_215_990, 2_535_375),
        ("m1_monthly", (617, 150), 55_998, 539_565_536.166, 116_705_272.895),
        ("tourism", (304, 80), 304 * 80, 1_724_201.62, 209_194.45),
    ],
)
def test_panels_are_whole(panel, shape, figures, total, held_out):
    series = load(panel)
    assert series.values.shape == shape
    assert np.isfinite(series.values).sum() == figures == len(series.frame) + series.actual.size
    assert np.nansum(series.values) == pytest.approx(total, abs=0.2)
    assert series.actual.sum() == pytest.approx(held_out, abs=0.05)
    assert len(set(series.ids)) == shape[0] and series.dates[-1] == pd.Timestamp(TASKS[panel].last)
    assert not np.isnan(series.values[:, -48:]).any()  # the shortest series has 48 figures, and they are the last ones


def test_keys_and_known_figures_of_the_panels():
    assert load("hospital").keys.columns.empty
    assert load("hospital").values[0, :4].tolist() == [27, 16, 18, 19]
    assert load("m1_monthly").keys["type"].nunique() == 7
    tourism = load("tourism")
    assert tourism.keys.nunique().to_dict() == {"region": 76, "state": 8, "purpose": 4}
    assert tourism.values[0, 0] == 135.078
    assert (tourism.values == 0).mean() == pytest.approx(0.0636, abs=1e-4)


def test_the_data_is_small_and_described():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 300_000
    said = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"`{panel}.csv.xz`" in said for panel in TASKS) and "CC BY" in said


def test_a_model_sees_the_history_alone():
    series = made_up()
    assert series.frame.columns.tolist() == ["unique_id", "kind", "ds", "y"]
    assert series.frame["ds"].max() == pd.Timestamp("2020-04-01")
    assert series.frame.groupby("unique_id")["y"].size()[["s9", "s8"]].tolist() == [12, 9]
    longest = series.frame[series.frame["unique_id"] == "s9"]
    np.testing.assert_array_equal(longest["y"], series.values[0, :12])


def test_samples_keep_the_order_and_warming_sees_less():
    everything, sample = load("hospital"), load("hospital").every(100)
    first = everything.ids.index(sample.ids[0])
    assert sample.ids == everything.ids[first::100] and len(sample.ids) in (7, 8) and first < 100
    np.testing.assert_array_equal(sample.values, everything.values[first::100])
    warming = everything.for_warming(3)
    assert warming.ids == everything.ids[:3]
    np.testing.assert_array_equal(warming.history, everything.values[:3, :71])
    assert warming.frame["ds"].max() == everything.dates[70]
    assert everything.for_warming(None).actual.shape == everything.actual.shape


def test_scores_agree_with_plain_loops():
    series = made_up()
    made = answer_to(series)
    scores = score(series, measured(made))
    mase, smape, loss, in_80, in_95 = [], [], [], [], []
    for i, (past, future) in enumerate(zip(series.history, series.actual, strict=True)):
        known = [y for y in past if not math.isnan(y)]
        scale = sum(abs(known[t] - known[t - 4]) for t in range(4, len(known))) / (len(known) - 4)
        misses = [abs(f - y) for f, y in zip(made.points[i], future, strict=True)]
        if scale:
            mase.append(sum(misses) / 2 / scale)
        for y, f, row in zip(future, made.points[i], made.quantiles[i], strict=True):
            smape.append(0.0 if y == f == 0 else 2 * abs(y - f) / (y + f))
            loss += [2 * (q * (y - x) if y >= x else (1 - q) * (x - y)) for q, x in zip(QUANTILES, row, strict=True)][
                1:10
            ]
            in_80.append(row[1] <= y <= row[9])
            in_95.append(row[0] <= y <= row[10])
    assert len(mase) == 4
    assert scores.mase == pytest.approx(np.mean(mase), rel=1e-12)
    assert scores.smape == pytest.approx(np.mean(smape), rel=1e-12)
    assert scores.wql == pytest.approx(sum(loss) / 9 / series.actual.sum(), rel=1e-12)
    assert (scores.coverage_80, scores.coverage_95) == pytest.approx((np.mean(in_80), np.mean(in_95)))
    assert 0 < scores.coverage_80 < scores.coverage_95 < 1
    assert scores.coverage_total_80 == np.mean([30 <= sum(y) <= 45 for y in series.actual])
    assert scores.answered == 5 and scores.cpu_seconds == 2.0


def test_quantile_loss_is_what_the_library_takes_of_paths():
    actual, paths = np.array([3.0, 8.0]), np.random.default_rng(1).gamma(5, 1, (2, 300))
    deciles = np.quantile(paths, QUANTILES[1:-1], axis=1).T
    np.testing.assert_allclose(2 * quantile_loss(actual, deciles, QUANTILES[1:-1]).mean(axis=1), pinball(actual, paths))


def test_series_without_an_answer_are_left_out_and_counted():
    series = made_up()
    whole = answer_to(series)
    holed = replace(whole, points=whole.points.copy())
    holed.points[0] = np.nan
    scores = score(series, measured(replace(holed, totals=None)))
    rest = replace(series, keys=series.keys.iloc[1:], values=series.values[1:])
    expected = score(rest, measured(Answer(whole.points[1:], whole.quantiles[1:])))
    assert scores.answered == 4 and np.isnan(scores.coverage_total_80)
    assert (scores.mase, scores.wql) == (expected.mase, expected.wql)
    assert "coverage_total_80" not in dict(scores.metrics()) and dict(scores.metrics())["seconds"] == 1.0


def test_the_mean_of_peers_adds_up_seconds():
    series = made_up()
    one, two = answer_to(series, 4), answer_to(series, 5)
    both = mean_of([measured(one, 1.0), measured(two, 3.0)])
    np.testing.assert_allclose(both.answer.points, (one.points + two.points) / 2)
    np.testing.assert_allclose(both.answer.quantiles[2, 1, 3], (one.quantiles[2, 1, 3] + two.quantiles[2, 1, 3]) / 2)
    assert (both.seconds, both.cpu, both.memory, both.first, both.answer.totals) == (4.0, 8.0, 300.0, 4.0, None)


def test_levels_become_quantiles_of_the_series_asked_for():
    series = made_up()
    parts = {f"M-{side}-{level}": sign * level for side, sign in (("lo", -1.0), ("hi", 1.0)) for level in LEVELS}
    table = pd.DataFrame({"unique_id": np.repeat(sorted(series.ids), 2), "M": 0.0, **parts})
    table["M"] = np.arange(10.0)
    made = _read_levels("M", series, table)
    assert made.quantiles[0, 0].tolist() == [-95, -80, -60, -40, -20, 8, 20, 40, 60, 80, 95]
    assert made.points.tolist() == [[8, 9], [6, 7], [4, 5], [2, 3], [0, 1]]  # ids run down, the table's up
    assert made.totals is None


def test_statsforecast_sees_what_this_library_sees():
    pytest.importorskip("statsforecast")
    series = made_up()
    made = _statsforecast("SeasonalNaive", series)()
    np.testing.assert_allclose(made.points, series.history[:, -4:-2])
    assert (np.diff(made.quantiles, axis=2) >= 0).all()


def test_this_library_answers_in_the_order_of_the_series():
    series = made_up()
    made = contender("seasonal_naive").run(series)()
    moving = [0, 1, 3, 4]
    np.testing.assert_allclose(made.points[moving], series.history[moving, -4:-2], rtol=0.04)
    assert made.totals is not None and (made.totals[:, 0] <= made.totals[:, 1]).all()
    assert (np.diff(made.quantiles, axis=2) >= 0).all()


def test_a_process_a_model_and_one_that_fails(capsys):
    said: list[str] = []
    result = run_panel("tourism", ["seasonal_naive", "no such model"], every=30, at_once=2, progress=said.append)
    assert result.scores["no such model"] is None
    assert any("no such model failed: SpecError" in line for line in said)
    scores = result.scores["seasonal_naive"]
    sample = load("tourism").every(30)
    assert scores is not None and scores.answered == result.series == len(sample.ids)
    change = np.abs(sample.history[:, 4:] - sample.history[:, :-4]).mean(axis=1)
    ahead = np.hstack([sample.history[:, -4:]] * 2)
    assert scores.mase == pytest.approx(np.mean(np.abs(ahead - sample.actual).mean(axis=1) / change), rel=0.02)
    assert scores.seconds > 0 and scores.first_seconds > 0 and scores.memory_mb > 50
    assert SCUM not in result.scores


SERIES = made_up()
SCORED = score(SERIES, measured(answer_to(SERIES)))
RESULT = Result(
    QUARTERS,
    5,
    {
        "auto": replace(SCORED, mase=0.9, seconds=0.5, cpu_seconds=0.8, coverage_total_80=float("nan")),
        "theta": replace(SCORED, answered=4),
        "broken": None,
        SCUM: replace(SCORED, mase=1.0, seconds=50.0, cpu_seconds=40.0),
    },
)


def test_rows_of_the_table():
    header, auto, theta, broken, scum = table_rows(RESULT)
    assert header == ["made up, h=2, 5 series", *COLUMNS]
    assert auto[:2] == ["auto", "0.9000"] and auto[6] == "-" and auto[7:9] == ["0.50", "0.80"]
    assert theta[0] == "theta (4 series)" and theta[6] == f"{100 * SCORED.coverage_total_80:.1f}"
    assert broken == ["broken", "failed", *["-"] * (len(COLUMNS) - 1)]
    assert scum[7] == "50" and {len(row) for row in table_rows(RESULT)} == {len(COLUMNS) + 1}


def test_verdict_says_how_much_better_and_faster():
    (line,) = verdict(RESULT)
    assert line.startswith("made up: auto / SCUM: MASE 0.900 = 0.9000 / 1.0000")
    assert line.endswith("1/100 of its seconds, 1/50 of its processor seconds")
    assert verdict(Result(QUARTERS, 5, {"auto": SCORED})) == []


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """What main asks for, in a folder to write to, with no model run."""
    asked = []

    def instead(panel, names, **options):
        asked.append((panel, tuple(names), options["every"], options["at_once"]))
        return replace(RESULT, task=TASKS[panel], scores={name: SCORED for name in names})

    monkeypatch.setattr(benchmark, "run_panel", instead)
    monkeypatch.setattr(benchmark, "version", lambda package: "1")
    monkeypatch.setattr(benchmark_models, "find_spec", lambda package: True)
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", benchmark.THREADS_VARIABLE):
        monkeypatch.setenv(variable, "1")
    monkeypatch.chdir(tmp_path)
    return asked


def test_main_prints_one_table_of_all_panels(ran, capsys):
    main(["--no-mlflow", "--markdown", "table.md"])
    out = capsys.readouterr().out
    assert [panel for panel, *_ in ran] == list(TASKS)
    assert out.count("MASE") == 3 and "hospital, h=12, 5 series" in out and "statsforecast 1" in out
    _, names, every, at_once = ran[0]
    assert {"auto", "seasonal_naive", *SCUM_MEMBERS, "AutoTheta", "SeasonalNaive", "Prophet"} <= set(names)
    assert "prophet" not in names and (every, at_once) == (1, 1)
    with open("table.md", encoding="utf-8") as file:
        assert file.readline().startswith("| hospital, h=12, 5 series | MASE | sMAPE % | WQL |")


def test_main_quick_takes_a_dozen_series_and_the_mean_asks_for_its_members(ran, capsys):
    main(["--no-mlflow", "--quick", "--panel", "tourism", "--models", "seasonal_naive", SCUM])
    assert ran == [("tourism", ("seasonal_naive", *SCUM_MEMBERS), 26, 2)]
    assert "seconds are rough" in capsys.readouterr().out
    main(["--no-mlflow", "--quick", "--no-peers"])
    assert "prophet" in ran[-1][1] and not set(ran[-1][1]) & {*SCUM_MEMBERS, "Prophet"}


def test_without_the_extra_it_says_so_and_runs_the_rest(ran, capsys, monkeypatch):
    monkeypatch.setattr(benchmark_models, "find_spec", lambda package: package != "statsforecast")
    main(["--no-mlflow", "--panel", "tourism"])
    assert 'pip install "send-forecast[bench]"' in capsys.readouterr().out
    assert "auto" in ran[0][1] and not set(ran[0][1]) & {*SCUM_MEMBERS, "AutoTheta", "SeasonalNaive"}
    with pytest.raises(SystemExit, match="1"):
        main(["--no-mlflow", "--models", "AutoETS"])
    assert 'pip install "send-forecast[bench]"' in capsys.readouterr().err


def test_an_unknown_model_and_a_failed_one_end_with_a_fault(ran, capsys, monkeypatch):
    with pytest.raises(SystemExit, match="2"):
        main(["--models", "AutoEts"])
    assert "'AutoEts': not known; choose from auto, " in capsys.readouterr().err
    monkeypatch.setattr(benchmark, "run_panel", lambda *asked, **options: replace(RESULT, task=TASKS["hospital"]))
    with pytest.raises(SystemExit, match="failed: hospital broken"):
        main(["--no-mlflow", "--panel", "hospital"])
    assert "failed" in capsys.readouterr().out


def test_main_says_when_nothing_was_recorded(ran, capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "mlflow.db").mkdir()
    main(["--panel", "hospital", "--models", "seasonal_naive"])
    assert "not recorded" in capsys.readouterr().err


@pytest.mark.slow
def test_mlflow_has_a_run_a_panel_with_a_child_a_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in tracking.ENVIRONMENT:
        monkeypatch.setenv(name, "")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    log_to_mlflow([RESULT], uri=uri, params={"quick": "False"})
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    runs = client.search_runs([client.get_experiment_by_name("benchmark").experiment_id])
    by_name = {run.info.run_name: run for run in runs}
    parent = by_name.pop("made up")
    assert parent.data.params == {"panel": "made up", "horizon": "2", "series": "5", "quick": "False"}
    assert {run.data.tags["mlflow.parentRunId"] for run in by_name.values()} == {parent.info.run_id}
    assert by_name["made up auto"].data.metrics["mase"] == 0.9
    assert "coverage_total_80" not in by_name["made up auto"].data.metrics
    assert {name: run.info.status for name, run in by_name.items()} == {
        "made up auto": "FINISHED",
        "made up theta": "FINISHED",
        "made up broken": "FAILED",
        "made up SCUM": "FINISHED",
    }


def test_peak_memory_is_near_what_the_system_accounts():
    resource = pytest.importorskip("resource")
    unit = 1 if sys.platform == "darwin" else 1024
    accounted = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
    assert peak_memory() == pytest.approx(accounted, rel=0.3)
