"""Rates of the cohort: published facts, hazards recovered from made-up figures, and what an area adds."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.ehc import ages
from forecast.ehc.caseload import run_cohort
from forecast.ehc.figures import ENGLAND, Figures
from forecast.ehc.hazards import (
    LEVEL_BOUNDS,
    RESIDUAL_AGES,
    AreaCohort,
    CohortRates,
    exposed,
    fitted_cohort,
    national_residuals,
    published_residuals,
    shifted,
)
from forecast.ehc.stock import STOCK_LABELS
from forecast.errors import InputError
from forecast.reference.areas import Area

STOCKPORT = "E08000007"


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


@pytest.fixture(scope="module")
def rates(figures) -> CohortRates:
    return fitted_cohort(figures)


MOVED = 0.1


def made_up(hazards: np.ndarray, new: np.ndarray) -> Figures:
    """One area that is all of England and stands still; a tenth of those who leave come back as others."""
    to_event = ages.stock_to_event()
    stock = np.zeros(26)
    stock[0] = new[0]
    for age in range(25):
        net = (1 - MOVED) * hazards[age]
        stock[age + 1] = stock[age] * (1 - net) + new[age + 1] * (1 - net / 2)
    lost = np.append(0.0, hazards * exposed(stock, new)) @ to_event
    stock_rows = [(age, "", y) for age, y in zip(STOCK_LABELS, [stock[:3].sum(), *stock[3:]], strict=True)]
    flow_rows = {
        "ceased": [
            *((age, "", y) for age, y in zip(ages.REQUEST_AGES, lost, strict=True)),
            *((age, "moved_la", MOVED * y) for age, y in zip(ages.REQUEST_AGES, lost, strict=True)),
            ("", "moved_la", MOVED * lost.sum()),
        ],
        "new_plans": [(age, "", y) for age, y in zip(ages.REQUEST_AGES, new @ to_event[:26], strict=True)],
    }
    rows = [
        (measure, level, code, ds, *row)
        for level, code in (("national", ENGLAND), ("local_authority", "E01"))
        for measure, ds, of in (
            ("caseload", "2024-01-01", stock_rows),
            ("ceased", "2023-01-01", flow_rows["ceased"]),
            ("new_plans", "2023-01-01", flow_rows["new_plans"]),
        )
        for row in of
    ]
    columns = ["measure", "geographic_level", "area_code", "ds", "age", "cause", "y"]
    breakdowns = pd.DataFrame(rows, columns=columns).assign(need="", placement="")
    breakdowns["ds"] = pd.to_datetime(breakdowns["ds"])
    totals = {
        "caseload": pd.Series(stock.sum(), index=[2023, 2024]),
        "new_plans": pd.Series(new.sum(), index=[2023]),
        "ceased": pd.Series(lost.sum(), index=[2023]),
    }
    return Figures(
        areas=(Area("E01", "Made-up", "local_authority", "E12000001", "Region", "000", True),),
        totals={name: line.to_frame("E01").T for name, line in totals.items()},
        aggregates={name: line.to_frame(ENGLAND).T for name, line in totals.items()},
        breakdowns=breakdowns,
        pupils=pd.DataFrame(),
        last_flow=2023,
    )


def test_published_residuals(figures):
    assert published_residuals(figures).loc[STOCKPORT, [2022, 2023]].tolist() == [28, 117]
    assert national_residuals(figures).loc[[2022, 2023]].tolist() == [11_811, 14_417]


def test_plans_issued_leave_less_unexplained_than_new_plans(figures, rates):
    """England 2022 and 2023: residuals 11,811 and 14,417; moves 9,400 and 11,231; issued 1,959 and 1,496 above new."""
    rest = np.array([11_811 - 9_400 - 1_959, 14_417 - 11_231 - 1_496]) / np.array([473_255, 517_048])
    young = rates.stock[:18].sum() / rates.stock.sum()
    assert rates.residual == pytest.approx(rest.mean() / young, rel=1e-6)


def test_two_thirds_cease_at_18_or_over(figures, rates):
    published = figures.national_by_age("ceased")[list(ages.REQUEST_AGES)].astype(float)
    old = published[["18", "19", "20+"]].sum() / published.sum()
    lost = np.append(0.0, rates.hazards * exposed(rates.stock, rates.new_plans)) @ ages.stock_to_event()
    assert 0.65 < old < 0.70
    assert lost[16:].sum() / lost.sum() == pytest.approx(old, abs=0.01)
    np.testing.assert_allclose(lost[4:], published.to_numpy()[4:], rtol=0.09)


def test_hazards_rise_at_the_ends_of_phases(rates):
    assert rates.hazards[-1] == 1
    assert ((rates.hazards > 0) & (rates.hazards <= 1)).all()
    assert rates.hazards[5:15].max() < 0.04
    assert rates.hazards[17] > 2 * rates.hazards[16] > 2 * rates.hazards[15]
    assert (np.diff(rates.hazards[17:]) > 0).all()


def test_children_who_leave_one_area_come_to_another(figures, rates):
    at_risk = exposed(rates.stock, rates.new_plans)
    rows = figures.breakdowns
    moved = rows[rows["cause"].eq("moved_la") & rows["geographic_level"].eq("national") & rows["age"].eq("")]
    assert rates.moves @ at_risk == pytest.approx(float(moved.set_index("ds")["y"]["2023-01-01"]), rel=1e-6)
    assert (rates.moves <= rates.hazards * 1.001).all()


def test_known_hazards_are_recovered():
    hazards = np.interp(np.arange(26), [0, 16, 17, 24, 25], [0.03, 0.05, 0.18, 0.6, 1.0])
    new = 3000.0 * np.interp(np.arange(26), [0, 2, 4, 10, 17, 25], [0.0, 0.1, 1.0, 0.5, 0.1, 0.0])
    known = made_up(hazards, new)
    found = fitted_cohort(known)
    np.testing.assert_allclose(found.hazards[5:23], hazards[5:23], rtol=0.08)
    np.testing.assert_allclose(found.moves[5:23], MOVED * hazards[5:23], rtol=0.15)
    assert found.residual == pytest.approx(0, abs=0.001)
    assert found.of("E01").cease_level == pytest.approx(1, abs=0.01)


def test_the_account_of_the_year_it_was_fitted_on_closes(figures, rates):
    """From the estimated stock of January 2023, England's cohort comes to the published total of January 2024."""
    residual = rates.residual * RESIDUAL_AGES
    flows = run_cohort(
        rates.stock,
        new=rates.new_plans[None, None],
        hazards=rates.hazards,
        transfers=rates.moves,
        residual=residual,
    )
    assert flows.caseload[0, 1] == pytest.approx(figures.national["caseload"][2024], rel=0.005)
    closing = figures.national_by_age("caseload", year=2024)[list(STOCK_LABELS)].to_numpy(dtype=float)
    np.testing.assert_allclose(flows.stock[0, 1, 5:23], closing[3:21], rtol=0.08)


