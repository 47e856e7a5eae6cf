"""Files and folders that appear whole or not at all, whatever moment the process is killed at.

A folder is staged beside its target, written to disk, and renamed. A file is written beside its target
and put in its place by `os.replace`. What a killed process leaves behind starts with `STAGING`, and
`clear_leftovers` removes it: call that while holding the lock of the folder.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

STAGING = ".staging-"
REPLACE_ATTEMPTS = 10

Step = Callable[[str], None]


def no_step(name: str) -> None:
    """Do nothing between two steps: the default `Step`."""


def replace(source: Path, target: Path, *, pause: Callable[[float], None] = time.sleep) -> None:
    """Rename over a target, trying again where Windows refuses because a reader holds the file.

    Parameters
    ----------
    source, target : Path
        On one file system. A folder can only take the place of nothing.
    pause : callable, default time.sleep
        Waits the given seconds between attempts: 1.4 s in all.

    Raises
    ------
    PermissionError
        If every attempt is refused.
    """
    for attempt in range(REPLACE_ATTEMPTS):
        try:
            os.replace(source, target)
            return
        except PermissionError:
            if attempt == REPLACE_ATTEMPTS - 1:
                raise
            pause(0.03 * (attempt + 1))


def write_file(path: Path, content: bytes, *, step: Step = no_step) -> None:
    """Write one file so that a reader sees the old content or the new, never a part.

    Parameters
    ----------
    path : Path
        In a folder that exists.
    content : bytes
    step : callable, optional
        Called with the name of each step after it is done: the seam of the kill test.
    """
    staged = path.with_name(f"{STAGING}{path.name}")
    with staged.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    step(f"staged {path.name}")
    replace(staged, path)
    sync_folder(path.parent)
    step(f"replaced {path.name}")


@contextmanager
def staged_folder(target: Path, *, step: Step = no_step) -> Iterator[Path]:
    """Give a folder to fill that becomes `target` when the block ends, and vanishes if it raises.

    Parameters
    ----------
    target : Path
        Must not exist; its parent is made if missing.
    step : callable, optional
        Called with the name of each step after it is done: the seam of the kill test.

    Raises
    ------
    FileExistsError
        If the target exists: finished folders are never changed.
    """
    if target.exists():
        raise FileExistsError(f"{target} exists; a finished folder is never changed.")
    staging = target.with_name(f"{STAGING}{target.name}")
    target.parent.mkdir(parents=True, exist_ok=True)
    if staging.exists():
        shutil.rmtree(staging)
    staging.mkdir()
    step("staging made")
    try:
        yield staging
        step("staging filled")
        sync_tree(staging)
        step("staging on disk")
        replace(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    sync_folder(target.parent)
    step("renamed")


def clear_leftovers(folder: Path) -> list[str]:
    """Remove what killed processes left in a folder; return the names, sorted."""
    found = sorted(folder.glob(f"{STAGING}*")) if folder.is_dir() else []
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [path.name for path in found]


def sync_tree(folder: Path) -> None:
    """Force every file and folder under a folder to disk."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        else:
            sync_folder(path)
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
