"""The two seams of launching: the coordinator decides when a run goes, the launcher starts and stops its worker."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..records.run import Run
from ..records.wire import LaunchAnswer
from ..storage.protocols import NewRun

__all__ = ["RunCoordinator", "RunLauncher"]


class RunCoordinator(Protocol):
    """What happens to runs that are asked for."""

    def submit(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store new runs and see to it that they start, at once or in their turn; gives them as stored.

        Raises:
            StorageError: They could not be stored; then none of them exists.
        """
        ...

    def prepare(self, run: NewRun) -> NewRun:
        """The run as this coordinator stores it. For a caller that stores it in a transaction of its own."""
        ...

    def dispatch(self, run_ids: Sequence[str]) -> None:
        """See to it that runs which were stored as `prepare` gave them start, at once or in their turn."""
        ...

    def cancel(self, run_id: str, *, force: bool = False, actor: str | None = None) -> Run:
        """Ask a run to stop; gives the run as it stands afterwards. A run that has ended stays as it is.

        Args:
            run_id: The run.
            force: Do not wait: kill the worker, and call the run canceled even when nobody could reach it.
            actor: Who asks, where known.

        Raises:
            NotFoundError: There is no such run.
        """
        ...


class RunLauncher(Protocol):
    """Where run workers live."""

    def launch(self, run: Run) -> LaunchAnswer:
        """Start the worker of this attempt of a claimed run.

        Raises:
            CodeServerUnreachableError: Nobody answered; whether the worker was started is not known, and the attempt's
                lease tells it in time.
        """
        ...

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        """Stop the run's worker, with a grace period unless `force`; False when there was nobody to stop.

        Raises:
            CodeServerUnreachableError: Nobody answered.
        """
        ...
