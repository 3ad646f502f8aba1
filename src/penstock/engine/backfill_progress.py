"""How far a backfill has come, from the counts and parts that are stored: in all, by asset, by position."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ..partitions.key_space import KeySpace
from ..partitions.multi_space import MultiSpace
from ..partitions.space import between
from ..partitions.subset import Range, Subset
from ..records.backfill import Backfill, BackfillPart, BackfillPlan, BackfillStatus, GroupCounts, PartStatus

__all__ = ["Pace", "Positions", "Progress", "pace_of", "positions_of", "progress_by_asset", "progress_of"]


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How many stand where; all together they are `total`."""

    total: int
    in_progress: int = 0
    materialized: int = 0
    failed: int = 0
    skipped: int = 0
    canceled: int = 0

    @property
    def ended(self) -> int:
        """How many have their outcome."""
        return self.materialized + self.failed + self.skipped + self.canceled

    @property
    def waiting(self) -> int:
        """How many have not begun."""
        return self.total - self.in_progress - self.ended

    def plus(self, other: Progress) -> Progress:
        """Both together."""
        return Progress(**{field: getattr(self, field) + getattr(other, field) for field in self.__struct_fields__})


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How many partitions an hour had their outcome, and in how many seconds the others have theirs at that pace."""

    per_hour: float
    seconds_left: float


class Positions(msgspec.Struct, frozen=True, kw_only=True):
    """Which positions stand where."""

    waiting: Subset
    in_progress: Subset
    materialized: Subset
    failed: Subset
    skipped: Subset
    canceled: Subset


def progress_of(backfill: Backfill, counts: Iterable[GroupCounts]) -> Progress:
    """How many (asset, partition) of all that was asked for stand where."""
    found = Progress(total=0)
    for each in counts:
        made = {status: sum(by_asset.values()) for status, by_asset in each.made.items()}
        found = found.plus(_progress(each, made, total=0, width=backfill.widths[each.group]))
    return msgspec.structs.replace(found, total=backfill.size)


def pace_of(backfill: Backfill, progress: Progress, now: float) -> Pace | None:
    """Its pace since it was asked for, but for the time that it was paused; None while nothing has had its outcome, or
    nothing more will."""
    seconds = now - backfill.created - backfill.rested
    if backfill.status is not BackfillStatus.REQUESTED or backfill.paused or not progress.ended or seconds <= 0:
        return None
    left = progress.total - progress.ended
    return Pace(per_hour=progress.ended / seconds * 3600, seconds_left=left / progress.ended * seconds)


def progress_by_asset(plan: BackfillPlan, counts: Iterable[GroupCounts]) -> dict[str | None, Progress]:
    """The same by asset; of a job of ops under None."""
    by_group = {each.group: each for each in counts}
    found: dict[str | None, Progress] = {}
    for index, group in enumerate(plan.groups):
        each = by_group.get(index, GroupCounts(group=index))
        for asset in group.assets or (None,):
            made = {status: by_asset.get(asset or "", 0) for status, by_asset in each.made.items()}
            found[asset] = _progress(each, made, total=len(group.chosen), width=1)
    return found


def _progress(counts: GroupCounts, made: Mapping[PartStatus, int], *, total: int, width: int) -> Progress:
    return Progress(
        total=total,
        in_progress=counts.open * width,
        materialized=counts.done * width + sum(made.values()),
        failed=counts.failed * width - made.get(PartStatus.FAILED, 0),
        skipped=counts.skipped * width - made.get(PartStatus.SKIPPED, 0),
        canceled=counts.canceled * width - made.get(PartStatus.CANCELED, 0),
    )


def positions_of(chosen: Subset, asset: str | None, space: KeySpace | None, parts: Iterable[BackfillPart]) -> Positions:
    """Where each position of an asset stands.

    Args:
        chosen: Those that were asked for.
        asset: The asset, in text form; None for a job of ops.
        space: The partition set as it was when the backfill was asked for.
        parts: The parts of the asset's group.
    """
    ranges: dict[PartStatus, list[Range]] = {status: [] for status in PartStatus}
    made: list[Range] = []
    for part in parts:
        if isinstance(space, MultiSpace):
            ranges[part.status] += between(space, part.first, part.last).ranges
        else:
            ranges[part.status].append((part.first, part.last + 1))
        if part.made and asset in part.made:
            made += part.made[asset].ranges
    found = {status: Subset.of_ranges(spans) for status, spans in ranges.items()}
    begun = Subset.of_ranges(span for each in found.values() for span in each.ranges)
    all_made = Subset.of_ranges(made)
    return Positions(
        waiting=chosen.difference(begun),
        in_progress=found[PartStatus.OPEN].union(found[PartStatus.ENDED]),
        materialized=found[PartStatus.DONE].union(all_made),
        failed=found[PartStatus.FAILED].difference(all_made),
        skipped=found[PartStatus.SKIPPED].difference(all_made),
        canceled=found[PartStatus.CANCELED].difference(all_made),
    )
