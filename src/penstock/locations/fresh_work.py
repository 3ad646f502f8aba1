"""The inside of a fresh process: read the order from stdin, load the user's code, do the one work, answer."""

from __future__ import annotations

import os
import socket

from ..errors import InternalError
from ..execution.frames import FrameReader
from ..records.wire import ExecuteRun
from .frame_socket import FrameSocket
from .user_code import PerformWork, UserCode
from .user_first import describe_user_first
from .work import EXIT_BROKEN, answer_with_error, perform
from .worker_names import name_this_process

__all__ = ["perform_ordered_work"]


def perform_ordered_work(channel: socket.socket, code: UserCode) -> int:
    """Do what stdin orders, and answer on `channel`; gives the exit code."""
    order = _read_order()
    if isinstance(order.work, ExecuteRun):
        name_this_process(order.work.run.run_id)
    try:
        code.load(order.code, lambda _stage: None)
    except BaseException as error:  # noqa: BLE001 - user code may raise anything; it goes to who asked
        info = describe_user_first(error)
        answer = info if isinstance(order.work, ExecuteRun) else answer_with_error(order.work, info)
        FrameSocket(channel, None).send(answer)
        return EXIT_BROKEN
    return perform(code, order.work, channel, order.storage)


def _read_order() -> PerformWork:
    with os.fdopen(0, "rb", closefd=False) as stdin:
        orders: list[PerformWork] = list(FrameReader(PerformWork).feed(stdin.read()))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if len(orders) != 1:
        raise InternalError(f"A fresh process is given one work on stdin, not {len(orders)}.")
    return orders[0]
