"""Events: what happened in a run or to an asset. An event is an envelope (who, when) around one fact (what).

A fact's tag is the event type that users and the API know. `records/phrases.py` says each fact as a sentence;
`records/run.py` says which of them move a run.
"""

from __future__ import annotations

from typing import Self, TypeAlias

import msgspec

from .errors import ErrorInfo
from .event_type import FAILURES, EventType
from .freshness_state import FreshnessState
from .keys import AssetKey
from .metadata import Metadata
from .run import FailureReason
from .step_figures import StepFigures

__all__ = [
    "EVENT_TYPES",
    "AssetCheckEvaluation",
    "AssetCheckEvaluationPlanned",
    "AssetFact",
    "AssetMaterialization",
    "AssetMaterializationPlanned",
    "AssetObservation",
    "AssetWiped",
    "EngineNote",
    "Event",
    "Fact",
    "FreshnessStateChange",
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
    "RunResumed",
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
    """The coordinator put the run into the queue, or it was put back (`reason` says why).

    `lost_worker`: it was put back because its worker was lost. These are counted: a run is resumed so often only.
    """

    reason: str | None = None
    lost_worker: bool = False


class RunStarting(_Fact, frozen=True, kw_only=True, tag="RUN_STARTING"):
    """The run was claimed and is about to be handed to the launcher."""


class RunStart(_Fact, frozen=True, kw_only=True, tag="RUN_START"):
    """The run worker began."""

    pid: int | None = None
    executor: str | None = None


class RunResumed(_Fact, frozen=True, kw_only=True, tag="RUN_RESUMED"):
    """Another run worker goes on where a lost one has stopped; `done` steps had ended by then."""

    pid: int | None = None
    executor: str | None = None
    done: int = 0


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
    """A further attempt of the step begins; `retry` is 1 for the second attempt.

    `reason` tells why an attempt begins again that had not failed, which counts as no retry: its worker was lost.
    """

    retry: int
    reason: str | None = None


class StepUpForRetry(_Fact, frozen=True, kw_only=True, tag="STEP_UP_FOR_RETRY"):
    """An attempt failed and another follows after `wait` seconds. `figures` are those of the attempt that failed."""

    error: ErrorInfo
    retry: int
    wait: float = 0.0
    figures: StepFigures | None = None


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
    """The step ended well after `seconds`; `figures` say where they went."""

    seconds: float
    figures: StepFigures | None = None


class StepFailure(_Fact, frozen=True, kw_only=True, tag="STEP_FAILURE"):
    """The step failed for good.

    `source` is USER_CODE_ERROR, FRAMEWORK_ERROR, UNEXPECTED_ERROR (the process died) or INTERRUPT (it was canceled).
    """

    error: ErrorInfo
    source: str = "USER_CODE_ERROR"
    metadata: Metadata = {}
    figures: StepFigures | None = None


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


class _AssetFact(_Fact, frozen=True, kw_only=True):
    """What facts about an asset share."""

    asset: str

    @property
    def asset_key(self) -> AssetKey:
        """The asset's key."""
        return AssetKey.from_user_string(self.asset)


class AssetMaterializationPlanned(_AssetFact, frozen=True, kw_only=True, tag="ASSET_MATERIALIZATION_PLANNED"):
    """The run will make this asset (partition)."""

    partition: str | None = None


class AssetMaterialization(_AssetFact, frozen=True, kw_only=True, tag="ASSET_MATERIALIZATION"):
    """The asset (partition) was made."""

    partition: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    tags: dict[str, str] = {}

    @property
    def materialization(self) -> Self:
        """What was made: this very record, for code that looks for it inside the event's fact."""
        return self


class AssetObservation(_AssetFact, frozen=True, kw_only=True, tag="ASSET_OBSERVATION"):
    """The asset (partition) was looked at."""

    partition: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    tags: dict[str, str] = {}

    @property
    def asset_observation(self) -> Self:
        """What was observed: this very record, for code that looks for it inside the event's fact."""
        return self


class AssetCheckEvaluationPlanned(_AssetFact, frozen=True, kw_only=True, tag="ASSET_CHECK_EVALUATION_PLANNED"):
    """The run will evaluate this check."""

    check: str
    partition: str | None = None


class AssetCheckEvaluation(_AssetFact, frozen=True, kw_only=True, tag="ASSET_CHECK_EVALUATION"):
    """A check was evaluated; `severity` is ERROR or WARN and counts when it did not pass."""

    check: str
    passed: bool
    severity: str = "ERROR"
    partition: str | None = None
    description: str | None = None
    metadata: Metadata = {}
    blocking: bool = False


class AssetWiped(_AssetFact, frozen=True, kw_only=True, tag="ASSET_WIPED"):
    """What was known of the asset, or of these partitions of it, was forgotten; logs of runs keep their lines."""

    partitions: tuple[str, ...] | None = None


class FreshnessStateChange(_AssetFact, frozen=True, kw_only=True, tag="FRESHNESS_STATE_CHANGE"):
    """How fresh an asset is has changed; `previous` is UNKNOWN where nothing was told before."""

    state: FreshnessState
    previous: FreshnessState


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
    | RunResumed
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
    | AssetWiped
    | FreshnessStateChange
    | LogLine
    | EngineNote
)


