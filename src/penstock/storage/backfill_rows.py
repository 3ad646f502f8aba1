"""Backfills as rows and back, in every dialect, and what a change makes of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..codec import decode_msgpack, encode_msgpack
from ..partitions.subset import Subset
from ..records.backfill import (
    BACKFILL_ENDS,
    Backfill,
    BackfillLine,
    BackfillPart,
    BackfillStatus,
    GroupCounts,
    PartStatus,
)
from .protocols.backfills import BackfillAdvance, BackfillChange

__all__ = [
    "COUNTS",
    "PART",
    "advanced",
    "changed",
    "counts_of",
    "decode_backfill",
    "decode_log",
    "longer_log",
    "made_by_asset",
    "part",
    "part_values",
]

Row = tuple[Any, ...]

_KEPT_LINES = 300
_STATUSES = {status.value: status for status in PartStatus}
_S = BackfillStatus

PART = "grp, first, last, size, status, run_id, made"
COUNTS = "grp, runs, open, done, failed, canceled, skipped"

_MAY_BECOME = {_S.CANCELING: {_S.REQUESTED, _S.FAILING}, _S.REQUESTED: {_S.FAILED}}
"""What people may make of which status."""


def decode_backfill(body: bytes) -> Backfill:
    """A backfill of its stored bytes."""
    return decode_msgpack(body, Backfill)


def decode_log(body: bytes) -> list[BackfillLine]:
    """A log of its stored bytes."""
    return decode_msgpack(body, list[BackfillLine])


def longer_log(body: bytes, lines: Iterable[BackfillLine]) -> bytes:
    """A log with more lines; the oldest go when there are too many."""
    return encode_msgpack([*decode_log(body), *lines][-_KEPT_LINES:])


def part(row: Row) -> BackfillPart:
    """The part of a row of `PART`."""
    return BackfillPart(
        group=row[0],
        first=row[1],
        last=row[2],
        size=row[3],
        status=_STATUSES[row[4]],
        run_id=row[5],
        made=decode_msgpack(row[6], dict[str, Subset]) if row[6] else {},
    )


def part_values(each: BackfillPart) -> Row:
    """The values of `PART`."""
    made = encode_msgpack(each.made) if each.made else None
    return (each.group, each.first, each.last, each.size, each.status.value, each.run_id, made)


def counts_of(counted: Iterable[Row], made: Iterable[Row]) -> dict[str, list[GroupCounts]]:
    """The counts of backfills.

    Args:
        counted: Rows of (backfill, `COUNTS`).
        made: Rows of (backfill, grp, status, made) of the parts that have any.
    """
    sums: dict[tuple[str, int], dict[PartStatus, dict[str, int]]] = {}
    for backfill, group, status, body in made:
        by_asset = sums.setdefault((backfill, group), {}).setdefault(PartStatus(status), {})
        for asset, positions in decode_msgpack(body, dict[str, Subset]).items():
            by_asset[asset] = by_asset.get(asset, 0) + len(positions)
    found: dict[str, list[GroupCounts]] = {}
    for backfill, group, runs, open_, done, failed, canceled, skipped in counted:
        found.setdefault(backfill, []).append(
            GroupCounts(
                group=group,
                runs=runs,
                open=open_,
                done=done,
                failed=failed,
                canceled=canceled,
                skipped=skipped,
                made=sums.get((backfill, group), {}),
            )
        )
    return found


def made_by_asset(planned: Iterable[Row]) -> dict[str, list[str | None]]:
    """Partitions by asset, of rows (asset, partition)."""
    found: dict[str, list[str | None]] = {}
    for asset, partition in planned:
        found.setdefault(asset, []).append(partition or None)
    return found


def changed(backfill: Backfill, change: BackfillChange, now: float) -> Backfill | None:
    """The backfill as somebody wants it; None where it does not allow that or is so already."""
    fields: dict[str, Any] = {}
    if change.status is not None:
        if backfill.status not in _MAY_BECOME.get(change.status, ()):
            return None
        fields |= {"status": change.status, "ended": None, "failures": 0, "note": None, **_going_on(backfill, now)}
    elif not backfill.is_open:
        return None
    if change.paused is not None and change.paused != backfill.paused:
        fields |= {"paused": True, "paused_at": now} if change.paused else _going_on(backfill, now)
    if change.priority is not None:
        fields["priority"] = change.priority
    wanted = msgspec.structs.replace(backfill, **fields)
    return None if wanted == backfill else msgspec.structs.replace(wanted, updated=now)


def _going_on(backfill: Backfill, now: float) -> dict[str, Any]:
    """What changes of one that goes on: it has rested since it was paused, or had FAILED."""
    since = backfill.ended or backfill.paused_at or now
    return {"paused": False, "paused_at": None, "rested": backfill.rested + max(0.0, now - since)}


def advanced(backfill: Backfill, step: BackfillAdvance, now: float) -> Backfill:
    """The backfill after what the daemon has decided. What somebody wanted meanwhile is not undone."""
    status = step.status or backfill.status
    if backfill.status is _S.CANCELING and status not in (_S.CANCELED, _S.FAILED):
        status = _S.CANCELING
    moved = {"status": status, "note": step.note, "failures": step.failures}
    after = msgspec.structs.replace(backfill, **moved)
    if after == backfill and not (step.runs or step.closed or step.settled or step.seen or step.repeated):
        return backfill
    ended = now if status in BACKFILL_ENDS else None
    return msgspec.structs.replace(after, updated=now, ended=ended)
