"""The tables' cells: marks of fewer origins, dashes, what is not installed, every origin, the nation."""

from dataclasses import replace

import pandas as pd
import pytest

from experiments.la_scores import Scored
from experiments.la_tables import (
    accuracy_rows,
    interval_tables,
    methods_of,
    missed_rows,
    nation_rows,
    on_its_origins,
    origin_rows,
    origin_tables,
    score_rows,
    tables,
)
from tests.experiments.la_made_up import CELLS, SCORED, cells_of, totals_of


def test_rows_mark_what_rests_on_fewer_origins():
    header, counts, *body = accuracy_rows([SCORED])
    assert header == [
        "WAPE %", "caseload +1", "+3", "80 %", "95 %", "nation 80 %", "nation 95 %", "bias", "seconds",
    ]  # fmt: skip
    assert counts == ["origins", "2", "1", "", "", "3", "3", "", ""]
    assert body[2] == ["late", "2.0 (1)", "-", "0", "100", "100", "100", "+2.0", "2.0"]
    assert [row[0] for row in body] == ["naive", "auto", "late"]
    assert {len(row) for row in body} == {len(header)}


def test_a_method_that_is_not_installed_says_so_in_its_place():
    rows = accuracy_rows([replace(SCORED, missing=("AutoETS",))])
    assert [row[0] for row in rows[2:]] == ["naive", "AutoETS", "auto", "late"]
    assert rows[3] == ["AutoETS", "not installed", *["-"] * 7]
    assert score_rows([replace(SCORED, missing=("AutoETS",))], "wis", "WIS")[2] == ["AutoETS", "-", "-"]
    assert origin_rows(replace(SCORED, missing=("AutoETS",)), "wape")[2] == ["AutoETS", "-", "-", "-"]


def test_a_method_without_any_answer_has_dashes():
    silent = replace(SCORED, seconds={**SCORED.seconds, "mute": 0.1})
    assert accuracy_rows([silent])[-1] == ["mute", *["-"] * 7, "0.1"]


def test_a_method_that_only_one_measure_has():
    other = Scored("requests", (1,), CELLS, totals_of(CELLS), {"naive": 1.0})
    rows = accuracy_rows([SCORED, other])
    assert methods_of([SCORED, other]) == ["naive", "auto", "late"]
    assert rows[3][8:14] == ["-"] * 6
    assert rows[2][-1] == "2.0"


def test_another_score_by_horizon_of_areas_or_the_nation():
    assert score_rows([SCORED], "wis", "WIS")[0:2] == [["WIS", "caseload +1", "+3"], ["naive", "3.2", "20.0"]]
    assert score_rows([SCORED], "wape", "nation", nation=True)[1] == ["naive", "1.5", "40.0"]


def test_every_origin_and_horizon_has_its_column():
    header, naive, auto, late = origin_rows(SCORED, "bias", signed=True)
    assert header == ["caseload, bias %", "+1: 2019", "2020", "+3: 2019"]
    assert naive == ["naive", "+0.0", "+3.0", "+40.0"]
    assert late == ["late", "-", "+2.0", "-"]
    assert auto[1:] == ["+12.0", "+3.0", "+0.0"]
    assert len(origin_tables(SCORED)) == 6


def test_the_nation_beside_its_intervals():
    totals = totals_of(CELLS).assign(lo_80=90.0, hi_80=1234.5)
    header, first, *_ = nation_rows(replace(SCORED, totals=totals), ["auto"])
    assert header[:3] == ["nation: caseload", "origin", "outturn"]
    assert first[:6] == ["auto +1", "2019", "200", "224", "+12.0", "90 to 1,234 out"]


def test_methods_that_missed_origins_are_compared_on_their_own():
    (row,) = on_its_origins(SCORED)
    assert (row.model, row.horizon, row.origins, row.best) == ("late", 1, 1, "naive")
    assert [row.wape, row.auto, row.best_wape] == pytest.approx([2.0, 3.0, 3.0])
    assert missed_rows([SCORED])[1] == ["caseload +1: late", "1", "2.0", "3.0", "3.0 (naive)"]
    complete = replace(SCORED, cells=CELLS[CELLS["model"] != "late"], seconds={"naive": 1.0, "auto": 1.0})
    assert missed_rows([complete]) == []


def test_what_knows_the_truth_is_no_rival():
    truth = cells_of({("ehc, true total", 2019, 1): [0, 0], ("ehc, true total", 2020, 1): [0, 0]})
    cells = pd.concat([CELLS, truth], ignore_index=True)
    knowing = replace(SCORED, cells=cells, seconds={**SCORED.seconds, "ehc, true total": 1.0})
    assert [row.best for row in on_its_origins(knowing)] == ["naive"]
    missing = replace(
        knowing, cells=cells[~((cells["model"] == "ehc, true total") & (cells["origin"].dt.year == 2019))]
    )
    assert [row.model for row in on_its_origins(missing)] == ["late"]


def test_text_has_the_averages_the_missed_and_the_interval_scores():
    assert [text.split("  ")[0] for text in tables([SCORED])] == ["WAPE %", "on the origins it answered"]
    assert [text.split("  ")[0] for text in interval_tables([SCORED])] == ["WIS % of outturn", "of the nation"]
