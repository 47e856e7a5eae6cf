"""Workbooks in each layout NHS England used in 2023, made small, and the facts of the bundled figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook

from forecast import reference
from forecast.errors import InputError
from forecast.sources import nhs_waiting_list
from forecast.sources.nhs_waiting_list import MEASURES, VALUES, read, read_workbook, readable_name
from forecast.sources.observations import visible

TITLES = {
    "Table 4": "Total waiting list by service",
    "Table 4a": "Number waiting 0-1 weeks (0-7 days) by service",
    "Table 4b": "Number waiting >1-2 weeks (8-14 days) by service",
    "Table 4c": "Number waiting >2-4 weeks (15-28 days) by service",
    "Table 4d": "Number waiting >4-12 weeks (29-84 days) by service",
    "Table 4e": "Number waiting >12-18 weeks (85-126 days) by service",
    "Table 4f": "Number waiting >18-52 weeks (127-364 days) by service",
    "Table 4g": "Number waiting over 52 weeks (over 365 days) by service",
}
Cell = float | str | None


@dataclass(frozen=True)
class Layout:
    """What drifted between the nine workbooks."""

    lead: tuple[str, ...]
    header_row: int
    left: int
    blocks: bool
    provider: str
    speech: str
    upper: bool
    published: object
    month_in_titles: bool = True
    lead_in_4g: tuple[str, ...] | None = None


UNLABELLED = Layout(("", ""), 6, 1, True, "Organisation", "speech", False, dt.date(2023, 3, 9))
LAYOUTS = {
    "unlabelled": UNLABELLED,
    "month only in the contents": replace(UNLABELLED, month_in_titles=False),
    "named": Layout(
        ("Organisation Type", "Organisation Name"),
        5,
        0,
        False,
        "Provider",
        "Speech",
        False,
        dt.date(2023, 3, 9),
        lead_in_4g=("level", "name"),
    ),
    "upper case, date as text": Layout(
        ("Organisation Type", "Organisation Name"), 5, 0, False, "Provider", "Speech", True, "09/03/2023"
    ),
    "coded": Layout(
        ("Organisation Type", "Organisation Code", "Organisation Name"),
        5,
        0,
        False,
        "Provider",
        "Speech",
        True,
        "09/03/2023",
    ),
}
STOCKPORT = [287.0, 26.0, 7.0, 43.0, 127.0, 52.0, 32.0, 0.0]
ROWS: dict[tuple[str, str, str], list[Cell]] = {
    ("National", "", "England"): [67774.0, 3794.0, 3000.0, 5000.0, 20000.0, 10000.0, 20000.0, 5980.0],
    ("Region", "Y62", "North West"): [8000.0, 400.0, 300.0, 600.0, 2400.0, 1200.0, 2400.0, 700.0],
    ("Region", "Y56", "London"): [9000.0, 500.0, 400.0, 700.0, 2500.0, 1300.0, 2500.0, 1100.0],
    ("ICB", "QOP", "Greater Manchester"): [3000.0, 150.0, 120.0, 220.0, 900.0, 450.0, 900.0, 260.0],
    ("Provider", "RWJ", "Stockport NHS Foundation Trust"): list(STOCKPORT),
    ("Provider", "TAH", "Sheffield Health & Social Care NHS Foundation Trust"): [None] * 8,
    ("Provider", "NNV", "Your Healthcare"): [12.0, "*", 3.0, 1.0, 4.0, 0.0, 2.0, 0.0],
}
Rows = dict[tuple[str, str, str], list[Cell]]


def workbook(
    path: Path,
    layout: Layout = LAYOUTS["coded"],
    *,
    month: str = "January 2023",
    rows: Rows = ROWS,
    edit: Callable[[Workbook], None] | None = None,
) -> Path:
    book = Workbook()
    cover = book.active
    cover.title = "Cover page"
    for line in (
        ("Title:", "Community Health Services Waiting Times"),
        ("Published:", layout.published),
        ("Revised:", "-"),
    ):
        cover.append(line)
    contents = book.create_sheet("Contents")
    contents.append(["Contents"])
    contents.append([f"Table 4: Total waiting list by service, {month}"])
    for band, (sheet, title) in enumerate(TITLES.items()):
        page = book.create_sheet(sheet)
        page.cell(1, layout.left + 1, f"{title}, {month}" if layout.month_in_titles else title)
        page.cell(2, layout.left + 1, "Blanks indicate no organisation submitted for the service line.")
        lead = (layout.lead_in_4g if sheet == "Table 4g" else None) or layout.lead
        services = [
            "(A) Therapy interventions: Speech and language",
            "(CYP) Audiology",
            f"(CYP) Therapy interventions: {layout.speech} and language",
        ]
        for j, label in enumerate([*lead, *services]):
            page.cell(layout.header_row, layout.left + j + 1, label or None)
        above = ""
        for i, ((level, code, name), values) in enumerate(rows.items(), start=layout.header_row + 1):
            label = layout.provider if level == "Provider" else level
            shown = "" if layout.blocks and label in ("National", above) else label
            above = label
            written = name.upper() if layout.upper and level != "National" else name
            cells = [shown, code, written] if "Organisation Code" in lead else [shown, written]
            for j, value in enumerate([*cells, 5.0, "*", values[band]]):
                page.cell(i, layout.left + j + 1, value if value != "" else None)
    if edit is not None:
        edit(book)
    book.save(path)
    return path


def changed(rows: Rows, organisation: str, values: list[Cell]) -> Rows:
    return {key: values if key[2] == organisation else old for key, old in rows.items()}


def total(reading: nhs_waiting_list.Reading, code: str) -> pd.Series:
    rows = reading.observations
    return rows[rows["measure"].eq("slt_waiting") & rows["area_code"].eq(code)].set_index("ds")["y"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_tidy_rows(tmp_path: Path, name: str) -> None:
    frame = read_workbook(workbook(tmp_path / "community_health_2023-03-01.xlsx", LAYOUTS[name]))
    slt = frame[frame["age_group"].eq("CYP") & frame["service"].str.contains("speech and language", case=False)]
    got = slt.assign(name=slt["name"].str.upper()).set_index(["level", "name"])[list(VALUES)]
    assert list(got.index) == [(level, written.upper()) for level, _, written in ROWS]
    for (level, _, written), values in ROWS.items():
        expected = [value if isinstance(value, float) else float("nan") for value in values]
        assert got.loc[(level, written.upper())].tolist() == pytest.approx(expected, nan_ok=True)
    assert set(frame["month"]) == {pd.Timestamp("2023-01-01")}
    assert set(slt["code"]) == ({code for _, code, _ in ROWS} if name == "coded" else {""})
    assert set(frame["service"]) == {
        "(A) Therapy interventions: Speech and language",
        "(CYP) Audiology",
        f"(CYP) Therapy interventions: {LAYOUTS[name].speech} and language",
    }


def test_blank_and_star_keep_their_reason(tmp_path: Path) -> None:
    frame = read_workbook(workbook(tmp_path / "a.xlsx"), service="(CYP) Therapy").set_index("code")
    assert frame.loc["TAH", [f"{value}_reason" for value in VALUES]].tolist() == ["not_submitted"] * 8
    assert frame.loc["NNV", ["total_reason", "w0_1_reason", "w1_2_reason"]].tolist() == ["", "small", ""]
    assert frame.loc["NNV", "w12_18"] == 0.0
    assert pd.isna(frame.loc["NNV", "w0_1"])


def test_read_gives_observations_of_every_band_and_level(tmp_path: Path) -> None:
    reading = read(workbook(tmp_path / "a.xlsx"))
    rows = reading.observations
    assert len(rows) == len(ROWS) * 8
    assert set(rows["measure"]) == set(MEASURES.values())
    stockport = rows[rows["area_code"].eq("RWJ")].set_index("measure")
    assert stockport.loc[list(MEASURES.values()), "y"].tolist() == STOCKPORT
    assert set(stockport["area_name"]) == {"Stockport NHS Foundation Trust"}
    levels = rows.drop_duplicates("area_code").set_index("area_code")["geographic_level"].to_dict()
    assert levels == {
        "E92000001": "national",
        "Y62": "nhs_region",
        "Y56": "nhs_region",
        "QOP": "icb",
        "RWJ": "provider",
        "TAH": "provider",
        "NNV": "provider",
    }
    assert set(rows["available"]) == {pd.Timestamp("2023-03-09")}
    (note,) = reading.sources
    assert (note.publisher, note.licence) == ("NHS England", "Open Government Licence v3.0")
    assert (note.released, note.provenance, len(note.digest)) == ("2023-03-09", "published", 64)
    assert set(rows["source"]) == {note.id}


def test_one_series_runs_through_all_layouts(tmp_path: Path) -> None:
    """Names in either case before the codes came, codes after: one area."""
    months = ["January", "February", "March", "April", "May"]
    for number, (layout, month) in enumerate(zip(LAYOUTS.values(), months, strict=True), start=3):
        published = replace(layout, published=dt.date(2023, number, 9))
        rows = changed(ROWS, "Stockport NHS Foundation Trust", [280.0 + number] * 8)
        workbook(tmp_path / f"community_health_2023-0{number}-01.xlsx", published, month=f"{month} 2023", rows=rows)
    reading = read(tmp_path)
    assert total(reading, "RWJ").tolist() == [283.0, 284.0, 285.0, 286.0, 287.0]
    assert reading.observations["area_code"].nunique() == len(ROWS)
    assert reading.warnings == ()


def test_a_name_that_never_has_a_code_is_its_own_code(tmp_path: Path) -> None:
    reading = read([workbook(tmp_path / "a.xlsx", LAYOUTS["upper case, date as text"])])
    rows = reading.observations.drop_duplicates("area_code").set_index("area_code")
    assert rows.loc["STOCKPORT NHS FOUNDATION TRUST", "area_name"] == "Stockport NHS Foundation Trust"
    assert rows.loc["SHEFFIELD HEALTH & SOCIAL CARE NHS FOUNDATION TRUST", "geographic_level"] == "provider"


def test_a_missing_month_stays_a_gap_and_is_said(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", month="January 2023")
    workbook(tmp_path / "b.xlsx", month="April 2023")
    reading = read(tmp_path)
    assert total(reading, "RWJ").index.tolist() == [pd.Timestamp("2023-01-01"), pd.Timestamp("2023-04-01")]
    assert reading.warnings == (
        "nhs_waiting_list: no workbook for 2023-02, 2023-03; these months stay gaps. Add the workbooks.",
    )


def test_a_total_says_what_it_is_a_sum_of_and_england_how_many_submitted_where_that_changed(tmp_path: Path) -> None:
    silent: list[Cell] = [None] * 8
    months = {
        "January": ROWS,
        "February": ROWS,
        "March": changed(ROWS, "Your Healthcare", silent),
        "April": changed(ROWS, "Your Healthcare", silent),
        "May": changed(ROWS, "Sheffield Health & Social Care NHS Foundation Trust", list(STOCKPORT)),
    }
    for number, (month, rows) in enumerate(months.items(), start=3):
        published = replace(LAYOUTS["coded"], published=dt.date(2023, number, 9))
        workbook(tmp_path / f"{number}.xlsx", published, month=f"{month} 2023", rows=rows)
    rows = read(tmp_path).observations
    base = "sum over the providers that submitted"
    notes = {level: part for level, part in rows.groupby("geographic_level")["note"]}
    assert set(notes["provider"]) == {""}
    assert set(notes["icb"]) == set(notes["nhs_region"]) == {base}
    england = rows[rows["geographic_level"].eq("national")].groupby("ds")["note"].unique()
    said = [base, base, f"{base}; 1 of 2 providers submitted", base, f"{base}; 3 of 3 providers submitted"]
    assert [list(each) for each in england] == [[each] for each in said]


def test_a_revision_never_looks_ahead(tmp_path: Path) -> None:
    first, later = (replace(LAYOUTS["coded"], published=day) for day in ("09/03/2023", "13/04/2023"))
    workbook(tmp_path / "a.xlsx", first)
    workbook(tmp_path / "b.xlsx", later, rows=changed(ROWS, "Stockport NHS Foundation Trust", [290.0] * 8))
    reading = read(tmp_path)
    assert total(reading, "RWJ").tolist() == [287.0, 290.0]
    between = visible(reading.observations, "2023-04-12")
    alone = read([tmp_path / "a.xlsx"]).observations
    pd.testing.assert_frame_equal(between, visible(alone, "2023-04-12"))
    after = visible(reading.observations, "2023-04-13").set_index(["area_code", "measure"])
    assert after.loc[("RWJ", "slt_waiting"), "y"] == 290.0
    assert len(after) == len(alone)
    assert between.set_index(["area_code", "measure"]).loc[("E92000001", "slt_waiting"), "y"] == 67774.0
    assert "8 figures were changed by a later workbook" in reading.warnings[0]


def test_the_same_workbook_twice_is_read_once(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx")
    again = workbook(tmp_path / "copy.xlsx")
    assert len(read([path, path, again]).observations) == len(read(path).observations)


def test_two_versions_of_one_day_are_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx")
    workbook(tmp_path / "b.xlsx", rows=changed(ROWS, "Stockport NHS Foundation Trust", [290.0] * 8))
    with pytest.raises(InputError, match=r"b\.xlsx: slt_waiting.* is 290, but 287 in a\.xlsx.*Keep one"):
        read(tmp_path)


def test_revised_date_on_the_cover_counts(tmp_path: Path) -> None:
    def revise(book: Workbook) -> None:
        book["Cover page"]["B3"] = dt.datetime(2023, 5, 2)

    assert set(read(workbook(tmp_path / "a.xlsx", edit=revise)).observations["available"]) == {
        pd.Timestamp("2023-05-02")
    }


def test_publication_month_of_the_file_name_is_taken_at_its_end(tmp_path: Path) -> None:
    def uncover(book: Workbook) -> None:
        del book["Cover page"]

    reading = read(workbook(tmp_path / "community_health_2023-03-01.xlsx", edit=uncover))
    assert set(reading.observations["available"]) == {pd.Timestamp("2023-03-31")}
    assert "2023-03-31, is used so that nothing is seen too early" in reading.warnings[0]


def set_cell(sheet: str, cell: str, value: object) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        book[sheet][cell] = value

    return edit


def drop_sheet(sheet: str) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        del book[sheet]

    return edit


def keep_rows(sheet: str, last: int) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        book[sheet].delete_rows(last + 1, 100)

    return edit


def both(*edits: Callable[[Workbook], None]) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        for one in edits:
            one(book)

    return edit


# In the coded layout row 5 is the header, row 6 England, row 10 Stockport; columns A-C lead, F is CYP speech.
BAD = {
    "text for a number": (set_cell("Table 4c", "F10", "about 40"), ["Table 4c!F10", "'about 40'", "whole number"]),
    "negative": (set_cell("Table 4", "F10", -3), ["Table 4!F10", "'-3.0'", "whole number"]),
    "fraction": (set_cell("Table 4", "F10", 2.5), ["Table 4!F10", "'2.5'", "whole number"]),
    "a truth value": (set_cell("Table 4", "F10", True), ["Table 4!F10", "'True'", "whole number"]),
    "missing sheet": (drop_sheet("Table 4d"), ["no sheet 'Table 4d'", "'Table 4'", "Name the sheet"]),
    "no children's service": (
        both(*[set_cell(sheet, "F5", "(CYP) Therapy: other") for sheet in TITLES]),
        ["'Table 4'", "0 services match", "Compare the header"],
    ),
    "no such service": (
        both(*[set_cell(sheet, cell, "(CYP) Other") for sheet in TITLES for cell in ("D5", "F5")]),
        ["Table 4!D5", "'speech and language'", "Compare"],
    ),
    "changed header": (set_cell("Table 4", "C5", "Trust"), ["Table 4!C5", "'Trust'", "Compare"]),
    "an extra leading column": (
        both(
            lambda book: book["Table 4"].insert_cols(1), set_cell("Table 4", "A1", "Total waiting list, January 2023")
        ),
        ["Table 4!E5", "4 columns stand before", "Compare"],
    ),
    "no header": (keep_rows("Table 4", 4), ["sheet 'Table 4'", "no header row", "Compare"]),
    "no rows": (keep_rows("Table 4", 5), ["sheet 'Table 4'", "no organisation", "Compare"]),
    "unknown level": (set_cell("Table 4", "A10", "Trust"), ["Table 4!A10", "'Trust'", "Compare"]),
    "no level": (set_cell("Table 4", "A10", None), ["Table 4!A10", "''", "Compare"]),
    "figures without a name": (set_cell("Table 4", "C10", None), ["Table 4!C10", "'5.0'", "needs its organisation"]),
    "repeated organisation": (
        set_cell("Table 4", "C12", "Stockport NHS FOUNDATION TRUST"),
        ["Table 4!C12", "stands in row 10", "one row an organisation"],
    ),
    "another band": (
        set_cell("Table 4b", "A1", "Number waiting >2-4 weeks by service, January 2023"),
        ["'Table 4b'", "Number waiting >2-4", "renumbered"],
    ),
    "another month": (
        set_cell("Table 4g", "A1", "Number waiting over 52 weeks by service, May 2023"),
        ["'Table 4g'", "May 2023", "January 2023", "Compare"],
    ),
    "no month": (
        both(set_cell("Table 4", "A1", "Total waiting list by service"), drop_sheet("Contents")),
        ["'Table 4'", "names a month", "Check that this is a monthly workbook"],
    ),
    "rows differ between tables": (
        set_cell("Table 4e", "C10", "STOCKPORT COUNCIL"),
        ["'Table 4e'", "STOCKPORT", "in one only", "Compare"],
    ),
    "broken publication date": (
        set_cell("Cover page", "B2", "9 March"),
        ["Cover page!B2", "'9 March'", "dd/mm/yyyy", "Compare"],
    ),
    "no publication date": (set_cell("Cover page", "B2", "-"), ["no publication date", "Name the file"]),
    "one code for two": (
        both(*[set_cell(sheet, "B12", "RWJ") for sheet in TITLES]),
        ["'STOCKPORT NHS FOUNDATION TRUST', 'YOUR HEALTHCARE'", "'RWJ'", "Correct the 'Organisation Code'"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_workbook_is_refused_with_place_value_and_next_step(tmp_path: Path, name: str) -> None:
    edit, said = BAD[name]
    path = workbook(tmp_path / "bad.xlsx", edit=edit)
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "bad.xlsx" in message
    assert "\n" not in message
    for part in said:
        assert part in message


def test_the_first_row_of_an_unlabelled_block_needs_its_level(tmp_path: Path) -> None:
    path = workbook(tmp_path / "bad.xlsx", UNLABELLED, edit=set_cell("Table 4", "B8", None))
    with pytest.raises(InputError, match=r"Table 4!B8: level '' of 'North West'"):
        read_workbook(path)


def test_footnotes_below_the_table_are_not_organisations(tmp_path: Path) -> None:
    edit = both(*[set_cell(sheet, "A15", "Source: Community Health Services SitRep") for sheet in TITLES])
    assert len(read_workbook(workbook(tmp_path / "a.xlsx", edit=edit), service="CYP) Therapy")) == len(ROWS)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9])
def test_a_truncated_workbook_is_refused(tmp_path: Path, share: float) -> None:
    path = workbook(tmp_path / "cut.xlsx")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=r"cut\.xlsx: .*(Download|Export) it again"):
        read_workbook(path)


def test_places_without_workbooks(tmp_path: Path) -> None:
    (tmp_path / "~$open.xlsx").write_bytes(b"lock file of Excel")
    with pytest.raises(InputError, match=r"no \.xlsx workbook in the folder\. Put"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"absent\.xlsx: no such file\. Check the path"):
        read(tmp_path / "absent.xlsx")
    with pytest.raises(InputError, match="list of workbooks is empty"):
        read([])


@pytest.mark.parametrize(
    ("shouted", "readable"),
    [
        ("BATH AND NORTH EAST SOMERSET, SWINDON AND WILTSHIRE", "Bath and North East Somerset, Swindon and Wiltshire"),
        ("THE DUDLEY GROUP NHS FOUNDATION TRUST", "The Dudley Group NHS Foundation Trust"),
        ("FIRST COMMUNITY HEALTH AND CARE CIC", "First Community Health and Care CIC"),
        ("STAFFORDSHIRE AND STOKE-ON-TRENT", "Staffordshire and Stoke-On-Trent"),
    ],
)
def test_readable_names(shouted: str, readable: str) -> None:
    assert readable_name(shouted) == readable


def test_bundled_figures_are_the_published_ones() -> None:
    reading = reference.slt_waiting()
    months = pd.date_range("2023-01-01", "2023-09-01", freq="MS").tolist()
    england = [67774, 65871, 73316, 72776, 72168, 72071, 68352, 61739, 65057]
    stockport = [287, 286, 283, 308, 331, 331, 437, 444, 497]
    for name, expected in (("England", england), ("Stockport NHS Foundation Trust", stockport)):
        rows = reading.observations
        mine = rows[rows["measure"].eq("slt_waiting") & rows["area_name"].eq(name)].sort_values("ds")
        assert mine["ds"].tolist() == months
        assert mine["y"].tolist() == expected
        assert (mine["available"] > mine["ds"] + pd.offsets.MonthEnd(1)).all()
