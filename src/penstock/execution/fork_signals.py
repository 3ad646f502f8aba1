"""Signals and forks: a process that user code forks takes none of our handlers, and loses no signal."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection

__all__ = ["let_go_in_forks"]


def let_go_in_forks(signals: Collection[signal.Signals], let_go: Callable[[], object]) -> None:
    """From now on `let_go` is called in each process that is forked, before any of these signals reaches it.

    Python forgets a signal that comes to a handler between the fork and that, so a pool that ends its workers as soon
    as it has them would wait for them for ever.
    """
    mask = threading.local()

    def hold() -> None:
        mask.before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)

    def go_on() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask.before)

    def begin() -> None:
        let_go()
        go_on()

    os.register_at_fork(before=hold, after_in_parent=go_on, after_in_child=begin)
