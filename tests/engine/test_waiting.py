"""The waiting list kernel on lists small enough to follow by hand: W weeks of wait are six, the last one open."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.engine.waiting import (
    Members,
    Month,
    Months,
    Results,
    Rules,
    gather,
    leave,
    month_of,
    pass_on,
    read,
    see_evenly,
    see_longest,
    wait_of,
    waiting_paths,
)

WEEKS, LONGEST = 6, 3  # weeks of wait, weeks of the longest month
NEVER = np.zeros(WEEKS + LONGEST)
RULES = Rules(NEVER, NEVER, 1.0, 0, np.array([0, 2, 4]), 2, 4)
ONE = Members(np.array([0, 2]), np.array([0, 1]))


def a_month(*waiting: float) -> Month:
    now = np.zeros(WEEKS + LONGEST)
    now[: len(waiting)] = waiting
    return Month(now.copy(), now, np.zeros_like(now), np.zeros_like(now), np.zeros_like(now))


def test_children_are_placed_where_the_month_ends_for_them() -> None:
    month = a_month()
    lists = np.array([[1.0, 0, 0, 4, 0, 0], [2.0, 0, 0, 0, 0, 0]])
    stop = gather(month, lists, ONE.cell, 10.0, np.array([0.5, 0.3, 0.2]))
    assert month.first.tolist() == pytest.approx([2, 3, 5, 3, 0, 0, 4, 0, 0])
    assert stop == 7
    assert gather(month, np.zeros((2, WEEKS)), ONE.cell, 0.0, np.ones(1)) == 0


def test_leaving_goes_by_the_week_of_wait() -> None:
    month = a_month(8.0, 10.0, 20.0, 40.0)
    reneged = np.array([0.1, 0.2, *[0.0] * 7])
    leave(month, RULES._replace(reneged=reneged, removed=2 * reneged), 1, 3)
    np.testing.assert_allclose(month.now[:4], [8, 7, 8, 40])
    np.testing.assert_allclose(month.reneged[:4], [0, 1, 4, 0])
    np.testing.assert_allclose(month.removed[:4], [0, 2, 8, 0])


@pytest.mark.parametrize(
    ("contacts", "left", "now"),
    [
        (3.0, 0.0, [4, 4, 4, 6, 3]),  # of 12 in the open week a quarter
        (14.0, 0.0, [4, 4, 2, 0, 0]),
        (30.0, 14.0, [4, 4, 0, 0, 0]),  # those of less than two weeks are not among the long waiters
    ],
)
def test_the_longest_waiters(contacts: float, left: float, now: list[float]) -> None:
    month = a_month(4.0, 4.0, 4.0, 8.0, 4.0)
    assert see_longest(month, 2, 3, 5, contacts) == pytest.approx(left)
    np.testing.assert_allclose(month.now[:5], now)
    np.testing.assert_allclose(month.seen + month.now, month.first)


@pytest.mark.parametrize(
    ("contacts", "left", "now"),
    [
        (5.0, 0.0, [4 - 1, 6 - 3, 2 - 1]),  # 4 who join count half: 5 of 10
        (10.0, 0.0, [2, 0, 0]),
        (11.0, 0.0, [1, 0, 0]),
        (15.0, 3.0, [0, 0, 0]),
    ],
)
def test_evenly_over_all(contacts: float, left: float, now: list[float]) -> None:
    month = a_month(4.0, 6.0, 2.0)
    assert see_evenly(month, 0, 3, contacts) == pytest.approx(left)
    np.testing.assert_allclose(month.now[:3], now, atol=1e-12)
    np.testing.assert_allclose(month.seen + month.now, month.first)


def test_nobody_to_see() -> None:
    month = a_month()
    assert see_evenly(month, 2, 0, 5.0) == 5
    assert see_longest(month, 0, 3, 0, 5.0) == 5
    assert see_longest(month, 0, 3, 5, 5.0) == 5
    assert month_of(month, RULES, np.array([2.0, 1.0]), 0, WEEKS) == 3


def test_a_month_week_by_week() -> None:
    # Two weeks; 6 join in the first (position 1), 8 in the second (0). In half a week a tenth leave, from week 1 on.
    month = a_month(8.0, 6.0, 20.0)
    rules = RULES._replace(reneged=np.array([0.0, *[0.1] * 8]), kept=0.5, over=2)
    unused = month_of(month, rules, np.array([7.0, 40.0]), 3, WEEKS)
    # Week 1: the 20 have waited 0 weeks, then 1: nobody is kept for, 7 evenly over 20 and 6 / 2; then a tenth leaves.
    first, joined = 20 - 7 * 20 / 23, 6 - 7 * 3 / 23
    waiting = first * 0.9
    # Week 2: a tenth leaves; all are seen.
    np.testing.assert_allclose(month.reneged[:3], [0, 0, first * 0.1 + waiting * 0.1])
    assert unused == pytest.approx(40 - waiting * 0.9 - joined - 8)
    assert not month.now.any()


def test_cells_have_their_part_of_what_became_of_the_clinic() -> None:
    month = a_month(10.0, 0.0, 8.0, 0.0, 0.0, 0.0, 4.0)
    month.now[[0, 2, 6]] = [5.0, 2.0, 1.0]
    month.seen[[0, 2]] = [5.0, 6.0]
    month.reneged[6], month.removed[6] = 2.0, 1.0
    cell = np.array([2.0, 0, 0, 0, 3, 0])
    told = pass_on(month, cell, 4.0, np.array([0.0, 1.0]), 7)
    assert told == pytest.approx((4 / 2 + 2 * 6 / 8, 3 * 2 / 4, 3 / 4, 2 + 0.5 + 0.75))
    np.testing.assert_allclose(cell, [2, 0, 0.5, 0, 0, 0.75])


def test_what_is_read_from_a_list() -> None:
    told, below = np.empty(7), np.empty(WEEKS + 1)
    lists = np.array([[2.0, 2, 0, 4, 0, 1], [0.0, 0, 0, 0, 0, 1]])
    read(lists, ONE.cell, RULES, below, told)
    np.testing.assert_allclose(told, [4, 4, 2, 40, 2, 3 + 1 / 4, 5 + 1.2 / 2])
    read(np.zeros((2, WEEKS)), ONE.cell, RULES, below, told)
    assert told.tolist() == [0, 0, 0, 100, 0, 0, 0]


@pytest.mark.parametrize(("count", "wait"), [(1.0, 0.25), (4.0, 1.0), (4.5, 2.25), (6.0, 3.0)])
def test_wait_of(count: float, wait: float) -> None:
    assert wait_of(np.array([0.0, 4.0, 4.0, 6.0, 6.0]), count) == pytest.approx(wait)


@pytest.mark.parametrize("kept", [1.0, 0.5, 0.0])
def test_paths(kept: float) -> None:
    rng = np.random.default_rng(0)
    opening = np.array([[3.0, 0, 2, 0, 0, 1], [0.0, 1, 0, 0, 2, 0], [0.0] * 6])
    referrals = rng.uniform(0, 4, (3, 2, 2))
    capacity = rng.uniform(0, 5, (2, 5, 2))
    leaving = np.full(WEEKS + LONGEST, 0.05)
    rules = RULES._replace(reneged=leaving, removed=leaving / 2, kept=kept, over=1)
    shape = (2, 2, 2)
    results = Results(
        np.empty((2, 3, 2, 2)),
        *(np.empty(shape) for _ in range(4)),
        *(np.zeros((3, 2, 2)) for _ in range(4)),
        np.empty(shape),
    )
    clinics = Members(np.array([0, 2, 3]), np.array([0, 1, 2]))
    groups = Members(np.array([0, 1, 4]), np.array([2, 0, 1, 2]))
    months = Months(np.array([0, 2, 5]), np.array([0.5, 0.5, 0.2, 0.3, 0.5]))
    waiting_paths(0, opening, referrals, capacity, rules, months, clinics, groups, results)
    start = np.broadcast_to(opening.sum(axis=1)[:, None, None], (3, 1, 2))
    before = np.concatenate([start, results.size[:, :1]], axis=1)
    np.testing.assert_allclose(
        before + referrals, results.size + results.seen + results.reneged + results.removed, atol=1e-12
    )
    seen = np.stack([results.seen[:2].sum(axis=0), results.seen[2]])
    contacts = np.add.reduceat(capacity, [0, 2], axis=1)
    np.testing.assert_allclose(seen + results.unused, contacts, atol=1e-12)
    np.testing.assert_allclose(results.waiting.sum(axis=1), [results.size[2], results.size.sum(axis=0)], atol=1e-12)
    np.testing.assert_allclose(results.reneged, 2 * results.removed)
    np.testing.assert_allclose(results.over, results.waiting[:, 2], atol=1e-12)
    assert ((results.median >= 0) & (results.median <= results.p92)).all()
