"""The two verbs of the library: forecast a panel, score models on it; nothing is answered in silence."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from forecast import Forecast, Panel, SpecError, evaluate_panel, forecast_panel, models
from forecast.evaluate.metrics import STATISTICS
from forecast.models.base import Capability
from forecast.study import study_panel
from tests.panels import growing, long, panel

NAN = np.nan
SCORE_COLUMNS = ["unique_id", "model", "origin", "horizon", "metric", "value"]


@dataclass(frozen=True)
class Level:
    """Says one level for ever; refuses series that hold a 13."""

    level: float = 50.0
    name = "level"
    capability = Capability(min_history=2)

    def forecast(self, window, horizon):
        if 13 in window.values:
            raise ArithmeticError("thirteen")
        return np.full((len(window.ids), horizon), self.level)


@dataclass(frozen=True)
class Other(Level):
    name = "other"


def statuses(fc: Forecast) -> dict[str, str]:
    return fc.ledger.set_index("unique_id")["status"].to_dict()


def entry(fc: Forecast, series: str) -> pd.Series:
    return fc.ledger.set_index("unique_id").loc[series]


def medians(fc: Forecast) -> pd.Series:
    return fc.to_frame().groupby("unique_id")["median"].first()


def test_a_name():
    fc = forecast_panel(panel({"a": [100.0, 110, 121, 130, 140]}), horizon=2, model="naive")
    assert fc.ledger.columns.tolist() == ["unique_id", "model", "status", "reason", "n_obs", "last_ds"]
    assert entry(fc, "a").tolist() == ["naive", "ok", "", 5, pd.Timestamp("2014-01-01")]
    assert fc.to_frame()["ds"].dt.year.tolist() == [2015, 2016]
    assert medians(fc)["a"] == pytest.approx(140, rel=0.02)


def test_an_instance_with_parameters_of_its_own():
    fc = forecast_panel(panel({"a": [10.0, 11, 12, 15]}), horizon=1, model=Level(77.0))
    assert entry(fc, "a")["model"] == "level"
    assert medians(fc)["a"] == pytest.approx(77, rel=0.05)


@dataclass(frozen=True)
class Drift(Level):
    name = "drift"


def test_an_instance_that_bears_a_registered_name_is_the_one_that_is_run():
    fc = forecast_panel(panel({"a": [10.0, 11, 12, 15]}), horizon=1, model=Drift(500.0))
    assert medians(fc)["a"] > 400


def test_a_list_is_the_equal_mean_of_its_models():
    fc = forecast_panel(panel({"a": [10.0, 11, 12, 15]}), horizon=1, model=[Level(80.0), Other(40.0)])
    assert entry(fc, "a")[["model", "status", "reason"]].tolist() == [
        "level+other",
        "ok",
        "level 0.50, other 0.50; equal weights",
    ]
    assert medians(fc)["a"] == pytest.approx(60, rel=0.05)


def test_auto_combines_and_says_how():
    fc = forecast_panel(panel(growing()), horizon=2)
    assert set(fc.ledger["model"]) == {"auto"}
    assert fc.ledger["reason"].str.contains(r"^\w+ [01]\.\d\d.*; weights from \d+ past origins? and the prior$").all()
    last = {name: y[-1] for name, y in growing().items()}
    assert (medians(fc) / pd.Series(last)).between(0.85, 1.35).all()


def test_statuses_of_the_ladder():
    rows = {
        "fails": [10.0, 11, 13, 15, 20],
        "fails short": [NAN, NAN, 10, 13, 15],
        "fine": [10.0, 11, 12, 15, 20],
        "gone": [10.0, 11, NAN, NAN, NAN],
        "nothing": [NAN] * 5,
        "one": [NAN, NAN, NAN, NAN, 4],
    }
    fc = forecast_panel(panel(rows), horizon=1, model=Level())
    assert statuses(fc) == {
        "fails": "failed",
        "fails short": "failed",
        "fine": "ok",
        "gone": "not_enough_data",
        "nothing": "not_enough_data",
        "one": "not_enough_data",
    }
    assert fc.ids == ("fails", "fails short", "fine")
    assert entry(fc, "fails")["reason"] == "level: failed: ArithmeticError: thirteen; answered by drift"
    assert entry(fc, "fails short")["reason"] == "level: failed: ArithmeticError: thirteen; answered by naive"
    assert entry(fc, "gone")["reason"] == "last figure 3 periods before the origin; at most 2 allowed"
    assert entry(fc, "nothing")["reason"] == "0 figures; at least 2 needed"
    assert entry(fc, "one")["reason"] == "1 figure; at least 2 needed"
    assert entry(fc, "gone")["last_ds"] == pd.Timestamp("2011-01-01")
    middle = medians(fc)
    assert middle["fails"] == pytest.approx(22.5, rel=0.1)
    assert middle["fails short"] == pytest.approx(15, rel=0.1)


def test_short_series_are_short_not_failed():
    rows = {"four": [NAN, 10.0, 12, 14, 16], "two": [NAN, NAN, NAN, 14, 16]}
    fc = forecast_panel(panel(rows), horizon=1, model="ets")
    assert statuses(fc) == {"four": "short", "two": "short"}
    assert entry(fc, "four")["reason"] == "ets: short: 4 figures, 5 needed; answered by drift"
    assert entry(fc, "two")["reason"] == "ets: short: 2 figures, 5 needed; answered by naive"
    assert medians(fc)["four"] == pytest.approx(18, rel=0.1)


def test_months_have_no_drift_on_the_ladder():
    fc = forecast_panel(panel({"a": np.arange(5.0, 13)}, "MS"), horizon=2, model="seasonal_naive")
    assert entry(fc, "a")["reason"] == "seasonal_naive: short: 8 figures, 12 needed; answered by naive"


def test_a_list_whose_members_fail_or_are_short_says_so():
    fc = forecast_panel(panel({"a": [10.0, 13, 14, 15]}), horizon=1, model=[Level(), "naive"])
    assert entry(fc, "a")["status"] == "ok"
    assert entry(fc, "a")["reason"] == "naive 1.00; equal weights; level failed: ArithmeticError: thirteen"
    nobody = forecast_panel(panel({"a": [10.0, 13, 14]}), horizon=1, model=[Level(), "theta"])
    assert entry(nobody, "a")["status"] == "failed"
    assert entry(nobody, "a")["reason"] == (
        "level+theta: failed: level failed: ArithmeticError: thirteen; theta short: 3 figures, 4 needed; "
        "answered by naive"
    )
    short = forecast_panel(panel({"a": [10.0, 12, 14]}), horizon=1, model=["ets", "theta"])
    assert entry(short, "a")[["model", "status"]].tolist() == ["naive", "short"]


class NoNaive(Level):
    name = "naive"


def test_when_even_the_ladder_fails_the_series_has_no_answer_and_a_reason():
    fc = forecast_panel(panel({"a": [10.0, 13, 14]}), horizon=1, model=NoNaive())
    assert fc.ids == ()
    assert entry(fc, "a")["status"] == "failed"
    assert entry(fc, "a")["reason"].endswith("no step of the ladder answered")


def test_max_gap_decides_what_is_stale():
    rows = {"a": [10.0, 11, 12, 14, NAN, NAN, NAN], "b": [1.0, 2, 3, 4, 5, 6, 7]}
    assert statuses(forecast_panel(panel(rows), horizon=1, model="naive"))["a"] == "not_enough_data"
    allowed = forecast_panel(panel(rows), horizon=1, model="naive", max_gap=3)
    assert statuses(allowed)["a"] == "ok"
    assert allowed.ds[0] == pd.Timestamp("2017-01-01")


def test_constant_series_say_so():
    fc = forecast_panel(panel({"a": [5.0] * 6, "b": [0.0] * 6}), horizon=1, model="drift")
    assert fc.ledger["reason"].tolist() == ["constant at 5", "constant at 0"]
    auto = forecast_panel(panel({"a": [5.0] * 6}), horizon=1)
    assert entry(auto, "a")["reason"].startswith("constant at 5; ")


def test_nothing_to_answer():
    fc = forecast_panel(panel({"a": [10.0], "b": [12.0]}), horizon=3)
    assert fc.ids == ()
    assert fc.paths.shape == (0, 3, 1000)
    assert statuses(fc) == {"a": "not_enough_data", "b": "not_enough_data"}
    assert fc.to_frame().empty


def test_a_horizon_longer_than_history():
    fc = forecast_panel(panel({"a": [10.0, 11, 12, 13, 15]}), horizon=12, n_paths=50)
    assert fc.paths.shape == (1, 12, 50)
    assert np.isfinite(fc.paths).all()


def test_intervals_widen_and_totals_are_of_paths():
    rows = long(growing(10, 30), "MS").assign(region=lambda df: df["unique_id"].str[-1].map(lambda i: "NS"[int(i) % 2]))
    fc = forecast_panel(Panel.from_frame(rows, freq="MS", groups=[]), horizon=12, model="area_growth")
    frame = fc.to_frame()
    width = (frame["hi-80"] - frame["lo-80"]).to_numpy().reshape(10, 12)
    assert (width[:, -1] > width[:, 0]).all()
    year = fc.total(by="academic_year")
    north = fc.paths[[i for i, name in enumerate(fc.ids) if int(name[-1]) % 2 == 0]]
    months = [ds.year if ds.month >= 9 else ds.year - 1 for ds in fc.ds]
    first = np.array(months) == months[0]
    assert year.loc[0, "hi-80"] == pytest.approx(np.quantile(fc.paths[:, first].sum(axis=(0, 1)), 0.9))
    assert year.loc[0, "hi-80"] < frame[frame["ds"].isin(fc.ds[first])]["hi-80"].sum()
    by_region = fc.total(by="region", where={"region": "N"})
    np.testing.assert_allclose(by_region["median"], np.median(north.sum(axis=0), axis=1))


def test_prob_above_follows_the_paths():
    fc = forecast_panel(panel({"a": [100.0, 110, 100, 110, 100, 110]}), horizon=1, model="naive")
    chance = [fc.prob_above(x)["prob_above"].iloc[0] for x in (0, 105, 110, 115, 10_000)]
    assert chance[0] == 1
    assert chance[-1] == 0
    assert sorted(chance, reverse=True) == chance
    assert chance[2] == pytest.approx(0.5, abs=0.06)


def test_series_of_another_group_change_nothing():
    rows = long(growing(9)).assign(measure="requests")
    more = pd.concat([rows, long({"zzz": [5.0, 9, 4, 7, 5, 8, 3, 2, 6], "aaa": np.arange(9.0)}).assign(measure="m")])
    alone, joined = (
        forecast_panel(Panel.from_frame(part, freq="YS", groups=["measure"]), horizon=2, model="area_growth", seed=4)
        for part in (rows, more)
    )
    chosen = [joined.ids.index(name) for name in alone.ids]
    np.testing.assert_array_equal(joined.paths[chosen], alone.paths)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("tehta", r"model 'tehta': not known \(did you mean theta\?\)"),
        (["naive", "nix"], "model 'nix': not known"),
        ([], "a list of models needs at least one"),
        (["naive", "naive"], "model 'naive': given twice"),
        (Level, "a name, a model or a list of them is needed"),
        (3, "a name, a model or a list of them is needed"),
    ],
)
def test_wrong_models_are_refused(model, said):
    with pytest.raises(SpecError, match=said):
        forecast_panel(panel({"a": [1.0, 2, 3]}), horizon=1, model=model)


@pytest.mark.parametrize("numbers", [{"horizon": 0}, {"horizon": -2}, {"n_paths": 0}, {"seed": -1}])
def test_impossible_numbers_are_refused(numbers):
    name, value = next(iter(numbers.items()))
    with pytest.raises(SpecError, match=f"{name} {value}"):
        forecast_panel(panel({"a": [1.0, 2, 3]}), model="naive", **{"horizon": 1, **numbers})


def project(then: Panel, horizon: int) -> Forecast:
    """A domain projection: the last figure, for certain, of all but the first series."""
    last = then.window().values[1:, -1]
    return Forecast(
        ids=then.ids[1:],
        ds=then.future(horizon),
        paths=np.repeat(last, horizon * 4).reshape(len(last), horizon, 4),
        keys=then.keys,
        freq=then.freq,
        ledger=pd.DataFrame(),
    )


def scores(**more) -> pd.DataFrame:
    return evaluate_panel(panel(growing(4, 9)), horizon=2, origins=4, **more)


def test_scores_are_long_one_row_a_cell_and_metric():
    made = scores(models=["naive", "drift"])
    assert made.columns.tolist() == SCORE_COLUMNS
    assert set(made["metric"]) == {"wape", "bias", "mase", "pinball", "coverage_80", "coverage_95"}
    assert len(made) == 2 * 4 * (4 + 3) * 6
    assert sorted(made["origin"].dt.year.unique()) == [2014, 2015, 2016, 2017]
    assert made.groupby("horizon")["origin"].max().dt.year.tolist() == [2017, 2016]


def test_a_callable_is_scored_by_the_same_code():
    rows = growing(4, 9)
    made = scores(models=["naive", project])
    assert set(made["model"]) == {"naive", "project"}
    mine = made.query("model == 'project' and metric == 'wape'").set_index(["unique_id", "origin", "horizon"])["value"]
    assert set(mine.index.get_level_values("unique_id")) == {"area01", "area02", "area03"}
    y = rows["area02"]
    assert mine["area02", pd.Timestamp("2015-01-01"), 2] == pytest.approx(abs(y[5] - y[7]) / y[7])
    pinball = made.query("model == 'project' and metric == 'pinball'").set_index(["unique_id", "origin", "horizon"])
    np.testing.assert_allclose(pinball["value"], mine.reindex(pinball.index))


def test_a_callable_alone_has_the_same_types():
    alone, beside = scores(models=[project]), scores(models=["naive", project])
    assert alone.dtypes.to_dict() == beside.dtypes.to_dict()
    pd.testing.assert_frame_equal(
        alone.sort_values(SCORE_COLUMNS[:5], ignore_index=True),
        beside.query("model == 'project'").sort_values(SCORE_COLUMNS[:5], ignore_index=True),
    )


def test_instances_and_lists_are_scored():
    made = scores(models=[Level(60.0), ["naive", "drift"], "auto"])
    assert set(made["model"]) == {"level", "naive+drift", "auto"}
    level = made.query("model == 'level' and metric == 'wape' and unique_id == 'area00' and horizon == 1")
    outturn = growing(4, 9)["area00"][5:]
    np.testing.assert_allclose(level["value"], np.abs(60 - outturn) / outturn, rtol=0.08)


def test_series_a_model_did_not_answer_have_no_cells():
    rows = {"a": [10.0, 11, 12, 13, 15, 16], "late": [NAN, NAN, NAN, NAN, 5, 6]}
    made = evaluate_panel(panel(rows), horizon=1, origins=2, models=["ets", "naive"])
    answered = made.query("metric == 'wape'").groupby("model")["unique_id"].agg(set).to_dict()
    assert answered == {"ets": {"a"}, "naive": {"a", "late"}}
    only_short = evaluate_panel(panel({"a": [1.0, 2, 3]}), horizon=1, models=["ets"])
    assert only_short.empty
    assert only_short.columns.tolist() == SCORE_COLUMNS


def test_too_little_history_gives_an_empty_table():
    for models_asked in (["naive"], [project], []):
        made = evaluate_panel(panel({"a": [1.0], "b": [2.0]}), horizon=1, models=models_asked)
        assert made.empty
        assert made.columns.tolist() == SCORE_COLUMNS


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"models": ["naive", "naive"]}, "model 'naive': given twice"),
        ({"models": [Level(1.0), Level(2.0)]}, "model 'level': given twice"),
        ({"models": [Level(1.0), [Level(2.0), "naive"]]}, "two different models have this name"),
        ({"models": ["nix"]}, "model 'nix': not known"),
        ({"models": [project], "horizon": 0}, "horizon 0: at least 1"),
        ({"models": ["naive"], "origins": 0}, "origins 0: at least 1"),
    ],
)
def test_wrong_evaluations_are_refused(wrong, said):
    with pytest.raises(SpecError, match=said):
        evaluate_panel(panel({"a": [1.0, 2, 3, 4]}), **{"horizon": 1, **wrong})


def test_pooled_scores_add_up_within_an_origin_and_average_over_origins():
    rows = {"a": [10.0, 12, 11, 13, 17, 16], "b": [100.0, 90, 95, 120, 80, 100]}
    made = evaluate_panel(panel(rows), horizon=1, origins=3, models=["naive"], by=["model", "horizon"])
    a, b = np.array(rows["a"]), np.array(rows["b"])
    by_origin = [(abs(a[t] - a[t - 1]) + abs(b[t] - b[t - 1])) / (a[t] + b[t]) for t in (3, 4, 5)]
    wape = made.query("metric == 'wape'").iloc[0]
    assert wape["value"] == pytest.approx(np.mean(by_origin), rel=1e-4)
    assert (wape["model"], wape["horizon"], wape["n_series"], wape["n_origins"]) == ("naive", 1, 2, 3)


@pytest.mark.parametrize("by", [["colour"], ["origin"], []])
def test_scores_are_pooled_by_what_there_is(by):
    with pytest.raises(SpecError, match="scores can be pooled by unique_id, model, horizon"):
        evaluate_panel(panel({"a": [1.0, 2, 3, 4]}), horizon=1, models=["naive"], by=by)


def test_a_study_forecasts_and_scores_under_the_names_it_was_given():
    study = study_panel(panel(growing(4, 9)), {"mine": "drift", "both": ["naive", "drift"]}, horizon=2, origins=3)
    cells = study.cells(["mine", "both"], origins=3)
    assert {*STATISTICS} < {*cells.columns}
    assert set(cells["model"]) == {"mine", "both"}
    assert set(study.forecast("mine").ledger["model"]) == {"mine"}
    drift = forecast_panel(panel(growing(4, 9)), horizon=2, model="drift")
    np.testing.assert_array_equal(study.forecast("mine").paths, drift.paths)


def test_series_out_of_scope_are_answered_by_the_ladder_and_say_why():
    study = study_panel(panel(growing(3, 9)), ["theta"], horizon=1, scope={"theta": ["area01", "elsewhere"]})
    fc = study.forecast("theta")
    assert fc.ledger["model"].tolist() == ["drift", "theta", "drift"]
    assert entry(fc, "area00")["reason"] == "theta: not asked for this series; answered by drift"


def test_models_are_there_by_name():
    assert "area_growth" in models.names()


def test_a_batch_model_that_breaks_fails_for_constant_series_too():
    class Breaks:
        name = "breaks"
        capability = Capability(min_history=2, batch=True)

        def forecast(self, window, horizon):
            raise ArithmeticError("no")

    fc = forecast_panel(panel({"same": [3.0] * 8, "grows": [1.0, 2, 3, 4, 5, 6, 7, 8]}), horizon=2, model=Breaks())
    assert fc.ledger["status"].tolist() == ["failed", "failed"]
