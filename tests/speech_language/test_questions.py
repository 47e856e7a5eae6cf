"""Inverse answers, fed back, give what was asked; more is never worse."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from forecast import SpecError
from forecast import speech_language as slt
from forecast.speech_language.questions import (
    Question,
    bought_by,
    capacity_for_target,
    capacity_to_keep_pace,
)
from tests.speech_language.clinic import LIST, published, referral_log, service

SINCE = pd.Timestamp("2024-01-01")
AT = 11  # September 2024


def projection(booking: slt.Booking, share: float) -> slt.ServiceProjection:
    target = slt.Target(by=pd.Timestamp("2024-09-30").date(), share=share)
    return slt.project(
        service(booking=booking, target=target),
        waiting=published(LIST),
        provider="RXX",
        referrals=referral_log(),
        months=14,
        n_paths=80,
        seed=4,
    )


@pytest.mark.parametrize("booking", [slt.Booking(), slt.Booking(share=0.4, over_weeks=18)])
@pytest.mark.parametrize("share", [0.7, 0.92])
def test_the_answer_fed_back_meets_the_target_within_a_point(booking: slt.Booking, share: float) -> None:
    made = projection(booking, share)
    found = capacity_for_target(made.start, SINCE)
    assert np.isfinite(found.more).all()
    each = Question(made.start, SINCE).run(found.more).within[0, AT]
    assert np.abs(each - 100 * share).max() < 1
    middle = np.full(80, np.median(found.more))
    assert np.median(Question(made.start, SINCE).run(middle).within[0, AT]) == pytest.approx(100 * share, abs=1)


def test_the_answer_put_in_as_an_option_meets_the_target_within_a_point(made: slt.ServiceProjection) -> None:
    found = capacity_for_target(made.start, SINCE)
    more = slt.MoreCapacity(start=SINCE.date(), more_a_week=float(np.median(found.more)))
    again = slt.project(
        service(capacity=9.0, options=(slt.Option(name="answer", title="Answer", capacity=(more,)),)),
        waiting=published(LIST),
        provider="RXX",
        referrals=referral_log(),
        months=15,
        n_paths=60,
        seed=1,
    )
    assert np.median(again.runs["answer"].total("within_target")[AT]) == pytest.approx(92, abs=1)


def test_clinics_put_together_have_the_lists_of_their_cells(made: slt.ServiceProjection) -> None:
    plain = Question(made.start, SINCE).run(np.zeros(60))
    assert np.allclose(plain.size.sum(axis=0), made.runs["as_now"].total("waiting"))
    assert np.allclose(plain.within[0], made.runs["as_now"].total("within_target"))


def test_more_first_contacts_never_make_the_list_or_the_wait_longer(made: slt.ServiceProjection) -> None:
    question = Question(made.start, SINCE)
    runs = [question.run(np.full(60, more)) for more in (-2.0, 0.0, 1.0, 4.0, 12.0)]
    for fewer, more in pairwise(runs):
        assert (more.size.sum(axis=0) <= fewer.size.sum(axis=0) + 1e-9).all()
        assert (more.within >= fewer.within - 1e-9).all()


def test_keeping_pace_leaves_the_list_as_long_as_before(made: slt.ServiceProjection) -> None:
    found = capacity_to_keep_pace(made.start, SINCE)
    run = Question(made.start, SINCE).run(found.more)
    before = made.runs["as_now"].total("waiting")[2]
    assert np.allclose(run.size.sum(axis=0)[-1], before, atol=4.5)


def test_a_target_that_no_capacity_can_meet_in_time_is_said_to_be_out_of_reach(made: slt.ServiceProjection) -> None:
    late = capacity_for_target(made.start, pd.Timestamp("2024-11-01"))
    assert np.isinf(late.more).any()


def test_what_posts_buy_is_the_difference_of_two_runs(made: slt.ServiceProjection) -> None:
    bought = bought_by(made.start, SINCE, posts=2.0)
    difference = made.runs["more"].total("waiting")[AT] - made.runs["as_now"].total("waiting")[AT]
    assert np.allclose(bought.waiting, difference, atol=0.5)
    assert (bought.within >= -1e-9).all()


def test_a_target_beyond_the_months_is_refused(made: slt.ServiceProjection) -> None:
    with pytest.raises(SpecError, match="March 2030: not among the months projected"):
        made.start.month_of("2030-03-31")
