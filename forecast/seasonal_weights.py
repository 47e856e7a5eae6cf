"""Weights of the members of a seasonal series: equal at first, then leaning to what did well at past origins.

A series with two cycles takes ten members of the engine, one in its second cycle six that ask less of a season,
one in its first four that need none; sparse counts take `sparse_mean` by their share of zeros. The mean of diverse
members is hard to beat, so evidence only leans away from it: for each third of the horizon, a share of a pool's
weights are those that would have been best for the pool together, `MOST_SHARE` in a large pool, half of that in one
of `SHARE_PRIOR_SERIES`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.evaluate.metrics import seasonal_naive_scale
from forecast.evaluate.origins import CYCLES, RollingPoints, past_origins, pools_of
from forecast.models.history import first_observed, last_observed
from forecast.panel import MIN_POOL, FloatArray, IntArray, Window

LONG_MEMBERS = (
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
)
SECOND_YEAR_MEMBERS = ("theta_classical", "ets_log", "ets_sqrt", "complex_smoothing", "damped_trend", "seasonal_naive")
FIRST_YEAR_MEMBERS = ("theta_classical", "damped_trend", "complex_smoothing", "naive")
SPARSE_MEMBER = "sparse_mean"
FIRST_YEAR = "first year: no season"
SECOND_YEAR = "second year: too short for seasons of its own"
RARE = "rare counts"
MOST_SHARE = 3 / 4
SHARE_PRIOR_SERIES = 20.0
PARTS = 3
ROUNDS = 200
RATE = 0.5


def prior_weights(window: Window, names: Sequence[str]) -> FloatArray:
    """Weights before any evidence (members, n, 1): equal among the members for a series of its kind.

    A kind none of whose members is there takes all members.

    Parameters
    ----------
    window : Window
        What the origin may use, see `RollingPoints.usable`.
    names : sequence of str
        Of the members.
    """
    kinds = np.stack([_among(names, kind) for kind in (FIRST_YEAR_MEMBERS, SECOND_YEAR_MEMBERS, LONG_MEMBERS)])
    equal = kinds[np.minimum(_cycles(window), 2)].T
    if SPARSE_MEMBER in names:
        share = _sparse_share(window)
        equal *= 1 - share
        equal[list(names).index(SPARSE_MEMBER)] += share
    return equal[:, :, None]


def kinds_of_series(window: Window) -> list[str]:
    """Say of each series why its members are not those of a long one, "" if they are."""
    cycles, share = _cycles(window), _sparse_share(window)
    young = np.array([FIRST_YEAR, SECOND_YEAR, ""])[np.minimum(cycles, 2)]
    return [str(kind) for kind in np.where(share >= 1, RARE, young)]


def seasonal_weights(rolling: RollingPoints, names: Sequence[str], k: int) -> tuple[FloatArray, IntArray]:
    """Lean from the prior weights to what did well at the past origins of the k-th origin.

    A pool is weighed only if it has three cycles before the origin a horizon back, and eight series with two
    cycles there. Others keep the prior weights.

    Parameters
    ----------
    rolling : RollingPoints
    names : sequence of str
    k : int

    Returns
    -------
    weights : ndarray (members, n, h), or (members, n, 1) without evidence
    origins : ndarray of int (n,)
        Past origins behind them.
    """
    end, horizon, period = rolling.ends[k], rolling.horizon, rolling.window.period
    prior = prior_weights(rolling.usable[k], names)
    origins = np.zeros(len(rolling.window.ids), dtype=np.int64)
    asked = np.array([m for m, name in enumerate(names) if name in LONG_MEMBERS])
    if end - horizon not in rolling.ends or len(asked) < 2:
        return prior, origins
    weights = np.repeat(prior, horizon, axis=2)
    scale = seasonal_naive_scale(rolling.window.values[:, :end], period)
    long_before = _cycles(rolling.usable[rolling.ends.index(end - horizon)]) >= 2
    for of_pool, first in pools_of(rolling.window):
        past = past_origins(end, horizon=horizon, period=period, pool_size=len(of_pool), first=first)
        rows = of_pool[long_before[of_pool]]
        if len(rows) < MIN_POOL or end - horizon - first < CYCLES * period or not set(past) <= set(rolling.ends):
            continue
        errors = np.stack([_scaled_errors(rolling, names[m], past, end, rows, scale[rows]) for m in asked])
        cells = np.ix_(asked, rows)
        smooth = prior[cells].sum(axis=0)
        weights[cells] = pool_weights(errors, len(rows))[:, None, :] * smooth
        origins[rows] = np.where(smooth[:, 0] > 0, len(past), 0)
    return weights, origins


def pool_weights(errors: FloatArray, series: int) -> FloatArray:
    """Weigh the members of a pool by their errors out of sample.

    Parameters
    ----------
    errors : ndarray (members, cells, h)
        In units that count series alike; NaN where there is none.
    series : int
        How many series they are of: the more, the further weights move from equal.

    Returns
    -------
    ndarray (members, h)
        Sum to 1 over members; the same within a third of the horizon.
    """
    members, _, horizon = errors.shape
    share = MOST_SHARE * series / (series + SHARE_PRIOR_SERIES)
    weights = np.empty((members, horizon))
    for part in np.array_split(np.arange(horizon), min(PARTS, horizon)):
        known = errors[:, :, part].reshape(members, -1)
        best = best_mean(known[:, np.isfinite(known).all(axis=0)])
        weights[:, part] = ((1 - share) / members + share * best)[:, None]
    return weights


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


def _cycles(window: Window) -> IntArray:
    """Whole seasons from the first to the last figure of each series (n,)."""
    return np.asarray((last_observed(window.values) - first_observed(window.values) + 1) // window.period)


def _sparse_share(window: Window) -> FloatArray:
    from forecast.engine.sparse import sparse_share
    from forecast.models.compiled import batch_of

    share = np.zeros(len(window.ids))
    batch, rows = batch_of(window)
    share[rows] = sparse_share(batch)
    return share


def _scaled_errors(
    rolling: RollingPoints, name: str, past: Sequence[int], end: int, rows: IntArray, scale: FloatArray
) -> FloatArray:
    """Errors of a member at past origins over each series' scale (rows of all origins, h); NaN where not known."""
    missed = []
    for origin in past:
        errors = rolling.points[name][rolling.ends.index(origin), rows] / scale[:, None]
        known = min(end - origin, rolling.horizon)
        errors[:, :known] -= rolling.window.values[rows, origin : origin + known] / scale[:, None]
        errors[:, known:] = np.nan
        missed.append(errors)
    return np.concatenate(missed)
