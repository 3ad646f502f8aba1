"""Which queued runs may start now, and what each of the others waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from ..records.run import Run, Tag
from .limits import Slot, TagLimit, limit_for, slots_of
from .pools import PoolRoom
from .turns import in_turn

__all__ = ["QueueDecision", "QueueLimits", "TagLimit", "decide"]


class QueueLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs may be active at once, and whose turn it is.

    Args:
        max_concurrent_runs: In all; -1 for any number.
        tag_limits: With a tag.
        job_limits: Of a job, by its name; `*` for each that is not named. Jobs of two locations are two jobs.
        location_limits: Of a code location, likewise.
        fair_share: Whether runs of equal priority take turns by their shares (`Run.share`), or go by age alone.
    """

    max_concurrent_runs: int = 10
    tag_limits: tuple[TagLimit, ...] = ()
    job_limits: Mapping[str, int] = msgspec.field(default_factory=dict)
    location_limits: Mapping[str, int] = msgspec.field(default_factory=dict)
    fair_share: bool = True

    def is_reached(self, active: int) -> bool:
        """Whether so many active runs leave no place for another."""
        return 0 <= self.max_concurrent_runs <= active


class QueueDecision(msgspec.Struct, frozen=True, kw_only=True):
    """The runs to start, in order; and for each other run the one rule that it waits for, and its place, in words."""

    start: tuple[str, ...]
    waiting: dict[str, str]


class _NameLimit(NamedTuple):
    """A limit of a location, or of a job of one."""

    kind: Literal["location", "job"]
    location: str
    name: str
    limit: int


class _Held:
    """How many active runs count under each limit, but for that on all of them."""

    def __init__(self, limits: QueueLimits, active: Iterable[Run]) -> None:
        self._limits = limits
        self._known: dict[tuple[str, str], tuple[_NameLimit, ...]] = {}
        self._by_name: Counter[_NameLimit] = Counter()
        self._by_tag: Counter[Slot] = Counter()
        for run in active:
            self.take(run)

    def take(self, run: Run) -> None:
        """Count a run that is started."""
        self._by_name.update(self._names_of(run))
        self._by_tag.update(slots_of(run.tags, self._limits.tag_limits))

    def blocks(self, run: Run) -> str | None:
        """The limit that leaves no place for the run, in words; None if there is none."""
        for name in self._names_of(run):
            if (number := self._by_name.get(name, 0)) >= name.limit:
                return f"the limit of the {name.kind} {name.name}: {number} of {name.limit} are active"
        for slot in slots_of(run.tags, self._limits.tag_limits):
            limit, value = slot
            if (number := self._by_tag.get(slot, 0)) >= limit.limit:
                named = limit.key if value is None else f"{limit.key}={value}"
                return f"the limit on the tag {named}: {number} of {limit.limit} are active"
        return None

    def _names_of(self, run: Run) -> tuple[_NameLimit, ...]:
        known = self._known.get((run.location, run.job))
        if known is None:
            known = self._known[run.location, run.job] = tuple(self._find_names(run))
        return known

    def _find_names(self, run: Run) -> Iterator[_NameLimit]:
        if (limit := limit_for(run.location, self._limits.location_limits)) is not None:
            yield _NameLimit("location", run.location, run.location, limit)
        if (limit := limit_for(run.job, self._limits.job_limits)) is not None:
            yield _NameLimit("job", run.location, run.job, limit)


def decide(
    queued: Sequence[Run],
    active: Sequence[Run],
    limits: QueueLimits,
    *,
    served: Mapping[str, float] | None = None,
    unready: Collection[str] = (),
    resting: Collection[str] = (),
    holds: Mapping[str, str] | None = None,
    room: PoolRoom | None = None,
) -> QueueDecision:
    """Decide for each run in its turn; one that has to wait for something of its own is passed by.

    Args:
        queued: Runs that wait, highest priority first, then oldest.
        active: Runs that hold a place now.
        limits: The limits in force.
        served: When a share was last given a place, as far as that is known.
        unready: Names of code locations that cannot take a run, for no code of theirs is loaded.
        resting: Names of those that did not take the last one, and are not asked for a while.
        holds: Ids of the backfills whose runs are to stay in the queue, with what they wait for.
        room: How much room concurrency pools have beside the active runs; None where no pool matters.
    """
    share_of = _own_share if limits.fair_share else _one_share
    taken = len(active)
    places = Counter(map(share_of, active))
    held = _Held(limits, active)
    start: list[str] = []
    waiting: dict[str, str] = {}

    def wait_for(run: Run, rule: str) -> None:
        waiting[run.run_id] = f"Waits for {rule}. Place {len(waiting) + 1} in the queue."

    shares = [share_of(run) for run in queued]
    for run, share in in_turn(queued, shares, places, served or {}):
        if holds and (hold := holds.get(run.tags.get(Tag.BACKFILL, ""))) is not None:
            wait_for(run, hold)
        elif run.location in unready:
            wait_for(run, f"the code location {run.location}, which is not loaded")
        elif run.location in resting:
            wait_for(run, f"the code location {run.location}, which does not take runs at the moment")
        elif limits.is_reached(taken):
            # In this order they will have the places that come free.
            places[share] += 1
            wait_for(run, f"a free place: {taken} of {limits.max_concurrent_runs} runs are active")
        elif (limit := held.blocks(run)) is not None:
            wait_for(run, limit)
        elif room is not None and (pool := room.blocks(run)) is not None:
            wait_for(run, pool)
        else:
            start.append(run.run_id)
            taken += 1
            places[share] += 1
            held.take(run)
            if room is not None:
                room.take(run)
    return QueueDecision(start=tuple(start), waiting=waiting)


def _own_share(run: Run) -> str:
    return run.share


def _one_share(_: Run) -> str:
    return ""
