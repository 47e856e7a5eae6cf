"""How many threads there are, and that blocks of work run on them."""

import threading

import pytest

from forecast import SpecError, threads
from forecast.threads import in_threads, thread_count


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv("FORECAST_THREADS", raising=False)


def cores(monkeypatch, count):
    """A machine that does not say which cores a process may use."""
    monkeypatch.delattr(threads.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(threads.os, "cpu_count", lambda: count)


@pytest.mark.parametrize(("said", "count", "expected"), [("3", 8, 3), (" 2 ", 8, 2), ("", 5, 5), (None, None, 1)])
def test_as_many_threads_as_said_or_as_there_are_cores(monkeypatch, said, count, expected):
    cores(monkeypatch, count)
    if said is not None:
        monkeypatch.setenv("FORECAST_THREADS", said)
    assert thread_count() == expected


def test_only_cores_the_process_may_use_count(monkeypatch):
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda _: {0, 3, 4}, raising=False)
    assert thread_count() == 3


@pytest.mark.parametrize("said", ["0", "-1", "two", "1.5", "1e3"])
def test_a_number_of_threads_that_is_none_is_refused(monkeypatch, said):
    monkeypatch.setenv("FORECAST_THREADS", said)
    expected = rf"FORECAST_THREADS '{said}': a whole number of threads, 1 or more, is needed\. Set it"
    for ask in (thread_count, lambda: in_threads(print, range(0))):
        with pytest.raises(SpecError, match=expected):
            ask()


@pytest.mark.parametrize(("said", "count"), [("2", 1), ("", 2)])
def test_blocks_run_side_by_side(monkeypatch, said, count):
    monkeypatch.setenv("FORECAST_THREADS", said)
    cores(monkeypatch, count)
    both = threading.Barrier(2, timeout=10)
    in_threads(lambda _: both.wait() and None, range(0, 4, 1))


@pytest.mark.parametrize(("said", "blocks"), [("1", 4), ("8", 1)])
def test_one_thread_or_one_block_needs_no_other_thread(monkeypatch, said, blocks):
    monkeypatch.setenv("FORECAST_THREADS", said)
    ran = []
    in_threads(lambda first: ran.append((first, threading.current_thread())), range(blocks))
    assert ran == [(first, threading.main_thread()) for first in range(blocks)]


@pytest.mark.parametrize("said", ["1", "2"])
def test_a_failure_is_heard(monkeypatch, said):
    monkeypatch.setenv("FORECAST_THREADS", said)

    def run(first):
        if first == 3:
            raise ArithmeticError("block 3")

    with pytest.raises(ArithmeticError, match="block 3"):
        in_threads(run, range(0, 9, 3))
