"""Several processes on one database: nothing is lost, nothing happens twice, nobody sees a lock."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from multiprocessing.synchronize import Barrier

import msgspec

from ...errors import FencedError
from ...records.automation import TickStatus
from ...records.event import LogLine, RunCanceled, RunEnqueued, RunStart, RunSuccess
from ...records.run import RunStatus
from ...storage.protocols import RunFilter, Storage
from .builders import NOW, events_from, new_run, queued_run, started_run
from .slots import claim_and_release

__all__ = ["MultiProcessStorageContract", "Opener"]

Opener = Callable[[], Storage]
"""Gives a further `Storage` on the same database; can be pickled."""

_PROCESSES = 8
_RUNS = 40
_BATCHES = 15
_BATCH = 5
_BEFORE_KILL = 200
_SLOT_ROUNDS = 6
_DEADLINE = 90.0


class MultiProcessStorageContract:
    """What holds between processes that share a database."""

    def test_processes_that_append_and_claim_at_once_lose_nothing(self, storage: Storage, opener: Opener) -> None:
        for _ in range(_RUNS):
            queued_run(storage)
        claimed = [run_id for part in _in_processes(opener, _claim_and_work) for run_id in part]
        assert len(claimed) == len(set(claimed)) == _RUNS
        for run in storage.runs.page(RunFilter(), limit=_RUNS + _PROCESSES):
            assert run.status is RunStatus.SUCCESS
            log = storage.events.of_run(run.run_id)
            numbers = [each.event.seq for each in log if each.event.seq is not None]
            assert numbers == list(range(1, _BATCHES * _BATCH + 3))
            assert log[-1].event.type == "RUN_SUCCESS"
        ids = [each.id for each in storage.events.of_types(["LOG"], limit=1_000_000)]
        assert len(ids) == len(set(ids)) == _RUNS * (_BATCHES * _BATCH)

    def test_who_follows_the_log_by_its_ids_misses_nothing_of_many_writers(
        self, storage: Storage, opener: Opener
    ) -> None:
        for _ in range(_RUNS):
            queued_run(storage)
        seen: list[int] = []
        after = 0
        subscription = storage.notifier.subscribe()
        with ThreadPoolExecutor(1) as thread:
            writers = thread.submit(_in_processes, opener, _claim_and_work)
            is_over = False
            while not is_over:
                is_over = writers.done()  # there is one more look after that
                while page := storage.events.of_types(["LOG"], after=after, limit=500):
                    seen += [each.id for each in page]
                    after = page[-1].id
                subscription.wait(0.5)
            writers.result()
        subscription.close()
        assert len(seen) == len(set(seen)) == _RUNS * _BATCHES * _BATCH

    def test_a_tick_and_a_run_key_count_once_over_all_processes(self, storage: Storage, opener: Opener) -> None:
        outcomes = _in_processes(opener, _tick_all)
        made = [run_id for part in outcomes for run_id in part]
        assert len(made) == len(set(made)) == storage.runs.count(RunFilter())
        ticks = storage.instigators.ticks("shop/sensor/s", limit=1000)
        assert len({tick.due for tick in ticks}) == len(ticks)
        keys = {key for tick in ticks for key in tick.run_keys}
        assert len(made) == len(keys)

    def test_processes_that_settle_a_value_at_once_agree(self, storage: Storage, opener: Opener) -> None:
        settled = {value for (value,) in _in_processes(opener, _settle)}
        assert settled == {storage.locations.get_value("key")}

    def test_processes_may_start_at_once_on_an_empty_database(self, opener: Opener) -> None:
        assert _in_processes(opener, _migrate_and_write) == [[True]] * _PROCESSES

    def test_a_forked_child_opens_the_database_for_itself(self, storage: Storage, opener: Opener) -> None:
        run = started_run(storage)
        child = multiprocessing.get_context("fork").Process(target=_append_in_fork, args=(storage, run.run_id, 2))
        child.start()
        child.join(_DEADLINE)
        assert child.exitcode == 0
        storage.events.append(run.run_id, 1, events_from(3, [RunSuccess()]), now=NOW)
        assert [each.event.seq for each in storage.events.of_run(run.run_id)][-3:] == [1, 2, 3]

    def test_what_a_killed_process_was_told_is_stored(self, storage: Storage, opener: Opener) -> None:
        run = started_run(storage)
        context = multiprocessing.get_context("forkserver")
        told, tell = context.Pipe(duplex=False)
        child = context.Process(target=_append_for_ever, args=(opener, run.run_id, tell))
        child.start()
        tell.close()
        last = 0
        while last < _BEFORE_KILL:
            assert told.poll(_DEADLINE)
            last = told.recv()
        child.kill()
        child.join(_DEADLINE)
        with contextlib.suppress(EOFError):
            while told.poll(0):
                last = told.recv()
        told.close()
        numbers = [each.event.seq for each in storage.events.of_run(run.run_id, types=["LOG"], limit=1_000_000)]
        assert numbers == list(range(2, 2 + len(numbers)))  # whole batches, without a gap
        assert len(numbers) >= last - 1
        assert storage.runs.record(run.run_id, [RunCanceled()], now=NOW, attempt=1)

    def test_processes_that_race_for_slots_are_never_above_the_limit(self, storage: Storage, opener: Opener) -> None:
        storage.slots.set_limit("db", 2)
        counts = [count for each in _in_processes(opener, _claim_slots) for count in each]
        assert len(counts) == _PROCESSES * _SLOT_ROUNDS
        assert set(counts) <= {1, 2}
        assert [each.held for each in storage.slots.pools(now=NOW)] == [()]

    def test_a_change_in_another_process_wakes_a_listener_here(self, storage: Storage, opener: Opener) -> None:
        subscription = storage.notifier.subscribe()
        try:
            _in_processes(opener, _migrate_and_write, count=1)
            assert subscription.wait(_DEADLINE)
        finally:
            subscription.close()


_barrier: Barrier | None = None


def _take_barrier(barrier: Barrier) -> None:
    global _barrier
    _barrier = barrier


def _in_processes(
    opener: Opener, work: Callable[[Storage, int], list[object]], *, count: int = _PROCESSES
) -> list[list[object]]:
    """What `work` gave in each of so many processes, which begin together."""
    context: BaseContext = multiprocessing.get_context("forkserver")
    barrier = context.Barrier(count, timeout=_DEADLINE)
    with ProcessPoolExecutor(count, context, _take_barrier, (barrier,)) as pool:
        results = [pool.submit(_work_together, opener, work, index) for index in range(count)]
        return [result.result(_DEADLINE) for result in results]


def _work_together(opener: Opener, work: Callable[[Storage, int], list[object]], index: int) -> list[object]:
    assert _barrier is not None
    storage = opener()
    _barrier.wait()
    try:
        return work(storage, index)
    finally:
        storage.close()


def _claim_slots(storage: Storage, index: int) -> list[object]:
    return list(claim_and_release(storage, index, _SLOT_ROUNDS))


def _claim_and_work(storage: Storage, index: int) -> list[object]:
    claimed: list[object] = []
    while queued := storage.runs.queued(limit=3):
        wanted = [run.run_id for run in queued]
        for run in storage.runs.claim(wanted, owner=f"server-{index}", until=NOW + 60, now=NOW):
            claimed.append(run.run_id)
            storage.events.append(run.run_id, run.attempt, events_from(1, [RunStart()]), now=NOW)
            for batch in range(_BATCHES):
                lines = [LogLine(level="INFO", message=str(index))] * _BATCH
                storage.events.append(run.run_id, run.attempt, events_from(2 + batch * _BATCH, lines), now=NOW)
            end = events_from(2 + _BATCHES * _BATCH, [RunSuccess()])
            storage.events.append(run.run_id, run.attempt, end, now=NOW)
    return claimed


def _tick_all(storage: Storage, index: int) -> list[object]:
    made: list[object] = []
    for turn in range(10):
        # Time jumps past the lease at every turn, so that it keeps passing from hand to hand.
        now = NOW + 100 * (turn + 1)
        lease = storage.leases.acquire("sensors", f"daemon-{index}", ttl=0, now=now)
        if lease is None:
            continue
        try:
            tick = storage.instigators.begin_tick("shop/sensor/s", NOW + turn, lease=lease, now=now)
            if tick is None:
                continue
            runs = [(f"key-{turn}", new_run(RunEnqueued())), (f"key-{turn + 1}", new_run(RunEnqueued()))]
            done = storage.instigators.complete_tick(
                msgspec.structs.replace(tick, status=TickStatus.SUCCESS), lease=lease, runs=runs, now=now
            )
        except FencedError:
            continue
        made += done.run_ids
    return made


def _settle(storage: Storage, index: int) -> list[object]:
    return [storage.locations.settle_value("key", f"of {index}")]


def _migrate_and_write(storage: Storage, _index: int) -> list[object]:
    storage.migrate()
    run = queued_run(storage)
    return [storage.runs.get(run.run_id) == run]


def _append_for_ever(opener: Opener, run_id: str, tell: Connection) -> None:
    storage = opener()
    for first in itertools.count(2, _BATCH):
        storage.events.append(run_id, 1, events_from(first, [LogLine(level="INFO", message="x")] * _BATCH), now=NOW)
        tell.send(first + _BATCH - 1)


def _append_in_fork(storage: Storage, run_id: str, seq: int) -> None:
    try:
        storage.events.append(run_id, 1, events_from(seq, [LogLine(level="INFO", message="child")]), now=NOW)
        assert storage.runs.get(run_id) is not None
        storage.close()
    except BaseException:
        traceback.print_exc()
        raise
