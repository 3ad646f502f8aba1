"""Which process takes which evaluation, and what comes of those that die; the processes are sockets that answer."""

from __future__ import annotations

import asyncio
import itertools
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from penstock.execution.frames import FrameReader, encode_frame
from penstock.locations.evaluations import Evaluations
from penstock.locations.user_code import NextWork
from penstock.locations.zygote_process import WorkProcess
from penstock.partitions.requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from penstock.records.automation import RunRequestRecord
from penstock.records.event import AssetMaterialization
from penstock.records.wire import Answered, EvaluateSensor, Evaluation, StorageAccess, Work
from penstock.testing import FakeClock

WORK = EvaluateSensor(name="news", due=1.0)
ACCESS = StorageAccess(address="http://here", token="of this work")


class Process(WorkProcess):
    """The other end of a channel."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        super().__init__(pid, asyncio.get_running_loop().create_future())
        self.channel = channel
        self.signals: list[signal.Signals] = []

    def signal(self, number: signal.Signals) -> bool:
        self.signals.append(number)
        return True

    def say(self, *messages: object) -> None:
        self.channel.sendall(b"".join(map(encode_frame, messages)))

    def answer(self, *, ready: bool = True, because: str | None = None) -> None:
        self.say(Answered(answer=Evaluation(skip_reason=str(self.pid)), ready=ready, because=because))

    def next_work(self) -> NextWork:
        (work,) = FrameReader[NextWork](NextWork).feed(self.channel.recv(1 << 16))
        return work

    @property
    def is_let_go(self) -> bool:
        """Whether the channel has been closed; nothing may wait to be read on it."""
        try:
            return self.channel.recv(1, socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False

    def die(self, code: int = -9) -> None:
        self.channel.close()
        self.exited.set_result(code)


class World:
    """The evaluations of a server that forks processes which say nothing by themselves."""

    def __init__(self, *, per_process: int = 500) -> None:
        self.forked: list[Process] = []
        self.pauses: list[tuple[float, asyncio.Event]] = []
        self.clock = FakeClock()
        self._pids = itertools.count(1)
        self.evaluations = Evaluations(self._fork, self._access, self.clock, per_process=per_process, sleep=self._sleep)

    async def _fork(self, _work: Work, channel: socket.socket) -> tuple[WorkProcess, str | None]:
        self.forked.append(Process(next(self._pids), channel.dup()))
        return self.forked[-1], None

    async def _access(self, _work: Work) -> StorageAccess:
        return ACCESS

    async def _sleep(self, seconds: float) -> None:
        over = asyncio.Event()
        self.pauses.append((seconds, over))
        await over.wait()

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        pauses, self.pauses = self.pauses, []
        for _seconds, over in pauses:
            over.set()
        await turns()

    async def asked(self, *, timeout: float = 60.0) -> asyncio.Task[Any]:
        """An evaluation that has come to its process."""
        work = EvaluateSensor(name="news", due=1.0, timeout=timeout)
        task = asyncio.create_task(self.evaluations.answer(work))
        await turns()
        return task

    async def done_by_new(self, **how: Any) -> Process:
        """A process that was forked for a work and has answered."""
        task = await self.asked()
        self.forked[-1].answer(**how)
        await task
        return self.forked[-1]

    async def close(self) -> None:
        for process in self.forked:
            if not process.exited.done():
                process.die(0)
        await self.evaluations.close()


def scene(act: Callable[[World], Coroutine[Any, Any, None]], **how: Any) -> None:
    async def played() -> None:
        world = World(**how)
        await act(world)
        await world.close()

    asyncio.run(played())


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_a_process_that_is_ready_is_given_the_next_work_and_its_own_way_to_the_storage() -> None:
    async def act(world: World) -> None:
        process = await world.done_by_new()
        task = await world.asked()
        assert process.next_work() == NextWork(work=WORK, storage=ACCESS)
        process.answer()
        assert (await task).skip_reason == "1"
        assert len(world.forked) == 1

    scene(act)


def test_one_work_at_a_time_in_each_process_and_the_last_one_that_became_idle_first() -> None:
    async def act(world: World) -> None:
        tasks = [await world.asked() for _ in range(3)]
        for process in (world.forked[1], world.forked[0], world.forked[2]):
            process.answer()
            await tasks[process.pid - 1]
        assert world.evaluations.pids == [2, 1, 3]
        await world.asked()
        assert world.evaluations.pids == [2, 1]
        world.forked[2].answer()

    scene(act)


@pytest.mark.parametrize("how", [{"ready": False}, {"ready": False, "because": "it left threads"}])
def test_a_process_that_takes_no_more_is_let_go(how: dict[str, Any]) -> None:
    async def act(world: World) -> None:
        process = await world.done_by_new(**how)
        assert world.evaluations.pids == []
        assert process.is_let_go

    scene(act)


def test_after_so_many_works_a_process_is_let_go() -> None:
    async def act(world: World) -> None:
        process = await world.done_by_new()
        task = await world.asked()
        process.next_work()
        process.answer()
        await task
        assert world.evaluations.pids == []
        assert process.is_let_go

    scene(act, per_process=2)


def test_with_other_code_idle_processes_end_at_once_and_busy_ones_after_their_work() -> None:
    async def act(world: World) -> None:
        busy = await world.asked()
        idle = await world.done_by_new()
        world.evaluations.renew()
        assert idle.is_let_go
        world.forked[0].answer()
        assert (await busy).skip_reason == "1"
        assert world.forked[0].is_let_go
        assert world.evaluations.pids == []

    scene(act)


def test_an_idle_process_ends_after_some_seconds_without_work() -> None:
    async def act(world: World) -> None:
        tasks = [await world.asked() for _ in range(2)]
        world.forked[0].answer()
        await tasks[0]
        await world.pass_time(3.0)
        world.forked[1].answer()
        await tasks[1]
        await world.pass_time(2.0)
        assert world.evaluations.pids == [2]
        assert world.forked[0].is_let_go
        assert [seconds for seconds, _over in world.pauses] == [3.0]
        await world.pass_time(3.0)
        assert world.evaluations.pids == []
        assert world.pauses == []

    scene(act)


def test_nothing_is_waited_for_where_nothing_is_idle() -> None:
    async def act(world: World) -> None:
        await world.done_by_new(ready=False)
        assert world.pauses == []

    scene(act)


def test_an_idle_process_that_has_ended_is_forgotten() -> None:
    async def act(world: World) -> None:
        process = await world.done_by_new()
        process.die()
        await turns()
        assert world.evaluations.pids == []
        assert process.signals == [signal.SIGKILL], "what it has left ends, too"

    scene(act)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_work_that_a_dying_process_has_not_taken_is_given_to_another(when: str) -> None:
    async def act(world: World) -> None:
        process = await world.done_by_new()
        if when == "before":
            process.channel.close()  # its end is not known yet
        task = await world.asked()
        process.channel.close()
        await turns()
        assert len(world.forked) == 2
        world.forked[1].answer()
        assert (await task).skip_reason == "2"

    scene(act)


def test_a_process_that_dies_at_its_work_is_told_as_the_answer() -> None:
    async def act(world: World) -> None:
        process = await world.done_by_new()
        task = await world.asked()
        process.next_work()
        process.say(Answered(answer=Evaluation(log=("almost",), unfinished=True)))
        process.die()
        answer = await task
        assert answer.error.cls == "EvaluationProcessDied"
        assert "sensor 'news' was killed by signal 9" in answer.error.message
        assert answer.log == ("almost",)
        assert len(world.forked) == 1

    scene(act)


def test_a_process_that_somebody_ends_while_it_works_is_told_as_the_answer() -> None:
    async def act(world: World) -> None:
        task = await world.asked()
        (process,) = world.forked
        process.channel.send(b"Current thread 0x00007f8a (most recent call first):\n")
        process.die(-15)
        answer = await task
        assert answer.error.cls == "EvaluationProcessDied"
        assert "sensor 'news' was killed by signal 15 (SIGTERM)" in answer.error.message

    scene(act)


def test_all_that_was_handed_over_counts_when_the_process_dies() -> None:
    def handed_over(cursor: str, *keys: str, **more: Any) -> Answered[Evaluation]:
        requests = tuple(RunRequestRecord(run_key=key) for key in keys)
        return Answered(
            answer=Evaluation(run_requests=requests, cursor=cursor, acted=True, more=True, unfinished=True, **more)
        )

    async def act(world: World) -> None:
        process = await world.done_by_new()
        task = await world.asked()
        process.next_work()
        added, deleted = AddDynamicPartitionsRequest("files", ["a"]), DeleteDynamicPartitionsRequest("files", ["b"])
        made = AssetMaterialization(asset="inbox")
        process.say(
            handed_over("7", "a", "b", partitions=(added,)),
            handed_over("8", skip_reason="nothing to do"),
            handed_over("9", "c", facts=(made,), partitions=(deleted,)),
        )
        process.die()
        answer = await task
        assert [each.run_key for each in answer.run_requests] == ["a", "b", "c"]
        assert (answer.cursor, answer.skip_reason) == ("9", None)
        assert (answer.partitions, answer.facts) == ((added, deleted), (made,))
        assert (answer.acted, answer.more, answer.unfinished, answer.contained) == (True, False, False, True)
        assert answer.error.cls == "EvaluationProcessDied"

    scene(act)


def test_reasons_for_no_run_count_where_none_is_asked_for() -> None:
    async def act(world: World) -> None:
        task = await world.asked()
        (process,) = world.forked
        for cursor, reason in (("7", "too old"), ("8", None), ("9", "too new"), ("10", "too old")):
            so_far = Evaluation(cursor=cursor, skip_reason=reason, acted=True, unfinished=True)
            process.say(Answered(answer=so_far))
        process.die()
        answer = await task
        assert (answer.cursor, answer.skip_reason) == ("10", "too old; too new")

    scene(act)


def test_what_one_evaluation_has_handed_over_is_not_the_next_ones() -> None:
    async def act(world: World) -> None:
        task = await world.asked()
        (process,) = world.forked
        process.say(Answered(answer=Evaluation(cursor="7", log=("mine",), unfinished=True)))
        process.answer()
        await task
        task = await world.asked()
        process.next_work()
        process.die()
        answer = await task
        assert (answer.cursor, answer.log) == (None, ())

    scene(act)


def test_a_process_that_cannot_be_interrupted_is_ended() -> None:
    async def act(world: World) -> None:
        task = await world.asked(timeout=-2.0)  # the grace included: no time at all
        (process,) = world.forked
        process.die(-signal.SIGTERM)
        answer = await task
        assert answer.error.cls == "TimeLimitExceededError"
        assert process.signals[:2] == [signal.SIGTERM, signal.SIGKILL]

    scene(act)
