"""Evaluations and config checks: each in a process of its own, bounded in number and in time."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator

import msgspec

from ..execution.frames import FrameReader
from ..records.errors import ErrorInfo
from ..records.wire import Answer, CheckRunConfig, EvaluatePartitions, EvaluateSchedule, EvaluateSensor, Evaluation
from .endings import describe_exit
from .native_trace import frames_of
from .run_table import Forker
from .work import answer_kind, answer_with_error, name_of
from .zygote_process import WorkProcess

__all__ = ["Evaluations"]

_AT_ONCE = 32
"""So many at once; a fork that takes long does not count, so that what hangs holds nothing else up."""

_SLOW_SECONDS = 2.0
_MOST = 256
"""And no more than so many with those."""

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
        self._room = asyncio.Semaphore(_MOST)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._leaving: set[asyncio.Task[None]] = set()

    async def answer(self, work: Asked) -> Answer:
        """Have it evaluated; the answer carries the user's error, the time limit, or how the process died."""
        async with self._room, self._place() as place:
            ours, theirs = socket.socketpair()
            ours.setblocking(False)
            with ours:
                with theirs:
                    process, fresh_because = await self._fork(work, theirs)
                if fresh_because is None:  # a fresh process has memory of its own, so it keeps its place
                    slow = asyncio.get_running_loop().call_later(_SLOW_SECONDS, place.close)
                    place.callback(slow.cancel)
                try:
                    return await self._answer_of(work, process, ours)
                finally:
                    task = asyncio.create_task(_see_off(process))
                    self._leaving.add(task)
                    task.add_done_callback(self._leaving.discard)

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[contextlib.ExitStack]:
        """A place, until the end or until what this gives is closed."""
        await self._places.acquire()
        with contextlib.ExitStack() as held:
            held.callback(self._places.release)
            yield held

    async def _answer_of(self, work: Asked, process: WorkProcess, channel: socket.socket) -> Answer:
        heard = _Heard(channel, answer_kind(work))
        try:
            # User code is interrupted at its limit from inside; the grace is for code that cannot be.
            async with asyncio.timeout(process.patience + work.timeout + _GRACE_SECONDS):
                answer = await heard.answer()
                if answer is not None:
                    return heard.completed(answer)
                code = await asyncio.shield(process.exited)
        except TimeoutError:
            process.signal(signal.SIGTERM)
            frames = frames_of(await heard.last_words())
            process.signal(signal.SIGKILL)
            message = (
                f"{name_of(work)} ran longer than its limit of {work.timeout:g} seconds and could not be interrupted, "
                "so its process was ended. Look for a call into native code that does not return"
                + ("; the traceback shows where it was." if frames else ".")
            )
            error = ErrorInfo(cls="TimeLimitExceededError", message=message, frames=frames)
            return heard.completed(answer_with_error(work, error))
        message = f"The process that evaluated {name_of(work)} {describe_exit(code)}"
        return heard.completed(answer_with_error(work, ErrorInfo(cls="EvaluationProcessDied", message=message)))


async def _see_off(process: WorkProcess) -> None:
    """An evaluation leaves nothing behind: its group ends with it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_GRACE_SECONDS):
            await asyncio.shield(process.exited)
    process.signal(signal.SIGKILL)


class _Heard:
    """What a process says of one work: what is to be known before the end, the answer, and its last words."""

    def __init__(self, channel: socket.socket, kind: type[Answer]) -> None:
        self._channel = channel
        self._frames: FrameReader[Answer] = FrameReader(kind)
        self._lines: list[str] = []
        self._so_far: Evaluation | None = None

    async def answer(self) -> Answer | None:
        """The answer; None if the process has closed the channel without one."""
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._channel, _READ_BYTES):
            for answer in self._frames.feed(data):
                if not isinstance(answer, Evaluation) or not answer.unfinished:
                    return answer
                self._lines += answer.log
                if answer.cursor is not None:
                    self._so_far = answer
        return None

    async def last_words(self) -> str:
        """What else it writes until it ends, which is no message any more; not waited for long."""
        loop = asyncio.get_running_loop()
        text = bytearray()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                while len(text) < _READ_BYTES and (data := await loop.sock_recv(self._channel, _READ_BYTES)):
                    text += data
        return text.decode(errors="replace")

    def completed(self, answer: Answer) -> Answer:
        """The answer with what was said before it: of one that ends in an error, what it had handed over counts."""
        if not isinstance(answer, Evaluation) or answer.error is None or answer.contained:
            return answer
        log = answer.log or tuple(self._lines)
        if self._so_far is None:
            return msgspec.structs.replace(answer, log=log)
        return msgspec.structs.replace(
            self._so_far, error=answer.error, contained=True, log=log, more=False, unfinished=False
        )
