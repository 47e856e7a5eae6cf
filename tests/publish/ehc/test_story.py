from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest

from forecast.publish.ehc.run import AreaFigures
from forecast.publish.ehc.story import MANY, MOST_IN_FULL, in_full, planning, planning_areas
from forecast.publish.method import sources
from forecast.publish.report import render
from forecast.publish.run import Area, read_run
from tests.publish.ehc.frame import ehc_frame, flows, until_year, write_ehc
from tests.publish.test_report import page_of, parsed
from tests.run_folder import write_run

FOUR = tuple((f"E0900{i:04d}", f"Area {i}") for i in range(MOST_IN_FULL + 1))


@pytest.fixture(autouse=True)
def plain_charts(request, monkeypatch):
    """Leave the drawing out where a test is not about it."""
    if "real_charts" in request.fixturenames:
        return
    for name in ("block.fan_chart", "ehc.charts.picture"):
        monkeypatch.setattr(f"forecast.publish.{name}", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>')


@pytest.fixture
def real_charts():
    """Ask for the drawing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_ehc(tmp_path_factory.mktemp("runs") / "run", overrides=False)


def test_the_section_leads_with_a_sentence_to_repeat(folder):
    (section,) = planning(read_run(folder))
    # 790 x 1.06^7 = 1187.9, its median 1164 within 314 of it; 60 % of it are plans; 4,949 plans in January 2030.
    assert section.headline == (
        "In 2030 Stockport can expect about 1,160 requests for an EHC needs assessment (likely between 850 and 1,480) "
        "and about 700 plans issued (likely between 510 and 890). In January 2030 about 4,900 of its children and "
        "young people have a plan (likely between 3,600 and 6,300)."
    )
    assert round(0.98 * flows()[2029]["end"]) == 4949
    assert section.sentences[0] == (
        "That is around 47% more than the 790 requests of 2023 and around 59% more than the 3,115 plans of January "
        "2024. “Likely” means 4 times in 5."
    )
    # The other section has 790 x 1.05^5 = 1008 for 2028.
    assert "1,010 requests in 2028 (here 1,040)" in section.sentences[1]
    assert [part.title for part in section.parts] == [
        *("How many", "Who they are", "How long it takes", "The work it brings", "How the caseload changes"),
        *("Planning tables", "How far past forecasts were off", "What was assumed", "What to know about these figures"),
    ]


def test_a_run_without_it_has_no_section(tmp_path):
    folder = write_run(tmp_path / "run")
    page = page_of(folder)
    assert (page.planning, page.planning_areas) == ((), None)
    html = render(page)
    assert "From request to plan" not in html
    assert "ehc_projections.csv" not in html


@pytest.mark.usefixtures("real_charts")
def test_the_page_is_sound_with_it(folder):
    outline = parsed(render(page_of(folder)))
    assert len(outline.ids) == len(set(outline.ids))
    assert {link[1:] for link in outline.links if link.startswith("#")} <= set(outline.ids)
    assert {"ehc_projections.csv", "ehc_projections.meta.csv"} <= set(outline.links)
    assert all(link.startswith("#") for link in outline.loads)
    levels = outline.headings
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in outline.tables:
        assert table["caption"] == 1
        assert None not in table["scopes"]
    text = " ".join("".join(outline.text).split())
    assert "From request to plan: Stockport" in text
    assert "single year of age" in text


def test_a_table_for_reference_is_marked_among_the_sources(folder):
    run = read_run(folder)
    first = run.manifest["sources"][0]["id"]
    marked = replace(run, ehc=replace(run.ehc, references=frozenset({first})))
    kinds = [row.cells[-1] for row in sources(marked).groups[0].rows]
    assert [kind for kind in kinds if "reference table, read whatever" in kind] == kinds[:1]
    assert not any("reference table" in row.cells[-1] for row in sources(run).groups[0].rows)


def test_the_summary_links_to_the_first_area(folder):
    line = page_of(folder).summary[-1]
    assert (line.name, line.anchor) == ("From request to plan: Stockport", "request-to-plan-e08000007")


def test_few_areas_are_told_in_full_in_their_order(tmp_path):
    run = read_run(write_ehc(tmp_path / "run", areas=(("E09000001", "Zed"), ("E08000007", "Stockport"))))
    assert [section.area for section in planning(run)] == ["Zed", "Stockport"]
    assert planning_areas(run) is None


def test_of_many_areas_the_first_are_in_full_and_all_in_a_table(tmp_path):
    folder = write_ehc(tmp_path / "run", areas=FOUR, overrides=False)
    run = read_run(folder)
    assert [section.area for section in planning(run)] == ["Area 0", "Area 1", "Area 2"]
    part = planning_areas(run)
    (table,) = part.tables
    assert part.sentences == ("Area 0, Area 1 and Area 2 are told in full above; ehc_projections.csv has all of them.",)
    assert [row.head for row in table.groups[0].rows] == ["Area 0", "Area 1", "Area 2", "Area 3"]
    assert table.columns == (
        *("Area", "Requests 2023", "Requests 2030", "Plans issued 2030"),
        *("Plans January 2024", "Plans January 2030", "Change in plans"),
    )
    row = table.groups[0].rows[3].cells
    assert (row[0], row[3], row[5]) == ("790", "3,115", "+59%")
    assert "From request to plan: all areas" in render(page_of(folder))


def test_of_all_areas_england_is_told_in_full():
    authorities = tuple(Area(f"E0900{i:04d}", f"Area {i}", "local_authority") for i in range(MANY))
    england = Area("E92000001", "England", "national")
    assert in_full((*authorities, england)) == (england,)
    assert in_full((*authorities[1:], england)) == authorities[1 : MOST_IN_FULL + 1]
    assert in_full((*authorities, *authorities)) == authorities[:MOST_IN_FULL]


def test_made_up_figures_are_marked_wherever_they_show(tmp_path):
    page = page_of(write_ehc(tmp_path / "run", areas=FOUR, ehc_provenance="synthetic"))
    assert page.synthetic
    section = page.planning[0]
    assert section.synthetic
    assert "(synthetic data)" in section.headline
    # How far forecasts of published figures were off is true.
    parts = [part for part in section.parts if part.title != "How far past forecasts were off"]
    captions = [table.caption for part in parts for table in (*part.tables, *part.folded)]
    assert all("(synthetic data)" in caption for caption in [*captions, page.planning_areas.tables[0].caption])


def test_with_overrides_the_headline_and_the_other_sections_are_set_against_the_projection_without(tmp_path):
    run = read_run(write_ehc(tmp_path / "run"))
    base = AreaFigures(run.ehc.baseline, "E08000007")
    (section,) = planning(run)
    # The overridden requests are 10 % fewer and plans follow slowly, so requests move more.
    assert section.headline.endswith("This is with 1 assumption changed; without it about 1,160 requests in 2030.")
    assert base.at("requests", 2030).median == pytest.approx(0.98 * 790 * 1.06**7)
    # 790 x 1.06^5 without the override is 1,057, times 98 % 1,036; with it 932.
    assert "1,010 requests in 2028 (here, without the changed assumptions, 1,040)" in section.sentences[1].replace(
        "assumptions, about", "assumptions,"
    )


def test_the_caseload_is_named_where_it_moves_more(tmp_path):
    run = read_run(write_ehc(tmp_path / "run"))
    table = run.ehc.baseline.copy()
    stock = table["measure"].eq("caseload") & table["status"].ne("published")
    table.loc[stock, "median"] *= 1.1
    two = (*run.ehc.overrides, *run.ehc.overrides)
    (section,) = planning(replace(run, ehc=replace(run.ehc, table=table, overrides=two)))
    assert section.headline.endswith(
        "This is with 2 assumptions changed; without them about 4,900 plans in January 2030."
    )


@pytest.mark.usefixtures("real_charts")
@pytest.mark.parametrize("until", [2024, 2025, 2026])
@pytest.mark.parametrize("overrides", [False, True])
def test_a_projection_of_few_years_is_told_right(tmp_path, until, overrides):
    run = read_run(write_ehc(tmp_path / "run", overrides=overrides))
    base = until_year(until) if overrides else None
    (section,) = planning(replace(run, ehc=replace(run.ehc, table=until_year(until), baseline=base, until=until)))
    january = max(until, 2025)
    assert f"In {until} Stockport can expect about" in section.headline
    assert f"In January {january} about" in section.headline
    text = repr(section)
    assert "between - and -" not in text
    assert "nan" not in text
    tables = {table.caption: table for part in section.parts for table in (*part.tables, *part.folded)}
    assert all(group.rows for table in tables.values() for group in table.groups)
    assert all(any(set(row.cells) - {"-", "-\n"} for row in g.rows) for t in tables.values() for g in t.groups)
    rows = section.parts[0].tables[0].groups[1].rows
    assert rows[-1].head == f"January {until + 1}"


def test_an_area_without_published_figures_has_no_comparison(folder):
    run = read_run(folder)
    frame = ehc_frame()
    bare = frame[frame["status"].ne("published") & ~frame["measure"].isin(["caseload"])]
    (section,) = planning(replace(run, ehc=replace(run.ehc, table=bare), targets=()))
    assert section.sentences == ()
    assert section.headline.count("In ") == 1


def test_few_requests_are_not_compared_in_per_cent(folder):
    run = read_run(folder)
    frame = ehc_frame()
    frame.loc[frame["measure"].eq("requests") & frame["status"].eq("published"), "median"] = 2.0
    (section,) = planning(replace(run, ehc=replace(run.ehc, table=frame)))
    assert section.sentences[0].startswith("That is around 59% more than the 3,115 plans of January 2024.")


def test_medians_of_the_table_are_those_of_the_run(folder):
    area = AreaFigures(pd.read_parquet(folder / "ehc.parquet"), "E08000007")
    (section,) = planning(read_run(folder))
    shown = {row.head: row.cells[0] for row in section.parts[0].tables[0].groups[1].rows}
    for year in range(2024, 2036):
        assert shown[str(year)].partition("\n")[0] == f"{area.at('requests', year).median:,.0f}"
