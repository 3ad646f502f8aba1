"""Failures that are part of the API: each class is the GraphQL type of its name."""

from __future__ import annotations

import msgspec

__all__ = [
    "AssetNotFoundError",
    "BackfillNotFoundError",
    "ConflictingExecutionParamsError",
    "Failure",
    "InstigationStateNotFoundError",
    "InvalidPipelineRunsFilterError",
    "InvalidSubsetError",
    "PartitionKeysNotFoundError",
    "PipelineConfigValidationError",
    "PipelineNotFoundError",
    "RefusedError",
    "ReloadNotSupported",
    "RepositoryLocationNotFound",
    "RepositoryNotFoundError",
    "Result",
    "RunConfigValidationInvalid",
    "RunConflict",
    "RunGroupNotFoundError",
    "RunNotFoundError",
    "ScheduleNotFoundError",
    "SensorNotFoundError",
    "UnauthorizedError",
]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An answer whose class has the name of its GraphQL type."""


class Failure(Result, frozen=True, kw_only=True):
    """A failure that a caller is to expect. The message says what is wrong and the way out."""

    message: str


class RefusedError(Exception):
    """Ends a resolver with a failure that its GraphQL type knows, where that was found some calls below."""

    def __init__(self, failure: Result) -> None:
        super().__init__(getattr(failure, "message", type(failure).__name__))
        self.failure = failure


class UnauthorizedError(Failure, frozen=True, kw_only=True):
    """The actor may not do this."""


class RepositoryNotFoundError(Failure, frozen=True, kw_only=True):
    """No location of that name has loaded definitions."""

    repository_name: str
    repository_location_name: str


class RepositoryLocationNotFound(Failure, frozen=True, kw_only=True):
    """The workspace has no location of that name."""


class ReloadNotSupported(Failure, frozen=True, kw_only=True):
    """The location cannot be loaded anew from here."""


class PipelineNotFoundError(Failure, frozen=True, kw_only=True):
    """No job of that name."""

    pipeline_name: str
    repository_name: str
    repository_location_name: str


class InvalidSubsetError(Failure, frozen=True, kw_only=True):
    """A selection of steps, assets or checks that the job does not have."""


class RunNotFoundError(Failure, frozen=True, kw_only=True):
    """No run of that id."""

    run_id: str


class RunGroupNotFoundError(Failure, frozen=True, kw_only=True):
    """No run of that id, so no group either."""

    run_id: str


class RunConflict(Failure, frozen=True, kw_only=True):
    """The run's present state does not allow it."""


class InvalidPipelineRunsFilterError(Failure, frozen=True, kw_only=True):
    """A filter or cursor that means nothing."""


class AssetNotFoundError(Failure, frozen=True, kw_only=True):
    """No asset of that key."""


class BackfillNotFoundError(Failure, frozen=True, kw_only=True):
    """No backfill of that id."""

    backfill_id: str


class ScheduleNotFoundError(Failure, frozen=True, kw_only=True):
    """No schedule of that name."""

    schedule_name: str


class SensorNotFoundError(Failure, frozen=True, kw_only=True):
    """No sensor of that name."""

    sensor_name: str


class InstigationStateNotFoundError(Failure, frozen=True, kw_only=True):
    """No schedule or sensor of that name."""

    name: str


class ConflictingExecutionParamsError(Failure, frozen=True, kw_only=True):
    """Parameters that contradict each other."""


class PartitionKeysNotFoundError(Failure, frozen=True, kw_only=True):
    """Partition keys that the set does not have."""

    partition_keys: tuple[str, ...]


class PipelineConfigValidationError(Result, frozen=True, kw_only=True):
    """One mistake in a run config."""

    message: str
    path: tuple[str, ...]
    reason: str


class RunConfigValidationInvalid(Result, frozen=True, kw_only=True):
    """All mistakes in a run config."""

    pipeline_name: str
    errors: tuple[PipelineConfigValidationError, ...]
