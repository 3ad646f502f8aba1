"""When user code is loaded again by itself. Pure: how the last load came out -> a pause, or none.

What user code raises it will raise again, so that load waits for a changed file, or for somebody who asks. A process
that died or took too long may have had bad luck (memory, a database at import), so it is tried again, ever more slowly.
"""

from __future__ import annotations

from enum import Enum, auto

__all__ = ["Outcome", "pause_before_next_load", "reason_to_renew"]

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 10.0
_LONGEST_SECONDS_FOR_LOADS = 300.0


class Outcome(Enum):
    """How a load came out, or what became of a process that had loaded."""

    RAISED = auto()
    CRASHED = auto()
    TOOK_TOO_LONG = auto()
    DIED_AFTERWARDS = auto()


def pause_before_next_load(outcome: Outcome, failures: int) -> float | None:
    """Seconds until the next load, after so many failures in a row (1 for the first); None for no load by itself."""
    match outcome:
        case Outcome.RAISED:
            return None
        case Outcome.DIED_AFTERWARDS:
            longest = _LONGEST_SECONDS
        case Outcome.CRASHED | Outcome.TOOK_TOO_LONG:
            longest = _LONGEST_SECONDS_FOR_LOADS
    return min(_FIRST_SECONDS * 2.0 ** min(failures - 1, 20), longest)


def reason_to_renew(forks: int, grown: int, *, after_forks: int, after_growth: int) -> str | None:
    """Why a process that holds user code should be replaced by a new one; None when it need not.

    Args:
        forks: How many times it has forked.
        grown: By how many bytes its own memory has grown since it had loaded.
        after_forks: The bound for `forks`; 0 for none.
        after_growth: The bound for `grown`; 0 for none.
    """
    if after_forks and forks >= after_forks:
        return f"it has forked {forks} times"
    if after_growth and grown >= after_growth:
        return f"its memory has grown by {grown / 2**20:.0f} MB"
    return None
