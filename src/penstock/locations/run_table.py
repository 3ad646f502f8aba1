"""The runs that work under this code server: launched, their leases kept, canceled, and their ends made known.

The worker records the truth about its run itself. This table sees to it that there is one: when a worker's process is
gone and its run has no end, the table records what happened; when a lease is lost, it ends the worker.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

from ..clock import Clock
from ..engine.loss import after_loss
from ..engine.memory_verdict import UNKNOWN
from ..errors import EnvironmentalError
from ..execution.frames import FrameReader
from ..execution.memory_kills import MemoryKills
from ..logs.store import LogStore
from ..records.errors import ErrorInfo
from ..records.event import EngineNote, RunCanceled, RunEnqueued, RunFailure
from ..records.run import Run, RunStatus
from ..records.wire import ExecuteRun, LaunchAnswer, Work
from ..storage.protocols import Storage
from ..storage.run_log import lost_workers
from .endings import ending_of
from .log_tending import LogTending
from .storage_calls import StorageCalls
from .worker_names import pid_of_orphan, pids_of_run
from .zygote_process import WorkProcess

__all__ = ["CANCEL_GRACE_SECONDS", "LEASE_SECONDS", "RENEW_SECONDS", "Forker", "RunTable"]

logger = logging.getLogger("penstock.code_server")

LEASE_SECONDS = 15.0
RENEW_SECONDS = 5.0
CANCEL_GRACE_SECONDS = 10.0
_LAST_WORDS_SECONDS = 0.5
_READ_BYTES = 256 * 1024

Forker: TypeAlias = Callable[[Work, socket.socket], Awaitable[tuple[WorkProcess, str | None]]]
"""Gives a process for a work, and why it had to be a fresh one if it is not a fork."""


class _Worker:
    """One attempt of a run here."""

    def __init__(self, run: Run) -> None:
        self.run_id = run.run_id
        self.attempt = run.attempt
        self.process: WorkProcess | None = None
        self.channel: socket.socket | None = None  # its end tells the worker that this server is gone
        self.launched: asyncio.Future[LaunchAnswer] = asyncio.get_running_loop().create_future()
        self.over = asyncio.Event()
        self.cancel_asked = False
        self.fenced = False  # the attempt is not ours any more: nothing may be recorded about it
        self.leased = False  # the lease is ours to renew


class RunTable:
    """The running workers of one code server.

    Args:
        storage: The instance's storage.
        logs: What the runs' steps print.
        calls: How to call both.
        clock: Tells the time.
        holder: The lease holder's name of this server.
        location: The code location whose runs these are.
        fork: Gives a process for a run worker.
        resumes: How often a run goes on under a new worker when one is lost, where its tags do not say it.
    """

    def __init__(
        self,
        storage: Storage,
        logs: LogStore,
        calls: StorageCalls,
        clock: Clock,
        holder: str,
        location: str,
        fork: Forker,
        *,
        resumes: int,
    ) -> None:
        self._runs = storage.runs
        self._events = storage.events
        self._tending = LogTending(logs, storage.notifier, calls)
        self._calls = calls
        self._clock = clock
        self._holder = holder
        self._location = location
        self._fork = fork
        self._resumes = resumes
        self._workers: dict[str, _Worker] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._stopping: str | None = None
        self._memory_kills = MemoryKills()
        self._kills_before = self._memory_kills.count()

    def __len__(self) -> int:
        return len(self._workers)

    # -- launch -------------------------------------------------------------------------------------------------------

    async def launch(self, run: Run) -> LaunchAnswer:
        """Take over this attempt of a run and start its worker; the same attempt again gets the same answer."""
        if self._stopping is not None:
            return LaunchAnswer(accepted=False, reason=self._stopping)
        if run.location != self._location:
            reason = f"this code server serves {self._location!r}, and the run is of {run.location!r}"
            return LaunchAnswer(accepted=False, reason=reason)
        present = self._workers.get(run.run_id)
        if present is not None:
            if present.attempt == run.attempt:
                return await asyncio.shield(present.launched)
            if present.attempt > run.attempt:
                return _not_current(run)
            await self._end_fenced(present)
        worker = _Worker(run)
        self._workers[run.run_id] = worker
        answer = LaunchAnswer(accepted=False, reason="the launch was interrupted")
        try:
            answer = await self._start(worker, run)
        finally:
            worker.launched.set_result(answer)
            if not answer.accepted:
                self._forget(worker)
        return answer

    async def _start(self, worker: _Worker, run: Run) -> LaunchAnswer:
        if not await self._calls.once(self._take_over, run):
            return _not_current(run)
        worker.leased = True
        if run.attempt > 1:
            self._end_strays(run)
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process, fresh_because = await self._fork(ExecuteRun(run=run), theirs)
            except EnvironmentalError as error:
                ours.close()
                return LaunchAnswer(accepted=False, reason=str(error))
        worker.process, worker.channel = process, ours
        self._in_background(self._follow(worker, process))
        if worker.fenced:  # the attempt has passed on while its process came up
            self._kill(worker)
            await worker.over.wait()
            return _not_current(run)
        self._in_background(self._tending.upload_until(worker.over, run.run_id))
        if worker.cancel_asked:
            self._terminate(worker)
        if fresh_because is not None:
            note = f"The run's worker is a fresh process, which takes longer than a fork: {fresh_because}."
            await self._calls.until_done(self._record_note, run, note)
        return LaunchAnswer(accepted=True, pid=process.pid)

    def _end_strays(self, run: Run) -> None:
        """End what is left on this machine of earlier attempts that other code servers have started."""
        for pid in pids_of_run(run.run_id):
            logger.warning("Run %s: process %d of an earlier attempt is ended.", run.run_id, pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _take_over(self, run: Run) -> bool:
        now = self._clock.now()
        taken = self._runs.take_over(run.run_id, attempt=run.attempt, owner=self._holder, until=now + LEASE_SECONDS)
        if taken:
            present = self._runs.get(run.run_id)
            if present is not None and present.status is RunStatus.CANCELING:
                canceled = RunCanceled(message="Canceled before its worker was started.")
                self._runs.record(run.run_id, [canceled], now=now, attempt=run.attempt)
                return False
        return taken

    def _record_note(self, run: Run, note: str) -> None:
        self._runs.record(run.run_id, [EngineNote(message=note)], now=self._clock.now(), attempt=run.attempt)

    async def adopt(self) -> None:
        """Watch over the workers of this location on this machine that have outlived their code server."""
        for run in await self._calls.until_done(self._runs.active):
            pid = pid_of_orphan(run) if run.location == self._location and run.run_id not in self._workers else None
            ended = _end_of(pid) if pid is not None else None
            if pid is None or ended is None:
                continue
            logger.info("Run %s: its worker has outlived another code server and is watched by this one.", run.run_id)
            worker = _Worker(run)
            worker.process = WorkProcess(pid, ended)
            worker.launched.set_result(LaunchAnswer(accepted=True, pid=pid))
            self._workers[run.run_id] = worker
            self._in_background(self._follow(worker, worker.process))
            self._in_background(self._tending.upload_until(worker.over, run.run_id))

    # -- the worker's end ---------------------------------------------------------------------------------------------

    async def _follow(self, worker: _Worker, process: WorkProcess) -> None:
        last_words = asyncio.create_task(_read_error(worker.channel))
        try:
            code = await asyncio.shield(process.exited)
            # Steps die with their worker; whatever else it left in its group must not go on beside a new attempt.
            process.signal(signal.SIGKILL)
            await asyncio.wait([last_words], timeout=_LAST_WORDS_SECONDS)
            error = last_words.result() if last_words.done() else None
        finally:
            last_words.cancel()
            await asyncio.wait([last_words])
        if not worker.fenced:
            if code != 0:  # before the end is told, after which another worker may go on with the run
                await self._tending.settle(worker.run_id)
            await self._calls.until_done(self._record_end, worker, code, error)
        self._forget(worker)
        if code != 0:
            await self._tending.upload(worker.run_id)

    def _record_end(self, worker: _Worker, code: int | None, error: ErrorInfo | None) -> None:
        run = self._runs.get(worker.run_id)
        if run is None or run.is_finished or run.attempt != worker.attempt:
            return
        memory = self._memory_kills.verdict() if code == -signal.SIGKILL else UNKNOWN
        stopping = self._stopping is not None
        ending = ending_of(run.status, code=code, error=error, server_stopped=stopping, memory=memory)
        fact: RunEnqueued | RunFailure | RunCanceled = ending
        if error is None and not stopping:
            before = lost_workers(self._events, run.run_id)
            fact = after_loss(run, ending, lost_before=before, allowed=self._resumes)
        stored = self._runs.record(run.run_id, [fact], now=self._clock.now(), attempt=worker.attempt)
        says = fact.reason if isinstance(fact, RunEnqueued) else fact.message
        logger.warning("Run %s: %s%s", run.run_id, says, "" if stored else " (somebody else ended it first)")

    def _forget(self, worker: _Worker) -> None:
        if self._workers.get(worker.run_id) is worker:
            del self._workers[worker.run_id]
        if worker.channel is not None:
            worker.channel.close()
        worker.over.set()

    async def _end_fenced(self, worker: _Worker) -> None:
        """End a worker whose attempt has passed on, and wait until it is gone."""
        worker.fenced = True
        self._kill(worker)
        await worker.over.wait()

    # -- cancel -------------------------------------------------------------------------------------------------------

    def cancel(self, run_id: str, *, force: bool) -> bool:
        """Stop a run's worker: TERM, and KILL when it has not ended in time; False if it is not here."""
        worker = self._workers.get(run_id)
        if worker is None:
            return False
        asked_before, worker.cancel_asked = worker.cancel_asked, True
        if force:
            self._kill(worker)
        elif not asked_before:
            self._terminate(worker)
        return True

    def _terminate(self, worker: _Worker) -> None:
        if worker.process is not None:  # else it is being forked, and is told as soon as it is there
            worker.process.signal(signal.SIGTERM)
            self._in_background(self._kill_later(worker))

    async def _kill_later(self, worker: _Worker) -> None:
        try:
            async with asyncio.timeout(CANCEL_GRACE_SECONDS):
                await worker.over.wait()
        except TimeoutError:
            self._kill(worker)

    def _kill(self, worker: _Worker) -> None:
        if worker.process is not None:
            worker.process.signal(signal.SIGKILL)

    # -- leases -------------------------------------------------------------------------------------------------------

    async def keep_leases(self) -> None:
        """Renew the leases of all workers for ever; a worker whose lease is lost is ended."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await self.renew()

    async def renew(self) -> None:
        """Renew once."""
        # What was killed before the last time is told by now, or was a step: no later death of a worker is due to it.
        self._memory_kills.disregard(self._kills_before)
        self._kills_before = self._memory_kills.count()
        present = [each for each in self._workers.values() if each.leased]  # also those whose process is yet to come
        if not present:
            return
        until = self._clock.now() + LEASE_SECONDS
        held = set(await self._calls.until_done(self._runs.renew, self._holder, until=until))
        for worker in present:
            if (worker.run_id, worker.attempt) not in held and not worker.over.is_set():
                await self._look_at(worker)

    async def _look_at(self, worker: _Worker) -> None:
        """An attempt that could not be renewed: its run has ended and the worker is about to, or it has passed on."""
        run = await self._calls.until_done(self._runs.get, worker.run_id)
        if run is not None and run.attempt == worker.attempt and run.is_finished:
            self._in_background(self._kill_later(worker))
        elif run is None or run.attempt != worker.attempt or run.owner != self._holder:
            logger.warning(
                "Run %s: attempt %d is not ours any more; its worker is ended.", worker.run_id, worker.attempt
            )
            worker.fenced = True
            self._kill(worker)

    # -- the server's end ---------------------------------------------------------------------------------------------

    def refuse(self, reason: str) -> None:
        """Launch no more."""
        self._stopping = reason

    async def stop_all(self, grace: float) -> None:
        """End every worker, with `grace` seconds for them to end by themselves, and record how their runs ended."""
        for worker in list(self._workers.values()):
            if worker.process is not None:
                worker.process.signal(signal.SIGTERM)
        waiting = [asyncio.ensure_future(worker.over.wait()) for worker in self._workers.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=grace)
            for worker in list(self._workers.values()):
                self._kill(worker)
            await asyncio.wait(waiting, timeout=grace)

    async def close(self) -> None:
        """Follow the workers no more; they live on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for worker in list(self._workers.values()):
            self._forget(worker)

    def _in_background(self, act: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _not_current(run: Run) -> LaunchAnswer:
    return LaunchAnswer(accepted=False, reason=f"attempt {run.attempt} of run {run.run_id} is not current any more")


async def _read_error(channel: socket.socket | None) -> ErrorInfo | None:
    """What a worker says before its channel ends: nothing, or the error that kept it from beginning."""
    if channel is None:
        return None
    loop = asyncio.get_running_loop()
    frames: FrameReader[ErrorInfo] = FrameReader(ErrorInfo)
    channel.setblocking(False)
    try:
        while data := await loop.sock_recv(channel, _READ_BYTES):
            for error in frames.feed(data):
                return error
    except ConnectionResetError:
        pass  # the same as an end
    return None


def _end_of(pid: int) -> asyncio.Future[int | None] | None:
    """Done when a process has ended that is no child of ours; nobody tells how. None if it has ended already."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return None
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int | None] = loop.create_future()

    def tell() -> None:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(descriptor, tell)
    return ended
