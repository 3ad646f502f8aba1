"""All nouns of a storage together."""

from __future__ import annotations

from .accounts import AccountContract
from .acts import ActContract
from .assets import AssetContract
from .backfills import BackfillContract
from .checks import CheckContract
from .claims import ClaimContract
from .events import EventContract
from .instigators import InstigatorContract
from .leases import LeaseContract
from .locations import LocationContract
from .notifier import NotifierContract
from .one_offs import OneOffContract
from .operators import OperatorContract
from .runs import RunContract
from .slots import SlotContract
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
    OperatorContract,
    OneOffContract,
    LeaseContract,
    LocationContract,
    SlotContract,
    BackfillContract,
    AccountContract,
    ActContract,
    NotifierContract,
):
    """All that holds within one process."""
