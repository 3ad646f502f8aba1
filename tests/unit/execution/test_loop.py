"""One loop attends to descriptors and times, and to nothing that has gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from penstock.execution.loop import Loop


class Pipe:
    """A watch on a pipe."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.reading, self.writing = os.pipe()
        self.read: list[bytes] = []
        self.then = then

    def fileno(self) -> int:
        return self.reading

    def due_in(self) -> float | None:
        return None

    def attend(self) -> None:
        data = os.read(self.reading, 100)
        self.read.append(data)
        if not data:
            self.close_reading()
        self.then()

    def close_reading(self) -> None:
        os.close(self.reading)
        self.reading = -1

    def close(self) -> None:
        for each in (self.reading, self.writing):
            if each >= 0:
                os.close(each)


class Alarm:
    """A watch on the time."""

    def __init__(self, due: float | None) -> None:
        self.due = due
        self.rung = 0

    def fileno(self) -> int:
        return -1

    def due_in(self) -> float | None:
        return self.due

    def attend(self) -> None:
        self.rung += 1
        self.due = None


@pytest.fixture
def loop() -> Iterator[Loop]:
    with Loop() as made:
        yield made


def test_what_is_written_is_attended_to(loop: Loop) -> None:
    silent, spoken = Pipe(), Pipe()
    loop.add(silent)
    loop.add(spoken)
    os.write(spoken.writing, b"hello")
    loop.wait(None)
    assert (silent.read, spoken.read) == ([], [b"hello"])
    silent.close()
    spoken.close()


def test_a_watch_whose_descriptor_has_closed_is_waited_for_no_more(loop: Loop) -> None:
    pipe = Pipe()
    loop.add(pipe)
    os.close(pipe.writing)
    pipe.writing = -1
    loop.wait(None)
    assert pipe.read == [b""]
    loop.wait(0.0)
    assert pipe.read == [b""]
    loop.remove(pipe)


def test_a_watch_that_another_one_has_removed_is_let_be(loop: Loop) -> None:
    second = Pipe()
    first = Pipe(lambda: loop.remove(second))
    loop.add(first)
    loop.add(second)
    os.write(first.writing, b"1")
    os.write(second.writing, b"2")
    loop.wait(None)
    assert first.read == [b"1"]
    assert second.read == []
    first.close()
    second.close()


def test_time_ends_a_wait_and_is_attended_to(loop: Loop) -> None:
    never, now = Alarm(None), Alarm(0.0)
    loop.add(never)
    loop.add(now)
    loop.wait(None)
    assert (never.rung, now.rung) == (0, 1)
    loop.wait(0.0)
    assert now.rung == 1


def test_a_signal_and_the_end_of_a_child_end_a_wait(loop: Loop) -> None:
    heard: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: heard.append(number))
    try:
        os.kill(os.getpid(), signal.SIGUSR1)
        loop.wait(None)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert heard == [signal.SIGUSR1]
    child = os.posix_spawn("/bin/true", ["true"], {})
    loop.wait(None)
    os.waitpid(child, 0)


def test_signals_are_as_before_when_it_is_left() -> None:
    before = signal.getsignal(signal.SIGCHLD)
    with Loop():
        assert signal.getsignal(signal.SIGCHLD) is not before
    assert signal.getsignal(signal.SIGCHLD) is before
    assert signal.set_wakeup_fd(-1) == -1
