"""A run's events and all that its steps printed as one stream, in the order in which it came.

A page goes on from a cursor that names a place in each source, so nothing is lost or doubled however sources grow. Each
line of output is there once: what loggers wrote to stderr of what the event log has too is left out.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

import msgspec

from ..codec import decode_json, encode_json
from ..errors import UsageError
from ..records.event import StoredEvent
from ..storage.protocols import EventStorage
from .fold import fold, readable
from .marks import segments
from .store import STREAMS, LogKey, LogStore, Stream, file_key_of

__all__ = ["MergedPage", "OutputLine", "merged_page"]

_CHUNK = 1 << 16
_NEVER = float("inf")


class OutputLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line that a step printed; `time` is None where nobody knows when."""

    file_key: str
    stream: Stream
    text: str
    time: float | None


class MergedPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the stream; the next one goes on at `cursor`."""

    entries: tuple[StoredEvent | OutputLine, ...]
    cursor: str
    has_more: bool


class _Cursor(msgspec.Struct):
    event: int = 0
    offsets: dict[str, dict[Stream, int]] = {}


_Entry: TypeAlias = tuple[float, int, str, int, StoredEvent | OutputLine | None]
"""Time, 0 for output and 1 for an event, source, the place behind it, and what is shown; None: nothing."""


def merged_page(
    events: EventStorage,
    logs: LogStore,
    run_id: str,
    *,
    cursor: str | None = None,
    limit: int = 1000,
    step_keys: Sequence[str] | None = None,
    with_events: bool = True,
    streams: Sequence[Stream] = STREAMS,
    is_over: bool = False,
) -> MergedPage:
    """What comes after the cursor.

    Args:
        events: The event log.
        logs: Captured output.
        run_id: The run.
        cursor: That of the page before; from the beginning if None.
        limit: The most entries.
        step_keys: Only of these steps.
        with_events: Whether events are wanted.
        streams: Which output is wanted.
        is_over: Whether the run has ended: nobody will say any more when its last output came.

    Raises:
        UsageError: The cursor is none of these.
    """
    at = _read_cursor(cursor)
    files = None if step_keys is None else {file_key_of(key) for key in step_keys}
    found = events.of_run(run_id, after=at.event, limit=limit + 1, step_keys=step_keys) if with_events else []
    more = len(found) > limit
    # Output that came after the last of these events waits until those before it are read.
    horizon = found[limit - 1].event.time if more else _NEVER
    sources: list[Iterable[_Entry]] = [_events(found[:limit])]
    for key in logs.keys(run_id):
        if files is None or key[-1] in files:
            sources += _outputs(logs, key, at.offsets.get(key[-1], {}), streams, limit, horizon, is_over=is_over)
    merged = heapq.merge(*sources, key=lambda entry: entry[:2])
    shown: list[StoredEvent | OutputLine] = []
    for _, kind, source, place, what in merged:
        if len(shown) == limit:
            more = True
            break
        if kind:
            at.event = place
        else:
            file_key, _, stream = source.rpartition("/")
            at.offsets.setdefault(file_key, {})["stdout" if stream == "stdout" else "stderr"] = place
        if what is not None:
            shown.append(what)
    return MergedPage(entries=tuple(shown), cursor=encode_json(at).decode(), has_more=more)


def _read_cursor(cursor: str | None) -> _Cursor:
    if cursor is None:
        return _Cursor()
    try:
        return decode_json(cursor.encode(), _Cursor)
    except msgspec.DecodeError as error:
        raise UsageError(f"{cursor[:100]!r} is no cursor; give the one that the page before came with.") from error


def _events(found: Sequence[StoredEvent]) -> Iterator[_Entry]:
    latest = 0.0
    for stored in found:
        latest = max(latest, stored.event.time)  # in the order in which they were stored, which is what a cursor knows
        yield latest, 1, "", stored.id, stored


def _outputs(
    logs: LogStore,
    key: LogKey,
    offsets: dict[Stream, int],
    streams: Sequence[Stream],
    limit: int,
    horizon: float,
    *,
    is_over: bool,
) -> Iterator[Iterable[_Entry]]:
    """The lines of each stream that has more than was read."""
    marks = None
    for stream in streams:
        offset, size = offsets.get(stream, 0), logs.size(key, stream)
        if size > offset:
            marks = logs.marks(key) if marks is None else marks
            known = list(segments(marks, stream, offset, size))
            settled = marks.complete or is_over
            lines = _Lines(logs, key, stream, offset, size, [each.end for each in known], settled=settled)
            yield islice(_timed(lines, [(each.time, each.told) for each in known], horizon, settled), limit + 1)


def _timed(
    lines: _Lines, known: Sequence[tuple[float | None, bool]], horizon: float, settled: bool
) -> Iterator[_Entry]:
    """Lines with their times, up to the first that is not to be shown yet."""
    source = f"{lines.key[-1]}/{lines.stream}"
    for end, segment, text in lines:
        time, told = known[min(segment, len(known) - 1)]
        if (time is None and not settled) or (time is not None and time > horizon):
            return
        line = OutputLine(file_key=lines.key[-1], stream=lines.stream, text=text, time=time)
        yield _NEVER if time is None else time, 0, source, end, None if told else line


class _Lines:
    """The lines of a stream from an offset on: the offset behind each, the segment that its end is in, and its text."""

    def __init__(
        self, logs: LogStore, key: LogKey, stream: Stream, offset: int, size: int, ends: Sequence[int], *, settled: bool
    ) -> None:
        self.key = key
        self.stream = stream
        self._logs = logs
        self._offset = offset
        self._size = size
        self._ends = ends
        self._settled = settled

    def __iter__(self) -> Iterator[tuple[int, int, str]]:
        held, begin, at = b"", self._offset, self._offset
        while at < self._size:
            data, after = self._logs.read(self.key, self.stream, offset=at, limit=min(_CHUNK, self._size - at))
            if not data:
                break
            if after - at != len(data):  # words for what is left out
                if held:
                    yield self._line(at, held)
                yield self._line(after, data.strip())
                held, begin, at = b"", after, after
                continue
            at = after
            *whole, held = (held + data).split(b"\n")
            for line in whole:
                begin += len(line) + 1
                yield self._line(begin, line)
            if len(held) >= _CHUNK:  # a line of any length is shown, in parts
                begin = at
                yield self._line(at, held)
                held = b""
        if held and self._settled:
            yield self._line(at, held)

    def _line(self, end: int, data: bytes) -> tuple[int, int, str]:
        text, _ = readable(data, last=True)
        return end, bisect_right(self._ends, end - 1), fold(text.rstrip("\r")).removeprefix("\r")
