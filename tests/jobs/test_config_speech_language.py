"""The `speech_language` section of a config: what it becomes, and every fault at its place."""

from __future__ import annotations

import json
from datetime import date

import jsonschema
import pytest

from forecast.errors import SpecError
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.clinics import Booking
from forecast.speech_language.norms import NORMS
from forecast.speech_language.service import CapacityStep, MoreCapacity
from forecast.speech_language.staff import StaffChange, StaffStep
from jobs.config import RunConfig, json_schema, load_config, shipped_config
from jobs.speech_language_service import service_of
from jobs.yaml_reader import read_yaml
from tests.jobs.test_config import faults, write

TODAY = date(2025, 3, 1)
GOOD = """\
name: demo
title: A demo
as_of: 2024-07-01
data:
  plans: {source: sen2_release, path: bundled}
  slt: {source: nhs_waiting_list, path: bundled}
  log: {source: slt_referrals, path: bundled}
targets:
  - {name: plans, data: plans, measures: [requests], areas: [Stockport], horizon: 2}
ehc: {data: plans, areas: [Stockport, Leeds], until: 2030}
speech_language:
  referrals: log
  waiting_list: slt
  provider: Stockport NHS Foundation Trust
  ehc_area: Stockport
  months: 48
  target: {within_weeks: 18, share: 0.92, by: 2027-03-31}
  bands: [1, 2, 4, 12, 18, 52]
  clinics: [locality]
  capacity: [{from: 2023-10-01, a_week: 24}, {from: 2024-10-01, a_week: 26.5}]
  booking: {share: 0.3, over_weeks: 18}
  seen_at_once: [universal]
  in_treatment: {universal: 0, targeted: 200}
  staff: [{from: 2023-10-01, wte: 20.5, reason: establishment}]
  norms:
    first_contact_hours: {value: {universal: 1, targeted: 2, specialist: {0-4: 4, 5-10: 3.5}}, source: a trial}
    treated_share: {value: 0.6, source: a trial}
    episode_weeks: {value: 26, source: a trial}
    contacts_per_episode: {value: 6, source: a trial}
    contact_hours: {value: 1.5, source: a trial}
    clinical_hours_a_year: {value: 900, source: a trial}
    sickness_rate: {value: 0.04, source: a trial}
    vacancy_rate: {value: 0.08, source: a trial}
    reneging_a_month: {value: 0.01, source: a trial}
    removal_a_month: {value: 0.01, source: a trial}
    advice_share: {value: 0.8, source: a trial}
    advice_hours: {value: 6, source: a trial}
    plan_share: {value: {slcn: 0.9, asd: 0.5}, source: a trial}
    plan_contacts_a_year: {value: 6, source: a trial}
    plan_contact_hours: {value: 2, source: a trial}
  options:
    - {name: more_staff, title: Two more, wte: [{from: 2024-09-01, more: 2}], reason: a bid}
    - name: redesign
      title: Redesign
      tiers: [{from_tier: specialist, to_tier: targeted, share: 0.2, start: 2024-09-01, delay_months: 3}]
      reason: a plan
    - {name: clear, title: Clear, booking: longest_first, capacity: [{from: 2024-09-01, more_a_week: 3}], reason: x}
"""
EHC_NORMS = [name for name, kind in NORMS.items() if kind.ehc]
PLAIN = """\
speech_language:
  waiting_list: slt
  provider: Stockport NHS Foundation Trust
  months: 48
  target: {within_weeks: 18, share: 0.92, by: 2027-03-31}
  staff: [{from: 2023-10-01, wte: 20}]
"""


def plain(text: str = GOOD) -> str:
    """Return a config whose section says no more than it must."""
    head = text.partition("speech_language:")[0].replace("  log: {source: slt_referrals, path: bundled}\n", "")
    norms = text[text.index("  norms:") : text.index("    advice_share")]
    return head + PLAIN + norms


