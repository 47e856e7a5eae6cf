"""Panels made of arithmetic and seeded noise, shared by the tests of the library core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecast import Panel
from forecast.panel import SEASON_LENGTH, Window

START = {"YS": "2010-01-01", "MS": "2020-01-01", "QS": "2018-01-01", "W-MON": "2024-01-01"}


def long(series: Mapping[str, Sequence[float]], freq: str = "YS") -> pd.DataFrame:
    """A long frame of series that all start on the same date."""
    return pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": pd.date_range(START[freq], periods=len(y), freq=freq), "y": y})
            for name, y in series.items()
        ],
        ignore_index=True,
    )


def panel(series: Mapping[str, Sequence[float]], freq: str = "YS") -> Panel:
    """A panel whose series are one group."""
    return Panel.from_frame(long(series, freq), freq=freq, groups=[])


def growing(n: int = 10, length: int = 9, seed: int = 1) -> dict[str, np.ndarray]:
    """Areas of different size that grow by about six per cent, with a little noise."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(80, 900, n)[:, None]
    counts = np.round(size * np.exp(0.06 * np.arange(length) + rng.normal(0, 0.05, (n, length))))
    return {f"area{i:02d}": counts[i] for i in range(n)}


def window(values: Sequence[Sequence[float]], freq: str = "YS") -> Window:
    """A window of rows in one pool."""
    array = np.asarray(values, dtype=float)
    return Window(
        ids=tuple(f"row{i}" for i in range(len(array))),
        values=array,
        dates=pd.date_range(START[freq], periods=array.shape[1], freq=freq),
        period=SEASON_LENGTH[freq],
        pools=np.zeros(len(array), dtype=np.int64),
    )
