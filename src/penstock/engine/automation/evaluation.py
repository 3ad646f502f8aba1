"""The evaluation of one condition, part by part; what each class of part comes to is told by `parts` that come in.

An evaluation of one entity's condition (the root) goes down its parts with the candidates that are still of interest;
`&` narrows them. What remembers (`since`, `newly_true`) looks at all partitions whatever the candidates are, so that
it misses nothing.

Each part also says what it would come to at the next evaluation if nothing happened before that (`later`): what was
new is so no more. So a root whose next evaluation would change nothing is left alone until something happens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from ...partitions.cron import next_after, parse
from ...partitions.subset import Subset
from ...records.conditions.condition import AutomationCondition
from .facts import Facts
from .graph import AutomationGraph, Entity
from .view import NONE, View

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["Answer", "Asked", "Evaluated", "Part", "Question", "RootEvaluation", "Tick", "answer_to"]


class Evaluated(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """What a condition came to for one entity: the partitions, of those looked at, that it is true for.

    `later` are those, of the same ones, that it would be true for at the next evaluation if nothing happened before
    that; None where that is not known without asking.
    """

    condition: AutomationCondition
    entity: Entity
    candidates: Subset
    true: Subset
    later: Subset | None
    children: tuple[Evaluated, ...] = ()


class Tick(msgspec.Struct, kw_only=True, eq=False):
    """What the evaluations of all roots share.

    Args:
        view: The graph and the facts.
        parts: What each class of condition comes to.
        custom: What a condition comes to that users wrote.
        previous_time: When the last evaluation was; None at the first.
        previous_event: The newest event that the last one looked at.
        previously_requested: What the last one requested.
        requested: What this one has requested until now.
        evaluation: The number of this one.
        log: Where users' own conditions log.
        definitions: The asset graph as users' own conditions see it.
    """

    view: View
    parts: Mapping[type, Part]
    custom: Part
    previous_time: float | None
    previous_event: int
    previously_requested: Mapping[str, Subset]
    requested: dict[str, Subset]
    evaluation: int
    log: Logger | None = None
    definitions: Any = None
    crons: dict[tuple[str, str], bool] = {}
    answers: dict[tuple[AutomationCondition, bool], dict[str, Subset]] = {}

    @property
    def graph(self) -> AutomationGraph:
        """The entities."""
        return self.view.graph

    @property
    def facts(self) -> Facts:
        """What is known of them."""
        return self.view.facts

    def answers_to(self, question: AutomationCondition, *, is_first: bool) -> dict[str, Subset] | None:
        """The answers to a question so far, by entity; None where they depend on who asks, and when."""
        return self.answers.setdefault((question, is_first), {}) if self.graph.is_same_for_all(question) else None

    def cron_passed(self, schedule: str, timezone: str) -> bool:
        """Whether a time of a cron text lies after the last evaluation, and not after this one."""
        if self.previous_time is None:
            return False
        known = self.crons.get((schedule, timezone))
        if known is None:
            due = next_after(parse(schedule), self.previous_time, timezone)
            known = self.crons[schedule, timezone] = due <= self.facts.now
        return known


class RootEvaluation:
    """The evaluation of one entity's condition.

    Args:
        tick: What all share.
        entity: The entity.
        remembered: What the parts of its condition remember, of the last evaluation; None where this is the first.
        values: The texts that they remember.

    Attributes:
        answers: What was asked, in order.
    """

    def __init__(
        self, tick: Tick, entity: Entity, remembered: Mapping[str, Subset] | None, values: Mapping[str, str]
    ) -> None:
        self.tick = tick
        self.entity = entity
        self.is_first = remembered is None
        self.remembered = remembered or {}
        self.values = values
        self.memory: dict[str, Subset] = {}
        self.new_values: dict[str, str] = {}
        self.settled = False
        self.turns: float | None = None
        self.answers: list[Answer] = []

    def run(self) -> Evaluated:
        """What the whole condition comes to. Afterwards, `settled` says whether the next evaluation would, as long as
        nothing happens, remember the same, and request the same again or nothing; but not from the instant `turns` on,
        if it is not None, at which it may come to something else by time alone."""
        assert self.entity.condition is not None
        self.settled = True
        outcome = self.evaluate(self.entity.condition, self.entity, self.tick.view.full(self.entity))
        if outcome.later is not outcome.true and (outcome.later is None or outcome.later not in (NONE, outcome.true)):
            self.settled = False
        return outcome

    def evaluate(self, condition: AutomationCondition, entity: Entity, candidates: Subset) -> Evaluated:
        """What a part comes to for an entity, among candidates."""
        if not candidates.ranges and self.tick.graph.leaves_nothing(condition):
            return Evaluated(condition=condition, entity=entity, candidates=NONE, true=NONE, later=NONE)
        part = self.tick.parts.get(type(condition), self.tick.custom)
        return part(Asked(self, condition, entity, candidates))

    def ask(self, question: Question, asked: Asked) -> Subset:
        """The answer to a question; from these and from what is remembered follows what all comes to."""
        known = self.tick.answers_to(asked.condition, is_first=self.is_first)
        answer = answer_to(question, asked, known)
        self.answers.append(Answer(question, asked, known, answer))
        return answer


class Asked(msgspec.Struct, eq=False, gc=False):
    """One question of an evaluation: for which of the candidates of an entity is a condition true?"""

    root: RootEvaluation
    condition: Any
    entity: Entity
    candidates: Subset

    @property
    def view(self) -> View:
        """The graph and the facts."""
        return self.root.tick.view

    @property
    def facts(self) -> Facts:
        """What is known."""
        return self.root.tick.view.facts

    @property
    def full(self) -> Subset:
        """All partitions of the entity."""
        return self.root.tick.view.full(self.entity)

    def answer(self, true: Subset, later: Subset | None, children: Iterable[Evaluated] = ()) -> Evaluated:
        """The answer, of candidates alone: for now, and for later if nothing happens."""
        return Evaluated(
            condition=self.condition,
            entity=self.entity,
            candidates=self.candidates,
            true=true,
            later=later,
            children=tuple(children),
        )

    # -- memory -------------------------------------------------------------------------------------------------------

    @property
    def place(self) -> str:
        """The name under which the condition remembers for this entity."""
        digest = self.root.tick.graph.digest_of(self.condition)
        return digest if self.entity is self.root.entity else f"{digest} {self.entity.id}"

    @property
    def remembered(self) -> Subset:
        """What it kept at the last evaluation."""
        return self.root.remembered.get(self.place, NONE)

    def keep(self, subset: Subset, later: Subset | None) -> None:
        """Remember part of the entity's partitions for the next evaluation, which would remember `later`."""
        if subset:
            self.root.memory[self.place] = subset
        if later is not subset and later != subset:
            self.root.settled = False


Part: TypeAlias = Callable[[Asked], Evaluated]
"""Answers for one class of conditions."""

Question: TypeAlias = Callable[[Asked], Subset]
"""What one class of conditions asks about an entity; the partitions may be more than the candidates."""


class Answer(msgspec.Struct, eq=False, gc=False):
    """An answer that was given, with what is known of the answers to the same question about others."""

    question: Question
    asked: Asked
    known: dict[str, Subset] | None
    subset: Subset


def answer_to(question: Question, asked: Asked, known: dict[str, Subset] | None) -> Subset:
    """The answer to a question, which is not put again where it is known."""
    if known is None:
        return question(asked)
    answer = known.get(asked.entity.id)
    if answer is None:
        answer = known[asked.entity.id] = question(asked)
    return answer
