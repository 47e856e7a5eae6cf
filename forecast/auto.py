"""Auto: a combination whose weights come from rolling origins, shrunk to equal.

Annual series: within a pool and at each horizon, members that were more than a twentieth worse than the best
at past origins are left out; the others get half of their weight equally and half by how they did. Three
prior origins stand for those that are not there yet: a model that learns from eight series or more is taken
to be a fifth better than one that sees a series alone.

Seasonal series: the members of the compiled engine, for sparse counts those made for them, near their equal
mean (`forecast.weights`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from forecast.evaluate.metrics import seasonal_naive_scale
from forecast.evaluate.origins import CYCLES, RollingPoints, past_origins
from forecast.models.base import Model
from forecast.panel import MIN_POOL, BoolArray, FloatArray, IntArray
from forecast.weights import panel_weights

ANNUAL_MEMBERS = ("naive", "drift", "area_growth", "theta_classical", "damped_trend")
SEASONAL_MEMBERS = (
    "theta_classical",
    "theta_shrunk",
    "theta_pooled",
    "theta_additive",
    "ets_log",
    "ets_sqrt",
    "complex_smoothing",
    "damped_trend",
    "ar_trend",
    "ar_seasonal",
    "ar_differences",
    "ar_mean",
)
SPARSE_WEIGHTS = {"pooled_rate": 1 / 2, "tsb": 1 / 6, "croston_sba": 1 / 6, "adida": 1 / 6}
PRIOR_ORIGINS = 3
PRIOR_LOSS = np.log(1.2)
LEFT_OUT = np.log(1.05)
SHARPNESS = 2.0
NEGLIGIBLE = 1e-4
MOST_NAMED = 5


@dataclass(frozen=True)
class Combination:
    """Combined points at every origin.

    Attributes
    ----------
    points : ndarray (K, n, h)
    calibrating : ndarray (K, n, h)
        Points whose errors are out of sample at every origin: of seasonal series, those before weights.
    weights : ndarray (members, n, h)
        Weights at the last origin; they add up to 1 where a member answered.
    members : tuple of str
    origins : ndarray of int (n,)
        Past origins the last weights rest on.
    given : bool
        The weights are given, equal because a list was, and not measured.
    """

    points: FloatArray
    calibrating: FloatArray
    weights: FloatArray
    members: tuple[str, ...]
    origins: IntArray
    given: bool = False

    def reason(self, row: int) -> str:
        """Say in words where a series' weights come from; "" when no member answered."""
        first, last = self.weights[:, row, 0], self.weights[:, row, -1]
        if not first.any():
            return ""
        said = self._shares(first)
        if self.given:
            return f"{said}; equal weights"
        known = int(self.origins[row])
        evidence = f"{known} past origins and the prior" if known else "the prior"
        changed = "" if np.allclose(first, last, atol=0.005) else f"; at the last horizon {self._shares(last)}"
        return f"{said}; weights from {evidence}{changed}"

    def _shares(self, weights: FloatArray) -> str:
        order = [m for m in np.argsort(-weights, kind="stable") if weights[m] > 0]
        shown = [f"{self.members[m]} {weights[m]:.2f}" for m in order[:MOST_NAMED]]
        more = f" and {len(order) - MOST_NAMED} more" if len(order) > MOST_NAMED else ""
        return ", ".join(shown) + more


def default_members(period: int) -> tuple[str, ...]:
    """Names of the members of `auto` for a season length."""
    return ANNUAL_MEMBERS if period == 1 else (*SEASONAL_MEMBERS, *SPARSE_WEIGHTS)


def combine(rolling: RollingPoints, members: Mapping[str, Model], *, equal: bool = False) -> Combination:
    """Combine the points of members at every origin, using outturn known at that origin only.

    Parameters
    ----------
    rolling : RollingPoints
        Holds the points of every member.
    members : mapping of name to Model
    equal : bool, default False
        True: equal weights, for a list of models given by hand.

    Returns
    -------
    Combination
    """
    names = tuple(members)
    n, ends = len(rolling.window.ids), len(rolling.ends)
    if equal:
        given = np.ones((len(names), ends, n, 1))
        return _combined(rolling, names, given, given, np.zeros(n, dtype=np.int64), given=True)
    if rolling.window.period == 1:
        weights, origins = _annual_weights(rolling, members)
        return _combined(rolling, names, weights, weights, origins)
    sparse = _answered_as_sparse(rolling, names)
    prior = _before_evidence(names, sparse)
    weights, origins = _seasonal_weights(rolling, names, sparse, prior)
    return _combined(rolling, names, weights, prior, origins)


