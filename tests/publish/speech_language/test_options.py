from dataclasses import replace
from datetime import date

import pytest

from forecast.publish.speech_language.options import glance, met_as_now, options
from forecast.publish.speech_language.run import Figures
from forecast.speech_language.service import Booking, MoreCapacity, Option


@pytest.fixture
def part(slt, plain_charts):
    figures = [Figures(slt.table, option["name"]) for option in slt.options]
    return options(slt, figures, chart_id="c")


def test_options_stand_side_by_side(part):
    table = part.tables[0]
    assert table.caption == "What each option brings, with the 4 in 5 range (synthetic data)"
    rows = {row.head: row for row in table.groups[0].rows}
    assert [head for head, row in rows.items() if row.strong] == ["As it is"]
    # Waiting: 98 % of half of 749, 80 % and 120 % of it; needed 98 % of 23.72, 90 % and 110 % of it; 22 in post.
    assert dict(zip(table.columns[1:], rows["Two more therapists"].cells, strict=True)) == {
        "Target met to stay": "May\u00a02025\nJan\u00a02025 to Mar\u00a02026",
        "Chance of the target, Mar\u00a02027": "93%",
        "Within 18 weeks, Mar\u00a02027": "83%\n77 to 88%",
        "Waiting, Mar\u00a02027": "367\n300 to 449",
        "WTE needed, year to Mar\u00a02027": "23.2\n21.4 to 26.1",
        "WTE in post, year to Mar\u00a02027": "22.0",
        "Gap": "1.2\n−0.6 to 4.1",
    }
    assert part.charts == (("c-options-wide", "c-options-narrow"),)


def test_what_each_option_changes_is_listed_with_its_reason(part):
    table = part.tables[1]
    assert table.words
    assert table.groups[0].rows[0].cells == ("2 WTE more from September 2024", "the board agreed to fund two posts")
    assert [row.head for row in table.groups[0].rows] == [
        *("Two more therapists", "A stronger targeted offer", "Longest waits first")
    ]


def test_a_run_without_options_has_no_list_of_changes(slt, plain_charts):
    alone = replace(slt, options=slt.options[:1])
    part = options(alone, [Figures(slt.table)], chart_id="c")
    assert len(part.tables) == 1


def test_two_options_of_one_title_keep_their_own_figures(slt, plain_charts):
    twice = tuple({**option, "title": "Same"} for option in slt.options)
    part = options(replace(slt, options=twice), [Figures(slt.table, o["name"]) for o in twice], chart_id="c")
    rows = part.tables[0].groups[0].rows
    assert [row.head for row in rows] == ["Same"] * 4
    assert len({row.cells for row in rows}) == 4


def test_a_table_that_mixes_made_up_figures_with_published_ones_is_marked_in_part(slt, plain_charts):
    table = slt.table.copy()
    table.loc[table["measure"].eq("wte_in_post"), "provenance"] = "published"
    part = options(slt, [Figures(table, option["name"]) for option in slt.options], chart_id="c")
    assert part.tables[0].caption == "What each option brings, with the 4 in 5 range (in part synthetic data)"


def test_when_the_target_counts_as_met_is_said(part):
    assert (
        "met to stay from the first month from which the share is reached at the end of every month"
        in (part.remarks[0])
    )
    assert "until March 2027 at least; after that month three in a row count" in part.remarks[0]
    assert "some time" not in " ".join(part.remarks)


def test_therapists_of_contacts_that_are_added_are_said_not_to_be_in_post(slt, plain_charts):
    added = MoreCapacity(start=date(2024, 9, 1), more_a_week=3.0)
    changes = {
        "more_staff": Option(name="a", title="A", capacity=(added,)).changes(),
        "redesign": Option(name="b", title="B", booking=Booking(share=0.5, over_weeks=18)).changes(),
        "clinic_rule": Option(name="c", title="C", capacity=(replace(added, more_a_week=-3.0),)).changes(),
    }
    changed = tuple({**option, "changes": list(changes.get(option["name"], []))} for option in slt.options)
    figures = [Figures(slt.table, option["name"]) for option in slt.options]
    said = options(replace(slt, options=changed), figures, chart_id="c").remarks
    assert said[3:] == (
        "“Two more therapists”: the therapists for the first contacts that are added, and for the treatment that "
        "follows, are not in the WTE in post.",
    )
    assert "it is the same under each option unless children move between tiers" in said[2]
    assert len(options(slt, figures, chart_id="c").remarks) == 3


@pytest.mark.parametrize(
    ("met", "chance", "said"),
    [
        (("2025-05", "2025-05", "2025-05"), 0.93, "met to stay from May 2025; chance of the target in March 2027: 93%"),
        ((None, None, None), 0.0, "not met by September 2027; in none of the simulated futures in March 2027"),
        (
            (None, "2027-05", None),
            0.004,
            "not met by September 2027 (likely not before May 2027); chance of the target in March 2027: less than 1%",
        ),
    ],
)
def test_a_date_with_its_range_and_the_chance_of_the_target_in_its_month(slt, met, chance, said):
    found = {**dict(zip(("month", "low", "high"), met, strict=True)), "chance": chance}
    now = {**slt.options[0], "target_met": found, "by_target": {**slt.options[0]["by_target"], "chance": chance}}
    alone = replace(slt, options=(now,))
    assert glance(alone)[0].text == f"{said[0].upper()}{said[1:]} (synthetic data)."
    assert (
        met_as_now(alone) == f"As things are, the target of 92% waiting less than 18 weeks is {said} (synthetic data)."
    )


def test_per_cent_is_written_one_way(slt, plain_charts):
    changed = ({**slt.options[0], "changes": ["30 % of referrals move"]},)
    part = options(replace(slt, options=changed), [Figures(slt.table)], chart_id="c")
    assert part.tables[1].groups[0].rows[0].cells[0] == "30% of referrals move"
