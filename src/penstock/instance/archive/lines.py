"""The lines of an archive: what each one holds, as JSON text and back.

An archive is a text of JSON lines, compressed by gzip. The first line is the `Header`, the last one the `End`; between
them each line says by `kind` what it is. `docs/reference/archive.md` describes all of them.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from ...codec import decode_json, decode_msgpack, encode_json, encode_msgpack
from ...errors import ArchiveError
from ...records.act import Act
from ...records.automation import InstigatorState, Tick
from ...records.event import Event
from ...records.one_off import OneOff
from ...storage.archive import LoadedRun, LoggedEvent, UsedKey
from ...storage.protocols import StoredBackfill

__all__ = [
    "FORMAT",
    "VERSION",
    "ActLine",
    "BackfillRow",
    "EndLine",
    "EventLine",
    "HeaderLine",
    "InstigatorLine",
    "Line",
    "OneOffLine",
    "PartitionsLine",
    "PoolLine",
    "RunLine",
    "TickLine",
    "UsedKeyLine",
    "act_line",
    "act_of",
    "backfill_of",
    "backfill_row",
    "event_line",
    "event_of",
    "read_line",
    "run_line",
    "run_of",
    "tick_line",
    "tick_of",
]

T = TypeVar("T")

FORMAT = "penstock-archive"
"""What the header of every archive says that it is."""

VERSION = 1
"""The newest version of the format that is read, and the one that is written."""


class _Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="kind"):
    """What all lines share."""


class HeaderLine(_Line, frozen=True, kw_only=True, tag="header"):
    """What the file is, who made it and when, and what of the history it holds.

    Args:
        format: `FORMAT`.
        version: The version of the format.
        made: When it was made, in seconds since the epoch.
        by: The version of Penstock that made it.
        since: Only what began at that time or later; None for all.
        jobs: Only runs of these jobs; empty for all.
    """

    format: str
    version: int
    made: float
    by: str
    since: float | None = None
    jobs: tuple[str, ...] = ()


class PoolLine(_Line, frozen=True, kw_only=True, tag="pool"):
    """The limit of a concurrency pool."""

    pool: str
    slots: int


class PartitionsLine(_Line, frozen=True, kw_only=True, tag="partitions"):
    """Keys of a dynamic partition set, in order."""

    name: str
    keys: tuple[str, ...]


class InstigatorLine(_Line, frozen=True, kw_only=True, tag="instigator"):
    """A schedule or sensor: its switch and cursor."""

    state: InstigatorState


class OneOffLine(_Line, frozen=True, kw_only=True, tag="one_off"):
    """A one-off run that waits."""

    one_off: OneOff


class UsedKeyLine(_Line, frozen=True, kw_only=True, tag="used_key"):
    """A run key that was used."""

    key: UsedKey


class RunLine(_Line, frozen=True, kw_only=True, tag="run"):
    """A run that has ended: a `LoadedRun`."""

    run: msgspec.Raw
    exact: bytes | None = None


class EventLine(_Line, frozen=True, kw_only=True, tag="event"):
    """An event, of a run or of none: an `Event` with its place in the log."""

    id: int
    run_id: str | None = None
    attempt: int = 0
    kept: bool = False
    event: msgspec.Raw
    exact: bytes | None = None


class TickLine(_Line, frozen=True, kw_only=True, tag="tick"):
    """An evaluation of a schedule or sensor that has ended: a `Tick`."""

    tick: msgspec.Raw
    exact: bytes | None = None


class BackfillRow(_Line, frozen=True, kw_only=True, tag="backfill"):
    """A backfill that has ended: a `StoredBackfill`."""

    backfill: msgspec.Raw
    exact: bytes | None = None


class ActLine(_Line, frozen=True, kw_only=True, tag="act"):
    """What somebody did: an `Act`."""

    act: msgspec.Raw
    exact: bytes | None = None


class EndLine(_Line, frozen=True, kw_only=True, tag="end"):
    """How many lines of each kind there are: without this line the file is not whole."""

    lines: dict[str, int]


Line = (
    HeaderLine
    | PoolLine
    | PartitionsLine
    | InstigatorLine
    | OneOffLine
    | UsedKeyLine
    | RunLine
    | EventLine
    | TickLine
    | BackfillRow
    | ActLine
    | EndLine
)


class _Version(msgspec.Struct):
    """What of a header is the same in all versions."""

    kind: str = ""
    format: str = ""
    version: int = 0


_NO_ARCHIVE = "The file is no archive of Penstock; name one that penstock instance export made."


def read_line(text: bytes, number: int) -> Line:
    """The line of that number, from 1 on.

    Raises:
        ArchiveError: It is not a line of an archive, or one of a newer version.
    """
    try:
        if number == 1:
            head = decode_json(text, _Version)
            if head.kind != "header" or head.format != FORMAT:
                raise ArchiveError(_NO_ARCHIVE)
            if head.version > VERSION:
                raise ArchiveError(
                    f"The archive was made by a newer version of Penstock (format {head.version}, this one knows "
                    f"{VERSION}); upgrade this Penstock."
                )
        line: Line = decode_json(text, Line)  # type: ignore[arg-type]  # a union is a type to the library
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        if number == 1:
            raise ArchiveError(_NO_ARCHIVE) from error
        raise _damaged(f"Line {number}", error) from error
    return line


def run_line(run: LoadedRun) -> RunLine:
    """The line of a run."""
    text, exact = _packed(run)
    return RunLine(run=text, exact=exact)


def run_of(line: RunLine) -> LoadedRun:
    """The run of a line; raises `ArchiveError` for a damaged one."""
    return _unpacked(line.run, line.exact, LoadedRun)


def event_line(logged: LoggedEvent) -> EventLine:
    """The line of an event."""
    text, exact = _packed(logged.event)
    return EventLine(
        id=logged.id, run_id=logged.run_id, attempt=logged.attempt, kept=logged.kept, event=text, exact=exact
    )


def event_of(line: EventLine) -> LoggedEvent:
    """The event of a line; raises `ArchiveError` for a damaged one."""
    event = _unpacked(line.event, line.exact, Event)
    return LoggedEvent(id=line.id, run_id=line.run_id, attempt=line.attempt, kept=line.kept, event=event)


def tick_line(tick: Tick) -> TickLine:
    """The line of a tick; its id is the database's own affair."""
    text, exact = _packed(msgspec.structs.replace(tick, id=0))
    return TickLine(tick=text, exact=exact)


