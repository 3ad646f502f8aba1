"""The queue duty: claimed runs reach the launcher, refused ones go back, waiting ones say why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from penstock.codec import encode_json
from penstock.daemon.queue import QueueDuty
from penstock.engine.pools import PoolRules
from penstock.engine.queue import QueueLimits
from penstock.errors import CodeServerUnreachableError, FencedError
from penstock.locations.catalog import Catalog
from penstock.records.backfill import Backfill, BackfillLine, BackfillStatus
from penstock.records.event import RunCanceled, RunEnqueued, StepSuccess
from penstock.records.lease import Lease
from penstock.records.location import LocationDescription
from penstock.records.pool import PoolNeed, SlotRequest
from penstock.records.run import FailureReason, Run, RunStatus, Tag
from penstock.records.wire import LaunchAnswer, LoadStatus
from penstock.storage.protocols import BackfillChange, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.backfills import added_backfill
from penstock.testing.storage_contract.builders import NOW, events_from, new_run, queued_run, started_run
from support.held import whole

SHOP = encode_json(LocationDescription(name="shop"))
HELD = whole(Lease(name="queue", holder="daemon-1", epoch=1, until=NOW + 10))


class Launcher:
    """Answers as it is told to, and remembers whom it launched."""

    def __init__(self) -> None:
        self.answer: LaunchAnswer | Exception = LaunchAnswer(accepted=True)
        self.launched: list[Run] = []
        self.called = threading.Semaphore(0)

    def launch(self, run: Run) -> LaunchAnswer:
        self.launched.append(run)
        self.called.release()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        raise AssertionError("the queue cancels nothing")


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    opened = SqliteStorage(None)
    assert opened.leases.acquire("queue", "daemon-1", ttl=10, now=NOW) == HELD.lease
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW + 5)


@pytest.fixture
def launcher() -> Launcher:
    return Launcher()


def duty(
    storage: SqliteStorage,
    launcher: Launcher,
    clock: FakeClock,
    *,
    places: int = 10,
) -> QueueDuty:
    return QueueDuty(
        storage.runs,
        storage.backfills,
        launcher,
        QueueLimits(max_concurrent_runs=places),
        clock,
        catalog=Catalog(storage.locations),
        slots=storage.slots,
        rules=PoolRules(),
        workers=ThreadPoolExecutor(2),
    )


def status(storage: SqliteStorage, run: Run) -> Run:
    found = storage.runs.get(run.run_id)
    assert found is not None
    return found


def change(storage: SqliteStorage, backfill: Backfill, **wanted: Any) -> None:
    line = BackfillLine(time=NOW, message="Changed.")
    storage.backfills.change(backfill.backfill_id, BackfillChange(**wanted), line=line, now=NOW)


def test_a_queued_run_is_claimed_and_handed_to_the_launcher(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    run = queued_run(storage)
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    queue.close()
    assert [each.run_id for each in launcher.launched] == [run.run_id]
    (launched,) = launcher.launched
    assert (launched.status, launched.attempt, launched.owner) == (RunStatus.STARTING, 1, "daemon-1")


def test_what_has_no_place_says_what_it_waits_for(storage: SqliteStorage, launcher: Launcher, clock: FakeClock) -> None:
    first, second = queued_run(storage), queued_run(storage)
    queue = duty(storage, launcher, clock, places=1)
    queue.tick(HELD)
    queue.close()
    assert status(storage, first).status is RunStatus.STARTING
    waiting = status(storage, second)
    assert waiting.status is RunStatus.QUEUED
    assert waiting.note == "Waits for a free place: 1 of 1 runs are active. Place 1 in the queue."


def test_two_jobs_take_turns_at_the_only_place(storage: SqliteStorage, launcher: Launcher, clock: FakeClock) -> None:
    flood = [queued_run(storage, job="flood") for _ in range(4)]
    single = queued_run(storage, job="single")
    queue = duty(storage, launcher, clock, places=1)
    for _ in range(3):
        queue.tick(HELD)
        clock.advance(1)
        (active,) = storage.runs.active()
        assert storage.runs.record(active.run_id, [RunCanceled()], now=clock.now())
    queue.close()
    assert [each.run_id for each in launcher.launched] == [flood[0].run_id, single.run_id, flood[1].run_id]


def test_a_run_behind_many_that_wait_for_a_pool_is_found(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    storage.slots.set_limit("db", 0)
    need = PoolNeed(pools=("db",), first={"db": 1})
    storage.runs.create([new_run(RunEnqueued(), pools=need) for _ in range(230)])
    free = queued_run(storage)
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    queue.close()
    assert [each.run_id for each in launcher.launched] == [free.run_id]
    assert all("the pool db" in (run.note or "") for run in storage.runs.queued(limit=500))


def test_a_run_stays_while_its_pool_is_full_and_goes_when_a_slot_is_free(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    storage.slots.set_limit("db", 1)
    need = PoolNeed(pools=("db",), first={"db": 1})
    holder, waiting = started_run(storage), queued_run(storage, pools=need)
    request = SlotRequest(step_key="load", pools=("db",), since=NOW)
    storage.slots.claim(holder.run_id, 1, [request], now=NOW + 5)
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    assert status(storage, waiting).note == (
        f"Waits for the pool db: 1 of 1 slot taken by run {holder.run_id[-8:]} step load. Place 1 in the queue."
    )
    storage.events.append(holder.run_id, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="load"), now=NOW + 6)
    assert "slots" in queue.topics
    queue.tick(HELD)
    queue.close()
    assert [each.run_id for each in launcher.launched] == [waiting.run_id]


def test_what_a_paused_backfill_has_in_the_queue_stays_says_so_and_lets_others_pass(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    backfill = added_backfill(storage, user="ann")
    tags = {Tag.BACKFILL: backfill.backfill_id, Tag.USER: "ann", Tag.PRIORITY: "5"}
    flood = [new_run(RunEnqueued(), tags=tags) for _ in range(230)]
    storage.runs.create(flood)
    other = queued_run(storage)
    change(storage, backfill, paused=True)
    queue = duty(storage, launcher, clock, places=2)
    queue.tick(HELD)
    late = queued_run(storage, tags=tags)
    queue.tick(HELD)
    assert {run.note for run in storage.runs.queued(limit=500)} == {"Waits for its backfill fix, which is paused."}
    change(storage, backfill, paused=False)
    queue.tick(HELD)
    queue.close()
    assert [each.run_id for each in launcher.launched] == [other.run_id, flood[0].run.run_id]
    notes = [run.note for run in storage.runs.queued(limit=500)]
    assert notes[0] == "Waits for a free place: 2 of 2 runs are active. Place 1 in the queue."
    assert notes[-1] is None  # it is far back, and its backfill is not paused any more
    assert status(storage, late).status is RunStatus.QUEUED


def test_what_a_paused_backfill_has_under_another_user_stays_too(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    backfill = added_backfill(storage, user="ann", title=None)
    run = queued_run(storage, tags={Tag.BACKFILL: backfill.backfill_id, Tag.USER: "bob"})
    change(storage, backfill, paused=True)
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    queue.close()
    assert launcher.launched == []
    assert status(storage, run).note == (
        f"Waits for its backfill {backfill.backfill_id}, which is paused. Place 1 in the queue."
    )


def test_canceling_a_paused_backfill_starts_none_of_its_runs(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    backfill = added_backfill(storage)
    run = queued_run(storage, tags={Tag.BACKFILL: backfill.backfill_id})
    queue = duty(storage, launcher, clock)
    change(storage, backfill, paused=True)
    queue.tick(HELD)
    change(storage, backfill, status=BackfillStatus.CANCELING)
    queue.tick(HELD)
    queue.close()
    assert launcher.launched == []
    assert status(storage, run).note == "Waits for its backfill fix, which is being canceled."


@pytest.mark.parametrize(
    "answer",
    [LaunchAnswer(accepted=False, reason="it is shutting down"), CodeServerUnreachableError("nobody is there")],
)
def test_a_run_that_was_not_taken_goes_back_and_its_location_rests(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock, answer: LaunchAnswer | Exception
) -> None:
    run = queued_run(storage)
    launcher.answer = answer
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    queue.close()
    back = status(storage, run)
    assert back.status is RunStatus.QUEUED
    assert back.attempt == 1


def test_after_its_rest_a_location_is_tried_again(storage: SqliteStorage, launcher: Launcher, clock: FakeClock) -> None:
    run = queued_run(storage)
    launcher.answer = CodeServerUnreachableError("nobody is there")
    queue = duty(storage, launcher, clock)
    subscribed = storage.notifier.subscribe()
    queue.tick(HELD)
    while status(storage, run).status is not RunStatus.QUEUED:
        subscribed.wait(5)
    launcher.answer = LaunchAnswer(accepted=True)
    assert queue.tick(HELD) is not None
    assert status(storage, run).status is RunStatus.QUEUED
    clock.advance(3)
    queue.tick(HELD)
    queue.close()
    subscribed.close()
    assert [each.attempt for each in launcher.launched] == [1, 2]


def test_a_run_of_a_location_that_is_not_loaded_stays(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    run = queued_run(storage)
    storage.locations.put(StoredLocation(name="shop", status=LoadStatus.FAILED, updated=NOW))
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    queue.close()
    assert launcher.launched == []
    assert "shop" in (status(storage, run).note or "")


def test_a_daemon_whose_lease_has_passed_on_starts_nothing(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    run = queued_run(storage)
    assert storage.leases.acquire("queue", "daemon-2", ttl=10, now=NOW + 60) is not None
    queue = duty(storage, launcher, clock)
    with pytest.raises(FencedError):
        queue.tick(HELD)
    queue.close()
    assert launcher.launched == []
    assert storage.runs.get(run.run_id) == run


def test_after_its_rest_a_location_gets_one_run_until_it_takes_it(
    storage: SqliteStorage, launcher: Launcher, clock: FakeClock
) -> None:
    queued_run(storage)
    queue = duty(storage, launcher, clock)
    launcher.answer = CodeServerUnreachableError("nobody is there")
    queue.tick(HELD)
    _until(storage, lambda: not storage.runs.active())
    others = [queued_run(storage) for _ in range(3)]
    queue.tick(HELD)
    assert status(storage, others[0]).note == (
        "Waits for the code location shop, which does not take runs at the moment. Place 2 in the queue."
    )
    for launched in (2, 3):
        clock.advance(5)
        assert queue.tick(HELD) is not None
        _until(storage, lambda: not storage.runs.active())
        assert len(launcher.launched) == launched
    storage.locations.put(StoredLocation(name="shop", status=LoadStatus.LOADED, description=SHOP, updated=NOW))
    launcher.answer = LaunchAnswer(accepted=True)
    queue.tick(HELD)  # the code server has come again
    queue.close()
    assert len(launcher.launched) == 3 + 4


def test_a_run_that_the_launcher_fails_over_ends(storage: SqliteStorage, launcher: Launcher, clock: FakeClock) -> None:
    run, other = queued_run(storage), queued_run(storage)
    launcher.answer = KeyError("image")
    queue = duty(storage, launcher, clock)
    queue.tick(HELD)
    queue.close()
    ended = status(storage, run)
    assert (ended.status, ended.failure_reason) == (RunStatus.FAILURE, FailureReason.JOB_INITIALIZATION_FAILURE)
    assert status(storage, other).status is RunStatus.FAILURE


def _until(storage: SqliteStorage, holds: Callable[[], bool]) -> None:
    subscribed = storage.notifier.subscribe()
    while not holds():
        subscribed.wait(5)
    subscribed.close()
