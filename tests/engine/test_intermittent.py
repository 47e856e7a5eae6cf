"""Members for sparse counts against slow rewrites and figures worked by hand."""

import numpy as np
import pandas as pd
import pytest

from forecast.engine.batch import Batch
from forecast.engine.count_paths import chance_alive
from forecast.engine.intermittent import (
    POOL_WEIGHT,
    SMOOTHINGS,
    adida,
    bucket_length,
    bucket_sums,
    choose,
    croston_one,
    croston_sba,
    pool_sums,
    smoothed_one,
    tsb,
    tsb_one,
)
from forecast.engine.pooled_rate import pool_level, pool_season, pooled_rate, rate_and_season, rate_one
from forecast.engine.sparse import alike, is_counted, is_rare, is_sparse, means_below, sparse_share
from forecast.engine.sparse_mean import sparse_mean

MEMBERS = [tsb, croston_sba, adida, pooled_rate, sparse_mean]
SPARSE = np.random.default_rng(4).poisson(0.5, 30).astype(float)


def made(rows, *, period: int = 12, pools=None) -> Batch:
    """Rows of any length, aligned at their ends."""
    width = max(map(len, rows))
    values = np.full((len(rows), width), np.nan)
    for i, row in enumerate(rows):
        values[i, width - len(row) :] = row
    start = np.array([width - len(row) for row in rows])
    return Batch(
        values, start, np.full(len(rows), width), period, np.asarray(pools if pools is not None else [0] * len(rows))
    )


def counts(seed: int, n: int = 12, length: int = 40) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.poisson(rate, length).astype(float) for rate in rng.uniform(0.1, 0.9, n)]


