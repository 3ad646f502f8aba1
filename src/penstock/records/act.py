"""Acts of operators upon schedules, sensors and one-off runs: who did what, when and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from .automation import NOBODY, By, InstigatorStatus, Override

__all__ = ["SWITCHES", "Act", "ActKind"]


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


SWITCHES: Mapping[InstigatorStatus, ActKind] = {
    InstigatorStatus.RUNNING: ActKind.START,
    InstigatorStatus.STOPPED: ActKind.STOP,
    InstigatorStatus.DECLARED_IN_CODE: ActKind.RESET,
}
"""The act of turning a switch to each of its places."""


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act, stored in the transaction that does it.

    `subject` is the id of a schedule or sensor, or that of a one-off run (see `one_off_subject`). `override` and
    `cursor` are what was set.
    """

    id: int = 0
    subject: str
    time: float
    kind: ActKind
    by: By = NOBODY
    override: Override | None = None
    cursor: str | None = None
