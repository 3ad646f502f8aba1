"""The asset graph at one instant: which partitions there are, and which depend on which."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...partitions.mapping import ClosedMapping
from ...partitions.mapping_multi import default_mapping
from ...partitions.space import KeySpace
from ...partitions.subset import Subset
from .cursor import Keys, KnownKeys, keys_to_subset, subset_to_keys
from .facts import ONE, Facts
from .graph import AutomationGraph, Dependency, Entity

__all__ = ["NONE", "View"]

NONE = Subset()


class View:
    """The graph with the partitions that exist at the instant of the facts.

    Many assets have the same set of partitions, and ask the same about it: each answer is worked out once.

    Args:
        graph: The entities.
        facts: What is known of them.
    """

    def __init__(self, graph: AutomationGraph, facts: Facts) -> None:
        self.graph = graph
        self.facts = facts
        self._spaces: dict[str, KeySpace | None] = {}
        self._worked_out: dict[tuple[Any, ...], Any] = {}

    def space(self, entity: Entity) -> KeySpace | None:
        """An entity's positions and keys; None where it has no partitions."""
        if entity.partitions is None:
            return None
        if entity.id not in self._spaces:
            self._spaces[entity.id] = self.facts.space(entity)
        return self._spaces[entity.id]

    def full(self, entity: Entity) -> Subset:
        """All partitions that exist."""
        space = self.space(entity)
        if space is None:
            return ONE
        found: Subset = self.once(("full", id(space)), lambda: Subset.span(0, space.count(self.facts.now)))
        return found

    def keys(self, entity: Entity, subset: Subset) -> Keys:
        """Some partitions by their keys."""
        space = self.space(entity)
        found: Keys = self.once(("keys", id(space), subset), lambda: subset_to_keys(subset, self._known(space)))
        return found

    def subset(self, entity: Entity, keys: Keys) -> Subset:
        """The partitions that have these keys, without those that there are no longer."""
        space = self.space(entity)
        found: Subset = self.once(("subset", id(space), keys), lambda: keys_to_subset(keys, self._known(space)))
        return found

    def _known(self, space: KeySpace | None) -> KnownKeys | None:
        found: KnownKeys | None = self.once(("known", id(space)), lambda: None if space is None else KnownKeys(space))
        return found

    def upstream(self, entity: Entity, dep: Dependency, chosen: Subset) -> Subset:
        """The partitions of a dependency that some partitions of an entity depend on, those that exist."""
        above = self.graph.entities[dep.id]
        if not chosen.ranges:
            return NONE
        if above.partitions is None:
            return ONE
        own, space = self.space(entity), self.space(above)
        assert space is not None
        found: Subset = self.once(
            ("upstream", id(own), id(space), id(dep.mapping), chosen),
            lambda: (
                self._rule(entity, above, dep)
                .upstream(chosen if own is not None else NONE, own or space, space, self.facts.now)
                .present
            ),
        )
        return found

    def downstream(self, entity: Entity, dep: Dependency, chosen: Subset) -> Subset:
        """The partitions of an entity that depend on any of these partitions of a dependency."""
        if not chosen.ranges:
            return NONE
        above = self.graph.entities[dep.id]
        own, space = self.space(entity), self.space(above)
        if space is None:
            return self.full(entity)
        if own is None:
            full = self.full(entity)
            return full if chosen.intersection(self.upstream(entity, dep, full)) else NONE
        found: Subset = self.once(
            ("downstream", id(own), id(space), id(dep.mapping), chosen),
            lambda: self._rule(entity, above, dep).downstream(chosen, space, own, self.facts.now),
        )
        return found

    def once(self, question: tuple[Any, ...], answer: Callable[[], Any]) -> Any:
        """What is the same for all entities that have the same set of partitions: worked out when it is first asked."""
        if question not in self._worked_out:
            self._worked_out[question] = answer()
        return self._worked_out[question]

    def _rule(self, entity: Entity, above: Entity, dep: Dependency) -> ClosedMapping:
        assert above.partitions is not None
        return dep.mapping if dep.mapping is not None else default_mapping(entity.partitions, above.partitions)
