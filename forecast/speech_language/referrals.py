"""Referrals to come, by locality, age band, tier and source, month by month on joint paths.

The groups of a referral log are rare counts, many of them one every few months; their sum is not, and is forecast far
better than they are. So two things are forecast: the total, as referrals a day, and every group as a count, learning
from the groups of its source of referral, which share a season (schools refer in term). On each path the groups are
scaled, month by month, so that they add up to the total: its intervals are those of its own forecast.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.errors import InputError, SpecError
from forecast.models.specs import ModelSpec
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.referral_series import YEAR, YEARLY_SPREAD, Ask

CELL = ("locality", "age_band", "tier")
KEYS = (*CELL, "source")
ALL = "all"
FEWEST_MONTHS = 3
LONGEST_SILENCE = 2
TWO_YEARS = 24


@dataclass(frozen=True, eq=False)
class ReferralPaths:
    """Referrals a month on sample paths.

    Attributes
    ----------
    cells : DataFrame, C rows
        locality, age_band, tier; sorted. The combinations that occur in the log.
    months : DatetimeIndex, length M
        First days of the months ahead; the first is the month after the last of the log.
    paths : ndarray (C, M, P)
        Referrals a month; not whole numbers. Path k of every cell belongs to the same future.
    by_source : mapping of source to ndarray (M, P)
        The same paths by source of referral; they add up to those of the cells.
    history : DataFrame
        ds, locality, age_band, source, tier, y: the log it was made from. NaN where not known.
    notes : tuple of str
        What a reader should know of how it was made.
    """

    cells: pd.DataFrame
    months: pd.DatetimeIndex
    paths: FloatArray
    by_source: dict[str, FloatArray]
    history: pd.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Log:
    """A log as arrays: groups in rows, months in columns; NaN where not known.

    Attributes
    ----------
    groups : DataFrame, n rows
        locality, age_band, tier, source; sorted, so that the groups of a cell stand together.
    months : DatetimeIndex, length T
    counts : ndarray (n, T)
    """

    groups: pd.DataFrame
    months: pd.DatetimeIndex
    counts: FloatArray

    @property
    def sources(self) -> tuple[list[str], IntArray]:
        """Names of the sources, and the position of each group's (n,)."""
        codes, names = pd.factorize(self.groups["source"], sort=True)
        return [str(name) for name in names], np.asarray(codes, dtype=np.int64)

    @property
    def cells(self) -> tuple[pd.DataFrame, IntArray]:
        """The cells, and the position of each group's (n,)."""
        cells = self.groups[list(CELL)].drop_duplicates().reset_index(drop=True)
        first = ~self.groups.duplicated(list(CELL)).to_numpy()
        return cells, first.cumsum() - 1


def forecast_referrals(
    log: pd.DataFrame,
    *,
    months: int | None = None,
    until: pd.Timestamp | None = None,
    n_paths: int = 1000,
    seed: int = 0,
    model: ModelSpec = "auto",
    executor: Executor | None = None,
) -> ReferralPaths:
    """Forecast the referrals of a log.

    Parameters
    ----------
    log : DataFrame
        ds (first day of the month), locality, age_band, source, tier, y, as in `ReferralLog.frame`: a row a month and
        group, zeros included. NaN where a count is not known.
    months : int, optional
        Months ahead. Either this or `until` is given.
    until : Timestamp, optional
        Last month to forecast.
    n_paths : int, default 1000
    seed : int, default 0
        The same seed gives the same paths.
    model : str, Model or list, default "auto"
        As for `forecast_panel`. Models that take columns known ahead see working_days, school_days and august.
    executor : concurrent.futures.Executor, optional
        Where one-series-at-a-time models run.

    Returns
    -------
    ReferralPaths

    Raises
    ------
    SpecError
        Neither or both of months and until, or no month to forecast.
    InputError
        Less than three months in which all referrals are known, or none of late.
    """
    read = _read(log)
    ahead = _months_ahead(read.months[-1], months, until)
    names, of_source = read.sources
    cells, of_cell = read.cells
    ask = Ask(model=model, months=len(ahead), n_paths=n_paths, seed=seed, executor=executor)
    total = ask.rates(read.counts.sum(axis=0), read.months, name="total")
    paths = total[None]
    if len(read.groups) > 1:
        paths = _scaled(ask.counts(read.counts, read.groups, read.months, pool="source"), total)
    starts = np.flatnonzero(np.diff(of_cell, prepend=-1))
    return ReferralPaths(
        cells=cells,
        months=ahead,
        paths=np.add.reduceat(paths, starts, axis=0),
        by_source={name: paths[of_source == k].sum(axis=0) for k, name in enumerate(names)},
        history=log[["ds", "locality", "age_band", "source", "tier", "y"]].reset_index(drop=True),
        notes=tuple(_notes(read, len(ahead))),
    )


