"""All series of a panel at one origin, and the members that forecast them.

A member is a function `(batch, steps) -> points (n, steps)` marked `@member(name)` in a module of this
folder; `members()` finds it. Its kernel is a compiled loop over rows that `Batch.each` runs on a thread pool.
`summaries()` reads the names from the sources, because listing models must not load the compiler.
"""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

import numpy as np
import numpy.typing as npt

import forecast.engine as engine_package

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROWS_PER_BLOCK = 64
THREADS_VARIABLE = "FORECAST_THREADS"


@dataclass(frozen=True)
class Whole:
    """An argument of a kernel that belongs to the pools, not to the rows, and is passed to each block uncut."""

    array: npt.NDArray[np.generic]


@dataclass(frozen=True, eq=False)
class Batch:
    """Histories of many series up to one origin.

    Attributes
    ----------
    values : ndarray (n, T)
        The history of row i is `values[i, start[i]:stop[i]]`: finite, not negative, three figures or more.
        What lies outside is not looked at.
    start, stop : ndarray of int (n,)
    period : int
        Season length. The phase of column t is `t % period`, the same for all rows.
    pools : ndarray of int (n,)
        Code of each row's pool, 0 to P-1; rows learn only from rows of their pool.
    """

    values: FloatArray
    start: IntArray
    stop: IntArray
    period: int
    pools: IntArray

    def each(self, rows_kernel: Callable[..., None], steps: int, *shared: object) -> FloatArray:
        """Run a kernel over all rows and return what it writes (n, steps).

        Parameters
        ----------
        rows_kernel : compiled function
            `(values, start, stop, period, *shared, out)` over the rows of a block.
        steps : int
            Columns of `out`.
        *shared : object
            Further arguments. An array of n rows is cut to those of the block, unless it is `Whole`.
        """
        n = len(self.values)
        out = np.full((n, steps), np.nan)

        def run(first: int) -> None:
            rows = slice(first, first + ROWS_PER_BLOCK)
            cut = [_cut(argument, rows, n) for argument in shared]
            rows_kernel(self.values[rows], self.start[rows], self.stop[rows], self.period, *cut, out[rows])

        in_threads(run, range(0, n, ROWS_PER_BLOCK))
        return out


Member = Callable[[Batch, int], FloatArray]
M = TypeVar("M", bound=Member)
_MEMBERS: dict[str, Member] = {}


def member(name: str) -> Callable[[M], M]:
    """Decorate a function `(batch, steps) -> points (n, steps)`: make it known by its name."""

    def mark(function: M) -> M:
        _MEMBERS[name] = function
        return function

    return mark


@cache
def summaries() -> dict[str, str]:
    """Return the first line of every member's docstring by name, sorted, without importing it."""
    found = {}
    for module in files(engine_package).iterdir():
        if module.name.endswith(".py"):
            for node in ast.parse(module.read_text(encoding="utf-8")).body:
                match node:
                    case ast.FunctionDef(decorator_list=[ast.Call(func=ast.Name("member"), args=[ast.Constant(name)])]):
                        found[str(name)] = (ast.get_docstring(node) or "").partition("\n")[0]
    return dict(sorted(found.items()))


@cache
def members() -> dict[str, Member]:
    """Return all members of the engine by name, sorted."""
    for module in pkgutil.iter_modules(engine_package.__path__):
        importlib.import_module(f"{engine_package.__name__}.{module.name}")
    return dict(sorted(_MEMBERS.items()))


def in_threads(run: Callable[[int], None], blocks: range) -> None:
    """Call `run` for every block, on as many threads as FORECAST_THREADS says, or the machine has cores."""
    threads = int(os.environ.get(THREADS_VARIABLE) or os.cpu_count() or 1)
    if threads == 1 or len(blocks) < 2:
        for first in blocks:
            run(first)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(run, blocks):
            pass


def _cut(argument: object, rows: slice, n: int) -> object:
    if isinstance(argument, Whole):
        return argument.array
    if isinstance(argument, np.ndarray) and argument.ndim and len(argument) == n:
        return argument[rows]
    return argument
