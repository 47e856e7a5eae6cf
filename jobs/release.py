"""A release: what a planner gets of a run. Gates, then the page and tables, staged and put in place whole.

`releases/current.json` names the release that stands and the digest of every file of it. It is replaced
after the folder it names is on disk, so a reader finds either the old release whole or the new one whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.errors import InputError, PublishRefused
from jobs.atomic import Step, clear_leftovers, no_step, staged_folder, write_file

if TYPE_CHECKING:
    from forecast.publish.changes import Previous
    from forecast.publish.run import RunRecord

CURRENT = "current.json"
LOCK = ".publish.lock"
ID_LENGTH = 12


@dataclass(frozen=True)
class ReleaseResult:
    """What `publish` did.

    Attributes
    ----------
    release_id, run_id : str
    folder : Path
        The release; with `dry_run` it need not exist.
    status : {"published", "unchanged", "would_publish"}
    message : str
        One line for the person who asked.
    warnings : tuple of str
    """

    release_id: str
    run_id: str
    folder: Path
    status: str
    message: str
    warnings: tuple[str, ...] = ()

    @property
    def index(self) -> Path:
        """The page."""
        return self.folder / "index.html"


def publish(
    run_folder: Path, releases: Path, *, now: datetime, dry_run: bool = False, step: Step = no_step
) -> ReleaseResult:
    """Make a release of a run and point `current.json` at it.

    Parameters
    ----------
    run_folder : Path
        `runs/<run_id>/` of a complete run.
    releases : Path
        Made if missing.
    now : datetime
        Day and time of the release, as the page gives it.
    dry_run : bool, default False
        Check the gates and say what would be done; write nothing.
    step : callable, optional
        Called with the name of each step after it is done: the seam of the kill test.

    Returns
    -------
    ReleaseResult
        `unchanged` when the release of this run stands already.

    Raises
    ------
    InputError
        If the run folder is not whole or the run did not complete.
    PublishRefused
        If any figure is local: disclosure control does not exist yet.
    filelock.Timeout
        If another publish is at work.
    """
    from filelock import FileLock

    from forecast.publish.run import read_run

    run = read_run(run_folder)
    _gate(run, run_folder)
    release_id = _release_id(run)
    if dry_run:
        return _result(run, release_id, releases, stands=_stands(releases, release_id), dry_run=True)
    releases.mkdir(parents=True, exist_ok=True)
    with FileLock(releases / LOCK, timeout=0):
        clear_leftovers(releases)
        step("leftovers cleared")
        if _stands(releases, release_id):
            return _result(run, release_id, releases, stands=True)
        folder = releases / release_id
        warnings: tuple[str, ...] = ()
        if not _whole(folder):
            _set_aside(folder, step)
            previous, warnings = _previous(releases)
            _build(run, folder, previous, release_id=release_id, now=now, step=step)
        _point(releases, folder, step)
    return _result(run, release_id, releases, stands=False, warnings=warnings)


def current(releases: Path) -> Mapping[str, Any] | None:
    """Return what `current.json` says, or None if nothing was released.

    Raises
    ------
    InputError
        If the file is there but cannot be read.
    """
    path = releases / CURRENT
    if not path.exists():
        return None
    try:
        pointer = json.loads(path.read_text(encoding="utf-8"))
        named = {key: str(pointer[key]) for key in ("release_id", "run_id", "path", "published")}
        return {**named, "files": dict(pointer["files"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not readable; delete it and publish a run again.") from error


def rendering_version() -> str:
    """Digest of the code and templates that draw a release: a new page design gives a new release id."""
    total = hashlib.sha256()
    for name, content in sorted(_drawing(files("forecast.publish"))):
        total.update(name.encode())
        total.update(content.replace(b"\r\n", b"\n"))
    return total.hexdigest()


def _drawing(folder: Traversable, below: str = "") -> Iterator[tuple[str, bytes]]:
    """Go through the files of a package and of the packages in it that draw a page, by relative path."""
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _drawing(entry, f"{below}{entry.name}/")
        elif entry.name.endswith((".py", ".j2", ".css")):
            yield f"{below}{entry.name}", entry.read_bytes()


def _gate(run: RunRecord, run_folder: Path) -> None:
    if "local" not in run.provenance:
        return
    local = [str(source["id"]) for source in run.manifest["sources"] if source["provenance"] == "local"]
    named = f" (source {', '.join(local)})" if local else ""
    raise PublishRefused(
        f"run '{run.manifest['run_id']}': provenance is local{named}; only published or synthetic data may be "
        f"released, because disclosure control does not exist yet. Keep {run_folder} inside the council."
    )


def _release_id(run: RunRecord) -> str:
    key = f"{run.manifest['run_id']}\n{rendering_version()}"
    return hashlib.sha256(key.encode()).hexdigest()[:ID_LENGTH]


def _stands(releases: Path, release_id: str) -> bool:
    pointer = _readable_pointer(releases)
    if pointer is None or pointer["release_id"] != release_id:
        return False
    return _matches(releases / pointer["path"], pointer["files"])


def _readable_pointer(releases: Path) -> Mapping[str, Any] | None:
    try:
        return current(releases)
    except InputError:
        return None


def _matches(folder: Path, digests: Mapping[str, str]) -> bool:
    return all((folder / name).is_file() and _digest(folder / name) == digest for name, digest in digests.items())


def _whole(folder: Path) -> bool:
    """Say whether a release folder holds every file its manifest names, unchanged."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return _matches(folder, manifest["files"])
    except (OSError, ValueError, KeyError):
        return False


