"""Top-down caseload: a stock and its flows for the nation, and areas that part from it as their requests say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast import forecast_panel
from forecast.ehc.figures import ENGLAND, Figures
from forecast.ehc.growth import NATIONAL_RULES, CaseloadGrowth, caseload_path
from forecast.errors import SpecError
from forecast.panel import Panel, Window
from forecast.reference.areas import Area

ORIGIN = 2024
JANUARIES = range(2010, ORIGIN + 1)
FLOWS = range(2009, ORIGIN)
N = 40
CODES = [f"E{i:08d}" for i in range(N)]
GROWTH = 0.08
EFFECT = 0.1


def figures(*, seed: int = 5, effect: float = EFFECT, momentum: float = 0.0) -> Figures:
    """Areas that outgrow the nation by `effect` times the log of accepted requests over caseload, less the nation's."""
    rng = np.random.default_rng(seed)
    apart = rng.normal(0, 0.3, (N, len(JANUARIES)))
    caseload = np.empty((N, len(JANUARIES)))
    caseload[:, 0] = rng.uniform(500, 6000, N)
    step = np.zeros(N)
    for t in range(1, len(JANUARIES)):
        step = effect * apart[:, t - 1] + momentum * step + rng.normal(0, 0.003, N)
        caseload[:, t] = caseload[:, t - 1] * np.exp(GROWTH + step)
    stock = pd.DataFrame(caseload, index=CODES, columns=JANUARIES)
    accepted = pd.DataFrame(0.2 * caseload * np.exp(apart), index=CODES, columns=FLOWS)
    return Figures(
        areas=tuple(Area(code, code, "local_authority", "E12000002", "North West", "000", True) for code in CODES),
        totals={"caseload": stock, "requests": 1.25 * accepted, "requests_refused": 0.25 * accepted},
        aggregates={
            "caseload": stock.sum().to_frame(ENGLAND).T,
            "new_plans": pd.Series(0.15 * stock.sum().to_numpy(), index=list(FLOWS)).to_frame(ENGLAND).T,
        },
        breakdowns=pd.DataFrame(),
        pupils=pd.DataFrame(rng.uniform(2, 4, (N, 9)), index=CODES, columns=range(2016, ORIGIN + 1)),
        last_flow=ORIGIN - 1,
    )


def window_of(table: pd.DataFrame, *, period: int = 1, measure: str = "caseload") -> Window:
    dates = pd.DatetimeIndex([f"{year}-01-01" for year in table.columns])
    ids = tuple(f"{measure}/{code}" for code in table.index)
    return Window(ids, table.to_numpy(), dates, period, np.full(len(ids), ""))


def changed(known: Figures, **tables: pd.DataFrame) -> Figures:
    return replace(known, totals={**known.totals, **tables})


def spoilt_after(table: pd.DataFrame, year: int) -> pd.DataFrame:
    """Put other figures of another size in every year after one."""
    late = np.random.default_rng(1).uniform(1, 1e6, table.shape)
    return table.where(np.broadcast_to(table.columns.to_numpy() <= year, table.shape), late)


@pytest.mark.parametrize("fade", [0.0, 0.8, 1.0])
def test_the_national_path_is_a_stock_with_an_inflow_and_exits(fade: float):
    before, now, new = 500_000.0, 560_000.0, 82_000.0
    exits = (new - (now - before)) / before
    growth, stock, expected = np.log(now / before), now, []
    for year in range(1, 13):
        new *= (now / before) ** (fade**year)
        stock += new - exits * stock
        expected.append(stock / now)
    path = caseload_path(growth, 82_000 / 560_000, 12, fade=fade)
    np.testing.assert_allclose(path, expected)


def test_a_fade_of_one_repeats_the_last_growth():
    np.testing.assert_allclose(caseload_path(0.1, 0.15, 12, fade=1.0), np.exp(0.1 * np.arange(1, 13)))


def test_growth_slows_every_year_when_the_inflow_fades():
    growth = np.diff(np.log(caseload_path(0.109, 0.146, 12, fade=0.8)), prepend=0.0)
    assert (np.diff(growth) < 0).all()
    assert 0 < growth[-1] < 0.055


