import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from forecast.publish.changes import Previous
from forecast.publish.report import MANY_AREAS, areas_drawn, build_page, render
from forecast.publish.run import Area, Target, read_run
from forecast.publish.tables import numeric, projections
from tests.run_folder import write_run

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """What the tests look at: headings, tables, links, ids, open tags."""

    def __init__(self):
        super().__init__()
        self.headings, self.tables, self.links, self.ids, self.loads = [], [], [], [], []
        self.tags, self.open, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "table":
            self.tables.append({"caption": 0, "scopes": [], "plain_th": 0})
        if tag == "caption":
            self.tables[-1]["caption"] += 1
        if tag == "th":
            self.tables[-1]["scopes"].append(attributes.get("scope"))
        if tag == "a":
            self.links.append(attributes["href"])
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.loads += [v for k, v in attributes.items() if k in {"src", "srcset", "data", "action", "xlink:href"} and v]

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def page_of(folder, **kwargs):
    run = read_run(folder)
    text = {"published": pd.Timestamp("2024-11-24"), "release_id": "abc", "current": projections(run)}
    return build_page(run, **{**text, **kwargs})


def parsed(html):
    outline = Outline()
    outline.feed(html)
    outline.close()
    return outline


@pytest.fixture
def plain_charts(monkeypatch):
    """Leave the drawing out where a test is not about it."""
    monkeypatch.setattr("forecast.publish.block.fan_chart", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def page(folder):
    return page_of(folder)


@pytest.fixture(scope="module")
def html(page):
    return render(page)


def test_headline_is_the_sentence_a_planner_can_repeat(page):
    # 790 x 1.05^5 = 1008.3; the 80 % interval is 10 % x sqrt(5) of it on either side: 782.8 to 1233.7.
    assert page.sections[0].lead.headline == (
        "Stockport: about 1,010 requests for an EHC needs assessment in 2028, around 28% more than the 790 in 2023. "
        "The true figure is likely (4 in 5) to be between 780 and 1,230."
    )
    assert "in January 2029" in page.sections[2].lead.headline
    assert page.sections[3].lead.headline.startswith("Stockport NHS Foundation Trust: about 670 children")
    assert "March 2024" in page.sections[3].lead.headline
    assert [line.text for line in page.summary] == [section.lead.headline for section in page.sections]


def test_figures_under_the_chart_equal_the_run(folder, page):
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    for section, key in zip(page.sections, ["requests", "new_plans", "caseload"], strict=False):
        rows = forecasts[forecasts["unique_id"].eq(f"{key}/E08000007")].sort_values("ds")
        shown = [row.cells for row in section.lead.figures.groups[-1].rows]
        columns = ["median", "lo-80", "hi-80", "lo-95", "hi-95"]
        assert shown == [tuple(f"{round(v):,}" for v in row) for row in rows[columns].to_numpy()]
    actual = {row.head: row.cells[0] for row in page.sections[1].lead.figures.groups[0].rows}
    assert actual == {
        "2019": "275",
        "2020": "311",
        "2021": "360",
        "2022": "published figures do not add up",
        "2023": "431",
    }


def test_chance_of_more_than_the_threshold(page):
    lead = page.sections[0].lead
    assert lead.chance_title == "Chance of more than 1,000"
    assert [row.cells[0] for row in lead.chance.groups[0].rows] == ["33%", "37%", "41%", "46%", "51%"]
    assert lead.chance_note == "More than 1,000 requests for an EHC needs assessment is more likely than not in 2028."
    assert page.sections[1].lead.chance is None


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ([0.4] * 5, "In none of these periods is more than 1,000"),
        ([0.6] * 5, "In all of these periods more than 1,000"),
        (
            [0.4, 0.4, 0.6, 0.6, 0.6],
            "More than 1,000 requests for an EHC needs assessment is more likely than not from 2026 on.",
        ),
        (
            [0.4, 0.6, 0.6, 0.4, 0.4],
            "More than 1,000 requests for an EHC needs assessment is more likely than not in 2025 and 2026.",
        ),
    ],
)
@pytest.mark.usefixtures("plain_charts")
def test_chance_is_said_by_its_pattern(tmp_path, chances, said):
    folder = write_run(tmp_path / "run")
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    own = forecasts["unique_id"].eq("requests/E08000007")
    forecasts.loc[own, "prob_above"] = chances
    forecasts.to_parquet(folder / "forecasts.parquet")
    assert page_of(folder).sections[0].lead.chance_note.startswith(said)


