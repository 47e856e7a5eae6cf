"""Published waiting lists of many providers, forecast together: size and share over 18 weeks, some months ahead.

A list of nine months cannot say how it will go on, nor how far it may stray; a hundred of them can. The points are
near the last figure: lists change with the share of school days, since schools and nurseries refer; the share over 18
weeks with the children about to pass 18 weeks and with what lists have done together. How far figures stray is learnt
from past errors of the same points, all providers pooled, each scaled by what is known of it: its own past errors, the
size of its list, how fast it turns over.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from forecast.calendar import term_days, working_days
from forecast.errors import InputError, SpecError
from forecast.panel import FloatArray
from forecast.speech_language.list_panel import NHS, TARGET, ListPanel
from forecast.speech_language.proxy import sudden_zeros

NEXT = TARGET - 1  # the band that passes 18 weeks next
QUICK = int(np.searchsorted(NHS.starts, 4))  # bands before it have waited less than four weeks
EDGE = 2.0  # points by which shares are moved off 0 and 100 on the scale of errors
AGEING = 0.15  # points of share a month for each point by which the 12-18 band is above that of others
FADES = 0.6  # what is left of that in each further month
TERM, TERM_DOUBT = 0.05, 0.05  # guess of how far a month all of school days moves the log of a list from one without
MONTH = 0.02  # standard deviation of what else a month does to all lists at once
DRIFT = {"size": 0.03, "share": 0.01}  # what all lists may do together in a month, as long as months do not tell
MONTHS_OF_DRIFT = 4.0  # that guess weighs like so many months
MONTHS_OF_OTHERS = 3.0  # what others do weighs like so many months of a provider's own
NO_EFFECT = 15.0  # errors with which no effect of what is known of a list on its scale weighs
STEADY = 0.005  # errors well below are alike
GROWTH = {"size": 0.6, "share": 0.5}  # errors grow with the horizon to this power; 0.5 is a random walk
BACK = 0.1  # chance that a list is back at one of its own earlier figures
GRID = np.linspace(0.0025, 0.9975, 200)
TYPICAL_LIST = 600.0  # children, the list for which the spread is told
SPREAD_BY_SIZE = -0.25  # a list of 16 times the size strays half as far, relative to itself
NORMAL_80 = 1.2815515655446004


@dataclass(frozen=True, eq=False, kw_only=True)
class ListForecasts:
    """Forecasts of published lists; all modelled.

    Attributes
    ----------
    ids : tuple of str
    months : DatetimeIndex (H,)
    size, share : ndarray (n, H)
        Points: children waiting, and per cent of them who have waited 18 weeks or more.
    size_paths, share_paths : ndarray (n, H, P)
        Futures: path k of all lists is one, in which they share what happens to all.
    """

    ids: tuple[str, ...]
    months: pd.DatetimeIndex
    size: FloatArray
    share: FloatArray
    size_paths: FloatArray
    share_paths: FloatArray


def forecast_lists(panel: ListPanel, *, horizon: int, n_paths: int = 1000, seed: int = 0) -> ListForecasts:
    """Forecast the size of published lists and the share that has waited over 18 weeks.

    Parameters
    ----------
    panel : ListPanel
        Up to the month to forecast from; three organisations or more, as they learn from each other.
    horizon : int
        Months ahead.
    n_paths, seed : int

    Returns
    -------
    ListForecasts

    Raises
    ------
    SpecError
        A horizon below 1.
    InputError
        Fewer than two months or three organisations, or one without a list in any month.

    Notes
    -----
    A total of 0 right after a list of 20 or more counts as not submitted; a list not known is carried on from the last
    one known. Errors of shorter horizons count for longer ones too, grown to them; futures of a
    provider are drawn as a random walk, and all lists share a drift.
    `python -m experiments.waiting_list_accuracy` prints how accurate they are.
    """
    _check(panel, horizon)
    zeros = sudden_zeros(panel.total)
    known = replace(
        panel,
        total=np.where(zeros, np.nan, panel.total),
        bands=np.where(zeros[:, :, None], np.nan, panel.bands),
    )
    features = _features(known)
    sizes = _forecast(_Sizes.of(known, horizon), features, horizon, n_paths, np.random.default_rng([seed, 0]))
    shares = _forecast(_Shares.of(known), features, horizon, n_paths, np.random.default_rng([seed, 1]))
    ahead = pd.date_range(panel.months[-1], periods=horizon + 1, freq="MS")[1:]
    return ListForecasts(
        ids=panel.ids,
        months=ahead,
        size=sizes[0],
        share=shares[0],
        size_paths=sizes[1],
        share_paths=shares[1],
    )


def spread_of(errors: FloatArray, size: FloatArray) -> float:
    """Return how far lists of 600 children stray, as the standard deviation that an 80 % range stands for.

    Parameters
    ----------
    errors : ndarray (k,)
        Logarithms of outturn over point.
    size : ndarray (k,)
        Children on the list at the origin.

    Returns
    -------
    float
        Of the logarithm: half of the distance of the 10th from the 90th percentile, over that of a normal one. The
        tails beyond are heavier than normal ones.
    """
    alike = errors * (np.maximum(size, 1.0) / TYPICAL_LIST) ** -SPREAD_BY_SIZE
    low, high = np.quantile(alike, [0.1, 0.9])
    return float((high - low) / (2 * NORMAL_80))


def _check(panel: ListPanel, horizon: int) -> None:
    if horizon < 1:
        raise SpecError(f"horizon {horizon}: a month or more ahead is needed. Give 1 or more.")
    if len(panel.months) < 2 or len(panel.ids) < 3:
        raise InputError(
            f"published waiting lists: {len(panel.ids)} organisations over {len(panel.months)} months, three over two "
            "are needed to learn how lists change. Give more of them."
        )
    never = [name for name, row in zip(panel.ids, panel.total, strict=True) if not (row > 0).any()]
    if never:
        raise InputError(f"published waiting list of {never[0]}: no month has one. Leave it out.")


@dataclass(frozen=True, eq=False, kw_only=True)
class _Sizes:
    """Sizes of lists, as logarithms."""

    values: FloatArray
    term: FloatArray  # (N + H,) sum of the effects of school terms up to each month
    drift = DRIFT["size"]
    growth = GROWTH["size"]

    @classmethod
    def of(cls, panel: ListPanel, horizon: int) -> _Sizes:
        """Learn how lists change with school days from what all of them did in each month."""
        values: FloatArray = np.log(np.maximum(panel.total, 0.5))
        months = pd.date_range(panel.months[0], periods=len(panel.months) + horizon, freq="MS")
        year = pd.date_range(panel.months[0], periods=12, freq="MS")
        taught = term_days(months) / working_days(months) - float((term_days(year) / working_days(year)).mean())
        moves = _middle(np.diff(values, axis=1))
        told, known = taught[1 : len(panel.months)], np.isfinite(moves)
        weight = 1 / TERM_DOUBT**2 + (told[known] ** 2).sum() / MONTH**2
        effect = (TERM / TERM_DOUBT**2 + (told[known] * moves[known]).sum() / MONTH**2) / weight
        return cls(values=values, term=np.cumsum(taught) * effect)

    def go(self, values: FloatArray, month: int, ahead: int) -> FloatArray:
        """Return the points some months after a month (n,)."""
        return np.asarray(values + self.term[month + ahead] - self.term[month])

    def figures(self, values: FloatArray) -> FloatArray:
        """Turn values into children."""
        return np.asarray(np.exp(values))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Shares:
    """Shares over 18 weeks, on the scale on which the share of a sample strays alike at all levels."""

    values: FloatArray
    ageing: FloatArray  # (n, N) points by which the band that passes 18 weeks next is above that of others
    trend: float  # points a month
    drift = DRIFT["share"]
    growth = GROWTH["share"]

    @classmethod
    def of(cls, panel: ListPanel) -> _Shares:
        """Learn how shares have changed together, and who has many about to pass 18 weeks."""
        with np.errstate(invalid="ignore", divide="ignore"):
            about = 100 * panel.bands[:, :, NEXT] / panel.bands.sum(axis=2)
        ageing = np.nan_to_num(about - np.nanmedian(about))
        changes = np.diff(panel.share, axis=1)
        n_months = changes.shape[1]
        trend = float(np.nanmedian(changes)) * n_months / (n_months + 1)
        return cls(values=_to_scale(panel.share), ageing=ageing, trend=trend)

    def go(self, values: FloatArray, month: int, ahead: int) -> FloatArray:
        """Return the points some months after a month (n,)."""
        aged = AGEING * (1 - FADES**ahead) / (1 - FADES)
        return _to_scale(self.figures(values) + aged * self.ageing[:, month] + ahead * self.trend)

    def figures(self, values: FloatArray) -> FloatArray:
        """Turn values into per cent."""
        within = np.sin(np.clip(values, 0, np.pi / 2)) ** 2
        return np.asarray(np.clip(within * (100 + 2 * EDGE) - EDGE, 0, 100))


def _to_scale(share: FloatArray) -> FloatArray:
    return np.asarray(np.arcsin(np.sqrt((np.clip(share, 0, 100) + EDGE) / (100 + 2 * EDGE))))


def _forecast(
    measure: _Sizes | _Shares, features: FloatArray, horizon: int, n_paths: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Return points (n, H) and futures (n, H, P)."""
    values = measure.values
    n, last = len(values), values.shape[1] - 1
    now = _carried(values)
    points = np.stack([measure.go(now, last, ahead) for ahead in range(1, horizon + 1)], axis=1)
    steps = np.cumsum(rng.standard_normal((n, horizon, n_paths)), axis=1)
    chance = ndtr(steps / np.sqrt(np.arange(1, horizon + 1))[:, None])
    returns = rng.random((n, n_paths)) < BACK
    pick = rng.integers(0, last, (n, n_paths))
    earlier = np.where(np.isfinite(values), values, now[:, None])[np.arange(n)[:, None], pick]
    together = rng.standard_normal(n_paths) * _common(measure)
    paths = np.empty((n, horizon, n_paths))
    for ahead in range(1, horizon + 1):
        errors, scale = _past_errors(measure, features, ahead)
        at = np.quantile(errors, GRID)
        strays = np.interp(chance[:, ahead - 1], GRID, at) * scale[:, None]
        centre = np.where(returns, earlier, points[:, ahead - 1, None])
        paths[:, ahead - 1] = centre + strays + ahead * together
    return measure.figures(points), measure.figures(paths)


