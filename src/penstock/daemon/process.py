"""The daemon as a process: its duties, their loops, and its sign of life."""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
from collections.abc import Callable

from ..errors import StorageError
from ..ids import new_holder_id
from ..instance.instance import Instance
from ..locations.stop_signal import stop_signal
from ..records.lease import ProcessInfo
from ..version import __version__
from .duties import all_duties
from .keeper import LOOK_SECONDS, LeaseKeeper
from .loop import Loop, Waker

__all__ = ["Daemon", "serve"]

log = logging.getLogger("penstock.daemon")


class Daemon:
    """All duties of one daemon process. `start()`, then `stop()`; what it holds is given up at once."""

    def __init__(self, instance: Instance) -> None:
        storage, clock = instance.storage, instance.clock
        self._instance = instance
        self._stopping = threading.Event()
        self._waker = Waker(storage.notifier)
        self._keeper = LeaseKeeper(storage.leases, new_holder_id("daemon"), clock, self._wake_duties)
        self._started = clock.now()
        self._duties = all_duties(instance, self._waker.listen)
        self._loops = [Loop(duty, self._keeper, woken, self._stopping) for duty, woken in self._duties]
        self._life = threading.Thread(target=self._live, name="life", daemon=True)

    def start(self) -> None:
        """Start every loop."""
        for thread in (self._waker, self._life, *self._loops):
            thread.start()

    def stop(self) -> None:
        """Stop every loop and give the leases up, so that another daemon goes on at once."""
        self._stopping.set()
        self._waker.stop()
        for thread in (self._waker, *self._loops):
            thread.join(timeout=5.0)
        for duty, _ in self._duties:
            duty.close()
        self._life.join(timeout=5.0)
        self._keeper.release_all()

    def _wake_duties(self) -> None:
        """Let each look which parts are ours; what is stored is as it was."""
        for _, woken in self._duties:
            woken.set()

    def _live(self) -> None:
        while not self._stopping.is_set():
            try:
                pause = self._keeper.look(self._sign_of_life)
            except StorageError as error:
                log.warning("the database does not answer: %s", error)
                pause = LOOK_SECONDS
            except Exception:
                # Without this thread the process would live on and do nothing: whatever it is, look again.
                log.exception("the leases could not be looked at")
                pause = LOOK_SECONDS
            self._stopping.wait(pause)

    def _sign_of_life(self, now: float) -> ProcessInfo:
        errors = [told for loop in self._loops if (told := loop.trouble()) is not None]
        return ProcessInfo(
            id=self._keeper.holder,
            kind="daemon",
            host=socket.gethostname(),
            pid=os.getpid(),
            version=__version__,
            started=self._started,
            seen=now,
            duties=tuple(told for loop in self._loops if (told := loop.share()) is not None),
            error="; ".join(errors) or None,
        )


def serve(instance: Instance, *, lifeline: int | None = None, on_ready: Callable[[], None] = lambda: None) -> None:
    """Be a daemon until SIGINT, SIGTERM, or the end of the lifeline.

    Args:
        instance: The instance to work on.
        lifeline: A descriptor whose other end the starter holds: when that closes, the daemon stops.
        on_ready: Called when every duty has been started.
    """
    told = stop_signal()
    daemon = Daemon(instance)
    daemon.start()
    on_ready()
    select.select([told] if lifeline is None else [told, lifeline], [], [])
    daemon.stop()
