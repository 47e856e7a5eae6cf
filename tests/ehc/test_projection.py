"""All stages together: accounts hold on every path, areas add up, overrides do what they say."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast import ehc
from forecast.ehc import Assumptions, Figures, Override, PlanningTable, Projection
from forecast.ehc.history import published
from forecast.ehc.nation import Nation, prepared
from forecast.ehc.projection import members_of, project_each
from forecast.errors import SpecError
from forecast.reference import find_area

UNTIL, PATHS = 2027, 80
STOCKPORT = "E08000007"
# Reviewed by hand: an authority made in 2023, two without recent requests, one without ages, the smallest.
ODD = ("E06000063", "E06000016", "E09000012", "E06000031", "E06000053")


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


@pytest.fixture(scope="module")
def nation(figures) -> Nation:
    return prepared(figures, until=UNTIL, assumptions=Assumptions(), n_paths=PATHS, seed=3)


def told(nation, *overrides, code=STOCKPORT, **given) -> Projection:
    return next(project_each(nation, [code], assumptions=Assumptions(overrides=overrides, **given)))


@pytest.fixture(scope="module")
def plain(nation) -> Projection:
    return told(nation)


@pytest.fixture(scope="module")
def odd(nation) -> list[Projection]:
    return list(project_each(nation, ODD, assumptions=Assumptions()))


def account(p: Projection) -> None:
    """Check that the caseload's account holds on every path, and that its parts add up."""
    stock, flows = p.paths["caseload"], p.paths
    closing = stock[:, :-1] + flows["new_plans"] - flows["ceased"] + flows["transfers_in"] + flows["residual"]
    assert np.allclose(stock[:, 1:], closing + flows["adjustment"], rtol=1e-9)
    for part in ("age", "need", "placement"):
        assert np.allclose(flows[f"caseload/{part}"].sum(axis=2), stock, rtol=1e-9)
    assert np.allclose(flows["ceased/cause"].sum(axis=2), flows["ceased"], rtol=1e-9)
    assert np.allclose(flows["requests/age"].sum(axis=2), flows["requests"], rtol=1e-9)
    assert np.allclose(flows["plans_issued"], flows["new_plans"], rtol=1e-9)
    assert np.allclose(flows["decisions"], flows["refused"] + flows["withdrawn"] + flows["agreed"], rtol=1e-9)
    assert np.allclose(flows["assessments_completed"], flows["plans_issued"] + flows["no_plan"], rtol=1e-9)
    signed = {"residual", "adjustment"}
    assert all((array >= 0).all() for name, array in flows.items() if name not in signed)
    for name, array in flows.items():
        summed = name.startswith("month:") and name.removeprefix("month:") in flows
        if summed and name != "month:backlog" and not name.endswith("_a_week"):
            assert np.allclose(array.reshape(PATHS, -1, 12).sum(axis=2), flows[name.removeprefix("month:")]), name


def test_the_account_holds_on_every_path(plain):
    account(plain)


def test_the_account_holds_for_odd_areas(odd):
    for one in odd:
        account(one)
        table = one.table().query("status != 'published' and measure != 'timeliness_20_week'")
        assert not table.isna().to_numpy().any()
        assert one.frame("caseload")["median"].gt(0).all()


def test_the_account_holds_under_overrides(nation):
    account(
        told(
            nation,
            Override(what="refusal", start=date(2025, 3, 1), value=0.4, ages=(0, 4)),
            Override(what="requests", start=date(2025, 9, 1), multiply=1.5),
            Override(what="cease", start=date(2026, 1, 1), multiply=2.0, ages=(19, 25)),
            Override(what="transfers_in", start=date(2026, 1, 1), multiply=0.0),
            capacity=30,
        )
    )


def test_published_figures_come_first(plain):
    table = plain.table()
    assert table.loc[table["status"].eq("published") & table["measure"].eq("requests"), "median"].tolist() == [
        286, 247, 337, 362, 329, 512, 705, 790,
    ]  # fmt: skip
    assert plain.paths["caseload"][:, 0] == pytest.approx(3115)
    years = table[table["measure"].eq("caseload") & table["by"].eq("")].set_index("ds")["status"]
    assert years[pd.Timestamp("2024-01-01")] == "published"
    assert years[pd.Timestamp("2025-01-01")] == "projected"
    assert years.index.is_unique


