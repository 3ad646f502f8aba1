"""The zygote: imports user code once, then forks a process for each run, and those that evaluate.

It has one thread, no connection and no event loop. It ends when its supervisor does, without touching its children:
run workers live on and keep their own leases.
"""

from __future__ import annotations

import faulthandler
import gc
import math
import os
import selectors
import signal
import socket
import sys
import traceback
from typing import NoReturn

import msgspec

from ..codec import digest, encode_json
from ..errors import InternalError
from ..execution.fork_safety import TRIAL_SECONDS, forbid_forks, fork, reason_not_to_fork, try_a_fork
from ..execution.left_behind import mark_this_process
from ..records.wire import (
    ExecuteRun,
    Exited,
    Fork,
    Forked,
    ForkRefused,
    Loaded,
    LoadFailed,
    Loading,
    Shutdown,
)
from .frame_socket import FrameSocket
from .random_state import seed_anew
from .user_code import GO, TRYING_A_FORK, GivenWork, LoadCode, ToZygote, UserCode
from .user_files import user_files
from .user_first import describe_user_first
from .work import perform
from .worker_names import name_this_process

__all__ = ["Zygote"]


class Zygote:
    """One load of user code and the processes forked from it.

    Args:
        connection: The socket to the supervisor.
        console: A descriptor that run workers print to, since they may outlive the pipe that this process prints to.
        trace: A descriptor to write to where user code is when the process dies while it loads, or is asked by SIGQUIT.
        code: How to load and to perform.
    """

    def __init__(self, connection: socket.socket, console: int, trace: int, code: UserCode) -> None:
        self._frames: FrameSocket[ToZygote] = FrameSocket(connection, ToZygote)
        self._console = console
        self._trace = trace
        self._code = code
        self._children: set[int] = set()
        self._closing = False

    def run(self) -> int:
        """Load, then serve until the supervisor is gone or says that it is enough; gives the exit code."""
        order = self._frames.receive()
        if order is None:
            return 0
        if not isinstance(order, LoadCode):
            raise InternalError(f"A zygote is told first what to load, not {type(order).__name__}.")
        faulthandler.enable(file=self._trace, all_threads=False)
        faulthandler.register(signal.SIGQUIT, file=self._trace, all_threads=False)
        try:
            if not self._load(order):
                return 1
        finally:
            faulthandler.unregister(signal.SIGQUIT)
            faulthandler.disable()
            os.close(self._trace)
        self._serve()
        return 0

    def _load(self, order: LoadCode) -> bool:
        try:
            description = self._code.load(order, lambda stage: self._frames.send(Loading(stage=stage)))
            self._frames.send(Loading(stage="describing the definitions"))
            loaded = Loaded(
                description=encode_json(description), digest=digest(description), files=tuple(sorted(user_files()))
            )
            self._settle()
        except BaseException as error:  # noqa: BLE001 - user code may raise anything, also SystemExit; it is reported
            failed = LoadFailed(error=describe_user_first(error), files=tuple(sorted(user_files(error))))
            self._frames.send(failed)
            return False
        self._frames.send(msgspec.structs.replace(loaded, fork_refused=self._try_a_fork(order)))
        return True

    @staticmethod
    def _settle() -> None:
        """Keep what was loaded out of the collector's way, so that forks share its memory with us."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def _try_a_fork(self, order: LoadCode) -> str | None:
        """Why works will not be forked. A fork that hangs here ends this process, and the supervisor knows why."""
        forbid_forks(order.never_fork)
        if order.never_fork is not None:
            return order.never_fork
        self._frames.send(Loading(stage=TRYING_A_FORK))
        before = signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(math.ceil(2 * TRIAL_SECONDS))
        try:
            reason = reason_not_to_fork() or try_a_fork()
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, before)
        if reason is not None and reason_not_to_fork() is None:
            forbid_forks(reason)  # no thread is in the way, and still it did not work
        return reason

    # -- serving ------------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)
        signal.signal(signal.SIGCHLD, lambda _signal, _frame: None)
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._frames.connection, selectors.EVENT_READ)
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        try:
            while not (self._closing and not self._children):
                self._turn()
        except (BrokenPipeError, ConnectionError):
            return  # the supervisor is gone in the middle of a report

    def _turn(self) -> None:
        for key, _events in self._selector.select():
            if key.fd == self._wake_reader:
                os.read(self._wake_reader, 4096)
                self._reap()
            elif not self._frames.fill():
                raise ConnectionError("the supervisor is gone")
            while (message := self._frames.waiting()) is not None:
                self._obey(message)

    def _obey(self, message: ToZygote) -> None:
        match message:
            case Fork():
                self._fork(message)
            case Shutdown():
                self._closing = True
            case LoadCode():
                raise InternalError("A zygote loads once; start another one for another load.")

    def _fork(self, request: Fork) -> None:
        channel, go = self._frames.take_descriptor(), self._frames.take_descriptor()
        reason = reason_not_to_fork()
        if reason is not None:
            os.close(channel)
            os.close(go)
            self._frames.send(ForkRefused(id=request.id, reason=reason))
            return
        # What is in the buffers now would be written by the child once more.
        sys.stdout.flush()
        sys.stderr.flush()
        child = fork()
        if child == 0:
            self._be_child(request, channel, go)
        os.close(channel)
        os.close(go)
        self._children.add(child)
        self._frames.send(Forked(id=request.id, pid=child, memory=_own_memory()))

    def _reap(self) -> None:
        """Report the children that have ended, and no others: user code may have started processes of its own."""
        for child in list(self._children):
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                self._children.discard(child)
                self._frames.send(Exited(pid=child, code=os.waitstatus_to_exitcode(status)))

    # -- in the child -------------------------------------------------------------------------------------------------

    def _be_child(self, request: Fork, channel: int, go: int) -> NoReturn:
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            mark_this_process()
            self._selector.close()
            self._frames.connection.close()
            os.close(self._wake_reader)
            os.close(self._wake_writer)
            if isinstance(request.work, ExecuteRun):
                name_this_process(request.work.run.run_id)
                os.dup2(self._console, 1)
                os.dup2(self._console, 2)
            os.close(self._console)
            seed_anew()
            gc.enable()
            if os.read(go, 1) != GO:
                os._exit(0)  # nobody knows of this process, and somebody else is given its work
            os.close(go)
            with socket.socket(fileno=channel) as connection:
                given = GivenWork(work=request.work, storage=request.storage)
                code = perform(self._code, given, connection, more=True)
            sys.stdout.flush()
            sys.stderr.flush()
        except BaseException:  # noqa: BLE001 - nothing may unwind into the zygote's own loop
            traceback.print_exc()
        finally:
            os._exit(code)  # not sys.exit: exit handlers and buffers are the zygote's


def _own_memory() -> int:
    """Bytes of memory that no file stands behind; 0 where that is not known."""
    if sys.platform != "linux":
        return 0
    with open("/proc/self/statm", encoding="ascii") as statm:
        _size, resident, shared, *_ = statm.read().split()
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE")
