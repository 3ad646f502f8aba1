"""Facts about assets in the form in which user code reports them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from ..definitions.events import AssetCheckEvaluation, AssetCheckSeverity, AssetMaterialization, AssetObservation
from ..records import event as facts
from ..records.event import Event

__all__ = ["evaluations", "materializations", "observations"]

_Reported = TypeVar("_Reported", AssetMaterialization, AssetObservation)


def materializations(events: Iterable[Event]) -> list[AssetMaterialization]:
    """The materializations among events, in order."""
    return [
        _reported(AssetMaterialization, event.fact)
        for event in events
        if isinstance(event.fact, facts.AssetMaterialization)
    ]


def observations(events: Iterable[Event]) -> list[AssetObservation]:
    """The observations among events, in order."""
    return [
        _reported(AssetObservation, event.fact) for event in events if isinstance(event.fact, facts.AssetObservation)
    ]


def _reported(kind: type[_Reported], fact: facts.AssetMaterialization | facts.AssetObservation) -> _Reported:
    return kind(
        asset_key=fact.asset_key,
        description=fact.description,
        metadata=fact.metadata,
        partition=fact.partition,
        tags=fact.tags,
    )


def evaluations(events: Iterable[Event]) -> list[AssetCheckEvaluation]:
    """The outcomes of checks among events, in order."""
    return [
        AssetCheckEvaluation(
            fact.asset_key,
            fact.check,
            fact.passed,
            metadata=fact.metadata,
            severity=AssetCheckSeverity(fact.severity),
            description=fact.description,
            blocking=fact.blocking,
            partition=fact.partition,
        )
        for fact in (event.fact for event in events)
        if isinstance(fact, facts.AssetCheckEvaluation)
    ]
