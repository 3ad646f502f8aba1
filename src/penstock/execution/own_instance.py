"""The instance of an execution that was given none: made when user code asks for it, and gone with the execution.

This is the one door from here to `instance`, since what user code gets as `context.instance` must be a whole one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from ..clock import SYSTEM_CLOCK
from ..errors import UsageError
from ..records.event import Event
from ..records.run import Run
from ..storage.protocols import Storage

__all__ = ["OwnInstance", "opened"]


class OwnInstance:
    """An ephemeral instance that knows the run which asks for it, each time up to what has happened by then.

    Args:
        begin: Stores the run, as one that has been claimed; None where there is no run.
        events: The run's events, as they come.
    """

    def __init__(self, begin: Callable[[Storage], Run] | None = None, events: Sequence[Event] = ()) -> None:
        self._begin = begin
        self._events = events
        self._stored = 0
        self._instance: Any = None
        self._run: Run | None = None
        self._closed = False

    def up_to_date(self) -> Any:
        """The instance, which is made at the first call.

        Raises:
            UsageError: The execution is over.
        """
        if self._closed:
            raise UsageError("The execution is over, and so is its own instance; pass one (instance=...) to keep it.")
        if self._instance is None:
            from ..instance.instance import Instance

            self._instance = Instance.ephemeral()
            self._run = None if self._begin is None else self._begin(self._instance.storage)
        fresh = [replace(event, seq=self._stored + n) for n, event in enumerate(self._events[self._stored :], 1)]
        if fresh and self._run is not None:
            now = SYSTEM_CLOCK.now()
            self._instance.storage.events.append(self._run.run_id, self._run.attempt, fresh, now=now)
            self._stored += len(fresh)
        return self._instance

    def close(self) -> None:
        """The execution is over: let go of the instance."""
        self._closed = True
        if self._instance is not None:
            self._instance.close()


def opened(instance: Any) -> Any:
    """An instance as user code gets it: what an execution was given, or its own."""
    return instance.up_to_date() if isinstance(instance, OwnInstance) else instance
