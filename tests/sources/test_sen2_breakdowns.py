"""Joining breakdowns: sums over ages, ages not listed, vintages, codes; and the facts of the bundled table."""

import numpy as np
import pandas as pd
import pytest

from forecast import reference
from forecast.errors import InputError
from forecast.sources import sen2_areas, sen2_breakdowns, sen2_release
from forecast.sources.observations import usable
from forecast.sources.sen2_breakdowns import BREAKDOWN_COLUMNS, CELL, FILLED
from tests.sources.sen2_samples import AREAS, OLD_BASE, PLACEMENTS, cut_table, line, write

STARTED = "Age when plan started"


def plans(*rows, areas=AREAS):
    return cut_table("New EHC plans", ("new_ehc_plans",), rows, areas=areas)


def ages(period, area, total, **by_age):
    """Rows of one area: its total, then `age_4=7` and so on."""
    cells = [(period, area, STARTED, label.replace("_", " "), y) for label, y in by_age.items()]
    return [(period, area, "", "", total), *cells]


def read(*places):
    releases = {place: sen2_release.read_release(place) for place in places}
    none = pd.DataFrame(columns=list(sen2_areas.CODE_COLUMNS), dtype=str)
    totals = sen2_release.join(releases.values(), codes=none).observations
    codes = sen2_areas.retired_codes(pd.concat([r.raw for r in releases.values()], ignore_index=True))
    return sen2_breakdowns.read(releases, totals=totals, codes=codes)


def new_plans(folder, *rows, **files):
    return read(write(folder, {"newplans": plans(*rows), **files})).frame


def by_age(frame, code="E06000091", column="y"):
    rows = frame[frame["area_code"].eq(code)]
    return dict(zip(rows["age"], rows[column], strict=True))


def test_figures_dates_and_sources(tmp_path):
    got = read(write(tmp_path / "r", {"newplans": plans(*ages("2023", "Alder", 15, age_4=10, age_5=5))}))
    assert list(got.frame.columns) == list(BREAKDOWN_COLUMNS)
    assert by_age(got.frame) == {"4": 10, "5": 5}
    row = got.frame.iloc[0]
    assert (row["measure"], row["ds"], row["available"]) == (
        "new_plans",
        pd.Timestamp("2023-01-01"),
        pd.Timestamp("2024-06-30"),
    )
    assert (row["region_code"], row["reason"], row["source"]) == ("E12000001", "", "dfe-ehc-2024")
    (note,) = got.sources
    assert (note.id, note.licence, len(note.digest)) == ("dfe-ehc-2024", "Open Government Licence v3.0", 64)
    assert any("no file for breakdown 'requests_by_age' (requests)" in warning for warning in got.warnings)


# Ages that are not listed ------------------------------------------------------------------------------------


def test_an_age_not_listed_is_zero_only_where_the_listed_ones_add_up(tmp_path):
    frame = new_plans(
        tmp_path / "r",
        *ages("2023", "Alder", 10, age_4=10),
        *ages("2023", "Birch", 12, age_4=10),
        *ages("2023", "Cedar", 7, age_4=4, age_5=3),
    )
    assert by_age(frame) == {"4": 10, "5": 0}
    assert by_age(frame, column="note") == {"4": "", "5": FILLED}
    assert by_age(frame, "E06000092") == {"4": 10}
    assert by_age(frame, "E06000093", "note") == {"4": "", "5": ""}


def test_a_symbol_is_never_filled_in(tmp_path):
    frame = new_plans(
        tmp_path / "r",
        *ages("2023", "Alder", "x", age_4="x"),
        *ages("2023", "Birch", 10, age_4=10, age_5="x"),
        *ages("2023", "Cedar", 7, age_4=3, age_5=3, age_6=1),
    )
    assert np.isnan(by_age(frame)["4"])
    assert by_age(frame, column="reason") == {"4": "x"}
    assert by_age(frame, "E06000092", "reason") == {"4": "", "5": "x"}


def test_a_total_of_zero_is_zero_at_every_age_and_a_year_without_ages_stays_without(tmp_path):
    frame = new_plans(
        tmp_path / "r",
        *ages("2023", "Alder", 0),
        *ages("2023", "Cedar", 7, age_4=3, age_5=4),
        *ages("2022", "Alder", 0),
        *ages("2022", "Cedar", 6),
    )
    assert by_age(frame) == {"4": 0, "5": 0}
    assert set(frame["ds"].dt.year) == {2023}


