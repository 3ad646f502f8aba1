"""All storages of an instance in one SQLite database."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ...clock import SYSTEM_CLOCK, Clock
from .accounts import SqliteAccounts
from .acts import SqliteActs
from .archive import SqliteArchive
from .assets import SqliteAssets
from .backfills import SqliteBackfills
from .connection import Database
from .events import SqliteEvents
from .inbox import SqliteInbox
from .instigators import SqliteInstigators
from .leases import SqliteLeases
from .locations import SqliteLocations
from .migration import migrate, stored_version
from .one_offs import SqliteOneOffs
from .outbox import SqliteOutbox
from .retention import SqliteRetention
from .runs import SqliteRuns
from .slots import SqliteSlots
from .upkeep import SqliteUpkeep
from .wake import SocketNotifier

__all__ = ["SqliteStorage"]


class SqliteStorage:
    """`Storage` in one SQLite file, shared by all processes of one host.

    Args:
        path: The file; None for a private database in memory, which only this process sees and which is ready at once.
        patience: How long a write waits while other processes write, in seconds.
        clock: Tells which month of the event log is the present one, where an old one is removed.

    Nothing is opened before the first use. Call `migrate` once in each process before that.
    """

    def __init__(self, path: Path | None, *, patience: float = 30.0, clock: Clock = SYSTEM_CLOCK) -> None:
        self._database = Database(path, patience=patience)
        self._notifier = SocketNotifier(self._database)
        self._runs = SqliteRuns(self._database, self._notifier)
        self._events = SqliteEvents(self._database, self._notifier)
        self._assets = SqliteAssets(self._database, self._notifier)
        self._instigators = SqliteInstigators(self._database, self._notifier)
        self._one_offs = SqliteOneOffs(self._database, self._notifier)
        self._leases = SqliteLeases(self._database, self._notifier)
        self._locations = SqliteLocations(self._database, self._notifier)
        self._slots = SqliteSlots(self._database, self._notifier)
        self._backfills = SqliteBackfills(self._database, self._notifier)
        self._accounts = SqliteAccounts(self._database)
        self._acts = SqliteActs(self._database)
        self._upkeep = SqliteUpkeep(self._database)
        self._archive = SqliteArchive(self._database, self._notifier)
        self._retention = SqliteRetention(self._database, clock)
        self._outbox = SqliteOutbox(self._database, self._notifier)
        self._inbox = SqliteInbox(self._database, self._notifier)
        if path is None:
            self.migrate()

    @property
    def runs(self) -> SqliteRuns:
        """Runs and their states."""
        return self._runs

    @property
    def events(self) -> SqliteEvents:
        """The event log."""
        return self._events

    @property
    def assets(self) -> SqliteAssets:
        """What is known of assets."""
        return self._assets

    @property
    def instigators(self) -> SqliteInstigators:
        """Schedules and sensors."""
        return self._instigators

    @property
    def one_offs(self) -> SqliteOneOffs:
        """One-off runs."""
        return self._one_offs

    @property
    def leases(self) -> SqliteLeases:
        """Leases and processes."""
        return self._leases

    @property
    def locations(self) -> SqliteLocations:
        """Code locations and named values."""
        return self._locations

    @property
    def slots(self) -> SqliteSlots:
        """Slots of concurrency pools."""
        return self._slots

    @property
    def backfills(self) -> SqliteBackfills:
        """Backfills."""
        return self._backfills

    @property
    def accounts(self) -> SqliteAccounts:
        """Accounts and their API tokens."""
        return self._accounts

    @property
    def acts(self) -> SqliteActs:
        """What people did."""
        return self._acts

    @property
    def notifier(self) -> SocketNotifier:
        """Wakes whoever waits."""
        return self._notifier

    @property
    def upkeep(self) -> SqliteUpkeep:
        """The database for those who tend it."""
        return self._upkeep

    @property
    def archive(self) -> SqliteArchive:
        """The bulk way out and in."""
        return self._archive

    @property
    def retention(self) -> SqliteRetention:
        """What is old, and its removal."""
        return self._retention

    @property
    def inbox(self) -> SqliteInbox:
        """What is sent to webhook sensors."""
        return self._inbox

    @property
    def outbox(self) -> SqliteOutbox:
        """Messages that are on their way."""
        return self._outbox

    def migrate(self) -> None:
        """Bring the schema up to this version, safely with several processes starting at once."""
        migrate(self._database)

    def describe(self) -> dict[str, str]:
        """Facts for people: kind, place, schema version, size."""
        path = self._database.path
        with self._database.read("read the schema version") as connection:
            version = stored_version(connection)
        facts = {
            "kind": "SQLite",
            "place": self._database.name,
            "schema": str(version),
            "sqlite": sqlite3.sqlite_version,
        }
        if path is not None:
            parts = [path, path.with_name(f"{path.name}-wal")]
            facts["bytes"] = str(sum(part.stat().st_size for part in parts if part.exists()))
        return facts

    def close(self) -> None:
        """Let go of every connection of this process."""
        self._notifier.close()
        self._database.close()
