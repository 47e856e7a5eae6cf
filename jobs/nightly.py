"""The nightly job, in the order a planner would tell it: read, check, evaluate, forecast, record."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from filelock import FileLock

from forecast.sources.observations import Reading
from jobs.atomic import Step, no_step, write_file
from jobs.checked import figures_of
from jobs.ehc_inputs import EhcData, EhcJob, ehc_job, read_ehc
from jobs.inputs import PanelJob, panel_jobs, read_sources
from jobs.record import RunFrames, SectionData, existing_run, run_id_of, write_run
from jobs.release import ReleaseResult, publish
from jobs.speech_language_inputs import SpeechLanguageData, SpeechLanguageJob, read_speech_language, speech_language_job
from jobs.steps import candidate_names, evaluate_all, failures, forecast_all, worker_pool
from jobs.tracking import Recorder, prepare, track

if TYPE_CHECKING:
    from jobs.config import RunConfig

LOCK = ".run.lock"
TRACKED = ".tracked"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class RunResult:
    """What a run did.

    Attributes
    ----------
    run_id : str
    folder : Path
    status : {"ok", "model_failed"}
    new : bool
        False when nothing had changed since the run that stands.
    steps : mapping of str to float
        Seconds of each step.
    failed : tuple of str
        Series a model failed on, as "target: unique_id: reason".
    warnings : tuple of str
    """

    run_id: str
    folder: Path
    status: str
    new: bool
    steps: Mapping[str, float] = field(default_factory=dict)
    failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """A run before it is carried out.

    Attributes
    ----------
    config : RunConfig
    readings : mapping of str to Reading
        Figures visible on the as-of date, by entry under data.
    ehc : EhcData or None
        What the `ehc` section reads.
    speech_language : SpeechLanguageData or None
        What the `speech_language` section reads.
    run_id : str
    standing : mapping or None
        Manifest of the run of that id, if it is there already.
    """

    config: RunConfig
    readings: Mapping[str, Reading]
    ehc: EhcData | None
    speech_language: SpeechLanguageData | None
    run_id: str
    standing: Mapping[str, Any] | None
    seconds: float

    @property
    def sections(self) -> list[SectionData]:
        """What the sections read, in their order."""
        return _present(self.ehc, self.speech_language)


def _present(*sections: SectionData | None) -> list[SectionData]:
    return [section for section in sections if section is not None]


def plan(config: RunConfig, *, progress: Progress) -> Plan:
    """Read the sources and say which run that makes."""
    steps: dict[str, float] = {}
    with _timed("read", steps):
        readings = read_sources(config)
        ehc = read_ehc(config, readings)
        speech = read_speech_language(config, readings)
        run_id = run_id_of(config, readings, _present(ehc, speech))
    progress(f"read: {_counted(figures_of(config, readings, speech))} visible on {config.as_of}")
    return Plan(config, readings, ehc, speech, run_id, existing_run(config.runs_dir, run_id), steps["read"])


def check(planned: Plan) -> tuple[list[PanelJob], EhcJob | None, SpeechLanguageJob | None]:
    """Check the data of every target and of the sections.

    Raises
    ------
    InputError, SpecError
        The first fault, with the others as its notes.
    """
    jobs = panel_jobs(planned.config, planned.readings)
    ehc = ehc_job(planned.config, planned.ehc)
    return jobs, ehc, speech_language_job(planned.config, planned.speech_language)


def carry_out(
    planned: Plan, *, now: datetime, progress: Progress, workers: int | None = None, step: Step = no_step
) -> RunResult:
    """Check, evaluate, forecast and record.

    Parameters
    ----------
    planned : Plan
    now : datetime
        Recorded as the moment of the run; decides nothing.
    progress : callable
        Gets one line a step.
    workers : int, optional
        Processes for models that answer one series at a time; default the processors of the machine.
    step : callable, optional
        Called after each write: the seam of the kill test.

    Returns
    -------
    RunResult
        `new=False`, and nothing done, when the run of these rows, this config and this version is there.
    """
    config, run_id = planned.config, planned.run_id
    if planned.standing is not None:
        return _standing(planned.standing, config.runs_dir / run_id)
    steps = {"read": planned.seconds}
    with _timed("check", steps):
        jobs, ehc, speech = check(planned)
    progress(f"check: {sum(len(job.panel.ids) for job in jobs)} series in {len(jobs)} panels")
    with _timed("evaluate", steps), worker_pool(jobs, workers) as executor:
        studies = evaluate_all(jobs, config, executor)
    progress(f"evaluate: {', '.join(_names(config))} over rolling origins in {steps['evaluate']:.0f} s")
    with _timed("forecast", steps):
        frames = forecast_all(config, planned.readings, studies)
    failed = failures(frames.ledger)
    progress(f"forecast: {frames.forecasts['unique_id'].nunique()} series, {len(failed)} failed")
    if ehc is not None:
        frames = _with_ehc(frames, ehc, config, steps, progress, keep={speech.ehc_code} if speech else set())
    if speech is not None:
        frames = _with_speech_language(frames, speech, config, steps, progress)
    folder = write_run(
        config,
        planned.readings,
        frames,
        sections=planned.sections,
        run_id=run_id,
        now=now,
        steps=steps,
        step=step,
    )
    progress(f"record: {folder}")
    return RunResult(run_id, folder, frames.status, True, steps, failed, frames.warnings)


def _with_ehc(
    frames: RunFrames,
    job: EhcJob,
    config: RunConfig,
    steps: dict[str, float],
    progress: Progress,
    *,
    keep: set[str],
) -> RunFrames:
    """Project from request to plan."""
    from jobs.ehc import project_all

    with _timed("ehc", steps):
        made = project_all(job, config, progress=progress, keep=keep)
    areas = f"{len(job.wanted)} area{'s' * (len(job.wanted) != 1)}"
    progress(f"ehc: {areas} to {job.section.until}, {config.n_paths:,} paths in {steps['ehc']:.0f} s")
    return replace(frames, ehc=made, warnings=(*frames.warnings, *job.data.warnings))


def _with_speech_language(
    frames: RunFrames, job: SpeechLanguageJob, config: RunConfig, steps: dict[str, float], progress: Progress
) -> RunFrames:
    """Project the speech and language service, on the EHC demand that was projected before."""
    from jobs.speech_language import project_service

    with _timed("speech_language", steps):
        made = project_service(job, config, ehc=frames.ehc)
    options = f"{len(job.service.options)} option{'s' * (len(job.service.options) != 1)}"
    progress(
        f"speech_language: {job.provider_name} to {job.months[-1]:%Y-%m}, {options}, {config.n_paths:,} paths in "
        f"{steps['speech_language']:.0f} s"
    )
    return replace(frames, speech_language=made, warnings=(*frames.warnings, *job.data.warnings))


def _standing(manifest: Mapping[str, Any], folder: Path) -> RunResult:
    """Say again what the run that stands has to say."""
    failed = failures(pd.read_parquet(folder / "ledger.parquet"))
    return RunResult(
        manifest["run_id"], folder, manifest["status"], new=False, failed=failed, warnings=tuple(manifest["warnings"])
    )


def run(
    config: RunConfig, *, now: datetime, progress: Progress, workers: int | None = None, step: Step = no_step
) -> tuple[RunResult, str, ReleaseResult | None]:
    """Read, check, evaluate, forecast and record; then MLflow, and a release if the config says so.

    Parameters are those of `carry_out`.

    Returns
    -------
    tuple
        The run; what became of tracking ("recorded", "skipped", "unreachable" or "off"); the release, if any.

    Raises
    ------
    filelock.Timeout
        If another run is at work in the same folder.
    """
    config.runs_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(config.runs_dir / LOCK, timeout=0):
        planned = plan(config, progress=progress)
        with _recorder(planned) as recorder:
            done = carry_out(planned, now=now, progress=progress, workers=workers, step=step)
            tracking = _track(planned, done, recorder, progress)
        release = None
        if config.publish.after_run:
            release = publish(done.folder, config.releases_dir, now=now, step=step)
            progress(f"publish: {release.message}")
    return done, tracking, release


@contextmanager
def _recorder(planned: Plan) -> Iterator[Recorder | None]:
    """Make MLflow ready while the models run; None when there is nothing to record."""
    config = planned.config
    if not config.tracking.enabled or _marker(planned).exists():
        yield None
        return
    with prepare(config.tracking_uri) as recorder:
        yield recorder


def _track(planned: Plan, done: RunResult, recorder: Recorder | None, progress: Progress) -> str:
    """Record a run in MLflow once; one that could not be recorded is tried again when it is run again."""
    config = planned.config
    if recorder is None:
        return "skipped" if config.tracking.enabled else "off"
    result = track(
        done.folder,
        uri=config.tracking_uri,
        artifacts=config.artifacts_dir,
        experiment=config.name,
        timeout=config.tracking.timeout,
        warn=lambda line: progress(f"warning: {line}"),
        recorder=recorder,
    )
    progress(f"track: {result.status} in {result.seconds:.0f} s")
    if result.status != "unreachable":
        _marker(planned).parent.mkdir(exist_ok=True)
        write_file(_marker(planned), b"")
    return result.status


def _marker(planned: Plan) -> Path:
    return planned.config.runs_dir / TRACKED / planned.run_id


def _names(config: RunConfig) -> list[str]:
    return list(dict.fromkeys(name for target in config.targets for name in candidate_names(target)))


def _counted(figures: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,} figures" for name, count in figures.items())


@contextmanager
def _timed(name: str, steps: dict[str, float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    steps[name] = round(time.perf_counter() - start, 3)
