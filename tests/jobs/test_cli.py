"""The command line: exit codes, what is said where, and what is left alone."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import NoReturn

import click
import pandas as pd
import pytest
from filelock import FileLock

from forecast.models.drift import Drift
from jobs.cli import main
from jobs.shell import named_again
from tests.jobs.samples import JOB, errors, forecast, plain_charts, referrals, standing_release, tree, write_job
from tests.run_folder import write_run

HEAVY = ("mlflow", "prophet", "statsmodels", "matplotlib", "numba", "pandas", "numpy", "pydantic", "forecast", "yaml")


def _broken(*_: object, **__: object) -> NoReturn:
    raise ZeroDivisionError("a fit\nthat fails")


def _next(stdout: str) -> list[str]:
    """Words of the command that the last line names."""
    last = stdout.splitlines()[-1]
    assert last.startswith("next: forecast ")
    return shlex.split(last.removeprefix("next: forecast "))


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom jobs.cli import main\ntry:\n    main(['--help'])\n"
        f"except SystemExit as end:\n    print(end.code, [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"
    assert "Forecast demand for EHC plans" in done.stdout


def test_the_probe_sees_what_a_command_loads(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom jobs.cli import main\ntry:\n    main(['models'])\n"
        f"except SystemExit as end:\n    print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "'pandas'" in done.stdout
    assert "'mlflow'" not in done.stdout


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command: str) -> None:
    result = forecast(command, "--help")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) > 4


def test_no_command_shows_the_help() -> None:
    result = forecast()
    assert result.exit_code == 2
    assert "Commands:" in result.output


# Doing it, as the last lines say


def test_the_last_lines_lead_from_an_init_to_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a job").mkdir()
    config = write_job(tmp_path / "a job")
    shown = config.relative_to(tmp_path)
    words = ["validate", "-c", str(shown), "--as-of", "2023-05-01"]
    said = []
    with plain_charts():
        for _ in range(6):
            result = forecast(*words)
            assert result.exit_code == 0, result.output
            said.append(words[0])
            words = _next(result.stdout)
    assert said == ["validate", "run", "publish", "status", "run", "publish"]
    assert pd.read_parquet(next((tmp_path / "a job" / "runs").glob("*/history.parquet")))["ds"].max() <= pd.Timestamp(
        "2023-07-01"
    )


def test_evaluate_leads_to_compare_and_compare_to_publish(job: Path) -> None:
    evaluated = forecast("evaluate", "-c", job / "job.yaml")
    assert "not measured" in evaluated.stdout
    first, header, *_ = evaluated.stdout.splitlines()
    assert first == "models on the past forecasts they share"
    for heading in ("WAPE %", "bias %", "MASE", "coverage_80 %", "coverage_95 %"):
        assert heading in header
    compared = forecast(*_next(evaluated.stdout))
    assert "in percentage points of WAPE" in compared.stdout
    published = forecast(*_next(compared.stdout))
    assert "is published already" in published.stdout
    assert _next(forecast("models").stdout) == ["init", "LA"]


def test_evaluate_sets_models_side_by_side_on_the_forecasts_they_share(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Theta did not answer at the origin at which the others missed by 90 %, prophet answered at two."""
    scores = pd.read_parquet(write_run(tmp_path / "made") / "scores.parquet")
    first, late = scores["origin"].eq("2017-01-01"), scores["origin"].ge("2021-01-01")
    scores["abs_error"] = scores["abs_error"].mask(first, 900.0)
    answered = ~(scores["model"].eq("theta") & first) & (scores["model"].ne("prophet") | late)
    monkeypatch.setattr("jobs.results.read_scores", lambda _: scores[answered])

    def found(*options: str) -> dict[str, tuple[float | None, int]]:
        answer = json.loads(forecast("evaluate", "-c", job / "job.yaml", "--json", *options).stdout)
        assert answer["cells"] == ("all" if options else "common")
        place = ("requests", "local_authority", 1)
        rows = [r for r in answer["scores"] if (r["measure"], r["geographic_level"], r["horizon"]) == place]
        return {row["model"]: (row["wape"] and round(row["wape"], 4), row["n_origins"]) for row in rows}

    shared, own = found(), found("--all-cells")
    # The scores hold ten per cent for auto, sixteen for theta; with the bad origin (5 x 0.10 + 0.90) / 6.
    assert (shared["auto"], shared["theta"]) == ((0.1, 5), (0.16, 5))
    assert (own["auto"], own["theta"]) == ((round(1.4 / 6, 4), 6), (0.16, 5))
    assert shared["prophet"] == own["prophet"] == (None, 2)
    assert (
        "each model on all of its past forecasts" in forecast("evaluate", "-c", job / "job.yaml", "--all-cells").stdout
    )


