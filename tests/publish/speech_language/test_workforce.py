from dataclasses import replace

import pytest

from forecast.publish.speech_language.lines import periods_of
from forecast.publish.speech_language.run import Figures
from forecast.publish.speech_language.workforce import out_of_step, short_of, therapists, today

CHARTS = "forecast.publish.speech_language.charts"


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
    assert [group.title for group in split.groups] == ["By kind of work", "By tier", "By age band"]
    assert [row.head for row in split.groups[0].rows] == [
        *("First contacts", "Treatment", "Children with an EHC plan", "Advice for EHC assessments")
    ]
    # 55 % of the 21.47 is for the youngest.
    assert [row.head for row in split.groups[2].rows] == ["Aged 0 to 4", "Aged 5 to 10", "Aged 11 to 18"]
    assert split.groups[2].rows[0].cells[1] == "11.6\n11.0 to 12.2"
    assert "plans and advice stand under the kinds of work" in part.remarks[2]
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
    said = short_of(replace(slt, options=(now,)), Figures(slt.table))
    assert said.endswith("In post are 20.0: about 1.2 WTE to spare (likely between −0.4 and 3.0) (synthetic data).")


@pytest.mark.parametrize(
    ("done", "said"),
    [
        ((21.9, 20.0, 24.0), ""),
        ((18.1, 17.0, 19.0), ""),
        (
            (22.1, 20.4, 24.2),
            "By these norms today's work takes about 22.1 WTE (likely between 20.4 and 24.2), more than the 20.0 in "
            "post",
        ),
        (
            (9.8, 9.0, 10.5),
            "By these norms today's work takes about 9.8 WTE (likely between 9.0 and 10.5) of the 20.0 in post",
        ),
    ],
)
def test_work_that_is_not_what_is_in_post_is_pointed_out_both_ways(slt, done, said):
    work = dict(zip(("median", "low", "high"), done, strict=True))
    run = replace(slt, today={"wte_work": work, "wte_in_post": 20.0})
    end = " (synthetic data): check norms and posts before using the gap."
    assert today(run, Figures(slt.table)) == (f"{said}{end}" if said else "")
    assert out_of_step(run) == bool(said)


def test_posts_are_not_made_up_where_they_are_given(slt, monkeypatch):
    table = slt.table.copy()
    table.loc[table["measure"].eq("wte_in_post"), "provenance"] = "published"
    said = short_of(slt, Figures(table))
    assert "over the 12 months to March 2027 (synthetic data). In post are 20.0" in said
    assert said.endswith("(in part synthetic data).")
    titles = []
    monkeypatch.setattr(f"{CHARTS}.picture", lambda *_, title, **__: titles.append(title))
    therapists(slt, Figures(table), periods_of(slt, Figures(table)), chart_id="c")
    assert all(title.endswith("(in part synthetic data)") for title in titles)
    assert len(titles) == 2
    bare = Figures(table[~table["measure"].str.startswith("wte")])
    assert short_of(slt, bare).endswith(" (synthetic data).")


def test_a_run_without_therapists_has_no_such_part(slt):
    bare = Figures(slt.table[~slt.table["measure"].str.startswith("wte")])
    assert therapists(slt, bare, periods_of(slt, bare), chart_id="c") is None
