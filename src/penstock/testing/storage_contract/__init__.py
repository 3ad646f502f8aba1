"""The contract suite of storage: every promise of `penstock.storage.protocols`, as tests.

An implementation passes it by a test class of its own:

    class TestMyStorage(StorageContract, MultiProcessStorageContract):
        @pytest.fixture
        def storage(self, opener): ...     # migrated and empty
        @pytest.fixture
        def opener(self, tmp_path): ...    # gives another `Storage` on the same database; can be pickled

A database that only one process sees passes `StorageContract` alone, which needs no `opener`. One through which people
change things, by command or on pages, passes `ActContract` too. One with a bulk way out
and in passes `ArchiveContract` too, one that can also remove what is old `RetentionContract`, one that keeps messages
until they are sent `OutboxContract`, and one that keeps what is sent to webhook sensors `InboxContract`. A run
storage alone (`penstock.storage.run_catalog.RunCatalog`) is held to its promises beside a log in SQLite:

    class TestMyRunStorage(RunStorageContract):
        @pytest.fixture
        def catalog(self): ...             # made ready and empty

Likewise `EventLogStorageContract` for a `penstock.storage.event_catalog.EventCatalog`, and `ScheduleStorageContract`
for a `penstock.storage.tick_catalog.TickCatalog`.
"""

from __future__ import annotations

from .acts import ActContract
from .archive import ArchiveContract
from .catalog import RunCatalogContract
from .event_catalog import EventCatalogContract
from .followed import EventLogStorageContract, ScheduleStorageContract
from .inbox import InboxContract
from .outbox import OutboxContract
from .processes import MultiProcessStorageContract
from .retention import RetentionContract
from .run_storage import RunStorageContract
from .tick_catalog import TickCatalogContract
from .whole import StorageContract

__all__ = [
    "ActContract",
    "ArchiveContract",
    "EventCatalogContract",
    "EventLogStorageContract",
    "InboxContract",
    "MultiProcessStorageContract",
    "OutboxContract",
    "RetentionContract",
    "RunCatalogContract",
    "RunStorageContract",
    "ScheduleStorageContract",
    "StorageContract",
    "TickCatalogContract",
]
