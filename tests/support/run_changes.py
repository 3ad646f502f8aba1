"""A process that changes runs until it is killed."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection

from penstock.records.event import RunCanceled, RunEnqueued, RunStart, RunSuccess
from penstock.storage.protocols import Storage
from penstock.testing.storage_contract.builders import NOW, events_from, new_run

__all__ = ["change_runs_for_ever"]


def change_runs_for_ever(opener: Callable[[], Storage], tell: Connection) -> None:
    """Make runs, tell of each when it is made, and bring each to an end of one kind or another."""
    storage = opener()
    while True:
        for is_canceled in (False, True):
            (run,) = storage.runs.create([new_run(RunEnqueued(), tags={"kind": str(is_canceled)})])
            tell.send(run.run_id)
            storage.runs.claim([run.run_id], owner="server", until=NOW + 60, now=NOW)
            storage.events.append(run.run_id, 1, events_from(1, [RunStart()]), now=NOW)
            storage.runs.add_tags(run.run_id, {"kind": "changed"})
            if is_canceled:
                storage.runs.record(run.run_id, [RunCanceled()], now=NOW)
            else:
                storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()]), now=NOW)
