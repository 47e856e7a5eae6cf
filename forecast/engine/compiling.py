"""How the kernels are compiled, and where the results are kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile on first use and keep the result on disk; the function runs without the interpreter lock.

    Floating point keeps IEEE order, so that a figure is the same on one thread and on many. Where no folder
    can be written, each process compiles anew and says so once.
    """
    before = numba.config.CACHE_DIR
    folder = cache_folder(before)
    numba.config.CACHE_DIR = str(folder or before)
    try:
        made: F = numba.njit(cache=folder is not None, nogil=True, error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before
    return made


@cache
def cache_folder(chosen: str) -> Path | None:
    """Return the folder for these sources, or None: numba alone would keep a caller whose callee elsewhere changed.

    The first that can be written: below the folder that NUMBA_CACHE_DIR names, beside the sources, among the
    user's caches. Folders of earlier sources of this installation are removed from beside it.
    """
    sources = Path(str(files("forecast.engine")))
    digest = hashlib.sha256()
    for source in sorted(sources.glob("*.py")):
        digest.update(source.read_bytes())
    for place in _places(chosen, sources):
        folder = place / f"engine-{digest.hexdigest()[:16]}"
        if _writable(folder):
            for other in place.glob("engine-*"):
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)
            return folder
    warnings.warn(
        f"No folder for compiled forecasting kernels can be written, {sources / '__pycache__'} least of all: each "
        "process compiles them anew, half a minute. Set NUMBA_CACHE_DIR to a folder that can be written.",
        RuntimeWarning,
        stacklevel=3,
    )
    return None


def _places(chosen: str, sources: Path) -> Iterator[Path]:
    """Folders to try; those that installations share have a part for each."""
    installation = f"forecast-{hashlib.sha256(str(sources).encode()).hexdigest()[:16]}"
    if chosen:
        yield Path(chosen) / installation
    yield sources / "__pycache__"
    of_user = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    yield Path(of_user) / installation


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
