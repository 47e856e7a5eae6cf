"""Spread of rare counts, sparse ones or of a low level: whole numbers whose level and clumping are uncertain.

`engine.count_paths` measures and draws each series by itself. Series of a pool have a shock of their level in
common besides, whose size is what totals of the pool missed at past origins, shrunk to a stated prior.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecast.panel import FloatArray, IntArray, Window
from forecast.spread.past import PoolErrors

PRIOR_SHOCK = 0.1
SHOCK_PRIOR_ORIGINS = 3.0


@dataclass(frozen=True)
class CountSpread:
    """How uncertain the rare counts of a panel are.

    Attributes
    ----------
    shock : ndarray (n,)
        Standard deviation of the log level a series shares with its pool.
    level_shape, clumping, alive : ndarray (n,)
        See `engine.count_paths.CountNoise`.
    """

    shock: FloatArray
    level_shape: FloatArray
    clumping: FloatArray
    alive: FloatArray

    def paths(
        self,
        rows: IntArray,
        points: FloatArray,
        pools: IntArray,
        shared: FloatArray,
        own: Sequence[np.random.Generator],
    ) -> FloatArray:
        """Draw futures of some series, points being means; see `spread.past.Spread`."""
        from forecast.engine.count_paths import draw_counts

        paths = np.empty((len(rows), *shared.shape[1:]))
        for k, (i, rng) in enumerate(zip(rows, own, strict=True)):
            paths[k] = draw_counts(
                points[k],
                self.level_shape[i],
                self.clumping[i],
                self.alive[i],
                n_paths=shared.shape[2],
                rng=rng,
                shared=np.exp(self.shock[i] * shared[pools[k]] - self.shock[i] ** 2 / 2),
            )
        return paths


def count_spread(window: Window, past: Sequence[PoolErrors], points: FloatArray) -> CountSpread:
    """Measure errors at past origins.

    Parameters
    ----------
    window : Window
        What the origin may use of the history, of rare counts alone.
    past : sequence of PoolErrors
        One a pool.
    points : ndarray (n, h)
        From the origin.
    """
    from forecast.engine.count_paths import count_noise
    from forecast.engine.sparse import alike
    from forecast.models.compiled import batch_of

    origins = max((len(pool.actual) for pool in past), default=0)
    actual, predicted = np.full((2, origins, *points.shape), np.nan)
    shock = np.empty(len(points))
    for pool in past:
        actual[: len(pool.actual), pool.rows] = pool.actual
        predicted[: len(pool.actual), pool.rows] = pool.predicted
        shock[pool.rows] = _shock(pool)
    batch, _ = batch_of(window)
    noise = count_noise(batch, alike(batch), np.nan_to_num(points), actual, predicted, shock**2)
    return CountSpread(shock, noise.level_shape, noise.clumping, noise.alive)


def _shock(pool: PoolErrors) -> float:
    """Return the standard deviation of the log level of a pool beyond counting noise."""
    known = np.isfinite(pool.actual)
    expected = np.where(known, pool.predicted, 0.0).sum(axis=(1, 2))
    came = np.where(known, pool.actual, 0.0).sum(axis=(1, 2))
    some = expected > 0
    square = np.log((came[some] + 0.5) / (expected[some] + 0.5)) ** 2 - 1 / (expected[some] + 0.5)
    total = SHOCK_PRIOR_ORIGINS * PRIOR_SHOCK**2 + square.sum()
    return float(np.sqrt(max(total, 0.0) / (SHOCK_PRIOR_ORIGINS + some.sum())))
