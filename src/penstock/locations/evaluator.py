"""The supervisor's side of one process that evaluates: given works, and heard until it has answered."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import Any

import msgspec

from ..errors import InternalError
from ..execution.frames import FrameReader, encode_frame
from ..records.wire import Answer, Answered, Asked, ConfigAnswer, Evaluation, PartitionsAnswer
from .answers import answer_kind
from .user_code import NextWork
from .zygote_process import WorkProcess

__all__ = ["Evaluator", "NotTakenError"]

_LAST_WORDS_SECONDS = 2.0
_READ_BYTES = 256 * 1024

_FRAMES: dict[type[Answer], Any] = {
    Evaluation: Answered[Evaluation],
    ConfigAnswer: Answered[ConfigAnswer],
    PartitionsAnswer: Answered[PartitionsAnswer],
}


class NotTakenError(Exception):
    """The process had ended, or ended, before it took the work."""


class Evaluator:
    """One such process, with the work that it was started for.

    Args:
        process: The process.
        channel: Our end of the channel; it is closed with `close`.
        generation: Tells whether it has the code that is served.
        is_fresh: Whether it is no fork, and so has loaded the code for itself.
    """

    def __init__(self, process: WorkProcess, channel: socket.socket, generation: int, *, is_fresh: bool) -> None:
        self.process = process
        self.generation = generation
        self.is_fresh = is_fresh
        self.works = 1
        self.ready = False
        """Whether it has said that it waits for another work."""
        self.because: str | None = None
        """Why it takes no more, if a work has left something behind."""
        self.idle_since = 0.0
        self._channel = channel
        self._lines: list[str] = []
        self._so_far: list[Evaluation] = []

    async def give(self, next_work: NextWork) -> None:
        """Give it another work. Raises `NotTakenError`."""
        self.works += 1
        self.ready = False
        self._lines, self._so_far = [], []
        try:
            await asyncio.get_running_loop().sock_sendall(self._channel, encode_frame(next_work))
        except (BrokenPipeError, ConnectionResetError) as error:
            raise NotTakenError from error

    async def answer(self, work: Asked) -> Answer | None:
        """The answer; None if the process breaks off without one. Raises `NotTakenError`."""
        loop = asyncio.get_running_loop()
        frames: FrameReader[Answered[Answer]] = FrameReader(_FRAMES[answer_kind(work)])
        try:
            while data := await loop.sock_recv(self._channel, _READ_BYTES):
                for said in frames.feed(data):
                    if not isinstance(said.answer, Evaluation) or not said.answer.unfinished:
                        self.ready, self.because = said.ready, said.because
                        return said.answer
                    self._lines += said.answer.log
                    if said.answer.cursor is not None:
                        self._so_far.append(said.answer)
        except ConnectionResetError as error:
            raise NotTakenError from error  # its end of the channel was closed before it had read all that was sent
        except (InternalError, msgspec.DecodeError):
            pass  # no answer: somebody has sent it SIGTERM, and it writes where it was before it ends
        return None

    async def last_words(self) -> str:
        """What else it writes until it ends, which is no message any more; not waited for long."""
        loop = asyncio.get_running_loop()
        text = bytearray()
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                while len(text) < _READ_BYTES and (data := await loop.sock_recv(self._channel, _READ_BYTES)):
                    text += data
        return text.decode(errors="replace")

    def completed(self, answer: Answer) -> Answer:
        """The answer with what was said before it: of one that ends in an error, what it had handed over counts."""
        if not isinstance(answer, Evaluation) or answer.error is None or answer.contained:
            return answer
        log = answer.log or tuple(self._lines)
        if not self._so_far:
            return msgspec.structs.replace(answer, log=log)
        return msgspec.structs.replace(
            _together(self._so_far), error=answer.error, contained=True, log=log, more=False, unfinished=False
        )

    def close(self) -> None:
        """Close the channel: a process that waits for a work ends then."""
        self._channel.close()


def _together(parts: Sequence[Evaluation]) -> Evaluation:
    """What was handed over in parts; reasons for no run count where none is asked for."""
    requests = tuple(request for each in parts for request in each.run_requests)
    reasons = dict.fromkeys(each.skip_reason for each in parts if each.skip_reason)
    return msgspec.structs.replace(
        parts[-1],
        run_requests=requests,
        skip_reason=("; ".join(reasons) or None) if not requests else None,
        partitions=tuple(change for each in parts for change in each.partitions),
        facts=tuple(fact for each in parts for fact in each.facts),
    )
