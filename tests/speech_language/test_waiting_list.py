"""The waiting list: flows worked by hand, nobody lost on any path, and a slow oracle that ages every cell by itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError, SpecError
from forecast.panel import FloatArray
from forecast.speech_language.bands import WEEKS, WaitBands
from forecast.speech_language.clinics import Booking, Clinics, Weeks
from forecast.speech_language.waiting_list import BoolArray, ListRun, run_list

BANDS = WaitBands((1, 2, 4, 12))
NEVER = np.zeros(BANDS.n)
ONE_CLINIC = Clinics(of_cell=np.array([0]), reneging=NEVER, removal=NEVER, bands=BANDS, target_weeks=2, long_weeks=4)
EVERYBODY = np.ones((1, 1), dtype=np.bool_)
seeds = st.integers(0, 2**32 - 1)


def listed(*waits: dict[int, float]) -> FloatArray:
    opening = np.zeros((len(waits), WEEKS))
    for cell, children in enumerate(waits):
        opening[cell, list(children)] = list(children.values())
    return opening


def months_of(*n_weeks: int) -> Weeks:
    return Weeks(
        month=np.repeat(np.arange(len(n_weeks)), n_weeks), share=np.repeat([1.0 / n for n in n_weeks], n_weeks)
    )


def one_month(clinics: Clinics, opening: FloatArray, referred: float, capacity: list[float]) -> ListRun:
    return run_list(
        clinics,
        opening=opening,
        referrals=np.full((1, 1, 1), referred),
        weeks=months_of(len(capacity)),
        capacity=np.array([capacity]),
        groups=EVERYBODY,
    )


def test_by_hand_the_longest_waiters_are_seen_first() -> None:
    run = one_month(ONE_CLINIC, listed({1: 6.0, 3: 10.0}), 8.0, [5.0, 5.0])
    # Week 1: 5 of the 10, who now wait four weeks. Week 2: the other 5. Left: 6 of three weeks, 4 of one, 4 new ones.
    assert run.waiting[0, :, 0, 0].tolist() == [4, 4, 6, 0, 0]
    assert run.seen[0, 0, 0] == 10
    assert run.size[0, 0, 0] == 14
    assert run.within[0, 0, 0] == pytest.approx(100 * 8 / 14)
    assert run.median[0, 0, 0] == pytest.approx(1 + 3 / 4)
    assert run.p92[0, 0, 0] == pytest.approx(3 + (0.92 * 14 - 8) / 6)
    assert run.over[0, 0, 0] == run.unused[0, 0, 0] == 0


def test_by_hand_a_share_for_long_waiters_and_what_it_cannot_use() -> None:
    clinics = replace(ONE_CLINIC, booking=Booking(share=0.4, over_weeks=4))
    run = one_month(clinics, listed({0: 18.0, 3: 2.0, 6: 0.0}), 4.0, [10.0])
    # Of 4 kept contacts those of four weeks use 2. The other 8: 18 wait the whole week, 4 half of it, so 0.4 of 20.
    np.testing.assert_allclose(run.waiting[0, :, 0, 0], [4 - 0.8, 18 - 7.2, 0, 0, 0])
    assert run.seen[0, 0, 0] == pytest.approx(10)


def test_by_hand_withdrawn_and_taken_off() -> None:
    rates = np.array([0.0, 0.0, 0.2, 0.2, 0.2])  # together 0.36 a week, 0.2 in half of it, half of these each
    clinics = replace(ONE_CLINIC, reneging=rates, removal=rates)
    run = one_month(clinics, listed({1: 100.0, 4: 50.0}), 10.0, [30.0])
    # 10 of the 50 leave; 30 of the 40 are seen; then leave 2 of the 10 left and 20 of the 100 now waiting two weeks.
    np.testing.assert_allclose(run.waiting[0, :, 0, 0], [10, 0, 80, 8, 0])
    assert run.reneged[0, 0, 0] == pytest.approx(16)
    assert run.removed[0, 0, 0] == pytest.approx(16)
    assert run.seen[0, 0, 0] == pytest.approx(30)


def test_by_hand_the_last_week_of_wait_is_one() -> None:
    clinics = replace(ONE_CLINIC, of_cell=np.array([0, 0]))
    run = run_list(
        clinics,
        opening=listed({102: 10.0}, {104: 30.0}),
        referrals=np.zeros((2, 1, 1)),
        weeks=months_of(3),
        capacity=np.array([[0.0, 20.0, 4.0]]),
        groups=np.eye(2, dtype=np.bool_),
    )
    # In the second week both wait 104 weeks and more, and have the 20 and the 4 contacts in proportion.
    np.testing.assert_allclose(run.size[:, 0, 0], [4, 12])
    np.testing.assert_allclose(run.median[:, 0, 0], 104.5)


def test_a_weekly_probability_is_that_of_a_child_that_waits_the_week() -> None:
    clinics = replace(ONE_CLINIC, reneging=np.full(BANDS.n, 0.1), removal=np.full(BANDS.n, 0.05))
    run = one_month(clinics, listed({5: 200.0}), 0.0, [0.0] * 4)
    assert run.size[0, 0, 0] == pytest.approx(200 * (0.9 * 0.95) ** 4)
    assert run.reneged[0, 0, 0] == pytest.approx(2 * run.removed[0, 0, 0])


def test_what_nobody_waits_for_is_unused() -> None:
    run = one_month(replace(ONE_CLINIC, booking=Booking(share=0.5, over_weeks=9)), listed({3: 4.0}), 6.0, [5.0, 20.0])
    # The first week sees 5 of 7, the second all: 2 + 3 of 20.
    assert run.unused[0, 0, 0] == pytest.approx(15)
    assert run.size[0, 0, 0] == 0
    assert run.within[0, 0, 0] == 100
    assert run.median[0, 0, 0] == run.p92[0, 0, 0] == run.over[0, 0, 0] == 0


def test_cells_without_a_clinic_are_seen_at_once() -> None:
    clinics = replace(ONE_CLINIC, of_cell=np.array([-1, 0]))
    referrals = np.array([[[7.0], [9.0]], [[4.0], [4.0]]])
    run = run_list(
        clinics,
        opening=listed({}, {2: 3.0}),
        referrals=referrals,
        weeks=months_of(4, 5),
        capacity=np.zeros((1, 9)),
        groups=np.array([[True, False], [True, True]]),
    )
    assert run.seen[:, :, 0].tolist() == [[7, 9], [0, 0]]
    np.testing.assert_allclose(run.size[:, :, 0], [[0, 0], [7, 11]])
    np.testing.assert_allclose(run.waiting.sum(axis=1)[:, :, 0], [[0, 0], [7, 11]])
    assert run.within[0].tolist() == [[100], [100]]


def any_clinics(rng: np.random.Generator, n_cells: int) -> Clinics:
    """Three clinics and cells without one; rates that differ by band; a rule of booking."""
    return Clinics(
        of_cell=rng.integers(-1, 3, n_cells),
        reneging=rng.uniform(0, 0.1, BANDS.n) * rng.integers(0, 2),
        removal=rng.uniform(0, 0.1, BANDS.n) * rng.integers(0, 2),
        booking=Booking(share=float(rng.choice([0, 0.3, 1])), over_weeks=int(rng.choice([0, 3, 104]))),
        bands=BANDS,
        target_weeks=6,
        long_weeks=12,
    )


def any_weeks(rng: np.random.Generator, *n_weeks: int) -> Weeks:
    even = months_of(*n_weeks)
    share = rng.uniform(0, 1, len(even.month))
    return replace(even, share=share / np.bincount(even.month, share)[even.month])


def any_case(
    rng: np.random.Generator, clinics: Clinics, weeks: Weeks, n_paths: int
) -> dict[str, FloatArray | BoolArray]:
    n_cells, n_weeks = len(clinics.of_cell), len(weeks.month)
    waits = rng.uniform(0, 3, (n_cells, WEEKS)) * (rng.random((n_cells, WEEKS)) < 0.2)
    waits[:, 101:] *= 5
    return {
        "opening": waits * (clinics.of_cell >= 0)[:, None],
        "referrals": rng.poisson(4.0, (n_cells, weeks.n_months, n_paths)).astype(np.float64),
        "capacity": rng.uniform(0, 4, (3, n_weeks)),
        "groups": rng.random((4, n_cells)) < 0.5,
        "noise": rng.uniform(0, 2, (n_weeks, n_paths)),
        "extra": rng.uniform(-1, 1, (3, n_weeks)),
        "times": rng.uniform(0, 2, n_paths),
    }


def booked(case: dict[str, FloatArray | BoolArray]) -> FloatArray:
    """First contacts (G, T, P)."""
    more = case["extra"][:, :, None] * case["times"]
    return np.maximum((case["capacity"][:, :, None] + more) * case["noise"], 0.0)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_nobody_is_lost_on_any_path(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clinics, weeks = any_clinics(rng, 5), any_weeks(rng, 4, 5, 1, 4)
    case = any_case(rng, clinics, weeks, 3)
    run = run_list(clinics, weeks=weeks, **case)
    assert run.imbalance(case["opening"], case["referrals"]) < 1e-10
    for each in (run.size, run.seen, run.reneged, run.removed, run.unused, run.waiting, run.over):
        assert (each >= -1e-12).all()
    of_clinic = clinics.of_cell == np.arange(3)[:, None]
    seen = np.einsum("gc,cmp->gmp", of_clinic, run.seen)
    contacts = np.stack([booked(case)[:, weeks.month == m].sum(axis=1) for m in range(4)], axis=1)
    np.testing.assert_allclose(seen + run.unused, contacts, rtol=0, atol=1e-10)
    of_group = np.einsum("kc,cmp->kmp", case["groups"], run.size)
    np.testing.assert_allclose(run.waiting.sum(axis=1), of_group, rtol=0, atol=1e-10)


def test_an_imbalance_is_found_where_it_is() -> None:
    run = one_month(ONE_CLINIC, listed({3: 10.0}), 4.0, [1.0])
    assert run.imbalance(listed({3: 10.0}), np.full((1, 1, 1), 4.5)) == pytest.approx(0.5)
    assert run.imbalance(listed({3: 12.0}), np.full((1, 1, 1), 4.0)) == pytest.approx(2)


def slowly(
    clinics: Clinics, weeks: Weeks, case: dict[str, FloatArray | BoolArray], path: int
) -> tuple[FloatArray, ...]:
    """One path, every cell aged by itself week by week: lists (M, C, WEEKS) at the months' ends, flows (3, C, M)."""
    lists, ends = case["opening"].copy(), []
    seen, reneged, removed = flows = np.zeros((3, len(lists), weeks.n_months))
    r, q = (each[BANDS.of_week] for each in (clinics.reneging, clinics.removal))
    half = 1 - np.sqrt((1 - r) * (1 - q))

    def leaves(month: int) -> None:
        gone = lists * half
        part = np.divide(r, r + q, out=np.zeros(WEEKS), where=r + q > 0)
        reneged[:, month] += (gone * part).sum(axis=1)
        removed[:, month] += (gone * (1 - part)).sum(axis=1)
        lists[:] -= gone

    def sees(clinic: int, month: int, contacts: float, weight: FloatArray) -> float:
        """By weight, what a contact is worth to a child of each week of wait; who has none left drops out."""
        mine = clinics.of_cell == clinic
        while contacts > 1e-13 and lists[mine][:, weight > 0].sum() > 1e-13:
            there = lists[mine].sum(axis=0)
            chance = min(contacts / (there * weight).sum(), 1 / weight[there > 0].max()) * weight
            taken = lists[mine] * chance
            lists[mine] -= taken
            lists[lists < 1e-14] = 0
            seen[mine, month] += taken.sum(axis=1)
            contacts -= taken.sum()
            weight = np.where(chance >= 1, 0.0, weight)
        return contacts

    contacts_of = booked(case)[:, :, path]
    for week, month in enumerate(weeks.month):
        leaves(month)
        lists[:, -1] += lists[:, -2]
        lists[:, 1:-1] = lists[:, :-2].copy()
        lists[:, 0] = case["referrals"][:, month, path] * weeks.share[week]
        for clinic in range(3):
            kept = contacts_of[clinic, week] * clinics.booking.share
            others = contacts_of[clinic, week] - kept
            for wait in range(WEEKS - 1, clinics.booking.over_weeks - 1, -1):
                kept = sees(clinic, month, kept, np.eye(WEEKS)[wait])
            sees(clinic, month, kept + others, np.where(np.arange(WEEKS) == 0, 0.5, 1.0))
        at_once = clinics.of_cell < 0
        seen[at_once, month] += lists[at_once].sum(axis=1)
        lists[at_once] = 0
        leaves(month)
        if week + 1 == len(weeks.month) or weeks.month[week + 1] != month:
            ends.append(lists.copy())
    return np.array(ends), flows


