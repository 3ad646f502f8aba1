"""Puts what a condition came to into a record that people can read."""

from __future__ import annotations

from ...records.conditions.evaluation import ConditionEvaluation
from .cursor import Keys
from .evaluation import Evaluated
from .view import View

__all__ = ["explain"]

_NAMED = 5  # ranges of partitions, and in short also parts
_ALL = ("",)  # of what has no partitions
_ONE_IS_ENOUGH = frozenset({"or", "any_deps", "any_checks", "any_downstream_conditions"})


def explain(view: View, evaluated: Evaluated, *, in_short: bool = False, is_reason: bool = True) -> ConditionEvaluation:
    """What a condition came to as a record that people can read.

    What was not asked, because nothing was left to ask it for, is there without its parts.

    Args:
        view: The graph at the instant of the evaluation.
        evaluated: What the condition came to.
        in_short: With the first few parts of each, of what is true only with such that are, and one where one is
            enough; what is false has parts only where it is the reason why the whole is.
        is_reason: Whether it is, should it be false.
    """
    entity, true, candidates = evaluated.entity, evaluated.true, evaluated.candidates
    words, kind = view.graph.names_of(evaluated.condition)
    keys: Keys = ()
    if true:
        keys = _ALL if entity.partitions is None else view.keys(entity, true.first(_NAMED))
    parts = evaluated.children if candidates else ()
    if in_short and true:
        parts = (tuple([each for each in parts if each.true]) or parts)[: 1 if kind in _ONE_IS_ENOUGH else _NAMED]
    elif in_short:
        parts = parts[:_NAMED] if is_reason else ()
    return ConditionEvaluation(
        condition=words,
        kind=kind,
        entity=entity.id,
        candidates=len(candidates) if candidates else 0,
        count=len(true) if true else 0,
        true=keys,
        partitioned=entity.partitions is not None,
        children=tuple([explain(view, each, in_short=in_short, is_reason=is_reason and not true) for each in parts]),
    )
