"""Messages between processes: the bodies of the code server's HTTP calls, and the frames inside one host.

HTTP bodies are JSON, frames are MessagePack; both are these records, checked on arrival. Fields are only added, each
with a default, so that neighbours of one minor version understand each other. `PROTOCOL` is sent with each answer.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec

from ..partitions.requests import PartitionsRequest
from .automation import BackfillRequestRecord, RunRequestRecord
from .conditions.evaluation import EvaluationRecord
from .errors import ErrorInfo
from .event import AssetFact, Event
from .run import Run
from .webhook import WebhookRequest

__all__ = [
    "PROTOCOL",
    "Answer",
    "Answered",
    "Asked",
    "CancelRun",
    "CheckRunConfig",
    "ConfigAnswer",
    "ConfigProblemRecord",
    "EvaluatePartitions",
    "EvaluateSchedule",
    "EvaluateSensor",
    "Evaluation",
    "ExecuteRun",
    "Exited",
    "Fork",
    "ForkRefused",
    "Forked",
    "LaunchAnswer",
    "LoadFailed",
    "LoadStatus",
    "Loaded",
    "Loading",
    "LocationState",
    "PartitionRun",
    "PartitionsAnswer",
    "Shutdown",
    "StepDone",
    "StepEvents",
    "StepMessage",
    "StorageAccess",
    "SupervisorFrame",
    "Work",
    "ZygoteFrame",
]

PROTOCOL = 1


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all messages share."""


class StorageAccess(_Message, frozen=True, kw_only=True):
    """How a process without the database's credentials reaches the storage: where, and with which token.

    `address` is `unix:/path/to.sock`, `http://host:port` or `https://host:port`: a code server, or the web server;
    `fallback` is another one for when that does not answer. The token is a secret, which no message or log shows.
    """

    address: str
    token: str
    fallback: str | None = None

    def __repr__(self) -> str:
        return f"StorageAccess(address={self.address!r}, token=..., fallback={self.fallback!r})"


# -- work that a fork of the zygote does ------------------------------------------------------------------------------


class ExecuteRun(_Message, frozen=True, kw_only=True, tag="execute_run"):
    """Be the run worker of this attempt of this run (`run.attempt` is the fencing epoch)."""

    run: Run


class EvaluateSchedule(_Message, frozen=True, kw_only=True, tag="evaluate_schedule"):
    """Evaluate a schedule for the instant `due` (seconds since the epoch)."""

    name: str
    due: float
    timeout: float = 60.0


class EvaluateSensor(_Message, frozen=True, kw_only=True, tag="evaluate_sensor"):
    """Evaluate a sensor from its cursor."""

    name: str
    due: float
    cursor: str | None = None
    last_run_key: str | None = None
    last_tick: float | None = None
    turned_on: float | None = None
    webhooks: tuple[WebhookRequest, ...] = ()
    timeout: float = 60.0


class CheckRunConfig(_Message, frozen=True, kw_only=True, tag="check_run_config"):
    """Check a run config with all that user code knows (types, constraints, validators)."""

    job: str
    run_config: dict[str, Any]
    step_keys: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    timeout: float = 30.0


class EvaluatePartitions(_Message, frozen=True, kw_only=True, tag="evaluate_partitions"):
    """Give the run config and tags of some partitions of a job."""

    job: str
    keys: tuple[str, ...]
    timeout: float = 60.0


Asked: TypeAlias = EvaluateSchedule | EvaluateSensor | CheckRunConfig | EvaluatePartitions
"""What user code is asked, apart from runs."""

Work: TypeAlias = ExecuteRun | Asked


# -- answers of that work, as written to the fork's channel and as HTTP bodies ----------------------------------------


class Evaluation(_Message, frozen=True, kw_only=True):
    """What an evaluation came to: run requests and other effects, or the reason for none, or the user's error.

    `backfill` is what it asks for beside the runs.
    `evaluations` are what automation conditions came to, where it was about them.
    With an error nothing else counts, unless it is `contained`: then it is that of one event, which is passed over.
    `until` says until when it need not be asked again, should nothing happen (seconds since the epoch).
    `acted` says that the function did something by itself; `more` that it has not come to the end of what there is.
    An `unfinished` one is sent on the way: what it logs, and what it asks for where it has a cursor, is added to what
    was sent before. All of that counts should the process come to no end.
    """

    run_requests: tuple[RunRequestRecord, ...] = ()
    backfill: BackfillRequestRecord | None = None
    skip_reason: str | None = None
    cursor: str | None = None
    error: ErrorInfo | None = None
    contained: bool = False
    log: tuple[str, ...] = ()
    partitions: tuple[PartitionsRequest, ...] = ()
    facts: tuple[AssetFact, ...] = ()
    evaluations: tuple[EvaluationRecord, ...] = ()
    until: float | None = None
    acted: bool = False
    more: bool = False
    unfinished: bool = False


class ConfigProblemRecord(_Message, frozen=True, kw_only=True):
    """One mistake in a run config: where, what kind, and a sentence with the remedy."""

    path: tuple[str, ...]
    reason: str
    message: str


