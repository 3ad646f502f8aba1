"""Tokens that open a storage from elsewhere: each for one attempt of one run, or for one evaluation, and for a time.

A token is its scope and a signature over it (HMAC-SHA256). The key is made once for an instance and kept in its
storage, so that every server in front of that storage can sign and verify. No call lets a token's holder read the key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import cached_property
from typing import TypeAlias

import msgspec

from ...codec import decode_msgpack, encode_msgpack
from ...errors import PenstockError
from ...ids import new_secret
from ...records.run import Run
from ..protocols import LocationStorage

__all__ = ["LIFETIME", "EvaluationScope", "RunScope", "Scope", "TokenRefusedError", "Tokens"]

LIFETIME = 7 * 24 * 3600.0
"""Seconds for which the token of an attempt is good. One that is used in its second half is replaced."""

_KEY = "storage_gateway/key"
_PREFIX = "pst1"
_LONGEST = 2048


class RunScope(msgspec.Struct, frozen=True, kw_only=True, tag="run"):
    """What runs one attempt of a run may do, as long as the attempt is current and has not ended."""

    run_id: str
    attempt: int
    location: str
    expires: float


class EvaluationScope(msgspec.Struct, frozen=True, kw_only=True, tag="evaluation"):
    """What one evaluation of a schedule or sensor of a code location may do."""

    location: str
    expires: float


Scope: TypeAlias = RunScope | EvaluationScope


class TokenRefusedError(PenstockError):
    """A token is no token of this instance, or its time is over."""


class Tokens:
    """Signs and verifies the tokens of one instance. It may be used from any thread.

    Args:
        values: Where the key is kept.
        lifetime: Seconds for which the token of a run is good.
    """

    def __init__(self, values: LocationStorage, *, lifetime: float = LIFETIME) -> None:
        self._values = values
        self.lifetime = lifetime

    @property
    def is_ready(self) -> bool:
        """Whether the key was read, so that nothing waits for the storage."""
        return "_key" in vars(self)

    def scope_of_run(self, run: Run, *, now: float) -> RunScope:
        """What a token for the present attempt of a run is for."""
        return RunScope(run_id=run.run_id, attempt=run.attempt, location=run.location, expires=now + self.lifetime)

    def sign(self, scope: Scope) -> str:
        """A token. Raises `StorageError` when the key was never read and the storage is away."""
        payload = encode_msgpack(scope)
        return f"{_PREFIX}.{_text(payload)}.{_text(self._signature(payload))}"

    def verify(self, token: str, *, now: float) -> Scope:
        """What a token is for.

        Raises:
            TokenRefusedError: It is not one of ours, or it has expired.
            StorageError: The key was never read and the storage is away.
        """
        prefix, _, rest = token.partition(".")
        body, _, signature = rest.partition(".")
        payload, shown = _bytes(body), _bytes(signature)
        if len(token) > _LONGEST or prefix != _PREFIX or payload is None or shown is None:
            raise TokenRefusedError("The token is not one that Penstock gives; use it whole and unchanged.")
        if not hmac.compare_digest(self._signature(payload), shown):
            raise TokenRefusedError("The token was not signed for this instance; use one that its code server gave.")
        try:
            scope: Scope = decode_msgpack(payload, Scope)  # type: ignore[arg-type]  # a union is a kind too
        except msgspec.MsgspecError as error:
            raise TokenRefusedError("The token is of another version of Penstock; start the run again.") from error
        if now >= scope.expires:
            raise TokenRefusedError("The token has expired; start the run again.")
        return scope

    def _signature(self, payload: bytes) -> bytes:
        return hmac.digest(self._key, payload, hashlib.sha256)

    @cached_property
    def _key(self) -> bytes:
        return bytes.fromhex(self._values.settle_value(_KEY, new_secret()))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _bytes(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if _text(data) == text else None  # one spelling of each token
