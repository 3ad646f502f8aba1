"""Executing jobs and assets in this process: `execute_in_process`, `execute_job`, `materialize`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from ..clock import SYSTEM_CLOCK
from ..codec import encode_json
from ..config.run_config import RunConfig, plain_run_config
from ..definitions.assets.definition import AssetsDefinition
from ..definitions.assets.selection import AssetSelection, CoercibleToAssetSelection
from ..definitions.assets.spec import AssetSpec
from ..definitions.describe import describe_job
from ..definitions.ops.job import JobDefinition
from ..definitions.resolution import resolve
from ..definitions.resources.resource import to_resources
from ..definitions.resources.stores import mem_io_manager
from ..errors import DefinitionError, StepExecutionError
from ..ids import new_run_id
from ..logs.store import LogStore
from ..plan.build import build_plan
from ..plan.launch import planned_facts
from ..plan.model import ExecutionPlan
from ..plan.selection import narrow_job
from ..records.location import AssetJobName
from ..records.run import Run, RunStatus, Tag
from ..storage.protocols import NewRun, Storage
from ..storage.writer import EventWriter
from .configuration import configure
from .data_versions import with_data_versions
from .environment import Environment
from .in_process import InProcessExecution
from .lease import LEASE, LeaseThread, OwnLease
from .recorder import MemoryRecorder, TeeRecorder
from .result import ExecuteInProcessResult
from .run_life import live
from .scope import DEFAULT_IO_MANAGER, RunScope
from .step_partitions import StoredDynamicPartitions, own_partitions
from .worker import IN_PROCESS_URGENT, OUTAGE

__all__ = [
    "AnInstance",
    "ExecuteInProcessResult",
    "execute_in_process",
    "execute_job",
    "materialize",
    "materialize_to_memory",
]


HERE = "(this process)"
"""What a run names as its code location that no code server executes."""


class AnInstance(Protocol):
    """What an execution takes of an instance."""

    @property
    def storage(self) -> Storage: ...
    @property
    def logs(self) -> LogStore: ...
    @property
    def artifacts(self) -> Any: ...


def execute_in_process(
    job: JobDefinition,
    *,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: AnInstance | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    op_selection: Sequence[str] | None = None,
    asset_selection: CoercibleToAssetSelection | None = None,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    resources: Mapping[str, Any] | None = None,
) -> ExecuteInProcessResult:
    """Run a job to its end in this process, step after step; values stay in memory unless its IO managers store them.

    Args:
        job: The job.
        run_config: The run's config; the job's own if not given.
        instance: Where the run and its events are kept; nowhere if not given.
        partition_key: The partition to work on.
        raise_on_error: Raise what a step's user code raised, instead of telling it in the result.
        op_selection: Keys of the steps to run; all if not given.
        asset_selection: Of a job of assets, those to make.
        run_id: The run's id; a new one if not given.
        tags: Tags of the run, beside those of the job.
        resources: Resources in place of the job's, by key.

    Raises:
        InvalidRunConfigError: The config has mistakes.
        NotFoundError: A selected step or asset does not exist.
    """
    given = to_resources(resources, "execute_in_process")
    in_memory = {DEFAULT_IO_MANAGER: mem_io_manager}
    replaced = job.with_top_level_resources(in_memory)
    replaced.resource_defs.update(given)
    wish = _Wish(
        run_config=run_config,
        tags=tags,
        partition_key=partition_key,
        step_keys=op_selection,
        assets=_selected(job, asset_selection),
        run_id=run_id,
    )
    return _execute(replaced, wish, instance=instance, raise_on_error=raise_on_error)


def execute_job(
    job: JobDefinition,
    instance: AnInstance | None = None,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    tags: Mapping[str, str] | None = None,
    raise_on_error: bool = False,
    op_selection: Sequence[str] | None = None,
    asset_selection: CoercibleToAssetSelection | None = None,
) -> ExecuteInProcessResult:
    """Run a job to its end in this process as an instance would: values are stored, output is captured.

    With an instance the values stay where its IO managers store them, and the result does not hold them.

    Args:
        job: The job.
        instance: Where the run, its events, its values and its captured output are kept; nowhere if not given.
        run_config: The run's config; the job's own if not given.
        tags: Tags of the run, beside those of the job.
        raise_on_error: Raise what a step's user code raised, instead of telling it in the result.
        op_selection: Keys of the steps to run; all if not given.
        asset_selection: Of a job of assets, those to make.

    Raises:
        InvalidRunConfigError: The config has mistakes.
        NotFoundError: A selected step or asset does not exist.
    """
    wish = _Wish(run_config=run_config, tags=tags, step_keys=op_selection, assets=_selected(job, asset_selection))
    return _execute(job, wish, instance=instance, raise_on_error=raise_on_error, capture=True)


def materialize(
    assets: Sequence[AssetsDefinition | AssetSpec],
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: AnInstance | None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: CoercibleToAssetSelection | None = None,
) -> ExecuteInProcessResult:
    """Make assets in this process, and evaluate their checks.

    Args:
        assets: The assets and checks; what is only loaded belongs among them too.
        run_config: The run's config.
        instance: Where the run, its events and the values are kept; without one values stay in memory.
        resources: By key, the resources.
        partition_key: The partition to make.
        raise_on_error: Raise what a function raised, instead of telling it in the result.
        tags: Tags of the run.
        selection: Which of the assets to make; all that can be made if not given.

    Raises:
        DefinitionError: The assets do not fit together.
        InvalidRunConfigError: The config has mistakes.
    """
    resolved = resolve(assets=list(assets), resources=resources)
    job = resolved.jobs.get(AssetJobName)
    if job is None:
        raise DefinitionError("materialize was given nothing that can be made; give functions made by @asset.")
    chosen = _selected(job, selection)
    graph = resolved.asset_graph
    if chosen is None and any(node.executable and not node.materializable for node in graph.assets.values()):
        chosen = [key for key, node in graph.assets.items() if node.materializable] or None
    wish = _Wish(run_config=run_config, tags=tags, partition_key=partition_key, assets=chosen)
    return _execute(job, wish, instance=instance, raise_on_error=raise_on_error)


def materialize_to_memory(
    assets: Sequence[AssetsDefinition | AssetSpec],
    run_config: Mapping[str, Any] | RunConfig | None = None,
    instance: AnInstance | None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    raise_on_error: bool = True,
    tags: Mapping[str, str] | None = None,
    selection: CoercibleToAssetSelection | None = None,
) -> ExecuteInProcessResult:
    """Make assets in this process and keep their values in memory; see `materialize` for the arguments.

    Raises:
        DefinitionError: The resources hold an IO manager under the key `io_manager`.
    """
    if resources is not None and DEFAULT_IO_MANAGER in resources:
        raise DefinitionError(
            f"materialize_to_memory brings its own {DEFAULT_IO_MANAGER!r}; leave it out, or use materialize."
        )
    return materialize(
        assets,
        run_config,
        instance,
        {**(resources or {}), DEFAULT_IO_MANAGER: mem_io_manager},
        partition_key,
        raise_on_error,
        tags,
        selection,
    )


def _selected(job: JobDefinition, selection: CoercibleToAssetSelection | None) -> list[str] | None:
    """The assets of a job that a selection means, those that can be made."""
    if selection is None:
        return None
    if job.asset_layer is None:
        raise DefinitionError(f'Job "{job.name}" runs ops, so it has no assets to select; use op_selection.')
    graph = job.asset_layer.graph
    chosen = AssetSelection.from_coercible(selection).resolve(graph)
    return sorted(key for key in chosen if graph.assets[key].definition is not None)


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What to run of a job, and how."""

    run_config: Mapping[str, Any] | RunConfig | None
    tags: Mapping[str, str] | None
    partition_key: str | None = None
    step_keys: Sequence[str] | None = None
    assets: Sequence[str] | None = None
    run_id: str | None = None


