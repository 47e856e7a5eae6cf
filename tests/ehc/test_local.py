"""A council's months set the profile, and move the years not published yet."""

import numpy as np
import pandas as pd
import pytest

from forecast.ehc.local import MonthlyRequests, calendar_shares
from forecast.ehc.weeks import weeks_of
from forecast.errors import InputError

EVEN = np.full(12, 1 / 12)


def months(first, counts):
    return MonthlyRequests.from_frame(
        pd.DataFrame({"ds": pd.date_range(first, periods=len(counts), freq="MS"), "y": counts})
    )


def paths(level=600.0, spread=0.2, n=4000, years=3):
    walk = np.random.default_rng(0).normal(0, spread, (n, years)).cumsum(axis=1)
    return level * np.exp(walk)


def test_profile_finds_the_season_under_growth():
    season = np.array([1, 1, 1.5, 1, 1, 1.5, 1, 0.2, 1, 1, 1, 0.8])
    season /= season.sum()
    counts = np.concatenate([season * 600 * 1.2**year for year in range(4)])
    assert np.allclose(months("2020-01-01", counts).profile(), season, atol=0.012)


def test_profile_needs_two_years():
    assert months("2023-01-01", [50.0] * 23).profile() is None
    assert months("2023-01-01", [50.0] * 24).profile() == pytest.approx(tuple(EVEN))


def test_counted_months_stay_and_the_rest_moves_with_them():
    local = months("2024-01-01", [75.0] * 6)
    moved, used = local.conditioned(paths(), first_year=2024, profile=EVEN, rng=np.random.default_rng(1))
    assert used == 6
    assert (moved[:, 0] > 450).all()
    weight = 0.2**2 / (0.2**2 + 0.2**2 / 6 + 0.1**2)
    assert np.median(moved[:, 0]) == pytest.approx(450 + 300 * 1.5**weight, rel=0.04)
    assert np.median(moved[:, 2]) > 1.2 * np.median(paths()[:, 2])


def test_a_whole_year_is_as_counted():
    moved, _ = months("2024-01-01", [70.0] * 12).conditioned(
        paths(), first_year=2024, profile=EVEN, rng=np.random.default_rng(1)
    )
    assert np.allclose(moved[:, 0], 840)


def test_few_months_leave_more_doubt_than_many():
    def width(count):
        moved, _ = months("2024-01-01", [50.0] * count).conditioned(
            paths(), first_year=2024, profile=EVEN, rng=np.random.default_rng(1)
        )
        return np.std(np.log(moved[:, 1]))

    assert width(1) > width(6)
    assert width(6) < np.std(np.log(paths()[:, 1]))


def test_posterior_is_that_of_the_normal_update():
    prior, noise = 0.2, np.hypot(0.2, 0.1)  # of one month by itself, and in common
    start = paths(level=1200, spread=prior, n=20000, years=1)
    moved, _ = months("2024-01-01", [130.0]).conditioned(
        start, first_year=2024, profile=EVEN, rng=np.random.default_rng(3)
    )
    rest = np.log((moved[:, 0] - 130) / (1200 * 11 / 12))
    weight = prior**2 / (prior**2 + noise**2)
    assert rest.mean() == pytest.approx(weight * np.log(1.3), abs=0.01)
    assert rest.std() == pytest.approx(np.sqrt((1 - weight) * prior**2), abs=0.01)


def test_months_already_published_change_nothing():
    start = paths()
    moved, used = months("2022-01-01", [50.0] * 24).conditioned(
        start, first_year=2024, profile=EVEN, rng=np.random.default_rng(1)
    )
    assert used == 0
    assert (moved == start).all()


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ({"ds": ["2024-01-01"]}, "no column 'y'"),
        ({"ds": ["2024-01-01", "2024-01-15"], "y": [1, 2]}, "2024-01 stands twice"),
        ({"ds": ["2024-01-01"], "y": [-1]}, "-1 in 2024-01"),
        ({"ds": ["2024-01-01"], "y": [np.nan]}, "no figure at all"),
        ({"ds": ["2024-01-01"], "y": ["many"]}, "Give dates in ds and numbers in y"),
        ({"ds": ["no day"], "y": [1]}, "Give dates in ds and numbers in y"),
        ({"ds": [None, "2024-01-01"], "y": [1, 2]}, "a date is missing"),
        ({"ds": ["2024-01-01"], "y": [np.inf]}, "a count has no end"),
    ],
)
def test_what_cannot_be_is_refused(frame, says):
    with pytest.raises(InputError, match=says):
        MonthlyRequests.from_frame(pd.DataFrame(frame))


def test_months_must_count_what_is_published():
    published = pd.Series({2022: 600.0, 2023: 700.0})
    right = months("2022-01-01", [52.0] * 30)
    assert right.checked(published) is right
    with pytest.raises(InputError, match=r"monthly requests of 2022: 300 in all, 600 published; within 15%"):
        months("2022-01-01", [25.0] * 12).checked(published)
    assert months("2022-02-01", [25.0] * 11).checked(published)  # not a whole year


def test_shares_of_calendar_months_follow_the_weeks():
    weeks = weeks_of(2024, 2025, profile="even")
    assert calendar_shares(weeks) == pytest.approx(EVEN, abs=0.01)
    school = calendar_shares(weeks_of(2024, 2025))
    assert school.sum() == pytest.approx(1)
    assert school[7] == 0
    assert school[0] == pytest.approx(19 / 190, abs=0.012)
