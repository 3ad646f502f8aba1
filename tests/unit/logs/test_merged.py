"""Events and output as one stream: in order, each once, whatever is read while it grows and wherever pages are cut."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import UsageError
from penstock.logs.capture import told_in_events
from penstock.logs.local import LocalLogStore
from penstock.logs.marks import point_line
from penstock.logs.merged import OutputLine, merged_page
from penstock.logs.store import LogKey, log_key
from penstock.records.event import LogLine, StoredEvent
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import events_from, started_run


class World:
    """A run in a storage, with a clock that goes on by a second with each thing that happens."""

    def __init__(self, root: Path) -> None:
        self.clock = FakeClock(1_700_000_100.0)
        self.storage = SqliteStorage(None)
        self.logs = LocalLogStore(root, clock=self.clock)
        self.run_id = started_run(self.storage).run_id
        self.seq = 1
        self.after = self.storage.events.last_id()

    def says(self, message: str, step: str = "a") -> None:
        self.clock.advance(1)
        line = LogLine(level="INFO", message=message)
        self.seq += 1
        now = self.clock.now()
        told = events_from(self.seq, [line], at=now, step_key=step)
        self.storage.events.append(self.run_id, 1, told, now=now)
        self.clock.advance(1)

    def key(self, step: str = "a") -> LogKey:
        return log_key(self.run_id, step)

    def read(self, limit: int = 1000, **options: object) -> list[str]:
        """All pages, an entry a text; what was there before the test began is left out."""
        texts, cursor = [], None
        for _ in range(1000):
            page = merged_page(
                self.storage.events,
                self.logs,
                self.run_id,
                cursor=cursor,
                limit=limit,
                **options,  # type: ignore[arg-type]
            )
            assert len(page.entries) <= limit
            texts += [shown(each) for each in page.entries if not self._is_old(each)]
            cursor = page.cursor
            if not page.has_more:
                return texts
        raise AssertionError("there is no end to the pages")

    def _is_old(self, entry: StoredEvent | OutputLine) -> bool:
        return isinstance(entry, StoredEvent) and entry.id <= self.after


def shown(entry: StoredEvent | OutputLine) -> str:
    match entry:
        case OutputLine():
            return f"{entry.stream}: {entry.text}"
        case StoredEvent():
            assert isinstance(entry.event.fact, LogLine)
            return entry.event.fact.message


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.storage.close()


@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_what_a_step_prints_stands_among_what_it_tells(world: World, limit: int) -> None:
    with world.logs.capture(world.key()) as capture:
        for number in range(3):
            os.write(1, f"out {number}\n".encode())
            os.write(2, f"err {number}\n".encode())
            capture.mark()
            world.says(f"told {number}")
        os.write(1, b"no end of line")
        world.clock.advance(1)
    assert world.read(limit) == [
        *("stdout: out 0", "stderr: err 0", "told 0"),
        *("stdout: out 1", "stderr: err 1", "told 1"),
        *("stdout: out 2", "stderr: err 2", "told 2", "stdout: no end of line"),
    ]


def test_what_a_logger_printed_of_an_event_is_there_once(world: World) -> None:
    with world.logs.capture(world.key()) as capture:
        os.write(2, b"printed\n")
        capture.mark()
        world.says("told")
        with told_in_events():
            os.write(2, b"INFO told\n")
        os.write(2, b"printed too\n")
        world.clock.advance(1)
    assert world.read() == ["stderr: printed", "told", "stderr: printed too"]


def test_what_nobody_has_marked_yet_waits_for_it(world: World) -> None:
    path = world.logs.path(world.key(), "stdout")
    path.parent.mkdir(parents=True)
    path.write_text("one\ntwo\nthr")
    world.says("told")
    assert world.read() == ["told"]
    assert world.read(is_over=True) == ["told", "stdout: one", "stdout: two", "stdout: thr"]
    world.logs.mark(world.key())
    assert world.read() == ["told", "stdout: one", "stdout: two"]
    page = merged_page(world.storage.events, world.logs, world.run_id)
    with path.open("a") as file:
        file.write("ee\n")
    world.logs.mark(world.key(), "end")
    page = merged_page(world.storage.events, world.logs, world.run_id, cursor=page.cursor)
    assert [shown(each) for each in page.entries] == ["stdout: three"]


def test_steps_and_sources_can_be_chosen(world: World) -> None:
    for step in ("a", "b"):
        with world.logs.capture(world.key(step)) as capture:
            os.write(1, f"{step} out\n".encode())
            os.write(2, f"{step} err\n".encode())
            capture.mark()
            world.says(f"{step} told", step)
    assert world.read(step_keys=["b"]) == ["stdout: b out", "stderr: b err", "b told"]
    assert world.read(with_events=False, streams=["stderr"]) == ["stderr: a err", "stderr: b err"]


def test_output_of_any_shape_is_lines(world: World) -> None:
    path = world.logs.path(world.key(), "stdout")
    path.parent.mkdir(parents=True)
    path.write_bytes(b" 1%\r 50%\r100%\r\n\xff\0\n" + b"x" * 1_000_000 + b"\nend\n")
    world.logs.mark(world.key(), "end")
    lines = [each.removeprefix("stdout: ") for each in world.read()]
    assert lines[:2] == ["100%", "\ufffd\u2400"]
    assert "".join(lines[2:-1]) == "x" * 1_000_000
    assert lines[-1] == "end"


def test_what_is_left_out_is_a_line_of_its_own(world: World) -> None:
    world.logs.most_bytes = 20_000
    with world.logs.capture(world.key()):
        os.write(1, b"0123456789\n" * 10_000)
    assert world.logs.shorten(world.key(), "stdout")
    gap = world.logs.gap(world.key(), "stdout")
    assert gap is not None
    lines = world.read(limit=500)
    assert f"stdout: ... {gap.end - gap.start:,} bytes left out ..." in lines
    assert len(lines) < 3000


def test_each_attempt_is_at_its_time(world: World) -> None:
    for number in (1, 2):
        with world.logs.capture(world.key()) as capture:
            os.write(1, f"attempt {number}\n".encode())
            capture.mark()
            world.says(f"failed {number}")
    assert world.read() == ["stdout: attempt 1", "failed 1", "stdout: attempt 2", "failed 2"]


def test_marks_out_of_order_lose_nothing(world: World) -> None:
    path = world.logs.path(world.key(), "stdout")
    path.parent.mkdir(parents=True)
    path.write_text("one\ntwo\n")
    now = world.clock.now()
    path.with_suffix(".marks").write_bytes(
        point_line("at", now + 2, (8, 0)) + point_line("at", now + 1, (4, 0)) + point_line("end", now + 3, (8, 0))
    )
    assert world.read() == ["stdout: one", "stdout: two"]


def test_a_cursor_that_is_none(world: World) -> None:
    with pytest.raises(UsageError, match="is no cursor"):
        merged_page(world.storage.events, world.logs, world.run_id, cursor="12")
