"""Capacity and booking rule are found again in lists that were run with known ones."""

import numpy as np
import pandas as pd
import pytest

from forecast.calendar import working_days_of_weeks
from forecast.errors import InputError
from forecast.speech_language.bands import WEEKS, WaitBands
from forecast.speech_language.clinics import Booking, Clinics, Weeks
from forecast.speech_language.fit import fit_list
from forecast.speech_language.noise import capacity_noise, noise_of
from forecast.speech_language.proxy import BandHistory, band_history
from forecast.speech_language.waiting_list import run_list
from forecast.speech_language.weeks import MonthWeeks
from tests.speech_language.published_lists import observations

NONE = np.zeros(7)
MONTHS = pd.date_range("2023-02-01", periods=9, freq="MS")
REFERRED = np.array([90.0, 110, 80, 100, 95, 70, 40, 120, 100])


def run_with(booking, *, capacity=20.0, leaving=NONE):
    """A list of 600 run on for nine months, as it would be published, and the referrals."""
    days = pd.date_range(MONTHS[0], MONTHS[-1] + pd.offsets.MonthEnd(), freq="W-THU")
    month = np.asarray((days.year - 2023) * 12 + days.month - 2)
    working = working_days_of_weeks(days - pd.Timedelta(days=3))
    share = working / np.bincount(month, weights=working)[month]
    opening = np.zeros((1, WEEKS))
    opening[0, :30] = 20.0
    clinics = Clinics(of_cell=np.zeros(1, dtype=int), reneging=leaving, removal=NONE, booking=booking)
    run = run_list(
        clinics,
        opening=opening,
        referrals=REFERRED[None, :, None],
        weeks=Weeks(month=month, share=share),
        capacity=(capacity * share * np.bincount(month)[month])[None],
        groups=np.ones((1, 1), dtype=bool),
    )
    lists = np.concatenate([WaitBands().read(opening), run.waiting[0, :, :, 0].T])
    return band_history(observations({"AAA": lists}), "AAA"), np.append(np.nan, REFERRED)


def fitted(history, referrals, *, leaving=NONE, bands=None, booking=None):
    return fit_list(
        history,
        referrals=referrals,
        reneging=leaving,
        removal=np.zeros_like(leaving),
        bands=bands or WaitBands(),
        booking=booking,
    )


@pytest.mark.parametrize("booking", [Booking(), Booking(share=0.3, over_weeks=18), Booking(share=0.6, over_weeks=18)])
def test_capacity_and_rule_are_found_again(booking):
    fit = fitted(*run_with(booking))
    assert fit.observed == pytest.approx(20.0, abs=1e-9)
    assert fit.booking.share == pytest.approx(booking.share, abs=0.11)
    assert fit.error_children < 1e-9
    assert fit.error_points < 5
    assert fit.opening.sum() == pytest.approx(600 + REFERRED.sum() - 20 * 39)
    assert fit.referrals == pytest.approx(REFERRED[-6:].sum() / 26, rel=0.05)


def test_who_leaves_unseen_is_not_capacity():
    leaving = np.full(7, 0.005)
    history, referrals = run_with(Booking(), leaving=leaving)
    assert fitted(history, referrals, leaving=leaving).observed == pytest.approx(20.0, rel=0.01)
    assert fitted(history, referrals).observed > 22
    with pytest.raises(InputError, match="more children leave it unseen"):
        fitted(history, referrals, leaving=np.full(7, 0.2))


def test_bands_of_the_service_need_not_be_those_published():
    history, referrals = run_with(Booking(share=0.6, over_weeks=18), leaving=np.full(7, 0.005))
    one, other = (
        fitted(history, referrals, leaving=np.full(bands.n, 0.005), bands=bands)
        for bands in (WaitBands(), WaitBands((6, 30)))
    )
    assert other.observed == pytest.approx(one.observed)
    assert other.booking == one.booking


def test_a_rule_that_is_given_is_kept_and_not_called_fitted():
    fit = fitted(*run_with(Booking()), booking=Booking(share=0.2, over_weeks=18))
    assert fit.booking == Booking(share=0.2, over_weeks=18)
    assert not any("booking rule" in note for note in fit.notes)


def test_a_wrong_total_within_the_months_does_not_move_the_capacity():
    history, referrals = run_with(Booking())
    bands = history.bands.copy()
    bands[-3] *= 1.3
    other = BandHistory(
        code="A", name="A", months=history.months, bands=bands, total=bands.sum(axis=1), available=history.available
    )
    assert fitted(other, referrals).observed == pytest.approx(20.0, abs=1e-9)


def test_a_gap_leaves_the_months_after_it_and_too_few_are_refused():
    history, referrals = run_with(Booking())
    later = referrals.copy()
    later[4] = np.nan
    assert fitted(history, later).observed == pytest.approx(20.0, abs=1e-9)
    later[8] = np.nan
    with pytest.raises(InputError, match=r"2 months in a row .* 3 are needed"):
        fitted(history, later)


def test_noise_has_mean_one_lasts_and_depends_on_seed_alone():
    fit = fitted(*run_with(Booking()))
    size, memory = noise_of(fit)
    noise = capacity_noise(fit, weeks=60, n_paths=4000, seed=1)
    assert noise.shape == (60, 4000)
    assert noise.mean() == pytest.approx(1.0, abs=0.02)
    logs = np.log(noise)
    assert logs.std(axis=1) == pytest.approx(np.full(60, size), rel=0.06)
    assert np.corrcoef(logs[20], logs[21])[0, 1] == pytest.approx(memory, abs=0.02)
    assert np.array_equal(noise, capacity_noise(fit, weeks=60, n_paths=4000, seed=1))
    assert not np.array_equal(noise, capacity_noise(fit, weeks=60, n_paths=4000, seed=2))


def test_noise_brings_lists_as_far_as_published_ones_strayed(monkeypatch):
    """By simulation: the sum of capacity over h months has the spread asked for, once Poisson referrals are added."""
    spread = pd.DataFrame({"measure": "size", "horizon": range(1, 7), "spread": 100 * 0.08 * np.arange(1, 7) ** 0.6})
    monkeypatch.setattr("forecast.speech_language.noise.reference.slt_accuracy", lambda: spread)
    fit = fitted(*run_with(Booking(), capacity=25.0))
    children, weeks = fit.opening.sum(), np.round(np.arange(1, 7) * 365.25 / 84).astype(int)
    seen = fit.capacity * capacity_noise(fit, weeks=26, n_paths=6000, seed=3).cumsum(axis=0)[weeks - 1]
    strayed = np.sqrt(seen.var(axis=1) + fit.referrals * weeks) / children
    asked = 0.08 * np.arange(1, 7) ** 0.6 * (children / 600) ** -0.25
    assert strayed == pytest.approx(asked, rel=0.25)


def test_a_quarter_of_the_growth_is_taken_to_go_on():
    history, referrals = run_with(Booking(), capacity=14.0)
    fit = fitted(history, referrals)
    weeks = MonthWeeks.of(history.months[1:]).in_month.sum()
    growth = (history.total[-1] - history.total[0]) / weeks
    assert growth > 3
    assert fit.capacity == pytest.approx(fit.observed + 0.75 * growth)
