"""The mean of the sparse members, less what is lost if a series has ended."""

from __future__ import annotations

import numpy as np

from forecast.engine.batch import Batch, FloatArray, member
from forecast.engine.count_paths import chance_alive
from forecast.engine.intermittent import adida_rate, croston_rate, tsb_rate
from forecast.engine.pooled_rate import rate_and_season
from forecast.engine.sparse import alike


@member("sparse_mean", pooled=True)
def sparse_mean(batch: Batch, steps: int) -> FloatArray:
    """Mean of the four sparse members, times the chance that the series has not ended.

    Members that answer one rate for all steps are given the season of their pool.

    Returns
    -------
    ndarray (n, steps)
    """
    codes = alike(batch)
    rate, season = rate_and_season(batch, codes, steps)
    rate = (tsb_rate(batch, codes) + croston_rate(batch, codes) + adida_rate(batch, codes) + rate) / 4
    return np.asarray((rate * chance_alive(batch, codes))[:, None] * season)
