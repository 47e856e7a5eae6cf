"""When a target is met and a list stops growing, read off paths by hand."""

import numpy as np
import pandas as pd

from forecast.speech_language.verdicts import middle, stops_growing, target_met

MONTHS = pd.date_range("2024-01-01", periods=6, freq="MS")


def met(*columns: list[float]) -> dict[str, str | float | None]:
    return target_met(np.array(columns).T, share=0.9, months=MONTHS, by=2).entry()


def test_after_its_month_a_target_is_met_in_the_first_of_three_months_in_a_row() -> None:
    assert met([80, 95, 80, 95, 91, 90])["month"] == "2024-04"


def test_before_its_month_a_target_is_met_from_when_it_holds_until_then() -> None:
    assert met([95, 95, 80, 80, 80, 80])["month"] is None
    assert met([80, 95, 95, 95, 80, 80])["month"] == "2024-02"


def test_the_last_months_count_as_a_row() -> None:
    assert met([80, 80, 80, 80, 80, 95]) == {"month": "2024-06", "low": "2024-06", "high": "2024-06", "chance": 1.0}


def test_a_path_that_dips_in_the_last_month_has_not_met_it() -> None:
    assert met([80, 80, 80, 95, 95, 80]) == {"month": None, "low": None, "high": None, "chance": 0.0}


def test_the_range_is_open_where_a_tenth_of_futures_never_meet_it() -> None:
    paths = [[95] * 6] * 6 + [[80, 80, 95, 95, 95, 95]] * 2 + [[0] * 6] * 2
    assert met(*paths) == {"month": "2024-01", "low": "2024-01", "high": None, "chance": 0.8}


def test_a_list_stops_growing_in_the_month_it_is_longest() -> None:
    grows, turns, falls = [5, 6, 7, 8, 9, 10], [5, 9, 8, 8, 7, 6], [4, 3, 3, 2, 2, 1]
    when = stops_growing(np.array([grows, turns, falls], dtype=float).T, opening=4.5, months=MONTHS)
    assert when.entry() == {"month": "2024-02", "low": "2024-01", "high": None, "chance": 0.6667}


def test_the_middle_of_paths_is_never_between_a_number_and_never() -> None:
    assert middle(np.array([1.0, 2.0, 3.0, np.inf])) == {"median": 2.5, "low": 1.3, "high": None}
    assert middle(np.array([1.0, np.inf, np.inf]))["median"] is None
