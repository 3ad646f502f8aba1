"""What somebody wants made, as a backfill: which partitions of which assets, or of which job, checked and planned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from ..engine.automation.cursor import keys_to_subset
from ..engine.backfill_plan import Wanted, groups_of
from ..errors import ConfigurationError, NotFoundError, PartitionNotFoundError
from ..ids import new_run_id
from ..locations.catalog import Catalog, CatalogLocation
from ..partitions.mapping_multi import default_mapping
from ..partitions.space import KeySpace, open_space
from ..partitions.spec import PartitionsSpec
from ..partitions.subset import Subset
from ..records.asset import LETTERS, PartitionStatus
from ..records.automation import PartitionChoice
from ..records.backfill import Backfill, BackfillGroup, BackfillLine, BackfillPlan
from ..records.location import AssetDescription, AssetJobName, JobDescription
from ..records.run import Tag
from ..storage.protocols import AssetStorage

__all__ = ["BackfillRequest", "PartitionsMissingError", "first_line", "planned_backfill"]

_NOT_MISSING = frozenset(LETTERS[PartitionStatus.MATERIALIZED] + LETTERS[PartitionStatus.MATERIALIZING])
_NAMED = 5


class PartitionsMissingError(PartitionNotFoundError):
    """Partitions that are asked for do not exist, or none is left; `keys` are those that do not exist."""

    def __init__(self, message: str, keys: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.keys = tuple(keys)


class BackfillRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted.

    Args:
        location: The code location; needed with a job.
        job: A job: one of ops, or of assets.
        assets: Assets in text form; with a job, of that.
        step_keys: Of a job of ops, the steps to run.
        partitions: Partition keys; None for all partitions. Of assets with several partition sets they are keys of
            those that need none of the others; of the others what depends on them is made.
        partitions_of: The asset, in text form, whose partitions those are. Of assets of other partition sets what
            depends on them is made, and nothing of one that does not.
        by_asset: The partition keys of each asset, instead of `assets` and `partitions`; None for all of an asset.
        choices: What an evaluation chose, instead of `assets` and `partitions`; partitions that there are no longer
            are left out.
        only_missing: Whether to leave out what was made or is on its way.
        run_config: Of every run.
        tags: Of every run.
        title: What people call it.
        description: What people say of it.
        user: Who asks, where known.
        priority: Of its runs.
        parent: The backfill that this one repeats.
        from_failure: Whether it makes only what that one did not.
    """

    location: str | None = None
    job: str | None = None
    assets: tuple[str, ...] | None = None
    step_keys: tuple[str, ...] | None = None
    partitions: tuple[str, ...] | None = None
    partitions_of: str | None = None
    by_asset: Mapping[str, Sequence[str] | None] | None = None
    choices: tuple[PartitionChoice, ...] = ()
    only_missing: bool = False
    run_config: Mapping[str, Any] = {}
    tags: Mapping[str, str] = {}
    title: str | None = None
    description: str | None = None
    user: str | None = None
    priority: int = 0
    parent: Backfill | None = None
    from_failure: bool = False


def planned_backfill(
    catalog: Catalog, storage: AssetStorage, request: BackfillRequest, *, now: float
) -> tuple[Backfill, BackfillPlan]:
    """The backfill that does what is wanted, not stored yet.

    Args:
        catalog: What the code locations define.
        storage: Knows the keys of dynamic partition sets, and what is missing.
        request: What is wanted.
        now: When it is wanted: which partitions exist.

    Raises:
        NotFoundError: There is no such code location, job or asset.
        PartitionsMissingError: A partition does not exist, or none is left to make.
        ConfigurationError: It cannot be made, and why.
    """
    sets = _Sets(storage, now)
    job = None if request.job is None else _job(catalog, request)
    if job is not None and not job.is_asset_job:
        groups: tuple[BackfillGroup, ...] = (_of_ops(request, job, sets),)
    else:
        wanted = _wanted(catalog, request, job, sets)
        groups = groups_of(wanted)
        if job is not None and request.assets is None and len(groups) == 1:
            groups = (msgspec.structs.replace(groups[0], whole_job=True),)
    if not any(group.chosen for group in groups):
        raise PartitionsMissingError(
            "No partition is left to run: none was chosen, or none of those chosen is missing."
        )
    plan = BackfillPlan(
        groups=groups,
        now=now,
        dynamic_keys={name: tuple(keys) for name, keys in sets.dynamic.items()},
        run_config=dict(request.run_config),
        step_keys=request.step_keys,
    )
    parent = request.parent
    return (
        Backfill(
            backfill_id=new_run_id(),
            priority=request.priority,
            tags=dict(request.tags),
            title=request.title,
            description=request.description,
            user=request.user,
            job=None if request.job == AssetJobName else request.job,
            locations=tuple(sorted({group.location for group in groups})),
            asset_count=len(plan.assets),
            first_asset=min(plan.assets, default=None),
            widths=tuple(max(1, len(group.assets)) for group in groups),
            partition_count=max(len(group.chosen) for group in groups),
            size=plan.size,
            parent=None if parent is None else parent.backfill_id,
            root=None if parent is None else parent.root or parent.backfill_id,
            from_failure=request.from_failure,
            created=now,
            updated=now,
        ),
        plan,
    )


