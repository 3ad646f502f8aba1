"""A fresh interpreter for one work, where a fork of the zygote would not be safe: slower, and always right."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence

from ..execution.frames import encode_frame
from ..records.wire import StorageAccess, Work
from .reaper import Reaper
from .user_code import LoadCode, PerformWork
from .zygote_process import WorkProcess, note_exit

__all__ = ["start_fresh_process"]


def start_fresh_process(
    command: Sequence[str],
    code: LoadCode,
    work: Work,
    channel: socket.socket,
    reaper: Reaper,
    *,
    storage: StorageAccess | None,
    variables: Mapping[str, str],
    patience: float,
) -> WorkProcess:
    """Start a process that loads user code, does `work` and answers on `channel`, which stays the caller's to close.

    Args:
        command: What starts it; the channel's descriptor is added as an argument.
        code: What to load.
        work: What to do.
        channel: Where to answer.
        reaper: Tells how it ended.
        storage: How it reaches the storage, if it does not open the database itself.
        variables: Its environment.
        patience: Seconds that loading may take.
    """
    with tempfile.TemporaryFile() as order:
        order.write(encode_frame(PerformWork(code=code, work=work, storage=storage)))
        order.seek(0)
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, str(channel.fileno())],
            stdin=order,
            stdout=2,
            stderr=2,
            pass_fds=(channel.fileno(),),
            start_new_session=True,
            env=variables,
        )
    exited = reaper.exit_of(process.pid)

    exited.add_done_callback(lambda ended: note_exit(process, ended))
    return WorkProcess(process.pid, exited, patience=patience)
