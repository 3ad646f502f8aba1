"""The run worker's hold on its attempt once its code server is gone: it renews the lease itself."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from collections.abc import Callable

from ..clock import Clock
from ..errors import FencedError, StorageError
from ..ids import new_holder_id
from ..logs.keeper import LogKeeper
from ..records.run import Run, RunStatus
from ..storage.protocols import RunStorage

__all__ = ["EXIT_FENCED", "LEASE", "RENEWAL", "LeaseThread", "OwnLease"]

LEASE = 15.0
"""Seconds for which a lease is taken or renewed."""

RENEWAL = 5.0
"""Seconds between two renewals."""

EXIT_FENCED = 76
"""The exit code of a process that found its attempt passed to another, or ended."""


class OwnLease:
    """Watches the channel to the code server; when it ends, takes the attempt's lease over and keeps it.

    It is a watch of the worker's select loop.

    Args:
        runs: The run storage.
        run: The run; its attempt is the one that is held.
        clock: The time.
        channel: The channel; None if there is no code server and the lease is the process's own from the beginning.
        stop: Asks this process to stop. It is called when the lease is the process's own and somebody cancels the run,
            since no code server is there to send the signal. None where the process is more than the run's worker.
    """

    def __init__(
        self,
        runs: RunStorage,
        run: Run,
        clock: Clock,
        channel: socket.socket | None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self._runs = runs
        self._run = run
        self._clock = clock
        self._channel = channel
        self._stop = stop
        self._holder = new_holder_id("worker")
        self._held = False
        self._due: float | None = None if channel is not None else clock.monotonic()

    @property
    def holder(self) -> str:
        """The name under which the lease is held."""
        return self._holder

    def hold(self, claimed: Run) -> None:
        """Say that this attempt was claimed under `holder` just now."""
        self._run = claimed
        self._held = True
        self._due = self._clock.monotonic() + RENEWAL

    def fileno(self) -> int:
        """The channel's descriptor; -1 once it has ended."""
        return -1 if self._channel is None else self._channel.fileno()

    def due_in(self) -> float | None:
        """Seconds until the lease is to be renewed; None while the code server does that."""
        return None if self._due is None else self._due - self._clock.monotonic()

    def attend(self) -> None:
        """Look at the channel; if that is due, renew the lease and see whether the run was canceled.

        Raises:
            FencedError: The attempt has passed to another holder, or ended.
        """
        if self._channel is not None and self._ended(self._channel):
            self._channel = None
            self._due = self._clock.monotonic()
        due = self.due_in()
        if due is None or due > 0:
            return
        until = self._clock.now() + LEASE
        try:
            if self._held:
                keeps = (self._run.run_id, self._run.attempt) in self._runs.renew(self._holder, until=until)
            else:
                keeps = self._held = self._runs.take_over(
                    self._run.run_id, attempt=self._run.attempt, owner=self._holder, until=until
                )
            present = self._runs.get(self._run.run_id) if self._stop is not None else None
        except StorageError:
            # The database is away, for everybody: nobody can take the attempt meanwhile. Soon again.
            self._due = self._clock.monotonic() + 1.0
            return
        if not keeps:
            raise FencedError(
                f"Attempt {self._run.attempt} of the run {self._run.run_id} has passed to another or has ended; "
                "this worker must stop."
            )
        self._due = self._clock.monotonic() + RENEWAL
        if self._stop is not None and present is not None and present.status is RunStatus.CANCELING:
            self._stop()
            self._stop = None

    def _ended(self, channel: socket.socket) -> bool:
        try:
            return not channel.recv(4096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


class LeaseThread:
    """Attends to a lease, and to the run's logs, from a thread where no select loop runs and nothing forks.

    When the attempt is lost the process ends at once with `EXIT_FENCED`, since user code on the main thread cannot be
    stopped otherwise; unless `may_exit` is false, in a process that is not the run's own.
    """

    def __init__(self, lease: OwnLease | None, keeper: LogKeeper | None, *, may_exit: bool) -> None:
        self._watches: list[OwnLease | LogKeeper] = [each for each in (lease, keeper) if each is not None]
        self._may_exit = may_exit
        self._wake = os.pipe()
        os.set_blocking(self._wake[0], False)
        os.set_blocking(self._wake[1], False)
        self._keeper = keeper
        if keeper is not None:
            keeper.wake = self._look_again
        self._ending = False
        self._thread = threading.Thread(target=self._attend, name="penstock-lease", daemon=True)

    def __enter__(self) -> LeaseThread:
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._ending = True
        self._look_again()
        self._thread.join()
        if self._keeper is not None:
            self._keeper.wake = lambda: None
        for each in self._wake:
            os.close(each)

    def _look_again(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been told often enough
            os.write(self._wake[1], b"x")

    def _attend(self) -> None:
        while not self._ending:
            ready = select.poll()  # select() refuses the high descriptors of a process with many open files
            for descriptor in (self._wake[0], *(watch.fileno() for watch in self._watches)):
                if descriptor >= 0:
                    ready.register(descriptor, select.POLLIN)
            dues = [due for watch in self._watches if (due := watch.due_in()) is not None]
            ready.poll(max(0.0, min(dues)) * 1000 if dues else None)
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake[0], 512)
            try:
                for watch in self._watches:
                    watch.attend()
            except FencedError:
                if self._may_exit:
                    os._exit(EXIT_FENCED)
                return  # the next event that is stored raises it where somebody can act on it
