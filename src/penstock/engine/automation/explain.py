"""Puts what a condition came to into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...records.conditions.condition import AutomationCondition
from ...records.conditions.evaluation import ConditionEvaluation
from ...records.conditions.nodes import (
    AllChecks,
    AllDeps,
    And,
    AnyChecks,
    AnyDeps,
    AnyDownstream,
    BackfillInProgress,
    CheckResultIs,
    CodeVersionChanged,
    CronTickPassed,
    DataVersionChanged,
    EntityMatches,
    ExecutionFailed,
    FreshnessIs,
    InitialEvaluation,
    InLatestTimeWindow,
    JobRoots,
    LatestRunTags,
    Missing,
    NewlyRequested,
    NewlyTrue,
    NewlyUpdated,
    NewUpdateTags,
    Not,
    Or,
    RootTarget,
    RunInProgress,
    Since,
    WillBeRequested,
)
from .cursor import subset_to_keys
from .evaluation import Evaluated
from .view import View

__all__ = ["explain", "meaning"]

_NAMED = 5

_MEANINGS: Mapping[type, str] = {
    Missing: "it was never updated",
    RunInProgress: "a run is at work on it",
    BackfillInProgress: "a backfill is at work on it",
    ExecutionFailed: "the last run for it failed",
    CodeVersionChanged: "its code version has changed",
    DataVersionChanged: "its data version has changed",
    NewlyUpdated: "it was updated since the last evaluation",
    NewlyRequested: "the last evaluation requested it",
    WillBeRequested: "this evaluation requests it",
    InitialEvaluation: "this is the first evaluation of the condition",
    InLatestTimeWindow: "it is among the latest time windows",
    CronTickPassed: "the schedule was due since the last evaluation",
    RootTarget: "the run that updated it was to update the asset of the condition too",
    LatestRunTags: "the run that last updated it has the tags",
    NewUpdateTags: "a run with the tags has updated it since the last evaluation",
    CheckResultIs: "that is the last result of the check",
    FreshnessIs: "that is its freshness",
    And: "all of these",
    Or: "any of these",
    Not: "the opposite of this",
    NewlyTrue: "this, and not at the last evaluation",
    Since: "the first of these has been true, and the second not since then",
    AnyDeps: "for any partition that it depends on",
    AllDeps: "for each asset that it depends on",
    AnyChecks: "for any of its checks",
    AllChecks: "for all of its checks",
    EntityMatches: "for another asset",
    AnyDownstream: "any condition of what depends on it",
    JobRoots: "for the root assets of the job",
}


def meaning(condition: AutomationCondition) -> str:
    """What a condition asks, in a few words; of one that users wrote, the first line of its docstring."""
    known = _MEANINGS.get(type(condition))
    if known is not None:
        return known
    text: Any = type(condition).__doc__
    return str(text).strip().partition("\n")[0] if text else ""


def explain(view: View, evaluated: Evaluated) -> ConditionEvaluation:
    """What a condition came to as a record that people can read.

    Args:
        view: The graph at the instant of the evaluation.
        evaluated: What the condition came to.
    """
    entity = evaluated.entity
    keys = subset_to_keys(evaluated.true.first(_NAMED), view.space(entity))
    return ConditionEvaluation(
        condition=evaluated.condition.words,
        meaning=meaning(evaluated.condition),
        entity=entity.id,
        candidates=len(evaluated.candidates),
        count=len(evaluated.true),
        true=keys,
        partitioned=entity.partitions is not None,
        children=tuple(explain(view, child) for child in evaluated.children),
    )