def test_a_second_run_is_a_no_op_that_says_so(job: Path) -> None:
    before = tree(job)
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 0
    assert "is there already: nothing new, nothing done" in result.stdout
    assert "evaluate: " not in result.stderr
    assert tree(job) == before


def test_a_run_that_stood_already_is_named_for_publish(job: Path) -> None:
    config = job / "job.yaml"
    older = forecast("run", "-c", config, "--as-of", "2023-05-01").stdout.split()[1]
    assert _next(forecast("run", "-c", config, "--as-of", "2023-05-01").stdout)[-2:] == ["--run", older]
    newest = forecast("run", "-c", config).stdout.split()[1]
    assert newest != older
    published = forecast("publish", "-c", config, "--run", newest)
    assert "is published already" in published.stdout


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["run", "--as-of", "2023-05-01"], id="run"),
        pytest.param(["run"], id="run that stands"),
        pytest.param(["publish"], id="publish"),
        pytest.param(["init", "Leeds", "--folder", "{job}"], id="init"),
    ],
)
def test_a_dry_run_writes_nothing(job: Path, words: list[str]) -> None:
    before = tree(job)
    config = [] if words[0] == "init" else ["-c", str(job / "job.yaml")]
    result = forecast(*(word.format(job=job) for word in words), *config, "--dry-run")
    assert result.exit_code == 0, result.output
    assert tree(job) == before
    following = _next(result.stdout)
    assert ("--as-of" in following) == ("--as-of" in words)


def test_a_dry_run_makes_no_folder_either(tmp_path: Path) -> None:
    config = write_job(tmp_path)
    result = forecast("run", "-c", config, "--dry-run")
    assert "would make this run" in result.stdout
    assert forecast("validate", "-c", config).exit_code == 0
    assert forecast("status", "-c", config).stdout.splitlines()[:2] == ["run: none", "release: none"]
    assert set(tree(tmp_path)) == {"job.yaml", "referrals.csv"}


def test_a_dry_run_of_publish_says_what_would_be(job: Path) -> None:
    shutil.rmtree(job / "releases")
    result = forecast("publish", "-c", job / "job.yaml", "--dry-run")
    assert "would be published as" in result.stdout
    assert not (job / "releases").exists()


def test_output_puts_everything_elsewhere(job: Path, tmp_path: Path) -> None:
    before = tree(job)
    elsewhere = tmp_path / "else where"
    result = forecast("run", "-c", job / "job.yaml", "--output", elsewhere)
    assert result.exit_code == 0, result.output
    published = forecast(*_next(result.stdout))
    assert published.exit_code == 0, published.output
    assert standing_release(elsewhere / "releases") is not None
    assert tree(job) == before


def test_the_config_may_come_from_the_environment(job: Path) -> None:
    result = forecast("status", FORECAST_CONFIG=str(job / "job.yaml"))
    assert result.exit_code == 0
    assert "data as of 2024-07-01" in result.stdout


