"""What a condition came to, as it is kept with a tick and read by people: a tree like that of the condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

__all__ = ["ConditionEvaluation", "EvaluationRecord", "StoredEvaluation", "render"]

_MEANINGS: Mapping[str, str] = {
    "missing": "it was never updated",
    "run_in_progress": "a run is at work on it",
    "backfill_in_progress": "a backfill is at work on it",
    "execution_failed": "the last run for it failed",
    "code_version_changed": "its code version has changed",
    "data_version_changed": "its data version has changed",
    "newly_updated": "it was updated since the last evaluation",
    "newly_requested": "the last evaluation requested it",
    "will_be_requested": "this evaluation requests it",
    "initial_evaluation": "this is the first evaluation of the condition",
    "in_latest_time_window": "it is among the latest time windows",
    "cron_tick_passed": "the schedule was due since the last evaluation",
    "executed_with_root_target": "the run that updated it was to update the asset of the condition too",
    "executed_with_tags": "the run that last updated it has the tags",
    "new_update_has_run_tags": "a run with the tags has updated it since the last evaluation",
    "check_result": "that is the last result of the check",
    "freshness": "that is its freshness",
    "and": "all of these",
    "or": "any of these",
    "not": "the opposite of this",
    "newly_true": "this, and not at the last evaluation",
    "since": "the first of these has been true, and the second not since then",
    "any_deps": "for any partition that it depends on",
    "all_deps": "for each asset that it depends on",
    "any_checks": "for any of its checks",
    "all_checks": "for all of its checks",
    "asset_matches": "for another asset",
    "any_downstream_conditions": "any condition of what depends on it",
    "job_roots": "for the root assets of the job",
    "custom": "a condition written in this project",
}


class ConditionEvaluation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What a condition, or a part of one, came to.

    Args:
        condition: How the condition is called.
        kind: The tag of its class; `custom` for one that users wrote.
        entity: The id of the asset, check or job that it was asked for.
        candidates: How many partitions were of interest; 1 for all of what has none.
        count: How many of these it is true for.
        true: Those, as keys and as ranges `first...last`; the first few where they are many, and ('',) for what has no
            partitions.
        partitioned: Whether the entity has partitions.
        children: What its parts came to.
    """

    condition: str
    kind: str
    entity: str
    candidates: int
    count: int
    true: tuple[str, ...] = ()
    partitioned: bool = False
    children: tuple[ConditionEvaluation, ...] = ()

    @property
    def meaning(self) -> str:
        """What it asks, in a few words."""
        return _MEANINGS.get(self.kind, "")

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


class EvaluationRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The evaluation of one asset's, check's or job's condition at a tick.

    Args:
        entity: Its id.
        evaluation: The number of the evaluation.
        time: When, in seconds since the epoch.
        requested: How many partitions were requested.
        root: What the condition came to.
        ids: The entities of which `root` tells, this one first; empty where nothing came to the same.
        alike: Of each other one that came to the same at that tick, the entities to read in place of those.
    """

    entity: str
    evaluation: int
    time: float
    requested: int
    root: ConditionEvaluation
    ids: tuple[str, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()

    @property
    def alone(self) -> EvaluationRecord:
        """The same without those that came to the same."""
        return msgspec.structs.replace(self, ids=(), alike=()) if self.alike else self

    def of_other(self, ids: tuple[str, ...]) -> EvaluationRecord:
        """That of one that came to the same."""
        root = _with_names(self.root, dict(zip(self.ids, ids, strict=True)))
        return msgspec.structs.replace(self, entity=ids[0], root=root, ids=(), alike=())

    def each(self) -> Iterator[EvaluationRecord]:
        """It, and those of all that came to the same."""
        yield self.alone
        for ids in self.alike:
            yield self.of_other(ids)


class StoredEvaluation(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation with its id (newer ones have higher ids), and the runs and the backfill that its tick made."""

    id: int
    tick: int
    record: EvaluationRecord
    run_ids: tuple[str, ...] = ()
    backfill_id: str | None = None


def _with_names(evaluation: ConditionEvaluation, names: Mapping[str, str]) -> ConditionEvaluation:
    children = tuple(_with_names(each, names) for each in evaluation.children)
    return msgspec.structs.replace(evaluation, entity=names[evaluation.entity], children=children)


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
