"""From standard normal draws to futures around points."""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import FloatArray, IntArray
from forecast.engine.compiling import compiled

GRID_END = 5.0
GRID_STEPS = 400
NORMAL_GRID = np.linspace(-GRID_END, GRID_END, GRID_STEPS + 1)


@compiled
def spread_logs(
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
    return float(shape[left] * (1 - share) + shape[left + 1] * share)


@compiled
def spread_roots(
    points: FloatArray,
    size: FloatArray,
    kind: IntArray,
    shapes: FloatArray,
    weights: FloatArray,
    pools: IntArray,
    shared_walks: FloatArray,
    fresh: FloatArray,
    walks: FloatArray,
) -> None:
    """Turn each row's draws into paths on the square root scale around its points, in place, not below zero.

    Parameters
    ----------
    points : ndarray (n, h)
        Square roots.
    size : ndarray (n, h)
    kind : ndarray of int (n,)
        Rows of `shapes` and `weights`.
    shapes : ndarray (s, GRID_STEPS + 1)
        What a standard normal draw at each point of `NORMAL_GRID` becomes.
    weights : ndarray (s, 3)
        Of the shared walk, the row's own walk and the fresh draw; their squares sum to 1.
    pools : ndarray of int (n,)
        Rows of `shared_walks`.
    shared_walks : ndarray (P, h, p)
    fresh : ndarray (n, h, p)
        Standard normal.
    walks : ndarray (n, h, p)
        Standard normal at each step; the paths on return.
    """
    n, horizon, paths = walks.shape
    for i in range(n):
        shape, common = shapes[kind[i]], shared_walks[pools[i]]
        common_weight, own_weight, fresh_weight = weights[kind[i], 0], weights[kind[i], 1], weights[kind[i], 2]
        for h in range(horizon):
            for k in range(paths):
                z = common_weight * common[h, k] + own_weight * walks[i, h, k] + fresh_weight * fresh[i, h, k]
                walks[i, h, k] = max(points[i, h] + size[i, h] * _shaped(z, shape), 0.0) ** 2


def walk(rng: np.random.Generator, horizon: int, n_paths: int) -> FloatArray:
    """Draw random walks over the horizon, each step's marginal standard normal (h, p).

    Each path has its mirror image, so that medians stay at the points however few paths there are.
    """
    half = rng.standard_normal((horizon, (n_paths + 1) // 2)).cumsum(axis=0)
    half /= np.sqrt(np.arange(1, horizon + 1))[:, None]
    return np.hstack([half, -half])[:, :n_paths]


def fresh(rng: np.random.Generator, horizon: int, n_paths: int) -> FloatArray:
    """Draw standard normals that do not hang together over the horizon, each path with its mirror image (h, p)."""
    half = rng.standard_normal((horizon, (n_paths + 1) // 2))
    return np.hstack([half, -half])[:, :n_paths]