def test_series_breaks_and_notes_are_told(page):
    assert page.sections[0].lead.remarks == ("Series break at 2022: first person-level return.",)
    assert page.unusable == (
        "New EHC plans, 2022: published figures do not add up (region 6078, area 6078). Stockport.",
    )


def test_months_that_have_passed_are_told(page):
    # The last month is September 2023, the page is as of 1 July 2024: October to June are nine months.
    lead, england = page.sections[3].lead, page.sections[3].cards[0]
    assert lead.remarks == england.remarks
    assert lead.remarks == (
        "The latest figure is for September 2023, 9 months before 1 July 2024, the day these figures were known by. "
        "By then all 6 months projected here had passed.",
    )


@pytest.mark.usefixtures("plain_charts")
@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        ("2023-12-31", []),
        ("2024-01-01", ["3 months before 1 January 2024", "By then 3 of the 6 months projected here had passed."]),
    ],
)
def test_figures_of_the_last_two_months_are_new_enough(tmp_path, as_of, told):
    page = page_of(write_run(tmp_path / "run", change=lambda manifest: manifest.update(as_of=as_of)))
    said = " ".join(page.sections[3].lead.remarks)
    assert bool(said) == bool(told)
    assert all(words in said for words in told)
    assert not any("latest figure" in remark for section in page.sections[:3] for remark in section.lead.remarks)


@pytest.mark.usefixtures("plain_charts")
def test_years_that_have_passed_are_told_by_flow_and_stock(tmp_path):
    page = page_of(write_run(tmp_path / "run", change=lambda manifest: manifest.update(as_of="2027-07-01")))
    requests, _, caseload = (section.lead.remarks[0] for section in page.sections[:3])
    assert requests.startswith("The latest figure is for 2023, 3 years before 1 July 2027")
    assert requests.endswith("By then 3 of the 5 years projected here had passed.")
    assert caseload.startswith("The latest figure is for January 2024, 3 years before 1 July 2027")
    assert caseload.endswith("By then 3 of the 5 years projected here had passed.")


@pytest.mark.usefixtures("plain_charts")
def test_percentages_are_of_the_figure_before_it_is_rounded(tmp_path):
    folder = write_run(tmp_path / "run")
    forecasts = pd.read_parquet(folder / "forecasts.parquet")
    last = forecasts["unique_id"].eq("requests/E08000007") & forecasts["horizon"].eq(5)
    # 1,664 is 111 % more than 790; the 1,700 it is rounded to would be 115 % more.
    forecasts.loc[last, ["median", "lo-80", "hi-80"]] = [1664.0, 1100.0, 2600.0]
    forecasts.to_parquet(folder / "forecasts.parquet")
    headline = page_of(folder).sections[0].lead.headline
    assert headline.startswith("Stockport: about 1,700 requests for an EHC needs assessment in 2028, around 111% more")


@pytest.mark.usefixtures("plain_charts")
def test_checks_are_counted_in_the_scores(tmp_path):
    folder = write_run(tmp_path / "run")
    scores = pd.read_parquet(folder / "scores.parquet")
    requests = scores["measure"].eq("requests")
    late = scores["origin"].lt("2021-01-01") & scores["model"].isin(["prophet", "theta"])
    gone = (requests & late) | scores["measure"].eq("new_plans")
    scores[~gone].to_parquet(folder / "scores.parquet")
    said = {fact.name: fact.text for fact in page_of(folder).method}["How models are judged"]
    assert "Requests for an EHC needs assessment: from 6 past years (prophet and theta from 2)." in said
    assert "New EHC plans: from no past years." in said
    assert "waiting for speech and language therapy: from 3 past months." in said


@pytest.mark.usefixtures("plain_charts")
def test_other_notes_are_told_once_with_their_span(tmp_path):
    folder = write_run(tmp_path / "run")
    history = pd.read_parquet(folder / "history.parquet")
    early = history["ds"].lt("2019-01-01")
    history["note"] = history["note"].mask(early, "aggregate_return; series_break:")
    history.to_parquet(folder / "history.parquet")
    assert page_of(folder).sections[0].lead.remarks == (
        "Series break at 2016: figures before and after differ in kind.",
        "Series break at 2022: first person-level return.",
        "2016 to 2018: aggregate return.",
    )


