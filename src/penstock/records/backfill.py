"""A backfill: partitions of assets or of a job that somebody wants made, and how far that has come.

REQUESTED          the daemon makes its runs, as upstream partitions are there and places are free.
CANCELING          somebody wants it to stop: no more runs are made, and those that are open end.
FAILING            it cannot go on by itself; its open runs end as they may.
CANCELED, FAILED, COMPLETED_SUCCESS, COMPLETED_FAILED   the end; only FAILED can be taken up again.

What was asked for is cut into groups: assets that one run can make together. Positions of partitions are those of the
sets as they were at `BackfillPlan.now`, with the dynamic keys of then, so that they mean the same for ever.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from ..partitions.mapping_multi import PartitionMappingRecord
from ..partitions.spec import PartitionsSpec
from ..partitions.subset import Subset
from .run import Tag, share_of_backfill

__all__ = [
    "BACKFILL_ENDS",
    "OPEN_BACKFILLS",
    "Backfill",
    "BackfillGroup",
    "BackfillLine",
    "BackfillNeed",
    "BackfillPart",
    "BackfillPlan",
    "BackfillStatus",
    "GroupCounts",
    "PartStatus",
]


class BackfillStatus(StrEnum):
    """Where a backfill stands."""

    REQUESTED = "REQUESTED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"
    FAILING = "FAILING"
    FAILED = "FAILED"
    COMPLETED_SUCCESS = "COMPLETED_SUCCESS"
    COMPLETED_FAILED = "COMPLETED_FAILED"


OPEN_BACKFILLS = (BackfillStatus.REQUESTED, BackfillStatus.CANCELING, BackfillStatus.FAILING)
"""These are the daemon's to see to."""

BACKFILL_ENDS = frozenset(BackfillStatus) - frozenset(OPEN_BACKFILLS)
"""Nothing is done for these any more."""


class PartStatus(StrEnum):
    """What became of a part of a backfill.

    OPEN     its run waits or is at work.
    ENDED    its run has ended and did not make all; the daemon has not decided yet what follows.
    DONE     made.
    FAILED, CANCELED   its run was the last, and did not make all; or there was none, as the backfill was canceled.
    SKIPPED  not made because of what is upstream of it, or because its run left it out.
    """

    OPEN = "OPEN"
    ENDED = "ENDED"
    DONE = "DONE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"
    SKIPPED = "SKIPPED"


class BackfillNeed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a group needs of an earlier one, or of itself.

    Args:
        group: That group's index.
        asset: The asset of it that is needed, in text form.
        mapping: Which of its partitions; None where a rule of the user's says it: then all that are asked for.
    """

    group: int
    asset: str
    mapping: PartitionMappingRecord | None = None


class BackfillGroup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Assets that one run can make together, or a job of ops.

    Args:
        location: The code location.
        job: The job that runs.
        assets: The assets, in text form; none for a job of ops.
        partitions: Their partition set; None where they have no partitions: then there is one position, 0.
        chosen: The positions asked for.
        at_most: How many partitions a run may work on; None for any number.
        needs: What must be there before.
        whole_job: Whether the run is of the job as it is, and not of a selection of its assets.
    """

    location: str
    job: str
    assets: tuple[str, ...] = ()
    partitions: PartitionsSpec | None = None
    chosen: Subset
    at_most: int | None = 1
    needs: tuple[BackfillNeed, ...] = ()
    whole_job: bool = False

    @property
    def size(self) -> int:
        """How many (asset, partition) are asked for; of a job of ops, how many partitions."""
        return len(self.chosen) * max(1, len(self.assets))


