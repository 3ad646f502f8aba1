"""Sends the messages of the outbox, each until its target has taken it or it is given up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ...clock import Clock
from ...engine.alerts import next_attempt
from ...errors import DeliveryError, SettingsError
from ...records.alert import Delivery, DeliveryStatus
from ...storage.outbox import Outbox, Posting
from ...storage.protocols import Storage
from ..settings import AlertSettings, AlertTarget

__all__ = ["Post", "outbox_of"]

log = logging.getLogger("penstock.alerts")

_CLAIM_SECONDS = 120.0
"""After so long a message that nobody has settled is sent by another: longer than any attempt takes."""

Send = Callable[[Delivery, AlertTarget, str | None], None]


def _send(delivery: Delivery, target: AlertTarget, web_url: str | None) -> None:
    from .targets import send  # with the first message, since most deployments have none: it needs mail, HTTP and TLS

    send(delivery, target, web_url)


def outbox_of(storage: Storage) -> Outbox:
    """Where a storage keeps messages.

    Raises:
        SettingsError: It does not keep any.
    """
    if not isinstance(storage, Posting):
        raise SettingsError(
            f"alerts need a storage that keeps messages until they are sent, and {type(storage).__name__} does not: it "
            "has no property `outbox`. Remove the block alerts of penstock.yaml, or let the storage's class have one."
        )
    return storage.outbox


class Post:
    """Claims what is due and sends it. Any number of threads and processes may do this side by side.

    Args:
        outbox: Where the messages are.
        settings: The rules with their targets.
        clock: Tells the time.
        send: How a message is sent.
    """

    def __init__(self, outbox: Outbox, settings: AlertSettings, clock: Clock, send: Send = _send) -> None:
        self._outbox = outbox
        self._targets = {(rule.name, name): target for rule in settings.rules for name, target in rule.targets.items()}
        self._web_url = settings.web_url
        self._clock = clock
        self._send = send
        self._stopping = threading.Event()

    def send_due(self) -> float | None:
        """Send until nothing is due; gives when the first of those that failed is due again, if any did."""
        again: list[float] = []
        while not self._stopping.is_set() and (found := self._claimed()):
            due = self._deliver(found[0])
            if due is not None:
                again.append(due)
        return min(again, default=None)

    def stop(self) -> None:
        """Let those who send end after the message that they are at."""
        self._stopping.set()

    def _claimed(self) -> list[Delivery]:
        now = self._clock.now()
        # One at a time: what is claimed and not yet begun would have to wait if we died now.
        return self._outbox.claim(now=now, until=now + _CLAIM_SECONDS, limit=1)

    def _deliver(self, delivery: Delivery) -> float | None:
        target = self._targets.get((delivery.rule, delivery.target))
        if target is None:
            error = f"penstock.yaml has no rule {delivery.rule!r} with the target {delivery.target!r} any more."
            self._give_up(delivery, error)
            return None
        try:
            self._send(delivery, target, self._web_url)
        except DeliveryError as failure:
            return self._failed(delivery, str(failure))
        except Exception as error:
            log.exception("alert %s was not sent", delivery.key)
            return self._failed(delivery, f"{type(error).__name__}; the daemon's log has more.")
        self._outbox.settle(delivery, DeliveryStatus.DELIVERED, now=self._clock.now(), error=None)
        return None

    def _failed(self, delivery: Delivery, error: str) -> float | None:
        """Have it tried again; gives when, or None when it is given up."""
        now = self._clock.now()
        due = next_attempt(delivery.attempts, now)
        if due is None:
            self._give_up(delivery, error)
        else:
            log.warning("alert %s was not sent, and is tried again: %s", delivery.key, error)
            self._outbox.settle(delivery, DeliveryStatus.PENDING, now=now, due=due, error=error)
        return due

    def _give_up(self, delivery: Delivery, error: str) -> None:
        log.error("alert %s is given up: %s", delivery.key, error)
        self._outbox.settle(delivery, DeliveryStatus.GIVEN_UP, now=self._clock.now(), error=error)
