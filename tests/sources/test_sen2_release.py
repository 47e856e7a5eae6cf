"""Reading a release: every drift between releases, symbols, joining, and each way a file can be refused."""

import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.sources import sen2_release
from forecast.sources.observations import usable, visible
from tests.sources.sen2_samples import AREAS, BASE, COLUMNS, line, old_release, release, summed, table, write


def figure(reading, measure, area, year, as_of="2099-01-01"):
    rows = visible(reading.observations, as_of).query(
        "measure == @measure and area_name == @area and ds.dt.year == @year"
    )
    assert len(rows) == 1
    return rows.iloc[0]


REQUESTS = [("2023", "Alder", 100, 20, 75), ("2023", "Birch", "x", "x", "x")]


def test_figures_symbols_and_dates(tmp_path):
    reading = sen2_release.read(release(tmp_path / "r", requests=REQUESTS, caseload=summed("202324", 500, 400, 300)))
    row = figure(reading, "requests", "Alder", 2023)
    assert (row["y"], row["reason"], row["area_code"], row["region_code"]) == (100, "", "E06000091", "E12000001")
    assert (row["available"], row["provenance"]) == (pd.Timestamp("2024-06-30"), "published")
    assert figure(reading, "requests_refused", "Alder", 2023)["y"] == 20
    assert figure(reading, "decided_to_assess", "Alder", 2023)["y"] == 75
    missing = figure(reading, "requests", "Birch", 2023)
    assert np.isnan(missing["y"])
    assert missing["reason"] == "x"
    stock = figure(reading, "caseload", "England", 2024)
    assert (stock["y"], stock["geographic_level"], stock["available"]) == (1200, "national", pd.Timestamp("2024-06-30"))
    (note,) = reading.sources
    assert (note.id, note.licence) == ("dfe-ehc-2024", "Open Government Licence v3.0")
    assert note.released == "2024"
    assert set(reading.observations["source"]) == {"dfe-ehc-2024"}


def test_a_flow_of_2023_is_not_visible_before_30_june_2024(tmp_path):
    reading = sen2_release.read(release(tmp_path / "r", requests=REQUESTS))
    assert visible(reading.observations, "2024-06-29").empty
    assert len(visible(reading.observations, "2024-06-30")) == 6


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("x", "x"), ("z", "z"), ("c", "c"), ("u", "u"), ("X", "x"), ("no data", "x"), ("", "blank"), (" z ", "z")],
)
def test_a_symbol_is_a_reason_and_not_a_zero(tmp_path, cell, reason):
    reading = sen2_release.read(release(tmp_path / "r", newplans=[("2023", "Alder", cell)]))
    row = figure(reading, "new_plans", "Alder", 2023)
    assert np.isnan(row["y"])
    assert row["reason"] == reason


@pytest.mark.parametrize("cell", ["low", "k"])
def test_low_and_k_round_to_zero(tmp_path, cell):
    reading = sen2_release.read(release(tmp_path / "r", newplans=[("2023", "Alder", cell)]))
    assert figure(reading, "new_plans", "Alder", 2023)["reason"] == cell
    assert usable(reading.observations).tolist() == [0.0]


# Drift between releases -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label", ["All requests for EHC needs assessments", "All requests for an EHC needs assessment"]
)
def test_the_renamed_total_label(tmp_path, label):
    place = write(tmp_path / "r", {"requests": table("requests", REQUESTS, label=label)})
    assert figure(sen2_release.read(place), "requests", "Alder", 2023)["y"] == 100


def test_measures_a_file_may_lack_are_read_where_they_are_and_told_where_they_are_not(tmp_path):
    columns = (*COLUMNS["requests"], "requests_withdrawn")
    place = write(tmp_path / "r", {"requests": table("requests", [("2023", "Alder", 9, 1, 6, 2)], columns=columns)})
    reading = sen2_release.read(place)
    assert figure(reading, "requests_withdrawn", "Alder", 2023)["y"] == 2
    assert "requests_undecided" not in set(reading.observations["measure"])
    assert any("'requests_decision_not_made' is missing; requests_undecided is not read" in w for w in reading.warnings)
    assert not [w for w in reading.warnings if "requests_withdrawn" in w]


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_the_case_of_columns(tmp_path, change):
    text = table("timeliness_20_week", [("2023", "Alder", 80, 40, "50.0")])
    header, body = text.split("\n", 1)
    place = write(tmp_path / "r", {"timeliness_20_week": change(header) + "\n" + body})
    assert figure(sen2_release.read(place), "timeliness_20_week", "Alder", 2023)["y"] == 50


