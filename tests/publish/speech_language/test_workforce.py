from dataclasses import replace

import pytest

from forecast.publish.speech_language.lines import periods_of
from forecast.publish.speech_language.run import Figures
from forecast.publish.speech_language.workforce import short_of, therapists


@pytest.fixture
def told(slt, plain_charts):
    def tell(gaps):
        table = slt.table.copy()
        own = table["measure"].eq("wte_gap") & table["freq"].eq("academic_year") & table["option"].eq("as_now")
        if gaps:
            table.loc[own, "median"] = gaps
        figures = Figures(table)
        return therapists(slt, figures, periods_of(slt, figures), chart_id="c")

    return tell


def test_needed_in_post_and_the_gap_by_academic_year(told):
    part = told(None)
    years, split = part.tables
    assert years.columns == ("Academic year", "WTE needed", "WTE in post", "Gap", "WTE of the work done")
    assert [row.head for row in years.groups[0].rows] == ["2023/24", "2024/25", "2025/26", "2026/27"]
    # The mean of 20 x 1.05^(k/12) over September 2024 to August 2025 is 21.47, its median 21.04.
    assert years.groups[0].rows[1].cells[:3] == ("21.0\n20.0 to 22.1", "20.0\n", "1.0\n0.0 to 2.1")
    assert [group.title for group in split.groups] == ["By kind of work", "By tier"]
    assert [row.head for row in split.groups[0].rows] == [
        *("First contacts", "Treatment", "Children with an EHC plan", "Advice for EHC assessments")
    ]
    assert part.charts == (("c-staff-wide", "c-staff-narrow"),)


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ([0.5, 1.0, 2.0, 3.0], "In every academic year shown more therapists are needed than are in post"),
        ([-0.5, -1.0, 2.0, 3.0], "From 2025/26 on more therapists are needed than are in post"),
        ([-0.5, -1.0, -2.0, 0.0], "In no academic year are more therapists needed than are in post"),
        ([1.0, -1.0, 2.0, -3.0], "More therapists are needed than are in post in 2023/24, 2025/26"),
    ],
)
def test_the_years_that_are_short_are_named(told, gaps, said):
    assert told(gaps).sentences == (f"{said} (synthetic data).",)


def test_more_in_post_than_needed_is_to_spare(slt):
    now = {**slt.options[0], "wte_gap": {"median": -1.2, "low": -3.0, "high": 0.4}}
    said = short_of(replace(slt, options=(now,)))
    assert said.endswith("In post are 20.0: about 1.2 WTE to spare (likely between −0.4 and 3.0) (synthetic data).")


def test_work_that_takes_more_than_are_in_post_is_pointed_out(slt, plain_charts):
    table = slt.table.copy()
    table.loc[table["measure"].eq("wte_work"), ["mean", "median", "lo-80", "hi-80"]] *= 1.4
    figures = Figures(table)
    part = therapists(slt, figures, periods_of(slt, figures), chart_id="c")
    # The mean of 20 x 1.05^(k/12) over 2023/24 is 20.46; 90 % of it, times 98 %, times 1.4: 25.3.
    assert part.sentences[1].startswith("By these norms the work done in 2023/24 takes about 25.3 WTE (likely between")
    assert "more than the 20.0 in post (synthetic data): check the norms" in part.sentences[1]


def test_a_run_without_therapists_has_no_such_part(slt):
    bare = Figures(slt.table[~slt.table["measure"].str.startswith("wte")])
    assert therapists(slt, bare, periods_of(slt, bare), chart_id="c") is None
