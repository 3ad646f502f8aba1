"""The seam of a schedule storage of one's own: where ticks of schedules and sensors are kept for long, and read from.

A tick begins and ends in the storage, in one transaction with the runs that it makes. A catalog has copies of ticks,
all of those up to the id that it has *reached*, and answers for these; `storage/composite` brings them to it, and asks
the storage for what is newer. Switches and cursors say what is to happen next: they are asked of the storage alone, and
shown here as they last were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..records.automation import InstigatorState, Tick, TickStatus

__all__ = ["TickCatalog", "is_further"]


class TickCatalog(Protocol):
    """A schedule storage of one's own.

    Rules that every implementation keeps, and that `penstock.testing.storage_contract.TickCatalogContract` checks:

    * When a call returns, its effect is durable and visible to every other process.
    * All ticks up to the id that `reached` gives are there. A store that loses its last writes loses `reached` before
      it loses a tick.
    * A tick is stored over another of its id if it `is_further`, and passed over if not.
    * A store that cannot be reached raises `StorageUnavailableError`, and every other refusal is a `StorageError`.
    * It may be used from several threads, and in a forked child.
    """

    def reached(self) -> int:
        """The id up to which it has all ticks; 0 at first."""
        ...

    def put(self, ticks: Sequence[Tick], *, reached: int) -> None:
        """Store ticks, and then note that all up to the id `reached` are there, which never goes back."""
        ...

    def open(self) -> list[Tick]:
        """The ticks that are STARTED as far as it knows."""
        ...

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        """Ticks, newest first (by id), before the tick id `before`, that began after `after_time`."""
        ...

    def show(self, states: Sequence[InstigatorState]) -> None:
        """Store these switches and cursors over those of the same ids."""
        ...

    def states(self) -> dict[str, InstigatorState]:
        """The switches and cursors as they were last shown, by id."""
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


def is_further(tick: Tick, other: Tick) -> bool:
    """Whether a tick is a later state of the other, which has the same id: it was begun again, or has ended."""
    return _place(tick) > _place(other)


def _place(tick: Tick) -> tuple[int, bool]:
    return tick.attempt, tick.status is not TickStatus.STARTED