def _combined(
    rolling: RollingPoints,
    names: tuple[str, ...],
    weights: FloatArray,
    calibrating: FloatArray,
    origins: IntArray,
    *,
    given: bool = False,
) -> Combination:
    """Average the members that answered, by weights (members, K, n, h or 1)."""
    points = _average(rolling, names, weights)
    last = np.stack([weights[m, -1] * np.isfinite(rolling.points[name][-1]) for m, name in enumerate(names)])
    total = last.sum(axis=0)
    return Combination(
        points=points,
        calibrating=points if calibrating is weights else _average(rolling, names, calibrating),
        weights=np.divide(last, total, out=np.zeros_like(last), where=total > 0),
        members=names,
        origins=origins,
        given=given,
    )


def _average(rolling: RollingPoints, names: tuple[str, ...], weights: FloatArray) -> FloatArray:
    shape = rolling.points[names[0]].shape
    total, combined = np.zeros(shape), np.zeros(shape)
    for name, weight in zip(names, weights, strict=True):
        answered = np.isfinite(rolling.points[name])
        total += np.where(answered, weight, 0.0)
        combined += np.where(answered, weight * rolling.points[name], 0.0)
    return np.divide(combined, total, out=np.full(shape, np.nan), where=total > 0)


def _answered_as_sparse(rolling: RollingPoints, names: tuple[str, ...]) -> BoolArray:
    """Tell at which origins the members for sparse counts answer for a series (K, n)."""
    from forecast.models.compiled import sparse_rows

    for_sparse = [name in SPARSE_WEIGHTS for name in names]
    if all(for_sparse) or not any(for_sparse):
        return np.full((len(rolling.ends), len(rolling.window.ids)), all(for_sparse))
    return np.stack([sparse_rows(rolling.window.until(end)) for end in rolling.ends])


def _before_evidence(names: tuple[str, ...], sparse: BoolArray) -> FloatArray:
    """Weights without past origins (members, K, n, 1): equal, or those for sparse counts."""
    share = np.array([SPARSE_WEIGHTS.get(name, 0.0) for name in names])
    smooth = share == 0
    return np.where(sparse, share[:, None, None], smooth[:, None, None])[..., None].astype(np.float64)


