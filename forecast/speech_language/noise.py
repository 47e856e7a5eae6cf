"""Futures of the capacity: with them simulated lists stray from their course about as far as published ones did."""

from __future__ import annotations

import numpy as np

from forecast import reference
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.fit import ListFit
from forecast.speech_language.published import SPREAD_BY_SIZE, TYPICAL_LIST

WEEKS_A_MONTH = 365.25 / 12 / 7
MEMORY = tuple(np.exp(-1 / weeks) for weeks in (4, 8, 13, 26, 52))  # less than a month monthly lists cannot show
MOST_NOISE = 0.6  # standard deviation of the log of capacity


def capacity_noise(
    fit: ListFit, *, weeks: int, n_paths: int, seed: int, referrals: FloatArray | None = None
) -> FloatArray:
    """Draw futures of the capacity with which lists stray from their course about as far as published lists did.

    Parameters
    ----------
    fit : ListFit
    weeks, n_paths, seed : int
    referrals : ndarray (M, P), optional
        Referrals on paths, whose own spread is taken off; by default that of Poisson counts.

    Returns
    -------
    ndarray (T, P)
        Multiplies first contacts a week; its mean over paths is about 1.

    Notes
    -----
    The logarithm is an AR(1) process, week by week. `reference.slt_accuracy` says how far published lists lie from
    their forecasts one to six months on (spread, relative to a list of 600; smaller lists stray further). Of that
    variance, what referrals alone bring is taken off; the rest is put on the capacity: the memory, of those
    tried between four and 52 weeks, and the size of the noise are those whose sums over one to six months come nearest
    to it (squared distance of logarithms). What is due to late entries and corrections of a published list is in it
    too, so that ranges are rather wide.
    """
    size, memory = noise_of(fit, referrals=referrals)
    rng = np.random.default_rng(seed)
    fresh = rng.standard_normal((weeks, n_paths))
    noise = np.empty((weeks, n_paths))
    state = size * rng.standard_normal(n_paths)
    step = size * np.sqrt(1 - memory**2)
    for week in range(weeks):
        state = memory * state + step * fresh[week]
        noise[week] = state
    return np.asarray(np.exp(noise - noise.var(axis=1, keepdims=True) / 2))


def noise_of(fit: ListFit, *, referrals: FloatArray | None = None) -> tuple[float, float]:
    """Return the standard deviation of the log of capacity, and the share of it that lasts to the next week."""
    measured = reference.slt_accuracy()
    rows = measured[measured["measure"].eq("size")].sort_values("horizon")
    months, spread = rows["horizon"].to_numpy(dtype=np.float64), rows["spread"].to_numpy(dtype=np.float64) / 100
    children = max(float(fit.opening.sum()), 1.0)
    relative = spread * (children / TYPICAL_LIST) ** SPREAD_BY_SIZE
    at = np.round(months * WEEKS_A_MONTH).astype(np.int64)
    demand = fit.referrals * at
    if referrals is not None:
        spread_of_sums = np.cumsum(referrals, axis=0).var(axis=1)
        demand = np.interp(months, np.arange(1, len(referrals) + 1), spread_of_sums)
    rest = np.maximum((relative * children) ** 2 - demand, (0.2 * relative * children) ** 2)
    best = (np.inf, 0.0, 0.0)
    for memory in MEMORY:
        unit = np.sqrt(_summed_variance(float(memory), at)) * fit.capacity
        log_size = float((np.log(rest) / 2 - np.log(unit)).mean())
        off = float(((np.log(rest) / 2 - np.log(unit) - log_size) ** 2).sum())
        best = min(best, (off, float(np.exp(log_size)), float(memory)))
    return min(best[1], MOST_NOISE), best[2]


def _summed_variance(memory: float, at: IntArray) -> FloatArray:
    """Variance of the sum over the first weeks of an AR(1) process of variance 1."""
    lags = np.arange(int(at.max()))
    return np.array([n + 2 * ((n - lags[1:n]) * memory ** lags[1:n]).sum() for n in at], dtype=np.float64)
