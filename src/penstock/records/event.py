"""Events: what happened in a run or to an asset. An event is an envelope (who, when) around one fact (what).

A fact's tag is the event type that users and the API know. `records/phrases.py` says each fact as a sentence;
`records/run.py` says which of them move a run.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from .errors import ErrorInfo
from .metadata import Metadata
from .run import FailureReason

__all__ = [
    "EVENT_TYPES",
    "AssetCheckEvaluation",
    "AssetCheckEvaluationPlanned",
    "AssetMaterialization",
    "AssetMaterializationPlanned",
    "AssetObservation",
    "EngineNote",
    "Event",
    "Fact",
    "HandledOutput",
    "HookCompleted",
    "HookErrored",
    "HookSkipped",
    "LoadedInput",
    "LogLine",
    "LogsCaptured",
    "ResourceInitFailure",
    "ResourceInitStarted",
    "ResourceInitSuccess",
    "RunCanceled",
    "RunCanceling",
    "RunEnqueued",
    "RunFailure",
    "RunStart",
    "RunStarting",
    "RunSuccess",
    "StepFailure",
    "StepInput",
    "StepOutput",
    "StepRestarted",
    "StepSkipped",
    "StepStart",
    "StepSuccess",
    "StepUpForRetry",
    "StepWorkerStarted",
    "StepWorkerStarting",
    "StoredEvent",
]


class _Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all facts share: they are frozen, and a field at its default is not written."""


# -- the run ----------------------------------------------------------------------------------------------------------


class RunEnqueued(_Fact, frozen=True, kw_only=True, tag="RUN_ENQUEUED"):
    """The coordinator put the run into the queue, or the daemon put it back (`reason` says why)."""

    reason: str | None = None


class RunStarting(_Fact, frozen=True, kw_only=True, tag="RUN_STARTING"):
    """The run was claimed and is about to be handed to the launcher."""


class RunStart(_Fact, frozen=True, kw_only=True, tag="RUN_START"):
    """The run worker began."""

    pid: int | None = None
    executor: str | None = None


class RunSuccess(_Fact, frozen=True, kw_only=True, tag="RUN_SUCCESS"):
    """All steps ended without failure."""


class RunFailure(_Fact, frozen=True, kw_only=True, tag="RUN_FAILURE"):
    """The run failed."""

    reason: FailureReason
    message: str
    error: ErrorInfo | None = None
    failed_steps: tuple[str, ...] = ()


class RunCanceling(_Fact, frozen=True, kw_only=True, tag="RUN_CANCELING"):
    """Somebody asked the run to stop; `actor` is who, where known."""

    actor: str | None = None


class RunCanceled(_Fact, frozen=True, kw_only=True, tag="RUN_CANCELED"):
    """The run has stopped because it was asked to."""

    message: str | None = None


# -- steps ------------------------------------------------------------------------------------------------------------


class StepWorkerStarting(_Fact, frozen=True, kw_only=True, tag="STEP_WORKER_STARTING"):
    """A process for the step was asked for."""


class StepWorkerStarted(_Fact, frozen=True, kw_only=True, tag="STEP_WORKER_STARTED"):
    """The step's process runs."""

    pid: int


class LogsCaptured(_Fact, frozen=True, kw_only=True, tag="LOGS_CAPTURED"):
    """The capture of stdout and stderr begins; `log_key` is where `logs/` keeps them."""

    log_key: tuple[str, ...]
    steps: tuple[str, ...]


class ResourceInitStarted(_Fact, frozen=True, kw_only=True, tag="RESOURCE_INIT_STARTED"):
    """The set-up of resources begins."""

    resources: tuple[str, ...]


class ResourceInitSuccess(_Fact, frozen=True, kw_only=True, tag="RESOURCE_INIT_SUCCESS"):
    """All resources are set up; `seconds` per resource."""

    seconds: dict[str, float]


class ResourceInitFailure(_Fact, frozen=True, kw_only=True, tag="RESOURCE_INIT_FAILURE"):
    """A resource's set-up raised."""

    resource: str
    error: ErrorInfo


class StepStart(_Fact, frozen=True, kw_only=True, tag="STEP_START"):
    """The step's first attempt begins."""


class StepRestarted(_Fact, frozen=True, kw_only=True, tag="STEP_RESTARTED"):
    """A further attempt of the step begins; `retry` is 1 for the second attempt."""

    retry: int


class StepUpForRetry(_Fact, frozen=True, kw_only=True, tag="STEP_UP_FOR_RETRY"):
    """An attempt failed and another follows after `wait` seconds."""

    error: ErrorInfo
    retry: int
    wait: float = 0.0


class LoadedInput(_Fact, frozen=True, kw_only=True, tag="LOADED_INPUT"):
    """An IO manager loaded an input from what `upstream_step` stored as `upstream_output`."""

    input: str
    io_manager: str
    upstream_step: str | None = None
    upstream_output: str | None = None
    metadata: Metadata = {}


class StepInput(_Fact, frozen=True, kw_only=True, tag="STEP_INPUT"):
    """An input is at hand and of its declared type."""

    input: str
    type_name: str | None = None
    metadata: Metadata = {}


class StepOutput(_Fact, frozen=True, kw_only=True, tag="STEP_OUTPUT"):
    """The step gave an output of its declared type; `mapping_key` for a dynamic one."""

    output: str
    mapping_key: str | None = None
    type_name: str | None = None
    metadata: Metadata = {}


