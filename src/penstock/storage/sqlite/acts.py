"""The record of acts in SQLite: written by whoever changes what an act is upon, in its transaction."""

from __future__ import annotations

import sqlite3

from ...codec import encode_msgpack
from ...records.act import Act

__all__ = ["record_act"]


def record_act(connection: sqlite3.Connection, act: Act) -> None:
    """Store an act under the next number."""
    connection.execute(
        "INSERT INTO acts (subject, time, body) VALUES (?, ?, ?)", (act.subject, act.time, encode_msgpack(act))
    )
