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
        *("not measured",) * 2,
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


def cells_of(table, model):
    return next(cells for head, cells in rows_of(table).items() if f"({model})" in head)


def keep_scores(folder, keep):
    scores = pd.read_parquet(folder / "scores.parquet")
    scores[keep(scores)].to_parquet(folder / "scores.parquet")


def test_methods_with_two_origins_are_not_measured_and_unmeasure_no_other(folder):
    """As arima and prophet are for requests, which are published from 2016 on."""
    keep_scores(folder, lambda s: ~(s["model"].eq("prophet") & s["origin"].lt("2021-01-01")))
    everywhere, own = told(folder)[0].tables
    assert everywhere.caption == "Past forecasts, all 11 local authorities"
    for table in (everywhere, own):
        assert cells_of(table, "prophet") == ("not measured",) * 4
        assert cells_of(table, "auto")[0] == "10.0%"
        assert cells_of(table, "theta")[0] == "16.0%"


def test_a_method_of_few_areas_that_is_measured_is_compared_beside_one_that_is_not(folder):
    slow = {"theta": "2018-01-01", "prophet": "2021-01-01"}
    near = ["requests/E08000007", *(f"requests/E0800{i:04d}" for i in range(100, 104))]

    def keep(scores):
        started = pd.to_datetime(scores["model"].map(slow)).fillna(pd.Timestamp("2000-01-01"))
        return scores["origin"].ge(started) & (scores["unique_id"].isin(near) | ~scores["model"].isin(slow))

    keep_scores(folder, keep)
    everywhere, fewer, _ = told(folder)[0].tables
    assert not any("theta" in head or "prophet" in head for head in rows_of(everywhere))
    assert fewer.caption == "Past forecasts, the 5 local authorities where every method was tried"
    # Origins 2018 to 2022 have three outturns as far as three years ahead.
    assert cells_of(fewer, "theta") == ("16.0%", f"{16 * 2**0.5:.1f}%", f"{16 * 3**0.5:.1f}%", "not measured")
    assert cells_of(fewer, "prophet") == ("not measured",) * 4


def test_no_table_is_without_a_figure(folder):
    keep_scores(folder, lambda s: ~(s["model"].eq("prophet") & s["origin"].lt("2021-01-01")))
    run = read_run(folder)
    for target in run.targets:
        for measure in target.measures:
            for area in target.areas:
                for table in accuracy(run, target, measure, area).tables:
                    assert table.groups[0].rows[0].cells[0] != "not measured", (measure, area.name, table.caption)


def test_an_area_is_compared_on_common_cells_if_that_unmeasures_nothing(folder):
    """Theta missed the origin at which the others did badly."""
    scores = pd.read_parquet(folder / "scores.parquet")
    own = scores["unique_id"].eq("requests/E08000007")
    bad = own & scores["origin"].eq("2017-01-01")
    scores["abs_error"] = scores["abs_error"].mask(bad & scores["model"].ne("theta"), 900.0)
    scores[~(bad & scores["model"].eq("theta"))].to_parquet(folder / "scores.parquet")
    alone = told(folder)[0].tables[-1]
    assert cells_of(alone, "auto")[0] == "10.0%"
    assert cells_of(alone, "theta")[0] == "16.0%"


def test_an_area_keeps_its_horizons_where_methods_share_too_few_forecasts(folder):
    """Prophet answered at the first three origins alone, theta at the last three: nothing is left in common."""
    own = "requests/E08000007"
    early, late = pd.Timestamp("2019-01-01"), pd.Timestamp("2020-01-01")
    keep_scores(
        folder,
        lambda s: (
            ~(
                s["unique_id"].eq(own)
                & ((s["model"].eq("prophet") & s["origin"].gt(early)) | (s["model"].eq("theta") & s["origin"].lt(late)))
            )
        ),
    )
    found, sure = told(folder)
    alone = found.tables[-1]
    assert alone.caption == "Past forecasts, Stockport alone"
    assert cells_of(alone, "auto") == ("10.0%", "14.1%", "17.3%", "not measured")
    assert cells_of(alone, "naive")[0] == "18.0%"
    assert cells_of(alone, "theta") == cells_of(alone, "prophet") == ("not measured",) * 4
    assert "3 years ahead missed by 17% on average" in sure


def test_an_area_whose_rules_share_no_forecast_shows_the_model_alone(folder):
    early = pd.Timestamp("2019-01-01")
    keep_scores(
        folder,
        lambda s: (
            ~(
                s["unique_id"].eq("requests/E92000001")
                & ((s["model"].eq("naive") & s["origin"].gt(early)) | (s["model"].eq("drift") & s["origin"].le(early)))
            )
        ),
    )
    (alone,) = told(folder, area=2)[0].tables
    assert cells_of(alone, "auto")[0] == "10.0%"


def test_areas_whose_forecast_combines_other_methods_are_counted(folder):
    assert not any("not everywhere" in sentence for sentence in told(folder)[0].sentences)
    ledger = pd.read_parquet(folder / "ledger.parquet")
    own = ledger[ledger["unique_id"].eq("requests/E08000007")]
    reasons = (
        *("naive 0.50, drift 0.50; weights from 6 past origins", "area_growth 1.00; weights from 6 past origins"),
        *("drift 0.70, area_growth 0.30; weights from 3 past origins", "1 figure; at least 2 needed"),
    )
    status = ("ok", "ok", "ok", "not_enough_data")
    others = [
        own.assign(unique_id=f"requests/E{i}", area_code=f"E{i}", reason=reason, status=state)
        for i, (reason, state) in enumerate(zip(reasons, status, strict=True))
    ]
    pd.concat([ledger, *others]).to_parquet(folder / "ledger.parquet")
    assert (
        "Over all local authorities, this forecast is not everywhere made as for Stockport: for 2 of 4 it combines "
        "other methods."
    ) in told(folder)[0].sentences