def first_line(backfill: Backfill, now: float) -> BackfillLine:
    """The first line of a backfill's log: what was asked for, and by whom."""
    if backfill.job is not None:
        what = f"job {backfill.job}"
    else:
        what = "one asset" if backfill.asset_count == 1 else f"{backfill.asset_count:,} assets"
    sensor = backfill.tags.get(Tag.SENSOR)
    who = backfill.user or (f"the sensor {sensor}" if sensor else None)
    by = f", by {who}" if who else ""
    return BackfillLine(time=now, message=f"Asked for: {backfill.size:,} partitions of {what}{by}.")


class _Sets:
    """Partition sets at the time of the request."""

    def __init__(self, storage: AssetStorage, now: float) -> None:
        self.storage = storage
        self.now = now
        self.dynamic: dict[str, list[str]] = {}
        self._spaces: dict[PartitionsSpec, KeySpace] = {}

    def space(self, spec: PartitionsSpec) -> KeySpace:
        if spec not in self._spaces:
            self._spaces[spec] = open_space(spec, self._dynamic_keys, self.now)
        return self._spaces[spec]

    def all_of(self, spec: PartitionsSpec) -> Subset:
        return Subset.span(0, self.space(spec).count(self.now))

    def chosen(self, spec: PartitionsSpec, keys: Sequence[str] | None) -> Subset:
        """The positions of these keys, or of all.

        Raises:
            PartitionsMissingError: Some of them do not exist.
        """
        if keys is None:
            return self.all_of(spec)
        space = self.space(spec)
        count = space.count(self.now)
        positions = space.positions(keys)
        unknown = [
            key for key, position in zip(keys, positions, strict=True) if position is None or not 0 <= position < count
        ]
        if unknown:
            shown = ", ".join(map(repr, unknown[:_NAMED])) + (", ..." if len(unknown) > _NAMED else "")
            span = (
                f"the keys go from {space.key(0)!r} to {space.key(count - 1)!r}" if count else "the set has no keys yet"
            )
            raise PartitionsMissingError(f"No such partition: {shown}. At this time {span}.", unknown)
        return Subset.of(position for position in positions if position is not None)

    def _dynamic_keys(self, name: str) -> list[str]:
        if name not in self.dynamic:
            self.dynamic[name] = self.storage.dynamic_partitions(name)
        return self.dynamic[name]


def _job(catalog: Catalog, request: BackfillRequest) -> JobDescription:
    job = None if request.location is None else catalog.job(request.location, request.job or "")
    if job is None:
        raise NotFoundError(f"The code location {request.location!r} has no job {request.job!r}; see the list of jobs.")
    return job


def _of_ops(request: BackfillRequest, job: JobDescription, sets: _Sets) -> BackfillGroup:
    if job.partitions is None:
        raise ConfigurationError(f"None of it is partitioned: job {job.name!r} has no partitions; launch it as a run.")
    if request.only_missing:
        raise ConfigurationError("What is missing is known for assets alone, and this job makes no partitioned ones.")
    assert request.location is not None
    return BackfillGroup(
        location=request.location,
        job=job.name,
        partitions=job.partitions,
        chosen=sets.chosen(job.partitions, request.partitions),
    )


def _wanted(catalog: Catalog, request: BackfillRequest, job: JobDescription | None, sets: _Sets) -> list[Wanted]:
    """The assets, each with the positions that are left to make; those of which none is are left out."""
    found = _assets(catalog, request, job)
    chosen = _Choice(request, {key: asset for key, (_, asset) in found.items()}, sets)
    positions = {key: chosen.of(key) for key in found}
    if request.only_missing:
        positions = _missing(positions, {key: asset for key, (_, asset) in found.items()}, sets)
    makers = {
        (location.stored.name, key): step.key
        for location in {location.stored.name: location for location, _ in found.values()}.values()
        for whole in (location.jobs.get(AssetJobName),)
        if whole is not None
        for step in whole.steps
        if len(step.assets) > 1 and not step.can_subset
        for key in step.assets
    }
    return [
        Wanted(
            asset,
            location.stored.name,
            AssetJobName if job is None else job.name,
            positions[key],
            makers.get((location.stored.name, key)),
        )
        for key, (location, asset) in found.items()
        if positions[key]
    ]


