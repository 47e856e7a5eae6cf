"""The verdict against targets, from made-up scores whose gains are known."""

from dataclasses import replace

import pytest

from experiments.la_methods import TRUTH, TRUTH_ALONE
from experiments.la_scores import Scored
from experiments.la_verdict import (
    area_part,
    auto_against_best,
    auto_verdict,
    demand_report,
    demand_verdict,
    gain_rows,
    gains,
)
from tests.experiments.la_made_up import CELLS, SCORED, cells_of, totals_of

ERRORS = {"naive": 20, "drift": 30, "auto": 19, "ehc": 18, TRUTH: 9, TRUTH_ALONE: 10}
DEMAND_CELLS = cells_of(
    {(name, 2019, h): [error * h, -error * h + 4] for name, error in ERRORS.items() for h in (1, 2, 3)}
)
DEMAND = Scored("requests", (1, 2, 3), DEMAND_CELLS, totals_of(DEMAND_CELLS), dict.fromkeys(ERRORS, 1.0))


def test_ehc_is_compared_with_the_best_fixed_method_and_with_auto():
    compared = gains(DEMAND)
    assert [(one.horizon, one.other) for one in compared] == [(h, who) for h in (1, 2, 3) for who in ("naive", "auto")]
    assert compared[0].percent == pytest.approx(100 * (1 - 16 / 18))
    assert next(one.percent for one in area_part(DEMAND)) == pytest.approx(100 * (1 - 7 / 8))


def test_each_target_is_met_or_missed_by_so_much():
    said = demand_verdict(DEMAND, "all origins")
    assert said[0] == "requests, all origins"
    assert said[1].startswith(
        "  +1 below the best fixed method: +11.1 % (target 5): met; 16.00 against 18.00 (naive, 1"
    )
    assert said[2].startswith(
        "  +2 below the best fixed method: +10.5 % (target 15): missed by 4.5; 34.00 against 38.00"
    )
    assert "  +1 area part, given the true total: +12.5 % (target 5): met" in said[4]
    assert said[7] == "  80 % coverage of areas: 16.7 (target 72 to 90): missed; 95 %: 100.0"
    assert said[8] == "  nation within 80 %: 100 %, within 95 %: 100 %"
    assert said[9] == "  bias % per origin +1: 2019 +2.0"


def test_other_origins_are_reported_without_a_verdict():
    said = demand_verdict(DEMAND, "without origin 2020")
    assert said[0] == "requests, without origin 2020 (targets are asked of all origins)"
    assert said[2] == "  +2 below the best fixed method: +10.5 %; 34.00 against 38.00 (naive, 1 origin)"
    assert not any("target " in line for line in said[1:])


def test_the_text_has_the_comparisons_and_their_intervals():
    rows = gain_rows("requests", gains(DEMAND)[:1])
    assert rows[1][:5] == ["+1: ehc against naive", "1", "16.00", "18.00", "+11.1"]
    assert rows[1][5].startswith("-2.00 to -2.00")
    assert demand_report(DEMAND, "all origins").count("\n\n") == 1


def test_auto_is_compared_with_the_best_that_answered_every_origin():
    first, second = auto_against_best(SCORED)
    assert (first[2], second[2]) == ("naive", "naive")
    assert first[1] / first[3] == pytest.approx(7.5 / 6.5)
    assert second[1] / second[3] == pytest.approx(41 / 40)
    assert [best for _, _, best, _ in auto_against_best(DEMAND)] == ["naive"] * 3
    said = auto_verdict([SCORED], alone=["naive"])
    assert "  caseload 1: 1.154 = 7.50 / 6.50 (naive): missed" in said
    assert "  caseload 3: 1.025 = 41.00 / 40.00 (naive): missed" in said
    assert "  caseload 1: late (origins: 1): 1.500 = 3.00 / 2.00" in said
    assert "auto below naive at every horizon of caseload: no" in said
    assert said[-1] == "  caseload: 33.3: missed"


def test_the_verdict_on_auto_is_met_where_it_is_good_enough():
    good = CELLS.assign(
        abs_error=CELLS["abs_error"].mask(CELLS["model"] == "auto", 1.0),
        covered_80=[1.0, 1.0, 1.0, 1.0, 0.0, 1.0] * 2 + [0.0, 1.0],
    )
    said = auto_verdict([replace(SCORED, cells=good)], alone=["naive"])
    assert sum(line.endswith(": met") for line in said) == 2
    assert "auto below naive at every horizon of caseload: yes" in said
    elsewhere = auto_verdict([replace(SCORED, measure="requests", cells=good)], alone=["naive"])
    assert not any("every horizon" in line for line in elsewhere)
