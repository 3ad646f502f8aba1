"""How the backfills that fit a `BackfillFilter` are found, in both dialects.

Status, times and assets have indexes. What else is asked for is looked up in each backfill, newest first, and one
search looks at `LOOKS` of them at most: an answer costs so much and no more, however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..records.backfill import Backfill
from .protocols import BackfillFilter, BackfillSearch

__all__ = ["LOOKS", "backfill_page", "found_backfills", "whole_page"]

LOOKS = 2_000
"""How many backfills one search looks at."""

_AT_ONCE = 250
_LAST_ID = "~"  # above the id of every backfill

Read = Callable[[str, int], list[Backfill]]
"""Gives so many backfills before an id, newest first, that fit what the database knows of the filter."""


def backfill_page(where: BackfillFilter, statuses: Sequence[str], value: Callable[[str], str]) -> str:
    """The bodies of backfills newest first, with the values `before`, `after`, `until`, `ended`, `asset` and `limit`.

    Each status is read by itself, from its own end of the index: however many there are of other statuses, no more are
    looked at than the page has.

    Args:
        where: Which; its statuses are given as `statuses`.
        statuses: A placeholder for each of its statuses.
        value: The placeholder of a name.
    """
    if where.asset is not None:
        return (
            "SELECT b.body FROM backfill_assets a CROSS JOIN backfills b WHERE b.id = a.backfill "
            f"AND a.asset = {value('asset')} AND a.backfill < {value('before')} "
            f"ORDER BY a.backfill DESC LIMIT {value('limit')}"
        )
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


def found_backfills(read: Read, where: BackfillFilter, *, limit: int, before: str | None) -> BackfillSearch:
    """What one search finds."""
    at = before or _LAST_ID
    if (where.asset, where.job, where.user, where.text) == (None, None, None, None):
        return BackfillSearch(backfills=tuple(read(at, limit)))
    found: list[Backfill] = []
    at_once = min(LOOKS, _AT_ONCE)
    for _ in range(0, LOOKS, at_once):
        looked_at = read(at, at_once)
        found += [each for each in looked_at if _fits(where, each)]
        if len(found) >= limit or len(looked_at) < at_once:
            return BackfillSearch(backfills=tuple(found[:limit]))
        at = looked_at[-1].backfill_id
    return BackfillSearch(backfills=tuple(found), until=at)


def whole_page(read: Read, where: BackfillFilter, *, limit: int, before: str | None) -> list[Backfill]:
    """A page by as many searches as it takes."""
    part = found_backfills(read, where, limit=limit, before=before)
    found = [*part.backfills]
    while part.until is not None:
        part = found_backfills(read, where, limit=limit - len(found), before=part.until)
        found += part.backfills
    return found


def _fits(where: BackfillFilter, each: Backfill) -> bool:
    text = (where.text or "").casefold()
    return (
        (where.statuses is None or each.status in where.statuses)
        and (where.created_after is None or each.created > where.created_after)
        and (where.created_before is None or each.created < where.created_before)
        and (where.ended_before is None or (each.ended is not None and each.ended < where.ended_before))
        and where.job in (None, each.job)
        and where.user in (None, each.user)
        and any(text in (said or "").casefold() for said in (each.title, each.description, each.job, each.backfill_id))
    )