@pytest.mark.parametrize("seed", range(6))
def test_it_is_what_a_slow_and_plain_list_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rules = [Booking(), Booking(share=0.3, over_weeks=3), Booking(share=0.0)]
    clinics = replace(any_clinics(rng, 5), booking=rules[seed % 3])
    weeks = any_weeks(rng, 2, 5, 1, 4)
    case = any_case(rng, clinics, weeks, 2)
    run = run_list(clinics, weeks=weeks, **case)
    lists, (seen, reneged, removed) = slowly(clinics, weeks, case, 1)
    for told, expected in ((run.seen, seen), (run.reneged, reneged), (run.removed, removed)):
        np.testing.assert_allclose(told[:, :, 1], expected, rtol=0, atol=1e-8)
    of_group = np.einsum("kc,mcw->mkw", case["groups"], lists)
    for m, k in np.ndindex(of_group.shape[:2]):
        waits = of_group[m, k]
        np.testing.assert_allclose(run.waiting[k, :, m, 1], BANDS.read(waits), rtol=0, atol=1e-8)
        assert run.over[k, m, 1] == pytest.approx(waits[12:].sum(), abs=1e-8)
        if waits.sum() > 0:
            assert run.within[k, m, 1] == pytest.approx(100 * waits[:6].sum() / waits.sum())
            edges = np.concatenate([[0], np.cumsum(waits)]) / waits.sum()
            rises = np.concatenate([[True], np.diff(edges) > 0])
            for told, share in ((run.median, 0.5), (run.p92, 0.92)):
                reached = np.flatnonzero(edges >= share)[0]
                low = edges[reached - 1]
                assert rises[reached]
                wait = reached - 1 + (share - low) / (edges[reached] - low)
                assert told[k, m, 1] == pytest.approx(wait, abs=1e-6)


