"""What the hindcast scores, on made-up cells; what its runs see of the bundled figures; what it prints and records."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from experiments import ehc_hindcast
from experiments.ehc_hindcast import (
    age_table,
    aged,
    area_tables,
    by_origin,
    cohort_cells,
    cohort_tables,
    errors,
    in_time,
    log_to_mlflow,
    pipeline_of,
    stage_cells,
    stage_tables,
    stockport_table,
    true_lines,
)
from forecast.ehc import Figures, ages
from forecast.ehc.figures import STOCKS
from forecast.ehc.hazards import fitted_cohort
from forecast.ehc.shares import fitted_shares
from jobs import tracking
from jobs.tracking_store import StoreFault

STOCKPORT, LEEDS = "E08000007", "E08000035"
BOTH = (STOCKPORT, LEEDS)


@pytest.fixture(scope="module")
def figures():
    return Figures.bundled()


@pytest.fixture(scope="module")
def rates(figures):
    return fitted_cohort(figures)


def without_later(figures, last, *, told=()):
    """Figures that hold nonsense after a year of flows, but for measures that a run is told of."""
    totals = {name: table.copy() for name, table in figures.totals.items()}
    for name, table in totals.items():
        if name not in told:
            table.loc[:, table.columns > last + (name in STOCKS)] = 7.0
    return replace(figures, totals=totals)


def test_errors_are_of_the_sum_and_of_its_parts():
    found = errors(np.array([12.0, 6.0]), np.array([10.0, 10.0]))
    assert found == {"sum": pytest.approx(-10.0), "WAPE": pytest.approx(30.0)}


def test_origins_count_the_same_in_the_mean():
    cells = pd.DataFrame({"ahead": 1, "origin": [2019, 2019, 2019, 2020], "size": [1.0, 2.0, 3.0, 10.0]})
    table = by_origin(cells, lambda rows: {"mean": rows["size"].mean()})
    assert table["mean"].to_dict() == {(1, 2019): 2.0, (1, 2020): 10.0, (1, "mean"): 6.0}


def test_stages_are_scored_against_last_years_over_the_same_areas():
    line = {"plans": [90.0, 60.0], "plans, before": [80.0, np.nan], "plans, true": [100.0, 50.0]}
    line |= {f"assessments{end}": values for end, values in zip(("", ", before", ", true"), line.values(), strict=True)}
    line |= {"share": [0.5, 0.5], "share, before": [0.9, 0.1], "share, true": [0.6, 0.4]}
    line |= {"limited": [0.6, 0.2], "refusing": [0.6, 0.4]}
    tables = dict(stage_tables(pd.DataFrame(line).assign(origin=2020, ahead=1)))
    plans = tables["plans with true requests, %"].loc[(1, 2020)]
    assert plans.to_dict() == {
        "sum": pytest.approx(-10),
        "WAPE": pytest.approx(10),
        "sum, last year's": pytest.approx(-20),
        "WAPE, last year's": pytest.approx(20),
    }
    shares = next(table for title, table in tables.items() if "20-week" in title).loc[(1, 2020)]
    assert shares[["pipeline", "last year's", "capacity", "and true refusals"]].tolist() == pytest.approx(
        [10, 30, 10, 0]
    )
    assert shares["bias, capacity"] == pytest.approx(-10)
    assert shares[["change, pipeline", "change, capacity"]].tolist() == pytest.approx([1, 1])


def test_weights_go_from_the_cohort_to_the_top_down_forecast():
    line = {"alone": [121.0, 90.0], "topdown": [100.0, 110.0], "given": [100.0, np.nan], "even": [90.0, 1.0]}
    cells = pd.DataFrame(line | {"true": [100.0, 100.0]}).assign(origin=2020, ahead=2)
    caseload, given = (table.loc[(2, 2020)] for _, table in cohort_tables(cells))
    assert caseload["0"] == pytest.approx(15.5)
    assert caseload["0.5"] == pytest.approx((10 + 100 - 9900**0.5) / 2)
    assert caseload["1"] == pytest.approx(5)
    assert caseload["correlation"] == pytest.approx(-1)
    assert given.tolist() == pytest.approx([0, 0, 10])


def test_a_stage_run_sees_nothing_after_its_origin_but_what_it_is_told(figures):
    cells = stage_cells(figures, 2021, BOTH)
    assert cells[["origin", "ahead"]].to_numpy().tolist() == [[2021, 1], [2021, 2]] * 2
    told = ("requests", "assessments_completed")
    blind = stage_cells(without_later(figures, 2021, told=told), 2021, BOTH)
    seen = ["plans", "assessments", "share", "limited", "plans, before"]
    pd.testing.assert_frame_equal(cells[seen], blind[seen])
    issued = figures.of("assessments_issued")
    assert cells["plans, before"].tolist() == issued.loc[list(BOTH), 2021].repeat(2).tolist()
    assert cells["plans, true"].tolist() == issued.loc[list(BOTH), [2022, 2023]].to_numpy().ravel().tolist()
    assert cells["plans"].iloc[0] == pytest.approx(cells["plans, true"].iloc[0], rel=0.2)  # Stockport, 2022
    assert len(stage_cells(figures, 2022, BOTH)) == 2


def test_a_pipeline_holds_to_a_capacity_and_to_what_is_refused(figures):
    run = pipeline_of(figures.until(2021), STOCKPORT, fitted_shares(figures).of(STOCKPORT).requests, 2)
    asked = np.array([700.0, 700.0])
    free, limited = run(asked), run(asked, np.array([200.0, 300.0]))
    assert free.requests[0] == pytest.approx(asked)
    assert (limited.completed[0] <= [200.0 + 1e-9, 300.0 + 1e-9]).all()
    assert (in_time(limited) <= in_time(free)).all()
    refused = run(asked, refused=np.array([0.4, 0.1])).refused[0]
    assert refused[0] > free.refused[0, 0] and refused[1] < refused[0]


def test_true_lines_are_what_was_published(figures):
    lines = {name: line.loc[STOCKPORT] for name, line in true_lines(figures).items()}
    assert lines["refusal"][2023] == pytest.approx(106 / (106 + 622))
    assert lines["share"][2021] == pytest.approx(0.941, abs=0.001)
    assert lines["assessments"][2023] == 441


def test_stockports_share_falls_as_published(figures):
    table = stockport_table(figures)
    assert table.index.tolist() == [2021, 2022, 2023]
    assert table["published"].round(1).tolist() == [94.1, 49.4, 9.8]
    assert (table["even"].diff().dropna() < -20).all()
    assert table["even"].sub(table["published"]).abs().max() < 20


@pytest.mark.parametrize("january", [2019, 2023])
def test_a_stock_of_bands_keeps_their_shares_and_the_caseload(figures, rates, january):
    there = aged(figures, rates, january)
    assert there.figures.last_flow == january - 1
    opening = there.of(STOCKPORT).opening
    assert opening.sum() == pytest.approx(figures.of("caseload").loc[STOCKPORT, january])
    bands = figures.by_age("caseload", year=min(january, 2022)).loc[STOCKPORT, list(ages.BANDS)].fillna(0.0)
    sums = np.array(list(ages.band_sums(opening, ages.BANDS).values()))
    assert sums[1:] / sums[1:].sum() == pytest.approx((bands.iloc[1:] / bands.iloc[1:].sum()).tolist())
    assert opening[11:16] / opening[11] == pytest.approx(rates.stock[11:16] / rates.stock[11])


def test_a_cohort_starts_from_its_january(figures, rates):
    cells = cohort_cells(figures, 2022, BOTH, rates)
    assert cells[["origin", "ahead"]].to_numpy().tolist() == [[2022, 1], [2022, 2]] * 2
    caseload = figures.of("caseload").loc[list(BOTH), [2023, 2024]].to_numpy().ravel()
    assert cells["true"].tolist() == caseload.tolist()
    for name in ("alone", "topdown", "given", "even"):
        assert cells[name].to_numpy() == pytest.approx(caseload, rel=0.2)
    blind = cohort_cells(without_later(figures, 2021), 2022, BOTH, rates)
    assert blind["topdown"].tolist() == cells["topdown"].tolist()
    assert blind["alone"].tolist() == cells["alone"].tolist()


def test_ages_of_flows_are_those_reached_in_the_year(figures):
    missed = age_table(figures).loc[2023]
    assert missed["age reached in the year"] == pytest.approx(8_700, rel=0.05)
    assert missed["age on the day"] == pytest.approx(21_500, rel=0.05)


def test_ceasing_of_areas_repeats_itself_and_what_is_left_open_does_not(figures):
    (_, repeated), (_, lost) = area_tables(figures)
    assert repeated.loc[2023].round(2).to_dict() == {"ceased": 0.34, "residual": -0.02, "net loss": 0.07}
    assert lost.index.tolist() == list(range(2018, 2024))
    assert lost["% of the stock"].between(4.5, 5.1).all()


@pytest.fixture
def few(monkeypatch, tmp_path):
    """One origin each, three areas, and a folder to write to."""
    monkeypatch.setattr(ehc_hindcast, "STAGE_ORIGINS", (2022,))
    monkeypatch.setattr(ehc_hindcast, "COHORT_ORIGINS", (2023,))
    monkeypatch.setattr(ehc_hindcast, "QUICK_EVERY", 60)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_main_prints_all_tables_and_says_when_nothing_was_recorded(few, capsys):
    (few / "mlflow.db").mkdir()
    ehc_hindcast.main(["--quick"])
    said = capsys.readouterr()
    assert said.out.startswith("3 local authorities\n")
    parts = (
        "plans with true requests",
        "assessments with",
        "20-week share of areas",
        "Stockport",
        "Caseload, WAPE",
        "Caseload given",
    )
    assert all(part in said.out for part in (*parts, "Account of England", "rank correlation 2022 to 2023", "Net loss"))
    assert "nan" not in said.out.lower()
    assert "not recorded" in said.err and "--no-mlflow" in said.err


def test_main_records_nothing_if_told_so(few, capsys, monkeypatch):
    monkeypatch.setattr(
        ehc_hindcast, "run", lambda figures, codes: iter([("Areas", pd.DataFrame({"n": [len(codes)]}))])
    )
    ehc_hindcast.main(["--no-mlflow"])
    said = capsys.readouterr()
    assert said.out.startswith(f"{len(Figures.bundled().codes)} local authorities") and not said.err
    assert list(few.iterdir()) == []


TABLES = {
    "Plans, %": by_origin(
        pd.DataFrame({"ahead": [1, 1, 2], "origin": [2019, 2020, 2019], "x": [1.0, 3.0, 5.0]}),
        lambda rows: {"sum, last year's": float(rows["x"].sum())},
    ),
    "Net loss": pd.DataFrame({"% of the stock": [4.5, 5.0]}, [2022, 2023]),
}


def test_a_store_that_cannot_be_used_is_a_fault(tmp_path):
    (tmp_path / "mlflow.db").mkdir()
    with pytest.raises(StoreFault):
        log_to_mlflow(TABLES, uri=f"sqlite:///{tmp_path / 'mlflow.db'}", quick=True)


@pytest.mark.slow
def test_mlflow_has_the_means_by_years_ahead(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in tracking.ENVIRONMENT:
        monkeypatch.setenv(name, "")
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    log_to_mlflow(TABLES, uri=uri, quick=True)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    (run,) = client.search_runs([client.get_experiment_by_name("ehc_hindcast").experiment_id])
    assert (run.info.status, run.data.params["quick"]) == ("FINISHED", "True")
    history = {
        name: {each.step: each.value for each in client.get_metric_history(run.info.run_id, name)}
        for name in run.data.metrics
    }
    assert history == {
        "Plans per cent/sum last years": {1: 2.0, 2: 5.0},
        "Net loss/per cent of the stock": {2022: 4.5, 2023: 5.0},
    }
