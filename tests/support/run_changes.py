"""A process that changes runs, and halts between its change of the log and the copy into Redis."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from custom_run_storage.redis_runs import RedisRunStorage
from penstock.records.event import RunCanceled, RunEnqueued, RunStart, RunSuccess
from penstock.storage.composite import CompositeStorage
from penstock.storage.run_catalog import CatalogRow
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract.builders import NOW, events_from, new_run

__all__ = ["CHANGES", "change_runs_and_halt"]

CHANGES = 11
"""How many copies `change_runs_and_halt` makes, if it does not halt before."""


class _HaltingRuns(RedisRunStorage):
    """Says so, and waits to be killed, when it is given rows for the `halts_at`-th time."""

    def __init__(self, url: str, tell: Connection, halts_at: int) -> None:
        super().__init__(url)
        self._tell = tell
        self._left = halts_at

    def put(self, rows: Sequence[CatalogRow], *, settles: str | None = None) -> list[str]:
        self._left -= 1
        if self._left == 0:
            self._tell.send(rows[0].run_id)
            signal.pause()
        return super().put(rows, settles=settles)


def change_runs_and_halt(path: Path, url: str, tell: Connection, halts_at: int) -> None:
    """Make two runs and bring one to success, cancel the other and remove it."""
    storage = CompositeStorage(SqliteStorage(path), _HaltingRuns(url, tell, halts_at))
    for is_canceled in (False, True):
        (run,) = storage.runs.create([new_run(RunEnqueued(), tags={"kind": str(is_canceled)})])
        storage.runs.claim([run.run_id], owner="server", until=NOW + 60, now=NOW)
        storage.events.append(run.run_id, 1, events_from(1, [RunStart()]), now=NOW)
        storage.runs.add_tags(run.run_id, {"kind": "changed"})
        if is_canceled:
            storage.runs.record(run.run_id, [RunCanceled()], now=NOW)
            storage.runs.delete(run.run_id)
        else:
            storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()]), now=NOW)
