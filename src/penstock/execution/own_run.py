"""A run that a program executes itself: planned, stored where there is an instance, executed, its events kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary

import msgspec
from msgspec.structs import replace

from ..clock import SYSTEM_CLOCK
from ..codec import encode_json
from ..config.run_config import RunConfig, plain_run_config
from ..definitions.describe import describe_job
from ..definitions.names import normalize_tags
from ..definitions.ops.job import JobDefinition
from ..definitions.ops.value_type import on_register
from ..engine.pools import PoolRules
from ..errors import InvocationError, StepExecutionError, UserCodeError
from ..ids import new_run_id
from ..logs.store import LogStore
from ..partitions.definition import PartitionsDefinition
from ..partitions.loading import DynamicPartitionsStore
from ..partitions.spec import dynamic_names
from ..plan.build import build_plan
from ..plan.launch import partition_tags, planned_facts
from ..plan.model import ExecutionPlan
from ..plan.pools import pools_needed
from ..plan.selection import as_asked, base_step_key, narrow_job
from ..records.event import Event
from ..records.run import HERE, Run, RunStatus, Tag
from ..storage.protocols import NewRun, Storage
from ..storage.run_log import run_log
from ..storage.shared_clock import clock_of
from ..storage.writer import URGENT, EventWriter
from .configuration import configure
from .data_versions import with_data_versions
from .environment import Environment
from .executions import Execution
from .inherited import inherited_by, kept_past
from .lease import LEASE, LeaseThread, OwnLease
from .log_keeping import keeper_of, kept_by, upload_logs
from .loop import Watch
from .own_instance import OwnInstance
from .python_logs import PythonLogs
from .recorder import MemoryRecorder, Recorder, TeeRecorder
from .resumed import beginning_of
from .run_life import live
from .scope import RunScope
from .step_partitions import StoredDynamicPartitions, own_partitions
from .worker import IN_PROCESS_URGENT, OUTAGE, WriterWatch

__all__ = ["AnInstance", "Begin", "Selected", "Wish", "execute", "plan_run_here"]


class AnInstance(Protocol):
    """What an execution takes of an instance."""

    @property
    def storage(self) -> Storage: ...
    @property
    def logs(self) -> LogStore: ...
    @property
    def artifacts(self) -> Any: ...
    @property
    def pool_rules(self) -> PoolRules: ...
    @property
    def python_logs(self) -> PythonLogs: ...
    @property
    def reference(self) -> dict[str, Any] | None: ...


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """What to make and to evaluate of a job of assets; with `checks` None, the checks that come along."""

    assets: Sequence[str]
    checks: Sequence[str] | None = None


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What to run of a job, and how."""

    run_config: Mapping[str, Any] | RunConfig | None
    tags: Mapping[str, str] | None
    partition_key: str | None = None
    step_keys: Sequence[str] | None = None
    selected: Selected | None = None
    run_id: str | None = None
    parent: Run | None = None

    @property
    def assets(self) -> Sequence[str] | None:
        """The assets to make, in text form; None for all."""
        return None if self.selected is None else self.selected.assets

    @property
    def checks(self) -> Sequence[str] | None:
        """The checks to evaluate, as `asset/key:name`; None for those that come along."""
        return None if self.selected is None else self.selected.checks


def plan_run_here(job: JobDefinition, wish: Wish, instance: AnInstance | None, *, capture: bool) -> RunScope:
    """The run that is wished for, with its plan and config, not begun yet.

    Args:
        job: The job.
        wish: What to run of it.
        instance: Where the run is kept; nowhere if None.
        capture: Whether stdout and stderr of its steps are captured.

    Raises:
        InvalidRunConfigError: The config has mistakes.
        NotFoundError: A selected step or asset, or the partition, does not exist.
        UserCodeError: The function for the config of partitions failed.
    """
    environment = Environment()
    if instance is not None:
        environment = Environment(
            storage=instance.storage,
            clock=clock_of(instance.storage),
            logs=instance.logs if capture else None,
            artifacts=instance.artifacts,
            instance=instance,
            pools=instance.pool_rules,
            python_logs=instance.python_logs,
        )
    inherited = inherited_by(None if wish.parent is None else wish.parent.run_id, wish.step_keys, job, environment)
    plan = build_plan(
        job,
        step_keys=wish.step_keys,
        assets=wish.assets,
        checks=wish.checks,
        at_hand=None if inherited is None else {base_step_key(key) for key in inherited},
    )
    run = _new_run(job, wish, plan, instance)
    return RunScope(
        run=run,
        job=job,
        plan=plan,
        config=configure(plan, job, run.run_config),
        environment=environment,
        resources=job.resource_defs,
        past=kept_past(plan, inherited, wish.step_keys),
    )


