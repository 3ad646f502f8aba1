"""Writes an instance's history as an archive: what has ended, page by page, in the order in which it is taken in."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

import msgspec

from ...codec import encode_json
from ...errors import ArchiveError
from ...records.automation import TickStatus
from ...records.backfill import BACKFILL_ENDS
from ...records.run import FINISHED, RunStatus
from ...storage.archive import Archive, Archived, LoadedRun
from ...storage.protocols import BackfillFilter, RunFilter, Storage, StoredBackfill
from ...version import __version__
from .lines import (
    FORMAT,
    VERSION,
    EndLine,
    HeaderLine,
    InstigatorLine,
    Line,
    OneOffLine,
    PartitionsLine,
    PoolLine,
    UsedKeyLine,
    act_line,
    backfill_row,
    event_line,
    run_line,
    tick_line,
)

__all__ = ["MOST_WAITING", "Exported", "archive_of", "export"]

_PAGE = 1000
_BACKFILLS = 100

MOST_WAITING = 100_000
"""So many one-off runs that wait are taken along."""

_ENDED = BackfillFilter(statuses=tuple(sorted(BACKFILL_ENDS)))
_UNFINISHED = tuple(sorted(set(RunStatus) - FINISHED))


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines of each kind an archive has, and how many runs were left out because they have not ended."""

    lines: dict[str, int]
    unfinished: int


def export(
    storage: Storage,
    file: BinaryIO,
    *,
    now: float,
    since: float | None = None,
    jobs: Sequence[str] = (),
    told: Callable[[int], None] = lambda _count: None,
) -> Exported:
    """Write the history of a storage.

    Args:
        storage: The storage; it may be written to meanwhile.
        file: Where to write.
        now: The time, in seconds since the epoch.
        since: Only runs, ticks and facts that began at that time or later.
        jobs: Only runs of these jobs, and nothing of schedules, sensors, partitions, pools and acts.
        told: Told now and then how many lines have been written.

    Raises:
        ArchiveError: The storage is one that has no bulk way out.
    """
    unfinished = storage.runs.count(RunFilter(statuses=_UNFINISHED))
    counts: Counter[str] = Counter()
    header = HeaderLine(format=FORMAT, version=VERSION, made=now, by=__version__, since=since, jobs=tuple(jobs))
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=5, mtime=0) as packed:
        packed.write(encode_json(header) + b"\n")
        for number, line in enumerate(_lines(storage, archive_of(storage), since, frozenset(jobs)), 1):
            packed.write(encode_json(line) + b"\n")
            counts[line.__struct_config__.tag] += 1  # type: ignore[index]
            if not number % _PAGE:
                told(number)
        packed.write(encode_json(EndLine(lines=dict(sorted(counts.items())))) + b"\n")
    return Exported(lines=dict(counts), unfinished=unfinished)


def archive_of(storage: Storage) -> Archive:
    """The bulk way out of a storage and into it.

    Raises:
        ArchiveError: There is none.
    """
    if not isinstance(storage, Archived):
        raise ArchiveError(
            f"The storage {type(storage).__name__} has no bulk way out and in; give its class the property `archive`."
        )
    return storage.archive


def _lines(storage: Storage, archive: Archive, since: float | None, jobs: frozenset[str]) -> Iterator[Line]:
    if not jobs:
        yield from _settings(storage, archive)
    run_ids: set[str] = set()
    for run in _runs(storage, since, jobs):
        run_ids.add(run.run.run_id)
        yield run_line(run)
    after = 0
    while page := archive.log(after=after, limit=_PAGE):
        after = page[-1].id
        for each in page:
            is_of_run = each.run_id in run_ids
            is_of_none = (each.run_id is None or each.kept) and not jobs and each.event.time >= (since or 0.0)
            if is_of_run or is_of_none:
                yield event_line(each)
    if not jobs:
        after = 0
        while ticks := archive.ticks(after=after, limit=_PAGE):
            after = ticks[-1].id
            for tick in ticks:
                if tick.status is not TickStatus.STARTED and tick.started >= (since or 0.0):
                    yield tick_line(tick)
        yield from _backfills(storage, since or 0.0)
        after = 0
        while acts := archive.acts(after=after, limit=_PAGE):
            after = acts[-1].id
            yield from (act_line(act) for act in acts if act.time >= (since or 0.0))


def _backfills(storage: Storage, since: float) -> Iterator[Line]:
    before: str | None = None
    while page := storage.backfills.page(_ENDED, limit=_BACKFILLS, before=before):
        before = page[-1].backfill_id
        for backfill in page:
            plan = storage.backfills.plan(backfill.backfill_id)
            if plan is not None and backfill.created >= since:
                yield backfill_row(
                    StoredBackfill(
                        backfill=backfill,
                        plan=plan,
                        log=tuple(storage.backfills.log(backfill.backfill_id)),
                        parts=tuple(storage.backfills.parts(backfill.backfill_id)),
                    )
                )


def _settings(storage: Storage, archive: Archive) -> Iterator[Line]:
    for pool, slots in sorted(storage.slots.limits().items()):
        yield PoolLine(pool=pool, slots=slots)
    for name in archive.partition_sets():
        yield PartitionsLine(name=name, keys=tuple(storage.assets.dynamic_partitions(name)))
    for _, state in sorted(storage.instigators.states().items()):
        # When it is due is computed anew by whoever takes it in.
        yield InstigatorLine(state=msgspec.structs.replace(state, next_due=None, fingerprint=None))
    for one_off in storage.one_offs.waiting(limit=MOST_WAITING):
        # Its number, and when it was asked for there, are the affair of whoever takes it in.
        yield OneOffLine(one_off=msgspec.structs.replace(one_off, id=0, created=0.0))
    after = ("", "")
    while keys := archive.used_keys(after=after, limit=_PAGE):
        after = (keys[-1].instigator, keys[-1].run_key)
        for key in keys:
            yield UsedKeyLine(key=key)


def _runs(storage: Storage, since: float | None, jobs: frozenset[str]) -> Iterator[LoadedRun]:
    known: set[str] = set()
    before: str | None = None
    where = RunFilter(statuses=tuple(sorted(FINISHED)))
    while page := storage.runs.page(where, limit=_PAGE, before=before, ascending=True):
        before = page[-1].run_id
        for run in page:
            if run.created < (since or 0.0) or (jobs and run.job not in jobs):
                continue
            snapshot = None
            if run.snapshot is not None and run.snapshot not in known:
                known.add(run.snapshot)
                snapshot = storage.runs.snapshot(run.snapshot)
            yield LoadedRun(run=run, steps=tuple(storage.events.step_stats(run.run_id)), snapshot=snapshot)
