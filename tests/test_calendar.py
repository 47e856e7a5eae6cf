"""Academic years turn on 1 September."""

import pandas as pd
import pytest

from forecast.calendar import academic_year, calendar_year


@pytest.mark.parametrize(
    ("day", "academic", "calendar"),
    [
        ("2024-08-31", "2023/24", "2024"),
        ("2024-09-01", "2024/25", "2024"),
        ("2024-12-31", "2024/25", "2024"),
        ("2025-01-01", "2024/25", "2025"),
        ("1999-09-01", "1999/00", "1999"),
        ("2009-01-01", "2008/09", "2009"),
    ],
)
def test_years_of_a_day(day, academic, calendar):
    dates = pd.DatetimeIndex([day])
    assert academic_year(dates).tolist() == [academic]
    assert calendar_year(dates).tolist() == [calendar]


def test_twelve_months_from_september_are_one_academic_year():
    months = pd.date_range("2023-08-01", periods=14, freq="MS")
    labels = academic_year(months)
    assert labels.tolist() == ["2022/23"] + ["2023/24"] * 12 + ["2024/25"]
