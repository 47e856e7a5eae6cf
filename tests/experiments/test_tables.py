"""Tables as text and as Markdown."""

from experiments.tables import markdown_table, text_table, without

ROWS = [["WAPE %", "+1", "bias"], ["naive", "18.1", "+2.0"]]


def test_text_aligns_the_first_column_left_and_figures_right():
    assert text_table(ROWS).splitlines() == ["WAPE %    +1  bias", "naive   18.1  +2.0"]


def test_columns_are_left_out_by_heading():
    assert without(ROWS, ("+1",)) == [["WAPE %", "bias"], ["naive", "+2.0"]]


def test_markdown():
    assert markdown_table([["a", "b"], ["c", "1"]]) == "| a | b |\n| --- | ---: |\n| c | 1 |"
