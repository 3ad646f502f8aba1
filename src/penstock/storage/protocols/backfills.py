"""The seam of backfills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ...records.backfill import (
    Backfill,
    BackfillLine,
    BackfillPart,
    BackfillPlan,
    BackfillStatus,
    GroupCounts,
)
from ...records.lease import Lease
from .runs import NewRun

__all__ = [
    "BackfillAdvance",
    "BackfillChange",
    "BackfillFilter",
    "BackfillSearch",
    "BackfillStorage",
    "StoredBackfill",
]


class BackfillFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which backfills: all given conditions hold. `asset` is one that they are to make, in text form; `user` who asked
    for them; `text` a part of their title, description, job or id, in capitals or not."""

    statuses: tuple[BackfillStatus, ...] | None = None
    job: str | None = None
    asset: str | None = None
    user: str | None = None
    text: str | None = None
    created_after: float | None = None
    created_before: float | None = None
    ended_before: float | None = None


class BackfillSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What one search has found. `until` is the cursor to go on from where it has ended before the page was full,
    although there may be more beyond."""

    backfills: tuple[Backfill, ...] = ()
    until: str | None = None


class BackfillChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody wants of a backfill; None leaves it as it is. `status` is CANCELING, or REQUESTED after FAILED."""

    status: BackfillStatus | None = None
    paused: bool | None = None
    priority: int | None = None


class BackfillAdvance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the daemon has decided upon a backfill, to be stored in one transaction.

    Args:
        runs: New parts with their runs.
        closed: Parts without a run: CANCELED or SKIPPED.
        settled: ENDED parts with their outcome.
        repeated: ENDED parts with the run that makes them again, which exists.
        seen: Parts whose end the daemon has taken in.
        status: Where the backfill stands from now on; None as before. REQUESTED never replaces CANCELING.
        note: What it waits for, or why it ended.
        failures: How often in a row its next runs could not be made.
        lines: For its log.
    """

    runs: tuple[tuple[BackfillPart, NewRun], ...] = ()
    closed: tuple[BackfillPart, ...] = ()
    settled: tuple[BackfillPart, ...] = ()
    repeated: tuple[BackfillPart, ...] = ()
    seen: tuple[BackfillPart, ...] = ()
    status: BackfillStatus | None = None
    note: str | None = None
    failures: int = 0
    lines: tuple[BackfillLine, ...] = ()


class StoredBackfill(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backfill with all of its own, as an archive has it."""

    backfill: Backfill
    plan: BackfillPlan
    log: tuple[BackfillLine, ...] = ()
    parts: tuple[BackfillPart, ...] = ()


class BackfillStorage(Protocol):
    """Backfills and their parts.

    A part becomes DONE, or else ENDED, in the transaction that ends its run: DONE where the run succeeded and made all
    that it had announced. Counts change in the same transactions as parts, and hold at any time.
    """

    def add(self, backfill: Backfill, plan: BackfillPlan, *, line: BackfillLine) -> None:
        """Store a new backfill with the first line of its log; `backfills` is published, as with every change. Raises
        `StorageError` if the id exists already."""
        ...

    def get(self, backfill_id: str) -> Backfill | None:
        """The backfill of that id."""
        ...

    def plan(self, backfill_id: str) -> BackfillPlan | None:
        """What it is to make."""
        ...

    def log(self, backfill_id: str) -> list[BackfillLine]:
        """Its log, oldest first: the last few hundred lines."""
        ...

    def page(self, where: BackfillFilter, *, limit: int, before: str | None = None) -> list[Backfill]:
        """Backfills newest first (by id), before that one."""
        ...

    def search(self, where: BackfillFilter, *, limit: int, before: str | None = None) -> BackfillSearch:
        """What `page` gives, as far as one search looks."""
        ...

    def open(self) -> list[Backfill]:
        """Those that have not ended, oldest first."""
        ...

    def counts(self, backfill_ids: Sequence[str]) -> dict[str, list[GroupCounts]]:
        """How far they have come, by group; groups of which nothing has begun are left out."""
        ...

    def parts(self, backfill_id: str, *, news: bool = False, open_only: bool = False) -> list[BackfillPart]:
        """Its parts by group and position.

        Args:
            backfill_id: The backfill.
            news: Only those whose run has ended since the daemon has last looked.
            open_only: Only those that are OPEN or ENDED.
        """
        ...

    def made(self, run_ids: Sequence[str]) -> dict[str, list[str | None]]:
        """By asset, the partitions that these runs made of those that they had announced; None for the asset itself."""
        ...

    def change(self, backfill_id: str, change: BackfillChange, *, line: BackfillLine, now: float) -> Backfill | None:
        """Store what somebody wants, with a line for the log; gives the backfill as it is then. Nothing changes, and
        nothing is logged, where it does not allow that; None where there is no such backfill."""
        ...

    def advance(self, backfill_id: str, step: BackfillAdvance, *, lease: Lease, now: float) -> Backfill:
        """Store what the daemon has decided, all of it or nothing. Raises `FencedError` when the lease has passed on,
        and `StorageError` where there is no such backfill."""
        ...

    def load(self, stored: StoredBackfill) -> bool:
        """Store one that has ended elsewhere, as it is; False, and nothing changes, if its id exists already."""
        ...

    def delete(self, backfill_id: str) -> bool:
        """Remove an ended backfill with its parts; its runs stay. False if it does not exist or has not ended."""
        ...
