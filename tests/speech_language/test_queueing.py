"""The queue formulas on their published worked example."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from forecast.errors import SpecError
from forecast.speech_language.queueing import (
    load,
    relief_capacity,
    target_capacity,
    target_mean_wait,
    target_queue,
)


def test_the_worked_example() -> None:
    assert target_mean_wait(18) == 4.5
    assert target_queue(20, target_weeks=18) == 90
    assert round(target_capacity(20, target_weeks=18), 2) == 20.22
    assert relief_capacity(20, queue=270, target_queue=90) == pytest.approx(26.92, abs=0.005)


def test_load_is_demand_over_capacity() -> None:
    assert load(20, capacity=16) == 1.25
    assert load(0, capacity=16) == 0


def test_what_comes_by_the_clock_needs_less_to_spare() -> None:
    assert target_capacity(20, target_weeks=18, cv_demand=0, cv_capacity=0) == 20
    assert target_capacity(20, target_weeks=18, cv_capacity=0) == pytest.approx(20 + 1 / 9)
    assert target_capacity(20, target_weeks=18, cv_demand=2, cv_capacity=1) == pytest.approx(20 + 5 / 9)


def test_relief_is_for_lists_above_twice_the_target() -> None:
    assert relief_capacity(20, queue=180, target_queue=90) is None
    assert relief_capacity(20, queue=190, target_queue=90, weeks=10) == 30


def test_the_capacity_clears_the_list_in_time() -> None:
    needed = relief_capacity(12.5, queue=400, target_queue=60, weeks=40)
    assert needed is not None
    assert 400 + 40 * (12.5 - needed) == pytest.approx(60)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: load(-1, capacity=3), "demand -1: a number from zero up"),
        (lambda: load(1, capacity=0), "capacity 0: a number above zero"),
        (lambda: target_mean_wait(0), "target_weeks 0"),
        (lambda: target_queue(math.nan, target_weeks=18), "demand nan"),
        (lambda: target_capacity(1, target_weeks=math.inf), "target_weeks inf"),
        (lambda: target_capacity(1, target_weeks=18, cv_demand=-0.1), "cv_demand -0.1"),
        (lambda: relief_capacity(1, queue=-2, target_queue=1), "queue -2"),
        (lambda: relief_capacity(1, queue=2, target_queue=1, weeks=0), "weeks 0"),
    ],
)
def test_impossible_figures_are_refused(ask: Callable[[], object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        ask()
