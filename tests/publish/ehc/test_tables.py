import csv
import io
from dataclasses import replace

import pandas as pd
import pytest

from forecast.publish.ehc.tables import BASELINE, CONFIGURED, EHC_MEANING, ehc_files, ehc_projections
from forecast.publish.run import read_run
from forecast.publish.tables import BOM
from tests.publish.ehc.frame import write_ehc
from tests.run_folder import write_run

AREAS = (("E08000007", "Stockport"), ("E09000001", "=City"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return read_run(write_ehc(tmp_path_factory.mktemp("runs") / "run", areas=AREAS))


@pytest.fixture(scope="module")
def table(run):
    return ehc_projections(run, run.ehc)


def test_no_files_without_the_section(tmp_path):
    assert ehc_files(read_run(write_run(tmp_path / "run"))) == {}


def test_the_files_are_the_same_bytes_each_time_and_the_same_figures_in_any_order(run):
    once = ehc_files(run)
    assert set(once) == {"ehc_projections.csv", "ehc_projections.meta.csv"}
    assert ehc_files(run) == once
    by_area = run.ehc.table.sort_values(["area_code", "ds"], ascending=False, kind="stable")
    table = ehc_projections(run, replace(run.ehc, table=by_area))
    first = ehc_projections(run, run.ehc)
    columns = ["measure", "area_code", "scenario", "breakdown_topic", "breakdown", "time_identifier", "period_start"]
    pd.testing.assert_frame_equal(
        table.sort_values(columns, ignore_index=True), first.sort_values(columns, ignore_index=True)
    )


def test_every_figure_of_every_area_is_there(run, table):
    ahead = run.ehc.baseline["status"].ne("published").sum()
    assert table["scenario"].value_counts().to_dict() == {CONFIGURED: len(run.ehc.table), BASELINE: ahead}
    row = table[
        table["area_code"].eq("E08000007")
        & table["scenario"].eq(BASELINE)
        & table["measure"].eq("requests")
        & table["breakdown"].eq("Total")
        & table["time_period"].eq("2030")
    ].iloc[0]
    mean = 790 * 1.06**7
    assert row["mean"] == f"{mean:.1f}"
    assert row["value"] == row["median"] == f"{0.98 * mean:.1f}"
    assert row["lower_80"] == f"{0.98 * mean - 0.1 * mean * 7**0.5:.1f}"


def test_periods_places_and_breakdowns_are_as_dfe_writes_them(table):
    assert list(table.columns) == list(EHC_MEANING)
    own = table[table["area_code"].eq("E08000007")]
    places = own[["geographic_level", "region_code", "region_name", "country_code"]].drop_duplicates()
    assert places.to_numpy().tolist() == [["Local authority", "E12000002", "North West", "E92000001"]]
    stocks = own[own["measure"].eq("caseload")]
    assert set(stocks["time_identifier"]) == {"January"}
    flows = own[own["measure"].eq("requests")]
    assert {"Calendar year", "August"} <= set(flows["time_identifier"])
    assert {"Age band", "Main need", "Placement", "Total"} <= set(stocks["breakdown_topic"])
    assert "Special schools, primary" in set(stocks["breakdown_topic"])
    needs = stocks[stocks["breakdown_topic"].eq("Main need")]
    assert set(needs["value_type"]) == {"modelled"}


def test_of_many_areas_months_and_single_ages_are_left_out(run):
    frame = run.ehc.table
    months = frame["freq"].eq("MS")
    ages = frame[frame["by"].eq("age_band")].assign(by="age")
    many = tuple(run.ehc.areas[:1] * 21)
    wide = replace(run.ehc, table=pd.concat([frame, ages]), baseline=None, areas=many)
    kept = ehc_projections(run, wide)
    assert len(kept) == (~months).sum()
    assert "Age" not in set(kept["breakdown_topic"])


def test_an_outturn_has_no_interval(table):
    outturns = table[table["value_type"].eq("outturn")]
    assert set(outturns["scenario"]) == {CONFIGURED}
    for column in ("median", "mean", "lower_80", "upper_95"):
        assert set(outturns[column]) == {"z"}
    assert "790" in set(outturns["value"])


def test_a_figure_that_is_missing_is_a_symbol(tmp_path):
    folder = write_ehc(tmp_path / "run", overrides=False)
    frame = pd.read_parquet(folder / "ehc.parquet")
    gone = frame["measure"].eq("timeliness_20_week") & frame["ds"].eq("2030-01-01")
    frame.loc[gone, ["mean", "median", "lo-80", "hi-80", "lo-95", "hi-95"]] = float("nan")
    frame.to_parquet(folder / "ehc.parquet")
    run = read_run(folder)
    table = ehc_projections(run, run.ehc)
    row = table[table["measure"].eq("timeliness_20_week") & table["time_period"].eq("2030")]
    assert row[["value", "lower_80"]].to_numpy().tolist() == [["x", "x"]]


def test_the_description_names_exactly_the_columns_and_no_cell_is_a_formula(run):
    files = ehc_files(run)
    rows = list(csv.DictReader(io.StringIO(files["ehc_projections.meta.csv"].decode("utf-8-sig"))))
    assert [row["col_name"] for row in rows] == list(EHC_MEANING)
    assert all(row["label"] for row in rows)
    labels = {row["col_name"]: row["label"] for row in rows}
    assert "counted on its 31 December" in labels["time_identifier"]
    assert "the projection is that of plans_issued" in labels["measure"]
    assert "Of more than 20 areas months and single ages are left out" in labels["breakdown"]
    assert "population projections) are exempt" in labels["as_of"]
    content = files["ehc_projections.csv"].decode("utf-8")
    assert content.startswith(BOM)
    names = {row["area_name"] for row in csv.DictReader(io.StringIO(content.removeprefix(BOM)))}
    assert names == {"Stockport", "'=City"}


def test_made_up_figures_are_marked(tmp_path):
    run = read_run(write_ehc(tmp_path / "run", ehc_provenance="synthetic"))
    assert set(ehc_projections(run, run.ehc)["provenance"]) == {"synthetic"}