def test_an_impossible_zero_is_no_zero_at_any_age(tmp_path):
    frame = new_plans(
        tmp_path / "r",
        *ages("2022", "Alder", 270),
        *ages("2023", "Alder", 0, age_4=0),
        *ages("2023", "Cedar", 7, age_4=3, age_5=4),
    )
    assert by_age(frame) == {"4": 0}
    assert by_age(frame, column="reason")["4"].startswith("total_unusable: implausible_zero")
    assert np.isnan(usable(frame[frame["area_code"].eq("E06000091")])).all()


# Sums --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("total", "reason", "note"),
    [
        (600, "", ""),
        (605, "", "sum_note: ages sum to 600, the total is 605"),
        (606, "", "sum_note: ages sum to 600, the total is 606"),
        (607, "sum_mismatch: ages sum to 600, the total is 607", ""),
        (590, "sum_mismatch: ages sum to 600, the total is 590", ""),
    ],
)
def test_ages_that_do_not_add_up_to_the_total_of_their_area(tmp_path, total, reason, note):
    frame = new_plans(tmp_path / "r", *ages("2023", "Alder", total, age_4=400, age_5=200))
    assert set(frame["reason"]) == {reason}
    assert set(frame["note"]) == {note}
    assert frame["y"].tolist() == [400, 200]


def test_ages_of_a_total_that_is_marked_are_marked_though_they_may_be_right(tmp_path):
    rows = [
        *ages("2022", "Alder", 300, age_4=100),
        *ages("2022", "Birch", 300, age_4=200),
        *ages("2022", "North", 300, age_4=300),
        *ages("2022", "Cedar", 10, age_4=10),
        *ages("2022", "South", 10, age_4=10),
        *ages("2022", "England", 310, age_4=310),
    ]
    frame = new_plans(tmp_path / "r", *rows)
    refused = frame[frame["reason"].ne("")]
    assert refused["reason"].str.startswith("total_unusable: sum_mismatch: 2 areas of North").all()
    assert set(refused["area_code"]) == {"E06000091", "E06000092"}


def caseload(*rows):
    return cut_table("All EHC plans", ("ehcplans", *PLACEMENTS), rows, identifier="Academic year")


AGE = "Child or young persons age"


def test_placements_add_up_to_each_age_and_a_failed_sum_of_all_marks_everything(tmp_path):
    rows = [
        ("202324", "Alder", "", "", 30, 20, 10, 0, 0, 0, 0, 0),
        ("202324", "Alder", AGE, "age 4", 10, 2, 1, 0, 0, 0, 0, 0),
        ("202324", "Alder", AGE, "age 5", 20, 18, 9, 0, 0, 0, 0, 0),
        ("202324", "Cedar", "", "", 90, 30, 10, 0, 0, 0, 0, 0),
        ("202324", "Cedar", AGE, "age 4", 40, 30, 10, 0, 0, 0, 0, 0),
    ]
    place = write(tmp_path / "r", {"caseload": caseload(*rows)})
    frame = read(place).frame
    alder, cedar = (frame[frame["area_code"].eq(code)] for code in ("E06000091", "E06000093"))
    marked = alder[alder["reason"].ne("")]
    assert set(zip(marked["age"], marked["placement"].ne(""), strict=True)) == {("4", True), ("5", True)}
    assert set(marked["reason"]) == {
        "sum_mismatch: placements sum to 3, the total is 10",
        "sum_mismatch: placements sum to 27, the total is 20",
    }
    assert set(cedar["reason"]) == {"sum_mismatch: ages sum to 40, the total is 90"}
    assert usable(cedar).isna().all()


def test_causes_by_age_are_filled_and_summed(tmp_path):
    columns = ("total_ceased max_age needs_met he employ transfer no_engage moved_outside_eng deceased other "
               "not_rec").split()  # fmt: skip
    rows = [
        ("2023", "Alder", "", "", 9, 5, 1, 0, 0, 3, 0, 0, 0, 0, 0),
        ("2023", "Alder", "Age plan ceased", "age 20 and over", 9, 5, 1, 0, 0, 3, 0, 0, 0, 0, 0),
        ("2023", "Cedar", "", "", 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0),
        ("2023", "Cedar", "Age plan ceased", "age 4", 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0),
    ]
    frame = read(write(tmp_path / "r", {"ceased_plans": cut_table("All ceased EHC plans", columns, rows)})).frame
    alder = frame[frame["area_code"].eq("E06000091")]
    moved = alder[alder["cause"].eq("moved_la")].set_index("age")["y"]
    assert moved.to_dict() == {"": 3, "4": 0, "20+": 3}
    assert alder.loc[alder["cause"].eq("") & alder["age"].eq("4"), "y"].tolist() == [0]
    assert set(frame["reason"]) == {""}


