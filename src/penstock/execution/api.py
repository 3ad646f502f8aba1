"""Executing jobs and assets in this process: `execute_in_process`, `execute_job`, `materialize`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import msgspec
from msgspec.structs import replace

from ..codec import decode_json
from ..config.run_config import RunConfig
from ..definitions.assets.definition import AssetsDefinition
from ..definitions.assets.selection import AssetSelection, CoercibleToAssetSelection
from ..definitions.assets.spec import AssetSpec
from ..definitions.describe import describe_job
from ..definitions.executors import in_process_executor
from ..definitions.ops.job import JobDefinition
from ..definitions.reconstruct import ReconstructableJob
from ..definitions.resolution import resolve
from ..definitions.resources.resource import to_resources
from ..definitions.resources.stores import mem_io_manager
from ..errors import DefinitionError, RunNotFoundError, UsageError
from ..plan.reexecution import steps_to_repeat
from ..plan.selection import as_asked, narrow_job
from ..records.location import AssetJobName, JobDescription
from ..records.run import Run, RunStatus, Tag
from ..storage.run_log import steps_at_hand
from .executions import Execution, executor_of, prepare
from .in_process import InProcessExecution
from .job_result import JobExecutionResult
from .loop import Watch
from .narrowing import narrowed
from .own_run import AnInstance, Selected, Wish, execute, plan_run_here
from .recorder import Recorder
from .result import ExecuteInProcessResult
from .scope import DEFAULT_IO_MANAGER
from .step_order import Elsewhere, JobSource

__all__ = [
    "AnInstance",
    "ExecuteInProcessResult",
    "JobExecutionResult",
    "ReexecutionOptions",
    "execute_in_process",
    "execute_job",
    "materialize",
    "materialize_to_memory",
]


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
    input_values: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    resources: Mapping[str, Any] | None = None,
) -> ExecuteInProcessResult:
    """Run a job to its end in this process, step after step.

    Values stay in memory unless its IO managers store them; those of assets are kept in the instance, if one is given.

    Args:
        job: The job.
        run_config: The run's config; the job's own if not given.
        instance: Where the run and its events are kept; nowhere if not given.
        partition_key: The partition to work on.
        raise_on_error: Raise what a step's user code raised, instead of telling it in the result.
        op_selection: The ops to run, such as `["load", "*report", "clean+"]`; all if not given.
        asset_selection: Of a job of assets, those to make.
        run_id: The run's id; a new one if not given.
        input_values: By name, values of inputs of the job's graph.
        tags: Tags of the run, beside those of the job.
        resources: Resources in place of the job's, by key.

    Raises:
        InvalidRunConfigError: The config has mistakes.
        SubsetError: A selected op does not exist.
        NotFoundError: A selected asset does not exist.
    """
    replaced = _kept_in_memory(job)
    if resources:
        replaced = replaced.with_top_level_resources({})
        replaced.resource_defs.update(to_resources(resources, "execute_in_process"))
    if input_values:
        replaced = replaced.with_input_values(input_values)
    replaced, step_keys = narrowed(replaced, op_selection)
    wish = Wish(
        run_config=run_config,
        tags=tags,
        partition_key=partition_key,
        step_keys=step_keys,
        selected=_selected(job, asset_selection),
        run_id=run_id,
    )
    return _execute(replaced, wish, instance=instance, raise_on_error=raise_on_error)


# Made once, since what is worked out of a job (its steps, its schema) is remembered with it.
_in_memory: WeakKeyDictionary[JobDefinition, JobDefinition] = WeakKeyDictionary()


def _kept_in_memory(job: JobDefinition) -> JobDefinition:
    """The job with its values in memory where it does not say where they are stored; those of assets stay."""
    kept = _in_memory.get(job)
    if kept is None:
        stores = {} if job.asset_layer is not None else {DEFAULT_IO_MANAGER: mem_io_manager}
        kept = _in_memory[job] = job.with_top_level_resources(stores)
    return kept


class ReexecutionOptions(msgspec.Struct, frozen=True):
    """Which run `execute_job` repeats, and what of it.

    Args:
        parent_run_id: The run.
        step_selection: The steps to run; all if not given. The values that they need of others are loaded from where
            that run has stored them; where it has not, those steps run too.
    """

    parent_run_id: str
    step_selection: Sequence[str] = ()

    @staticmethod
    def from_failure(run_id: str, instance: AnInstance) -> ReexecutionOptions:
        """The options that repeat what failed in a run, and what therefore never began.

        Raises:
            RunNotFoundError: There is no such run.
            UsageError: The run did not fail.
        """
        parent = _run_of_id(instance, run_id)
        if parent.status is not RunStatus.FAILURE:
            raise UsageError(f"The run {run_id} is {parent.status}, so nothing of it failed; give step_selection.")
        stored = None if parent.snapshot is None else instance.storage.runs.snapshot(parent.snapshot)
        if stored is None:
            raise UsageError(f"What the run {run_id} consisted of is no longer stored; give step_selection.")
        plan = decode_json(stored, JobDescription).steps
        return ReexecutionOptions(run_id, steps_to_repeat(plan, instance.storage.events.step_stats(run_id)))


def execute_job(
    job: JobDefinition | ReconstructableJob,
    instance: AnInstance | None = None,
    run_config: Mapping[str, Any] | RunConfig | None = None,
    tags: Mapping[str, str] | None = None,
    raise_on_error: bool = False,
    op_selection: Sequence[str] | None = None,
    reexecution_options: ReexecutionOptions | None = None,
    asset_selection: CoercibleToAssetSelection | None = None,
) -> JobExecutionResult:
    """Run a job to its end as an instance would: values are stored, output is captured.

    Args:
        job: The job; one made by `reconstructable` runs with its own executor. The steps of other jobs whose executor
            starts processes run in this one, and so they do in a thread other than the main one.
        instance: Where the run, its events, its values and its captured output are kept; nowhere if not given.
        run_config: The run's config; that of the run which is repeated, or the job's own, if not given.
        tags: Tags of the run, beside those of the job.
        raise_on_error: Raise what a step's user code raised, instead of telling it in the result.
        op_selection: The ops to run, such as `["load", "*report", "clean+"]`; all if not given.
        reexecution_options: The run that this one repeats.
        asset_selection: Of a job of assets, those to make.

    Returns:
        The outcome; inside `with` it gives the values of outputs.

    Raises:
        InvalidRunConfigError: The config has mistakes.
        SubsetError: A selected op does not exist.
        NotFoundError: A selected asset, or the run to repeat, does not exist.
        UnmetExecutorRequirementsError: The job's executor needs what job or instance do not have.
        UsageError: There is no instance that knows the run to repeat.
    """
    processes = isinstance(job, ReconstructableJob)
    definition = job.get_definition() if isinstance(job, ReconstructableJob) else job
    definition, step_keys = narrowed(definition, op_selection)
    wish = Wish(run_config=run_config, tags=tags, step_keys=step_keys, selected=_selected(definition, asset_selection))
    if reexecution_options is not None:
        wish = _repeated(definition, wish, reexecution_options, instance)
    scope = plan_run_here(definition, wish, instance, capture=True)
    if isinstance(job, ReconstructableJob) and instance is not None and instance.reference is not None:
        source = JobSource.of(job, tuple(op_selection or ()))
        elsewhere = Elsewhere(code=source, instance=instance.reference)
        scope.environment = replace(scope.environment, elsewhere=elsewhere)
    choice = executor_of(scope, reconstructable=processes)
    loops = choice.loops and processes and threading.current_thread() is threading.main_thread()

    def begin(recorder: Recorder, relay: Recorder, watches: Sequence[Watch]) -> Execution:
        if choice.loops and not loops:
            scope.retries = choice.retries if choice.own is None else choice.own.retries
            return InProcessExecution(scope, recorder, fail_fast=raise_on_error)
        return prepare(choice, scope, recorder, relay, watches, fail_fast=raise_on_error)

    name = in_process_executor.name if choice.loops and not loops else choice.name
    events = execute(scope, begin, name, loops=loops, raise_on_error=raise_on_error)
    return JobExecutionResult(run=scope.run, events=events, scope=scope)


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
        UsageError: There is a partition key, and no asset has partitions.
        InvalidRunConfigError: The config has mistakes.
    """
    resolved = resolve(assets=list(dict.fromkeys(assets)), resources=resources)
    job = resolved.jobs.get(AssetJobName)
    if job is None:
        raise DefinitionError("materialize was given nothing that can be made; give functions made by @asset.")
    chosen = _selected(job, selection)
    graph = resolved.asset_graph
    if chosen is None and any(node.executable and not node.materializable for node in graph.assets.values()):
        made = [key for key, node in graph.assets.items() if node.materializable]
        chosen = Selected(assets=made) if made else None
    wish = Wish(run_config=run_config, tags=tags, partition_key=partition_key, selected=chosen)
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


