"""How long to wait before a process that died is started again."""

from __future__ import annotations

__all__ = ["STEADY_SECONDS", "restart_delay"]

STEADY_SECONDS = 10.0
"""A process that lived this long starts the count of failures anew."""

_FIRST = 0.2
_LONGEST = 10.0


def restart_delay(failures: int) -> float:
    """Seconds to wait after the given number of failures in a row (1 for the first): doubling, up to a limit."""
    return min(_FIRST * 2.0 ** min(failures - 1, 20), _LONGEST)
