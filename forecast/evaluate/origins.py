"""Point forecasts of several models at several origins, each seeing nothing after its origin.

Everything measured in this package comes from here: accuracy, the weights of `auto` and the width of
intervals all use the errors these forecasts turned out to have.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from forecast.errors import SpecError
from forecast.models.base import Model
from forecast.models.history import first_observed, last_observed, not_below_zero
from forecast.panel import MIN_POOL, BoolArray, FloatArray, IntArray, Window

BLOCK = 4
CALIBRATION_ORIGINS = 6
FIRST_ORIGIN = 3
CYCLES = 3
NOT_FINITE = "failed: the fit gave figures that are not finite"
NOT_ASKED = "not asked for this series"


@dataclass(frozen=True)
class RollingPoints:
    """Points of models at origins.

    Attributes
    ----------
    window : Window
        The whole history, whose figures after an origin are its outturn.
    ends : tuple of int, length K
        Periods each origin sees, rising; the last one may be the whole window.
    points : mapping of model name to ndarray (K, n, h)
        NaN where the model had too little history, failed or was not asked.
    reasons : mapping of (model name, row) to str
        Why a model gave no answer at the last origin, or what was done to the series before it did.
    """

    window: Window
    ends: tuple[int, ...]
    points: Mapping[str, FloatArray]
    reasons: Mapping[tuple[str, int], str]

    @property
    def horizon(self) -> int:
        """Periods ahead."""
        return int(next(iter(self.points.values())).shape[2])

    def outturn(self) -> FloatArray:
        """Return what came after each origin (K, n, h); NaN where it is not known yet."""
        values, horizon = self.window.values, self.horizon
        padded = np.hstack([values, np.full((len(values), horizon), np.nan)])
        return np.stack([padded[:, end : end + horizon] for end in self.ends])


def evaluation_ends(length: int, origins: int) -> tuple[int, ...]:
    """Return the periods seen by the latest `origins` origins, one period apart, rising.

    The first of them sees at least three periods, or all but one of a shorter history, never fewer than two.
    """
    return tuple(range(max(length - origins, min(FIRST_ORIGIN, length - 1), 2), length))


def past_origins(end: int, *, horizon: int, period: int, pool_size: int) -> tuple[int, ...]:
    """Return the periods seen by the origins that an origin learns from, rising.

    Annual series, of which every figure counts, are asked at each origin back to the sixth whose whole horizon
    is known. A pool of eight seasonal series that have three cycles before it says enough at half a horizon
    and a horizon back. Other seasonal series are asked at six origins spread over the last horizon.
    """
    if period == 1:
        return tuple(range(max(end - horizon - CALIBRATION_ORIGINS + 1, 2), end))
    if pool_size >= MIN_POOL and end - horizon >= CYCLES * period:
        back = {horizon, (horizon + 1) // 2}
    else:
        back = {k * -(-horizon // CALIBRATION_ORIGINS) for k in range(1, CALIBRATION_ORIGINS + 1)}
    return tuple(sorted(end - steps for steps in back if end - steps >= 2))


def origins_to_run(window: Window, *, horizon: int, origins: int) -> tuple[tuple[int, ...], BoolArray]:
    """Return the periods seen by all origins to forecast from, and which rows each is for.

    Parameters
    ----------
    window : Window
    horizon : int
    origins : int
        Latest origins that will be scored.

    Returns
    -------
    ends : tuple of int, length K
        The scored ones, the end of the window, and the past origins of each.
    asked : ndarray of bool (K, n)
    """
    length = window.values.shape[1]
    _, pool, sizes = np.unique(window.pools, return_inverse=True, return_counts=True)
    wanted = [
        {
            origin
            for end in (*evaluation_ends(length, origins), length)
            for origin in (*past_origins(end, horizon=horizon, period=window.period, pool_size=int(size)), end)
        }
        for size in sizes
    ]
    ends = tuple(sorted(set().union(*wanted)))
    asked = np.array([[end in of_pool for of_pool in wanted] for end in ends])
    return ends, asked[:, pool]


def rolling_points(
    window: Window,
    models: Mapping[str, Model],
    *,
    horizon: int,
    ends: Sequence[int],
    asked: BoolArray | None = None,
    max_gap: int = 2,
    scope: Mapping[str, IntArray] | None = None,
    executor: Executor | None = None,
) -> RollingPoints:
    """Forecast from every origin with every model.

    Parameters
    ----------
    window : Window
    models : mapping of name to Model
    horizon : int
    ends : sequence of int
        Periods each origin sees.
    asked : ndarray of bool (K, n), optional
        Rows that are forecast from each origin, of a pool all or none; default all.
    max_gap : int, default 2
        Interior gaps up to this many periods are interpolated for models that do not handle missing
        figures; only the history after a longer gap is used.
    scope : mapping of name to ndarray of int, optional
        Rows a model is asked for; default all.
    executor : concurrent.futures.Executor, optional
        Where one-series-at-a-time models run; default in this process.

    Returns
    -------
    RollingPoints
    """
    if horizon < 1:
        raise SpecError(f"horizon {horizon}: at least 1 period is needed. Ask for 1 or more.")
    everything = np.arange(len(window.ids))
    where = np.ones((len(ends), len(everything)), dtype=np.bool_) if asked is None else asked
    work = [
        (name, model, block)
        for name, model in models.items()
        for block in _blocks(everything if scope is None else scope.get(name, everything), model)
    ]
    answers = (map if executor is None else executor.map)(
        _points_of_block,
        [model for _, model, _ in work],
        [window.rows(block) for _, _, block in work],
        repeat(tuple(ends)),
        [where[:, block] for _, _, block in work],
        repeat(horizon),
        repeat(max_gap),
    )
    points = {name: np.full((len(ends), len(window.ids), horizon), np.nan) for name in models}
    reasons = {
        (name, int(row)): NOT_ASKED for name, rows in (scope or {}).items() for row in np.setdiff1d(everything, rows)
    }
    for (name, _, block), (answer, why) in zip(work, answers, strict=True):
        points[name][:, block] = answer
        reasons.update({(name, int(block[i])): text for i, text in why.items()})
    return RollingPoints(window=window, ends=tuple(ends), points=points, reasons=reasons)


def _blocks(rows: IntArray, model: Model) -> Iterator[IntArray]:
    size = max(len(rows), 1) if model.capability.batch else BLOCK
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _points_of_block(
    model: Model, window: Window, ends: tuple[int, ...], asked: BoolArray, horizon: int, max_gap: int
) -> tuple[FloatArray, dict[int, str]]:
    answer = _batch_points if model.capability.batch else _series_points
    points = np.full((len(ends), len(window.ids), horizon), np.nan)
    reasons: dict[int, str] = {}
    with warnings.catch_warnings(record=True):  # statsmodels, once imported, sets its warnings to show always
        warnings.simplefilter("ignore")
        for k, end in enumerate(ends):
            rows = np.flatnonzero(asked[k])
            if len(rows):
                seen = window.until(end)
                points[k, rows], said = answer(model, seen if asked[k].all() else seen.rows(rows), horizon, max_gap)
                reasons = {int(rows[i]): text for i, text in said.items()}
    return points, reasons


def _batch_points(model: Model, window: Window, horizon: int, max_gap: int) -> tuple[FloatArray, dict[int, str]]:
    needed = model.capability.needed(window.period)
    seen, reasons = (window, {}) if model.capability.handles_missing else _filled(window, max_gap)
    observed = np.isfinite(seen.values).sum(axis=1)
    short = np.flatnonzero(observed < needed)
    try:
        points = _answer(model, seen, horizon)
    except Exception as error:
        points = np.full((len(window.ids), horizon), np.nan)
        reasons |= dict.fromkeys(range(len(window.ids)), _failure(error))
    else:
        broken = np.flatnonzero(~np.isfinite(points).all(axis=1))
        points[broken] = np.nan
        reasons |= dict.fromkeys(map(int, broken), NOT_FINITE)
    points[short] = np.nan
    return points, reasons | {int(i): _too_short(int(observed[i]), needed) for i in short}


def _filled(window: Window, max_gap: int) -> tuple[Window, dict[int, str]]:
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
        start, stop, reasons[i] = _stretch(values[i], max_gap)
        values[i, :start] = np.nan
        values[i, start:stop] = _interpolated(values[i, start:stop])
    return replace(window, values=values), reasons


def _answer(model: Model, window: Window, horizon: int) -> FloatArray:
    """Ask a model and hold it to its word: an array of the stated shape, nothing below zero."""
    points = np.asarray(model.forecast(window, horizon), dtype=np.float64)
    if points.shape != (len(window.ids), horizon):
        raise ValueError(f"points of shape {points.shape} instead of {(len(window.ids), horizon)}")
    return not_below_zero(points)


def _series_points(model: Model, window: Window, horizon: int, max_gap: int) -> tuple[FloatArray, dict[int, str]]:
    points = np.full((len(window.ids), horizon), np.nan)
    reasons = {}
    for i in range(len(window.ids)):
        points[i], reason = _one_series(model, window.rows([i]), horizon, max_gap)
        if reason:
            reasons[i] = reason
    return points, reasons


def _one_series(model: Model, window: Window, horizon: int, max_gap: int) -> tuple[FloatArray, str]:
    nothing = np.full(horizon, np.nan)
    start, stop, said = _stretch(window.values[0], max_gap)
    needed = model.capability.needed(window.period)
    y = window.values[0, start:stop]
    observed = int(np.isfinite(y).sum())
    if observed < needed:
        return nothing, "; ".join(filter(None, [_too_short(observed, needed), said]))
    if np.nanmin(y) == np.nanmax(y):
        return np.repeat(y[-1], horizon), f"constant at {y[-1]:g}: carried forward"
    behind = window.values.shape[1] - stop
    filled = y if model.capability.handles_missing else _interpolated(y)
    seen = replace(window.between(start, stop), values=filled[None, :])
    try:
        points = _answer(model, seen, horizon + behind)[0, behind:]
    except Exception as error:
        return nothing, _failure(error)
    if not np.isfinite(points).all():
        return nothing, NOT_FINITE
    return points, said


def _stretch(y: FloatArray, max_gap: int) -> tuple[int, int, str]:
    """Find the part of a series to use: from the end of its last long gap to its last figure."""
    known = np.flatnonzero(np.isfinite(y))
    if not len(known):
        return 0, 0, ""
    gaps = np.diff(known) - 1
    long = np.flatnonzero(gaps > max_gap)
    start = int(known[long[-1] + 1]) if len(long) else int(known[0])
    stop = int(known[-1]) + 1
    filled = int(np.isnan(y[start:stop]).sum())
    said = [f"history before a gap of {int(gaps[long[-1]])} left out"] if len(long) else []
    if filled:
        said.append(f"{filled} missing interpolated")
    return start, stop, "; ".join(said)


def _interpolated(y: FloatArray) -> FloatArray:
    known = np.isfinite(y)
    if known.all():
        return y
    at = np.arange(len(y))
    return np.expm1(np.interp(at, at[known], np.log1p(y[known])))


def _too_short(observed: int, needed: int) -> str:
    return f"short: {observed} figures, {needed} needed"


def _failure(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return f"failed: {type(error).__name__}: {text}"
