"""Alerts: what has happened that somebody wants to be told, and the delivery of a message about it to one target."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

import msgspec

__all__ = ["Alert", "AlertKind", "Delivery", "DeliveryStatus", "NewDelivery"]

AlertKind: TypeAlias = Literal[
    "run_failure",
    "run_late",
    "run_stuck",
    "tick_failure",
    "check_failed",
    "freshness_violated",
    "daemon_lost",
    "location_broken",
]
"""What an alert can be about."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that has happened, as people are told of it.

    Args:
        kind: What it is.
        occurrence: Names this one among all that have happened; who finds the same thing again gives it the same name.
        subject: What it happened to: of many alerts with one subject, few are sent.
        time: When, in seconds since the epoch.
        title: One line.
        text: What is known of it.
        path: The address of the page that shows it, below that of the web server.
        location: The code location that it concerns, if it is one.
        job: The job.
        asset: The asset's key as text.
        run_id: The run.
        tags: The run's tags.
    """

    kind: AlertKind
    occurrence: str
    subject: str
    time: float
    title: str
    text: str
    path: str
    location: str | None = None
    job: str | None = None
    asset: str | None = None
    run_id: str | None = None
    tags: dict[str, str] = {}


class DeliveryStatus(StrEnum):
    """Where a delivery stands: to be sent (again), sent, not sent because another one about its subject had just been,
    or given up."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    THROTTLED = "THROTTLED"
    GIVEN_UP = "GIVEN_UP"


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a rule wants to be sent.

    Args:
        rule: The rule's name.
        target: Which of the rule's targets, as `engine/alerts.py` names them. The address itself may be a secret, and
            stays in the settings.
        alert: What it tells.
        throttle: For how many seconds after a message to this target about the same subject this one is held back.
    """

    rule: str
    target: str
    alert: Alert
    throttle: float = 0.0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message as stored. (rule, target, the alert's occurrence) is unique.

    Args:
        id: Its number; a later one has a higher number.
        rule: The rule's name.
        target: Which of the rule's targets.
        alert: What it tells.
        status: Where it stands.
        attempts: How often its sending was begun.
        created: When it was decided, in seconds since the epoch.
        due: When its sending is next begun, if it is to be sent.
        ended: When it was sent, held back or given up.
        error: Why the last attempt failed.
    """

    id: int
    rule: str
    target: str
    alert: Alert
    status: DeliveryStatus
    attempts: int
    created: float
    due: float
    ended: float | None = None
    error: str | None = None

    @property
    def key(self) -> str:
        """Names the message: the receiver that is sent it twice can tell by this."""
        return f"{self.rule}/{self.target}/{self.alert.occurrence}"
