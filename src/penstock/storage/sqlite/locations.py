"""Code locations as last heard of, and named values, in SQLite."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...codec import decode_msgpack, encode_msgpack
from ...records.wire import LoadStatus
from ..notifier import Notifier
from ..protocols import StoredLocation
from .connection import Database
from .listed import listed

__all__ = ["SqliteLocations"]


class SqliteLocations:
    """`LocationStorage` on one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def put(self, location: StoredLocation) -> None:
        """Store; without a `description` the one stored before stays, and its digest."""
        body = msgspec.structs.replace(location, description=None, digest=None)
        with self._database.write("store a code location") as connection:
            connection.execute(
                "INSERT INTO locations (name, status, digest, updated, body, description) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (name) DO UPDATE SET status = excluded.status, updated = excluded.updated, "
                "body = excluded.body, digest = COALESCE(excluded.digest, digest), "
                "description = COALESCE(excluded.description, description)",
                (
                    location.name,
                    location.status,
                    location.digest,
                    location.updated,
                    encode_msgpack(body),
                    location.description,
                ),
            )
        self._notifier.publish({"locations"})

    def get(self, name: str) -> StoredLocation | None:
        """One location."""
        with self._database.read("read a code location") as connection:
            row = connection.execute(
                "SELECT body, digest, description FROM locations WHERE name = ?", (name,)
            ).fetchone()
        if row is None:
            return None
        return msgspec.structs.replace(decode_msgpack(row[0], StoredLocation), digest=row[1], description=row[2])

    def digests(self) -> dict[str, tuple[LoadStatus, str | None, float]]:
        """(status, digest, updated) of each location: what a reader needs to see whether it must fetch anew."""
        with self._database.read("read the code locations") as connection:
            found = connection.execute("SELECT name, status, digest, updated FROM locations").fetchall()
        return {name: (LoadStatus(status), digest, updated) for name, status, digest, updated in found}

    def forget(self, names: Iterable[str]) -> None:
        """Remove locations that the workspace no longer names."""
        with self._database.write("forget code locations") as connection:
            connection.execute("DELETE FROM locations WHERE name IN (SELECT value FROM json_each(?))", (listed(names),))
        self._notifier.publish({"locations"})

    def get_value(self, key: str) -> str | None:
        """A named value."""
        with self._database.read("read a value") as connection:
            row = connection.execute("SELECT value FROM named_values WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def set_value(self, key: str, value: str) -> None:
        """Set a named value."""
        with self._database.write("store a value") as connection:
            connection.execute(
                "INSERT INTO named_values VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def settle_value(self, key: str, value: str) -> str:
        """Set a named value unless it is set; gives the one that it has now."""
        with self._database.write("settle a value") as connection:
            connection.execute("INSERT INTO named_values VALUES (?, ?) ON CONFLICT (key) DO NOTHING", (key, value))
            row = connection.execute("SELECT value FROM named_values WHERE key = ?", (key,)).fetchone()
        settled: str = row[0]
        return settled
