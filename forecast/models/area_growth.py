"""Area growth: the national path, and each area's deviation from it.

A national series is short, but its areas are many: what cannot be told from one series of eight figures is
told by 150 of them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, log, sqrt
from typing import ClassVar

import numpy as np

from forecast.models.base import Capability, register
from forecast.models.history import HALF_COUNT, MAD_TO_SD, carried_along
from forecast.models.seasons import by_phase, seasons
from forecast.panel import FloatArray, Window

SAME = 1e-9
WINSOR = 2.5
HUBER = 1.345
FIT_ROUNDS = 5
MEMORY = 8
PRIOR_PAIRS = 30.0
MAX_YEAR_GROWTH = log(1.5)


@register
@dataclass(frozen=True)
class AreaGrowth:
    """National path times the area's shrunk deviation from it; areas sum to the national path.

    *National path.* The total of the pool grows either as it did last (stocks, whose growth carries on) or
    at the median of its past growths (noisy flows, where one year's jump says little of the next). The
    areas are asked which: growth falls back from its last to its median value by a factor a year, which is
    the probability that the growths of the areas, less the nation's, are positively correlated from one
    year to the next. *Deviation.* The next step of an area away from the nation is a robust regression, over
    all areas and past years, on its last step (momentum) and on its distance from its own recent level
    (reversion), iterated over the horizon.

    Good for short annual series of many areas. Alone, a series gets the national path of itself. The idea
    of reversion in a pooled growth regression is that of panel data (Arellano and Bond 1991, *Review of
    Economic Studies* 58, 277-297); the robust fit is Huber's (1964, *Annals of Mathematical Statistics* 35,
    73-101).

    Attributes
    ----------
    areas : Window, optional
        Areas to ask instead of the forecast series themselves, which are totals of them. Figures after the
        origin are not looked at.
    """

    areas: Window | None = None

    name: ClassVar[str] = "area_growth"
    capability: ClassVar[Capability] = Capability(min_history=2, handles_missing=True, batch=True, pooled=True)

    def forecast(self, window: Window, horizon: int) -> FloatArray:
        """Return points (n, horizon), not below zero; NaN for a series without any figure."""
        points = np.full((len(window.values), horizon), np.nan)
        asked = self.areas and self.areas.until(int((self.areas.dates <= window.dates[-1]).sum()))
        last_weight = _last_weight(asked.values, window.period) if asked else None
        for pool in np.unique(window.pools):
            rows = np.flatnonzero(window.pools == pool)
            points[rows] = forecast_pool(window.values[rows], horizon, window.period, last_weight=last_weight)
        return points


def forecast_pool(values: FloatArray, horizon: int, period: int = 1, *, last_weight: float | None = None) -> FloatArray:
    """Forecast the areas of one pool together.

    Parameters
    ----------
    values : ndarray (n, T)
        Counts or levels; NaN where missing.
    horizon : int
        Periods ahead of the last column.
    period : int, default 1
        Season length.
    last_weight : float, optional
        As in `national_path`; default the persistence of these areas.

    Returns
    -------
    ndarray (n, horizon)
        Not negative; NaN for a row without any figure.

    Examples
    --------
    Two areas that grow alike grow on with their nation, at the mean of its last and its median growth:

    >>> forecast_pool(np.array([[8.0, 9.0, 10.0], [80.0, 90.0, 100.0]]), horizon=1).round(1).tolist()
    [[11.1], [111.5]]
    """
    points = np.full((len(values), horizon), np.nan)
    seen = np.flatnonzero(np.isfinite(values).any(axis=0))
    rows = np.flatnonzero(np.isfinite(values).any(axis=1))
    if not len(rows):
        return points
    until = int(seen[-1]) + 1
    filled, growth = carried_along(values[rows, int(seen[0]) : until])
    length, steps = filled.shape[1], horizon + values.shape[1] - until
    weight = persistence(filled, period) if last_weight is None else last_weight
    path = national_path(growth, steps, period=period, last_weight=weight)
    deviation = np.log(np.maximum(filled, HALF_COUNT)) - np.concatenate([[0.0], growth.cumsum()])
    season = seasons(deviation, period)
    change = _deviation_changes(deviation - by_phase(season, length), steps, memory=max(MEMORY, period))
    change += by_phase(season, length + steps)[:, length:] - by_phase(season, length)[:, -1:]
    recent = np.nansum(filled[:, -max(MEMORY, period) :], axis=1)
    level = np.where(recent > 0, np.maximum(filled[:, -1], HALF_COUNT), 0.0)
    areas = level[:, None] * np.exp(change)
    total = filled[:, -1].sum() * np.exp(path)
    areas *= total / np.maximum(areas.sum(axis=0), np.finfo(float).tiny)
    points[rows] = areas[:, steps - horizon :]
    return points


def national_path(growth: FloatArray, horizon: int, *, period: int, last_weight: float) -> FloatArray:
    """Forecast the log growth of the national total since its last figure.

    Parameters
    ----------
    growth : ndarray (T-1,)
        Log growths of the total from period to period.
    horizon : int
    period : int
        Season length; growth is taken over a year, and a season repeats, when two years are known.
    last_weight : float
        Between 0 (median of past growths) and 1 (last growth); in between, growth falls back from the last
        to the median by this factor a year.

    Returns
    -------
    ndarray (horizon,)

    Examples
    --------
    >>> national_path(np.array([0.1, 0.0, 0.3]), 2, period=1, last_weight=0.0).round(2).tolist()
    [0.1, 0.2]
    """
    level = np.concatenate([[0.0], growth.cumsum()])
    season = seasons(level[None, :], period)[0]
    smooth = level - season[np.arange(len(level)) % period]
    span = _span(len(level), period)
    past = (smooth[span:] - smooth[:-span]) / span
    usual, last = (np.median(past), past[-1]) if len(past) else (0.0, 0.0)
    limit = MAX_YEAR_GROWTH / period
    ahead = np.arange(1, horizon + 1)
    years = np.ceil(ahead / period)
    rate = np.clip(usual + last_weight**years * (last - usual), -limit, limit)
    path: FloatArray = smooth[-1] + rate.cumsum()
    path += season[(len(level) - 1 + ahead) % period] - level[-1]
    return path


def persistence(filled: FloatArray, period: int = 1) -> float:
    """Probability that growth carries on: that of a positive lag-1 correlation of the areas' growths.

    Growths are taken less the median growth of all areas in the same year (of a lone area, less its own
    median) and winsorised; the normal approximation of the correlation's error gives the probability.

    Parameters
    ----------
    filled : ndarray (n, T)
    period : int, default 1

    Returns
    -------
    float
        0.5 when no pair of growths is known.
    """
    span = _span(filled.shape[1], period)
    logs = np.log(np.maximum(filled, HALF_COUNT))
    growth = logs[:, span:] - logs[:, :-span]
    growth = growth[:, np.isfinite(growth).any(axis=0)]
    if growth.shape[1] <= span:
        return 0.5
    own = growth - (np.nanmedian(growth, axis=0) if len(growth) > 1 else np.median(growth))
    limit = WINSOR * MAD_TO_SD * np.nanmedian(np.abs(own))
    if limit < SAME:
        return 0.5
    own = np.clip(own, -limit, limit)
    before, after = own[:, :-span], own[:, span:]
    both = np.isfinite(before) & np.isfinite(after)
    size = sqrt((before[both] ** 2).sum() * (after[both] ** 2).sum())
    if size < SAME**2:
        return 0.5
    correlation = float((before[both] * after[both]).sum()) / size
    return 0.5 * (1 + erf(correlation * sqrt(both.sum() / span / 2)))


def _last_weight(values: FloatArray, period: int) -> float | None:
    """Return the persistence of areas, None where they have no figure."""
    seen = np.flatnonzero(np.isfinite(values).any(axis=0))
    rows = np.isfinite(values).any(axis=1)
    return persistence(carried_along(values[rows][:, seen[0] : seen[-1] + 1])[0], period) if len(seen) else None


def _span(length: int, period: int) -> int:
    """Periods a growth is taken over: a year, or half of a history shorter than two."""
    return max(min(period, length // 2), 1)


def _deviation_changes(deviation: FloatArray, horizon: int, *, memory: int) -> FloatArray:
    """Forecast how far each area moves from where it stands against the nation (n, horizon), on the log scale."""
    coefficients = _fit_deviation(deviation, memory)
    extended = deviation
    for _ in range(horizon):
        step = _momentum_and_distance(extended, extended.shape[1] - 1, memory) @ coefficients
        extended = np.column_stack([extended, extended[:, -1] + step])
    change: FloatArray = extended[:, deviation.shape[1] :] - deviation[:, -1:]
    return change


def _momentum_and_distance(deviation: FloatArray, t: int, memory: int) -> FloatArray:
    """Last step and distance from the recent own mean at column t, less their medians (n, 2); 0 where unknown."""
    recent = deviation[:, max(t + 1 - memory, 0) : t + 1]
    known = np.isfinite(recent)
    mean = np.where(known, recent, 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    both = np.nan_to_num(np.column_stack([deviation[:, t] - deviation[:, max(t - 1, 0)], deviation[:, t] - mean]))
    centred: FloatArray = both - np.median(both, axis=0)
    return centred


def _fit_deviation(deviation: FloatArray, memory: int) -> FloatArray:
    """Coefficients of the next step by Huber-weighted ridge over all areas and past periods (2,).

    The ridge is worth `PRIOR_PAIRS` pairs that say the deviation stays; momentum stays below one and a
    distance is never widened, so that iterating cannot run away.
    """
    inputs, steps = [np.empty((0, 2))], [np.empty(0)]
    for t in range(1, deviation.shape[1] - 1):
        step = deviation[:, t + 1] - deviation[:, t]
        known = np.isfinite(step)
        if known.any():
            inputs.append(_momentum_and_distance(deviation, t, memory)[known])
            steps.append(step[known] - np.median(step[known]))
    x, y = np.concatenate(inputs), np.concatenate(steps)
    scale = MAD_TO_SD * float(np.median(np.abs(y))) if len(y) else 0.0
    if scale < SAME:
        return np.zeros(2)
    weight: FloatArray = np.ones(len(y))
    ridge = PRIOR_PAIRS * np.diag((x**2).mean(axis=0) + np.finfo(float).eps)
    coefficients = np.zeros(2)
    for _ in range(FIT_ROUNDS):
        weighted = x.T * weight
        coefficients = np.asarray(np.linalg.solve(weighted @ x + ridge, weighted @ y), dtype=np.float64)
        off = np.abs(y - x @ coefficients) / scale
        weight = np.asarray(np.minimum(1.0, HUBER / np.maximum(off, HUBER)), dtype=np.float64)
    limited: FloatArray = np.clip(coefficients, [-0.9, -0.9], [0.9, 0.0])
    return limited
