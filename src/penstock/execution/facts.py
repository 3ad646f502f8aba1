"""Turns what users report about assets into the facts that are stored; `reported.py` turns them back."""

from __future__ import annotations

from typing import Any

from ..definitions.events import (
    AssetCheckEvaluation,
    AssetCheckResult,
    AssetMaterialization,
    AssetObservation,
)
from ..errors import UsageError
from ..records import event as facts
from ..records.keys import AssetCheckKey

__all__ = [
    "check_fact",
    "evaluation_fact",
    "fact_of_no_run",
    "materialization_fact",
    "observation_fact",
]


def materialization_fact(event: AssetMaterialization) -> facts.AssetMaterialization:
    """The stored form of a materialization that user code reports by itself."""
    return facts.AssetMaterialization(
        asset=event.asset_key.to_user_string(),
        partition=event.partition,
        description=event.description,
        metadata=event.metadata,
        tags=event.tags,
    )


def observation_fact(event: AssetObservation) -> facts.AssetObservation:
    """The stored form of an observation."""
    return facts.AssetObservation(
        asset=event.asset_key.to_user_string(),
        partition=event.partition,
        description=event.description,
        metadata=event.metadata,
        tags=event.tags,
    )


def fact_of_no_run(event: Any) -> facts.AssetFact:
    """The stored form of what is told of an asset without a run.

    Raises:
        UsageError: It is nothing that may be told so, or a check's outcome that does not name its check.
    """
    match event:
        case AssetMaterialization():
            return materialization_fact(event)
        case AssetObservation():
            return observation_fact(event)
        case AssetCheckEvaluation():
            return evaluation_fact(event)
        case AssetCheckResult():
            if event.check_key is None:
                raise UsageError(f"{event!r} names no check; give it asset_key and check_name.")
            return check_fact(event, event.check_key, partition=None, blocking=False)
        case facts.AssetMaterialization() | facts.AssetObservation() | facts.AssetCheckEvaluation():
            return event
    raise UsageError(
        f"{event!r} cannot be told without a run; give an AssetMaterialization, an AssetObservation, an "
        "AssetCheckResult or an AssetCheckEvaluation."
    )


def check_fact(
    result: AssetCheckResult, check: AssetCheckKey, *, partition: str | None, blocking: bool
) -> facts.AssetCheckEvaluation:
    """The stored form of a check's outcome."""
    return facts.AssetCheckEvaluation(
        asset=check.asset_key.to_user_string(),
        check=check.name,
        passed=result.passed,
        severity=result.severity.value,
        partition=partition,
        description=result.description,
        metadata=result.metadata,
        blocking=blocking,
    )


def evaluation_fact(event: AssetCheckEvaluation) -> facts.AssetCheckEvaluation:
    """The stored form of a check's outcome that user code reports by itself."""
    return facts.AssetCheckEvaluation(
        asset=event.asset_key.to_user_string(),
        check=event.check_name,
        passed=event.passed,
        severity=event.severity.value,
        partition=event.partition,
        description=event.description,
        metadata=event.metadata,
        blocking=event.blocking,
    )
