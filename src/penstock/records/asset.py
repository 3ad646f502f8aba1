"""What is known of assets from their events: small rows kept on write, so that no page reads the log to find them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from .event import AssetCheckEvaluation, AssetMaterialization, AssetObservation

__all__ = [
    "EVER_MATERIALIZED",
    "LETTERS",
    "AssetEvent",
    "AssetPartitionStatus",
    "AssetState",
    "CheckState",
    "PartitionLetter",
    "PartitionState",
    "PartitionStatus",
    "PartitionStatuses",
    "PlannedAsset",
]


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


class PartitionLetter(StrEnum):
    """Where a partition stands, in one letter: a capital one where it was ever materialized."""

    MISSING = "."
    MATERIALIZED = "M"
    FAILED = "f"
    FAILED_AGAIN = "F"
    MATERIALIZING = "i"
    MATERIALIZING_AGAIN = "I"


LETTERS: Mapping[PartitionStatus, str] = MappingProxyType(
    {
        PartitionStatus.MATERIALIZED: PartitionLetter.MATERIALIZED.value,
        PartitionStatus.FAILED: PartitionLetter.FAILED + PartitionLetter.FAILED_AGAIN,
        PartitionStatus.MATERIALIZING: PartitionLetter.MATERIALIZING + PartitionLetter.MATERIALIZING_AGAIN,
    }
)
"""The letters of each status."""

EVER_MATERIALIZED = frozenset(letter.value for letter in PartitionLetter if letter.isupper())
"""The letters of partitions that were materialized at some time, whatever became of them since."""


class PartitionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One partition of one asset: its status, the run behind it, and when it was last made."""

    asset: str
    partition: str
    status: PartitionStatus
    run_id: str | None = None
    event: int | None = None
    updated: float = 0.0
    materialized_at: float | None = None

    @property
    def letter(self) -> PartitionLetter:
        """The same in a letter."""
        first, again = LETTERS[self.status][0], LETTERS[self.status][-1]
        return PartitionLetter(first if self.event is None else again)


class PartitionStatuses(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where all partitions of one asset stand. Each has a place among them that it keeps, and that no other ever gets.

    Args:
        letters: The `PartitionLetter` of each place.
        keys: The keys of the partitions that are not missing, in the order of their places; not those of places that
            whoever asks knows already.
    """

    letters: str = ""
    keys: tuple[str, ...] = ()

    def by_key(self) -> dict[str, str]:
        """The letter of each partition that is not missing, where no key is left out."""
        return dict(zip(self.keys, self.letters.replace(PartitionLetter.MISSING, ""), strict=True))


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
