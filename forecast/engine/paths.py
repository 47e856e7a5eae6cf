"""From standard normal draws to futures around points."""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import FloatArray, IntArray
from forecast.engine.compiling import compiled

GRID_END = 5.0
GRID_STEPS = 400
NORMAL_GRID = np.linspace(-GRID_END, GRID_END, GRID_STEPS + 1)


@compiled
def spread_rows(
    points: FloatArray,
    own: FloatArray,
    own_shape: IntArray,
    shared: FloatArray,
    shared_shape: IntArray,
    pools: IntArray,
    shapes: FloatArray,
    shared_draws: FloatArray,
    draws: FloatArray,
) -> None:
    """Turn each row's draws into paths on the log1p scale around its points, in place, not below zero.

    Parameters
    ----------
    points : ndarray (n, h)
    own, shared : ndarray (n, h)
        Scales of a row's own part and of the part it shares with its pool.
    own_shape, shared_shape : ndarray of int (n,)
        Rows of `shapes`.
    pools : ndarray of int (n,)
        Rows of `shared_draws`.
    shapes : ndarray (s, GRID_STEPS + 1)
        What a standard normal draw at each point of `NORMAL_GRID` becomes.
    shared_draws : ndarray (P, h, p)
    draws : ndarray (n, h, p)
        Standard normal; the paths on return.
    """
    n, horizon, paths = draws.shape
    for i in range(n):
        for h in range(horizon):
            level = np.log1p(points[i, h])
            for k in range(paths):
                moved = own[i, h] * _shaped(draws[i, h, k], shapes[own_shape[i]])
                if shared[i, h] > 0:
                    moved += shared[i, h] * _shaped(shared_draws[pools[i], h, k], shapes[shared_shape[i]])
                draws[i, h, k] = max(np.expm1(level + moved), 0.0)


@compiled
def _shaped(z: float, shape: FloatArray) -> float:
    at = min(max((z + GRID_END) * (GRID_STEPS / (2 * GRID_END)), 0.0), float(GRID_STEPS))
    left = min(int(at), GRID_STEPS - 1)
    share = at - left
    return shape[left] * (1 - share) + shape[left + 1] * share
