"""Rates of the pipeline: levels, profiles by age, overrides and wander."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from forecast.ehc.figures import Figures
from forecast.ehc.rates import Change, StageRates, Wander, fitted_rates, request_mix
from forecast.ehc.weeks import weeks_of
from forecast.errors import SpecError
from forecast.reference import find_area

STOCKPORT = "E08000007"
WEEKS = weeks_of(2024, 2025)


@pytest.fixture(scope="module")
def figures() -> Figures:
    return Figures.bundled()


def rates(**changed: object) -> StageRates:
    given = {
        "refusal": np.array([0.1, 0.3]),
        "withdrawal": np.array([0.02, 0.02]),
        "no_plan": np.array([0.05, 0.1]),
        "overturned": 0.1,
        "wander": {"refusal": Wander(0.5, 0.6)},
    }
    return StageRates(**given | changed)  # type: ignore[arg-type]


def test_the_level_is_between_the_areas_own_and_englands(figures: Figures) -> None:
    fitted = fitted_rates(figures, STOCKPORT)
    level = float(request_mix(figures, STOCKPORT) @ fitted.refusal)
    own, england = 106 / (106 + 622), 33_141 / (33_141 + 92_985 + 2_027)
    assert own < level < england
    assert abs(level - own) < abs(level - england)


def test_refusals_rise_with_age_as_in_england(figures: Figures) -> None:
    fitted = fitted_rates(figures, STOCKPORT)
    table = figures.national_by_age("requests_refused") / (
        figures.national_by_age("requests_refused")
        + figures.national_by_age("decided_to_assess")
        + figures.national_by_age("requests_withdrawn")
    )
    england = table.reindex(["3", "9", "15"]).to_numpy(dtype=np.float64)
    moved = logit(fitted.refusal[[1, 7, 13]]) - logit(england)
    np.testing.assert_allclose(moved, moved[0], atol=0.01)


def test_every_area_has_rates_that_are_shares(figures: Figures) -> None:
    for code in figures.codes:
        fitted = fitted_rates(figures, code)
        for name in ("refusal", "withdrawal", "no_plan"):
            assert ((getattr(fitted, name) > 0) & (getattr(fitted, name) < 1)).all(), (code, name)
        assert (fitted.refusal + fitted.withdrawal < 1).all(), code
        assert 0 <= fitted.overturned <= 1


def test_an_area_without_figures_gets_englands_and_says_so(figures: Figures) -> None:
    fitted = fitted_rates(figures, find_area("Isles of Scilly").code)
    assert any("requests refused" in note and "England" in note for note in fitted.notes)


def test_an_early_origin_sees_no_later_figure(figures: Figures) -> None:
    def altered(table: pd.DataFrame) -> pd.DataFrame:
        return table * np.where(table.columns <= 2019, 1.0, 3.0)

    later = replace(
        figures,
        totals={name: altered(table) for name, table in figures.totals.items()},
        aggregates={name: altered(table) for name, table in figures.aggregates.items()},
    )
    then, same = (fitted_rates(each.until(2019), STOCKPORT) for each in (figures, later))
    np.testing.assert_array_equal(then.refusal, same.refusal)
    assert then.wander["refusal"].sd == same.wander["refusal"].sd
    assert then.overturned == 0.0
    assert not np.allclose(then.refusal, fitted_rates(figures, STOCKPORT).refusal)


def test_figures_of_an_earlier_origin_are_not_kept_alive(figures: Figures) -> None:
    then = figures.until(2019)
    kept = weakref.ref(then)
    fitted_rates(then, STOCKPORT)
    del then
    fitted_rates(figures, STOCKPORT)
    gc.collect()
    assert kept() is None


def test_wander_is_measured_and_moderate(figures: Figures) -> None:
    wander = fitted_rates(figures, STOCKPORT).wander
    assert set(wander) == {"refusal", "no_plan"}
    for each in wander.values():
        assert 0.2 < each.sd < 1.0
        assert 0.3 < each.kept < 0.95


def test_wander_follows_its_recursion() -> None:
    drawn = Wander(0.5, 0.6).draw(np.random.default_rng(1), 20_000, 8)
    assert drawn[:, 0].std() == pytest.approx(0.5, rel=0.03)
    assert drawn[:, 7].std() == pytest.approx(0.5 * np.sqrt((1 - 0.6**16) / (1 - 0.6**2)), rel=0.03)
    assert np.corrcoef(drawn[:, 6], drawn[:, 7])[0, 1] == pytest.approx(0.6, abs=0.03)


def test_without_overrides_every_week_has_the_rates() -> None:
    weekly = rates().by_week(WEEKS)
    np.testing.assert_array_equal(weekly.refusal, np.tile([0.1, 0.3], (len(WEEKS.year), 1)))
    np.testing.assert_array_equal(weekly.overturned, np.full(len(WEEKS.year), 0.1))
    assert not weekly.fixed.any()


def test_a_value_is_fixed_from_its_week_on_and_a_multiplier_is_not() -> None:
    late = np.arange(len(WEEKS.year)) >= 30

    def change(name: str, base: np.ndarray) -> np.ndarray:
        base = base.copy()
        if name == "refusal":
            base[late, 0] = 0.25
        if name == "no_plan":
            base[late] *= 2.0
        return base

    weekly = rates().by_week(WEEKS, change)
    np.testing.assert_array_equal(weekly.refusal[:, 0], np.where(late, 0.25, 0.1))
    np.testing.assert_array_equal(weekly.refusal[:, 1], 0.3)
    np.testing.assert_array_equal(weekly.no_plan[late], np.tile([0.1, 0.2], (late.sum(), 1)))
    np.testing.assert_array_equal(weekly.fixed[0, :, 0], late)
    assert not weekly.fixed[0, :, 1].any()
    assert not weekly.fixed[1:].any()


def times(name: str, by: float, from_week: int = 0) -> Change:
    late = (np.arange(len(WEEKS.year)) >= from_week)[:, None]
    return lambda which, base: np.where(late & (which == name), base * by, base)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (times("no_plan", 10.5, 30), "no_plan 105.0% on 2024-08-01: a share cannot be above 100%. Multiply"),
        (times("overturned", 11.0), "overturned 110.0% on 2024-01-04: a share cannot be"),
        (times("refusal", 3.3, 30), "refusal 99.0% and withdrawal 2.0% of requests on 2024-08-01: together"),
        (times("withdrawal", 36.0), "refusal 30.0% and withdrawal 72.0% of requests on 2024-01-04"),
    ],
)
def test_shares_that_cannot_be_are_refused_by_name_and_date(change: Change, words: str) -> None:
    with pytest.raises(SpecError) as raised:
        rates().by_week(WEEKS, change)
    assert words in str(raised.value)


def test_the_age_whose_rates_cannot_be_is_named(figures: Figures) -> None:
    fitted = fitted_rates(figures, STOCKPORT)
    with pytest.raises(SpecError, match=r"refusal .* at age 0-2: together"):
        fitted.by_week(WEEKS, lambda name, base: np.full_like(base, 0.6) if name in ("refusal", "withdrawal") else base)


def test_all_requests_can_be_refused() -> None:
    weekly = rates(withdrawal=np.zeros(2)).by_week(WEEKS, times("refusal", 1 / 0.3))
    assert weekly.refusal[:, 1] == pytest.approx(1.0)


def test_overturned_refusals_are_said_where_they_are_many_or_cannot_be(figures: Figures) -> None:
    oxfordshire, milton_keynes = (
        fitted_rates(figures, find_area(name).code) for name in ("Oxfordshire", "Milton Keynes")
    )
    england = 3_576 / 33_141
    assert oxfordshire.overturned == pytest.approx((117 + 100 * england) / (218 + 100))
    assert any("117 of 218 refusals of 2023" in note and "high" in note for note in oxfordshire.notes)
    assert milton_keynes.overturned == pytest.approx(england)
    assert any("42 of 0 in 2023" in note for note in milton_keynes.notes)
    assert not any("high" in note for note in fitted_rates(figures, STOCKPORT).notes)


def test_only_named_rates_wander() -> None:
    shifts = rates().by_week(WEEKS).shifts(np.random.default_rng(1), 50, 2)
    assert shifts.shape == (50, 3, 2)
    assert shifts[:, 0].std() > 0
    assert not shifts[:, 1:].any()
