"""The run folder: what a run leaves behind, whole or not at all.

The run id is a digest of the rows visible at the as-of date, the resolved config and the version of the
package: the same inputs give the same run, and a second one has nothing to do.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from forecast import __version__
from forecast.errors import InputError
from forecast.sources.observations import OBSERVATION_COLUMNS, Reading, SourceNote
from jobs.atomic import Step, clear_leftovers, no_step, staged_folder
from jobs.inputs import freq_of

if TYPE_CHECKING:
    from jobs.config import RunConfig
    from jobs.ehc import EhcResult
    from jobs.speech_language import SpeechLanguageResult

ID_LENGTH = 12
TABLES = ("history", "forecasts", "scores", "ledger", "weights", "reasons")
NEEDED = ("run_id", "name", "as_of", "created", "status", "warnings", "files")


class SectionData(Protocol):
    """What a section of a config reads beside the entries under data."""

    @property
    def digest(self) -> str:
        """SHA-256 over what it reads."""

    @property
    def sources(self) -> tuple[SourceNote, ...]:
        """Notes of its sources."""

    @property
    def provenance(self) -> tuple[str, ...]:
        """Of all its figures."""


@dataclass(frozen=True)
class RunFrames:
    """The tables of a run.

    Attributes
    ----------
    history, forecasts, scores, ledger, weights, reasons : DataFrame
        As written to the run folder.
    areas : mapping of target name to list of dict
        area_code, area_name and geographic_level of what the page shows.
    status : {"ok", "model_failed"}
    warnings : tuple of str
    ehc : EhcResult or None
        The projection from request to plan, if the config asks for one.
    speech_language : SpeechLanguageResult or None
        The projection of a speech and language service, if the config asks for one.
    """

    history: pd.DataFrame
    forecasts: pd.DataFrame
    scores: pd.DataFrame
    ledger: pd.DataFrame
    weights: pd.DataFrame
    reasons: pd.DataFrame
    areas: Mapping[str, list[dict[str, str]]]
    status: str
    warnings: tuple[str, ...]
    ehc: EhcResult | None = None
    speech_language: SpeechLanguageResult | None = None

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return what is written, by name."""
        found = {name: getattr(self, name) for name in TABLES}
        if self.ehc is not None:
            found["ehc"] = self.ehc.table
            if self.ehc.baseline is not None:
                found["ehc_baseline"] = self.ehc.baseline
        if self.speech_language is not None:
            found["speech_language"] = self.speech_language.table
        return found

    def entries(self) -> dict[str, dict[str, Any]]:
        """Return what the manifest says of each section, by its name."""
        made = {"ehc": self.ehc, "speech_language": self.speech_language}
        return {name: dict(result.entry) for name, result in made.items() if result is not None}


def data_digest(readings: Mapping[str, Reading], sections: Sequence[SectionData] = ()) -> str:
    """SHA-256 over the visible rows of every source, whatever their order and the release they came in."""
    said = [column for column in OBSERVATION_COLUMNS if column != "source"]
    total = hashlib.sha256()
    for name in sorted(readings):
        rows = readings[name].observations[said]
        hashes = np.sort(pd.util.hash_pandas_object(rows, index=False).to_numpy())
        total.update(name.encode())
        total.update(hashes.tobytes())
    for section in sections:
        total.update(section.digest.encode())
    return total.hexdigest()


def run_id_of(config: RunConfig, readings: Mapping[str, Reading], sections: Sequence[SectionData] = ()) -> str:
    """Name a run by its inputs: `<config name>-<digest>`."""
    key = json.dumps([data_digest(readings, sections), config.resolved(), __version__], sort_keys=True)
    return f"{config.name}-{hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]}"


def existing_run(runs: Path, run_id: str) -> dict[str, Any] | None:
    """Return the manifest of a run that is there, or None.

    Raises
    ------
    InputError
        If the run is there but not whole.
    """
    folder = runs / run_id
    return whole_run(folder) if folder.exists() else None


def whole_run(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run folder whose every file is as the run left it.

    Raises
    ------
    InputError
        If a file is missing or changed.
    """
    manifest = read_manifest(folder)
    for name, digest in manifest["files"].items():
        path = folder / name
        if not path.is_file() or digest_of(path) != digest:
            raise InputError(f"{path}: missing or changed; the run is not whole. Delete {folder} and run again.")
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a run folder.

    Raises
    ------
    InputError
        If it is missing, damaged or of another run.
    """
    path = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        named = all(key in manifest for key in NEEDED) and manifest["run_id"] == folder.name
        good = named and bool(datetime.fromisoformat(manifest["created"]))
    except (OSError, ValueError, TypeError):
        good = False
    if not good:
        raise InputError(f"{path}: missing or damaged; the run is not whole. Delete {folder} and run again.")
    return manifest


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_run(
    config: RunConfig,
    readings: Mapping[str, Reading],
    frames: RunFrames,
    *,
    sections: Sequence[SectionData] = (),
    run_id: str,
    now: datetime,
    steps: Mapping[str, float],
    step: Step = no_step,
) -> Path:
    """Write the run folder in one move and return it."""
    runs = config.runs_dir
    runs.mkdir(parents=True, exist_ok=True)
    clear_leftovers(runs)
    manifest = _manifest(config, readings, sections, frames, run_id=run_id, now=now, steps=steps)
    tables = frames.tables()
    with staged_folder(runs / run_id, step=step) as staging:
        for name, table in tables.items():
            table.to_parquet(staging / f"{name}.parquet", index=False, compression="zstd")
            step(f"staged {name}")
        manifest["files"] = {f"{name}.parquet": digest_of(staging / f"{name}.parquet") for name in tables}
        (staging / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        step("staged manifest")
    return runs / run_id


def _manifest(
    config: RunConfig,
    readings: Mapping[str, Reading],
    sections: Sequence[SectionData],
    frames: RunFrames,
    *,
    run_id: str,
    now: datetime,
    steps: Mapping[str, float],
) -> dict[str, Any]:
    sources = {note.id: note for reading in readings.values() for note in reading.sources}
    used = set(frames.history["source"].unique())
    for section in sections:
        sources = {note.id: note for note in section.sources} | sources
        used |= {note.id for note in section.sources}
    manifest = {
        "schema": 1,
        "run_id": run_id,
        "name": config.name,
        "title": config.title,
        "package_version": __version__,
        "as_of": config.as_of.isoformat(),
        "created": now.isoformat(timespec="seconds"),
        "seed": config.seed,
        "n_paths": config.n_paths,
        "levels": list(config.levels),
        "config": config.resolved(),
        "config_path": config.file.name,
        "data_digest": data_digest(readings, sections),
        "sources": [vars(note) for note in sources.values() if note.id in used],
        "warnings": list(frames.warnings),
        "provenance": sorted({*frames.history["provenance"], *(kind for each in sections for kind in each.provenance)}),
        "targets": [
            {
                "name": target.name,
                "data": target.data,
                "measures": list(target.measures),
                "freq": freq_of(config, target.data),
                "horizon": target.horizon,
                "model": target.model,
                "candidates": list(target.candidates),
                "origins": target.origins,
                "thresholds": dict(target.thresholds),
                "areas": frames.areas[target.name],
            }
            for target in config.targets
        ],
        "status": frames.status,
        "steps": dict(steps),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__},
    }
    return {**manifest, **frames.entries()}
