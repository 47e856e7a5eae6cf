import pytest

from forecast.publish.ehc.people import Years, how_many, planning_tables, who, years_of
from forecast.publish.ehc.run import AreaFigures
from tests.publish.ehc.frame import BANDS, CASELOAD, REQUESTS, ehc_frame, flows, until_year

CODE = "E08000007"


@pytest.fixture(autouse=True)
def plain_charts(monkeypatch):
    """Leave the drawing out: it has tests of its own."""
    monkeypatch.setattr(
        "forecast.publish.ehc.charts.picture", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>'
    )


@pytest.fixture(scope="module")
def area():
    return AreaFigures(ehc_frame(), CODE)


@pytest.mark.parametrize(("until", "january"), [(2024, 2025), (2025, 2025), (2026, 2026), (2035, 2030)])
def test_the_january_of_the_headline_is_a_projected_one(until, january):
    years = years_of(AreaFigures(until_year(until), CODE))
    assert (years.january, years.last) == (january, until + 1)


def cells_of(table, head, group=-1):
    return next(row.cells for row in table.groups[group].rows if row.head == head)


def ranged(mean, ahead):
    """What a cell says of a mean some years ahead: the builder's arithmetic, written again."""
    median, width = 0.98 * mean, 0.1 * mean * ahead**0.5
    return f"{median:,.0f}\n{median - width:,.0f} to {median + width:,.0f}"


@pytest.mark.parametrize(
    ("last", "until", "key"), [(2023, 2035, 2030), (2022, 2035, 2030), (2021, 2035, 2025), (2023, 2028, 2028)]
)
def test_the_year_of_the_headline_is_round_and_some_years_ahead(last, until, key):
    frame = ehc_frame()
    flow = frame["by"].eq("") & frame["measure"].eq("requests") & frame["ds"].dt.year.le(last)
    frame["status"] = frame["status"].mask(frame["measure"].eq("requests") & ~flow, "projected")
    years = years_of(AreaFigures(frame[frame["ds"].dt.year.le(until)], CODE))
    assert years == Years(flow=last, stock=2024, key=key, end=until)


def test_an_area_without_published_requests_starts_before_the_projection():
    frame = ehc_frame()
    frame = frame[~(frame["measure"].isin(["requests", "caseload"]) & frame["status"].eq("published"))]
    assert years_of(AreaFigures(frame, CODE)) == Years(flow=2023, stock=2024, key=2030, end=2035)


def test_requests_plans_and_caseload_by_year_with_their_ranges(area):
    (table,) = how_many(area, "Stockport", years_of(area), chart_id="c", label="").tables
    assert [group.title for group in table.groups] == ["Actual", "Projection"]
    assert cells_of(table, "2023", 0) == ("790\n", "415\n", "2,827\n")
    means = flows()
    last = cells_of(table, "2035")
    assert last[0] == ranged(REQUESTS[2023] * 1.06**12, 12)
    assert last[1] == ranged(0.6 * REQUESTS[2023] * 1.06**12, 12)
    assert last[2] == ranged(means[2034]["end"], 12)
    assert cells_of(table, "2024")[2] == "3,115\n"
    assert [row.head for row in table.groups[1].rows] == [*(str(year) for year in range(2024, 2036)), "January 2036"]
    assert cells_of(table, "January 2036") == ("-\n", "-\n", ranged(means[2035]["end"], 13))
    assert [row.head for row in table.groups[1].rows if row.strong] == ["2030"]


def test_an_area_without_history_has_no_table_of_it():
    frame = ehc_frame()
    area = AreaFigures(frame[frame["status"].ne("published")], CODE)
    (table,) = how_many(area, "England", years_of(area), chart_id="c", label="").tables
    assert [group.title for group in table.groups] == ["Projection"]


def test_who_they_are_by_age_need_and_placement_and_what_is_modelled(area):
    part = who(area, "Stockport", years_of(area), chart_id="c", label=" (synthetic data)")
    ages, needs, placements = part.tables
    assert ages.columns == ("Age", "January 2024", "January 2026", "January 2030", "January 2036")
    assert cells_of(ages, "Under 5")[0] == f"{CASELOAD[2024] * BANDS['Under 5']:.0f}\n"
    assert cells_of(ages, "5 to 10")[2] == ranged(flows()[2029]["end"] * BANDS["5 to 10"], 7)
    assert "modelled" not in ages.caption
    for table in (needs, placements):
        assert "(modelled)" in table.caption
        assert "(synthetic data)" in table.caption
    assert "Speech, language and communication" in [row.head for row in needs.groups[0].rows]
    assert part.remarks[0].startswith("Modelled")
    assert part.remarks[0].endswith("a range is that of the total alone.")
    (requests,) = part.folded
    assert requests.columns == ("Age", "2025", "2030", "2035")


def test_the_band_that_grows_most_is_named(area):
    # The caseload grows in proportion, so the largest band grows most: 36 % of it.
    (said,) = who(area, "Stockport", years_of(area), chart_id="c", label="").sentences
    assert said.startswith("The largest growth is among those aged 11 to 15: from 1,121 plans in January 2024 to about")


def test_a_category_that_rounds_to_nothing_has_no_row():
    frame = ehc_frame()
    frame.loc[frame["category"].eq("msi"), "median"] = 0.4
    area = AreaFigures(frame, CODE)
    needs = who(area, "Stockport", years_of(area), chart_id="c", label="").tables[1]
    assert len(needs.groups[0].rows) == 12
    assert "Multi-sensory impairment" not in [row.head for row in needs.groups[0].rows]


def test_a_falling_caseload_names_no_growth():
    frame = ehc_frame()
    ahead = frame["by"].eq("age_band") & frame["measure"].eq("caseload") & frame["status"].ne("published")
    frame.loc[ahead, "median"] = 1.0
    area = AreaFigures(frame, CODE)
    assert who(area, "Stockport", years_of(area), chart_id="c", label="").sentences == ()


def test_an_area_without_breakdowns_has_fewer_tables():
    frame = ehc_frame()
    area = AreaFigures(frame[frame["by"].eq("")], CODE)
    part = who(area, "Stockport", years_of(area), chart_id="c", label="")
    assert (part.tables, part.folded, part.remarks, part.sentences) == ((), (), (), ())


def test_planning_tables_run_over_their_own_years(area):
    titles = {"scap_primary": "Special schools, primary", "scap_secondary": "Special schools, secondary and after"}
    part = planning_tables(area, "Stockport", titles, placed=titles.keys(), label="")
    assert "a range is that of the total alone" in part.remarks[0]
    assert planning_tables(area, "Stockport", titles, placed={"other"}, label="").remarks == ()
    primary, secondary = part.tables
    assert [row.head for row in primary.groups[0].rows] == ["2024/25", "2025/26", "2026/27", "2027/28", "2028/29"]
    assert len(secondary.groups[0].rows) == 7
    assert secondary.columns == ("Academic year", "Years 7 to 11", "Years 12 to 14")
    assert cells_of(primary, "2024/25") == (ranged(flows()[2024]["end"] * 0.12, 2),)
    assert planning_tables(area, "Stockport", {"other": "Other"}, placed=frozenset(), label="") is None


def test_an_area_without_the_latest_requests_has_the_same_years():
    frame = ehc_frame()
    last = frame["measure"].eq("requests") & frame["by"].eq("") & frame["ds"].dt.year.eq(2023)
    years = years_of(AreaFigures(frame[~last], CODE))
    assert years == years_of(AreaFigures(frame, CODE))
    assert years.ahead[0] == 2024