def _execute(
    job: JobDefinition, wish: _Wish, *, instance: AnInstance | None, raise_on_error: bool, capture: bool = False
) -> ExecuteInProcessResult:
    plan = build_plan(job, step_keys=wish.step_keys, assets=wish.assets)
    run = _new_run(job, wish)
    config = configure(plan, job, run.run_config)

    def scope(run: Run, environment: Environment) -> RunScope:
        return RunScope(
            run=run, job=job, plan=plan, config=config, environment=environment, resources=job.resource_defs
        )

    if instance is None:
        environment = Environment()
        recorder = MemoryRecorder(environment.clock)
        return _run(scope(run, environment), recorder, raise_on_error=raise_on_error, keep_values=True)
    environment = Environment(
        storage=instance.storage,
        logs=instance.logs if capture else None,
        artifacts=instance.artifacts,
        instance=instance,
    )
    run, lease = _claim(instance.storage, run, job, plan)
    writer = EventWriter(
        instance.storage.events, run.run_id, run.attempt, environment.clock, background=True, urgent=IN_PROCESS_URGENT
    )
    try:
        with LeaseThread(lease, may_exit=False):
            tee = TeeRecorder(environment.clock, writer)
            return _run(scope(run, environment), tee, raise_on_error=raise_on_error, keep_values=not capture)
    finally:
        writer.close(OUTAGE)


