"""The inside of a fresh process: load the user's code as stdin says, wait for the one work, do it, answer."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import Any

from ..errors import InternalError
from ..execution.fork_safety import forbid_forks
from ..execution.frames import FrameReader
from ..execution.left_behind import mark_this_process
from ..records.errors import ErrorInfo
from ..records.wire import Answered, ExecuteRun
from .answers import answer_with_error
from .frame_socket import FrameSocket
from .user_code import CODE_BROKEN, CODE_LOADED, GivenWork, LoadCode, UserCode
from .user_first import describe_user_first
from .work import EXIT_BROKEN, perform
from .worker_names import name_this_process

__all__ = ["do_one_work"]


def do_one_work(connection: socket.socket, code: UserCode) -> int:
    """Load, and do what comes over `connection`; gives the exit code. Its end means that there will be no work."""
    order: LoadCode = _read(0, LoadCode)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    mark_this_process()
    error = _load(code, order)
    with contextlib.suppress(ConnectionError):  # who gave the work before the code was loaded listens no more
        connection.send(CODE_LOADED if error is None else CODE_BROKEN)
    try:
        asked, descriptors, _flags, _address = socket.recv_fds(connection, 1, 2)
    except ConnectionError:
        return 0
    if not asked:
        return 0
    connection.close()
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    description, channel = descriptors
    given: GivenWork = _read(description, GivenWork)
    work = given.work
    os.close(description)
    if isinstance(work, ExecuteRun):
        name_this_process(work.run.run_id)
    with socket.socket(fileno=channel) as answers:
        if error is None:
            return perform(code, given, answers, more=False)
        said = error if isinstance(work, ExecuteRun) else Answered(answer=answer_with_error(work, error))
        FrameSocket(answers, None).send(said)
        return EXIT_BROKEN


def _load(code: UserCode, order: LoadCode) -> ErrorInfo | None:
    forbid_forks(order.never_fork)
    try:
        code.load(order, lambda _stage: None)
    except BaseException as error:  # noqa: BLE001 - user code may raise anything; it goes to who asks for a work
        return describe_user_first(error)
    return None


def _read(descriptor: int, kind: Any) -> Any:
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        messages: list[Any] = list(FrameReader(kind).feed(file.read()))
    if len(messages) != 1:
        raise InternalError(f"A fresh process is told one thing at a time, not {len(messages)}.")
    return messages[0]
