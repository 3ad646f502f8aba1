"""The contract suite of storage: every promise of `penstock.storage.protocols`, as tests.

An implementation passes it by a test class of its own:

    class TestMyStorage(StorageContract, MultiProcessStorageContract):
        @pytest.fixture
        def storage(self, opener): ...     # migrated and empty
        @pytest.fixture
        def opener(self, tmp_path): ...    # gives another `Storage` on the same database; can be pickled

A database that only one process sees passes `StorageContract` alone, which needs no `opener`. One with a bulk way out
and in passes `ArchiveContract` too.
"""

from __future__ import annotations

from .archive import ArchiveContract
from .assets import AssetContract
from .checks import CheckContract
from .claims import ClaimContract
from .events import EventContract
from .instigators import InstigatorContract
from .leases import LeaseContract
from .locations import LocationContract
from .notifier import NotifierContract
from .processes import MultiProcessStorageContract
from .runs import RunContract
from .slots import SlotContract
from .steps import StepContract

__all__ = ["ArchiveContract", "MultiProcessStorageContract", "StorageContract"]


class StorageContract(
    RunContract,
    ClaimContract,
    EventContract,
    StepContract,
    AssetContract,
    CheckContract,
    InstigatorContract,
    LeaseContract,
    LocationContract,
    SlotContract,
    NotifierContract,
):
    """All that holds within one process."""