def tick_of(line: TickLine) -> Tick:
    """The tick of a line; raises `ArchiveError` for a damaged one."""
    return _unpacked(line.tick, line.exact, Tick)


def backfill_row(stored: StoredBackfill) -> BackfillRow:
    """The line of a backfill."""
    text, exact = _packed(stored)
    return BackfillRow(backfill=text, exact=exact)


def backfill_of(line: BackfillRow) -> StoredBackfill:
    """The backfill of a line; raises `ArchiveError` for a damaged one."""
    return _unpacked(line.backfill, line.exact, StoredBackfill)


def act_line(act: Act) -> ActLine:
    """The line of an act; its id is the database's own affair."""
    text, exact = _packed(msgspec.structs.replace(act, id=0))
    return ActLine(act=text, exact=exact)


def act_of(line: ActLine) -> Act:
    """The act of a line; raises `ArchiveError` for a damaged one."""
    return _unpacked(line.act, line.exact, Act)


def _packed(record: msgspec.Struct) -> tuple[msgspec.Raw, bytes | None]:
    """A record as JSON, and its MessagePack bytes where JSON does not hold what it holds: infinite numbers, bytes."""
    text, whole = encode_json(record), encode_msgpack(record)
    try:
        is_held = encode_msgpack(decode_json(text, type(record))) == whole
    except msgspec.ValidationError:  # a number that JSON writes as null
        is_held = False
    return msgspec.Raw(text), None if is_held else whole


def _unpacked(text: msgspec.Raw, exact: bytes | None, kind: type[T]) -> T:
    try:
        return decode_json(bytes(text), kind) if exact is None else decode_msgpack(exact, kind)
    except msgspec.MsgspecError as error:
        raise _damaged(f"The line {bytes(text[:60]).decode(errors='replace')!r}", error) from error


def _damaged(what: str, error: Exception) -> ArchiveError:
    return ArchiveError(f"{what} of the archive is damaged: {error}. Export it once more.")
