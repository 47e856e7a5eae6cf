"""`auto` on months: nothing but a series and its group decides its forecast, and every series is accounted for."""

import re

import numpy as np
import pandas as pd
import pytest

from forecast import Forecast, Panel, evaluate_panel, forecast_panel
from forecast.engine import batch as batch_module
from forecast.evaluate.metrics import seasonal_naive_scale, statistics
from forecast.study import EVALUATION_PATHS, study_panel

NAN = np.nan
MONTHS = 60
HORIZON = 6
DS = pd.date_range("2019-01-01", periods=MONTHS, freq="MS")


def busy(rng: np.random.Generator, size: float = 80.0, length: int = MONTHS) -> np.ndarray:
    t = np.arange(length)
    season = 1 + 0.3 * np.sin(2 * np.pi * t / 12) + 0.005 * t
    return rng.poisson(size * season * rng.lognormal(0, 0.05, length)).astype(float)


def group(name: str, seed: int) -> dict[str, np.ndarray]:
    """Ten series: six ordinary ones, and one each that is sparse, short, gappy and ends early."""
    rng = np.random.default_rng(seed)
    rows = {f"{name}/{i}": busy(rng, 20.0 * (i + 2)) for i in range(6)}
    rows |= {f"{name}/{what}": busy(rng) for what in ("gappy", "late", "short")}
    rows[f"{name}/sparse"] = rng.poisson(0.4, MONTHS).astype(float)
    rows[f"{name}/gappy"][[20, 31, 32]] = NAN
    rows[f"{name}/late"][-1:] = NAN
    rows[f"{name}/short"][:44] = NAN
    return rows


def rows_of(series: dict[str, np.ndarray]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"unique_id": name, "ds": DS, "y": y, "group": name.partition("/")[0]})
        for name, y in series.items()
    ]
    return pd.concat(parts, ignore_index=True)


def made(df: pd.DataFrame, **more) -> Forecast:
    panel = Panel.from_frame(df, freq="MS", groups=["group"])
    return forecast_panel(panel, horizon=HORIZON, **{"n_paths": 60, "seed": 3, **more})


@pytest.fixture(scope="module")
def two_groups() -> pd.DataFrame:
    return rows_of(group("A", 1) | group("B", 2))


@pytest.fixture(scope="module")
def plain(two_groups: pd.DataFrame) -> Forecast:
    return made(two_groups)


def same(one: Forecast, other: Forecast) -> None:
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(one.ledger, other.ledger, check_exact=True)
    np.testing.assert_array_equal(one.paths, other.paths)


def test_both_groups_are_weighed_by_their_past(plain):
    assert len(plain.ids) == 20
    assert set(plain.ledger["status"]) == {"ok"}
    said = plain.ledger.set_index("unique_id")["reason"]
    assert said["A/0"].startswith("10 members, the most ")
    assert said["B/0"].endswith("; weights from 2 past origins")
    assert said["A/0"] != said["B/0"]


@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_number_of_threads_changes_nothing(two_groups, plain, threads, monkeypatch):
    monkeypatch.setenv("FORECAST_THREADS", threads)
    monkeypatch.setattr(batch_module, "ROWS_PER_BLOCK", 3)
    same(made(two_groups), plain)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(two_groups, plain, seed):
    same(made(two_groups.sample(frac=1, random_state=seed)), plain)


@pytest.mark.parametrize("name", ["B/", "B/3a", "B/zzz"])
@pytest.mark.parametrize("kind", ["busy", "sparse", "huge"])
def test_a_series_more_in_one_group_changes_nothing_in_the_other(two_groups, plain, name, kind):
    rng = np.random.default_rng(9)
    y = {"busy": busy(rng), "sparse": rng.poisson(0.3, MONTHS), "huge": 1e6 * busy(rng)}[kind]
    more = made(pd.concat([two_groups, rows_of({name: y})]))
    frames = [fc.to_frame().query("unique_id.str.startswith('A')").reset_index(drop=True) for fc in (plain, more)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    ledgers = [fc.ledger[fc.ledger["unique_id"].str.startswith("A")].reset_index(drop=True) for fc in (plain, more)]
    pd.testing.assert_frame_equal(*ledgers)
    mine = [fc.paths[[i for i, name in enumerate(fc.ids) if name.startswith("A")]] for fc in (plain, more)]
    np.testing.assert_array_equal(*mine)
    theirs = [fc.to_frame().set_index("unique_id").loc["B/0", "median"] for fc in (plain, more)]
    assert kind == "sparse" or not np.array_equal(*theirs)


def test_a_group_alone_is_what_it_is_beside_another(two_groups, plain):
    alone = made(two_groups[two_groups["group"] == "A"])
    beside = plain.to_frame().query("unique_id.str.startswith('A')").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.to_frame(), beside, check_exact=True)


# Ladder and ledger


def odd_ones() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(4)
    never, rows = np.full(MONTHS, NAN), {f"plain/{i}": busy(rng) for i in range(8)}
    for name, figures in (("one", 1), ("two", 2), ("three", 3), ("first year", 10), ("second year", 20)):
        rows[name] = np.concatenate([never[figures:], busy(rng, length=figures)])
    rows |= {name: busy(rng) for name in ("gappy", "long gap", "silent", "stopped")}
    rows["gappy"][[20, 31, 32]] = NAN
    rows["long gap"][10:15] = NAN
    rows["silent"][-2:] = NAN
    rows["stopped"][-3:] = NAN
    rows["sparse"] = rng.poisson(0.4, MONTHS).astype(float)
    rows |= {"constant": np.full(MONTHS, 7.0), "zero": np.zeros(MONTHS), "nothing": never}
    rows["two alike"] = np.concatenate([never[2:], [5.0, 5.0]])
    return rows


