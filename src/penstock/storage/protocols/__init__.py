"""The seams of storage: what Penstock asks of a database, one small Protocol per noun.

Rules that every implementation keeps, and that the contract suite in `penstock.testing` checks:

* A call is one transaction; when it returns, its effect is durable and visible to every other process.
* Derived rows (run row, step statistics, asset, partition and check states) change in the same transaction as the
  events that change them.
* A run's state moves only along `records.run.TRANSITIONS`. An event that would move it otherwise is not stored.
* A step that is open when its run ends is closed by a `StepFailure` that is stored before the end.
* Assets and partitions that a run announced and had not made when it failed or was canceled have failed with it; one
  that succeeded left them out on purpose, and they are as before. Checks without a result are EXECUTION_FAILED after
  a failure, else SKIPPED.
* Writes of a run worker name their attempt; after the attempt has ended or passed on they raise `FencedError`.
* Times are seconds since the Unix epoch. Pages are keyset pages: `before`/`after` name the last item seen.
* A database that cannot be reached, or cannot work for the time being, raises `StorageUnavailableError`: the same call
  may go well later. Every other refusal is a plain `StorageError`.
* What a call changes while somebody is `acting` (`storage/acting.py`) is stored as an act, in its transaction.
* After a change the storage publishes its topics (see `Notifier`); what is published is a hint, the row is the truth.
"""

from __future__ import annotations

from typing import Protocol

from ..notifier import Notifier
from .accounts import USE_SECONDS, AccountStorage
from .acts import EVERY_ACT, ActFilter, ActStorage
from .assets import AssetStorage
from .backfills import (
    BackfillAdvance,
    BackfillChange,
    BackfillFilter,
    BackfillSearch,
    BackfillStorage,
    StoredBackfill,
)
from .events import EventStorage
from .instigators import InstigatorStorage
from .leases import FAR, LeaseStorage
from .locations import LocationStorage, StoredLocation
from .one_offs import OneOffStorage
from .runs import NewRun, RunFilter, RunSearch, RunStorage, RunTally
from .slots import SlotStorage

__all__ = [
    "EVERY_ACT",
    "FAR",
    "USE_SECONDS",
    "AccountStorage",
    "ActFilter",
    "ActStorage",
    "AssetStorage",
    "BackfillAdvance",
    "BackfillChange",
    "BackfillFilter",
    "BackfillSearch",
    "BackfillStorage",
    "EventStorage",
    "InstigatorStorage",
    "LeaseStorage",
    "LocationStorage",
    "NewRun",
    "OneOffStorage",
    "RunFilter",
    "RunSearch",
    "RunStorage",
    "RunTally",
    "SlotStorage",
    "Storage",
    "StoredBackfill",
    "StoredLocation",
]


class Storage(Protocol):
    """The storages of one instance. Normally one database; each part can be another implementation."""

    @property
    def runs(self) -> RunStorage: ...
    @property
    def events(self) -> EventStorage: ...
    @property
    def assets(self) -> AssetStorage: ...
    @property
    def instigators(self) -> InstigatorStorage: ...
    @property
    def one_offs(self) -> OneOffStorage: ...
    @property
    def leases(self) -> LeaseStorage: ...
    @property
    def locations(self) -> LocationStorage: ...
    @property
    def slots(self) -> SlotStorage: ...
    @property
    def backfills(self) -> BackfillStorage: ...
    @property
    def accounts(self) -> AccountStorage: ...
    @property
    def acts(self) -> ActStorage: ...
    @property
    def notifier(self) -> Notifier: ...

    def migrate(self) -> None:
        """Bring the schema up to this version, safely with several processes starting at once."""
        ...

    def describe(self) -> dict[str, str]:
        """Facts for people: kind, place, schema version, size."""
        ...

    def close(self) -> None:
        """Let go of every connection of this process."""
        ...
