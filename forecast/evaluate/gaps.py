"""The part of each history that models may use: short gaps filled, what lies before a long one left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecast.models.history import first_observed, interpolated, last_observed
from forecast.panel import FloatArray, Window


def filled(window: Window, max_gap: int) -> tuple[Window, dict[int, str]]:
    """Interpolate short gaps, drop what lies before a long one, and rows that ended long before the origin."""
    first, last = first_observed(window.values), last_observed(window.values)
    silent = np.flatnonzero(window.values.shape[1] - 1 - last > max_gap)
    gappy = np.flatnonzero(np.isfinite(window.values).sum(axis=1) < last - first + 1)
    reasons: dict[int, str] = {}
    if not len(gappy) and not len(silent):
        return window, reasons
    values = window.values.copy()
    values[silent] = np.nan
    for i in map(int, np.setdiff1d(gappy, silent)):
        start, stop, left_out = stretch(values[i], max_gap)
        reasons[i] = joined(left_out, told_filled(values[i, start:stop]))
        values[i, :start] = np.nan
        values[i, start:stop] = interpolated(values[i, start:stop])
    return replace(window, values=values), reasons


def stretch(y: FloatArray, max_gap: int) -> tuple[int, int, str]:
    """Find the part of a series to use, from the end of its last long gap to its last figure; say what is left out."""
    known = np.flatnonzero(np.isfinite(y))
    if not len(known):
        return 0, 0, ""
    gaps = np.diff(known) - 1
    long = np.flatnonzero(gaps > max_gap)
    start = int(known[long[-1] + 1]) if len(long) else int(known[0])
    said = f"history before a gap of {int(gaps[long[-1]])} left out" if len(long) else ""
    return start, int(known[-1]) + 1, said


def told_filled(y: FloatArray) -> str:
    """Say how many figures of a history `interpolated` fills."""
    missing = int(np.isnan(y).sum())
    return f"{missing} missing interpolated" if missing else ""


def joined(*texts: str) -> str:
    """Put what there is to say in one text."""
    return "; ".join(filter(None, texts))
