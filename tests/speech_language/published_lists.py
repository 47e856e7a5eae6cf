"""Published waiting lists that are made up."""

import numpy as np
import pandas as pd

from forecast.speech_language.proxy import BANDS, TOTAL


def observations(lists, *, start="2023-01-01", level="provider", totals=None):
    """Observations of lists by code, each an array (N, 7) of children by month and band; NaN is not submitted.

    A total is the sum of the bands, unless `totals` gives others by code.
    """
    rows = []
    for code, given in lists.items():
        bands = np.asarray(given, dtype=float)
        months = pd.date_range(start, periods=len(bands), freq="MS")
        total = (totals or {}).get(code, bands.sum(axis=1))
        for measure, values in zip([TOTAL, *BANDS], [total, *bands.T], strict=True):
            rows += [
                (measure, level, code, f"{code} Trust", month, value, month + pd.Timedelta(days=70))
                for month, value in zip(months, values, strict=True)
            ]
    columns = ["measure", "geographic_level", "area_code", "area_name", "ds", "y", "available"]
    return pd.DataFrame(rows, columns=columns)
