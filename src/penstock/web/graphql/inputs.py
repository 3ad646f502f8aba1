"""The inputs of the API as records; each class is the GraphQL input type of its name."""

from __future__ import annotations

from typing import Any

import msgspec

from ...records.keys import AssetKey
from ...records.location import REPOSITORY

__all__ = [
    "INPUTS",
    "AssetBackfillPreviewParams",
    "AssetCheckHandleInput",
    "AssetGroupSelector",
    "AssetKeyInput",
    "BulkActionsFilter",
    "ExecutionMetadata",
    "ExecutionParams",
    "ExecutionTag",
    "InstigationOverrideInput",
    "InstigationSelector",
    "JobOrPipelineSelector",
    "LaunchBackfillParams",
    "PartitionRangeSelector",
    "PartitionsByAssetSelector",
    "PartitionsSelector",
    "PipelineSelector",
    "ReexecutionParams",
    "ReportRunlessAssetEventsParams",
    "RepositorySelector",
    "RunsFilter",
    "ScheduleSelector",
    "SensorSelector",
    "tags_of",
]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """What all inputs share."""


class AssetKeyInput(Input, frozen=True, kw_only=True):
    """The key of an asset, by its parts."""

    path: list[str]

    @property
    def text(self) -> str:
        """The key's text form. A path without parts, or with an empty one, names no asset: its text is empty."""
        joined = "/".join(self.path)
        if not all(self.path) or joined.count("/") != len(self.path) - 1:
            return AssetKey(self.path).to_user_string() if self.path and all(self.path) else ""
        return joined  # no part has a slash of its own


class AssetCheckHandleInput(Input, frozen=True, kw_only=True):
    """A check of an asset."""

    asset_key: AssetKeyInput
    name: str

    @property
    def text(self) -> str:
        """The check's key in text form."""
        return f"{self.asset_key.text}:{self.name}"


class RepositorySelector(Input, frozen=True, kw_only=True):
    """A location's definitions."""

    repository_location_name: str
    repository_name: str = REPOSITORY


class AssetGroupSelector(RepositorySelector, frozen=True, kw_only=True):
    """The assets of a group."""

    group_name: str


class ScheduleSelector(RepositorySelector, frozen=True, kw_only=True):
    """A schedule."""

    schedule_name: str


class SensorSelector(RepositorySelector, frozen=True, kw_only=True):
    """A sensor."""

    sensor_name: str


class InstigationSelector(RepositorySelector, frozen=True, kw_only=True):
    """A schedule or sensor."""

    name: str


class InstigationOverrideInput(Input, frozen=True, kw_only=True):
    """What is to hold for a schedule or sensor in place of its code."""

    paused_until: float | None = None
    cron_schedule: list[str] | None = None
    execution_timezone: str | None = None
    interval_seconds: float | None = None
    run_config_data: Any = None
    tags: list[ExecutionTag] | None = None
    reason: str | None = None


class _Selection(RepositorySelector, frozen=True, kw_only=True):
    """What of a job."""

    solid_selection: list[str] | None = None
    asset_selection: list[AssetKeyInput] | None = None
    asset_check_selection: list[AssetCheckHandleInput] | None = None

    @property
    def steps(self) -> tuple[str, ...] | None:
        """Step keys; None is all."""
        return tuple(self.solid_selection) if self.solid_selection else None

    @property
    def assets(self) -> tuple[str, ...] | None:
        """Asset keys in text form; None is all."""
        return None if self.asset_selection is None else tuple(key.text for key in self.asset_selection)

    @property
    def checks(self) -> tuple[str, ...] | None:
        """Check keys in text form; None is all that go with the assets."""
        return None if self.asset_check_selection is None else tuple(key.text for key in self.asset_check_selection)


class PipelineSelector(_Selection, frozen=True, kw_only=True):
    """A job, or part of it."""

    pipeline_name: str

    @property
    def job(self) -> str | None:
        """The job's name."""
        return self.pipeline_name


class JobOrPipelineSelector(_Selection, frozen=True, kw_only=True):
    """A job, part of it, or assets of a location."""

    pipeline_name: str | None = None
    job_name: str | None = None

    @property
    def job(self) -> str | None:
        """The job's name; None for a selection of assets."""
        return self.job_name or self.pipeline_name