@pytest.mark.parametrize("name", ["AP_PRU_total_pc", "ap_pru_total_pc"])
def test_the_case_of_columns_that_are_known_but_not_read(tmp_path, name):
    columns = (*COLUMNS["newplans"], name)
    place = write(tmp_path / "r", {"newplans": table("newplans", [("2023", "Alder", 5, 1.2)], columns=columns)})
    assert not [w for w in sen2_release.read(place).warnings if "schema map" in w]


def test_the_order_of_columns_and_stocks_dated_by_calendar_year(tmp_path):
    place = old_release(tmp_path / "r", [("2022", "Alder", 480)])
    row = figure(sen2_release.read(place), "caseload", "Alder", 2022)
    assert (row["y"], row["area_code"], row["available"]) == (480, "E06000091", pd.Timestamp("2022-06-30"))


def test_columns_that_were_split_and_added_are_known(tmp_path):
    columns = (*COLUMNS["caseload"], "special_academy", "special_free_school", "number_ds", "ds_pc")
    rows = [("202425", "Alder", 600, 10, 5, 3, 0.5)]
    reading = sen2_release.read(write(tmp_path / "r", {"caseload": table("caseload", rows, columns=columns)}))
    assert figure(reading, "caseload", "Alder", 2025)["y"] == 600
    assert not [w for w in reading.warnings if "schema map" in w]


def test_a_flow_dated_by_academic_year_though_called_calendar_year(tmp_path):
    reading = sen2_release.read(release(tmp_path / "r", newplans=[("202425", "Alder", 5)]))
    row = figure(reading, "new_plans", "Alder", 2024)
    assert row["available"] == pd.Timestamp("2025-06-30")


@pytest.mark.parametrize("topic", ["Child or young persons age", "Age when plan started", "Sex", "Ethnicity"])
@pytest.mark.parametrize("label", ["Aged 4", "age 4", "under 3", "age 2 and under", "Aged 20 and over", "Age unknown"])
def test_rows_of_other_topics_are_never_totals(tmp_path, topic, label):
    text = table("caseload", [("202324", "Alder", 600)], columns=COLUMNS["caseload"])
    text += line("202324", "Alder", 7, identifier="Academic year", labels=(topic, label)) + "\n"
    reading = sen2_release.read(write(tmp_path / "r", {"caseload": text}))
    assert reading.observations["y"].tolist() == [600]
    assert not [w for w in reading.warnings if "schema map" in w]


@pytest.mark.parametrize("level", ["Local Authority", "Local authority", "LOCAL  AUTHORITY"])
def test_the_spelling_of_the_level(tmp_path, level):
    areas = {"Alder": (level, *AREAS["Alder"][1:])}
    text = table("newplans", [("2023", "Alder", 5)], areas=areas)
    reading = sen2_release.read(write(tmp_path / "r", {"newplans": text}))
    assert reading.observations["geographic_level"].tolist() == ["local_authority"]


@pytest.mark.parametrize("name", ["number_asssess_mediation_tribunal", "number_assess_mediation_tribunal"])
def test_misspellings_of_the_publisher_are_kept(tmp_path, name):
    columns = (*COLUMNS["assessments"], name)
    text = table("assessments", [("2023", "Alder", 441, 433, "x")], columns=columns)
    reading = sen2_release.read(write(tmp_path / "r", {"assessments": text}))
    assert figure(reading, "assessments_completed", "Alder", 2023)["y"] == 441
    assert not [w for w in reading.warnings if "schema map" in w]


