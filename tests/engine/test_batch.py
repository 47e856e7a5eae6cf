"""How a batch runs a kernel over its rows, and that members are found by name."""

import inspect
import threading

import numpy as np
import pytest

from forecast import models
from forecast.engine import batch as batch_module
from forecast.engine.batch import Batch, Whole, in_threads, members, summaries


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
    of_pools, other, none = np.arange(8) + 0.5, np.arange(5), np.array(7.0)
    seen = []

    def kernel(values, start, stop, period, *shared):
        seen.append((values, start, stop, period, *shared))
        shared[-1][:] = values[:, :2]

    out = made.each(kernel, 2, of_rows, table, Whole(of_pools), other, none, 3, "word")
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


@pytest.mark.parametrize(("said", "cores"), [("2", 1), ("", 2), (None, 2)])
def test_blocks_run_side_by_side_on_as_many_threads_as_said_or_as_there_are_cores(monkeypatch, said, cores):
    monkeypatch.delenv("FORECAST_THREADS", raising=False)
    if said is not None:
        monkeypatch.setenv("FORECAST_THREADS", said)
    monkeypatch.setattr(batch_module.os, "cpu_count", lambda: cores)
    both = threading.Barrier(2, timeout=10)
    in_threads(lambda _: both.wait() and None, range(0, 4, 1))


@pytest.mark.parametrize(("said", "cores", "blocks"), [("1", 8, 4), ("", None, 4), ("8", 8, 1)])
def test_one_thread_or_one_block_needs_no_other_thread(monkeypatch, said, cores, blocks):
    monkeypatch.setenv("FORECAST_THREADS", said)
    monkeypatch.setattr(batch_module.os, "cpu_count", lambda: cores)
    ran = []
    in_threads(lambda first: ran.append((first, threading.current_thread())), range(blocks))
    assert ran == [(first, threading.main_thread()) for first in range(blocks)]


def test_members_are_found_and_named_alike_with_and_without_loading_them():
    assert list(members()) == list(summaries()) == sorted(members())
    assert {"theta_shrunk", "ets_log", "sparse_mean"} <= set(members())
    for name, made in members().items():
        assert summaries()[name] == inspect.getdoc(made).partition("\n")[0]
        assert summaries()[name].endswith(".")


def test_every_member_is_a_model_with_its_summary():
    assert set(members()) <= set(models.names())
    assert all(models.get(name).summary == said for name, said in summaries().items())
