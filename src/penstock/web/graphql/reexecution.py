"""Running an ended run's job again: all of what it ran, or what failed and what therefore never began."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...engine.retry import RetryStrategy
from ...errors import ConfigurationError
from ...plan.reexecution import tags_to_repeat, what_to_repeat
from ...records.run import Run
from .context import Context
from .failures import InvalidSubsetError, RefusedError, RunConflict
from .fields import Fields
from .find import job_named, run_of_id
from .inputs import ReexecutionParams, RepositorySelector, tags_of
from .launch import LaunchRunSuccess
from .new_runs import make, submit
from .runs import assets_made, plan_of_run

__all__ = ["TABLES"]

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


@_MUTATION.named("launchRunReexecution", needs=Permission.LAUNCH_RUN)
def launch_run_reexecution(_source: None, context: Context, reexecution_params: ReexecutionParams) -> LaunchRunSuccess:
    params = reexecution_params
    parent = run_of_id(context, params.parent_run_id)
    context.require(Permission.LAUNCH_RUN, parent.location)
    if not parent.is_finished:
        message = f"The run {parent.run_id} is {parent.status}; it can be run again when it has ended."
        raise RefusedError(RunConflict(message=message))
    node = job_named(context, RepositorySelector(repository_location_name=parent.location), parent.job)
    tags = tags_to_repeat(parent)
    steps, assets = _selection(context, parent, params)
    new_run = make(
        context,
        node,
        run_config=parent.run_config,
        tags={**(tags if params.use_parent_run_tags is not False else {}), **tags_of(params.extra_tags)},
        partition=parent.partition,
        step_keys=steps,
        assets=assets,
        checks=parent.checks,
        parent=parent,
    )
    (run,) = submit(context, [new_run])
    return LaunchRunSuccess(run=run)


def _selection(
    context: Context, parent: Run, params: ReexecutionParams
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """The steps and the assets to run; None is all."""
    if params.step_keys:
        return tuple(params.step_keys), parent.assets
    strategy = RetryStrategy(params.strategy)
    plan = plan_of_run(context, parent)
    made = assets_made(context, parent) if strategy is RetryStrategy.FROM_ASSET_FAILURE else ()
    stats = context.storage.events.step_stats(parent.run_id)
    try:
        return what_to_repeat(parent, strategy, None if plan is None else plan.job, stats, made)
    except ConfigurationError as error:
        raise RefusedError(InvalidSubsetError(message=str(error))) from error
