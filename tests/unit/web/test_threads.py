"""The pool runs calls, tells their faults, is bounded, and keeps nobody waiting."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from penstock.web.threads import ThreadPool


def test_calls_and_their_faults() -> None:
    pool = ThreadPool(2, "test")
    assert pool.submit(divmod, 7, 2).result(10) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(10)
    assert [each.result(10) for each in [pool.submit(pow, 2, n) for n in range(50)]] == [2**n for n in range(50)]
    pool.shutdown()


def test_as_many_threads_as_are_needed_and_no_more() -> None:
    pool = ThreadPool(3, "test")
    names = {pool.submit(threading.current_thread).result(10).name for _ in range(5)}
    together = threading.Barrier(3)
    waiting = [pool.submit(together.wait, 10) for _ in range(3)]
    assert sorted(each.result(20) for each in waiting) == [0, 1, 2]
    stop = threading.Event()
    blocked = [pool.submit(stop.wait, 20) for _ in range(3)]
    later = pool.submit(threading.current_thread)
    assert not later.done()
    stop.set()
    assert all(each.result(20) for each in blocked)
    names.add(later.result(20).name)
    assert names <= {"test-1", "test-2", "test-3"}
    pool.shutdown()


def test_a_call_that_was_canceled_does_not_run() -> None:
    pool = ThreadPool(1, "test")
    stop, ran = threading.Event(), threading.Event()
    pool.submit(stop.wait, 20)
    canceled = pool.submit(ran.set)
    assert canceled.cancel()
    stop.set()
    assert pool.submit(ran.is_set).result(20) is False
    pool.shutdown()


def test_the_threads_end_with_the_pool() -> None:
    pool = ThreadPool(2, "test")
    thread = pool.submit(threading.current_thread).result(10)
    pool.shutdown()
    thread.join(20)
    assert not thread.is_alive()


def test_a_process_does_not_wait_for_its_calls() -> None:
    script = (
        "import threading; from penstock.web.threads import ThreadPool; "
        "ThreadPool(1, 'test').submit(threading.Event().wait); print('over')"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout == "over\n"
