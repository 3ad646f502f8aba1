"""A run: its record, its states, and the one table that says which event moves it from where to where.

NOT_STARTED   made; the coordinator moves it on.
QUEUED        waits in the database; the daemon's queue duty claims it, which begins a new attempt.
STARTING      claimed; the launcher hands it to a code server, whose run worker moves it on. A claim that nobody
              confirms before its lease ends is put back to QUEUED by the daemon's monitor duty.
STARTED       a run worker executes it under a lease that its code server renews. When the worker is lost, whoever sees
              that puts the run back to QUEUED, as often as its budget allows; the next worker goes on with it.
CANCELING     somebody asked it to stop; the code server stops the worker, the monitor sees to it that it ends.
SUCCESS, FAILURE, CANCELED   the end; nothing moves a run out of these.
MANAGED, SUSPENDED           known names for runs that other systems own or hold; nothing here writes them yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from .keys import AssetCheckKey, AssetKey
from .labels import LABELS
from .pool import PoolNeed
from .step_figures import StepFigures

__all__ = [
    "ACTIVE",
    "FINISHED",
    "HERE",
    "MAX_RUNTIME_SECONDS_TAG",
    "TRANSITIONS",
    "FailureReason",
    "Run",
    "RunStatus",
    "StepAttempt",
    "StepStats",
    "StepStatus",
    "Tag",
    "share_of_backfill",
]


class RunStatus(StrEnum):
    """Where a run stands."""

    NOT_STARTED = "NOT_STARTED"
    QUEUED = "QUEUED"
    STARTING = "STARTING"
    STARTED = "STARTED"
    CANCELING = "CANCELING"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    CANCELED = "CANCELED"
    MANAGED = "MANAGED"
    SUSPENDED = "SUSPENDED"


_S = RunStatus

FINISHED = frozenset({_S.SUCCESS, _S.FAILURE, _S.CANCELED})
"""Nothing moves a run out of these."""

ACTIVE = frozenset({_S.STARTING, _S.STARTED, _S.CANCELING})
"""These hold a place among the runs that may be active at once."""

TRANSITIONS: Mapping[tuple[RunStatus, str], RunStatus] = {
    (_S.NOT_STARTED, "RUN_ENQUEUED"): _S.QUEUED,
    (_S.NOT_STARTED, "RUN_STARTING"): _S.STARTING,
    (_S.NOT_STARTED, "RUN_START"): _S.STARTED,  # executed by the process that made it (in-process execution)
    (_S.NOT_STARTED, "RUN_FAILURE"): _S.FAILURE,
    (_S.NOT_STARTED, "RUN_CANCELED"): _S.CANCELED,
    (_S.QUEUED, "RUN_STARTING"): _S.STARTING,
    (_S.QUEUED, "RUN_CANCELED"): _S.CANCELED,
    (_S.QUEUED, "RUN_FAILURE"): _S.FAILURE,
    (_S.STARTING, "RUN_ENQUEUED"): _S.QUEUED,  # the claim was not confirmed in time, or no code server answered
    (_S.STARTING, "RUN_START"): _S.STARTED,
    (_S.STARTING, "RUN_RESUMED"): _S.STARTED,
    (_S.STARTING, "RUN_FAILURE"): _S.FAILURE,
    (_S.STARTING, "RUN_CANCELING"): _S.CANCELING,
    (_S.STARTING, "RUN_CANCELED"): _S.CANCELED,
    (_S.STARTED, "RUN_ENQUEUED"): _S.QUEUED,  # its worker was lost, and another one is to go on with it
    (_S.STARTED, "RUN_SUCCESS"): _S.SUCCESS,
    (_S.STARTED, "RUN_FAILURE"): _S.FAILURE,
    (_S.STARTED, "RUN_CANCELING"): _S.CANCELING,
    (_S.STARTED, "RUN_CANCELED"): _S.CANCELED,
    (_S.CANCELING, "RUN_CANCELED"): _S.CANCELED,
    (_S.CANCELING, "RUN_SUCCESS"): _S.SUCCESS,  # it finished before the request reached it
    (_S.CANCELING, "RUN_FAILURE"): _S.FAILURE,
}
"""(state, event type) -> next state. A pair that is not here changes nothing and is refused."""


HERE = "(this process)"
"""What a run names as its code location that no code server executes, but the program that made it."""


class FailureReason(StrEnum):
    """Why a run failed."""

    STEP_FAILURE = "STEP_FAILURE"
    RUN_EXCEPTION = "RUN_EXCEPTION"
    UNEXPECTED_TERMINATION = "UNEXPECTED_TERMINATION"
    JOB_INITIALIZATION_FAILURE = "JOB_INITIALIZATION_FAILURE"
    START_TIMEOUT = "START_TIMEOUT"
    RUN_WORKER_RESTART = "RUN_WORKER_RESTART"
    UNKNOWN = "UNKNOWN"


class Tag:
    """Tag keys with a meaning. Users set those of the first group; the engine sets the rest."""

    PRIORITY = "penstock/priority"
    MAX_RUNTIME = "penstock/max_runtime"
    TIMEOUT = "penstock/timeout"
    MEMOIZED = "penstock/is_memoized_run"
    MAX_RESUMES = "penstock/max_resume_run_attempts"
    MAX_RETRIES = "penstock/max_retries"
    RETRY_STRATEGY = "penstock/retry_strategy"
    RETRY_ON_STEP_FAILURE = "penstock/retry_on_asset_or_op_failure"

    PARTITION = "penstock/partition"
    PARTITION_RANGE_START = "penstock/asset_partition_range_start"
    PARTITION_RANGE_END = "penstock/asset_partition_range_end"
    SCHEDULE = "penstock/schedule_name"
    SENSOR = "penstock/sensor_name"
    TICK = "penstock/tick"
    ONE_OFF = "penstock/one_off"
    RUN_KEY = "penstock/run_key"
    BACKFILL = "penstock/backfill"
    BACKFILL_TITLE = "penstock/backfill_title"
    PARENT_BACKFILL = "penstock/parent_backfill_id"
    ROOT_BACKFILL = "penstock/root_backfill_id"
    PARENT_RUN = "penstock/parent_run_id"
    ROOT_RUN = "penstock/root_run_id"
    RETRY_NUMBER = "penstock/retry_number"
    WILL_RETRY = "penstock/will_retry"
    AUTO_RETRY_RUN = "penstock/auto_retry_run_id"
    FROM_AUTOMATION_CONDITION = "penstock/from_automation_condition"
    ASSET_EVALUATION_ID = "penstock/asset_evaluation_id"
    USER = "penstock/user"
    COMPUTE_KIND = "penstock/compute_kind"


MAX_RUNTIME_SECONDS_TAG = Tag.MAX_RUNTIME
"""The tag that limits how long a run may take, in seconds."""


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of a job, as stored: what to run, and where it stands.

    Times are seconds since the Unix epoch, UTC. `attempt` counts the launches and is the run's fencing epoch: a write
    that names an older attempt is refused. `lease_until` is when the present holder's claim ends unless renewed.
    """

    run_id: str
    location: str
    job: str
    status: RunStatus = RunStatus.NOT_STARTED
    run_config: dict[str, Any] = msgspec.field(default_factory=dict)
    tags: dict[str, str] = msgspec.field(default_factory=dict)
    # What of the job to run: None is all of it.
    step_keys: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None  # asset keys in text form
    checks: tuple[str, ...] | None = None  # `asset/key:name`
    # The job as it was described when the run was made: a content hash into the snapshot table.
    snapshot: str | None = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    # The concurrency pools that its steps are in; None for none.
    pools: PoolNeed | None = None

    attempt: int = 0
    owner: str | None = None
    lease_until: float | None = None

    created: float = 0.0
    queued: float | None = None
    launched: float | None = None
    started: float | None = None
    ended: float | None = None
    updated: float = 0.0
    failure_reason: FailureReason | None = None
    # The one rule that a queued run waits for, in words, or why it ended; None when there is nothing to say.
    note: str | None = None

    @property
    def partition(self) -> str | None:
        """The partition key that the run works on, if any."""
        return self.tags.get(Tag.PARTITION)

    @property
    def priority(self) -> int:
        """Higher goes first; a tag that is not a whole number counts as 0."""
        try:
            return int(self.tags.get(Tag.PRIORITY, "0"))
        except ValueError:
            return 0

    @property
    def share(self) -> str:
        """Whose share of the places it takes: its backfill's, else its job's; each user who launches has one apart."""
        backfill, user = self.tags.get(Tag.BACKFILL), self.tags.get(Tag.USER)
        if backfill is not None:
            return share_of_backfill(backfill, user)
        return _for_user(f"job {self.job} of {self.location}", user)

    @property
    def job_name(self) -> str:
        """The name of its job."""
        return self.job

    @property
    def asset_selection(self) -> frozenset[AssetKey] | None:
        """Of a job of assets, those to make; None where that is all of them."""
        return None if self.assets is None else frozenset(map(AssetKey.from_user_string, self.assets))

    @property
    def asset_check_selection(self) -> frozenset[AssetCheckKey] | None:
        """The checks to evaluate; None where those are all on its assets."""
        return None if self.checks is None else frozenset(map(AssetCheckKey.from_user_string, self.checks))

    def tag(self, key: str) -> str | None:
        """The value of a tag, or None."""
        return self.tags.get(LABELS.read(key))

    @property
    def is_finished(self) -> bool:
        """Whether the run has ended."""
        return self.status in FINISHED

    @property
    def is_success(self) -> bool:
        """Whether the run ended well."""
        return self.status is RunStatus.SUCCESS

    @property
    def is_failure(self) -> bool:
        """Whether the run failed."""
        return self.status is RunStatus.FAILURE

    @property
    def is_failure_or_canceled(self) -> bool:
        """Whether the run failed or was canceled."""
        return self.status in (RunStatus.FAILURE, RunStatus.CANCELED)

    @property
    def is_cancelable(self) -> bool:
        """Whether somebody may ask the run to stop."""
        return not self.is_finished and self.status is not RunStatus.CANCELING

    @property
    def is_resume_retry(self) -> bool:
        """Whether the run repeats another one from where that failed: some of its steps only."""
        return self.parent_run_id is not None and self.step_keys is not None


def share_of_backfill(backfill_id: str, user: str | None) -> str:
    """The share (`Run.share`) of the runs of a backfill that a user has asked for."""
    return _for_user(f"backfill {backfill_id}", user)


def _for_user(share: str, user: str | None) -> str:
    return share if user is None else f"{share} for {user}"


class StepStatus(StrEnum):
    """Where a step of a run stands."""

    IN_PROGRESS = "IN_PROGRESS"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    SKIPPED = "SKIPPED"


class StepAttempt(msgspec.Struct, frozen=True, array_like=True):
    """One try of a step: its begin and end in seconds since the epoch, and its figures once it has ended.

    `end` is None while it runs; `figures` is None also where nobody was left to tell them.
    """

    start: float
    end: float | None = None
    figures: StepFigures | None = None


class StepStats(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one step of a run, kept on write so that no page recomputes it from the log.

    `attempts` are its tries in order.
    """

    run_id: str
    step_key: str
    status: StepStatus | None = None
    worker_started: float | None = None
    started: float | None = None
    ended: float | None = None
    attempts: tuple[StepAttempt, ...] = ()
