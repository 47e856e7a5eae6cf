"""Point forecasts of several models at several origins, each seeing nothing after its origin.

Everything measured in this package comes from here: accuracy, the weights of `auto` and the width of
intervals all use the errors these forecasts turned out to have.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat

import numpy as np

from forecast.errors import SpecError
from forecast.models.base import Explains, Model
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
    in_scope = {name: everything if scope is None else scope.get(name, everything) for name in models}
    alone = [
        (name, model, in_scope[name][first : first + BLOCK])
        for name, model in models.items()
        if not model.capability.batch
        for first in range(0, len(in_scope[name]), BLOCK)
    ]
    answers = (map if executor is None else executor.map)(
        _points_of_block,
        [model for _, model, _ in alone],
        [window.rows(block) for _, _, block in alone],
        repeat(tuple(ends)),
        [where[:, block] for _, _, block in alone],
        repeat(horizon),
        repeat(max_gap),
    )
    points = {name: np.full((len(ends), len(window.ids), horizon), np.nan) for name in models}
    reasons = {
        (name, int(row)): NOT_ASKED for name, rows in (scope or {}).items() for row in np.setdiff1d(everything, rows)
    }
    views = [_View(window.until(end), np.flatnonzero(rows), max_gap) for end, rows in zip(ends, where, strict=True)]
    for name, model in models.items():
        if model.capability.batch:
            found = _points_of_batch(model, views, in_scope[name], points[name])
            reasons.update({(name, i): text for i, text in found.items()})
    for (name, _, block), (answer, why) in zip(alone, answers, strict=True):
        points[name][:, block] = answer
        reasons.update({(name, int(block[i])): text for i, text in why.items()})
    return RollingPoints(window=window, ends=tuple(ends), points=points, reasons=reasons)


@dataclass(frozen=True, eq=False)
class _View:
    """What models that answer all rows at once see at one origin."""

    whole: Window
    rows: IntArray
    max_gap: int

    @cached_property
    def window(self) -> Window:
        return self.whole if len(self.rows) == len(self.whole.ids) else self.whole.rows(self.rows)

    @cached_property
    def filled(self) -> tuple[Window, dict[int, str]]:
        return _filled(self.window, self.max_gap)

    def within(self, scope: IntArray) -> _View:
        return self if len(scope) == len(self.whole.ids) else replace(self, rows=np.intersect1d(self.rows, scope))


def _points_of_batch(model: Model, views: Sequence[_View], scope: IntArray, points: FloatArray) -> dict[int, str]:
    """Fill `points` (K, n, h) with the answers of a model for all rows at once; return the last reasons by row."""
    reasons: dict[int, str] = {}
    with _quiet():
        for k, view in enumerate(each.within(scope) for each in views):
            if len(view.rows):
                seen = (view.window, {}) if model.capability.handles_missing else view.filled
                points[k, view.rows], said = _batch_points(model, *seen, points.shape[2])
                reasons = {int(view.rows[i]): text for i, text in said.items()}
    return reasons


def _points_of_block(
    model: Model, window: Window, ends: tuple[int, ...], asked: BoolArray, horizon: int, max_gap: int
) -> tuple[FloatArray, dict[int, str]]:
    points = np.full((len(ends), len(window.ids), horizon), np.nan)
    reasons: dict[int, str] = {}
    with _quiet():
        for k, end in enumerate(ends):
            for i in map(int, np.flatnonzero(asked[k])):
                points[k, i], reasons[i] = _one_series(model, window.until(end).rows([i]), horizon, max_gap)
    return points, {i: reason for i, reason in reasons.items() if reason}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings of a fit from the user: statsmodels, once imported, sets its own to show always."""
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("ignore")
        yield


def _batch_points(
    model: Model, seen: Window, said: Mapping[int, str], horizon: int
) -> tuple[FloatArray, dict[int, str]]:
    needed = model.capability.needed(seen.period)
    observed = np.isfinite(seen.values).sum(axis=1)
    short = np.flatnonzero(observed < needed)
    reasons = dict(said)
    try:
        points, told = _answer(model, seen, horizon)
    except Exception as error:
        points = np.full((len(seen.ids), horizon), np.nan)
        reasons |= dict.fromkeys(range(len(seen.ids)), _failure(error))
    else:
        reasons |= {i: _joined(reasons.get(i, ""), text) for i, text in enumerate(told) if text}
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


def _answer(model: Model, window: Window, horizon: int) -> tuple[FloatArray, list[str]]:
    """Ask a model and hold it to its word: an array of the stated shape, nothing below zero; texts a row or none."""
    told: list[str] = []
    if isinstance(model, Explains):
        answer, told = model.explained(window, horizon)
    else:
        answer = model.forecast(window, horizon)
    points = np.asarray(answer, dtype=np.float64)
    if points.shape != (len(window.ids), horizon):
        raise ValueError(f"points of shape {points.shape} instead of {(len(window.ids), horizon)}")
    return not_below_zero(points), told


def _one_series(model: Model, window: Window, horizon: int, max_gap: int) -> tuple[FloatArray, str]:
    nothing = np.full(horizon, np.nan)
    start, stop, said = _stretch(window.values[0], max_gap)
    needed = model.capability.needed(window.period)
    y = window.values[0, start:stop]
    observed = int(np.isfinite(y).sum())
    if observed < needed:
        return nothing, _joined(_too_short(observed, needed), said)
    if np.nanmin(y) == np.nanmax(y):
        return np.repeat(y[-1], horizon), f"constant at {y[-1]:g}: carried forward"
    behind = window.values.shape[1] - stop
    filled = y if model.capability.handles_missing else _interpolated(y)
    seen = replace(window.between(start, stop), values=filled[None, :])
    try:
        answer, told = _answer(model, seen, horizon + behind)
    except Exception as error:
        return nothing, _failure(error)
    points = answer[0, behind:]
    if not np.isfinite(points).all():
        return nothing, NOT_FINITE
    return points, _joined(said, *told)


def _joined(*texts: str) -> str:
    return "; ".join(filter(None, texts))


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