def test_a_section_becomes_the_service_it_says(tmp_path):
    section = load_config(write(tmp_path, GOOD), today=TODAY).speech_language
    named = (section.referrals, section.waiting_list, section.ehc_area, section.months)
    assert named == ("log", "slt", "Stockport", 48)
    made = service_of(section)
    assert made.staff == (StaffStep(date(2023, 10, 1), 20.5, "establishment"),)
    assert (made.target.within_weeks, made.target.share, made.target.by) == (18, 0.92, date(2027, 3, 31))
    assert (made.bands, made.clinics, made.seen_at_once) == (WaitBands(), ("locality",), ("universal",))
    assert made.capacity == tuple(
        CapacityStep(start=day, a_week=a_week, reason="first contacts that can be given a week")
        for day, a_week in ((date(2023, 10, 1), 24.0), (date(2024, 10, 1), 26.5))
    )
    assert made.booking == Booking(share=0.3, over_weeks=18)
    assert dict(made.in_treatment) == {"universal": 0.0, "targeted": 200.0}
    assert made.norms.each["first_contact_hours"].value["specialist"] == {"0-4": 4.0, "5-10": 3.5}
    assert made.norms.each["plan_share"].value == {"slcn": 0.9, "asd": 0.5}
    assert {norm.source for norm in made.norms.each.values()} == {"a trial"}
    staff, redesign, clear = made.options
    assert (staff.name, staff.title, staff.reason) == ("more_staff", "Two more", "a bid")
    assert staff.wte == (StaffChange(date(2024, 9, 1), 2.0),)
    (move,) = redesign.tiers
    assert (move.from_tier, move.to_tier, move.share, move.start) == ("specialist", "targeted", 0.2, date(2024, 9, 1))
    assert (move.delay_months, move.build_up_months, move.localities, move.age_bands) == (3, 0, (), ())
    assert (clear.booking, clear.capacity) == (Booking(), (MoreCapacity(start=date(2024, 9, 1), more_a_week=3.0),))


def test_what_a_section_leaves_out_is_fitted_or_one_clinic(tmp_path):
    section = load_config(write(tmp_path, plain()), today=TODAY).speech_language
    made = service_of(section)
    assert (section.referrals, section.ehc_area, section.model) == (None, None, "auto")
    assert (made.capacity, made.booking, made.clinics, made.seen_at_once) == ("fitted", "fitted", (), ())
    assert (made.bands, made.in_treatment, made.options) == (WaitBands(), None, ())
    assert set(made.norms.each) == set(NORMS) - set(EHC_NORMS)


@pytest.mark.parametrize(
    ("line", "capacity", "booking"),
    [
        ("capacity: 24", 24.0, "fitted"),
        ("capacity: fitted", "fitted", "fitted"),
        ("booking: longest_first", "fitted", Booking()),
        ("booking: fitted", "fitted", "fitted"),
    ],
)
def test_capacity_and_booking_can_be_words_or_a_number(tmp_path, line, capacity, booking):
    section = load_config(write(tmp_path, f"{plain()}  {line}\n"), today=TODAY).speech_language
    made = service_of(section)
    assert (made.capacity, made.booking) == (capacity, booking)


def test_the_resolved_section_is_written_as_it_is_read_and_stands_for_the_run(tmp_path):
    config = load_config(write(tmp_path, GOOD), today=TODAY)
    resolved = config.resolved()
    assert json.loads(json.dumps(resolved)) == resolved
    section = resolved["speech_language"]
    assert section["staff"] == [{"from": "2023-10-01", "wte": 20.5, "reason": "establishment"}]
    assert section["options"][0]["wte"] == [{"from": "2024-09-01", "more": 2.0}]
    assert RunConfig.model_validate({**resolved, "as_of": "2024-07-01"}).resolved() == resolved
    without = GOOD.partition("speech_language:")[0].replace("  log: {source: slt_referrals, path: bundled}\n", "")
    loaded = load_config(write(tmp_path, without), today=TODAY)
    assert loaded.speech_language is None
    assert "speech_language" not in loaded.resolved()