AssetFact: TypeAlias = AssetMaterialization | AssetObservation | AssetCheckEvaluation | AssetWiped
"""The facts about assets that may be told without a run."""


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
        return _TYPES[type(self.fact)]

    @property
    def event_type(self) -> EventType | None:
        """The event type as a member of the enum; None for a line that user code logged."""
        return None if isinstance(self.fact, LogLine) else EventType(self.type)

    @property
    def message(self) -> str:
        """What happened, as a sentence."""
        from .phrases import phrase

        return phrase(self)

    @property
    def asset_key(self) -> AssetKey | None:
        """The asset that it is about, if it is about one."""
        return self.fact.asset_key if isinstance(self.fact, _AssetFact) else None

    @property
    def partition(self) -> str | None:
        """The partition that it is about, if it is about one."""
        return getattr(self.fact, "partition", None)

    @property
    def error(self) -> ErrorInfo | None:
        """The error that it tells of, if any."""
        return getattr(self.fact, "error", None)

    @property
    def is_step_event(self) -> bool:
        """Whether it is about one step."""
        return self.step_key is not None and not isinstance(self.fact, LogLine)

    @property
    def is_failure(self) -> bool:
        """Whether it says that a step or run did not come to its end."""
        return self.type in FAILURES

    @property
    def is_hook_event(self) -> bool:
        """Whether it tells of a hook."""
        return isinstance(self.fact, HookCompleted | HookErrored | HookSkipped)

    @property
    def is_expectation_result(self) -> bool:
        """Whether it tells the result of a check inside an op."""
        return self.type == EventType.STEP_EXPECTATION_RESULT

    @property
    def is_engine_event(self) -> bool:
        """Whether it is a note of the engine."""
        return isinstance(self.fact, EngineNote)

    @property
    def is_successful_output(self) -> bool:
        """Whether a step gave an output."""
        return isinstance(self.fact, StepOutput)

    @property
    def is_handled_output(self) -> bool:
        """Whether an IO manager stored an output."""
        return isinstance(self.fact, HandledOutput)

    @property
    def is_loaded_input(self) -> bool:
        """Whether an IO manager loaded an input."""
        return isinstance(self.fact, LoadedInput)

    @property
    def is_step_start(self) -> bool:
        """Whether a step began."""
        return isinstance(self.fact, StepStart)

    @property
    def is_step_success(self) -> bool:
        """Whether a step ended well."""
        return isinstance(self.fact, StepSuccess)

    @property
    def is_step_failure(self) -> bool:
        """Whether a step failed for good."""
        return isinstance(self.fact, StepFailure)

    @property
    def is_step_skipped(self) -> bool:
        """Whether a step was left out."""
        return isinstance(self.fact, StepSkipped)

    @property
    def is_step_up_for_retry(self) -> bool:
        """Whether an attempt of a step failed and another one follows."""
        return isinstance(self.fact, StepUpForRetry)

    @property
    def is_step_restarted(self) -> bool:
        """Whether a further attempt of a step began."""
        return isinstance(self.fact, StepRestarted)

    @property
    def is_resource_init_failure(self) -> bool:
        """Whether a resource could not be set up."""
        return isinstance(self.fact, ResourceInitFailure)

    @property
    def is_step_materialization(self) -> bool:
        """Whether an asset was made."""
        return isinstance(self.fact, AssetMaterialization)

    @property
    def is_asset_materialization_planned(self) -> bool:
        """Whether a run announced to make an asset."""
        return isinstance(self.fact, AssetMaterializationPlanned)

    @property
    def is_asset_observation(self) -> bool:
        """Whether an asset was observed."""
        return isinstance(self.fact, AssetObservation)


class StoredEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event as the store gives it back: with its place in the log (`id` grows) and the run that it is of."""

    id: int
    event: Event
    run_id: str | None = None


_TYPES: dict[type, str] = {fact: fact.__struct_config__.tag for fact in Fact.__args__}
EVENT_TYPES: tuple[str, ...] = tuple(sorted(_TYPES.values()))
"""Every event type, sorted."""
