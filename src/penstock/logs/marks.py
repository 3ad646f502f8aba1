"""What is known of a capture beside its bytes: when they came, which of them the event log has too, whether it ended.

Kept as lines of text that are only ever appended, by the process that prints and by whoever follows it from outside; a
line that was cut off while it was written counts for nothing. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from .gaps import Gap
from .store import STREAMS, Stream

__all__ = [
    "Marks",
    "Point",
    "Segment",
    "ended",
    "gap_line",
    "gaps_of",
    "marks_of",
    "point_line",
    "segments",
    "told_line",
]


class Point(NamedTuple):
    """At `time` (seconds since the epoch) so many bytes were there, and not more before it than they say."""

    time: float
    stdout: int
    stderr: int


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of one capture."""

    points: Sequence[Point] = ()
    told: dict[Stream, list[Gap]] = {}  # ranges that loggers wrote of what the event log has
    complete: bool = False


class Segment(NamedTuple):
    """Bytes that came until `time`, and after the segment before; None: nobody has looked at the clock since."""

    start: int
    end: int
    time: float | None
    told: bool


def point_line(kind: str, time: float, sizes: tuple[int, int]) -> bytes:
    """The line of a point; `kind` is `begin` or `end` where a capture does so, else `at`."""
    return f"{kind} {time!r} {sizes[0]} {sizes[1]}\n".encode()  # in full: a rounded time may overtake an event


def told_line(stream: Stream, start: int, end: int) -> bytes:
    """The line of a range that the event log has too."""
    return f"told {stream} {start} {end}\n".encode()


def gap_line(stream: Stream, gap: Gap) -> bytes:
    """The line of a gap; it stands in a file of its own, which is there only where something is left out."""
    return f"{stream} {gap.start} {gap.end}\n".encode()


def _lines(data: bytes) -> Iterator[list[str]]:
    whole = data[: data.rfind(b"\n") + 1]
    for line in whole.decode("ascii", "replace").splitlines():
        yield line.split(" ")


def marks_of(data: bytes) -> Marks:
    """What the lines say; a line that nobody knows is skipped, since a later version may have written it."""
    points: list[Point] = []
    told: dict[Stream, list[Gap]] = {stream: [] for stream in STREAMS}
    complete = False
    for line in _lines(data):
        match line:
            case [("at" | "begin" | "end") as kind, time, out, err]:
                points.append(Point(float(time), int(out), int(err)))
                complete = complete if kind == "at" else kind == "end"
            case ["told", ("stdout" | "stderr") as stream, start, end]:
                told[stream].append(Gap(int(start), int(end)))
    return Marks(points=sorted(points), told=told, complete=complete)


def ended(tail: bytes) -> bool:
    """Whether a capture has ended, by the last of its lines."""
    kinds = [line[0] for line in _lines(tail) if line[0] in ("begin", "end")]
    return bool(kinds) and kinds[-1] == "end"


def gaps_of(data: bytes) -> dict[Stream, Gap]:
    """The gaps that the lines name; of each stream the last one counts."""
    gaps: dict[Stream, Gap] = {}
    for line in _lines(data):
        match line:
            case [("stdout" | "stderr") as stream, start, end]:
                gaps[stream] = Gap(int(start), int(end))
    return gaps


def segments(marks: Marks, stream: Stream, start: int, end: int) -> Iterator[Segment]:
    """The bytes from `start` up to `end`, cut wherever their time changes, or whether loggers wrote them."""
    told = sorted(marks.told.get(stream, ()))
    at, next_told = start, 0
    for until, time in _cuts(marks.points, stream, end):
        while at < until:
            while next_told < len(told) and told[next_told].end <= at:
                next_told += 1
            ahead = told[next_told] if next_told < len(told) else Gap(until, until)
            inside = ahead.start <= at
            to = min(until, ahead.end if inside else ahead.start)
            yield Segment(at, to, time, inside)
            at = to


def _cuts(points: Iterable[Point], stream: Stream, end: int) -> Iterator[tuple[int, float | None]]:
    """(offset, time): the bytes up to it came until then; offsets rise, whoever wrote the points."""
    reached = 0
    for point in points:
        offset = min(point.stdout if stream == "stdout" else point.stderr, end)
        if offset > reached:
            reached = offset
            yield offset, point.time
    if reached < end:
        yield end, None
