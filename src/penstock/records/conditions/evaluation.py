"""What a condition came to, as it is kept with a tick and read by people: a tree like that of the condition."""

from __future__ import annotations

import msgspec

__all__ = ["ConditionEvaluation", "EvaluationRecord", "render"]


class ConditionEvaluation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a condition, or a part of one, came to.

    Args:
        condition: How the condition is called.
        meaning: What it asks.
        entity: The id of the asset, check or job that it was asked for.
        candidates: How many partitions were of interest; 1 for all of what has none.
        count: How many of these it is true for.
        true: Those, as keys and as ranges `first...last`; the first few where they are many, and ('',) for what has no
            partitions.
        partitioned: Whether the entity has partitions.
        children: What its parts came to.
    """

    condition: str
    meaning: str
    entity: str
    candidates: int
    count: int
    true: tuple[str, ...] = ()
    partitioned: bool = False
    children: tuple[ConditionEvaluation, ...] = ()

    @property
    def outcome(self) -> str:
        """What it came to, in words."""
        if not self.candidates:
            return "not asked, nothing was left to ask it for"
        if not self.partitioned:
            return "true" if self.count else "false"
        if not self.count:
            return f"false for all {self.candidates} partitions"
        named = ", ".join(each.replace("...", " to ") for each in self.true)
        return f"true for {self.count} of {self.candidates} partitions: {named}"


class EvaluationRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The evaluation of one asset's, check's or job's condition at a tick.

    Args:
        entity: Its id.
        evaluation: The number of the evaluation.
        time: When, in seconds since the epoch.
        requested: How many partitions were requested.
        root: What the condition came to.
    """

    entity: str
    evaluation: int
    time: float
    requested: int
    root: ConditionEvaluation


def render(evaluation: ConditionEvaluation) -> str:
    """The tree as text, a line for each part: how it is called, what it asks, and what it came to."""
    return "\n".join(_lines(evaluation, 0, evaluation.entity))


def _lines(evaluation: ConditionEvaluation, depth: int, parent: str) -> list[str]:
    of = f" of {evaluation.entity}" if evaluation.entity != parent or not depth else ""
    meaning = f" ({evaluation.meaning})" if evaluation.meaning else ""
    lines = [f"{'  ' * depth}{evaluation.condition}{of}{meaning}: {evaluation.outcome}"]
    for child in evaluation.children:
        lines += _lines(child, depth + 1, evaluation.entity)
    return lines
