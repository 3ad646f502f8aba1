"""The seam of a run storage of one's own: where the rows of runs are kept, found and shown from.

What becomes of a run is decided in the transaction that writes its events, by the storage that has the log. A catalog
holds the run as that storage last had it, and answers whoever looks for runs. Rows are brought to it by
`storage/composite`, so that a catalog needs no transaction but a compare-and-set for each row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from ..records.run import Run
from .protocols import RunFilter

__all__ = ["Announcement", "CatalogRow", "RunCatalog", "fits"]


class CatalogRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run as it is to be kept, None to be removed, and the `version` that was there before it was looked up."""

    run_id: str
    run: Run | None
    version: int


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that somebody is about to change, since the time `at`, in seconds since the epoch."""

    change: str
    run_ids: tuple[str, ...]
    at: float


class RunCatalog(Protocol):
    """A run storage of one's own.

    Rules that every implementation keeps, and that `penstock.testing.storage_contract.RunCatalogContract` checks:

    * When a call returns, its effect is durable and visible to every other process.
    * A run's version is 0 before it was ever stored, and rises with each row that `put` stores or removes. It does not
      begin anew when a run is removed, for at least an hour.
    * Pages are keyset pages in the order of the run ids, which sort by creation. The filter `asset` is not used here.
    * A store that cannot be reached raises `StorageUnavailableError`, and every other refusal is a `StorageError`.
    * It may be used from several threads, and in a forked child.
    """

    def announce(self, change: str, run_ids: Sequence[str], *, now: float) -> list[int]:
        """Remember, until it is settled, that these runs are about to change; gives their versions, in their order."""
        ...

    def announced(self) -> list[Announcement]:
        """What was announced and is not settled."""
        ...

    def settle(self, changes: Sequence[str]) -> None:
        """Forget these announcements; those that are not there are passed over."""
        ...

    def versions(self, run_ids: Sequence[str]) -> list[int]:
        """The version of each of these runs, in their order."""
        ...

    def put(self, rows: Sequence[CatalogRow], *, settles: str | None = None) -> list[str]:
        """Store or remove those whose version is still the one that the row names; gives the ids of the others.

        A row, its version and all by which it is found change at once. If none was refused, the change `settles` is
        settled.
        """
        ...

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        ...

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first (by id), after the cursor `before` (a run id)."""
        ...

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match; counting stops at `at_most`."""
        ...

    def tag_keys(self) -> list[str]:
        """All tag keys in use, sorted."""
        ...

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        ...

    def migrate(self) -> None:
        """Make ready whatever it needs, safely with several processes starting at once."""
        ...

    def describe(self) -> dict[str, str]:
        """Facts for people: kind and place, without secrets."""
        ...

    def close(self) -> None:
        """Let go of every connection of this process."""
        ...


def fits(run: Run, where: RunFilter) -> bool:
    """Whether a run meets all conditions of a filter but `asset`, which the run's row does not tell."""
    return (
        (where.run_ids is None or run.run_id in where.run_ids)
        and (where.statuses is None or run.status in where.statuses)
        and where.job in (None, run.job)
        and where.location in (None, run.location)
        and (where.created_after is None or run.created > where.created_after)
        and (where.created_before is None or run.created < where.created_before)
        and (where.updated_after is None or run.updated > where.updated_after)
        and (where.updated_before is None or run.updated < where.updated_before)
        and (where.ended_after is None or run.ended is None or run.ended > where.ended_after)
        and all(key not in run.tags for key in where.without_tags)
        and _has_tags(run, where.tags)
    )


def _has_tags(run: Run, wanted: Mapping[str, str | tuple[str, ...] | None]) -> bool:
    for key, value in wanted.items():
        has = run.tags.get(key)
        if has is None or (isinstance(value, str) and has != value) or (isinstance(value, tuple) and has not in value):
            return False
    return True
