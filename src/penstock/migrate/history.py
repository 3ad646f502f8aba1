"""Imports the history of a Dagster deployment: runs and their events, what is known of assets, ticks, switches.

All of it goes in by the storage's archive, in the order of time, so that what is derived from events (states of
assets, partitions, checks and steps) comes out as if it had happened here. Whatever is stored already is known by its
number in the old log and passed over: an import that was broken off goes on, and one that is done again changes
nothing.
"""

from __future__ import annotations

from ..clock import Clock
from ..daemon.retries import pass_over_failures
from ..errors import UsageError
from ..ids import new_holder_id
from ..instance.alerts.watch import pass_over_events
from ..records.lease import Lease
from ..storage.archive import Archived
from ..storage.protocols import RunFilter, Storage
from .history_automation import import_run_keys, import_states, import_ticks, read_instigators
from .history_events import EventImport, Progress
from .history_records import IMPORTED_RUN, Names
from .history_runs import wanted_runs
from .history_tables import HistorySource
from .history_tally import Tally

__all__ = ["Progress", "import_history", "refuse_used"]

_LEASE = "history-import"
_LEASE_SECONDS = 60.0


def refuse_used(storage: Storage, *, now: float) -> None:
    """Let a history only into an instance that has not begun one of its own.

    Raises:
        UsageError: It has runs of its own, or a daemon works on it.
    """
    own = storage.runs.page(RunFilter(without_tags=(IMPORTED_RUN,)), limit=1)
    if own:
        raise UsageError(
            f"The instance has runs of its own already, {own[0].run_id} among them. A history comes first: imported "
            "now it would stand after them, and sensors would take it for new. Import into a new home."
        )
    daemons = sorted({lease.holder for lease in storage.leases.all() if lease.name != _LEASE and lease.until > now})
    if daemons:
        raise UsageError(
            f"A daemon works on the instance ({', '.join(daemons)}); it would take what is imported for new. Stop it, "
            "and start it again after the import."
        )


def import_history(
    source: HistorySource,
    storage: Storage,
    names: Names,
    *,
    clock: Clock,
    since: float | None = None,
    unfinished: bool = False,
    write: bool = True,
    progress: Progress = lambda *_: None,
) -> Tally:
    """Carry a history over.

    Args:
        source: Where it is.
        storage: Where it goes.
        names: What things are called here.
        clock: Says what time it is.
        since: Only runs that were made, and events and ticks that happened, at that time or later (seconds since the
            epoch).
        unfinished: Take also runs that have not ended, as failed.
        write: Whether to store anything; without it, all is read and counted.
        progress: Is told how far it is.

    Returns:
        What was carried over, and what was not.

    Raises:
        UsageError: The instance has a history of its own, or another import is at work on it.
    """
    refuse_used(storage, now=clock.now())
    if not isinstance(storage, Archived):
        raise UsageError(
            f"The storage of this instance, a {type(storage).__name__}, does not take in a history; let the settings "
            "name SQLite or Postgres."
        )
    archive = storage.archive if write else None
    tally = Tally()
    turn = _Turn(storage, clock)
    try:
        if write:
            turn.lease()
        wanted = wanted_runs(source, storage, names, tally, since=since, unfinished=unfinished)
        instigators = read_instigators(source, names, tally)
        latest = import_ticks(source, archive, instigators, names, tally, since=since)
        if archive is not None:
            import_run_keys(archive, (each.run for each in wanted.runs.values()))
        _import_sets(source, storage, tally, write=write)
        events = EventImport(source, storage, archive, names, wanted, tally, since=since)
        events.work(progress, turn.lease if write else lambda: None)
        import_states(storage, archive, instigators, latest, tally, now=clock.now())
        if write:
            pass_over_failures(storage)
            pass_over_events(storage)
    finally:
        turn.end()
    return tally


def _import_sets(source: HistorySource, storage: Storage, tally: Tally, *, write: bool) -> None:
    """Dynamic partition sets, and limits of pools; a limit that is set here already stays."""
    sets: dict[str, list[str]] = {}
    for name, key in source.dynamic_partitions():
        sets.setdefault(name, []).append(key)
    for name, keys in sets.items():
        known = set(storage.assets.dynamic_partitions(name))
        new = [key for key in keys if key not in known]
        tally.partitions += len(new)
        if write and new:
            storage.assets.add_dynamic_partitions(name, new)
    limits = storage.slots.limits()
    for pool, slots in source.pool_limits():
        if pool not in limits:
            tally.pools += 1
            if write:
                storage.slots.set_limit(pool, slots)


class _Turn:
    """The lease of the one import that works on an instance."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._holder = new_holder_id("import")
        self._held: Lease | None = None

    def lease(self) -> Lease:
        """The lease, taken or prolonged; raises `UsageError` while another import has it."""
        now = self._clock.now()
        if self._held is None or self._held.until - now < _LEASE_SECONDS / 2:
            self._held = self._storage.leases.acquire(_LEASE, self._holder, ttl=_LEASE_SECONDS, now=now)
            if self._held is None:
                raise UsageError("Another import is at work on this instance; import again when it has ended.")
        return self._held

    def end(self) -> None:
        """Let others have their turn."""
        if self._held is not None:
            self._storage.leases.release(self._held)
