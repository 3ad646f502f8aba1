"""Acts: what people did to a deployment; who, when, upon what, and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from .automation import NOBODY, By, InstigatorStatus, Override

__all__ = [
    "INSTANCE",
    "SWITCHES",
    "Act",
    "ActKind",
    "account_subject",
    "asset_subject",
    "backfill_subject",
    "location_subject",
    "partitions_subject",
    "pool_subject",
    "run_subject",
]


class ActKind(StrEnum):
    """What was done."""

    START = "START"
    STOP = "STOP"
    RESET = "RESET"
    SET_CURSOR = "SET_CURSOR"
    OVERRIDE = "OVERRIDE"
    WITHDRAW = "WITHDRAW"
    REMOVE = "REMOVE"
    RESTORE = "RESTORE"
    PLAN_RUN = "PLAN_RUN"
    CANCEL_RUN = "CANCEL_RUN"
    LAUNCH_RUN = "LAUNCH_RUN"
    DELETE_RUN = "DELETE_RUN"
    LAUNCH_BACKFILL = "LAUNCH_BACKFILL"
    CHANGE_BACKFILL = "CHANGE_BACKFILL"
    DELETE_BACKFILL = "DELETE_BACKFILL"
    REPORT_EVENT = "REPORT_EVENT"
    WIPE_ASSET = "WIPE_ASSET"
    ADD_PARTITIONS = "ADD_PARTITIONS"
    REMOVE_PARTITIONS = "REMOVE_PARTITIONS"
    SET_LIMIT = "SET_LIMIT"
    REMOVE_LIMIT = "REMOVE_LIMIT"
    FREE_SLOTS = "FREE_SLOTS"
    ADD_ACCOUNT = "ADD_ACCOUNT"
    REMOVE_ACCOUNT = "REMOVE_ACCOUNT"
    SET_ROLE = "SET_ROLE"
    DISABLE_ACCOUNT = "DISABLE_ACCOUNT"
    ENABLE_ACCOUNT = "ENABLE_ACCOUNT"
    ADD_TOKEN = "ADD_TOKEN"  # noqa: S105 - what was done, no token
    REVOKE_TOKEN = "REVOKE_TOKEN"  # noqa: S105 - what was done, no token
    RELOAD = "RELOAD"
    IMPORT = "IMPORT"
    REMOVE_OLD = "REMOVE_OLD"
    REFUSED = "REFUSED"


SWITCHES: Mapping[InstigatorStatus, ActKind] = {
    InstigatorStatus.RUNNING: ActKind.START,
    InstigatorStatus.STOPPED: ActKind.STOP,
    InstigatorStatus.DECLARED_IN_CODE: ActKind.RESET,
}
"""The act of turning a switch to each of its places."""


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act, stored in the transaction that does it.

    Args:
        id: Its number in the storage.
        subject: What it was done to: the id of a schedule or sensor, a one-off run by `one_off_subject`, or one of the
            subjects of this module.
        time: When, in seconds since the epoch.
        kind: What was done.
        by: Who did it, and why.
        override: What was set, of an override.
        cursor: What was set, of a cursor.
        before: How it was before, in short words, where that is of use.
        after: What was set or made, in short words. Neither has a secret or a whole run config in it.
    """

    id: int = 0
    subject: str
    time: float
    kind: ActKind
    by: By = NOBODY
    override: Override | None = None
    cursor: str | None = None
    before: str | None = None
    after: str | None = None


INSTANCE = "instance"
"""The subject of acts upon all of a deployment."""


def run_subject(run_id: str) -> str:
    """How acts name a run: `run/id`."""
    return f"run/{run_id}"


def backfill_subject(backfill_id: str) -> str:
    """How acts name a backfill: `backfill/id`."""
    return f"backfill/{backfill_id}"


def asset_subject(key: str) -> str:
    """How acts name an asset: `asset/key`."""
    return f"asset/{key}"


def partitions_subject(name: str) -> str:
    """How acts name a dynamic partition set: `partitions/name`."""
    return f"partitions/{name}"


def pool_subject(name: str) -> str:
    """How acts name a concurrency pool: `pool/name`."""
    return f"pool/{name}"


def account_subject(name: str) -> str:
    """How acts name an account: `account/name`."""
    return f"account/{name}"


def location_subject(name: str) -> str:
    """How acts name a code location: `location/name`."""
    return f"location/{name}"
