"""Backfills: pages of them, one of them, and how far it has come."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from ...auth.permissions import Permission, may
from ...engine.backfill import space_of
from ...engine.backfill_progress import Pace, Positions, Progress, pace_of, positions_of, progress_by_asset, progress_of
from ...instance.backfill_request import BackfillRequest
from ...partitions.space import KeySpace
from ...records.backfill import Backfill, BackfillGroup, BackfillLine, BackfillPart, BackfillPlan, BackfillStatus
from ...records.errors import ErrorInfo
from ...records.run import Run, Tag
from ...storage.protocols import BackfillFilter, RunFilter
from .backfill import backfill_of_id, chosen_of, plan_request
from .context import Context
from .failures import Result
from .fields import Fields
from .inputs import AssetBackfillPreviewParams, AssetKeyInput, BulkActionsFilter
from .keys import Pair
from .pages import page_size

__all__ = ["TABLES"]


class BackfillPositions(Result, frozen=True, kw_only=True):
    """The positions in each status as text."""

    waiting: str
    in_progress: str
    materialized: str
    failed: str
    skipped: str
    canceled: str

    @classmethod
    def of(cls, positions: Positions) -> BackfillPositions:
        """The same as texts."""
        return cls(**{field: getattr(positions, field).to_text() for field in positions.__struct_fields__})


class PartitionKeyRange(Result, frozen=True, kw_only=True):
    """A stretch of partitions, both ends included."""

    start: str
    end: str


class AssetBackfillTargetPartitions(Result, frozen=True, kw_only=True):
    """Partitions as stretches."""

    ranges: tuple[PartitionKeyRange, ...]


class AssetPartitions(Result, frozen=True, kw_only=True):
    """Partitions of an asset."""

    asset_key: str
    num_partitions: int
    partitions: AssetBackfillTargetPartitions | None


class _Page(NamedTuple):
    results: list[Backfill]
    cursor: str | None


class _Parts:
    """The parts of a backfill, read at the first use."""

    def __init__(self, context: Context, backfill_id: str) -> None:
        self._context = context
        self._backfill_id = backfill_id

    @cached_property
    def by_group(self) -> dict[int, list[BackfillPart]]:
        found: dict[int, list[BackfillPart]] = {}
        for part in self._context.storage.backfills.parts(self._backfill_id):
            found.setdefault(part.group, []).append(part)
        return found


class _Target(NamedTuple):
    """What a backfill has of one asset, or of its job of ops."""

    plan: BackfillPlan
    group_index: int
    asset_key: str | None
    counts: Progress
    parts: _Parts

    @property
    def group(self) -> BackfillGroup:
        return self.plan.groups[self.group_index]

    @property
    def space(self) -> KeySpace | None:
        return space_of(self.plan, self.group)


_QUERY = Fields("Query", source=type(None))
_BACKFILL = Fields("PartitionBackfill", source=Backfill)
_PAGE = Fields("PartitionBackfills", source=_Page)
_COUNTS = Fields("BackfillCounts", source=Progress)
_PACE = Fields("BackfillPace", source=Pace)
_TARGET = Fields("AssetBackfillStatus", source=_Target)
_LINE = Fields("BackfillLogEvent", source=BackfillLine)

TABLES = (_QUERY, _BACKFILL, _PAGE, _COUNTS, _PACE, _TARGET, _LINE)

_LINE.rename(timestamp="time")
_PACE.rename(partitions_per_hour="per_hour")
_BACKFILL.rename(
    id="backfill_id",
    timestamp="created",
    end_timestamp="ended",
    job_name="job",
    repository_location_names="locations",
    num_partitions="partition_count",
    num_assets="asset_count",
    first_asset_key="first_asset",
    parent_backfill_id="parent",
    root_backfill_id="root",
)


@_QUERY.field
def partition_backfill_or_error(_source: None, context: Context, backfill_id: str) -> Backfill:
    return backfill_of_id(context, backfill_id)


@_QUERY.field
def partition_backfills_or_error(
    _source: None,
    context: Context,
    status: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
    filters: BulkActionsFilter | None = None,
) -> _Page:
    named = filters.statuses if filters is not None and filters.statuses is not None else None
    statuses = [status] if status is not None else named
    where = BackfillFilter(
        statuses=None if statuses is None else tuple(map(BackfillStatus, statuses)),
        created_after=None if filters is None else filters.created_after,
        created_before=None if filters is None else filters.created_before,
        job=None if filters is None else filters.job_name,
        asset=None if filters is None or filters.asset_key is None else filters.asset_key.text,
        user=None if filters is None else filters.user,
        text=None if filters is None else filters.text,
    )
    size = page_size(limit, 25)
    search = context.storage.backfills.search(where, limit=size, before=cursor)
    found = search.backfills
    context.backfill_counts.expect(each.backfill_id for each in found)
    return _Page(list(found), found[-1].backfill_id if found and len(found) == size else search.until)


@_QUERY.field
def asset_backfill_preview(
    _source: None, context: Context, params: AssetBackfillPreviewParams
) -> list[AssetPartitions]:
    names = params.partition_names
    request = BackfillRequest(
        assets=tuple(key.text for key in params.asset_selection),
        partitions=None if names is None else tuple(names),
        partitions_of=chosen_of(params),
    )
    _, plan = plan_request(context, request)
    found = []
    for group in plan.groups:
        space = space_of(plan, group)
        ranges = None
        if space is not None:
            spans = tuple(
                PartitionKeyRange(start=space.key(first), end=space.key(after_last - 1))
                for first, after_last in group.chosen.ranges
            )
            ranges = AssetBackfillTargetPartitions(ranges=spans)
        found += [
            AssetPartitions(asset_key=asset, num_partitions=len(group.chosen), partitions=ranges)
            for asset in group.assets
        ]
    return sorted(found, key=lambda each: each.asset_key)


# -- one backfill ------------------------------------------------------------------------------------------------------


def _plan(backfill: Backfill, context: Context) -> BackfillPlan:
    plan = context.backfill_plans.get(backfill.backfill_id)
    assert plan is not None
    return plan


@_BACKFILL.field
def repository_location_name(backfill: Backfill, _: Context) -> str | None:
    return backfill.locations[0] if len(backfill.locations) == 1 else None


@_BACKFILL.field
def is_asset_backfill(backfill: Backfill, _: Context) -> bool:
    return backfill.asset_count > 0


@_BACKFILL.field
def asset_selection(backfill: Backfill, context: Context) -> list[str] | None:
    return list(_plan(backfill, context).assets) if backfill.asset_count else None


@_BACKFILL.field
def partition_names(backfill: Backfill, context: Context, limit: int | None = None) -> list[str]:
    plan = _plan(backfill, context)
    group = next((each for each in plan.groups if each.partitions is not None), None)
    space = None if group is None else space_of(plan, group)
    if group is None or space is None:
        return []
    size = page_size(limit)
    return [space.key(position) for position, _ in zip(group.chosen, range(size), strict=False)]


@_BACKFILL.field
def num_runs(backfill: Backfill, context: Context) -> int:
    return sum(each.runs for each in context.backfill_counts.get(backfill.backfill_id) or ())


@_BACKFILL.field
def partition_status_counts(backfill: Backfill, context: Context) -> Progress:
    return progress_of(backfill, context.backfill_counts.get(backfill.backfill_id) or ())


@_BACKFILL.field
def pace(backfill: Backfill, context: Context) -> Pace | None:
    return pace_of(backfill, partition_status_counts(backfill, context), context.now)


@_BACKFILL.field
def asset_backfill_statuses(backfill: Backfill, context: Context) -> list[_Target]:
    plan = _plan(backfill, context)
    progress = progress_by_asset(plan, context.backfill_counts.get(backfill.backfill_id) or ())
    parts = _Parts(context, backfill.backfill_id)
    groups = {asset: index for index, group in enumerate(plan.groups) for asset in group.assets or (None,)}
    return [
        _Target(plan, groups[asset], asset, counts, parts)
        for asset, counts in sorted(progress.items(), key=lambda each: each[0] or "")
    ]


@_BACKFILL.field
def asset_backfill_status(backfill: Backfill, context: Context, asset_key: AssetKeyInput) -> _Target | None:
    return next((each for each in asset_backfill_statuses(backfill, context) if each.asset_key == asset_key.text), None)


@_BACKFILL.field
def error(backfill: Backfill, _: Context) -> ErrorInfo | None:
    is_broken = backfill.status in (BackfillStatus.FAILED, BackfillStatus.FAILING) and backfill.note
    return ErrorInfo(cls="BackfillFailed", message=backfill.note or "") if is_broken else None


@_BACKFILL.field
def tags(backfill: Backfill, _: Context) -> list[Pair]:
    return list(backfill.tags.items())


@_BACKFILL.field
def log_events(backfill: Backfill, context: Context) -> list[BackfillLine]:
    return context.storage.backfills.log(backfill.backfill_id)


@_BACKFILL.field
def runs(backfill: Backfill, context: Context, limit: int | None = None) -> list[Run]:
    where = RunFilter(tags={Tag.BACKFILL: backfill.backfill_id})
    found = context.storage.runs.page(where, limit=page_size(limit, 10))
    context.expect_runs(found)
    return found


@_BACKFILL.field
def has_cancel_permission(backfill: Backfill, context: Context) -> bool:
    return all(may(context.actor, Permission.STOP_RUN, location) for location in backfill.locations)


@_BACKFILL.field
def has_resume_permission(backfill: Backfill, context: Context) -> bool:
    return all(may(context.actor, Permission.LAUNCH_RUN, location) for location in backfill.locations)


# -- what it has of an asset -------------------------------------------------------------------------------------------


@_TARGET.field
def is_partitioned(target: _Target, _: Context) -> bool:
    return target.group.partitions is not None


@_TARGET.field
def positions(target: _Target, _: Context) -> BackfillPositions:
    parts = target.parts.by_group.get(target.group_index, ())
    return BackfillPositions.of(positions_of(target.group.chosen, target.asset_key, target.space, parts))


@_TARGET.field
def partition_keys(target: _Target, _: Context, start: int = 0, limit: int | None = None) -> list[str]:
    space = target.space
    if space is None:
        return []
    first = max(start, 0)
    return space.keys(first, min(first + page_size(limit, 1000, 200_000), space.count(target.plan.now)))
