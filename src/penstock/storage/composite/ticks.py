"""The ticks of a composite storage: the catalog answers up to where it has come, the storage for what is newer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile

from ...clock import Clock
from ...errors import StorageUnavailableError
from ...records.automation import InstigatorState, Tick, TickStatus
from ..archive import Archive
from ..protocols import InstigatorStorage
from ..tick_catalog import TickCatalog
from .let_go import LetGo

__all__ = ["SETTLED_AFTER", "CompositeInstigators", "TickFollower"]

SETTLED_AFTER = 180.0
"""Seconds after which a tick that began is brought over: by then it has ended, as a rule, and every transaction is over
that took a smaller id before. (A statement of ours may take 30 s, and a transaction may be idle for 10 s.)"""

_PAGE = 500


class CompositeInstigators:
    """`InstigatorStorage` that decides in the storage, and whose ticks are read from both.

    While the catalog is away, the storage answers for all that it has, and what it may lack raises.

    Args:
        log: The storage's own.
        archive: The way to look one tick up there.
        catalog: Has ticks up to the id that it has reached.
        let_go: Up to which time the storage may have let go of ticks that had ended.
    """

    def __init__(self, log: InstigatorStorage, archive: Archive, catalog: TickCatalog, let_go: LetGo) -> None:
        self._log = log
        self._archive = archive
        self._catalog = catalog
        self._let_go = let_go
        self.states, self.get, self.switch, self.set_cursor = log.states, log.get, log.switch, log.set_cursor
        self.override, self.retire, self.restore = log.override, log.retire, log.restore
        self.plan, self.begin_tick, self.complete_tick = log.plan, log.begin_tick, log.complete_tick
        self.evaluations = log.evaluations

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        """Ticks, newest first, before the tick id `before`."""

        def newest() -> list[Tick]:
            return self._log.ticks(instigator, before=before, limit=limit, statuses=statuses, after_time=after_time)

        try:
            reached = self._catalog.reached()
            found = [tick for tick in newest() if tick.id > reached]
            if len(found) == limit:
                return found
            beyond = reached + 1 if before is None else min(before, reached + 1)
            # Those that it has as STARTED may have ended or begun again since; they are looked up, before it is asked
            # for the others, so that one which it is given meanwhile is not missed.
            was_open = [
                _stored(self._archive, tick)
                for tick in self._catalog.open()
                if tick.instigator == instigator and tick.id < beyond
            ]
            older = self._catalog.ticks(
                instigator,
                before=beyond,
                limit=limit,
                statuses=[
                    each for each in (TickStatus if statuses is None else statuses) if each is not TickStatus.STARTED
                ],
                after_time=after_time,
            )
        except StorageUnavailableError:
            found = newest()
            has_all = len(found) == limit or (statuses is not None and set(statuses) <= {TickStatus.STARTED})
            if not has_all and self._let_go.upto() > (after_time or 0):
                raise
            return found
        by_id = {tick.id: tick for tick in older}
        for tick in was_open:
            if (statuses is None or tick.status in statuses) and (after_time is None or tick.started > after_time):
                by_id[tick.id] = tick
        return [*found, *(by_id[tick_id] for tick_id in sorted(by_id, reverse=True))][:limit]

    def latest_ticks(
        self,
        instigators: Sequence[str],
        *,
        limit: int,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> dict[str, list[Tick]]:
        """What `ticks` gives of each of these; a catalog is asked for one at a time, about those of which the storage
        may lack some."""
        found = self._log.latest_ticks(instigators, limit=limit, statuses=statuses, after_time=after_time)
        gone = self._let_go.upto()
        if after_time is not None and after_time >= gone:
            return found
        for instigator in instigators:
            newest = found.get(instigator, [])
            if len(newest) < limit or newest[-1].started <= gone:
                found[instigator] = self.ticks(instigator, limit=limit, statuses=statuses, after_time=after_time)
        return {instigator: ticks for instigator, ticks in found.items() if ticks}


class TickFollower:
    """`Follower` that brings ticks to the catalog in the order of their ids, and those again that had not ended.

    Args:
        log: Switches and cursors.
        archive: The way to read all ticks in that order.
        catalog: Where they are brought.
        clock: Tells the time.
    """

    setting = "schedule_storage"

    def __init__(self, log: InstigatorStorage, archive: Archive, catalog: TickCatalog, clock: Clock) -> None:
        self._log = log
        self._archive = archive
        self._catalog = catalog
        self._clock = clock
        self._shown: dict[str, InstigatorState] = {}

    def follow(self) -> bool:
        """Bring over the ticks that follow on those which it has, a page of them, and what else has changed."""
        reached = self._catalog.reached()
        page = self._ripe(self._archive.ticks(after=reached, limit=_PAGE))
        was_open = self._catalog.open()
        changed = [now for tick in was_open if (now := _stored(self._archive, tick)) != tick]
        if page or changed:
            self._catalog.put([*changed, *page], reached=page[-1].id if page else reached)
        self._show()
        return len(page) == _PAGE

    def behind_since(self) -> float | None:
        """When the oldest tick began that it lacks and could have."""
        page = self._ripe(self._archive.ticks(after=self._catalog.reached(), limit=1))
        return page[0].started if page else None

    def lacks_from(self) -> float:
        """A time before which no tick began that it lacks, as far as a page goes; infinity where it lacks none."""
        page = self._archive.ticks(after=self._catalog.reached(), limit=_PAGE)
        return min((tick.started for tick in page), default=math.inf)

    def _ripe(self, ticks: Sequence[Tick]) -> list[Tick]:
        until = self._clock.now() - SETTLED_AFTER
        return list(takewhile(lambda tick: tick.started <= until, ticks))

    def _show(self) -> None:
        states = self._log.states()
        if changed := [state for key, state in states.items() if self._shown.get(key) != state]:
            self._catalog.show(changed)
        self._shown = states


def _stored(archive: Archive, tick: Tick) -> Tick:
    """A tick as the storage has it; as it is given where the storage has it no more."""
    found = archive.ticks(after=tick.id - 1, limit=1)
    return found[0] if found and found[0].id == tick.id else tick