def test_the_older_part_of_a_long_history_is_folded_away(tmp_path):
    folder = write_run(tmp_path / "run")
    history = pd.read_parquet(folder / "history.parquet")
    months = pd.date_range("2020-10-01", "2022-12-01", freq="MS")
    trust = history[history["area_code"].eq("RWJ")]
    before = trust.iloc[[0] * len(months)].assign(ds=months, y=range(100, 100 + len(months)))

    def tables(earlier):
        pd.concat([earlier, history], ignore_index=True).to_parquet(folder / "history.parquet")
        lead = page_of(folder).sections[-1].lead
        return lead.figures.groups[0].rows, lead.earlier

    recent, earlier = tables(before)
    assert (len(recent), recent[0].head, recent[-1].head) == (36, "October 2020", "September 2023")
    assert earlier is None
    recent, earlier = tables(pd.concat([before.iloc[:1].assign(ds=pd.Timestamp("2020-09-01"), y=7), before]))
    assert (len(recent), recent[0].head) == (24, "October 2021")
    assert [row.head for row in earlier.groups[0].rows][::12] == ["September 2020", "September 2021"]
    assert earlier.groups[0].rows[0].cells == ("7",)
    html = render(page_of(folder))
    assert "Stockport NHS Foundation Trust: earlier figures</summary>" in html


def test_method_names_the_model_that_answered(page):
    said = {fact.name: fact.text for fact in page.method}
    assert said["Requests for an EHC needs assessment, Stockport"] == (
        "A combination of 2 methods: 60% from the national path with the area's own deviation (area_growth) and 40% "
        "from the average past change (drift), weighted by past errors (forecasts from 6 past years)."
    )
    waiting = "Children and young people waiting for speech and language therapy, Stockport NHS Foundation Trust"
    assert said[waiting] == "The series is short (9 figures), so drift answered. Why: fewer than 12 months."
    assert "1,000 simulated futures" in said["How sure it is"]


def test_an_area_without_projection_is_told_plainly(tmp_path):
    folder = write_run(tmp_path / "run")
    for name in ("forecasts", "history", "ledger"):
        frame = pd.read_parquet(folder / f"{name}.parquet")
        frame = frame[frame["unique_id"].ne("new_plans/E08000007")]
        if name == "ledger":
            row = frame.iloc[:1].assign(unique_id="new_plans/E08000007", measure="new_plans", n_obs=0)
            frame = pd.concat([frame, row.assign(status="not_enough_data", reason="no figure is known")])
        frame.to_parquet(folder / f"{name}.parquet")
    page = page_of(folder)
    lead = page.sections[1].lead
    assert lead.headline == "Stockport: not enough data for a projection (no figure is known)."
    assert lead.charts == ()
    assert lead.figures is None
    said = {fact.name: fact.text for fact in page.method}
    assert said["New EHC plans, Stockport"] == "Not enough data (0 figures). Why: no figure is known."
    # No new plans are published for the region in this run, and the ledger has no row for it either.
    assert page.sections[1].cards[0].headline.endswith("(the run has no series for it).")
    parsed(render(page))


def test_html_is_one_page_that_loads_nothing(html):
    outline = parsed(html)
    assert outline.open == []
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False))
    assert "script" not in outline.tags
    assert "link" not in outline.tags
    assert all(load.startswith("#") for load in outline.loads)
    assert "url(http" not in html
    assert "@import" not in html
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html
    for landmark in ("header", "main", "nav", "footer"):
        assert outline.tags.count(landmark) == 1


def test_the_page_asks_for_nothing_outside_itself(html):
    """Addresses are the namespaces of SVG, which no browser fetches, and the licence, which a reader may click."""
    addresses = set(re.findall(r"""[a-z]+:?//[^\s"'<>)]+""", html))
    assert addresses == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    }
    outline = parsed(html)
    assert not {"script", "link", "img", "iframe", "object", "embed", "video", "audio", "form", "base"} & {
        *outline.tags
    }
    assert all(target.startswith("#") for target in re.findall(r"""url\(["']?([^)"']*)""", html))


def test_the_page_prints(html):
    printed = html[html.index("@media print") : html.index("</style>")]
    for rule in ("header.top, .skip, nav { display: none; }", "figure, tr, .card { break-inside: avoid; }"):
        assert rule in printed
    # On paper nothing scrolls, and one of the two sizes of a chart is shown.
    assert ".tall { max-height: none; overflow: visible; }" in printed
    assert "figure .wide { display: block; } figure .narrow { display: none; }" in printed