def test_frames_are_quantiles_of_paths(plain):
    frame = plain.caseload(by="need", levels=(50, 90))
    slcn = frame[frame["need"].eq("slcn")]
    paths = plain.paths["caseload/need"][:, 1:, 1 if frame["need"].unique()[1] == "slcn" else 0]
    assert slcn["ds"].dt.year.tolist() == [2025, 2026, 2027, 2028]
    assert np.allclose(slcn["lo-50"], np.quantile(paths, 0.25, axis=0))
    assert np.allclose(slcn["hi-90"], np.quantile(paths, 0.95, axis=0))
    assert np.allclose(slcn["mean"], paths.mean(axis=0))


def test_bands_and_tables_are_sums_of_ages(nation):
    table = PlanningTable("school", "School age", {"Primary": (4, 10), "Secondary": (11, 15)}, 2)
    one = told(nation, tables=(table,))
    ages = one.paths["caseload/age"][:, 1:]
    frame = one.frame("caseload", by="table:school")
    assert frame["ds"].dt.year.unique().tolist() == [2025, 2026]
    primary = frame[frame["table:school"].eq("Primary")]
    assert np.allclose(primary["mean"], ages[:, :2, 4:11].sum(axis=2).mean(axis=0))
    bands = one.caseload(by="age_band")
    assert np.allclose(bands.groupby("ds")["mean"].sum(), one.caseload()["mean"])
    assert np.allclose(one.requests(by="age_band").groupby("ds")["mean"].sum(), one.requests()["mean"])


def test_stock_flow_adds_up(plain):
    flow = plain.stock_flow()
    inflow = flow["new_plans"] - flow["ceased"] + flow["transfers_in"] + flow["residual"] + flow["adjustment"]
    assert np.allclose(flow["opening"] + inflow, flow["closing"])
    assert flow["opening"].tolist()[1:] == pytest.approx(flow["closing"].tolist()[:-1])


def test_adjustment_is_told_against_the_cohorts_alone(plain):
    told_size = plain.adjustment()
    first = plain.paths["adjustment"].mean(axis=0)[0]
    assert told_size["mean"].iloc[0] == pytest.approx(first)
    assert told_size["share"].iloc[0] == pytest.approx(100 * first / (plain.caseload()["mean"].iloc[0] - first))


def test_areas_sum_to_the_nation_on_every_path(nation, figures):
    region = find_area("North East")
    members = list(project_each(nation, members_of(region, figures), assumptions=Assumptions()))
    whole = Projection.total(members, region, history=published(figures, region.code))
    for name, array in whole.paths.items():
        assert np.allclose(array, sum(one.paths[name] for one in members)), name
    account(whole)
    assert set(whole.members) == {one.area.code for one in members}
    timely = whole.timeliness()["mean"]
    assert timely.between(*np.sort([one.timeliness()["mean"].iloc[0] for one in members])[[0, -1]]).iloc[0]
    assert np.allclose(nation.requests[[figures.row(c) for c in whole.members]].sum(axis=0), whole.paths["requests"])


def test_the_same_seed_gives_the_same_paths_whatever_else_is_projected(nation, figures, plain):
    again = prepared(figures, until=UNTIL, assumptions=Assumptions(), n_paths=PATHS, seed=3)
    others = {p.area.code: p for p in project_each(again, [ODD[0], STOCKPORT], assumptions=Assumptions())}
    assert all((others[STOCKPORT].paths[name] == plain.paths[name]).all() for name in plain.paths)
    other_seed = prepared(figures, until=UNTIL, assumptions=Assumptions(), n_paths=PATHS, seed=4)
    assert (told(other_seed).paths["requests"] != plain.paths["requests"]).any()


