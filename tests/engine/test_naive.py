import numpy as np
import pytest

from forecast.engine import naive
from forecast.engine.batch import Batch


def batch(rows, period, start=0):
    values = np.array(rows, dtype=float)
    n, length = values.shape
    return Batch(values, np.full(n, start), np.full(n, length), period, np.zeros(n, np.int64))


def test_drift_goes_on_with_the_mean_growth_and_stops_at_zero():
    points = naive.drift(batch([[9, 1, 7, 4], [9, 9, 5, 6], [0, 0, 0, 0]], 4, start=1), 3)
    np.testing.assert_allclose(points, [[5.5, 7, 8.5], [4.5, 3, 1.5], [0, 0, 0]])
    np.testing.assert_allclose(naive.drift(batch([[4, 3, 1]], 1), 2), [[0, 0]])


def test_seasonal_naive_repeats_the_last_cycle():
    points = naive.seasonal_naive(batch([[9, 1, 2, 3, 4, 5, 6], [9, 6, 5, 4, 3, 2, 1]], 3, start=1), 5)
    np.testing.assert_array_equal(points, [[4, 5, 6, 4, 5], [3, 2, 1, 3, 2]])


@pytest.mark.parametrize("period", [1, 4])
def test_seasonal_naive_repeats_the_last_figure_without_two_cycles(period):
    np.testing.assert_array_equal(naive.seasonal_naive(batch([[1, 2, 3, 4, 5, 6, 8]], period), 3), [[8, 8, 8]])
