"""How a batch runs a kernel over its rows, and that members are found by name."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from forecast import models
from forecast.engine import batch as batch_module
from forecast.engine.batch import Batch, described, members


def numbered(n: int, columns: int = 5) -> Batch:
    """Row i holds i everywhere."""
    values = np.repeat(np.arange(float(n))[:, None], columns, axis=1)
    return Batch(values, np.zeros(n, np.int64), np.full(n, columns), 4, np.zeros(n, np.int64))


@pytest.fixture
def blocks_of_three(monkeypatch):
    monkeypatch.setattr(batch_module, "ROWS_PER_BLOCK", 3)


@pytest.mark.usefixtures("blocks_of_three")
def test_each_cuts_what_belongs_to_rows_and_passes_the_rest_whole():
    made = numbered(8)
    of_rows, table = np.arange(8) * 10, np.arange(16).reshape(8, 2)
    of_pools, other, none = np.arange(8) + 0.5, np.arange(5), np.array(7.0)  # as many pools as rows
    seen = []

    def kernel(values, start, stop, period, *shared):
        seen.append((values, start, stop, period, *shared))
        shared[-1][:] = values[:, :2]

    out = made.each(kernel, 2, of_pools, other, none, 3, "word", by_row=(of_rows, table))
    np.testing.assert_array_equal(out, made.values[:, :2])
    assert sorted(len(block[0]) for block in seen) == [2, 3, 3]
    for values, start, stop, period, rows, cut, pools, uncut, scalar, number, word, part in seen:
        first = int(values[0, 0])
        here = slice(first, first + len(values))
        assert (len(start), len(stop), len(part)) == (len(values),) * 3
        assert period == 4
        np.testing.assert_array_equal(rows, of_rows[here])
        np.testing.assert_array_equal(cut, table[here])
        assert pools is of_pools
        assert uncut is other
        assert scalar is none
        assert (number, word) == (3, "word")


@pytest.mark.usefixtures("blocks_of_three")
def test_what_a_kernel_leaves_out_is_missing():
    def kernel(values, start, stop, period, out):
        out[values[:, 0] != 4, 0] = 1.0

    out = numbered(5).each(kernel, 2)
    assert np.isnan(out[:, 1]).all()
    assert np.flatnonzero(np.isnan(out[:, 0])).tolist() == [4]


def test_no_rows_give_no_answers():
    assert numbered(0).each(lambda *_: None, 3).shape == (0, 3)


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.usefixtures("blocks_of_three")
def test_a_kernel_that_fails_is_heard(monkeypatch, threads):
    monkeypatch.setenv("FORECAST_THREADS", threads)

    def kernel(values, *_):
        if values[0, 0] == 3:
            raise ArithmeticError("row 3")

    with pytest.raises(ArithmeticError, match="row 3"):
        numbered(9).each(kernel, 1)


@pytest.mark.parametrize("wrong", [np.zeros(7), np.zeros((2, 8)), np.array(8.0), [0.0] * 8, 3])
def test_what_is_said_to_go_by_rows_must_have_them(wrong):
    with pytest.raises(TypeError, match="by_row: arrays of 8 rows are needed, not "):
        numbered(8).each(lambda *_: None, 1, by_row=(np.zeros(8), wrong))


def test_members_are_found_and_named_alike_with_and_without_loading_them():
    assert list(members()) == list(described()) == sorted(members())
    assert {"theta_shrunk", "ets_log", "sparse_mean"} <= set(members())
    for name, made in members().items():
        assert described()[name].summary == inspect.getdoc(made).partition("\n")[0]
        assert described()[name].summary.endswith(".")


def test_every_member_is_a_model_with_its_summary():
    assert set(members()) <= set(models.names())
    assert all(models.get(name).summary == said.summary for name, said in described().items())


def test_members_that_say_they_learn_from_their_pool_do_and_the_others_do_not():
    counts = np.random.default_rng(2).poisson([[0.6]] * 6 + [[30.0]] * 10, (16, 40)).astype(float)
    made = Batch(counts, np.zeros(16, np.int64), np.full(16, 40), 4, np.zeros(16, np.int64))
    alone = replace(made, pools=np.arange(16))
    for name, run in members().items():
        assert described()[name].pooled == (not np.array_equal(run(made, 5), run(alone, 5))), name
    assert {name for name, each in described().items() if each.pooled} >= {"theta_pooled", "ar_mean", "sparse_mean"}