def test_links_go_to_the_page_its_files_or_the_licence(html):
    outline = parsed(html)
    assert len(outline.ids) == len(set(outline.ids))
    inside = {link[1:] for link in outline.links if link.startswith("#")}
    assert inside <= set(outline.ids)
    assert {link for link in outline.links if not link.startswith("#")} == {
        "projections.csv",
        "projections.meta.csv",
        "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/",
    }
    assert outline.links[0] == "#main"


def test_tables_have_a_caption_and_every_heading_a_scope(html):
    tables = parsed(html).tables
    assert len(tables) > 8
    for found in tables:
        assert found["caption"] == 1
        assert set(found["scopes"]) <= {"col", "row", "rowgroup"}
        assert {"col", "row"} <= set(found["scopes"])


def test_the_page_names_dates_licence_and_versions(html):
    text = " ".join("".join(parsed(html).text).split())
    for words in (
        "1 July 2024",
        "24 November 2024",
        "Contains public sector information from Department for Education and NHS England, licensed under the Open "
        "Government Licence v3.0",
        "9 November 2023",
        "unknown extra column",
        "0123456789ab",
        "This is the first release",
    ):
        assert words in text
    assert "Synthetic data" not in text


def test_names_from_outside_are_escaped(tmp_path):
    html = render(page_of(write_run(tmp_path / "run", name='<script>alert("x")</script>')))
    assert "script" not in parsed(html).tags
    assert "&lt;script&gt;" in html


def test_synthetic_figures_are_labelled_where_they_show(tmp_path):
    page = page_of(write_run(tmp_path / "run", provenance="synthetic"))
    text = "".join(parsed(render(page)).text)
    assert "Synthetic data." in text
    section = page.sections[0]
    assert "(synthetic data)" in section.lead.headline
    assert all("(synthetic data)" in chart for chart in section.lead.charts)
    assert "(synthetic data)" in section.lead.figures.caption
    assert not page.sections[3].synthetic
    assert "synthetic" not in page.sections[3].lead.headline


@pytest.mark.usefixtures("plain_charts")
def test_a_failed_model_is_told_at_the_top(tmp_path):
    folder = write_run(tmp_path / "run", status="model_failed")
    ledger = pd.read_parquet(folder / "ledger.parquet")
    ledger.loc[ledger["unique_id"].eq("requests/E08000007"), "status"] = "failed"
    ledger.to_parquet(folder / "ledger.parquet")
    (alert,) = page_of(folder).alerts
    assert "Requests for an EHC needs assessment, Stockport" in alert


@pytest.mark.usefixtures("plain_charts")
def test_a_run_under_another_licence_claims_no_open_government_licence(tmp_path):
    def other(manifest):
        for source in manifest["sources"]:
            source.update(licence="Internal", released="")
        manifest["sources"][1]["released"] = "2023"

    page = page_of(write_run(tmp_path / "run", change=other))
    assert page.licences == ()
    assert [row.cells[1] for row in page.sources.groups[0].rows] == ["not stated", "2023"]


@pytest.mark.usefixtures("plain_charts")
def test_many_areas_are_a_table_and_few_charts(tmp_path):
    folder = write_run(tmp_path / "run", extra_areas=MANY_AREAS)
    run = read_run(folder)
    drawn = areas_drawn(run.targets[0])
    assert [area.name for area in drawn] == ["England", "North West"]
    page = page_of(folder)
    section = page.sections[0]
    assert len(section.cards) == 1
    names = [row.head for row in section.all_areas.groups[0].rows]
    assert names == sorted(names)
    assert len(names) == MANY_AREAS + 3
    assert section.all_areas.columns == (
        *("Area", "Actual 2023", "2024", "2024, 4 in 5 range", "2026", "2026, 4 in 5 range"),
        *("2028", "2028, 4 in 5 range", "Change"),
    )
    stockport = next(row for row in section.all_areas.groups[0].rows if row.head == "Stockport")
    assert stockport.cells == ("790", "830", "747 to 912", "915", "756 to 1,073", "1,008", "783 to 1,234", "+28%")
    captions = [found.caption for found in section.accuracy.tables]
    assert captions[:2] == ["Past forecasts, England alone", "Past forecasts, all 11 local authorities"]
    new_plans = {row.head: row.cells for row in page.sections[1].all_areas.groups[0].rows}
    assert set(new_plans["North West"]) == {"-"}
    parsed(render(page))