@pytest.fixture(scope="module")
def odd() -> Forecast:
    df = rows_of(odd_ones()).drop(columns="group")
    return forecast_panel(Panel.from_frame(df, freq="MS", groups=[]), horizon=HORIZON, n_paths=400, seed=1)


USUAL = r"10 members, the most \w+ 0\.\d\d; weights from \d past origins"
FIRST_YEAR = r"\w+ 0\.25, \w+ 0\.25, \w+ 0\.25, \w+ 0\.25; equal weights; first year: no season"


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("plain/0", "ok", USUAL),
        ("nothing", "not_enough_data", "0 figures; at least 2 needed"),
        ("one", "not_enough_data", "1 figure; at least 2 needed"),
        ("two", "ok", r"naive 1\.00; equal weights; first year: no season"),
        ("two alike", "ok", r"constant at 5; naive 1\.00; equal weights; first year: no season"),
        ("three", "ok", FIRST_YEAR),
        ("first year", "ok", FIRST_YEAR),
        ("second year", "ok", "6 members, .*; equal weights; second year: too short for seasons of its own"),
        ("gappy", "ok", f"{USUAL}; 3 missing interpolated"),
        ("long gap", "ok", f"{USUAL}; history before a gap of 5 left out"),
        ("silent", "ok", USUAL),
        ("stopped", "not_enough_data", "last figure 3 periods before the origin; at most 2 allowed"),
        ("sparse", "ok", r"sparse_mean 1\.00; equal weights; rare counts"),
        ("constant", "ok", f"constant at 7; {USUAL}"),
        ("zero", "ok", r"constant at 0; sparse_mean 1\.00; equal weights; rare counts"),
    ],
)
def test_every_kind_of_series_is_in_the_ledger_with_what_was_done(odd, name, status, said):
    entry = odd.ledger.set_index("unique_id").loc[name]
    assert (entry["model"], entry["status"]) == ("auto", status)
    assert re.fullmatch(said, entry["reason"])
    assert (name in odd.ids) == (status == "ok")
    last = np.flatnonzero(np.isfinite(odd_ones()[name]))
    assert entry["n_obs"] == len(last)
    assert entry["last_ds"] is pd.NaT if name == "nothing" else entry["last_ds"] == DS[last[-1]]


def test_every_series_has_a_row_in_the_ledger_and_those_answered_are_finite(odd):
    assert sorted(odd.ledger["unique_id"]) == sorted(odd_ones())
    assert np.isfinite(odd.paths).all()
    assert (odd.paths >= 0).all()
    assert (odd.paths[odd.ids.index("zero")].mean() < 0.1).all()
    assert odd.to_frame().query("unique_id == 'constant'")["median"].between(6.5, 7.5).all()


# Whole numbers


def test_whole_numbers_have_the_same_mean(two_groups):
    ask = {"n_paths": 1500}
    free, whole = made(two_groups, **ask), made(two_groups, integer=True, **ask)
    assert (whole.paths == np.round(whole.paths)).all()
    assert (free.paths != np.round(free.paths)).any()
    rounded = whole.paths - free.paths
    assert np.abs(rounded).max() < 1
    assert np.abs(rounded.mean(axis=2)).max() < 5 * 0.5 / np.sqrt(ask["n_paths"])


# What is scored is what would have been forecast


@pytest.mark.parametrize("back", [1, 3])
def test_scores_at_an_origin_are_of_the_forecast_that_would_have_been_made_there(two_groups, back):
    panel = Panel.from_frame(two_groups, freq="MS", groups=["group"])
    study = study_panel(panel, ["auto"], horizon=HORIZON, origins=3)
    cells = study.cells(["auto"], origins=3, seed=5).set_index(["origin", "unique_id"])
    origin = MONTHS - back
    then = forecast_panel(panel.until(origin), horizon=HORIZON, seed=5, n_paths=EVALUATION_PATHS)
    padded = np.hstack([panel.values, np.full((len(panel.ids), HORIZON), NAN)])
    actual = padded[:, origin : origin + HORIZON]
    expected = statistics(actual, then.paths, seasonal_naive_scale(panel.values[:, :origin], 12))
    assert then.ids == panel.ids
    here = cells.loc[panel.dates[origin - 1]]
    assert len(here) == np.isfinite(actual).sum()
    for name, values in expected.items():
        np.testing.assert_array_equal(here[name], values[np.isfinite(actual)], err_msg=name)


def test_scores_of_the_public_verb_are_those_of_the_study(two_groups):
    panel = Panel.from_frame(two_groups, freq="MS", groups=["group"])
    scored = evaluate_panel(panel, horizon=HORIZON, models=["auto"], origins=1, seed=5)
    then = forecast_panel(panel.until(MONTHS - 1), horizon=HORIZON, seed=5, n_paths=EVALUATION_PATHS)
    first = then.to_frame(levels=(80,)).query("ds == ds.min()").set_index("unique_id")
    outturn = pd.Series(panel.values[:, -1], index=panel.ids).dropna()
    inside = outturn.between(first["lo-80"].reindex(outturn.index), first["hi-80"].reindex(outturn.index))
    covered = scored.query("metric == 'coverage_80'").set_index("unique_id")["value"]
    assert covered.reindex(outturn.index).eq(inside.astype(float)).all()
    assert 5 < inside.sum() < len(inside)
