"""Changes of dynamic partition sets, inside a transaction of whoever asks for them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from ...partitions.requests import AddDynamicPartitionsRequest, PartitionsRequest
from .listed import listed

__all__ = ["add_keys", "change_dynamic_partitions", "remove_keys"]


def change_dynamic_partitions(connection: sqlite3.Connection, requests: Iterable[PartitionsRequest]) -> None:
    """Fulfil requests in order."""
    for request in requests:
        change = add_keys if isinstance(request, AddDynamicPartitionsRequest) else remove_keys
        change(connection, request.partitions_def_name, request.partition_keys)


def add_keys(connection: sqlite3.Connection, name: str, keys: Sequence[str]) -> list[str]:
    """Add keys to a set; gives those that were new."""
    found = connection.execute(
        "SELECT key FROM dynamic_partitions WHERE name = ? AND key IN (SELECT value FROM json_each(?))",
        (name, listed(keys)),
    )
    known = {row[0] for row in found}
    new = [key for key in dict.fromkeys(keys) if key not in known]
    connection.executemany("INSERT INTO dynamic_partitions (name, key) VALUES (?, ?)", [(name, key) for key in new])
    return new


def remove_keys(connection: sqlite3.Connection, name: str, keys: Sequence[str]) -> list[str]:
    """Remove keys from a set; gives those that were in it."""
    gone = connection.execute(
        "DELETE FROM dynamic_partitions WHERE name = ? AND key IN (SELECT value FROM json_each(?)) RETURNING key",
        (name, listed(keys)),
    )
    return [row[0] for row in gone]