class ConfigAnswer(_Message, frozen=True, kw_only=True):
    """All mistakes in a run config; none when it is valid."""

    problems: tuple[ConfigProblemRecord, ...] = ()
    error: ErrorInfo | None = None


class PartitionRun(_Message, frozen=True, kw_only=True):
    """What user code gives for the run of a partition."""

    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}


class PartitionsAnswer(_Message, frozen=True, kw_only=True):
    """What user code gives for some partitions, by key."""

    runs: dict[str, PartitionRun] = {}
    error: ErrorInfo | None = None


Answer: TypeAlias = Evaluation | ConfigAnswer | PartitionsAnswer

A = TypeVar("A")


# -- HTTP of the code server ------------------------------------------------------------------------------------------


class LoadStatus(StrEnum):
    """Where a code location's load stands."""

    LOADING = "LOADING"
    LOADED = "LOADED"
    FAILED = "FAILED"


class LocationState(_Message, frozen=True, kw_only=True):
    """`GET /state`: what the code server has loaded.

    After a failed reload `status` is FAILED, `error` says why, and `digest` still names the last good description,
    which goes on being served. `version` grows with each change of this record within one server's life (`server_id`).
    """

    name: str
    status: LoadStatus
    server_id: str
    version: int
    digest: str | None = None
    error: ErrorInfo | None = None
    loaded_at: float | None = None
    progress: str | None = None
    protocol: int = PROTOCOL


class LaunchAnswer(_Message, frozen=True, kw_only=True):
    """`POST /runs`: whether this server took the run over; `reason` when it did not."""

    accepted: bool
    reason: str | None = None
    pid: int | None = None


class CancelRun(_Message, frozen=True, kw_only=True):
    """`POST /runs/cancel`: stop the worker of this run; `force` skips the grace period."""

    run_id: str
    force: bool = False


# -- frames between supervisor and zygote (a socket pair; a fork's channel travels with its frame) ---------------------


class Fork(_Message, frozen=True, kw_only=True, tag="fork"):
    """Fork a process for `work`. Two descriptors are sent along: the channel for its answers, and a pipe on which it is
    told that its birth is known; should the pipe end without that, the process does nothing, since another one may.

    `storage` is how that process alone reaches the storage; None where it opens the database itself.
    """

    id: int
    work: Work
    storage: StorageAccess | None = None


class Shutdown(_Message, frozen=True, kw_only=True, tag="shutdown"):
    """Fork no more; exit when the last child has."""


SupervisorFrame: TypeAlias = Fork | Shutdown


class Loading(_Message, frozen=True, kw_only=True, tag="loading"):
    """The load has reached this module or stage."""

    stage: str


class Loaded(_Message, frozen=True, kw_only=True, tag="loaded"):
    """User code is loaded; `description` is the JSON of a `LocationDescription`, `files` the user's files behind it.

    `fork_refused` says why a fork is not safe, where none is.
    """

    description: bytes
    digest: str
    files: tuple[str, ...] = ()
    fork_refused: str | None = None


class LoadFailed(_Message, frozen=True, kw_only=True, tag="load_failed"):
    """User code could not be loaded; the zygote exits after this. `files` are the user's files read so far."""

    error: ErrorInfo
    files: tuple[str, ...] = ()


class Forked(_Message, frozen=True, kw_only=True, tag="forked"):
    """The work of request `id` runs in process `pid`, the leader of its own process group.

    `memory` is what the zygote has for itself now, in bytes; 0 if that is not known.
    """

    id: int
    pid: int
    memory: int = 0


class ForkRefused(_Message, frozen=True, kw_only=True, tag="fork_refused"):
    """It is not safe to fork; `reason` names why (for example threads that user code started at import)."""

    id: int
    reason: str


class Exited(_Message, frozen=True, kw_only=True, tag="exited"):
    """A forked process ended: `code` >= 0 is its exit code, -n that signal n killed it."""

    pid: int
    code: int


ZygoteFrame: TypeAlias = Loading | Loaded | LoadFailed | Forked | ForkRefused | Exited


# -- frames from a process that evaluates, on its channel --------------------------------------------------------------


class Answered(_Message, Generic[A], frozen=True, kw_only=True):
    """The answer to a work, or what of it is to be known before the end.

    `ready`: the process waits for another work. Otherwise it ends; `because` says what the work has left behind, if
    that is why, as the end of a sentence whose subject is the work.
    """

    answer: A
    ready: bool = False
    because: str | None = None


# -- frames from a step's process to its run worker -------------------------------------------------------------------


class StepEvents(_Message, frozen=True, kw_only=True, tag="events"):
    """Events of the step, in order, without numbers: the run worker numbers them."""

    events: tuple[Event, ...]


class StepDone(_Message, frozen=True, kw_only=True, tag="done"):
    """The attempt is over. `wait` is set when a retry is asked for; `outputs` are (output, mapping key) given.

    `retires` says of a process that takes one attempt after another that this was its last.
    """

    outcome: str  # success, failure, retry, skipped
    outputs: tuple[tuple[str, str | None], ...] = ()
    wait: float | None = None
    retires: bool = False


StepMessage: TypeAlias = StepEvents | StepDone