def burn(length: int) -> int:
    return min(max(3, length // 4), length - 1)


def squared(y: np.ndarray, forecasts: np.ndarray) -> float:
    first = burn(len(y))
    return float(((y[first:] - forecasts[first : len(y)]) ** 2).sum())


@pytest.mark.parametrize(("chance_smoothing", "size_smoothing"), [(0.1, 0.25), (0.35, 0.03)])
def test_tsb_is_a_weighted_mean_of_demands_times_one_of_sizes(chance_smoothing, size_smoothing):
    demand = pd.Series(SPARSE > 0).astype(float).ewm(alpha=chance_smoothing).mean()
    sizes = pd.Series(SPARSE).where(SPARSE > 0).dropna().ewm(alpha=size_smoothing).mean()
    rate = (demand * sizes.reindex(demand.index).ffill()).fillna(0).to_numpy()
    errors, last = tsb_one(SPARSE, chance_smoothing, size_smoothing)
    assert last == pytest.approx(rate[-1], rel=1e-10)
    assert errors == pytest.approx(squared(SPARSE, np.append(0, rate)), rel=1e-10)


def test_croston_is_mean_size_over_mean_gap_with_the_open_gap():
    smoothing = 0.2
    rates = [0.0]
    for t in range(1, len(SPARSE) + 1):
        at = np.flatnonzero(SPARSE[:t] > 0)
        if not len(at):
            rates.append(0.0)
            continue
        weight = (1 - smoothing) ** np.arange(len(at))[::-1]
        gaps = np.diff(np.append(-1, at))
        rates.append(0.9 * (weight * SPARSE[at]).sum() / ((weight * gaps).sum() + t - 1 - at[-1]))
    errors, last = croston_one(SPARSE, smoothing)
    assert last == pytest.approx(rates[-1], rel=1e-10)
    assert errors == pytest.approx(squared(SPARSE, np.array(rates)), rel=1e-10)


def test_croston_by_hand():
    y = np.array([0, 2, 0, 0, 4, 0.0])
    # Gaps 2 and 3, weights .5 and 1, one period open: .75 x (.5 x 2 + 4) / (.5 x 2 + 3 + 1).
    assert croston_one(y, 0.5)[1] == pytest.approx(0.75 * 5 / 5)


def test_buckets_by_hand():
    y = np.array([9, 1, 0, 0, 2, 0, 0, 3.0])
    assert bucket_length(y) == 2
    assert bucket_length(np.append(y, [0.0, 0.0])) == 3
    assert bucket_length(np.zeros(9)) == 3
    assert bucket_sums(y, 3).tolist() == [2, 3]
    assert bucket_sums(y, 2).tolist() == [10, 0, 2, 3]


def test_smoothing_weighs_from_the_first_figure_on():
    assert smoothed_one(np.array([1, 0, 4.0]), 0.5)[1] == pytest.approx((0.25 * 1 + 4) / 1.75)
    expected = pd.Series(SPARSE).ewm(alpha=0.1).mean().to_numpy()
    errors, last = smoothed_one(SPARSE, 0.1)
    assert last == pytest.approx(expected[-1])
    assert errors == pytest.approx(squared(SPARSE, np.append(0, expected)))


def test_the_choice_weighs_the_pool_as_so_many_errors():
    rows = counts(1)
    points = croston_sba(made(rows), 2)
    own = np.array([[croston_one(y, s) for s in SMOOTHINGS] for y in rows])
    loss = own[:, :, 0] / np.array([y.var() for y in rows])[:, None]
    total = loss + POOL_WEIGHT * (loss / (40 - burn(40))).mean(axis=0)
    best = total.argmin(axis=1)
    assert points[:, 0] == pytest.approx(own[np.arange(len(rows)), best, 1], rel=1e-9)
    assert (points[:, 0] == points[:, 1]).all()


def test_a_series_that_does_not_vary_has_no_say():
    scores = np.array([[2, 1.0, 10, 5, 6], [0, 0.0, 10, 7, 8]])
    assert choose(scores, np.zeros(2, dtype=int)).tolist() == [6, 8]


def test_pool_sums_do_not_depend_on_order():
    rng = np.random.default_rng(0)
    x, codes = rng.lognormal(0, 3, (200, 3)), rng.integers(0, 4, 200)
    shuffled = rng.permutation(200)
    sums = pool_sums(x, codes)
    assert (sums == pool_sums(x[shuffled], codes[shuffled])).all()
    assert sums == pytest.approx(np.array([x[codes == p].sum(axis=0) for p in range(4)]), rel=1e-9)


def test_gamma_poisson_mean_by_hand():
    # Prior 2 counts in 4 periods, variance twice the mean, no discount: (2 + 3/2) / (4 + 4/2).
    y, pattern = np.array([0, 1, 0, 2.0]), np.ones(4)
    assert rate_one(y, pattern, np.array([2, 4, 2.0]), 0.0)[1] == pytest.approx(3.5 / 6)


def test_a_pool_shows_the_season_its_series_cannot():
    rng = np.random.default_rng(8)
    pattern = np.array([0.2, 1.8, 1, 1.0])
    rows = [rng.poisson(0.4 * pattern[np.arange(40) % 4]).astype(float) for _ in range(40)]
    batch = made(rows, period=4)
    rate, season = rate_and_season(batch, alike(batch), 8)
    assert season[0, :4].mean() == pytest.approx(1)
    assert season[0, :4] == pytest.approx(pattern, abs=0.3)
    assert (season[:, 4:] == season[:, :4]).all()
    points = pooled_rate(batch, 4)
    np.testing.assert_allclose(points, rate[:, None] * season[:, :4])
    assert (points[:, 1] > 3 * points[:, 0]).all()
    assert tsb(batch, 4)[0, 0] == tsb(batch, 4)[0, 1]


@pytest.mark.parametrize("forecast", [pooled_rate, sparse_mean])
def test_a_series_that_stops_early_is_in_step_with_its_pool(forecast):
    rng = np.random.default_rng(8)
    pattern = np.array([0.2, 2.0, 0.9, 0.9])
    values = rng.poisson(0.4 * pattern[np.arange(40) % 4], (30, 40)).astype(float)
    stop = np.full(30, 40)
    stop[:3] = 38, 37, 39
    values[0, 38:] = values[1, 37:] = values[2, 39:] = np.nan
    batch = Batch(values, np.zeros(30, dtype=int), stop, 4, np.zeros(30, dtype=int))
    points = forecast(batch, 8)
    for i in range(4):
        step = (1 - stop[i]) % 4
        assert (points[i, [step, step + 4]] > 1.5 * np.delete(points[i], [step, step + 4]).max()).all()


def test_the_season_of_a_pool_lines_up_by_column():
    counts_, means = np.tile([1, 3.0], 12), np.full(24, 2.0)
    even = np.tile([1, 2, 3, 2.0], 6)
    assert pool_season(even, means, 0, 24, 4).argmax() == 2
    assert pool_season(even[1:], means[1:], 0, 23, 4).argmax() == 1
    assert (pool_season(counts_, means, 0, 24, 2) == 1).all()
    assert (pool_season(even, means, 0, 7, 4) == 1).all()


def test_the_level_of_a_pool_looks_both_ways_and_ends_looking_back():
    level = pool_level(np.array([1, 1, 4.0]), np.ones(3), np.ones(1), 0, 3, 0.5)
    back, ahead = [1, 1, (0.25 + 0.5 + 4) / 1.75], [(1 + 0.5 + 1) / 1.75, (1 + 2) / 1.5, 4]
    assert level == pytest.approx([(back[0] + ahead[0]) / 2, (back[1] + ahead[1]) / 2, back[2]])


def test_rates_are_shrunk_towards_a_narrow_pool():
    rows = counts(2, n=30, length=24)
    rows[0] = np.zeros(24)
    rate = pooled_rate(made(rows), 1)[:, 0]
    assert 0 < rate[0] < 0.5 * np.mean([y.mean() for y in rows])


@pytest.mark.parametrize(("zeros", "sparse"), [(14, False), (15, True)])
def test_sparse_is_two_fifths_of_the_last_three_cycles(zeros, sparse):
    recent = np.array([0.0] * zeros + [1.0] * (36 - zeros))
    batch = made([np.append(np.zeros(30), recent), np.append(np.ones(30), recent)])
    assert is_sparse(batch).tolist() == [sparse, sparse]
    assert sparse_share(batch) == pytest.approx(min(1, zeros / 14.4))


def test_rare_counts_are_whole_and_sparse_or_few():
    rng = np.random.default_rng(2)
    few, many = rng.poisson(4, 40) + 1.0, rng.poisson(16, 40) + 1.0
    late = np.append(np.full(20, 90.0), few)
    once, fractions, rare_fractions = few.copy(), 1.01 * few, 1.01 * SPARSE
    once[7] = 2.5
    spiky = np.where(np.arange(40) % 4, 0.0, 80.0)
    filled = SPARSE.copy()
    filled[filled.argmax() - 1] = 0.5
    batch = made([few, many, late, once, fractions, SPARSE, rare_fractions, spiky, filled, np.zeros(40)])
    assert is_counted(batch).tolist() == [True, True, True, True, False, True, False, True, True, True]
    assert is_rare(batch).tolist() == [True, False, True, True, False, True, False, True, True, True]
    inf = np.inf
    assert means_below(batch).tolist() == [10, 10, 10, 10, 0, inf, inf, inf, inf, inf]


def test_short_periods_look_at_two_dozen_figures():
    y = np.array([0.0] * 9 + [1.0] * 15)
    assert not is_sparse(made([y], period=4))[0]
    assert is_sparse(made([y[:12]], period=4))[0]


def test_sparse_series_learn_from_sparse_ones():
    rows = [*counts(5), *(100 + y for y in counts(6))]
    both, alone = made(rows), made(rows[:12])
    rare = is_sparse(alone)
    assert rare.sum() > 6
    assert len(np.unique(alike(both))) == 2
    for forecast in MEMBERS:
        assert (forecast(both, 3)[:12][rare] == forecast(alone, 3)[rare]).all()


def test_a_series_may_have_ended():
    rng = np.random.default_rng(3)
    rows = [rng.poisson(1.0, 60).astype(float) for _ in range(10)]
    rows[0][40:] = 0
    rows[1] = np.zeros(60)
    alive = chance_alive(made(rows), np.zeros(10, dtype=int))
    assert alive[0] < 0.01
    assert alive[1] == 1
    assert (alive[2:] > 0.95).all()
    ended = sparse_mean(made(rows), 3)
    assert ended[0].max() < 0.01


def test_the_chance_of_an_end_by_hand():
    # Poisson rate 1 before the last demand, 3 zeros since: odds e + e^2 + e^3 for one end in 2000 periods and
    # more, as one row moves its own prior.
    y = np.array([1, 1, 1, 1, 1, 0, 0, 0.0])
    alive = chance_alive(made([y]), np.zeros(1, dtype=int))[0]
    odds, ended = np.exp([1, 2, 3]).sum(), 1 / 2000
    for _ in range(10):
        expected = 1 / (1 + ended * odds)
        ended = (1 - expected + 1) / (8 + 2000)
    assert alive == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("forecast", MEMBERS)
def test_any_history_has_a_finite_answer(forecast):
    spike = np.zeros(30)
    spike[-1] = 1e9
    rows = [np.zeros(3), np.zeros(40), np.ones(30), spike, 1e-6 * SPARSE, 1e9 * SPARSE, [0, 0, 1.0]]
    for pools in ([0] * 7, range(7)):
        for period in (1, 4, 12, 52):
            batch = made(rows, period=period, pools=list(pools))
            before = batch.values.copy()
            points = forecast(batch, 15)
            assert np.isfinite(points).all()
            assert (points >= 0).all()
            assert np.array_equal(batch.values, before, equal_nan=True)
    assert (points[:2] == 0).all()


@pytest.mark.parametrize("forecast", MEMBERS)
def test_neither_order_nor_another_pool_nor_threads_matter(forecast, monkeypatch):
    rows = [*counts(7, n=70, length=16), *counts(9, n=4, length=9)]
    pools = np.arange(74) % 3
    points = forecast(made(rows, period=4, pools=pools), 5)
    order = np.random.default_rng(1).permutation(74)
    monkeypatch.setenv("FORECAST_THREADS", "1")
    assert (forecast(made([rows[i] for i in order], period=4, pools=pools[order]), 5) == points[order]).all()
    more = made([*rows, 5 * rows[0]], period=4, pools=[*pools, 3])
    assert (forecast(more, 5)[:74] == points).all()


@pytest.mark.parametrize("forecast", [tsb, croston_sba, adida, pooled_rate])
def test_points_scale_with_the_data(forecast):
    rows = counts(11, n=4, length=24)
    points = forecast(made(rows), 3)
    assert forecast(made([1024 * y for y in rows]), 3) == pytest.approx(1024 * points, rel=1e-9)
