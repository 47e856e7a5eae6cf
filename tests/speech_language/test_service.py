"""A service and its options refuse what cannot be, and say what they change."""

from datetime import date

import pytest

from forecast import SpecError
from forecast.speech_language import (
    Booking,
    CapacityStep,
    MoreCapacity,
    Option,
    StaffChange,
    StaffStep,
    Target,
    TierMove,
)
from tests.speech_language.clinic import service

DAY = date(2024, 9, 1)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"staff": ()}, "staff: established posts from a day on are needed"),
        ({"staff": (StaffStep(DAY, 3), StaffStep(date(2024, 1, 1), 4))}, "must rise"),
        ({"capacity": ()}, "capacity: the list is empty"),
        ({"capacity": "guess"}, "capacity 'guess': not known"),
        ({"booking": "random"}, "booking 'random': not known"),
        ({"capacity": -1.0}, "capacity -1: 0 or more"),
        ({"capacity": (CapacityStep(start=DAY, a_week=4), CapacityStep(start=DAY, a_week=5))}, "must rise"),
        ({"clinics": ("locality", "locality")}, "each once"),
        ({"clinics": ("ward",)}, "any of locality, age_band, tier"),
        ({"in_treatment": {"targeted": -3.0}}, "in_treatment 'targeted': -3 children"),
        ({"options": (Option(name="a", title="A", booking=Booking()),) * 2}, "option 'a': given twice"),
    ],
)
def test_a_service_that_cannot_be_is_refused(changed: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        service(**changed)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Target(by=DAY, share=1.0), "target share 1"),
        (lambda: Target(by=DAY, within_weeks=0), "target within_weeks 0"),
        (lambda: CapacityStep(start=DAY, a_week=-1), "capacity -1 from 2024-09-01"),
        (lambda: MoreCapacity(start=DAY, more_a_week=0), "more_a_week 0"),
        (lambda: MoreCapacity(start=DAY, more_a_week=1, end=date(2024, 8, 1)), "before it starts"),
        (lambda: Option(name="as_now", title="x", booking=Booking()), "Give it another name"),
        (lambda: Option(name="a", title="x"), "it changes nothing"),
    ],
)
def test_parts_that_cannot_be_are_refused(make: object, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        make()  # type: ignore[operator]


def test_an_option_says_what_it_changes() -> None:
    move = TierMove(
        from_tier="specialist", to_tier="targeted", share=0.2, start=DAY, delay_months=3, build_up_months=12,
        localities=("North",),
    )  # fmt: skip
    option = Option(
        name="all",
        title="All",
        wte=(StaffChange(DAY, 2.0), StaffChange(date(2025, 9, 1), -1.0)),
        capacity=(MoreCapacity(start=DAY, more_a_week=3, end=date(2025, 8, 31)),),
        tiers=(move,),
        booking=Booking(),
    )
    assert option.changes() == (
        "2 WTE posts more from 1 September 2024",
        "1 WTE posts fewer from 1 September 2025",
        "3 first contacts a week more from 1 September 2024 to 31 August 2025",
        "20 % of specialist referrals go to targeted, 3 months after 1 September 2024, built up over 12 months, "
        "in North",
        "booking, from the first month on: the longest waiting first",
    )
