"""What is kept, and what is old enough to go."""

from __future__ import annotations

import msgspec

__all__ = ["OldLog"]


class OldLog(msgspec.Struct, frozen=True, kw_only=True):
    """A month of the event log that is over.

    Args:
        log: The month, as `storage/months.py` counts them.
        until: When it was over, in seconds since the epoch.
        rows: How many events it has; in a large database an estimate.
        bytes: Its size with its indexes; None where the database does not say.
        unended: How many of its runs have not ended, and take their logs along.
    """

    log: int
    until: float
    rows: int
    bytes: int | None
    unended: int
