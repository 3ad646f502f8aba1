"""The table of running workers: what it does when leases are lost, forks fail and processes end in odd ways."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from penstock.clock import SYSTEM_CLOCK
from penstock.errors import EnvironmentalError
from penstock.execution.frames import encode_frame
from penstock.ids import new_run_id
from penstock.locations import run_table
from penstock.locations.run_table import RunTable
from penstock.locations.storage_calls import StorageCalls
from penstock.locations.zygote_process import WorkProcess
from penstock.logs.local import LocalLogStore
from penstock.logs.store import log_key
from penstock.records.errors import ErrorInfo
from penstock.records.event import EngineNote, RunCanceling, RunEnqueued, RunFailure, RunResumed, RunStart, RunSuccess
from penstock.records.run import Run, RunStatus
from penstock.records.wire import Work
from penstock.storage.protocols import NewRun
from penstock.storage.sqlite.storage import SqliteStorage

T = TypeVar("T")
NOW = 1_000_000.0


class FakeProcess(WorkProcess):
    """A process that only remembers its signals, and ends when it is told."""

    def __init__(self) -> None:
        super().__init__(4_000_000, asyncio.get_running_loop().create_future())
        self.signals: list[signal.Signals] = []
        self.dies_of: frozenset[signal.Signals] = frozenset({signal.SIGTERM, signal.SIGKILL})
        self.channel: socket.socket | None = None

    def signal(self, number: signal.Signals) -> bool:
        self.signals.append(number)
        if number in self.dies_of:
            self.end(-number)
        return True

    def end(self, code: int | None) -> None:
        if self.channel is not None:
            self.channel.close()
        if not self.exited.done():
            self.exited.set_result(code)


class World:
    """A table on a real storage with fake processes."""

    def __init__(self, storage: SqliteStorage, logs: LocalLogStore) -> None:
        self.storage = storage
        self.logs = logs
        self.calls = StorageCalls()
        self.processes: list[FakeProcess] = []
        self.refusal: EnvironmentalError | None = None
        self.fresh_because: str | None = None
        self.forking = 0
        self.held: asyncio.Event | None = None  # what the next fork waits for
        self.table = RunTable(storage, logs, self.calls, SYSTEM_CLOCK, "code-server-1", "shop", self._fork, resumes=1)

    async def _fork(self, _work: Work, channel: socket.socket) -> tuple[WorkProcess, str | None]:
        if self.refusal is not None:
            raise self.refusal
        self.forking += 1
        held, self.held = self.held, None
        if held is not None:
            await held.wait()
        process = FakeProcess()
        process.channel = channel.dup()
        self.processes.append(process)
        return process, self.fresh_because

    def claimed(self) -> Run:
        run = Run(run_id=new_run_id(), location="shop", job="nightly", created=NOW)
        self.storage.runs.create([NewRun(run=run)])
        return self.claim(run)

    def claim(self, run: Run) -> Run:
        (claimed,) = self.storage.runs.claim([run.run_id], owner="daemon", until=NOW + 15, now=NOW)
        return claimed

    def run(self, run: Run) -> Run:
        found = self.storage.runs.get(run.run_id)
        assert found is not None
        return found

    async def launched(self) -> tuple[Run, FakeProcess]:
        run = self.claimed()
        answer = await self.table.launch(run)
        assert answer.accepted
        self.storage.runs.record(run.run_id, [RunStart()], now=NOW, attempt=run.attempt)
        return run, self.processes[-1]

    async def emptied(self) -> None:
        """Wait until the table has forgotten every worker."""
        async with asyncio.timeout(10):
            while len(self.table):
                await asyncio.sleep(0)


@pytest.fixture
def in_world(tmp_path: Path) -> Iterator[Callable[[Callable[[World], Awaitable[T]]], T]]:
    storage = SqliteStorage(None)

    def run(act: Callable[[World], Awaitable[T]]) -> T:
        async def main() -> T:
            world = World(storage, LocalLogStore(tmp_path / "logs"))
            try:
                return await act(world)
            finally:
                await world.table.close()
                for process in world.processes:
                    process.end(None)
                world.calls.close()

        return asyncio.run(main())

    yield run
    storage.close()


InWorld = Callable[[Callable[[World], Awaitable[None]]], None]


def test_a_launch_takes_the_attempt_over(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        assert world.run(run).owner == "code-server-1"
        world.storage.runs.record(run.run_id, [RunSuccess()], now=NOW)
        process.end(0)
        await world.emptied()
        assert world.run(run).status is RunStatus.SUCCESS

    in_world(act)


def test_a_fork_that_fails_is_an_answer_and_may_be_tried_again(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run = world.claimed()
        world.refusal = EnvironmentalError("no code is loaded")
        answer = await world.table.launch(run)
        assert (answer.accepted, answer.reason) == (False, "no code is loaded")
        assert len(world.table) == 0
        world.refusal = None
        assert (await world.table.launch(run)).accepted

    in_world(act)


def test_a_lost_lease_ends_the_worker_and_records_nothing(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        assert world.storage.runs.take_over(run.run_id, attempt=run.attempt, owner="another", until=NOW + 99)
        await world.table.renew()
        assert process.signals == [signal.SIGKILL]
        await world.emptied()
        assert world.run(run).status is RunStatus.STARTED

    in_world(act)


def test_held_leases_are_renewed(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        before = world.run(run).lease_until
        world.storage.runs.renew("code-server-1", until=NOW)
        await world.table.renew()
        after = world.run(run).lease_until
        assert before is not None
        assert after is not None
        assert after >= before > NOW
        assert not process.signals

    in_world(act)


def test_a_worker_that_stays_after_its_runs_end_is_ended_in_time(
    in_world: InWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_table, "CANCEL_GRACE_SECONDS", 0.0)

    async def act(world: World) -> None:
        run, process = await world.launched()
        world.storage.runs.record(run.run_id, [RunSuccess()], now=NOW)
        await world.table.renew()
        await world.emptied()
        assert process.signals[0] is signal.SIGKILL
        assert world.run(run).status is RunStatus.SUCCESS

    in_world(act)


def test_a_worker_that_ignores_term_is_killed_after_the_grace(
    in_world: InWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_table, "CANCEL_GRACE_SECONDS", 0.0)

    async def act(world: World) -> None:
        run, process = await world.launched()
        process.dies_of = frozenset({signal.SIGKILL})
        world.storage.runs.record(run.run_id, [RunCanceling()], now=NOW)
        assert world.table.cancel(run.run_id, force=False)
        assert world.table.cancel(run.run_id, force=False)
        await world.emptied()
        assert process.signals[:2] == [signal.SIGTERM, signal.SIGKILL]
        assert world.run(run).status is RunStatus.CANCELED

    in_world(act)


def test_the_workers_last_words_are_in_the_failure(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        assert process.channel is not None
        process.channel.sendall(encode_frame(ErrorInfo(cls="StorageError", message="the disk is full")))
        process.end(70)
        await world.emptied()
        (failure,) = failures(world, run)
        assert failure.error == ErrorInfo(cls="StorageError", message="the disk is full")

    in_world(act)


def test_a_run_outlives_its_worker_as_often_as_it_may(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        process.end(-signal.SIGKILL)
        await world.emptied()
        queued = world.run(run)
        assert (queued.status, queued.attempt, queued.lease_until) == (RunStatus.QUEUED, 1, None)
        assert "SIGKILL" in (queued.note or "")
        second = world.claim(run)
        assert second.started is not None
        assert (await world.table.launch(second)).accepted
        world.storage.runs.record(run.run_id, [RunResumed()], now=NOW, attempt=second.attempt)
        world.processes[-1].end(-signal.SIGKILL)
        await world.emptied()
        (failure,) = failures(world, run)
        assert "SIGKILL" in failure.message
        assert "number 2" in failure.message

    in_world(act)


def test_a_run_that_is_being_canceled_is_not_resumed(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        world.storage.runs.record(run.run_id, [RunCanceling()], now=NOW)
        process.end(-signal.SIGKILL)
        await world.emptied()
        assert world.run(run).status is RunStatus.CANCELED

    in_world(act)


def test_a_new_attempt_waits_for_the_end_of_the_old_worker(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run = world.claimed()
        assert (await world.table.launch(run)).accepted
        world.storage.runs.record(run.run_id, [RunEnqueued(reason="its claim ended")], now=NOW)
        second = world.claim(run)
        assert second.attempt == 2
        assert (await world.table.launch(second)).accepted
        old, new = world.processes
        assert old.exited.done()
        assert not new.exited.done()
        assert not (await world.table.launch(run)).accepted
        assert not failures(world, run)

    in_world(act)


def test_a_fresh_process_is_noted_in_the_runs_log(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        world.fresh_because = "user code has running threads (poller)"
        run, _process = await world.launched()
        notes = [stored.event.fact for stored in world.storage.events.of_run(run.run_id)]
        assert any(isinstance(note, EngineNote) and "poller" in note.message for note in notes)

    in_world(act)


def test_a_stopping_server_launches_nothing_and_ends_its_workers(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        process.dies_of = frozenset({signal.SIGKILL})
        world.table.refuse("the code server is stopping")
        answer = await world.table.launch(world.claimed())
        assert (answer.accepted, answer.reason) == (False, "the code server is stopping")
        await world.table.stop_all(0.0)
        await world.emptied()
        (failure,) = failures(world, run)
        assert "code server was stopped" in failure.message

    in_world(act)


def test_a_run_of_another_location_is_refused(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        answer = await world.table.launch(msgspec.structs.replace(world.claimed(), location="ware"))
        assert not answer.accepted
        assert "'shop', and the run is of 'ware'" in (answer.reason or "")

    in_world(act)


def failures(world: World, run: Run) -> list[RunFailure]:
    facts = [stored.event.fact for stored in world.storage.events.of_run(run.run_id)]
    return [fact for fact in facts if isinstance(fact, RunFailure)]


@pytest.mark.parametrize("code", [-signal.SIGKILL, 1, None])
def test_captured_output_of_a_dead_worker_is_settled(in_world: InWorld, code: int | None) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        key = log_key(run.run_id, "extract")
        path = world.logs.path(key, "stdout")
        path.parent.mkdir(parents=True)
        path.write_text("the last words\n")
        heard = world.storage.notifier.subscribe()
        process.end(code)
        await world.emptied()
        assert world.logs.marks(key).complete
        assert f"logs:{run.run_id}" in heard.wait(0)
        heard.close()

    in_world(act)


def test_logs_that_cannot_be_settled_hold_nothing_up(in_world: InWorld, caplog: pytest.LogCaptureFixture) -> None:
    async def act(world: World) -> None:
        run, process = await world.launched()
        path = world.logs.path(log_key(run.run_id, "extract"), "stdout")
        path.parent.mkdir(parents=True)
        path.write_text("")
        path.with_suffix(".marks").mkdir()
        process.end(-signal.SIGKILL)
        await world.emptied()
        assert world.run(run).status is RunStatus.QUEUED  # another worker goes on with it

    in_world(act)
    assert "cannot be settled" in caplog.text


def test_a_launch_that_is_overtaken_while_its_process_comes_up_is_ended(in_world: InWorld) -> None:
    async def act(world: World) -> None:
        run = world.claimed()
        world.held = held = asyncio.Event()
        first = asyncio.create_task(world.table.launch(run))
        async with asyncio.timeout(10):
            while not world.forking:
                await asyncio.sleep(0)
        world.storage.runs.record(run.run_id, [RunEnqueued(reason="no answer")], now=NOW, attempt=run.attempt)
        second = asyncio.create_task(world.table.launch(world.claim(run)))
        await asyncio.sleep(0)  # it has asked for the end of the first one by now
        held.set()
        async with asyncio.timeout(10):
            assert not (await first).accepted
            assert (await second).accepted
        overtaken, current = world.processes
        assert overtaken.signals[0] == signal.SIGKILL
        assert current.signals == []

    in_world(act)
