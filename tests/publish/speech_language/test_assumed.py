from dataclasses import replace

from forecast.publish.method import method
from forecast.publish.report import areas_drawn
from forecast.publish.speech_language.assumed import NOTES_SHOWN, assumed, how_made, notes
from tests.publish.speech_language.frame import NORMS


def test_norms_are_listed_with_their_sources(slt):
    (table,) = assumed(slt).tables
    assert table.columns == ("Norm", "Figure", "Unit", "Source")
    assert len(table.groups[0].rows) == len(NORMS)
    assert table.groups[0].rows[0].cells == ("targeted 1.5; specialist 2", "hours", "made up for tests")


def test_what_was_made_up_is_named(slt):
    (said,) = assumed(slt).sentences
    assert "“the log of referrals”" in said
    assert "do not plan with it" in said
    assert assumed(replace(slt, provenance=frozenset({"published"}))).sentences == ()


def test_settings_and_the_fit_are_there_to_open(slt):
    settings, fit = assumed(slt).folded
    assert ("How children are booked off the list", ("fitted",)) in [(r.head, r.cells) for r in settings.groups[0].rows]
    assert fit.caption == "What the published list shows (synthetic data)"
    assert {row.head: row.cells[0] for row in fit.groups[0].rows} == {
        "First contacts a week": "24.6",
        "Kept for the longest waits first": "35% of first contacts for those who have waited 12 weeks or more",
        "The model's list is off by, on average": "14 children",
        "Its share within 18 weeks is off by": "1.6 percentage points",
        "Referrals a week in the first year": "29.1",
        "Referrals for each first contact there is capacity for": "1.08",
        "List at which the target can be held": "131 children",
        "First contacts a week to hold it there": "29.4",
        "First contacts a week to get there in half a year": "43.2",
    }


def test_rules_that_do_not_apply_are_left_out(slt):
    queue = {**slt.queue, "load": None, "relief_capacity": None}
    (_, fit) = assumed(replace(slt, queue=queue, fit={**slt.fit, "over_weeks": 0})).folded
    heads = {row.head: row.cells[0] for row in fit.groups[0].rows}
    assert not any("half a year" in head or "for each first contact" in head for head in heads)
    assert heads["Kept for the longest waits first"] == "35% of first contacts"
    assert assumed(replace(slt, queue={}, fit={}, settings={}, norms=())).folded == ()


def test_many_notes_are_folded(slt):
    part = notes(replace(slt, notes=tuple(f"Note {i}." for i in range(NOTES_SHOWN + 2))))
    assert len(part.remarks) == NOTES_SHOWN
    assert part.folded[0].caption == "2 more notes"
    assert notes(replace(slt, notes=())) is None


def test_how_it_is_made_is_told_among_the_methods(slt_run):
    leads = {target.name: areas_drawn(target)[0] for target in slt_run.targets}
    assert [fact.name for fact in method(slt_run, leads)][-1] == "Speech and language"
    assert how_made(None) == ()
