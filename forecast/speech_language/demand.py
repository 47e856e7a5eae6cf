"""Demand after the published list: referrals counted where the log has them, forecast after it, or the proxy."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.models.specs import ModelSpec
from forecast.panel import FloatArray, IntArray
from forecast.speech_language.cells import KEYS, Cells
from forecast.speech_language.proxy import BandHistory, referral_proxy
from forecast.speech_language.referrals import ReferralPaths, forecast_referrals, proxy_referrals

RECENT = 12


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
    made = forecast_referrals(
        referrals, until=ahead[-1], n_paths=ask.n_paths, seed=ask.seed, model=ask.model, executor=ask.executor
    )
    keep = made.months >= ahead[0]
    known = made.history[made.history["ds"].ge(ahead[0])]
    paths, by_source = made.paths[:, keep], {name: paths[keep] for name, paths in made.by_source.items()}
    if len(known):
        wide = known.pivot_table(index=list(KEYS), columns="ds", values="y", aggfunc="sum", observed=True)
        rows = wide.reindex(pd.MultiIndex.from_frame(made.cells[list(KEYS)])).fillna(0.0).to_numpy()
        paths = np.concatenate([np.repeat(rows[:, :, None], ask.n_paths, axis=2), paths], axis=1)
        sums = known.pivot_table(index="source", columns="ds", values="y", aggfunc="sum", observed=True)
        by_source = {
            name: np.concatenate([np.repeat(sums.loc[name].to_numpy()[:, None], ask.n_paths, axis=1), later])
            for name, later in by_source.items()
        }
    return replace(made, months=ahead, paths=paths, by_source=by_source)


def listed_referrals(history: pd.DataFrame, cells: Cells, has_list: IntArray, listed: BandHistory) -> FloatArray | None:
    """Referrals to the list in each month that it was counted (N,); None where the log lacks one."""
    tiers = set(cells.frame["tier"].iloc[has_list])
    monthly = history[history["tier"].isin(tiers)].groupby("ds")["y"].sum(min_count=1)
    found = monthly.reindex(listed.months).to_numpy(dtype=np.float64)
    return found if np.isfinite(found).all() else None


def recent_referrals(history: pd.DataFrame, cells: Cells, last: pd.Timestamp) -> FloatArray:
    """Referrals of each cell in the twelve months to the last list (C,)."""
    months = sorted(history.loc[history["ds"].le(last), "ds"].unique())[-RECENT:]
    sums = history[history["ds"].isin(months)].groupby(list(KEYS), observed=True)["y"].sum()
    return sums.reindex(pd.MultiIndex.from_frame(cells.frame[list(KEYS)])).fillna(0.0).to_numpy(dtype=np.float64)
