"""Bands of wait: a way to read a waiting list that is kept by single week of wait.

Inside, a list is always an array whose last axis is the week of wait: cell w holds children who have waited w to w + 1
weeks, the last cell those who have waited 104 weeks or more. The bands of NHS England's monthly community waiting lists
are the default; a service that counts in others gives its own edges.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecast.errors import InputError, SpecError
from forecast.panel import FloatArray, IntArray

WEEKS = 105
FALL = 0.04  # of those in the open band, the share of each further week that is not in the next


@dataclass(frozen=True)
class WaitBands:
    """Bands of wait, in whole weeks.

    Attributes
    ----------
    edges : tuple of int
        Where a band ends and the next begins: rising whole numbers from 1 to 104. A wait of exactly an edge belongs to
        the band above it; the last band is open.

    Raises
    ------
    SpecError
        No edge, one that is not a whole number from 1 to 104, or edges that do not rise.

    Examples
    --------
    >>> WaitBands().labels
    ('0-1', '1-2', '2-4', '4-12', '12-18', '18-52', '52+')
    >>> WaitBands((18,)).of_week[[0, 17, 18, 104]].tolist()
    [0, 0, 1, 1]
    """

    edges: tuple[int, ...] = (1, 2, 4, 12, 18, 52)

    def __post_init__(self) -> None:
        whole = all(isinstance(edge, int) and not isinstance(edge, bool) for edge in self.edges)
        if not self.edges or not whole or self.edges[0] < 1 or self.edges[-1] >= WEEKS or not self._rise():
            raise SpecError(
                f"wait bands {self.edges!r}: the edges are whole weeks from 1 to {WEEKS - 1}, each above the one "
                "before it, at least one. Write them like (1, 2, 4, 12, 18, 52)."
            )

    def _rise(self) -> bool:
        return all(low < high for low, high in zip(self.edges, self.edges[1:], strict=False))

    @property
    def n(self) -> int:
        """Number of bands, B."""
        return len(self.edges) + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the bands, length B, the shortest wait first."""
        starts = (0, *self.edges)
        closed = zip(starts, self.edges, strict=False)
        return (*(f"{low}-{high}" for low, high in closed), f"{self.edges[-1]}+")

    @cached_property
    def starts(self) -> IntArray:
        """First week of each band (B,)."""
        return np.array((0, *self.edges), dtype=np.int64)

    @cached_property
    def of_week(self) -> IntArray:
        """Position of the band of each week of wait (WEEKS,)."""
        return np.searchsorted(self.starts, np.arange(WEEKS), side="right").astype(np.int64) - 1

    def spread(self, counts: FloatArray) -> FloatArray:
        """Spread children counted by band over single weeks of wait.

        Parameters
        ----------
        counts : ndarray (..., B)
            Children; NaN where not known.

        Returns
        -------
        ndarray (..., WEEKS)
            `read` gives the counts back.

        Raises
        ------
        InputError
            The last axis has not one figure for each band.

        Notes
        -----
        A closed band is spread evenly. Nothing is published on the open one beyond its size. It is taken to fall by 4 %
        a week: its children have then waited 25 weeks beyond its edge on average, and of 52+ one in eight 104 weeks or
        more; who would be beyond the last week is counted there. This decides in which order the longest waiters are
        seen, and the 92nd percentile of the wait while they are more than 8 % of the list. The size of the list depends
        on it only where leaving changes with the wait.
        """
        self._check(counts, self.n, "wait bands")
        spread: FloatArray = np.asarray(counts, dtype=np.float64)[..., self.of_week] * self._weights
        return spread

    def read(self, weeks: FloatArray) -> FloatArray:
        """Count children by band from single weeks of wait (..., WEEKS) -> (..., B).

        Raises
        ------
        InputError
            The last axis has not one figure for each week of wait.
        """
        self._check(weeks, WEEKS, "weeks of wait")
        read: FloatArray = np.add.reduceat(np.asarray(weeks, dtype=np.float64), self.starts, axis=-1)
        return read

    @cached_property
    def _weights(self) -> FloatArray:
        """Share of its band that waits in each week (WEEKS,)."""
        width = np.diff(self.starts)
        opened = WEEKS - self.starts[-1]
        falling = FALL * (1 - FALL) ** np.arange(opened)
        falling[-1] = (1 - FALL) ** (opened - 1)
        return np.concatenate([np.repeat(1 / width, width), falling])

    @staticmethod
    def _check(values: FloatArray, n: int, what: str) -> None:
        shape = np.shape(values)
        if not shape or shape[-1] != n:
            raise InputError(f"{what}: the last axis has shape {shape}, {n} figures are expected. Give one for each.")
