"""Weights of many members over a panel of seasonal series, learnt at past origins and kept near equal.

The mean of diverse members is hard to beat, so weights only lean away from it: a quarter of the pool's
weights are those that would have been best for the pool together, and each series moves half way towards
the members that did well on it.
"""

from __future__ import annotations

import numpy as np

from forecast.panel import FloatArray

POOL_SHARE = 0.25
OWN_SHARE = 0.5
OWN_POWER = 1.0
ROUNDS = 200
RATE = 0.5


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
    count = np.maximum(known.sum(axis=1), 1)
    own = np.where(known, np.abs(scaled), 0.0).sum(axis=2) / count
    mean = own.mean(axis=0)
    relative = np.divide(own, mean, out=np.ones_like(own), where=mean > 0)
    leaning = 1 - OWN_SHARE + OWN_SHARE * np.maximum(relative, 0.05) ** -OWN_POWER
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
    """
    weights = np.full(len(errors), 1 / len(errors))
    if not errors.shape[1]:
        return weights
    total = np.zeros_like(weights)
    size = np.abs(errors).mean()
    for _ in range(ROUNDS):
        gradient = errors @ np.sign(weights @ errors) / errors.shape[1] / max(size, np.finfo(float).tiny)
        weights = weights * np.exp(-RATE * (gradient - gradient.mean()))
        weights /= weights.sum()
        total += weights
    return total / ROUNDS
