"""Record a finished run in MLflow: a convenience that can cost a run a few seconds and a warning, never more.

MLflow runs in a process of its own (`jobs.tracking_record`), because only a process can be stopped for
certain: a store that hangs is killed when its time is up. `prepare` starts that process early, so that loading
MLflow and making a new store happen while the models are being evaluated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

Status = Literal["recorded", "skipped", "unreachable"]

SQLITE = "sqlite:///"
NEW_STORE_SECONDS = 60.0
WORKER = "jobs.tracking_record"
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "OMP_NUM_THREADS": "1",
    "PYTHONUTF8": "1",
}


@dataclass(frozen=True)
class TrackingResult:
    """What became of a record.

    Attributes
    ----------
    status : {"recorded", "skipped", "unreachable"}
        Skipped: MLflow has this run already. Unreachable: not recorded, for the reason in `detail`.
    detail : str
        One line.
    parent_run_id : str or None
        MLflow's id of the run of the night.
    seconds : float
        What it cost the caller.
    """

    status: Status
    detail: str
    parent_run_id: str | None
    seconds: float


class Recorder:
    """A process that makes an MLflow store ready and waits for one run folder; it ends with its owner.

    Parameters
    ----------
    uri : str
        sqlite:///FILE or the address of a server.

    Attributes
    ----------
    makes_store : bool
        Whether the sqlite file was missing or empty when the process was started.
    """

    def __init__(self, uri: str) -> None:
        self.makes_store = _is_new(uri)
        self._fault = ""
        self._process: subprocess.Popen[str] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                env=_environment(),
            )
        except OSError as error:
            self._fault = f"the recording process did not start ({error})"
            return
        self._write({"uri": _absolute(uri)})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def record(self, request: Mapping[str, str | None], *, seconds: float) -> dict[str, str | None]:
        """Hand over a run folder and wait for the reply, at most so many seconds; then the process is gone."""
        if self._process is None:
            return _not_recorded(self._fault or "the recording process has ended")
        try:
            output, _ = self._process.communicate(json.dumps(request) + "\n", timeout=seconds)
        except subprocess.TimeoutExpired:
            return _not_recorded(f"no answer within {seconds:g} s (timeout under tracking)")
        finally:
            code = self._process.poll()
            self.close()
        try:
            reply: dict[str, str | None] = json.loads(output.splitlines()[-1])
        except (IndexError, ValueError):
            return _not_recorded(f"the recording process ended with code {code}")
        return reply

    def close(self) -> None:
        """End the process, whatever it is doing. Closing twice is harmless."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        process.wait()

    def _write(self, message: Mapping[str, str]) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(json.dumps(message) + "\n")
                self._process.stdin.flush()


def prepare(uri: str) -> Recorder:
    """Start loading MLflow and, if it is new, making its store, while other work goes on.

    Use it as a context and hand it to `track`: on a machine with a processor to spare, that saves the seconds
    of loading and of making a new store.

    Parameters
    ----------
    uri : str
        sqlite:///FILE or the address of a server.
    """
    return Recorder(uri)


def track(
    run_folder: Path,
    *,
    uri: str,
    artifacts: Path | None,
    experiment: str,
    timeout: float,
    warn: Callable[[str], None],
    recorder: Recorder | None = None,
) -> TrackingResult:
    """Record a finished run in MLflow: a parent run of the night and a child run for each model.

    Never raises for what MLflow does. A run that MLflow has already is left as it is; one that was recorded
    in part, because the process was stopped, is deleted and recorded anew. The run folder is only read.

    Parameters
    ----------
    run_folder : Path
        `runs/<run_id>/` of a complete run.
    uri : str
        sqlite:///FILE or the address of a server.
    artifacts : Path or None
        Folder of artefacts of a local store; None when a server keeps them.
    experiment : str
        Made if missing.
    timeout : float
        Seconds this may take in all, whatever MLflow does. Only the first record of a new sqlite store, which
        must be made, has `NEW_STORE_SECONDS` if that is more, even if the store was completed while the models
        ran: so a first run is recorded on a slow machine too. A file that cannot be opened is given up after 3 s
        all the same. Without `prepare` the loading of MLflow counts.
    warn : callable
        Gets one line when the run was not recorded, or only its aggregates were: local figures stay inside, so a
        server gets neither tables nor plots of them.
    recorder : Recorder, optional
        From `prepare` with the same uri; closed afterwards. Made here when left out.

    Returns
    -------
    TrackingResult
    """
    start = time.monotonic()
    request = {
        "run_folder": str(run_folder.absolute()),
        "artifacts": str(artifacts.absolute()) if artifacts else None,
        "experiment": experiment,
    }
    with recorder or prepare(uri) as worker:
        seconds = max(timeout, NEW_STORE_SECONDS) if worker.makes_store else timeout
        reply = worker.record(request, seconds=seconds)
    status: Status = "unreachable"
    if reply["status"] == "recorded":
        status = "recorded"
    elif reply["status"] == "skipped":
        status = "skipped"
    detail = str(reply["detail"])
    if status == "unreachable":
        warn(f"MLflow at '{uri}': run '{run_folder.name}' not recorded: {detail}. The run stands; run again to record.")
    elif warning := reply.get("warning"):
        warn(f"MLflow at '{uri}': run '{run_folder.name}': {warning}")
    return TrackingResult(status, detail, reply["parent_run_id"], round(time.monotonic() - start, 3))


def _not_recorded(detail: str) -> dict[str, str | None]:
    return {"status": "unreachable", "detail": detail, "parent_run_id": None}


def _is_new(uri: str) -> bool:
    if not uri.startswith(SQLITE):
        return False
    try:
        return not Path(uri.removeprefix(SQLITE)).stat().st_size
    except OSError:
        return True


def _absolute(uri: str) -> str:
    if not uri.startswith(SQLITE):
        return uri
    return SQLITE + Path(uri.removeprefix(SQLITE)).absolute().as_posix()


def _environment() -> dict[str, str]:
    """Environment of the process: MLflow's settings, and this package importable wherever it is run from."""
    home = str(Path(__file__).resolve().parents[1])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, **ENVIRONMENT, "PYTHONPATH": os.pathsep.join(paths)}
