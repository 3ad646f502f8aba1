"""Places for work side by side: so many and no more, but whoever waits long for somebody else gives its place up.

So what hangs elsewhere (user code, a code server) holds nobody up here. How many may have given up their places is
bounded too; with so many, the next ones keep theirs.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from ..clock import Clock

__all__ = ["SLOW_SECONDS", "Places"]

SLOW_SECONDS = 2.0
"""Who has waited for somebody else for so long gives its place up."""


class Places:
    """See the head of this file.

    Args:
        workers: Does the work, `number + slow` pieces of it side by side; closed with this.
        number: How many places there are.
        slow: How many more may be under way without one.
        clock: Tells the time.
    """

    def __init__(self, workers: Executor, *, number: int, slow: int, clock: Clock) -> None:
        self._workers = workers
        self._number = number
        self._slow = slow
        self._clock = clock
        self._queue: deque[Callable[[], None]] = deque()
        self._under_way = 0
        self._slow_from: dict[object, float] = {}  # of those that wait for somebody else, the earliest first
        self._lock = threading.RLock()  # workers may do what they are given at once

    def submit(self, work: Callable[[], None]) -> None:
        """Have it done as soon as there is a place, in the order of these calls. It raises nothing."""
        with self._lock:
            self._queue.append(work)
            self._fill()

    @contextmanager
    def elsewhere(self) -> Iterator[None]:
        """For work that is under way: meanwhile it waits for somebody else."""
        mine = object()
        with self._lock:
            self._slow_from[mine] = self._clock.monotonic() + SLOW_SECONDS
        try:
            yield
        finally:
            with self._lock:
                del self._slow_from[mine]

    def review(self) -> float | None:
        """Let others begin in place of what has become slow; gives the seconds until this is worth another look, if any
        work waits for a place."""
        with self._lock:
            self._fill()
            if not self._queue:
                return None
            now = self._clock.monotonic()
            return next((at - now for at in self._slow_from.values() if at > now), SLOW_SECONDS)

    def close(self) -> None:
        """Begin no more; what is under way is left to its end in the background."""
        with self._lock:
            self._queue.clear()
            self._workers.shutdown(wait=False, cancel_futures=True)

    def _fill(self) -> None:
        while self._queue and self._under_way < self._number + self._without_place():
            self._under_way += 1
            self._workers.submit(self._do, self._queue.popleft())

    def _without_place(self) -> int:
        now = self._clock.monotonic()
        return min(self._slow, sum(at <= now for at in self._slow_from.values()))

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            with self._lock:
                self._under_way -= 1
                self._fill()