def test_a_nation_without_published_plans_fades_its_growth():
    np.testing.assert_allclose(caseload_path(0.1, np.nan, 3, fade=0.5), np.exp([0.05, 0.075, 0.0875]))


@pytest.mark.parametrize(("growth", "inflow"), [(3.0, 0.1), (-3.0, 0.1), (0.3, 0.0), (-0.2, 5.0)])
def test_odd_figures_of_the_nation_neither_explode_nor_turn_negative(growth: float, inflow: float):
    path = caseload_path(growth, inflow, 12, fade=0.8)
    assert np.isfinite(path).all()
    assert (path >= 0).all()
    carried_on = np.exp(min(max(growth, 0.0), np.log(1.5)) * np.arange(1, 13))
    assert (path <= carried_on + 1e-9).all()
    assert growth < 0 or path[-1] < 0.7 * carried_on[-1]


@pytest.mark.parametrize("rule", NATIONAL_RULES)
@pytest.mark.parametrize("area_part", [True, False])
def test_areas_sum_to_the_national_path(rule: str, area_part: bool):
    known = figures()
    stock = known.of("caseload")
    points = CaseloadGrowth(known, national_rule=rule, area_part=area_part).forecast(window_of(stock), 12)
    total = stock.sum()
    growth = np.log(total[ORIGIN] / total[ORIGIN - 1])
    inflow = known.national["new_plans"][ORIGIN - 1] / total[ORIGIN]
    fade = {"fading_inflow": 0.8, "last_growth": 1.0, "steady_inflow": 0.0}[rule]
    np.testing.assert_allclose(points.sum(axis=0), total[ORIGIN] * caseload_path(growth, inflow, 12, fade=fade))


def test_the_effect_of_requests_is_learnt_from_all_areas_and_fades():
    known = figures()
    stock = known.of("caseload")
    accepted = known.of("requests")[ORIGIN - 1] - known.of("requests_refused")[ORIGIN - 1]
    apart = np.log(accepted / stock[ORIGIN])
    points = CaseloadGrowth(known).forecast(window_of(stock), 3)
    moved = np.diff(np.log(points / stock[[ORIGIN]].to_numpy()), axis=1, prepend=0.0)
    slopes = [np.polyfit(apart, step, 1)[0] for step in moved.T]
    np.testing.assert_allclose(slopes, EFFECT * 0.8 ** np.arange(3), rtol=0.1)


def test_momentum_is_learnt_and_spent_in_a_year():
    known = figures(effect=0.0, momentum=0.6)
    stock = known.of("caseload")
    points = CaseloadGrowth(known).forecast(window_of(stock), 3)
    last = np.log(stock[ORIGIN] / stock[ORIGIN - 1])
    moved = np.diff(np.log(points / stock[[ORIGIN]].to_numpy()), axis=1, prepend=0.0)
    slopes = [np.polyfit(last, step, 1)[0] for step in moved.T]
    np.testing.assert_allclose(slopes, [0.6, 0.0, 0.0], atol=0.1)


def test_an_area_with_more_plans_for_its_pupils_falls_behind():
    known = figures(effect=0.0)
    rng = np.random.default_rng(2)
    percent = pd.DataFrame(np.exp(rng.normal(1, 0.3, (N, len(JANUARIES)))), index=CODES, columns=JANUARIES)
    apart = np.log(percent.to_numpy()) - np.median(np.log(percent.to_numpy()), axis=0)
    drawn = np.concatenate([np.zeros((N, 1)), apart[:, :-1].cumsum(axis=1)], axis=1)
    stock = known.of("caseload") * np.exp(-EFFECT * drawn)
    requests = {m: known.of(m) * (stock / known.of("caseload")).to_numpy() for m in ("requests", "requests_refused")}
    made = replace(changed(known, caseload=stock, **requests), pupils=percent)
    moved = np.log(CaseloadGrowth(made).forecast(window_of(stock), 1)[:, 0] / stock[ORIGIN])
    assert np.polyfit(apart[:, -1], moved, 1)[0] == pytest.approx(-EFFECT, rel=0.15)


