"""Treatment: what starts ends or stays, on every path, and each child has the contacts of an episode."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import SpecError
from forecast.speech_language.treatment import steady_opening, treat


def run(seen, **changed):
    """Treat one or two cells of the same norms; `seen` is (C, M, P)."""
    cells, months, _ = np.shape(seen)
    figures = {
        "treated_share": np.full(cells, 0.5),
        "episode_weeks": np.full(cells, 8.0),
        "contacts_per_episode": np.full(cells, 6.0),
        "opening": np.zeros(cells),
        "weeks_in_month": np.full(months, 4.0),
    }
    return treat(np.asarray(seen, dtype=float), **(figures | changed))


def test_a_caseload_worked_by_hand():
    """No child is seen; 100 are in treatment of 8 weeks. After 4 weeks exp(-1/2) = 0.60653 of them are left."""
    found = run(np.zeros((1, 2, 1)), opening=np.array([100.0]))
    assert found.stock.ravel() == pytest.approx([60.653066, 36.787944], abs=1e-6)
    assert found.ended.ravel() == pytest.approx([39.346934, 23.865122], abs=1e-6)
    assert found.contacts.ravel() == pytest.approx([6 * 39.346934, 6 * 23.865122], abs=1e-5)
    assert (found.started == 0).all()


def test_starts_worked_by_hand():
    """20 seen, 10 start, 2.5 a week; at 1/8 a week the stock nears 20: 20 (1 - exp(-1/2)) = 7.8694 after 4 weeks."""
    found = run(np.full((1, 1, 1), 20.0))
    assert found.started.ravel().tolist() == [10.0]
    assert found.stock.ravel() == pytest.approx([7.869387], abs=1e-6)
    assert found.ended.ravel() == pytest.approx([2.130613], abs=1e-6)


def test_it_is_what_the_equation_gives_in_small_steps():
    """Independent oracle: the flow and the contacts at their pace, stepped 20,000 times a month."""
    seen = np.array([[[30.0], [0.0], [55.0]]])
    weeks = np.array([4.0, 5.0, 4.0])
    found = run(
        seen,
        treated_share=np.array([0.7]),
        episode_weeks=np.array([13.0]),
        contacts_per_episode=np.array([9.0]),
        opening=np.array([40.0]),
        weeks_in_month=weeks,
    )
    steps, stock = 20_000, 40.0
    for month in range(3):
        dt, contacts = weeks[month] / steps, 0.0
        for _ in range(steps):
            middle = stock + (0.7 * seen[0, month, 0] / weeks[month] - stock / 13) * dt / 2
            contacts += 9 / 13 * middle * dt
            stock += (0.7 * seen[0, month, 0] / weeks[month] - middle / 13) * dt
        assert found.stock[0, month, 0] == pytest.approx(stock, rel=1e-8)
        assert found.contacts[0, month, 0] == pytest.approx(contacts, rel=1e-8)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.floats(0, 1),
    weeks=st.floats(0.1, 1000),
    opening=st.floats(0, 1e4),
)
def test_in_less_out_is_the_change_on_every_path(seed, share, weeks, opening):
    draws = np.random.default_rng(seed)
    seen = draws.poisson(30, (2, 6, 5)).astype(float)
    found = run(
        seen,
        treated_share=np.array([share, 1.0]),
        episode_weeks=np.array([weeks, 20.0]),
        opening=np.array([opening, 0.0]),
        weeks_in_month=draws.choice([4.0, 5.0], 6),
    )
    before = np.concatenate([np.broadcast_to([[[opening]], [[0.0]]], (2, 1, 5)), found.stock[:, :-1]], axis=1)
    assert before + found.started - found.ended == pytest.approx(found.stock, abs=1e-8)
    assert found.started == pytest.approx(seen * np.array([share, 1.0])[:, None, None])
    assert (found.stock >= 0).all()
    assert (found.ended >= 0).all()


def test_every_child_has_the_contacts_of_an_episode_in_the_end():
    """60 seen in the first month, half of them treated; after ten years all 30 have had their 6 contacts: 180."""
    seen = np.zeros((1, 120, 1))
    seen[0, 0] = 60.0
    assert run(seen).contacts.sum() == pytest.approx(180.0, rel=1e-9)


def test_the_steady_caseload_stays_and_has_the_contacts_of_those_who_start():
    """12 a week of whom half start: 6 a week x 8 weeks = 48 in treatment, 6 x 6 contacts a week = 144 in four weeks."""
    share, weeks = np.array([0.5]), np.array([8.0])
    opening = steady_opening(np.array([12.0]), treated_share=share, episode_weeks=weeks)
    assert opening.tolist() == [48.0]
    found = run(np.full((1, 12, 2), 48.0), opening=opening)
    assert found.stock == pytest.approx(48.0)
    assert found.contacts == pytest.approx(144.0)


def test_paths_and_cells_do_not_mix():
    seen = np.random.default_rng(1).poisson(20, (2, 5, 3)).astype(float)
    opening, weeks = np.array([10.0, 70.0]), np.array([8.0, 30.0])
    both = run(seen, opening=opening, episode_weeks=weeks)
    for cell in range(2):
        one = run(seen[[cell]][:, :, [2]], opening=opening[[cell]], episode_weeks=weeks[[cell]])
        assert one.stock[0, :, 0] == pytest.approx(both.stock[cell, :, 2])


def test_nothing_that_is_given_is_changed():
    seen, opening = np.full((1, 3, 2), 10.0), np.array([5.0])
    run(seen, opening=opening)
    assert (seen == 10.0).all()
    assert opening.tolist() == [5.0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"treated_share": np.array([1.2])}, "treated_share is 1.2; 0 or more and at most 1 is needed"),
        ({"treated_share": np.array([-0.1])}, "treated_share is -0.1"),
        ({"episode_weeks": np.array([0.0])}, "episode_weeks is 0; 0.1 or more is needed"),
        ({"contacts_per_episode": np.array([-2.0])}, "contacts_per_episode is -2; 0 or more is needed"),
        ({"opening": np.array([-3.0])}, "children in treatment at the start is -3; 0 or more"),
        ({"opening": np.array([np.nan])}, "children in treatment at the start is nan"),
        ({"opening": np.zeros(2)}, r"children in treatment at the start of shape \(2,\), where \(1,\) is needed"),
        ({"weeks_in_month": np.array([4.0, 0.0])}, "weeks in a month is 0"),
        ({"weeks_in_month": np.array([4.0])}, r"weeks in a month of shape \(1,\), where \(2,\) is needed"),
    ],
)
def test_what_cannot_be_is_refused(changed, says):
    with pytest.raises(SpecError, match=f"treatment: {says}"):
        run(np.ones((1, 2, 1)), **changed)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_children_seen_are_numbers_and_not_negative(wrong):
    with pytest.raises(SpecError, match="treatment: children seen is"):
        run(np.array([[[1.0, wrong]]]))
