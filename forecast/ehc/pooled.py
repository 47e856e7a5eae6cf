"""Pooled regression: how far areas move from the nation, learnt from all areas and past periods together.

What an area's short series cannot tell, 150 of them can: whether those that stand above the nation come
back to it, and how fast. Everything is measured against the nation's median of the period, so that a year in
which all areas rose teaches nothing about their differences.
"""

from __future__ import annotations

import numpy as np

from forecast.models.history import MAD_TO_SD
from forecast.panel import FloatArray

HUBER = 1.345
FIT_ROUNDS = 10
PRIOR_PAIRS = 30.0
SAME = 1e-9


def deviation_steps(
    features: FloatArray,
    target: FloatArray,
    *,
    horizon: int,
    weights: FloatArray | None = None,
    prior_pairs: float = PRIOR_PAIRS,
) -> FloatArray:
    """Forecast how far each area moves from the nation after the last period.

    Parameters
    ----------
    features : ndarray (n, T, k)
        What is known of each area in each period, on any scale; it is taken less the nation's median. NaN
        where unknown: taken as the nation's.
    target : ndarray (n, T)
        What moves, on the log scale; NaN where missing.
    horizon : int
        Periods ahead.
    weights : ndarray (n, T), optional
        Weight of a pair by its first period; default all alike.
    prior_pairs : float
        Pairs, worth as much as those seen, that say areas stay where they are.

    Returns
    -------
    ndarray (n, horizon)
        Change of the target since the last period, less the nation's. Beyond the longest step seen in the
        past an area stays where that step puts it; zero where there is no pair to learn from.

    Examples
    --------
    Each period halves what sets an area apart from the nation, and so will the next:

    >>> apart = np.outer(np.linspace(-1.0, 1.0, 9), [1.0, 0.5, 0.25])
    >>> steps = deviation_steps(apart[:, :, None], apart, horizon=3, prior_pairs=0.0)
    >>> steps[-1].round(4).tolist()
    [-0.125, -0.1875, -0.1875]
    """
    coefficients = fit_steps(features, target, horizon=horizon, weights=weights, prior_pairs=prior_pairs)
    steps = np.zeros((len(target), horizon))
    if len(coefficients):
        reach = np.minimum(np.arange(horizon), len(coefficients) - 1)
        steps[:] = _centred(features[:, -1]) @ coefficients[reach].T
    return steps


def fit_steps(
    features: FloatArray,
    target: FloatArray,
    *,
    horizon: int,
    weights: FloatArray | None = None,
    prior_pairs: float = PRIOR_PAIRS,
) -> FloatArray:
    """Regress the steps of 1, 2, ... periods on where areas stood before them.

    One regression a step, over all areas and past periods: least squares with a ridge, and Huber's weights
    (1964, *Annals of Mathematical Statistics* 35, 73-101) against the wild ones.

    Parameters
    ----------
    features, target, horizon, weights, prior_pairs
        As in `deviation_steps`.

    Returns
    -------
    ndarray (m, k)
        Coefficients by step, m the longest step up to `horizon` with a pair in the past.
    """
    n, length, width = features.shape
    apart = np.stack([_centred(features[:, t]) for t in range(length)], axis=1)
    weight = np.ones((n, length)) if weights is None else weights
    fitted: list[FloatArray] = []
    for step in range(1, min(horizon, length - 1) + 1):
        moved = target[:, step:] - target[:, :-step]
        known = np.isfinite(moved)
        if not known.any():
            break
        moved = moved - np.nanmedian(np.where(known.any(axis=0), moved, 0.0), axis=0)
        pairs = apart[:, :-step][known], moved[known], weight[:, :-step][known]
        fitted.append(_robust_ridge(*pairs, prior_pairs=prior_pairs))
    return np.array(fitted, dtype=np.float64).reshape(len(fitted), width)


def _centred(features: FloatArray) -> FloatArray:
    """Features (n, k) less the median of the areas where it is known; 0 where not."""
    known = np.isfinite(features).any(axis=0)
    middle = np.nanmedian(np.where(known, features, 0.0), axis=0)
    apart: FloatArray = np.nan_to_num(features - middle)
    return apart


def _robust_ridge(x: FloatArray, y: FloatArray, weight: FloatArray, *, prior_pairs: float) -> FloatArray:
    """Coefficients (k,) of y (m,) on x (m, k), no intercept."""
    weight = weight / weight.mean()
    ridge = prior_pairs * np.diag((x**2).mean(axis=0)) + np.finfo(float).eps * np.eye(x.shape[1])
    trust: FloatArray = np.ones(len(y))
    for _ in range(FIT_ROUNDS):
        weighted = x.T * (weight * trust)
        coefficients = np.asarray(np.linalg.solve(weighted @ x + ridge, weighted @ y), dtype=np.float64)
        off = np.abs(y - x @ coefficients)
        limit = max(HUBER * MAD_TO_SD * float(np.median(off)), SAME)
        trust = limit / np.maximum(off, limit)
    return coefficients
