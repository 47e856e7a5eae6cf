"""Panels, look-ahead, and what is scored: the same cells for all, areas and nation from the same paths."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from experiments import la_run
from experiments.la_methods import RULES
from experiments.la_run import NATION, Task, complete_panel, run_task
from forecast import study
from forecast.evaluate.metrics import statistics
from forecast.models.base import Capability
from forecast.panel import Window
from forecast.study import study_panel
from tests.experiments.la_made_up import growing, observations

TASK = Task("requests", 2019, 2020, (1, 2))


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


@pytest.mark.parametrize("method", ["auto", RULES[0].name, RULES[-1].name])
def test_no_look_ahead(method, monkeypatch):
    monkeypatch.setattr(study, "default_members", lambda period: ("naive", "drift", "area_growth"))
    methods = {method: next((rule for rule in RULES if rule.name == method), method)}
    values = growing()
    changed = values.copy()
    changed[:, 5:] *= np.linspace(0.3, 3, 10)[:, None]  # 2020 and after, which the first origin does not see
    before, after = (
        run_task(complete_panel(observations(y, first=2015), TASK), TASK, methods) for y in (values, changed)
    )
    for old, new in ((before.cells, after.cells), (before.totals, after.totals)):
        first = old["origin"] == "2019-01-01"
        for column in ("point", "lo_80", "hi_95"):
            same = np.isclose(old[column], new[column])
            assert same[first].all()
            assert not same[~first].any()
        assert not np.isclose(old["actual"], new["actual"]).any()


def test_the_error_scored_is_that_of_the_point_itself():
    values = growing()
    cells = run_task(complete_panel(observations(values, first=2015), TASK), TASK, {"naive": "naive"}).cells
    row = cells[(cells["origin"] == "2019-01-01") & (cells["horizon"] == 2) & (cells["unique_id"] == "requests/A03")]
    assert row["error"].item() == values[3, 4] - values[3, 6]
    assert row["abs_error"].item() == abs(values[3, 4] - values[3, 6])
    assert row["point"].item() == values[3, 4]


def test_coverage_is_that_of_the_evaluation(monkeypatch):
    monkeypatch.setattr(la_run, "N_PATHS", study.EVALUATION_PATHS)
    panel = complete_panel(observations(growing(), first=2015), TASK)
    expected = study_panel(panel, {"drift": "drift"}, horizon=2, origins=2).cells(
        ["drift"], origins=2, seed=la_run.SEED
    )
    cells = run_task(panel, TASK, {"drift": "drift"}).cells
    keys = ["origin", "unique_id", "horizon"]
    both = cells.merge(expected, on=keys, suffixes=("", "_expected"))
    assert len(both) == len(cells) == len(expected)
    assert both["covered_80"].tolist() == both["covered_80_expected"].tolist()
    assert both["covered_95"].tolist() == both["covered_95_expected"].tolist()


def test_the_nation_is_summed_path_by_path(monkeypatch):
    drawn = []

    @dataclass(frozen=True)
    class Spied(la_run.Draws):
        def draw(self, rows):
            drawn.append(super().draw(rows))
            return drawn[-1]

    monkeypatch.setattr(la_run, "Draws", Spied)
    panel = complete_panel(observations(growing(), first=2015), TASK)
    scored = run_task(panel, TASK, {"drift": "drift"})
    assert scored.totals["unique_id"].unique().tolist() == [NATION]
    first = scored.totals[scored.totals["origin"] == "2019-01-01"]
    paths = drawn[0].sum(axis=0)
    expected = statistics(first["actual"].to_numpy()[None], paths[None], np.ones(1))
    np.testing.assert_allclose(first["lo_80"], np.quantile(paths, 0.1, axis=1))
    np.testing.assert_allclose(first["hi_95"], np.quantile(paths, 0.975, axis=1))
    np.testing.assert_array_equal(first["covered_80"], expected["covered_80"][0])
    at = scored.cells[scored.cells["origin"] == "2019-01-01"].groupby("horizon")
    np.testing.assert_allclose(first["actual"], at["actual"].sum())
    np.testing.assert_allclose(first["point"], at["point"].sum())
    assert (first["hi_80"].to_numpy() < at["hi_80"].sum().to_numpy()).all()  # interval ends do not add


def test_only_series_that_are_known_at_the_origin_and_answered_by_all_are_scored():
    values = growing()
    values[3, 5] = np.nan
    panel = complete_panel(
        observations(values, first=2015), Task("requests", 2019, 2020, (1, 2), may_miss=1, zeros=True)
    )
    scored = run_task(panel, TASK, {"naive": "naive", RULES[0].name: RULES[0]})
    counts = scored.cells.groupby(["model", "origin", "horizon"]).size().loc["naive"]
    assert counts.to_dict() == {
        (pd.Timestamp("2019-01-01"), 1): 9,  # A03 has no outturn
        (pd.Timestamp("2019-01-01"), 2): 10,
        (pd.Timestamp("2020-01-01"), 1): 9,  # A03 has no figure at the origin
    }
    total = scored.totals.set_index(["model", "origin", "horizon"])["actual"].loc["naive"]
    assert total.iloc[0] == np.nansum(values[:, 5])


@dataclass(frozen=True)
class Picky:
    """Answers one area alone, from five figures on."""

    name: str = "picky"
    capability: ClassVar[Capability] = Capability(min_history=6)

    def forecast(self, window: Window, horizon: int) -> np.ndarray:
        points = np.repeat(window.values[:, -1:], horizon, axis=1)
        return np.where(points > self.limit(window), points, np.nan)

    @staticmethod
    def limit(window: Window) -> float:
        return 300.0


def test_a_method_narrows_the_others_only_where_it_has_any_answer():
    values = growing()
    panel = complete_panel(observations(values, first=2015), TASK)
    scored = run_task(panel, TASK, {"naive": "naive", "picky": Picky()})
    areas = scored.cells.groupby(["model", "origin"])["unique_id"].nunique()
    first, second = pd.Timestamp("2019-01-01"), pd.Timestamp("2020-01-01")
    assert areas["naive", first] == 10  # five figures: nothing from picky
    assert areas["naive", second] == areas["picky", second] == (values[:, 5] > 300).sum() < 10


def test_every_so_many_th_area_is_scored_for_all_methods():
    lines: list[str] = []
    panel = complete_panel(observations(growing(), first=2015), TASK)
    methods = {"naive": "naive", "theta": "theta", "picky": Picky()}
    scored = run_task(panel, TASK, methods, every=4, progress=lines.append)
    by_model = scored.cells[scored.cells["origin"] == "2019-01-01"].groupby("model")["unique_id"].unique()
    assert [sorted(ids) for ids in by_model] == [["requests/A00", "requests/A04", "requests/A08"]] * 2
    assert [line.split()[1] for line in lines] == ["naive", "theta", "picky"]
