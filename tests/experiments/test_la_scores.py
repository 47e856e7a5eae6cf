"""Scores against figures worked out by hand, interval scores, and an explicit bootstrap."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments.la_scores import (
    QUANTILES,
    RESAMPLES,
    Scored,
    averages,
    best_of,
    by_origin,
    cell_statistics,
    gain,
    origin_counts,
    pooled,
    weighted_interval_score,
)
from tests.experiments.la_made_up import CELLS, SCORED, cells_of, totals_of


def interval_score(y: float, low: float, high: float, alpha: float) -> float:
    """Width, and a penalty of 2 / alpha for each unit outside."""
    return (high - low) + 2 / alpha * max(low - y, 0) + 2 / alpha * max(y - high, 0)


def test_weighted_interval_score_is_the_sum_of_weighted_interval_scores():
    rng = np.random.default_rng(8)
    quantiles = np.sort(rng.normal(100, 20, (6, 2, len(QUANTILES))), axis=-1)
    actual = rng.normal(100, 40, (6, 2))
    for at in np.ndindex(6, 2):
        q = dict(zip(QUANTILES, quantiles[at], strict=True))
        alphas = {0.05: (0.025, 0.975), 0.2: (0.1, 0.9), 0.4: (0.2, 0.8), 0.6: (0.3, 0.7), 0.8: (0.4, 0.6)}
        total = abs(actual[at] - q[0.5]) / 2
        for alpha, (low, high) in alphas.items():
            total += alpha / 2 * interval_score(actual[at], q[low], q[high], alpha)
        assert weighted_interval_score(actual, quantiles)[at] == pytest.approx(total / 5.5)


def test_without_width_it_is_the_absolute_error():
    assert weighted_interval_score(np.array([7.0]), np.full((1, 11), 4.0)).tolist() == pytest.approx([3.0])


def test_cell_statistics():
    quantiles = np.broadcast_to(np.array([2.5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 97.5]), (1, 4, 11))
    stats = cell_statistics(np.array([[10.0, 95, 1, np.nan]]), np.array([[50.0, 50, 50, 50]]), quantiles)
    assert stats["covered_80"][0].tolist() == [1, 0, 0, 0]
    assert stats["covered_95"][0].tolist() == [1, 1, 0, 0]
    assert stats["error"][0, :3].tolist() == [40, -45, 49]
    assert stats["abs_error"][0, :3].tolist() == [40, 45, 49]
    assert (stats["lo_80"][0, 0], stats["hi_80"][0, 0], stats["lo_95"][0, 0], stats["hi_95"][0, 0]) == (
        10,
        90,
        2.5,
        97.5,
    )
    assert np.isnan(stats["wis"][0, 3])


def test_scores_of_an_origin_are_over_its_areas():
    at = by_origin(CELLS).loc["naive", 1]
    assert at["wape"].tolist() == pytest.approx([10, 3])
    assert at["bias"].tolist() == pytest.approx([0, 3])
    assert at["wis"].tolist() == pytest.approx([5, 1.5])
    assert at["coverage_80"].tolist() == [100, 50]


def test_wape_is_taken_per_origin_and_then_averaged():
    wape = averages(SCORED)
    assert wape.loc["naive"].tolist() == pytest.approx([(10 + 3) / 2, 40])  # over all cells it would be 80 / 2200
    assert wape.loc["auto"].tolist() == pytest.approx([(12 + 3) / 2, 41])
    assert origin_counts(SCORED).to_numpy().tolist() == [[2, 1], [1, 0], [2, 1]]
    assert np.isnan(wape.loc["late", 3])
    assert averages(SCORED, "bias").loc["naive", 1] == pytest.approx(1.5)


def test_pooled_coverage_counts_cells_and_bias_keeps_its_sign():
    over_all = pooled(SCORED)
    assert over_all.loc["naive", "coverage_80"] == pytest.approx(100 * 3 / 6)
    assert over_all.loc["late", "bias"] == pytest.approx(2.0)
    assert over_all.loc["naive", "bias"] == pytest.approx((0 + 3 + 40) / 3)
    assert over_all.loc["naive", "total_80"] == pytest.approx(100 * 2 / 3)
    assert over_all.loc["naive", "total_95"] == 100


def test_some_origins():
    late = SCORED.at((2020,))
    assert averages(late).loc["naive", 1] == pytest.approx(3)
    assert origin_counts(late).to_numpy().tolist() == [[1, 0], [1, 0], [1, 0]]
    assert late.totals["origin"].dt.year.unique().tolist() == [2020]


def test_the_best_is_chosen_over_the_origins_the_other_answered():
    assert best_of(SCORED, ("late", "naive", "absent"), 1, beside="auto") == "naive"
    assert best_of(SCORED, ("auto", "late"), 1, beside="naive") == "auto"
    better_late = SCORED.cells["abs_error"].mask(SCORED.cells["model"] == "late", 1.0)
    late = replace(SCORED, cells=SCORED.cells.assign(abs_error=better_late))
    assert best_of(late, ("late", "naive"), 1, beside="auto") == "naive"
    assert best_of(late, ("auto", "naive"), 1, beside="late") == "auto"  # equal at the only origin: the first


AREAS = cells_of(
    {
        ("ehc", 2019, 1): [5, -8, 2, 9],
        ("ehc", 2020, 1): [40, 10, 70, 20],
        ("rule", 2019, 1): [10, -10, 4, 6],
        ("rule", 2020, 1): [60, 30, 50, 90],
    }
)
TWO = Scored("requests", (1,), AREAS, totals_of(AREAS), {"rule": 1.0, "ehc": 1.0})


def test_gain_is_on_averages_over_origins():
    one = gain(TWO, "ehc", "rule", 1)
    ours, theirs = (24 / 4 + 140 / 40) / 2, (30 / 4 + 230 / 40) / 2
    assert (one.wape, one.other_wape) == pytest.approx((ours, theirs))
    assert one.percent == pytest.approx(100 * (1 - ours / theirs))
    assert one.origins == 2


def test_the_interval_is_that_of_an_explicit_paired_bootstrap():
    ours, theirs = np.array([[5, 8, 2, 9], [40, 10, 70, 20]]), np.array([[10, 10, 4, 6], [60, 30, 50, 90]])
    rng, differences = np.random.default_rng(1), []
    for _ in range(RESAMPLES):
        areas = rng.integers(4, size=4)
        wape = [np.mean(errors[:, areas].sum(axis=1) / [400, 4000]) for errors in (ours, theirs)]
        differences.append(100 * (wape[0] - wape[1]))
    one = gain(TWO, "ehc", "rule", 1)
    np.testing.assert_allclose((one.low, one.high), np.quantile(differences, [0.025, 0.975]), atol=0.2)
    assert gain(TWO, "ehc", "rule", 1) == one
    assert one.low < one.wape - one.other_wape < one.high


def test_a_method_against_itself_has_no_difference():
    one = gain(_twice(), "ehc", "rule", 1)
    assert (one.percent, one.low, one.high) == (0, 0, 0)


def _twice() -> Scored:
    same = pd.concat([AREAS[AREAS["model"] == "rule"].assign(model=name) for name in ("rule", "ehc")])
    return Scored("requests", (1,), same, totals_of(same), {"rule": 1.0, "ehc": 1.0})


def test_the_comparison_is_over_common_origins():
    cells = AREAS[~((AREAS["model"] == "ehc") & (AREAS["origin"].dt.year == 2020))]
    one = gain(Scored("requests", (1,), cells, totals_of(cells), TWO.seconds), "ehc", "rule", 1)
    assert (one.origins, one.wape, one.other_wape) == (1, pytest.approx(6), pytest.approx(7.5))
