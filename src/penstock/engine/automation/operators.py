"""What conditions come to that are made of others, or that look at other assets and at checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...errors import DefinitionError
from ...partitions.subset import Subset
from ...records.conditions.nodes import (
    AllChecks,
    AllDeps,
    And,
    AnyChecks,
    AnyDeps,
    AnyDownstream,
    EntityMatches,
    JobRoots,
    NewlyTrue,
    Not,
    Or,
    Since,
)
from .evaluation import Asked, Evaluated, Part
from .graph import Entity
from .view import NONE

__all__ = ["OPERATORS"]


def _and(asked: Asked) -> Evaluated:
    true = asked.candidates
    children = []
    for operand in asked.condition.operands:
        children.append(asked.root.evaluate(operand, asked.entity, true))
        true = children[-1].true
    return asked.answer(true, children)


def _or(asked: Asked) -> Evaluated:
    children = [asked.root.evaluate(each, asked.entity, asked.candidates) for each in asked.condition.operands]
    return asked.answer(_union(children), children)


def _not(asked: Asked) -> Evaluated:
    child = asked.root.evaluate(asked.condition.operand, asked.entity, asked.candidates)
    return asked.answer(asked.candidates.difference(child.true) if child.true else asked.candidates, (child,))


def _newly_true(asked: Asked) -> Evaluated:
    child = asked.root.evaluate(asked.condition.operand, asked.entity, asked.full)
    asked.keep(child.true)
    new = child.true.difference(asked.remembered)
    asked.root.momentary = asked.root.momentary or bool(new)
    return asked.answer(new.intersection(asked.candidates), (child,))


def _since(asked: Asked) -> Evaluated:
    full = asked.full
    trigger = asked.root.evaluate(asked.condition.trigger, asked.entity, full)
    reset = asked.root.evaluate(asked.condition.reset, asked.entity, full)
    true = asked.remembered.union(trigger.true).difference(reset.true).intersection(full)
    asked.keep(true)
    return asked.answer(true.intersection(asked.candidates), (trigger, reset))


def _deps(asked: Asked) -> Evaluated:
    every = isinstance(asked.condition, AllDeps)
    view, entity = asked.view, asked.entity
    true = asked.candidates if every else NONE
    children = []
    for dep in view.graph.deps(entity, asked.condition):
        above = view.upstream(entity, dep, true if every else asked.candidates)
        child = asked.root.evaluate(asked.condition.operand, view.graph.entities[dep.id], above)
        children.append(child)
        if every:
            true = true.intersection(view.downstream(entity, dep, child.true))
        elif child.true:
            true = true.union(view.downstream(entity, dep, child.true).intersection(asked.candidates))
    return asked.answer(true, children)


def _checks(asked: Asked) -> Evaluated:
    checks = asked.view.graph.checks(asked.entity, asked.condition)
    return _among(asked, checks, every=isinstance(asked.condition, AllChecks))


def _job_roots(asked: Asked) -> Evaluated:
    return _among(asked, asked.entity.roots, every=asked.condition.every)


def _entity_matches(asked: Asked) -> Evaluated:
    key = asked.condition.key
    if key not in asked.view.graph.entities:
        raise DefinitionError(
            f"The condition of {asked.root.entity.id} asks about the asset {key}, which there is not here; name "
            "another, or declare it with an AssetSpec."
        )
    return _among(asked, (key,), every=False)


def _any_downstream(asked: Asked) -> Evaluated:
    conditions = asked.view.graph.downstream_conditions(asked.entity.id, asked.condition)
    children = [asked.root.evaluate(each, asked.entity, asked.candidates) for each in conditions]
    return asked.answer(_union(children), children)


def _among(asked: Asked, keys: Iterable[str], *, every: bool) -> Evaluated:
    """For all or any of some entities; those with the same partitions are asked partition by partition."""
    true = asked.candidates if every else NONE
    children = []
    for key in keys:
        other = asked.view.graph.entities[key]
        child, below = _beside(asked, other)
        children.append(child)
        true = true.intersection(below) if every else true.union(below)
    return asked.answer(true, children)


def _beside(asked: Asked, other: Entity) -> tuple[Evaluated, Subset]:
    if other.partitions == asked.entity.partitions:
        child = asked.root.evaluate(asked.condition.operand, other, asked.candidates)
        return child, child.true
    child = asked.root.evaluate(asked.condition.operand, other, asked.view.full(other))
    return child, asked.candidates if child.true else NONE


def _union(children: Iterable[Evaluated]) -> Subset:
    true = NONE
    for child in children:
        if child.true:
            true = true.union(child.true) if true else child.true
    return true


OPERATORS: Mapping[type, Part] = {
    And: _and,
    Or: _or,
    Not: _not,
    NewlyTrue: _newly_true,
    Since: _since,
    AnyDeps: _deps,
    AllDeps: _deps,
    AnyChecks: _checks,
    AllChecks: _checks,
    EntityMatches: _entity_matches,
    AnyDownstream: _any_downstream,
    JobRoots: _job_roots,
}
"""By class of condition, what answers for it."""
