"""Cells: what they are grouped by, and which clinic each is booked from."""

import pandas as pd
import pytest

from forecast import SpecError
from forecast.speech_language.cells import Cells


def cells() -> Cells:
    rows = [(loc, age, tier) for loc in ("A", "B") for age in ("11-18", "5-10") for tier in ("targeted", "universal")]
    return Cells(pd.DataFrame(rows, columns=["locality", "age_band", "tier"]))


def test_groups_are_all_children_and_each_value_of_a_key_with_several() -> None:
    assert cells().groups == (
        ("", ""),
        ("locality", "A"),
        ("locality", "B"),
        ("age_band", "5-10"),
        ("age_band", "11-18"),
        ("tier", "targeted"),
        ("tier", "universal"),
    )
    one = Cells(pd.DataFrame({"locality": ["all"], "age_band": ["all"], "tier": ["all"]}))
    assert one.groups == (("", ""),)


def test_every_key_splits_the_cells() -> None:
    made = cells()
    members = made.members(made.groups)
    assert members[0].all()
    for key in ("locality", "age_band", "tier"):
        rows = [k for k, (by, _) in enumerate(made.groups) if by == key]
        assert (members[rows].sum(axis=0) == 1).all()


def test_clinics_are_shared_by_the_keys_asked_for() -> None:
    of_cell, n = cells().clinics(("locality",), ("universal",))
    assert n == 2
    assert of_cell.tolist() == [0, -1, 0, -1, 1, -1, 1, -1]
    assert cells().clinics((), ())[1] == 1
    assert cells().clinics(("locality", "age_band"), ())[1] == 4


@pytest.mark.parametrize(
    ("tiers", "said"),
    [(("specialst",), "seen_at_once 'specialst': not a tier"), (("targeted", "universal"), "nobody waits")],
)
def test_tiers_seen_at_once_are_checked(tiers: tuple[str, ...], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        cells().clinics(("locality",), tiers)


def test_a_cell_given_twice_is_refused() -> None:
    frame = cells().frame
    with pytest.raises(SpecError, match="each locality, age band and tier once"):
        Cells(pd.concat([frame, frame.head(1)]))
