"""Compare: noise is called noise, and a difference that is there is found."""

import numpy as np
import pandas as pd
import pytest

from forecast import SpecError
from forecast.evaluate.compare import compare


def cells(
    errors: dict[str, float], *, n: int = 30, origins: int = 6, horizons: int = 2, noise: float = 10.0, seed: int = 0
) -> pd.DataFrame:
    """Errors of models: noise of their own about a size each, over series and origins."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"s{i}",
                "model": name,
                "origin": origin,
                "horizon": horizon,
                "actual": 100.0,
                "abs_error": np.abs(size + rng.normal(0, noise)),
                "measure": "requests",
            },
            index=[0],
        )
        for name, size in errors.items()
        for i in range(n)
        for origin in range(origins)
        for horizon in range(1, horizons + 1)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def close_and_clear() -> pd.DataFrame:
    return cells({"naive": 30.0, "twin": 30.0, "good": 15.0, "bad": 60.0})


def test_verdicts(close_and_clear):
    made = compare(close_and_clear, reference="naive")
    verdicts = made.groupby("model")["verdict"].agg(set).to_dict()
    assert verdicts == {"twin": {"noise"}, "good": {"better"}, "bad": {"worse"}}
    assert made["horizon"].tolist() == [1, 1, 1, 2, 2, 2]


def test_figures_are_those_of_the_pairs(close_and_clear):
    row = compare(close_and_clear, reference="naive").query("model == 'good' and horizon == 2").iloc[0]
    part = close_and_clear.query("horizon == 2").groupby("model")[["abs_error", "actual"]].sum()
    wape = part["abs_error"] / part["actual"]
    assert row["wape"] == pytest.approx(wape["good"])
    assert row["wape_reference"] == pytest.approx(wape["naive"])
    assert row["difference"] == pytest.approx(wape["good"] - wape["naive"])
    assert row["lo-95"] < row["difference"] < row["hi-95"] < 0
    assert (row["n_series"], row["n_origins"]) == (30, 6)


def test_identical_models_are_noise_at_exactly_zero(close_and_clear):
    naive = close_and_clear.query("model == 'naive'")
    made = compare(pd.concat([naive, naive.assign(model="copy")]), reference="naive")
    assert made[["difference", "lo-95", "hi-95"]].eq(0).all().all()
    assert made["verdict"].tolist() == ["noise", "noise"]


def test_one_lucky_origin_is_noise():
    frame = cells({"naive": 30.0, "lucky": 30.0}, noise=0.0, horizons=1)
    lucky = (frame["model"] == "lucky") & (frame["origin"] == 3)
    frame.loc[lucky, "abs_error"] = 0.0
    row = compare(frame, reference="naive").iloc[0]
    assert row["difference"] == pytest.approx(-0.05)
    assert row["verdict"] == "noise"


def test_only_pairs_count():
    frame = cells({"naive": 30.0, "good": 15.0}, noise=0.0, horizons=1)
    easy = (frame["model"] == "good") & (frame["unique_id"] == "s0")
    frame.loc[easy, "abs_error"] = np.nan
    hard = (frame["model"] == "naive") & (frame["unique_id"] == "s1")
    row = compare(frame[~hard], reference="naive").iloc[0]
    assert row["n_series"] == 28
    assert row["wape"] == pytest.approx(0.15)
    assert row["wape_reference"] == pytest.approx(0.30)


def test_pooled_over_horizons_and_over_everything(close_and_clear):
    by_measure = compare(close_and_clear, reference="naive", by=["measure"])
    overall = compare(close_and_clear, reference="naive", by=[])
    assert by_measure.columns[0] == "measure"
    assert overall.columns[0] == "model"
    assert by_measure.drop(columns="measure").equals(overall)
    good = close_and_clear.query("model == 'good'")
    assert overall.set_index("model").loc["good", "wape"] == pytest.approx(good["abs_error"].mean() / 100)
    assert overall.set_index("model")["verdict"].to_dict() == {"bad": "worse", "good": "better", "twin": "noise"}


def test_same_seed_same_interval_whatever_the_order_of_rows(close_and_clear):
    shuffled = close_and_clear.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(
        compare(close_and_clear, reference="naive", seed=3), compare(shuffled, reference="naive", seed=3)
    )


@pytest.mark.parametrize("change", [{"origins": 2}, {"origins": 4}])
def test_two_origins_or_no_counts_are_not_measured(change):
    frame = cells({"naive": 30.0, "good": 1.0}, horizons=1, **change)
    if change["origins"] == 4:
        frame["actual"] = 0.0
    row = compare(frame, reference="naive").iloc[0]
    assert row["verdict"] == "not measured"
    assert row[["wape", "difference", "lo-95", "hi-95"]].isna().all()


def test_unknown_reference_lists_the_models(close_and_clear):
    with pytest.raises(SpecError, match="reference 'ets': not among the evaluated models bad, good, naive, twin"):
        compare(close_and_clear, reference="ets")


def test_a_reference_alone_gives_an_empty_table(close_and_clear):
    made = compare(close_and_clear.query("model == 'naive'"), reference="naive")
    assert made.empty
    assert {"horizon", "model", "verdict"} <= set(made.columns)


def test_origins_that_swing_together_are_noise_when_they_are_few():
    rng = np.random.default_rng(5)
    called = []
    for seed in range(60):
        shocks = {origin: rng.normal(0, 10) for origin in range(4)}
        own = cells({"naive": 30.0, "other": 30.0}, n=20, origins=4, horizons=1, noise=1.0, seed=seed)
        shifted = own["abs_error"] + own["origin"].map(shocks).where(own["model"] == "other", 0.0)
        called.append(compare(own.assign(abs_error=shifted.abs()), reference="naive")["verdict"].iloc[0])
    assert called.count("noise") >= 51
