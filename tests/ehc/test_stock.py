"""The January stock by single age, and what stands in for ages that are not published."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.ehc import ages
from forecast.ehc.figures import Figures
from forecast.ehc.hazards import MODELLED, CohortRates, fitted_cohort
from forecast.ehc.stock import STOCK_LABELS, age_shares, caseload_total, earlier_stock, national_stock
from forecast.errors import InputError

STOCKPORT, HACKNEY = "E08000007", "E09000012"


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


@pytest.fixture(scope="module")
def rates(figures) -> CohortRates:
    return fitted_cohort(figures)


def test_openings_add_up_to_the_published_caseload(figures, rates):
    for code in figures.codes:
        area = rates.of(code)
        assert area.opening.sum() == pytest.approx(figures.of("caseload").loc[code, 2024])
        assert (area.opening >= 0).all()
    assert rates.of(STOCKPORT).opening[4] == 142


def test_an_area_without_ages_has_those_of_its_region_and_says_so(rates):
    area = rates.of(HACKNEY)
    assert area.opening.sum() == 3525
    assert any("London" in note for note in area.notes)
    assert rates.of(STOCKPORT).notes == (MODELLED,)


def test_a_missing_january_is_moved_with_the_nation(figures):
    stock = figures.of("caseload").copy()
    stock.loc[STOCKPORT, 2024] = np.nan
    area = fitted_cohort(replace(figures, totals={**figures.totals, "caseload": stock})).of(STOCKPORT)
    assert area.opening.sum() == pytest.approx(2827 * 576_474 / 517_048)
    assert "2023" in area.notes[0]


def test_no_caseload_at_all_is_an_error(figures):
    stock = figures.of("caseload").copy()
    stock.loc[STOCKPORT] = np.nan
    known = replace(figures, totals={**figures.totals, "caseload": stock})
    with pytest.raises(InputError, match="Stockport"):
        caseload_total(known, STOCKPORT)


def test_england_s_ages_stand_in_where_a_region_has_none(figures):
    london = [area.code for area in figures.areas if area.region_name == "London"]
    rows = figures.breakdowns
    shares, whose = age_shares(replace(figures, breakdowns=rows[~rows["area_code"].isin(london)]))
    others = figures.by_age("caseload", year=2024).drop(index=london)[list(STOCK_LABELS)].sum().to_numpy(dtype=float)
    assert whose[figures.row(HACKNEY)] == "of England"
    np.testing.assert_allclose(shares[figures.row(HACKNEY)][3:], others[1:] / others.sum())


def test_stock_of_the_year_before_grows_into_the_bands(figures):
    closing = national_stock(figures)
    earlier = earlier_stock(figures, closing)
    assert closing.sum() == pytest.approx(576_474)
    assert earlier.sum() == pytest.approx(517_048)
    rows = figures.breakdowns
    rows = rows[rows["measure"].eq("caseload") & rows["geographic_level"].eq("national") & rows["ds"].dt.year.eq(2022)]
    bands = rows.set_index("age")["y"]
    for label, sums in ages.band_sums(np.stack([earlier, closing]), ages.BANDS).items():
        assert sums[0] == pytest.approx(np.sqrt(bands[label] * sums[1]), rel=0.04)


def test_without_bands_the_stock_of_the_year_before_has_the_same_ages(figures):
    rows = figures.breakdowns
    closing = national_stock(figures)
    earlier = earlier_stock(replace(figures, breakdowns=rows[~rows["age"].isin(ages.BANDS)]), closing)
    np.testing.assert_allclose(earlier / earlier.sum(), closing / closing.sum())
