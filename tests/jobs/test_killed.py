"""Killed at fifty moments, a run and a publish leave what stands consistent, and a plain rerun completes.

Half of the moments are steps of the writing (the process kills itself right after one), half are points in time
spread over the life of the process. Each process is new: it starts from a server that has the packages loaded.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.jobs import samples
from tests.jobs.samples import forecast, referrals, standing_release, tree, whole_runs, write_job

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows"),
]
MOMENTS = 50
NOW = datetime(2024, 7, 2, 1, 0).astimezone()
JOB = samples.JOB + "publish: {after_run: true}\n"


def work(folder: str, fatal: int, steps_file: str = "") -> None:
    """Run and publish, and be killed right after step number `fatal`; note the steps in a file if asked."""
    from jobs import nightly
    from jobs.shell import load

    passed: list[str] = []

    def step(name: str) -> None:
        passed.append(name)
        if len(passed) == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    with samples.plain_charts():
        nightly.run(load(f"{folder}/job.yaml", None), now=NOW, progress=lambda line: None, workers=1, step=step)
    if steps_file:
        Path(steps_file).write_text("\n".join(passed), encoding="utf-8")


@pytest.fixture(scope="module")
def server() -> Any:
    """Start processes from one that has loaded what a run and a publish need, and nothing of this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "jobs.nightly", "forecast.publish.report", "forecast.publish.tables"])
    return context


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job whose last run and release stand, and a month of new figures. Only to be read."""
    folder = tmp_path_factory.mktemp("before")
    write_job(folder, job=JOB, table=referrals(29, ["Heatons"]))
    with samples.plain_charts():
        assert forecast("run", "-c", folder / "job.yaml").exit_code == 0
    (folder / "referrals.csv").write_text(referrals(30, ["Heatons"]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def undisturbed(server: Any, before: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], float]:
    """What a process leaves that nobody kills, the steps it took, and the seconds it lived."""
    seconds = []
    for _ in range(2):
        folder = tmp_path_factory.mktemp("undisturbed") / "job"
        shutil.copytree(before, folder)
        start = time.monotonic()
        process = server.Process(target=work, args=(str(folder), 0, str(folder / "steps")))
        process.start()
        process.join()
        seconds.append(time.monotonic() - start)
        assert process.exitcode == 0
    steps = (folder / "steps").read_text(encoding="utf-8").splitlines()
    return folder, steps, min(seconds)


def _new(folder: Path, before: Path) -> str:
    """Id of the run that was not there before."""
    (found,) = set(whole_runs(folder / "runs")) - set(whole_runs(before / "runs"))
    return found


def test_every_write_of_run_and_publish_is_a_step(undisturbed: tuple[Path, list[str], float]) -> None:
    steps = undisturbed[1]
    assert len(steps) > 15
    for written in ("history", "forecasts", "scores", "ledger", "manifest", "index.html", "projections.csv"):
        assert f"staged {written}" in steps
    assert steps.count("renamed") == 2
    assert steps[-1] == "replaced current.json"


@pytest.fixture(scope="module")
def seen() -> list[tuple[bool, bool, bool]]:
    """For each moment: was it killed, was the new run there, was the new release there?"""
    return []


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_killed(
    server: Any,
    before: Path,
    undisturbed: tuple[Path, list[str], float],
    seen: list[tuple[bool, bool, bool]],
    tmp_path: Path,
    moment: int,
) -> None:
    whole, steps, life = undisturbed
    folder = tmp_path / "job"
    shutil.copytree(before, folder)
    by_step = moment % 2 == 0
    fatal = 1 + (moment // 2) % len(steps) if by_step else 0
    process = server.Process(target=work, args=(str(folder), fatal))
    process.start()
    if not by_step:
        share = (moment // 2 + random.Random(moment).random()) / (MOMENTS // 2)
        process.join(share * life)
        process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL or not by_step

    old = standing_release(before / "releases")
    pointer = standing_release(folder / "releases")
    assert pointer is not None
    assert pointer == old or pointer["run_id"] == _new(folder, before)
    runs = set(whole_runs(folder / "runs"))
    assert runs >= set(whole_runs(before / "runs"))
    seen.append((process.exitcode == -signal.SIGKILL, len(runs) == 2, pointer != old))

    with samples.plain_charts():
        result = forecast("run", "-c", folder / "job.yaml")
    assert result.exit_code == 0, result.output
    assert not [name for name in tree(folder) if ".staging-" in name]
    pointer = standing_release(folder / "releases")
    new = _new(folder, before)
    assert pointer is not None
    assert pointer["run_id"] == new == _new(whole, before)
    forecasts = [pd.read_parquet(place / "runs" / new / "forecasts.parquet") for place in (folder, whole)]
    pd.testing.assert_frame_equal(*forecasts)


def test_the_moments_were_spread_over_the_life(seen: list[tuple[bool, bool, bool]]) -> None:
    if len(seen) < MOMENTS:
        pytest.skip("not all moments were run")
    assert sum(killed for killed, _, _ in seen) >= 35  # half at steps, and of those in time some may come too late
    assert {(run, release) for killed, run, release in seen if killed} == {(False, False), (True, False), (True, True)}
