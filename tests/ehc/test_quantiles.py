"""Columns of a frame against order statistics found one by one."""

import warnings

import numpy as np
import pytest

from forecast.ehc.quantiles import summary
from forecast.errors import SpecError


def by_sorting(values: np.ndarray, q: float) -> float:
    """Interpolate between the two order statistics around a quantile."""
    found = sorted(values[~np.isnan(values)])
    at = q * (len(found) - 1)
    below = int(at)
    above = min(below + 1, len(found) - 1)
    return float(found[below] + (at - below) * (found[above] - found[below]))


def test_columns_are_order_statistics_and_leave_missing_paths_out():
    values = np.random.default_rng(1).gamma(2, 10, (37, 3, 2))
    gappy = values.copy()
    gappy[::4, 1, 0] = np.nan
    for one in (values, gappy):
        found = summary(one, (50, 97.5))
        assert list(found) == ["mean", "median", "lo-50", "hi-50", "lo-97.5", "hi-97.5"]
        shares = {"median": 0.5, "lo-50": 0.25, "hi-50": 0.75, "lo-97.5": 0.0125, "hi-97.5": 0.9875}
        for at in np.ndindex(3, 2):
            column = one[(slice(None), *at)]
            for name, share in shares.items():
                assert found[name][at] == pytest.approx(by_sorting(column, share))
            assert found["mean"][at] == pytest.approx(sum(column[~np.isnan(column)]) / (~np.isnan(column)).sum())


def test_a_period_without_any_figure_is_missing_and_nothing_is_said():
    values = np.random.default_rng(2).gamma(2, 10, (5, 2))
    values[:, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = summary(values, (80,))
    assert all(np.isnan(column).tolist() == [False, True] for column in found.values())


def test_no_level_gives_the_middle_alone():
    assert list(summary(np.ones((3, 1)), ())) == ["mean", "median"]


@pytest.mark.parametrize(("level", "says"), [(0.5, "Give 80 rather than 0.8"), (100, "less than 100 per cent")])
def test_a_level_that_cannot_be_is_refused(level, says):
    with pytest.raises(SpecError, match=says):
        summary(np.ones((3, 1)), (80, level))
