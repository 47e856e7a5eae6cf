"""Metrics against hand computation and scikit-learn's pinball loss."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_pinball_loss

from forecast.evaluate.metrics import (
    QUANTILES,
    STATISTICS,
    covered,
    pinball,
    seasonal_naive_scale,
    statistics,
    summarise,
    to_long,
)

NAN = np.nan


def test_pinball_is_twice_the_mean_quantile_loss_of_scikit_learn():
    rng = np.random.default_rng(4)
    actual, paths = rng.uniform(0, 50, (3, 2)), rng.uniform(0, 50, (3, 2, 60))
    made = pinball(actual, paths)
    for i in range(3):
        for h in range(2):
            losses = [
                mean_pinball_loss([actual[i, h]], [np.quantile(paths[i, h], q)], alpha=q)
                for q in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
            ]
            assert made[i, h] == pytest.approx(2 * np.mean(losses))


def test_pinball_of_one_certain_number_is_the_absolute_error():
    assert len(QUANTILES) == 9
    np.testing.assert_allclose(pinball(np.array([10.0, 3.0]), np.full((2, 5), 7.0)), [3.0, 4.0])


def test_covered_counts_the_ends_in_and_knows_no_outturn():
    paths = np.tile(np.arange(101.0), (5, 1))
    actual = np.array([10.0, 90.0, 9.9, 90.1, NAN])
    np.testing.assert_array_equal(covered(actual, paths, 80), [1, 1, 0, 0, NAN])
    np.testing.assert_array_equal(covered(actual, paths, 95), [1, 1, 1, 1, NAN])


def test_a_certain_forecast_that_comes_true_is_covered():
    np.testing.assert_array_equal(covered(np.array([5.0, 6.0]), np.full((2, 4), 5.0), 80), [1, 0])


def test_scale_of_mase_by_hand():
    annual = np.array([[10.0, 12.0, 9.0], [5.0, NAN, 7.0], [4.0, 4.0, 4.0], [NAN, 3.0, 8.0]])
    np.testing.assert_array_equal(seasonal_naive_scale(annual, 1), [2.5, NAN, NAN, 5.0])
    quarterly = np.array([[1.0, 2.0, 3.0, 4.0, 3.0, 6.0]])
    assert seasonal_naive_scale(quarterly, 4).tolist() == [3.0]


def test_a_history_shorter_than_a_season_has_no_scale():
    for length in (1, 9, 12):
        assert np.isnan(seasonal_naive_scale(np.arange(1.0, length + 1)[None, :], 12)).all()
    assert seasonal_naive_scale(np.arange(13.0)[None, :], 12).tolist() == [12.0]


def test_statistics_by_hand():
    paths = np.array([[[8.0, 10.0, 15.0], [0.0, 0.0, 0.0]]])
    made = statistics(np.array([[12.0, NAN]]), paths, np.array([4.0]))
    assert tuple(made) == STATISTICS
    assert made["point"].tolist() == [[10.0, 0.0]]
    np.testing.assert_array_equal(made["error"], [[-2.0, NAN]])
    np.testing.assert_array_equal(made["abs_error"], [[2.0, NAN]])
    np.testing.assert_array_equal(made["scaled_abs_error"], [[0.5, NAN]])
    np.testing.assert_array_equal(made["covered_80"], [[1.0, NAN]])


def cells(rows: list[tuple], columns: str) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns.split())
    return frame.assign(**{name: 1.0 for name in STATISTICS if name not in frame})


def three_origins() -> pd.DataFrame:
    return cells(
        [
            ("a", "m", 1, 1, 100.0, 10.0, -10.0, 0.5, 5.0, 1.0),
            ("b", "m", 1, 1, 300.0, 30.0, 30.0, 1.5, 15.0, 0.0),
            ("a", "m", 2, 1, 100.0, 0.0, 0.0, 0.0, 0.0, 1.0),
            ("b", "m", 2, 1, 100.0, 40.0, 40.0, 1.0, 10.0, 1.0),
            ("a", "m", 3, 1, 50.0, 25.0, -25.0, NAN, 5.0, 1.0),
        ],
        "unique_id model origin horizon actual abs_error error scaled_abs_error pinball covered_80",
    )


def test_summarise_adds_up_within_an_origin_then_averages_over_origins():
    row = summarise(three_origins(), by=["model", "horizon"]).iloc[0]
    assert row["wape"] == pytest.approx(np.mean([40 / 400, 40 / 200, 25 / 50]))
    assert row["bias"] == pytest.approx(np.mean([20 / 400, 40 / 200, -25 / 50]))
    assert row["pinball"] == pytest.approx(np.mean([20 / 400, 10 / 200, 5 / 50]))
    assert row["mase"] == pytest.approx(np.mean([1.0, 0.5]))
    assert row["coverage_80"] == pytest.approx(np.mean([0.5, 1, 1]))
    assert (row["n_series"], row["n_origins"]) == (2, 3)


def test_fewer_than_three_origins_are_not_measured():
    two = three_origins().query("origin < 3")
    row = summarise(two, by=["model"]).iloc[0]
    assert row[["wape", "bias", "mase", "pinball", "coverage_80", "coverage_95"]].isna().all()
    assert row["n_origins"] == 2
    assert summarise(two, by=["model"], min_origins=2).loc[0, "wape"] == pytest.approx(0.15)


def test_groups_are_judged_apart():
    frame = pd.concat([three_origins(), three_origins().query("origin < 3").assign(model="other")])
    made = summarise(frame, by=["model"]).set_index("model")
    assert np.isfinite(made.loc["m", "wape"])
    assert np.isnan(made.loc["other", "wape"])


def test_an_origin_without_any_count_says_nothing_of_relative_error():
    frame = three_origins()
    frame.loc[frame["origin"] == 3, "actual"] = 0.0
    assert summarise(frame, by=["model"]).loc[0, "wape"] == pytest.approx(np.mean([0.1, 0.2]))
    frame["actual"] = 0.0
    assert np.isnan(summarise(frame, by=["model"]).loc[0, "wape"])


def test_long_scores_are_ratios_of_a_cell():
    long = to_long(three_origins()).set_index(["unique_id", "origin", "metric"])["value"]
    assert long["b", 1, "wape"] == pytest.approx(0.1)
    assert long["a", 3, "bias"] == pytest.approx(-0.5)
    assert long["b", 1, "mase"] == 1.5
    assert long["b", 1, "coverage_80"] == 0.0
    assert len(long) == 5 * 6


def test_a_cell_without_any_count_has_no_relative_error():
    frame = three_origins().head(1).assign(actual=0.0)
    long = to_long(frame).set_index("metric")["value"]
    assert np.isnan(long["wape"])
    assert long["mase"] == 0.5
