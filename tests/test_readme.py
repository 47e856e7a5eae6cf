"""The script in the README is what a newcomer runs first."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


SCRIPTS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)


def printed_by(script: str, capsys: pytest.CaptureFixture[str]) -> str:
    code = compile(script, str(README), "exec")
    assert len([line for line in script.splitlines() if line.strip()]) <= 12
    exec(code, {})  # noqa: S102
    return capsys.readouterr().out


def test_the_first_script_runs_and_prints_forecasts_and_scores(capsys: pytest.CaptureFixture[str]):
    printed = printed_by(SCRIPTS[0], capsys)
    assert printed.count("requests/E08000007") == 3
    assert "lo-80" in printed and "hi-80" in printed
    assert re.search(r"area_growth +1 +\d+ +5 +wape +0\.\d+", printed)


def test_the_second_script_runs_and_prints_the_way_from_request_to_caseload(capsys: pytest.CaptureFixture[str]):
    printed = printed_by(SCRIPTS[1], capsys)
    assert printed.count("2030-01-01") == 13 + 3  # needs; requests, 20 weeks, the baseline
    assert "slcn" in printed and "closing" in printed


def test_the_third_script_runs_and_prints_waits_and_therapists(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(README.parent)
    printed = printed_by(SCRIPTS[2], capsys)
    assert "52+" in printed and "fed_back" in printed
    assert printed.count("2026-09-01") == 1
    assert printed.count("2027-09-01") == 2


def test_every_command_in_the_readme_exists():
    from jobs.cli import main

    named = set(re.findall(r"(?:^|`)forecast ([a-z]+)\b", README.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert len(named) >= 7
    assert named - set(main.commands) == set()
