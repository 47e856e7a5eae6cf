"""Areas that are looked at together: gaps, early ends and late starts, told one figure at a time."""

from itertools import pairwise

import numpy as np
import pytest

from forecast.models.history import HALF_COUNT, carried_along

NAN = np.nan


def by_hand(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same, area by area and year by year."""
    filled = [list(row) for row in values]
    for row in filled:
        known = [t for t, y in enumerate(row) if not np.isnan(y)]
        for before, after in pairwise(known):
            for t in range(before + 1, after):
                share = (t - before) / (after - before)
                row[t] = np.exp((1 - share) * np.log1p(row[before]) + share * np.log1p(row[after])) - 1
    growth = []
    for t in range(1, values.shape[1]):
        both = [row for row in filled if not np.isnan(row[t]) and not np.isnan(row[t - 1])]
        now, before = sum(row[t] for row in both), sum(row[t - 1] for row in both)
        growth.append(np.log(max(now, HALF_COUNT) / max(before, HALF_COUNT)))
        for row, own in zip(filled, values, strict=True):
            if np.isnan(own[t:]).all() and not np.isnan(row[t - 1]):
                row[t] = row[t - 1] * np.exp(growth[-1])
    return np.array(filled), np.array(growth)


@pytest.mark.parametrize("seed", range(5))
def test_every_figure_agrees_with_one_told_by_hand(seed):
    rng = np.random.default_rng(seed)
    values = rng.poisson(40, (9, 7)).astype(float)
    values[1:][rng.uniform(size=(8, 7)) < 0.3] = NAN
    before = values.copy()
    filled, growth = carried_along(values)
    expected, grown = by_hand(values)
    np.testing.assert_allclose(filled, expected)
    np.testing.assert_allclose(growth, grown)
    np.testing.assert_array_equal(values, before)
    known = np.isfinite(values)
    np.testing.assert_allclose(filled[known], values[known])


def test_a_late_start_stays_missing_and_does_not_make_the_total_grow():
    filled, growth = carried_along(np.array([[10.0, 10.0, 10.0], [NAN, 50.0, 100.0]]))
    assert np.isnan(filled[1, 0])
    np.testing.assert_allclose(np.exp(growth), [1.0, 110 / 60])


def test_nothing_but_zeros_does_not_grow():
    filled, growth = carried_along(np.array([[0.0, 0.0, NAN]]))
    assert filled.tolist() == [[0.0, 0.0, 0.0]]
    assert growth.tolist() == [0.0, 0.0]