class HandledOutput(_Fact, frozen=True, kw_only=True, tag="HANDLED_OUTPUT"):
    """An IO manager stored an output."""

    output: str
    io_manager: str
    mapping_key: str | None = None
    metadata: Metadata = {}


class StepSuccess(_Fact, frozen=True, kw_only=True, tag="STEP_SUCCESS"):
    """The step ended well after `seconds`."""

    seconds: float


class StepFailure(_Fact, frozen=True, kw_only=True, tag="STEP_FAILURE"):
    """The step failed for good.

    `source` is USER_CODE_ERROR, FRAMEWORK_ERROR, UNEXPECTED_ERROR (the process died) or INTERRUPT (it was canceled).
    """

    error: ErrorInfo
    source: str = "USER_CODE_ERROR"
    metadata: Metadata = {}


class StepSkipped(_Fact, frozen=True, kw_only=True, tag="STEP_SKIPPED"):
    """The step was not run: an optional output that it needs was not given (`reason` names it)."""

    reason: str


class HookCompleted(_Fact, frozen=True, kw_only=True, tag="HOOK_COMPLETED"):
    """A hook ran."""

    hook: str


class HookErrored(_Fact, frozen=True, kw_only=True, tag="HOOK_ERRORED"):
    """A hook raised; the run is not failed by it."""

    hook: str
    error: ErrorInfo


class HookSkipped(_Fact, frozen=True, kw_only=True, tag="HOOK_SKIPPED"):
    """A hook had nothing to do."""

    hook: str


# -- assets (keys in text form) ---------------------------------------------------------------------------------------


class AssetMaterializationPlanned(_Fact, frozen=True, kw_only=True, tag="ASSET_MATERIALIZATION_PLANNED"):
    """The run will make this asset (partition)."""

    asset: str
    partition: str | None = None


class AssetMaterialization(_Fact, frozen=True, kw_only=True, tag="ASSET_MATERIALIZATION"):
    """The asset (partition) was made."""

    asset: str
    partition: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    tags: dict[str, str] = {}


class AssetObservation(_Fact, frozen=True, kw_only=True, tag="ASSET_OBSERVATION"):
    """The asset (partition) was looked at."""

    asset: str
    partition: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    tags: dict[str, str] = {}


class AssetCheckEvaluationPlanned(_Fact, frozen=True, kw_only=True, tag="ASSET_CHECK_EVALUATION_PLANNED"):
    """The run will evaluate this check."""

    asset: str
    check: str
    partition: str | None = None


class AssetCheckEvaluation(_Fact, frozen=True, kw_only=True, tag="ASSET_CHECK_EVALUATION"):
    """A check was evaluated; `severity` is ERROR or WARN and counts when it did not pass."""

    asset: str
    check: str
    passed: bool
    severity: str = "ERROR"
    partition: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    blocking: bool = False


# -- the rest ---------------------------------------------------------------------------------------------------------


class LogLine(_Fact, frozen=True, kw_only=True, tag="LOG"):
    """A line that user code logged; `level` is DEBUG, INFO, WARNING, ERROR or CRITICAL."""

    level: str
    message: str
    logger: str = "penstock"
    error: ErrorInfo | None = None


class EngineNote(_Fact, frozen=True, kw_only=True, tag="ENGINE_EVENT"):
    """A note of the engine: something that a reader of the run's log wants to know."""

    message: str
    metadata: Metadata = {}
    error: ErrorInfo | None = None


Fact: TypeAlias = (
    RunEnqueued
    | RunStarting
    | RunStart
    | RunSuccess
    | RunFailure
    | RunCanceling
    | RunCanceled
    | StepWorkerStarting
    | StepWorkerStarted
    | LogsCaptured
    | ResourceInitStarted
    | ResourceInitSuccess
    | ResourceInitFailure
    | StepStart
    | StepRestarted
    | StepUpForRetry
    | LoadedInput
    | StepInput
    | StepOutput
    | HandledOutput
    | StepSuccess
    | StepFailure
    | StepSkipped
    | HookCompleted
    | HookErrored
    | HookSkipped
    | AssetMaterializationPlanned
    | AssetMaterialization
    | AssetObservation
    | AssetCheckEvaluationPlanned
    | AssetCheckEvaluation
    | LogLine
    | EngineNote
)


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as its writer made it.

    `time` is in seconds since the Unix epoch, UTC. A run worker numbers its events `seq` = 1, 2, 3 ... within its
    attempt, so that writing a batch twice stores it once. Events from outside the worker (coordinator, daemon, code
    server) have no `seq`: the run's state guards them.
    """

    time: float
    fact: Fact
    step_key: str | None = None
    seq: int | None = None

    @property
    def type(self) -> str:
        """The event type, for example `STEP_START`."""
        tag: str = self.fact.__struct_config__.tag  # type: ignore[assignment]  # every fact has a text tag
        return tag


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as the store gives it back: with its place in the log (`id` grows) and the run that it is of."""

    id: int
    event: Event
    run_id: str | None = None


EVENT_TYPES: tuple[str, ...] = tuple(sorted(fact.__struct_config__.tag for fact in Fact.__args__))
"""Every event type, sorted."""