def test_the_layout_of_2023_and_2024(tmp_path):
    head = f"{BASE},age,ehcp_or_statement,num_caseload,pc_caseload"
    rows = [
        line("2024", "Alder", 600, 100, labels=("Total", "Total")),
        line("2024", "Alder", 590, 98, labels=("Total", "EHC plan")),
        line("2024", "Alder", 100, 17, labels=("Under 5", "Total")),
    ]
    wide = (
        "inreq_ehc,ass_refused_ehc,inreq_ehc_y,new_all_ehc_ass_none_ehc_sum,new_all_ehc,tot_inc_exc_ehc,"
        "inc_exc_20week_ehc,inc_exc_20week_rate"
    )
    files = {
        "sen2_age_caseload": "\n".join([head, *rows]),
        "sen2_mi": f"{BASE},{wide}\n" + line("2023", "Alder", 100, 20, 75, 60, 55, 50, 25, 50.0),
    }
    reading = sen2_release.read(write(tmp_path / "r", files))
    assert figure(reading, "caseload", "Alder", 2024)["y"] == 600
    assert figure(reading, "decided_to_assess", "Alder", 2023)["y"] == 75


def test_names_vary_but_the_latest_is_shown(tmp_path):
    older = {"Durham": ("Local authority", "E92000001", "England", "E12000001", "North", "E06000047", "840", "Durham")}
    newer = {"Durham": (*older["Durham"][:-1], "County Durham")}
    write(tmp_path / "all" / "a", {"newplans": table("newplans", [("2022", "Durham", 5)], areas=older)})
    write(tmp_path / "all" / "b", {"newplans": table("newplans", [("2023", "Durham", 6)], areas=newer)})
    observations = sen2_release.read(tmp_path / "all").observations
    assert set(observations["area_name"]) == {"County Durham"}
    assert observations["y"].tolist() == [5, 6]


# Folders, zips, packing -------------------------------------------------------------------------------------


def test_folder_zip_and_gz_give_the_same(tmp_path):
    flat = release(tmp_path / "flat", requests=REQUESTS)
    text = (flat / "requests.csv").read_bytes()
    nested = tmp_path / "nested"
    (nested / "data").mkdir(parents=True)
    (nested / "data-guidance").mkdir()
    (nested / "data" / "requests.csv.gz").write_bytes(gzip.compress(text))
    (nested / "data-guidance" / "caseload.csv").write_text("guidance", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "release.zip", "w") as archive:
        archive.writestr("data/requests.csv", text)
        archive.writestr("supporting-files/readme.txt", "words")
        archive.writestr("__MACOSX/data/requests.csv", b"junk")
    one, two, three = (sen2_release.read(p) for p in (flat, nested, tmp_path / "release.zip"))
    pd.testing.assert_frame_equal(one.observations, two.observations)
    pd.testing.assert_frame_equal(one.observations, three.observations)
    assert one.sources == two.sources == three.sources


def test_tables_that_are_not_there_and_unknown_columns_are_warnings(tmp_path):
    columns = (*COLUMNS["newplans"], "shoe_size")
    text = table("newplans", [("2023", "Alder", 5, 38)], columns=columns)
    text += line("2023", "Alder", 4, 38, labels=("Handedness", "Left")) + "\n"
    warnings = sen2_release.read(write(tmp_path / "r", {"newplans": text})).warnings
    assert any("newplans.csv" in w and "shoe_size" in w for w in warnings)
    assert any("breakdown_topic" in w and "Handedness" in w for w in warnings)
    assert any("no file for table 'caseload'" in w for w in warnings)


# Joining ----------------------------------------------------------------------------------------------------


