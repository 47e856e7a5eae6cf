"""What an analyst asks of a run beside its ledger: the weights of a combination, and what every model said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.auto import Combination
from forecast.evaluate.origins import NOT_ASKED
from forecast.study import Study

WEIGHT_COLUMNS = ["model", "member", "horizon", "series", "weight"]
REASON_COLUMNS = ["unique_id", "model", "reason"]


def weights_of(study: Study) -> pd.DataFrame:
    """Return the weights of a study's combinations at the end of its panel.

    Returns
    -------
    DataFrame
        model, member, horizon, and over the series the combination answers how many give the member a weight
        (series) and the mean of their weights (weight); members without any are left out.
    """
    tables = [_weights(name, made) for name, made in study.combinations.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=WEIGHT_COLUMNS)


def _weights(name: str, made: Combination) -> pd.DataFrame:
    answered = made.weights[:, made.weights.sum(axis=(0, 2)) > 0]
    members, series, horizon = answered.shape
    table = pd.DataFrame(
        {
            "model": name,
            "member": np.repeat(made.members, horizon),
            "horizon": np.tile(np.arange(1, horizon + 1), members),
            "series": (answered > 0).sum(axis=1).ravel(),
            "weight": (answered.sum(axis=1) / max(series, 1)).ravel(),
        }
    )
    return table[table["series"] > 0]


def reasons_of(study: Study, names: Sequence[str]) -> pd.DataFrame:
    """Return what single models said of each series at the end of a study's panel, rate ratios among it.

    Parameters
    ----------
    study : Study
    names : sequence of str
        Models; combinations among them are passed over, as their reasons stand in the ledger.

    Returns
    -------
    DataFrame
        unique_id, model, reason; no row where a model had nothing to say or was not asked.
    """
    said = [
        (study.panel.ids[row], name, reason)
        for (name, row), reason in sorted(study.rolling.reasons.items())
        if name in names and reason not in ("", NOT_ASKED)
    ]
    return pd.DataFrame(said, columns=REASON_COLUMNS)
