"""Evaluations and config checks: each alone in a process, bounded in number and in time.

A process that is as it was before an evaluation is kept for the next one (`evaluating`): the one that became idle last,
so that those that are not needed end after some seconds. Others have code that is not served any more, have done
enough, or have just died; in their place one is forked.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias

from ..clock import Clock
from ..records.errors import ErrorInfo
from ..records.wire import Answer, Asked, StorageAccess, Work
from .answers import answer_with_error, name_of
from .endings import describe_exit
from .evaluator import Evaluator, NotTakenError
from .native_trace import frames_of
from .run_table import Forker
from .user_code import NextWork
from .zygote_process import WorkProcess

__all__ = ["Evaluations"]

logger = logging.getLogger("penstock.code_server")

_AT_ONCE = 32
"""So many at once; a fork that takes long does not count, so that what hangs holds nothing else up."""

_SLOW_SECONDS = 2.0
_MOST = 256
"""And no more than so many with those."""

_IDLE_SECONDS = 5.0
_GRACE_SECONDS = 2.0

Access: TypeAlias = Callable[[Work], Awaitable[StorageAccess | None]]


class Evaluations:
    """What user code is asked, apart from runs. Its methods are called on one event loop.

    Args:
        fork: Gives a process for a work; it may raise an `EnvironmentalError`.
        access: How the process of a work reaches the storage, if it does not open the database itself.
        clock: Tells the time.
        per_process: After so many works a process is replaced; 1 for a process of its own for each.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        fork: Forker,
        access: Access,
        clock: Clock,
        *,
        per_process: int,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._fork = fork
        self._access = access
        self._clock = clock
        self._per_process = per_process
        self._sleep = sleep
        self._room = asyncio.Semaphore(_MOST)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._idle: list[Evaluator] = []
        self._generation = 0
        self._told: set[str] = set()
        self._resting: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> list[int]:
        """The processes that wait for a work, the one that is used next last."""
        return [evaluator.process.pid for evaluator in self._idle]

    async def answer(self, work: Asked) -> Answer:
        """Have it evaluated; the answer carries the user's error, the time limit, or how the process died."""
        async with self._room, self._place() as place:
            storage = await self._access(work)
            while self._idle:
                evaluator = self._idle.pop()
                with contextlib.suppress(NotTakenError):
                    return await self._answer_of(work, evaluator, place, NextWork(work=work, storage=storage))
            return await self._answer_of(work, await self._forked(work), place)

    def renew(self) -> None:
        """Other code is served from now on: processes with the code before it take no more works."""
        self._generation += 1
        self._told.clear()
        idle, self._idle = self._idle, []
        for evaluator in idle:
            self._let_go(evaluator)

    async def close(self) -> None:
        """End the processes that wait for works, and see off those that are about to end."""
        self.renew()
        if self._resting is not None:
            self._resting.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[contextlib.ExitStack]:
        """A place, until the end or until what this gives is closed."""
        await self._places.acquire()
        with contextlib.ExitStack() as held:
            held.callback(self._places.release)
            yield held

    # -- one work -----------------------------------------------------------------------------------------------------

    async def _forked(self, work: Asked) -> Evaluator:
        """A process that was given the work at its birth."""
        generation = self._generation
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            with theirs:
                process, fresh_because = await self._fork(work, theirs)
        except BaseException:
            ours.close()
            raise
        evaluator = Evaluator(process, ours, generation, is_fresh=fresh_because is not None)
        process.exited.add_done_callback(lambda _exited: self._forget(evaluator))
        return evaluator

    async def _answer_of(
        self, work: Asked, evaluator: Evaluator, place: contextlib.ExitStack, given: NextWork | None = None
    ) -> Answer:
        process = evaluator.process
        if not evaluator.is_fresh:  # a fresh process has memory of its own, so it keeps its place
            slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, place.close)
            place.callback(slow.cancel)
        try:
            # User code is interrupted at its limit from inside; the grace is for code that cannot be.
            async with asyncio.timeout(process.patience + work.timeout + _GRACE_SECONDS):
                if given is not None:
                    await evaluator.give(given)
                answer = await evaluator.answer(work)
                if answer is not None:
                    return evaluator.completed(answer)
                code = await asyncio.shield(process.exited)
        except TimeoutError:
            process.signal(signal.SIGTERM)
            frames = frames_of(await evaluator.last_words())
            process.signal(signal.SIGKILL)
            message = (
                f"{name_of(work)} ran longer than its limit of {work.timeout:g} seconds and could not be interrupted, "
                "so its process was ended. Look for a call into native code that does not return"
                + ("; the traceback shows where it was." if frames else ".")
            )
            error = ErrorInfo(cls="TimeLimitExceededError", message=message, frames=frames)
            return evaluator.completed(answer_with_error(work, error))
        finally:
            self._part_with(evaluator, work)
        message = f"The process that evaluated {name_of(work)} {describe_exit(code)}"
        return evaluator.completed(answer_with_error(work, ErrorInfo(cls="EvaluationProcessDied", message=message)))

    def _part_with(self, evaluator: Evaluator, work: Asked) -> None:
        """Keep the process for the next work, or let it go."""
        if evaluator.because is not None and (name := name_of(work)) not in self._told:
            self._told.add(name)
            logger.info("The process of %s takes no other work, since %s.", name, evaluator.because)
        current = evaluator.generation == self._generation
        if not evaluator.ready or not current or evaluator.works >= self._per_process:
            self._let_go(evaluator)
            return
        evaluator.idle_since = self._clock.monotonic()
        self._idle.append(evaluator)
        if self._resting is None or self._resting.done():
            self._resting = asyncio.create_task(self._end_idle())

    # -- the ends of processes ----------------------------------------------------------------------------------------

    async def _end_idle(self) -> None:
        """Let processes go that have had no work for a while, until there is none."""
        while self._idle:
            rested = self._clock.monotonic() - self._idle[0].idle_since
            if rested >= _IDLE_SECONDS:
                self._let_go(self._idle.pop(0))
            else:
                await self._sleep(_IDLE_SECONDS - rested)

    def _forget(self, evaluator: Evaluator) -> None:
        """The process has ended, maybe while it was idle."""
        if evaluator in self._idle:
            self._idle.remove(evaluator)
            self._let_go(evaluator)

    def _let_go(self, evaluator: Evaluator) -> None:
        evaluator.close()
        task = asyncio.create_task(_see_off(evaluator.process))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)


async def _see_off(process: WorkProcess) -> None:
    """A process leaves nothing behind: its group ends with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            await asyncio.shield(process.exited)
    process.signal(signal.SIGKILL)
