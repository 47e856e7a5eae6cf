import csv
import io

import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.publish.run import read_run
from forecast.publish.tables import BOM, COLUMNS, csv_bytes, meta_bytes, numeric, projections, read_projections
from tests.run_folder import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def table(folder):
    return projections(read_run(folder))


def test_every_number_is_the_one_in_the_run(folder, table):
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    rows = numeric(table)
    rows = rows[rows["value_type"].eq("projection")]
    both = rows.merge(
        forecasts, left_on=["measure", "area_code", "period_start"], right_on=["measure", "area_code", "ds"]
    )
    assert len(both) == len(forecasts) == len(rows)
    names = {"median_x": "median_y", "mean_x": "mean_y", "value": "median_y"}
    names |= {"lower_80": "lo-80", "upper_80": "hi-80", "lower_95": "lo-95", "upper_95": "hi-95"}
    for written, source in names.items():
        assert (both[written] - both[source]).abs().max() <= 0.05 + 1e-6
    history = pd.read_parquet(folder / "history.parquet")
    outturns = table[table["value_type"].eq("outturn")]
    assert len(outturns) == len(history)
    stockport = outturns[outturns["area_code"].eq("E08000007") & outturns["measure"].eq("requests")]
    assert stockport["value"].tolist() == ["286", "247", "337", "362", "329", "512", "705", "790"]


def test_missing_is_a_symbol_with_its_reason_never_zero(table):
    row = table[table["note"].str.contains("do not add up")]
    assert row["value"].tolist() == ["u"]
    assert row["time_period"].tolist() == ["2022"]
    outturns = table[table["value_type"].eq("outturn")]
    assert set(outturns["median"]) == set(outturns["model"]) == {"z"}


def test_periods_levels_and_regions_are_as_dfe_writes_them(table):
    first = table.drop_duplicates(["measure", "geographic_level"]).set_index(["measure", "geographic_level"])
    assert first.loc[("caseload", "Local authority"), "time_identifier"] == "January"
    assert first.loc[("requests", "Regional"), "time_identifier"] == "Calendar year"
    assert first.loc[("slt_waiting", "Provider"), "time_identifier"] == "January"
    assert first.loc[("requests", "Local authority"), "region_name"] == "North West"
    assert first.loc[("requests", "National"), "region_code"] == "z"
    assert list(table.columns) == list(COLUMNS)
    assert all(name == name.lower() for name in COLUMNS)


@pytest.mark.parametrize(("freq", "identifier"), [("QS", "Calendar year Q4"), ("W-MON", "Week of 2023-10-02")])
def test_other_periods_have_identifiers(tmp_path, freq, identifier):
    folder = write_run(tmp_path / "run", change=lambda m: m["targets"][1].update(freq=freq))
    history = pd.read_parquet(folder / "history.parquet")
    october = pd.Timestamp("2023-10-02" if freq == "W-MON" else "2023-10-01")
    history.assign(ds=history["ds"].mask(history["target"].eq("slt"), october)).to_parquet(folder / "history.parquet")
    table = projections(read_run(folder))
    outturns = table[table["measure"].eq("slt_waiting") & table["value_type"].eq("outturn")]
    assert set(outturns["time_identifier"]) == {identifier}


def test_csv_is_read_back_as_it_was_and_has_a_mark_for_excel(tmp_path, table):
    content = csv_bytes(table)
    assert content.startswith(BOM.encode())
    assert content == csv_bytes(table)
    path = tmp_path / "projections.csv"
    path.write_bytes(content)
    pd.testing.assert_frame_equal(read_projections(path), numeric(table), check_dtype=False)


def test_meta_describes_exactly_the_columns():
    rows = list(csv.DictReader(io.StringIO(meta_bytes().decode("utf-8-sig"))))
    assert [row["col_name"] for row in rows] == list(COLUMNS)
    assert all(row["label"] for row in rows)
    assert {row["col_name"] for row in rows if row["col_type"] == "Indicator"} >= {"value", "median", "upper_95"}


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_a_name_never_becomes_a_formula(tmp_path, name):
    table = projections(read_run(write_run(tmp_path / "run", name=name)))
    rows = list(csv.reader(io.StringIO(csv_bytes(table).decode("utf-8-sig"))))
    cells = {cell for row in rows for cell in row}
    assert f"'{name}" in cells
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_projections_of_one_model_are_shown_where_a_run_holds_several(tmp_path):
    folder = write_run(tmp_path / "run")
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    other = forecasts.assign(model="naive", median=0.0)
    pd.concat([other, forecasts]).to_parquet(folder / "forecasts.parquet")
    table = projections(read_run(folder))
    assert set(table[table["value_type"].eq("projection")]["model"]) == {"auto"}


def test_a_file_that_is_not_ours_is_refused(tmp_path):
    path = tmp_path / "projections.csv"
    with pytest.raises(InputError, match="not readable"):
        read_projections(path)
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="'period_start' is missing"):
        read_projections(path)


def test_synthetic_history_marks_its_projections(tmp_path):
    table = projections(read_run(write_run(tmp_path / "run", provenance="synthetic")))
    marks = table.groupby(["measure", "value_type"])["provenance"].agg(set)
    assert marks[("requests", "projection")] == {"synthetic"}
    assert marks[("slt_waiting", "projection")] == {"published"}
