"""Partition sets: their keys in pages, and the status of an asset's partitions as counts and ranges."""

from __future__ import annotations

from typing import NamedTuple

from ...partitions.cadence import regular
from ...partitions.space import KeySpace
from ...partitions.spec import DynamicSpec, MultiSpec, PartitionsSpec, StaticSpec, TimeWindowSpec
from ...partitions.subset import Subset
from ...partitions.wall_time import short_text
from ...records.asset import PartitionStatus
from .context import Context
from .cron_words import cron_in_words
from .failures import Result
from .fields import Fields
from .pages import page_size
from .partition_places import SetStatuses

__all__ = [
    "TABLES",
    "OpenSet",
    "PartitionKeys",
    "PartitionPositions",
    "PartitionRange",
    "PartitionStats",
    "count_partitions",
    "description",
    "keys_page",
    "kind",
    "open_set",
    "positions_of",
    "ranges_of",
]


class PartitionKeys(Result, frozen=True, kw_only=True):
    """A page of keys; `cursor` is the last one."""

    partition_keys: tuple[str, ...] = ()
    cursor: str = ""
    has_more: bool = False


class PartitionStats(Result, frozen=True, kw_only=True):
    """How many partitions there are, and how many in each status."""

    num_partitions: int
    num_materialized: int
    num_failed: int
    num_materializing: int


class PartitionRange(Result, frozen=True, kw_only=True):
    """Neighbours of the same status, the end included."""

    start_key: str
    end_key: str
    start_index: int
    end_index: int
    status: PartitionStatus


class PartitionPositions(Result, frozen=True, kw_only=True):
    """The positions in each status as text, such as `0-364,366`: single ones, and first-last with both included."""

    materialized: str
    failed: str
    materializing: str


class OpenSet(NamedTuple):
    """A partition set as it is now."""

    spec: PartitionsSpec
    space: KeySpace
    size: int

    def has(self, key: str) -> bool:
        """Whether the key is one of the set now."""
        position = self.space.position(key)
        return position is not None and 0 <= position < self.size


def open_set(context: Context, spec: PartitionsSpec) -> OpenSet:
    """A partition set as it is at the time of the request."""
    return OpenSet(spec, *context.space(spec))


def keys_page(keys: OpenSet, cursor: str | None, limit: int | None, reverse: bool | None) -> PartitionKeys:
    """The keys after `cursor`, first to last, or last to first when reversed. An unknown cursor begins anew."""
    size = page_size(limit, 1000, 200_000)
    at = keys.space.position(cursor) if cursor else None
    if reverse:
        stop = keys.size if at is None else min(at, keys.size)
        start = max(0, stop - size)
        found = keys.space.keys(start, stop)[::-1]
        more = start > 0
    else:
        start = 0 if at is None else max(0, at + 1)
        stop = min(keys.size, start + size)
        found = keys.space.keys(start, stop) if start < stop else []
        more = stop < keys.size
    return PartitionKeys(partition_keys=tuple(found), cursor=found[-1] if found else cursor or "", has_more=more)


def count_partitions(keys: OpenSet, statuses: SetStatuses) -> PartitionStats:
    """How many partitions stand where; keys that are no longer of the set do not count."""
    return PartitionStats(
        num_partitions=keys.size,
        num_materialized=statuses.count(PartitionStatus.MATERIALIZED),
        num_failed=statuses.count(PartitionStatus.FAILED),
        num_materializing=statuses.count(PartitionStatus.MATERIALIZING),
    )


def ranges_of(keys: OpenSet, statuses: SetStatuses) -> list[PartitionRange]:
    """The statuses as stretches of neighbours, in order; missing partitions are left out."""
    return [
        PartitionRange(
            start_key=keys.space.key(start),
            end_key=keys.space.key(stop - 1),
            start_index=start,
            end_index=stop - 1,
            status=status,
        )
        for start, stop, status in statuses.stretches()
    ]


def positions_of(statuses: SetStatuses) -> PartitionPositions:
    """The same as text."""
    found: dict[PartitionStatus, list[tuple[int, int]]] = {status: [] for status in PartitionStatus}
    for start, stop, status in statuses.stretches():
        found[status].append((start, stop))
    text = {status: Subset(tuple(ranges)).to_text() for status, ranges in found.items()}
    return PartitionPositions(
        materialized=text[PartitionStatus.MATERIALIZED],
        failed=text[PartitionStatus.FAILED],
        materializing=text[PartitionStatus.MATERIALIZING],
    )


_DEFINITION = Fields("PartitionDefinition", source=OpenSet)

TABLES = (_DEFINITION,)


@_DEFINITION.named("type")
def kind(keys: OpenSet, _: Context) -> str:
    match keys.spec:
        case TimeWindowSpec():
            return "TIME_WINDOW"
        case StaticSpec():
            return "STATIC"
        case DynamicSpec():
            return "DYNAMIC"
        case MultiSpec():
            return "MULTIPARTITIONED"


@_DEFINITION.field
def description(keys: OpenSet, _: Context) -> str:
    match keys.spec:
        case TimeWindowSpec() as spec:
            return _in_words(spec)
        case StaticSpec():
            return f"{keys.size:,} keys"
        case DynamicSpec() as spec:
            return f"{keys.size:,} keys, added at run time to {spec.name!r}"
        case MultiSpec() as spec:
            return f"{keys.size:,} keys, of the dimensions {' | '.join(each.name for each in spec.dimensions)}"


def _in_words(spec: TimeWindowSpec) -> str:
    by_cadence = regular(spec.cron)
    times = cron_in_words([spec.cron]) if by_cadence is None else by_cadence.cadence.value.capitalize()
    end = f" until {short_text(spec.end)}" if spec.end else ""
    without = ", with exclusions" if spec.excluded_crons or spec.excluded_times else ""
    return f"{times}, from {short_text(spec.start)}{end}{without} ({spec.timezone})"


@_DEFINITION.field
def name(keys: OpenSet, _: Context) -> str | None:
    return keys.spec.name if isinstance(keys.spec, DynamicSpec) else None


@_DEFINITION.field
def fmt(keys: OpenSet, _: Context) -> str | None:
    return keys.spec.fmt if isinstance(keys.spec, TimeWindowSpec) else None


@_DEFINITION.field
def timezone(keys: OpenSet, _: Context) -> str | None:
    return keys.spec.timezone if isinstance(keys.spec, TimeWindowSpec) else None


@_DEFINITION.field
def first_key(keys: OpenSet, _: Context) -> str | None:
    return keys.space.key(0) if keys.size else None


@_DEFINITION.field
def last_key(keys: OpenSet, _: Context) -> str | None:
    return keys.space.key(keys.size - 1) if keys.size else None
