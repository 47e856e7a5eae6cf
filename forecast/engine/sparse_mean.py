"""The mean of the sparse members, less what is lost if a series has ended."""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, member
from forecast.engine.count_paths import chance_alive
from forecast.engine.intermittent import adida, croston_sba, tsb
from forecast.engine.pooled_rate import pooled_rate, season_after


@member("sparse_mean", pooled=True)
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
