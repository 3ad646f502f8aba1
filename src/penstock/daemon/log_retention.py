"""Duty: remove what steps printed once it is old, a few runs at a time."""

from __future__ import annotations

import logging
from itertools import islice

from ..clock import Clock
from ..instance.log_retention import expired_logs
from ..logs.store import LogStore
from ..storage.protocols import RunStorage
from .keeper import Held

__all__ = ["LogRetentionDuty"]

log = logging.getLogger("penstock.daemon.log_retention")

_AT_ONCE = 50
_LOOK_EVERY = 3600.0


class LogRetentionDuty:
    """Looks once an hour, and goes on at once while there is more to remove than one step does.

    Args:
        logs: The captures.
        runs: The runs.
        days: The age in days from which on output is removed; -1 for never.
        clock: Tells the time.
    """

    name = "log_retention"
    parts = 1
    topics = frozenset[str]()

    def __init__(self, logs: LogStore, runs: RunStorage, *, days: int, clock: Clock) -> None:
        self._logs = logs
        self._runs = runs
        self._days = days
        self._clock = clock
        self._due = clock.monotonic()

    def tick(self, _held: Held) -> float | None:
        """Remove the output of some runs, if it is time to look."""
        if self._days < 0:
            return None
        now = self._clock.monotonic()
        if now < self._due:
            return self._due - now
        found = expired_logs(self._logs, self._runs, days=self._days, now=self._clock.now())
        removed = 0
        for run_id in islice(found, _AT_ONCE):
            self._logs.delete(run_id)
            removed += 1
        if removed:
            log.info("removed what the steps of %d runs had printed more than %d days ago", removed, self._days)
        if removed < _AT_ONCE:
            self._due = now + _LOOK_EVERY
            return _LOOK_EVERY
        return 0.0

    def close(self) -> None:
        """Nothing is under way between two ticks."""