def test_a_config_that_ships_is_known_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = forecast("status", "-c", "stockport")
    assert result.stdout.splitlines() == ["run: none", "release: none", "next: forecast run -c stockport"]
    assert "did you mean 'stockport'" in forecast("status", "-c", "stokport").stderr


# Exit codes


def test_1_for_what_nobody_expected_in_one_line(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.nightly.read_sources", _broken)
    before = tree(job)
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 1
    assert errors(result) == [
        "error: unexpected ZeroDivisionError: a fit that fails (set FORECAST_DEBUG=1 for the traceback and report it)"
    ]
    assert tree(job) == before
    told = forecast("run", "-c", job / "job.yaml", FORECAST_DEBUG="1")
    assert isinstance(told.exception, ZeroDivisionError)


def test_1_for_a_disk_that_is_full_without_asking_for_a_report(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(28, "No space left on device", "runs/x")

    (job / "referrals.csv").write_text(referrals(29), encoding="utf-8")
    monkeypatch.setattr("jobs.atomic.sync_tree", full)
    before = tree(job)
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 1
    assert errors(result) == [
        "error: runs/x: No space left on device. Check the folder, its permissions and the disk, then try again."
    ]
    assert tree(job) == before


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["rum"], "No such command 'rum'"),
        (["--bogus"], "--bogus"),
        (["run", "--bogus"], "See `forecast run --help`."),
        (["run"], "Missing option '-c'"),
        (["run", "-c", "{job}", "--output", "{job}"], "is a file"),
        (["run", "-c", "{job}", "more"], "unexpected extra argument"),
        (["init"], "Missing argument 'LA'"),
        (["init", "Leedz"], "did you mean Leeds"),
        (["init", "England"], "Name a local authority"),
        (["init", "SK1 3XE"], "(not shown): looks like a postcode"),
        (["status", "-c", "{job}", "--max-age", "-1"], "'--max-age'"),
        (["publish", "-c", "{job}", "--run", "../tiny"], "run '../tiny': not in"),
        (["evaluate", "-c", "{job}", "--run", "tiny-0"], "Name one of them"),
        (["compare", "-c", "{job}", "--reference", "nave"], "reference 'nave'"),
        (["compare", "-c", "{job}", "--measure", "requests"], "(it has slt_referrals)"),
    ],
)
def test_2_for_wrong_use_in_one_line(job: Path, words: list[str], says: str) -> None:
    before = tree(job)
    result = forecast(*(word.format(job=job / "job.yaml") for word in words))
    assert result.exit_code == 2
    (line,) = errors(result)
    assert line.startswith("error: ")
    assert says in line
    assert "SK1 3XE" not in result.output
    assert tree(job) == before


@pytest.mark.parametrize("command", ["publish", "evaluate", "compare"])
def test_2_before_there_is_a_run(tmp_path: Path, command: str) -> None:
    result = forecast(command, "-c", write_job(tmp_path))
    assert result.exit_code == 2
    assert "no run in" in result.stderr
    assert "Make one: forecast run." in result.stderr


def test_3_when_a_model_fails_and_the_run_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_job(tmp_path, job=JOB.replace("model: auto", "model: drift"))
    with monkeypatch.context() as patch:
        patch.setattr(Drift, "forecast", _broken)
        result = forecast("run", "-c", config)
    assert result.exit_code == 3, result.output
    run_id = result.stdout.split()[1]
    failed = [line for line in result.stdout.splitlines() if line.startswith("model failed: ")]
    assert len(failed) == 3
    assert "own: slt_referrals/Heatons: drift: failed: ZeroDivisionError: a fit that fails" in failed[0]
    assert "answered by naive" in failed[0]
    ledger = pd.read_parquet(tmp_path / "runs" / run_id / "ledger.parquet")
    assert ledger["status"].tolist() == ["failed"] * 3
    assert pd.read_parquet(tmp_path / "runs" / run_id / "forecasts.parquet")["median"].notna().all()
    again = forecast("run", "-c", config)
    assert again.exit_code == 3
    assert "nothing new" in again.stdout
    assert [line for line in again.stdout.splitlines() if line.startswith("model failed: ")] == failed
    assert "(model_failed)" in forecast("status", "-c", config).stdout


