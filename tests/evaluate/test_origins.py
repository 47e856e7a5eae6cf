"""Rolling origins: their definition, what a model may see at each, and what is done with gaps."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest

from forecast import Panel, SpecError, forecast_panel, models
from forecast.evaluate.origins import evaluation_ends, origins_to_run, past_origins, rolling_points
from forecast.models.area_growth import AreaGrowth
from forecast.models.base import Capability
from forecast.study import study_panel
from tests.panels import growing, long, panel, window

NAN = np.nan
FAST = ["naive", "drift", "area_growth", "seasonal_naive"]


SEES_ALL = Capability(min_history=2)


@dataclass
class Spy:
    """A model that keeps what it saw and answers with the last figure."""

    capability: Capability = SEES_ALL
    seen: list = field(default_factory=list)
    name = "spy"

    def forecast(self, window, horizon):
        self.seen.append(window)
        return np.repeat(window.values[:, -1:], horizon, axis=1) + np.arange(horizon)


def rolled(values, model=None, *, ends=None, horizon=2, max_gap=2, **more):
    made = window(values)
    spy = model or Spy()
    ends = ends or [made.values.shape[1]]
    return rolling_points(made, {spy.name: spy}, horizon=horizon, ends=ends, max_gap=max_gap, **more), spy


def test_evaluated_are_the_latest_origins_one_period_apart():
    assert evaluation_ends(10, 6) == (4, 5, 6, 7, 8, 9)
    assert evaluation_ends(10, 1) == (9,)


def test_the_first_origin_sees_three_periods_or_all_but_one_never_one():
    assert evaluation_ends(8, 6) == (3, 4, 5, 6, 7)
    assert evaluation_ends(4, 6) == (3,)
    assert evaluation_ends(3, 6) == (2,)
    assert evaluation_ends(2, 6) == evaluation_ends(1, 6) == ()


@pytest.mark.parametrize("freq", ["YS", "MS"])
@pytest.mark.parametrize("length", [1, 2, 3, 9, 60])
@pytest.mark.parametrize("origins", [0, 1, 6])
def test_the_scored_origins_the_end_and_their_past_are_run(freq, length, origins):
    made = window(np.ones((9, length)), freq)
    ends, asked = origins_to_run(made, horizon=4, origins=origins)
    assert ends == tuple(sorted(set(ends)))
    assert ends[-1] == length
    scored = evaluation_ends(length, origins)
    past = {p for end in (*scored, length) for p in past_origins(end, horizon=4, period=made.period, pool_size=9)}
    assert set(ends) == {*scored, *past, length}
    assert asked.all()


def test_an_annual_origin_has_six_past_origins_whose_whole_horizon_is_known():
    past = past_origins(40, horizon=4, period=1, pool_size=9)
    assert past == tuple(range(31, 40))
    assert sum(end + 4 <= 40 for end in past) == 6


def test_a_pool_with_three_cycles_behind_it_looks_back_half_a_horizon_and_a_horizon():
    assert past_origins(48, horizon=12, period=12, pool_size=8) == (36, 42)
    assert past_origins(24, horizon=3, period=4, pool_size=8) == (21, 22)
    assert past_origins(60, horizon=1, period=12, pool_size=8) == (58, 59)
    assert past_origins(60, horizon=12, period=12, pool_size=8, first=24) == (48, 50, 52, 54, 56, 58)


@pytest.mark.parametrize(("length", "pool_size"), [(47, 8), (84, 7)])
def test_other_seasonal_series_look_back_six_times_over_the_horizon(length, pool_size):
    past = past_origins(length, horizon=12, period=12, pool_size=pool_size)
    assert past == tuple(length - back for back in (12, 10, 8, 6, 4, 2))


def test_no_past_origin_sees_fewer_than_two_periods():
    assert past_origins(4, horizon=3, period=12, pool_size=1) == (2, 3)
    assert past_origins(2, horizon=3, period=1, pool_size=1) == ()


def test_each_pool_is_asked_at_its_own_past_origins():
    made = window(np.ones((9, 60)), "MS")
    object.__setattr__(made, "pools", np.array([0] * 8 + [1]))
    ends, asked = origins_to_run(made, horizon=12, origins=0)
    assert [end for end, rows in zip(ends, asked, strict=True) if rows[0]] == [48, 54, 60]
    assert [end for end, rows in zip(ends, asked, strict=True) if rows[8]] == [48, 50, 52, 54, 56, 58, 60]
    rolled_at = rolling_points(made, {"naive": models.get("naive")}, horizon=12, ends=ends, asked=asked)
    np.testing.assert_array_equal(np.isfinite(rolled_at.points["naive"]).all(axis=2), asked)


def test_outturn_is_what_came_after_and_missing_when_not_yet_known():
    made, _ = rolled([[1, 2, 3, 4, NAN, 6]], ends=[3, 5, 6])
    np.testing.assert_array_equal(made.outturn(), [[[4, NAN]], [[6, NAN]], [[NAN, NAN]]])
    assert made.horizon == 2


def test_a_model_sees_nothing_after_its_origin():
    _, spy = rolled([[1, 2, 3, 4, 5, 6]], ends=[3, 5])
    assert [w.values[0].tolist() for w in spy.seen] == [[1, 2, 3], [1, 2, 3, 4, 5]]
    assert [w.dates[-1].year for w in spy.seen] == [2012, 2014]


@pytest.mark.parametrize("freq", ["YS", "MS"])
def test_no_look_ahead_in_forecasts_weights_scores_and_paths(freq):
    length, origin = 30, 24
    rows = long(growing(10, length), freq)
    cut = pd.date_range(rows["ds"].min(), periods=origin, freq=freq)[-1]
    rng = np.random.default_rng(9)
    changed = rows.assign(y=rows["y"].where(rows["ds"] <= cut, rng.integers(0, 5000, len(rows)).astype(float)))
    studies = [
        study_panel(Panel.from_frame(part, freq=freq), ["auto", *FAST], horizon=3, origins=8, auto_members=FAST)
        for part in (rows, changed)
    ]
    ends = np.asarray(studies[0].rolling.ends)
    for name in ["auto", *FAST]:
        first, second = (study.rolling.points[name] for study in studies)
        np.testing.assert_array_equal(first[ends <= origin], second[ends <= origin])
        if (name, freq) != ("seasonal_naive", "MS"):
            assert not np.array_equal(first[ends > origin], second[ends > origin])
    frames = [
        study.cells(["auto"], origins=8).set_index(["origin", "unique_id", "horizon"]).sort_index().loc[:cut]
        for study in studies
    ]
    np.testing.assert_array_equal(frames[0]["point"], frames[1]["point"])
    both_known = frames[0]["actual"] == frames[1]["actual"]
    assert 10 <= both_known.sum() < len(both_known)
    np.testing.assert_array_equal(frames[0].loc[both_known, "pinball"], frames[1].loc[both_known, "pinball"])


def test_totals_that_ask_their_areas_see_nothing_of_them_after_the_origin():
    areas = panel(growing(30, 12)).window()
    values = areas.values.copy()
    values[:, 8:] = np.random.default_rng(2).uniform(1, 5000, (30, 4))
    total = window([areas.values.sum(axis=0)])
    asked = {"a": AreaGrowth(areas=areas), "b": AreaGrowth(areas=replace(areas, values=values)), "none": AreaGrowth()}
    made = rolling_points(total, asked, horizon=2, ends=[6, 8, 12]).points
    np.testing.assert_array_equal(made["a"][:2], made["b"][:2])
    assert not np.array_equal(made["a"][2], made["b"][2])
    assert not np.array_equal(made["a"], made["none"])
    unseen = rolling_points(total, {"a": AreaGrowth(areas=replace(areas, values=values * NAN))}, horizon=2, ends=[12])
    np.testing.assert_array_equal(unseen.points["a"][0], made["none"][2])


@pytest.mark.parametrize("n", [3, 9])
@pytest.mark.parametrize(("freq", "length"), [("YS", 15), ("MS", 40)])
def test_what_is_scored_at_an_origin_is_what_would_have_been_forecast_from_it(freq, length, n):
    walks = np.exp(5 + np.random.default_rng(0).normal(0, 0.1, (n, length)).cumsum(axis=1))
    made = panel({f"walk{i}": walks[i] for i in range(n)}, freq)
    study = study_panel(made, ["auto"], horizon=4, origins=6, auto_members=FAST)
    for back in (0, 3, 6):
        then = study_panel(made.until(length - back), ["auto"], horizon=4, auto_members=FAST)
        k = study.rolling.ends.index(length - back)
        np.testing.assert_array_equal(study.rolling.points["auto"][k], then.rolling.points["auto"][-1], strict=True)


def test_forecasts_of_the_shorter_panel_are_those_of_the_longer_one_before_its_news():
    rows = long(growing(9, 12))
    early = rows[rows["ds"] < "2020"]
    then = forecast_panel(Panel.from_frame(early, freq="YS"), horizon=2, model="drift", n_paths=30)
    later = Panel.from_frame(rows, freq="YS").until(10)
    np.testing.assert_array_equal(then.paths, forecast_panel(later, horizon=2, model="drift", n_paths=30).paths)


def test_gaps_are_interpolated_on_the_log_scale_and_said():
    y = np.expm1([1.0, 2.0, 3.0, 4.0])
    made, spy = rolled([[y[0], NAN, y[2], y[3]]])
    np.testing.assert_allclose(spy.seen[0].values[0], y)
    assert made.reasons["spy", 0] == "1 missing interpolated"


def test_a_model_that_handles_missing_figures_gets_them():
    _, spy = rolled([[1, NAN, 3, 4]], Spy(Capability(min_history=2, handles_missing=True)))
    np.testing.assert_array_equal(spy.seen[0].values[0], [1, NAN, 3, 4])


def test_a_batch_model_that_does_not_handle_missing_figures_gets_filled_rows():
    rows = [[1, NAN, 3, 4, 5, 6], [NAN, NAN, 1, 2, 3, 4], [9, NAN, NAN, NAN, 3, 4], [1, 2, NAN, NAN, NAN, NAN]]
    made, spy = rolled(rows, Spy(Capability(min_history=2, batch=True)))
    seen = spy.seen[0].values
    np.testing.assert_allclose(seen[0, 1], np.sqrt(2 * 4) - 1)
    np.testing.assert_array_equal(seen[1], rows[1])
    np.testing.assert_array_equal(seen[2], [NAN, NAN, NAN, NAN, 3, 4])
    assert np.isnan(seen[3]).all()
    assert made.reasons == {
        ("spy", 0): "1 missing interpolated",
        ("spy", 2): "history before a gap of 3 left out",
        ("spy", 3): "short: 0 figures, 2 needed",
    }
    assert np.isnan(rows[0][1])


def test_history_before_a_long_gap_is_left_out_and_said():
    made, spy = rolled([[9, 9, NAN, NAN, NAN, 5, 6, NAN, 8]])
    assert len(spy.seen[0].values[0]) == 4
    assert spy.seen[0].dates[0].year == 2015
    assert made.reasons["spy", 0] == "history before a gap of 3 left out; 1 missing interpolated"
    _, allowed = rolled([[9, 9, NAN, NAN, NAN, 5, 6, NAN, 8]], max_gap=3)
    assert len(allowed.seen[0].values[0]) == 9


def test_a_series_cut_by_a_gap_may_be_too_short():
    made, spy = rolled([[9, 9, 9, NAN, NAN, NAN, 5]])
    assert spy.seen == []
    assert np.isnan(made.points["spy"]).all()
    assert made.reasons["spy", 0] == "short: 1 figures, 2 needed; history before a gap of 3 left out"


def test_a_series_that_ends_early_is_forecast_from_its_own_end():
    made, spy = rolled([[1, 2, 3, NAN]], horizon=2)
    assert spy.seen[0].values[0].tolist() == [1, 2, 3]
    assert made.points["spy"][0, 0].tolist() == [4, 5]


def test_leading_missing_figures_are_no_gap():
    made, spy = rolled([[NAN, NAN, NAN, NAN, 3, 4]])
    assert spy.seen[0].values[0].tolist() == [3, 4]
    assert ("spy", 0) not in made.reasons


def test_a_constant_series_is_carried_without_a_fit():
    made, spy = rolled([[NAN, 4, 4, 4]])
    assert spy.seen == []
    assert made.points["spy"].ravel().tolist() == [4, 4]
    assert made.reasons["spy", 0] == "constant at 4: carried forward"


def test_a_series_never_seen_is_too_short():
    made, _ = rolled([[NAN, NAN, NAN]])
    assert made.reasons["spy", 0] == "short: 0 figures, 2 needed"


class Broken(Spy):
    name = "broken"

    def __init__(self, answer, *, batch):
        super().__init__(Capability(min_history=2, batch=batch))
        self.answer = answer

    def forecast(self, window, horizon):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer(len(window.ids), horizon)


BROKEN = {
    "raises": (ValueError("no\n  convergence"), "failed: ValueError: no convergence"),
    "nan": (lambda n, h: np.full((n, h), NAN), "failed: the fit gave figures that are not finite"),
    "inf": (lambda n, h: np.full((n, h), np.inf), "failed: the fit gave figures that are not finite"),
    "shape": (lambda n, h: np.ones((n, h + 1)), "failed: ValueError: points of shape (1, 3) instead of (1, 2)"),
    "flat": (lambda n, h: np.ones(h), "failed: ValueError: points of shape (2,) instead of (1, 2)"),
    "long error": (RuntimeError("x" * 500), "failed: RuntimeError: " + "x" * 120),
}


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_model_that_breaks_is_named_with_its_reason_and_gives_nothing(fault, batch):
    answer, reason = BROKEN[fault]
    made, _ = rolled([[1, 2, 3]], Broken(answer, batch=batch))
    assert np.isnan(made.points["broken"]).all()
    assert made.reasons["broken", 0] == reason


@pytest.mark.parametrize("batch", [True, False])
def test_points_below_zero_are_taken_as_zero(batch):
    made, _ = rolled([[1, 2, 3]], Broken(lambda n, h: np.full((n, h), -5.0), batch=batch))
    assert made.points["broken"].ravel().tolist() == [0, 0]


def test_a_row_of_a_batch_that_breaks_leaves_the_others():
    def answer(n, h):
        points = np.ones((n, h))
        points[0, 1] = NAN
        return points

    made, _ = rolled([[1, 2, 3], [4, 5, 6], [NAN, NAN, 6]], Broken(answer, batch=True))
    np.testing.assert_array_equal(made.points["broken"][0], [[NAN, NAN], [1, 1], [NAN, NAN]])
    assert made.reasons["broken", 0].startswith("failed")
    assert made.reasons["broken", 2] == "short: 1 figures, 2 needed"
    assert ("broken", 1) not in made.reasons


def test_only_rows_in_scope_are_asked():
    made, spy = rolled([[1, 2, 3], [4, 5, 6], [7, 8, 9]], scope={"spy": np.array([1])})
    assert len(spy.seen) == 1
    assert np.isfinite(made.points["spy"]).all(axis=(0, 2)).tolist() == [False, True, False]
    assert made.reasons == {("spy", 0): "not asked for this series", ("spy", 2): "not asked for this series"}


def test_more_series_than_a_block_all_get_their_own_answer():
    values = np.arange(30.0)[:, None] + np.arange(4.0)
    made, _ = rolled(values)
    np.testing.assert_array_equal(made.points["spy"][0], values[:, -1:] + np.arange(2))


def test_an_executor_gives_the_same_answers():
    values = np.array(list(growing(14, 8).values()))
    with ThreadPoolExecutor(2) as executor:
        made, _ = rolled(values, models.get("theta"), executor=executor)
    alone, _ = rolled(values, models.get("theta"))
    np.testing.assert_array_equal(made.points["theta"], alone.points["theta"])


def test_warnings_of_a_fit_do_not_reach_the_user_even_when_it_sets_its_own_filter():
    def answer(n, h):
        warnings.simplefilter("always")
        warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
        return np.ones((n, h))

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        rolled([[1, 2, 3]], Broken(answer, batch=False))
    assert seen == []


@pytest.mark.parametrize("horizon", [0, -1])
def test_a_horizon_of_nothing_is_refused(horizon):
    with pytest.raises(SpecError, match=f"horizon {horizon}: at least 1 period"):
        rolled([[1, 2, 3]], horizon=horizon)
