"""A catalog of runs in memory, whose process can be made to die at a chosen call."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence

from penstock.records.run import Run
from penstock.storage.protocols import RunFilter
from penstock.storage.run_catalog import Announcement, CatalogRow, fits

__all__ = ["Died", "MemoryCatalog"]


class Died(BaseException):
    """Stands for the end of a process: nothing catches it, and nothing is done after it."""


class MemoryCatalog:
    """`RunCatalog` for one process.

    Attributes:
        dies_at: The names of calls that raise `Died` before they do anything; "answer" is when `put` has done its work.
    """

    def __init__(self) -> None:
        self.dies_at: set[str] = set()
        self._rows: dict[str, Run] = {}
        self._versions: dict[str, int] = {}
        self._announced: dict[str, Announcement] = {}
        self._lock = threading.Lock()

    def _about_to(self, call: str) -> None:
        if call in self.dies_at:
            raise Died(call)

    def announce(self, change: str, run_ids: Sequence[str], *, now: float) -> list[int]:
        self._about_to("announce")
        self._announced[change] = Announcement(change=change, run_ids=tuple(run_ids), at=now)
        return [self._versions.get(run_id, 0) for run_id in run_ids]

    def announced(self) -> list[Announcement]:
        return list(self._announced.values())

    def settle(self, changes: Sequence[str]) -> None:
        self._about_to("settle")
        for change in changes:
            self._announced.pop(change, None)

    def versions(self, run_ids: Sequence[str]) -> list[int]:
        self._about_to("versions")
        return [self._versions.get(run_id, 0) for run_id in run_ids]

    def put(self, rows: Sequence[CatalogRow], *, settles: str | None = None) -> list[str]:
        self._about_to("put")
        refused = []
        with self._lock:
            for row in rows:
                if self._versions.get(row.run_id, 0) != row.version:
                    refused.append(row.run_id)
                    continue
                self._versions[row.run_id] = row.version + 1
                if row.run is None:
                    self._rows.pop(row.run_id, None)
                else:
                    self._rows[row.run_id] = row.run
            if settles is not None and not refused:
                self._announced.pop(settles, None)
        self._about_to("answer")
        return refused

    def get(self, run_id: str) -> Run | None:
        return self._rows.get(run_id)

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        rows = sorted(self._rows.items(), reverse=not ascending)
        beyond = (
            run
            for run_id, run in rows
            if fits(run, where) and (before is None or (run_id > before if ascending else run_id < before))
        )
        return list(itertools.islice(beyond, limit))

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        return len(self.page(where, limit=at_most))

    def tag_keys(self) -> list[str]:
        return sorted({key for run in self._rows.values() for key in run.tags})

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        values = {run.tags[key] for run in self._rows.values() if key in run.tags}
        return sorted(value for value in values if value.startswith(prefix))[:limit]

    def migrate(self) -> None:
        pass

    def describe(self) -> dict[str, str]:
        return {"kind": "memory"}

    def close(self) -> None:
        pass
