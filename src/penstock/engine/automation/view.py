"""The asset graph at one instant: which partitions there are, and which depend on which."""

from __future__ import annotations

from ...partitions.mapping import ClosedMapping
from ...partitions.mapping_multi import default_mapping
from ...partitions.space import KeySpace
from ...partitions.subset import Subset
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
        return self._rule(entity, above, dep).downstream(chosen, space, own, self.facts.now)

    def _rule(self, entity: Entity, above: Entity, dep: Dependency) -> ClosedMapping:
        assert above.partitions is not None
        return dep.mapping if dep.mapping is not None else default_mapping(entity.partitions, above.partitions)
