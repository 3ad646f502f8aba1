"""Takes an archive into an instance: first it is read through and compared with what is there, then it is stored.

What is there stays as it is. Taking in the same archive twice, or once more after it was broken off, comes to the same.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from ...codec import encode_msgpack
from ...errors import ArchiveError
from ...records.one_off import OneOff
from ...storage.archive import Archive, LoggedEvent
from ...storage.protocols import Storage
from .export import MOST_WAITING, archive_of
from .lines import (
    ActLine,
    BackfillRow,
    EndLine,
    EventLine,
    HeaderLine,
    InstigatorLine,
    Line,
    OneOffLine,
    PartitionsLine,
    PoolLine,
    RunLine,
    TickLine,
    UsedKeyLine,
    act_of,
    backfill_of,
    event_of,
    read_line,
    run_of,
    tick_of,
)

__all__ = ["TakenIn", "take_in"]

_BATCH = 1000
_SILENT_SECONDS = 60.0


class TakenIn(msgspec.Struct, frozen=True, kw_only=True):
    """How many lines of each kind the archive has, and how many of them were new here."""

    lines: dict[str, int]
    new: dict[str, int]


def take_in(
    storage: Storage, path: Path, *, now: float, told: Callable[[int, int], None] = lambda _done, _all: None
) -> TakenIn:
    """Store what an archive holds.

    Args:
        storage: The storage, in which nobody else may write events meanwhile.
        path: The archive.
        now: The time, in seconds since the epoch.
        told: Told now and then how many lines of how many are done.

    Raises:
        ArchiveError: The file is no archive, or not whole, or of a newer version; its events have the ids of others
            here; or a daemon works on the instance. Nothing was stored then.
    """
    archive = archive_of(storage)
    _refuse_at_work(storage, now)
    counts = _read_through(path, storage, archive)
    total = sum(counts.values())
    new: Counter[str] = Counter()
    done = 0
    for kind, lines in itertools.groupby(_lines(path), key=type):
        if kind in (HeaderLine, EndLine):
            continue
        for batch in _batches(lines):
            new[_tag(batch[0])] += _store(storage, archive, batch, now)
            done += len(batch)
            told(done, total)
    return TakenIn(lines=counts, new={kind: new[kind] for kind in counts})


def _refuse_at_work(storage: Storage, now: float) -> None:
    for process in storage.leases.processes(seen_after=now - _SILENT_SECONDS):
        if process.kind == "daemon":
            raise ArchiveError(
                f"A daemon works on this instance (pid {process.pid} on {process.host}); stop it, import, and start it "
                "again."
            )


def _lines(path: Path) -> Iterator[Line]:
    try:
        with gzip.open(path, "rb") as file:
            for number, text in enumerate(file, 1):
                yield read_line(text, number)
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveError(
            f"{path} is no archive of Penstock, or is damaged ({error}); name one that penstock instance export made."
        ) from error
    except EOFError as error:
        raise ArchiveError(f"{path} is not whole: its end is missing. Copy or export it once more.") from error
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}. Name another file.") from error


def _read_through(path: Path, storage: Storage, archive: Archive) -> dict[str, int]:
    """Decode every line, and compare the events with those that are here; gives how many lines of each kind there are.

    Raises:
        ArchiveError: See `take_in`.
    """
    last = storage.events.last_id()
    counts: Counter[str] = Counter()
    end: EndLine | None = None
    here = _Here(archive)
    for line in _lines(path):
        if isinstance(line, EndLine):
            end = line
        elif not isinstance(line, HeaderLine):
            counts[_tag(line)] += 1
        match line:
            case RunLine():
                run_of(line)
            case TickLine():
                tick_of(line)
            case BackfillRow():
                backfill_of(line)
            case ActLine():
                act_of(line)
            case EventLine():
                event = event_of(line)
                if event.id <= last:
                    here.require_same(event)
    if end is None:
        raise ArchiveError(f"{path} is not whole: its end is missing. Copy or export it once more.")
    if end.lines != dict(counts):
        raise ArchiveError(f"{path} is damaged: it has {dict(counts)} lines, and should have {end.lines}.")
    return end.lines


class _Here:
    """The events that are stored, read along with those of an archive."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._page: list[LoggedEvent] = []
        self._place = 0

    def require_same(self, event: LoggedEvent) -> None:
        """Go on to the event of that id, which must be that of the archive.

        Raises:
            ArchiveError: There is another one, or none.
        """
        while True:
            while self._place < len(self._page) and self._page[self._place].id < event.id:
                self._place += 1
            if self._place < len(self._page):
                break
            self._page, self._place = self._archive.log(after=event.id - 1, limit=_BATCH), 0
            if not self._page:
                break
        stored = self._page[self._place] if self._place < len(self._page) else None
        if stored is None or stored.id != event.id:
            raise ArchiveError(
                f"The archive's event {event.id} is older than the newest one here, and is not here: this instance has "
                "a history of its own, or took in another part of that one. Import into a fresh instance."
            )
        if (stored.run_id, encode_msgpack(stored.event)) != (event.run_id, encode_msgpack(event.event)):
            raise ArchiveError(
                f"The event {event.id} of the archive is another one here: this instance has a history of its own. "
                "Import into a fresh instance."
            )


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    while batch := list(itertools.islice(lines, _BATCH)):
        yield batch


