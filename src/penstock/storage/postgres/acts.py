"""The record of acts in Postgres: written by whoever changes what an act is upon, in its transaction."""

from __future__ import annotations

from ...codec import encode_msgpack
from ...records.act import Act
from .transaction import Transaction

__all__ = ["record_act"]


def record_act(tx: Transaction, act: Act) -> None:
    """Store an act under the next number."""
    tx.send("INSERT INTO acts (subject, time, body) VALUES (%s, %s, %s)", (act.subject, act.time, encode_msgpack(act)))
