"""The supervisor's side of one zygote: started, told what to load, asked for forks, and heard out to its end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence

from ..errors import EnvironmentalError
from ..execution.frames import FrameReader, encode_frame
from ..execution.left_behind import end_what_is_left
from ..records.errors import Frame
from ..records.wire import (
    Exited,
    Fork,
    Forked,
    ForkRefused,
    Loaded,
    LoadFailed,
    Loading,
    Shutdown,
    StorageAccess,
    Work,
    ZygoteFrame,
)
from .console import forward_lines
from .native_trace import frames_of
from .process_group import signal_group
from .reaper import Reaper
from .user_code import GO, LoadCode

__all__ = [
    "ForkRefusedError",
    "WorkProcess",
    "ZygoteGoneError",
    "ZygoteProcess",
    "ZygoteStuckError",
    "note_exit",
]

_FORK_SECONDS = 10.0
_READ_BYTES = 256 * 1024
_TRACE_SECONDS = 1.0
_TRACE_LOOK_SECONDS = 0.02


class ZygoteGoneError(EnvironmentalError):
    """The process that holds user code ended, or does not answer; another one is on its way."""


class ZygoteStuckError(ZygoteGoneError):
    """The process that holds user code hung when it was to fork, and was killed; the text says so."""


class ForkRefusedError(EnvironmentalError):
    """The zygote says that a fork would not be safe; the work needs a process of its own."""


class WorkProcess:
    """A process that does one work, the leader of its own group.

    Args:
        pid: Its process id.
        exited: Its exit code once it has ended: minus a signal's number if one killed it, None if it is not known.
        patience: Seconds that it needs beyond the work itself, for loading user code.
    """

    def __init__(self, pid: int, exited: asyncio.Future[int | None], *, patience: float = 0.0) -> None:
        self.pid = pid
        self.exited = exited
        self.patience = patience

    def signal(self, number: signal.Signals) -> bool:
        """Signal the process and what it started; False when nothing is left of them.

        SIGKILL to a process that has ended also ends what it has left outside of its group.
        """
        if number is signal.SIGKILL and self.exited.done():
            # How it ended is not known of one that was no child of ours; what it left is none either.
            adopted = self.exited.cancelled() or self.exited.result() is None
            return bool(end_what_is_left(self.pid, everywhere=adopted))
        return signal_group(self.pid, number)


class ZygoteProcess:
    """One zygote.

    Args:
        command: What starts it; the descriptors of its connection, of the console and of a file to write to where user
            code was when it died are added as arguments.
        name: The code location, as prefix of what user code prints.
        reaper: Tells how processes ended.
        told: Called with each stage of the load.
        variables: Its environment.
    """

    def __init__(
        self,
        command: Sequence[str],
        name: str,
        reaper: Reaper,
        told: Callable[[str], None],
        variables: Mapping[str, str],
    ) -> None:
        self._command = command
        self._name = name
        self._reaper = reaper
        self._told = told
        self._variables = variables
        self._ids = itertools.count(1)
        self._forks: dict[int, asyncio.Future[WorkProcess]] = {}
        self._children: dict[int, asyncio.Future[int | None]] = {}
        self._sending = asyncio.Lock()
        self._last_frames: tuple[Frame, ...] = ()
        self._memory_at_first: int | None = None
        self.forks = 0
        """How many times it has forked."""
        self.grown = 0
        """By how many bytes its own memory has grown since its first fork."""

    async def start(self, order: LoadCode) -> None:
        """Start the process and tell it what to load."""
        loop = asyncio.get_running_loop()
        self._loaded: asyncio.Future[Loaded | LoadFailed] = loop.create_future()
        self._connection, theirs = socket.socketpair()
        self._connection.setblocking(False)
        output, their_output = os.pipe()
        console = os.dup(2)
        self._trace = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command; it returns once it has begun
                [*self._command, *(str(each) for each in (theirs.fileno(), console, self._trace.fileno()))],
                stdin=subprocess.DEVNULL,
                stdout=their_output,
                stderr=their_output,
                pass_fds=(theirs.fileno(), console, self._trace.fileno()),
                start_new_session=True,
                env=self._variables,
            )
        finally:
            theirs.close()
            os.close(their_output)
            os.close(console)
        self.ended = self._reaper.exit_of(self._process.pid)
        self.ended.add_done_callback(functools.partial(note_exit, self._process))
        self._output = asyncio.create_task(forward_lines(output, self._name))
        self._hearing = asyncio.create_task(self._hear())
        await self._send(order)

    @property
    def pid(self) -> int:
        """The zygote's process id."""
        return self._process.pid

    async def loaded(self) -> Loaded | LoadFailed:
        """How the load ended. Raises `ZygoteGoneError` when the process ended in the middle of it."""
        return await asyncio.shield(self._loaded)

    async def fork(self, work: Work, channel: socket.socket, storage: StorageAccess | None) -> WorkProcess:
        """Fork a process for `work`; it answers on `channel`, which stays the caller's to close.

        Args:
            work: What to do.
            channel: Where to answer.
            storage: How the process reaches the storage, if it does not open the database itself.

        Raises:
            ForkRefusedError: It is not safe to fork; the text names why.
            ZygoteGoneError: The zygote has ended, or has not answered in time and was killed.
        """
        if self._hearing.done():
            raise ZygoteGoneError("The process that holds user code has just ended.")
        request = next(self._ids)
        forked: asyncio.Future[WorkProcess] = asyncio.get_running_loop().create_future()
        self._forks[request] = forked
        waits, go = os.pipe()
        try:
            await self._send(Fork(id=request, work=work, storage=storage), [channel.fileno(), waits])
            async with asyncio.timeout(_FORK_SECONDS):
                process = await forked
            # A zygote that dies between a fork and its report leaves a process that nobody knows: it must not work.
            with contextlib.suppress(BrokenPipeError):  # it has ended already, which its exit tells
                os.write(go, GO)
            return process
        except TimeoutError as error:
            self.kill()
            raise ZygoteStuckError(
                f"a fork did not come up within {_FORK_SECONDS:g} seconds; look for a function registered with "
                "os.register_at_fork, or a library, that waits"
            ) from error
        finally:
            self._forks.pop(request, None)
            os.close(waits)
            os.close(go)

    async def ask_where_it_is(self) -> None:
        """Have a process that is still loading write down where it is, for `last_frames`."""
        try:
            os.kill(self._process.pid, signal.SIGQUIT)
            async with asyncio.timeout(_TRACE_SECONDS):
                while not self.ended.done() and not self._trace_text():
                    await asyncio.sleep(_TRACE_LOOK_SECONDS)
        except (ProcessLookupError, TimeoutError):
            return  # then nothing is known

    async def last_frames(self) -> tuple[Frame, ...]:
        """Where user code was when the process died by a fault, or was asked where it is; empty if not known.

        It waits for the end of the process.
        """
        await self.heard_out()
        return self._last_frames

    def _trace_text(self) -> str:
        size = os.fstat(self._trace.fileno()).st_size
        return os.pread(self._trace.fileno(), size, 0).decode(errors="replace")

    async def retire(self) -> None:
        """Tell it to fork no more, and to end after its last child."""
        try:
            await self._send(Shutdown())
        except ZygoteGoneError:
            return  # it has ended already

    def kill(self) -> None:
        """End it at once; its children live on."""
        if not self.ended.done():
            # Not Popen.kill: that looks for an exit code itself, and would take it away from the reaper.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)

    async def heard_out(self) -> None:
        """Wait until the last message has been read and its children have been adopted."""
        await asyncio.gather(self._hearing, return_exceptions=True)

    async def close(self) -> None:
        """Let go of it: it ends by itself and leaves its children alone."""
        self._hearing.cancel()
        self._output.cancel()
        await asyncio.gather(self._hearing, self._output, return_exceptions=True)
        self._connection.close()
        self._trace.close()

    # -- the connection -----------------------------------------------------------------------------------------------

    async def _send(self, message: object, descriptors: Sequence[int] = ()) -> None:
        data = memoryview(encode_frame(message))
        try:
            async with self._sending:
                while descriptors:
                    try:
                        data = data[socket.send_fds(self._connection, [data], descriptors) :]
                        descriptors = ()
                    except BlockingIOError:
                        await _writable(self._connection)
                await asyncio.get_running_loop().sock_sendall(self._connection, data)
        except OSError as error:
            raise ZygoteGoneError("The process that holds user code has ended.") from error

    async def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        frames: FrameReader[ZygoteFrame] = FrameReader(ZygoteFrame)
        try:
            while data := await loop.sock_recv(self._connection, _READ_BYTES):
                for message in frames.feed(data):
                    self._take(message)
        except ConnectionResetError:
            pass  # the same as an end
        await self._bury()

    def _take(self, message: ZygoteFrame) -> None:
        match message:
            case Loading():
                self._told(message.stage)
            case Loaded() | LoadFailed():
                self._loaded.set_result(message)
            case Forked():
                exited: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
                self._children[message.pid] = exited
                self._note_fork(message.memory)
                process = WorkProcess(message.pid, exited)
                forked = self._forks.get(message.id)
                if forked is None or forked.done():
                    process.signal(signal.SIGKILL)  # whoever asked has given up, and nobody would ever hear of it
                else:
                    forked.set_result(process)
            case ForkRefused():
                forked = self._forks.get(message.id)
                if forked is not None and not forked.done():
                    forked.set_exception(ForkRefusedError(message.reason))
            case Exited():
                self._children.pop(message.pid).set_result(message.code)

    def _note_fork(self, memory: int) -> None:
        self.forks += 1
        if self._memory_at_first is None:
            self._memory_at_first = memory
        self.grown = memory - self._memory_at_first

    async def _bury(self) -> None:
        """The connection has ended: make sure that the process has, and go on with its children as our own."""
        self.kill()
        code = await self.ended
        # What user code started when it was imported must not outlive it. Works have groups of their own by now: each
        # has closed its copy of the connection, or that would not have ended.
        signal_group(self._process.pid, signal.SIGKILL)
        self._last_frames = frames_of(self._trace_text())
        self._trace.close()
        gone = ZygoteGoneError(f"The process that holds user code ended ({code}).")
        for forked in self._forks.values():
            if not forked.done():
                forked.set_exception(gone)
        if not self._loaded.done():
            self._loaded.set_exception(gone)
            self._loaded.exception()  # it may be that nobody asks
        for pid, exited in self._children.items():
            self._reaper.exit_of(pid).add_done_callback(functools.partial(_pass_on, exited))
        self._children.clear()
        self._connection.close()


def note_exit(process: subprocess.Popen[bytes], ended: asyncio.Future[int | None]) -> None:
    """Tell a `Popen` that the reaper has waited for its process, so that it does not try to."""
    process.returncode = (0 if ended.cancelled() else ended.result()) or 0


def _pass_on(to: asyncio.Future[int | None], done: asyncio.Future[int | None]) -> None:
    if not to.done():
        to.set_result(None if done.cancelled() else done.result())


async def _writable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_writer(connection, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_writer(connection)
