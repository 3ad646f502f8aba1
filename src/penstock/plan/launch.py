"""Plans a run from a code location's description, without user code: checks what is asked for, says what it will do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..codec import encode_json
from ..config.check import check
from ..engine.run_tags import check_tags
from ..errors import ConfigurationError, InvalidRunConfigError, NotFoundError
from ..ids import new_run_id
from ..partitions.definition import keys_of, position_of
from ..partitions.multi_key import SEPARATOR
from ..partitions.space import DynamicKeys, between, open_space
from ..partitions.spec import MultiSpec, PartitionsSpec, dynamic_names
from ..records.event import AssetCheckEvaluationPlanned, AssetMaterializationPlanned, Fact
from ..records.location import AssetJobName, JobDescription, LocationDescription, job_in_words
from ..records.pool import PoolNeed
from ..records.run import Run, Tag
from ..storage.protocols import NewRun
from .config import narrow_schema
from .pools import pools_needed
from .selection import as_asked, narrow_job, not_found

__all__ = ["partition_tags", "plan_run", "planned_facts"]


def plan_run(
    location: LocationDescription,
    *,
    job: str | None = None,
    run_config: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    partition: str | None = None,
    assets: Sequence[str] | None = None,
    checks: Sequence[str] | None = None,
    step_keys: Sequence[str] | None = None,
    parent: Run | None = None,
    at_hand: Collection[str] | None = None,
    run_id: str | None = None,
    now: float,
    dynamic_keys: DynamicKeys | None = None,
    partition_required: bool = True,
) -> NewRun:
    """A new run with its first facts, not stored yet.

    Args:
        location: The code location.
        job: The job; if not given, assets or checks must be, and the job of all assets runs them.
        run_config: Its config; if empty, the job's own default. Where user code gives the config of a partition, the
            caller has asked it (`locations.partition_runs`); if it is empty still, the run worker asks.
        tags: Its tags besides those of the job. A stretch of partitions is asked for by the two tags of a range.
        partition: The partition to work on.
        assets: Of a job of assets, those to make, in text form; all if not given.
        checks: The checks to evaluate, as `asset/key:name`; if not given, those on the assets to make.
        step_keys: The steps to run; all if not given.
        parent: The run that this one repeats.
        at_hand: With a parent, the steps whose values it or the runs before it have stored: they are loaded from there.
            Others that pass a value to a step of ops that is to run are run too.
        run_id: Its id; a new one if not given.
        now: The time, in seconds since the epoch: it says which partitions exist.
        dynamic_keys: Where the keys of dynamic partition sets come from; if not given, they are not checked.
        partition_required: Whether a run of partitioned assets must name a partition; a mere check need not.

    Raises:
        InvalidRunConfigError: The run config has mistakes; the error holds all of them.
        NotFoundError: There is no such job, asset, check, step or partition.
        DefinitionError: The selection cannot run by itself.
        ConfigurationError: A partition is named without need, or not named where one is needed; or a tag has a value
            that means nothing.
    """
    described = _job(location, job, assets, checks)
    narrowed = narrow_job(described, assets=assets, checks=checks, step_keys=step_keys, at_hand=at_hand)
    config = dict(run_config or described.default_config)
    if config or not described.config_by_partition:
        _check_config(narrowed, config)
    own_tags = {**described.run_tags, **(tags or {})}
    check_tags(own_tags)
    partition = partition or own_tags.get(Tag.PARTITION)
    partitions = _partitions(location, narrowed)
    keys = _partition_keys(narrowed, partitions, partition, own_tags, now, dynamic_keys, partition_required)
    if partition is not None:
        own_tags |= partition_tags(next(iter(partitions.values()), described.partitions), partition)
    if parent is not None:
        own_tags[Tag.PARENT_RUN] = parent.run_id
        own_tags[Tag.ROOT_RUN] = parent.root_run_id or parent.run_id
    run = Run(
        run_id=run_id or new_run_id(),
        location=location.name,
        job=described.name,
        run_config=config,
        tags=own_tags,
        step_keys=None if step_keys is None else as_asked([step.key for step in narrowed.steps], step_keys),
        assets=None if assets is None else tuple(sorted(narrowed.assets)),
        checks=None if checks is None else tuple(sorted(narrowed.checks)),
        parent_run_id=parent.run_id if parent is not None else None,
        root_run_id=(parent.root_run_id or parent.run_id) if parent is not None else None,
        pools=_pools(narrowed),
        created=now,
        updated=now,
    )
    observed = {output.asset for step in narrowed.steps for output in step.outputs if output.observes}
    facts = planned_facts(
        [asset for asset in narrowed.assets if asset not in observed],
        narrowed.checks,
        lambda asset: keys if asset in partitions else (None,),
    )
    return NewRun(run=run, facts=tuple(facts), snapshot=encode_json(narrowed))


def _pools(job: JobDescription) -> PoolNeed | None:
    keys = {step.key for step in job.steps}
    return pools_needed(
        (step.pool, not any(source.step in keys for given in step.inputs for source in given.sources))
        for step in job.steps
    )


def _job(
    location: LocationDescription, name: str | None, assets: Sequence[str] | None, checks: Sequence[str] | None
) -> JobDescription:
    if name is None:
        if not assets and not checks:
            raise ConfigurationError(
                f'Say what to run in the code location "{location.name}": a job, assets or checks.'
            )
        name = AssetJobName
    for job in location.jobs:
        if job.name == name:
            return job
    if name == AssetJobName:
        raise NotFoundError(f'The code location "{location.name}" makes no assets and evaluates no checks.')
    raise not_found(
        f'the code location "{location.name}" has no job "{name}"', name, [job.name for job in location.jobs]
    )


def _check_config(job: JobDescription, config: Mapping[str, Any]) -> None:
    resources = {key for step in job.steps for key in step.resources}
    schema = narrow_schema(job.config_schema, [step.key for step in job.steps], resources, job.maps_config)
    subject = f"The run config of {job_in_words(job.name)}"
    check(schema, config, root="the run config").unwrap(subject)
    try:
        encode_json(config)
    except TypeError as error:
        raise InvalidRunConfigError(
            f"{subject} holds a value that JSON cannot hold ({error}); give numbers, texts, lists and dicts."
        ) from error


def _partitions(location: LocationDescription, job: JobDescription) -> dict[str, PartitionsSpec]:
    """The partition sets that a run works on: of the assets that it makes or whose partitions it checks, by asset.

    For a job of ops its own, under no asset.
    """
    if not job.is_asset_job:
        return {} if job.partitions is None else {"": job.partitions}
    wanted, wanted_checks = set(job.assets), set(job.checks)
    of_checks = {
        check.asset: check.partitions
        for check in location.checks
        if check.partitions is not None and check.key in wanted_checks
    }
    return of_checks | {
        asset.key: asset.partitions for asset in location.assets if asset.key in wanted and asset.partitions is not None
    }


def _partition_keys(
    job: JobDescription,
    partitions: Mapping[str, PartitionsSpec],
    partition: str | None,
    tags: Mapping[str, str],
    now: float,
    dynamic_keys: DynamicKeys | None,
    required: bool,
) -> tuple[str | None, ...]:
    """The partitions that the run works on; `(None,)` if none."""
    start, end = tags.get(Tag.PARTITION_RANGE_START), tags.get(Tag.PARTITION_RANGE_END)
    is_range = start is not None and end is not None
    specs = set(partitions.values())
    if not specs:
        if partition is not None and job.partitions is None:
            raise ConfigurationError(
                f'What is to run of job "{job.name}" has no partitions, but the partition {partition!r} is asked for; '
                "leave it out."
            )
        return (partition,)
    if len(specs) > 1:
        first, second = (next(key for key, spec in partitions.items() if spec == each) for each in list(specs)[:2])
        raise ConfigurationError(
            f"{first} and {second} have different partitions and cannot be made in one run; start a backfill of them."
        )
    spec = next(iter(specs))
    if partition is None and not is_range:
        if not required:
            return (None,)
        what = f"asset {next(iter(partitions))}" if job.is_asset_job else f'job "{job.name}"'
        raise ConfigurationError(
            f"{what[0].upper()}{what[1:]} has partitions, so a run of it needs one; name the partition, or start a "
            "backfill over several."
        )
    if dynamic_keys is None and dynamic_names(spec):
        return (partition,) if partition is not None else (start,)
    space = open_space(spec, dynamic_keys, now)
    if partition is not None:
        position_of(space, partition, now)
        return (partition,)
    assert start is not None
    assert end is not None
    chosen = between(space, position_of(space, start, now), position_of(space, end, now))
    if not chosen:
        raise ConfigurationError(f"The range of partitions from {start!r} to {end!r} runs backwards; swap the two.")
    return tuple(keys_of(space, chosen))


def partition_tags(spec: PartitionsSpec | None, partition: str) -> dict[str, str]:
    """The tags of a run on a partition: its key, and of a set of several dimensions the key of each."""
    tags = {Tag.PARTITION: str(partition)}
    if isinstance(spec, MultiSpec):
        parts = zip(spec.dimensions, partition.split(SEPARATOR), strict=False)
        tags |= {f"{Tag.PARTITION}/{each.name}": part for each, part in parts}
    return tags


def planned_facts(
    assets: Iterable[str], checks: Iterable[str], keys_of: Callable[[str], Sequence[str | None]]
) -> Iterator[Fact]:
    """What a run announces to make and to evaluate.

    Args:
        assets: The assets that it makes, in text form.
        checks: The checks that it evaluates, as `asset/key:name`.
        keys_of: The partitions of an asset that it works on; `(None,)` if the asset has none.
    """
    for asset in sorted(assets):
        for key in keys_of(asset):
            yield AssetMaterializationPlanned(asset=asset, partition=key)
    for check_key in sorted(checks):
        asset, _, name = check_key.rpartition(":")
        keys = keys_of(asset)
        yield AssetCheckEvaluationPlanned(asset=asset, check=name, partition=keys[0] if len(keys) == 1 else None)
