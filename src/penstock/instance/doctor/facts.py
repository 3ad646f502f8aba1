"""What is known of an instance at one moment: the facts that the checks judge."""

from __future__ import annotations

import msgspec

from ...records.automation import Tick
from ...records.lease import Lease, ProcessInfo
from ...records.run import Run
from ...storage.protocols import StoredLocation
from ...storage.upkeep import DatabaseFacts, SchemaDifference, StrayClaim, TableSize
from ..settings import Settings

__all__ = ["SILENT_SECONDS", "Facts", "FileFacts", "FollowerFacts"]

SILENT_SECONDS = 60.0
"""After how long without a word a process is taken for gone, and a lease that is over for forgotten."""


class FileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A file or folder of the instance, and the permission bits that it has; `is_secret`: it holds a password."""

    path: str
    mode: int
    is_secret: bool = False


class FollowerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A store of the user's own: since when it lacks something, in seconds since the epoch, and why it does not answer.

    `behind_since` is None while it lacks nothing, and `error` while it answers.
    """

    setting: str
    behind_since: float | None = None
    error: str | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the checks look at. Times are seconds since the epoch.

    Args:
        now: When it was read, by the clock that counts.
        settings: The settings in force.
        active: Runs that are STARTING, STARTED or CANCELING.
        queued: The runs that wait longest, some of them.
        leases: Every lease of a daemon's duty.
        processes: Every process that is stored, also those that have not been heard of for long.
        open_ticks: Ticks that have begun and not ended.
        locations: Every code location.
        stray_claims: Claims of slots that count no more.
        known_version: The schema that this version reads and writes; None for a storage that does not say.
        stored_version: The schema that the database has.
        differences: What of the schema is not as it should be.
        not_compared: Why the schema could not be compared; None where it was.
        tables: The database's tables, the largest first.
        database: The database as it stands.
        files: What the instance has in its home.
        followers: The stores of the user's own that follow the storage.
    """

    now: float
    settings: Settings = Settings()
    active: tuple[Run, ...] = ()
    queued: tuple[Run, ...] = ()
    leases: tuple[Lease, ...] = ()
    processes: tuple[ProcessInfo, ...] = ()
    open_ticks: tuple[Tick, ...] = ()
    locations: tuple[StoredLocation, ...] = ()
    stray_claims: tuple[StrayClaim, ...] = ()
    known_version: int | None = None
    stored_version: int | None = None
    differences: tuple[SchemaDifference, ...] = ()
    not_compared: str | None = None
    tables: tuple[TableSize, ...] = ()
    database: DatabaseFacts | None = None
    files: tuple[FileFacts, ...] = ()
    followers: tuple[FollowerFacts, ...] = ()

    def is_heard_of(self, process: ProcessInfo) -> bool:
        """Whether a process lives, as far as its word goes."""
        return process.seen > self.now - SILENT_SECONDS

    def daemons(self) -> list[ProcessInfo]:
        """The daemons that live."""
        return [each for each in self.processes if each.kind == "daemon" and self.is_heard_of(each)]