def _selected(job: JobDefinition, selection: CoercibleToAssetSelection | None) -> Selected | None:
    """What a selection means in a job: the assets that can be made, and the checks."""
    if selection is None:
        return None
    if job.asset_layer is None:
        raise DefinitionError(f'Job "{job.name}" runs ops, so it has no assets to select; use op_selection.')
    graph = job.asset_layer.graph
    chosen = AssetSelection.from_coercible(selection)
    assets = sorted(key for key in chosen.keys_in(graph) if graph.assets[key].definition is not None)
    checks = chosen.resolve_checks(graph)
    along = {key for asset in assets for key in graph.assets[asset].checks}
    return Selected(assets=assets, checks=None if assets and checks == along else sorted(checks))


def _selected_by(run: Run) -> Selected | None:
    if run.assets is None and run.checks is None:
        return None
    return Selected(assets=run.assets or (), checks=run.checks)


def _repeated(job: JobDefinition, wish: Wish, options: ReexecutionOptions, instance: AnInstance | None) -> Wish:
    if instance is None:
        raise UsageError("execute_job was given reexecution_options but no instance that knows the run; pass it.")
    parent = _run_of_id(instance, options.parent_run_id)
    step_keys = list(options.step_selection) or wish.step_keys or parent.step_keys
    if step_keys is not None:
        storage = instance.storage
        at_hand = steps_at_hand(storage.runs, storage.events, parent)
        narrowed = narrow_job(describe_job(job), step_keys=step_keys, at_hand=at_hand)
        step_keys = as_asked([step.key for step in narrowed.steps], step_keys)
    lineage = {Tag.PARENT_RUN: parent.run_id, Tag.ROOT_RUN: parent.root_run_id or parent.run_id}
    return replace(
        wish,
        run_config=parent.run_config if wish.run_config is None else wish.run_config,
        tags={**(wish.tags or {}), **lineage},
        partition_key=wish.partition_key or parent.partition,
        step_keys=step_keys,
        selected=_selected_by(parent) if wish.selected is None else wish.selected,
        parent=parent,
    )


def _run_of_id(instance: AnInstance, run_id: str) -> Run:
    found = instance.storage.runs.get(run_id)
    if found is None:
        raise RunNotFoundError(f"This instance knows no run {run_id}; look at its runs.")
    return found


def _execute(
    job: JobDefinition, wish: Wish, *, instance: AnInstance | None, raise_on_error: bool
) -> ExecuteInProcessResult:
    scope = plan_run_here(job, wish, instance, capture=False)
    values: Mapping[tuple[str, str, str | None], Any] = {}

    def begin(recorder: Recorder, _relay: Recorder, _watches: Sequence[Watch]) -> Execution:
        nonlocal values
        execution = InProcessExecution(scope, recorder, fail_fast=raise_on_error, keep_values=True)
        values = execution.values
        return execution

    events = execute(scope, begin, in_process_executor.name, loops=False, raise_on_error=raise_on_error)
    return ExecuteInProcessResult(
        run=scope.run,
        job_def=job,
        events=events,
        values=values,
        makers={
            output.asset_key: (step.key, output.name)
            for step in scope.plan.steps.values()
            for output in step.outputs
            if output.asset_key is not None
        },
    )
