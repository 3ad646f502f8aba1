"""The batched writer: when it stores, what it keeps through an outage, and that order and numbers hold."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import FencedError, StorageError, StorageUnavailableError
from penstock.records.event import Event, LogLine, RunSuccess, StepStart, StepSuccess, StoredEvent
from penstock.records.run import StepStats
from penstock.storage.derive import RUN_EVENTS
from penstock.storage.encoding import encode_event
from penstock.storage.writer import EventWriter

_LINE = LogLine(level="INFO", message="x" * 20)


class Time:
    """A clock that moves by hand, and by waiting."""

    def __init__(self) -> None:
        self.at = 1000.0

    def now(self) -> float:
        return self.at + 1_700_000_000

    def monotonic(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds


class Log:
    """An event log that can be away, and that can store a batch and then fail to say so."""

    def __init__(self) -> None:
        self.stored: dict[int, Event] = {}
        self.batches: list[int] = []
        self.tries = 0
        self.away_for = 0
        self.unheard = 0
        self.fenced = False
        self.refused: set[int] = set()
        self.stored_something = threading.Event()

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        assert (run_id, attempt) == ("r", 1)
        self.tries += 1
        if self.fenced:
            raise FencedError("passed on")
        if self.away_for:
            self.away_for -= 1
            raise StorageUnavailableError("away")
        refused = self.refused & {event.seq for event in events if event.seq is not None}
        if refused:
            raise StorageError(f"no such value: {min(refused)}")
        for event in events:
            assert event.seq is not None
            self.stored.setdefault(event.seq, event)
        if self.unheard:
            self.unheard -= 1
            raise StorageUnavailableError("no answer")
        self.batches.append(len(events))
        self.stored_something.set()
        return len(self.stored)

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        raise NotImplementedError

    def of_types(
        self,
        types: Sequence[str],
        *,
        after: int | None = None,
        before: int | None = None,
        since: float | None = None,
        until: float | None = None,
        jobs: Sequence[str] | None = None,
        ascending: bool = True,
        limit: int = 100,
    ) -> list[StoredEvent]:
        raise NotImplementedError

    def get(self, event_id: int) -> StoredEvent | None:
        raise NotImplementedError

    def last_id(self) -> int:
        raise NotImplementedError

    def failures(self, run_ids: Sequence[str]) -> dict[str, StoredEvent]:
        raise NotImplementedError

    def step_stats(self, run_id: str) -> list[StepStats]:
        raise NotImplementedError

    def steps_of(self, run_ids: Sequence[str]) -> dict[str, list[StepStats]]:
        raise NotImplementedError


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def writer(log: Log, time: Time) -> EventWriter:
    return EventWriter(log, "r", 1, time, max_events=3, max_seconds=0.05, pause=time.pause)


def test_events_wait_for_a_full_batch(writer: EventWriter, log: Log) -> None:
    writer.emit(_LINE)
    writer.emit(_LINE)
    assert (log.batches, writer.waiting) == ([], 2)
    writer.emit(_LINE)
    assert (log.batches, writer.waiting) == ([3], 0)


def test_events_wait_no_longer_than_the_oldest_may(writer: EventWriter, log: Log, time: Time) -> None:
    assert writer.due_in() is None
    writer.emit(_LINE)
    assert writer.due_in() == pytest.approx(0.05)
    time.at += 0.03
    assert writer.due_in() == pytest.approx(0.02)
    time.at += 0.03
    assert writer.due_in() == 0.0
    writer.emit(_LINE)
    assert log.batches == [2]
    assert writer.due_in() is None


@pytest.mark.parametrize("fact", [StepSuccess(seconds=1.0), RunSuccess()])
def test_an_end_is_stored_at_once_with_all_before_it(writer: EventWriter, log: Log, fact: StepSuccess) -> None:
    writer.emit(_LINE)
    writer.emit(fact)
    assert log.batches == [2]


def test_what_is_urgent_can_be_chosen(log: Log, time: Time) -> None:
    writer = EventWriter(log, "r", 1, time, urgent=RUN_EVENTS)
    writer.emit(StepSuccess(seconds=1.0))
    assert log.batches == []
    writer.emit(RunSuccess())
    assert log.batches == [2]


def test_events_carry_numbers_times_and_steps(writer: EventWriter, log: Log, time: Time) -> None:
    first = writer.emit(StepStart(), "load")
    second = writer.emit(_LINE, time=5.0)
    assert writer.flush()
    assert log.stored == {1: first, 2: second}
    assert (first.time, first.step_key, second.time) == (time.now(), "load", 5.0)
    assert writer.next_seq == 3


def test_numbers_go_on_from_where_they_are_told(log: Log, time: Time) -> None:
    writer = EventWriter(log, "r", 1, time, first_seq=41)
    assert writer.emit(_LINE).seq == 41


def test_an_outage_keeps_events_and_their_order(writer: EventWriter, log: Log, time: Time) -> None:
    log.away_for = 2
    for _ in range(7):
        writer.emit(_LINE)
    assert (log.tries, log.stored) == (1, {})  # it does not knock again within its pause
    assert not writer.flush()
    assert log.tries == 1
    assert writer.due_in() == pytest.approx(0.1)
    time.at += 0.2
    writer.emit(_LINE)
    assert (log.tries, log.stored) == (2, {})
    assert writer.due_in() == pytest.approx(0.2)
    time.at += 0.2
    assert writer.flush()
    assert list(log.stored) == list(range(1, 9))
    assert log.batches == [3, 3, 2]


def test_a_patient_flush_tries_until_the_database_is_back(writer: EventWriter, log: Log, time: Time) -> None:
    log.away_for = 9
    writer.emit(_LINE)
    began = time.at
    assert writer.flush(patience=300.0)
    assert list(log.stored) == [1]
    assert 10 < time.at - began < 60


def test_a_patient_flush_ends_with_its_patience(writer: EventWriter, log: Log, time: Time) -> None:
    log.away_for = 10**6
    writer.emit(_LINE)
    began = time.at
    assert not writer.close(patience=12.0)
    assert time.at - began == pytest.approx(12.0)
    assert writer.waiting == 1


def test_a_batch_whose_answer_was_lost_is_stored_once(writer: EventWriter, log: Log) -> None:
    log.unheard = 1
    given_events = [writer.emit(_LINE) for _ in range(4)]
    assert writer.flush(patience=10)
    assert list(log.stored.values()) == given_events


def test_the_spool_has_a_bound(log: Log, time: Time) -> None:
    writer = EventWriter(log, "r", 1, time, max_events=1, max_spool_events=5, pause=time.pause)
    log.away_for = 10**6
    for _ in range(5):
        writer.emit(_LINE)
    with pytest.raises(StorageError, match="5 events of the run r"):
        writer.emit(_LINE)
    log.away_for = 0
    assert writer.flush(patience=60)
    writer.emit(_LINE)
    assert list(log.stored) == [1, 2, 3, 4, 5, 6]


def test_the_spool_is_bounded_in_bytes_as_well(log: Log, time: Time) -> None:
    writer = EventWriter(log, "r", 1, time, max_events=1, max_spool_bytes=300, pause=time.pause)
    log.away_for = 10**6
    size = len(encode_event(Event(time=time.now(), fact=_LINE, seq=1))[1])
    for _ in range(300 // size):
        writer.emit(_LINE)
    with pytest.raises(StorageError, match="no more can be kept"):
        writer.emit(_LINE)


def test_a_fenced_writer_says_so_at_every_call(writer: EventWriter, log: Log) -> None:
    writer.emit(_LINE)
    log.fenced = True
    with pytest.raises(FencedError):
        writer.flush()
    with pytest.raises(FencedError):
        writer.emit(_LINE)
    with pytest.raises(FencedError):
        writer.flush()
    assert (writer.waiting, log.tries) == (0, 1)


def test_a_refused_event_is_left_out_alone_and_told_once(writer: EventWriter, log: Log) -> None:
    log.refused = {2}
    writer.emit(_LINE)
    writer.emit(_LINE)
    with pytest.raises(StorageError, match="no such value: 2"):
        writer.emit(_LINE)
    assert (list(log.stored), writer.waiting) == ([1, 3], 0)
    writer.emit(RunSuccess())
    assert (list(log.stored), log.batches) == ([1, 3, 4], [1, 1, 1])


def test_a_run_whose_log_lacks_something_has_not_succeeded(writer: EventWriter, log: Log) -> None:
    log.refused = {1}
    writer.emit(_LINE)
    with pytest.raises(StorageError, match="no such value: 1"):
        writer.emit(RunSuccess())
    assert log.stored == {}
    assert writer.close()
    writer.emit(RunSuccess())
    assert [event.type for event in log.stored.values()] == ["RUN_SUCCESS"]


def test_a_refused_event_holds_up_nothing_that_comes_after_it(writer: EventWriter, log: Log) -> None:
    log.refused = {1, 2}
    log.away_for = 1
    for _ in range(4):
        writer.emit(_LINE)
    with pytest.raises(StorageError, match="no such value: 2"):
        writer.close(patience=10)
    assert writer.close()
    assert list(log.stored) == [3, 4]


def test_a_background_writer_hands_on_that_an_event_was_refused(log: Log) -> None:
    log.refused = {1}
    writer = EventWriter(log, "r", 1, max_seconds=0.001, max_events=2, background=True)
    writer.emit(_LINE)
    with pytest.raises(StorageError, match="no such value"):
        writer.close()
    assert writer.close()


def test_a_background_writer_stores_what_is_old(log: Log) -> None:
    writer = EventWriter(log, "r", 1, max_seconds=0.001, background=True)
    writer.emit(_LINE)
    assert log.stored_something.wait(20)
    assert writer.close()
    assert list(log.stored) == [1]


def test_a_background_writer_that_found_nothing_to_store_is_woken(log: Log) -> None:
    writer = EventWriter(log, "r", 1, max_seconds=0.001, background=True)
    for _ in range(3):
        log.stored_something.clear()
        writer.emit(_LINE)
        assert log.stored_something.wait(20)
    assert writer.close()
    assert list(log.stored) == [1, 2, 3]


def test_a_background_writer_hands_on_that_it_was_fenced(log: Log) -> None:
    log.fenced = True
    writer = EventWriter(log, "r", 1, max_seconds=0.001, background=True)
    writer.emit(_LINE)
    with pytest.raises(FencedError):
        writer.close()


@given(
    outages=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 9)), max_size=6),
    max_events=st.integers(1, 5),
)
def test_through_any_outages_every_event_is_stored_once_in_order(
    outages: list[tuple[int, int, int]], max_events: int
) -> None:
    time, log = Time(), Log()
    writer = EventWriter(log, "r", 1, time, max_events=max_events, pause=time.pause)
    emitted = []
    for away_for, unheard, count in outages:
        log.away_for, log.unheard = away_for, unheard
        for index in range(count):
            emitted.append(writer.emit(LogLine(level="INFO", message=str(index))))
            time.at += 0.04
    assert writer.close(patience=300)
    assert list(log.stored.values()) == emitted
    assert [event.seq for event in emitted] == list(range(1, len(emitted) + 1))


def test_threads_share_a_writer(log: Log, time: Time) -> None:
    writer = EventWriter(log, "r", 1, time, max_events=7)
    threads = [threading.Thread(target=lambda: [writer.emit(_LINE) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert writer.close()
    assert list(log.stored) == list(range(1, 801))
