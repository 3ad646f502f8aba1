"""What conditions come to that are made of others, or that look at other assets and at checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

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
from .view import NONE

__all__ = ["OPERATORS"]


def _and(asked: Asked) -> Evaluated:
    true = later = asked.candidates
    known = True
    children = []
    for operand in asked.condition.operands:
        child = asked.root.evaluate(operand, asked.entity, true)
        children.append(child)
        if child.later is child.true and later is true:
            true = later = child.true
            continue
        # The operand says nothing about those that the ones before it leave out now and would not leave out later.
        known = known and child.later is not None and _is_within(later, true)
        later = later.intersection(child.later) if known and child.later is not None else NONE
        true = child.true
    return asked.answer(true, later if known else None, children)


def _or(asked: Asked) -> Evaluated:
    children = [asked.root.evaluate(each, asked.entity, asked.candidates) for each in asked.condition.operands]
    return _any_of(asked, children)


def _not(asked: Asked) -> Evaluated:
    child = asked.root.evaluate(asked.condition.operand, asked.entity, asked.candidates)
    true = asked.candidates.difference(child.true)
    if child.later is child.true:
        return asked.answer(true, true, (child,))
    return asked.answer(true, None if child.later is None else asked.candidates.difference(child.later), (child,))


def _newly_true(asked: Asked) -> Evaluated:
    child = asked.root.evaluate(asked.condition.operand, asked.entity, asked.full)
    asked.keep(child.true, child.later)
    new = child.true.difference(asked.remembered).intersection(asked.candidates)
    if child.later is child.true:
        return asked.answer(new, NONE, (child,))
    later = None if child.later is None else child.later.difference(child.true).intersection(asked.candidates)
    return asked.answer(new, later, (child,))


def _since(asked: Asked) -> Evaluated:
    full = asked.full
    trigger = asked.root.evaluate(asked.condition.trigger, asked.entity, full)
    reset = asked.root.evaluate(asked.condition.reset, asked.entity, full)
    true = asked.remembered.union(trigger.true).difference(reset.true).intersection(full)
    later = None
    if trigger.later is not None and reset.later is not None:
        later = true.union(trigger.later).difference(reset.later)
    asked.keep(true, later)
    among = asked.candidates
    now = true.intersection(among)
    if later is true:
        return asked.answer(now, now, (trigger, reset))
    return asked.answer(now, None if later is None else later.intersection(among), (trigger, reset))


def _any_deps(asked: Asked) -> Evaluated:
    view, entity = asked.view, asked.entity
    true: Subset = NONE
    later: Subset | None = NONE
    children = []
    for dep in view.graph.deps(entity, asked.condition):
        above = view.upstream(entity, dep, asked.candidates)
        child = asked.root.evaluate(asked.condition.operand, view.graph.entities[dep.id], above)
        children.append(child)
        below = NONE
        if child.true.ranges:
            below = view.downstream(entity, dep, child.true).intersection(asked.candidates)
            true = true.union(below)
        if child.later is None or later is None:
            later = None
        elif child.later is child.true:
            later = later.union(below) if below.ranges else later
        elif child.later.ranges:
            later = later.union(view.downstream(entity, dep, child.later).intersection(asked.candidates))
    return asked.answer(true, later, children)


def _all_deps(asked: Asked) -> Evaluated:
    view, entity = asked.view, asked.entity
    true = later = asked.candidates
    known = True
    children = []
    for dep in view.graph.deps(entity, asked.condition):
        above = view.upstream(entity, dep, true)
        child = asked.root.evaluate(asked.condition.operand, view.graph.entities[dep.id], above)
        children.append(child)
        below = true.intersection(view.downstream(entity, dep, child.true))
        if child.later is child.true and later is true:
            true = later = below
            continue
        # As above, of those that the dependencies before it leave out.
        known = known and child.later is not None and _is_within(later, true)
        later = later.intersection(view.downstream(entity, dep, child.later)) if known and child.later else NONE
        true = below
    return asked.answer(true, later if known else None, children)


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
    return _any_of(asked, [asked.root.evaluate(each, asked.entity, asked.candidates) for each in conditions])


def _any_of(asked: Asked, children: Sequence[Evaluated]) -> Evaluated:
    true = _union(child.true for child in children)
    if all(child.later is child.true for child in children):
        return asked.answer(true, true, children)
    laters = [child.later for child in children if child.later is not None]
    return asked.answer(true, _union(laters) if len(laters) == len(children) else None, children)


def _among(asked: Asked, keys: Iterable[str], *, every: bool) -> Evaluated:
    """For all or any of some entities; those with the same partitions are asked partition by partition."""
    true = asked.candidates if every else NONE
    later: Subset | None = true
    children = []
    for key in keys:
        other = asked.view.graph.entities[key]
        same = other.partitions == asked.entity.partitions
        child = asked.root.evaluate(
            asked.condition.operand, other, asked.candidates if same else asked.view.full(other)
        )
        children.append(child)
        below = _beside(asked, child.true, same=same)
        true = true.intersection(below) if every else true.union(below)
        if child.later is None or later is None:
            later = None
        else:
            below = _beside(asked, child.later, same=same)
            later = later.intersection(below) if every else later.union(below)
    return asked.answer(true, later, children)


def _beside(asked: Asked, of_other: Subset, *, same: bool) -> Subset:
    if same:
        return of_other
    return asked.candidates if of_other else NONE


def _union(parts: Iterable[Subset]) -> Subset:
    found = NONE
    for part in parts:
        if part.ranges:
            found = found.union(part) if found.ranges else part
    return found


def _is_within(subset: Subset, other: Subset) -> bool:
    return subset is other or not subset or subset.intersection(other) == subset


OPERATORS: Mapping[type, Part] = {
    And: _and,
    Or: _or,
    Not: _not,
    NewlyTrue: _newly_true,
    Since: _since,
    AnyDeps: _any_deps,
    AllDeps: _all_deps,
    AnyChecks: _checks,
    AllChecks: _checks,
    EntityMatches: _entity_matches,
    AnyDownstream: _any_downstream,
    JobRoots: _job_roots,
}
"""By class of condition, what answers for it."""
