"""Academic years turn on 1 September; school and working days; interventions are dated to days and act on periods."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from forecast import Panel, SpecError
from forecast.calendar import (
    KINDS,
    Intervention,
    academic_year,
    calendar_year,
    intervention_columns,
    school_days,
    term_days,
    working_days,
)

HALF_YEAR = pd.date_range("2020-01-01", periods=6, freq="MS")


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


def made(kind: str, start: str, end: str | None = None) -> Intervention:
    return Intervention("x", kind, date.fromisoformat(start), date.fromisoformat(end) if end else None)


# January to June 2020 by hand: February has 29 days, March 31, April 30.
@pytest.mark.parametrize(
    ("kind", "start", "end", "flow", "stock"),
    [
        ("step", "2020-03-01", None, [0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]),
        ("step", "2020-03-17", None, [0, 0, 15 / 31, 1, 1, 1], [0, 0, 0, 1, 1, 1]),
        ("step", "2018-01-01", None, [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]),
        ("step", "2020-07-01", None, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]),
        ("pulse", "2020-02-10", None, [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]),
        ("pulse", "2020-02-01", None, [0, 1, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]),
        ("pulse", "2020-02-10", "2020-04-15", [0, 20 / 29, 1, 0.5, 0, 0], [0, 0, 1, 1, 0, 0]),
        ("pulse", "2020-02-10", "2020-02-19", [0, 10 / 29, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]),
        ("pulse", "2019-11-01", "2020-01-31", [1, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]),
        ("pulse", "2019-11-01", None, [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]),
        ("pulse", "2020-06-02", None, [0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]),
        ("ramp", "2020-02-01", "2020-03-31", [0, 1 / 12, 2 / 12, 2 / 12, 2 / 12, 2 / 12], None),
        ("ramp", "2020-02-15", "2020-03-31", [0, 15 / 29 / 12, *[(15 / 29 + 1) / 12] * 4], None),
        ("ramp", "2019-12-01", None, [2 / 12, 3 / 12, 4 / 12, 5 / 12, 6 / 12, 7 / 12], None),
        ("ramp", "2018-07-01", "2019-06-30", [1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1]),
        ("hold", "2020-02-10", "2020-04-15", [0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 0, 0]),
        ("hold", "2020-02-29", None, [0, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]),
    ],
)
def test_columns_by_hand(kind, start, end, flow, stock):
    intervention = made(kind, start, end)
    np.testing.assert_allclose(intervention.column(HALF_YEAR), flow, atol=1e-12)
    if stock is not None:
        np.testing.assert_allclose(intervention.column(HALF_YEAR, stock=True), stock, atol=1e-12)


@pytest.mark.parametrize(
    ("freq", "first", "kind", "start", "expected"),
    [
        ("YS", "2019-01-01", "step", "2020-07-02", [0, 0.5, 1]),
        ("YS", "2019-01-01", "ramp", "2020-01-01", [0, 1, 2]),
        ("QS", "2020-01-01", "step", "2020-05-01", [0, 61 / 91, 1]),
        ("QS", "2020-01-01", "ramp", "2020-01-01", [0.25, 0.5, 0.75]),
        ("W-MON", "2020-01-06", "step", "2020-01-15", [0, 5 / 7, 1]),
        ("W-MON", "2020-01-06", "pulse", "2020-01-19", [0, 1, 0]),
        ("W-MON", "2020-01-06", "ramp", "2020-01-13", [0, 1 / 52, 2 / 52]),
    ],
)
def test_columns_of_other_periods(freq, first, kind, start, expected):
    dates = pd.date_range(first, periods=3, freq=freq)
    np.testing.assert_allclose(made(kind, start).column(dates), expected, atol=1e-12)


@pytest.mark.parametrize("stock", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_does_not_depend_on_where_the_dates_begin_and_end(kind, stock):
    end = None if kind == "step" else "2020-04-11"
    whole = made(kind, "2020-01-20", end).column(HALF_YEAR, stock=stock)
    for start in range(6):
        for stop in range(start + 1, 7):
            part = made(kind, "2020-01-20", end).column(HALF_YEAR[start:stop], stock=stock)
            np.testing.assert_array_equal(part, whole[start:stop])


def test_columns_are_laid_out_for_a_panel():
    dates = pd.date_range("2020-01-01", periods=4, freq="MS")
    columns = intervention_columns([made("step", "2020-03-01"), made("hold", "2020-02-01")], list(dates), "MS")
    assert columns.to_dict("list") == {"ds": list(dates), "x": [0, 0, 1, 1], "hold:x": [0, 1, 0, 0]}
    df = pd.DataFrame({"unique_id": "a", "ds": dates[:3], "y": [1.0, 2.0, 3.0]})
    window = Panel.from_frame(df, freq="MS").with_known(columns).window()
    assert {name: array.tolist() for name, array in window.known.items()} == {
        "x": [[0, 0, 1, 1]],
        "hold:x": [[0, 1, 0, 0]],
    }


def test_what_cannot_be_is_refused():
    with pytest.raises(SpecError, match="'x': kind 'bump' is none of step, pulse, ramp, hold"):
        made("bump", "2020-01-01")
    with pytest.raises(SpecError, match="ends on 2019-12-31, before it starts on 2020-01-01"):
        made("pulse", "2020-01-01", "2019-12-31")
    with pytest.raises(SpecError, match=r"a step has no end \(2020-02-01\). Make it a pulse"):
        made("step", "2020-01-01", "2020-02-01")
    with pytest.raises(SpecError, match="dates without a frequency"):
        made("step", "2020-01-01").column(pd.DatetimeIndex(["2020-01-01", "2020-02-01"]))
    with pytest.raises(SpecError, match="'x': given twice"):
        intervention_columns([made("step", "2020-01-01"), made("pulse", "2020-02-01")], HALF_YEAR, "MS")


@pytest.mark.parametrize("year", range(2016, 2036))
def test_a_school_year_has_about_195_days(year: int) -> None:
    # 190 days of teaching and 5 without pupils (Education (School Day and School Year) Regulations 1999).
    first = date.fromisocalendar(year, 36, 1)
    first -= timedelta(days=7) if first > date(year, 9, 3) else timedelta(0)
    assert 190 <= sum(school_days(first + timedelta(days=7 * k)) for k in range(52)) <= 200


@pytest.mark.parametrize(
    ("monday", "days"),
    [
        (date(2024, 1, 1), 0),  # Christmas
        (date(2024, 1, 8), 5),
        (date(2024, 2, 12), 0),  # half term
        (date(2024, 3, 25), 4),  # Good Friday
        (date(2024, 4, 1), 0),
        (date(2024, 4, 15), 5),
        (date(2024, 5, 6), 4),  # early May bank holiday
        (date(2024, 5, 27), 0),  # half term
        (date(2024, 7, 15), 5),
        (date(2024, 8, 19), 0),  # summer
        (date(2023, 8, 28), 0),  # the days before 3 September
        (date(2024, 9, 2), 4),
        (date(2024, 10, 28), 0),  # half term
        (date(2023, 4, 10), 0),  # Easter Monday and the week after
        (date(2022, 9, 19), 4),  # state funeral
    ],
)
def test_school_days_of_known_weeks(monday: date, days: int) -> None:
    assert school_days(monday) == days


def test_working_days_agree_with_business_days_less_bank_holidays() -> None:
    months = pd.date_range("2023-01-01", "2024-12-01", freq="MS")
    bank = {2023: [1, 0, 0, 2, 3, 0, 0, 1, 0, 0, 0, 2], 2024: [1, 0, 1, 1, 2, 0, 0, 1, 0, 0, 0, 2]}
    weekdays = [len(pd.bdate_range(month, month + pd.offsets.MonthEnd())) for month in months]
    assert working_days(months).tolist() == [n - b for n, b in zip(weekdays, bank[2023] + bank[2024], strict=True)]


def test_term_days_of_months_are_those_of_their_weeks() -> None:
    months = pd.date_range("2023-09-01", "2024-08-01", freq="MS")
    mondays = [date(2023, 8, 28) + timedelta(days=7 * k) for k in range(53)]
    assert term_days(months).sum() == sum(map(school_days, mondays))
    assert (term_days(months) <= working_days(months)).all()
    assert term_days(months)[-1] == 0