@pytest.mark.parametrize("name", ["manifest.json", "scores.parquet", "history.parquet"])
@pytest.mark.parametrize("harm", ["cut", "gone"])
def test_4_for_a_run_that_was_harmed(job: Path, name: str, harm: str) -> None:
    (path,) = (job / "runs").glob(f"tiny*/{name}")
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:100])
    before = tree(job)
    for command in ("run", "publish", "evaluate", "compare"):
        result = forecast(command, "-c", job / "job.yaml")
        if (name, harm) == ("manifest.json", "gone") and command != "run":
            assert result.exit_code == 2
            continue
        assert result.exit_code == 4, (command, result.output)
        (line,) = errors(result)
        assert f"{path}: missing or " in line
        assert f"Delete {path.parent} and run again." in line
    assert tree(job) == before
    shutil.rmtree(path.parent)
    assert forecast("run", "-c", job / "job.yaml").exit_code == 0


@pytest.mark.parametrize("content", ["[]", "{}", "null", '{"run_id": "another"}', "{"])
def test_4_for_a_manifest_that_is_none(job: Path, content: str) -> None:
    (path,) = (job / "runs").glob("tiny*/manifest.json")
    path.write_text(content, encoding="utf-8")
    result = forecast("status", "-c", job / "job.yaml")
    assert result.exit_code == 4
    assert "missing or damaged" in errors(result)[0]


def test_4_for_a_manifest_of_another_folder_or_of_no_day(job: Path) -> None:
    (path,) = (job / "runs").glob("tiny*/manifest.json")
    whole = json.loads(path.read_text(encoding="utf-8"))
    for key, value in (("run_id", "tiny-0"), ("created", "yesterday")):
        path.write_text(json.dumps({**whole, key: value}), encoding="utf-8")
        assert forecast("status", "-c", job / "job.yaml").exit_code == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"path": "..", "files": {}}'])
def test_4_for_a_pointer_that_was_harmed_until_the_next_publish(job: Path, content: str) -> None:
    (job / "releases" / "current.json").write_text(content, encoding="utf-8")
    result = forecast("status", "-c", job / "job.yaml")
    assert result.exit_code == 4
    assert "delete it and publish a run again" in errors(result)[0]
    assert forecast("publish", "-c", job / "job.yaml").exit_code == 0
    assert standing_release(job / "releases") is not None


def test_5_for_local_data_and_no_release(tmp_path: Path) -> None:
    config = write_job(tmp_path, job=JOB.replace("provenance: synthetic", "provenance: local"))
    assert forecast("run", "-c", config).exit_code == 0
    for words in (["publish"], ["publish", "--dry-run"]):
        result = forecast(*words, "-c", config)
        assert result.exit_code == 5
        (line,) = errors(result)
        assert "provenance is local (source referrals.csv)" in line
        assert "Keep" in line
    assert not (tmp_path / "releases").exists()


def test_5_after_a_run_that_publishes_leaves_the_run(tmp_path: Path) -> None:
    job = JOB.replace("provenance: synthetic", "provenance: local") + "publish: {after_run: true}\n"
    result = forecast("run", "-c", write_job(tmp_path, job=job))
    assert result.exit_code == 5
    assert "record: " in result.stderr
    assert len(list((tmp_path / "runs").glob("tiny*/manifest.json"))) == 1
    assert not (tmp_path / "releases").exists()


