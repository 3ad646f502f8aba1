"""The seam for what other systems send to webhook sensors: stored before it is acknowledged, taken once.

A tick that completes takes the requests that it was given (`Tick.webhooks`), in its own transaction. Those of a tick
that fails stay, and are due again after `PAUSE` seconds; the first one then comes alone, so that one that breaks the
sensor's function does not hold up the others for ever: after `MOST_ATTEMPTS` it is given up.

Not every storage can do this; one that can has the property `inbox`, and is `Receiving`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

from ..records.webhook import Receipt, WebhookEntry, WebhookRequest, WebhookToken

__all__ = ["MOST_ATTEMPTS", "PAUSE", "TOPIC", "Inbox", "Receiving", "a_batch"]

TOPIC = "webhooks"
"""What is published when requests come."""

PAUSE = 30.0
"""Seconds until a request is due again whose tick has failed."""

MOST_ATTEMPTS = 5
"""After so many failed ticks a request is given up."""


class Inbox(Protocol):
    """Requests to webhook sensors, and their tokens."""

    def receive(self, instigator: str, request: WebhookRequest, *, most: int, now: float) -> Receipt | None:
        """Store a request, whose id does not count. One whose key that sensor has had before is not stored again. None
        when `most` are waiting already."""
        ...

    def waiting(self) -> dict[str, float]:
        """The sensors for which requests wait, each with when the first one is due."""
        ...

    def first(self, instigator: str, *, limit: int, most_bytes: int) -> list[WebhookRequest]:
        """The requests for the next tick, in the order in which they came: at most so many, whose bodies together have
        at most so many bytes, but one in any case; and one alone where a tick has failed with it."""
        ...

    def page(self, instigator: str, *, before: int | None = None, limit: int = 50) -> list[WebhookEntry]:
        """What is told of a sensor's requests, newest first, before the id `before`."""
        ...

    def pending(self, instigator: str, *, at_most: int = 10_000) -> int:
        """How many requests of a sensor wait, at most `at_most`."""
        ...

    def forget(self, before: float) -> int:
        """Remove the requests that ended before that time, and their keys; gives how many."""
        ...

    def add_token(self, instigator: str, digest: str, hint: str, *, now: float) -> WebhookToken:
        """Let senders in that show this token."""
        ...

    def revoke_token(self, instigator: str, token: int) -> bool:
        """Let them in no more; False when there is no such token."""
        ...

    def tokens(self, instigator: str) -> list[WebhookToken]:
        """A sensor's tokens, oldest first."""
        ...


@runtime_checkable
class Receiving(Protocol):
    """A storage that keeps what is sent to webhook sensors."""

    @property
    def inbox(self) -> Inbox: ...


def a_batch(found: Iterable[tuple[WebhookRequest, int]], most_bytes: int) -> list[WebhookRequest]:
    """What `Inbox.first` gives of the first requests, each with how many ticks have failed with it."""
    batch: list[WebhookRequest] = []
    left = most_bytes
    for request, attempts in found:
        left -= len(request.body)
        if batch and (left < 0 or attempts):
            break
        batch.append(request)
        if attempts:
            break
    return batch
