"""Which runs' captured output is old enough to be removed, and its removal in small steps."""

from __future__ import annotations

from collections.abc import Iterator

from ..ids import created_at
from ..logs.store import LogStore
from ..storage.protocols import RunStorage

__all__ = ["DAY", "expired_logs"]

DAY = 86_400.0


def expired_logs(logs: LogStore, runs: RunStorage, *, days: int, now: float) -> Iterator[str]:
    """The runs whose output is to be removed: oldest first, looked up one by one.

    A run that has not ended keeps its output; what is left of a run that was deleted goes at that age too.

    Args:
        logs: The captures.
        runs: The runs.
        days: The age, from a run's end; -1 for never.
        now: The time, in seconds since the epoch.
    """
    if days < 0:
        return
    before = now - days * DAY
    for run_id in logs.runs():
        created = created_at(run_id)
        if created is not None and created > before:
            continue  # it cannot have ended before it was made
        run = runs.get(run_id)
        ended = created if run is None else run.ended
        if (run is None or run.is_finished) and (ended or 0.0) <= before:
            yield run_id
