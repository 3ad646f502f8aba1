"""Requests of other systems to webhook sensors: let in by a token, stored, and then acknowledged.

Who calls is no browser and no person: what speaks for a request is the token that it shows, and nothing else. A sensor
that is not there and a token that is wrong get the same answer.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import math
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..auth.webhook_tokens import is_let_in
from ..clock import Clock
from ..engine.allowance import Allowance
from ..errors import EnvironmentalError
from ..instance.settings import WebhookSettings
from ..locations.catalog import Catalog
from ..records.automation import InstigatorKind, instigator_id
from ..records.location import SensorDescription
from ..records.webhook import WebhookRequest
from ..storage.inbox import Inbox

__all__ = ["LARGEST_BODY", "WebhookEndpoint"]

LARGEST_BODY = 1 << 20
"""A body has no more bytes."""

_LONGEST_KEY = 200
_LONGEST_HEADER = 4096


class _RefusedError(Exception):
    """A request that is not taken; `status` and `headers` are those of the answer."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class WebhookEndpoint:
    """Answers `POST /hooks/<code location>/<sensor>`.

    Args:
        inbox: Where requests are stored; None where the storage cannot keep them.
        catalog: What the code locations define.
        settings: How many requests are taken.
        clock: Tells the time.
    """

    def __init__(self, inbox: Inbox | None, catalog: Catalog, settings: WebhookSettings, clock: Clock) -> None:
        self._inbox = inbox
        self._catalog = catalog
        self._settings = settings
        self._clock = clock
        self._allowances: dict[str, Allowance] = {}

    async def receive(self, request: Request) -> Response:
        """Take a request."""
        try:
            return await self._receive(request)
        except _RefusedError as refused:
            return JSONResponse({"error": str(refused)}, refused.status, refused.headers)
        except EnvironmentalError as error:
            return JSONResponse({"error": str(error)}, 503, {"retry-after": "10"})

    async def _receive(self, request: Request) -> Response:
        if self._inbox is None:
            raise _RefusedError(501, "The storage of this deployment cannot keep requests to webhook sensors.")
        inbox = self._inbox
        location, name = request.path_params["location"], request.path_params["sensor"]
        key = instigator_id(location, InstigatorKind.SENSOR, name)
        sensor = await asyncio.to_thread(self._sensor, location, name)
        shown = _token(request.headers)
        known = sensor is not None and shown is not None and await asyncio.to_thread(is_let_in, inbox, key, shown)
        if sensor is None or not known:
            raise _RefusedError(
                401,
                "There is no webhook sensor here that this token lets in. Show one of its tokens, as "
                "`Authorization: Bearer <token>` or as the password of basic authentication.",
                {"www-authenticate": "Bearer"},
            )
        self._count(key)
        new = WebhookRequest(
            body=await _body(request),
            content_type=request.headers.get("content-type", "")[:_LONGEST_HEADER],
            headers=_kept(request.headers, sensor),
            key=_key(request.headers),
        )
        most = self._settings.max_pending_requests
        receipt = await asyncio.to_thread(inbox.receive, key, new, most=most, now=self._clock.now())
        if receipt is None:
            message = f"{most:,} requests wait for this sensor already. Send it again later."
            raise _RefusedError(429, message, {"retry-after": "30"})
        if not receipt.same:
            raise _RefusedError(
                422, f"The Idempotency-Key {new.key!r} came before with another body; give each request its own key."
            )
        return JSONResponse({"id": receipt.id, "repeated": receipt.repeated}, 202)

    def _sensor(self, location: str, name: str) -> SensorDescription | None:
        self._catalog.refresh()
        found = self._catalog.locations.get(location)
        sensor = None if found is None else found.sensors.get(name)
        return sensor if sensor is not None and sensor.kind == "WEBHOOK" else None

    def _count(self, key: str) -> None:
        rate = self._settings.requests_per_second
        allowance = self._allowances.setdefault(key, Allowance(rate=rate, burst=max(1.0, 2 * rate)))
        wait = allowance.take(self._clock.monotonic())
        if wait:
            message = f"This sensor takes {rate:g} requests a second. Send it again later."
            raise _RefusedError(429, message, {"retry-after": str(math.ceil(wait))})


def _token(headers: Headers) -> str | None:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return None
    return None


async def _body(request: Request) -> bytes:
    too_large = _RefusedError(413, f"The body is longer than {LARGEST_BODY:,} bytes.")
    announced = request.headers.get("content-length", "0")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        raise too_large
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > LARGEST_BODY:
            raise too_large
    return bytes(data)


def _kept(headers: Headers, sensor: SensorDescription) -> dict[str, str]:
    return {name: headers[name][:_LONGEST_HEADER] for name in sensor.headers if name in headers}


def _key(headers: Headers) -> str | None:
    key = headers.get("idempotency-key")
    if key is None:
        return None
    if not 0 < len(key) <= _LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise _RefusedError(400, f"The Idempotency-Key has 1 to {_LONGEST_KEY} printable ASCII characters.")
    return key
