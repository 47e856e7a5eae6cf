"""The `ehc` section of a config: what it becomes, and every fault at its place."""

from __future__ import annotations

import json
from datetime import date

import jsonschema
import pytest

from forecast.ehc.assumptions import Assumptions
from forecast.errors import SpecError
from jobs.config import RunConfig, json_schema, load_config, shipped_config
from jobs.ehc_assumptions import assumptions_of
from jobs.init import config_for
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
targets:
  - {name: plans, data: plans, measures: [requests], areas: [Stockport], horizon: 2}
ehc:
  data: plans
  areas: [Stockport]
  until: 2035
  profile: even
  capacity: [{from: 2025-01-01, a_month: 45}, {from: 2026-01-01, a_month: 60.5}]
  national_rule: {requests: median}
  overrides:
    - {what: refusal, from: 2025-09-01, value: 0.2, reason: panel practice}
    - {what: requests, from: 2026-09-01, to: 2030-08-31, multiply: 1.2, ages: [0, 4], reason: early years}
  tables:
    - name: places
      title: Special schools
      bands: {Infants: [4, 6], Juniors: [7, 10]}
      years: 5
      placement: special
"""
SHARES = "[0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05]"


def test_a_section_becomes_the_assumptions_it_says(tmp_path):
    section = load_config(write(tmp_path, GOOD), today=TODAY).ehc
    assert (section.data, section.areas, section.until) == ("plans", ("Stockport",), 2035)
    made = assumptions_of(section)
    listed = [(o.what, o.start, o.end, o.value, o.multiply, o.ages) for o in made.overrides]
    assert listed == [
        ("capacity", date(2025, 1, 1), None, 45.0, None, None),
        ("refusal", date(2025, 9, 1), None, 0.2, None, None),
        ("capacity", date(2026, 1, 1), None, 60.5, None, None),
        ("requests", date(2026, 9, 1), date(2030, 8, 31), None, 1.2, (0, 4)),
    ]
    assert [o.reason for o in made.overrides][1::2] == ["panel practice", "early years"]
    assert (made.capacity, made.profile, made.requests_rule) == (None, "even", "median")
    assert made.caseload_rule == Assumptions().caseload_rule
    (table,) = made.tables
    assert (table.name, dict(table.bands), table.years, table.placement) == (
        "places", {"Infants": (4, 6), "Juniors": (7, 10)}, 5, "special"
    )  # fmt: skip


def test_what_a_section_leaves_out_is_the_librarys_own(tmp_path):
    text = GOOD.partition("  profile:")[0]
    section = load_config(write(tmp_path, text), today=TODAY).ehc
    assert assumptions_of(section) == Assumptions()
    capped = load_config(write(tmp_path, f"{text}  capacity: 60\n  profile: {SHARES}\n"), today=TODAY).ehc
    made = assumptions_of(capped)
    assert (made.capacity, sum(made.profile), made.overrides) == (60.0, pytest.approx(1.0), ())


def test_the_resolved_section_is_written_as_it_is_read_and_stands_for_the_run(tmp_path):
    config = load_config(write(tmp_path, GOOD), today=TODAY)
    resolved = config.resolved()
    assert json.loads(json.dumps(resolved)) == resolved
    assert resolved["ehc"]["overrides"][1] == {
        "what": "requests", "from": "2026-09-01", "to": "2030-08-31", "value": None, "multiply": 1.2, "ages": [0, 4],
        "reason": "early years",
    }  # fmt: skip
    assert RunConfig.model_validate({**resolved, "as_of": "2024-07-01"}).resolved() == resolved
    without = load_config(write(tmp_path, GOOD.partition("ehc:\n")[0]), today=TODAY)
    assert without.ehc is None
    assert "ehc" not in without.resolved()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("data: plans\n  areas", "data: slt\n  areas",
         "10:9: ehc.data: 'slt' is not of source sen2_release, which plans are projected from; name plans"),
        ("data: plans\n  areas", "data: plan\n  areas", "10:9: ehc.data: 'plan' is not an entry*did you mean 'plans'"),
        ("[Stockport]\n  u", "[Stokport]\n  u",
         "11:11: ehc.areas[0]: 'Stokport' is not a known local authority*did you mean Stockport"),
        ("[Stockport]\n  u", "[Cumbria]\n  u", "11:11: ehc.areas[0]: Cumbria no longer exists; name the"),
        ("[Stockport]\n  u", "[Stockport, E08000007]\n  u",
         "11:22: ehc.areas[1]: 'E08000007' is the same area as areas[0]; keep one"),
        ("[Stockport]\n  u", "Stockport\n  u", "11:10: ehc.areas: must be a list, as in [a, b], or the w"),
        ("  until: 2035", "  monthly: own\n  until: 2035", "12:12: ehc.monthly: 'own' is not an entry under data"),
        ("  until: 2035", "  monthly: slt\n  until: 2035",
         "12:12: ehc.monthly: 'slt' is not a table with measure: requests and freq: MS; correct it under data or"),
        ("until: 2035", "until: 2041", "12:10: ehc.until: must be at most 2040, not 2041"),
        ("until: 2035", "until: soon", "12:10: ehc.until: must be a whole number, not 'soon'"),
        ("until: 2035", "untl: 2035", "12:3: ehc.untl: unknown key (did you mean 'until'?)"),
        ("profile: even", "profile: evn", "13:12: ehc.profile: must be one of school_days, even*mean 'even'?)"),
        ("profile: even", "profile: [1, 2]", "13:12: ehc.profile: must be 12 shares, January first, or a name, not 2"),
        ("profile: even", f"profile: {SHARES.replace('0.05]', '0.5]')}",
         "13:12: ehc.profile: 12 shares of 0 or more that sum to 1 are needed, January first. Correct them."),
        ("profile: even", f"profile: {SHARES.replace('0.05]', '-1]')}", "13:71: ehc.profile[11]: must be at least 0"),
        ("a_month: 45", "a_month: -45", "14:42: ehc.capacity[0].a_month: must be at least 0, not -45"),
        ("a_month: 45", "amonth: 45", "14:33: ehc.capacity[0].amonth: unknown key (did you mean 'a_month'?)"),
        ("2026-01-01, a", "2025-01-01, a", "14:47: ehc.capacity[1]: with ehc.capacity[0], both hold on 2025-01-01"),
        ("{from: 2025-01-01, a_month: 45}", "x", "14:14: ehc.capacity[0]: must be a block of `key: value` lines"),
        ("requests: median", "requests: medan", "15:29: ehc.national_rule.requests: 'medan' is not a rule*'median'?)"),
        ("requests: median", "caseload: x", "15:29: ehc.national_rule.caseload: 'x' is not a rule; known: "),
        ("what: refusal", "what: refusals", "17:14: ehc.overrides[0].what: must be one of refusal, *'refusal'?)"),
        ("value: 0.2", "value: 20", "17:48: ehc.overrides[0].value: value 20; a share from 0 to 1 is needed. Correct"),
        ("value: 0.2", "multiply: 11", "17:51: ehc.overrides[0].multiply: multiply 11; 0 to 10 times is allowed"),
        ("value: 0.2, ", "", "17:7: ehc.overrides[0]: exactly one of value and multiply is needed. Give one."),
        ("value: 0.2", "value: 0.2, multiply: 2", "17:7: ehc.overrides[0]: exactly one of value and multiply is need"),
        (", reason: panel practice", "", "17:7: ehc.overrides[0].reason: is needed and missing; add it"),
        ("from: 2025-09-01, v", "from: 1/9/2025, v", "17:29: ehc.overrides[0].from: must be a day written year-month"),
        ("from: 2025-09-01, v", "form: 2025-09-01, v", "17:23: ehc.overrides[0].form: unknown key (did you mean '"),
        ("from: 2025-09-01, v", "from: 2036-01-01, v",
         "17:29: ehc.overrides[0].from: 2036-01-01 is after until (2035) and would change nothing; take it out"),
        ("multiply: 1.2", "value: 50", "18:65: ehc.overrides[1].value: value 50; requests can only be multiplied. Giv"),
        ("to: 2030-08-31", "to: 2026-08-31", "18:46: ehc.overrides[1].to: it ends on 2026-08-31, before it starts. S"),
        ("ages: [0, 4], reason", "ages: [4, 0], reason", "18:79: ehc.overrides[1].ages: ages 4 to 0; ages run from 0"),
        ("ages: [0, 4], reason", "ages: [0, 44], reason", "18:83: ehc.overrides[1].ages[1]: must be at most 25, not"),
        ("ages: [0, 4], reason", "ages: [0], reason", "18:79: ehc.overrides[1].ages: must be the first and the last"),
        ("ages: [0, 4], reason", "ages: 4, reason", "18:79: ehc.overrides[1].ages: must be a list, as in [a, b], not"),
        ("ages: [0, 4], reason", "ages: [0, 1], reason",
         "18:79: ehc.overrides[1].ages: ages 0 to 1 cut through 0 to 2, which figures do not tell apart. Start or end"),
        ("placement: special", "placement: speshal", "24:18: ehc.tables[0].placement: 'speshal' is not*'special'?)"),
        ("Juniors: [7, 10]", "Juniors: [10, 7]", "22:14: ehc.tables[0].bands: ages 10 to 7; ages run from 0 to 25"),
        ("Juniors: [7, 10]", "Juniors: [7]", "22:41: ehc.tables[0].bands.Juniors: must be the first and the last age"),
        ("years: 5", "years: 0", "23:14: ehc.tables[0].years: must be at least 1, not 0"),
        ("placement: special\n", "placement: special\n    - {name: places, title: X, bands: {a: [0, 1]}, years: 1}\n",
         "25:14: ehc.tables[1].name: 'places' is also the name of tables[0]; give it its own"),
    ],
)  # fmt: skip
def test_a_fault_names_line_column_path_and_cure(tmp_path, old, new, fault):
    assert old in GOOD
    start, _, end = fault.partition("*")
    lines = faults(tmp_path, GOOD.replace(old, new, 1))
    assert [line for line in lines if line.startswith(start) and end in line], lines
    assert len(lines) == 1 or any("unknown key" in line for line in lines)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("{what: refusal, from: 2025-09-01, value: 0.3, reason: x}", "both hold on 2025-09-01 and contradict"),
        ("{what: refusal, from: 2026-09-01, value: 0.3, ages: [0, 4], reason: x}", "both hold on 2026-09-01"),
        ("{what: refusal, from: 2025-01-01, to: 2025-12-31, value: 0.3, reason: x}", "both hold on 2025-09-01"),
        ("{what: refusal, from: 2026-09-01, value: 0.3, reason: a later decision takes over}", ""),
        ("{what: refusal, from: 2025-01-01, to: 2025-08-31, value: 0.3, reason: x}", ""),
        ("{what: no_plan, from: 2025-09-01, value: 0.3, reason: x}", ""),
    ],
)
def test_overrides_that_contradict_each_other_are_refused_at_the_second(tmp_path, second, message):
    text = GOOD.replace("  tables:\n", f"    - {second}\n  tables:\n")
    if not message:
        assert len(load_config(write(tmp_path, text), today=TODAY).ehc.overrides) == 3
        return
    (line,) = faults(tmp_path, text)
    assert line.startswith("19:7: ehc.overrides[2]: with ehc.overrides[0], ")
    assert message in line


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ("", "18:46: ehc.overrides[2].to: no capacity is given from 2026-01-01 on; leave `to` out, or add one from"),
        ("    - {what: capacity, from: 2026-02-01, value: 50, reason: x}\n", "18:46: ehc.overrides[2].to: no capacity"),
        ("    - {what: capacity, from: 2026-01-01, value: 50, reason: x}\n", ""),
        ("    - {what: capacity, from: 2026-01-01, to: 2040-01-01, value: 50, reason: x}\n", ""),
    ],
)
def test_a_capacity_that_ends_is_followed_by_another(tmp_path, more, fault):
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith("  capacity")) + "\n"
    ends = "    - {what: capacity, from: 2025-01-01, to: 2025-12-31, value: 45, reason: x}\n"
    text = text.replace("  tables:\n", f"{ends}{more}  tables:\n")
    if fault:
        (line,) = faults(tmp_path, text)
        assert line.startswith(fault)
    else:
        assert load_config(write(tmp_path, text), today=TODAY).ehc is not None


@pytest.mark.parametrize(
    ("areas", "several"),
    [
        *(("[Stockport]", False), ("[Stockport, E08000007]", False), ("[Stockport, Stokport]", False)),
        *(("[Stockport, Leeds]", True), ("[North West]", True), ("[England]", True), ("all", True)),
    ],
)
@pytest.mark.parametrize("how", ["number", "dated", "override"])
def test_a_capacity_is_one_authoritys(tmp_path, areas, several, how):
    dated = "capacity: [{from: 2025-01-01, a_month: 45}, {from: 2026-01-01, a_month: 60.5}]"
    override = "    - {what: capacity, from: 2025-01-01, value: 60, reason: staff}\n  tables:\n"
    text = GOOD.replace("areas: [Stockport]\n  u", f"areas: {areas}\n  u")
    assert dated in text
    if how == "number":
        text = text.replace(dated, "capacity: 45")
    elif how == "override":
        text = text.replace(f"  {dated}\n", "").replace("  tables:\n", override)
    file = write(tmp_path, text)
    try:
        load_config(file, today=TODAY)
        said = ""
    except SpecError as error:
        said = str(error)
    place = {"number": "14:13: ehc.capacity: ", "dated": "14:13: ehc.capacity: ", "override": "18:14: ehc.overrides[2]"}
    message = "a capacity is one local authority's, and several are projected; name that one alone under areas"
    assert (message in said) == several
    assert (place[how] in said) == several


def test_own_shares_of_the_months_and_own_months_are_refused_together(tmp_path):
    entry = "  own: {source: table, path: own.csv, measure: requests, freq: MS, columns: {ds: Month, y: Requests}}\n"
    text = GOOD.replace("targets:\n", f"{entry}targets:\n").replace(
        "  profile: even\n", "  profile: even\n  monthly: own\n"
    )
    assert load_config(write(tmp_path, text), today=TODAY).ehc.monthly == "own"
    (line,) = faults(tmp_path, text.replace("profile: even", f"profile: {SHARES}"))
    assert line == "14:12: ehc.profile: monthly says how requests spread over a year too; give one of the two"


def test_one_capacity_and_a_capacity_by_date_are_refused_together(tmp_path):
    steps = "capacity: [{from: 2025-01-01, a_month: 45}, {from: 2026-01-01, a_month: 60.5}]"
    override = "    - {what: capacity, from: 2026-09-01, value: 60, reason: new staff}\n  tables:\n"
    text = GOOD.replace(steps, "capacity: 45").replace("  tables:\n", override)
    (line,) = faults(tmp_path, text)
    assert line.startswith("14:13: ehc.capacity: it is also overridden from a date; one of the two is allowed.")


def test_all_faults_of_a_section_come_at_once(tmp_path):
    text = GOOD
    for old, new in [
        ("data: plans\n  areas", "data: slt\n  areas"),
        ("[Stockport]\n  u", "[Stockprt]\n  u"),
        ("until: 2035", "until: 2055"),
        ("value: 0.2", "value: 2"),
        (", reason: early years", ""),
        ("[4, 6]", "[6, 4]"),
    ]:
        assert old in text
        text = text.replace(old, new)
    assert [line.split(": ")[1] for line in faults(tmp_path, text)] == [
        "ehc.data",
        "ehc.areas[0]",
        "ehc.until",
        "ehc.overrides[0].value",
        "ehc.overrides[1].reason",
        "ehc.tables[0].bands",
    ]


@pytest.mark.parametrize("value", ["", "5", "text", "[]", "[1, [2]]", "{a: 1}", "{a: {b: [c]}}", "{}"])
@pytest.mark.parametrize("key", [None, *"areas capacity national_rule overrides profile tables until".split()])
def test_values_of_the_wrong_kind_are_faults_not_crashes(tmp_path, key, value):
    if key is None:
        text = GOOD.partition("ehc:\n")[0] + f"ehc: {value}\n"
    else:
        lines = GOOD.partition("  profile:")[0].splitlines()
        text = "\n".join([line for line in lines if not line.startswith(f"  {key}: ")] + [f"  {key}: {value}"])
    allowed = {("national_rule", "{}"), ("overrides", "[]"), ("capacity", "5"), ("capacity", ""), ("tables", "")}
    if (key, value) in allowed:
        assert load_config(write(tmp_path, text), today=TODAY).ehc is not None
    else:
        assert all(line.split(": ")[1].startswith("ehc") for line in faults(tmp_path, text))


def test_an_empty_section_is_refused(tmp_path):
    (line,) = faults(tmp_path, GOOD.partition("ehc:\n")[0] + "ehc:\n")
    assert line == "9:5: ehc: is empty; fill the section in or take the line out"


@pytest.mark.parametrize(("old", "new"), [("until: 2035", "until: 2055"), ("value: 0.2", "vale: 0.2")])
def test_the_schema_takes_a_section_and_refuses_what_the_code_refuses(tmp_path, old, new):
    validator = jsonschema.Draft202012Validator(json_schema())
    good, bad = (
        json.loads(json.dumps(read_yaml(write(tmp_path, text)).data, default=str))
        for text in (GOOD, GOOD.replace(old, new))
    )
    assert not list(validator.iter_errors(good))
    assert not validator.is_valid(bad)


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (shipped_config("stockport").read_text(encoding="utf-8"), ("capacity:", "overrides:", "tables:")),
        (config_for("Leeds", as_of=None), ("capacity: 60", "overrides:")),
    ],
    ids=["stockport", "init"],
)
def test_the_commented_examples_load_when_their_marks_are_taken_away(tmp_path, text, keys):
    lines = text.splitlines()
    for key in keys:
        number = lines.index(f"  # {key}")
        lines[number] = f"  {key}"
        while lines[number + 1].startswith("  #   "):
            number += 1
            lines[number] = "  " + lines[number].removeprefix("  # ")
    section = load_config(write(tmp_path, "\n".join(lines)), today=TODAY).ehc
    assert section.until == 2035
    assert all(bool(getattr(section, key.partition(":")[0])) for key in keys)
    assert all(override.reason for override in section.overrides)


def test_the_example_for_all_of_england_loads_when_its_marks_are_taken_away(tmp_path):
    lines = shipped_config("england").read_text(encoding="utf-8").splitlines()
    start = lines.index("# ehc:")
    for number in range(start, start + 4):
        lines[number] = lines[number].removeprefix("# ")
    section = load_config(write(tmp_path, "\n".join(lines)), today=TODAY).ehc
    assert (section.data, section.areas, section.until) == ("ehc", "all", 2035)