def test_the_later_release_wins_where_it_has_figures(tmp_path):
    old_release(
        tmp_path / "all" / "old",
        summed("2021", 40, 30, 20),
        administration=[
            (y, "Alder", v + 1, v, 5, "z" if y == "2015" else v + 9, 10, 5, 50.0)
            for y, v in [("2015", 60), ("2016", 70), ("2019", 80)]
        ],
    )
    release(
        tmp_path / "all" / "new",
        caseload=summed("202021", 41, 30, 20) + summed("202122", 50, 40, 30),
        assessments=[("2019", "Alder", "x", 80), ("2022", "Alder", 95, 90)],
    )
    reading = sen2_release.read(tmp_path / "all")
    restated = figure(reading, "caseload", "Alder", 2021)
    assert (restated["y"], restated["source"]) == (41, "dfe-ehc-2023")
    assert restated["available"] == pd.Timestamp("2023-06-30")
    first = figure(reading, "caseload", "Alder", 2021, as_of="2023-06-29")
    assert (first["y"], first["source"], first["available"]) == (40, "dfe-ehc-2021", pd.Timestamp("2021-06-30"))
    same = reading.observations.query("measure == 'caseload' and area_name == 'Cedar' and ds.dt.year == 2021")
    assert same["source"].tolist() == ["dfe-ehc-2021"]
    assert any("3 figures were revised" in w and "40 became 41" in w for w in reading.warnings)
    older = figure(reading, "assessments_completed", "Alder", 2019)
    assert (older["y"], older["source"]) == (81, "dfe-ehc-2021")
    assert figure(reading, "requests", "Alder", 2016)["y"] == 79
    assert reading.observations.query("measure == 'requests'")["ds"].dt.year.min() == 2016


def test_what_was_visible_does_not_change_when_later_years_are_added(tmp_path):
    early = summed("2019", 270, 200, 300) + summed("2020", 0, 200, 300) + [("2021", "Alder", 7), ("2021", "North", 9)]
    late = early + summed("2022", 500, 600, 700) + [("2023", "Alder", 0)]
    before = sen2_release.read(release(tmp_path / "early", newplans=early)).observations
    after = sen2_release.read(release(tmp_path / "late", newplans=late)).observations
    columns = [c for c in before.columns if c != "source"]
    pd.testing.assert_frame_equal(visible(before, "2022-07-01")[columns], visible(after, "2022-07-01")[columns])
    assert len(visible(after, "2022-07-01")) == len(before)


def test_what_a_release_said_does_not_change_when_a_later_one_revises_it(tmp_path):
    """Nonsense in the later release: sums that fail, zeros, an area gone, another new, a year withdrawn."""
    years = summed("2018", 260, 210, 290) + summed("2019", 270, 200, 300) + summed("2020", 280, 190, 310)
    extra = [("2017", "Alder", "x"), ("2021", "Alder", 7), ("2021", "North", 900)]
    release(tmp_path / "one" / "a", newplans=years + extra)
    release(tmp_path / "two" / "a", newplans=years + extra)
    release(
        tmp_path / "two" / "b",
        newplans=[
            *[(year, area, "x") for year, area, _ in summed("2018", 0, 0, 0)],
            *[row for row in summed("2019", 77_777, 0, 300) if row[1] != "Cedar"],
            *[("2020", "England", 5), ("2020", "North", 0), ("2020", "Alder", "c")],
            *[("2017", "Alder", 1), ("2021", "Birch", 999_999), ("2021", "North", 1_000_006), ("2021", "Alder", 7)],
            *summed("2022", 1, 2, 3),
            ("2023", "Alder", 4),
        ],
    )
    alone, revised = (sen2_release.read(tmp_path / name) for name in ("one", "two"))
    before = visible(revised.observations, "2022-07-01")
    pd.testing.assert_frame_equal(visible(alone.observations, "2022-07-01"), before)
    assert before["y"].count() == 20
    assert "sum_mismatch: 1 areas of North sum to 7, the region is 900" in set(before["reason"])
    after = visible(revised.observations, "2024-06-30")
    told = after.set_index([after["ds"].dt.year, "area_name"])
    assert told.loc[(2019, "Alder"), ["y", "source"]].tolist() == [77_777, "dfe-ehc-2024"]
    assert told.loc[(2019, "Birch"), "reason"] == "implausible_zero: 0 published after 210 the year before"
    assert told.loc[(2019, "Cedar"), ["y", "source"]].tolist() == [300, "dfe-ehc-2022"]
    assert told.loc[(2018, "Alder"), "y"] == 260
    assert told.loc[(2020, "Alder"), "reason"] == "c"
    assert told.loc[(2017, "Alder"), "y"] == 1
    assert told.loc[(2021, "Alder"), ["y", "reason"]].tolist() == [7, ""]
    assert told.loc[(2021, "Birch"), "available"] == pd.Timestamp("2024-06-30")


