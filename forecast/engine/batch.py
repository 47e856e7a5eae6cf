"""All series of a panel at one origin, and the members that forecast them.

A member is a function `(batch, steps) -> points (n, steps)` marked `@member(name)` in a module of this
folder; `members()` finds it. Its kernel is a compiled loop over rows that `Batch.each` runs on a thread pool.
`described()` reads what they are from the sources, because listing models must not load the compiler.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeVar

import numpy as np
import numpy.typing as npt

import forecast.engine as engine_package
from forecast.threads import in_threads

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

ROWS_PER_BLOCK = 64


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

    def each(
        self,
        rows_kernel: Callable[..., None],
        steps: int,
        *whole: object,
        by_row: tuple[npt.NDArray[np.generic], ...] = (),
    ) -> FloatArray:
        """Run a kernel over all rows and return what it writes (n, steps).

        Parameters
        ----------
        rows_kernel : compiled function
            `(values, start, stop, period, *by_row, *whole, out)` over the rows of a block.
        steps : int
            Columns of `out`.
        *whole : object
            Arguments that are the same for every block: figures, tables, arrays of pools.
        by_row : tuple of ndarray
            Arrays of n rows, of which a block is given its own.

        Raises
        ------
        TypeError
            An argument by row is not an array of n rows.
        """
        n = len(self.values)
        for array in by_row:
            if not isinstance(array, np.ndarray) or array.shape[:1] != (n,):
                raise TypeError(f"by_row: arrays of {n} rows are needed, not {type(array).__name__} {np.shape(array)}")
        out = np.full((n, steps), np.nan)

        def run(first: int) -> None:
            rows = slice(first, first + ROWS_PER_BLOCK)
            cut = [array[rows] for array in by_row]
            rows_kernel(self.values[rows], self.start[rows], self.stop[rows], self.period, *cut, *whole, out[rows])

        in_threads(run, range(0, n, ROWS_PER_BLOCK))
        return out


Member = Callable[[Batch, int], FloatArray]
M = TypeVar("M", bound=Member)
_MEMBERS: dict[str, Member] = {}


@dataclass(frozen=True)
class Described:
    """A member as its source tells it.

    Attributes
    ----------
    summary : str
        First line of its docstring.
    pooled : bool
        Rows learn from others of their pool.
    """

    summary: str
    pooled: bool


def member(name: str, *, pooled: bool = False) -> Callable[[M], M]:
    """Decorate a function `(batch, steps) -> points (n, steps)`: make it known by its name.

    Parameters
    ----------
    name : str
    pooled : bool
        Whether rows learn from others of their pool. Both are written out: `described` reads them unrun.
    """

    def mark(function: M) -> M:
        _MEMBERS[name] = function
        return function

    return mark


@cache
def described() -> dict[str, Described]:
    """Return what every member is, by name, sorted, without importing it."""
    found = {}
    for module in files(engine_package).iterdir():
        if module.name.endswith(".py"):
            for node in ast.parse(module.read_text(encoding="utf-8")).body:
                match node:
                    case ast.FunctionDef(
                        decorator_list=[ast.Call(func=ast.Name("member"), args=[ast.Constant(name)], keywords=said)]
                    ):
                        summary = (ast.get_docstring(node) or "").partition("\n")[0]
                        found[str(name)] = Described(summary, any(ast.unparse(word) == "pooled=True" for word in said))
    return dict(sorted(found.items()))


@cache
def members() -> dict[str, Member]:
    """Return all members of the engine by name, sorted."""
    for module in pkgutil.iter_modules(engine_package.__path__):
        importlib.import_module(f"{engine_package.__name__}.{module.name}")
    return dict(sorted(_MEMBERS.items()))
