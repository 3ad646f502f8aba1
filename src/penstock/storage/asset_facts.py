"""Facts about assets and checks as the rows that they make, the same in every dialect. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..codec import encode_json
from ..records.data_version import VersionTag, input_versions
from ..records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    Event,
    FreshnessStateChange,
)

__all__ = [
    "ASSET_EVENTS",
    "HISTORY",
    "LATEST",
    "MADE_OR_SEEN",
    "NumberedEvent",
    "VersionedFact",
    "freshness_rows",
    "history_rows",
    "made_facts",
    "observed_facts",
    "planned_rows",
    "version_rows",
]

NumberedEvent = tuple[int, Event, bytes]
"""An event with its number, which is its id or says where it is, and its stored bytes."""

VersionedFact = tuple[int, AssetMaterialization | AssetObservation, float]
"""A fact with its event's number and time."""

ASSET_EVENTS = frozenset(
    {
        "ASSET_MATERIALIZATION_PLANNED",
        "ASSET_MATERIALIZATION",
        "ASSET_OBSERVATION",
        "ASSET_CHECK_EVALUATION_PLANNED",
        "ASSET_CHECK_EVALUATION",
        "ASSET_WIPED",
        "FRESHNESS_STATE_CHANGE",
    }
)
"""Event types that change what is known of an asset or a check."""

MADE_OR_SEEN = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION")
"""Event types whose history goes when an asset is wiped."""

LATEST = {
    "ASSET_MATERIALIZATION": ("materialized_event", "materialized_at", "materialized_run"),
    "ASSET_OBSERVATION": ("observed_event", "observed_at"),
}
"""The columns of an asset's state that name its latest event of a type: its id, its time, its run."""

HISTORY = "id, asset, partition, type, time, run_id, body"
"""The columns of an asset's history."""


def history_rows(run_id: str | None, events: Iterable[NumberedEvent]) -> list[tuple[Any, ...]]:
    """The rows of `HISTORY` of these events."""
    return [
        (number, event.fact.asset, event.partition, event.type, event.time, run_id, body)
        for number, event, body in events
        if isinstance(event.fact, AssetMaterialization | AssetObservation | AssetCheckEvaluation)
    ]


def planned_rows(events: Iterable[NumberedEvent]) -> list[tuple[str, str, float]]:
    """(asset, partition or '', time) of what was announced."""
    rows = []
    for _, event, _ in events:
        assert isinstance(event.fact, AssetMaterializationPlanned)
        rows.append((event.fact.asset, event.fact.partition or "", event.time))
    return rows


def made_facts(events: Iterable[NumberedEvent]) -> list[tuple[int, AssetMaterialization, float]]:
    """The materializations among these events, which are nothing else, with their numbers and times."""
    made = []
    for number, event, _ in events:
        assert isinstance(event.fact, AssetMaterialization)
        made.append((number, event.fact, event.time))
    return made


def observed_facts(events: Iterable[NumberedEvent]) -> list[tuple[int, AssetObservation, float]]:
    """The observations among these events, which are nothing else, with their numbers and times."""
    observed = []
    for number, event, _ in events:
        assert isinstance(event.fact, AssetObservation)
        observed.append((number, event.fact, event.time))
    return observed


def freshness_rows(events: Iterable[NumberedEvent]) -> list[tuple[Any, ...]]:
    """The rows of `rows.FRESHNESS` of changes, the last one of each asset."""
    found: dict[str, tuple[Any, ...]] = {}
    for number, event, _ in events:
        assert isinstance(event.fact, FreshnessStateChange)
        found[event.fact.asset] = (event.fact.asset, event.fact.state.value, event.time, number)
    return list(found.values())


def version_rows(run_id: str | None, seen: Sequence[VersionedFact]) -> list[tuple[Any, ...]]:
    """The rows of `rows.DATA_VERSION`: of the asset ('' as the partition) and of the partition that each fact names.

    A materialization that names no version has none here: its event's id is its own. An observation without one says
    nothing.
    """
    rows = []
    for number, fact, time in seen:
        tags = fact.tags
        if isinstance(fact, AssetObservation) and VersionTag.DATA_VERSION not in tags:
            continue
        row = (
            number,
            time,
            run_id,
            tags.get(VersionTag.DATA_VERSION),
            isinstance(fact, AssetObservation),
            tags.get(VersionTag.CODE_VERSION),
            encode_json(input_versions(tags)).decode(),
        )
        rows += [(fact.asset, partition, *row) for partition in dict.fromkeys(("", fact.partition or ""))]
    return rows
