"""One-off runs: a run that somebody asks for at an instant to come."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from .automation import NOBODY, By

__all__ = ["LATE_SECONDS", "TOPIC", "OneOff", "OneOffStatus", "one_off_subject"]

LATE_SECONDS = 86_400.0
"""How much later than asked for a one-off run is still made, unless its asker says otherwise."""


class OneOffStatus(StrEnum):
    """Where a one-off run stands: it waits, or one of the others for ever."""

    WAITING = "WAITING"
    LAUNCHED = "LAUNCHED"
    CANCELED = "CANCELED"
    MISSED = "MISSED"
    FAILED = "FAILED"


class OneOff(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that is to be made once, at `due` (seconds since the epoch) or as soon after it as a daemon is there, but
    not after `until`.

    What to run is said as for a run that is launched at once. `run_id` is the run it has become, `note` says why it has
    become none.
    """

    id: int = 0
    location: str
    job: str
    due: float
    until: float
    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    partition: str | None = None
    step_keys: tuple[str, ...] | None = None
    assets: tuple[str, ...] | None = None
    checks: tuple[str, ...] | None = None
    by: By = NOBODY
    created: float = 0.0
    status: OneOffStatus = OneOffStatus.WAITING
    ended: float | None = None
    run_id: str | None = None
    note: str | None = None


TOPIC = "one_offs"
"""What is published when one-off runs come or change."""


def one_off_subject(location: str, number: int) -> str:
    """How acts name a one-off run: `location/one-off/number`."""
    return f"{location}/one-off/{number}"