def _seasonal_weights(
    rolling: RollingPoints, names: tuple[str, ...], sparse: BoolArray, prior: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return weights (members, K, n, 1), and the past origins behind the last ones.

    Only a pool of eight or more with three cycles before its past origins has enough to weigh by.
    """
    window, horizon = rolling.window, rolling.horizon
    smooth = [m for m, name in enumerate(names) if name not in SPARSE_WEIGHTS]
    weights, origins = prior.copy(), np.zeros(len(window.ids), dtype=np.int64)
    _, pool_of = np.unique(window.pools, return_inverse=True)
    in_large_pool = np.bincount(pool_of)[pool_of] >= MIN_POOL
    for k, end in enumerate(rolling.ends):
        past = past_origins(end, horizon=horizon, period=window.period, pool_size=MIN_POOL)
        if end - horizon < CYCLES * window.period or not set(past) <= set(rolling.ends):
            continue
        at = [rolling.ends.index(origin) for origin in past]
        known = np.asarray(past)[:, None] + np.arange(1, horizon + 1) <= end
        weighed = np.flatnonzero(in_large_pool & ~sparse[k])
        errors = np.stack([_known_errors(rolling, names[m], at, weighed, known) for m in smooth])
        scale = seasonal_naive_scale(window.values[weighed, :end], window.period)
        for pool in np.unique(pool_of[weighed]):
            rows = np.flatnonzero(pool_of[weighed] == pool)
            weights[np.ix_(smooth, [k], weighed[rows])] = panel_weights(errors[:, rows], scale[rows])[:, None, :, None]
        if k == len(rolling.ends) - 1:
            origins[weighed] = len(past)
    return weights, origins


def _known_errors(rolling: RollingPoints, name: str, at: list[int], rows: IntArray, known: BoolArray) -> FloatArray:
    """Errors of a member at past origins (rows, cells), of the steps whose outturn is known."""
    values = np.hstack([rolling.window.values[rows], np.full((len(rows), rolling.horizon), np.nan)])
    missed = [
        rolling.points[name][k, rows][:, steps] - values[:, rolling.ends[k] :][:, : rolling.horizon][:, steps]
        for k, steps in zip(at, known, strict=True)
    ]
    return np.hstack(missed)


def _annual_weights(rolling: RollingPoints, members: Mapping[str, Model]) -> tuple[FloatArray, IntArray]:
    """Return weights (members, K, n, h), and the past origins behind the last ones."""
    points = np.stack([rolling.points[name] for name in members])
    weights = np.ones(points.shape)
    origins = np.zeros(points.shape[2], dtype=np.int64)
    for pool in np.unique(rolling.window.pools):
        rows = np.flatnonzero(rolling.window.pools == pool)
        pooled = np.array([float(_learns_from_many(model, len(rows))) for model in members.values()])
        part, known = _pool_weights(rolling, points[:, :, rows], rows, pooled)
        weights[:, :, rows] = part[:, :, None, :]
        origins[rows] = known
    return weights, origins


def _learns_from_many(model: Model, pool_size: int) -> bool:
    """Say whether a model learns from eight series or more: those of the pool, or areas given to it."""
    return model.capability.pooled and (pool_size >= MIN_POOL or getattr(model, "areas", None) is not None)


def _pool_weights(
    rolling: RollingPoints, points: FloatArray, rows: IntArray, pooled: FloatArray
) -> tuple[FloatArray, int]:
    """Return the weights of one pool (members, K, h), and the past origins known at the last one."""
    trusts_growth = pooled.any()
    reference = int(pooled.argmax()) if trusts_growth else 0
    prior = np.where(pooled, 0.0, PRIOR_LOSS) if trusts_growth else np.zeros(len(points))
    loss = _excess_loss(points, rolling.outturn()[:, rows], reference)
    ends = np.asarray(rolling.ends)
    weights = np.empty(loss.shape)
    for k, end in enumerate(ends):
        past = _known_losses(loss, ends, int(end), by_horizon=len(rows) >= MIN_POOL)
        for h, known in enumerate(past):
            weights[:, k, h] = _weights(known, prior)
    return weights, past[0].shape[1]


def _excess_loss(points: FloatArray, actual: FloatArray, reference: int) -> FloatArray:
    """Log WAPE less the reference's, over the series both answered (members, K, h); NaN without any."""
    both = np.isfinite(points) & np.isfinite(points[reference] + actual)
    miss = np.where(both, np.abs(points - actual), 0.0).sum(axis=2)
    base = np.where(both, np.abs(points[reference] - actual), 0.0).sum(axis=2)
    total = np.where(both, actual, 0.0).sum(axis=2)
    known = total > 0
    floor = NEGLIGIBLE * np.where(known, total, 1.0)
    return np.asarray(np.where(known, np.log((miss + floor) / (base + floor)), np.nan), dtype=np.float64)


def _known_losses(loss: FloatArray, ends: IntArray, end: int, *, by_horizon: bool) -> list[FloatArray]:
    """Losses known at an origin, for each horizon (members, origins).

    By horizon, one measured at fewer than three origins takes the losses of the one before, so that weights
    do not fall back to equal where the evidence ends. A small pool has too few errors for that: each horizon
    takes the average over all. No origin counts that a forecast from here would not have run, so that what
    is scored at an origin is what would have been forecast from it.
    """
    horizon = loss.shape[2]
    run = np.isin(ends, past_origins(end, horizon=horizon, period=1, pool_size=0))
    known = np.where(run[:, None] & (ends[:, None] + np.arange(1, horizon + 1) <= end), loss, np.nan)
    if not by_horizon:
        count = np.isfinite(known).sum(axis=2)
        total = np.where(np.isfinite(known), known, 0.0).sum(axis=2)
        average = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        return [_compared(average)] * horizon
    found: list[FloatArray] = []
    for h in range(horizon):
        at = _compared(known[:, :, h])
        found.append(at if at.shape[1] >= PRIOR_ORIGINS or not found else found[-1])
    return found


def _compared(loss: FloatArray) -> FloatArray:
    """Keep the origins at which two members can be compared."""
    return loss[:, np.isfinite(loss).sum(axis=0) > 1]


def _weights(loss: FloatArray, prior: FloatArray) -> FloatArray:
    """Return the weights of members from their excess losses at past origins (members, origins)."""
    stated = np.repeat(prior[:, None], PRIOR_ORIGINS, axis=1)
    excess = np.nanmedian(np.hstack([loss, stated]), axis=1)
    kept = excess <= excess.min() + LEFT_OUT
    by_loss = np.where(kept, np.exp(-SHARPNESS * excess), 0.0)
    return np.asarray(0.5 * by_loss / by_loss.sum() + 0.5 * kept / kept.sum(), dtype=np.float64)
