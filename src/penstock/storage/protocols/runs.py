"""The seam of runs: their states, and what is looked for among them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from ...records.event import Fact
from ...records.lease import Lease
from ...records.run import Run, RunStatus

__all__ = ["NewRun", "RunFilter", "RunSearch", "RunStorage", "RunTally"]


class RunFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which runs: all given conditions hold. `tags` maps a key to a value, to several of which one must
    fit, or to None for any value; `without_tags` are keys that the run must not have."""

    run_ids: tuple[str, ...] | None = None
    statuses: tuple[RunStatus, ...] | None = None
    job: str | None = None
    location: str | None = None
    tags: dict[str, str | tuple[str, ...] | None] = {}
    without_tags: tuple[str, ...] = ()
    asset: str | None = None  # runs that planned this asset
    created_after: float | None = None
    created_before: float | None = None
    updated_after: float | None = None
    updated_before: float | None = None
    ended_after: float | None = None  # ended after this, or not yet ended


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be made, with its first facts (planned assets and checks, `RunEnqueued`) and its job's description.

    `snapshot` is the JSON of a `JobDescription`, stored once under its content hash, which the stored run names.
    """

    run: Run
    facts: tuple[Fact, ...] = ()
    snapshot: bytes | None = None


class RunSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What one search has found. `until` is the cursor to go on from where it has ended before the page was full,
    although there may be more beyond; None where there is nothing to go on for, or the last run says where."""

    runs: tuple[Run, ...] = ()
    until: str | None = None


class RunTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs one search has counted; there may be more beyond the cursor `until`, if it is given."""

    number: int
    until: str | None = None


class RunStorage(Protocol):
    """Runs and their states."""

    def create(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store new runs with their first facts, all or none. Raises `StorageError` if an id exists already."""
        ...

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        ...

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first (by id, which sorts by creation), after the cursor `before` (a run id)."""
        ...

    def search(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> RunSearch:
        """What `page` gives, as far as one search looks: it ends after some thousands of runs that do not match, and
        says how far it came. So it costs the same however long the history is. A run whose id tells another time of
        its making than `created`, by more than a day, may be missed by a filter on that time that very many fit."""
        ...

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match; counting stops at `at_most`."""
        ...

    def tally(self, where: RunFilter, *, at_most: int = 10_000) -> RunTally:
        """What `count` gives, as far as one search looks."""
        ...

    def latest_of_jobs(self, jobs: Sequence[tuple[str, str]], *, limit: int) -> dict[tuple[str, str], list[Run]]:
        """The newest runs of each of these (location, job), newest first, among the newest of all jobs of that name as
        far as one search looks. Jobs without any are left out."""
        ...

    def queued(self, *, limit: int, by_share: bool = False, but: Collection[str] = ()) -> list[Run]:
        """Queued runs, highest priority first, then oldest first.

        Args:
            limit: At most so many; fewer are all that there are.
            by_share: Which ones, of equal priority: the first of every share (`Run.share`) before the second of any,
                instead of the oldest.
            but: Shares whose runs are left out.
        """
        ...

    def queued_of_share(self, share: str, *, untold: str | None) -> list[str]:
        """The ids of the queued runs of a share (`Run.share`) whose note is not `untold`, in no order."""
        ...

    def active(self) -> list[Run]:
        """Runs that are STARTING, STARTED or CANCELING."""
        ...

    def claim(
        self, run_ids: Sequence[str], *, owner: str, until: float, now: float, under: Lease | None = None
    ) -> list[Run]:
        """Move those that are still QUEUED or NOT_STARTED to STARTING, each under a new attempt that `owner` holds. One
        that is QUEUED stays so while its backfill is paused or being canceled.

        Raises `FencedError` when `under`, the lease of who has decided it, has passed on: somebody else decides now."""
        ...

    def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
        """Pass this attempt's lease to `owner` (the launched worker's code server); False if the attempt is not current
        or has ended."""
        ...

    def renew(self, owner: str, *, until: float) -> list[tuple[str, int]]:
        """Prolong all unended attempts of `owner` at once; gives the (run id, attempt) that it still holds."""
        ...

    def expired(self, now: float) -> list[Run]:
        """Active runs whose lease has ended."""
        ...

    def record(self, run_id: str, facts: Sequence[Fact], *, now: float, attempt: int | None = None) -> bool:
        """Store facts about a run from outside its worker (coordinator, daemon, code server), moving its state.

        Gives False, and stores nothing, when the run's present state does not allow it, or when `attempt` is given
        and is no longer current: a run that waits in the queue again has given up the attempt that it had. A step that
        is still open when a run ends is closed as failed by the same call.
        """
        ...

    def explain_waiting(self, notes: Mapping[str, str | None]) -> None:
        """Store for each queued run the one rule that it waits for."""
        ...

    def add_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        ...

    def tag_keys(self) -> list[str]:
        """All tag keys in use, sorted."""
        ...

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        ...

    def delete(self, run_id: str) -> bool:
        """Remove an ended run with its events; asset history stays. False if it does not exist or has not ended."""
        ...

    def snapshot(self, digest: str) -> bytes | None:
        """The JSON of the `JobDescription` stored under this hash."""
        ...