def _past_errors(measure: _Sizes | _Shares, features: FloatArray, ahead: int) -> tuple[FloatArray, FloatArray]:
    """Return errors of past points, brought to one scale and both signs alike (k,), and each series' scale now (n,).

    Of the horizon and shorter ones, those grown to it. The scale is a regression of the logarithm
    of an error's size, held towards no effect, on the provider's own other errors (shrunk to what others do) and on the
    features.
    """
    values = measure.values
    last = values.shape[1] - 1
    single = np.stack([values[:, k + 1] - measure.go(values[:, k], k, 1) for k in range(last)], axis=1)
    known = np.isfinite(single)
    sizes = np.where(known, np.log(np.abs(np.nan_to_num(single)) + STEADY), 0.0)
    usual = sizes.sum() / known.sum()

    def own(left_out: slice) -> FloatArray:
        total = sizes.sum(axis=1) - sizes[:, left_out].sum(axis=1)
        count = known.sum(axis=1) - known[:, left_out].sum(axis=1)
        return np.asarray((MONTHS_OF_OTHERS * usual + total) / (MONTHS_OF_OTHERS + count))

    errors, rows = [], []
    for reach in range(1, min(ahead, last) + 1):
        for month in range(last + 1 - reach):
            error = values[:, month + reach] - measure.go(values[:, month], month, reach)
            there = np.isfinite(error)
            errors.append(error[there] * (ahead / reach) ** measure.growth)
            about = np.column_stack([own(slice(month, month + reach)), features[:, month]])
            rows.append(about[there])
    error, row = np.concatenate(errors), np.concatenate(rows)
    now = np.column_stack([own(slice(0)), features[:, last]])
    mean, deviation = row.mean(axis=0), np.maximum(row.std(axis=0), 0.05)
    row, now = (row - mean) / deviation, (now - mean) / deviation
    size = np.log(np.abs(error) + STEADY * np.sqrt(ahead))
    held = row.T @ row + NO_EFFECT * np.eye(row.shape[1])
    effect = np.linalg.solve(held, row.T @ (size - size.mean()))
    alike = error / np.exp(row @ effect)
    return np.concatenate([alike, -alike]), np.exp(now @ effect)


