"""The contract suite of storage: every promise of `penstock.storage.protocols`, as tests.

An implementation passes it by a test class of its own:

    class TestMyStorage(StorageContract):
        @pytest.fixture
        def storage(self, opener): ...     # migrated and empty
        @pytest.fixture
        def opener(self, tmp_path): ...    # gives another `Storage` on the same database; can be pickled; or None

Where `opener` is None (a database that only one process sees), the tests with several processes are skipped.
"""

from __future__ import annotations

from .assets import AssetContract
from .checks import CheckContract
from .claims import ClaimContract
from .events import EventContract
from .instigators import InstigatorContract
from .leases import LeaseContract
from .locations import LocationContract
from .notifier import NotifierContract
from .processes import ProcessContract
from .runs import RunContract
from .steps import StepContract

__all__ = ["StorageContract"]


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
    NotifierContract,
    ProcessContract,
):
    """All of it."""
