"""Requests: a national path by a named rule, and areas that come back to the nation and sum to it."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast import forecast_panel
from forecast.calendar import Intervention
from forecast.ehc.figures import Figures
from forecast.ehc.pooled import PRIOR_PAIRS
from forecast.ehc.requests import NATIONAL_RULES, RequestGrowth, national_path, pupils, undisturbed
from forecast.errors import SpecError
from forecast.panel import Panel, Window
from forecast.reference.areas import Area

LAST = 2019
YEARS = range(2011, LAST + 1)
N = 30
CODES = [f"E{i:08d}" for i in range(N)]
TOTAL_GROWTH = np.array([0.10, 0.12, 0.08, 0.11, 0.30, 0.10, 0.09, 0.14])


def figures(*, seed: int = 3) -> Figures:
    """Areas whose requests per pupil, against the nation's, come a third of the way back every year."""
    rng = np.random.default_rng(seed)
    children = rng.uniform(8e3, 2e5, N)
    apart = np.empty((N, len(YEARS)))
    apart[:, 0] = rng.normal(0, 0.4, N)
    for t in range(1, len(YEARS)):
        apart[:, t] = 2 / 3 * apart[:, t - 1] + rng.normal(0, 0.05, N)
    requests = 0.01 * children[:, None] * np.exp(apart + np.concatenate([[0.0], TOTAL_GROWTH.cumsum()]))
    januaries = range(2014, LAST + 2)
    percent = pd.DataFrame(rng.uniform(2, 4, (N, len(januaries))), index=CODES, columns=januaries)
    return Figures(
        areas=tuple(Area(code, code, "local_authority", "E12000002", "North West", "000", True) for code in CODES),
        totals={
            "requests": pd.DataFrame(requests, index=CODES, columns=YEARS),
            "caseload": percent.mul(children, axis=0) / 100,
        },
        aggregates={},
        breakdowns=pd.DataFrame({"measure": pd.Series(dtype=str), "ds": pd.Series(dtype="datetime64[ns]")}),
        pupils=percent,
        last_flow=LAST,
    )


def window_of(table: pd.DataFrame, *, period: int = 1, measure: str = "requests") -> Window:
    dates = pd.DatetimeIndex([f"{year}-01-01" for year in table.columns])
    ids = tuple(f"{measure}/{code}" for code in table.index)
    return Window(ids, table.to_numpy(), dates, period, np.full(len(ids), ""))


def growth_of(table: pd.DataFrame) -> np.ndarray:
    return np.diff(np.log(table.sum().to_numpy()))


