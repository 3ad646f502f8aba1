"""Sends the messages of the outbox, each until its target has taken it or it is given up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

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

_FIRST_REST = 1.0
_LONGEST_REST = 60.0

_Target: TypeAlias = tuple[str, str]
"""The names of a rule and of a target of it."""

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

    A target gets one message at a time from each process, and after one that it did not take it rests for a while:
    however many messages wait for a target that does not answer, those to others do not wait for them.

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
        self._lock = threading.RLock()
        self._busy: set[_Target] = set()
        self._rests: dict[_Target, tuple[int, float]] = {}  # failures in a row, and until when it rests

    def send_due(self) -> float | None:
        """Send until nothing is due; gives when there is more to do, if any failed."""
        due_again: list[tuple[_Target, float]] = []
        while not self._stopping.is_set() and (found := self._claimed()):
            (delivery,) = found
            target = (delivery.rule, delivery.target)
            try:
                due = self._deliver(delivery)
            finally:
                with self._lock:
                    self._busy.discard(target)
            if due is not None:
                due_again.append((target, due))
        rests = self._rests_of(self._clock.now())
        later = [max(due, rests.get(target, due)) for target, due in due_again]
        return min([*later, *rests.values()], default=None)

    def stop(self) -> None:
        """Let those who send end after the message that they are at."""
        self._stopping.set()

    def _claimed(self) -> list[Delivery]:
        now = self._clock.now()
        with self._lock:
            # One at a time: what is claimed and not yet begun would have to wait if we died now.
            found = self._outbox.claim(
                now=now, until=now + _CLAIM_SECONDS, limit=1, but={*self._busy, *self._rests_of(now)}
            )
            self._busy.update((each.rule, each.target) for each in found)
            return found

    def _rests_of(self, now: float) -> dict[_Target, float]:
        """The targets that rest, and until when; not those of which that was said before the clock was set back."""
        with self._lock:
            return {key: until for key, (_, until) in self._rests.items() if now < until <= now + _LONGEST_REST}

    def _note(self, delivery: Delivery, *, refused_after: float | None = None) -> None:
        """Note that its target took it, or after so many seconds did not: who keeps us waiting rests for longer."""
        key = (delivery.rule, delivery.target)
        with self._lock:
            failures, _ = self._rests.pop(key, (0, 0.0))
            if refused_after is not None:
                seconds = max(_FIRST_REST * 2.0 ** min(failures, 10), 3 * refused_after)
                self._rests[key] = (failures + 1, self._clock.now() + min(_LONGEST_REST, seconds))

    def _deliver(self, delivery: Delivery) -> float | None:
        target = self._targets.get((delivery.rule, delivery.target))
        if target is None:
            error = f"penstock.yaml has no rule {delivery.rule!r} with the target {delivery.target!r} any more."
            self._give_up(delivery, error)
            return None
        begun = self._clock.monotonic()
        try:
            self._send(delivery, target, self._web_url)
        except DeliveryError as failure:
            return self._failed(delivery, str(failure), begun)
        except Exception as error:
            log.exception("alert %s was not sent", delivery.key)
            return self._failed(delivery, f"{type(error).__name__}; the daemon's log has more.", begun)
        self._note(delivery)
        self._outbox.settle(delivery, DeliveryStatus.DELIVERED, now=self._clock.now(), error=None)
        return None

    def _failed(self, delivery: Delivery, error: str, begun: float) -> float | None:
        """Have it tried again; gives when, or None when it is given up."""
        self._note(delivery, refused_after=self._clock.monotonic() - begun)
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
