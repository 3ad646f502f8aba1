"""Workers of a pool that work when a test says so, in its own thread: what comes before what is no matter of luck."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

__all__ = ["HeldWorkers"]


class HeldWorkers(Executor):
    """Keeps what it is given until `work` is called."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()

        def act() -> None:
            try:
                future.set_result(fn(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - as every executor does
                future.set_exception(error)

        self._waiting.append(act)
        return future

    def work(self) -> bool:
        """Do all that waits, in its order; gives whether anything did."""
        worked = bool(self._waiting)
        while self._waiting:
            self._waiting.popleft()()
        return worked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Drop what waits, if that is what is asked for."""
        if cancel_futures:
            self._waiting.clear()
