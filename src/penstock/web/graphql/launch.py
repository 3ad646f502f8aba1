"""Launching runs, and running ended ones again."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...config.secrets import restore
from ...errors import PenstockError
from ...records.errors import ErrorInfo
from ...records.run import Run
from ...storage.protocols import NewRun
from .context import Context
from .errors import plain_error
from .failures import ConflictingExecutionParamsError, InvalidSubsetError, RefusedError, Result
from .fields import Fields
from .find import job_named, run_of_id
from .inputs import ExecutionParams, tags_of
from .new_runs import check_in_code, make, require_no_mode, submit
from .run_config import run_config_of

__all__ = ["TABLES", "LaunchRunSuccess", "new_run_of"]

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


class LaunchRunSuccess(Result, frozen=True, kw_only=True):
    """The run was made and handed to the coordinator."""

    run: Run


class LaunchMultipleRunsResult(Result, frozen=True, kw_only=True):
    """What became of each run asked for, in order."""

    launch_multiple_runs_result: tuple[LaunchRunSuccess | Result | ErrorInfo, ...]


@_MUTATION.named("launchRun", "launchPipelineExecution", needs=Permission.LAUNCH_RUN)
def launch_run(_source: None, context: Context, execution_params: ExecutionParams) -> LaunchRunSuccess:
    (run,) = submit(context, [new_run_of(context, execution_params)])
    return LaunchRunSuccess(run=run)


@_MUTATION.named("launchMultipleRuns", needs=Permission.LAUNCH_RUN)
def launch_multiple_runs(
    _source: None, context: Context, execution_params_list: list[ExecutionParams]
) -> LaunchMultipleRunsResult:
    context.spend(len(execution_params_list))
    results: list[Result | ErrorInfo] = []
    for params in execution_params_list:
        try:
            results.append(launch_run(None, context, params))
        except RefusedError as refused:
            results.append(refused.failure)
        except PenstockError as error:
            results.append(plain_error(error))
    return LaunchMultipleRunsResult(launch_multiple_runs_result=tuple(results))


def new_run_of(context: Context, params: ExecutionParams) -> NewRun:
    """The run that is asked for, planned and checked, not stored yet."""
    selector = params.selector
    require_no_mode(params.mode)
    if selector.job is None and selector.assets is None and selector.checks is None:
        message = "Say what to run: the selector names no job, no assets and no checks."
        raise RefusedError(InvalidSubsetError(message=message))
    node = job_named(context, selector, selector.job)
    context.require(Permission.LAUNCH_RUN, node.location.stored.name)
    steps = tuple(params.step_keys) if params.step_keys else None
    if steps is not None and selector.steps not in (None, steps):
        message = "stepKeys and selector.solidSelection name different steps; give one of them."
        raise RefusedError(ConflictingExecutionParamsError(message=message))
    metadata = params.execution_metadata
    parent_id = None if metadata is None else metadata.parent_run_id
    parent = None if parent_id is None else run_of_id(context, parent_id)
    run_config = run_config_of(params.run_config_data, node.job.name)
    if parent is not None:
        run_config = restore(node.job.config_schema, run_config, parent.run_config)  # as it was shown, secrets hidden
    new_run = make(
        context,
        node,
        run_config=run_config,
        tags=tags_of(None if metadata is None else metadata.tags),
        partition=params.partition,
        step_keys=steps or selector.steps,
        assets=selector.assets,
        checks=selector.checks,
        parent=parent,
    )
    check_in_code(context, new_run.run)
    return new_run
