"""One work in a process of its own: performed, and answered over the process's channel; of evaluations, maybe more.

A run worker writes its truth into the storage itself and answers only when it could not even begin.
"""

from __future__ import annotations

import socket
import traceback

from ..records.wire import ExecuteRun
from .evaluating import evaluate
from .frame_socket import FrameSocket, tell
from .user_code import GivenWork, NextWork, UserCode
from .user_first import describe_user_first

__all__ = ["EXIT_BROKEN", "perform"]

EXIT_BROKEN = 70
"""The exit code of a run worker that could not do its work; the error went over the channel."""


def perform(code: UserCode, given: GivenWork, channel: socket.socket, *, more: bool) -> int:
    """Do the work and answer; gives the exit code for the process.

    Args:
        code: What to do it with.
        given: The work.
        channel: Where to answer.
        more: After an evaluation, wait for others on the channel.
    """
    frames: FrameSocket[NextWork] = FrameSocket(channel, NextWork)
    work = given.work
    if not isinstance(work, ExecuteRun):
        evaluate(code, NextWork(work=work, storage=given.storage), frames, more=more)
        return 0
    try:
        return code.execute_run(work, channel, given.storage)
    except BaseException as error:  # noqa: BLE001 - this is the process's last stop: everything is told
        traceback.print_exc()
        tell(frames, describe_user_first(error))
        return EXIT_BROKEN