def test_a_refusal_rate_from_a_date_moves_plans_by_the_arithmetic(nation, plain):
    """Of requests decided after the date, 0.30 instead of 0.20 are refused: a tenth of them fewer agreed."""
    start = date(2025, 9, 1)
    low, high = (told(nation, Override(what="refusal", start=start, value=v)) for v in (0.2, 0.3))
    months = pd.date_range("2024-01-01", periods=48, freq="MS")
    before = months < pd.Timestamp(start)
    agreed = {name: p.paths["month:agreed"] for name, p in (("low", low), ("high", high), ("plain", plain))}
    assert np.allclose(agreed["low"][:, before], agreed["plain"][:, before])
    whole = slice(1 + before.sum(), None)
    decided = (low.paths["refused"] + low.paths["agreed"] + low.paths["withdrawn"])[:, 2:]
    assert np.allclose((high.paths["refused"] - low.paths["refused"])[:, 2:], 0.1 * decided)
    assert (agreed["high"][:, whole] < agreed["low"][:, whole]).all()
    last = (low.paths["caseload"] - high.paths["caseload"])[:, -1]
    issued = (low.paths["plans_issued"] - high.paths["plans_issued"]).sum(axis=1)
    assert (last > 0).all()
    alone = (low.paths["caseload_alone"] - high.paths["caseload_alone"])[:, -1]
    assert ((alone > 0.9 * issued) & (alone < 1.03 * issued)).all()  # all but the few that ceased already
    assert 0.6 < np.median(last / alone) < 1.05  # less what the adjustment takes of each new plan
    assert high.baseline is not None
    assert np.allclose(high.baseline.paths["caseload"], plain.paths["caseload"])


def test_a_capacity_is_never_exceeded_and_the_rest_waits(nation, plain):
    tight = told(nation, capacity=25)
    assert (tight.paths["month:assessments_completed"] <= 25 + 1e-9).all()
    assert (tight.paths["plans_issued"] <= tight.paths["assessments_completed"] + 1e-9).all()
    spared = (plain.paths["assessments_completed"] - tight.paths["assessments_completed"]).sum(axis=1)
    assert np.allclose(tight.paths["backlog"][:, -1] - plain.paths["backlog"][:, -1], spared, rtol=1e-6)
    assert tight.timeliness()["median"].iloc[-1] < plain.timeliness()["median"].iloc[-1]
    assert (tight.paths["caseload"][:, -1] < plain.paths["caseload"][:, -1]).all()


def test_a_capacity_of_last_year_goes_on_much_as_last_year(nation, figures):
    same = told(nation, capacity=441 / 12)
    grown = np.diff(same.paths["caseload"], axis=1).mean(axis=0)
    assert figures.line("caseload", STOCKPORT)[2024] - figures.line("caseload", STOCKPORT)[2023] == 288
    assert 0.5 * 288 < grown[0] < 1.3 * 288
    assert (grown > 0).all()


def test_a_capacity_is_one_authoritys(nation):
    with pytest.raises(SpecError, match="it is one authority's, and 2 are projected"):
        next(project_each(nation, [STOCKPORT, ODD[0]], assumptions=Assumptions(capacity=25)))


def test_overrides_outside_the_projection_are_refused(nation):
    late = Override(what="refusal", start=date(2028, 1, 1), value=0.3)
    past = Override(what="refusal", start=date(2010, 1, 1), end=date(2012, 1, 1), value=0.3)
    with pytest.raises(SpecError, match="from 2028-01-01: the projection ends in 2027"):
        told(nation, late)
    with pytest.raises(SpecError, match="it ends on 2012-01-01, before the projection begins in 2024"):
        told(nation, past)


def test_requests_that_stand_in_are_noted(odd, plain):
    notes = {one.area.name: " ".join(one.notes) for one in odd}
    assert "the area's 836 of 2022 moved with those of England" in notes["Leicester"]
    assert "moved with those of England" not in " ".join(plain.notes)
    assert "Fewer than 20 requests a year" in notes["Isles of Scilly"]
    assert "Fewer than 20 requests a year" not in " ".join(plain.notes)


