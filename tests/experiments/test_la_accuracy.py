"""The experiment's rules, averages, fairness and verdict against numbers worked out by hand."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from experiments import la_accuracy
from experiments.la_accuracy import (
    RULES,
    Task,
    complete_panel,
    half_own_half_national,
    log_to_mlflow,
    metrics_of,
    national_growths,
    national_last,
    national_mean,
    run_task,
)
from experiments.tables import (
    Scored,
    accuracy_rows,
    against_best,
    fair,
    markdown_table,
    missed_rows,
    on_its_origins,
    pooled,
    report,
    text_table,
    verdict,
    wapes,
)
from forecast import study
from forecast.sources.observations import OBSERVATION_COLUMNS, Reading
from jobs import tracking
from jobs.tracking_store import StoreFault

TWO_AREAS = np.array([[100.0, 110.0, 121.0], [300.0, 330.0, 330.0]])  # nation 400, 440, 451
TASK = Task("requests", 2019, 2020, (1, 2))


def test_national_rules():
    np.testing.assert_allclose(national_growths(TWO_AREAS), np.log([1.1, 1.025]))
    np.testing.assert_allclose(
        national_last(TWO_AREAS, 2), [[121 * 1.025, 121 * 1.025**2], [330 * 1.025, 330 * 1.025**2]]
    )
    np.testing.assert_allclose(national_last(TWO_AREAS, 1, share=0.5)[:, 0], [121 * 1.025**0.5, 330 * 1.025**0.5])
    np.testing.assert_allclose(national_mean(TWO_AREAS, 1)[0], 121 * (451 / 400) ** (1 / 2))


def test_national_mean_looks_at_the_last_three_growths_only():
    values = np.array([[1.0, 50.0, 100.0, 200.0, 800.0]])
    np.testing.assert_allclose(national_mean(values, 2), [[800 * 16 ** (1 / 3), 800 * 16 ** (2 / 3)]])


def test_half_own_half_national_is_the_geometric_mean_of_both_growths():
    points = half_own_half_national(TWO_AREAS, 2)
    np.testing.assert_allclose(points[0], [121 * (1.1 * 1.025) ** 0.5, 121 * 1.1 * 1.025])
    np.testing.assert_allclose(points[1, 0], 330 * 1.025**0.5)


def test_an_area_without_its_last_figure_goes_with_the_nation_from_the_one_before():
    values = np.array([[100.0, 110.0, np.nan], [300.0, 330.0, 363.0]])
    np.testing.assert_allclose(national_growths(values), np.log([1.1, 1.1]))
    for rule in RULES:
        assert np.isfinite(rule.points(values, 2)).all(), rule.name
    np.testing.assert_allclose(half_own_half_national(values, 1)[0, 0], 110 * 1.1)


def test_the_rules_listed_are_the_five_of_the_comparison():
    expected = [1.025, (1.1 * 1.025) ** 0.5, 1.025**0.5, 1.025**0.7, (451 / 400) ** 0.5]
    np.testing.assert_allclose([rule.points(TWO_AREAS, 1)[0, 0] / 121 for rule in RULES], expected)


def observations(values: np.ndarray, *, first: int, measure: str = "requests") -> pd.DataFrame:
    """Rows of areas A00, A01, ... from a year on."""
    areas, years = np.indices(values.shape)
    code = [f"A{i:02d}" for i in areas.ravel()]
    known = {
        "measure": measure,
        "geographic_level": "local_authority",
        "area_code": code,
        "area_name": code,
        "ds": pd.to_datetime([f"{first + year}-01-01" for year in years.ravel()]),
        "y": values.ravel(),
    }
    return pd.DataFrame({**dict.fromkeys(OBSERVATION_COLUMNS, ""), **known})


def growing(n: int = 10, length: int = 8, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(rng.uniform(100, 900, n)[:, None] * np.exp((rng.normal(0.1, 0.1, (n, length))).cumsum(axis=1)))


def test_complete_panel_drops_missing_marked_and_zero_series_and_later_years():
    values = growing(5)
    values[1, 3], values[2, 4] = np.nan, 0.0
    rows = observations(values, first=2015)
    rows.loc[(rows["area_code"] == "A03") & (rows["ds"].dt.year == 2017), "reason"] = "sum_mismatch: 1 is not 2"
    rows.loc[rows["area_code"] == "A04", "geographic_level"] = "region"
    panel = complete_panel(rows, TASK)
    assert panel.ids == ("requests/A00",)
    assert panel.dates[-1] == pd.Timestamp("2021-01-01")
    lenient = Task("requests", 2019, 2020, (1, 2), may_miss=1, zeros=True)
    assert [i[-3:] for i in complete_panel(rows, lenient).ids] == ["A00", "A01", "A02", "A03"]


@pytest.mark.parametrize("method", ["auto", RULES[0].name])
def test_no_look_ahead(method, monkeypatch):
    monkeypatch.setattr(study, "default_members", lambda period: ("naive", "drift", "area_growth"))
    methods = {method: "auto" if method == "auto" else RULES[0]}
    values = growing()
    changed = values.copy()
    changed[:, 5:] *= np.linspace(0.3, 3, 10)[:, None]  # 2020 and after, which the first origin does not see
    before, after = (
        run_task(complete_panel(observations(y, first=2015), TASK), TASK, methods).cells for y in (values, changed)
    )
    first = before["origin"] == "2019-01-01"
    same = np.isclose(before["point"], after["point"])
    assert same[first].all()
    assert not same[~first].any()
    assert not np.isclose(before["actual"], after["actual"]).any()


def test_the_error_scored_is_that_of_the_point_itself():
    values = growing()
    cells = run_task(complete_panel(observations(values, first=2015), TASK), TASK, {"naive": "naive"}).cells
    at = cells[(cells["origin"] == "2019-01-01") & (cells["horizon"] == 2)].sort_values("unique_id")
    np.testing.assert_array_equal(at["point"], values[:, 4])
    np.testing.assert_array_equal(at["abs_error"], np.abs(values[:, 4] - values[:, 6]))


def test_origins_counts_and_areas_without_a_figure_at_the_origin():
    values = growing()
    values[3, 5] = np.nan
    task = Task("requests", 2019, 2020, (1, 2), may_miss=1)
    cells = run_task(complete_panel(observations(values, first=2015), task), task, {"drift": "drift"}).cells
    counted = cells.groupby(["origin", "horizon"])["unique_id"].nunique()
    assert counted.to_dict() == {
        (pd.Timestamp("2019-01-01"), 1): 9,  # A03 has no outturn
        (pd.Timestamp("2019-01-01"), 2): 10,
        (pd.Timestamp("2020-01-01"), 1): 9,  # A03 has no figure at the origin
    }


def test_every_so_many_th_area_is_scored_for_all_methods():
    lines: list[str] = []
    panel = complete_panel(observations(growing(), first=2015), TASK)
    methods = {"naive": "naive", "theta": "theta"}
    scored = run_task(panel, TASK, methods, every=4, progress=lines.append)
    by_model = scored.cells.groupby("model")["unique_id"].unique()
    assert [sorted(ids) for ids in by_model] == [["requests/A00", "requests/A04", "requests/A08"]] * 2
    assert [line.split()[1] for line in lines] == ["naive", "theta"]


def cells_of(errors: dict[tuple[str, int, int], list[float]], actual: float = 100.0) -> pd.DataFrame:
    """Cells by (model, origin, horizon) from the errors of areas a, b, ...; NaN: no answer."""
    rows = [
        {
            "unique_id": area,
            "model": model,
            "origin": pd.Timestamp(f"{origin}-01-01"),
            "horizon": horizon,
            "actual": actual * (10 if origin == 2020 else 1),
            "point": np.nan,
            "error": error,
            "abs_error": abs(error),
            "scaled_abs_error": np.nan,
            "pinball": 0.0,
            "covered_80": float(abs(error) < 15),
            "covered_95": 1.0,
        }
        for (model, origin, horizon), answers in errors.items()
        for area, error in zip("abcd", answers, strict=False)
    ]
    return pd.DataFrame(rows).dropna(subset="error")


CELLS = cells_of(
    {
        ("rule", 2019, 1): [10, -10],
        ("rule", 2020, 1): [60, 0],
        ("rule", 2019, 3): [40, 40],
        ("late", 2020, 1): [20, 20],
        ("auto", 2019, 1): [12, 12],
        ("auto", 2020, 1): [30, 30],
        ("auto", 2019, 3): [-41, 41],
    }
)
SCORED = Scored("caseload", (1, 3), CELLS, {"rule": 1.0, "late": 2.0, "auto": 3.5})


def test_wape_is_taken_per_origin_and_then_averaged():
    wape, origins = wapes(SCORED)
    assert wape.loc["rule"].tolist() == pytest.approx([(10 + 3) / 2, 40])  # over all cells it would be 80 / 2200
    assert wape.loc["auto"].tolist() == pytest.approx([(12 + 3) / 2, 41])
    assert origins.to_numpy().tolist() == [[2, 1], [1, 0], [2, 1]]
    assert np.isnan(wape.loc["late", 3])


def test_pooled_coverage_counts_cells_and_bias_keeps_its_sign():
    over_all = pooled(SCORED)
    assert over_all.loc["rule", "coverage_80"] == pytest.approx(100 * 3 / 6)
    assert over_all.loc["late", "bias"] == pytest.approx(2.0)
    assert over_all.loc["rule", "bias"] == pytest.approx(100 * ((0 + 80) / 400 + 60 / 2000) / 2)


def test_methods_that_missed_origins_are_compared_on_their_own():
    row = on_its_origins(SCORED).iloc[0]
    assert (row["model"], row["horizon"], row["origins"], row["best"]) == ("late", 1, 1, "rule")
    assert [row["wape"], row["auto"], row["best_wape"]] == pytest.approx([2.0, 3.0, 3.0])
    assert len(on_its_origins(SCORED)) == 1
    assert missed_rows([SCORED])[1] == ["caseload +1: late", "1", "2.0", "3.0", "3.0 (rule)"]
    complete = Scored("caseload", (1, 3), CELLS[CELLS["model"] != "late"], {"rule": 1.0, "auto": 1.0})
    assert missed_rows([complete]) == []


def test_only_series_that_every_answering_method_has_are_kept():
    uneven = cells_of(
        {
            ("rule", 2019, 1): [1, 2, 3],
            ("late", 2019, 1): [1, np.nan, 3],
            ("rule", 2020, 1): [1, 2, 3],
        }
    )
    kept = fair(uneven)
    assert kept.groupby(["model", "origin"])["unique_id"].agg("".join).tolist() == ["ac", "ac", "abc"]


def test_verdict_compares_auto_with_the_best_that_answered_every_origin():
    ratios = against_best(SCORED)
    assert ratios["best"].tolist() == ["rule", "rule"]
    assert ratios["ratio"].tolist() == pytest.approx([7.5 / 6.5, 41 / 40])
    said = verdict([SCORED], alone=["rule"])
    assert "  caseload 1: 1.154 = 7.50 / 6.50 (rule): missed" in said
    assert "  caseload 3: 1.025 = 41.00 / 40.00 (rule): missed" in said
    assert "  caseload 1: late (origins: 1): 1.500 = 3.00 / 2.00" in said
    assert "auto below rule at every horizon of caseload: no" in said
    assert said[-1] == "  caseload: 33.3: missed"


def test_verdict_is_met_where_auto_is_good_enough():
    good = CELLS.assign(
        abs_error=CELLS["abs_error"].mask(CELLS["model"] == "auto", 1.0),
        covered_80=[1.0, 1.0, 1.0, 1.0, 0.0, 1.0] * 2 + [0.0, 1.0],
    )
    said = verdict([Scored("caseload", (1, 3), good, SCORED.seconds)], alone=["rule"])
    assert sum(line.endswith(": met") for line in said) == 2
    assert "auto below rule at every horizon of caseload: yes" in said
    elsewhere = verdict([Scored("requests", (1, 3), good, SCORED.seconds)], alone=["rule"])
    assert not any("every horizon" in line for line in elsewhere)


def test_rows_mark_what_rests_on_fewer_origins():
    header, counts, *body = accuracy_rows([SCORED])
    assert header == ["WAPE %", "caseload +1", "+3", "80 %", "95 %", "bias", "seconds"]
    assert counts == ["origins", "2", "1", "", "", "", ""]
    assert body[1] == ["late", "2.0 (1)", "-", "0", "100", "+2.0", "2.0"]
    assert {len(row) for row in body} == {len(header)}
    text = text_table([header, counts, *body]).splitlines()
    assert text[3].startswith("late") and text[0].index("bias") + 4 == text[3].index("+2.0") + 4
    assert markdown_table([["a", "b"], ["c", "1"]]) == "| a | b |\n| --- | ---: |\n| c | 1 |"
    assert report([SCORED], alone=["rule"]).count("\n\n") == 2


def test_a_method_without_any_answer_has_dashes():
    silent = Scored("caseload", (1, 3), CELLS, {**SCORED.seconds, "mute": 0.1})
    assert accuracy_rows([silent])[-1] == ["mute", "-", "-", "-", "-", "-", "0.1"]


def test_what_mlflow_gets_has_horizons_as_steps_and_shares():
    told = {(name, step): value for name, value, step in metrics_of(SCORED, "rule")}
    assert told["caseload.wape", 3] == pytest.approx(0.4)
    assert told["caseload.coverage_80", 0] == pytest.approx(0.5)
    assert told["caseload.origins", 1] == 2
    assert told["caseload.seconds", 0] == 1.0


def test_a_store_that_cannot_be_used_is_a_fault(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(StoreFault):
        log_to_mlflow([SCORED], uri=f"sqlite:///{tmp_path / 'mlflow.db'}", quick=True)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Twelve areas of every measure, methods without slow fits, and a folder to write to."""
    values = growing(12, 15)
    rows = [
        observations(values, first=2010, measure=task.measure) for task in (*la_accuracy.MAIN, *la_accuracy.HELD_OUT)
    ]
    monkeypatch.setattr(la_accuracy.reference, "ehc", lambda: Reading(pd.concat(rows), ()))
    monkeypatch.setattr(la_accuracy, "ALONE", ("drift",))
    monkeypatch.setattr(la_accuracy, "METHODS", {"drift": "drift", RULES[1].name: RULES[1], "auto": ["naive", "drift"]})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_main_prints_both_tables_and_writes_markdown(small, capsys):
    la_accuracy.main(["--no-mlflow", "--jobs", "1", "--markdown", "table.md"])
    said = capsys.readouterr()
    assert said.out.count("WAPE %") == 2
    assert "requests: 12 local authorities with a figure above zero every year, origins 2019 to 2022" in said.out
    assert "caseload: 12 local authorities with a figure above zero every year, origins 2016 to 2023" in said.out
    assert "new_plans +1" in said.out.split("Held out")[1]
    assert (small / "table.md").read_text(encoding="utf-8").startswith("| WAPE % | requests +1 | +2 | +3 | 80 % | case")
    assert "requests_refused: drift" in said.err


def test_main_quick_leaves_the_held_out_measures_and_says_when_nothing_was_recorded(small, capsys, monkeypatch):
    (small / "mlflow.db").mkdir()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    la_accuracy.main(["--quick", "--jobs", "1"])
    said = capsys.readouterr()
    assert "Held out" not in said.out
    assert "every 8th" in said.out
    assert "not recorded" in said.err and "--no-mlflow" in said.err


@pytest.mark.slow
def test_mlflow_has_a_run_a_method(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in tracking.ENVIRONMENT:
        monkeypatch.setenv(name, "")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    log = partial(log_to_mlflow, [SCORED], uri=uri, quick=False)
    log()
    log()
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("la_accuracy")
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.info.run_name for run in runs) == ["auto", "auto", "late", "late", "rule", "rule"]
    auto = next(run for run in runs if run.info.run_name == "auto")
    history = client.get_metric_history(auto.info.run_id, "caseload.wape")
    assert {metric.step: metric.value for metric in history} == pytest.approx({1: 0.075, 3: 0.41})
    assert auto.info.status == "FINISHED"
    assert (tmp_path / "mlartifacts").as_uri() == experiment.artifact_location
