"""Answers the calls that come from elsewhere: the token's scope, the call's name and its body in, bytes out.

It knows neither HTTP nor threads: whoever serves it gives each answer or refusal its form. Refusals carry a status of
HTTP because that is what they become.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import msgspec

from ...clock import Clock
from ...codec import decode_msgpack, encode_msgpack
from ...errors import FencedError, StorageError, StorageUnavailableError
from ...records.run import ACTIVE, Run
from ..protocols import Storage
from .calls import Call, call_named
from .rules import MOST_ROWS, RULES, Answered, Asking, NotAllowedError
from .token import RunScope, Scope, TokenRefusedError, Tokens

__all__ = ["Answer", "Dispatcher", "RefusedError"]

logger = logging.getLogger("penstock.storage")

_LARGEST = 2**63 - 1


class RefusedError(Exception):
    """A call that is not answered; `status` says why in HTTP's way, the text in words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Answer(msgspec.Struct, frozen=True):
    """What a call came to, as MessagePack, and a younger token for whoever made it, where the old one is in its second
    half."""

    body: bytes
    token: str | None = None


class Dispatcher:
    """The calls on one storage. It may be used from any thread.

    Args:
        storage: The storage.
        clock: Tells the time.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self.storage = storage
        self.tokens = Tokens(storage.locations)
        self._clock = clock

    def scope_of(self, token: str) -> Scope:
        """What a token is for; refuses with 401 what is no good token, with 503 where that cannot be told now."""
        try:
            return self.tokens.verify(token, now=self._clock.now())
        except TokenRefusedError as error:
            raise RefusedError(401, str(error)) from error
        except StorageError as error:
            raise RefusedError(503, str(error)) from error

    def answer(self, scope: Scope | None, name: str, body: bytes) -> Answer:
        """Make a call.

        Args:
            scope: What the caller's token is for; None allows everything.
            name: The call: "events.append".
            body: Its arguments, as MessagePack of a map by name.

        Raises:
            RefusedError: It is not answered.
        """
        call = call_named(name)
        if call is None:
            raise RefusedError(404, f"There is no call {name[:80]!r}.")
        try:
            value = self._call(scope, call, _decoded(call, body))
        except NotAllowedError as error:
            raise RefusedError(403, f"{name} is refused: {error}.") from error
        except FencedError as error:
            raise RefusedError(409, str(error)) from error
        except StorageError as error:
            # What is refused now will be refused later too: no reason to try again.
            status = 503 if isinstance(error, StorageUnavailableError) else 422
            raise RefusedError(status, str(error)) from error
        except RefusedError:
            raise
        except Exception as error:
            logger.exception("A call of %s broke; please report it.", name)
            raise RefusedError(500, f"{name} broke inside the server; its log says how.") from error
        return Answer(encode_msgpack(value), self._younger(scope))

    def stream_allowed(self, scope: Scope | None) -> None:
        """Refuse whoever may not listen to the topics any more."""
        try:
            self._present(scope)
        except (FencedError, StorageError) as error:
            raise RefusedError(409 if isinstance(error, FencedError) else 503, str(error)) from error

    def _call(self, scope: Scope | None, call: Call, request: Any) -> Any:
        if scope is not None:
            request = self._guarded(scope, call.name, request)
            if isinstance(request, Answered):
                return request.value
        part, _, method = call.name.partition(".")
        arguments = {name: getattr(request, name) for name in call.parameters}
        return getattr(getattr(self.storage, part), method)(**arguments)

    def _guarded(self, scope: Scope, name: str, request: Any) -> Any:
        rule = RULES.get(name)
        if rule is None:
            raise NotAllowedError("nobody has allowed it yet")
        guard = rule.run if isinstance(scope, RunScope) else rule.evaluation
        if isinstance(guard, str):
            raise NotAllowedError(guard)
        if not 0 <= getattr(request, "limit", 0) <= MOST_ROWS:
            raise NotAllowedError(f"a limit lies between 0 and {MOST_ROWS:,}; ask for pages")
        run = None if rule.self_guarded else self._present(scope)
        return guard(Asking(storage=self.storage, scope=scope, run=run, now=self._clock.now()), request)

    def _present(self, scope: Scope | None) -> Run | None:
        """The run of a scope as it is now. Raises `FencedError` when the attempt is not current or has ended."""
        if not isinstance(scope, RunScope):
            return None
        run = self.storage.runs.get(scope.run_id)
        if run is None or run.attempt != scope.attempt or run.status not in ACTIVE:
            state = "does not exist" if run is None else f"is {run.status} under attempt {run.attempt}"
            raise FencedError(
                f"The token is for attempt {scope.attempt} of the run {scope.run_id}, which {state}. "
                "Whoever holds it must stop."
            )
        return run

    def _younger(self, scope: Scope | None) -> str | None:
        now = self._clock.now()
        if not isinstance(scope, RunScope) or scope.expires - now > self.tokens.lifetime / 2:
            return None
        return self.tokens.sign(msgspec.structs.replace(scope, expires=now + self.tokens.lifetime))


def _decoded(call: Call, body: bytes) -> Any:
    try:
        request = decode_msgpack(body, call.request)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise RefusedError(400, f"The body of {call.name} is not what the call takes: {error}") from error
    for name in call.parameters:
        value = getattr(request, name)
        if isinstance(value, int) and not -_LARGEST <= value <= _LARGEST:
            raise RefusedError(400, f"{name} of {call.name} is a number beyond 64 bits: {value}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise RefusedError(400, f"{name} of {call.name} must be a finite number, not {value}.")
    return request
