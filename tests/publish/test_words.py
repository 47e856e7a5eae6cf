import math

import pandas as pd
import pytest

from forecast.publish import words


@pytest.mark.parametrize("freq", ["YS", "QS", "MS", "W-MON"])
def test_period_numbers_of_neighbours_differ_by_one_and_invert(freq):
    dates = pd.date_range("2021-01-01", periods=60, freq=freq)
    numbers = [words.period_index(ds, freq) for ds in dates]
    assert numbers == list(range(numbers[0], numbers[0] + 60))
    assert [words.period_at(n, freq) for n in numbers] == list(dates)


@pytest.mark.parametrize(
    ("ds", "freq", "stock", "short", "said"),
    [
        ("2023-01-01", "YS", False, False, "2023"),
        ("2024-01-01", "YS", True, False, "January 2024"),
        ("2023-09-01", "MS", True, False, "September 2023"),
        ("2023-09-01", "MS", False, True, "Sep 2023"),
        ("2023-07-01", "QS", False, False, "July to September 2023"),
        ("2023-07-01", "QS", False, True, "Jul 2023"),
        ("2023-09-04", "W-MON", False, False, "week of 4 September 2023"),
        ("2023-09-04", "W-MON", False, True, "4 Sep 2023"),
    ],
)
def test_periods_are_said_as_a_planner_says_them(ds, freq, stock, short, said):
    assert words.period_name(pd.Timestamp(ds), freq=freq, stock=stock, short=short) == said


def test_in_period_reads_as_english():
    assert words.in_period("2028") == "in 2028"
    assert words.in_period("week of 4 September 2023") == "in the week of 4 September 2023"


@pytest.mark.parametrize(
    ("released", "said"),
    [
        ("2024-06-30", "30 June 2024"),
        ("2024-06", "June 2024"),
        ("2024", "2024"),
        ("", "not stated"),
        ("spring 2024", "spring 2024"),
    ],
)
def test_a_release_date_says_no_more_than_the_source(released, said):
    assert words.released(released) == said


@pytest.mark.parametrize(
    ("low", "high", "unit"), [(780, 1310, 10), (3, 9, 1), (0, 99, 1), (0, 100, 10), (137_000, 216_000, 1000), (5, 5, 1)]
)
def test_rounding_claims_two_figures_of_the_interval_width(low, high, unit):
    assert words.rounding_unit(low, high) == unit


@pytest.mark.parametrize(
    ("new", "old", "rate", "said"),
    [
        (1020, 790, False, "around 29% more than"),
        (600, 790, False, "around 24% fewer than"),
        (792, 790, False, "about the same as"),
        (5, 0, False, "up from"),
        (0, 0, False, "about the same as"),
        (12, 10, True, "around 2 percentage points more than"),
        (9, 10, True, "around 1 percentage point less than"),
        (10.2, 9.8, True, "about the same as"),
        (10.4, 9.6, True, "around 1 percentage point more than"),
    ],
)
def test_change_in_words(new, old, rate, said):
    assert words.change(new, old, rate=rate) == said


def test_percent_change_has_a_true_minus_and_no_division_by_zero():
    assert words.percent_change(90, 100) == "−10%"
    assert words.percent_change(129, 100) == "+29%"
    assert words.percent_change(100.1, 100) == "0%"
    assert words.percent_change(5, 0) == "-"
    assert words.percent_change(math.nan, 5) == "-"


def test_names_and_reasons():
    assert words.measure("own_referrals").title == "Own referrals"
    assert words.reason_words("sum_mismatch: region 6078") == "published figures do not add up (region 6078)"
    assert words.reason_words("new_reason") == "new reason"
    assert words.model_name("seasonal_naive", "MS").startswith("Simple rule: the same month a year before")
    assert words.model_name("mine", "MS") == "mine"
    assert words.period_word("W-MON", 2) == "weeks"


def test_every_model_has_words():
    from forecast import models

    assert set(models.names()) <= set(words.METHODS)
    assert words.model_name("theta_pooled", "MS") == "Theta method with a season learnt together (theta_pooled)"
    assert words.model_name("ar_trend", "MS") == "Autoregression around a trend (ar_trend)"
