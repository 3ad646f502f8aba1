"""Interrupts are raised inside user code and nowhere else, once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from penstock.errors import ExecutionInterruptedError
from penstock.execution.interrupt import Interrupts


@pytest.fixture
def interrupts() -> Iterator[Interrupts]:
    made = Interrupts()
    before = signal.getsignal(signal.SIGUSR1)
    made.install(signal.SIGUSR1)
    yield made
    signal.signal(signal.SIGUSR1, before)


def ask_to_stop() -> None:
    os.kill(os.getpid(), signal.SIGUSR1)


def test_user_code_is_interrupted_at_once(interrupts: Interrupts) -> None:
    reached = []

    def code() -> None:
        with interrupts.user_code:
            ask_to_stop()
            reached.append("after the signal")

    with pytest.raises(ExecutionInterruptedError):
        code()
    assert reached == []


@pytest.mark.parametrize("early", [False, True])
def test_a_process_that_user_code_forks_is_ended_by_the_signal(early: bool) -> None:
    hooked = early
    os.register_at_fork(after_in_child=lambda: ask_to_stop() if hooked else None)
    interrupts, before = Interrupts(), signal.getsignal(signal.SIGUSR1)
    interrupts.install(signal.SIGUSR1)
    with interrupts.user_code:
        pid = os.fork()
        if not pid:
            try:
                if not early:
                    ask_to_stop()
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGUSR1
    assert not interrupts.requested
    hooked = False
    signal.signal(signal.SIGUSR1, before)


def test_our_code_is_left_alone_until_user_code_goes_on(interrupts: Interrupts) -> None:
    reached = []

    def code() -> None:
        with interrupts.user_code:
            with interrupts.our_code:
                ask_to_stop()
                reached.append("ours is whole")
            reached.append("user code went on")

    with pytest.raises(ExecutionInterruptedError):
        code()
    assert reached == ["ours is whole"]


def test_a_request_from_before_is_raised_on_entering_user_code(interrupts: Interrupts) -> None:
    ask_to_stop()
    assert interrupts.requested
    with pytest.raises(ExecutionInterruptedError), interrupts.user_code:
        pytest.fail("user code ran")


def test_it_is_raised_once_so_that_cleaning_up_can_finish(interrupts: Interrupts) -> None:
    with pytest.raises(ExecutionInterruptedError), interrupts.user_code:
        ask_to_stop()
    with interrupts.user_code:
        ask_to_stop()
    assert interrupts.requested


def test_a_reset_forgets_the_request(interrupts: Interrupts) -> None:
    ask_to_stop()
    interrupts.reset()
    with interrupts.user_code:
        assert not interrupts.requested


def test_user_code_that_catches_exceptions_does_not_catch_it() -> None:
    assert not issubclass(ExecutionInterruptedError, Exception)
