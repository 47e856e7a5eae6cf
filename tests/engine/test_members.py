"""What every member of the engine keeps. A new one is tested here without a line of its own."""

import numpy as np
import pytest

from forecast.engine import batch as batch_module
from forecast.engine.batch import Batch, members

MEMBERS = sorted(members())
STEPS = 30
PERIODS = [1, 4, 12, 52]
OWN_UNITS = {"sparse_mean": "whether a series has ended is told from its counts: 5 cases a month say less than 5,000"}
LEANS_ON_POOL = {name: "its rate is near that of its pool" for name in ("pooled_rate", "sparse_mean")}
BY_ROW_ORDER = {
    name: "moments of a pool are added up in the order of its rows"
    for name in ("ar_mean", "ar_trend", "ar_differences", "ar_seasonal")
}


def laid(rows, period, *, pools=None, late=0) -> Batch:
    """Histories that begin and end in different columns, among figures that must not be looked at."""
    n, columns = len(rows), max(map(len, rows)) + 4 + late
    values = np.full((n, columns), np.nan)
    start = np.arange(n) % 3 + late
    stop = start + [len(row) for row in rows]
    for i, row in enumerate(rows):
        values[i, start[i] : stop[i]] = row
    return Batch(values, start, stop, period, np.zeros(n, np.int64) if pools is None else np.asarray(pools))


def histories(period: int, seed: int = 7) -> list[np.ndarray]:
    """Eleven ordinary series of counts; seasonal, short, sparse and constant ones are among them."""
    rng = np.random.default_rng(seed)
    length = max(2 * period + 5, 16)
    t = np.arange(length)
    season = 1 + 0.3 * np.sin(2 * np.pi * t / max(period, 2))
    busy = [np.round(60 * season * np.exp(0.01 * k * t) * rng.lognormal(0, 0.1, length)) for k in range(5)]
    sparse = [rng.poisson(0.5, length).astype(float) for _ in range(3)]
    return [*busy, *sparse, busy[0][-5:] + 3, busy[1][-(period + 3) :] + 1, np.full(length, 7.3)]


def odd(period: int) -> list[np.ndarray]:
    """Histories that are hard on arithmetic."""
    plain = histories(period)[1]
    spike, first = np.zeros(len(plain)), np.zeros(len(plain))
    spike[-1] = first[0] = 9.0
    doubling = 1.3 ** np.arange(20.0)
    return [
        np.full(len(plain), 7.3),
        np.zeros(len(plain)),
        spike,
        first,
        plain * 1e9,
        plain * 1e-6,
        spike * 1e-6,
        np.array([4.0, 0.0, 9.0]),
        np.zeros(3),
        np.full(3, 2.0),
        doubling,
        doubling[::-1],
        np.tile([0.0, 1e9], len(plain) // 2),
    ]


def split(n: int) -> np.ndarray:
    return np.arange(n) % 2


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", MEMBERS)
def test_any_history_has_a_finite_answer_in_its_own_range(name, period):
    rows = odd(period)
    for pools in (np.zeros(len(rows), np.int64), np.arange(len(rows))):
        made = laid(rows, period, pools=pools)
        before = [part.copy() for part in (made.values, made.start, made.stop, made.pools)]
        points = members()[name](made, STEPS)
        assert points.shape == (len(rows), STEPS)
        assert np.isfinite(points).all()
        assert (points >= 0).all()
        largest = np.array([row.max() for row in rows])
        if name not in LEANS_ON_POOL or pools.any():
            assert (points.max(axis=1) <= 20 * largest).all()
        for part, was in zip((made.values, made.start, made.stop, made.pools), before, strict=True):
            np.testing.assert_array_equal(part, was)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", MEMBERS)
def test_the_first_step_is_the_same_however_many_are_asked(name, period):
    rows = histories(period)
    one, many = (members()[name](laid(rows, period, pools=split(len(rows))), steps) for steps in (1, STEPS))
    np.testing.assert_array_equal(one[:, 0], many[:, 0])
    assert np.isfinite(many).all()


@pytest.mark.parametrize("period", [1, 12])
@pytest.mark.parametrize("name", MEMBERS)
def test_threads_and_blocks_change_no_bit(name, period, monkeypatch):
    rows = histories(period)
    made = []
    for threads, block in (("1", 64), ("1", 3), ("2", 3)):
        monkeypatch.setenv("FORECAST_THREADS", threads)
        monkeypatch.setattr(batch_module, "ROWS_PER_BLOCK", block)
        made.append(members()[name](laid(rows, period, pools=split(len(rows))), STEPS).tobytes())
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("period", [1, 12])
@pytest.mark.parametrize("name", MEMBERS)
def test_the_order_of_rows_does_not_matter(name, period):
    rows = histories(period)
    plain = laid(rows, period, pools=split(len(rows)))
    points = members()[name](plain, 14)

    def reordered(order):
        moved = Batch(plain.values[order], plain.start[order], plain.stop[order], period, plain.pools[order])
        return members()[name](moved, 14)

    shuffled = np.random.default_rng(2).permutation(len(rows))
    if name in BY_ROW_ORDER:
        np.testing.assert_allclose(reordered(shuffled), points[shuffled], rtol=1e-9)
        shuffled = np.argsort(split(len(rows)), kind="stable")
    np.testing.assert_array_equal(reordered(shuffled), points[shuffled])


@pytest.mark.parametrize("period", [1, 12])
@pytest.mark.parametrize("name", MEMBERS)
def test_rows_of_another_pool_change_nothing(name, period):
    rows = histories(period)
    pools = split(len(rows))
    points = members()[name](laid(rows, period, pools=pools), 14)
    others = [row if pool == 0 else 3 * row[::-1] + 1 for row, pool in zip(rows, pools, strict=True)]
    changed = members()[name](laid(others, period, pools=pools), 14)
    np.testing.assert_array_equal(changed[pools == 0], points[pools == 0])
    assert not np.array_equal(changed, points)
    more = members()[name](laid([*rows, *others], period, pools=[*pools, *pools + 2]), 14)
    np.testing.assert_array_equal(more[: len(rows)], points)


@pytest.mark.parametrize("name", MEMBERS)
def test_a_row_in_a_pool_of_its_own_answers_as_if_alone(name, monkeypatch):
    monkeypatch.setattr(batch_module, "ROWS_PER_BLOCK", 3)
    rows = histories(4)
    points = members()[name](laid(rows, 4, pools=np.arange(len(rows))), 6)
    for i in range(len(rows)):
        padded = laid([rows[i]] * (i % 3 + 1), 4, pools=[0] * (i % 3) + [1] if i % 3 else [0])
        np.testing.assert_array_equal(members()[name](padded, 6)[-1], points[i])


@pytest.mark.parametrize("name", MEMBERS)
def test_the_season_goes_by_the_column_and_where_columns_begin_does_not_matter(name):
    rows = histories(4)
    points = members()[name](laid(rows, 4), 6)
    np.testing.assert_array_equal(members()[name](laid(rows, 4, late=4), 6), points)
    for late in (1, 2):
        np.testing.assert_allclose(members()[name](laid(rows, 4, late=late), 6), points, rtol=1e-9)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("name", [name for name in MEMBERS if name not in OWN_UNITS])
def test_a_thousand_times_the_figures_are_a_thousand_times_the_answer(name, period):
    rows = histories(period)
    pools = split(len(rows))
    once, often = (members()[name](laid([unit * row for row in rows], period, pools=pools), 14) for unit in (1, 1000))
    np.testing.assert_allclose(often, 1000 * once, rtol=1e-7, atol=1e-9)
