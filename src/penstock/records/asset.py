"""What is known of assets from their events: small rows kept on write, so that no page reads the log to find them."""

from __future__ import annotations

import msgspec

__all__ = [
    "AssetEvent",
    "AssetPartitionStatus",
    "AssetState",
    "CheckState",
    "PartitionState",
    "PartitionStatus",
    "PlannedAsset",
]

from enum import StrEnum

from .event import AssetCheckEvaluation, AssetMaterialization, AssetObservation


class AssetState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An asset's latest facts. Event fields hold ids of `StoredEvent`s; times are seconds since the epoch.

    `in_progress_run` is the run, not yet ended, that last announced to make this asset (any partition).
    """

    asset: str
    materialized_event: int | None = None
    materialized_at: float | None = None
    materialized_run: str | None = None
    observed_event: int | None = None
    observed_at: float | None = None
    planned_run: str | None = None
    planned_at: float | None = None
    failed_run: str | None = None  # the last run that planned it and ended without making it
    failed_at: float | None = None

    @property
    def latest_event_at(self) -> float | None:
        """When it was last made or observed."""
        times = [each for each in (self.materialized_at, self.observed_at) if each is not None]
        return max(times, default=None)


class PartitionStatus(StrEnum):
    """Where one partition of an asset stands; a partition without a row is missing."""

    MATERIALIZED = "MATERIALIZED"
    MATERIALIZING = "MATERIALIZING"
    FAILED = "FAILED"


class AssetPartitionStatus(StrEnum):
    """Where one partition of an asset stands, as an instance tells it to user code."""

    MATERIALIZED = "MATERIALIZED"
    IN_PROGRESS = "IN_PROGRESS"
    FAILED = "FAILED"

    @classmethod
    def of(cls, status: PartitionStatus) -> AssetPartitionStatus:
        """The stored status in these words."""
        return cls.IN_PROGRESS if status is PartitionStatus.MATERIALIZING else cls(status.value)


class PartitionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One partition of one asset: its status, the run behind it, and when it was last made."""

    asset: str
    partition: str
    status: PartitionStatus
    run_id: str | None = None
    event: int | None = None
    updated: float = 0.0
    materialized_at: float | None = None


class PlannedAsset(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An asset, or one partition of it, that a run announced to make."""

    run_id: str
    asset: str
    partition: str | None = None


class CheckState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check's latest execution. `status` is IN_PROGRESS, SUCCEEDED, FAILED, EXECUTION_FAILED or SKIPPED."""

    asset: str
    check: str
    status: str
    run_id: str | None = None
    event: int | None = None
    updated: float = 0.0
    evaluation: AssetCheckEvaluation | None = None
    # When the asset that was checked had last been made at that time; an older one makes the result stale.
    asset_materialized_at: float | None = None


class AssetEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One materialization, observation or check evaluation of an asset, as its history keeps it."""

    id: int
    time: float
    run_id: str | None
    step_key: str | None
    fact: AssetMaterialization | AssetObservation | AssetCheckEvaluation
