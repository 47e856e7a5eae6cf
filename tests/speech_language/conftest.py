"""One small projection, made once: two localities, two age bands, three tiers, 15 months, 60 paths."""

from __future__ import annotations

from datetime import date

import pytest

from forecast import speech_language as slt
from tests.speech_language.clinic import LIST, published, referral_log, service

START = date(2024, 1, 1)
OPTIONS = (
    slt.Option(name="more", title="Two posts more", wte=(slt.StaffChange(START, 2.0),)),
    slt.Option(
        name="redesign",
        title="Specialist work to targeted",
        tiers=(slt.TierMove(from_tier="specialist", to_tier="targeted", share=0.5, start=START),),
    ),
    slt.Option(
        name="lighter",
        title="Targeted work to universal",
        tiers=(slt.TierMove(from_tier="targeted", to_tier="universal", share=0.5, start=START),),
    ),
    slt.Option(
        name="clear",
        title="Clear the list",
        capacity=(slt.MoreCapacity(start=START, more_a_week=4.0, end=date(2024, 6, 30)),),
    ),
    slt.Option(name="evenly", title="Whatever the wait", booking=slt.Booking(share=0.0)),
)


@pytest.fixture(scope="session")
def made() -> slt.ServiceProjection:
    return slt.project(
        service(options=OPTIONS, capacity=9.0),
        waiting=published(LIST),
        provider="RXX",
        referrals=referral_log(),
        months=15,
        n_paths=60,
        seed=1,
        provenance={"referrals": "synthetic", "waiting": "published", "ehc": "published"},
    )