def _common(measure: _Sizes | _Shares) -> float:
    """Return what all lists may do together in a month: what they did in past ones beside the points, and the guess."""
    values = measure.values
    single = [values[:, k + 1] - measure.go(values[:, k], k, 1) for k in range(values.shape[1] - 1)]
    moves = _middle(np.stack(single, axis=1))
    seen = moves[np.isfinite(moves)]
    return float(np.sqrt((MONTHS_OF_DRIFT * measure.drift**2 + (seen**2).sum()) / (MONTHS_OF_DRIFT + len(seen))))


def _features(panel: ListPanel) -> FloatArray:
    """Return what tells how far a list strays, by month (n, N, 2): its size and the share under four weeks, as logs."""
    with np.errstate(invalid="ignore", divide="ignore"):
        quick = np.log(100 * panel.bands[:, :, :QUICK].sum(axis=2) / panel.bands.sum(axis=2) + 3)
        size = np.log(np.maximum(panel.total, 5))
    filled = [np.where(np.isfinite(each), each, _carried(each)[:, None]) for each in (size, quick)]
    return np.stack(filled, axis=2)


def _carried(values: FloatArray) -> FloatArray:
    """Last known value of each row (n,), else the median of all."""
    known = np.isfinite(values)
    last = values.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1)
    found = values[np.arange(len(values)), last]
    return np.where(known.any(axis=1), found, np.nanmedian(values))


def _middle(changes: FloatArray) -> FloatArray:
    """Median of each month over all that are known (N,); NaN where none is."""
    some = np.isfinite(changes).any(axis=0)
    middle = np.full(changes.shape[1], np.nan)
    middle[some] = np.nanmedian(changes[:, some], axis=0)
    return middle