@pytest.mark.parametrize(("last", "reason"), [(0.5, ""), (1.4, ""), (9.5, "sum_mismatch: needs sum to 109.0")])
def test_shares_of_need_add_up_to_100_but_for_rounding(tmp_path, last, reason):
    columns = [f"{code}_pc" for code in ("asd", "slcn", "semh", "mld", "sld", "pmld", "spld", "pd", "hi", "vi", "msi")]
    shares = [30, 20, 20, 10, 5, 2, 2, 4, 1, 1, 1, 3.5, last]
    rows = [("2024", "England", "", "", *shares), ("2024", "England", AGE, "age 4", *shares)]
    text = cut_table("All EHC plans", [*columns, "oth_pc", "unknown_pc"], rows)
    frame = new_plans(tmp_path / "r", *ages("2024", "England", 9, age_4=9), sen_need_newplans=text)
    shares_of_need = frame[frame["measure"].eq("need_share_new")]
    assert set(shares_of_need["reason"]) == {reason}
    assert set(shares_of_need["age"]) == {"", "4"}
    assert set(shares_of_need["source"]) == {"dfe-ehc-2025"}


# Several releases --------------------------------------------------------------------------------------------


def bands(folder, *rows, areas=AREAS):
    head = OLD_BASE + ",characteristic_age,Total_new_st,Total_new_all"
    body = [line(period, area, "z", y, old=True, labels=(label,), areas=areas) for period, area, label, y in rows]
    return write(folder, {"sen2_age_new_plans": "\n".join([head, *body]) + "\n"})


def test_bands_and_single_ages_stand_beside_each_other(tmp_path):
    old = bands(tmp_path / "a", ("2021", "Alder", "Total", 8), ("2021", "Alder", "Under 5", 8))
    new = write(tmp_path / "b", {"newplans": plans(*ages("2023", "Alder", 10, age_4=10))})
    got = read(old, new)
    assert [(d.year, a, y) for d, a, y in got.frame[["ds", "age", "y"]].to_numpy().tolist()] == [
        (2021, "0-4", 8),
        (2023, "4", 10),
    ]
    assert [note.id for note in got.sources] == ["dfe-ehc-2022", "dfe-ehc-2024"]


def test_a_later_release_adds_what_it_says_otherwise_from_its_own_day(tmp_path):
    first = write(tmp_path / "a", {"newplans": plans(*ages("2022", "Alder", 10, age_4=6, age_5=4))})
    rows = [*ages("2022", "Alder", 10, age_4=6, age_5="x"), *ages("2023", "Alder", 3, age_4=3)]
    got = read(first, write(tmp_path / "b", {"newplans": plans(*rows)})).frame
    cells = got[["age", "y", "reason"]].fillna(-1).to_numpy().tolist()
    dated = list(zip(got["ds"].dt.year, *zip(*cells, strict=True), got["available"].dt.year, strict=True))
    assert dated == [
        (2022, "4", 6, "", 2023),
        (2022, "5", 4, "", 2023),
        (2022, "5", -1, "x", 2024),
        (2023, "4", 3, "", 2024),
    ]


def test_retired_codes_go_under_the_latest_and_a_repeat_is_refused(tmp_path):
    areas = AREAS | {"Old Alder": (*AREAS["Alder"][:5], "E06000081", "901", "Alder")}
    was = [("2020", "Old Alder", "Total", 8), ("2020", "Old Alder", "Under 5", 8)]
    old = bands(tmp_path / "a", *was, areas=areas)
    text = plans(*ages("2022", "Old Alder", 4, age_4=4), *ages("2023", "Alder", 10, age_4=10), areas=areas)
    frame = read(old, write(tmp_path / "b", {"newplans": text})).frame
    assert set(frame["area_code"]) == {"E06000091"}
    assert frame["y"].tolist() == [8, 4, 10]
    both = plans(*ages("2023", "Old Alder", 4, age_4=4), *ages("2024", "Alder", 5, age_4=5), areas=areas)
    place = write(tmp_path / "c", {"newplans": both})
    releases = {place: sen2_release.read_release(place)}
    twice = both + line("2024", "Old Alder", 4, labels=(STARTED, "age 4"), areas=areas) + "\n"
    write(place, {"newplans": twice})
    codes = pd.DataFrame([("E06000081", "901", "E06000091", "re-coded", "test")], columns=list(sen2_areas.CODE_COLUMNS))
    with pytest.raises(InputError, match="2 rows repeat a figure, first new_plans/E06000091 2024 in dfe-ehc-2025"):
        sen2_breakdowns.read(releases, totals=reference.ehc().observations.iloc[:0], codes=codes)


