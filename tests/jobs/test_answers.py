"""What `--json` prints is pure JSON that fits the committed schema."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jobs.answers import json_schema
from jobs.config import shipped_config
from tests.jobs.samples import forecast, referrals

COMMANDS = ("run", "publish", "validate", "status", "evaluate", "compare", "models", "init")


def schema_of(command: str) -> dict[str, Any]:
    """Schema of the answers of one command, by the value of `command`."""
    whole: Any = json_schema()
    (name,) = (name for name, part in whole["$defs"].items() if _command_of(part) == command)
    return {"$ref": f"#/$defs/{name}", "$defs": whole["$defs"]}


def _command_of(part: dict[str, Any]) -> object:
    return part["properties"].get("command", {}).get("const")


def answer_of(command: str, *args: object, code: int = 0) -> Any:
    """Run a command with --json; return what it answers."""
    result = forecast(command, *args, "--json")
    assert result.exit_code == code, result.output
    answer = json.loads(result.stdout)
    jsonschema.Draft202012Validator(schema_of(command)).validate(answer)
    jsonschema.Draft202012Validator(json_schema()).validate(answer)
    assert answer["command"] == command
    return answer


def test_the_committed_schema_is_that_of_the_code() -> None:
    committed = (shipped_config("england").parent / "answers.schema.json").read_text(encoding="utf-8")
    assert json.loads(committed) == json_schema(), "run: python -m jobs.answers > configs/answers.schema.json"


def test_the_schema_is_printed_by_the_command_that_the_test_above_names() -> None:
    done = subprocess.run([sys.executable, "-m", "jobs.answers"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json_schema()


def test_every_command_has_a_schema_and_no_other_has() -> None:
    from jobs.cli import main

    assert set(main.commands) == set(COMMANDS)
    jsonschema.Draft202012Validator.check_schema(json_schema())
    for command in COMMANDS:
        assert schema_of(command)


def test_the_schema_refuses_another_answer() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    good = {"command": "init", "path": "leeds.yaml", "written": True}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "command": "run"})
    assert not validator.is_valid({**good, "more": 1})
    assert not validator.is_valid({"command": "init", "path": "leeds.yaml"})


def test_run(job: Path) -> None:
    standing = answer_of("run", "-c", job / "job.yaml")
    assert (standing["new"], standing["status"], standing["failed"]) == (False, "ok", [])
    (job / "referrals.csv").write_text(referrals(29), encoding="utf-8")
    planned = answer_of("run", "-c", job / "job.yaml", "--dry-run")
    assert (planned["status"], planned["new"], planned["release"]) == ("planned", True, None)
    made = answer_of("run", "-c", job / "job.yaml")
    assert (made["status"], made["new"], made["tracking"]) == ("ok", True, "off")
    assert made["run_id"] == planned["run_id"] != standing["run_id"]
    assert set(made["seconds"]) == {"read", "check", "evaluate", "forecast"}
    assert Path(made["folder"]).is_dir()


def test_run_that_publishes(job: Path) -> None:
    (job / "job.yaml").write_text(
        (job / "job.yaml").read_text(encoding="utf-8").replace("horizon: 3", "horizon: 2")
        + "publish: {after_run: true}\n",
        encoding="utf-8",
    )
    made = answer_of("run", "-c", job / "job.yaml")
    assert made["release"]["status"] == "published"
    assert Path(made["release"]["page"]).is_file()


def test_publish(job: Path) -> None:
    assert answer_of("publish", "-c", job / "job.yaml")["status"] == "unchanged"
    assert answer_of("publish", "-c", job / "job.yaml", "--dry-run")["status"] == "unchanged"


def test_validate(job: Path) -> None:
    good = answer_of("validate", "-c", job / "job.yaml")
    assert (good["valid"], good["figures"], good["series"]) == (True, {"own": 90}, 3)
    (job / "referrals.csv").write_bytes(b"")
    bad = answer_of("validate", "-c", job / "job.yaml", code=4)
    assert (bad["valid"], len(bad["faults"]), bad["figures"]) == (False, 1, {})
    (job / "job.yaml").write_text("name: no!\nseed: x\n", encoding="utf-8")
    assert len(answer_of("validate", "-c", job / "job.yaml", code=2)["faults"]) > 2


def test_status(job: Path, tmp_path: Path) -> None:
    stands = answer_of("status", "-c", job / "job.yaml")
    assert stands["as_of"] == "2024-07-01"
    assert Path(stands["page"]).is_file()
    assert answer_of("status", "-c", job / "job.yaml", "--max-age", "1", code=7)["stale"]
    nothing = answer_of("status", "-c", job / "job.yaml", "--output", tmp_path / "elsewhere")
    assert {name for name, value in nothing.items() if value is None} == {
        *("run_id", "as_of", "created", "run_status", "release_id", "page", "age_days")
    }


def test_evaluate_and_compare(job: Path) -> None:
    scores = answer_of("evaluate", "-c", job / "job.yaml")["scores"]
    assert {row["model"] for row in scores} == {"auto", "naive", "drift"}
    measured = {row["horizon"] for row in scores if row["wape"] is not None}
    assert measured == {1}
    rows = answer_of("compare", "-c", job / "job.yaml", "--reference", "drift")["comparisons"]
    assert {row["model"] for row in rows} == {"auto", "naive"}
    assert {row["verdict"] for row in rows if row["horizon"] == 3} == {"not measured"}


def test_nothing_to_evaluate_is_an_empty_list(job: Path) -> None:
    (job / "referrals.csv").write_text(referrals(2), encoding="utf-8")
    assert answer_of("run", "-c", job / "job.yaml")["status"] == "ok"
    assert answer_of("evaluate", "-c", job / "job.yaml")["scores"] == []
    assert answer_of("compare", "-c", job / "job.yaml")["comparisons"] == []


def test_models() -> None:
    listed = {row["name"]: row for row in answer_of("models")["models"]}
    assert {"naive", "drift", "area_growth", "theta", "ets", "arima", "prophet"} <= set(listed)
    assert listed["area_growth"]["pooled"]
    assert listed["prophet"]["slow"]


def test_init(tmp_path: Path) -> None:
    assert answer_of("init", "Leeds", "--folder", tmp_path, "--dry-run")["written"] is False
    written = answer_of("init", "Leeds", "--folder", tmp_path)
    assert Path(written["path"]).is_file()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in ("models", "init", "validate")])
def test_an_error_leaves_stdout_empty(command: str, tmp_path: Path) -> None:
    result = forecast(command, "-c", tmp_path / "none.yaml", "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: config ")
