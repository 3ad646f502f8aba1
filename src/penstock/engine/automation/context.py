"""Conditions that users write: what they see as `context`, what they return, and how that becomes part of a tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ...errors import DefinitionError, UserCodeError
from ...partitions.definition import PartitionsDefinition, keys_of, subset_of
from ...partitions.subset import Subset
from ...records.conditions.condition import AutomationCondition
from ...records.conditions.entity import entity_id, key_of
from ...records.keys import AssetKey, CoercibleToAssetKey
from .cursor import subset_to_keys
from .evaluation import Asked, Evaluated
from .graph import Dependency, Entity
from .view import NONE, View

if TYPE_CHECKING:
    from logging import Logger

__all__ = [
    "AutomationContext",
    "AutomationResult",
    "EntitySubset",
    "GraphView",
    "evaluate_custom",
]


class EntitySubset:
    """Some partitions of an asset or check; of one without partitions, all or nothing.

    Combine subsets of one entity with `|`, `&` and `-`, or with the methods of the same meaning.
    """

    __slots__ = ("_entity", "_view", "positions")

    def __init__(self, view: View, entity: Entity, positions: Subset) -> None:
        self._view = view
        self._entity = entity
        self.positions = positions

    @property
    def key(self) -> Any:
        """The key of the asset or check."""
        return key_of(self._entity.id)

    @property
    def is_partitioned(self) -> bool:
        """Whether it has partitions."""
        return self._entity.partitions is not None

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The set of its partitions."""
        found: PartitionsDefinition | None = self._entity.partitions_def
        return found

    @property
    def size(self) -> int:
        """How many partitions; 1 for all of what has none."""
        return len(self.positions)

    @property
    def is_empty(self) -> bool:
        """Whether it is nothing."""
        return not self.positions

    def expensively_compute_partition_keys(self) -> set[str]:
        """The keys of the partitions, one by one; empty for what has none."""
        space = self._view.space(self._entity)
        return set() if space is None else set(keys_of(space, self.positions))

    def compute_union(self, other: EntitySubset) -> EntitySubset:
        """Partitions of either."""
        return self._made(self.positions.union(self._same(other)))

    def compute_intersection(self, other: EntitySubset) -> EntitySubset:
        """Partitions of both."""
        return self._made(self.positions.intersection(self._same(other)))

    def compute_difference(self, other: EntitySubset) -> EntitySubset:
        """Partitions of this one that are not of the other."""
        return self._made(self.positions.difference(self._same(other)))

    __or__ = compute_union
    __and__ = compute_intersection
    __sub__ = compute_difference

    def compute_intersection_with_partition_keys(self, partition_keys: Iterable[str]) -> EntitySubset:
        """Those of its partitions that have one of these keys."""
        space = self._view.space(self._entity)
        if space is None:
            raise UserCodeError(
                f"{self._entity.id} has no partitions, so none of it has a partition key; leave the key out."
            )
        return self._made(self.positions.intersection(subset_of(space, list(partition_keys))[0]))

    def compute_parent_subset(self, parent_key: CoercibleToAssetKey) -> EntitySubset:
        """The partitions of a dependency that these depend on."""
        dep = _dependency(self._entity, AssetKey.from_coercible(parent_key).to_user_string())
        parent = self._view.graph.entities[dep.id]
        return EntitySubset(self._view, parent, self._view.upstream(self._entity, dep, self.positions))

    def compute_child_subset(self, child_key: CoercibleToAssetKey) -> EntitySubset:
        """The partitions of a dependent that depend on these."""
        child = _entity(self._view, child_key)
        dep = _dependency(child, self._entity.id)
        return EntitySubset(self._view, child, self._view.downstream(child, dep, self.positions))

    def _made(self, positions: Subset) -> EntitySubset:
        return EntitySubset(self._view, self._entity, positions)

    def _same(self, other: EntitySubset) -> Subset:
        if getattr(other, "_entity", None) is not self._entity:
            raise UserCodeError(f"A subset of {self._entity.id} cannot be combined with {other!r}; both are of one.")
        return other.positions

    def __bool__(self) -> bool:
        return bool(self.positions)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntitySubset) and (self._entity.id, self.positions) == (
            other._entity.id,
            other.positions,
        )

    def __hash__(self) -> int:
        return hash((self._entity.id, self.positions))

    def __repr__(self) -> str:
        keys = subset_to_keys(self.positions, self._view.space(self._entity))
        return f"EntitySubset({self._entity.id!r}, {list(keys)})"


