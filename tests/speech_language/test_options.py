"""What options change, against sums done by hand, on the same futures."""

import numpy as np
import pytest

from forecast import speech_language as slt
from tests.speech_language.clinic import VALUES, norms, published, referral_log, service

CLINICAL, SICK, VACANT = 1000.0, 0.05, 0.1
WEEKS_A_YEAR = 365.25 / 7


def mean(made: slt.ServiceProjection, measure: str, option: str, month: int = -1) -> float:
    return float(made.runs[option].total(measure)[month].mean())


def hours_a_child(tier: str) -> float:
    first, share, contacts = (
        VALUES[name][tier] for name in ("first_contact_hours", "treated_share", "contacts_per_episode")
    )  # type: ignore[index]
    return float(first + share * contacts * VALUES["contact_hours"])


def test_options_run_on_the_same_referrals(made: slt.ServiceProjection) -> None:
    for option in made.runs:
        assert np.allclose(made.runs[option].total("referrals"), made.runs["as_now"].total("referrals"))


def test_posts_become_first_contacts_by_the_hours_a_child_takes(made: slt.ServiceProjection) -> None:
    referrals = made.paths("referrals", by="tier")
    children = {tier: float(referrals[0][k].sum()) for k, tier in enumerate(referrals[1]) if tier != "universal"}
    hours = sum(n * hours_a_child(tier) for tier, n in children.items()) / sum(children.values())
    a_week = 2 * (1 - VACANT) * CLINICAL * (1 - SICK) / WEEKS_A_YEAR / hours
    per_month = made.runs["more"].total("capacity") - made.runs["as_now"].total("capacity")
    days = made.start.calendar.profile
    weeks = np.bincount(made.start.calendar.weeks.month, weights=days)
    assert per_month[:3] == pytest.approx(0.0)
    assert per_month[3:, 0] == pytest.approx(a_week * weeks[3:])


def test_posts_are_in_post_less_vacancies(made: slt.ServiceProjection) -> None:
    assert mean(made, "wte_in_post", "as_now") == pytest.approx(9.0)
    assert mean(made, "wte_in_post", "more") == pytest.approx(10.8)


def test_more_first_contacts_shorten_the_list_and_then_end(made: slt.ServiceProjection) -> None:
    more = made.runs["clear"].total("capacity") - made.runs["as_now"].total("capacity")
    assert (more[3:9] > 0).all() and more[9:] == pytest.approx(0.0)
    assert mean(made, "waiting", "clear") < mean(made, "waiting", "as_now") - 60


def test_children_who_take_fewer_hours_leave_room_for_others(made: slt.ServiceProjection) -> None:
    # Half of specialist children (23.2 hours) become targeted ones (9 hours): the same hours see more of them.
    before, after = (made.runs[name].total("capacity")[6].mean() for name in ("as_now", "redesign"))
    tiers = made.paths("referrals", by="tier")
    month = {tier: float(tiers[0][k][6].mean()) for k, tier in enumerate(tiers[1])}
    special, targeted = month["specialist"], month["targeted"]
    hours = [hours_a_child("specialist"), hours_a_child("targeted")]
    mixed = (special * hours[0] + targeted * hours[1]) / (special + targeted)
    moved = (special / 2 * hours[0] + (targeted + special / 2) * hours[1]) / (special + targeted)
    assert after / before == pytest.approx(mixed / moved, rel=0.02)  # clinics differ a little in their mix


def test_hours_for_children_seen_at_once_come_from_the_list(made: slt.ServiceProjection) -> None:
    before, after = (made.runs[name].total("capacity")[6].mean() for name in ("as_now", "lighter"))
    tiers = made.paths("referrals", by="tier")
    month = {tier: float(tiers[0][k][6].mean()) for k, tier in enumerate(tiers[1])}
    special, targeted = month["specialist"], month["targeted"]
    mixed = (special * hours_a_child("specialist") + targeted * hours_a_child("targeted")) / (special + targeted)
    left = special + targeted / 2
    moved = (special * hours_a_child("specialist") + targeted / 2 * hours_a_child("targeted")) / left
    taken = targeted / 2 * hours_a_child("universal")
    assert after == pytest.approx((before * mixed - taken) / moved, rel=0.02)
    assert mean(made, "waiting", "lighter") < mean(made, "waiting", "as_now")


def test_booking_changes_waits_and_not_the_length_of_the_list(made: slt.ServiceProjection) -> None:
    assert mean(made, "waiting", "evenly") == pytest.approx(mean(made, "waiting", "as_now"), rel=0.02)
    assert mean(made, "over_52_weeks", "evenly") > mean(made, "over_52_weeks", "as_now") + 5


def test_wte_of_the_work_done_is_that_of_its_hours(made: slt.ServiceProjection) -> None:
    seen = made.paths("first_contacts", by="tier")
    contacts = made.paths("contacts", by="work")
    first = sum(seen[0][k] * VALUES["first_contact_hours"][tier] for k, tier in enumerate(seen[1]))  # type: ignore[index]
    treatment = contacts[0][contacts[1].index("treatment")] * VALUES["contact_hours"]
    wte = (first + treatment) * 12 / (CLINICAL * (1 - SICK))
    assert np.allclose(wte, made.runs["as_now"].total("wte_work"))


def test_keeping_pace_needs_what_is_done_and_what_the_list_grows_by() -> None:
    only_first = norms(treated_share=0.0, first_contact_hours=2.0)
    made = slt.project(
        service(norms=only_first, seen_at_once=()),
        waiting=published([[12.0, 12, 24, 90, 60, 80, 2]] * 4),
        provider="RXX",
        referrals=referral_log(),
        months=4,
        n_paths=10,
    )
    waiting = made.runs["as_now"].total("waiting")
    grown = np.diff(waiting, axis=0, prepend=280.0)
    more = made.runs["as_now"].total("wte_needed") - made.runs["as_now"].total("wte_work")
    hours = more * CLINICAL * (1 - SICK) / 12
    assert np.allclose(hours, 2.0 * grown, atol=1e-6)