def test_every_projection_says_what_its_ranges_and_its_pace_rest_on(nation, plain):
    changed = told(nation, Override(what="refusal", start=date(2025, 1, 1), value=0.3))
    tight = told(nation, capacity=25)
    for one in (plain, changed, changed.baseline, tight.baseline):
        assert any("against 441 in 2023" in note for note in one.notes)
    assert tight.notes[-1].startswith("Under a capacity")
    later = told(nation, Override(what="capacity", start=date(2026, 1, 1), value=25.0))
    assert later.notes[-1].startswith("Until the capacity begins, assessments are taken")
    summed = Projection.total(iter([tight]), tight.area, history=tight.history)
    assert (summed.notes, summed.baseline.notes) == (tight.notes, plain.notes)
    assert all(any(note.startswith("Ranges of plans issued") for note in one.notes) for one in (plain, tight))


def test_more_early_years_requests_bring_that_many_more(nation, plain):
    early = told(nation, Override(what="requests", start=date(2025, 1, 1), multiply=1.2, ages=(0, 4)))
    change = early.paths["requests/age"] / plain.paths["requests/age"]
    assert np.allclose(change[:, 1:, :3], 1.2)
    assert np.allclose(change[:, 0], 1.0)
    assert np.allclose(change[:, :, 3:], 1.0)
    more = (early.paths["caseload/age"] - plain.paths["caseload/age"])[:, -1]
    assert (more.sum(axis=1) > 0).all()
    assert (more[:, :9].sum(axis=1) > 0).all()
    older = plain.paths["caseload/age"][:, -1, 9:].sum(axis=1)
    assert (np.abs(more[:, 9:].sum(axis=1)) < 0.03 * older).all()  # the adjustment alone


def test_a_change_during_a_year_leaves_the_months_before_alone(nation, plain):
    more = told(nation, Override(what="requests", start=date(2025, 9, 1), multiply=2.0))
    before, after = plain.paths["month:requests"], more.paths["month:requests"]
    assert np.allclose(after[:, :20], before[:, :20])
    assert np.allclose(after[:, 20:], 2 * before[:, 20:])
    late = plain.paths["month:requests"][:, 20:24].sum(axis=1)
    assert np.allclose(more.paths["requests"][:, 1], plain.paths["requests"][:, 1] + late)


def test_fewer_plans_that_cease_stay(nation, plain):
    kept = told(nation, Override(what="cease", start=date(2024, 1, 1), multiply=0.5))
    gained = kept.paths["caseload"][:, 1] - plain.paths["caseload"][:, 1]
    oldest = plain.paths["caseload/age"][:, 0, -1]
    spared = 0.5 * (plain.paths["ceased"][:, 0] - oldest)
    assert np.allclose(gained, spared, rtol=1e-6)


def test_what_disturbed_the_trend_is_an_assumption(figures, nation):
    told_otherwise = prepared(figures, until=UNTIL, assumptions=Assumptions(interventions=()), n_paths=PATHS, seed=3)
    assert np.median(told_otherwise.requests.sum(axis=0)[:, -1]) != np.median(nation.requests.sum(axis=0)[:, -1])
    assert (told_otherwise.caseload == nation.caseload).all()


def test_regions_and_retired_areas():
    with pytest.raises(SpecError, match=r"did you mean Stockport"):
        ehc.project("Stockprt")
    with pytest.raises(SpecError, match=r"Cumbria.*abolished, its figures end in 2023"):
        ehc.project("Cumbria")
    for until in (2023, 2041):
        with pytest.raises(SpecError, match=rf"until {until}: the figures end in 2023 and projections in 2040"):
            ehc.project("Stockport", until=until)


def test_as_of_sees_nothing_later(figures):
    then = Figures.bundled(as_of="2023-12-31")
    with pytest.raises(Exception, match="not known") as raised:
        prepared(then, until=2026, assumptions=Assumptions(), n_paths=10, seed=0)
    assert "later as-of date" in str(raised.value)


def test_an_unknown_measure_lists_those_there_are(plain):
    with pytest.raises(SpecError, match=r"no caseload by sex .* there are .*caseload by need"):
        plain.caseload(by="sex")