@pytest.mark.parametrize("booking", [Booking(), Booking(share=0.4, over_weeks=6)])
def test_sums_over_the_cells_of_a_clinic_give_the_same_totals(booking: Booking) -> None:
    rng = np.random.default_rng(3)
    clinics = replace(any_clinics(rng, 9), of_cell=np.arange(9) // 3, booking=booking, reneging=np.full(BANDS.n, 0.02))
    weeks = months_of(4, 4, 5, 4, 4, 5)
    case = any_case(rng, clinics, weeks, 4) | {"groups": np.repeat(np.eye(3, dtype=np.bool_), 3, axis=1)}
    cells = run_list(clinics, weeks=weeks, **case)
    summed = {name: case[name].reshape(3, 3, *case[name].shape[1:]).sum(axis=1) for name in ("opening", "referrals")}
    whole = run_list(
        replace(clinics, of_cell=np.arange(3)), weeks=weeks, **(case | summed | {"groups": np.eye(3, dtype=np.bool_)})
    )
    for name in ("waiting", "within", "over", "median", "p92", "unused"):
        np.testing.assert_allclose(getattr(cells, name), getattr(whole, name), rtol=1e-9, atol=1e-9)
    for name in ("size", "seen", "reneged", "removed"):
        by_clinic = getattr(cells, name).reshape(3, 3, 6, 4).sum(axis=1)
        np.testing.assert_allclose(by_clinic, getattr(whole, name), rtol=1e-9, atol=1e-9)


def test_months_are_only_a_way_to_count() -> None:
    rng = np.random.default_rng(4)
    clinics = replace(any_clinics(rng, 4), booking=Booking(share=0.5, over_weeks=2), removal=np.full(BANDS.n, 0.01))
    weeks, single = any_weeks(rng, 4, 5, 3), months_of(*[1] * 12)
    case = any_case(rng, clinics, weeks, 2)
    by_month = run_list(clinics, weeks=weeks, **case)
    weekly = case["referrals"][:, weeks.month] * weeks.share[:, None]
    by_week = run_list(clinics, weeks=single, **(case | {"referrals": weekly}))
    ends = [3, 8, 11]
    for name in ("median", "p92", "within", "over"):
        np.testing.assert_allclose(getattr(by_week, name)[:, ends], getattr(by_month, name), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(by_week.waiting[:, :, ends], by_month.waiting, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(np.add.reduceat(by_week.seen, [0, 4, 9], axis=1), by_month.seen, rtol=1e-9, atol=1e-9)


def test_figures_do_not_depend_on_threads_or_other_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    clinics, weeks = any_clinics(rng, 5), months_of(4, 4)
    case = any_case(rng, clinics, weeks, 150)
    monkeypatch.setenv("FORECAST_THREADS", "1")
    one = run_list(clinics, weeks=weeks, **case)
    monkeypatch.setenv("FORECAST_THREADS", "3")
    three = run_list(clinics, weeks=weeks, **case)
    alone = {
        "referrals": case["referrals"][..., 140:141],
        "noise": case["noise"][:, 140:141],
        "times": case["times"][140:141],
    }
    path = run_list(clinics, weeks=weeks, **(case | alone))
    for name in vars(one):
        np.testing.assert_array_equal(getattr(one, name), getattr(three, name))
        np.testing.assert_array_equal(getattr(one, name)[..., 140:141], getattr(path, name))


def test_noise_multiplies_contacts_and_their_change() -> None:
    run = run_list(
        ONE_CLINIC,
        opening=listed({4: 100.0}),
        referrals=np.zeros((1, 1, 3)),
        weeks=months_of(2),
        capacity=np.array([[10.0, 4.0]]),
        noise=np.array([[1.0, 0.5, 2.0], [1.0, 1.0, 1.0]]),
        extra=np.array([[0.0, -6.0]]),
        times=np.array([0.5, 0.0, 1.0]),
        groups=EVERYBODY,
    )
    # With -6 once, 4 first contacts would be -2: none.
    np.testing.assert_allclose(run.seen[0, 0], [11, 9, 20])


def test_more_capacity_never_makes_the_list_longer() -> None:
    rng = np.random.default_rng(6)
    clinics, weeks = any_clinics(rng, 5), months_of(4, 5, 4)
    case = any_case(rng, clinics, weeks, 20)
    less = run_list(clinics, weeks=weeks, **case)
    more = run_list(clinics, weeks=weeks, **(case | {"extra": case["extra"] + 1.0}))
    assert (more.size.sum(axis=0) <= less.size.sum(axis=0) + 1e-9).all()


def refused(said: str, kind: type[Exception] = InputError, **changed: object) -> None:
    case = {
        "opening": listed({3: 10.0}),
        "referrals": np.ones((1, 2, 3)),
        "weeks": months_of(4, 4),
        "capacity": np.ones((1, 8)),
        "groups": EVERYBODY,
        **changed,
    }
    clinics = case.pop("clinics", ONE_CLINIC)
    with pytest.raises(kind, match=said):
        run_list(clinics, **case)


def test_what_does_not_fit_is_refused() -> None:
    refused(r"opening: the shape is \(1, 104\), \(1, 105\) is expected", opening=np.zeros((1, 104)))
    refused("opening: figures that are negative", opening=listed({3: -1.0}))
    refused(r"referrals: the shape is \(1, 3, 3\), \(1, 2, any\)", referrals=np.ones((1, 3, 3)))
    refused("referrals: figures that are negative or not finite", referrals=np.full((1, 2, 3), math.nan))
    refused(r"capacity: the shape is \(1, 7\), \(any, 8\)", capacity=np.ones((1, 7)))
    refused("capacity: figures that are negative", capacity=-np.ones((1, 8)))
    refused(r"groups: the shape is \(1, 2\)", groups=np.ones((1, 2), dtype=np.bool_))
    refused(r"noise: the shape is \(7, 3\)", noise=np.ones((7, 3)))
    refused("extra and times: one was given", SpecError, extra=np.ones((1, 8)))
    refused("extra and times: shapes", extra=np.ones((1, 7)), times=np.ones(3))
    refused("extra and times: shapes", extra=np.full((1, 8), math.inf), times=np.ones(3))
    refused("clinic 1 has none", SpecError, clinics=replace(ONE_CLINIC, of_cell=np.array([1])))
    refused("10 children wait in cell 0, which is seen at once", clinics=replace(ONE_CLINIC, of_cell=np.array([-1])))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"of_cell": np.array([-2])}, "from -1 up"),
        ({"of_cell": np.array([0.0])}, "a whole number"),
        ({"reneging": np.zeros(3)}, "reneging .* for each of the 5 bands 0-1"),
        ({"removal": np.full(5, 1.1)}, "removal .* probability from 0 to 1"),
        ({"removal": np.full(5, math.nan)}, "removal"),
        ({"target_weeks": 0}, "target_weeks 0: whole weeks from 1 to 104"),
        ({"long_weeks": 105}, "long_weeks 105"),
    ],
)
def test_impossible_clinics_are_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        replace(ONE_CLINIC, **changed)


@pytest.mark.parametrize(
    "rule", [{"share": 1.2}, {"share": math.nan}, {"over_weeks": -1}, {"over_weeks": 1.5}, {"over_weeks": True}]
)
def test_impossible_rules_of_booking_are_refused(rule: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=r"booking (share|over_weeks) .* needed"):
        Booking(**rule)


@pytest.mark.parametrize(
    ("month", "share", "said"),
    [
        ([1, 1], [0.5, 0.5], "0, 1, 2"),
        ([0, 2], [1.0, 1.0], "each has a week or more"),
        ([0, 1, 0], [1.0, 1.0, 0.0], "in order"),
        ([], [], "each has a week"),
        ([0, 0], [1.0], "one share"),
        ([0, 0], [1.5, -0.5], "none negative"),
        ([0, 1, 1], [1.0, 0.5, 0.4], "month 1 sum to 0.9, not 1"),
    ],
)
def test_weeks_that_cannot_be_are_refused(month: list[int], share: list[float], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        Weeks(month=np.array(month, dtype=np.int64), share=np.array(share))
