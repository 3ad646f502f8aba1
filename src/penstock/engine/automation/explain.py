"""Puts what a condition came to into a record that people can read."""

from __future__ import annotations

from ...records.conditions.condition import AutomationCondition
from ...records.conditions.evaluation import ConditionEvaluation
from ...records.conditions.nodes import tag_of
from .evaluation import Evaluated
from .view import View

__all__ = ["explain"]

_NAMED = 5  # ranges of partitions


def explain(view: View, evaluated: Evaluated) -> ConditionEvaluation:
    """What a condition came to as a record that people can read.

    Args:
        view: The graph at the instant of the evaluation.
        evaluated: What the condition came to.
    """
    entity = evaluated.entity
    keys = view.keys(entity, evaluated.true.first(_NAMED))
    return ConditionEvaluation(
        condition=evaluated.condition.words,
        kind=_kind(evaluated.condition),
        entity=entity.id,
        candidates=len(evaluated.candidates),
        count=len(evaluated.true),
        true=keys,
        partitioned=entity.partitions is not None,
        children=tuple(explain(view, child) for child in evaluated.children),
    )


def _kind(condition: AutomationCondition) -> str:
    return tag_of(condition) if condition.is_record else "custom"