@pytest.mark.parametrize("ehc", [True, False])
def test_missing_norms_are_listed_each_with_what_it_is_and_why_there_is_no_default(tmp_path, ehc):
    text = GOOD if ehc else GOOD.replace("  ehc_area: Stockport\n", "")
    start, stop = text.index("  norms:"), text.index("  options:")
    wanted = [name for name, kind in NORMS.items() if ehc or not kind.ehc]
    without = text[:start] + text[stop:]
    lines = faults(tmp_path, without)
    first = lines[0]
    assert f"{len(wanted)} of {len(wanted)} are missing. There is no default: no published norm was found" in first
    assert sorted(line.split(": ")[1] for line in lines) == sorted(f"speech_language.norms.{name}" for name in wanted)
    assert sum("There is no default" in line for line in lines) == 1
    assert all(f"is missing: {NORMS[line.split(': ')[1].split('.')[-1]].what}" in line for line in lines)


def test_one_missing_norm_is_named_alone(tmp_path):
    text = GOOD.replace("    contact_hours: {value: 1.5, source: a trial}\n", "")
    (line,) = faults(tmp_path, text)
    assert "(hours). 1 of 15 is missing. There is no default" in line
    assert "speech_language.norms.contact_hours: is missing: working hours that one treatment contact takes" in line