class GraphView:
    """The asset graph at the instant of a tick, as users' own conditions ask it."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def effective_dt(self) -> datetime:
        """The instant."""
        return datetime.fromtimestamp(self._view.facts.now, UTC)

    def get_full_subset(self, *, key: Any) -> EntitySubset:
        """All partitions of an asset or check."""
        entity = _entity(self._view, key)
        return EntitySubset(self._view, entity, self._view.full(entity))

    def get_empty_subset(self, *, key: Any) -> EntitySubset:
        """No partition of an asset or check."""
        return EntitySubset(self._view, _entity(self._view, key), NONE)

    def get_subset_from_partition_keys(self, key: Any, partition_keys: Iterable[str]) -> EntitySubset:
        """The partitions of an asset or check that have these keys and exist."""
        return self.get_full_subset(key=key).compute_intersection_with_partition_keys(partition_keys)

    def compute_missing_subset(self, *, key: Any) -> EntitySubset:
        """The partitions that were never made, observed or evaluated."""
        entity = _entity(self._view, key)
        return EntitySubset(self._view, entity, self._view.full(entity).difference(self._view.facts.updated(entity)))

    def compute_in_progress_subset(self, *, key: Any) -> EntitySubset:
        """The partitions that a run that has not ended is to make."""
        entity = _entity(self._view, key)
        return EntitySubset(self._view, entity, self._view.facts.in_progress(entity, backfill=False))

    def compute_execution_failed_subset(self, *, key: Any) -> EntitySubset:
        """The partitions whose last run ended without making them."""
        entity = _entity(self._view, key)
        return EntitySubset(self._view, entity, self._view.facts.failed(entity))


class AutomationContext:
    """What a condition that users write sees.

    Attributes:
        condition: The condition itself.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._root = asked.root
        self._entity = asked.entity
        self._candidates = asked.candidates
        self.condition: AutomationCondition = asked.condition

    @property
    def key(self) -> Any:
        """The key of the asset or check that it is evaluated for."""
        return key_of(self._entity.id)

    @property
    def root_key(self) -> Any:
        """The key of the asset or check whose whole condition this is part of."""
        return key_of(self._root.entity.id)

    @property
    def candidate_subset(self) -> EntitySubset:
        """The partitions that are of interest; the result has no others."""
        return self._subset(self._candidates)

    def get_empty_subset(self) -> EntitySubset:
        """No partition."""
        return self._subset(NONE)

    @property
    def evaluation_time(self) -> datetime:
        """The instant of the evaluation."""
        return datetime.fromtimestamp(self._root.tick.facts.now, UTC)

    @property
    def previous_evaluation_time(self) -> datetime | None:
        """The instant of the last evaluation of the whole condition; None if this is the first."""
        previous = self._root.tick.previous_time
        return None if previous is None or self._root.is_first else datetime.fromtimestamp(previous, UTC)

    @property
    def max_storage_id(self) -> int:
        """The id of the newest event that this evaluation looks at."""
        return self._root.tick.facts.last_event

    @property
    def previous_max_storage_id(self) -> int | None:
        """The id of the newest event that the last evaluation looked at; None if this is the first."""
        return None if self._root.is_first else self._root.tick.previous_event

    @property
    def evaluation_id(self) -> int:
        """The number of this evaluation of all conditions; it grows."""
        return self._root.tick.evaluation

    @property
    def cursor(self) -> str | None:
        """What the last evaluation of this condition gave as its cursor."""
        return self._root.values.get(self._asked.place)

    @property
    def previous_true_subset(self) -> EntitySubset | None:
        """What the last evaluation of this condition came to; None if this is the first."""
        return None if self._root.is_first else self._subset(self._asked.remembered)

    def get_previous_requested_subset(self, key: Any) -> EntitySubset:
        """What the last evaluation requested of an asset or check."""
        entity = _entity(self._root.tick.view, key)
        before = self._root.tick.previously_requested.get(entity.id, NONE)
        return EntitySubset(self._root.tick.view, entity, before)

    @property
    def request_subsets_by_key(self) -> dict[Any, EntitySubset]:
        """What this evaluation has requested until now; dependencies come first."""
        view = self._root.tick.view
        found = ((view.graph.entities[key], subset) for key, subset in self._root.tick.requested.items())
        return {key_of(entity.id): EntitySubset(view, entity, subset) for entity, subset in found}

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The partitions of the asset or check."""
        found: PartitionsDefinition | None = self._entity.partitions_def
        return found

    @property
    def asset_graph(self) -> Any:
        """The assets and checks of the code location."""
        return self._root.tick.definitions

    @property
    def asset_graph_view(self) -> GraphView:
        """The partitions that there are, and what is known of them."""
        return GraphView(self._root.tick.view)

    @property
    def log(self) -> Logger:
        """A logger whose lines are kept with the tick."""
        if self._root.tick.log is None:
            import logging

            return logging.getLogger("penstock.automation")
        return self._root.tick.log

    def for_child_condition(
        self, child_condition: AutomationCondition, candidate_subset: EntitySubset | None = None
    ) -> AutomationContext:
        """The context in which a part of this condition is evaluated, for a condition that combines others.

        Args:
            child_condition: The part.
            candidate_subset: The partitions that are of interest; those of this context if not given.
        """
        candidates = self._candidates if candidate_subset is None else candidate_subset.positions
        return AutomationContext(Asked(self._root, child_condition, self._entity, candidates))

    def evaluate(self) -> AutomationResult:
        """What the condition of this context comes to."""
        evaluated = self._root.evaluate(self.condition, self._entity, self._candidates)
        return AutomationResult._of(self, evaluated)

    def _subset(self, positions: Subset) -> EntitySubset:
        return EntitySubset(self._root.tick.view, self._entity, positions)


class AutomationResult:
    """What the evaluation of a condition came to.

    Args:
        context: The context of the evaluation.
        true_subset: The partitions that the condition is true for.
        cursor: A text that the next evaluation of this condition gets as `context.cursor`.
        child_results: What the parts of the condition came to.

    Raises:
        UserCodeError: The subset is none, or is of another asset.
    """

    def __init__(
        self,
        context: AutomationContext,
        true_subset: EntitySubset,
        cursor: str | None = None,
        child_results: Sequence[AutomationResult] | None = None,
    ) -> None:
        if getattr(true_subset, "_entity", None) is not context._entity:
            raise UserCodeError(
                f"{type(context.condition).__name__} gave true_subset={true_subset!r} for {context._entity.id}; give "
                "context.candidate_subset, context.get_empty_subset(), or a part of the former."
            )
        if cursor is not None and not isinstance(cursor, str):
            raise UserCodeError(f"A cursor is a text, not {cursor!r}; turn it into one, for example with json.dumps.")
        self.context = context
        self.true_subset = true_subset
        self.cursor = cursor
        self.child_results = list(child_results or ())
        self.evaluated: Evaluated = Evaluated(
            condition=context.condition,
            entity=context._entity,
            candidates=context._candidates,
            true=true_subset.positions.intersection(context._candidates),
            later=None,
            children=tuple(each.evaluated for each in self.child_results),
        )

    @classmethod
    def _of(cls, context: AutomationContext, evaluated: Evaluated) -> AutomationResult:
        made = cls(context, context._subset(evaluated.true))
        made.evaluated = evaluated
        return made

    @property
    def key(self) -> Any:
        """The key of the asset or check."""
        return self.context.key

    @property
    def condition(self) -> AutomationCondition:
        """The condition."""
        return self.context.condition


def evaluate_custom(asked: Asked) -> Evaluated:
    """Have a condition that users wrote say what it is true for.

    Raises:
        DefinitionError: Its class has no method `evaluate`.
        UserCodeError: It gave no result.
    """
    condition, root = asked.condition, asked.root
    evaluate = getattr(condition, "evaluate", None)
    if evaluate is None:
        raise DefinitionError(
            f"The condition {condition.words} of {root.entity.id} cannot be evaluated here: it has no method "
            "evaluate(context)."
        )
    result = evaluate(AutomationContext(asked))
    if not isinstance(result, AutomationResult):
        raise UserCodeError(
            f"{condition.words}.evaluate gave {result!r} for {asked.entity.id}; it returns an AutomationResult."
        )
    asked.keep(result.evaluated.true, None)
    if result.cursor is not None:
        root.new_values[asked.place] = result.cursor
    return result.evaluated


def _entity(view: View, key: Any) -> Entity:
    found = view.graph.entities.get(entity_id(key))
    if found is None:
        raise UserCodeError(f"There is no asset or check {key!r} here.")
    return found


def _dependency(entity: Entity, key: str) -> Dependency:
    for dep in entity.deps:
        if dep.id == key:
            return dep
    raise UserCodeError(f"{entity.id} does not depend on {key}; ask about one of its dependencies.")