def test_the_break_between_collections_is_noted(tmp_path):
    reading = sen2_release.read(
        release(
            tmp_path / "r",
            newplans=[(str(y), "Alder", 5) for y in (2021, 2022, 2023)],
            caseload=[("202122", "Alder", 9), ("202223", "Alder", 9)],
        )
    )
    noted = reading.observations[reading.observations["note"].str.contains("series_break")]
    assert [(m, d.year) for m, d in zip(noted["measure"], noted["ds"], strict=True)] == [
        ("caseload", 2023),
        ("new_plans", 2022),
    ]
    assert set(noted["reason"]) == {""}


def test_statements_are_noted(tmp_path):
    reading = sen2_release.read(old_release(tmp_path / "r", [("2018", "Alder", 9), ("2019", "Alder", 9)]))
    assert "statements" in figure(reading, "caseload", "Alder", 2018)["note"]
    assert figure(reading, "caseload", "Alder", 2019)["note"] == ""


def with_code(code, number, name, region="E12000001"):
    return ("Local authority", "E92000001", "England", region, "North", code, number, name)


def test_a_re_coded_area_is_one_series_under_the_latest_code(tmp_path):
    areas = {
        "before": with_code("E10000098", "825", "Elm"),
        "after": with_code("E06000098", "825", "Elm"),
    }
    # the retired code comes back in the latest year, as Buckinghamshire's did
    figures = [("2020", "before", 5), ("2021", "after", 6), ("2022", "before", 7)]
    text = table("newplans", figures, areas=areas)
    observations = sen2_release.read(write(tmp_path / "r", {"newplans": text})).observations
    assert set(observations["area_code"]) == {"E06000098"}
    assert observations["y"].tolist() == [5, 6, 7]
    assert not observations["note"].str.contains("boundary").any()


def test_a_changed_boundary_is_noted_and_a_split_area_keeps_its_code(tmp_path):
    areas = {
        "old": with_code("E10000098", "835", "Elm"),
        "new": with_code("E06000098", "838", "Elm"),
        "split": with_code("E10000097", "909", "Fir"),
        "part": with_code("E06000097", "942", "Firland"),
    }
    figures = [("2020", "old", 5), ("2020", "split", 9), ("2021", "new", 6), ("2021", "part", 4)]
    observations = sen2_release.read(
        write(tmp_path / "r", {"newplans": table("newplans", figures, areas=areas)})
    ).observations
    elm = observations[observations["area_name"].eq("Elm")]
    assert set(elm["area_code"]) == {"E06000098"}
    assert elm["note"].str.contains("boundary_change").tolist() == [True, False]
    assert set(observations["area_code"]) == {"E06000098", "E10000097", "E06000097"}


def test_codes_the_package_knows_are_joined_too(tmp_path):
    areas = {"bucks": with_code("E10000002", "825", "Buckinghamshire")}
    text = table("newplans", [("2023", "bucks", 957)], areas=areas)
    observations = sen2_release.read(write(tmp_path / "r", {"newplans": text})).observations
    assert observations["area_code"].tolist() == ["E06000060"]


# Refusals: one line that names the file, the place, the value and what to do ----------------------------------

GOOD = table("requests", REQUESTS)
HEADER, ROW = GOOD.splitlines()[:2]


