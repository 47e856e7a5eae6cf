"""What options change, against sums done by hand, on the same futures."""

from datetime import date

import numpy as np
import pytest

from forecast import SpecError
from forecast import speech_language as slt
from tests.speech_language.clinic import LIST, VALUES, norms, published, referral_log, service

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
    calendar = made.start.calendar
    in_month = np.arange(15)[:, None] == calendar.weeks.month
    weeks = (in_month * calendar.profile) @ made.start.noise
    assert per_month[:3] == pytest.approx(0.0)
    assert np.allclose(per_month[3:], a_week * weeks[3:])


def test_posts_are_in_post_less_vacancies(made: slt.ServiceProjection) -> None:
    assert mean(made, "wte_in_post", "as_now") == pytest.approx(9.0)
    assert mean(made, "wte_in_post", "more") == pytest.approx(10.8)


def test_more_first_contacts_shorten_the_list_and_then_end(made: slt.ServiceProjection) -> None:
    more = made.runs["clear"].total("capacity") - made.runs["as_now"].total("capacity")
    assert (more[3:9] > 0).all() and more[9:] == pytest.approx(0.0)
    assert mean(made, "waiting", "clear") < mean(made, "waiting", "as_now") - 60


def listed_hours(made: slt.ServiceProjection, measure: str, option: str, month: int) -> tuple[float, float]:
    """Children a month who wait or waited, and the hours each brings."""
    values, tiers = made.paths(measure, by="tier", option=option)
    count = {tier: float(values[k][month].mean()) for k, tier in enumerate(tiers) if tier != "universal"}
    children = sum(count.values())
    return children, sum(n * hours_a_child(tier) for tier, n in count.items()) / children


@pytest.mark.parametrize("month", [4, 8, 14])
def test_hours_stay_what_they_are_when_children_take_fewer(made: slt.ServiceProjection, month: int) -> None:
    # Half of specialist children (23.2 hours) become targeted ones (9 hours): the same hours see more of them, by who
    # is seen, which is at first who was referred before.
    before, after = (made.runs[name].total("capacity")[month].mean() for name in ("as_now", "redesign"))
    _, mixed = listed_hours(made, "referrals", "as_now", month)
    _, seen = listed_hours(made, "first_contacts", "redesign", month)
    assert after / before == pytest.approx(mixed / seen, rel=0.04)  # clinics differ a little in their mix


def test_hours_for_children_seen_at_once_come_from_the_list(made: slt.ServiceProjection) -> None:
    month = 14
    before, after = (made.runs[name].total("capacity")[month].mean() for name in ("as_now", "lighter"))
    children, mixed = listed_hours(made, "referrals", "as_now", month)
    left, _ = listed_hours(made, "referrals", "lighter", month)
    _, seen = listed_hours(made, "first_contacts", "lighter", month)
    taken = (children - left) * hours_a_child("universal")
    assert after == pytest.approx((before * mixed - taken) / seen, rel=0.06)  # means of paths, clinics put together
    assert mean(made, "waiting", "lighter") < mean(made, "waiting", "as_now")


def test_hours_follow_children_to_the_clinic_of_their_tier() -> None:
    move = slt.TierMove(from_tier="specialist", to_tier="targeted", share=1.0, start=date(2023, 10, 1))
    made = slt.project(
        service(clinics=("tier",), options=(slt.Option(name="all", title="All", tiers=(move,)),)),
        waiting=published(LIST),
        provider="RXX",
        referrals=referral_log(),
        months=12,
        n_paths=20,
    )
    waiting, tiers = made.paths("waiting", by="tier", option="all")
    now = made.paths("waiting", by="tier")[0]
    targeted = tiers.index("targeted")
    assert waiting[targeted, -1].mean() < 1.5 * now[targeted, -1].mean()


def test_an_option_that_takes_more_than_there_is_is_refused() -> None:
    less = slt.MoreCapacity(start=date(2024, 1, 1), more_a_week=-100.0)
    with pytest.raises(SpecError, match="option 'less': in the week of 2024-01-01 it takes away more"):
        slt.project(
            service(options=(slt.Option(name="less", title="Less", capacity=(less,)),)),
            waiting=published(LIST),
            provider="RXX",
            referrals=referral_log(),
            months=6,
            n_paths=10,
        )


def test_posts_that_are_planned_shorten_a_list_whose_capacity_is_fitted() -> None:
    grows = (slt.StaffStep(date(2023, 1, 1), 10.0), slt.StaffStep(date(2024, 1, 1), 16.0))
    lists = [
        slt.project(
            service(staff=staff),
            waiting=published(LIST),
            provider="RXX",
            referrals=referral_log(),
            months=9,
            n_paths=20,
        )
        .runs["as_now"]
        .total("waiting")
        for staff in (grows[:1], grows)
    ]
    assert np.allclose(lists[0][:3], lists[1][:3])
    assert lists[1][-1].mean() < lists[0][-1].mean() - 60


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
    only_first = norms(treated_share=0.0, first_contact_hours=2.0, reneging_a_month=0.0)
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
