from dataclasses import replace

import pytest

from forecast.publish.ehc.assumed import assumed, how_made, notes
from forecast.publish.ehc.people import years_of
from forecast.publish.ehc.run import AreaFigures
from forecast.publish.run import read_run
from tests.publish.ehc.frame import NOTES, write_ehc

CODE = "E08000007"


@pytest.fixture(scope="module")
def ehc(tmp_path_factory):
    return read_run(write_ehc(tmp_path_factory.mktemp("runs") / "run")).ehc


def part_of(ehc, table=None):
    area = AreaFigures(ehc.table if table is None else table, CODE)
    base = None if ehc.baseline is None else AreaFigures(ehc.baseline, CODE)
    return assumed(ehc, area, "Stockport", years_of(area), base=base, label="")


def test_every_override_is_listed_with_date_size_and_reason(ehc):
    capacity = {
        "what": "capacity",
        "start": "",
        "end": "",
        "ages": "all",
        "value": 40.0,
        "multiply": None,
        "reason": "",
    }
    early = ehc.overrides[0] | {
        "what": "requests",
        "value": None,
        "multiply": 1.1,
        "ages": "0 to 4",
        "end": "2027-08-31",
    }
    table = part_of(replace(ehc, overrides=(*ehc.overrides, capacity, early))).tables[0]
    assert [(row.head, *row.cells[:3]) for row in table.groups[0].rows] == [
        ("Share of requests refused", "from 1 September 2025 on", "all", "25%"),
        ("Assessments that can be completed", "throughout", "all", "40 a month"),
        ("Requests", "1 September 2025 until 31 August 2027", "0 to 4", "10% more"),
    ]
    assert [row.cells[3] for row in table.groups[0].rows][:2] == [
        "the panel reads the threshold as the Code of Practice does",
        "not given",
    ]


def test_what_the_overrides_change_is_the_difference_of_medians(ehc):
    part = part_of(ehc)
    effect = part.tables[1]
    groups = {group.title: {row.head: row.cells for row in group.rows} for group in effect.groups}
    # The overridden requests are 90 % of the baseline's 790 x 1.06^7, and a median is 98 % of a mean.
    without = 0.98 * 790 * 1.06**7
    requests = groups["Requests"]["2030"]
    assert requests == (f"{without:,.0f}", f"{0.9 * without:,.0f}", f"−{0.1 * without:.0f}", "−10%")
    assert "Plans issued within 20 weeks" not in groups
    stock = groups["Children and young people with an EHC plan, January"]["2030"]
    assert part.sentences[-1] == (
        f"Together they make the caseload of January 2030 {stock[2].removeprefix('−')} plans smaller: "
        f"{stock[1]} instead of {stock[0]}."
    )


def test_effects_are_shown_from_the_first_whole_year(ehc):
    group = part_of(ehc).tables[1].groups[0]
    assert [row.head for row in group.rows] == ["2026", "2030", "2035"]
    stocks = next(group for group in part_of(ehc).tables[1].groups if group.title.endswith(", January"))
    assert [row.head for row in stocks.rows] == ["2027", "2030", "2036"]
    throughout = ehc.overrides[0] | {"start": ""}
    (first, *_) = part_of(replace(ehc, overrides=(throughout,))).tables[1].groups[0].rows
    assert first.head == "2024"


def test_an_override_that_changes_nothing_has_no_table_of_effects(ehc):
    part = part_of(ehc, table=ehc.baseline)
    assert len(part.tables) == 1
    assert len(part.sentences) == 1


def test_without_a_baseline_the_overrides_are_still_listed(ehc):
    assert len(part_of(replace(ehc, baseline=None)).tables) == 1


def test_nothing_overridden_is_said(tmp_path):
    part = part_of(read_run(write_ehc(tmp_path / "run", overrides=False)).ehc)
    assert part.sentences[0].startswith("Nothing was overridden")
    assert part.tables == ()
    (settings,) = part.folded
    assert ("How requests fall on the weeks of a year", ("school days",)) in [
        (row.head, row.cells) for row in settings.groups[0].rows
    ]


def test_notes_are_of_the_area(ehc):
    assert notes(ehc, CODE).remarks == NOTES
    assert notes(ehc, "E09000001") is None
    assert part_of(replace(ehc, settings={})).folded == ()


def test_many_notes_are_folded_away(ehc):
    lines = tuple(f"Note {i}" for i in range(15))
    part = notes(replace(ehc, notes={CODE: lines}), CODE)
    assert part.remarks == lines[:12]
    (more,) = part.folded
    assert more.caption == "3 more notes"
    assert [row.head for row in more.groups[0].rows] == list(lines[12:])


def test_the_method_is_told_where_there_is_a_projection(ehc):
    assert how_made(None) == ()
    assert "single year of age" in how_made(ehc)[0].text
    assert "in per cent of what the ages alone come to without overrides" in how_made(ehc)[0].text
