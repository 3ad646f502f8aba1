"""A thread that works while a block runs, and whose error is the block's."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from types import TracebackType

__all__ = ["Background"]


class Background:
    """Runs a function in a thread until the block ends.

    Args:
        work: It is given an event that is set when the block ends, and returns soon after.
        name: The thread's name.
    """

    def __init__(self, work: Callable[[Event], None], name: str) -> None:
        self._work = work
        self._over = Event()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the end of the thread.

        Raises:
            BaseException: What the thread raised, unless the block has raised already.
        """
        self._over.set()
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _run(self) -> None:
        try:
            self._work(self._over)
        except BaseException as error:  # noqa: BLE001 - it is raised where the block ends
            self._error = error
