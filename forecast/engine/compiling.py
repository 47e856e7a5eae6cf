"""How the kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile on first use and keep the result on disk; the function runs without the interpreter lock.

    Floating point keeps IEEE order, so that a figure is the same on one thread and on many.
    """
    made: F = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return made