def _set_aside(folder: Path, step: Step) -> None:
    """Take a damaged release out of the way; it would never be named by a new `current.json`."""
    if folder.exists():
        aside = folder.with_name(f".staging-damaged-{folder.name}")
        folder.replace(aside)
        step("damaged release set aside")
        clear_leftovers(folder.parent)


def _previous(releases: Path) -> tuple[Previous | None, tuple[str, ...]]:
    """Read the release that stands; if it cannot be read, say so and go on without it."""
    import pandas as pd

    from forecast.publish.changes import Previous
    from forecast.publish.tables import read_projections

    try:
        pointer = current(releases)
        if pointer is None:
            return None, ()
        table = read_projections(releases / pointer["path"] / "projections.csv")
        return Previous(table=table, published=pd.Timestamp(pointer["published"])), ()
    except InputError as error:
        return None, (f"the last release is left out of the comparison: {error}",)


def _build(
    run: RunRecord, folder: Path, previous: Previous | None, *, release_id: str, now: datetime, step: Step
) -> None:
    import pandas as pd

    from forecast.publish.ehc.tables import ehc_files
    from forecast.publish.report import build_page, render
    from forecast.publish.speech_language.tables import speech_language_files
    from forecast.publish.tables import csv_bytes, meta_bytes, projections

    table = projections(run)
    page = build_page(run, published=pd.Timestamp(now), release_id=release_id, current=table, previous=previous)
    contents = {
        "index.html": render(page).encode("utf-8"),
        "projections.csv": csv_bytes(table),
        "projections.meta.csv": meta_bytes(),
        **ehc_files(run),
        **speech_language_files(run),
    }
    manifest = {
        "schema": 1,
        "release_id": release_id,
        "run_id": run.manifest["run_id"],
        "title": run.manifest["title"],
        "as_of": run.manifest["as_of"],
        "published": now.isoformat(timespec="seconds"),
        "provenance": sorted(run.provenance),
        "sources": run.manifest["sources"],
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()},
    }
    contents["manifest.json"] = _json(manifest)
    step("release rendered")
    with staged_folder(folder, step=step) as staging:
        for name, content in contents.items():
            (staging / name).write_bytes(content)
            step(f"staged {name}")


def _point(releases: Path, folder: Path, step: Step) -> None:
    """Name a release in `current.json`, the last step."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    names = (*manifest["files"], "manifest.json")
    pointer = {
        "release_id": manifest["release_id"],
        "path": folder.name,
        "run_id": manifest["run_id"],
        "published": manifest["published"],
        "files": {name: _digest(folder / name) for name in names},
    }
    write_file(releases / CURRENT, _json(pointer), step=step)


def _result(
    run: RunRecord,
    release_id: str,
    releases: Path,
    *,
    stands: bool,
    dry_run: bool = False,
    warnings: tuple[str, ...] = (),
) -> ReleaseResult:
    folder, run_id = releases / release_id, str(run.manifest["run_id"])
    if stands:
        status, message = "unchanged", f"run {run_id} is published already: {folder / 'index.html'}"
    elif dry_run:
        status, message = "would_publish", f"run {run_id} would be published as {folder}"
    else:
        status, message = "published", f"run {run_id} published: {folder / 'index.html'}"
    return ReleaseResult(release_id, run_id, folder, status, message, warnings)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")