def _new_run(job: JobDefinition, wish: Wish, plan: ExecutionPlan, instance: AnInstance | None) -> Run:
    parent = wish.parent
    tags = {**job.run_tags, **normalize_tags(wish.tags, "This run")}
    key = wish.partition_key or tags.get(Tag.PARTITION)
    if key is not None:
        partitions = next((each.partitions for each in plan.steps.values() if each.partitions), job.partitions_def)
        if partitions is None and wish.partition_key is not None:
            raise InvocationError(
                f"A run was asked for the partition {key!r}, but nothing that it makes has partitions; leave it out."
            )
        for each in {partitions, *(step.partitions for step in plan.steps.values())}:
            _check_partition(each, key, None if instance is None else StoredDynamicPartitions(instance.storage))
        own = job.partitioned_config if parent is None else None
        tags = {
            **({} if own is None else own.get_tags_for_partition_key(key)),
            **tags,
            **partition_tags(None if partitions is None else partitions.spec, key),
        }
    return Run(
        run_id=wish.run_id or new_run_id(),
        location=HERE,
        job=job.name,
        run_config=plain_run_config(wish.run_config, "this run") or job.config_for(key),
        tags=tags,
        step_keys=None if wish.step_keys is None else as_asked(plan.steps, wish.step_keys),
        assets=None if wish.assets is None else tuple(wish.assets),
        checks=None if wish.checks is None else tuple(wish.checks),
        parent_run_id=None if parent is None else parent.run_id,
        root_run_id=None if parent is None else parent.root_run_id or parent.run_id,
        pools=pools_needed(
            (step.pool, not any(True for given in step.inputs for _ in given.upstream()))
            for step in plan.steps.values()
        ),
        created=SYSTEM_CLOCK.now(),
    )


def _check_partition(partitions: PartitionsDefinition | None, key: str, dynamic: DynamicPartitionsStore | None) -> None:
    """Refuse a partition that does not exist; without a store, keys of dynamic sets are not known."""
    if partitions is not None and (dynamic is not None or not dynamic_names(partitions.spec)):
        partitions.validate_partition_key(key, dynamic_partitions_store=dynamic)


def _claim(storage: Storage, run: Run, job: JobDefinition, plan: ExecutionPlan) -> tuple[Run, OwnLease]:
    """Store the run with what it announces and with its job's description, and begin its first attempt, held here."""
    dynamic = StoredDynamicPartitions(storage)
    partitions = {
        asset: own_partitions(run, step.partitions, dynamic) or (None,)
        for step in plan.steps.values()
        if step.partitions is not None
        for asset in (*step.asset_keys, *(key.rpartition(":")[0] for key in step.check_keys))
    }
    facts = planned_facts(
        [
            output.asset_key
            for step in plan.steps.values()
            for output in step.outputs
            if output.asset_key is not None and not output.observes
        ],
        [key for step in plan.steps.values() for key in step.check_keys],
        lambda asset: partitions.get(asset, (None,)),
    )
    storage.runs.create([NewRun(run=run, facts=tuple(facts), snapshot=_snapshot(job, run, plan))])
    clock = clock_of(storage)
    lease = OwnLease(storage.runs, run, clock, None)
    now = clock.now()
    (claimed,) = storage.runs.claim([run.run_id], owner=lease.holder, until=now + LEASE, now=now)
    lease.hold(claimed)
    return claimed, lease


# A program that executes a job again and again, such as a test, has it described once.
_whole: WeakKeyDictionary[JobDefinition, bytes] = WeakKeyDictionary()
on_register.append(_whole.clear)