A_LOG = "{source: slt_referrals, path: bundled}"
SHARE = "{value: 0.6, source: a trial}"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("  log: {source", "  lg: {source", "referrals: 'log' is not an entry under data (did you mean 'lg'?)"),
        ("referrals: log", "referrals: slt", "referrals: 'slt' is not of source slt_referrals, which *; name log"),
        ("  referrals: log\n", "", "data.log: is read for speech_language alone; name it there under referrals, or"),
        ("g_list: slt", "g_list: plans", "waiting_list: 'plans' is not of source nhs_waiting_list*; name slt"),
        ("data: plans, m", "data: log, m", "targets[0].data: 'log' is read for speech_language alone; give counts as"),
        (A_LOG, A_LOG.replace("}", ", provenance: local}"), "data.log.provenance: the bundled referrals are synthetic"),
        (A_LOG, A_LOG.replace("bundled", "a.csv, provenance: published"), "data.log.title: is needed when provenance"),
        (A_LOG, A_LOG.replace("bundled", "a.csv, columns: {mnth: M}"), "data.log.columns.mnth: unknown key (did you m"),
        (A_LOG, A_LOG.replace("bundled", "https://example.org/a.csv"), "data.log.path: is an address; download"),
        ("ehc_area: Stockport", "ehc_area: Stokport", "ehc_area: 'Stokport' is not a known local auth*mean Stockport"),
        ("ehc_area: Stockport", "ehc_area: Bury", "ehc_area: 'Bury' is not among the areas of the ehc section; add it"),
        ("ehc: {data: plans, areas: [Stockport, Leeds], until: 2030}\n", "", "ehc_area: there is no ehc section to"),
        ("months: 48", "months: 0", "months: must be at least 1, not 0"),
        ("months: 48", "month: 48", "month: unknown key (did you mean 'months'?)"),
        ("months: 48", "months: 48\n  model: drft", "model: 'drft' is not a model (did you mean 'drift'?)"),
        ("share: 0.92", "share: 92", "target.share: must be at most 1, not 92"),
        ("share: 0.92", "share: 1", "target: above 0 and below 1 is needed, as 0.92. Correct it."),
        ("within_weeks: 18", "weeks: 18", "target.weeks: unknown key; known: within_weeks, share, by"),
        ("by: 2027-03-31", "by: 31/03/2027", "target.by: must be a day written year-month-day"),
        ("bands: [1, 2, 4", "bands: [2, 1, 4", "bands: the edges are whole weeks from 1 to 104, each above the one"),
        ("bands: [1, 2, 4", "bands: [1, 2.5, 4", "bands[1]: must be a whole number"),
        ("clinics: [locality]", "clinics: [town]", "clinics[0]: must be one of locality, age_band, tier, not 'town'"),
        ("clinics: [locality]", "clinics: [tier, tier]", "clinics[1]: 'tier' is given twice; keep one"),
        ("a_week: 24}", "a_week: -24}", "capacity[0].a_week: must be at least 0, not -24"),
        ("2024-10-01, a", "2023-10-01, a", "capacity[1].from: 2023-10-01 is also the first day of capacity[0]; k"),
        ("booking: {share: 0.3", "booking: {share: 1.3", "booking.share: must be at most 1, not 1.3"),
        ("over_weeks: 18}", "over_week: 18}", "booking.over_week: unknown key (did you mean 'over_weeks'?)"),
        ("once: [universal]", "once: universal", "seen_at_once: must be a list, as in [a, b], not 'universal'"),
        ("targeted: 200}", "targeted: -200}", "in_treatment.targeted: must be at least 0, not -200"),
        ("wte: 20.5", "wte: -20.5", "staff[0].wte: must be at least 0, not -20.5"),
        ("staff: [{from: 2", "staff: [{start: 2", "staff[0].start: unknown key; known: from, wte, reason"),
        (SHARE, "{value: 1.6, source: a trial}", "norms.treated_share.value: 1.6 cannot be; share of children*0 or"),
        (SHARE, "{value: 0.6}", "norms.treated_share.source: is needed and missing; add it"),
        (SHARE, '{value: 0.6, source: "?"}', "norms.treated_share.source: source '?' says nothing. Say in words where"),
        (SHARE, "0.6", "norms.treated_share: must be a block of `key: value` lines"),
        (SHARE, "{value: high, source: a trial}", "norms.treated_share.value: must be a number, not 'high'"),
        (SHARE, "{valu: 0.6, source: a trial}", "norms.treated_share.valu: unknown key (did you mean 'value'?)"),
        ("targeted: 2,", "targeted: -2,", "norms.first_contact_hours.value.targeted: -2 cannot be; working hours"),
        ("0-4: 4,", "0-4: 44,", "norms.first_contact_hours.value.specialist.0-4: 44 cannot be; working hours that"),
        ("{value: 900,", "{value: {targeted: 900},", "norms.clinical_hours_a_year.value: *a number is needed"),
        ("slcn: 0.9, ", "", "norms.plan_share.value: *a number for each of slcn and asd is needed"),
        ("    sickn", "    sicknes_rate: {value: 1, source: x}\n    sickn", "norms.sicknes_rate: not known; *mean"),
        ("name: redesign", "name: more_staff", "options[1].name: 'more_staff' is also the name of options[0]; give"),
        ("name: redesign", "name: as_now", "options[1].name: 'as_now' is the service without any option; give"),
        ("title: Redesign", "title: two  more", "options[1].title: 'two  more' is also the title of options[0]; give"),
        ("title: Clear", "title: As it is", "options[2].title: 'As it is' is the title of the service without any opt"),
        ("wte: [{from: 2024-09-01, more: 2}], ", "", "options[0]: it changes nothing. Give wte, capacity, tiers or bo"),
        ("more: 2}]", "mre: 2}]", "options[0].wte[0].mre: unknown key (did you mean 'more'?)"),
        ("more: 2}]", "more: 2}, {from: 2024-09-01, more: 3}]", "options[0].wte[1].from: 2024-09-01 is also the first"),
        (", reason: a bid", "", "options[0].reason: is needed and missing; add it"),
        ("to_tier: targeted", "to_tier: specialist", "options[1].tiers[0]: both tiers are the same. Name two."),
        ("share: 0.2, start", "share: 0, start", "options[1].tiers[0].share: share 0; above 0 and at most 1 is needed"),
        ("from_tier: spec", "from: spec", "options[1].tiers[0].from: unknown key (did you mean 'from_tier'?)"),
        ("more_a_week: 3}", "more_a_week: 3, to: 2024-08-31}", "options[2].capacity[0].to: it ends on 2024-08-31, bef"),
        ("more_a_week: 3}", "more_a_week: 0}", "options[2].capacity[0]: a number other than 0 is needed"),
        ("booking: longest_first", "booking: fitted", "options[2].booking: must be longest_first, or a block such as"),
    ],
)  # fmt: skip
def test_a_fault_names_line_path_and_cure(tmp_path, old, new, fault):
    assert old in GOOD
    path, _, message = fault.partition(": ")
    path = path if path.startswith(("data", "targets")) else f"speech_language.{path}"
    start, _, end = message.partition("*")
    said = [line.split(":", 3) for line in faults(tmp_path, GOOD.replace(old, new, 1))]
    found = [int(line) for line, _, where, why in said if where.strip() == path and start in why and end in why]
    assert found, said
    assert len(said) == 1 or any("unknown key" in why or "missing" in why or "data.l" in path for *_, path, why in said)
    if new and "log" not in path and path != "speech_language.referrals":
        first = GOOD[: GOOD.index(old)].count("\n") + 1
        assert first <= found[0] <= first + new.count("\n")


