"""Changes of dynamic partition sets, inside a transaction of whoever asks for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...partitions.requests import AddDynamicPartitionsRequest, PartitionsRequest
from .transaction import Transaction

__all__ = ["add_keys", "change_dynamic_partitions", "remove_keys"]


def change_dynamic_partitions(tx: Transaction, requests: Iterable[PartitionsRequest]) -> None:
    """Fulfil requests in order."""
    for request in requests:
        change = add_keys if isinstance(request, AddDynamicPartitionsRequest) else remove_keys
        change(tx, request.partitions_def_name, request.partition_keys)


def add_keys(tx: Transaction, name: str, keys: Sequence[str]) -> list[str]:
    """Add keys to a set; gives those that were new."""
    wanted = list(dict.fromkeys(keys))
    found = tx.rows(
        "INSERT INTO dynamic_partitions (name, key) SELECT %s, key FROM unnest(%s::text[]) "
        "WITH ORDINALITY AS given (key, place) ORDER BY place ON CONFLICT DO NOTHING RETURNING key",
        (name, wanted),
    )
    new = {row[0] for row in found}
    return [key for key in wanted if key in new]


def remove_keys(tx: Transaction, name: str, keys: Sequence[str]) -> list[str]:
    """Remove keys from a set; gives those that were in it."""
    gone = tx.rows("DELETE FROM dynamic_partitions WHERE name = %s AND key = ANY(%s) RETURNING key", (name, list(keys)))
    return [row[0] for row in gone]
