"""The wheel works by itself: unpacked somewhere else, in an empty folder, without the checkout."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from configparser import ConfigParser
from contextlib import closing
from pathlib import Path

import pytest

from tests.jobs import samples

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("pip") is None, reason="no pip to build a wheel with"),
]
ROOT = Path(__file__).parents[1]
Forecast = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", str(folder), str(ROOT)], check=True)
    (built,) = folder.glob("send_forecast-*-py3-none-any.whl")
    return built


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture
def command(unpacked: Path, empty: Path) -> Forecast:
    """Run the console script of the wheel in the empty folder."""
    (metadata,) = unpacked.glob("*.dist-info")
    scripts = ConfigParser()
    scripts.read(metadata / "entry_points.txt", encoding="utf-8")
    module, _, function = scripts["console_scripts"]["forecast"].partition(":")
    code = f"import sys; from {module} import {function}; sys.argv[0] = 'forecast'; sys.exit({function}())"

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return _python(unpacked, empty, "-c", code, *words)

    return run


def _python(unpacked: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FORECAST_")}
    environment |= {"PYTHONPATH": str(unpacked), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-P", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def test_the_wheel_holds_every_file_of_the_packages_and_nothing_else(unpacked: Path) -> None:
    inside = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    checkout = {
        path.relative_to(ROOT).as_posix()
        for package in ("forecast", "jobs")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    configs = {f"jobs/_configs/{path.name}" for kind in ("*.yaml", "*.json") for path in (ROOT / "configs").glob(kind)}
    (metadata,) = {name.partition("/")[0] for name in inside if ".dist-info/" in name}
    assert {name for name in inside if not name.startswith(metadata)} == checkout | configs
    assert {
        *("forecast/py.typed", "jobs/py.typed", f"{metadata}/licenses/LICENSE"),
        *("forecast/reference/data/ehc.parquet", "forecast/reference/data/NOTICE"),
        *("forecast/reference/schema/common.yaml", "forecast/publish/templates/page.html.j2"),
        *("jobs/_configs/stockport.yaml", "jobs/_configs/england.yaml"),
        *("jobs/_configs/config.schema.json", "jobs/_configs/answers.schema.json"),
    } <= inside


def test_the_packages_come_from_the_wheel_and_not_from_the_checkout(unpacked: Path, empty: Path) -> None:
    found = _python(unpacked, empty, "-c", "import forecast, jobs; print(forecast.__file__, jobs.__file__, sep='\\n')")
    assert found.stdout.split() == [str(unpacked / name / "__init__.py") for name in ("forecast", "jobs")]
    helped = _python(unpacked, empty, "-m", "jobs.cli", "--help")
    assert helped.returncode == 0
    assert "publish" in helped.stdout


def test_init_run_and_publish_make_a_page_for_leeds(command: Forecast, empty: Path) -> None:
    made = command("init", "Leeds")
    assert made.returncode == 0, made.stderr
    assert [path.name for path in empty.iterdir()] == ["leeds.yaml"]
    text = (empty / "leeds.yaml").read_text(encoding="utf-8")
    text, candidates = re.subn(r"candidates: \[naive, .*\]", "candidates: [naive, drift, area_growth]", text, count=1)
    text, tracking = re.subn("enabled: true", "enabled: false", text)
    text, paths = re.subn("n_paths: 1000", "n_paths: 200", text)
    assert (candidates, tracking, paths) == (1, 1, 1)
    (empty / "leeds.yaml").write_text(text, encoding="utf-8")
    run = command("run", "-c", "leeds.yaml")
    assert run.returncode == 0, run.stderr
    published = command("publish", "-c", "leeds.yaml")
    assert published.returncode == 0, published.stderr
    pointer = json.loads((empty / "releases" / "current.json").read_text(encoding="utf-8"))
    page = empty / "releases" / pointer["path"] / "index.html"
    assert "EHC plans in Leeds" in page.read_text(encoding="utf-8")
    assert str(page) in published.stdout
    assert {path.name for path in empty.iterdir()} == {"leeds.yaml", "runs", "releases"}


def test_own_counts_give_a_run_with_mlflow_records_and_a_refused_publish(command: Forecast, empty: Path) -> None:
    job = samples.JOB.replace("provenance: synthetic", "provenance: local").replace("{enabled: false}", "{timeout: 60}")
    samples.write_job(empty, job=job)
    run = command("run", "-c", "job.yaml")
    assert run.returncode == 0, run.stderr
    assert "track: recorded" in run.stderr
    with closing(sqlite3.connect(empty / "mlflow.db")) as store:
        names = {name for (name,) in store.execute("SELECT name FROM runs WHERE status = 'FINISHED'")}
    assert {"auto", "naive", "drift"} < names
    refused = command("publish", "-c", "job.yaml")
    assert refused.returncode == 5
    (line,) = refused.stderr.splitlines()
    assert line.startswith("error: ")
    assert "local" in line
    assert not (empty / "releases" / "current.json").exists()
    assert {path.name for path in empty.iterdir()} <= {
        *("job.yaml", "referrals.csv", "runs", "releases", "mlflow.db", "mlartifacts"),
    }
