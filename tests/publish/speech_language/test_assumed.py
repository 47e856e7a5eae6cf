from dataclasses import replace

from forecast.publish.method import method
from forecast.publish.report import areas_drawn
from forecast.publish.speech_language.assumed import NOTES_SHOWN, assumed, how_made, notes
from tests.publish.speech_language.frame import NORMS


def test_norms_are_listed_with_their_sources(slt):
    table = assumed(slt).tables[-1]
    assert table.columns == ("Norm", "Figure", "Unit", "Source")
    assert len(table.groups[0].rows) == len(NORMS)
    assert table.groups[0].rows[0].cells == ("targeted 1.5; specialist 2", "hours", "made up for tests")


def test_shares_are_told_in_per_cent_and_needs_in_words(slt):
    told = {row.head: row.cells[0] for row in assumed(slt).tables[-1].groups[0].rows}
    assert told == {
        "Time of a first contact": "targeted 1.5; specialist 2",
        "Children seen who go on to treatment": "targeted 60%; specialist 0-4 80%, 5-10 100%",
        "Clinical hours a therapist has in a year": "1,000",
        "Sickness": "4%",
        "Vacancies": "10%",
        "Children taken off the list": "0-1 0.5%, 52+ 2%",
        "EHC plans with provision": "speech and language 90%, autism 40%",
    }


def test_staff_and_capacity_stand_with_their_reasons_and_the_vacancies(slt):
    table = assumed(slt).tables[0]
    assert table.caption == "Staff and capacity assumed"
    assert [(row.head, *row.cells) for row in table.groups[0].rows] == [
        ("Established posts", "1 October 2023", "22.2 WTE", "posts agreed in the budget"),
        ("Vacancies", "-", "10% of posts", "made up for tests"),
        ("First contacts a week", "1 September 2024", "26", "clinics planned"),
    ]
    given = {"from": "", "a_week": 30.0, "reason": ""}
    rows = assumed(replace(slt, staff=(), capacity=(given,), norms=())).tables[0].groups[0].rows
    assert [row.cells for row in rows] == [("-", "30", "not given")]
    fitted = assumed(replace(slt, capacity=())).tables[0].groups[0].rows
    assert [row.head for row in fitted] == ["Established posts", "Vacancies"]


def test_per_cent_is_written_one_way(slt):
    part = notes(replace(slt, notes=("A shock of 13 % a year.",)))
    assert part.remarks == ("A shock of 13% a year.",)


def test_what_was_made_up_is_named(slt):
    (said,) = assumed(slt).sentences
    assert "“the log of referrals”" in said
    assert "do not plan with it" in said
    assert assumed(replace(slt, provenance=frozenset({"published"}))).sentences == ()


def test_settings_and_the_fit_are_there_to_open(slt):
    settings, fit, rules = assumed(slt).folded
    assert {row.head: row.cells[0] for row in settings.groups[0].rows} == {
        "Model of referrals": "auto",
        "How children are booked off the list": "fitted",
        "Tiers without a waiting list": "universal",
        "Children who share first contacts": "by locality",
        "Children in treatment at the start": "as given by tier",
    }
    assert fit.caption == "What the published list shows (synthetic data)"
    assert {row.head: row.cells[0] for row in fit.groups[0].rows} == {
        "First contacts a week, observed over the last months": "23.1",
        "First contacts a week, taken from now on": "24.6",
        "Kept for the longest waits first": "35% of first contacts for those who have waited 12 weeks or more",
        "The model's list is off by, on average": "14 children",
        "Its share within 18 weeks is off by": "1.6 percentage points",
    }
    assert rules.caption == "Rules of thumb, with the referrals projected (synthetic data)"
    assert {row.head: row.cells[0] for row in rules.groups[0].rows} == {
        "Referrals a week to tiers with a list, first year": "29.1",
        "Referrals for each first contact there is capacity for": "1.08",
        "List at which the target can be held": "131 children",
        "First contacts a week to hold it there": "29.4",
        "First contacts a week to get there in half a year": "43.2",
    }


def test_rules_that_do_not_apply_are_left_out(slt):
    queue = {**slt.queue, "load": None, "relief_capacity": None}
    (_, fit, rules) = assumed(replace(slt, queue=queue, fit={**slt.fit, "over_weeks": 0})).folded
    heads = {row.head: row.cells[0] for table in (fit, rules) for row in table.groups[0].rows}
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
    told = method(slt_run, leads)[-1]
    assert told.name == "Speech and language"
    assert "Nine months are few, and they were seen while the method was made" in told.text
    assert how_made(None) == ()
