from dataclasses import replace

import pytest

from forecast.publish.speech_language.options import glance, options
from forecast.publish.speech_language.run import Figures


@pytest.fixture
def part(slt, plain_charts):
    figures = {str(option["title"]): Figures(slt.table, option["name"]) for option in slt.options}
    return options(slt, figures, chart_id="c")


def test_options_stand_side_by_side(part):
    table = part.tables[0]
    assert table.caption == "What each option brings, with the 4 in 5 range (synthetic data)"
    rows = {row.head: row for row in table.groups[0].rows}
    assert [head for head, row in rows.items() if row.strong] == ["As it is"]
    # Waiting: 98 % of half of 749, 80 % and 120 % of it; needed 98 % of 23.72, 90 % and 110 % of it; 22 in post.
    assert dict(zip(table.columns[1:], rows["Two more therapists"].cells, strict=True)) == {
        "Target met": "May\u00a02025\nJan\u00a02025 to Mar\u00a02026",
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
    part = options(alone, {"As it is": Figures(slt.table)}, chart_id="c")
    assert len(part.tables) == 1


def test_a_target_that_is_met_early_and_lost_again_is_told_with_its_chance_in_its_month(slt):
    met = {"month": "2023-10", "low": "2023-10", "high": "2024-02", "chance": 0.95}
    now = {**slt.options[0], "target_met": met, "by_target": {**slt.options[0]["by_target"], "chance": 0.12}}
    (fact,) = glance(replace(slt, options=(now,)))
    assert fact.text == (
        "Met in October 2023 (likely between October 2023 and February 2024); at the end of March 2027 it is met in "
        "12% of the simulated futures (synthetic data)."
    )