def test_a_release_without_breakdowns_gives_none(tmp_path):
    columns = "NewallEHC_AssnoneEHC_sum,NewallEHC,AssRefusedEHC,InreqEHC,TotIncExcEHC,IncExc20weekEHC,IncExc20weekRate"
    text = f"{OLD_BASE},{columns}\n" + line("2020", "Alder", 1, 1, 1, 1, 1, 1, 1, old=True) + "\n"
    got = read(write(tmp_path / "r", {"sen2_mi": text}))
    assert list(got.frame.columns) == list(BREAKDOWN_COLUMNS)
    assert len(got.frame) == len(got.sources) == 0


# Facts of the published figures, taken from the releases by hand ---------------------------------------------

ENGLAND, STOCKPORT, HACKNEY, WAKEFIELD = "E92000001", "E08000007", "E09000012", "E08000036"
FLOW_AGES = ["0-2", *(str(age) for age in range(3, 20)), "20+"]


@pytest.fixture(scope="module")
def bundled():
    return reference.ehc_breakdowns()


def cell(frame, measure, code, year, **dims):
    rows = frame[frame["measure"].eq(measure) & frame["area_code"].eq(code) & frame["ds"].dt.year.eq(year)]
    for name in ("age", "need", "placement", "cause"):
        wanted = dims.get(name, "")
        rows = rows[rows[name].ne("")] if wanted is any else rows[rows[name].eq(wanted)]
    return rows


def test_requests_of_stockport_by_age(bundled):
    rows = cell(bundled, "requests", STOCKPORT, 2023, age=any).set_index("age")["y"]
    assert (rows["10"], rows["3"], rows["4"], rows.sum()) == (97, 111, 71, 790)
    assert cell(bundled, "decided_to_assess", STOCKPORT, 2023, age=any)["y"].sum() == 622
    assert cell(bundled, "requests_refused", STOCKPORT, 2023, age=any)["y"].sum() == 106


def test_more_plans_went_to_four_year_olds_than_to_any_other_age(bundled):
    rows = cell(bundled, "new_plans", STOCKPORT, 2022, age=any).set_index("age")["y"]
    assert rows.idxmax() == "4"
    assert (rows["4"], rows.sum()) == (85, 426)


def test_the_caseload_of_stockport_by_age_and_placement(bundled):
    rows = cell(bundled, "caseload", STOCKPORT, 2024, age=any).set_index("age")["y"]
    assert set(rows.index) == {"0-2", *(str(age) for age in range(3, 26))}
    assert (rows["14"], rows["11"], rows["25"], rows.sum()) == (256, 231, 0, 3115)
    placed = cell(bundled, "caseload", STOCKPORT, 2024, age=any, placement=any)
    assert placed.groupby("age")["y"].sum().to_dict() == rows.to_dict()
    assert cell(bundled, "caseload", STOCKPORT, 2024, placement=any)["y"].sum() == 3115


def test_ages_of_england(bundled):
    rows = cell(bundled, "caseload", ENGLAND, 2024, age=any)
    assert rows["y"].sum() == 572829
    assert set(rows["note"]) == {"sum_note: ages sum to 572,829, the total is 576,474"}
    assert set(rows["reason"]) == {""}
    assert cell(bundled, "new_plans", ENGLAND, 2023, age="4")["y"].tolist() == [13189]
    band = cell(bundled, "caseload", ENGLAND, 2022, age="11-15")
    assert (band["y"].tolist(), band["source"].tolist()) == ([167305], ["dfe-ehc-2022"])


def test_ages_not_available_and_ages_that_do_not_add_up_are_marked(bundled):
    hackney = cell(bundled, "caseload", HACKNEY, 2024, age=any)
    assert set(hackney["reason"]) == {"x"}
    assert hackney["y"].isna().all()
    london = cell(bundled, "caseload", "E12000007", 2024, age=any)
    assert set(london["reason"]) == {"sum_mismatch: ages sum to 90,353, the total is 93,539"}
    wakefield = cell(bundled, "new_plans", WAKEFIELD, 2022, age=any)
    assert wakefield["reason"].str.startswith("total_unusable: sum_mismatch: 15 areas of Yorkshire").all()
    yorkshire = bundled[bundled["reason"].str.startswith("total_unusable")]
    assert set(yorkshire["region_code"]) == {"E12000003"}
    assert yorkshire["area_code"].nunique() == 15


