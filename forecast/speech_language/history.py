"""What was counted: referrals of the log and the published list, in the measures a projection is told by."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.panel import FloatArray
from forecast.speech_language.bands import WaitBands
from forecast.speech_language.cells import KEYS
from forecast.speech_language.proxy import BandHistory
from forecast.speech_language.service import Service

COLUMNS = ["measure", "by", "category", "ds", "y"]
EXACT = 6


def counted_referrals(log: pd.DataFrame) -> pd.DataFrame:
    """Return referrals a month in all, by locality, age band, tier and source, where there are several.

    Parameters
    ----------
    log : DataFrame
        ds, locality, age_band, source, tier, y; a month with a count that is not known has no total.

    Returns
    -------
    DataFrame
        measure, by, category, ds, y.
    """
    keys = [key for key in (*KEYS, "source") if len(log[key].unique()) > 1]
    parts = [_summed(log, "", [])]
    parts += [_summed(log, key, [key]) for key in keys]
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _summed(log: pd.DataFrame, by: str, keys: list[str]) -> pd.DataFrame:
    whole = log.groupby([*keys, "ds"], observed=True)["y"].agg(lambda values: values.sum(skipna=False)).reset_index()
    named = whole.rename(columns={by: "category"}) if by else whole.assign(category="")
    return named.dropna(subset="y").assign(measure="referrals", by=by)


def counted_list(listed: BandHistory, service: Service) -> pd.DataFrame:
    """Return the published list in all and by its bands, the share within the target and waits, month by month.

    Returns
    -------
    DataFrame
        measure, by, category, ds, y; shares and waits are read off bands, spread over weeks as the model does.
    """
    nhs = WaitBands()
    weeks = nhs.spread(listed.bands)
    target = service.target.within_weeks
    total = weeks.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        within = np.where(total == 0, 100.0, 100 * weeks[:, :target].sum(axis=1) / total)
    told = {
        "waiting": total,
        "within_target": within,
        "over_52_weeks": weeks[:, 52:].sum(axis=1),
        "median_wait": _waited(weeks, 0.5),
        "p92_wait": _waited(weeks, 0.92),
    }
    parts = [_long(listed, measure, "", "", values) for measure, values in told.items()]
    bands = service.bands.read(weeks)
    parts += [_long(listed, "waiting", "wait_band", label, bands[:, k]) for k, label in enumerate(service.bands.labels)]
    rows = pd.concat(parts, ignore_index=True).dropna(subset="y")[COLUMNS]
    return rows.assign(y=rows["y"].round(EXACT))


def _long(listed: BandHistory, measure: str, by: str, category: str, values: FloatArray) -> pd.DataFrame:
    return pd.DataFrame({"measure": measure, "by": by, "category": category, "ds": listed.months, "y": values})


def _waited(weeks: FloatArray, share: float) -> FloatArray:
    """Weeks that a share of those waiting have waited at most (N,), within a week in proportion."""
    below = np.concatenate([np.zeros((len(weeks), 1)), np.cumsum(weeks, axis=1)], axis=1)
    at = np.arange(below.shape[1], dtype=np.float64)
    return np.array([_at(share * row[-1], row, at) for row in below])


def _at(children: float, below: FloatArray, at: FloatArray) -> float:
    """Weeks below which some of a list wait; 0 where nobody waits, as the simulated list has it."""
    return float(np.interp(children, below, at)) if below[-1] > 0 else 0.0 * below[-1]