def test_a_fault_names_the_column_too(tmp_path):
    text = GOOD.replace("more_a_week: 3}", "more_a_week: 3, to: 2024-08-31}")
    (said,) = faults(tmp_path, text)
    line, column = map(int, said.split(":")[:2])
    assert text.splitlines()[line - 1][column - 1 :].startswith("2024-08-31}")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("capacity: fited", "capacity: must be fitted, or a number or a list with the day each*, not 'fited'"),
        (
            "booking: shortest_first",
            "booking: must be fitted or longest_first, or a block such as*not 'shortest_first'",
        ),
    ],
)
def test_a_wrong_word_is_told_with_the_right_ones(tmp_path, line, fault):
    (said,) = faults(tmp_path, f"{plain()}  {line}\n")
    start, _, end = fault.partition("*")
    assert f"speech_language.{start}" in said
    assert said.endswith(end)


def test_all_faults_of_a_section_come_at_once(tmp_path):
    text = GOOD
    for old, new in [
        ("waiting_list: slt", "waiting_list: plans"),
        ("months: 48", "months: many"),
        ("a_week: 24}", "a_week: x}"),
        ("{value: 0.04,", "{value: 4,"),
        ("    contact_hours: {value: 1.5, source: a trial}\n", ""),
        ("share: 0.2, start", "share: 0, start"),
        ("name: clear", "name: redesign"),
    ]:
        assert old in text
        text = text.replace(old, new)
    assert [line.split(": ")[1].removeprefix("speech_language.") for line in faults(tmp_path, text)] == [
        "waiting_list",
        "months",
        "capacity[0].a_week",
        "norms.contact_hours",
        "norms.sickness_rate.value",
        "options[1].tiers[0].share",
        "options[2].name",
    ]


@pytest.mark.parametrize("value", ["", "5", "text", "[]", "[1, [2]]", "{a: 1}", "{a: {b: [c]}}", "{}"])
@pytest.mark.parametrize(
    "key",
    [None, *"referrals ehc_area target bands clinics capacity booking seen_at_once in_treatment staff options".split()],
)
def test_values_of_the_wrong_kind_are_faults_not_crashes(tmp_path, key, value):
    if key is None:
        text = plain().partition("speech_language:")[0] + f"speech_language: {value}\n"
    else:
        lines = [line for line in plain().splitlines() if not line.startswith(f"  {key}: ")]
        text = "\n".join([*lines, f"  {key}: {value}"])
    allowed = {
        *((key, "") for key in ("referrals", "ehc_area", "bands", "in_treatment")),
        *((key, "[]") for key in ("clinics", "seen_at_once", "options")),
        *{("capacity", "5"), ("in_treatment", "{a: 1}"), ("in_treatment", "{}")},
    }
    if (key, value) in allowed:
        assert load_config(write(tmp_path, text), today=TODAY).speech_language is not None
    else:
        assert all(line.split(": ")[1].startswith("speech_language") for line in faults(tmp_path, text))


@pytest.mark.parametrize("value", ["", "-5", "text", "[]", "[1, [2]]", "{a: -1}", "{a: {b: [c]}}"])
@pytest.mark.parametrize("what", ["norms", "norm", "value"])
def test_norms_of_the_wrong_kind_are_faults_not_crashes(tmp_path, what, value):
    text = {
        "norms": GOOD[: GOOD.index("  norms:")] + f"  norms: {value}\n",
        "norm": GOOD.replace(SHARE, value),
        "value": GOOD.replace(SHARE, f"{{value: {value}, source: a trial}}"),
    }[what]
    assert all(line.split(": ")[1].startswith("speech_language.norms") for line in faults(tmp_path, text))


