"""A page of backfills as one statement, for both databases."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .protocols import BackfillFilter

__all__ = ["LAST_ID", "backfill_page"]

LAST_ID = "~"
"""Above the id of every backfill."""


def backfill_page(where: BackfillFilter, statuses: Sequence[str], value: Callable[[str], str]) -> str:
    """The bodies of backfills newest first, with the values `before`, `after`, `until`, `ended` and `limit`.

    Each status is read by itself, from its own end of the index: however many there are of other statuses, no more are
    looked at than the page has.

    Args:
        where: Which; its statuses are given as `statuses`.
        statuses: A placeholder for each of its statuses.
        value: The placeholder of a name.
    """
    conditions = [f"id < {value('before')}"]
    if where.created_after is not None:
        conditions.append(f"created > {value('after')}")
    if where.created_before is not None:
        conditions.append(f"created < {value('until')}")
    if where.ended_before is not None:
        conditions.append(f"ended < {value('ended')}")
    end = f"{' AND '.join(conditions)} ORDER BY id DESC LIMIT {value('limit')}"
    if where.statuses is None:
        return f"SELECT body FROM backfills WHERE {end}"
    if not statuses:
        return "SELECT body FROM backfills WHERE false"
    parts = [
        f"SELECT * FROM (SELECT id, body FROM backfills WHERE status = {status} AND {end}) AS s" for status in statuses
    ]
    return f"SELECT body FROM ({' UNION ALL '.join(parts)}) AS found ORDER BY id DESC LIMIT {value('limit')}"
