"""What a backfill does next: which partitions may have their runs now, which cannot be made any more, what waits.

A pure machine. It is told what became of each part (`take`), and says what to do (`next`). Every position that was
asked for waits at first; it gets a run when everything that it needs of what was asked for has been made, and is
skipped when something of that will not be made. Where a run may work on several partitions, the stretch that it would
cover goes as a whole, without what is skipped, when nothing of it has to wait any more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import NamedTuple

from ..errors import InternalError
from ..partitions.key_space import KeySpace
from ..partitions.mapping import (
    AllPartitionMapping,
    LastPartitionMapping,
    SpecificPartitionsPartitionMapping,
)
from ..partitions.mapping_multi import PartitionMappingRecord
from ..partitions.space import between, open_space, pieces
from ..partitions.spec import PartitionsSpec
from ..partitions.subset import Range, Subset
from ..records.backfill import BackfillGroup, BackfillNeed, BackfillPart, BackfillPlan, PartStatus

__all__ = ["BackfillMachine", "Steps", "Unit", "space_of"]

_WAITING, _OPEN, _DONE, _LOST = b"wodx"
_NOT_ASKED = ord(".")
_CONSTANT = (AllPartitionMapping, LastPartitionMapping, SpecificPartitionsPartitionMapping, type(None))
"""Rules by which every partition needs the same ones."""

_STATE_OF = {
    PartStatus.OPEN: _OPEN,
    PartStatus.ENDED: _OPEN,
    PartStatus.DONE: _DONE,
    PartStatus.FAILED: _LOST,
    PartStatus.CANCELED: _LOST,
    PartStatus.SKIPPED: _LOST,
}


class Unit(NamedTuple):
    """Partitions of a group: what one run works on, or what is given up at once.

    Of a set of several dimensions it is the box between the two positions.
    """

    group: int
    first: int
    last: int
    size: int


class Steps(NamedTuple):
    """What to do now: parts that get runs, and parts that cannot be made because of what is upstream of them."""

    runs: list[Unit]
    skipped: list[Unit]


def space_of(plan: BackfillPlan, group: BackfillGroup) -> KeySpace | None:
    """The partition set of a group as it was when the backfill was asked for; None where it has none."""
    if group.partitions is None:
        return None
    return open_space(group.partitions, lambda name: plan.dynamic_keys[name], plan.now)


def _with_spaces(plan: BackfillPlan) -> Iterator[tuple[BackfillGroup, KeySpace | None]]:
    spaces: dict[PartitionsSpec | None, KeySpace | None] = {}
    for group in plan.groups:
        if group.partitions not in spaces:
            spaces[group.partitions] = space_of(plan, group)
        yield group, spaces[group.partitions]


class BackfillMachine:
    """Where each position of a backfill stands.

    Args:
        plan: What is to be made.
    """

    def __init__(self, plan: BackfillPlan) -> None:
        self._groups = [_Group(group, index, space) for index, (group, space) in enumerate(_with_spaces(plan))]
        self._open: set[tuple[int, int]] = set()
        self._into: list[list[_Edge]] = [[] for _ in self._groups]
        self._out_of: list[list[_Edge]] = [[] for _ in self._groups]
        for group in self._groups:
            for need in group.plan.needs:
                edge = _Edge(need, self._groups[need.group], group, plan.now)
                self._into[group.index].append(edge)
                self._out_of[need.group].append(edge)

    @property
    def is_over(self) -> bool:
        """Whether every position has its outcome."""
        return not any(group.count(_WAITING) or group.count(_OPEN) for group in self._groups)

    @property
    def has_lost(self) -> bool:
        """Whether any position was not made."""
        return any(group.count(_LOST) for group in self._groups)

    @property
    def open_runs(self) -> int:
        """How many parts have a run whose outcome is not decided."""
        return len(self._open)

    def space(self, group: int) -> KeySpace | None:
        """The partition set of a group."""
        return self._groups[group].space

    def waiting(self) -> list[Unit]:
        """What has had no run yet."""
        return [unit for group in self._groups for unit in group.units(group.where(_WAITING, group.asked), None)]

    def take(self, parts: Iterable[BackfillPart]) -> None:
        """Take in what became of parts. The same may be told again; what is decided does not change.

        Raises:
            InternalError: A part was not asked for, or its outcome was another one.
        """
        changed: dict[int, list[Range]] = {}
        for part in parts:
            group = self._groups[part.group]
            state = _STATE_OF[part.status]
            if state == _OPEN:
                self._open.add((part.group, part.first))
            else:
                self._open.discard((part.group, part.first))
            for asset, made in part.made.items():
                group.made[asset] = group.made.get(asset, Subset()).union(made)
            moved = group.put(group.positions(part.first, part.last), state)
            if state != _OPEN:
                changed.setdefault(part.group, []).extend(moved.ranges)
        for index, ranges in changed.items():
            self._tell(self._groups[index], Subset.of_ranges(ranges))

    def next(self, most: int) -> Steps:
        """What to do now; what it says is taken to be done, so that it is said once.

        Args:
            most: How many runs may be made now.
        """
        runs: list[Unit] = []
        skipped: list[Unit] = []
        for group in self._groups:
            candidates, group.candidates = group.candidates, []
            asked = Subset.of_ranges(span for each in candidates for span in each.ranges)
            while asked:
                lost, ready, asked = self._look_at(group, asked, runs, most)
                skipped.extend(group.units(lost, None))
                for unit in ready:
                    group.put(group.positions(unit.first, unit.last), _OPEN)
                    self._open.add((unit.group, unit.first))
                runs += ready
                if lost:
                    group.put(lost, _LOST)
                    self._tell(group, lost)
                    # Of a group that needs itself, more may be lost by that.
                    again, group.candidates = group.candidates, []
                    asked = Subset.of_ranges(span for each in (asked, *again) for span in each.ranges)
                elif asked:
                    group.candidates.append(asked)
                    break
        return Steps(runs, skipped)

    def validate(self) -> None:
        """Check what must hold at any time; for tests.

        Raises:
            InternalError: It does not.
        """
        for group in self._groups:
            if sum(group.count(state) for state in b"wodx") != len(group.asked):
                raise InternalError(f"Group {group.index} has lost positions: {group.states!r}.")
            for edge in self._into[group.index]:
                needed = edge.needed(group.where(_DONE, group.asked).union(group.where(_OPEN, group.asked)))
                if edge.up is not group and edge.missing(needed):
                    raise InternalError(
                        f"Group {group.index} was begun before group {edge.up.index} had what it needs."
                    )

    def _look_at(self, group: _Group, asked: Subset, runs: list[Unit], most: int) -> tuple[Subset, list[Unit], Subset]:
        """Of candidates: those that are lost, those that may go now, and those that could but for `most`."""
        candidates = group.where(_WAITING, asked)
        lost = ready = Subset()
        room = most - len(runs)
        if group.plan.at_most == 1:
            blocked = Subset()
            for edge in self._into[group.index]:
                needed = edge.needed(candidates)
                lost = lost.union(edge.dependents(edge.lost(needed)).intersection(candidates))
                blocked = blocked.union(edge.dependents(edge.missing(needed)).intersection(candidates))
            ready = candidates.difference(lost).difference(blocked)
            return lost, *group.cut(ready, room)
        units: list[Unit] = []
        rest = Subset()
        for stretch in group.stretches(candidates):
            gone, may_go = self._look_at_stretch(group, stretch)
            lost = lost.union(gone)
            made, left = group.cut(may_go, room - len(units))
            units += [unit for unit in made if self._needs_none_of_its_own(group, unit)]
            rest = rest.union(left)
        return lost, units, rest

    def _look_at_stretch(self, group: _Group, stretch: Subset) -> tuple[Subset, Subset]:
        """Of what one run would cover: what is lost, and the rest if nothing of it has to wait."""
        waiting = group.where(_WAITING, stretch)
        edges = self._into[group.index]
        gone = Subset.of_ranges(
            span for edge in edges for span in edge.dependents(edge.lost(edge.needed(waiting))).ranges
        ).intersection(waiting)
        while more := self._own_dependents(group, gone).intersection(waiting).difference(gone):
            gone = gone.union(more)
        rest = waiting.difference(gone)
        for edge in edges:
            needed = edge.needed(rest)
            # The run makes what is of the stretch itself.
            if edge.missing(needed.difference(stretch) if edge.up is group else needed):
                return gone, Subset()
        return gone, rest

    def _own_dependents(self, group: _Group, positions: Subset) -> Subset:
        own = [edge for edge in self._into[group.index] if edge.up is group]
        return Subset.of_ranges(span for edge in own for span in edge.dependents(positions).ranges)

    def _needs_none_of_its_own(self, group: _Group, unit: Unit) -> bool:
        """Whether nothing of a stretch that several runs cover, as part of it is lost, has to be made before."""
        positions = group.positions(unit.first, unit.last)
        return not any(
            edge.missing(edge.needed(positions).difference(positions))
            for edge in self._into[group.index]
            if edge.up is group
        )

    def _tell(self, group: _Group, changed: Subset) -> None:
        for edge in self._out_of[group.index]:
            touched = edge.down.where(_WAITING, edge.dependents(changed))
            if touched:
                edge.down.candidates.append(touched)


class _Group:
    """The positions of a group, a byte each from the first one asked for on."""

    def __init__(self, plan: BackfillGroup, index: int, space: KeySpace | None) -> None:
        self.index = index
        self.plan = plan
        self.space = space
        self.asked = self.plan.chosen
        self.start = self.asked.ranges[0][0] if self.asked else 0
        stop = self.asked.ranges[-1][1] if self.asked else 0
        self.states = bytearray([_NOT_ASKED]) * (stop - self.start)
        for first, after_last in self.asked.ranges:
            self.states[first - self.start : after_last - self.start] = bytes([_WAITING]) * (after_last - first)
        self.made: dict[str, Subset] = {}
        self.candidates: list[Subset] = [self.asked]

    def count(self, state: int) -> int:
        return self.states.count(state)

    def positions(self, first: int, last: int) -> Subset:
        return Subset.span(first, last + 1) if self.space is None else between(self.space, first, last)

    def put(self, positions: Subset, state: int) -> Subset:
        """Let positions stand there; gives those that did not."""
        changed = []
        for first, after_last in positions.ranges:
            low, high = first - self.start, after_last - self.start
            before = self.states[low:high]
            if low < 0 or len(before) < high - low or before.count(_NOT_ASKED):
                raise InternalError(f"Positions {first} to {after_last - 1} of group {self.index} were not asked for.")
            if before.count(state) == high - low:
                continue
            if before.count(_DONE) or before.count(_LOST):
                raise InternalError(
                    f"Positions {first} to {after_last - 1} of group {self.index} have an outcome: {bytes(before)!r}."
                )
            self.states[low:high] = bytes([state]) * (high - low)
            changed.append((first, after_last))
        return Subset(tuple(changed))

    def where(self, state: int, positions: Subset) -> Subset:
        """Those of the positions that stand there."""
        return Subset.of_ranges(self._runs_of(re.compile(re.escape(bytes([state])) + b"+"), positions))

    def where_not(self, states: bytes, positions: Subset) -> Subset:
        """Those of the positions that were asked for and stand elsewhere."""
        return Subset.of_ranges(self._runs_of(re.compile(b"[^." + states + b"]+"), positions))

    def _runs_of(self, pattern: re.Pattern[bytes], positions: Subset) -> Iterator[tuple[int, int]]:
        for first, after_last in positions.ranges:
            low, high = max(first - self.start, 0), after_last - self.start
            for found in pattern.finditer(self.states, low, max(low, high)):
                yield found.start() + self.start, found.end() + self.start

    def units(self, chosen: Subset, at_most: int | None) -> Iterator[Unit]:
        """The runs over these positions, each over so many at most."""
        if self.space is None:
            yield from (Unit(self.index, position, position, 1) for position in chosen)
            return
        for first, last in pieces(self.space, chosen, at_most):
            yield Unit(self.index, first, last, 1 if first == last else len(self.positions(first, last)))

    def cut(self, ready: Subset, room: int) -> tuple[list[Unit], Subset]:
        """As many runs as there is room for, and what is left."""
        if room <= 0 or not ready:
            return [], ready
        units = list(islice(self.units(ready, self.plan.at_most), room))
        begun = Subset.of_ranges(span for unit in units for span in self.positions(unit.first, unit.last).ranges)
        return units, ready.difference(begun)

    @cached_property
    def _stretches(self) -> list[Unit]:
        return list(self.units(self.asked, self.plan.at_most))

    def stretches(self, candidates: Subset) -> Iterator[Subset]:
        """What each run would cover of all that is asked for, if it may hold any of these."""
        for unit in self._stretches:
            place = bisect_right(candidates.ranges, unit.first, key=itemgetter(1))
            if place < len(candidates.ranges) and candidates.ranges[place][0] <= unit.last:
                yield self.positions(unit.first, unit.last)


class _Edge:
    """What a group needs of another one."""

    def __init__(self, need: BackfillNeed, up: _Group, down: _Group, now: float) -> None:
        self.up = up
        self.down = down
        self._now = now
        self._asset = need.asset
        self._mapping: PartitionMappingRecord | None = need.mapping
        self._is_constant = isinstance(need.mapping, _CONSTANT) or up.space is None or down.space is None

    def needed(self, chosen: Subset) -> Subset:
        """The positions above, of those asked for, that these need."""
        if not chosen:
            return Subset()
        if self._mapping is None or self.up.space is None:
            return self.up.asked
        if self.down.space is None:
            found = self._mapping.upstream(Subset(), self.up.space, self.up.space, self._now)
        else:
            found = self._mapping.upstream(chosen, self.down.space, self.up.space, self._now)
        return found.present.intersection(self.up.asked)

    def dependents(self, changed: Subset) -> Subset:
        """The positions below, of those asked for, that need any of these."""
        if not changed:
            return Subset()
        if self._is_constant:
            return self.down.asked if self.needed(self.down.asked).intersection(changed) else Subset()
        assert self._mapping is not None
        assert self.up.space is not None
        assert self.down.space is not None
        found = self._mapping.downstream(changed, self.up.space, self.down.space, self._now)
        return found.intersection(self.down.asked)

    def lost(self, needed: Subset) -> Subset:
        """Those of the needed ones that will not be made."""
        return self.up.where(_LOST, needed).difference(self.up.made.get(self._asset, Subset()))

    def missing(self, needed: Subset) -> Subset:
        """Those of the needed ones that are not made yet."""
        return self.up.where_not(b"dx", needed)
