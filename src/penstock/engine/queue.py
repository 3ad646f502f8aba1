"""Which queued runs may start now, and what each of the others waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import msgspec

from ..records.run import Run
from .limits import TagLimit, slots_of
from .pools import PoolRoom

__all__ = ["QueueDecision", "QueueLimits", "TagLimit", "decide"]


class QueueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs may be active at once: in all (-1: any number), and by tag."""

    max_concurrent_runs: int = 10
    tag_limits: tuple[TagLimit, ...] = ()

    def is_reached(self, active: int) -> bool:
        """Whether so many active runs leave no place for another."""
        return 0 <= self.max_concurrent_runs <= active


class QueueDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The runs to start, in order; and for each other run the one rule that it waits for, and its place, in words."""

    start: tuple[str, ...]
    waiting: dict[str, str]


def decide(
    queued: Sequence[Run],
    active: Sequence[Run],
    limits: QueueLimits,
    *,
    unready: Collection[str] = (),
    room: PoolRoom | None = None,
) -> QueueDecision:
    """Decide in the order of `queued` (highest priority first, then oldest).

    Args:
        queued: Runs that wait, in order.
        active: Runs that hold a place now.
        limits: The limits in force.
        unready: Names of code locations that cannot take a run at the moment.
        room: How much room concurrency pools have beside the active runs; None where no pool matters.
    """
    taken = len(active)
    held = Counter(slot for run in active for slot in slots_of(run.tags, limits.tag_limits))
    start: list[str] = []
    waiting: dict[str, str] = {}

    def wait_for(run: Run, rule: str) -> None:
        waiting[run.run_id] = f"Waits for {rule}. Place {len(waiting) + 1} in the queue."

    for run in queued:
        slots = slots_of(run.tags, limits.tag_limits)
        full = next((slot for slot in slots if held[slot] >= slot[0].limit), None)
        if run.location in unready:
            wait_for(run, f"the code location {run.location}, which is not loaded")
        elif limits.is_reached(taken):
            wait_for(run, f"a free place: {taken} of {limits.max_concurrent_runs} runs are active")
        elif full is not None:
            limit, value = full
            named = limit.key if value is None else f"{limit.key}={value}"
            wait_for(run, f"the limit on the tag {named}: {held[full]} of {limit.limit} are active")
        elif room is not None and (pool := room.blocks(run)) is not None:
            wait_for(run, pool)
        else:
            if room is not None:
                room.take(run)
            start.append(run.run_id)
            taken += 1
            held.update(slots)
    return QueueDecision(start=tuple(start), waiting=waiting)
