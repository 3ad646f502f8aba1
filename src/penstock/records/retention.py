"""How long things are kept: what is to go, what is there, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import msgspec

from .automation import InstigatorKind, TickStatus

__all__ = [
    "Cut",
    "Kept",
    "KindReport",
    "OldActs",
    "OldEvaluations",
    "OldEvents",
    "OldOutput",
    "OldRuns",
    "OldTicks",
    "Removed",
    "RetentionKind",
    "RetentionReport",
    "StorageCut",
]


class RetentionKind(StrEnum):
    """What grows with time, and can be removed once it is old."""

    EVENTS = "events"
    RUNS = "runs"
    TICKS = "ticks"
    EVALUATIONS = "evaluations"
    ACTS = "acts"
    COMPUTE_LOGS = "compute_logs"


class _Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a kind that was over before a time, in seconds since the epoch."""

    before: float


class OldEvents(_Cut, frozen=True, kw_only=True):
    """The logs of runs made in months that were over before; what is known of assets and checks stays."""

    kind: ClassVar[RetentionKind] = RetentionKind.EVENTS


class OldRuns(_Cut, frozen=True, kw_only=True):
    """Runs that had ended before, with all of theirs, and backfills that had."""

    kind: ClassVar[RetentionKind] = RetentionKind.RUNS


class OldTicks(_Cut, frozen=True, kw_only=True):
    """Ticks of schedules or of sensors that had begun before and ended so. The last one of each stays."""

    kind: ClassVar[RetentionKind] = RetentionKind.TICKS

    of: InstigatorKind
    statuses: tuple[TickStatus, ...]


class OldEvaluations(_Cut, frozen=True, kw_only=True):
    """What automation conditions had come to before. The last one of each asset, check or job stays."""

    kind: ClassVar[RetentionKind] = RetentionKind.EVALUATIONS


class OldActs(_Cut, frozen=True, kw_only=True):
    """What people had done before."""

    kind: ClassVar[RetentionKind] = RetentionKind.ACTS


class OldOutput(_Cut, frozen=True, kw_only=True):
    """What the steps of runs had printed that had ended before."""

    kind: ClassVar[RetentionKind] = RetentionKind.COMPUTE_LOGS


StorageCut = OldEvents | OldTicks | OldEvaluations | OldActs
"""What a storage removes by itself."""

Cut = StorageCut | OldRuns | OldOutput


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """What a step has removed, and whether there is more to remove.

    Args:
        rows: How many events (about), runs, ticks, evaluations, acts, or runs whose output it was.
        more: Whether another step would find something.
    """

    rows: int
    more: bool


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What is there of a kind. Where there is much of it, rows and bytes are about right.

    Args:
        kind: The kind.
        rows: How many events, runs, ticks, evaluations, acts, or runs with output there are.
        oldest: The time of the oldest of them; None where there is none.
        aged_from: When the age of the oldest begins to count: for events that is the end of their month.
        bytes: Their size with all that belongs to them; None where nobody can say.
    """

    kind: RetentionKind
    rows: int
    oldest: float | None = None
    aged_from: float | None = None
    bytes: int | None = None


class KindReport(msgspec.Struct, frozen=True, kw_only=True):
    """How it stands with one kind.

    Args:
        kept: What is there.
        rule: How long it is kept, in words.
        going: How much of it is too old now; counting stops at a limit.
        next: When the oldest will be too old; None where nothing is removed, or nothing is there.
        removed: How much the last look has removed so far.
    """

    kept: Kept
    rule: str
    going: int = 0
    next: float | None = None
    removed: int = 0


class RetentionReport(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon found and did when it last looked.

    Args:
        looked: When it began to look.
        done: When it had removed what was too old; None while it is at it.
        kinds: Each kind.
    """

    looked: float
    done: float | None = None
    kinds: tuple[KindReport, ...] = ()
