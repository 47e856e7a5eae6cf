"""Weights of the members of a seasonal series: equal at first, then leaning to what did well at past origins.

A series with two cycles takes the twelve members of the engine, a shorter one those that need no season, and
sparse counts take `sparse_mean` by their share of zeros. The mean of diverse members is hard to beat, so
evidence only leans away from it: a quarter of a pool's weights are those that would have been best for the
pool together, and each series moves half way towards the members that did well on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.evaluate.metrics import seasonal_naive_scale
from forecast.evaluate.origins import CYCLES, RollingPoints, past_origins
from forecast.models.history import first_observed, last_observed
from forecast.panel import MIN_POOL, BoolArray, FloatArray, IntArray, Window

LONG_MEMBERS = (
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
SHORT_MEMBERS = ("theta_classical", "ets_log", "ets_sqrt", "complex_smoothing", "damped_trend", "seasonal_naive")
SPARSE_MEMBER = "sparse_mean"
POOL_SHARE = 0.25
OWN_SHARE = 0.5
LEAST_RELATIVE = 0.05
ROUNDS = 200
RATE = 0.5


def prior_weights(rolling: RollingPoints, names: Sequence[str]) -> FloatArray:
    """Weights before any evidence (members, K, n, 1): equal among the members for a series of its kind.

    A kind none of whose members is there takes all members.
    """
    long, short = (_among(names, kind) for kind in (LONG_MEMBERS, SHORT_MEMBERS))
    weights = np.empty((len(names), len(rolling.ends), len(rolling.window.ids), 1))
    for k, end in enumerate(rolling.ends):
        seen = rolling.window.until(end)
        equal = np.where(_has_two_cycles(seen), long[:, None], short[:, None])
        if SPARSE_MEMBER in names:
            share = _sparse_share(seen)
            equal *= 1 - share
            equal[list(names).index(SPARSE_MEMBER)] += share
        weights[:, k, :, 0] = equal
    return weights


def seasonal_weights(rolling: RollingPoints, names: Sequence[str], prior: FloatArray) -> tuple[FloatArray, IntArray]:
    """Lean from the prior weights to what did well at past origins.

    Only a pool of eight or more with three cycles before its past origins has enough to weigh by.

    Parameters
    ----------
    rolling : RollingPoints
    names : sequence of str
    prior : ndarray (members, K, n, 1)

    Returns
    -------
    weights : ndarray (members, K, n, 1)
    origins : ndarray of int (n,)
        Past origins behind the weights at the last origin.
    """
    window, horizon = rolling.window, rolling.horizon
    asked = [m for m, name in enumerate(names) if name in LONG_MEMBERS]
    weights, origins = prior.copy(), np.zeros(len(window.ids), dtype=np.int64)
    _, pool_of = np.unique(window.pools, return_inverse=True)
    large = np.bincount(pool_of)[pool_of] >= MIN_POOL
    for k, end in enumerate(rolling.ends):
        past = past_origins(end, horizon=horizon, period=window.period, pool_size=MIN_POOL)
        if end - horizon < CYCLES * window.period or not set(past) <= set(rolling.ends) or len(asked) < 2:
            continue
        at = [rolling.ends.index(origin) for origin in past]
        known = np.asarray(past)[:, None] + np.arange(1, horizon + 1) <= end
        rows = np.flatnonzero(large & _has_two_cycles(window.until(end)))
        errors = np.stack([_known_errors(rolling, names[m], at, rows, known) for m in asked])
        scale = seasonal_naive_scale(window.values[rows, :end], window.period)
        for pool in np.unique(pool_of[rows]):
            of_pool = np.flatnonzero(pool_of[rows] == pool)
            cells = np.ix_(np.asarray(asked), np.array([k]), rows[of_pool])
            made = panel_weights(errors[:, of_pool], scale[of_pool])
            weights[cells] = made[:, None, :, None] * prior[cells].sum(axis=0, keepdims=True)
        if k == len(rolling.ends) - 1:
            origins[rows] = len(past)
    return weights, origins


def panel_weights(errors: FloatArray, scale: FloatArray) -> FloatArray:
    """Weigh members for the series of one pool.

    Parameters
    ----------
    errors : ndarray (members, n, cells)
        Errors out of sample; NaN where there is none.
    scale : ndarray (n,)
        Size of each series' errors, such as that of the seasonal naive; NaN or 0 leaves a series out of the
        pool's weights.

    Returns
    -------
    ndarray (members, n)
        Sum to 1 over members.
    """
    scaled = errors / np.where(scale > 0, scale, np.nan)[None, :, None]
    known = np.isfinite(scaled).all(axis=0)
    pool = (1 - POOL_SHARE) / len(errors) + POOL_SHARE * best_mean(scaled[:, known])
    own = np.where(known, np.abs(scaled), 0.0).sum(axis=2) / np.maximum(known.sum(axis=1), 1)
    mean = own.mean(axis=0)
    relative = np.divide(own, mean, out=np.ones_like(own), where=mean > 0)
    leaning = 1 - OWN_SHARE + OWN_SHARE / np.maximum(relative, LEAST_RELATIVE)
    weights = pool[:, None] * leaning
    return np.asarray(weights / weights.sum(axis=0), dtype=np.float64)


def best_mean(errors: FloatArray) -> FloatArray:
    """Return the weights whose mean of members has the smallest absolute error, by exponentiated gradient.

    Parameters
    ----------
    errors : ndarray (members, cells)

    Returns
    -------
    ndarray (members,)
        The average over the rounds, which converges (Kivinen and Warmuth 1997, *Information and Computation*
        132, 1-63).
    """
    weights = np.full(len(errors), 1 / len(errors))
    if not errors.shape[1]:
        return weights
    total = np.zeros_like(weights)
    size = max(np.abs(errors).mean(), np.finfo(float).tiny)
    for _ in range(ROUNDS):
        gradient = errors @ np.sign(weights @ errors) / errors.shape[1] / size
        weights = weights * np.exp(-RATE * (gradient - gradient.mean()))
        weights /= weights.sum()
        total += weights
    return total / ROUNDS


def _among(names: Sequence[str], kind: Sequence[str]) -> FloatArray:
    found = np.array([name in kind for name in names], dtype=np.float64)
    return found / found.sum() if found.any() else np.full(len(names), 1 / len(names))


def _has_two_cycles(window: Window) -> BoolArray:
    length = last_observed(window.values) - first_observed(window.values) + 1
    return np.asarray(length >= 2 * window.period)


def _sparse_share(window: Window) -> FloatArray:
    from forecast.engine.sparse import sparse_share
    from forecast.models.compiled import batch_of

    share = np.zeros(len(window.ids))
    batch, rows = batch_of(window)
    share[rows] = sparse_share(batch)
    return share


def _known_errors(rolling: RollingPoints, name: str, at: Sequence[int], rows: IntArray, known: BoolArray) -> FloatArray:
    """Errors of a member at past origins (rows, cells), of the steps whose outturn is known."""
    missed = [
        rolling.points[name][k, rows][:, steps] - rolling.window.values[rows, rolling.ends[k] :][:, : steps.sum()]
        for k, steps in zip(at, known, strict=True)
    ]
    return np.hstack(missed)
