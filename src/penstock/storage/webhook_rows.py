"""Rows of requests to webhook sensors, and of their tokens, as records."""

from __future__ import annotations

from typing import Any

import msgspec

from ..codec import decode_msgpack
from ..records.webhook import WebhookEntry, WebhookRequest, WebhookStatus, WebhookToken

__all__ = ["ENTRY", "REQUEST", "TOKEN", "entry", "request", "token"]

Row = tuple[Any, ...]

REQUEST = "id, received, body, attempts"
ENTRY = "id, received, status, size, key, attempts, tick, ended"
TOKEN = "id, digest, hint, created"  # noqa: S105 - the names of columns


def request(row: Row) -> tuple[WebhookRequest, int]:
    """The request of a row of `REQUEST`, and how many ticks have failed with it."""
    number, received, body, attempts = row
    stored = decode_msgpack(body, WebhookRequest)
    return msgspec.structs.replace(stored, id=number, received=received), attempts


def entry(row: Row) -> WebhookEntry:
    """What a row of `ENTRY` tells."""
    return WebhookEntry(
        id=row[0],
        received=row[1],
        status=WebhookStatus(row[2]),
        size=row[3],
        key=row[4],
        attempts=row[5],
        tick=row[6],
        ended=row[7],
    )


def token(row: Row) -> WebhookToken:
    """The token of a row of `TOKEN`."""
    return WebhookToken(id=row[0], digest=row[1], hint=row[2], created=row[3])