class ExecutionTag(Input, frozen=True, kw_only=True):
    """A tag."""

    key: str
    value: str


class ExecutionMetadata(Input, frozen=True, kw_only=True):
    """Tags of a new run, and where it stems from."""

    tags: list[ExecutionTag] | None = None
    root_run_id: str | None = None
    parent_run_id: str | None = None


class ExecutionParams(Input, frozen=True, kw_only=True):
    """A run to be made."""

    selector: JobOrPipelineSelector
    run_config_data: Any = None
    mode: str | None = None
    execution_metadata: ExecutionMetadata | None = None
    step_keys: list[str] | None = None
    partition: str | None = None


class ReexecutionParams(Input, frozen=True, kw_only=True):
    """A run to be made from an ended one."""

    parent_run_id: str
    strategy: str
    extra_tags: list[ExecutionTag] | None = None
    use_parent_run_tags: bool | None = True
    step_keys: list[str] | None = None


class PartitionRangeSelector(Input, frozen=True, kw_only=True):
    """A stretch of partitions, both ends included."""

    start: str
    end: str


class PartitionsSelector(Input, frozen=True, kw_only=True):
    """Some partitions, by stretches."""

    ranges: list[PartitionRangeSelector]


class PartitionsByAssetSelector(Input, frozen=True, kw_only=True):
    """Partitions of an asset; all if none are named."""

    asset_key: AssetKeyInput
    partitions: PartitionsSelector | None = None


class BulkActionsFilter(Input, frozen=True, kw_only=True):
    """Which backfills: all given conditions hold."""

    statuses: list[str] | None = None
    created_before: float | None = None
    created_after: float | None = None
    job_name: str | None = None
    asset_key: AssetKeyInput | None = None
    user: str | None = None
    text: str | None = None


class AssetBackfillPreviewParams(Input, frozen=True, kw_only=True):
    """What a backfill is to be looked at for before it is launched."""

    asset_selection: list[AssetKeyInput]
    partition_names: list[str] | None = None
    partitions_of: AssetKeyInput | None = None


class LaunchBackfillParams(Input, frozen=True, kw_only=True):
    """What a backfill is to make."""

    selector: PipelineSelector | None = None
    partitions_by_assets: list[PartitionsByAssetSelector] | None = None
    asset_selection: list[AssetKeyInput] | None = None
    repository_location_name: str | None = None
    partition_names: list[str] | None = None
    partitions_of: AssetKeyInput | None = None
    all_partitions: bool | None = None
    only_missing: bool | None = None
    tags: list[ExecutionTag] | None = None
    run_config_data: Any = None
    title: str | None = None
    description: str | None = None


class RunsFilter(Input, frozen=True, kw_only=True):
    """Which runs: all given conditions hold."""

    run_ids: list[str | None] | None = None
    pipeline_name: str | None = None
    location_name: str | None = None
    asset_key: AssetKeyInput | None = None
    tags: list[ExecutionTag] | None = None
    statuses: list[str] | None = None
    updated_after: float | None = None
    created_before: float | None = None
    created_after: float | None = None
    ended_after: float | None = None


class ReportRunlessAssetEventsParams(Input, frozen=True, kw_only=True):
    """An event that no run made."""

    event_type: str
    asset_key: AssetKeyInput
    partition_keys: list[str] | None = None
    description: str | None = None


def tags_of(tags: list[ExecutionTag] | None) -> dict[str, str]:
    """Tags as a mapping; the last value of a key counts."""
    return {tag.key: tag.value for tag in tags or ()}


INPUTS: dict[str, type[Input]] = {
    kind.__name__: kind
    for kind in (
        AssetBackfillPreviewParams,
        AssetCheckHandleInput,
        AssetGroupSelector,
        AssetKeyInput,
        BulkActionsFilter,
        ExecutionMetadata,
        ExecutionParams,
        ExecutionTag,
        InstigationOverrideInput,
        InstigationSelector,
        JobOrPipelineSelector,
        LaunchBackfillParams,
        PartitionRangeSelector,
        PartitionsByAssetSelector,
        PartitionsSelector,
        PipelineSelector,
        ReexecutionParams,
        ReportRunlessAssetEventsParams,
        RepositorySelector,
        RunsFilter,
        ScheduleSelector,
        SensorSelector,
    )
}
