"""Weights of models of annual series: what did well at past origins, over a stated prior.

Within a pool and at each horizon, members that were more than a twentieth worse than the best at past origins
are left out; the others get half of their weight equally and half by how they did. Three prior origins stand
for those that are not there yet: a model that learns from eight series or more is taken to be a fifth better
than one that sees a series alone.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecast.evaluate.origins import RollingPoints, past_origins
from forecast.models.base import Model
from forecast.panel import MIN_POOL, FloatArray, IntArray

PRIOR_ORIGINS = 3
PRIOR_LOSS = np.log(1.2)
LEFT_OUT = np.log(1.05)
SHARPNESS = 2.0
NEGLIGIBLE = 1e-4


def annual_weights(rolling: RollingPoints, members: Mapping[str, Model]) -> tuple[FloatArray, IntArray]:
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
