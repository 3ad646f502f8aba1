"""Runs in the making: what a caller asks for, planned and checked, or the failure that says what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from graphql import GraphQLError

from ...auth.permissions import Actor, Permission
from ...codec import decode_json
from ...errors import (
    CodeServerUnreachableError,
    ConfigurationError,
    EnvironmentalError,
    InvalidRunConfigError,
    NotFoundError,
)
from ...locations.partition_runs import partition_runs
from ...partitions.spec import PartitionsSpec
from ...plan.launch import plan_run
from ...plan.stale import is_memoized, only_stale
from ...records.location import JobDescription
from ...records.run import Run, Tag
from ...records.wire import CheckRunConfig, ConfigAnswer, PartitionRun
from ...storage.protocols import NewRun
from ...storage.run_log import steps_at_hand
from .context import Context
from .failures import InvalidSubsetError, PartitionKeysNotFoundError, RefusedError
from .find import loaded
from .inputs import JobOrPipelineSelector, PipelineSelector
from .nodes import JobNode, PlanNode
from .partitions import open_set
from .run_config import mistakes

__all__ = [
    "check_in_code",
    "checked_plan",
    "make",
    "partition_specs",
    "require_keys",
    "require_no_mode",
    "submit",
]


def make(
    context: Context,
    node: JobNode,
    *,
    run_config: dict[str, Any],
    tags: Mapping[str, str],
    partition: str | None = None,
    step_keys: tuple[str, ...] | None = None,
    assets: tuple[str, ...] | None = None,
    checks: tuple[str, ...] | None = None,
    parent: Run | None = None,
    partition_required: bool = True,
    of_partition: PartitionRun | None = None,
) -> NewRun:
    """A new run, planned from the location's description and not stored yet; see `plan_run`.

    Args:
        of_partition: What user code gives for the partition, if it was asked; see `partition_runs`.

    Raises:
        RefusedError: The run config, the selection or the partition does not fit the job.
    """
    partition = partition or tags.get(Tag.PARTITION)
    if partition is not None:
        made = () if assets is None and checks is not None else assets  # checks alone make nothing
        require_keys(context, partition_specs(node, made), [partition])
        own = of_partition
        if own is None and parent is None:
            own = partition_runs(context.catalog, node.location.stored.name, node.job, [partition]).get(partition)
        if own is not None:
            run_config, tags = run_config or own.run_config, {**own.tags, **tags}
    if parent is None and step_keys is None and is_memoized(node.job, tags):
        assets = only_stale(node.job, assets, partition, context.catalog.assets, context.storage.assets)
        if not assets:
            raise RefusedError(
                InvalidSubsetError(
                    message=f"All that this run of {node.job.name!r} is to make is up to date. "
                    f"Without the tag {Tag.MEMOIZED} it is made again."
                )
            )
    try:
        return plan_run(
            loaded(node.location),
            job=node.job.name,
            run_config=run_config,
            tags=dict(tags),
            partition=partition,
            assets=assets,
            checks=checks,
            step_keys=step_keys,
            parent=parent,
            at_hand=None if parent is None else steps_at_hand(context.storage.runs, context.storage.events, parent),
            now=context.now,
            dynamic_keys=lambda name: context.dynamic_partitions.get(name) or (),
            partition_required=partition_required,
        )
    except InvalidRunConfigError as error:
        question = CheckRunConfig(job=node.job.name, run_config=run_config, step_keys=step_keys, assets=assets)
        # The code also knows what is wrong with those parts that have the right form.
        answer = _ask(context, node.location.stored.name, question)
        problems = error.problems if answer is None or not answer.problems else answer.problems
        raise RefusedError(mistakes(node.job.name, problems)) from error
    except ConfigurationError as error:
        raise RefusedError(InvalidSubsetError(message=str(error))) from error


def checked_plan(
    context: Context, node: JobNode, selector: PipelineSelector | JobOrPipelineSelector, run_config: dict[str, Any]
) -> PlanNode:
    """The steps that a launch would run, its run config checked with all that is known of it.

    Raises:
        RefusedError: The run config or the selection does not fit the job.
    """
    new_run = make(
        context,
        node,
        run_config=run_config,
        tags={},
        step_keys=selector.steps,
        assets=selector.assets,
        checks=selector.checks,
        partition_required=False,
    )
    check_in_code(context, new_run.run)
    assert new_run.snapshot is not None
    return PlanNode.of(decode_json(new_run.snapshot, JobDescription))


def check_in_code(context: Context, run: Run) -> None:
    """Let the code server check a run config, which knows limits and validators that the schema does not carry.

    A code server that does not answer is no reason to refuse: the run worker checks again.

    Raises:
        RefusedError: The run config does not fit.
    """
    if not run.run_config:
        return
    question = CheckRunConfig(job=run.job, run_config=run.run_config, step_keys=run.step_keys, assets=run.assets)
    answer = _ask(context, run.location, question)
    if answer is None:
        return
    if answer.problems:
        raise RefusedError(mistakes(run.job, answer.problems))
    if answer.error is not None:
        raise EnvironmentalError(
            f"The code location {run.location!r} could not check the run config: {answer.error.message}"
        )


def _ask(context: Context, location: str, question: CheckRunConfig) -> ConfigAnswer | None:
    """What a code server says of a run config; None if it does not answer."""
    try:
        return context.catalog.client(location).check_config(question)
    except (CodeServerUnreachableError, NotFoundError):
        return None


def submit(context: Context, new_runs: Iterable[NewRun]) -> list[Run]:
    """Hand runs to the coordinator, each with the actor's name; all are of locations where the actor may launch."""
    runs = [_asked_for_by(context.actor, each) for each in new_runs]
    for location in {each.run.location for each in runs}:
        context.require(Permission.LAUNCH_RUN, location)
    made = context.instance.coordinator.submit(runs)
    for run in made:
        context.runs.put(run.run_id, run)
    return made


