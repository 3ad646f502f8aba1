"""Backfills: runs over many partitions, as many in one as their assets allow, known by a tag of their own."""

from __future__ import annotations

from collections.abc import Sequence

from ...auth.permissions import Permission
from ...engine.partition_runs import runs_over
from ...ids import new_run_id
from ...locations.partition_runs import partition_runs
from ...partitions.spec import PartitionsSpec
from ...partitions.subset import Subset
from ...records.asset import LETTERS, PartitionStatus
from ...records.run import Tag
from .context import Context
from .failures import InvalidSubsetError, PartitionKeysNotFoundError, RefusedError, Result
from .fields import Fields
from .find import asset_named, job_named
from .inputs import LaunchBackfillParams, tags_of
from .new_runs import check_in_code, make, partition_specs, require_keys, submit
from .nodes import JobNode
from .partitions import open_set
from .run_config import run_config_of
from .workspace import ASSET_JOB

__all__ = ["TABLES"]

_CHUNK = 250
_MOST_RUNS = 25_000
_NOT_MISSING = frozenset(LETTERS[PartitionStatus.MATERIALIZED] + LETTERS[PartitionStatus.MATERIALIZING])

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


class LaunchBackfillSuccess(Result, frozen=True, kw_only=True):
    """The runs were made; all of them carry the tag `penstock/backfill` with this id."""

    backfill_id: str
    launched_run_ids: tuple[str, ...]


@_MUTATION.named("launchPartitionBackfill", needs=Permission.LAUNCH_RUN)
def launch_partition_backfill(
    _source: None, context: Context, backfill_params: LaunchBackfillParams
) -> LaunchBackfillSuccess:
    params = backfill_params
    node, assets, steps = _target(context, params)
    context.require(Permission.LAUNCH_RUN, node.location.stored.name)
    specs = partition_specs(node, assets)
    keys = _chosen(context, params, node, assets, specs)
    runs = _cut(context, node, assets, specs, keys)
    if len(runs) > _MOST_RUNS:
        raise _invalid(f"That would make {len(runs):,} runs; at most {_MOST_RUNS:,} are made at once. Choose fewer.")
    backfill_id = new_run_id()
    tags = {
        **tags_of(params.tags),
        Tag.BACKFILL: backfill_id,
        **({Tag.BACKFILL_TITLE: params.title} if params.title else {}),
    }
    config = run_config_of(params.run_config_data, node.job.name)
    launched: list[str] = []
    for start in range(0, len(runs), _CHUNK):
        chunk = runs[start : start + _CHUNK]
        single = [key for key, _ in chunk if key is not None]
        own = partition_runs(context.catalog, node.location.stored.name, node.job, single)
        new_runs = [
            make(
                context,
                node,
                run_config=config,
                tags={**tags, **span},
                partition=key,
                step_keys=steps,
                assets=assets,
                of_partition=None if key is None else own.get(key),
            )
            for key, span in chunk
        ]
        if start == 0:
            check_in_code(context, new_runs[0].run)
        launched += [run.run_id for run in submit(context, new_runs)]
    return LaunchBackfillSuccess(backfill_id=backfill_id, launched_run_ids=tuple(launched))


def _target(
    context: Context, params: LaunchBackfillParams
) -> tuple[JobNode, tuple[str, ...] | None, tuple[str, ...] | None]:
    """The job, and what of it."""
    if params.selector is not None:
        selector = params.selector
        return job_named(context, selector, selector.job), selector.assets, selector.steps
    if not params.asset_selection:
        raise _invalid("Give a selector (a partitioned job) or an assetSelection (partitioned assets).")
    assets = tuple(key.text for key in params.asset_selection)
    nodes = [asset_named(context, key) for key in assets]
    named = params.repository_location_name
    locations = {node.location.stored.name: node.location for node in nodes}
    if len(locations) != 1 or named not in (None, *locations):
        raise _invalid(f"The assets are of the code locations {sorted(locations)}; launch those of each one by itself.")
    (location,) = locations.values()
    return JobNode(location, location.jobs[ASSET_JOB]), assets, None


def _cut(
    context: Context, node: JobNode, assets: tuple[str, ...] | None, specs: set[PartitionsSpec], keys: Sequence[str]
) -> list[tuple[str | None, dict[str, str]]]:
    """The partition and the tags of each run: of a job one for each key, of assets as their backfill policies say."""
    made = [node.location.assets[key] for key in assets or () if key in node.location.assets]
    limits = [each.max_partitions_per_run for each in made if each.partitions is not None]
    at_most = min((limit for limit in limits if limit is not None), default=None if limits else 1)
    if at_most == 1 or len(specs) > 1:
        return [(key, {}) for key in keys]
    (spec,) = specs
    space = open_set(context, spec).space
    positions = [position for key in keys if (position := space.position(key)) is not None]
    return list(runs_over(space, Subset.of(positions), at_most))


def _chosen(
    context: Context,
    params: LaunchBackfillParams,
    node: JobNode,
    assets: tuple[str, ...] | None,
    specs: set[PartitionsSpec],
) -> Sequence[str]:
    """The partition keys to run, in order."""
    if not specs:
        raise _invalid("None of it is partitioned; launch it as a run.")
    if params.partition_names is not None:
        keys = list(dict.fromkeys(params.partition_names))
        require_keys(context, specs, keys)
    elif params.all_partitions:
        keys = _all_keys(context, specs)
    else:
        raise _invalid("Give partitionNames, or allPartitions.")
    if params.only_missing:
        keys = _missing(context, node.job.assets if assets is None else assets, node, keys)
    if not keys:
        message = "No partition is left to run: none was chosen, or none of those chosen is missing."
        raise RefusedError(PartitionKeysNotFoundError(message=message, partition_keys=()))
    return keys


def _all_keys(context: Context, specs: set[PartitionsSpec]) -> list[str]:
    if len(specs) > 1:
        raise _invalid("The assets have different partition sets; launch those of each set by themselves.")
    (keys,) = [open_set(context, spec) for spec in specs]
    return keys.space.keys(0, keys.size)


def _missing(context: Context, assets: Sequence[str], node: JobNode, keys: list[str]) -> list[str]:
    """The keys that some of the assets lack."""
    partitioned = [key for key in assets if key in node.location.assets and node.location.assets[key].partitions]
    if not partitioned:
        raise _invalid("What is missing is known for assets alone, and this job makes no partitioned ones.")
    statuses = context.storage.assets.partition_statuses(dict.fromkeys(partitioned, 0))
    letters = [statuses[key].by_key() if key in statuses else {} for key in partitioned]
    return [key for key in keys if any(each.get(key) not in _NOT_MISSING for each in letters)]


def _invalid(message: str) -> RefusedError:
    return RefusedError(InvalidSubsetError(message=message))
