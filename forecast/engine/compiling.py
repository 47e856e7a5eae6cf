"""How the kernels are compiled, and where the results are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile on first use and keep the result on disk; the function runs without the interpreter lock.

    Floating point keeps IEEE order, so that a figure is the same on one thread and on many.
    """
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = _cache_folder(before)
    try:
        made: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        numba.config.CACHE_DIR = before
    return made


@cache
def _cache_folder(chosen: str) -> str:
    """Return the folder for these sources: numba alone would keep a caller whose callee in another file changed.

    Below the folder that NUMBA_CACHE_DIR names, or beside the sources; where that cannot be written, numba
    takes one of the user's.
    """
    sources = Path(str(files("forecast.engine")))
    digest = hashlib.sha256()
    for source in sorted(sources.glob("*.py")):
        digest.update(source.read_bytes())
    return str((Path(chosen) if chosen else sources / "__pycache__") / f"engine-{digest.hexdigest()[:16]}")