def _asked_for_by(actor: Actor, new_run: NewRun) -> NewRun:
    """The run with the name of who asks for it, whatever its tags say; where nobody has a name, as it is."""
    if actor.name is None:
        return new_run
    run = msgspec.structs.replace(new_run.run, tags={**new_run.run.tags, Tag.USER: actor.name})
    return msgspec.structs.replace(new_run, run=run)


def partition_specs(node: JobNode, assets: tuple[str, ...] | None) -> set[PartitionsSpec]:
    """The partition sets that a run of the job, or of these assets of it, works on."""
    chosen = node.job.assets if assets is None else assets
    found = {node.location.assets[key].partitions for key in chosen if key in node.location.assets}
    return {spec for spec in (node.job.partitions, *found) if spec is not None}


def require_keys(context: Context, specs: Iterable[PartitionsSpec], keys: Iterable[str]) -> None:
    """Refuse unless every set has all of these keys now."""
    sets = [open_set(context, spec) for spec in specs]
    unknown = tuple(key for key in keys if not all(each.has(key) for each in sets))
    if unknown:
        shown = ", ".join(repr(key) for key in unknown[:5]) + (", ..." if len(unknown) > 5 else "")
        span = "; ".join(
            f"the keys go from {each.space.key(0)!r} to {each.space.key(each.size - 1)!r}"
            if each.size
            else "the set has no keys yet"
            for each in sets
        )
        message = f"No such partition: {shown}. At this time {span}."
        raise RefusedError(PartitionKeysNotFoundError(message=message, partition_keys=unknown))


def require_no_mode(mode: str | None) -> None:
    """A job is run in one way here; the parameter is there for callers that send its default."""
    if mode not in (None, "default"):
        raise GraphQLError(f"There is no mode {mode!r}; jobs have no modes, so leave it out.")
