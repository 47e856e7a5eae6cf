"""Ages on their bases: conversions against children with birthdays, and against two published tables."""

from datetime import date, timedelta

import numpy as np
import pytest

from forecast.ehc import ages
from forecast.ehc.figures import Figures
from forecast.ehc.hazards import fitted_cohort

CATEGORIES = len(ages.REQUEST_AGES)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


def children(age: int, n: int = 20_000) -> list[date]:
    """Birthdays of children aged `age` at 31 August 2023."""
    rng = np.random.default_rng(age)
    latest = date(2023 - age, 8, 31)
    return [latest - timedelta(days=int(day)) for day in rng.integers(0, 365, n)]


def completed(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def category(age: int) -> int:
    return next(i for i, (first, last) in enumerate(ages.REQUEST_AGE_SPANS) if first <= max(min(age, 25), 0) <= last)


def shares_of(found: list[int]) -> np.ndarray:
    return np.bincount([category(age) for age in found], minlength=CATEGORIES) / len(found)


@pytest.mark.parametrize("age", [1, 4, 11, 19, 25])
def test_published_event_age_is_year_less_year_of_birth(age):
    expected = shares_of([2023 - born.year for born in children(age)])
    np.testing.assert_allclose(ages.stock_to_event()[age], expected, atol=0.012)


@pytest.mark.parametrize(("age", "lag"), [(0, 0.5), (3, 0.0), (4, 0.52), (11, 1.3), (20, 0.52)])
def test_request_age_is_the_age_on_the_day(age, lag):
    rng = np.random.default_rng(9)
    expected = shares_of(
        [
            completed(born, date(2023, 1, 1) + timedelta(days=int(day) - round(lag * 365)))
            for born, day in zip(children(age), rng.integers(0, 365, 20_000), strict=True)
        ]
    )
    np.testing.assert_allclose(ages.stock_to_request(lag)[age], expected, atol=0.012)


@pytest.mark.parametrize("matrix", [ages.single_years(), ages.stock_to_event(), ages.stock_to_request(0.8)])
def test_every_child_has_one_age(matrix):
    assert (matrix >= 0).all()
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_single_years_stay_within_their_category():
    for row, (first, last) in zip(ages.single_years(), ages.REQUEST_AGE_SPANS, strict=True):
        assert np.flatnonzero(row).tolist() == list(range(first, last + 1))


def test_unfolding_recovers_ages():
    truth = 1000 * np.exp(-((np.arange(26) - 11) ** 2) / 25)
    matrix = ages.stock_to_event()[:26]
    found = ages.unfolded(truth @ matrix, matrix)
    np.testing.assert_allclose(found.sum(), truth.sum())
    np.testing.assert_allclose(found[7:16], truth[7:16], rtol=0.03)


def test_nothing_unfolds_to_nothing():
    assert not ages.unfolded(np.zeros(CATEGORIES), ages.stock_to_event()).any()


def test_conversion_weighs_ages_by_how_common_they_are():
    likelihood = np.zeros((2, CATEGORIES))
    likelihood[0, :2] = 0.5
    likelihood[1, 1:3] = 0.5
    likelihood[:, 3:] = 1e-12
    matrix = ages.conversion(profile=np.array([3.0, 1.0]), likelihood=likelihood)
    np.testing.assert_allclose(matrix[:3], [[1, 0], [0.75, 0.25], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=1), 1)


def test_issued_plans_by_age_at_request_lead_to_new_plans_by_age(figures):
    """Two published tables of 2023, on two bases: less than 4 % of plans are put on another age."""
    issued = figures.national_by_age("assessments_issued")[list(ages.REQUEST_AGES)].to_numpy(dtype=float)
    new = figures.national_by_age("new_plans")[list(ages.REQUEST_AGES)].to_numpy(dtype=float)
    issued = issued * new.sum() / issued.sum()

    def misplaced(expected: np.ndarray) -> float:
        return float(np.abs(expected - new).sum() / new.sum() / 2)

    led = fitted_cohort(figures).new_on_stock_ages(issued) @ ages.stock_to_event()[:26]
    assert misplaced(led) < 0.04
    assert misplaced(issued) > 0.15


def test_most_new_plans_go_to_children_of_four(figures):
    shares = np.zeros(CATEGORIES)
    shares[ages.REQUEST_AGES.index("3")] = 1.0
    assert fitted_cohort(figures).new_on_stock_ages(shares).argmax() == 4
    peak = figures.by_age("new_plans", year=2022).loc["E08000007", list(ages.REQUEST_AGES)].astype(float)
    assert peak.idxmax() == "4"


def test_band_sums():
    found = ages.band_sums(np.arange(26.0), {"a": (0, 2), "b": (25, 25)})
    assert found == {"a": 3.0, "b": 25.0}
    assert sum(ages.band_sums(np.ones(26), ages.BANDS).values()) == 26


def test_bands_are_named_for_their_ages():
    assert list(ages.BAND_NAMES) == list(ages.BANDS)
    first, last = ages.BANDS["0-4"]
    assert (ages.BAND_NAMES["0-4"], first) == (f"Under {last + 1}", 0)
    rest = list(ages.BANDS)[1:]
    assert [ages.BAND_NAMES[band] for band in rest] == ["{} to {}".format(*ages.BANDS[band]) for band in rest]


def test_requests_are_split_to_the_last_child():
    totals = np.random.default_rng(1).gamma(5, 100, (7, 3))
    shares = np.random.default_rng(2).dirichlet(np.ones(CATEGORIES))
    found = ages.requests_by_age(totals, shares=shares)
    np.testing.assert_allclose(found.sum(axis=2), totals)
    np.testing.assert_allclose(found[0, 0] / totals[0, 0], shares)


def test_requests_follow_the_number_of_children_of_each_age():
    shares = np.random.default_rng(3).dirichlet(np.ones(CATEGORIES))
    population = np.full((3, CATEGORIES), 500.0)
    population[2, 0], population[2, 5] = 250.0, 1000.0
    totals = np.array([[200.0, 300.0], [100.0, 0.0]])
    found = ages.requests_by_age(totals, shares=shares, population=population)
    rates = totals[:, :, None] * shares / 500
    np.testing.assert_allclose(found, rates * population[1:])
    np.testing.assert_allclose(found.sum(axis=2)[0], [200, 300 * (1 - shares[0] / 2 + shares[5])])


def test_fewer_births_mean_fewer_requests():
    shares = np.eye(CATEGORIES)[0]
    falling = np.linspace(1.0, 0.7, 4)[:, None] * np.full(CATEGORIES, 4000.0)
    found = ages.requests_by_age(np.full((1, 3), 100.0), shares=shares, population=falling)
    np.testing.assert_allclose(found.sum(axis=2)[0], [90.0, 80.0, 70.0])


def test_population_where_there_is_a_projection():
    found = ages.population_by_request_age("E08000007", [2000, 2022, 2023])
    assert found is not None
    assert found.shape == (3, CATEGORIES)
    np.testing.assert_allclose(found[0], found[1])
    assert ages.population_by_request_age("E09000012", [2023]) is None