def test_speech_and_language_needs_fall_with_age(bundled):
    share = {
        age: cell(bundled, "need_share", ENGLAND, 2025, age=age, need="slcn")["y"].item()
        for age in ("3", "4", "5", "15")
    }
    assert share == {"3": 46.8, "4": 49.6, "5": 46.3, "15": 12.3}
    assert cell(bundled, "need_share", ENGLAND, 2025, need=any)["need"].nunique() == 13
    special = cell(bundled, "need_share", ENGLAND, 2025, need=any, placement="special")
    assert abs(special["y"].sum() - 100) < 0.5
    assert cell(bundled, "need_share_new", ENGLAND, 2024, age="4", need="slcn")["y"].tolist() == [47.3]
    shares = bundled[bundled["measure"].str.startswith("need_share")]
    assert set(shares["geographic_level"]) == {"national", "region"}
    codes = {measure: set(rows["area_code"]) for measure, rows in shares.groupby("measure")}
    london = {"E12000007"}
    assert codes["need_share"] - codes["need_share_new"] == london
    assert codes["need_share_new"] - codes["need_share"] == {"E13000001", "E13000002"}


def test_causes_of_ceasing(bundled):
    causes = cell(bundled, "ceased", ENGLAND, 2023, cause=any).set_index("cause")["y"]
    assert (causes["no_longer_engages"], causes["moved_la"], causes["max_age"]) == (15052, 11231, 2009)
    old = cell(bundled, "ceased", ENGLAND, 2023, age="20+", cause=any).set_index("cause")["y"]
    assert (old["no_longer_engages"], old["employment"]) == (9440, 1780)
    assert cell(bundled, "ceased", ENGLAND, 2023, age="20+")["y"].tolist() == [16977]


@pytest.mark.parametrize(
    ("measure", "year"),
    [
        ("requests", 2023),
        ("requests_refused", 2023),
        ("decided_to_assess", 2023),
        ("requests_undecided", 2023),
        ("requests_withdrawn", 2023),
        ("assessments_issued", 2023),
        ("assessments_no_plan", 2023),
        ("new_plans", 2022),
        ("new_plans", 2023),
        ("ceased", 2023),
        ("caseload", 2024),
        ("caseload", 2022),
        ("new_plans", 2021),
    ],
)
def test_usable_ages_add_up_to_the_total_of_their_area(bundled, measure, year):
    """An independent sum against the totals, which are read another way."""
    totals = reference.ehc().observations
    totals = totals[totals["measure"].eq(measure) & totals["ds"].dt.year.eq(year)].set_index("area_code")["y"]
    rows = bundled[bundled["measure"].eq(measure) & bundled["ds"].dt.year.eq(year) & bundled["age"].ne("")]
    rows = rows[rows["placement"].eq("") & rows["cause"].eq("")]
    rows = rows.assign(y=usable(rows)).dropna(subset="y")
    sums = rows.groupby("area_code")["y"].sum()
    noted = set(rows.loc[rows["note"].str.contains("sum_note"), "area_code"])
    difference = (sums - totals.reindex(sums.index)).abs()
    assert len(sums) > 140
    assert set(difference[difference > 0].index) <= noted
    assert noted <= {ENGLAND, "E12000006", "E12000003"}


def test_every_area_with_ages_has_all_of_them(bundled):
    for measure, year in (("requests", 2023), ("new_plans", 2023)):
        rows = bundled[bundled["measure"].eq(measure) & bundled["ds"].dt.year.eq(year)]
        rows = rows.assign(y=usable(rows)).dropna(subset="y")
        count = rows[rows["age"].isin(FLOW_AGES)].groupby("area_code").size()
        assert set(count) == {19}


def test_outcomes_of_requests_add_up_at_every_age(bundled):
    rows = bundled[bundled["ds"].dt.year.eq(2023) & bundled["measure"].str.match("requests|decided")]
    wide = rows.pivot(index=["area_code", "age"], columns="measure", values="y").dropna()
    parts = wide.drop(columns="requests").sum(axis=1)
    assert len(wide) > 3000
    assert (parts == wide["requests"]).all()


def test_one_row_a_figure_known_categories_and_no_look_ahead(bundled):
    assert not bundled.duplicated([*CELL, "available"]).any()
    assert set(bundled["reason"].str.split(":").str[0]) == {"", "x", "total_unusable", "sum_mismatch"}
    assert bundled.loc[bundled["reason"].eq("x"), "y"].isna().all()
    assert bundled["y"].min() == 0
    flow = ~bundled["measure"].isin(["caseload", "need_share"])
    assert (bundled["available"].dt.year == bundled["ds"].dt.year + flow).all()
    assert set(bundled["source"]) == {note.id for note in reference.sources("ehc_breakdowns")}
    bundled.loc[0, "y"] = -1.0
    assert reference.ehc_breakdowns()["y"].min() == 0