def test_a_wild_figure_of_requests_is_drawn_in():
    known = figures()
    stock = known.of("caseload")
    requests = known.of("requests").copy()
    requests.loc[CODES[0], ORIGIN - 1] = 100 * stock.loc[CODES[0], ORIGIN]
    growth = np.log(
        CaseloadGrowth(changed(known, requests=requests)).forecast(window_of(stock), 1)[:, 0] / stock[ORIGIN]
    )
    assert growth.iloc[0] == pytest.approx(growth.median() + EFFECT * 3 * 0.3, abs=EFFECT * 0.3)


def test_refused_requests_feed_no_caseload():
    known = figures()
    stock = known.of("caseload")
    refused = known.of("requests_refused").copy()
    refused.loc[CODES[0], ORIGIN - 1] *= 3
    before = CaseloadGrowth(known).forecast(window_of(stock), 1)[0, 0]
    assert CaseloadGrowth(changed(known, requests_refused=refused)).forecast(window_of(stock), 1)[0, 0] < 0.98 * before


def test_without_an_area_part_all_areas_grow_alike():
    known = figures()
    stock = known.of("caseload")
    growth = CaseloadGrowth(known, area_part=False).forecast(window_of(stock), 4) / stock[[ORIGIN]].to_numpy()
    np.testing.assert_allclose(growth, np.broadcast_to(growth[0], growth.shape))


def test_nothing_after_the_origin_is_looked_at():
    known, origin = figures(), 2020
    late = replace(
        known,
        totals={m: spoilt_after(t, origin if m == "caseload" else origin - 1) for m, t in known.totals.items()},
        aggregates={
            "caseload": spoilt_after(known.aggregates["caseload"], origin),
            "new_plans": spoilt_after(known.aggregates["new_plans"], origin - 1),
        },
        pupils=spoilt_after(known.pupils, origin),
    )
    window = window_of(known.of("caseload").loc[:, :origin])
    np.testing.assert_array_equal(CaseloadGrowth(late).forecast(window, 5), CaseloadGrowth(known).forecast(window, 5))


def test_an_area_s_points_do_not_depend_on_which_are_asked_for():
    known = figures()
    stock = known.of("caseload")
    model = CaseloadGrowth(known)
    everything = model.forecast(window_of(stock), 5)
    some = stock.loc[[CODES[7], CODES[2]], 2019:]
    np.testing.assert_allclose(model.forecast(window_of(some), 5), everything[[7, 2]])


def test_a_national_total_is_followed_by_its_growth_and_the_rule_beyond():
    known = figures()
    stock = known.of("caseload")
    given = {ORIGIN: 50.0, ORIGIN + 1: 60.0, ORIGIN + 2: 66.0}
    total = CaseloadGrowth(known, national_total=given).forecast(window_of(stock), 4).sum(axis=0)
    by_rule = CaseloadGrowth(known).forecast(window_of(stock), 4).sum(axis=0)
    now = stock[ORIGIN].sum()
    np.testing.assert_allclose(total[:2], [1.2 * now, 1.32 * now])
    np.testing.assert_allclose(total[2:] / total[1:3], by_rule[2:] / by_rule[1:3])


def test_an_area_without_requests_moves_as_one_with_the_median_area_s_and_says_so():
    known = figures()
    stock = known.of("caseload")
    requests = known.of("requests").copy()
    requests.loc[CODES[0]] = np.nan
    model = CaseloadGrowth(changed(known, requests=requests))
    points, said = model.explained(window_of(stock), 1)
    assert said[0] == "area part without accepted requests: taken as the median area's"
    assert said[1:] == [""] * (N - 1)
    growth = np.log(points[:, 0] / stock[ORIGIN])
    assert abs(growth.iloc[0] - growth.median()) < EFFECT * 0.1


