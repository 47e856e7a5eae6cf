"""The waiting list against a simulation of the same clinic, child by child; and that simulation against theory."""

from __future__ import annotations

import math
from statistics import fmean, median

import numpy as np
import pytest

from forecast.speech_language.bands import WEEKS, WaitBands
from forecast.speech_language.clinics import Booking, Clinics, Weeks
from forecast.speech_language.waiting_list import run_list
from tests.speech_language.clinic_simulation import LOOK_EVERY, Clinic, Day, simulate

REPLICATIONS, N_PATHS, N_WEEKS, WARM_UP = 200, 400, 36, 2
WITHDRAWN = np.array([0.0, 0.003, 0.007, 0.007, 0.015, 0.015, 0.02])
TAKEN_OFF = np.array([0.0, 0.002, 0.003, 0.003, 0.005, 0.005, 0.01])
STARTS = (0, 1, 2, 4, 12, 18, 52)


def simulated(clinic: Clinic, *, seed: int) -> list[Day]:
    return [simulate(clinic, weeks=N_WEEKS, seed=1_000 * seed + n) for n in range(REPLICATIONS)]


def differences(contacts: float, opening: tuple[int, ...], booking: Booking, *, seed: int) -> dict[str, np.ndarray]:
    """By month, how far the mean list of all paths is from the mean of the replications, as a share of it."""
    leaving = 1 - (1 - WITHDRAWN) * (1 - TAKEN_OFF)
    clinic = Clinic(
        referrals=20,
        contacts=contacts,
        for_long=booking.share,
        over_weeks=booking.over_weeks,
        leaving=tuple(zip(STARTS, leaving.tolist(), strict=True)),
        opening=opening,
    )
    days = simulated(clinic, seed=seed)
    months = N_WEEKS // LOOK_EVERY
    start = np.zeros((1, WEEKS))
    start[0, : len(opening)] = opening
    run = run_list(
        Clinics(of_cell=np.array([0]), reneging=WITHDRAWN, removal=TAKEN_OFF, booking=booking, bands=WaitBands()),
        opening=start,
        referrals=np.random.default_rng(seed).poisson(20 * LOOK_EVERY, (1, months, N_PATHS)).astype(np.float64),
        weeks=Weeks(month=np.repeat(np.arange(months), LOOK_EVERY), share=np.full(N_WEEKS, 1 / LOOK_EVERY)),
        capacity=np.full((1, N_WEEKS), contacts),
        groups=np.ones((1, 1), dtype=np.bool_),
    )
    simulations = {
        "size": np.array([[len(waits) for waits in day.waits] for day in days]),
        "median": np.array([[median(waits) for waits in day.waits] for day in days]),
        "left": np.array([[sum(day.gone)] for day in days]),
    }
    left = (run.reneged + run.removed)[0].sum(axis=0, keepdims=True)
    lists = {"size": run.size[0], "median": run.median[0], "left": left}
    return {name: lists[name].mean(axis=1) / each.mean(axis=0) - 1 for name, each in simulations.items()}


@pytest.mark.parametrize("booking", [Booking(), Booking(share=0.3, over_weeks=18)], ids=["longest first", "share"])
@pytest.mark.parametrize(
    ("contacts", "opening"), [(16.0, (5,) * 16), (22.0, (14,) * 30)], ids=["load above 1", "load below 1"]
)
def test_list_and_median_wait_agree_with_the_simulation(
    contacts: float, opening: tuple[int, ...], booking: Booking
) -> None:
    off = differences(contacts, opening, booking, seed=1)
    assert np.abs(off["size"][WARM_UP:]).max() < 0.05
    assert np.abs(off["median"][WARM_UP:]).max() < 0.05
    assert abs(off["left"][0]) < 0.05


def a_clinic(**changed: object) -> Clinic:
    return Clinic(
        **{"referrals": 20.0, "contacts": 22.0, "for_long": 1.0, "over_weeks": 0, "leaving": ((0, 0.0),), "opening": ()}
        | changed
    )


def test_simulation_a_list_nobody_is_seen_from_is_what_comes_less_what_leaves() -> None:
    clinic = a_clinic(contacts=1e-9, leaving=((0, 0.1),), opening=(50,))
    days = [simulate(clinic, weeks=12, seed=seed) for seed in range(60)]
    rate = -math.log(0.9)
    for look, weeks in enumerate((4, 8, 12)):
        expected = 50 * 0.9**weeks + 20 / rate * (1 - 0.9**weeks)
        assert fmean(len(day.waits[look]) for day in days) == pytest.approx(expected, rel=0.05)


def test_simulation_patience_goes_by_the_band_of_the_wait() -> None:
    clinic = a_clinic(referrals=1e-9, contacts=1e-9, leaving=((0, 0.0), (6, 0.5), (7, 0.0)), opening=(2_000,))
    day = simulate(clinic, weeks=12, seed=3)
    assert len(day.waits[0]) == 2_000
    assert len(day.waits[1]) == pytest.approx(1_000, rel=0.1)
    assert len(day.waits[2]) == len(day.waits[1])


def test_simulation_a_queue_that_comes_to_rest_is_as_long_as_theory_says() -> None:
    """Chance arrivals, contacts by the clock: load + load^2 / 2 (1 - load) wait at one, half a load fewer between."""
    load = 20 / 25.37
    lists = [len(waits) for waits in simulate(a_clinic(contacts=25.37), weeks=4_000, seed=1).waits[25:]]
    assert fmean(lists) == pytest.approx(load / 2 + load**2 / (2 * (1 - load)), abs=0.25)


def long_waiters_left(**rule: float) -> int:
    """Of 160 who have waited 40 weeks and more, with 160 first contacts and 80 children who join."""
    clinic = a_clinic(contacts=40.0, opening=tuple([0] * 40 + [10] * 16), **rule)
    return sum(wait > 40 for wait in simulate(clinic, weeks=4, seed=5).waits[0])


def test_simulation_who_is_seen() -> None:
    assert long_waiters_left(for_long=1.0, over_weeks=30) == 0
    by_chance = long_waiters_left(for_long=0.0, over_weeks=0)
    # A child there from the first is seen at rate 40 over those there, 160 falling to 80.
    assert by_chance == pytest.approx(160 * (80 / 160) ** 2, abs=15)
    assert by_chance > long_waiters_left(for_long=0.5, over_weeks=30) > 0
    assert long_waiters_left(for_long=1.0, over_weeks=60) == pytest.approx(by_chance, abs=15)


def test_simulation_loses_nobody() -> None:
    day = simulate(a_clinic(leaving=((0, 0.05),), opening=(30, 30)), weeks=20, seed=2)
    came = [len(waits) for waits in day.waits]
    assert all(waits == sorted(waits) for waits in day.waits)
    assert sum(day.seen) + sum(day.unused) == pytest.approx(20 * 22, abs=1)
    assert came[-1] + sum(day.seen) + sum(day.gone) - 60 == pytest.approx(20 * 20, abs=4 * 20)
    assert simulate(a_clinic(leaving=((0, 0.05),), opening=(30, 30)), weeks=20, seed=2).waits == day.waits
