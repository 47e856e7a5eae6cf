"""A council's own counts: good files in every form, and one case a bad input."""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from forecast.errors import InputError, SpecError
from forecast.sources import table
from forecast.sources.cells import SYMBOLS, read_count, read_period
from forecast.sources.observations import OBSERVATION_COLUMNS, Reading, usable, visible
from forecast.sources.text import read_csv

COLUMNS = {"ds": "Month", "y": "Referrals", "area": "Locality"}
HEADER = "Month,Locality,Referrals"
GOOD = [HEADER, "2024-01-01,Heatons,31", "2024-02-01,Heatons,28", "2024-01-01,Marple,17", "2024-02-01,Marple,0"]


def csv_file(tmp_path: Path, lines: list[str], *, name: str = "referrals.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


def excel_file(tmp_path: Path, rows: list[list[object]], *, more: Callable[[Workbook], object] | None = None) -> Path:
    book = Workbook()
    page = book.active
    page.title = "Counts"
    for row in rows:
        page.append(row)
    if more is not None:
        more(book)
    book.save(tmp_path / "referrals.xlsx")
    return tmp_path / "referrals.xlsx"


def read(path: Path, **options: object) -> Reading:
    settings: dict[str, object] = {"measure": "slt_referrals", "columns": COLUMNS, "freq": "MS"} | options
    return table.read(path, **settings)  # type: ignore[arg-type]


def counts(reading: Reading) -> list[float]:
    return reading.observations["y"].tolist()


def test_csv_gives_observations(tmp_path: Path) -> None:
    reading = read(csv_file(tmp_path, GOOD))
    rows = reading.observations
    assert tuple(rows.columns) == OBSERVATION_COLUMNS
    assert rows["area_code"].tolist() == ["Heatons", "Heatons", "Marple", "Marple"]
    assert counts(reading) == [31.0, 28.0, 17.0, 0.0]
    assert set(rows["measure"]) == {"slt_referrals"}
    assert set(rows["geographic_level"]) == {"local"}
    (note,) = reading.sources
    assert (note.id, note.title, note.provenance, len(note.digest)) == ("referrals.csv", "referrals.csv", "local", 64)
    assert str(tmp_path) not in repr(reading.sources)
    assert reading.warnings == ()


def test_excel_and_parquet_give_the_same(tmp_path: Path) -> None:
    expected = read(csv_file(tmp_path, GOOD)).observations.drop(columns="source")
    split = [line.split(",") for line in GOOD[1:]]
    typed: list[list[object]] = [[dt.date.fromisoformat(day), area, int(count)] for day, area, count in split]
    excel = excel_file(tmp_path, [["Referrals to therapy, 2024"], [], HEADER.split(","), *typed])
    parquet = tmp_path / "referrals.parquet"
    frame = pd.DataFrame(typed, columns=HEADER.split(","))
    frame.assign(Month=pd.to_datetime(frame["Month"])).to_parquet(parquet)
    for path in (excel, parquet):
        pd.testing.assert_frame_equal(read(path).observations.drop(columns="source"), expected)


def test_available_when_the_period_is_over(tmp_path: Path) -> None:
    path = csv_file(tmp_path, GOOD)
    rows = read(path, available_after_days=0).observations
    assert rows.loc[rows["ds"].eq("2024-02-01"), "available"].unique().tolist() == [pd.Timestamp("2024-03-01")]
    assert set(visible(rows, "2024-02-29")["ds"]) == {pd.Timestamp("2024-01-01")}
    late = read(path, available_after_days=14).observations
    assert late["available"].max() == pd.Timestamp("2024-03-15")


def test_a_file_of_one_area(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["Month,Referrals", "2024-01-01,31"])
    two = {"ds": "Month", "y": "Referrals"}
    assert read(path, columns=two).observations[["area_code", "area_name"]].to_numpy().tolist() == [
        ["local", "Local area"]
    ]
    named = read(path, columns=two, area_code="E08000007", area_name="Stockport", geographic_level="local_authority")
    assert named.observations[["area_code", "area_name", "geographic_level"]].to_numpy().tolist() == [
        ["E08000007", "Stockport", "local_authority"]
    ]


def test_area_names_go_with_codes(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["Month,Code,Ward,N", "2024-01,E05000781,Bredbury,4", "2024-02,E05000781,Bredbury,6"])
    reading = read(path, columns={"ds": "Month", "y": "N", "area": "Code", "area_name": "Ward"})
    assert reading.observations["area_name"].tolist() == ["Bredbury", "Bredbury"]


def test_columns_that_are_not_mapped_are_never_read(tmp_path: Path) -> None:
    lines = ["Month,Locality,Referrals,Child", "2024-01-01,Heatons,31,Jo Bloggs SK1 3XE"]
    reading = read(csv_file(tmp_path, lines))
    assert "Bloggs" not in reading.observations.to_csv() + repr(reading.sources) + repr(reading.warnings)


def test_gaps_stay_gaps_and_are_said(tmp_path: Path) -> None:
    reading = read(csv_file(tmp_path, [HEADER, "2024-01-01,Heatons,31", "2024-04-01,Heatons,29"]))
    assert len(reading.observations) == 2
    assert reading.warnings == (
        "referrals.csv: area 'Heatons': 2 periods without a row (2024-02-01, 2024-03-01); they stay gaps.",
    )


def test_long_gaps_are_shortened(tmp_path: Path) -> None:
    reading = read(csv_file(tmp_path, [HEADER, "2023-01-01,Heatons,31", "2024-01-01,Heatons,29"]))
    assert "11 periods without a row (2023-02-01, " in reading.warnings[0]
    assert ", ...)" in reading.warnings[0]


def test_missing_is_never_zero(tmp_path: Path) -> None:
    marks = ["", "c", "[c]", "X", "z", "*", "<5", "-", "low", "k", "u"]
    lines = [f"2024-{month:02d}-01,{mark}" for month, mark in enumerate(marks, start=1)]
    path = csv_file(tmp_path, ["Month,N", *lines])
    reading = read(path, columns={"ds": "Month", "y": "N"})
    rows = reading.observations
    assert rows["y"].isna().all()
    assert rows["reason"].tolist() == ["blank", "c", "c", "x", "z", "small", "small", "blank", "low", "k", "u"]
    assert usable(rows).dropna().tolist() == [0.0, 0.0]  # low and k round to zero
    assert "referrals.csv: 2 values have no figure, reason 'c'; they are missing, not zero." in reading.warnings


def test_bom_and_blank_lines(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["", *GOOD, ",,", ""], encoding="utf-8-sig")
    assert counts(read(path)) == [31.0, 28.0, 17.0, 0.0]


def test_cp1252_is_read_when_asked_for(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [HEADER, "2024-01-01,Café Lane,3"], encoding="cp1252")
    assert read(path, encoding="cp1252").observations["area_code"].tolist() == ["Café Lane"]


@pytest.mark.parametrize(
    ("freq", "formats", "texts", "first"),
    [
        ("MS", "%d/%m/%Y", ["01/03/2024", "30/04/2024"], ["2024-03-01", "2024-04-01"]),
        ("MS", "%b-%y", ["Mar-24", "Apr-24"], ["2024-03-01", "2024-04-01"]),
        ("MS", ["%d/%m/%Y", "%Y-%b-%d %H:%M:%S"], ["01/03/2024", "2024-Apr-01 00:00:00"], ["2024-03-01", "2024-04-01"]),
        ("MS", None, ["2024-03", "2024-04-30"], ["2024-03-01", "2024-04-01"]),
        ("MS", None, ["2024-03-01 00:00:00", "2024-04-01T00:00:00"], ["2024-03-01", "2024-04-01"]),
        ("YS", None, ["2023", "2024-12-31"], ["2023-01-01", "2024-01-01"]),
        ("QS", None, ["2024-01-01", "2024-06-30"], ["2024-01-01", "2024-04-01"]),
        ("W-MON", None, ["2024-03-04", "2024-03-17"], ["2024-03-04", "2024-03-11"]),
    ],
)
def test_dates(tmp_path: Path, freq: str, formats: str | list[str] | None, texts: list[str], first: list[str]) -> None:
    path = csv_file(tmp_path, [HEADER, *[f"{text},Heatons,1" for text in texts]])
    rows = read(path, freq=freq, date_format=formats).observations
    assert rows["ds"].tolist() == [pd.Timestamp(day) for day in first]


def test_years_as_excel_numbers(tmp_path: Path) -> None:
    path = excel_file(tmp_path, [["Month", "Locality", "Referrals"], [2023, "Heatons", 31]])
    assert read(path, freq="YS").observations["ds"].tolist() == [pd.Timestamp("2023-01-01")]


def test_rates_may_be_fractions(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [HEADER, '2024-01-01,Heatons,"1,204.5"', "2024-02-01,Heatons,12.0"])
    assert counts(read(path, allow_fractions=True)) == [1204.5, 12.0]


def test_a_sheet_is_chosen_by_name(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Month", "Locality", "Referrals"], ["2024-01-01", "Heatons", 31]]
    path = excel_file(tmp_path, rows, more=lambda book: book.create_sheet("Notes"))
    assert counts(read(path, sheet="Counts")) == [31.0]
    with pytest.raises(InputError, match=r"referrals\.xlsx: 2 sheets \('Counts', 'Notes'\).*Set sheet"):
        read(path)
    with pytest.raises(InputError, match=r"no sheet 'Count'; did you mean 'Counts'\?"):
        read(path, sheet="Count")
    with pytest.raises(InputError, match=r"sheet 'Notes' is empty\. Put a header row"):
        read(path, sheet="Notes")


# one more row under GOOD (line 6), and what the message must name besides the file
BAD_ROWS = {
    "day or month first": ("12/02/2026,Heatons,3", ["line 6", "'Month'", "'12/02/2026'", "Set date_format"]),
    "not a date": ("Spring,Heatons,3", ["line 6", "'Month'", "'Spring'", "Set date_format"]),
    "total row": ("Total,Heatons,59", ["line 6", "'Month'", "'Total'"]),
    "no such day": ("2024-02-30,Heatons,3", ["line 6", "'2024-02-30'", "calendar", "Correct the date"]),
    "no month for a month": ("2024,Heatons,3", ["line 6", "'2024'", "ISO date", "Set date_format"]),
    "year out of range": ("0224-03-01,Heatons,3", ["line 6", "'0224-03-01'", "1990 to 2100", "Correct the date"]),
    "middle of a month": (
        "2024-03-15,Heatons,3",
        ["line 6", "'2024-03-15'", "2024-03-01 or 2024-03-31", "Count the rows"],
    ),
    "no date": (",Heatons,3", ["line 6", "'Month'", "date is blank", "Fill it in"]),
    "time of day": ("2024-03-01 23:00:00,Heatons,3", ["line 6", "'2024-03-01 23:00:00'", "Set date_format"]),
    "repeat": ("2024-01-31,Heatons,3", ["line 6", "line 2", "'Heatons'", "2024-01-01", "Add up or remove"]),
    "negative": ("2024-03-01,Heatons,-4", ["line 6", "'Referrals'", "'-4'", "0 or more", "Correct the cell"]),
    "fraction": ("2024-03-01,Heatons,4.5", ["line 6", "'Referrals'", "'4.5'", "whole numbers", "Correct the cell"]),
    "decimal comma": ('2024-03-01,Heatons,"4,5"', ["line 6", "'Referrals'", "'4,5'", "1,204", "Correct the cell"]),
    "per cent": ("2024-03-01,Heatons,45%", ["line 6", "'Referrals'", "'45%'", "Correct the cell"]),
    "word": ("2024-03-01,Heatons,several", ["line 6", "'Referrals'", "'several'", "'*'", "Correct the cell"]),
    "Excel error": ("2024-03-01,Heatons,#REF!", ["line 6", "'Referrals'", "'#REF!'", "Correct the cell"]),
    "extra field": ("2024-03-01,Heatons,1,204", ["line 6", "4 fields", "header has 3", "Quote values"]),
    "too few fields": ("2024-03-01,Heatons", ["line 6", "2 fields", "header has 3", "Quote values"]),
    "no area": ("2024-03-01,,3", ["line 6", "'Locality'", "area is blank", "Fill it in"]),
    "two spellings": ("2024-03-01,HEATONS,3", ["line 6", "'HEATONS'", "'Heatons'", "line 2", "one spelling"]),
    "open quote": ('2024-03-01,"Heatons,3', ["line 6", "quoting", "Close the quotation marks"]),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_is_refused_with_place_value_and_next_step(tmp_path: Path, name: str) -> None:
    row, said = BAD_ROWS[name]
    with pytest.raises(InputError) as caught:
        read(csv_file(tmp_path, [*GOOD, row]))
    message = str(caught.value)
    assert "\n" not in message
    for part in ["referrals.csv", *said]:
        assert part in message


@pytest.mark.parametrize(
    "value", ["SK1 3XE", "sk13xe", "A123456789012", "H80120000100A", "943 476 5919", "9434765919", "943-476-5919"]
)
@pytest.mark.parametrize("column", ["Locality", "Month", "Referrals"])
def test_what_identifies_a_child_is_refused_and_never_echoed(tmp_path: Path, value: str, column: str) -> None:
    fields = {"Month": "2024-03-01", "Locality": "Heatons", "Referrals": "3"} | {column: value}
    with pytest.raises(InputError) as caught:
        read(csv_file(tmp_path, [*GOOD, ",".join(fields.values())]))
    assert "line 6" in str(caught.value)
    assert column in str(caught.value)
    assert value not in str(caught.value)


def test_postcode_districts_are_areas(tmp_path: Path) -> None:
    assert read(csv_file(tmp_path, [HEADER, "2024-01-01,SK4,3"])).observations["area_code"].tolist() == ["SK4"]


BAD_FILES: dict[str, tuple[str, bytes, list[str]]] = {
    "empty": ("a.csv", b"", ["a.csv", "empty (0 bytes)", "Export it again"]),
    "blank lines": ("a.csv", b"\r\n\r\n", ["a.csv", "no text", "Export it again"]),
    "header only": ("a.csv", b"Month,Locality,Referrals\n", ["a.csv", "no rows", "Export the counts again"]),
    "only empty rows": ("a.csv", b"Month,Locality,Referrals\n,,\n", ["a.csv", "no rows"]),
    "semicolons": ("a.csv", b"Month;Locality;Referrals\n", ["a.csv", "line 1", "semicolons", "comma delimited"]),
    "tabs": ("a.csv", b"Month\tLocality\tReferrals\n", ["a.csv", "line 1", "tabs", "comma delimited"]),
    "cp1252": (
        "a.csv",
        "Month,Locality,Referrals\n2024-01-01,Café Lane,3\n".encode("cp1252"),
        ["a.csv", "line 2", "0xe9", "Set encoding: cp1252"],
    ),
    "utf-16": ("a.csv", "Month,Referrals\n".encode("utf-16"), ["a.csv", "UTF-16", "Set encoding: utf-16"]),
    "binary": ("a.csv", b"Month,Locality\n\x00\x00", ["a.csv", "line 2", "NUL", "Save the file as CSV"]),
    "workbook named csv": ("a.csv", b"PK\x03\x04rest", ["a.csv", "wrong extension", "Rename it to .xlsx"]),
    "column missing": (
        "a.csv",
        b"Mnth,Locality,Referrals\n",
        ["a.csv", "'Month'", "did you mean 'Mnth'?", "Correct columns"],
    ),
    "column twice": ("a.csv", b"Month,Locality,Referrals,Month\n", ["a.csv", "2 columns", "'Month'", "Rename one"]),
    "other extension": ("a.ods", b"x", ["a.ods", "'.ods'", ".xlsx", "Save the table"]),
    "no extension": ("a", b"x", ["'none'", "Save the table"]),
    "text named xlsx": (
        "a.xlsx",
        b"Month,Referrals\n",
        ["a.xlsx", "not a readable Excel workbook", "Download it again"],
    ),
    "text named parquet": (
        "a.parquet",
        b"Month,Referrals\n",
        ["a.parquet", "not a readable Parquet", "Write the file again"],
    ),
    "empty parquet": ("a.parquet", b"", ["a.parquet", "0 bytes", "Export it again"]),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_refused(tmp_path: Path, name: str) -> None:
    file, content, said = BAD_FILES[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(tmp_path / file)
    message = str(caught.value)
    assert "\n" not in message
    for part in said:
        assert part in message


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.csv: no such file\. Check the path"):
        read(tmp_path / "absent.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"folder\.csv: .*Check the path"):
        read(tmp_path / "folder.csv")


def test_truncated_workbook(tmp_path: Path) -> None:
    path = excel_file(tmp_path, [["Month", "Locality", "Referrals"], ["2024-01-01", "Heatons", 31]])
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(
        InputError, match=r"referrals\.xlsx: not a readable Excel workbook .*truncated.*Download it again"
    ):
        read(path)


BAD_CELLS = {
    "serial number": ([45321, "Heatons", 3], ["row 2, column A 'Month'", "45321", "Format the column as a date"]),
    "time of day": (
        [dt.datetime(2024, 3, 31, 23), "Heatons", 3],
        ["row 2, column A 'Month'", "time of day", "into dates"],
    ),
    "truth value": (
        [dt.date(2024, 3, 1), "Heatons", True],
        ["row 2, column C 'Referrals'", "'True'", "Correct the cell"],
    ),
    "text": ([dt.date(2024, 3, 1), "Heatons", "few"], ["row 2, column C 'Referrals'", "'few'", "Correct the cell"]),
    "long number": (
        [dt.date(2024, 3, 1), 9434765919, 3],
        ["row 2, column B 'Locality'", "not shown", "locality or ward"],
    ),
}


@pytest.mark.parametrize("name", BAD_CELLS)
def test_a_bad_excel_cell_is_refused(tmp_path: Path, name: str) -> None:
    cells, said = BAD_CELLS[name]
    path = excel_file(tmp_path, [["Month", "Locality", "Referrals"], cells])
    with pytest.raises(InputError) as caught:
        read(path)
    for part in ["referrals.xlsx: sheet 'Counts'", *said]:
        assert part in str(caught.value)
    assert "9434765919" not in str(caught.value)


def test_bad_parquet_values(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    frame = pd.DataFrame({"Month": pd.to_datetime(["2024-01-01", "2024-02-01"]), "Locality": "Heatons"})
    frame.assign(Referrals=[3.0, float("nan")]).to_parquet(path)
    assert read(path).observations["reason"].tolist() == ["", "blank"]
    frame.assign(Referrals=[3.0, float("inf")]).to_parquet(path)
    with pytest.raises(InputError, match=r"a\.parquet: row 2, column 'Referrals': 'inf' is not a count"):
        read(path)
    frame.assign(Month=frame["Month"].dt.tz_localize("Europe/London"), Referrals=1).to_parquet(path)
    with pytest.raises(InputError, match=r"a\.parquet: row 1, column 'Month'.*time zone"):
        read(path)
    with pytest.raises(InputError, match="no column 'Ward'"):
        read(path, columns=COLUMNS | {"area": "Ward"})


def test_empty_excel_rows_are_left_out(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Month", "Locality", "Referrals", "Note"],
        ["2024-01", "Heatons", 31],
        [None] * 3 + ["end"],
    ]
    assert counts(read(excel_file(tmp_path, rows))) == [31.0]


def test_damaged_sheet_in_a_whole_workbook(tmp_path: Path) -> None:
    path = excel_file(tmp_path, [["Month", "Locality", "Referrals"], ["2024-01-01", "Heatons", 31]])
    with zipfile.ZipFile(path) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(path, "w") as torn:
        for name, content in parts.items():
            torn.writestr(name, content[:300] if name == "xl/worksheets/sheet1.xml" else content)
    with pytest.raises(InputError, match=r"referrals\.xlsx: .*sheet 'Counts' is damaged .*Download or save"):
        read(path)


def test_one_column_is_not_a_table(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no column 'Month' \(for ds\); known: 'Referrals'\. Correct columns"):
        read(csv_file(tmp_path, ["Referrals", "31"]))


def test_one_name_an_area(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["Month,Code,Ward,N", "2024-01,E05000781,Bredbury,4", "2024-02,E05000781,Woodley,6"])
    with pytest.raises(InputError, match=r"line 3, column 'Code': area 'E05000781' \(Woodley\) is written .*line 2"):
        read(path, columns={"ds": "Month", "y": "N", "area": "Code", "area_name": "Ward"})


BAD_SPECS: dict[str, tuple[dict[str, object], list[str]]] = {
    "measure": ({"measure": "SLT referrals"}, ["'SLT referrals'", "snake case"]),
    "role": ({"columns": COLUMNS | {"locality": "Locality"}}, ["'locality'", "no role", "Correct columns"]),
    "no count": ({"columns": {"ds": "Month"}}, ["'y'", "Add it to columns"]),
    "name without area": ({"columns": {"ds": "Month", "y": "N", "area_name": "Ward"}}, ["'area'", "Add area"]),
    "freq": ({"freq": "M"}, ["freq 'M'", "'MS'", "Set freq"]),
    "date_format": ({"date_format": "dd/mm/yyyy"}, ["'dd/mm/yyyy'", "% codes", "'%d/%m/%Y'"]),
    "provenance": ({"provenance": "publshed"}, ["'publshed'", "did you mean 'published'?"]),
    "available": ({"available_after_days": -1}, ["-1", "Set it to 0 or more"]),
    "encoding": ({"encoding": "utf-9"}, ["'utf-9'", "Use utf-8"]),
}


@pytest.mark.parametrize("name", BAD_SPECS)
def test_a_wrong_setting_is_a_spec_error(tmp_path: Path, name: str) -> None:
    options, said = BAD_SPECS[name]
    with pytest.raises(SpecError) as caught:
        read(csv_file(tmp_path, GOOD), **options)
    for part in ["referrals.csv", *said]:
        assert part in str(caught.value)


def test_formats_that_disagree_are_refused() -> None:
    formats = ["%d/%m/%Y", "%m/%d/%Y"]
    assert read_period("31/01/2026", freq="MS", formats=formats, where="x") == pd.Timestamp("2026-01-01")
    with pytest.raises(InputError, match=r"'01/12/2026' is 2026-01-12 or 2026-12-01.*Set a single date_format"):
        read_period("01/12/2026", freq="MS", formats=formats, where="x")
    with pytest.raises(InputError, match=r"'2026-01-01' is not a date in the form .*add its form to date_format"):
        read_period("2026-01-01", freq="MS", formats=formats, where="x")


def test_not_a_number_is_missing() -> None:
    y, reason = read_count(float("nan"), allow_fractions=False, where="x")
    assert pd.isna(y)
    assert reason == "blank"


@pytest.mark.parametrize("text", ["1,204", "1204", "1204.0", " 1204 "])
def test_numbers(text: str) -> None:
    assert read_count(text, allow_fractions=False, where="x") == (1204.0, "")


@pytest.mark.parametrize("text", ["1,20", "12,04", ",204", "1e3", "+4", "0,204", "£4", "4 children", "(4)"])
def test_what_could_be_another_number_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"x: .*Correct the cell"):
        read_count(text, allow_fractions=True, where="x")


def test_no_symbol_is_a_number() -> None:
    for symbol, reason in SYMBOLS.items():
        y, why = read_count(symbol, allow_fractions=False, where="x")
        assert pd.isna(y)
        assert why == reason != ""


def test_wrong_encoding_asked_for(tmp_path: Path) -> None:
    path = csv_file(tmp_path, [HEADER, "2024-01-01,Café Lane,3"])
    with pytest.raises(InputError, match=r"line 2: byte 0xc3 is not ascii text\. Set encoding: utf-8"):
        read_csv(path, encoding="ascii")


def test_multi_line_fields_keep_their_line_number(tmp_path: Path) -> None:
    path = csv_file(tmp_path, ["Month,Note,N", '2024-01,"two\r\nlines",1', "2024-02,x,bad"])
    with pytest.raises(InputError, match=r"line 4, column 'N': 'bad'"):
        read(path, columns={"ds": "Month", "y": "N"})


def test_a_missing_column_lists_ten_plain_names_at_most_and_nothing_that_may_be_a_childs(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [f"Column {letter}" for letter in "abcdefghijkl"]
    path.write_text(",".join(["[secret]", *names]) + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        table.read(path, measure="m", columns={"ds": "When", "y": "N"}, freq="MS")
    assert "known: 'Column a', 'Column b'" in str(caught.value)
    assert "'Column j' and 2 more." in str(caught.value)
    assert "secret" not in str(caught.value)
    path.write_text("[a],[b]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"known: none in plain words\. Correct columns"):
        table.read(path, measure="m", columns={"ds": "When", "y": "N"}, freq="MS")


@pytest.mark.parametrize("cell", ["SK1 3XE", "A823432108001", "2015-03-04", "4 March 2015", "Mar-15", "12", "1,204.5"])
def test_a_first_line_of_data_is_not_shown(tmp_path: Path, cell: str) -> None:
    path = tmp_path / "children.csv"
    path.write_text(f'Jo Bloggs,"{cell}"\nSam Roe,other\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"the first line looks like data, not a header \(not shown\)") as caught:
        table.read(path, measure="m", columns={"ds": "When", "y": "N"}, freq="MS")
    assert "Bloggs" not in str(caught.value)
    assert cell not in str(caught.value).replace(str(path), "")