def test_last_year_s_requests_stand_in_for_suppressed_ones():
    known = figures()
    stock = known.of("caseload")
    requests = known.of("requests").copy()
    requests.loc[CODES[0], ORIGIN - 2] = 0.9 * stock.loc[CODES[0], ORIGIN - 1]
    requests.loc[CODES[0], ORIGIN - 1] = np.nan
    points, said = CaseloadGrowth(changed(known, requests=requests)).explained(window_of(stock), 1)
    growth = np.log(points[:, 0] / stock[ORIGIN])
    assert said[0] == ""
    assert growth.iloc[0] > growth.median() + EFFECT * 0.3
    requests.loc[CODES[0], ORIGIN - 2] = np.nan
    _, said = CaseloadGrowth(changed(known, requests=requests)).explained(window_of(stock), 1)
    assert said[0] != ""


def test_an_area_in_its_first_year_has_no_momentum():
    known = figures()
    stock = known.of("caseload").copy()
    stock.loc[CODES[0], : ORIGIN - 1] = np.nan
    points, said = CaseloadGrowth(changed(known, caseload=stock)).explained(window_of(stock), 12)
    assert said[0] == "area part without last year's growth: taken as the median area's"
    assert (points[0] > stock.loc[CODES[0], ORIGIN]).all()


def test_missing_is_never_zero_and_zero_stays():
    known = figures()
    stock = known.of("caseload").copy()
    stock.loc[CODES[0], ORIGIN] = np.nan
    stock.loc[CODES[1]] = np.nan
    stock.loc[CODES[2], ORIGIN] = 0.0
    points = CaseloadGrowth(changed(known, caseload=stock), area_part=False).forecast(window_of(stock), 2)
    others = stock.drop(index=CODES[:3]).sum()
    carried = stock.loc[CODES[0], ORIGIN - 1] * others[ORIGIN] / (others[ORIGIN - 1] + stock.loc[CODES[2], ORIGIN - 1])
    np.testing.assert_allclose(points[0] / points[3], carried / stock.loc[CODES[3], ORIGIN])
    assert np.isnan(points[1]).all()
    assert (points[2] == 0).all()


def test_an_area_the_figures_lack_is_forecast_by_what_the_window_has():
    known = figures()
    stock = known.of("caseload")
    stranger = stock.iloc[[0]].set_axis(["X1"])
    points, said = CaseloadGrowth(known).explained(window_of(stranger), 2)
    assert np.isfinite(points).all()
    assert said == ["area part without accepted requests, share of pupils: taken as the median area's"]


def test_areas_stand_in_for_a_nation_that_is_not_published():
    known = figures()
    stock = known.of("caseload")
    alone = replace(known, aggregates={"new_plans": known.aggregates["new_plans"]})
    total = CaseloadGrowth(alone, national_rule="last_growth").forecast(window_of(stock), 2).sum(axis=0)
    now, before = stock[ORIGIN].sum(), stock[ORIGIN - 1].sum()
    np.testing.assert_allclose(total, now * (now / before) ** np.array([1, 2]))


def test_origins_before_any_requests_are_answered_only_on_demand():
    known = figures()
    flows = {m: known.of(m).loc[:, 2016:] for m in ("requests", "requests_refused")}
    window = window_of(known.of("caseload").loc[:, :2016])
    assert np.isnan(CaseloadGrowth(changed(known, **flows)).forecast(window, 2)).all()
    assert np.isfinite(CaseloadGrowth(changed(known, **flows), before_requests=True).forecast(window, 2)).all()
    assert np.isfinite(
        CaseloadGrowth(changed(known, **flows)).forecast(window_of(known.of("caseload").loc[:, :2017]), 2)
    ).all()


def test_a_single_year_of_everything_stays_where_it_is():
    known = figures()
    stock = known.of("caseload")[[ORIGIN]]
    alone = replace(changed(known, caseload=stock), aggregates={})
    points = CaseloadGrowth(alone).forecast(window_of(stock), 2)
    np.testing.assert_allclose(points, np.repeat(stock.to_numpy(), 2, axis=1))


