"""Periods planners count in: academic and calendar years."""

from __future__ import annotations

import pandas as pd


def academic_year(dates: pd.DatetimeIndex) -> pd.Index:
    """Label dates by English academic year, 1 September to 31 August.

    Examples
    --------
    >>> academic_year(pd.DatetimeIndex(["2024-08-01", "2024-09-01"])).tolist()
    ['2023/24', '2024/25']
    """
    start = dates.year - (dates.month < 9).astype(int)
    return pd.Index([f"{year}/{(year + 1) % 100:02d}" for year in start])


def calendar_year(dates: pd.DatetimeIndex) -> pd.Index:
    """Label dates by calendar year.

    Examples
    --------
    >>> calendar_year(pd.DatetimeIndex(["2024-08-01"])).tolist()
    ['2024']
    """
    return pd.Index([f"{year}" for year in dates.year])
