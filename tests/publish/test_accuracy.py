import pandas as pd
import pytest

from forecast.publish.accuracy import accuracy, how_sure, pooled_accuracy
from forecast.publish.run import read_run
from tests.run_folder import WAPE, write_run


@pytest.fixture
def folder(tmp_path):
    return write_run(tmp_path / "run")


def told(folder, target=0, measure="requests", area=0):
    run = read_run(folder)
    chosen = run.targets[target]
    return accuracy(run, chosen, measure, chosen.areas[area]), how_sure(run, chosen, measure, chosen.areas[area])


def rows_of(table):
    return {row.head: row.cells for group in table.groups for row in group.rows}


def test_errors_are_those_of_the_scores(folder):
    found, sure = told(folder)
    everywhere, _, own = found.tables
    # Every area misses by WAPE x sqrt(horizon) of 1,000.
    for table in (everywhere, own):
        rows = rows_of(table)
        auto = next(cells for head, cells in rows.items() if "(auto)" in head)
        assert auto == (*(f"{100 * WAPE['auto'] * h**0.5:.1f}%" for h in (1, 2, 3)), "not measured")
        naive = next(cells for head, cells in rows.items() if "(naive)" in head)
        assert naive[0] == "18.0%"
    assert sure == (
        "In past checks, forecasts for Stockport 3 years ahead missed by 17% on average. Accuracy 5 years ahead is "
        "not measured."
    )
    assert "Accuracy not measured 5 years ahead" in found.sentences[1]


def test_the_forecast_comes_first_then_the_simple_rules(folder):
    heads = [row.head for row in told(folder)[0].tables[0].groups[0].rows]
    assert heads[0].startswith("This forecast: combination")
    assert [head.rpartition("(")[2] for head in heads[1:]] == ["naive)", "drift)", "area_growth)", "theta)"]


def test_a_slow_method_is_compared_only_where_it_was_tried(folder):
    everywhere, fewer, _ = told(folder)[0].tables
    assert everywhere.caption == "Past forecasts, all 11 local authorities"
    assert not any("prophet" in head for head in rows_of(everywhere))
    assert fewer.caption == "Past forecasts, the 5 local authorities where every method was tried"
    assert next(cells for head, cells in rows_of(fewer).items() if "prophet" in head)[0] == "20.0%"


def test_comparison_is_on_common_cells(folder):
    """A neighbour that only the simple rule was tried on, badly, does not count against it."""
    scores = pd.read_parquet(folder / "scores.parquet")
    neighbour = scores["unique_id"].eq("requests/E08000100") & scores["model"].eq("naive")
    extra = scores[neighbour].assign(unique_id="requests/E08000999", area_code="E08000999", abs_error=1e6)
    pd.concat([scores, extra]).to_parquet(folder / "scores.parquet")
    everywhere = told(folder)[0].tables[0]
    assert next(cells for head, cells in rows_of(everywhere).items() if "(naive)" in head)[0] == "18.0%"


def test_coverage_is_the_share_of_outturns_inside(folder):
    everywhere = told(folder)[0].tables[0]
    # Origins 2017 to 2022, a miss in 2020 alone.
    assert rows_of(everywhere)["This forecast"] == ("83%", "80%", "75%", "not measured")


def test_one_area_of_its_kind_has_one_table(folder):
    found, sure = told(folder, area=2)
    assert [table.caption for table in found.tables] == ["Past forecasts, England alone"]
    assert sure.startswith("In past checks, forecasts for England 3 years")


def test_months_that_cannot_be_checked_are_not_measured(folder):
    found, sure = told(folder, target=1, measure="slt_waiting")
    assert "Accuracy not measured 2, 3, 4, 5 and 6 months ahead" in found.sentences[1]
    assert rows_of(found.tables[0])["Simple rule: the same as the last month (naive)"] == (
        "18.0%",
        *("not measured",) * 4,
    )
    assert "1 month ahead missed by 10%" in sure


def test_an_area_with_two_origins_is_not_measured_alone(folder):
    scores = pd.read_parquet(folder / "scores.parquet")
    own = scores["area_code"].eq("E08000007") & scores["origin"].lt("2021-01-01")
    scores[~own].to_parquet(folder / "scores.parquet")
    found, sure = told(folder)
    assert found.sentences[-1].startswith("For Stockport alone accuracy is not measured")
    assert all("alone" not in table.caption for table in found.tables)
    assert "forecasts for local authorities 3 years ahead" in sure


def test_without_scores_nothing_is_claimed(folder):
    scores = pd.read_parquet(folder / "scores.parquet")
    scores.assign(actual=float("nan")).to_parquet(folder / "scores.parquet")
    found, sure = told(folder)
    assert found.tables == ()
    assert found.sentences == ("Accuracy not measured: fewer than 3 past forecasts can be checked yet.",)
    assert sure.startswith("Accuracy not measured")
    run = read_run(folder)
    assert pooled_accuracy(run, run.targets[0], "requests", "local_authority") == ()


def test_a_method_tried_on_one_area_alone_is_shown_for_that_area(folder):
    scores = pd.read_parquet(folder / "scores.parquet")
    elsewhere = scores["model"].eq("prophet") & scores["area_code"].ne("E08000007")
    scores[~elsewhere].to_parquet(folder / "scores.parquet")
    tables = told(folder)[0].tables
    assert [table.caption for table in tables] == [
        "Past forecasts, all 11 local authorities",
        "Past forecasts, Stockport alone",
    ]
    assert any("prophet" in head for head in rows_of(tables[1]))


def test_a_method_that_failed_almost_always_does_not_unmeasure_the_others(folder):
    scores = pd.read_parquet(folder / "scores.parquet")
    failed = scores["model"].eq("prophet") & scores["origin"].lt("2022-01-01")
    scores[~failed].to_parquet(folder / "scores.parquet")
    own = rows_of(told(folder)[0].tables[-1])
    assert not any("prophet" in head for head in own)
    assert next(cells for head, cells in own.items() if "(auto)" in head)[0] == "10.0%"
