"""Following captures from outside: what is marked, told and left out, and that nothing is done when nothing comes."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable
from pathlib import Path

import pytest

from penstock.ids import new_run_id
from penstock.logs import growth
from penstock.logs.keeper import LogKeeper
from penstock.logs.local import LocalLogStore
from penstock.logs.store import log_key
from penstock.testing.clock import FakeClock

RUN = new_run_id()
KEY = log_key(RUN, "extract")
TOPIC = f"logs:{RUN}"


class Place:
    """A keeper with a clock that is moved by hand, and what it has told."""

    def __init__(self, root: Path, most_bytes: int = 0) -> None:
        self.clock = FakeClock(1000.0)
        self.store = LocalLogStore(root, most_bytes=most_bytes, clock=self.clock)
        self.published: list[str] = []
        self.told: list[str] = []
        self.woken = 0
        self.keeper = LogKeeper(self.store, RUN, self.clock, publish=self._publish, tell=self.told.append)
        self.keeper.wake = self._wake

    def _publish(self, topics: Iterable[str]) -> None:
        self.published += topics

    def _wake(self) -> None:
        self.woken += 1

    def prints(self, text: bytes) -> None:
        path = self.store.path(KEY, "stdout")
        path.parent.mkdir(parents=True, exist_ok=True)
        for each in (path, path.with_suffix(".err")):
            each.touch()
        with path.open("ab") as file:
            file.write(text)

    def looks(self) -> None:
        """Let the keeper look, if it wants to."""
        due = self.keeper.due_in()
        if due is not None:
            self.clock.advance(due)
        self.keeper.attend()

    def hears(self) -> bool:
        """Whether the keeper is told that something has grown."""
        return bool(select.select([self.keeper.fileno()], [], [], 0)[0])

    def sizes(self) -> list[int]:
        return [each.stdout for each in self.store.marks(KEY).points]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture(params=["told of growth", "looking by itself"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "looking by itself":
        monkeypatch.setattr(growth, "_libc", None)
    return Place(tmp_path)


def test_what_comes_is_marked_and_told_until_the_end(any_place: Place) -> None:
    place = any_place
    place.prints(b"one\n")
    place.keeper.began(KEY)
    place.looks()
    assert (place.sizes(), place.published) == ([4], [TOPIC])
    place.prints(b"two\n")
    place.keeper.attend()
    place.looks()
    assert (place.sizes(), place.published) == ([4, 8], [TOPIC] * 2)
    place.prints(b"last\n")
    place.store.mark(KEY, "end")
    place.keeper.ended(KEY)
    place.looks()
    assert place.published == [TOPIC] * 3
    assert place.keeper.due_in() is None
    assert place.store.marks(KEY).complete


def test_it_sleeps_until_something_grows(place: Place) -> None:
    assert place.keeper.due_in() is None
    place.prints(b"one\n")
    place.keeper.began(KEY)
    assert place.woken == 1
    place.looks()
    assert place.keeper.due_in() is None
    assert not place.hears()
    place.prints(b"two\n")
    place.prints(b"three\n")
    assert place.hears()
    place.keeper.attend()
    assert not place.hears()  # a flood makes no noise until the next look
    place.prints(b"four\n")
    assert not place.hears()
    place.looks()
    assert place.sizes() == [4, 19]
    assert place.keeper.due_in() is None


def test_looks_become_seldom_where_nobody_tells_of_growth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "_libc", None)
    place = Place(tmp_path)
    assert place.keeper.fileno() == -1
    place.prints(b"one\n")
    place.keeper.began(KEY)
    pauses = []
    for _ in range(7):
        place.looks()
        pauses.append(place.keeper.due_in())
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])
    place.prints(b"two\n")
    place.looks()
    assert place.keeper.due_in() == pytest.approx(0.1)


def test_the_end_of_a_killed_process_is_written_down(place: Place) -> None:
    place.prints(b"half a l")
    place.keeper.began(KEY)
    place.looks()
    place.keeper.ended(KEY)
    while place.keeper.due_in() is not None:
        place.looks()
    assert place.store.marks(KEY).complete
    assert place.clock.monotonic() < 10_000


def test_another_attempt_is_followed_anew(place: Place) -> None:
    for round_ in (1, 2):
        place.prints(b"line\n")
        place.keeper.began(KEY)
        place.looks()
        assert place.sizes()[-1] == 5 * round_
        place.store.mark(KEY, "end")
        place.keeper.ended(KEY)
        place.looks()


def test_closing_settles_what_is_open(place: Place) -> None:
    place.prints(b"one\n")
    place.keeper.began(KEY)
    place.keeper.close()
    assert place.store.marks(KEY).complete
    assert place.published == [TOPIC]
    assert place.keeper.fileno() == -1


def test_a_flood_is_shortened_while_it_goes_on(tmp_path: Path) -> None:
    place = Place(tmp_path, most_bytes=100_000)
    place.keeper.began(KEY)
    for _ in range(50):
        place.prints(b"0123456789abcde\n" * 10_000)
        place.keeper.attend()
        place.looks()
    taken = place.store.path(KEY, "stdout").stat().st_blocks * 512
    assert taken <= 150_000
    assert place.store.size(KEY, "stdout") == 8_000_000
    assert place.told == []


def test_what_cannot_be_shortened_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.logs.local.punch_hole", lambda *_: False)
    place = Place(tmp_path, most_bytes=1000)
    place.keeper.began(KEY)
    for _ in range(3):
        place.prints(b"x" * 5000)
        place.keeper.attend()
        place.looks()
    (told,) = place.told
    assert "cannot drop the middle of a file" in told


def test_a_full_disk_is_told_once_and_stops_nothing(place: Place) -> None:
    place.prints(b"one\n")
    path = place.store.path(KEY, "stdout")
    path.with_suffix(".marks").symlink_to("/dev/full")
    place.keeper.began(KEY)
    for _ in range(3):
        place.looks()
        place.prints(b"more\n")
        place.keeper.attend()
    (told,) = place.told
    assert told.startswith("The disk is full")
    assert os.fspath(place.store.root) in told
    assert TOPIC in place.published
