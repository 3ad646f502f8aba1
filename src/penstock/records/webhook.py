"""Requests that other systems send to webhook sensors, and the tokens that they show."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from ..codec import decode_json

__all__ = ["Receipt", "WebhookEntry", "WebhookRequest", "WebhookStatus", "WebhookToken"]


class WebhookRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request that a webhook sensor is evaluated for.

    Args:
        id: Its number; later ones have larger numbers.
        received: When it came, in seconds since the epoch.
        body: What was sent.
        content_type: What kind of content the sender says that is.
        headers: Those headers that the sensor keeps, by the names that it gives them.
        key: The sender's idempotency key, if it gave one.
    """

    id: int = 0
    received: float = 0.0
    body: bytes = b""
    content_type: str = ""
    headers: dict[str, str] = {}
    key: str | None = None

    def json(self) -> Any:
        """The body as JSON. Raises `msgspec.DecodeError` when it is none."""
        return decode_json(self.body, object)

    def text(self) -> str:
        """The body as UTF-8 text; bytes that are none are replaced."""
        return self.body.decode(errors="replace")


class WebhookStatus(StrEnum):
    """Where a request stands."""

    PENDING = "PENDING"  # until a tick of its sensor takes it
    TAKEN = "TAKEN"
    GIVEN_UP = "GIVEN_UP"  # by a failed tick, after several others


class WebhookEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is told of a request without what was sent: `tick` is the last tick that it was given to."""

    id: int
    received: float
    status: WebhookStatus
    size: int  # of the body, in bytes
    key: str | None = None
    attempts: int = 0  # ticks that have failed with it
    tick: int | None = None
    ended: float | None = None


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """That a request is stored: `repeated` if its key was there before, `same` if that came with the same body."""

    id: int
    repeated: bool = False
    same: bool = True


class WebhookToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that lets senders in, known by its SHA-256 alone; `hint` is its end, for people to tell it by."""

    id: int
    digest: str
    hint: str
    created: float
