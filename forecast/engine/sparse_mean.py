"""The mean of the sparse members, less what is lost if a series has ended."""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, IntArray, member
from forecast.engine.compiling import compiled
from forecast.engine.count_paths import clumping_of
from forecast.engine.intermittent import adida, croston_sba, pool_sums, tsb
from forecast.engine.pooled_rate import pooled_rate, season_after
from forecast.engine.sparse import alike

ENDED_PRIOR = 1.0
ENDED_PRIOR_PERIODS = 2000.0
ENDED_ROUNDS = 10
PERIODS_BEFORE = 36


@member("sparse_mean")
def sparse_mean(batch: Batch, steps: int) -> FloatArray:
    """Mean of the four sparse members, times the chance that the series has not ended.

    Members that answer one rate for all steps are given the season of their pool.

    Returns
    -------
    ndarray (n, steps)
    """
    flat = tsb(batch, steps) + croston_sba(batch, steps) + adida(batch, steps)
    points = (flat * season_after(batch, steps) + pooled_rate(batch, steps)) / 4
    return np.asarray(points * chance_alive(batch)[:, None])


def chance_alive(batch: Batch) -> FloatArray:
    """Chance that a series without demand at its end has only paused (n,).

    In each period a series may end for good, with a chance that is the same over a pool and found from it
    (expectation and maximisation, from a prior of one end in `ENDED_PRIOR_PERIODS`). A run of zeros speaks
    for an end the more, the higher the rate was before the last demand and the less demand clumps. A
    series that never had demand counts as alive: its rate is low enough.
    """
    codes = alike(batch).pools
    rate, zeros, length, known = batch.each(ending_rows, 4).T
    excess = clumping_of(batch) - 1
    speed = np.clip(rate * np.where(excess > 1e-3, np.log1p(excess) / np.maximum(excess, 1e-3), 1.0), 0.0, 5.0)
    grown = np.expm1(np.minimum(speed * zeros, 50.0))
    odds = np.where(speed > 1e-9, np.exp(speed) * grown / np.maximum(np.expm1(speed), 1e-9), zeros)
    ended = np.full(len(odds), ENDED_PRIOR / ENDED_PRIOR_PERIODS)
    alive = np.ones(len(odds))
    for _ in range(ENDED_ROUNDS):
        alive = np.where(known > 0, 1 / (1 + ended * odds), 1.0)
        ends, periods = pool_sums(np.column_stack([1 - alive, length]), codes).T
        ended = ((ends + ENDED_PRIOR) / (periods + ENDED_PRIOR_PERIODS))[codes]
    return np.asarray(alive)


@compiled
def ending_rows(values: FloatArray, start: IntArray, stop: IntArray, period: int, out: FloatArray) -> None:
    """Write the rate before the last demand, zeros since, the row's length, and 1 if there was any demand."""
    for i in range(len(values)):
        last = stop[i] - 1
        while last > start[i] and not values[i, last] > 0:
            last -= 1
        first = max(start[i], last - PERIODS_BEFORE)
        total = 0.0
        for t in range(first, last):
            total += values[i, t]
        out[i, 0] = total / max(last - first, 1)
        out[i, 1] = stop[i] - 1 - last
        out[i, 2] = stop[i] - start[i]
        out[i, 3] = 1.0 if values[i, last] > 0 else 0.0
