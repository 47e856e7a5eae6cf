"""The pipeline kernel on flows small enough to follow by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.engine.pipeline import (
    AGREED,
    BACKLOG,
    COMPLETED,
    DUE,
    ISSUED,
    JOINED,
    OVER_DUE,
    OVERTURNED,
    PLANNED,
    REFUSED,
    TIMED,
    WITHDRAWN,
    WITHIN,
    Calendar,
    Flow,
    Rates,
    Results,
    expit,
    pipeline_paths,
)

WEEKS = 4
LATE = 30  # weeks before the first


Entries = tuple[np.ndarray, np.ndarray, np.ndarray]


def no_entries(columns: int, weeks: int = WEEKS) -> Entries:
    return np.zeros(weeks + 1, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros((0, columns))


def entries(rows: list[tuple[int, int, list[float]]], columns: int, weeks: int = WEEKS) -> Entries:
    rows = sorted(rows, key=lambda row: row[:2])
    at = np.searchsorted([row[0] for row in rows], np.arange(weeks + 1))
    values = np.array([row[2] for row in rows]).reshape(len(rows), columns)
    return at.astype(np.int64), np.array([row[1] for row in rows], dtype=np.int64), values


NOTHING, NEVER = no_entries(2), no_entries(DUE + 2, WEEKS + LATE)


def one_group(*, done: Entries = NOTHING, key: Entries = NEVER) -> Flow:
    """Requests of one year, all decided in week 0; groups: 0 agreed, 1 overturned, 2 opening, 3 pending."""
    enter = entries([(0, 0, [1.0, 0.0]), (1, 1, [1.0, 0.0]), (2, 3, [1.0, 0.0])], 2)
    first = np.zeros(1, dtype=np.int64)
    return Flow(first + 1, first, np.ones(1), np.full(1, 0.75), *enter, *done, *key, np.zeros((1, 4)))


def run(flow: Flow, *, queue_from: int = WEEKS, allowance: tuple[float, ...] = (0.0,) * WEEKS) -> Results:
    zeros = np.zeros(WEEKS, dtype=np.int64)
    first = np.zeros(1, dtype=np.int64)
    calendar = Calendar(zeros, np.array([0, 0, 1, 1]), zeros, first + WEEKS - 1, first, queue_from, np.array(allowance))
    with np.errstate(divide="ignore"):
        rates = Rates(
            np.log([[0.25 / 0.75, 1.0]]),
            np.log([[0.0, 0.25 / 0.75]]),
            np.log([[0.0, 1.0]]),
            np.array([0.5]),
            np.zeros((3, 1, 2), dtype=np.bool_),
        )
    results = Results(np.zeros((1, 7, 2)), np.zeros((1, 4, 1)), np.zeros((1, 4, 1, 2)))
    requests = np.array([[[0.0, 0.0], [80.0, 40.0]]])
    opening = np.array([[6.0, 4.0], [2.0, 0.0]])
    pipeline_paths(0, 1, requests, opening, np.zeros((1, 3, 1)), rates, flow, calendar, results)
    return results


def in_time(amount: float, weeks_since_request: int) -> list[float]:
    return [amount, *(amount if k >= weeks_since_request else 0.0 for k in range(DUE + 1))]


def test_decisions_split_by_age() -> None:
    results = run(one_group())
    np.testing.assert_allclose(results.by_age[0, REFUSED, 0], [20, 20])
    np.testing.assert_allclose(results.by_age[0, WITHDRAWN, 0], [0, 10])
    np.testing.assert_allclose(results.by_age[0, JOINED, 0], [60, 10])
    np.testing.assert_allclose(results.yearly[0, :3, 0], [120, 90, 0.5 * 40 + 2])
    np.testing.assert_allclose(results.monthly[0, AGREED], [70, 0])
    assert results.yearly[0, OVERTURNED, 0] == 22


def test_own_lag_completes_what_is_laid_out() -> None:
    done = entries([(1, 0, [0.5, 0.5]), (2, 2, [1.0, 0.0]), (3, 1, [0.25, 0.0])], 2)
    results = run(one_group(done=done))
    # Half of 60 and 10; all 10 open ones; a quarter of 10 and 10. The second age has a plan in two.
    np.testing.assert_allclose(results.monthly[0, COMPLETED], [35, 10 + 5])
    np.testing.assert_allclose(results.monthly[0, ISSUED], [30 + 2.5, 6 + 2 + 2.5 + 1.25])
    np.testing.assert_allclose(results.monthly[0, WITHIN], [32.5, 0])
    np.testing.assert_allclose(results.monthly[0, TIMED], [32.5, 8])
    np.testing.assert_allclose(results.monthly[0, BACKLOG], [10 + 70 + 20 - 35, 10 + 70 + 22 - 50])
    np.testing.assert_allclose(results.by_age[0, PLANNED, 0], [30 + 6 + 2.5, 2.5 + 2 + 1.25])


def test_the_queue_serves_who_was_ready_first() -> None:
    key = entries(
        [
            (LATE - 2, 2, in_time(1.0, 18)),  # ready two weeks before the first, 18 weeks after the request
            (LATE, 0, in_time(0.5, DUE)),
            (LATE + 1, 0, in_time(0.5, DUE)),
        ],
        DUE + 2,
        WEEKS + LATE,
    )
    flow = one_group(key=key)._replace(over=np.array([[0.0, 0.0, 0.0, 0.0]]))
    results = run(flow, queue_from=0, allowance=(10.0, 20.0, 30.0, 45.0))
    # Week 0: the 10 open ones, 20 weeks after their requests. Week 1: 10 of the 35 ready in week 0, a week late.
    np.testing.assert_allclose(results.monthly[0, COMPLETED], [20, 45])
    assert results.monthly[0, WITHIN, 0] == pytest.approx(6 + 2)
    assert results.monthly[0, WITHIN, 1] == pytest.approx(0)
    assert results.monthly[0, BACKLOG, 1] == pytest.approx(10 + 70 + 22 - 65)
    # At the end 15 of those ready in week 1 still wait, all over 20 weeks.
    assert results.yearly[0, OVER_DUE, 0] == pytest.approx(15)


def test_no_more_is_completed_than_is_ready() -> None:
    key = entries([(LATE + 1, 0, in_time(1.0, 12))], DUE + 2, WEEKS + LATE)
    results = run(one_group(key=key), queue_from=0, allowance=(500.0, 1_000.0, 500.0, 1_000.0))
    np.testing.assert_allclose(results.monthly[0, COMPLETED], [70, 0])
    np.testing.assert_allclose(results.monthly[0, WITHIN], [65, 0])


@pytest.mark.parametrize(
    ("logit", "share"), [(0.0, 0.5), (np.inf, 1.0), (-np.inf, 0.0), (800.0, 1.0), (-800.0, 0.0), (1.0, 0.7310585786)]
)
def test_expit(logit: float, share: float) -> None:
    assert expit(logit) == pytest.approx(share)
