"""The members of the compiled engine, each a model that can be named."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd

from forecast.engine.batch import Batch, described, members
from forecast.models.base import Capability, add
from forecast.models.history import first_observed, interpolated, last_observed
from forecast.panel import FloatArray, IntArray, Window

MIN_HISTORY = 3
_BATCHES: WeakKeyDictionary[Window, tuple[Batch, IntArray]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Compiled:
    """A member of `forecast.engine`, run for all series of a window at once.

    What it assumes and where it comes from stands in the module of `forecast.engine` that defines it.

    Attributes
    ----------
    name : str
        Name of the member.
    """

    name: str

    @property
    def capability(self) -> Capability:
        """What the runner asks before it fits."""
        return Capability(min_history=MIN_HISTORY, batch=True, pooled=described()[self.name].pooled)

    @property
    def summary(self) -> str:
        """What the member does, in a line."""
        return described()[self.name].summary

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon), not below zero; NaN for a series of fewer than three figures."""
        points = np.full((len(window.ids), horizon), np.nan)
        batch, rows = batch_of(window)
        if not len(rows):
            return points
        behind = batch.values.shape[1] - batch.stop
        ahead = members()[self.name](batch, horizon + int(behind.max()))
        steps = behind[:, None] + np.arange(horizon)
        points[rows] = np.maximum(np.take_along_axis(ahead, steps, axis=1), 0.0)
        least, most = np.nanmin(window.values[rows], axis=1), np.nanmax(window.values[rows], axis=1)
        constant = (least == most) & (most > 0)
        points[rows[constant]] = most[constant, None]
        return points


def batch_of(window: Window) -> tuple[Batch, IntArray]:
    """Return the rows of a window that have three figures or more, as the engine takes them, and which they are.

    Gaps inside a row are filled. Columns of zeros, which no row uses, are put before the first, so that
    column 0 starts a year (or a cycle of 52 weeks) and a phase is the same part of it in every window.
    The same batch for the same window, until another one is asked for, so that members share what the engine works
    out once a batch.
    """
    if window in _BATCHES:
        return _BATCHES[window]
    first, last = first_observed(window.values), last_observed(window.values)
    rows = np.flatnonzero(last - first + 1 >= MIN_HISTORY)
    before = _phase(window)
    values = np.zeros((len(rows), before + window.values.shape[1]))
    values[:, before:] = window.values[rows]
    start, stop = first[rows] + before, last[rows] + before + 1
    inside = np.isnan(values) & (np.arange(values.shape[1]) >= start[:, None])
    for i in np.flatnonzero((inside & (np.arange(values.shape[1]) < stop[:, None])).any(axis=1)):
        values[i, start[i] : stop[i]] = interpolated(values[i, start[i] : stop[i]])
    pools = np.unique(window.pools[rows], return_inverse=True)[1].astype(np.int64)
    _BATCHES.clear()
    _BATCHES[window] = Batch(values, start, stop, window.period, pools), rows
    return _BATCHES[window]


def _phase(window: Window) -> int:
    """Periods from the start of a year, or of a cycle of weeks since 1970, to the first date."""
    start = window.dates[0]
    match window.period:
        case 12:
            return int(start.month - 1)
        case 4:
            return int(start.quarter - 1)
        case 52:
            return int((start - pd.Timestamp(0)).days // 7 % 52)
    return 0


for member in described():
    add(Compiled(member))
