"""Puts what a condition came to into a record that people can read."""

from __future__ import annotations

from ...records.conditions.evaluation import ConditionEvaluation
from .cursor import Keys
from .evaluation import Evaluated
from .view import View

__all__ = ["explain"]

_NAMED = 5  # ranges of partitions, and in short also parts
_ALL = ("",)  # of what has no partitions


def explain(view: View, evaluated: Evaluated, *, in_short: bool = False) -> ConditionEvaluation:
    """What a condition came to as a record that people can read.

    What was not asked, because nothing was left to ask it for, is there without its parts.

    Args:
        view: The graph at the instant of the evaluation.
        evaluated: What the condition came to.
        in_short: With the first few parts of each, and of what is true only with such that are.
    """
    entity, true, candidates = evaluated.entity, evaluated.true, evaluated.candidates
    words, kind = view.graph.names_of(evaluated.condition)
    keys: Keys = ()
    if true:
        keys = _ALL if entity.partitions is None else view.keys(entity, true.first(_NAMED))
    parts = evaluated.children if candidates else ()
    if in_short:
        parts = tuple([each for each in parts if each.true or not true][:_NAMED])
    return ConditionEvaluation(
        condition=words,
        kind=kind,
        entity=entity.id,
        candidates=len(candidates) if candidates else 0,
        count=len(true) if true else 0,
        true=keys,
        partitioned=entity.partitions is not None,
        children=tuple([explain(view, child, in_short=in_short) for child in parts]),
    )
