"""Stopping runs, and removing those that have ended."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...errors import ConfigurationError, PenstockError
from ...records.errors import ErrorInfo
from ...records.run import Run
from .context import Context
from .errors import plain_error
from .failures import Failure, RefusedError, Result
from .fields import Fields
from .find import run_of_id

__all__ = ["TABLES"]

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


class TerminateRunSuccess(Result, frozen=True, kw_only=True):
    """The run was asked to stop, or has stopped."""

    run: Run


class TerminateRunFailure(Failure, frozen=True, kw_only=True):
    """The run cannot be stopped."""

    run: Run


class TerminateRunsResult(Result, frozen=True, kw_only=True):
    """What became of each run, in order."""

    terminate_run_results: tuple[Result | ErrorInfo, ...]


class DeletePipelineRunSuccess(Result, frozen=True, kw_only=True):
    """The run is gone."""

    run_id: str


@_MUTATION.named("terminateRun", "terminatePipelineExecution", needs=Permission.STOP_RUN)
def terminate_run(
    _source: None, context: Context, run_id: str, terminate_policy: str | None = None
) -> TerminateRunSuccess:
    run = run_of_id(context, run_id)
    context.require(Permission.STOP_RUN, run.location)
    if run.is_finished:
        message = f"The run {run_id} has ended already ({run.status}); there is nothing to stop."
        raise RefusedError(TerminateRunFailure(message=message, run=run))
    force = terminate_policy == "MARK_AS_CANCELED_IMMEDIATELY"
    stopped = context.instance.coordinator.cancel(run_id, force=force, actor=context.actor.name)
    context.runs.put(run_id, stopped)
    return TerminateRunSuccess(run=stopped)


@_MUTATION.named("terminateRuns", needs=Permission.STOP_RUN)
def terminate_runs(
    _source: None, context: Context, run_ids: list[str], terminate_policy: str | None = None
) -> TerminateRunsResult:
    context.runs.expect(run_ids)
    results: list[Result | ErrorInfo] = []
    for run_id in run_ids:
        try:
            results.append(terminate_run(None, context, run_id, terminate_policy))
        except RefusedError as refused:
            results.append(refused.failure)
        except PenstockError as error:
            results.append(plain_error(error))
    return TerminateRunsResult(terminate_run_results=tuple(results))


@_MUTATION.named("deleteRun", needs=Permission.DELETE_RUN)
def delete_run(_source: None, context: Context, run_id: str) -> DeletePipelineRunSuccess:
    run = run_of_id(context, run_id)
    context.require(Permission.DELETE_RUN, run.location)
    if not context.storage.runs.delete(run_id):
        raise ConfigurationError(f"The run {run_id} is {run.status}; only an ended run can be removed. Stop it first.")
    context.instance.logs.delete(run_id)
    return DeletePipelineRunSuccess(run_id=run_id)