@pytest.mark.parametrize(("command", "lock"), [("run", "runs/.run.lock"), ("publish", "releases/.publish.lock")])
def test_6_while_another_is_at_work(job: Path, command: str, lock: str) -> None:
    before = tree(job)
    with FileLock(job / lock):
        result = forecast(command, "-c", job / "job.yaml")
    assert result.exit_code == 6
    (line,) = errors(result)
    assert f"{job / lock}: another run or publish is at work. Wait for it" in line
    assert tree(job) == before
    assert forecast(command, "-c", job / "job.yaml").exit_code == 0


def test_7_when_the_data_is_older_than_asked_for(job: Path) -> None:
    age = (date.today() - date(2024, 7, 1)).days
    fresh = forecast("status", "-c", job / "job.yaml", "--max-age", age)
    assert fresh.exit_code == 0
    assert f"{age} days ago" in fresh.stdout
    stale = forecast("status", "-c", job / "job.yaml", "--max-age", age - 1)
    assert stale.exit_code == 7
    assert f"stale: older than {age - 1} days" in stale.stdout
    assert _next(stale.stdout)[0] == "run"


def test_7_when_there_is_no_run(tmp_path: Path) -> None:
    assert forecast("status", "-c", write_job(tmp_path), "--max-age", "10000").exit_code == 7


# How it is said


def test_every_fault_of_a_config_is_a_line_of_its_own(job: Path) -> None:
    (job / "job.yaml").write_text(JOB.replace("horizon: 3", "horizon: 0").replace("MS", "XS"), encoding="utf-8")
    for command in ("run", "validate"):
        result = forecast(command, "-c", job / "job.yaml")
        assert result.exit_code == 2
        lines = errors(result)
        assert len(lines) == 2
        assert lines[0].startswith(f"error: {job / 'job.yaml'}:10:11: data.own.freq: must be one of")
        assert lines[1].startswith(f"error: {job / 'job.yaml'}:19:14: targets[0].horizon: must be at least 1, not 0")


def test_validate_names_the_faults_of_all_data_and_of_targets_it_can_reach(job: Path) -> None:
    text = JOB.replace("targets:", "  other: {source: sen2_release, path: none}\ntargets:").replace(
        "areas: all", "areas: [Heatonz]"
    )
    (job / "job.yaml").write_text(text, encoding="utf-8")
    result = forecast("validate", "-c", job / "job.yaml")
    assert result.exit_code == 4
    assert ["no such file" in errors(result)[0], "'Heatonz'" in errors(result)[1]] == [True, True]
    assert "2 faults" in result.stdout


def test_results_go_to_stdout_and_progress_to_stderr(tmp_path: Path) -> None:
    result = forecast("run", "-c", write_job(tmp_path))
    assert [line.split()[0] for line in result.stdout.splitlines()] == ["run", "folder:", "next:"]
    assert [line.split()[0] for line in result.stderr.splitlines()] == [
        *("read:", "check:", "evaluate:", "forecast:", "record:")
    ]


def test_a_terminal_of_another_encoding_gets_an_answer(tmp_path: Path) -> None:
    config = write_job(tmp_path).rename(tmp_path / "łódź.yaml")
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "jobs.cli", "status", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.endswith(b"?\xf3d?.yaml\n")


def test_a_reader_that_leaves_is_no_unexpected_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object, **__: object) -> NoReturn:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr("jobs.cli.answer", gone)
    result = forecast("models")
    assert "unexpected" not in result.stderr


@pytest.mark.parametrize(
    ("path", "output", "said"),
    [
        ("job.yaml", None, "-c job.yaml"),
        ("my job.yaml", Path("out"), '-c "my job.yaml" --output out'),
    ],
)
def test_how_a_config_was_named_is_repeated(path: str, output: Path | None, said: str) -> None:
    assert named_again(path, output) == said


def test_an_abort_is_not_an_unexpected_error(job: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> NoReturn:
        raise click.Abort

    monkeypatch.setattr("jobs.nightly.read_sources", interrupted)
    result = forecast("run", "-c", job / "job.yaml")
    assert result.exit_code == 1
    assert errors(result) == ["Aborted!"]
