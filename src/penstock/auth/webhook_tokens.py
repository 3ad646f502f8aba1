"""Tokens of webhook sensors: made once and shown once, known afterwards by their hash."""

from __future__ import annotations

import hmac

from ..errors import SettingsError
from ..ids import new_secret, secret_hash
from ..records.webhook import WebhookToken
from ..storage.inbox import Inbox, Receiving
from ..storage.protocols import Storage

__all__ = ["PREFIX", "inbox_of", "is_let_in", "new_token"]

PREFIX = "pswh_"
"""What each token begins with, so that those who look for leaked secrets can tell it."""

_HINT = 4


def inbox_of(storage: Storage) -> Inbox:
    """Where a storage keeps what is sent to webhook sensors.

    Raises:
        SettingsError: It cannot keep that.
    """
    if not isinstance(storage, Receiving):
        raise SettingsError(
            f"{type(storage).__name__} cannot keep what is sent to webhook sensors: it has no `inbox` (see "
            "penstock.storage.inbox). Choose another storage."
        )
    return storage.inbox


def new_token(inbox: Inbox, sensor: str, *, now: float) -> tuple[str, WebhookToken]:
    """Make a token for a sensor (by its id); gives its text, which nobody can find out again, and what is stored."""
    text = f"{PREFIX}{new_secret()}"
    return text, inbox.add_token(sensor, secret_hash(text), text[-_HINT:], now=now)


def is_let_in(inbox: Inbox, sensor: str, shown: str) -> bool:
    """Whether that is a token of the sensor; how long it takes does not tell which part of it is wrong."""
    digest = secret_hash(shown)
    return any(hmac.compare_digest(token.digest, digest) for token in inbox.tokens(sensor))
