"""The bulk way out of a storage and into one: whole histories, with their ids and times.

What is loaded is history: no coordinator, daemon or worker has any part in it. Runs are stored as they ended, and what
follows from their events is derived by the same functions that derive it from events of today. How long their logs are
kept counts from now on: they lie in the present month, or they would be removed as soon as they are here.

Not every storage can do this; one that can has the property `archive`, and is `Archived`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from ..records.act import Act
from ..records.automation import InstigatorState, Tick
from ..records.event import Event
from ..records.run import TRANSITIONS, Run, RunStatus, StepStats
from .asset_facts import ASSET_EVENTS, NumberedEvent
from .derive import END_EVENTS
from .encoding import encode_event

__all__ = ["Archive", "Archived", "LoadedRun", "LoggedEvent", "UsedKey", "stretches"]


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An event with its place in the log.

    `run_id` None: no run made it. `kept` is set for one that is in the history of its asset alone: the log of its run
    is gone.
    """

    id: int
    run_id: str | None = None
    attempt: int = 0
    kept: bool = False
    event: Event


class LoadedRun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run as it ended, what is known of its steps in the order in which they began, and its job's description."""

    run: Run
    steps: tuple[StepStats, ...] = ()
    snapshot: bytes | None = None


class UsedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A run key that a schedule or sensor has used, and the run that it was used for."""

    instigator: str
    run_key: str
    run_id: str


class Archive(Protocol):
    """Pages that are read in order, and their way in. What is there already stays as it is."""

    def log(self, *, after: int = 0, limit: int = 1000) -> list[LoggedEvent]:
        """Events of all runs and of none, oldest first, from the id `after` on; histories that outlived their runs'
        logs are among them."""
        ...

    def ticks(self, *, after: int = 0, limit: int = 1000) -> list[Tick]:
        """Ticks of all schedules and sensors, oldest first, from the id `after` on."""
        ...

    def acts(self, *, after: int = 0, limit: int = 1000) -> list[Act]:
        """What people did, the first one stored first, from the id `after` on."""
        ...

    def used_keys(self, *, after: tuple[str, str] = ("", ""), limit: int = 1000) -> list[UsedKey]:
        """Run keys that were used, by (instigator, run key), from that pair on."""
        ...

    def partition_sets(self) -> list[str]:
        """The names of dynamic partition sets that have keys, sorted."""
        ...

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags by which these runs are found."""
        ...

    def load_runs(self, runs: Sequence[LoadedRun]) -> int:
        """Store ended runs; gives how many were new."""
        ...

    def load_events(self, events: Sequence[LoggedEvent]) -> int:
        """Store events of loaded runs, and all that follows from them for assets and checks; gives how many were new.

        Args:
            events: In the order of their ids. Those that are not beyond `EventStorage.last_id` are passed over.
        """
        ...

    def load_instigators(self, states: Sequence[InstigatorState], keys: Sequence[UsedKey]) -> int:
        """Store switches and cursors of schedules and sensors that have none, and used run keys; gives how many were
        new."""
        ...

    def load_ticks(self, ticks: Sequence[Tick]) -> int:
        """Store ticks, under new ids in this order; gives how many were new: an instigator has one tick a due time."""
        ...

    def load_acts(self, acts: Sequence[Act]) -> int:
        """Store what people did elsewhere, under new ids in this order; gives how many were new: what is here of the
        same time, subject and content is the same act."""
        ...


@runtime_checkable
class Archived(Protocol):
    """A storage with a bulk way out and in."""

    @property
    def archive(self) -> Archive: ...


Stretch = tuple[str | None, list[NumberedEvent], Run | None]
"""A run's id, facts about assets that it told without a break, and the run if it ended with them."""


def stretches(events: Iterable[LoggedEvent]) -> Iterator[Stretch]:
    """What events come to for assets, cut where the run changes or ends."""
    run_id: str | None = None
    facts: list[NumberedEvent] = []
    for each in events:
        if each.run_id != run_id and facts:
            yield run_id, facts, None
            facts = []
        run_id = each.run_id
        if each.event.type in ASSET_EVENTS:
            event, body = encode_event(each.event)
            facts.append((each.id, event, body))
        elif each.event.type in END_EVENTS and run_id is not None:
            status = TRANSITIONS[RunStatus.CANCELING, each.event.type]
            yield run_id, facts, Run(run_id=run_id, location="", job="", status=status, ended=each.event.time)
            facts = []
    if facts:
        yield run_id, facts, None