@pytest.mark.parametrize(
    ("icbs", "drawn"),
    [
        (8, ["England", "London", *(f"Board {i:02d}" for i in range(8))]),
        (42, ["England", "London"]),
    ],
)
def test_boards_are_drawn_after_regions_if_they_are_few(icbs, drawn):
    providers = [Area(f"R{i:02d}", f"Trust {i:02d}", "provider") for i in range(MANY_AREAS)]
    boards = [Area(f"Q{i:02d}", f"Board {i:02d}", "icb") for i in reversed(range(icbs))]
    top = [Area("Y56", "London", "nhs_region"), Area("E92000001", "England", "national")]
    target = Target("slt", "MS", "auto", ("slt_waiting",), 6, 5, (*providers, *boards, *top), {})
    assert [area.name for area in areas_drawn(target)] == drawn
    assert areas_drawn(replace(target, areas=(*providers, *boards * 9)))[0].name == "Trust 00"


@pytest.mark.usefixtures("plain_charts")
def test_many_areas_of_one_kind_show_the_first_in_full(tmp_path):
    def authorities_only(manifest):
        target = manifest["targets"][0]
        target["areas"] = [area for area in target["areas"] if area["geographic_level"] == "local_authority"]

    folder = write_run(tmp_path / "run", extra_areas=MANY_AREAS, change=authorities_only)
    assert [area.name for area in areas_drawn(read_run(folder).targets[0])] == ["Stockport"]
    assert page_of(folder).sections[0].all_areas is not None


@pytest.mark.usefixtures("plain_charts")
def test_an_area_whose_last_figure_is_older_says_so(tmp_path):
    folder = write_run(tmp_path / "run", extra_areas=MANY_AREAS)
    history = pd.read_parquet(folder / "history.parquet")
    late = history["area_code"].eq("E09000001") & history["ds"].eq("2023-01-01") & history["measure"].eq("requests")
    history["reason"] = history["reason"].mask(late, "x")
    history.to_parquet(folder / "history.parquet")
    rows = {row.head: row.cells for row in page_of(folder).sections[0].all_areas.groups[0].rows}
    assert rows["Area 001"][0] == "177 (2022)"
    assert rows["Area 002"][0] == "195"


@pytest.mark.usefixtures("plain_charts")
def test_changes_compare_the_same_periods_and_tell_what_came_true(tmp_path, folder):
    old = numeric(projections(read_run(write_run(tmp_path / "old", history_until=2023, growth=0.08))))
    page = page_of(folder, previous=Previous(table=old, published=pd.Timestamp("2023-11-03")))
    first, requests, *_, waiting = page.changes.sentences
    assert first == "Compared with the release of 3 November 2023 (figures as at 1 July 2023)."
    # 2023 was 705 x 1.08 = 761.4, in 685 to 838; 2027 was 705 x 1.08^5 = 1035.9 and is 790 x 1.05^4 = 960.2.
    assert requests == (
        "Requests for an EHC needs assessment, Stockport: 2023 came in at 790; the last release projected about 760, "
        "inside its 4 in 5 range; the projection for 2027 was about 1,040 and is now about 960 (−7%)."
    )
    assert "was about 790 and is now about 670 (−16%)" in waiting
    tables = {found.caption: found for found in page.changes.tables}
    then = tables["Requests for an EHC needs assessment: projections then and now"]
    assert [group.title for group in then.groups] == ["Stockport", "North West", "England"]
    assert then.groups[0].rows[-1].cells == ("1,036", "960", "−7%")
    came = tables["Requests for an EHC needs assessment: new outturns"]
    assert came.groups[0].rows[0].cells == ("761", "685 to 838", "790", "yes")
    outline = parsed(render(page))
    assert "This is the first release" not in "".join(outline.text)


@pytest.mark.usefixtures("plain_charts")
def test_nothing_changed_and_a_new_measure_are_told(folder):
    same = numeric(projections(read_run(folder)))
    page = page_of(
        folder, previous=Previous(table=same[same["measure"].ne("caseload")], published=pd.Timestamp("2024-07-05"))
    )
    assert "the projection for 2028 is still about 1,010" in page.changes.sentences[1]
    assert page.changes.sentences[3].endswith("Stockport: not in the last release.")