def spoilt_after(table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Put other figures of another size in every year after one."""
    late = np.random.default_rng(1).uniform(1, 1e6, table.shape)
    return table.where(np.broadcast_to(table.columns.to_numpy() <= year, table.shape), late)


@pytest.mark.parametrize("rule", NATIONAL_RULES)
@pytest.mark.parametrize("area_part", [True, False])
def test_areas_sum_to_the_national_path(rule: str, area_part: bool):
    known = figures()
    table = known.of("requests")
    points = RequestGrowth(known, national_rule=rule, area_part=area_part).forecast(window_of(table), 12)
    path = national_path(growth_of(table), LAST, 12, rule=rule)
    np.testing.assert_allclose(points.sum(axis=0), table[LAST].sum() * np.exp(path))


def test_an_area_comes_back_to_the_nation_s_requests_per_pupil():
    known = figures()
    table = known.of("requests")
    rate = np.log(table[LAST].to_numpy() / pupils(known, table.index))
    points = RequestGrowth(known).forecast(window_of(table), 3)
    moved = np.log(points / table[[LAST]].to_numpy())
    ahead = np.arange(1, 4)
    pairs = N * (len(YEARS) - ahead)
    back = (1 - (2 / 3) ** ahead) * pairs / (pairs + PRIOR_PAIRS)
    np.testing.assert_allclose(np.polyfit(rate, moved, 1)[0], -back, atol=0.04)


def test_without_the_area_part_all_grow_as_the_nation():
    table = figures().of("requests")
    points = RequestGrowth(figures(), area_part=False).forecast(window_of(table), 2)
    grown = points / table[[LAST]].to_numpy()
    np.testing.assert_allclose(grown, grown[:1].repeat(N, axis=0))


def test_nothing_after_the_origin_is_looked_at():
    known = figures()
    early = window_of(known.of("requests").loc[:, :2016])
    later = replace(
        known,
        totals={
            measure: spoilt_after(frame, 2016 + (measure == "caseload")) for measure, frame in known.totals.items()
        },
        pupils=spoilt_after(known.pupils, 2017),
    )
    expected = RequestGrowth(known).forecast(early, 3)
    np.testing.assert_array_equal(RequestGrowth(later).forecast(early, 3), expected)
    assert not np.allclose(RequestGrowth(later).forecast(window_of(known.of("requests")), 3)[:, 0], expected[:, 0])


def test_an_area_alone_is_forecast_as_among_all():
    table = figures().of("requests")
    model = RequestGrowth(figures())
    among = model.forecast(window_of(table), 4)
    np.testing.assert_allclose(model.forecast(window_of(table.iloc[[7]]), 4), among[[7]])
    turned = model.forecast(window_of(table.iloc[::-1]), 4)
    np.testing.assert_allclose(turned[::-1], among)


def test_the_true_total_is_followed_as_far_as_it_is_given():
    table = figures().of("requests")
    total = table[LAST].sum()
    truth = {LAST: total, LAST + 1: 0.9 * total, LAST + 2: 1.5 * total}
    points = RequestGrowth(figures(), national_rule="median", national_total=truth).forecast(window_of(table), 3)
    after = np.exp(np.median(growth_of(table)))
    np.testing.assert_allclose(points.sum(axis=0), total * np.array([0.9, 1.5, 1.5 * after]))
    with pytest.raises(SpecError, match="national_total: 2019, the origin, is missing"):
        RequestGrowth(figures(), national_total={2020: 1.0}).forecast(window_of(table), 1)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("median", [0.12, 0.12, 0.12]),
        ("mean", [0.15, 0.15, 0.15]),
        ("mean_3", [0.18, 0.18, 0.18]),
        ("last", [0.08, 0.08, 0.08]),
        ("reverting", [0.10, 0.11, 0.115]),
    ],
)
def test_rules_by_hand(rule: str, expected: list[float]):
    growth = np.array([0.09, 0.12, 0.34, 0.12, 0.08])
    path = national_path(growth, 2019, 3, rule=rule)
    np.testing.assert_allclose(path, np.cumsum(expected))


def test_covid_says_nothing_of_the_trend():
    calm, ill = np.array([0.1, 0.14, 0.12]), np.array([0.1, 0.14, 0.12, -0.5, 0.7])
    for rule in NATIONAL_RULES:
        expected = national_path(calm, 2019, 5, rule=rule)
        np.testing.assert_array_equal(national_path(ill[:4], 2020, 5, rule=rule), expected)
        np.testing.assert_array_equal(national_path(ill, 2021, 5, rule=rule), expected)
    assert national_path(ill, 2021, 1, rule="last", interventions=()) == pytest.approx(0.7)


def test_growths_that_an_intervention_disturbs():
    step = Intervention("person-level return", "step", date(2022, 1, 1))
    hold = Intervention("strike", "hold", date(2018, 5, 1), date(2018, 8, 1))
    ramp = Intervention("roll-out", "ramp", date(2018, 1, 1), date(2019, 12, 31))
    assert undisturbed(2016, 2023, [step]).tolist() == [True] * 5 + [False, True]
    assert undisturbed(2016, 2020, [hold]).tolist() == [True, False, False, True]
    assert undisturbed(2016, 2021, [ramp]).tolist() == [True, False, False, True, True]
    assert undisturbed(2016, 2021, [step]).all(), "not begun yet"


def test_with_nothing_but_disturbed_growths_these_are_used():
    assert national_path(np.array([0.2]), 2020, 1, rule="median") == pytest.approx(0.2)
    assert (national_path(np.empty(0), 2020, 3, rule="median") == 0).all()


@pytest.mark.parametrize("rule", NATIONAL_RULES)
def test_the_long_run_adds_at_most_one_more_year_of_growth(rule: str):
    growth = np.array([0.2, 0.1, 0.3, 0.15])
    path = national_path(growth, 2019, 40, rule=rule)
    assert (np.diff(path) > 0).all()
    assert path[-1] - path[2] <= path[2] - path[1] + 0.01


def test_pupils_are_caseload_over_the_share_with_a_plan():
    known = figures()
    known.pupils.loc[CODES[0], [2015, 2016]] = np.nan
    known.pupils.loc[CODES[1]] = np.nan
    known.totals["caseload"].loc[CODES[2]] = np.nan
    caseload, percent = known.of("caseload"), known.pupils
    found = pupils(known, pd.Index([*CODES[:3], "E99999999"]))
    middle = percent.median()
    of_first = [100 * caseload.loc[CODES[0], y] / percent.loc[CODES[0]].fillna(middle)[y] for y in percent.columns]
    assert found[0] == pytest.approx(np.exp(np.mean(np.log(of_first))))
    assert found[1] == pytest.approx(np.exp(np.mean(np.log(100 * caseload.loc[CODES[1]] / middle))))
    assert np.isnan(found[2:]).all()


def test_areas_with_gaps_and_strangers_are_forecast_and_those_without_figures_are_not():
    known = figures()
    table = known.of("requests").copy()
    table.loc["E99999999"] = 500.0
    table.loc[CODES[4], [2013, LAST]] = np.nan
    table.loc[CODES[5], :2015] = np.nan
    without = known.of("requests").copy()
    without.loc[[CODES[4], CODES[6]]] = np.nan
    table.loc[CODES[6]] = np.nan
    points = pd.DataFrame(
        RequestGrowth(replace(known, totals={**known.totals, "requests": without})).forecast(window_of(table), 2),
        index=table.index,
    )
    assert points.loc[CODES[6]].isna().all()
    assert np.isfinite(points.drop(index=CODES[6])).all(axis=None)
    assert (points.drop(index=CODES[6]) > 0).all(axis=None)


def test_a_year_that_is_not_out_yet_is_forecast_too():
    table = figures().of("requests")
    later = table.assign(**{"2020": np.nan}).rename(columns={"2020": 2020})
    model = RequestGrowth(figures())
    np.testing.assert_allclose(model.forecast(window_of(later), 2), model.forecast(window_of(table), 3)[:, 1:])
    nothing = window_of(pd.DataFrame(np.nan, index=["E99999999"], columns=[2000, 2001]))
    assert np.isnan(model.forecast(nothing, 2)).all()


def test_what_it_does_not_forecast_is_refused():
    table = figures().of("requests")
    with pytest.raises(SpecError, match="national rule 'best': the known ones are reverting, median"):
        RequestGrowth(figures(), national_rule="best")
    with pytest.raises(SpecError, match="period 12"):
        RequestGrowth(figures()).forecast(window_of(table, period=12), 1)
    with pytest.raises(SpecError, match="series 'caseload/E00000000'"):
        RequestGrowth(figures()).forecast(window_of(table, measure="caseload"), 1)


def test_a_panel_is_forecast_to_the_long_run_with_intervals():
    table = figures().of("requests")
    long = table.rename_axis("area").reset_index().melt(id_vars="area", var_name="year", value_name="y")
    frame = pd.DataFrame(
        {"unique_id": "requests/" + long["area"], "ds": pd.to_datetime(long["year"].astype(str)), "y": long["y"]}
    )
    made = forecast_panel(Panel.from_frame(frame, freq="YS", groups=()), model=RequestGrowth(figures()), horizon=12)
    assert made.ledger["status"].eq("ok").all()
    at_end = np.quantile(np.asarray(made.paths).sum(axis=0)[-1], [0.1, 0.5, 0.9]) / table[LAST].sum()
    assert 1 < at_end[0] < at_end[1] < at_end[2] < 6


def test_on_published_requests_the_area_part_earns_its_place():
    known = Figures.bundled()
    table = known.of("requests").loc[:, 2016:2023]
    table = table[table.gt(0).all(axis=1)]
    truth = {int(year): float(total) for year, total in table.sum().items()}
    missed = dict.fromkeys([True, False], 0.0)
    for origin in range(2019, 2023):
        window, actual = window_of(table.loc[:, :origin]), table[origin + 1].to_numpy()
        for area_part in missed:
            points = RequestGrowth(known, national_total=truth, area_part=area_part).forecast(window, 1)[:, 0]
            missed[area_part] += np.abs(points - actual).sum() / actual.sum()
    assert missed[True] < 0.95 * missed[False]
