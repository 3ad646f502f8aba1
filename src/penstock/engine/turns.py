"""In what order runs that wait are considered: by priority, then by fair share, then by age."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

from ..records.run import Run

__all__ = ["in_turn"]


def in_turn(
    queued: Sequence[Run], shares: Sequence[str], places: Mapping[str, int], served: Mapping[str, float]
) -> Iterator[tuple[Run, str]]:
    """Give each queued run in its turn, with its share.

    Of the highest priority, the turn is that of the share with the fewest places; among equals, of the one that has
    waited longest since it was last given a place, or since its next run came. As no later comer goes before it, every
    share has its turn at last, even if there is one place only. Within a share runs keep the order that they have.
    O(n log n).

    Args:
        queued: Highest priority first, then oldest.
        shares: To each of them the share that it belongs to.
        places: How many places each share has. Whoever gives the run that came last a place raises the number of its
            share before asking for the next one; no other number may change.
        served: When a share was last given a place, in seconds since the epoch, as far as that is known.
    """
    lines: dict[str, list[int]] = {}
    for position in reversed(range(len(queued))):
        lines.setdefault(shares[position], []).append(position)

    def turn_of(share: str, last_turn: int) -> tuple[int, int, int, float, int, str]:
        head = lines[share][-1]
        run = queued[head]
        came = run.created if run.queued is None else run.queued
        return -run.priority, places.get(share, 0), last_turn, max(came, served.get(share, came)), head, share

    heads = [turn_of(share, 0) for share in lines]
    heapify(heads)
    turn = 0
    while heads:
        _, had, last_turn, _, position, share = heappop(heads)
        yield queued[position], share
        if places.get(share, 0) > had:
            last_turn = turn = turn + 1
        lines[share].pop()
        if lines[share]:
            heappush(heads, turn_of(share, last_turn))
