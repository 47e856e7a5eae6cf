"""What is known ahead is sorted by what a model does with it; what history cannot tell is left out and said."""

import numpy as np
import pytest

from forecast import SpecError
from forecast.models.known import ratio_in_words, read_known
from tests.panels import window

AHEAD = 2
STEADY = np.array([10.0, 12, 11, 13, 12, 14, 15, 13])


def read(y=STEADY, *, least=4, ahead=AHEAD, **columns):
    made = window([y])
    known = {name.replace("hold_", "hold:"): np.asarray([column], dtype=float) for name, column in columns.items()}
    return read_known(type(made)(**{**vars(made), "known": known}), ahead, least=least)


def pulse(*at, length=10):
    return np.isin(np.arange(length), at).astype(float)


def test_nothing_known_is_no_regressor():
    known = read()
    assert (known.names, known.exposure, known.notes) == ((), None, ())
    assert (known.past.shape, known.future.shape) == ((8, 0), (2, 0))
    np.testing.assert_array_equal(known.y, STEADY)


def test_regressors_are_cut_at_the_origin():
    known = read(a=pulse(2, 9), b=[0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    assert known.names == ("a", "b")
    assert known.past.T.tolist() == [[0, 0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 1, 1]]
    assert known.future.T.tolist() == [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (pulse(8, 9), "it changes only after the last figure"),
        (pulse(), "it is the same at every figure"),
        (np.ones(10), "it is the same at every figure"),
        (np.full(10, 1e9), "it is the same at every figure"),
        (1 - pulse(8, 9), "it changes only after the last figure"),
        (np.arange(10) / 12, "it cannot be told from the trend and the others"),
        (3 - pulse(2), "it cannot be told from the trend and the others"),
    ],
)
def test_what_history_cannot_tell_is_left_out_and_said(column, why):
    known = read(a=pulse(2), b=column)
    assert known.names == ("a",)
    assert known.notes == (f"b left out: {why}",)


def test_a_change_where_no_figure_is_cannot_be_told():
    y = STEADY.copy()
    y[[6, 7]] = np.nan
    assert read(y, a=pulse(6, 7)).notes == ("a left out: it is the same at every figure",)
    assert read(y, a=pulse(6, 7, 8)).notes == ("a left out: it changes only after the last figure",)


def test_regressors_stop_when_too_few_figures_would_be_left():
    columns = {f"c{i}": pulse(i) for i in range(1, 7)}
    known = read(least=4, **columns)
    assert known.names == ("c1", "c2", "c3", "c4")
    assert known.notes == ("c5 left out: too few figures", "c6 left out: too few figures")


def test_held_figures_are_missing():
    known = read(hold_covid=pulse(2, 3, 9))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(known.y)), [2, 3])
    assert known.notes == ("covid held out: 2 figures",)
    assert known.names == ()
    assert read(hold_covid=pulse(9)).notes == ()


def test_a_hold_that_would_leave_too_little_is_not_applied():
    known = read(hold_covid=pulse(0, 1, 2, 3, 4))
    np.testing.assert_array_equal(known.y, STEADY)
    assert known.notes == ("covid not held out: fewer than 4 figures besides",)


def test_a_regressor_that_changes_only_within_a_hold_cannot_be_told():
    assert read(a=pulse(2), hold_covid=pulse(2, 3)).names == ()
    assert read(a=pulse(2, 4), hold_covid=pulse(2, 3)).names == ("a",)


def test_exposure_is_no_regressor():
    people = 1000.0 + np.arange(10) ** 2
    known = read(population=people, a=pulse(2))
    assert known.names == ("a",)
    np.testing.assert_array_equal(known.exposure, people)
    np.testing.assert_array_equal(read(population=people, exposure=2 * people).exposure, 2 * people)
    known = read(exposure=people - 1000)
    assert known.exposure is None
    assert known.notes == ("exposure left out: it is not above zero throughout",)


def test_a_column_that_ends_too_early_is_refused():
    with pytest.raises(SpecError, match="known column 'a'"):
        read(a=pulse(2, length=9))


def test_ratios_in_words():
    assert ratio_in_words("a year", np.log(1.06), 0.015) == "a year 1.06 (1.03 to 1.09)"
    assert ratio_in_words("x", -30, 100) == "x under 0.01 (under 0.01 to over 100)"