def refused(place):
    with pytest.raises(InputError) as caught:
        sen2_release.read(place)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["requests.csv", "empty"]),
        (HEADER + "\n", ["requests.csv", "no rows"]),
        (GOOD.replace("requests_received_in_year", "requests_in_year"), ["'requests_received_in_year' is missing"]),
        (GOOD.replace("la_name", "name"), ["column 'la_name' is missing"]),
        (GOOD.replace("requests_received_in_year", "la_name"), ["column 'la_name' stands twice"]),
        (GOOD.replace(",100,", ",1OO,"), ["line 2", "'requests_received_in_year'", "'1OO'"]),
        (GOOD.replace(",100,", ",-100,"), ["line 2", "'requests_received_in_year'", "'-100'", "0 or more"]),
        (GOOD.replace(",100,", ",100.5,"), ["line 2", "'100.5'", "whole number"]),
        (GOOD.replace(",100,", ',"1,000",'), ["line 2", "'1,000'"]),
        (GOOD + ROW + "\n", ["line 4", "E06000091", "stands already in line 2"]),
        (GOOD.replace(",100,", ",100,7,"), ["line 2", "16 fields", "header has 15"]),
        (GOOD.replace(",100,20,75", ",100,20"), ["line 2", "14 fields", "header has 15"]),
        (GOOD.replace("2023,", "Twenty,", 1), ["line 2", "'time_period'", "'Twenty'"]),
        (GOOD.replace("2023,", "202325,", 1), ["line 2", "'time_period'", "'202325'"]),
        (GOOD.replace("Calendar year", "Month", 1), ["line 2", "'time_identifier'", "'Month'"]),
        (GOOD.replace("Local authority", "Parish", 1), ["line 2", "'geographic_level'", "'Parish'"]),
        (GOOD.replace("E06000091", "Z1"), ["line 2", "'new_la_code'", "'Z1'"]),
        (GOOD.replace("All requests for EHC", "Every request for EHC"), ["'breakdown_topic'", "'Every request for"]),
        (HEADER + "\n" + ROW.replace("assessments,100", "assessment,100"), ["'breakdown'", "needs assessment'"]),
        (GOOD.replace("Alder", '"Alder'), ["requests.csv", "csv"]),
    ],
)
def test_a_broken_table_is_refused(tmp_path, text, expected):
    message = refused(write(tmp_path / "r", {"requests": text}))
    assert "requests.csv" in message
    for part in expected:
        assert part in message


def test_a_percentage_over_100_is_refused(tmp_path):
    message = refused(release(tmp_path / "r", timeliness_20_week=[("2023", "Alder", 80, 40, 150)]))
    assert "pc_plans_issued_within_20_weeks" in message
    assert "'150'" in message


def test_an_unknown_age_label_is_refused_where_ages_hold_the_total(tmp_path):
    place = old_release(tmp_path / "r", [("2022", "Alder", 480)])
    path = place / "sen2_age_caseload.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",Total,", ",Totals,"), encoding="utf-8")
    message = refused(place)
    assert "sen2_age_caseload.csv line 2, column 'characteristic_age': label 'Totals'" in message


def test_only_other_topics_is_refused(tmp_path):
    message = refused(write(tmp_path / "r", {"requests": table("requests", REQUESTS, label="Sex")}))
    assert "no row has it" in message


def test_other_encodings_are_refused(tmp_path):
    place = write(tmp_path / "r", {"requests": GOOD.replace("Alder", "Aldér")}, encoding="cp1252")
    message = refused(place)
    assert "requests.csv line 2" in message
    assert "0xe9" in message


def test_damaged_packing_is_refused(tmp_path):
    release(tmp_path / "r", requests=REQUESTS)
    with zipfile.ZipFile(tmp_path / "whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data/requests.csv", GOOD * 50)
    whole = (tmp_path / "whole.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert "cut.zip" in refused(tmp_path / "cut.zip")
    (tmp_path / "flipped.zip").write_bytes(whole[:60] + bytes(b ^ 0xFF for b in whole[60:90]) + whole[90:])
    assert "flipped.zip/data/requests.csv" in refused(tmp_path / "flipped.zip")
    packed = gzip.compress(GOOD.encode())
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "requests.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert "requests.csv.gz: cannot be unpacked" in refused(tmp_path / "g")


def test_nothing_to_read_is_refused(tmp_path):
    assert "no such file or folder" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no tables of the release found" in refused(tmp_path / "empty")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "words")
    assert "no tables of the release found" in refused(tmp_path / "other.zip")


def test_the_same_table_or_year_twice_is_refused(tmp_path):
    place = release(tmp_path / "r", requests=REQUESTS)
    (place / "requests.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    assert "both hold table 'requests'" in refused(place)
    (place / "requests.csv.gz").unlink()
    release(tmp_path / "again", requests=REQUESTS)
    assert "reporting year 2024 was found twice" in refused(tmp_path)
