import re
from itertools import pairwise

import pandas as pd
import pytest

from forecast.publish.ehc.people import years_of
from forecast.publish.ehc.run import AreaFigures
from forecast.publish.ehc.work import account, how_long, workload
from tests.publish.ehc.frame import ehc_frame

CODE = "E08000007"
AS_OF = pd.Timestamp("2024-07-01")


@pytest.fixture(autouse=True)
def plain_charts(monkeypatch):
    """Leave the drawing out: it has tests of its own."""
    monkeypatch.setattr(
        "forecast.publish.ehc.charts.picture", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>'
    )


def area_of(keep=lambda frame: frame["ds"].notna()):
    frame = ehc_frame()
    return AreaFigures(frame[keep(frame)], CODE)


def test_the_account_adds_up_as_it_is_printed():
    area = area_of()
    table = account(area, "Stockport", years_of(area), adjustment={}, label="").tables[0]
    assert table.columns == ("In the year", "2024", "2025", "2026", "2027", "2028")
    columns = zip(*(row.cells for row in table.groups[0].rows), strict=True)
    figures = [[int(text.replace("−", "-").replace(",", "")) for text in column] for column in columns]
    for start, *parts, end in figures:
        assert start + sum(parts) == pytest.approx(end, abs=3)
    for (*_, end), (start, *_) in pairwise(figures):
        assert end == start
    ceased = next(row.cells for row in table.groups[0].rows if row.head == "Plans that cease")
    # 7 % of 3,115 in the first year.
    assert ceased[0] == "−218"


def test_causes_are_a_table_of_their_own_and_modelled():
    area = area_of()
    causes = account(area, "Stockport", years_of(area), adjustment={}, label="").tables[1]
    assert causes.caption == "Why plans cease, Stockport (modelled: shares of the middle figure)"
    # 35 % of 7 % of 3,115, 98 % of it in the middle; no range, the total's would claim too much.
    assert causes.groups[0].rows[0].cells[0] == f"{0.98 * 0.35 * 0.07 * 3115:.0f}"
    assert causes.columns == ("Why", "2024", "2025", "2030")
    assert causes.groups[0].rows[0].head == "Reached the greatest age"
    bare = area_of(lambda frame: frame["by"].ne("cause"))
    assert len(account(bare, "Stockport", years_of(bare), adjustment={}, label="").tables) == 1


@pytest.mark.parametrize(("plans", "said"), [(-251.6, "252 plans lower"), (251.6, "252 plans higher"), (0.3, "")])
def test_the_size_of_the_adjustment_is_said(plans, said):
    area = area_of()
    steps = {2030: (plans, 5.1), 2031: (999.0, 99.0)}
    told = account(area, "Stockport", years_of(area), adjustment=steps, label="").sentences
    assert bool(told) == bool(said)
    assert all(f"By January 2030 it is {said} (5%) than following ages alone comes to" in sentence for sentence in told)


def test_what_the_time_rests_on_is_told():
    area, rows = area_of(), {}
    for capacity in (False, True):
        part = how_long(area, "Stockport", years_of(area), capacity=capacity, chart_id="c", label="")
        rows[capacity] = part.remarks[1]
    assert "taken to carry on" in rows[False]
    assert "can be completed" in rows[True]


def test_how_long_it_takes_is_said_and_tabled():
    area = area_of()
    part = how_long(area, "Stockport", years_of(area), capacity=False, chart_id="c", label="")
    # 15 % in 2024 and a point more a year: 21 in 2030; the median is 98 % of it, its range 10 % times the root of 7.
    assert part.sentences[0].startswith(
        "In 2023, 10% of plans were issued within 20 weeks. In 2030 it is about 21% (likely between 15% and 26%), and "
    )
    (table,) = part.tables
    rows = {row.head: row.cells for row in table.groups[0].rows}
    assert rows["2021"][0] == "94%\n"
    assert rows["2021"][2] == "-\n"
    assert rows["2030"][0] == "21%\n15 to 26%"
    assert part.folded[0].caption.startswith("Steps between request and plan")


def test_a_share_that_rounds_to_nothing_is_said_in_words():
    frame = ehc_frame()
    ahead = frame["measure"].eq("timeliness_20_week") & frame["status"].ne("published")
    frame.loc[ahead, ["median", "lo-80", "hi-80"]] = [0.2, 0.1, 0.4]
    area = AreaFigures(frame, CODE)
    said = how_long(area, "Stockport", years_of(area), capacity=False, chart_id="c", label="").sentences[0]
    assert "In 2030 it is less than 1%, and" in said


def test_without_a_share_within_20_weeks_nothing_is_said_of_it():
    area = area_of(lambda frame: frame["measure"].ne("timeliness_20_week"))
    part = how_long(area, "Stockport", years_of(area), capacity=False, chart_id="c", label="")
    assert part.sentences == ()
    assert part.tables[0].columns[1] == "Requests decided within 6 weeks"


def test_the_work_of_a_week_and_the_busiest_month():
    area = area_of()
    part = workload(area, "Stockport", years_of(area), as_of=AS_OF, school_days=True, label="")
    # 790 x 1.06^2 = 888 requests in 2025, 17.1 a week, and 60 % of them plans; August has 60 % of other months.
    assert part.sentences == (
        "In 2025, about 17 decisions whether to assess and 10 plans fall due in an average week; most decisions in "
        "January (18 a week).",
    )
    rows = {row.head: row.cells for row in part.tables[0].groups[0].rows}
    assert rows["2025"][:2] == ("17\n14 to 19", "10\n9 to 11")
    assert rows["2035"][:2] == ("-\n", "-\n")
    assert rows["2025"][2].startswith("3,480\n")
    plain = area_of(lambda frame: frame["freq"].eq("YS"))
    bare = workload(plain, "Stockport", years_of(plain), as_of=AS_OF, school_days=True, label="")
    assert (bare.sentences, bare.folded) == ((), ())


def test_months_start_with_the_one_the_figures_are_known_in():
    area = area_of()
    (months,) = workload(area, "Stockport", years_of(area), as_of=AS_OF, school_days=True, label="").folded
    heads = [row.head for row in months.groups[0].rows]
    assert heads[:2] == ["Jul\u00a02024", "Aug\u00a02024"]
    assert len(heads) == 24
    assert months.columns[-2:] == ("Decisions due a week", "Plans due a week")


@pytest.mark.parametrize("school_days", [True, False])
def test_what_a_month_is_and_assumes_is_said_where_months_are_shown(school_days):
    area = area_of()

    def remarks(own):
        part = workload(own, "Stockport", years_of(own), as_of=AS_OF, school_days=school_days, label="")
        return " ".join(part.remarks)

    assert "weeks whose Thursday lies in it, four or five" in remarks(area)
    assert ("is an assumption and not a count" in remarks(area)) == school_days
    assert "Thursday" not in remarks(area_of(lambda frame: frame["freq"].eq("YS")))


def test_phase_transfers_carry_their_date():
    area = area_of()
    phases = workload(area, "Stockport", years_of(area), as_of=AS_OF, school_days=True, label="").tables[1]
    heads = [re.sub("\u00a0", " ", text) for text in phases.columns]
    assert heads == [
        "Year of the move",
        "Into school, by 15 February",
        "Primary to secondary school, by 15 February",
        "Into post-16 education, by 31 March",
    ]
    bare = area_of(lambda frame: frame["measure"].ne("phase_transfers"))
    assert len(workload(bare, "Stockport", years_of(bare), as_of=AS_OF, school_days=True, label="").tables) == 1
