import csv
import io
from dataclasses import replace

import pandas as pd
import pytest

from forecast.publish.run import read_run
from forecast.publish.speech_language.tables import SLT_MEANING, speech_language_files, speech_language_projections
from forecast.publish.tables import BOM
from tests.publish.speech_language.frame import AHEAD, PAST, write_slt
from tests.run_folder import write_run


@pytest.fixture(scope="module")
def table(slt_run):
    return speech_language_projections(slt_run, slt_run.speech_language)


def one(table, **wanted):
    rows = table
    for column, value in wanted.items():
        rows = rows[rows[column].eq(value)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_no_files_without_the_section(tmp_path):
    assert speech_language_files(read_run(write_run(tmp_path / "run"))) == {}


def test_every_row_of_the_run_is_there_once(slt, table):
    assert len(table) == len(slt.table)
    keys = ["option", "measure", "breakdown_topic", "breakdown", "time_period", "time_identifier"]
    assert not table.duplicated(keys).any()
    assert list(table.columns) == list(SLT_MEANING)
    assert not table.isna().any(axis=None)


def test_options_are_named_and_outturns_stand_once(table):
    assert set(table["option"]) == {
        *("recorded", "As it is", "Two more therapists", "A stronger targeted offer", "Longest waits first")
    }
    outturns = table[table["value_type"].eq("outturn")]
    assert set(outturns["option"]) == {"recorded"}
    for column in ("median", "mean", "lower_80", "upper_95"):
        assert set(outturns[column]) == {"z"}
    total = table[table["measure"].eq("referrals") & table["breakdown"].eq("Total")]
    months = total[total["time_identifier"].ne("Academic year")]
    assert list(months["period_start"]) == [f"{ds:%Y-%m-%d}" for ds in (*PAST, *AHEAD)]


def test_options_of_one_title_keep_their_own_place(slt_run):
    slt = slt_run.speech_language
    twice = tuple({**option, "title": "Same"} for option in slt.options)
    own = speech_language_projections(slt_run, replace(slt, options=twice))
    rows = own[own["measure"].eq("waiting") & own["breakdown"].eq("Total") & own["option"].eq("Same")]
    assert list(rows["period_start"]) == [f"{ds:%Y-%m-%d}" for ds in AHEAD] * len(twice)


def test_periods_are_months_and_academic_years(table):
    wanted = {"measure": "referrals", "breakdown": "Total", "period_start": "2024-09-01"}
    year = one(table, time_identifier="Academic year", **wanted)
    assert (year["time_period"], year["value"]) == ("202425", "1726")
    month = one(table, time_identifier="September", **wanted)
    # 98 % of 115 x 1.05 x 1.05^5.
    assert (month["time_period"], month["median"]) == ("2024", "151")


def test_each_row_says_whether_it_was_made_up(table):
    published = table[table["provenance"].eq("published")]
    assert set(published["value_type"]) == {"outturn", "modelled"}
    modelled = table[table["value_type"].eq("modelled")]
    assert set(modelled["measure"]) == {"median_wait", "p92_wait"}
    assert (set(modelled["option"]), set(modelled["mean"])) == ({"recorded"}, {"z"})
    assert set(published["measure"]) == {"waiting", "within_target", "over_52_weeks", "median_wait", "p92_wait"}
    assert set(table[table["value_type"].eq("projection")]["provenance"]) == {"synthetic"}


def test_the_description_names_exactly_the_columns_and_no_cell_is_a_formula(slt_run):
    files = speech_language_files(slt_run)
    assert set(files) == {"speech_language_projections.csv", "speech_language_projections.meta.csv"}
    assert speech_language_files(slt_run) == files
    rows = list(csv.DictReader(io.StringIO(files["speech_language_projections.meta.csv"].decode("utf-8-sig"))))
    assert [row["col_name"] for row in rows] == list(SLT_MEANING)
    assert all(row["label"] for row in rows)
    assert files["speech_language_projections.csv"].decode("utf-8").startswith(BOM)


def test_a_name_that_looks_like_a_formula_is_made_plain(tmp_path):
    folder = write_slt(tmp_path / "run")
    frame = pd.read_parquet(folder / "speech_language.parquet")
    frame["category"] = frame["category"].replace("Locality 7", "=Hill")
    frame.to_parquet(folder / "speech_language.parquet")
    run = read_run(folder)
    places = speech_language_projections(run, run.speech_language)
    assert "'=Hill" in set(places[places["breakdown_topic"].eq("Locality")]["breakdown"])