def net_loss(area: AreaCohort) -> float:
    return float(((area.hazards - area.transfers - area.residual) * area.opening)[:25].sum())


def test_what_an_area_says_of_ceasing_leaves_its_net_loss(figures, rates):
    ceased = figures.of("ceased").copy()
    ceased.loc[STOCKPORT] *= 1.5
    more = fitted_cohort(replace(figures, totals={**figures.totals, "ceased": ceased})).of(STOCKPORT)
    plain = rates.of(STOCKPORT)
    assert more.cease_level > plain.cease_level + 0.2
    assert (more.hazards[5:24] > plain.hazards[5:24]).all()
    assert net_loss(more) == pytest.approx(net_loss(plain), rel=1e-6)


def test_areas_lose_what_the_nation_does(figures, rates):
    areas = [rates.of(code) for code in figures.codes]
    stock = sum(area.opening for area in areas)
    nation = ((rates.hazards - rates.moves - rates.residual * RESIDUAL_AGES) * stock)[:25].sum()
    assert sum(net_loss(area) for area in areas) == pytest.approx(nation, rel=0.02)


def test_who_kept_few_past_school_keeps_few(figures, rates):
    def kept(area: AreaCohort) -> float:
        return float(area.opening[20:].sum() / area.opening[16:20].sum())

    areas = sorted((rates.of(code) for code in figures.codes), key=kept)
    few, many = areas[15], areas[-15]
    assert few.hazards[18] / few.cease_level > many.hazards[18] / many.cease_level
    np.testing.assert_allclose(few.hazards[8] / few.cease_level, many.hazards[8] / many.cease_level, rtol=0.02)


def test_levels_are_shrunk_to_the_nation(figures, rates):
    levels = np.array([rates.of(code).cease_level for code in figures.codes])
    assert LEVEL_BOUNDS[0] < levels.min() < 1 < levels.max() < LEVEL_BOUNDS[1]
    assert np.median(levels) == pytest.approx(1, abs=0.1)


def test_before_single_ages_were_published_there_is_no_cohort(figures):
    with pytest.raises(InputError, match="by age"):
        fitted_cohort(figures.until(2022))


def test_ceased_plans_by_age_are_needed(figures):
    rows = figures.breakdowns
    with pytest.raises(InputError, match="ceased of England by age, 2023"):
        fitted_cohort(replace(figures, breakdowns=rows[~rows["measure"].eq("ceased")]))


def test_residual_varies_by_what_was_measured(rates):
    rng = np.random.default_rng(3)
    area = rates.of(STOCKPORT)
    own, shared = rng.normal(size=(4000, 2)), rng.normal(size=(4000, 2))
    paths = area.residual_paths(own=own, shared=shared)
    assert paths.shape == (4000, 2, 26)
    np.testing.assert_allclose(paths[:, :, 5].std(), np.hypot(0.031, 0.0025), rtol=0.05)
    np.testing.assert_allclose(paths.mean(axis=(0, 1)), area.residual, atol=0.002)
    assert not paths[..., 18:].any()


def test_exposure_is_the_stock_and_half_of_the_new():
    new = np.arange(26.0)
    np.testing.assert_allclose(shifted(new), [*range(1, 26), 0])
    np.testing.assert_allclose(exposed(np.ones(26), new), 1 + np.array([*range(1, 26), 0]) / 2)
