"""Evaluations and config checks: each in a process of its own, bounded in number and in time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket

from ..execution.frames import FrameReader
from ..records.errors import ErrorInfo
from ..records.wire import Answer, CheckRunConfig, EvaluatePartitions, EvaluateSchedule, EvaluateSensor
from .endings import describe_exit
from .run_table import Forker
from .work import answer_kind, answer_with_error, name_of
from .zygote_process import WorkProcess

__all__ = ["Evaluations"]

_AT_ONCE = 32
_GRACE_SECONDS = 2.0
_READ_BYTES = 256 * 1024

Asked = EvaluateSchedule | EvaluateSensor | CheckRunConfig | EvaluatePartitions


class Evaluations:
    """What user code is asked, apart from runs.

    Args:
        fork: Gives a process for a work; it may raise an `EnvironmentalError`.
    """

    def __init__(self, fork: Forker) -> None:
        self._fork = fork
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._leaving: set[asyncio.Task[None]] = set()

    async def answer(self, work: Asked) -> Answer:
        """Have it evaluated; the answer carries the user's error, the time limit, or how the process died."""
        async with self._places:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with ours:
                with theirs:
                    process, _fresh_because = await self._fork(work, theirs)
                try:
                    return await self._answer_of(work, process, ours)
                finally:
                    task = asyncio.create_task(_see_off(process))
                    self._leaving.add(task)
                    task.add_done_callback(self._leaving.discard)

    async def _answer_of(self, work: Asked, process: WorkProcess, channel: socket.socket) -> Answer:
        kind = answer_kind(work)
        try:
            # User code is interrupted at its limit from inside; the grace is for code that cannot be.
            async with asyncio.timeout(process.patience + work.timeout + _GRACE_SECONDS):
                answer = await _read(channel, kind)
                if answer is not None:
                    return answer
                code = await asyncio.shield(process.exited)
        except TimeoutError:
            process.signal(signal.SIGKILL)
            message = (
                f"{name_of(work)} ran longer than its limit of {work.timeout:g} seconds and could not be interrupted, "
                "so its process was killed. Look for a call into native code that does not return."
            )
            return answer_with_error(work, ErrorInfo(cls="TimeLimitExceededError", message=message))
        message = f"The process that evaluated {name_of(work)} {describe_exit(code)}"
        return answer_with_error(work, ErrorInfo(cls="EvaluationProcessDied", message=message))


async def _see_off(process: WorkProcess) -> None:
    """An evaluation leaves nothing behind: its group ends with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            await asyncio.shield(process.exited)
    process.signal(signal.SIGKILL)


async def _read(channel: socket.socket, kind: type[Answer]) -> Answer | None:
    loop = asyncio.get_running_loop()
    frames: FrameReader[Answer] = FrameReader(kind)
    while data := await loop.sock_recv(channel, _READ_BYTES):
        for answer in frames.feed(data):
            return answer
    return None
