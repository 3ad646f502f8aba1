"""Compares the counts of each backfill with its parts, and its parts with their runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...records.backfill import BackfillPart, GroupCounts, PartStatus
from ...storage.protocols import BackfillFilter, RunFilter, Storage
from .difference import Difference, differing

__all__ = ["verify_backfills"]

_PAGE = 50
_RUNS = 500
_COUNTS = ("runs", "open", "done", "failed", "canceled", "skipped", "made")
_FIELD_OF = {PartStatus.OPEN: "open", PartStatus.ENDED: "open"}


def verify_backfills(storage: Storage) -> Iterator[Difference]:
    """Every difference of every backfill, newest first."""
    before: str | None = None
    while page := storage.backfills.page(BackfillFilter(), limit=_PAGE, before=before):
        before = page[-1].backfill_id
        for backfill in page:
            yield from _verify(storage, backfill.backfill_id)


def _verify(storage: Storage, backfill_id: str) -> Iterator[Difference]:
    while True:
        parts = storage.backfills.parts(backfill_id)
        stored = storage.backfills.counts([backfill_id]).get(backfill_id, [])
        if storage.backfills.parts(backfill_id) == parts:
            break  # nothing has changed between the two
    derived = _counted(parts)
    found = {each.group: each for each in stored}
    for group in sorted(found.keys() | derived.keys()):
        where = f"{backfill_id} group {group}"
        none = GroupCounts(group=group)
        yield from differing("backfill", where, found.get(group, none), derived.get(group, none), _COUNTS)
    with_runs = [part for part in parts if part.run_id is not None]
    for first in range(0, len(with_runs), _RUNS):
        yield from _verify_runs(storage, backfill_id, with_runs[first : first + _RUNS])


def _counted(parts: Sequence[BackfillPart]) -> dict[int, GroupCounts]:
    numbers: dict[int, dict[str, int]] = {}
    made: dict[int, dict[PartStatus, dict[str, int]]] = {}
    for part in parts:
        counts = numbers.setdefault(part.group, {})
        field = _FIELD_OF.get(part.status, part.status.lower())
        counts[field] = counts.get(field, 0) + part.size
        counts["runs"] = counts.get("runs", 0) + (part.run_id is not None)
        for asset, positions in part.made.items():
            by_asset = made.setdefault(part.group, {}).setdefault(part.status, {})
            by_asset[asset] = by_asset.get(asset, 0) + len(positions)
    return {group: GroupCounts(group=group, made=made.get(group, {}), **counts) for group, counts in numbers.items()}


def _verify_runs(storage: Storage, backfill_id: str, parts: Sequence[BackfillPart]) -> Iterator[Difference]:
    """A part is open as long as its run is; a run that was deleted since says nothing."""
    run_ids = tuple(part.run_id for part in parts if part.run_id is not None)
    runs = {run.run_id: run for run in storage.runs.page(RunFilter(run_ids=run_ids), limit=len(run_ids))}
    for part in parts:
        run = runs.get(part.run_id or "")
        if run is None:
            continue
        where = f"{backfill_id} group {part.group} position {part.first}"
        if run.is_finished and part.status is PartStatus.OPEN and _is_still(storage, backfill_id, part):
            yield Difference(kind="backfill", where=where, what=f"it is OPEN, and its run {run.run_id} is {run.status}")
        elif not run.is_finished and part.status is not PartStatus.OPEN:
            yield Difference(
                kind="backfill", where=where, what=f"it is {part.status}, and its run {run.run_id} is {run.status}"
            )


def _is_still(storage: Storage, backfill_id: str, part: BackfillPart) -> bool:
    """Whether the part is as it was: it may have been read before its run had ended."""
    return part in storage.backfills.parts(backfill_id, open_only=True)
