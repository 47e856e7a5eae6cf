import re
from dataclasses import replace

import pandas as pd
import pytest

from forecast.publish.report import render
from forecast.publish.run import read_run
from forecast.publish.speech_language.run import SLT_COLUMNS
from forecast.publish.speech_language.story import TITLE, speech_language
from tests.publish.speech_language.frame import OPTIONS, slt_entry, write_slt
from tests.publish.test_report import page_of, parsed
from tests.run_folder import write_run

UNMARKED = ("How far past forecasts", "Staff and capacity", "Norms", "Settings", "What each option changes")


@pytest.fixture(autouse=True)
def no_charts(request, monkeypatch):
    """Leave the drawing out where a test is not about it."""
    if "real_charts" in request.fixturenames:
        return
    for name in ("block.fan_chart", "ehc.charts.picture", "speech_language.charts.picture"):
        monkeypatch.setattr(f"forecast.publish.{name}", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>')


@pytest.fixture
def real_charts(monkeypatch):
    """Ask for the drawing of this section."""
    for name in ("block.fan_chart", "ehc.charts.picture"):
        monkeypatch.setattr(f"forecast.publish.{name}", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>')


def tables_of(section):
    return [table for part in section.parts for table in (*part.tables, *part.folded)]


def test_a_run_without_it_has_no_section(tmp_path):
    folder = write_run(tmp_path / "run")
    assert speech_language(read_run(folder)) is None
    html = render(page_of(folder))
    assert TITLE not in html
    assert "speech_language_projections.csv" not in html


def test_the_section_leads_with_demand_therapists_and_the_target(slt_run):
    section = speech_language(slt_run)
    assert section.title == "Speech and language: demand, waits and therapists"
    # 115 x 12 (the season adds up to 12) x 1.05^5 = 1,761.3, its median 1,726.1 within 88.1 of it; the last year was
    # 115 x 12 x 1.05^3 = 1,597.5. Needed: 20 x 1.05^(42/12) = 23.7.
    assert section.headline == (
        "Stockport NHS Foundation Trust can expect about 1,730 referrals (likely between 1,640 and 1,810) in the "
        "academic year 2024/25, around 8% more than the 1,598 of 2022/23 (synthetic data). Keeping pace with demand "
        "takes about 23.2 whole-time therapists (WTE) (likely between 21.4 and 26.1) over the 12 months to March 2027 "
        "(synthetic data). In post are 20.0: about 3.2 WTE short (likely between 1.4 and 6.1) (synthetic data). As "
        "things are, the target of 92% waiting less than 18 weeks is not met by September 2027; chance of the target "
        "in March 2027: 2% (synthetic data)."
    )
    assert [part.title for part in section.parts] == [
        *("What each option brings", "Questions answered", "How many are referred", "Who waits, and how long"),
        *(
            "After the first contact",
            "Therapists needed and in post",
            "How far past forecasts of waiting lists were off",
        ),
        *("What was assumed", "What to know about the speech and language figures"),
    ]


def test_the_date_of_the_target_is_there_for_each_option(slt_run):
    section = speech_language(slt_run)
    assert section.glance_title == "When the target is met: 92% waiting less than 18 weeks"
    assert {fact.name: fact.text for fact in section.glance} == {
        "As it is": "Not met by September 2027; chance of the target in March 2027: 2% (synthetic data).",
        "Two more therapists": "Met to stay from May 2025 (likely between January 2025 and March 2026); chance of the "
        "target in March 2027: 93% (synthetic data).",
        "A stronger targeted offer": "Met to stay from November 2026 (likely not before October 2025); chance of the "
        "target in March 2027: 52% (synthetic data).",
        "Longest waits first": "Not met by September 2027 (likely not before February 2026); chance of the target in "
        "March 2027: 2% (synthetic data).",
    }


def test_the_list_by_itself_is_set_against_the_list_here(slt_run):
    # The other section has 497 x 1.05^6 = 666 for March 2024; here 497 + 36 = 533, its median 522.
    said = speech_language(slt_run).sentences[1]
    assert re.search(r"about 670 children waiting \(likely between \d+ and \d+\) at the end of March 2024", said)
    assert "522 (likely between 496 and 549) (synthetic data)" in said
    assert said.endswith("Up to six months the section above rests on forecasts whose accuracy is measured.")
    assert len(speech_language(replace(slt_run, targets=())).sentences) == 1


def test_made_up_figures_are_marked_wherever_they_show(slt_run):
    section = speech_language(slt_run)
    assert section.synthetic
    captions = [table.caption for table in tables_of(section)]
    assert all("synthetic data)" in caption for caption in captions if not caption.startswith(UNMARKED))
    assert all("synthetic" not in caption for caption in captions if caption.startswith(UNMARKED))
    assert all(sentence.count("(synthetic data).") == 1 for sentence in re.findall(r".+?data\)\.", section.headline))
    assert section.headline.count("(synthetic data).") == 4
    told = [s for part in section.parts for s in part.sentences if re.search(r"\blikely between\b|\d+\.\d", s)]
    assert told
    assert all("(synthetic data)" in sentence for sentence in told)


def test_published_figures_alone_are_marked_nowhere(tmp_path):
    folder = write_slt(tmp_path / "run", provenance="published", log=False)
    section = speech_language(read_run(folder))
    assert not section.synthetic
    assert "synthetic data" not in repr(section)
    demand = next(part for part in section.parts if part.title == "How many are referred")
    assert [table.caption for table in demand.tables] == ["Referrals by academic year, with the 4 in 5 range"]
    # Referrals of the proxy are worked out, not counted.
    assert [group.rows[0].cells[0] for group in demand.tables[0].groups] == ["1,449\nmodelled", "1,644\n1,560 to 1,728"]
    assert "more than the 1,598 (modelled) of 2022/23." in section.headline
    assert any("There is no log of referrals" in remark for remark in demand.remarks)


@pytest.mark.usefixtures("real_charts")
def test_the_page_has_the_section_its_line_in_the_summary_and_its_files(slt_folder):
    page = page_of(slt_folder)
    assert page.synthetic
    assert page.summary[-1].name == TITLE
    assert page.summary[-1].text == page.speech_language.headline
    html = render(page)
    outline = parsed(html)
    assert outline.links.count("#speech-and-language") == 2
    assert {"speech_language_projections.csv", "speech_language_projections.meta.csv"} <= set(outline.links)
    assert len(outline.ids) == len(set(outline.ids))
    assert html.count("<dt>Two more therapists</dt>") == 1
    section = html[html.index('<section class="part" id="speech-and-language"') :]
    section = section[: section.index("</section>")]
    assert '<span class="tag">Synthetic data</span></h2>' in section
    assert section.count("<svg") == 2 * 5
    shown = " ".join(re.findall(r">([^<]+)<", section))
    assert "nan" not in shown
    assert "—" not in shown
    assert "–" not in shown


@pytest.mark.parametrize("months", [6, 12, 24])
def test_a_short_projection_is_told_right(slt_run, months):
    last = pd.Timestamp("2023-09-01") + pd.DateOffset(months=months)
    slt = slt_run.speech_language
    table = slt.table[slt.table["ds"] <= last]
    section = speech_language(replace(slt_run, speech_language=replace(slt, table=table, last=last)))
    text = repr(section)
    assert "nan" not in text
    assert "between - and -" not in text
    assert all(group.rows for table in tables_of(section) for group in table.groups)
    demand = "in the academic year" in section.headline
    assert demand == (months >= 11)


def test_a_run_without_rows_of_a_kind_leaves_that_part_out(slt_run):
    slt = slt_run.speech_language
    gone = [
        "in_treatment",
        "contacts",
        "left_list",
        "first_contacts",
        "wte_needed",
        "wte_work",
        "wte_in_post",
        "wte_gap",
        "advice_requests",
    ]
    table = slt.table[~slt.table["measure"].isin(gone)]
    section = speech_language(replace(slt_run, speech_language=replace(slt, table=table, notes=(), answers={})))
    titles = [part.title for part in section.parts]
    assert "After the first contact" not in titles
    assert "Therapists needed and in post" not in titles
    assert "What to know about the speech and language figures" not in titles


def test_the_made_up_run_has_the_shape_of_a_real_one(slt_run):
    assert list(slt_run.speech_language.table.columns) == list(SLT_COLUMNS)
    assert [option["name"] for option in slt_entry()["options"]] == list(OPTIONS)
