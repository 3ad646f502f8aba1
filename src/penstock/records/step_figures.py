"""Where the time of one attempt of a step went, and what its process used."""

from __future__ import annotations

import msgspec

__all__ = ["StepFigures"]


class StepFigures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Measured where the attempt ran; None where that is not known, as of a process that was killed.

    The four phases from `starting` to `storing` follow each other without a gap, so that their sum is the attempt's
    time. Seconds but for `peak_memory`.

    Args:
        queued: From its inputs being at hand, or its retry being due, until it was started: how long it waited for a
            place.
        starting: From its process's begin until its function's inputs could be loaded: set-up of resources above all.
        loading: Loading of inputs by IO managers, and the check of their types.
        computing: The user's function itself.
        storing: Check of what it gave, and its storing by IO managers; for a generator the sum over all that it gave.
        cpu: CPU time, user and system, over all threads; of ended child processes too where the process was its own.
        peak_memory: The most memory that its process had resident, in bytes. That counts memory which it shares with
            the process that it was forked from.
        shared: Whether its process did other work too: then `peak_memory` is the process's over its life, and `cpu`
            what the process used meanwhile.
    """

    queued: float | None = None
    starting: float | None = None
    loading: float | None = None
    computing: float | None = None
    storing: float | None = None
    cpu: float | None = None
    peak_memory: int | None = None
    shared: bool = False
