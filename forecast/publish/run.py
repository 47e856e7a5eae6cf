"""A run folder as the page reads it: the manifest and its tables, checked once at the door."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.errors import InputError
from forecast.publish.ehc.run import EHC_COLUMNS, EHC_KEYS, EhcRun
from forecast.publish.speech_language.run import (
    OPTION_KEYS,
    SLT_COLUMNS,
    SLT_KEYS,
    SpeechLanguageRun,
    speech_language_run,
)
from forecast.sources.observations import OBSERVATION_COLUMNS, PROVENANCES, usable

COMPLETE = ("ok", "model_failed")
LEVELS = (80, 95)
KEYS = ("target", "measure", "geographic_level", "area_code")
TABLES = {
    "history": ("target", "unique_id", *OBSERVATION_COLUMNS),
    "forecasts": (
        *KEYS,
        *("unique_id", "area_name", "region_code", "model", "origin", "ds", "horizon", "mean", "median"),
        *("lo-80", "hi-80", "lo-95", "hi-95", "threshold", "prob_above", "on_page"),
    ),
    "scores": (
        *KEYS,
        *("unique_id", "model", "origin", "horizon", "ds", "actual", "point", "error", "abs_error"),
        *("scaled_abs_error", "pinball", "covered_80", "covered_95"),
    ),
    "ledger": (*KEYS, "area_name", "unique_id", "model", "status", "reason", "n_obs", "last_ds"),
}
EHC_TABLE, EHC_BASELINE = "ehc.parquet", "ehc_baseline.parquet"
SLT_TABLE = "speech_language.parquet"
MANIFEST_KEYS = (
    *("schema", "run_id", "title", "package_version", "as_of", "created", "seed", "n_paths", "data_digest"),
    *("sources", "warnings", "provenance", "targets", "status", "versions"),
)


@dataclass(frozen=True)
class Area:
    """An area on the page."""

    code: str
    name: str
    level: str


@dataclass(frozen=True)
class Target:
    """One target of the config: measures of one source, for areas, over a horizon.

    Attributes
    ----------
    name, freq, model : str
    measures : tuple of str
    horizon, origins : int
    areas : tuple of Area
        On the page, in the order of the config.
    thresholds : mapping of str to float
        By measure.
    """

    name: str
    freq: str
    model: str
    measures: tuple[str, ...]
    horizon: int
    origins: int
    areas: tuple[Area, ...]
    thresholds: Mapping[str, float]


@dataclass(frozen=True)
class RunRecord:
    """A finished run.

    Attributes
    ----------
    manifest : mapping
        As the run wrote it.
    targets : tuple of Target
    history : DataFrame
        Observations visible at as-of, with `target` and `unique_id`. `usable` is y where models may use it.
    forecasts, scores, ledger : DataFrame
    provenance : frozenset of str
        Every provenance a figure or a source of the run has.
    ehc : EhcRun or None
        The projection from request to plan, if the config asks for one.
    speech_language : SpeechLanguageRun or None
        The projection of speech and language, if the config asks for one.
    """

    manifest: Mapping[str, Any]
    targets: tuple[Target, ...]
    history: pd.DataFrame
    forecasts: pd.DataFrame
    scores: pd.DataFrame
    ledger: pd.DataFrame
    provenance: frozenset[str]
    ehc: EhcRun | None = None
    speech_language: SpeechLanguageRun | None = None

    @property
    def as_of(self) -> pd.Timestamp:
        """The day after which nothing was seen."""
        return pd.Timestamp(self.manifest["as_of"])

    def synthetic(self, target: str) -> bool:
        """Say whether any figure behind a target was made up."""
        rows = self.history[self.history["target"].eq(target)]
        return bool(rows["provenance"].eq("synthetic").any())


def read_run(folder: Path) -> RunRecord:
    """Read a run folder and refuse one that is not whole.

    Parameters
    ----------
    folder : Path
        `runs/<run_id>/`.

    Raises
    ------
    InputError
        If the folder or a file is missing or cannot be read, a column or key is missing, the run did
        not complete, or a provenance is unknown.
    """
    if not folder.is_dir():
        raise InputError(f"run folder '{folder}': not found; give the folder of a finished run.")
    manifest = _read_manifest(folder / "manifest.json")
    tables = {name: _read_table(folder / f"{name}.parquet", columns) for name, columns in TABLES.items()}
    history = tables["history"].assign(usable=usable(tables["history"]))
    sources = {str(source["provenance"]) for source in manifest["sources"]}
    ehc, speech_language = _ehc(folder, manifest), _speech_language(folder, manifest)
    kinds = sources | set(manifest["provenance"]) | set(history["provenance"].unique())
    provenance = frozenset(kinds.union(*(part.provenance for part in (ehc, speech_language) if part)))
    if unknown := sorted(provenance - set(PROVENANCES)):
        raise InputError(
            f"{folder / 'manifest.json'}: provenance '{unknown[0]}' is unknown; allowed are "
            f"{', '.join(PROVENANCES)}. Run the forecast again."
        )
    return RunRecord(
        manifest=manifest,
        targets=tuple(_target(entry) for entry in manifest["targets"]),
        history=history,
        forecasts=tables["forecasts"],
        scores=tables["scores"],
        ledger=tables["ledger"],
        provenance=provenance,
        ehc=ehc,
        speech_language=speech_language,
    )


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(_broken(path, error)) from error
    missing = [key for key in MANIFEST_KEYS if key not in manifest] if isinstance(manifest, dict) else ["schema"]
    if missing:
        raise InputError(f"{path}: '{missing[0]}' is missing; the file is not whole. Run the forecast again.")
    if manifest["status"] not in COMPLETE:
        raise InputError(
            f"{path}: status is '{manifest['status']}'; only a complete run ({' or '.join(COMPLETE)}) can be "
            "published. Run the forecast again."
        )
    return dict(manifest)


def _read_table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(_broken(path, error)) from error
    if missing := [column for column in columns if column not in frame.columns]:
        raise InputError(f"{path}: column '{missing[0]}' is missing; the run is not whole. Run the forecast again.")
    return frame


def _broken(path: Path, error: Exception) -> str:
    what = "missing" if isinstance(error, FileNotFoundError) else "not readable"
    return f"{path}: {what}; the run is not whole. Run the forecast again."


def _target(entry: Mapping[str, Any]) -> Target:
    return Target(
        name=entry["name"],
        freq=entry["freq"],
        model=entry["model"],
        measures=tuple(entry["measures"]),
        horizon=int(entry["horizon"]),
        origins=int(entry["origins"]),
        areas=_areas(entry),
        thresholds=dict(entry["thresholds"]),
    )


def _areas(entry: Mapping[str, Any]) -> tuple[Area, ...]:
    return tuple(Area(a["area_code"], a["area_name"], a["geographic_level"]) for a in entry["areas"])


def _ehc(folder: Path, manifest: Mapping[str, Any]) -> EhcRun | None:
    entry = manifest.get("ehc")
    if entry is None:
        return None
    _whole(folder, "ehc", entry, EHC_KEYS)
    baseline = folder / EHC_BASELINE
    return EhcRun(
        table=_read_table(folder / EHC_TABLE, EHC_COLUMNS),
        baseline=_read_table(baseline, EHC_COLUMNS) if baseline.exists() else None,
        areas=_areas(entry),
        until=int(entry["until"]),
        overrides=tuple(dict(override) for override in entry["overrides"]),
        notes={code: tuple(map(str, lines)) for code, lines in entry["notes"].items()},
        settings={str(name): str(value) for name, value in entry["settings"].items()},
        tables={str(table["name"]): str(table["title"]) for table in entry["tables"]},
        adjustment={
            code: {int(step["year"]): (float(step["plans"]), float(step["percent"])) for step in steps}
            for code, steps in entry["adjustment"].items()
        },
        provenance=frozenset(map(str, entry["provenance"])),
        references=frozenset(map(str, entry["references"])),
        placed=frozenset(str(table["name"]) for table in entry["tables"] if table.get("placement")),
    )


def _speech_language(folder: Path, manifest: Mapping[str, Any]) -> SpeechLanguageRun | None:
    entry = manifest.get("speech_language")
    if entry is None:
        return None
    _whole(folder, "speech_language", entry, SLT_KEYS)
    if not entry["options"]:
        raise InputError(
            f"{folder / 'manifest.json'}: 'speech_language.options' is empty; the file is not whole. Run the forecast "
            "again."
        )
    for i, option in enumerate(entry["options"]):
        _whole(folder, f"speech_language.options[{i}]", option, OPTION_KEYS)
    provider = Area(entry["provider"]["area_code"], entry["provider"]["area_name"], "provider")
    return speech_language_run(entry, _read_table(folder / SLT_TABLE, SLT_COLUMNS), provider)


def _whole(folder: Path, name: str, entry: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    if missing := [key for key in keys if key not in entry]:
        raise InputError(
            f"{folder / 'manifest.json'}: '{name}.{missing[0]}' is missing; the file is not whole. Run the forecast "
            "again."
        )
