"""The lines of all logs of an old history in the order of time, reading a few of each log at once."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from ..codec import decode_json
from .history_tables import EVENTS_AT_ONCE, HistorySource

__all__ = ["Line", "lines_in_order"]


class Line(NamedTuple):
    """A line of the log of a run ('': of no run). Without a text it is the log's end."""

    run_id: str
    number: int
    text: str | None
    time: float


class _Time(msgspec.Struct, frozen=True):
    timestamp: float = 0.0


def lines_in_order(source: HistorySource, runs: Iterable[tuple[float, str]]) -> Iterator[Line]:
    """Merge the logs of these runs, given as (when made, id), and of what no run told.

    The lines of one log keep their order; a log is opened when the others have come to the time its run was made at.
    """
    waiting = deque(sorted(runs))
    heads: list[tuple[float, int, Line, Iterator[Line]]] = []
    places = iter(range(1 << 62))

    def follow(log: Iterator[Line]) -> None:
        line = next(log, None)
        if line is not None:
            heapq.heappush(heads, (line.time, next(places), line, log))

    follow(_log(source, "", 0.0))
    while heads or waiting:
        while waiting and (not heads or waiting[0][0] <= heads[0][0]):
            made, run_id = waiting.popleft()
            follow(_log(source, run_id, made))
        if heads:
            _, _, line, log = heapq.heappop(heads)
            yield line
            follow(log)


def _log(source: HistorySource, run_id: str, time: float) -> Iterator[Line]:
    after = 0
    while found := source.events(run_id, after):
        for number, text in found:
            time = max(time, _time_of(text))
            yield Line(run_id, number, text, time)
        after = found[-1][0]
        if len(found) < EVENTS_AT_ONCE:
            break
    if run_id:
        yield Line(run_id, after, None, time)


def _time_of(text: str) -> float:
    try:
        return decode_json(text, _Time).timestamp
    except msgspec.MsgspecError:
        return 0.0  # whoever reads the line says that it is broken