def _assets(
    catalog: Catalog, request: BackfillRequest, job: JobDescription | None
) -> dict[str, tuple[CatalogLocation, AssetDescription]]:
    given = request.by_asset or [key for choice in request.choices for key in choice.assets] or request.assets
    keys: Iterable[str] = given or (() if job is None else job.assets)
    found = {}
    for key in keys:
        asset = catalog.asset(key)
        if asset is None:
            raise NotFoundError(f"There is no asset {key!r}; see the list of assets.")
        location, described = asset
        if not described.executable:
            raise ConfigurationError(f"The asset {key} is not made by any code location, so it has nothing to run.")
        if request.location not in (None, location.stored.name):
            raise ConfigurationError(
                f"The asset {key} is not of the code location {request.location!r}, but of "
                f"{[location.stored.name]}; leave the location out, or choose others."
            )
        found[key] = asset
    if not found:
        raise ConfigurationError("Nothing is chosen: name a partitioned job, or assets.")
    if not any(asset.partitions for _, asset in found.values()) and job is not None:
        raise ConfigurationError(f"None of it is partitioned: job {job.name!r} has no partitions; launch it as a run.")
    return found


class _Choice:
    """Which positions of each asset are asked for."""

    def __init__(self, request: BackfillRequest, assets: Mapping[str, AssetDescription], sets: _Sets) -> None:
        self._request = request
        self._assets = assets
        self._sets = sets
        self._known: dict[str, Subset] = {}

    def of(self, key: str) -> Subset:
        """Position 0 stands for an asset without partitions."""
        if key not in self._known:
            self._known[key] = Subset()  # one that needs itself
            self._known[key] = self._chosen(self._assets[key])
        return self._known[key]

    def _chosen(self, asset: AssetDescription) -> Subset:
        spec = asset.partitions
        if spec is None:
            return Subset.span(0, 1)
        if self._request.by_asset is not None:
            return self._sets.chosen(spec, self._request.by_asset[asset.key])
        if self._request.choices:
            return self._in_choices[asset.key]
        keys = self._request.partitions
        if keys is None or spec in self._named:
            return self._of_named(asset, spec, keys)
        space = self._sets.space(spec)
        found = Subset()
        for dep in self._above(asset):
            own = dep.partitions
            assert own is not None
            positions = self.of(dep.key)
            rule = asset.mappings.get(dep.key)
            if rule is None and dep.key in asset.mapped_deps:
                found = found.union(self._sets.all_of(spec) if positions else Subset())
            else:
                rule = rule or default_mapping(spec, own)
                found = found.union(rule.downstream(positions, self._sets.space(own), space, self._sets.now))
        return found

    def _of_named(self, asset: AssetDescription, spec: PartitionsSpec, keys: Sequence[str] | None) -> Subset:
        try:
            return self._sets.chosen(spec, keys)
        except PartitionsMissingError as error:
            if len(self._named) == 1:
                raise
            raise PartitionsMissingError(
                f"{error} They were looked for in {asset.key}, one of several partition sets that need none of the "
                "others; say whose they are, or choose all partitions.",
                error.keys,
            ) from error

    @cached_property
    def _in_choices(self) -> dict[str, Subset]:
        """Of each partitioned asset of the choices, its positions; they are worked out once for all that share them."""
        found = {}
        for choice in self._request.choices:
            chosen: dict[PartitionsSpec, Subset] = {}
            for key in choice.assets:
                spec = self._assets[key].partitions
                if spec is not None and spec not in chosen:
                    given = keys_to_subset(choice.keys, self._sets.space(spec))
                    chosen[spec] = given.intersection(self._sets.all_of(spec))
                if spec is not None:
                    found[key] = chosen[spec]
        return found

    @cached_property
    def _named(self) -> frozenset[PartitionsSpec | None]:
        """The sets that the keys are of: that of the asset that is named, else those of assets that need no other
        partitioned one."""
        if (named := self._request.partitions_of) is not None:
            return frozenset({self._assets[named].partitions})
        return frozenset(
            asset.partitions
            for asset in self._assets.values()
            if asset.partitions is not None and not self._above(asset)
        )

    def _above(self, asset: AssetDescription) -> list[AssetDescription]:
        found = [self._assets[dep] for dep in asset.deps if dep in self._assets and dep != asset.key]
        return [each for each in found if each.partitions is not None]


def _missing(positions: Mapping[str, Subset], assets: Mapping[str, AssetDescription], sets: _Sets) -> dict[str, Subset]:
    """Without what was made or is on its way."""
    partitioned = {key: spec for key, asset in assets.items() if (spec := asset.partitions) is not None}
    statuses = sets.storage.partition_statuses(dict.fromkeys(partitioned, 0))
    states = sets.storage.states([key for key in assets if key not in partitioned])
    left = {}
    for key, chosen in positions.items():
        spec = partitioned.get(key)
        if spec is None:
            state = states.get(key)
            is_there = state is not None and (state.materialized_at is not None or state.planned_run is not None)
            left[key] = Subset() if is_there else chosen
            continue
        letters = statuses[key].by_key() if key in statuses else {}
        there = [place for place, letter in letters.items() if letter in _NOT_MISSING]
        found = sets.space(spec).positions(there)
        left[key] = chosen.difference(Subset.of(position for position in found if position is not None))
    return left
