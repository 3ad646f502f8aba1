"""Code locations as last heard of, and named values, in Postgres."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...codec import decode_msgpack, encode_msgpack
from ...records.wire import LoadStatus
from ..notifier import Notifier
from ..protocols import StoredLocation
from .connection import Database
from .transaction import Transaction

__all__ = ["PostgresLocations"]


class PostgresLocations:
    """`LocationStorage` on one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def put(self, location: StoredLocation) -> None:
        """Store; without a `description` the one stored before stays, and its digest."""
        body = msgspec.structs.replace(location, description=None, digest=None)

        def work(tx: Transaction) -> None:
            tx.send(
                "INSERT INTO locations AS l (name, status, digest, updated, body, description) "
                "VALUES (%s, %s, %s, %s, %s, %s) "
                "ON CONFLICT (name) DO UPDATE SET status = EXCLUDED.status, updated = EXCLUDED.updated, "
                "body = EXCLUDED.body, digest = COALESCE(EXCLUDED.digest, l.digest), "
                "description = COALESCE(EXCLUDED.description, l.description)",
                (
                    location.name,
                    location.status,
                    location.digest,
                    location.updated,
                    encode_msgpack(body),
                    location.description,
                ),
            )

        self._database.write("store a code location", work, repeatable=True)
        self._notifier.publish({"locations"})

    def get(self, name: str) -> StoredLocation | None:
        """One location."""
        found = self._database.read(
            "read a code location", "SELECT body, digest, description FROM locations WHERE name = %s", (name,)
        )
        if not found:
            return None
        body, digest, description = found[0]
        return msgspec.structs.replace(decode_msgpack(body, StoredLocation), digest=digest, description=description)

    def digests(self) -> dict[str, tuple[LoadStatus, str | None, float]]:
        """(status, digest, updated) of each location: what a reader needs to see whether it must fetch anew."""
        found = self._database.read(
            "read the code locations", "SELECT name, status, digest, updated FROM locations ORDER BY name"
        )
        return {name: (LoadStatus(status), digest, updated) for name, status, digest, updated in found}

    def forget(self, names: Iterable[str]) -> None:
        """Remove locations that the workspace no longer names."""
        gone = list(names)
        self._database.write(
            "forget code locations",
            lambda tx: tx.send("DELETE FROM locations WHERE name = ANY(%s)", (gone,)),
            repeatable=True,
        )
        self._notifier.publish({"locations"})

    def get_value(self, key: str) -> str | None:
        """A named value."""
        found = self._database.read("read a value", "SELECT value FROM named_values WHERE key = %s", (key,))
        return found[0][0] if found else None

    def set_value(self, key: str, value: str) -> None:
        """Set a named value."""

        def work(tx: Transaction) -> None:
            tx.send(
                "INSERT INTO named_values VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value",
                (key, value),
            )

        self._database.write("store a value", work, repeatable=True)

    def settle_value(self, key: str, value: str) -> str:
        """Set a named value unless it is set; gives the one that it has now."""

        def work(tx: Transaction) -> str:
            tx.send("INSERT INTO named_values VALUES (%s, %s) ON CONFLICT (key) DO NOTHING", (key, value))
            row = tx.row("SELECT value FROM named_values WHERE key = %s", (key,))
            assert row is not None
            settled: str = row[0]
            return settled

        return self._database.write("settle a value", work, repeatable=True)
