"""Places for work: so many at once, and whoever waits long for somebody else holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from penstock.daemon.places import SLOW_SECONDS, Places
from penstock.testing.clock import FakeClock


class Work:
    """Pieces of work that hang elsewhere until the test lets go of them."""

    def __init__(self, *, number: int, slow: int) -> None:
        self.clock = FakeClock()
        self.places = Places(ThreadPoolExecutor(number + slow), number=number, slow=slow, clock=self.clock)
        self.arrived = threading.Semaphore(0)
        self.begun: list[int] = []
        self.gates: dict[int, threading.Event] = {}
        self.ended = threading.Semaphore(0)

    def submit(self, *numbers: int, elsewhere: bool = True) -> None:
        for number in numbers:
            self.gates[number] = threading.Event()
            self.places.submit(lambda number=number: self._do(number, elsewhere))  # type: ignore[misc]

    def _do(self, number: int, elsewhere: bool) -> None:
        self.begun.append(number)
        if elsewhere:
            with self.places.elsewhere():
                self.arrived.release()
                assert self.gates[number].wait(30)
        else:
            self.arrived.release()
            assert self.gates[number].wait(30)
        self.ended.release()

    def await_begun(self, count: int) -> list[int]:
        """So many more have begun; gives all that have."""
        for _ in range(count):
            assert self.arrived.acquire(timeout=30)
        return sorted(self.begun)

    def let_go(self, number: int) -> None:
        self.gates[number].set()
        assert self.ended.acquire(timeout=30)


@pytest.fixture
def work() -> Iterator[Work]:
    built = Work(number=2, slow=3)
    yield built
    built.places.close()
    for gate in built.gates.values():
        gate.set()


def test_no_more_begin_than_there_are_places_and_the_others_follow_in_their_order(work: Work) -> None:
    work.submit(1, 2, 3, 4)
    assert work.await_begun(2) == [1, 2]
    work.let_go(2)
    assert work.await_begun(1) == [1, 2, 3]


def test_what_waits_long_elsewhere_makes_room_and_the_time_until_then_is_told(work: Work) -> None:
    work.submit(1, 2)
    work.await_begun(2)
    assert work.places.review() is None  # nobody waits
    work.clock.advance(0.5)
    work.submit(3)
    assert work.places.review() == SLOW_SECONDS - 0.5
    work.clock.advance(SLOW_SECONDS - 0.5)
    assert work.places.review() is None
    assert work.await_begun(1) == [1, 2, 3]


def test_what_works_here_keeps_its_place_however_long_it_takes(work: Work) -> None:
    work.submit(1, 2, elsewhere=False)
    work.await_begun(2)
    work.submit(3)
    work.clock.advance(3600)
    assert work.places.review() == SLOW_SECONDS
    assert sorted(work.begun) == [1, 2]
    work.let_go(1)
    assert work.await_begun(1) == [1, 2, 3]


def test_no_more_are_slow_than_may_be(work: Work) -> None:
    for first in (1, 3, 5):
        work.submit(first, first + 1)
        work.places.review()
        work.await_begun(2 if first < 5 else 1)
        work.clock.advance(SLOW_SECONDS)
    work.submit(7)
    assert work.places.review() == SLOW_SECONDS
    assert sorted(work.begun) == [1, 2, 3, 4, 5]
    work.let_go(1)
    assert work.await_begun(1) == [1, 2, 3, 4, 5, 6]


def test_work_that_is_back_counts_again(work: Work) -> None:
    back, go = threading.Event(), threading.Event()

    def there_and_back() -> None:
        with work.places.elsewhere():
            work.arrived.release()
            assert work.gates[0].wait(30)
        back.set()
        assert go.wait(30)

    work.gates[0] = threading.Event()
    work.places.submit(there_and_back)
    work.submit(1)
    work.await_begun(2)
    work.clock.advance(SLOW_SECONDS)
    work.gates[0].set()
    assert back.wait(30)
    work.submit(2, 3)
    assert work.await_begun(1) == [1, 2]  # in place of 1, which is slow; 3 waits
    assert work.places.review() == SLOW_SECONDS
    go.set()
    assert work.await_begun(1) == [1, 2, 3]


def test_after_the_end_nothing_begins(work: Work) -> None:
    work.submit(1, 2, 3)
    work.await_begun(2)
    work.places.close()
    work.let_go(1)
    work.let_go(2)
    assert sorted(work.begun) == [1, 2]
