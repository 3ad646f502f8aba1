"""The asset graph at one instant: which partitions there are, and which depend on which."""

from __future__ import annotations

from ...partitions.definition import keys_of, subset_of
from ...partitions.mapping import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    PartitionMapping,
    TimeWindowPartitionMapping,
    default_mapping,
)
from ...partitions.space import KeySpace
from ...partitions.subset import Subset
from ...partitions.time_space import TimeSpace
from .facts import ONE, Facts
from .graph import AutomationGraph, Dependency, Entity

__all__ = ["NONE", "View"]

NONE = Subset()


class View:
    """The graph with the partitions that exist at the instant of the facts.

    Args:
        graph: The entities.
        facts: What is known of them.
    """

    def __init__(self, graph: AutomationGraph, facts: Facts) -> None:
        self.graph = graph
        self.facts = facts
        self._full: dict[str, Subset] = {}
        self._spaces: dict[str, KeySpace | None] = {}

    def space(self, entity: Entity) -> KeySpace | None:
        """An entity's positions and keys; None where it has no partitions."""
        if entity.partitions is None:
            return None
        if entity.id not in self._spaces:
            self._spaces[entity.id] = self.facts.space(entity)
        return self._spaces[entity.id]

    def full(self, entity: Entity) -> Subset:
        """All partitions that exist."""
        if entity.partitions is None:
            return ONE
        known = self._full.get(entity.id)
        if known is None:
            space = self.space(entity)
            known = ONE if space is None else Subset.span(0, space.count(self.facts.now))
            self._full[entity.id] = known
        return known

    def upstream(self, entity: Entity, dep: Dependency, chosen: Subset) -> Subset:
        """The partitions of a dependency that some partitions of an entity depend on, those that exist."""
        above = self.graph.entities[dep.id]
        if not chosen:
            return NONE
        if above.partitions is None:
            return ONE
        own, space = self.space(entity), self.space(above)
        assert space is not None
        rule = self._rule(entity, above, dep)
        return rule.upstream(chosen if own is not None else NONE, own or space, space, self.facts.now).present

    def downstream(self, entity: Entity, dep: Dependency, chosen: Subset) -> Subset:
        """The partitions of an entity that depend on any of these partitions of a dependency."""
        above = self.graph.entities[dep.id]
        if not chosen:
            return NONE
        own, space = self.space(entity), self.space(above)
        full = self.full(entity)
        if space is None:
            return full
        if own is None:
            return full if chosen.intersection(self.upstream(entity, dep, full)) else NONE
        return _downstream(self._rule(entity, above, dep), chosen, own, space, full, self.facts.now)

    def _rule(self, entity: Entity, above: Entity, dep: Dependency) -> PartitionMapping:
        assert above.partitions is not None
        return dep.mapping if dep.mapping is not None else default_mapping(entity.partitions, above.partitions)


def _downstream(
    rule: PartitionMapping, chosen: Subset, own: KeySpace, above: KeySpace, full: Subset, now: float
) -> Subset:
    match rule:
        case AllPartitionMapping():
            return full
        case LastPartitionMapping():
            return full if above.count(now) - 1 in chosen else NONE
        case TimeWindowPartitionMapping() if isinstance(own, TimeSpace) and isinstance(above, TimeSpace):
            # Window p needs the time from begins(p + start) to begins(p + 1 + end).
            ranges = [
                (
                    own.containing(above.begins(first)) - rule.end_offset,
                    own.containing(above.begins(after_last) - 1) - rule.start_offset + 1,
                )
                for first, after_last in chosen.ranges
            ]
            return Subset.of_ranges(ranges).intersection(full)
        case IdentityPartitionMapping():
            if isinstance(own, TimeSpace) and isinstance(above, TimeSpace) and own.spec == above.spec:
                return chosen.intersection(full)
            return subset_of(own, keys_of(above, chosen))[0].intersection(full)
        case _:
            return Subset.of(
                each for each in full if rule.upstream(_one(each), own, above, now).present.intersection(chosen)
            )


def _one(position: int) -> Subset:
    return Subset.span(position, position + 1)
