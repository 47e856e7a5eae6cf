"""A model's errors at past origins, and what a spread made of them can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from forecast.evaluate.origins import CALIBRATION_ORIGINS, RollingPoints, past_origins, pools_of
from forecast.panel import BoolArray, FloatArray, IntArray


class Spread(Protocol):
    """Futures around the points of some series."""

    def paths(
        self,
        rows: IntArray,
        points: FloatArray,
        pools: IntArray,
        shared: FloatArray,
        own: Sequence[np.random.Generator],
    ) -> FloatArray:
        """Draw futures (r, h, p), not negative.

        Parameters
        ----------
        rows : ndarray of int (r,)
            Series of the spread.
        points : ndarray (r, h)
        pools : ndarray of int (r,)
            Rows of `shared`.
        shared : ndarray (P, h, p)
            What the series of a pool have in common: walks of `engine.paths.walk`.
        own : sequence of numpy Generator, length r
            Where each series' own draws come from.
        """
        ...


@dataclass(frozen=True)
class PoolErrors:
    """What a model said at past origins of one pool, and what came.

    Attributes
    ----------
    rows : ndarray of int (r,)
        Series of the pool.
    actual : ndarray (K, r, h)
        NaN where it was not known, or the model had not answered.
    predicted : ndarray (K, r, h)
    """

    rows: IntArray
    actual: FloatArray
    predicted: FloatArray

    def of(self, chosen: BoolArray, position: IntArray) -> PoolErrors:
        """Return those of the series that are `chosen` (n,), numbered by `position` (n,)."""
        kept = chosen[self.rows]
        return PoolErrors(position[self.rows[kept]], self.actual[:, kept], self.predicted[:, kept])


def past_errors(rolling: RollingPoints, points: FloatArray, *, seen: int) -> list[PoolErrors]:
    """Return, pool by pool, what is known at an origin of a model's errors at the origins before it.

    Parameters
    ----------
    rolling : RollingPoints
    points : ndarray (K, n, h)
        The model's points at the origins of `rolling`.
    seen : int
        Periods the origin sees; no outturn after them is used.
    """
    window, horizon = rolling.window, points.shape[2]
    ends, steps = np.asarray(rolling.ends), np.arange(1, horizon + 1)
    outturn = rolling.outturn()
    found = []
    for rows, first in pools_of(window):
        past = past_origins(seen, horizon=horizon, period=window.period, pool_size=len(rows), first=first)
        recent = np.flatnonzero(np.isin(ends, past[-CALIBRATION_ORIGINS:]))
        predicted = points[np.ix_(recent, rows)]
        known = (ends[recent, None] + steps <= seen)[:, None, :] & np.isfinite(predicted)
        found.append(PoolErrors(rows, np.where(known, outturn[np.ix_(recent, rows)], np.nan), predicted))
    return found
