"""A job that runs in a fraction of a second: 30 months of made-up referrals in three localities, two fast models."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from jobs.cli import main
from tests.sources import sen2_samples

LOCALITIES = ("Heatons", "Marple", "Reddish")
PROGRESS = (
    "read: ",
    "check: ",
    "evaluate: ",
    "forecast: ",
    "ehc: ",
    "speech_language: ",
    "record: ",
    "track: ",
    "publish: ",
    "warning: ",
)
JOB = """\
name: tiny
title: Speech and language referrals
as_of: 2024-07-01
n_paths: 100
data:
  own:
    source: table
    path: referrals.csv
    measure: slt_referrals
    freq: MS
    columns: {ds: Month, y: Referrals, area: Locality}
    provenance: synthetic
    max_gap: 0
targets:
  - name: own
    data: own
    measures: [slt_referrals]
    areas: all
    horizon: 3
    origins: 3
    model: auto
    candidates: [naive, drift]
tracking: {enabled: false}
"""
SEN2_JOB = """\
name: tiny
title: EHC requests in Alder
as_of: 2024-07-01
n_paths: 100
data:
  ehc: {source: sen2_release, path: release}
targets:
  - name: ehc
    data: ehc
    measures: [requests]
    areas: [Alder, North, England]
    horizon: 2
    origins: 3
    model: auto
    candidates: [naive, drift]
tracking: {enabled: false}
"""


def referrals(months: int = 30, areas: Sequence[str] = LOCALITIES) -> str:
    """CSV of monthly counts from January 2021: line 2 is the first locality in the first month."""
    days = pd.date_range("2021-01-01", periods=months, freq="MS")
    rows = [
        f"{day:%Y-%m-%d},{area},{50 + 10 * i + k + (7 * k + 3 * i) % 11}"
        for k, day in enumerate(days)
        for i, area in enumerate(areas)
    ]
    return "\n".join(["Month,Locality,Referrals", *rows]) + "\n"


def write_job(folder: Path, *, job: str = JOB, table: str | None = None) -> Path:
    """Write a job and its table; return the config file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "referrals.csv").write_text(table or referrals(), encoding="utf-8", newline="")
    config = folder / "job.yaml"
    config.write_text(job, encoding="utf-8")
    return config


def write_release(folder: Path, *, until: int = 2023, factor: int = 1) -> Path:
    """Write a release of today's layout with requests of three areas in two regions, whose sums add up."""
    rows = [
        (period, area, value, value // 10, value - value // 10)
        for year in range(2016, until + 1)
        for period, area, value in sen2_samples.summed(str(year), *_requests(year, factor))
    ]
    return sen2_samples.release(folder, requests=rows)


def _requests(year: int, factor: int) -> tuple[int, int, int]:
    grown = 20 * (year - 2016) + (year * 7) % 13
    return tuple(factor * (start + grown) for start in (100, 200, 300))  # type: ignore[return-value]


def forecast(*args: object, **environment: str) -> Result:
    """Run the command line in this process."""
    return CliRunner().invoke(main, [str(arg) for arg in args], prog_name="forecast", env=environment)


def errors(result: Result) -> list[str]:
    """Lines on stderr that are no progress."""
    return [line for line in result.stderr.splitlines() if not line.startswith(PROGRESS)]


def tree(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder, and every folder, by relative path."""
    return {path.relative_to(folder).as_posix(): digest(path) for path in sorted(folder.rglob("*"))}


def digest(path: Path) -> str:
    return "folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


def standing_release(releases: Path) -> dict[str, Any] | None:
    """What a reader finds: nothing, or `current.json` that names files which are there and unchanged."""
    path = releases / "current.json"
    if not path.exists():
        return None
    pointer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    sections = {f"{name}_projections{end}" for name in ("ehc", "speech_language") for end in (".csv", ".meta.csv")}
    needed = {"index.html", "projections.csv", "projections.meta.csv", "manifest.json"}
    assert needed <= set(pointer["files"]) <= needed | sections
    for name, expected in pointer["files"].items():
        assert digest(releases / pointer["path"] / name) == expected
    return pointer


def whole_runs(runs: Path) -> dict[str, dict[str, Any]]:
    """Manifests of the runs in a folder by id; every file of each is there and unchanged."""
    found = {}
    for path in runs.glob("[!.]*/manifest.json"):
        manifest = json.loads(path.read_text(encoding="utf-8"))
        assert manifest["run_id"] == path.parent.name
        for name, expected in manifest["files"].items():
            assert digest(path.parent / name) == expected
        found[manifest["run_id"]] = manifest
    return found


@contextmanager
def plain_charts() -> Iterator[None]:
    """Leave the drawing out: it takes most of the time of a small release."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("forecast.publish.block.fan_chart", lambda *_, chart_id, **__: f'<svg id="{chart_id}"></svg>')
        yield