def test_requests_are_all_accepted_where_refusals_were_never_published():
    known = figures()
    totals = {m: t for m, t in known.totals.items() if m != "requests_refused"}
    stock = known.of("caseload")
    without = CaseloadGrowth(replace(known, totals=totals)).forecast(window_of(stock), 3)
    np.testing.assert_allclose(without, CaseloadGrowth(known).forecast(window_of(stock), 3))


def test_what_cannot_be_asked_is_refused():
    known = figures()
    stock = known.of("caseload")
    with pytest.raises(SpecError, match="national_rule 'half': not a rule for the caseload; there are fading_inflow"):
        CaseloadGrowth(known, national_rule="half")
    with pytest.raises(SpecError, match="national_total of 2025: 0; a total above 0 is needed"):
        CaseloadGrowth(known, national_total={2024: 1.0, 2025: 0.0})
    with pytest.raises(SpecError, match="caseload with 12 periods a year"):
        CaseloadGrowth(known).forecast(window_of(stock, period=12), 1)
    with pytest.raises(SpecError, match="series 'requests/E00000000': not a caseload"):
        CaseloadGrowth(known).forecast(window_of(stock, measure="requests"), 1)


@pytest.fixture(scope="module")
def published() -> tuple[Figures, pd.DataFrame]:
    """Bundled figures, and the caseload of the areas whose series is complete."""
    known = Figures.bundled()
    stock = known.of("caseload")
    return known, stock.loc[stock.gt(0).all(axis=1), :2024]


def wapes(model: CaseloadGrowth, stock: pd.DataFrame) -> np.ndarray:
    """Mean over the origins from January 2018 of the WAPE 1, 3 and 5 years ahead, in per cent."""
    found = []
    for ahead in (1, 3, 5):
        by_origin = []
        for origin in range(2018, 2025 - ahead):
            points = model.forecast(window_of(stock.loc[:, :origin]), ahead)[:, -1]
            by_origin.append(np.abs(points - stock[origin + ahead]).sum() / stock[origin + ahead].sum())
        found.append(100 * np.mean(by_origin))
    return np.array(found)


def test_on_published_figures_it_beats_the_nation_s_last_growth(published: tuple[Figures, pd.DataFrame]):
    known, stock = published
    gain = wapes(CaseloadGrowth(known), stock) / wapes(
        CaseloadGrowth(known, area_part=False, national_rule="last_growth"), stock
    )
    assert (gain < [0.90, 0.88, 0.88]).all()


def test_given_the_true_nation_the_area_part_is_worth_its_keep(published: tuple[Figures, pd.DataFrame]):
    known, stock = published
    truth = stock.sum().to_dict()
    with_part = wapes(CaseloadGrowth(known, national_total=truth), stock)
    without = wapes(CaseloadGrowth(known, national_total=truth, area_part=False), stock)
    assert (with_part / without < [0.91, 0.92, 0.95]).all()


def test_areas_and_england_to_2036_stay_in_bounds(published: tuple[Figures, pd.DataFrame]):
    known, stock = published
    growth = CaseloadGrowth(known).forecast(window_of(stock), 12)[:, -1] / stock[2024]
    assert growth.between(1.5, 4.0).all()


def test_intervals_come_from_origins_it_could_answer(published: tuple[Figures, pd.DataFrame]):
    known, stock = published
    long = stock.iloc[:40].melt(ignore_index=False, var_name="year", value_name="y").reset_index(names="code")
    frame = pd.DataFrame(
        {
            "unique_id": "caseload/" + long["code"],
            "ds": pd.to_datetime(long["year"].astype(str) + "-01-01"),
            "y": long["y"],
        }
    )
    made = forecast_panel(
        Panel.from_frame(frame, freq="YS", groups=()), model=CaseloadGrowth(known), horizon=12, seed=1
    )
    table = made.to_frame(levels=[80])
    width = ((table["hi-80"] - table["lo-80"]) / table["median"]).groupby(table["ds"].dt.year).median()
    assert 0.05 < width[2025] < 0.2
    assert width.is_monotonic_increasing
    assert set(made.ledger["status"]) == {"ok"}
