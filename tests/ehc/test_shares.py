"""Shares of requests, need, placement and cause: they add up, and lean on the region where counts are few."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pytest

from forecast.ehc import ages
from forecast.ehc.figures import Figures
from forecast.ehc.shares import AGE_PRIOR, CAUSES, NEEDS, PLACEMENTS, REQUEST_PRIOR, Shares, by_share, fitted_shares
from forecast.errors import InputError

STOCKPORT, HACKNEY = "E08000007", "E09000012"
NORTH_WEST = "E12000002"


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


@pytest.fixture(scope="module")
def shares(figures) -> Shares:
    return fitted_shares(figures)


def of_areas(figures: Figures, measure: str, codes: Collection[str], *, by: str, labels: Sequence[str], **fixed: str):
    """Sum of published counts of authorities."""
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq(measure) & rows["area_code"].isin(codes) & rows["ds"].dt.year.isin([2023, 2024])]
    for name in {"age", "need", "placement", "cause"} - {by}:
        rows = rows[rows[name].eq(fixed.get(name, ""))]
    return rows.groupby(by)["y"].sum().reindex(list(labels)).to_numpy(dtype=float)


def need_of(figures: Figures, code: str, age: str):
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq("need_share") & rows["area_code"].eq(code) & rows["age"].eq(age)]
    return rows[rows["placement"].eq("")].set_index("need")["y"][list(NEEDS)].to_numpy(dtype=float)


def north_west(figures: Figures) -> list[str]:
    return [area.code for area in figures.areas if area.region_code == NORTH_WEST]


def leaning(own, region, nation, worth):
    regional = (region + worth * nation / nation.sum()) / (region.sum() + worth)
    return (own + worth * regional) / (own.sum() + worth)


def test_shares_add_up_in_every_area(figures, shares):
    for code in figures.codes:
        area = shares.of(code)
        for table in (area.requests, area.need, area.placement, area.cause):
            assert (table >= 0).all()
            np.testing.assert_allclose(table.sum(axis=-1), 1)


def test_own_requests_lean_on_the_region_s(figures, shares):
    parts = [
        of_areas(figures, "requests", codes, by="age", labels=ages.REQUEST_AGES)
        for codes in ([STOCKPORT], north_west(figures), figures.codes)
    ]
    found = shares.of(STOCKPORT).requests
    np.testing.assert_allclose(found, leaning(*parts, REQUEST_PRIOR))
    assert abs(found - parts[0] / parts[0].sum()).sum() < abs(found - parts[1] / parts[1].sum()).sum()


def test_placement_at_an_age_leans_on_the_region_s(figures, shares):
    parts = [
        of_areas(figures, "caseload", codes, by="placement", labels=PLACEMENTS, age="12")
        for codes in ([STOCKPORT], north_west(figures), figures.codes)
    ]
    np.testing.assert_allclose(shares.of(STOCKPORT).placement[12], leaning(*parts, AGE_PRIOR))


def test_need_is_the_region_s_and_changes_with_age(figures, shares):
    need = shares.of(STOCKPORT).need
    np.testing.assert_allclose(need[10], need_of(figures, NORTH_WEST, "10") / 100, atol=0.002)
    slcn, semh = NEEDS.index("slcn"), NEEDS.index("semh")
    assert need[4, slcn] > 4 * need[15, slcn]
    assert need[15, semh] > 4 * need[4, semh]
    np.testing.assert_array_equal(need, shares.of(north_west(figures)[0]).need)


def test_causes_by_age(shares):
    cause = shares.of(STOCKPORT).cause
    assert cause[8].argmax() == CAUSES.index("moved_la")
    assert cause[19].argmax() == CAUSES.index("no_longer_engages")
    assert cause[25, CAUSES.index("max_age")] == 1


def test_what_is_not_the_area_s_own_is_said(shares):
    hackney, stockport = shares.of(HACKNEY), shares.of(STOCKPORT)
    assert [note.split(" ")[0] for note in stockport.notes] == ["Need"]
    assert [note.split(" ")[0] for note in hackney.notes] == ["Need", "Requests", "Placement"]


def test_england_stands_in_where_a_region_is_not_known(figures):
    rows = figures.breakdowns
    london = [area.code for area in figures.areas if area.region_name == "London"]
    unknown = rows["area_code"].isin([*london, "E12000007"]) & ~rows["measure"].eq("new_plans")
    without = fitted_shares(replace(figures, breakdowns=rows[~unknown])).of(HACKNEY)
    others = [code for code in figures.codes if code not in london]
    england = of_areas(figures, "requests", others, by="age", labels=ages.REQUEST_AGES)
    np.testing.assert_allclose(without.requests, england / england.sum())
    np.testing.assert_allclose(without.need[10], need_of(figures, "E92000001", "10") / 100, atol=0.002)


def test_parts_sum_to_the_whole(shares):
    stock = np.random.default_rng(4).gamma(1, 50, (6, 3, 26))
    area = shares.of(STOCKPORT)
    for table in (area.need, area.placement, area.cause):
        np.testing.assert_allclose(by_share(stock, table).sum(axis=2), stock.sum(axis=2))


def test_before_requests_by_age_were_published(figures):
    with pytest.raises(InputError, match="by age"):
        fitted_shares(figures.until(2022))
