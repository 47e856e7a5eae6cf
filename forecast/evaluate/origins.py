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
from itertools import repeat

import numpy as np

from forecast.errors import SpecError
from forecast.evaluate.gaps import filled, joined, stretch, told_filled
from forecast.models.base import Explains, Model
from forecast.models.history import first_observed, interpolated, not_below_zero
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
    max_gap : int
        Longest gap that is filled.
    usable : tuple of Window, length K
        What each origin may use: gaps filled, or the history before them left out.
    """

    window: Window
    ends: tuple[int, ...]
    points: Mapping[str, FloatArray]
    reasons: Mapping[tuple[str, int], str]
    max_gap: int = 2
    usable: tuple[Window, ...] = ()

    def __post_init__(self) -> None:
        if not self.usable:
            usable = tuple(filled(self.window.until(end), self.max_gap)[0] for end in self.ends)
            object.__setattr__(self, "usable", usable)

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


def past_origins(end: int, *, horizon: int, period: int, pool_size: int, first: int = 0) -> tuple[int, ...]:
    """Return the periods seen by the origins that an origin learns from, rising; `first` is where the pool begins.

    Annual series, of which every figure counts, are asked at each origin back to the sixth whose whole horizon
    is known. A pool of eight or more seasonal series whose first figure lies three cycles or more before the
    origin a horizon back says enough at half a horizon and a horizon back (one and two periods back for a horizon
    of 1). Other seasonal series are asked at six origins, evenly apart, that reach back a horizon or a little more.
    """
    if period == 1:
        return tuple(range(max(end - horizon - CALIBRATION_ORIGINS + 1, first + 2), end))
    if pool_size >= MIN_POOL and end - horizon - first >= CYCLES * period:
        back = {horizon, (horizon + 1) // 2} if horizon > 1 else {1, 2}
    else:
        back = {k * -(-horizon // CALIBRATION_ORIGINS) for k in range(1, CALIBRATION_ORIGINS + 1)}
    return tuple(sorted(end - steps for steps in back if end - steps - first >= 2))


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
    scored = (*evaluation_ends(length, origins), length)
    wanted: list[set[int]] = []
    of_pool = np.empty(len(window.ids), dtype=np.int64)
    for code, (rows, first) in enumerate(pools_of(window)):
        settled = {"horizon": horizon, "period": window.period, "pool_size": len(rows), "first": first}
        wanted.append({origin for end in scored for origin in (*past_origins(end, **settled), end)})
        of_pool[rows] = code
    ends = tuple(sorted(set().union(*wanted)))
    asked = np.array([[end in origins_of for origins_of in wanted] for end in ends])
    return ends, asked[:, of_pool]


def pools_of(window: Window) -> Iterator[tuple[IntArray, int]]:
    """Yield the rows of each pool, by name, and the column of its first figure."""
    codes = np.unique(window.pools, return_inverse=True)[1]
    first = first_observed(window.values)
    first = np.where(first < 0, window.values.shape[1], first)
    for rows in np.split(np.argsort(codes, kind="stable"), np.bincount(codes).cumsum()[:-1]):
        yield rows, int(first[rows].min())


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
    whole = [filled(window.until(end), max_gap) for end in ends]
    rolling = RollingPoints(window, tuple(ends), points, reasons, max_gap, tuple(usable for usable, _ in whole))
    views = [
        _View(window.until(end), usable, said, np.flatnonzero(rows))
        for end, (usable, said), rows in zip(ends, whole, where, strict=True)
    ]
    of_last: dict[str, dict[tuple[str, int], str]] = {}
    for k, view in enumerate(views):  # by origin, not by model: what models share of an origin is let go after it
        of_all = view.of(everything)
        for name, model in models.items():
            if model.capability.batch:
                seen = of_all if scope is None or name not in scope else view.of(scope[name])
                if len(seen.rows):
                    points[name][k, seen.rows], said = _batch_points(model, seen, horizon)
                    of_last[name] = {(name, int(seen.rows[i])): text for i, text in said.items()}
    reasons.update(text for said in of_last.values() for text in said.items())
    for (name, _, block), (answer, why) in zip(alone, answers, strict=True):
        points[name][:, block] = answer
        reasons.update({(name, int(block[i])): text for i, text in why.items()})
    return rolling


@dataclass(frozen=True, eq=False)
class _View:
    """What models that answer all rows at once see at one origin, and what was done to the rows before."""

    window: Window
    usable: Window
    said: Mapping[int, str]
    rows: IntArray

    def of(self, scope: IntArray) -> _View:
        """Return what is asked for within a scope."""
        rows = np.intersect1d(self.rows, scope)
        if len(rows) == len(self.window.ids):
            return self
        said = {i: self.said[row] for i, row in enumerate(rows.tolist()) if row in self.said}
        return _View(self.window.rows(rows), self.usable.rows(rows), said, rows)


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


def _batch_points(model: Model, view: _View, horizon: int) -> tuple[FloatArray, dict[int, str]]:
    needed = model.capability.needed(view.window.period)
    known = np.isfinite(view.window.values)
    if model.capability.handles_missing:
        seen, reasons = view.window, dict[int, str]()
    else:
        seen, reasons = view.usable, dict(view.said)
        known &= np.isfinite(seen.values)
    observed = known.sum(axis=1)
    short = np.flatnonzero(observed < needed)
    try:
        with _quiet():
            points, told = _answer(model, seen, horizon)
    except SpecError:
        raise
    except Exception as error:
        points = np.full((len(seen.ids), horizon), np.nan)
        reasons |= dict.fromkeys(range(len(seen.ids)), _failure(error))
    else:
        reasons |= {i: joined(reasons.get(i, ""), text) for i, text in enumerate(told) if text}
        broken = np.flatnonzero(~np.isfinite(points).all(axis=1))
        points[broken] = np.nan
        reasons |= dict.fromkeys(map(int, broken), NOT_FINITE)
    points[short] = np.nan
    return points, reasons | {int(i): _too_short(int(observed[i]), needed) for i in short}


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
    start, stop, said = stretch(window.values[0], max_gap)
    needed = model.capability.needed(window.period)
    y = window.values[0, start:stop]
    observed = int(np.isfinite(y).sum())
    if observed < needed:
        return nothing, joined(_too_short(observed, needed), said)
    if np.nanmin(y) == np.nanmax(y):
        return np.repeat(y[-1], horizon), f"constant at {y[-1]:g}: carried forward"
    behind = window.values.shape[1] - stop
    if not model.capability.handles_missing:
        said, y = joined(said, told_filled(y)), interpolated(y)
    seen = replace(window.between(start, stop), values=y[None, :])
    try:
        answer, told = _answer(model, seen, horizon + behind)
    except SpecError:
        raise
    except Exception as error:
        return nothing, _failure(error)
    points = answer[0, behind:]
    if not np.isfinite(points).all():
        return nothing, NOT_FINITE
    return points, joined(said, *told)


def _too_short(observed: int, needed: int) -> str:
    return f"short: {observed} figures, {needed} needed"


def _failure(error: Exception) -> str:
    text = " ".join(str(error).split())[:120]
    return f"failed: {type(error).__name__}: {text}"
