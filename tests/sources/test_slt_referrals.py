"""A referral log as counts: good files in every form, and one case a bad input."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from forecast.errors import InputError, SpecError
from forecast.sources import slt_referrals
from forecast.sources.faults import faults_of
from forecast.sources.slt_referrals import FRAME, ReferralLog

HEADER = "month,locality,age_band,source,tier,referrals"
GOOD = [
    HEADER,
    "2024-01,Heatons,0-4,GP,targeted,5",
    "2024-02,Heatons,0-4,GP,targeted,3",
    "2024-01,Marple,5-10,School,universal,2",
    "2024-02,Marple,0-4,School,specialist,1",
]
PERSONAL = ["NHS number", "nhs_no", "Child ID", "DOB", "D.O.B", "Date of birth", "Post code", "postcode", "Surname"]
PERSONAL += ["UPN", "First name", "patient_name", "Referral ID", "Unique pupil number"]
NAMED = {"month": "Month", "locality": "Area", "referrals": "Number"}


def csv_file(tmp_path: Path, lines: list[str], *, name: str = "log.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode())
    return path


def excel_file(tmp_path: Path, rows: list[list[object]], *, more: str = "") -> Path:
    book = Workbook()
    page = book.active
    page.title = "Counts"
    for row in rows:
        page.append(row)
    if more:
        book.create_sheet(more)
    book.save(tmp_path / "log.xlsx")
    return tmp_path / "log.xlsx"


def read(tmp_path: Path, lines: list[str], **options: object) -> ReferralLog:
    return slt_referrals.read(csv_file(tmp_path, lines), **options)  # type: ignore[arg-type]


def refused(tmp_path: Path, lines: list[str], **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read(tmp_path, lines, **options)
    return "\n".join(str(each) for each in faults_of(caught.value))


def table(log: ReferralLog) -> list[tuple[object, ...]]:
    rows = log.frame[["ds", "locality", "age_band", "source", "tier", "y"]]
    return [(f"{row.ds:%Y-%m}", *row[2:]) for row in rows.itertuples()]


def test_every_group_of_a_locality_has_a_row_in_every_month(tmp_path: Path) -> None:
    log = read(tmp_path, GOOD)
    assert tuple(log.frame.columns) == FRAME
    assert table(log) == [
        ("2024-01", "Heatons", "0-4", "GP", "targeted", 5.0),
        ("2024-01", "Marple", "0-4", "School", "specialist", 0.0),
        ("2024-01", "Marple", "5-10", "School", "universal", 2.0),
        ("2024-02", "Heatons", "0-4", "GP", "targeted", 3.0),
        ("2024-02", "Marple", "0-4", "School", "specialist", 1.0),
        ("2024-02", "Marple", "5-10", "School", "universal", 0.0),
    ]
    (note,) = log.warnings
    assert note.startswith("log.csv: 2 of 6 months and groups have no row; they count as zero")
    assert log.provenance == "local"
    assert set(log.frame["provenance"]) == {"local"}
    assert (log.sources[0].id, log.sources[0].title, len(log.sources[0].digest)) == ("log.csv", "log.csv", 64)


def test_a_month_is_known_the_day_after_it_or_later(tmp_path: Path) -> None:
    log = read(tmp_path, GOOD)
    assert log.frame["available"].drop_duplicates().tolist() == [pd.Timestamp("2024-02-01"), pd.Timestamp("2024-03-01")]
    late = read(tmp_path, GOOD, available_after_days=9)
    assert late.frame["available"].iloc[0] == pd.Timestamp("2024-02-10")
    assert late.visible("2024-03-09").frame["ds"].unique().tolist() == [pd.Timestamp("2024-01-01")]
    with pytest.raises(InputError, match=r"log.csv: its first month was known on 2024-02-10, after the as-of date"):
        late.visible("2024-02-09")


def test_a_column_left_out_is_all(tmp_path: Path) -> None:
    log = read(tmp_path, ["month,locality,referrals", "2024-01,Heatons,5", "2024-01,Marple,0"])
    assert table(log)[0] == ("2024-01", "Heatons", "all", "all", "all", 5.0)
    assert log.warnings == ("log.csv: referrals are not told apart by age band, source, tier.",)
    whole = read(tmp_path, ["month,referrals", "2024-01,5", "2024-02,7"])
    assert table(whole) == [("2024-01", *["all"] * 4, 5.0), ("2024-02", *["all"] * 4, 7.0)]


def test_columns_may_have_other_names_and_others_are_not_read(tmp_path: Path) -> None:
    lines = ["Area,Month,tier,Note,Number", "Heatons,01/03/2024,targeted,=1+1,4"]
    log = read(tmp_path, lines, columns=NAMED, date_format="%d/%m/%Y")
    assert table(log) == [("2024-03", "Heatons", "all", "all", "all", 4.0)]


def test_excel_and_parquet_give_what_csv_gives(tmp_path: Path) -> None:
    expected = table(read(tmp_path, GOOD))
    cells: list[list[object]] = [["Referrals to therapy"], [], HEADER.split(",")]
    for line in GOOD[1:]:
        month, *names, count = line.split(",")
        cells.append([dt.date(2024, int(month[-1]), 1), *names, int(count)])
    path = excel_file(tmp_path, cells)
    assert table(slt_referrals.read(path)) == expected
    frame = pd.DataFrame(cells[3:], columns=HEADER.split(","))
    frame.to_parquet(tmp_path / "log.parquet")
    assert table(slt_referrals.read(tmp_path / "log.parquet")) == expected


def test_a_count_that_is_not_told_is_missing_not_zero(tmp_path: Path) -> None:
    log = read(tmp_path, [*GOOD[:2], GOOD[2].replace(",3", ",<5"), *GOOD[3:]])
    row = log.frame.iloc[3]
    assert pd.isna(row["y"])
    assert row["reason"] == "small"
    assert log.warnings[-1] == "log.csv: 1 counts have no figure, reason 'small'; they are missing, not zero."


def test_a_locality_that_begins_later_has_no_zeros_before(tmp_path: Path) -> None:
    log = read(tmp_path, [*GOOD[:3], GOOD[4]])
    assert log.frame.loc[log.frame["locality"].eq("Marple"), "ds"].tolist() == [pd.Timestamp("2024-02-01")]
    assert log.warnings[-1] == "log.csv: 'Marple' begins in 2024-02, later than others; it had no zeros before."


def test_a_month_without_rows_is_missing(tmp_path: Path) -> None:
    text = refused(tmp_path, [*GOOD, "2024-04,Heatons,0-4,GP,targeted,3"])
    assert "no row of 'Heatons' in 2024-03, though there are some before" in text
    assert "no row of 'Marple' in 2024-03, 2024-04" in text
    assert "no row in 2024-02," in refused(tmp_path, ["month,referrals", "2024-01,5", "2024-03,5"])


def test_what_the_file_says_of_its_provenance_holds(tmp_path: Path) -> None:
    made_up = [f"{HEADER},provenance", *(f"{line},synthetic" for line in GOOD[1:])]
    log = read(tmp_path, made_up)
    assert (log.provenance, log.sources[0].provenance, set(log.frame["provenance"])) == (
        "synthetic",
        "synthetic",
        {"synthetic"},
    )
    assert read(tmp_path, made_up, provenance="synthetic").provenance == "synthetic"
    assert "says synthetic, not published" in refused(tmp_path, made_up, provenance="published")
    assert "says 'local', 'synthetic'" in refused(tmp_path, [*made_up[:-1], f"{GOOD[-1]},local"])
    assert "says 'invented'" in refused(tmp_path, [made_up[0], f"{GOOD[1]},invented"])
    assert read(tmp_path, GOOD, provenance="published").provenance == "published"


@pytest.mark.parametrize("name", PERSONAL)
def test_a_row_a_child_is_refused_by_its_columns(tmp_path: Path, name: str) -> None:
    text = refused(tmp_path, [f"{HEADER},{name}", *(f"{line},x" for line in GOOD[1:])])
    assert f"column '{name}' is about one child; a log of counts is expected" in text


@pytest.mark.parametrize("name", ["Surgery", "Locality name", "Source of referral", "Number of referrals", "Reference"])
def test_other_columns_are_not_about_a_child(tmp_path: Path, name: str) -> None:
    assert len(read(tmp_path, [f"{HEADER},{name}", *(f"{line},x" for line in GOOD[1:])]).frame) == 6


BAD_ROWS = {
    "2024-01,SK1 3XE,0-4,GP,targeted,5": "looks like a postcode, UPN or NHS number; groups of children",
    "2024-01,Heatons,0-4,943 476 5919,targeted,5": "(not shown) looks like",
    "2024-01,,0-4,GP,targeted,5": "column 'locality': the locality is blank",
    "2024-01,Heatons,,GP,targeted,5": "column 'age_band': the age band is blank",
    "2024-01,Heatons,10-May,GP,targeted,5": "'10-May' is a date; a spreadsheet makes one of '5-10'",
    "2024-01,=A1,0-4,GP,targeted,5": "begins like an Excel formula",
    "2024-01,heatons,0-4,GP,targeted,5": "'heatons' is written 'Heatons' at",
    "2024-02,Heatons,0-4,GP,targeted,5": "has a count for 2024-02 already, at",
    "2024-01,Heatons,0-4,GP,other,-1": "is not a count of 0 or more",
    "2024-01,Heatons,0-4,GP,other,1.5": "is a fraction; children are counted in whole numbers",
    "2024-01,Heatons,0-4,GP,other,many": "is not a count",
    "2024-01-15,Heatons,0-4,GP,other,1": "is inside a month",
    "01/02/2024,Heatons,0-4,GP,other,1": "is ambiguous",
}


@pytest.mark.parametrize(("row", "said"), BAD_ROWS.items())
def test_a_bad_row_is_refused_with_its_place(tmp_path: Path, row: str, said: str) -> None:
    text = refused(tmp_path, [*GOOD, row])
    assert f"{tmp_path / 'log.csv'}: line 6" in text
    assert said in text
    assert "SK1" not in text
    assert "943" not in text


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    text = refused(tmp_path, [*GOOD, "2024-01,,0-4,GP,targeted,five", "2024-13,Heatons,0-4,GP,targeted,1"])
    assert len(text.split("\n")) == 3


def test_a_date_in_place_of_an_age_band_is_refused(tmp_path: Path) -> None:
    path = excel_file(tmp_path, [HEADER.split(","), ["2024-01", "Heatons", dt.date(2024, 10, 5), "GP", "targeted", 5]])
    with pytest.raises(InputError, match=r"row 2, column 'age_band': '2024-10-05' is a date"):
        slt_referrals.read(path)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([HEADER], "a header but no rows"),
        (GOOD[1:], "looks like data, not a header"),
        (["month,locality", "2024-01,Heatons"], "no column 'referrals' (for referrals)"),
        (["month,referrals,referrals", "2024-01,1,1"], "2 columns are named 'referrals'"),
    ],
)
def test_a_bad_table_is_refused(tmp_path: Path, lines: list[str], said: str) -> None:
    assert said in refused(tmp_path, lines)


def test_a_bad_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(InputError, match="not a readable Parquet file"):
        slt_referrals.read(tmp_path / "log.parquet")
    with pytest.raises(InputError, match=r"extension '.ods' is not read"):
        slt_referrals.read(tmp_path / "log.ods")
    path = excel_file(tmp_path, [HEADER.split(",")], more="Notes")
    with pytest.raises(InputError, match="2 sheets"):
        slt_referrals.read(path)
    with pytest.raises(InputError, match="sheet 'Notes' is empty"):
        slt_referrals.read(path, sheet="Notes")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"columns": {"month": "m", "referrals": "r", "ward": "w"}}, "'ward', which is no role"),
        ({"columns": {"month": "m"}}, "columns has no 'referrals'"),
        ({"date_format": "dd/mm/yyyy"}, "has no % codes"),
        ({"provenance": "guessed"}, "provenance 'guessed' is not known"),
        ({"available_after_days": -1}, "before the end of the month"),
    ],
)
def test_a_bad_ask_is_refused(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        read(tmp_path, GOOD, **options)
