"""Keeps a catalog of runs in step with the log that decides, whichever process dies at whichever moment.

A change is announced in the catalog, made in the log, copied from the log into the catalog and settled. Who dies
before the log's transaction has changed nothing; who dies after it leaves the announcement, and `follow` copies the row
for it. Copying is right in any order and any number: a row is looked up in the log after the catalog's version of it
was read, and is taken only while that version is the same, so that an older row never covers a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from ...clock import Clock
from ...errors import FencedError, StorageError, StorageUnavailableError
from ...ids import new_holder_id
from ...records.run import FINISHED, RunStatus
from ..notifier import Notifier
from ..protocols import RunFilter, RunStorage
from ..run_catalog import CatalogRow, RunCatalog

__all__ = ["FORGOTTEN_AFTER", "RunFollower"]

FORGOTTEN_AFTER = 3600.0
"""Seconds after which a change that was announced is taken for one that nobody will make any more."""

_COPY = "copy"
_NOT_ENDED = tuple(status for status in RunStatus if status not in FINISHED)
_PAGE = 500


class RunFollower:
    """`Follower` of runs: changes are made in the log and shown in the catalog.

    Args:
        log: The runs of the storage that decides.
        catalog: Where they are found.
        notifier: Tells whoever waits, once the catalog shows a change: the log's own word comes before that.
        clock: Tells the time.
    """

    setting = "run_storage"

    def __init__(self, log: RunStorage, catalog: RunCatalog, notifier: Notifier, clock: Clock) -> None:
        self._log = log
        self._catalog = catalog
        self._notifier = notifier
        self._clock = clock

    @contextmanager
    def changing(self, run_ids: Iterable[str]) -> Iterator[None]:
        """A context in which the log changes these runs; at its end the catalog shows it."""
        ids = list(dict.fromkeys(run_ids))
        change = new_holder_id("change")
        versions = self._catalog.announce(change, ids, now=self._clock.now())
        try:
            yield
        except (FencedError, StorageError) as error:
            if not isinstance(error, StorageUnavailableError):
                self._catalog.settle([change])  # a refusal has changed nothing
            raise
        if refused := self._copy(ids, versions, settles=change):
            self.copy(refused)
            self._catalog.settle([change])
        self._notifier.publish({"runs", "queue", *(f"run:{run_id}" for run_id in ids)})

    def copy(self, run_ids: Sequence[str]) -> None:
        """Have the catalog show these runs as the log has them now, or later."""
        left = list(run_ids)
        while left:
            batch, left = left[:_PAGE], left[_PAGE:]
            left += self._copy(batch, self._catalog.versions(batch))

    def _copy(self, run_ids: Sequence[str], versions: Sequence[int], *, settles: str | None = None) -> list[str]:
        """Copy these if their versions are those; gives the ids of the others."""
        found = {run.run_id: run for run in self._log.page(RunFilter(run_ids=tuple(run_ids)), limit=len(run_ids))}
        rows = [
            CatalogRow(run_id=run_id, run=found.get(run_id), version=version)
            for run_id, version in zip(run_ids, versions, strict=True)
        ]
        return self._catalog.put(rows, settles=settles)

    def follow(self) -> bool:
        """Copy what others announced and have not settled: they may be dead. Gives False: that is all of it."""
        shown = False
        for each in self._catalog.announced():
            before = [self._catalog.get(run_id) for run_id in each.run_ids]
            self.copy(each.run_ids)
            shown = shown or before != [self._catalog.get(run_id) for run_id in each.run_ids]
            if each.change != _COPY and each.at < self._clock.now() - FORGOTTEN_AFTER:
                self._catalog.settle([each.change])
        if shown:
            self._notifier.publish({"runs", "queue"})
        return False

    def behind_since(self) -> float | None:
        """When the oldest change was announced that is not shown, or the filling of the catalog was."""
        open_changes = (each for each in self._catalog.announced() if each.change == _COPY or self._lacks(each.run_ids))
        return min((each.at for each in open_changes), default=None)

    def _lacks(self, run_ids: Sequence[str]) -> bool:
        found = {run.run_id: run for run in self._log.page(RunFilter(run_ids=tuple(run_ids)), limit=len(run_ids))}
        return any(self._catalog.get(run_id) != found.get(run_id) for run_id in run_ids)

    def catch_up(self) -> None:
        """Copy all runs into a catalog that is empty, or in which that was begun and not finished.

        Into another one those that are newer than its newest, and those that it does not know to have ended: it may
        have lost its last rows.
        """
        is_begun = any(each.change == _COPY for each in self._catalog.announced())
        newest = self._catalog.page(RunFilter(), limit=1)
        if is_begun or not newest:
            self._catalog.announce(_COPY, [], now=self._clock.now())
            self._copy_from(self._log, RunFilter())
            self._catalog.settle([_COPY])
            return
        self._copy_from(self._log, RunFilter(), after=newest[0].run_id)
        self._copy_from(self._catalog, RunFilter(statuses=_NOT_ENDED))

    def _copy_from(self, runs: RunStorage | RunCatalog, where: RunFilter, *, after: str | None = None) -> None:
        while page := runs.page(where, limit=_PAGE, before=after, ascending=True):
            after = page[-1].run_id
            self.copy([run.run_id for run in page])