def _new_run(job: JobDefinition, wish: _Wish) -> Run:
    tags = {**job.run_tags, **(wish.tags or {})}
    if wish.partition_key is not None:
        tags[Tag.PARTITION] = wish.partition_key
    return Run(
        run_id=wish.run_id or new_run_id(),
        location=HERE,
        job=job.name,
        run_config=plain_run_config(wish.run_config, "this run") or job.default_config,
        tags=tags,
        step_keys=None if wish.step_keys is None else tuple(wish.step_keys),
        assets=None if wish.assets is None else tuple(wish.assets),
        created=SYSTEM_CLOCK.now(),
    )


def _claim(storage: Storage, run: Run, job: JobDefinition, plan: ExecutionPlan) -> tuple[Run, OwnLease]:
    """Store the run with what it announces and with its job's description, and begin its first attempt, held here."""
    dynamic = StoredDynamicPartitions(storage)
    partitions = {
        asset: own_partitions(run, step.partitions, dynamic) or (None,)
        for step in plan.steps.values()
        if step.partitions is not None
        for asset in step.asset_keys
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
    described = narrow_job(describe_job(job), assets=run.assets, step_keys=run.step_keys)
    storage.runs.create([NewRun(run=run, facts=tuple(facts), snapshot=encode_json(described))])
    lease = OwnLease(storage.runs, run, SYSTEM_CLOCK, None)
    now = SYSTEM_CLOCK.now()
    (claimed,) = storage.runs.claim([run.run_id], owner=lease.holder, until=now + LEASE, now=now)
    lease.hold(claimed)
    return claimed, lease


def _run(
    scope: RunScope, recorder: MemoryRecorder | TeeRecorder, *, raise_on_error: bool, keep_values: bool
) -> ExecuteInProcessResult:
    execution = InProcessExecution(
        scope, with_data_versions(scope, recorder), fail_fast=raise_on_error, keep_values=keep_values
    )
    status, broken_by = live(recorder, "in_process", execution.run, lambda: execution.interrupted)
    recorder.flush()
    if isinstance(broken_by, KeyboardInterrupt) or isinstance(execution.interruption, KeyboardInterrupt):
        raise KeyboardInterrupt
    if raise_on_error and status is not RunStatus.SUCCESS:
        error = execution.error or broken_by
        if error is not None:
            raise error
        raise StepExecutionError(f"The run {scope.run.run_id} ended as {status}.", step="")
    return ExecuteInProcessResult(
        run=replace(scope.run, status=status),
        job_def=scope.job,
        events=recorder.events,
        values=execution.values,
        makers={
            output.asset_key: (step.key, output.name)
            for step in scope.plan.steps.values()
            for output in step.outputs
            if output.asset_key is not None
        },
    )
