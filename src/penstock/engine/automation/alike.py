"""Evaluates conditions of many entities, of those that are alike only one.

What a condition comes to follows from what it remembers and from the answers to its questions, in the order in which
they are asked: which one comes next follows from the answers before it. So these orders are kept as a tree, a node for
each question and a branch for each answer that it got. Another root of the same shape (`graph.py: Kin`) is asked along
a branch, and if it answers all the way as one did before it, it comes to the same and nothing else is worked out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...partitions.subset import Subset
from .cursor import RootMemory
from .evaluation import Asked, Evaluated, Question, RootEvaluation, Tick, answer_to
from .graph import Entity, Kin

__all__ = ["Alike"]


class _Outcome(msgspec.Struct, gc=False):
    """What a root came to; `ids` are those by which its memory names others, if it does."""

    evaluated: Evaluated
    memory: RootMemory
    ids: tuple[str, ...]


class _Node(msgspec.Struct, gc=False):
    """A question about the entity at a place among the kin, the answers to it that are known, and what comes after each
    answer."""

    question: Question
    condition: Any
    place: int
    candidates: Subset
    known: dict[str, Subset] | None
    branches: dict[Subset, _Node | _Outcome] = {}


class Alike:
    """Evaluates the roots of one tick.

    Args:
        tick: What the evaluations share.
    """

    def __init__(self, tick: Tick) -> None:
        self._tick = tick
        self._trees: dict[tuple[Any, ...], _Node | _Outcome] = {}

    def evaluate(self, root: Entity, memory: RootMemory | None) -> tuple[Evaluated, RootMemory]:
        """What a root's condition comes to, and remembers for the next evaluation.

        Args:
            root: It.
            memory: What it remembers of the last evaluation; None where this is the first.
        """
        evaluation = RootEvaluation(self._tick, root, *self._recalled(root, memory))
        kin = self._tick.graph.kin.get(root.id)
        if kin is None:
            evaluated = evaluation.run()
            return evaluated, self._memory(root, evaluation, evaluated.true)
        key = (kin.shape, evaluation.is_first, _by_place(evaluation.remembered, kin))
        node = self._trees.get(key)
        while isinstance(node, _Node):
            entity = kin.entities[node.place]
            answer = None if node.known is None else node.known.get(entity.id)
            if answer is None:
                answer = answer_to(
                    node.question, Asked(evaluation, node.condition, entity, node.candidates), node.known
                )
            node = node.branches.get(answer)
        outcome = self._explored(evaluation, kin, key) if node is None else node
        return outcome.evaluated, _renamed(outcome, kin) if outcome.ids else outcome.memory

    def _explored(self, evaluation: RootEvaluation, kin: Kin, key: tuple[Any, ...]) -> _Outcome:
        """Evaluate a root, and keep how it came to what it came to."""
        evaluated = evaluation.run()
        memory = self._memory(evaluation.entity, evaluation, evaluated.true)
        outcome = _Outcome(evaluated, memory, kin.ids if any(" " in place for place in memory.parts) else ())
        places = {each.id: place for place, each in enumerate(kin.entities)}
        branches: dict[Any, _Node | _Outcome] = self._trees
        branch: Any = key
        for answer in evaluation.answers:
            node = branches.get(branch)
            if node is None:
                asked = answer.asked
                place = places[asked.entity.id]
                node = branches[branch] = _Node(answer.question, asked.condition, place, asked.candidates, answer.known)
            assert isinstance(node, _Node)
            branches, branch = node.branches, answer.subset
        branches[branch] = outcome
        return outcome

    def _recalled(
        self, root: Entity, memory: RootMemory | None
    ) -> tuple[Mapping[str, Subset] | None, Mapping[str, str]]:
        """What a root's condition remembers, as positions; what it does of entities that are gone is forgotten."""
        if memory is None:
            return None, {}
        view = self._tick.view
        parts: dict[str, Subset] = {}
        for place, keys in memory.parts.items():
            _, _, other = place.partition(" ")
            entity = view.graph.entities.get(other) if other else root
            if entity is not None:
                parts[place] = view.subset(entity, keys)
        return parts, memory.values

    def _memory(self, root: Entity, evaluation: RootEvaluation, true: Subset) -> RootMemory:
        view = self._tick.view
        assert root.condition is not None
        parts: dict[str, tuple[str, ...]] = {}
        for place, subset in evaluation.memory.items():
            _, _, other = place.partition(" ")
            parts[place] = view.keys(view.graph.entities[other] if other else root, subset)
        return RootMemory(
            digest=view.graph.digest_of(root.condition),
            requested=view.keys(root, true),
            parts=parts,
            values=evaluation.new_values,
            unsettled=not evaluation.settled,
            turns=evaluation.turns,
        )


def _by_place(remembered: Mapping[str, Subset], kin: Kin) -> tuple[Any, ...]:
    """What is remembered, with the places of others among the kin for their names; what is not asked about any more is
    left out."""
    if not any(" " in place for place in remembered):
        return tuple(remembered.items())
    ids = kin.ids
    found: list[tuple[Any, ...]] = []
    for place, subset in remembered.items():
        digest, _, other = place.partition(" ")
        if not other or other in ids:
            found.append((digest, ids.index(other) if other else 0, subset))
    return tuple(found)


def _renamed(outcome: _Outcome, kin: Kin) -> RootMemory:
    """What a root remembers that came to an outcome."""
    names = dict(zip(outcome.ids, kin.ids, strict=True))
    parts: dict[str, tuple[str, ...]] = {}
    for place, keys in outcome.memory.parts.items():
        digest, _, other = place.partition(" ")
        parts[f"{digest} {names[other]}" if other else digest] = keys
    return msgspec.structs.replace(outcome.memory, parts=parts)
