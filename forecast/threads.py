"""Threads: blocks of work side by side, as many at a time as the machine or its user allows."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from forecast.errors import SpecError

THREADS_VARIABLE = "FORECAST_THREADS"


def thread_count() -> int:
    """Return how many threads FORECAST_THREADS asks for; unset or empty, one a core this process may use.

    Raises
    ------
    SpecError
        FORECAST_THREADS is not a whole number from 1 up.
    """
    said = os.environ.get(THREADS_VARIABLE, "").strip()
    if not said:
        return _cores()
    if not said.isdecimal() or int(said) < 1:
        raise SpecError(
            f"{THREADS_VARIABLE} {said!r}: a whole number of threads, 1 or more, is needed. "
            "Set it to one, or unset it to use every core."
        )
    return int(said)


def in_threads(run: Callable[[int], None], blocks: range) -> None:
    """Call `run` for every block, on `thread_count` threads; the first failure is raised.

    Raises
    ------
    SpecError
        FORECAST_THREADS is not a whole number from 1 up.
    """
    threads = thread_count()
    if threads == 1 or len(blocks) < 2:
        for first in blocks:
            run(first)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, blocks):
            pass


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
