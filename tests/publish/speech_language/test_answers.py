from dataclasses import replace

from forecast.publish.speech_language.answers import answers


def test_the_questions_are_answered_in_sentences_with_ranges(slt):
    assert answers(slt).sentences == (
        "What brings 92% waiting less than 18 weeks by March 2027? From September 2024 on, about 31.0 first contacts a "
        "week (likely between 28.0 and 36.0). That is about 6.4 more a week (likely between 3.4 and 11.4) than there "
        "are, or about 2.3 more WTE posts (likely between 1.2 and 4.1) with the treatment that follows (synthetic "
        "data). Put back into the projection, the middle answer gives 92.3% (synthetic data).",
        "What keeps the list from growing until September 2027? From September 2024 on, about 27.0 first contacts a "
        "week (likely between 25.0 and 30.0). That is about 2.4 more a week (likely between 0.4 and 5.4) than there "
        "are, or about 0.9 more WTE posts (likely between 0.1 and 2.0) with the treatment that follows (synthetic "
        "data).",
        "What do 2 WTE posts more buy? From September 2024 on, 5.1 first contacts more a week, with the treatment that "
        "follows. At the end of March 2027 about 330 fewer children wait (likely between 190 and 480), and the share "
        "within 18 weeks is about 14 percentage points higher (likely between 6 and 21) (synthetic data).",
    )


def test_when_the_list_stops_growing_is_told_by_option(slt):
    (table,) = answers(slt).tables
    assert table.caption == "When the list stops growing (synthetic data)"
    said = {row.head: row.cells[0] for row in table.groups[0].rows}
    assert said["As it is"] == "not by September 2027 (the chance of it by then is 4%)"
    assert said["Two more therapists"].startswith("in November 2026 (likely not before October 2025;")


def test_where_no_number_of_first_contacts_meets_the_target_that_is_said(slt):
    never = {"median": None, "low": 40.0, "high": None}
    asked = {"start": "2027-01", "a_week": never, "more_a_week": never, "wte_more": never, "fed_back": {"within": None}}
    found = answers(replace(slt, answers={"capacity_for_target": asked, "keep_pace": {**asked}}))
    assert found.sentences == (
        "What brings 92% waiting less than 18 weeks by March 2027? In most simulated futures no number of first "
        "contacts from January 2027 on does (synthetic data).",
    )


def test_why_posts_and_gap_differ_is_said_where_they_do(slt):
    assert len(answers(slt).remarks) == 2
    more = {"wte_work": {"median": 26.0, "low": 24.0, "high": 28.0}, "wte_in_post": 20.0}
    assert answers(replace(slt, today=more)).remarks[1].startswith("These posts come on top of what today's first")


def test_fewer_than_there_are_may_be_enough(slt):
    fewer = {**slt.answers["keep_pace"], "more_a_week": {"median": -1.5, "low": -3.0, "high": 0.5}}
    fewer["wte_more"] = {"median": -0.6, "low": -1.2, "high": 0.2}
    (said,) = answers(replace(slt, answers={"keep_pace": fewer})).sentences
    assert "about 1.5 fewer a week (likely between −0.5 and 3.0) than there are" in said
    assert "about 0.6 fewer WTE posts (likely between −0.2 and 1.2)" in said
