"""Each series is given to its kind of spread, and its paths depend on nothing but itself, its pool and the seed."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.evaluate.origins import RollingPoints
from forecast.intervals import Draws, Spreads, measured_spreads
from forecast.spread.annual import AnnualSpread
from forecast.spread.seasonal import SeasonalSpread
from tests.panels import window

HORIZON = 3
IDS = ("a", "b", "c", "d")
POINTS = np.array([[100.0] * 3, [900.0] * 3, [2500.0] * 3, [400.0] * 3])


def steady(n: int, size: float = 0.5) -> SeasonalSpread:
    grid = np.linspace(-5, 5, 401)[None]
    shares = np.array([[0.25, 0.35, 0.4]])
    return SeasonalSpread(np.full((n, HORIZON), size), np.zeros(n), np.zeros(n, dtype=int), grid, shares)


def annual(n: int) -> AnnualSpread:
    return AnnualSpread(np.full((n, HORIZON), 0.1), np.full(n, 6.0), np.full((n, HORIZON), 0.1), np.full(n, 5.0))


def draws(spread, ids=IDS, pools=("x", "x", "y", "y"), points=POINTS, *, seed: int = 1, n_paths: int = 2000, **kwargs):
    n = len(ids)
    scale = Spreads((spread(n),), np.zeros(n, dtype=int), np.arange(n))
    return Draws(ids, np.asarray(pools), points, scale, n_paths=n_paths, seed=seed, **kwargs)


def everything(made: Draws) -> np.ndarray:
    return made.draw(np.arange(len(made.ids)))


@pytest.mark.parametrize("spread", [steady, annual])
def test_paths_depend_neither_on_the_order_of_rows_nor_on_other_series(spread):
    paths = everything(draws(spread))
    turn = [3, 1, 0, 2]
    turned = draws(spread, tuple(IDS[i] for i in turn), np.array(["x", "x", "y", "y"])[turn], POINTS[turn])
    np.testing.assert_array_equal(everything(turned), paths[turn])
    more = draws(spread, ("0", *IDS), ("y", "x", "x", "y", "y"), np.vstack([POINTS[:1], POINTS]))
    np.testing.assert_array_equal(everything(more)[1:], paths)
    np.testing.assert_array_equal(draws(spread).draw(np.array([2, 0])), paths[[2, 0]])
    assert draws(spread).draw(np.array([], dtype=int)).shape == (0, HORIZON, 2000)


@pytest.mark.parametrize("spread", [steady, annual])
def test_a_pool_shares_its_shock_and_no_more(spread):
    paths = everything(draws(spread, n_paths=20_000))
    together = np.corrcoef(np.log(paths[:, -1]))
    expected = 0.25 if spread is steady else 0.6  # the shock is a t of six degrees: half as much variance again
    np.testing.assert_allclose([together[0, 1], together[2, 3]], expected, atol=0.08)
    np.testing.assert_allclose(together[:2, 2:], 0, atol=0.08)


@pytest.mark.parametrize("n_paths", [1, 2, 7, 300])
@pytest.mark.parametrize("spread", [steady, annual])
def test_medians_stay_at_the_points_and_nothing_is_negative(spread, n_paths):
    paths = everything(draws(spread, n_paths=n_paths))
    assert paths.shape == (4, HORIZON, n_paths)
    assert (paths >= 0).all()
    if n_paths == 300:
        np.testing.assert_allclose(np.median(paths, axis=2), POINTS, rtol=0.02)
    assert (everything(draws(spread, points=np.zeros((4, HORIZON)))) >= 0).all()


def test_another_seed_draws_others():
    assert not np.array_equal(everything(draws(steady, seed=1)), everything(draws(steady, seed=2)))


def test_whole_numbers_keep_the_mean():
    points = np.full((4, HORIZON), 2.4)
    whole = everything(draws(steady, points=points, integer=True))
    np.testing.assert_array_equal(whole, np.round(whole))
    np.testing.assert_allclose(whole.mean(), everything(draws(steady, points=points)).mean(), rtol=0.02)


def test_each_series_is_drawn_by_the_spread_that_answers_for_it():
    wide, narrow = steady(5, 2.0), steady(5, 0.1)
    scales = {
        name: Spreads((spread,), np.zeros(5, dtype=int), np.arange(5))
        for name, spread in (("wide", wide), ("narrow", narrow))
    }
    by = np.array(["narrow", "wide", "wide", "narrow"])
    mixed = Spreads.of_rows(scales, by, np.array([4, 0, 2, 1]))
    np.testing.assert_array_equal(mixed.row, [4, 0, 2, 1])
    spread = everything(replace(draws(steady), spreads=mixed)).std(axis=2)[:, 0] / np.sqrt(POINTS[:, 0])
    np.testing.assert_allclose(spread, [0.2, 4.0, 4.0, 0.2], rtol=0.1)
    again = Spreads.of_rows({"all": mixed}, np.repeat("all", 2), np.array([1, 3]))
    assert [again.kinds[k] for k in again.kind] == [wide, narrow]


@pytest.mark.parametrize(("freq", "kind"), [("YS", AnnualSpread), ("MS", SeasonalSpread), ("QS", SeasonalSpread)])
def test_a_season_decides_the_spread(freq, kind):
    values = np.random.default_rng(1).uniform(50, 60, (3, 20))
    rolling = RollingPoints(window(values, freq), (10, 20), {"m": np.full((2, 3, HORIZON), 55.0)}, {})
    scale = measured_spreads(rolling, rolling.points["m"], seen=20)
    assert [type(spread) for spread in scale.kinds] == [kind]
    np.testing.assert_array_equal(scale.row, [0, 1, 2])


def test_a_series_in_its_first_year_has_no_season_to_go_by():
    values = np.exp(np.random.default_rng(1).normal(5, 0.1, (10, 30)))
    values[0, :20] = np.nan
    points = {"best": np.repeat(values[None, :, -1:], HORIZON, axis=2)}
    made = measured_spreads(RollingPoints(window(values, "MS"), (30,), points, {}), points["best"], seen=30)
    assert [type(spread) for spread in made.kinds] == [SeasonalSpread, AnnualSpread]
    assert made.kind.tolist() == [1] + [0] * 9
    assert made.row.tolist() == [0, *range(9)]
