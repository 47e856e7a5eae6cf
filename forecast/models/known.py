"""What is known ahead of one series, sorted by what a model does with it, and how effects are put in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from forecast.calendar import HOLD
from forecast.panel import FloatArray, Window

BoolArray = npt.NDArray[np.bool_]

EXPOSURE = ("exposure", "population")
Z95 = 1.96
SAME = 1e-8
LEAST_RATIO, MOST_RATIO = 0.01, 100.0


@dataclass(frozen=True, eq=False)
class Known:
    """The columns of `Window.known` for one series.

    Attributes
    ----------
    y : ndarray (T,)
        The series, missing where a hold says that its figures stand apart.
    names : tuple of str, length k
        Regressors whose effect the history can tell.
    past, future : ndarray (T, k) and (horizon, k)
    exposure : ndarray (T + horizon,) or None
        What a count is in proportion to: the column named exposure, else the one named population.
    notes : tuple of str
        What was done with the others, in words for the ledger.
    """

    y: FloatArray
    names: tuple[str, ...]
    past: FloatArray
    future: FloatArray
    exposure: FloatArray | None
    notes: tuple[str, ...]


def read_known(window: Window, horizon: int, *, least: int) -> Known:
    """Sort the columns known ahead of the one series of a window.

    A regressor is left out where the history cannot tell its effect: it does not change over the figures
    there are, or it is a line in time or a mix of the regressors before it. So is one that would leave fewer
    than `least` figures besides level, trend and regressors.

    Parameters
    ----------
    window : Window
        Of one series.
    horizon : int
    least : int
        Figures that must be left by holds, and, less two, besides the regressors.

    Returns
    -------
    Known

    Raises
    ------
    SpecError
        A column ends before the last period ahead.
    """
    names, past, future = window.regressors(horizon)
    past, future = past[0], future[0]
    y, notes = _without_held(window.values[0], names, past, least)
    seen = np.isfinite(y)
    time = np.arange(len(y), dtype=np.float64)
    base = np.column_stack([np.ones(len(y)), time])[seen]
    kept: list[int] = []
    for j, name in enumerate(names):
        if name in EXPOSURE or name.startswith(HOLD):
            continue
        why = _left_out(past[seen, j], future[:, j], base, room=int(seen.sum()) - base.shape[1] > least - 2)
        if why:
            notes.append(f"{name} left out: {why}")
        else:
            kept.append(j)
            base = np.column_stack([base, past[seen, j]])
    exposure = _exposure(names, past, future, notes)
    chosen = tuple(names[j] for j in kept)
    return Known(y, chosen, past[:, kept], future[:, kept], exposure, tuple(notes))


def ratio_in_words(name: str, log_ratio: float, error: float) -> str:
    """Put a ratio and its 95 % interval in words.

    Examples
    --------
    >>> ratio_in_words("covid", -0.342, 0.07)
    'covid 0.71 (0.62 to 0.81)'
    """
    middle, low, high = (_shown(log_ratio + side * Z95 * error) for side in (0, -1, 1))
    return f"{name} {middle} ({low} to {high})"


def ratios_in_words(what: str, parts: Iterable[str], notes: Iterable[str]) -> str:
    """Join ratios and notes to one sentence for the ledger.

    Examples
    --------
    >>> ratios_in_words("ratios", ["covid 0.71 (0.62 to 0.81)"], ["new_duty left out: not yet begun"])
    'ratios (95 %): covid 0.71 (0.62 to 0.81); new_duty left out: not yet begun'
    """
    told = "; ".join(parts)
    return "; ".join([*([f"{what} (95 %): {told}"] if told else []), *notes])


def _shown(log_ratio: float) -> str:
    ratio = exp(min(max(log_ratio, -50.0), 50.0))
    if ratio < LEAST_RATIO:
        return f"under {LEAST_RATIO:g}"
    return f"{ratio:.2f}" if ratio <= MOST_RATIO else f"over {MOST_RATIO:g}"


def _without_held(y: FloatArray, names: tuple[str, ...], past: FloatArray, least: int) -> tuple[FloatArray, list[str]]:
    notes = []
    for j, name in enumerate(names):
        held = (past[:, j] > 0) & np.isfinite(y)
        if name.startswith(HOLD) and held.any():
            said = name.removeprefix(HOLD)
            if np.isfinite(y).sum() - held.sum() < least:
                notes.append(f"{said} not held out: fewer than {least} figures besides")
            else:
                y = np.where(held, np.nan, y)
                count = int(held.sum())
                notes.append(f"{said} held out: {count} figure{'s' * (count > 1)}")
    return y, notes


def _left_out(column: FloatArray, ahead: FloatArray, base: FloatArray, *, room: bool) -> str:
    """Say why the effect of a column cannot be told, "" where it can."""
    if len(column) == 0 or np.ptp(column) <= SAME * max(float(np.abs(column).max()), 1.0):
        begins = len(column) > 0 and np.ptp(np.append(ahead, column[-1])) > 0
        return "it changes only after the last figure" if begins else "it is the same at every figure"
    if not room:
        return "too few figures"
    scaled = (column - column.mean()) / column.std()
    rest = scaled - base @ np.linalg.lstsq(base, scaled, rcond=None)[0]
    return "" if np.abs(rest).max() > SAME**0.5 else "it cannot be told from the trend and the others"


def _exposure(names: tuple[str, ...], past: FloatArray, future: FloatArray, notes: list[str]) -> FloatArray | None:
    for name in EXPOSURE:
        if name in names:
            column: FloatArray = np.concatenate([past, future])[:, names.index(name)]
            if (column > 0).all():
                return column
            notes.append(f"{name} left out: it is not above zero throughout")
    return None
