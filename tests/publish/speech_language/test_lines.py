from dataclasses import replace

import pandas as pd

from forecast.publish.speech_language.lines import Line, figures_table, periods_of
from forecast.publish.speech_language.run import Figure, Figures
from forecast.publish.speech_language.words import kind

NAN = float("nan")
PUBLISHED = Figure(497, 497, NAN, NAN, outturn=True, synthetic=False)
MADE_UP = Figure(760, 749, 660, 850, outturn=False, synthetic=True)


def years(*starts):
    return tuple(pd.Timestamp(start, 9, 1) for start in starts)


def test_lines_and_columns_without_a_figure_are_left_out():
    groups = [
        ("Actual", [Line("a", (None, None, PUBLISHED))]),
        ("Projection", [Line("b", (None, MADE_UP, None), strong=True), Line("c", (None, None, None))]),
        ("Later", [Line("d", (None, None, None))]),
    ]
    table = figures_table("Waiting", ("What", "x", "y", "z"), groups, [kind("waiting")])
    assert table.caption == "Waiting, with the 4 in 5 range (projection: synthetic data)"
    assert table.columns == ("What", "y", "z")
    assert [group.title for group in table.groups] == ["Actual", "Projection"]
    assert table.groups[0].rows[0].cells == ("-\n", "497\n")
    assert table.groups[1].rows[0].cells == ("749\n660 to 850", "-\n")
    assert table.groups[1].rows[0].strong
    assert figures_table("Waiting", ("What", "x"), [("", [Line("d", (None,))])], [kind("waiting")]) is None


def test_a_kind_belongs_to_its_column_also_when_others_are_left_out():
    kinds = [kind("waiting"), kind("waiting"), kind("wte_gap")]
    table = figures_table(
        "x", ("What", "a", "b", "c"), [("", [Line("d", (None, MADE_UP, MADE_UP))])], kinds, ranged=False
    )
    assert table.groups[0].rows[0].cells == ("749", "749.0")
    assert table.caption == "x (synthetic data)"


def test_the_next_year_is_the_first_after_the_known_list_and_all_years_are_whole(slt):
    periods = periods_of(slt, Figures(slt.table))
    assert periods.known_years == years(2020, 2021, 2022)
    assert periods.years == years(2023, 2024, 2025, 2026)
    assert periods.next_year == pd.Timestamp("2024-09-01")
    assert periods.goal == pd.Timestamp("2027-03-01")
    assert [f"{month:%Y-%m}" for month in periods.months] == [
        *("2023-09", "2024-03", "2024-09", "2025-03", "2025-09", "2026-03", "2026-09", "2027-03", "2027-09")
    ]


def test_a_projection_that_ends_before_the_target_is_told_to_its_end(slt):
    short = replace(slt, last=pd.Timestamp("2024-07-01"))
    periods = periods_of(short, Figures(short.table))
    assert periods.years == ()
    assert periods.next_year is None
    assert periods.goal == short.last
    assert periods.months[-1] == short.last