def test_an_empty_section_is_refused(tmp_path):
    text = plain().partition("speech_language:")[0] + "speech_language:\n"
    found = faults(tmp_path, text)
    assert any("speech_language: is empty; fill the section in or take the line out" in line for line in found)


@pytest.mark.parametrize(
    ("old", "new"), [("months: 48", "months: 480"), ("more: 2}", "mre: 2}"), ("value: 26", "val: 26")]
)
def test_the_schema_takes_a_section_and_refuses_what_the_code_refuses(tmp_path, old, new):
    validator = jsonschema.Draft202012Validator(json_schema())
    good, bad = (
        json.loads(json.dumps(read_yaml(write(tmp_path, text)).data, default=str))
        for text in (GOOD, GOOD.replace(old, new))
    )
    assert not list(validator.iter_errors(good))
    assert not validator.is_valid(bad)


def test_the_norms_of_the_shipped_config_say_that_they_are_no_norms():
    section = load_config(shipped_config("stockport"), today=TODAY).speech_language
    assert set(section.norms) == set(NORMS)
    said = "illustration for this demonstration, not a norm: put your own service's figure here"
    assert {norm.source for norm in section.norms.values()} == {said}
    assert all("illustration" in step.reason for step in section.staff)
    assert [option.name for option in section.options] == ["more_staff", "redesign", "clear_the_list"]


def test_the_commented_examples_of_the_shipped_config_load_when_their_marks_are_taken_away(tmp_path):
    text = shipped_config("stockport").read_text(encoding="utf-8")
    for line in (
        "  # bands: [1, 2, 4, 12, 18, 52]",
        "  # in_treatment: {universal: 20, targeted: 120, specialist: 300}",
        "  #   capacity: [{from: 2023-10-01, a_week: 15}, {from: 2024-09-01, a_week: 17, reason: two posts filled}]",
    ):
        assert f"{line}\n" in text
        text = text.replace(f"{line}\n", f"  {line.removeprefix('  #').strip()}\n")
    text = text.replace("  capacity: fitted\n", "")
    bands = "{0-1: 0, 1-2: 0.01, 2-4: 0.01, 4-12: 0.02, 12-18: 0.02, 18-52: 0.03, 52+: 0.03}"
    assert bands in text
    text = text.replace("    reneging_a_month:\n      value: 0.01\n", f"    reneging_a_month:\n      value: {bands}\n")
    for words in ("{share: 0.3, over_weeks: 18}.", "fitted, longest_first"):
        assert words in text
    text = text.replace("  booking: fitted\n", "  booking: {share: 0.3, over_weeks: 18}\n")
    section = load_config(write(tmp_path, text), today=TODAY).speech_language
    assert (section.bands, len(section.capacity), section.booking.share) == ((1, 2, 4, 12, 18, 52), 2, 0.3)
    assert section.in_treatment == {"universal": 20.0, "targeted": 120.0, "specialist": 300.0}
    assert section.norms["reneging_a_month"].value["52+"] == 0.03


def test_an_ehc_area_is_compared_with_the_areas_that_can_be_read(tmp_path):
    found = faults(tmp_path, GOOD.replace("areas: [Stockport, Leeds]", "areas: [Stokport, Leeds]"))
    assert [line.split(": ")[1] for line in found] == ["ehc.areas[0]", "speech_language.ehc_area"]
    assert "'Stockport' is not among the areas of the ehc section; add it there (did you mean 'Stokport'?)" in found[1]


def test_what_only_the_whole_service_shows_is_told_at_the_section(tmp_path, monkeypatch):
    def refuse(section):
        raise SpecError("service: these two contradict each other. Correct one.")

    monkeypatch.setattr("jobs.config_speech_language_checks.service_of", refuse)
    (line,) = faults(tmp_path, GOOD)
    assert line == "12:3: speech_language: these two contradict each other. Correct one."