def _snapshot(job: JobDefinition, run: Run, plan: ExecutionPlan) -> bytes:
    """The description of what the run runs of its job."""
    if run.assets is None and run.checks is None and run.step_keys is None:
        snapshot = _whole.get(job)
        if snapshot is None:
            snapshot = _whole[job] = encode_json(describe_job(job))
        return snapshot
    return encode_json(
        narrow_job(
            describe_job(job), assets=run.assets, checks=run.checks, step_keys=run.step_keys, at_hand=plan.inherited
        )
    )


Begin: TypeAlias = Callable[[Recorder, Recorder, Sequence[Watch]], Execution]
"""Makes the execution of a run: given what takes its facts, what takes those that other processes have sent, and what a
loop that follows forks attends to."""


def execute(scope: RunScope, begin: Begin, executor: str, *, loops: bool, raise_on_error: bool) -> list[Event]:
    """Store the run where there is a storage, and execute it to its end; `scope.run` then says how it ended.

    Args:
        scope: The run.
        begin: Makes its execution.
        executor: The executor's name.
        loops: Whether that execution follows other processes from a loop; this process then has no threads.
        raise_on_error: Raise what a step's user code raised.

    Returns:
        The run's events.
    """
    clock, storage = scope.environment.clock, scope.environment.storage
    if storage is None:
        memory = MemoryRecorder(clock)
        own = OwnInstance(lambda ours: _claim(ours, scope.run, scope.job, scope.plan)[0], memory.events)
        scope.environment = replace(scope.environment, instance=own)
        with closing(own):
            _live(scope, memory, begin, executor, [], raise_on_error=raise_on_error)
        return memory.events
    scope.run, lease = _claim(storage, scope.run, scope.job, scope.plan)
    run = scope.run
    # Where steps run in other processes, the loop that follows them stores old events and keeps the lease.
    urgent = URGENT if loops else IN_PROCESS_URGENT
    writer = EventWriter(storage.events, run.run_id, run.attempt, clock, background=not loops, urgent=urgent)
    keeper = keeper_of(scope.environment.logs, run.run_id, storage, clock, writer)
    watches: list[Watch] = [WriterWatch(writer), lease, *([] if keeper is None else [keeper])] if loops else []
    tee = TeeRecorder(writer)
    try:
        with (
            nullcontext() if keeper is None else closing(keeper),
            nullcontext() if loops else LeaseThread(lease, keeper, may_exit=False),
        ):
            kept = kept_by(keeper, tee, run.run_id)
            _live(scope, kept, begin, executor, watches, raise_on_error=raise_on_error)
    finally:
        all_stored = writer.close(OUTAGE)
        upload_logs(scope.environment.logs, run.run_id)
    if not (loops and all_stored):
        return tee.events
    # Steps that run elsewhere write into the log themselves.
    return [each for each in run_log(storage.events, run.run_id) if each.seq is not None]


def _live(
    scope: RunScope,
    onward: Recorder,
    begin: Begin,
    executor: str,
    watches: Sequence[Watch],
    *,
    raise_on_error: bool,
) -> None:
    kept = with_data_versions(scope, onward)
    recorder = scope.logged(kept)
    execution = begin(recorder, kept, watches)
    status, broken_by = live(recorder, beginning_of(scope, executor), execution.run, lambda: execution.interrupted)
    recorder.flush()
    scope.run = replace(scope.run, status=status)
    interruption = getattr(execution, "interruption", None)
    if isinstance(broken_by, KeyboardInterrupt) or isinstance(interruption, KeyboardInterrupt):
        raise KeyboardInterrupt
    if raise_on_error and status is not RunStatus.SUCCESS:
        error = execution.error or broken_by
        if error is not None:
            raise _as_raised(error)
        raise StepExecutionError(f"The run {scope.run.run_id} ended as {status}.", step="")


def _as_raised(error: BaseException) -> BaseException:
    """What user code raised, where that was not its step's own function; a note says what the step was about."""
    cause = error.__cause__
    if type(error) is not UserCodeError or cause is None:
        return error
    cause.add_note(str(error))
    return cause
