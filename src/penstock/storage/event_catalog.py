"""The seam of an event log storage of one's own: where raw events are kept for long, and read from.

An event is stored, and decides what it decides, in the storage. A catalog has copies of events, all of those up to the
id that it has *reached*, and answers for these. `storage/composite` brings them to it, in the order of their ids; it
asks the storage for what is newer, so that a reader sees every event once, however far behind the catalog is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ..records.event import Event, StoredEvent

__all__ = ["CopiedEvent", "EventCatalog"]


class CopiedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event with its place in the log, and its run with its job; `run_id` and `job` are None if no run made it."""

    id: int
    run_id: str | None = None
    job: str | None = None
    attempt: int = 0
    event: Event

    @property
    def stored(self) -> StoredEvent:
        """As readers are given it."""
        return StoredEvent(id=self.id, run_id=self.run_id, event=self.event)


class EventCatalog(Protocol):
    """An event log storage of one's own.

    Rules that every implementation keeps, and that `penstock.testing.storage_contract.EventCatalogContract` checks:

    * When a call returns, its effect is durable and visible to every other process.
    * All events up to the id that `reached` gives are there, but for those of runs that were forgotten. A store that
      loses its last writes loses them in this order: `reached` first, events after that.
    * An event never changes. One that is there is passed over when it comes again.
    * A store that cannot be reached raises `StorageUnavailableError`, and every other refusal is a `StorageError`.
    * It may be used from several threads, and in a forked child.
    """

    def reached(self) -> int:
        """The id up to which it has all events; 0 at first."""
        ...

    def put(self, events: Sequence[CopiedEvent], *, reached: int) -> None:
        """Store events, in the order of their ids, and then note that all up to the id `reached` are there.

        Those that are there, and those of forgotten runs, are passed over. `reached` never goes back: several processes
        may bring the same events.
        """
        ...

    def forget(self, run_id: str) -> None:
        """Remove the events of a run; those that come later are passed over too, for at least an hour."""
        ...

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        """A run's events in the order of their ids, from the id `after` on."""
        ...

    def of_types(
        self,
        types: Sequence[str],
        *,
        after: int | None = None,
        before: int | None = None,
        since: float | None = None,
        until: float | None = None,
        jobs: Sequence[str] | None = None,
        ascending: bool = True,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """Events of these types over all runs, oldest first or newest first: those with ids between `after` and
        `before` and with times between `since` and `until`, these bounds left out, of runs of these jobs."""
        ...

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        ...

    def migrate(self) -> None:
        """Make ready whatever it needs, safely with several processes starting at once."""
        ...

    def describe(self) -> dict[str, str]:
        """Facts for people: kind and place, without secrets."""
        ...

    def close(self) -> None:
        """Let go of every connection of this process."""
        ...