def _plan(storage: Storage, one_offs: Sequence[OneOff], now: float) -> int:
    """Let one-off runs wait here too, but for those that do."""
    waiting = [_as_asked(each) for each in storage.one_offs.waiting(limit=MOST_WAITING)]
    fresh = [each for each in one_offs if _as_asked(each) not in waiting]
    for one_off in fresh:
        storage.one_offs.plan(one_off, now=now)
    return len(fresh)


def _as_asked(one_off: OneOff) -> OneOff:
    return msgspec.structs.replace(one_off, id=0, created=0.0)


def _store(storage: Storage, archive: Archive, batch: Sequence[Line], now: float) -> int:
    """Store lines, all of one kind; gives how many were new."""
    match batch[0]:
        case RunLine():
            return archive.load_runs([run_of(each) for each in batch if isinstance(each, RunLine)])
        case EventLine():
            return _store_events(storage, archive, [event_of(each) for each in batch if isinstance(each, EventLine)])
        case TickLine():
            return archive.load_ticks([tick_of(each) for each in batch if isinstance(each, TickLine)])
        case BackfillRow():
            rows = [each for each in batch if isinstance(each, BackfillRow)]
            return sum(storage.backfills.load(backfill_of(each)) for each in rows)
        case ActLine():
            return archive.load_acts([act_of(each) for each in batch if isinstance(each, ActLine)])
        case InstigatorLine():
            return archive.load_instigators([each.state for each in batch if isinstance(each, InstigatorLine)], ())
        case OneOffLine():
            return _plan(storage, [each.one_off for each in batch if isinstance(each, OneOffLine)], now)
        case UsedKeyLine():
            return archive.load_instigators((), [each.key for each in batch if isinstance(each, UsedKeyLine)])
        case PoolLine():
            there = storage.slots.limits()
            fresh = [each for each in batch if isinstance(each, PoolLine) and each.pool not in there]
            for pool in fresh:
                storage.slots.set_limit(pool.pool, pool.slots)
            return len(fresh)
        case _:
            sets = [each for each in batch if isinstance(each, PartitionsLine)]
            return sum(bool(storage.assets.add_dynamic_partitions(each.name, each.keys)) for each in sets)


def _store_events(storage: Storage, archive: Archive, events: Sequence[LoggedEvent]) -> int:
    last = storage.events.last_id()
    fresh = sum(event.id > last for event in events)
    new = archive.load_events(events)
    if new != fresh:
        raise ArchiveError(
            f"Somebody else wrote events meanwhile, at the event {events[0].id} of the archive: stop all services of "
            "this instance, and import into a fresh one."
        )
    return new


def _tag(line: Line) -> str:
    return str(line.__struct_config__.tag)
