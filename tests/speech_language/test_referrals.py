"""Referrals on paths: the groups add up to the total's own forecast, and little data gives no nonsense."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast import Panel, forecast_panel, reference
from forecast.calendar import term_days, working_days
from forecast.errors import InputError, SpecError
from forecast.speech_language.referral_series import OUT_OF_TERM
from forecast.speech_language.referrals import ReferralPaths, forecast_referrals, proxy_referrals

KEYS = ["locality", "age_band", "source", "tier"]
PATHS = 200


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    return reference.slt_referrals().frame


@pytest.fixture(scope="module")
def made(log: pd.DataFrame) -> ReferralPaths:
    return forecast_referrals(log, months=30, n_paths=PATHS, seed=3)


def rows_of(made: ReferralPaths, **named: str) -> np.ndarray:
    return np.logical_and.reduce([made.cells[key].eq(value) for key, value in named.items()])


def test_it_has_every_cell_and_month(log: pd.DataFrame, made: ReferralPaths) -> None:
    cells = log[["locality", "age_band", "tier"]].drop_duplicates().sort_values(["locality", "age_band", "tier"])
    assert made.cells.to_numpy().tolist() == cells.to_numpy().tolist()
    assert made.paths.shape == (63, 30, PATHS)
    assert (made.months[0], made.months[-1]) == (pd.Timestamp("2023-10-01"), pd.Timestamp("2026-03-01"))
    assert np.isfinite(made.paths).all()
    assert made.paths.min() >= 0
    assert sorted(made.by_source) == sorted(log["source"].unique())
    assert made.history["y"].sum() == log["y"].sum()


def test_cells_and_sources_add_up_to_the_same_on_every_path(made: ReferralPaths) -> None:
    np.testing.assert_allclose(sum(made.by_source.values()), made.paths.sum(axis=0))


def test_the_total_of_the_first_year_is_its_own_forecast(log: pd.DataFrame, made: ReferralPaths) -> None:
    total = log.groupby("ds")["y"].sum()
    months = pd.DatetimeIndex(total.index)
    ahead = made.months[:12]
    days = [term_days(m) + OUT_OF_TERM * (working_days(m) - term_days(m)) for m in (months, ahead)]
    frame = pd.DataFrame({"unique_id": "total", "ds": months, "y": total.to_numpy() / days[0]})
    alone = forecast_panel(Panel.from_frame(frame, freq="MS"), horizon=12, n_paths=PATHS, seed=3)
    np.testing.assert_allclose(made.paths.sum(axis=0)[:12], alone.paths[0] * days[1][:, None])


def test_no_cell_is_forecast_at_nothing(log: pd.DataFrame, made: ReferralPaths) -> None:
    assert made.paths.mean(axis=(1, 2)).min() > 0.05
    recent = log[log["ds"].ge("2022-10-01")].groupby(["locality", "age_band", "tier"])["y"].sum().to_numpy() / 12
    assert np.corrcoef(recent, made.paths[:, :12].mean(axis=(1, 2)))[0, 1] > 0.9


def test_schools_refer_little_in_august_and_others_do(made: ReferralPaths) -> None:
    august, september = made.months.get_loc("2024-08-01"), made.months.get_loc("2024-09-01")
    means = {name: paths.mean(axis=1) for name, paths in made.by_source.items()}
    school, visitor = means["School or nursery"], means["Health visitor"]
    assert school[august] < 0.3 * school[september]
    assert visitor[august] > 0.5 * visitor[september]


def test_the_same_seed_gives_the_same_paths_whatever_the_order_of_rows(log: pd.DataFrame) -> None:
    some = log[log["locality"].isin(["Locality 1", "Locality 2"])]
    one = forecast_referrals(some, months=2, n_paths=20, seed=1)
    two = forecast_referrals(some.sample(frac=1, random_state=1), months=2, n_paths=20, seed=1)
    np.testing.assert_array_equal(one.paths, two.paths)
    assert not np.array_equal(one.paths, forecast_referrals(some, months=2, n_paths=20, seed=2).paths)


def test_later_years_are_less_sure(made: ReferralPaths) -> None:
    total = made.paths.sum(axis=0)
    years = total[[0, 1, 2, 3, 4, 5]], total[[12, 13, 14, 15, 16, 17]], total[[24, 25, 26, 27, 28, 29]]
    spread = [np.std(np.log(year.sum(axis=0))) for year in years]
    assert spread[0] + 0.02 < spread[1]
    assert spread[1] + 0.01 < spread[2]
    assert any("standard deviation of 13 %" in note for note in made.notes)


def test_until_says_the_last_month(log: pd.DataFrame) -> None:
    whole = log.groupby("ds", as_index=False)["y"].sum().assign(**dict.fromkeys(KEYS, "all"))
    by_date = forecast_referrals(whole, until=pd.Timestamp("2023-12-01"), n_paths=20)
    assert by_date.months.strftime("%Y-%m").tolist() == ["2023-10", "2023-11", "2023-12"]
    np.testing.assert_array_equal(by_date.paths, forecast_referrals(whole, months=3, n_paths=20).paths)
    for months, until in ((None, None), (3, pd.Timestamp("2023-12-01"))):
        with pytest.raises(SpecError, match="either months or until"):
            forecast_referrals(whole, months=months, until=until)
    with pytest.raises(SpecError, match="-1 months ahead of 2023-09"):
        forecast_referrals(whole, until=pd.Timestamp("2023-08-01"))


def test_a_log_of_one_cell_is_its_total(log: pd.DataFrame) -> None:
    whole = log.groupby("ds", as_index=False)["y"].sum().assign(**dict.fromkeys(KEYS, "all"))
    made = forecast_referrals(whole, months=2, n_paths=20)
    assert made.cells.to_numpy().tolist() == [["all", "all", "all"]]
    np.testing.assert_array_equal(made.by_source["all"], made.paths[0])
    of_series = proxy_referrals(whole.set_index("ds")["y"], months=2, n_paths=20)
    np.testing.assert_array_equal(of_series.paths, made.paths)


@pytest.mark.parametrize("length", [3, 9, 12, 23])
def test_short_logs_give_no_nonsense(log: pd.DataFrame, length: int) -> None:
    short = log[log["ds"].isin(sorted(log["ds"].unique())[-length:])]
    made = forecast_referrals(short, months=36, n_paths=PATHS)
    total, level = made.paths.sum(axis=0), short.groupby("ds")["y"].sum().mean()
    assert 0.7 * level < total[:12].mean() < 1.3 * level
    assert total.max() < 8 * level
    assert made.paths.mean(axis=(1, 2)).min() > 0
    assert "too few to tell the season" in made.notes[0]


def test_the_published_proxy_of_nine_months_stays_near_its_level() -> None:
    monthly = pd.Series([107, 57, 58, 127, 151, 52, 132, 141, 179.0], pd.date_range("2023-01-01", periods=9, freq="MS"))
    total = proxy_referrals(monthly, months=48).paths[0]
    assert 80 < total.mean() < 200
    assert total[:12].mean(axis=1).argmin() == 10  # August
    low, high = np.quantile(total[0], [0.1, 0.9])
    assert low < 100
    assert high > 180


def test_the_mean_of_a_short_series_is_that_of_its_model() -> None:
    counts = np.array([40.0, 60, 50, 55, 45, 50])
    monthly = pd.Series(counts, pd.date_range("2023-01-01", periods=6, freq="MS"))
    paths = proxy_referrals(monthly, months=1, n_paths=4000, model="naive").paths[0, 0]
    months = pd.date_range("2023-01-01", periods=7, freq="MS")
    days = term_days(months) + OUT_OF_TERM * (working_days(months) - term_days(months))
    rates = counts / days[:6]
    assert paths.mean() == pytest.approx(rates[-1] * days[6], rel=0.02)
    variance = (np.std(rates, ddof=1) / rates.mean()) ** 2 * (1 + 1 / 6)  # of one month, and of the mean of six
    assert paths.std() / paths.mean() == pytest.approx(np.sqrt(np.exp(variance) - 1), rel=0.1)


def test_a_cell_that_stopped_falls_and_is_named(log: pd.DataFrame) -> None:
    stopped = log["locality"].eq("Locality 3") & log["tier"].eq("targeted")
    ended = log.assign(y=log["y"].mask(stopped & log["ds"].ge("2022-10-01"), 0.0))
    made = forecast_referrals(ended, months=12, n_paths=PATHS)
    before = log[stopped & log["ds"].ge("2021-10-01")].groupby("ds")["y"].sum().mean()
    rows = rows_of(made, locality="Locality 3", tier="targeted")
    assert made.paths[rows].sum(axis=0).mean() < 0.3 * before
    assert [note.split(":")[0] for note in made.notes] == [
        f"Locality 3, {band}, targeted" for band in ("0-4", "11-18", "5-10")
    ]


def test_all_zeros_stay_zero(log: pd.DataFrame) -> None:
    nothing = log[log["locality"].eq("Locality 1")].assign(y=0.0)
    assert forecast_referrals(nothing, months=3, n_paths=20).paths.max() == 0


def test_where_no_group_is_drawn_the_total_is_spread_by_what_is_usual() -> None:
    dates = pd.date_range("2021-01-01", periods=36, freq="MS")
    rng = np.random.default_rng(1)
    parts = [
        pd.DataFrame({"ds": dates, "locality": name, "y": rng.poisson(mean, 36).astype(float)})
        for name, mean in (("A", 0.15), ("B", 0.05))
    ]
    rare = pd.concat(parts).assign(age_band="all", source="all", tier="all")
    made = forecast_referrals(rare, months=12, n_paths=PATHS)
    alone = forecast_referrals(
        rare.groupby("ds", as_index=False)["y"].sum().assign(**dict.fromkeys(KEYS, "all")), months=12, n_paths=PATHS
    )
    np.testing.assert_allclose(made.paths.sum(axis=0), alone.paths[0])


def test_counts_that_are_not_known_are_no_zeros(log: pd.DataFrame) -> None:
    hidden = log["locality"].eq("Locality 7") & log["source"].eq("Health visitor")
    late = log.assign(y=log["y"].mask(hidden & log["ds"].ge("2023-08-01")))
    made = forecast_referrals(late, months=3, n_paths=PATHS)
    assert made.notes[0].startswith("In 2 of 48 months not every group has a count")
    full = forecast_referrals(log[log["ds"].le("2023-07-01")], months=5, n_paths=PATHS)
    assert made.paths.sum(axis=0).mean() == pytest.approx(full.paths[:, 2:].sum(axis=0).mean(), rel=0.15)
    with pytest.raises(InputError, match="45 of 48 months have a count of every group, the fewest of 'Locality 7, 0-4"):
        forecast_referrals(log.assign(y=log["y"].mask(hidden & log["ds"].ge("2023-07-01"))), months=3)


def test_a_locality_that_began_late_leaves_only_the_months_since(log: pd.DataFrame) -> None:
    late = log[~(log["locality"].eq("Locality 2") & log["ds"].lt("2023-01-01"))]
    made = forecast_referrals(late, months=3, n_paths=PATHS)
    level = log[log["ds"].ge("2023-01-01")].groupby("ds")["y"].sum().mean()
    assert made.paths.sum(axis=0).mean() == pytest.approx(level, rel=0.2)
    with pytest.raises(InputError, match="2 of 48 months have a count of every group, the fewest of 'Locality 2, 0-4"):
        forecast_referrals(log[~(log["locality"].eq("Locality 2") & log["ds"].lt("2023-08-01"))], months=3)


def test_models_that_take_known_columns_see_the_calendar(log: pd.DataFrame) -> None:
    whole = log.groupby("ds", as_index=False)["y"].sum().assign(**dict.fromkeys(KEYS, "all"))
    made = forecast_referrals(whole, months=14, n_paths=PATHS, model="count_regression").paths[0].mean(axis=1)
    assert made[10] < 0.8 * made[9]
    assert made[10] < 0.8 * made[11]