def test_the_story_in_one_call():
    one = ehc.project("Stockport", until=2026, n_paths=20, seed=1)
    assert one.requests()["ds"].dt.year.tolist() == [2024, 2025, 2026]
    assert list(one.timeliness().columns) == ["ds", "mean", "median", "lo-80", "hi-80"]
    assert one.ceased(by="cause")["cause"].nunique() == 10
    assert one.plans_issued()["median"].gt(0).all()
    assert one.backlog()["median"].gt(0).all()
    assert any("modelled" in note for note in one.notes)
    assert replace(one, until=2026).measures() == one.measures()


def test_monthly_requests_set_the_season_and_move_what_is_not_published(nation, figures):
    season = np.array([1.0, 1, 2, 1, 1, 2, 1, 0, 1, 1, 1, 0]) / 12
    counts = np.concatenate([705 * season, 790 * season, 1200 * season[:6]])
    frame = pd.DataFrame({"ds": pd.date_range("2022-01-01", periods=30, freq="MS"), "y": counts})
    monthly = {STOCKPORT: ehc.MonthlyRequests.from_frame(frame)}
    moved = next(project_each(nation, [STOCKPORT], assumptions=Assumptions(), monthly=monthly))
    account(moved)
    plain = told(nation)
    assert moved.requests()["median"].iloc[0] == pytest.approx(1150, rel=0.08)
    assert moved.requests()["median"].iloc[2] > 1.12 * plain.requests()["median"].iloc[2]
    more = (moved.paths["caseload"] - plain.paths["caseload"])[:, -1]
    issued = (moved.paths["plans_issued"] - plain.paths["plans_issued"]).sum(axis=1)
    assert 0.5 < np.median(more / issued) < 1.1
    share = moved.frame("requests", freq="MS")["mean"].to_numpy()[12:24] / moved.requests()["mean"].iloc[1]
    assert share == pytest.approx(season, abs=0.03)
    assert "January 2022 to June 2024" in moved.notes[0]
    assert "6 of 30 are of 2024 or later" in moved.notes[0]


def test_monthly_requests_are_of_one_authority():
    frame = pd.DataFrame({"ds": ["2024-01-01"], "y": [10.0]})
    with pytest.raises(SpecError, match="area 'England': monthly requests are those of one local authority"):
        ehc.project("England", monthly=frame)


def test_no_path_of_a_tiny_authority_runs_away(nation, figures):
    for paths in (nation.requests, nation.caseload):
        middle = np.median(paths, axis=1, keepdims=True)
        assert (paths <= 5.01 * (middle + 1) + 1e-9).all()
        assert (paths.max(axis=1) > 1.5 * middle[:, 0]).any()


def test_work_of_an_average_week_is_that_of_its_months(plain):
    months = plain.paths["month:decisions_due_a_week"][:, 12:24]
    weeks = np.array([5, 4, 4, 4, 5, 4, 5, 4, 4, 5, 4, 4])  # Thursdays in the months of 2025
    assert np.allclose(plain.paths["decisions_due_a_week"][:, 1], (months * weeks).sum(axis=1) / 52)


def test_bands_of_the_last_january_are_sums_of_published_ages(figures):
    history = published(figures, STOCKPORT)
    last = history[history["year"].eq(2024) & history["by"].eq("age_band")].set_index("category")["y"]
    assert last.sum() == 3115
    ages = figures.by_age("caseload").loc[STOCKPORT]
    assert last["20 to 25"] == ages[[str(age) for age in range(20, 26)]].sum()
    assert published(figures, "E06000031").query("year == 2024 and by == 'age_band'").empty


def test_a_future_with_many_requests_is_one_with_many_plans(nation, figures):
    for requests, caseload in (
        (nation.requests.sum(axis=0), nation.caseload.sum(axis=0)),
        (nation.requests[figures.row(STOCKPORT)], nation.caseload[figures.row(STOCKPORT)]),
    ):
        assert 0.7 < np.corrcoef(np.log(requests[:, -1]), np.log(caseload[:, -1]))[0, 1] <= 1
