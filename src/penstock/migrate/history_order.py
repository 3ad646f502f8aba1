"""What happened in all logs of a history, in the order of time."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["in_order"]

T = TypeVar("T")

Timed = tuple[float, T]


def in_order(logs: Iterable[Timed[Callable[[], Iterable[Timed[T]]]]]) -> Iterator[T]:
    """Merge logs, each given as (when it begins, what opens it), which gives (time, thing) in the log's order.

    The things of one log keep their order also where their times do not. A log is opened when the others have come to
    the time at which it begins, so that only those that overlap are in memory.
    """
    waiting: deque[Timed[Callable[[], Iterable[Timed[T]]]]] = deque(sorted(logs, key=lambda each: each[0]))
    heads: list[tuple[float, int, T, Iterator[Timed[T]]]] = []
    places = itertools.count()

    def follow(log: Iterator[Timed[T]], not_before: float) -> None:
        for time, thing in itertools.islice(log, 1):
            heapq.heappush(heads, (max(time, not_before), next(places), thing, log))

    while heads or waiting:
        while waiting and (not heads or waiting[0][0] <= heads[0][0]):
            begins, open_log = waiting.popleft()
            follow(iter(open_log()), begins)
        if heads:
            time, _, thing, log = heapq.heappop(heads)
            yield thing
            follow(log, time)
