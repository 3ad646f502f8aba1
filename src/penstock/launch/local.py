"""The launcher that hands runs to the code server of their location, which forks the worker from warm user code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..records.run import Run
from ..records.wire import LaunchAnswer

__all__ = ["DefaultRunLauncher", "LocalRunLauncher", "WorkerHost"]


class WorkerHost(Protocol):
    """What the launcher needs of a code server's client."""

    def launch(self, run: Run) -> LaunchAnswer: ...

    def cancel(self, run_id: str, *, force: bool = False) -> bool: ...


class LocalRunLauncher:
    """Starts run workers in code servers.

    Args:
        client_for: Gives the client of a location's code server by the location's name; it may raise `NotFoundError`
            or `CodeServerUnreachableError`.
    """

    def __init__(self, client_for: Callable[[str], WorkerHost]) -> None:
        self._client_for = client_for

    def launch(self, run: Run) -> LaunchAnswer:
        """Ask the code server of the run's location to take this attempt over."""
        return self._client_for(run.location).launch(run)

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        """Ask the code server of the run's location to stop the worker."""
        return self._client_for(run.location).cancel(run.run_id, force=force)


DefaultRunLauncher = LocalRunLauncher
"""The launcher that an instance has where its settings name none."""