def proxy_referrals(
    monthly: pd.Series,
    *,
    months: int | None = None,
    until: pd.Timestamp | None = None,
    n_paths: int = 1000,
    seed: int = 0,
    model: ModelSpec = "auto",
    executor: Executor | None = None,
) -> ReferralPaths:
    """Forecast referrals of which only the monthly number is known, such as the published proxy.

    Parameters
    ----------
    monthly : Series
        Referrals a month by first day of the month.
    months, until, n_paths, seed, model, executor
        As for `forecast_referrals`.

    Returns
    -------
    ReferralPaths
        One cell and one source, all named "all".
    """
    whole = {"locality": ALL, "age_band": ALL, "source": ALL, "tier": ALL}
    log = pd.DataFrame({"ds": pd.DatetimeIndex(monthly.index), **whole, "y": monthly.to_numpy(dtype=np.float64)})
    return forecast_referrals(
        log, months=months, until=until, n_paths=n_paths, seed=seed, model=model, executor=executor
    )


def _scaled(paths: FloatArray, total: FloatArray) -> FloatArray:
    """Return paths (n, M, P) scaled, month by month, so that they add up to the total's (M, P).

    Where all are zero the total is spread in proportion to their means over all months and paths.
    """
    means = paths.mean(axis=(1, 2))
    share = means / means.sum() if means.sum() > 0 else np.full(len(paths), 1 / len(paths))
    summed = paths.sum(axis=0)
    some = summed > 0
    scaled: FloatArray = paths * np.divide(total, summed, out=np.zeros_like(total), where=some)
    scaled[:, ~some] = share[:, None] * total[~some]
    return scaled


def _read(log: pd.DataFrame) -> _Log:
    """Put a log on a grid, groups in rows."""
    wide = log.pivot(index=list(KEYS), columns="ds", values="y").sort_index()
    months = pd.date_range(wide.columns.min(), wide.columns.max(), freq="MS")
    counts = wide.reindex(columns=months).to_numpy(dtype=np.float64)
    groups = wide.index.to_frame(index=False).astype(str)
    known = np.isfinite(counts).all(axis=0)
    if known.sum() < FEWEST_MONTHS or not known[-LONGEST_SILENCE - 1 :].any():
        worst = groups.iloc[np.isfinite(counts).sum(axis=1).argmin()]
        raise InputError(
            f"referral log: {int(known.sum())} of {len(months)} months have a count of every group, the fewest of "
            f"{', '.join(worst)!r}; at least {FEWEST_MONTHS} are needed, and one of the last {LONGEST_SILENCE + 1}. "
            "Give a longer log, without suppressed counts, or leave the group out."
        )
    return _Log(groups, months, counts)


def _months_ahead(last: pd.Timestamp, months: int | None, until: pd.Timestamp | None) -> pd.DatetimeIndex:
    if (months is None) == (until is None):
        raise SpecError("referrals: either months or until is needed, not both. Give one of them.")
    if until is not None:
        months = (until.year - last.year) * 12 + until.month - last.month
    if months is None or months < 1:
        raise SpecError(f"referrals: {months} months ahead of {last:%Y-%m}; at least 1 is needed. Ask for more.")
    return pd.date_range(last, periods=months + 1, freq="MS")[1:]


def _notes(log: _Log, ahead: int) -> list[str]:
    length = len(log.months)
    unknown = int((~np.isfinite(log.counts).all(axis=0)).sum())
    notes = []
    if length - unknown < TWO_YEARS:
        notes.append(
            f"{length - unknown} months of referrals are too few to tell the season of the year from chance; months "
            "differ mostly by their school and working days."
        )
    if unknown:
        notes.append(f"In {unknown} of {length} months not every group has a count; their total is not used.")
    if ahead > YEAR:
        notes.append(
            "Referrals after the first year ahead repeat it, times the growth the model sees and a shock to each "
            f"year with a standard deviation of {100 * YEARLY_SPREAD:.0f} %, about that of requests for EHC plans."
        )
    return notes + _stopped(log)


def _stopped(log: _Log) -> list[str]:
    """Name the cells without a referral in a year that had one or more a month before."""
    cells, of_cell = log.cells
    names = [", ".join(row) for row in cells.itertuples(index=False)]
    counts = np.add.reduceat(log.counts, np.flatnonzero(np.diff(of_cell, prepend=-1)), axis=0)
    if counts.shape[1] < TWO_YEARS:
        return []
    stopped = np.flatnonzero((counts[:, -YEAR:] == 0).all(axis=1) & (np.nansum(counts[:, :-YEAR], axis=1) >= YEAR))
    return [
        f"{names[row]}: no referral in the last {YEAR} months of the log; a few are forecast still. If it has ended, "
        "leave it out of the log."
        for row in stopped
    ]
