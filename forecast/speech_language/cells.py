"""Cells: the children of one locality, age band and tier, and how they are put together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.errors import SpecError
from forecast.panel import IntArray

BoolArray = npt.NDArray[np.bool_]

KEYS = ("locality", "age_band", "tier")
ALL = "all"
NO_LIST = -1


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a service.

    Attributes
    ----------
    frame : DataFrame
        locality, age_band, tier: one row a cell, each once, in order.
    """

    frame: pd.DataFrame

    def __post_init__(self) -> None:
        if self.frame.empty or self.frame.duplicated(list(KEYS)).any():
            raise SpecError("cells: each locality, age band and tier once is needed, and at least one. Correct them.")

    def __len__(self) -> int:
        return len(self.frame)

    def values(self, key: str) -> tuple[str, ...]:
        """Values of a key, in the order of the cells, ages by their first number."""
        found = [str(value) for value in dict.fromkeys(self.frame[key])]
        return tuple(sorted(found, key=_age) if key == "age_band" else found)

    @property
    def groups(self) -> tuple[tuple[str, str], ...]:
        """What is told of: all children, then each value of a key that has several, as (key, value)."""
        margins = [(key, value) for key in KEYS if len(self.values(key)) > 1 for value in self.values(key)]
        return (("", ""), *margins)

    def members(self, groups: Sequence[tuple[str, str]]) -> BoolArray:
        """Whether each cell belongs to each group (K, C)."""
        rows = [self.frame[key].eq(value) if key else np.ones(len(self), dtype=bool) for key, value in groups]
        return np.array(rows, dtype=bool)

    def inside(self, key: str, values: Collection[str]) -> BoolArray:
        """Whether each cell has one of the values of a key (C,)."""
        return np.asarray(self.frame[key].isin(list(values)), dtype=bool)

    def clinics(self, shared_by: Sequence[str], seen_at_once: Collection[str] = ()) -> tuple[IntArray, int]:
        """Which clinic's first contacts each cell is booked from.

        Parameters
        ----------
        shared_by : sequence of str
            Keys: cells that agree in all of them have one clinic; none puts every cell in one.
        seen_at_once : collection of str
            Tiers without a waiting list.

        Returns
        -------
        of_cell : ndarray (C,)
            Number of the clinic; `NO_LIST` where there is no list.
        n_clinics : int

        Raises
        ------
        SpecError
            A tier that is not there, or no cell with a list.
        """
        unknown = sorted(set(seen_at_once) - set(self.values("tier")))
        if unknown:
            raise SpecError(
                f"seen_at_once {unknown[0]!r}: not a tier of the referrals; they are {', '.join(self.values('tier'))}. "
                "Name one of them or take it out."
            )
        listed = ~self.inside("tier", seen_at_once)
        if not listed.any():
            raise SpecError("seen_at_once: it names every tier, so that nobody waits. Leave one with a waiting list.")
        named = self.frame[list(shared_by)].agg("/".join, axis=1) if shared_by else pd.Series("", self.frame.index)
        codes, names = pd.factorize(named[listed])
        of_cell = np.full(len(self), NO_LIST, dtype=np.int64)
        of_cell[listed] = codes
        return of_cell, len(names)


def _age(band: str) -> tuple[int, str]:
    digits = "".join(character if character.isdigit() else " " for character in band).split()
    return (int(digits[0]) if digits else 0, band)
