"""Turns what users report about assets into the facts that are stored."""

from __future__ import annotations

from ..definitions.events import AssetCheckEvaluation, AssetCheckResult, AssetMaterialization, AssetObservation
from ..records import event as facts
from ..records.keys import AssetCheckKey

__all__ = ["check_fact", "evaluation_fact", "materialization_fact", "observation_fact"]


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