class BackfillPlan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a backfill is to do; it never changes.

    Args:
        groups: In an order in which each comes after those that it needs.
        now: When it was asked for: which partitions exist.
        dynamic_keys: The keys of the dynamic partition sets at that time, by their names.
        run_config: Of every run.
        step_keys: Of a job, the steps to run; None for all.
    """

    groups: tuple[BackfillGroup, ...]
    now: float
    dynamic_keys: dict[str, tuple[str, ...]] = {}
    run_config: dict[str, Any] = {}
    step_keys: tuple[str, ...] | None = None

    @property
    def assets(self) -> tuple[str, ...]:
        """All assets, in text form, sorted."""
        return tuple(sorted(asset for group in self.groups for asset in group.assets))

    @property
    def size(self) -> int:
        """How many (asset, partition) are asked for; of a job of ops, how many partitions."""
        return sum(group.size for group in self.groups)


class Backfill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backfill as stored, without its plan. Times are seconds since the epoch.

    Args:
        backfill_id: Its id, which its runs carry as the tag `penstock/backfill`.
        status: Where it stands.
        paused: Whether no more runs are made for the time being, and those in the queue stay there.
        paused_at: When it was paused, while it is.
        rested: Seconds for which it was paused or had FAILED before it went on.
        priority: Of its runs.
        tags: Of its runs, besides those of the job.
        title: What people call it.
        description: What people say of it.
        user: Who asked for it, where known.
        job: The job, where it is of one.
        locations: The code locations.
        asset_count: How many assets are asked for.
        first_asset: The first of them, in text form.
        widths: How many assets each group has, 1 for a job of ops.
        partition_count: Of how many partitions, at most, of any of them.
        size: How many (asset, partition) are asked for; of a job of ops, how many partitions.
        parent: The backfill that this one repeats, and `root` the first of that chain.
        from_failure: Whether it makes only what its parent did not.
        note: The one thing that it waits for, in words; or why it ended.
        failures: How often in a row its next runs could not be made.
    """

    backfill_id: str
    status: BackfillStatus = BackfillStatus.REQUESTED
    paused: bool = False
    paused_at: float | None = None
    rested: float = 0.0
    priority: int = 0
    tags: dict[str, str] = {}
    title: str | None = None
    description: str | None = None
    user: str | None = None
    job: str | None = None
    locations: tuple[str, ...] = ()
    asset_count: int = 0
    first_asset: str | None = None
    widths: tuple[int, ...] = ()
    partition_count: int = 0
    size: int = 0
    parent: str | None = None
    root: str | None = None
    from_failure: bool = False
    created: float
    updated: float = 0.0
    ended: float | None = None
    note: str | None = None
    failures: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the daemon has still to do with it."""
        return self.status in OPEN_BACKFILLS

    @property
    def hold(self) -> str | None:
        """What keeps its runs in the queue, as the end of a sentence; None where nothing does. Those of one that is
        FAILING go on, so that it ends."""
        name = f"its backfill {self.title or self.backfill_id}"
        if self.status is BackfillStatus.CANCELING:
            return f"{name}, which is being canceled"
        return f"{name}, which is paused" if self.paused and self.status is BackfillStatus.REQUESTED else None

    @property
    def share(self) -> str:
        """The share of the places that its runs take (`Run.share`)."""
        return share_of_backfill(self.backfill_id, self.user or self.tags.get(Tag.USER))


class BackfillPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Partitions of a group that have one run, or none because they were given up.

    Args:
        group: The group's index.
        first: Its first position.
        last: Its last one; of a set of several dimensions the part is the box between the two.
        size: How many partitions it has.
        status: What became of it.
        run_id: Its run, the last one where that was made again.
        made: Of one that is not DONE, the positions that were made all the same, by asset.
    """

    group: int
    first: int
    last: int
    size: int
    status: PartStatus
    run_id: str | None = None
    made: dict[str, Subset] = {}


class GroupCounts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many partitions of a group stand where, and how many runs it has. Those that wait are in none of them.

    `made` counts by asset those that were made although their part was not done, for each status of such parts.
    """

    group: int
    runs: int = 0
    open: int = 0
    done: int = 0
    failed: int = 0
    canceled: int = 0
    skipped: int = 0
    made: dict[PartStatus, dict[str, int]] = {}

    @property
    def begun(self) -> int:
        """How many do not wait any more."""
        return self.open + self.done + self.failed + self.canceled + self.skipped


class BackfillLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a backfill's own log: INFO, WARNING or ERROR."""

    time: float
    message: str
    level: str = "INFO"
