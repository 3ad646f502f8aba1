"""A catalog of events in memory, and one of ticks, which can be away."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence

from penstock.errors import StorageUnavailableError
from penstock.records.automation import InstigatorState, Tick, TickStatus
from penstock.records.event import StoredEvent
from penstock.storage.event_catalog import CopiedEvent
from penstock.storage.tick_catalog import is_further

__all__ = ["MemoryEvents", "MemoryTicks"]


class _Memory:
    """What both share.

    Attributes:
        is_away: Whether it cannot be reached.
    """

    def __init__(self) -> None:
        self.is_away = False
        self._reached = 0
        self._lock = threading.Lock()

    def _asked(self) -> None:
        if self.is_away:
            raise StorageUnavailableError("The memory is away.")

    def reached(self) -> int:
        self._asked()
        return self._reached

    def migrate(self) -> None:
        self._asked()

    def describe(self) -> dict[str, str]:
        return {"kind": "memory"}

    def close(self) -> None:
        pass


class MemoryEvents(_Memory):
    """`EventCatalog` for one process."""

    def __init__(self) -> None:
        super().__init__()
        self._events: dict[int, CopiedEvent] = {}
        self._forgotten: set[str | None] = set()

    def put(self, events: Sequence[CopiedEvent], *, reached: int) -> None:
        self._asked()
        with self._lock:
            for event in events:
                if event.run_id not in self._forgotten:
                    self._events.setdefault(event.id, event)
            self._reached = max(reached, self._reached)

    def forget(self, run_id: str) -> None:
        self._asked()
        with self._lock:
            self._forgotten.add(run_id)
            self._events = {key: event for key, event in self._events.items() if event.run_id != run_id}

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        def fits(each: CopiedEvent) -> bool:
            return (
                each.run_id == run_id
                and (types is None or each.event.type in types)
                and (step_keys is None or each.event.step_key in step_keys)
            )

        return self._page(fits, after, None, True, limit)

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
        def fits(each: CopiedEvent) -> bool:
            return (
                each.event.type in types
                and (since is None or each.event.time > since)
                and (until is None or each.event.time < until)
                and (jobs is None or each.job in jobs)
            )

        return self._page(fits, after, before, ascending, limit)

    def get(self, event_id: int) -> StoredEvent | None:
        self._asked()
        found = self._events.get(event_id)
        return None if found is None else found.stored

    def _page(
        self,
        fits: Callable[[CopiedEvent], bool],
        after: int | None,
        before: int | None,
        ascending: bool,
        limit: int,
    ) -> list[StoredEvent]:
        self._asked()
        events: Iterable[tuple[int, CopiedEvent]] = sorted(self._events.items(), reverse=not ascending)
        found = (
            each.stored
            for key, each in events
            if (after is None or key > after) and (before is None or key < before) and fits(each)
        )
        return list(itertools.islice(found, limit))


class MemoryTicks(_Memory):
    """`TickCatalog` for one process."""

    def __init__(self) -> None:
        super().__init__()
        self._ticks: dict[int, Tick] = {}
        self._states: dict[str, InstigatorState] = {}

    def put(self, ticks: Sequence[Tick], *, reached: int) -> None:
        self._asked()
        with self._lock:
            for tick in ticks:
                other = self._ticks.get(tick.id)
                if other is None or is_further(tick, other):
                    self._ticks[tick.id] = tick
            self._reached = max(reached, self._reached)

    def open(self) -> list[Tick]:
        self._asked()
        return [tick for tick in self._ticks.values() if tick.status is TickStatus.STARTED]

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        self._asked()
        found = (
            tick
            for key, tick in sorted(self._ticks.items(), reverse=True)
            if tick.instigator == instigator
            and (before is None or key < before)
            and (statuses is None or tick.status in statuses)
            and (after_time is None or tick.started > after_time)
        )
        return list(itertools.islice(found, limit))

    def show(self, states: Sequence[InstigatorState]) -> None:
        self._asked()
        self._states |= {state.id: state for state in states}

    def states(self) -> dict[str, InstigatorState]:
        self._asked()
        return dict(self._states)
