"""What happens to one child of each group: shares add up, week by week."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.ehc.flow import REJOIN, flow_of, last_weeks, shares_of
from forecast.ehc.lags import Lags
from forecast.ehc.weeks import EARLIER_WEEKS, weeks_of

WEEKS = weeks_of(2024, 2027)
N_WEEKS = len(WEEKS.year)
LAGS = Lags(0.8, 0.5, 0.9)
EVEN = shares_of(np.arange(EARLIER_WEEKS) < EARLIER_WEEKS - 1.0, np.ones(EARLIER_WEEKS))  # no decision within a week
NONE = np.zeros(EARLIER_WEEKS)
OPEN = {"undecided": NONE, "assessing": EVEN, "undecided_excess": NONE, "assessing_excess": NONE}


def test_the_last_week_of_a_year_is_its_last_thursdays() -> None:
    ends = WEEKS.thursdays[last_weeks(WEEKS)]
    assert [day.year for day in ends] == [2024, 2025, 2026, 2027]
    assert all(day.month == 12 and day.day >= 25 for day in ends)


def test_shares_sum_to_one_whatever_they_are_of() -> None:
    np.testing.assert_allclose(shares_of(np.array([1.0, 3.0]), np.ones(2)), [0.25, 0.75])
    np.testing.assert_allclose(shares_of(np.zeros(2), np.array([1.0, 3.0])), [0.25, 0.75])


@pytest.mark.parametrize("queue_from", [N_WEEKS, 0, 60])
def test_each_group_is_decided_agreed_and_completed_once(queue_from: int) -> None:
    flow = flow_of(WEEKS, WEEKS.year, WEEKS.year.copy(), LAGS, **OPEN, queue_from=queue_from)
    n_groups = 2 * len(flow.source) + 2
    decided = np.bincount(flow.source, flow.decided)
    assert decided[1:4] == pytest.approx(1)
    assert decided[4] < 1
    entered = np.bincount(flow.enter_group, flow.enter[:, 0], minlength=n_groups)
    np.testing.assert_allclose(entered[: len(flow.source)], flow.decided)
    done = np.bincount(flow.done_group, flow.done[:, 0], minlength=n_groups)
    ready = np.bincount(flow.key_group, flow.key[:, 0], minlength=n_groups)
    early = np.flatnonzero(flow.source <= 2)
    np.testing.assert_allclose((done + ready)[early], flow.decided[early])
    assert (done + ready)[n_groups - 2] == pytest.approx(1)
    assert (done[n_groups - 2] == pytest.approx(1)) == (queue_from == N_WEEKS)


def test_of_each_years_plans_the_published_share_is_in_time() -> None:
    one_stretch = np.zeros(N_WEEKS, dtype=np.int64)
    flow = flow_of(WEEKS, WEEKS.year, one_stretch, LAGS, **OPEN, queue_from=N_WEEKS)
    first = np.flatnonzero(flow.source == 1)
    mine = np.isin(flow.done_group, first)
    assert flow.done[mine].sum(axis=0) == pytest.approx([1.0, 0.5])
    assert flow.within_6[first].sum() == pytest.approx(0.8)


def test_refusals_rejoin_half_a_year_after_the_decision() -> None:
    one_stretch = np.zeros(N_WEEKS, dtype=np.int64)
    flow = flow_of(WEEKS, WEEKS.year, one_stretch, LAGS, **OPEN, queue_from=N_WEEKS)
    week = np.repeat(np.arange(N_WEEKS), np.diff(flow.enter_at))
    group = int(np.flatnonzero(flow.source == 1)[0])
    agreed, back = (
        np.bincount(week[flow.enter_group == g], flow.enter[flow.enter_group == g, 0], minlength=N_WEEKS)
        for g in (group, len(flow.source) + group)
    )
    np.testing.assert_allclose(back[REJOIN:], agreed[:-REJOIN])
    assert not back[:REJOIN].any()
