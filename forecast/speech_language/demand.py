"""Demand after the published list: referrals counted where the log has them, forecast after it, or the proxy."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.models.specs import ModelSpec
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.cells import KEYS, Cells
from forecast.speech_language.fit import MIN_MONTHS, RECENT
from forecast.speech_language.proxy import BandHistory, referral_proxy
from forecast.speech_language.referrals import ReferralPaths, forecast_referrals, proxy_referrals


@dataclass(frozen=True, kw_only=True)
class Ask:
    """How referrals are forecast: as for `forecast_panel`."""

    model: ModelSpec
    n_paths: int
    seed: int
    executor: Executor | None


def demand_of(ask: Ask, listed: BandHistory, referrals: pd.DataFrame | None, ahead: pd.DatetimeIndex) -> ReferralPaths:
    """Return referrals of the months after the list: counted where the log has them, forecast after it."""
    if referrals is None:
        proxy = referral_proxy(listed)
        made = proxy_referrals(
            proxy.monthly(),
            until=ahead[-1],
            n_paths=ask.n_paths,
            seed=ask.seed,
            model=ask.model,
            executor=ask.executor,
        )
        return replace(made, notes=(*proxy.notes, *made.notes))
    last = max(ahead[-1], referrals["ds"].max() + pd.offsets.MonthBegin())
    made = _every_cell(
        forecast_referrals(
            referrals, until=last, n_paths=ask.n_paths, seed=ask.seed, model=ask.model, executor=ask.executor
        )
    )
    keep = (made.months >= ahead[0]) & (made.months <= ahead[-1])
    known = made.history[made.history["ds"].between(ahead[0], ahead[-1])]
    paths, by_source = made.paths[:, keep], {name: paths[keep] for name, paths in made.by_source.items()}
    if len(known):
        rows = _counted(known, list(KEYS)).reindex(pd.MultiIndex.from_frame(made.cells[list(KEYS)]), fill_value=0.0)
        paths = _joined(rows, paths)
        sums = _counted(known, "source")
        by_source = {name: _joined(sums.loc[[name]], later[None])[0] for name, later in by_source.items()}
    return replace(made, months=ahead, paths=paths, by_source=by_source)


def _counted(known: pd.DataFrame, keys: list[str] | str) -> pd.DataFrame:
    """Lay counts after the list out by month.

    Raises
    ------
    InputError
        One is not known.
    """
    unknown = known[known["y"].isna()]
    if len(unknown):
        months = ", ".join(sorted({f"{ds:%Y-%m}" for ds in unknown["ds"]}))
        raise InputError(
            f"referrals of {months}: {len(unknown)} counts are not known, and they are needed after the last published "
            "list. Give them, or a log that ends before."
        )
    return known.pivot_table(index=keys, columns="ds", values="y", aggfunc="sum", observed=True)


def _joined(counted: pd.DataFrame, later: FloatArray) -> FloatArray:
    """Put counts (rows, months) before paths (rows, M, P), the same on each."""
    before = np.repeat(counted.to_numpy(dtype=np.float64)[:, :, None], later.shape[2], axis=2)
    return np.concatenate([before, later], axis=1)


def _every_cell(made: ReferralPaths) -> ReferralPaths:
    """Add the cells that have had no referral, so that a redesign can send children there."""
    every = pd.MultiIndex.from_product([sorted(made.cells[key].unique()) for key in KEYS], names=KEYS)
    at = pd.MultiIndex.from_frame(made.cells[list(KEYS)]).get_indexer(every)
    paths = np.where((at >= 0)[:, None, None], made.paths[at], 0.0)
    return replace(made, cells=every.to_frame(index=False), paths=paths)


def listed_referrals(history: pd.DataFrame, cells: Cells, has_list: IntArray, listed: BandHistory) -> FloatArray | None:
    """Return referrals to the list in each month that it was counted (N,), NaN where not known.

    None if too few of the last months are known to fit a list to.
    """
    own = history[history["tier"].isin(set(cells.frame["tier"].iloc[has_list]))]
    monthly = own.groupby("ds")["y"].agg(lambda counts: counts.sum(skipna=False))
    found = np.asarray(monthly.reindex(listed.months), dtype=np.float64)
    return found if np.isfinite(found[-MIN_MONTHS:]).all() else None


def recent_referrals(history: pd.DataFrame, cells: Cells, last: pd.Timestamp) -> FloatArray:
    """Return referrals a year of each cell, in the months to the last list (C,); an unknown count is as others are."""
    months = sorted(history.loc[history["ds"].le(last), "ds"].unique())[-RECENT:]
    means = history[history["ds"].isin(months)].groupby([*KEYS, "source"], observed=True)["y"].mean()
    sums = means.groupby(list(KEYS), observed=True).sum() * RECENT
    every = pd.MultiIndex.from_frame(cells.frame[list(KEYS)])
    return sums.reindex(every, fill_value=0.0).fillna(0.0).to_numpy(dtype=np.float64)
