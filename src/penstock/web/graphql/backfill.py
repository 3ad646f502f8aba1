"""Asking for a backfill, and what people want of one that is under way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

from ...auth.permissions import Permission
from ...engine.retry import RetryStrategy
from ...errors import ConfigurationError
from ...instance.backfill_again import request_again
from ...instance.backfill_request import BackfillRequest, PartitionsMissingError, first_line, planned_backfill
from ...partitions.space import between
from ...records.backfill import Backfill, BackfillLine, BackfillPlan, BackfillStatus
from ...records.wire import PartitionRun
from ...storage.protocols import BackfillChange
from .context import Context
from .failures import (
    BackfillNotFoundError,
    InvalidSubsetError,
    PartitionKeysNotFoundError,
    RefusedError,
    Result,
)
from .fields import Fields
from .find import asset_named, job_named
from .inputs import (
    AssetBackfillPreviewParams,
    LaunchBackfillParams,
    PartitionsByAssetSelector,
    ReexecutionParams,
    tags_of,
)
from .new_runs import check_in_code, make
from .nodes import JobNode
from .partitions import open_set
from .run_config import run_config_of

__all__ = ["TABLES", "backfill_of_id", "chosen_of", "keys_by_asset", "plan_request"]

_GROUPS_CHECKED = 20

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


class LaunchBackfillSuccess(Result, frozen=True, kw_only=True):
    """The backfill is stored; its runs, which the daemon makes, carry the tag `penstock/backfill` with this id."""

    backfill_id: str
    launched_run_ids: tuple[str, ...] = ()


class CancelBackfillSuccess(Result, frozen=True, kw_only=True):
    """It ends as soon as its runs have."""

    backfill_id: str


class PauseBackfillSuccess(Result, frozen=True, kw_only=True):
    """It makes no more runs, and those in the queue stay there."""

    backfill_id: str


class ResumeBackfillSuccess(Result, frozen=True, kw_only=True):
    """It goes on."""

    backfill_id: str


class ChangeBackfillSuccess(Result, frozen=True, kw_only=True):
    """It is as was asked."""

    backfill_id: str


# -- asking for one ----------------------------------------------------------------------------------------------------


@_MUTATION.named("launchPartitionBackfill", needs=Permission.LAUNCH_RUN)
def launch_partition_backfill(
    _source: None, context: Context, backfill_params: LaunchBackfillParams
) -> LaunchBackfillSuccess:
    return _launch(context, _request(context, backfill_params))


@_MUTATION.named("reexecutePartitionBackfill", needs=Permission.LAUNCH_RUN)
def reexecute_partition_backfill(
    _source: None, context: Context, reexecution_params: ReexecutionParams
) -> LaunchBackfillSuccess:
    params = reexecution_params
    backfill = backfill_of_id(context, params.parent_run_id)
    try:
        request = request_again(
            context.storage.backfills,
            backfill,
            from_failure=RetryStrategy(params.strategy) is not RetryStrategy.ALL_STEPS,
            tags=tags_of(params.extra_tags),
            user=context.actor.name,
        )
    except PartitionsMissingError as error:
        raise RefusedError(PartitionKeysNotFoundError(message=str(error), partition_keys=())) from error
    except ConfigurationError as error:
        raise _invalid(str(error)) from error
    return _launch(context, request)


def _launch(context: Context, request: BackfillRequest) -> LaunchBackfillSuccess:
    backfill, plan = plan_request(context, request)
    for location in backfill.locations:
        context.require(Permission.LAUNCH_RUN, location)
    _check(context, backfill, plan)
    context.storage.backfills.add(backfill, plan, line=first_line(backfill, context.now))
    return LaunchBackfillSuccess(backfill_id=backfill.backfill_id)


def plan_request(context: Context, request: BackfillRequest) -> tuple[Backfill, BackfillPlan]:
    """The backfill that is asked for, not stored.

    Raises:
        RefusedError: It cannot be made.
    """
    try:
        return planned_backfill(context.catalog, context.storage.assets, request, now=context.now)
    except PartitionsMissingError as error:
        raise RefusedError(PartitionKeysNotFoundError(message=str(error), partition_keys=error.keys)) from error
    except ConfigurationError as error:
        raise _invalid(str(error)) from error


def _request(context: Context, params: LaunchBackfillParams) -> BackfillRequest:
    if params.partition_names is None and not params.all_partitions and params.partitions_by_assets is None:
        raise _invalid("Give partitionNames, or allPartitions, or partitionsByAssets.")
    request = BackfillRequest(
        location=params.repository_location_name,
        partitions=None if params.partition_names is None else tuple(dict.fromkeys(params.partition_names)),
        only_missing=bool(params.only_missing),
        tags=tags_of(params.tags),
        title=params.title,
        description=params.description,
        user=context.actor.name,
    )
    if params.selector is not None:
        node = job_named(context, params.selector, params.selector.job)
        return _changed(
            request,
            location=node.location.stored.name,
            job=node.job.name,
            assets=params.selector.assets,
            step_keys=params.selector.steps,
            run_config=run_config_of(params.run_config_data, node.job.name),
        )
    config = run_config_of(params.run_config_data, "assets")
    if params.partitions_by_assets is not None:
        return _changed(request, by_asset=keys_by_asset(context, params.partitions_by_assets), run_config=config)
    if not params.asset_selection:
        raise _invalid("Give a selector (a partitioned job), or an assetSelection, or partitionsByAssets.")
    assets = tuple(asset_named(context, key.text).asset.key for key in params.asset_selection)
    return _changed(request, assets=assets, partitions_of=chosen_of(params), run_config=config)


def chosen_of(params: LaunchBackfillParams | AssetBackfillPreviewParams) -> str | None:
    """The asset whose partitions are named, which must be one of those that are asked for."""
    if params.partitions_of is None:
        return None
    if params.partitions_of not in (params.asset_selection or ()):
        raise _invalid(f"partitionsOf names {params.partitions_of.text}, which is not in assetSelection; add it.")
    return params.partitions_of.text


def _changed(request: BackfillRequest, **fields: object) -> BackfillRequest:
    known = {field: getattr(request, field) for field in request.__struct_fields__}
    return BackfillRequest(**{**known, **fields})


def keys_by_asset(context: Context, chosen: Sequence[PartitionsByAssetSelector]) -> Mapping[str, Sequence[str] | None]:
    """The partition keys of each asset; None for all."""
    found: dict[str, Sequence[str] | None] = {}
    for each in chosen:
        asset = asset_named(context, each.asset_key.text).asset
        if each.partitions is None or asset.partitions is None:
            found[asset.key] = None
            continue
        keys = open_set(context, asset.partitions)
        ends = [key for span in each.partitions.ranges for key in (span.start, span.end)]
        unknown = tuple(key for key in ends if not keys.has(key))
        if unknown:
            message = f"The asset {asset.key} has no partition {unknown[0]!r}; choose from its list of partitions."
            raise RefusedError(PartitionKeysNotFoundError(message=message, partition_keys=unknown))
        places = [place for key in ends if (place := keys.space.position(key)) is not None]
        positions = (between(keys.space, *span) for span in zip(places[::2], places[1::2], strict=True))
        found[asset.key] = [keys.space.key(position) for each in positions for position in each]
    return found


def _check(context: Context, backfill: Backfill, plan: BackfillPlan) -> None:
    """Refuse what the first run of a group would be refused for."""
    for group in islice(plan.groups, _GROUPS_CHECKED):
        location = context.catalog.locations[group.location]
        key = None if group.partitions is None else context.space(group.partitions)[0].key(group.chosen.ranges[0][0])
        new = make(
            context,
            JobNode(location, location.jobs[group.job]),
            run_config=plan.run_config,
            tags=backfill.tags,
            partition=key,
            step_keys=plan.step_keys,
            assets=group.assets or None,
            of_partition=PartitionRun(),  # user code is asked by the daemon, which waits where it does not answer
        )
        check_in_code(context, new.run)


# -- one that is under way ---------------------------------------------------------------------------------------------


def backfill_of_id(context: Context, backfill_id: str) -> Backfill:
    """The backfill of that id."""
    found = context.storage.backfills.get(backfill_id)
    if found is None:
        message = f"There is no backfill {backfill_id!r}; see the list of backfills."
        raise RefusedError(BackfillNotFoundError(message=message, backfill_id=backfill_id))
    return found


def _change(context: Context, backfill_id: str, change: BackfillChange, words: str, permission: Permission) -> None:
    backfill = backfill_of_id(context, backfill_id)
    for location in backfill.locations:
        context.require(permission, location)
    by = f" by {context.actor.name}" if context.actor.name else ""
    line = BackfillLine(time=context.now, message=f"{words}{by}.")
    after = context.storage.backfills.change(backfill_id, change, line=line, now=context.now)
    if after == backfill and not _is_so(backfill, change):
        raise ConfigurationError(f"The backfill {backfill_id} is {backfill.status}, which does not allow that.")


def _is_so(backfill: Backfill, change: BackfillChange) -> bool:
    return backfill.is_open and (
        change.status in (None, backfill.status)
        and change.paused in (None, backfill.paused)
        and change.priority in (None, backfill.priority)
    )


@_MUTATION.named("cancelPartitionBackfill", needs=Permission.STOP_RUN)
def cancel_partition_backfill(_source: None, context: Context, backfill_id: str) -> CancelBackfillSuccess:
    change = BackfillChange(status=BackfillStatus.CANCELING)
    _change(context, backfill_id, change, "Asked to stop", Permission.STOP_RUN)
    return CancelBackfillSuccess(backfill_id=backfill_id)


@_MUTATION.named("pausePartitionBackfill", needs=Permission.STOP_RUN)
def pause_partition_backfill(_source: None, context: Context, backfill_id: str) -> PauseBackfillSuccess:
    _change(context, backfill_id, BackfillChange(paused=True), "Paused", Permission.STOP_RUN)
    return PauseBackfillSuccess(backfill_id=backfill_id)


@_MUTATION.named("resumePartitionBackfill", needs=Permission.LAUNCH_RUN)
def resume_partition_backfill(_source: None, context: Context, backfill_id: str) -> ResumeBackfillSuccess:
    backfill = backfill_of_id(context, backfill_id)
    has_failed = backfill.status is BackfillStatus.FAILED
    change = BackfillChange(status=BackfillStatus.REQUESTED) if has_failed else BackfillChange(paused=False)
    _change(context, backfill_id, change, "Told to go on", Permission.LAUNCH_RUN)
    return ResumeBackfillSuccess(backfill_id=backfill_id)


@_MUTATION.named("changeBackfillPriority", needs=Permission.LAUNCH_RUN)
def change_backfill_priority(_source: None, context: Context, backfill_id: str, priority: int) -> ChangeBackfillSuccess:
    change = BackfillChange(priority=priority)
    _change(context, backfill_id, change, f"Priority set to {priority}", Permission.LAUNCH_RUN)
    return ChangeBackfillSuccess(backfill_id=backfill_id)


def _invalid(message: str) -> RefusedError:
    return RefusedError(InvalidSubsetError(message=message))
