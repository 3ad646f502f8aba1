"""The supervisor's side of a fresh interpreter: it loads user code, and waits for the one work that it will do.

It is what works run in where a fork of the zygote would not be safe. Started before there is a work, it has loaded the
code by then; started for a work, it does the same, later.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence

from ..execution.frames import encode_frame
from ..records.wire import StorageAccess, Work
from .reaper import Reaper
from .user_code import CODE_LOADED, GivenWork, LoadCode
from .zygote_process import WorkProcess, note_exit

__all__ = ["FreshProcess"]


class FreshProcess:
    """One such process, the leader of its own group.

    Args:
        command: What starts it; the descriptor of its connection is added as an argument.
        code: What to load.
        reaper: Tells how it ended.
        variables: Its environment.
        patience: Seconds that loading may take.
        changed: Called when it has loaded, has failed to, or has ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        code: LoadCode,
        reaper: Reaper,
        *,
        variables: Mapping[str, str],
        patience: float,
        changed: Callable[[FreshProcess], None],
    ) -> None:
        self._patience = patience
        self._changed = changed
        self.loaded: bool | None = None
        """Whether it has loaded the code; None while it is at it."""
        self._connection, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as order:
            order.write(encode_frame(code))
            order.seek(0)
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, str(theirs.fileno())],
                stdin=order,
                stdout=2,
                stderr=2,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env=variables,
            )
        self._process = WorkProcess(process.pid, reaper.exit_of(process.pid), patience=patience)
        self._process.exited.add_done_callback(lambda ended: note_exit(process, ended))
        self._process.exited.add_done_callback(lambda _ended: self._over())
        self._connection.setblocking(False)
        asyncio.get_running_loop().add_reader(self._connection, self._hear)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def is_waiting(self) -> bool:
        """Whether it can still be given a work."""
        return self.loaded is not False and self._connection.fileno() >= 0

    def give(self, work: Work, channel: socket.socket, storage: StorageAccess | None) -> WorkProcess:
        """Have it do the work with `storage` and answer on `channel`, which stays the caller's to close."""
        with tempfile.TemporaryFile() as order:
            order.write(encode_frame(GivenWork(work=work, storage=storage)))
            order.seek(0)
            # One byte and two descriptors: that never has to wait, however large the work's description is.
            socket.send_fds(self._connection, [b"w"], [order.fileno(), channel.fileno()])
        if self.loaded:
            self._process.patience = 0.0
        self._let_go()
        return self._process

    def drop(self) -> None:
        """End it; it has been given no work."""
        self._let_go()
        self._process.signal(signal.SIGKILL)

    def _hear(self) -> None:
        try:
            said = self._connection.recv(1)
        except ConnectionResetError:
            said = b""
        if said:
            self.loaded = said == CODE_LOADED
            self._changed(self)
        else:
            asyncio.get_running_loop().remove_reader(self._connection)  # it has ended, which the reaper tells

    def _over(self) -> None:
        if self._connection.fileno() >= 0:
            self.loaded = False
            self._let_go()
            self._changed(self)

    def _let_go(self) -> None:
        if self._connection.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._connection)
            self._connection.close()
