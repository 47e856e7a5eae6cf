import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import jsonschema
import pytest
from pydantic import ValidationError

from forecast.errors import SpecError
from jobs import config as config_module
from jobs.config import RunConfig, json_schema, load_config, shipped_config
from jobs.yaml_reader import read_yaml

TODAY = date(2025, 3, 1)
HEAVY = ("mlflow", "prophet", "statsmodels", "matplotlib", "numba", "click")
SHIPPED = ("stockport", "england")
GOOD = """\
name: demo
title: A demo
as_of: 2024-07-01
seed: 3
levels: [50, 80, 95]
data:
  ehc: {source: sen2_release, path: bundled}
  slt:
    source: nhs_waiting_list
    path: [january.xlsx, february.xlsx]
  own:
    source: table
    path: data/own.csv
    measure: referrals
    freq: MS
    columns: {ds: Month, y: Count}
targets:
  - name: ehc
    data: ehc
    measures: [requests, caseload]
    areas: [Stockport, England]
    horizon: 5
    origins: 4
    model: auto
    candidates: [naive, drift, theta]
    thresholds: {requests: 1000}
  - name: own
    data: own
    measures: [referrals]
    areas: all
    horizon: 12
tracking:
  uri: sqlite:///store/mlflow.db
output: {runs: out/runs, releases: out/releases}
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "demo.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def faults(folder: Path, text: str) -> list[str]:
    file = write(folder, text)
    with pytest.raises(SpecError) as caught:
        load_config(file, today=TODAY)
    lines = str(caught.value).split("\n")
    assert all(line.startswith(f"{file}:") for line in lines)
    return [line.removeprefix(f"{file}:") for line in lines]


def test_a_good_file_gives_a_frozen_spec_with_defaults(tmp_path):
    config = load_config(write(tmp_path, GOOD), today=TODAY)
    assert (config.as_of, config.seed, config.n_paths, config.levels) == (date(2024, 7, 1), 3, 1000, (50, 80, 95))
    first, second = config.targets
    assert first.areas == ("Stockport", "England")
    assert first.thresholds == {"requests": 1000.0}
    assert (second.areas, second.model, second.pool, second.origins) == ("all", "auto", "all", 6)
    assert second.candidates == ("naive", "drift", "area_growth", "theta_classical", "damped_trend")
    assert config.data["own"].provenance == "local"
    assert config.data["slt"].max_gap == 2
    assert (config.tracking.enabled, config.tracking.timeout, config.publish.after_run) == (True, 10, False)
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 4


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("title:", "titel:", "2:1: titel: unknown key (did you mean 'title'?)"),
        ("name: demo", "name: my demo", "1:7: name: 'my demo' must be letters, digits, - and _ only"),
        ("title: A demo\n", "", "1:1: title: is needed and missing; add it"),
        ("A demo", "2024-07-01", '2:8: title: must be text, not 2024-07-01; put it in quotes'),
        ("A demo", '" "', "2:8: title: '' must not be blank"),
        ("2024-07-01", "01/07/2024", "3:8: as_of: must be a day written year-month-day, as in 2024-07-01, not '01"),
        ("2024-07-01", "20240701", "3:8: as_of: must be a day written year-month-day"),
        ("2024-07-01", "", "3:7: as_of: must be a day written year-month-day, as in 2024-07-01, not nothing"),
        ("2024-07-01", "2025-03-02", "3:8: as_of: 2025-03-02 is after today (2025-03-01); give today or"),
        ("seed: 3", "seed: -1", "4:7: seed: must be at least 0, not -1"),
        ("seed: 3", "seed: true", "4:7: seed: must be a whole number, not true"),
        ("seed: 3", "n_paths: 50", "4:10: n_paths: must be at least 100, not 50"),
        ("seed: 3", "n_paths: 1e9", "4:10: n_paths: must be a whole number, not 1000000000.0"),
        ("[50, 80, 95]", "[80, 90]", "5:9: levels: must include 80 and 95; add 95"),
        ("[50, 80, 95]", "[95, 80]", "5:9: levels: must increase, as in [80, 95]"),
        ("[50, 80, 95]", "[80, 95, 100]", "5:18: levels[2]: must be at most 99, not 100"),
        ("[50, 80, 95]", "80", "5:9: levels: must be a list, as in [a, b], not 80"),
        ("sen2_release", "sen2_relase", "7:17: data.ehc.source: must be one of sen2_release, nhs_waiting_list, table"),
        ("sen2_release", "sen2_relase", "7:17: data.ehc.source: *(did you mean 'sen2_release'?)"),
        ("{source: sen2_release, path: bundled}", "{path: x}", "7:8: data.ehc.source: is needed and missing; add it"),
        ("{source: sen2_release, path: bundled}", "bundled", "7:8: data.ehc: must be a block of `key: value` lines"),
        ("path: bundled", "pth: bundled", "7:31: data.ehc.pth: unknown key (did you mean 'path'?)"),
        ("path: bundled", "path: https://example.org/a.zip", "7:37: data.ehc.path: is an address; download the file"),
        ("  slt:", "  my slt:", "8:3: data.my slt: 'my slt' must be letters, digits, - and _ only"),
        ("[january.xlsx, february.xlsx]", "[]", "10:11: data.slt.path: is empty; give at least one entry"),
        ("data/own.csv", "bundled", "13:11: data.own.path: no data is bundled for table"),
        ("measure: referrals", "measure: Referrals", "14:14: data.own.measure: 'Referrals' must be small letters"),
        ("MS\n", "MS\n    provenance: published\n", "12:5: data.own.title: is needed when provenance is published"),
        ("MS\n", "MS\n    provenance: published\n", "12:5: data.own.licence: is needed when provenance is published"),
        ("[requests, caseload]", "[timeliness_20_week]", "20:16: targets[0].measures[0]: 'timeliness_20_week' is a "
         "percentage, not a count; forecast plans_20_week_within and plans_20_week_den"),
        ("freq: MS", "freq: M", "15:11: data.own.freq: must be one of YS, QS, MS, W-MON, not 'M'"),
        ("{ds: Month, y: Count}", "{ds: Month}", "16:14: data.own.columns.y: is needed and missing; add it"),
        ("{ds: Month, y: Count}", "{dss: Month, y: Count}", "16:15: data.own.columns.dss: unknown key (did you"),
        ("freq: MS\n", "freq: MS\n    max_gap: 25\n", "16:14: data.own.max_gap: must be at most 24, not 25"),
        ("freq: MS\n", "freq: MS\n    encoding: cp1225\n", "16:15: data.own.encoding: *(did you mean 'cp1252'?)"),
        ("freq: MS\n", 'freq: MS\n    date_format: "%d/%m"\n', "16:18: data.own.date_format: '%d/%m' does not give"),
        ("freq: MS\n", 'freq: MS\n    date_format: ["%Y", "%d%d"]\n', "16:25: data.own.date_format[1]: '%d%d' does"),
        ("freq: MS\n", "freq: MS\n    provenance: public\n", "16:17: data.own.provenance: *you mean 'published'?)"),
        ("  - name: own", "  - name: ehc", "27:11: targets[1].name: 'ehc' is also the name of targets[0]; give it its"),
        ("data: ehc", "data: ech", "19:11: targets[0].data: 'ech' is not an entry under data (did you mean 'ehc'?)"),
        ("requests, caseload", "requets, caseload", "20:16: targets[0].measures[0]: *mean 'requests'?)"),
        ("measures: [referrals]", "measures: [visits]", "29:16: targets[1].measures[0]: *data.own; known: referrals"),
        ("requests, caseload", "requests, requests", "20:26: targets[0].measures[1]: 'requests' is given twice"),
        ("Stockport, England", "Stockport, stockport", "21:24: targets[0].areas[1]: 'stockport' is given twice"),
        ("Stockport, England", "356, England", '21:13: targets[0].areas[0]: must be text, not 356; put it in quotes'),
        ("areas: all", "areas: Stockport", "30:12: targets[1].areas: must be a list, as in [a, b], or the word"),
        ("horizon: 5", "horizon: 61", "22:14: targets[0].horizon: must be at most 60, not 61"),
        ("horizon: 5", "horizn: 5", "22:5: targets[0].horizn: unknown key (did you mean 'horizon'?)"),
        ("horizon: 5", "horizn: 5", "18:5: targets[0].horizon: is needed and missing; add it"),
        ("horizon: 5", "horizon:", "22:13: targets[0].horizon: is empty; must be a whole number"),
        ("origins: 4", "origins: 0", "23:14: targets[0].origins: must be at least 1, not 0"),
        ("model: auto", "model: thet", "24:12: targets[0].model: 'thet' is not a model (did you mean 'theta'?)"),
        ("model: auto", "model: ets", "24:12: targets[0].model: 'ets' is not among the candidates (naive, drift"),
        ("drift, theta]", "drit, theta]", "25:25: targets[0].candidates[1]: *mean 'drift'?)"),
        ("drift, theta]", "auto]", "25:25: targets[0].candidates[1]: auto is not one of them; take it out here"),
        ("drift, theta]", "naive]", "25:25: targets[0].candidates[1]: 'naive' is given twice; keep one"),
        ("{requests: 1000}", "{request: 1000}", "26:18: targets[0].thresholds.request: *(did you mean 'requests'?)"),
        ("{requests: 1000}", "{requests: many}", "26:28: targets[0].thresholds.requests: must be a number, not 'many'"),
        ("{requests: 1000}", "{requests: -5}", "26:28: targets[0].thresholds.requests: must be at least 0, not -5"),
        ("{requests: 1000}", "{requests: 1e999}", "26:28: targets[0].thresholds.requests: must be a finite number"),
        ("tracking:\n", "tracking:\n  enabled: maybe\n", "33:12: tracking.enabled: must be true or false, not 'maybe'"),
        ("tracking:\n", "tracking:\n  timeout: 600\n", "33:12: tracking.timeout: must be at most 60, not 600"),
        ("sqlite:///store/mlflow.db", "mlruns", "33:8: tracking.uri: must start with sqlite:///, http:// or https://"),
        ("sqlite:///store/mlflow.db", '"sqlite:///:memory:"', "33:8: tracking.uri: names no database file"),
        ("sqlite:///store/mlflow.db", "'https://'", "33:8: tracking.uri: names no server"),
        ("sqlite:///store/mlflow.db", "'http://[::1'", "33:8: tracking.uri: is not an address"),
        ("out/releases", "out/runs", "34:36: output.releases: is the folder of the runs too"),
        ("seed: 3", "publish: {after_run: NO}", '4:22: publish.after_run: NO may mean false or the word; write false'),
        ("seed: 3", "publish: {after: true}", "4:11: publish.after: unknown key (did you mean 'after_run'?)"),
    ],
)  # fmt: skip
def test_a_fault_names_line_column_path_and_cure(tmp_path, old, new, fault):
    assert old in GOOD
    start, _, end = fault.partition("*")
    lines = faults(tmp_path, GOOD.replace(old, new, 1))
    assert [line for line in lines if line.startswith(start) and end in line], lines


TOLD = """\
horizon: 12
    candidates: [naive, drift, structural]
    interventions:
      - {name: covid, kind: hold, start: 2020-03-23, end: 2021-07-19}
      - name: new_duty
        kind: step
        start: "2025-09-01"
