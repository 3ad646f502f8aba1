"""All storages of an instance in one Postgres database."""

from __future__ import annotations

from typing import Any

import psycopg

from ...clock import SYSTEM_CLOCK, Clock
from ...errors import SettingsError
from .accounts import PostgresAccounts
from .acts import PostgresActs
from .archive import PostgresArchive
from .assets import PostgresAssets
from .backfills import PostgresBackfills
from .clock import DatabaseClock
from .connection import POOL_PATIENCE, POOL_SIZE, Database
from .events import PostgresEvents
from .inbox import PostgresInbox
from .instigators import PostgresInstigators
from .leases import PostgresLeases
from .locations import PostgresLocations
from .migration import migrate, stored_version
from .notifier import PostgresNotifier
from .one_offs import PostgresOneOffs
from .outbox import PostgresOutbox
from .retention import PostgresRetention
from .runs import PostgresRuns
from .slots import PostgresSlots
from .upkeep import PostgresUpkeep

__all__ = ["PostgresStorage"]


class PostgresStorage:
    """`Storage` in one Postgres database, shared by processes on any number of hosts.

    Args:
        url: The database as `postgresql://user:password@host:port/name?parameter=value`, or as libpq's `key=value`.
        pool_size: How many connections a process uses at once; one that listens comes on top.
        pool_patience: For how many seconds somebody waits for one of them.
        own_clock: This machine's clock; where it differs from the database's, the database's counts.
        parameters: Further parameters of the connection by libpq's names, which win over those of the URL.

    Nothing is opened before the first use. Call `migrate` once in each process before that.

    Raises:
        SettingsError: The URL cannot be read.
    """

    def __init__(
        self,
        url: str = "",
        *,
        pool_size: int = POOL_SIZE,
        pool_patience: float = POOL_PATIENCE,
        own_clock: Clock = SYSTEM_CLOCK,
        **parameters: Any,
    ) -> None:
        try:
            given = psycopg.conninfo.conninfo_to_dict(url, **parameters)
        except psycopg.ProgrammingError:
            # Neither the URL nor what libpq says of it is shown: they may hold the password.
            raise SettingsError(
                "The URL or the parameters of the Postgres database cannot be read; write "
                "postgresql://user:password@host:port/name, with %-signs for special characters in the password."
            ) from None
        self._database = Database(given, pool_size=pool_size, pool_patience=pool_patience, own_clock=own_clock)
        self._notifier = PostgresNotifier(self._database)
        self._runs = PostgresRuns(self._database, self._notifier)
        self._events = PostgresEvents(self._database, self._notifier)
        self._assets = PostgresAssets(self._database, self._notifier)
        self._instigators = PostgresInstigators(self._database, self._notifier)
        self._one_offs = PostgresOneOffs(self._database, self._notifier)
        self._leases = PostgresLeases(self._database, self._notifier)
        self._locations = PostgresLocations(self._database, self._notifier)
        self._slots = PostgresSlots(self._database, self._notifier)
        self._backfills = PostgresBackfills(self._database, self._notifier)
        self._accounts = PostgresAccounts(self._database)
        self._acts = PostgresActs(self._database)
        self._upkeep = PostgresUpkeep(self._database)
        self._archive = PostgresArchive(self._database, self._notifier)
        self._retention = PostgresRetention(self._database)
        self._outbox = PostgresOutbox(self._database, self._notifier)
        self._inbox = PostgresInbox(self._database, self._notifier)

    @property
    def runs(self) -> PostgresRuns:
        """Runs and their states."""
        return self._runs

    @property
    def events(self) -> PostgresEvents:
        """The event log."""
        return self._events

    @property
    def assets(self) -> PostgresAssets:
        """What is known of assets."""
        return self._assets

    @property
    def instigators(self) -> PostgresInstigators:
        """Schedules and sensors."""
        return self._instigators

    @property
    def one_offs(self) -> PostgresOneOffs:
        """One-off runs."""
        return self._one_offs

    @property
    def leases(self) -> PostgresLeases:
        """Leases and processes."""
        return self._leases

    @property
    def locations(self) -> PostgresLocations:
        """Code locations and named values."""
        return self._locations

    @property
    def slots(self) -> PostgresSlots:
        """Slots of concurrency pools."""
        return self._slots

    @property
    def backfills(self) -> PostgresBackfills:
        """Backfills."""
        return self._backfills

    @property
    def accounts(self) -> PostgresAccounts:
        """Accounts and their API tokens."""
        return self._accounts

    @property
    def acts(self) -> PostgresActs:
        """What people did."""
        return self._acts

    @property
    def notifier(self) -> PostgresNotifier:
        """Wakes whoever waits."""
        return self._notifier

    @property
    def upkeep(self) -> PostgresUpkeep:
        """The database for those who tend it."""
        return self._upkeep

    @property
    def archive(self) -> PostgresArchive:
        """The bulk way out and in."""
        return self._archive

    @property
    def retention(self) -> PostgresRetention:
        """What is old, and its removal."""
        return self._retention

    @property
    def inbox(self) -> PostgresInbox:
        """What is sent to webhook sensors."""
        return self._inbox

    @property
    def outbox(self) -> PostgresOutbox:
        """Messages that are on their way."""
        return self._outbox

    @property
    def shared_clock(self) -> DatabaseClock:
        """The time that counts on all hosts."""
        return self._database.clock

    def migrate(self) -> None:
        """Bring the schema up to this version, safely with several processes starting at once."""
        migrate(self._database)

    def describe(self) -> dict[str, str]:
        """Facts for people: kind, place, schema version, size."""
        facts = "SELECT current_setting('server_version'), pg_database_size(current_database())"
        server, size = self._database.read("read the size of the database", facts)[0]
        return {
            "kind": "Postgres",
            "place": self._database.name,
            "schema": str(stored_version(self._database)),
            "postgres": server,
            "bytes": str(size),
        }

    def close(self) -> None:
        """Let go of every idle connection of this process."""
        self._database.pool.close()
