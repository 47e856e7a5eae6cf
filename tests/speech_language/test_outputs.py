"""Frames, the long table and the entry: shapes, dates, academic years, and errors."""

import json

import numpy as np
import pandas as pd
import pytest

from forecast import SpecError
from forecast import speech_language as slt
from tests.speech_language.clinic import LIST, referral_log


def test_an_academic_year_adds_counted_months_to_projected_ones(made: slt.ServiceProjection) -> None:
    frame = made.frame("referrals", freq="academic_year")
    assert frame["ds"].tolist() == [pd.Timestamp("2023-09-01")]
    log = referral_log()
    counted = log[log["ds"].eq("2023-09-01")]["y"].sum()
    ahead = made.runs["as_now"].total("referrals")[:11].sum(axis=0)
    assert frame["mean"].iloc[0] == pytest.approx(counted + ahead.mean())


def test_flows_that_were_not_counted_need_a_whole_year_ahead(made: slt.ServiceProjection) -> None:
    assert made.frame("first_contacts", freq="academic_year").empty


def test_a_stock_has_no_academic_year(made: slt.ServiceProjection) -> None:
    with pytest.raises(SpecError, match="a figure of a month's end"):
        made.frame("waiting", freq="academic_year")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"measure": "waitng"}, "waitng: not told"),
        ({"measure": "waiting", "by": "ward"}, "waiting by ward: not told"),
        ({"measure": "waiting", "option": "none"}, "option 'none': not known"),
        ({"measure": "waiting", "freq": "W"}, "freq 'W'"),
        ({"measure": "waiting", "levels": (0.8,)}, "level 0.8|strictly between"),
    ],
)
def test_what_is_not_told_is_refused(made: slt.ServiceProjection, asked: dict[str, object], said: str) -> None:
    given = dict(asked)
    if given.get("levels"):
        given["levels"] = (180,)
        said = "level 180"
    with pytest.raises(SpecError, match=said):
        made.frame(given.pop("measure"), **given)  # type: ignore[arg-type]


def test_the_table_has_one_row_a_figure(made: slt.ServiceProjection) -> None:
    table = made.table(levels=(80,))
    keys = ["option", "measure", "by", "category", "freq", "ds"]
    assert list(table.columns) == [*keys, "mean", "median", "lo-80", "hi-80", "status", "provenance"]
    assert not table.duplicated(keys).any()
    assert table[[*keys, "mean", "median", "status", "provenance"]].notna().all().all()
    ahead = table[table["status"].eq("projected")]
    assert (ahead["lo-80"] <= ahead["median"]).all() and (ahead["median"] <= ahead["hi-80"]).all()


def test_counted_rows_are_those_of_the_log_and_the_list(made: slt.ServiceProjection) -> None:
    past = made.table()[lambda rows: rows["status"].eq("outturn")]
    listed = past[past["measure"].eq("waiting") & past["by"].eq("")]
    assert listed["mean"].tolist() == pytest.approx([sum(row) for row in LIST])
    within = past[past["measure"].eq("within_target")]["mean"].iloc[-1]
    assert within == pytest.approx(100 * sum(LIST[-1][:5]) / sum(LIST[-1]))
    years = past[past["measure"].eq("referrals") & past["freq"].eq("academic_year") & past["by"].eq("")]
    log = referral_log()
    year = log[log["ds"].between("2022-09-01", "2023-08-01")]["y"].sum()
    assert years.set_index("ds")["mean"][pd.Timestamp("2022-09-01")] == year


def test_the_entry_is_plain_json_with_an_answer_to_every_question(made: slt.ServiceProjection) -> None:
    entry = made.entry()
    assert json.loads(json.dumps(entry)) == entry
    assert [option["name"] for option in entry["options"]] == list(made.runs)
    assert entry["known_to"] == "2023-09" and entry["first"] == "2023-10"
    assert entry["answers"]["capacity_for_target"]["fed_back"]["within"] == pytest.approx(92, abs=1)
    assert entry["answers"]["capacity_for_target"]["start"] == "2024-01"
    now = entry["options"][0]
    share = (made.runs["as_now"].total("within_target")[11] >= 92).mean()
    assert now["by_target"]["chance"] == pytest.approx(share, abs=1e-4)
    gap = made.runs["as_now"].total("wte_gap")[:12].mean(axis=0)
    assert now["wte_gap"]["median"] == pytest.approx(np.median(gap), abs=0.01)
    assert len(entry["norms"]) == len(made.start.service.norms.each)


def test_rules_of_thumb_use_the_referrals_of_the_first_year(made: slt.ServiceProjection) -> None:
    queue = made.entry()["queue"]
    assert queue["load"] == pytest.approx(queue["demand_a_week"] / 9.0, abs=0.01)
    assert queue["target_queue"] == pytest.approx(queue["demand_a_week"] * 4.5, abs=0.1)