"""


def test_interventions_are_read_and_may_lie_ahead(tmp_path):
    config = load_config(write(tmp_path, GOOD.replace("horizon: 12\n", TOLD)), today=TODAY)
    covid, duty = config.targets[1].interventions
    assert (covid.name, covid.kind, covid.start, covid.end) == ("covid", "hold", date(2020, 3, 23), date(2021, 7, 19))
    assert (duty.kind, duty.start, duty.end) == ("step", date(2025, 9, 1), None)
    assert config.targets[0].interventions == ()
    assert config.resolved()["targets"][1]["interventions"][1] == {
        "name": "new_duty", "kind": "step", "start": "2025-09-01", "end": None
    }  # fmt: skip
    moved = load_config(write(tmp_path, GOOD.replace("horizon: 12\n", TOLD.replace("07-19", "07-18"))), today=TODAY)
    assert moved.resolved() != config.resolved()
    assert RunConfig.model_validate({**config.resolved(), "as_of": "2024-07-01"}).resolved() == config.resolved()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("kind: hold", "kind: holds", "34:29: targets[1].interventions[0].kind: must be one of step, pulse, *'hold'?)"),
        ("end:", "ende:", "34:54: targets[1].interventions[0].ende: unknown key (did you mean 'end'?)"),
        ("        kind: step\n", "", "35:9: targets[1].interventions[1].kind: is needed and missing; add it"),
        ("2020-03-23", "23/03/2020", "34:42: targets[1].interventions[0].start: must be a day written year-month-day"),
        ("2021-07-19", "2020-03-22", "34:59: targets[1].interventions[0].end: 2020-03-22 is before the start, 2020-"),
        ("kind: hold", "kind: step", "34:59: targets[1].interventions[0].end: a step lasts for good; take the end out"),
        ("new_duty", "covid", "35:15: targets[1].interventions[1].name: 'covid' is also the name of interventions[0]"),
        ("new_duty", "New duty", "35:15: targets[1].interventions[1].name: 'New duty' must be small letters, digits"),
        ("new_duty", "population", "35:15: targets[1].interventions[1].name: 'population' is kept for what counts"),
        (", structural", "", "33:5: targets[1].interventions: no candidate can use them; add arima, count_regression, "
         "prophet or structural under candidates"),
    ],
)  # fmt: skip
def test_a_fault_of_an_intervention_names_its_place_and_cure(tmp_path, old, new, fault):
    assert old in TOLD
    start, _, end = fault.partition("*")
    lines = faults(tmp_path, GOOD.replace("horizon: 12\n", TOLD.replace(old, new)))
    assert [line for line in lines if line.startswith(start) and end in line], lines


@pytest.mark.parametrize("value", ["", "5", "covid", "{name: covid}", "[covid]", "[{name: [a]}]", "[[]]"])
def test_interventions_of_the_wrong_kind_are_faults_not_crashes(tmp_path, value):
    lines = faults(tmp_path, GOOD.replace("horizon: 12\n", f"horizon: 12\n    interventions: {value}\n"))
    assert all(line.split(": ")[1].startswith("targets[1].interventions") for line in lines)


def test_one_fault_makes_one_line(tmp_path):
    for old, new in [("horizon: 5", "horizon: five"), ("model: auto", "model: NO"), ("areas: all", "areas: 3")]:
        assert len(faults(tmp_path, GOOD.replace(old, new))) == 1


def test_all_faults_of_a_file_come_at_once_in_file_order(tmp_path):
    text = GOOD
    for old, new in [
        ("title: A demo", "titel: A demo"),
        ("seed: 3", "seed: 010"),
        ("path: bundled", "path: bundled, paht: x"),
        ("data: ehc", "data: ech"),
        ("horizon: 5", "horizon: 99"),
        ("naive, drift", "naive, drit"),
        ("{requests: 1000}", "{requests: 1000, requests: 2}"),
        ("horizon: 12", "horizon: &h 12"),
        ("releases: out/releases", "releases: out/runs"),
    ]:
        text = text.replace(old, new)
    places = [line.split(": ")[:2] for line in faults(tmp_path, text)]
    assert places == [
        ["1:1", "title"],
        ["2:1", "titel"],
        ["4:7", "seed"],
        ["7:46", "data.ehc.paht"],
        ["19:11", "targets[0].data"],
        ["22:14", "targets[0].horizon"],
        ["25:25", "targets[0].candidates[1]"],
        ["26:34", "targets[0].thresholds.requests"],
        ["31:14", "targets[1].horizon"],
        ["34:36", "output.releases"],
    ]


def test_wrong_kinds_of_value_everywhere_are_faults_not_crashes(tmp_path):
    for block in ("data", "targets", "tracking", "output", "publish", "levels"):
        for value in ("", "5", "text", "[]", "[1, [2]]", "{a: 1}", "{a: {b: [c]}}", "{}"):
            text = GOOD.partition("\ndata:")[0].replace("levels: [50, 80, 95]", "") + f"\n{block}: {value}\n"
            assert any(line.split(": ")[1].startswith(block) for line in faults(tmp_path, text)) or (
                block in ("tracking", "output", "publish") and value == "{}"
            )


def test_a_list_shown_where_text_belongs_is_not_printed(tmp_path):
    (line,) = faults(tmp_path, GOOD.replace("title: A demo", "title: [a, b]"))
    assert line == "2:8: title: must be text, not a list"
    (line,) = faults(tmp_path, GOOD.replace("title: A demo", f"title: {'x' * 300}"))
    assert line.startswith("2:8: title: must be at most 200 characters, not 'xxx") and len(line) < 130


@pytest.mark.parametrize(
    "tracking",
    [
        "\n  uri: https://ann:s3cret@mlflow.example.org/x\n",
        "\n  uri: postgresql://ann:s3cret@db/mlflow\n",
        "\n  uri: {a: 'https://ann:s3cret@db'}\n",
        " https://ann:s3cret@mlflow.example.org\n",
    ],
)
def test_credentials_are_refused_and_never_repeated(tmp_path, tracking):
    text = GOOD.replace("\n  uri: sqlite:///store/mlflow.db\n", tracking)
    lines = faults(tmp_path, text)
    assert len(lines) == 1
    assert "s3cret" not in lines[0]
    if "uri: https" in tracking:
        assert lines[0].startswith("33:8: tracking.uri: has a user or password in it; take them out")
        assert "MLFLOW_TRACKING_PASSWORD" in lines[0]


def test_as_of_comes_from_the_argument_then_the_file_then_today(tmp_path):
    file = write(tmp_path, GOOD)
    assert load_config(file, today=TODAY).as_of == date(2024, 7, 1)
    assert load_config(file, as_of=date(2022, 7, 1), today=TODAY).as_of == date(2022, 7, 1)
    assert load_config(write(tmp_path, GOOD.replace("as_of: 2024-07-01\n", "")), today=TODAY).as_of == TODAY
    quoted = write(tmp_path, GOOD.replace("2024-07-01", '"2024-07-01"'))
    assert load_config(quoted, today=TODAY).as_of == date(2024, 7, 1)
    with pytest.raises(SpecError, match=r"as-of 2025-03-02: is after today \(2025-03-01\)"):
        load_config(file, as_of=date(2025, 3, 2), today=TODAY)


def test_paths_are_relative_to_the_file_not_to_the_working_folder(tmp_path, monkeypatch):
    folder = tmp_path / "plans"
    folder.mkdir()
    write(folder, GOOD)
    monkeypatch.chdir(tmp_path)
    config = load_config(Path("plans/demo.yaml"), today=TODAY)
    monkeypatch.chdir(folder)
    assert config.file == folder / "demo.yaml"
    assert config.data_paths("ehc") == ()
    assert config.data_paths("slt") == (folder / "january.xlsx", folder / "february.xlsx")
    assert config.data_paths("own") == (folder / "data/own.csv",)
    assert (config.runs_dir, config.releases_dir) == (folder / "out/runs", folder / "out/releases")
    assert config.tracking_uri == f"sqlite:///{(folder / 'store/mlflow.db').as_posix()}"
    assert config.artifacts_dir == folder / "mlartifacts"


def test_resolved_has_defaults_and_paths_as_written_and_no_date(tmp_path):
    config = load_config(write(tmp_path, GOOD), today=TODAY)
    resolved = config.resolved()
    assert json.loads(json.dumps(resolved)) == resolved
    assert str(tmp_path) not in json.dumps(resolved)
    assert resolved["data"]["own"]["path"] == "data/own.csv"
    assert resolved["targets"][1]["origins"] == 6
    assert "as_of" not in resolved
    assert RunConfig.model_validate({**resolved, "as_of": "2024-07-01"}).resolved() == resolved
    later = load_config(config.file, as_of=date(2024, 8, 1), today=TODAY)
    assert later.resolved() == resolved
    assert later.file == config.file


def test_with_output_moves_results_but_not_the_identity(tmp_path, monkeypatch):
    config = load_config(write(tmp_path, GOOD), today=TODAY)
    monkeypatch.chdir(tmp_path)
    moved = config.with_output(Path("demo"))
    below = tmp_path / "demo"
    assert (moved.runs_dir, moved.releases_dir) == (below / "runs", below / "releases")
    assert moved.tracking_uri == f"sqlite:///{(below / 'mlflow.db').as_posix()}"
    assert moved.artifacts_dir == below / "mlartifacts"
    assert moved.resolved() == config.resolved()
    assert moved.data_paths("own") == config.data_paths("own")
    assert config.runs_dir == tmp_path / "out/runs"


def test_a_tracking_server_keeps_its_own_artefacts_wherever_results_go(tmp_path):
    text = GOOD.replace("sqlite:///store/mlflow.db", "https://mlflow.example.org/x")
    config = load_config(write(tmp_path, text), today=TODAY)
    for each in (config, config.with_output(tmp_path / "demo")):
        assert each.tracking_uri == "https://mlflow.example.org/x"
        assert each.artifacts_dir is None


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs_are_valid_and_written_for_the_data_of_july_2024(name):
    config = load_config(shipped_config(name), today=TODAY)
    assert config.name == name
    assert config.as_of == date(2024, 7, 1)
    assert config.targets[0].measures == ("requests", "new_plans", "caseload")
    assert config.targets[0].horizon == 5
    assert all(config.data_paths(source) == () for source in config.data)


def test_the_shipped_stockport_config_publishes_and_covers_both_services():
    config = load_config(shipped_config("stockport"), today=TODAY)
    assert config.publish.after_run
    assert [(target.name, target.areas[0], target.horizon) for target in config.targets] == [
        ("ehc", "Stockport", 5),
        ("slt", "Stockport NHS Foundation Trust", 6),
    ]


def test_every_config_that_ships_is_known_and_another_name_is_refused():
    assert {shipped_config(name).name for name in SHIPPED} == {f"{name}.yaml" for name in SHIPPED}
    assert sorted(file.stem for file in shipped_config("england").parent.glob("*.yaml")) == sorted(SHIPPED)
    with pytest.raises(SpecError, match=r"'stokport': does not ship \(did you mean 'stockport'\?\)"):
        shipped_config("stokport")


def test_configs_of_an_installed_wheel_come_first(tmp_path, monkeypatch):
    (tmp_path / "_configs").mkdir()
    (tmp_path / "_configs" / "leeds.yaml").touch()
    monkeypatch.setattr(config_module, "files", lambda package: tmp_path)
    assert shipped_config("leeds") == tmp_path / "_configs" / "leeds.yaml"


def test_the_committed_schema_is_that_of_the_code():
    committed = json.loads((shipped_config("england").parent / "config.schema.json").read_text(encoding="utf-8"))
    assert committed == json_schema(), "run: python -m jobs.config > configs/config.schema.json"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_configs_pass_the_schema(name):
    data = read_yaml(shipped_config(name)).data
    validator = jsonschema.Draft202012Validator(json_schema())
    assert not list(validator.iter_errors(json.loads(json.dumps(data, default=str))))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("horizon: 5", "horizon: 0"),
        ("title:", "titel:"),
        ("freq: MS", "freq: M"),
        ("areas: all", "areas: some"),
        ("horizon: 12", "horizon: 12\n    interventions: [{name: covid, kind: bump, start: 2020-03-23}]"),
    ],
)
def test_the_schema_refuses_what_the_code_refuses(tmp_path, old, new):
    validator = jsonschema.Draft202012Validator(json_schema())
    good = json.loads(json.dumps(read_yaml(write(tmp_path, GOOD)).data, default=str))
    bad = json.loads(json.dumps(read_yaml(write(tmp_path, GOOD.replace(old, new))).data, default=str))
    assert validator.is_valid(good)
    assert not validator.is_valid(bad)


def test_the_schema_is_printed_by_the_command_that_the_test_above_names():
    done = python("-m", "jobs.config")
    assert json.loads(done.stdout) == json_schema()


def test_loading_a_config_loads_nothing_heavy():
    code = f"""
import sys
from datetime import date
from pathlib import Path
from jobs.config import load_config, shipped_config
load_config(shipped_config("stockport"), today=date(2025, 3, 1))
print([name for name in {HEAVY} if name in sys.modules])
"""
    assert python("-c", code).stdout.strip() == "[]"


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    root = Path(config_module.__file__).parents[1]
    return subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True, check=True)
