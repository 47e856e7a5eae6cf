"""Bands of wait: what they are called, which weeks they hold, and back."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.errors import InputError, SpecError
from forecast.speech_language.bands import FALL, WEEKS, WaitBands

edges = st.lists(st.integers(1, 104), min_size=1, max_size=9, unique=True).map(lambda each: tuple(sorted(each)))


def test_the_default_is_the_published_bands() -> None:
    bands = WaitBands()
    assert bands.labels == ("0-1", "1-2", "2-4", "4-12", "12-18", "18-52", "52+")
    assert bands.n == 7
    assert bands.of_week.shape == (WEEKS,)
    assert bands.of_week[[0, 1, 2, 3, 4, 11, 12, 17, 18, 51, 52, 104]].tolist() == [0, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def test_a_closed_band_is_spread_evenly() -> None:
    weeks = WaitBands().spread(np.array([3.0, 5, 8, 80, 60, 340, 0]))
    np.testing.assert_allclose(weeks[:5], [3, 5, 4, 4, 10])
    np.testing.assert_allclose(weeks[4:12], 10)
    np.testing.assert_allclose(weeks[12:52], 10)
    assert not weeks[52:].any()


def test_the_open_band_falls_by_a_fixed_share_and_keeps_the_rest_in_its_last_week() -> None:
    weeks = WaitBands((52,)).spread(np.array([0.0, 100.0]))
    np.testing.assert_allclose(weeks[53:104] / weeks[52:103], 1 - FALL)
    assert weeks[52] == pytest.approx(100 * FALL)
    assert weeks[104] == pytest.approx(100 * (1 - FALL) ** 52)
    assert WaitBands((104,)).spread(np.array([0.0, 7.0]))[-1] == 7


@given(edges, st.integers(0, 2**32 - 1))
def test_reading_what_was_spread_gives_it_back(edges: tuple[int, ...], seed: int) -> None:
    bands = WaitBands(edges)
    counts = np.random.default_rng(seed).uniform(0, 500, (2, 3, bands.n))
    weeks = bands.spread(counts)
    assert (weeks >= 0).all()
    np.testing.assert_allclose(bands.read(weeks), counts)


@given(edges)
def test_reading_adds_up_the_weeks_of_each_band(edges: tuple[int, ...]) -> None:
    bands = WaitBands(edges)
    values = np.arange(WEEKS, dtype=np.float64)
    limits = [0, *edges, WEEKS]
    expected = [sum(range(low, high)) for low, high in pairwise(limits)]
    assert bands.read(values).tolist() == expected
    assert bands.of_week.tolist() == [sum(week >= edge for edge in edges) for week in range(WEEKS)]


def test_what_is_not_known_stays_so() -> None:
    weeks = WaitBands((2, 4)).spread(np.array([np.nan, 6.0, 0.0]))
    assert np.isnan(weeks[:2]).all()
    np.testing.assert_allclose(weeks[2:5], [3, 3, 0])


@pytest.mark.parametrize("wrong", [(), (0, 4), (4, 4), (12, 4), (1, 105), (1.5, 4), (True, 4)])
def test_edges_that_cannot_be_are_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(SpecError, match="whole weeks from 1 to 104"):
        WaitBands(wrong)


def test_a_figure_too_few_is_refused() -> None:
    bands = WaitBands()
    with pytest.raises(InputError, match=r"shape \(2, 6\), 7 figures"):
        bands.spread(np.zeros((2, 6)))
    with pytest.raises(InputError, match="105 figures"):
        bands.read(np.zeros(104))
    with pytest.raises(InputError, match="7 figures"):
        bands.spread(np.array(1.0))
