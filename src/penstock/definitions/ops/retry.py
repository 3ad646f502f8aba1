"""How often and after what delay a failed step is tried again, and after what time a step is stopped."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from ...errors import DefinitionError
from ..source import place_of_call

__all__ = ["Backoff", "Jitter", "RetryPolicy", "check_timeout"]


class Backoff(StrEnum):
    """How the delay grows from one retry to the next."""

    LINEAR = "LINEAR"
    EXPONENTIAL = "EXPONENTIAL"


class Jitter(StrEnum):
    """How chance changes the delay: FULL takes any part of it, PLUS_MINUS up to one base delay more or less."""

    FULL = "FULL"
    PLUS_MINUS = "PLUS_MINUS"


class RetryPolicy(msgspec.Struct, frozen=True):
    """Retries of a step.

    Args:
        max_retries: How many times to try again after the first failure.
        delay: Seconds to wait before a retry; at once if not given.
        backoff: How the delay grows; constant if not given.
        jitter: How chance changes it; not at all if not given.

    Raises:
        DefinitionError: A number is negative, or backoff or jitter come without a delay.
    """

    max_retries: int = 1
    delay: float | None = None
    backoff: Backoff | None = None
    jitter: Jitter | None = None

    def __post_init__(self) -> None:
        retries: Any = self.max_retries
        delay: Any = self.delay
        if not isinstance(retries, int) or retries < 0:
            raise DefinitionError(
                f"A RetryPolicy{place_of_call()} has max_retries={retries!r}; give a whole number from 0 on."
            )
        if delay is not None and (not isinstance(delay, int | float) or delay < 0):
            raise DefinitionError(
                f"A RetryPolicy{place_of_call()} has delay={delay!r}; give a number of seconds, 0 or more."
            )
        if delay is None and (self.backoff is not None or self.jitter is not None):
            raise DefinitionError(
                f"A RetryPolicy{place_of_call()} has backoff or jitter and no delay to apply them to; add delay=."
            )

    def wait(self, retry: int, chance: float) -> float:
        """Seconds to wait before retry number `retry` (1 is the first); `chance` in [0, 1) feeds the jitter."""
        base = self.delay or 0.0
        match self.backoff:
            case Backoff.LINEAR:
                wait = base * retry
            case Backoff.EXPONENTIAL:
                wait = base * (2**retry - 1)
            case _:
                wait = base
        match self.jitter:
            case Jitter.FULL:
                return wait * chance
            case Jitter.PLUS_MINUS:
                return max(0.0, wait + base * (2 * chance - 1))
            case _:
                return wait


def check_timeout(timeout: Any, what: str) -> float | None:
    """The seconds after which a step is stopped; raises `DefinitionError` unless they are more than 0."""
    if timeout is None:
        return None
    if isinstance(timeout, int | float) and not isinstance(timeout, bool) and timeout > 0:
        return timeout
    raise DefinitionError(f"{what} has the timeout {timeout!r}; give more than 0 seconds.")
