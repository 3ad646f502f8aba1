"""The event log of a composite storage: the catalog answers up to where it has come, the log for what is newer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from ...errors import StorageUnavailableError
from ...records.event import StoredEvent
from ..archive import Archive
from ..event_catalog import CopiedEvent, EventCatalog
from ..protocols import EventStorage, RunFilter, RunStorage
from .let_go import LetGo

__all__ = ["CompositeEvents", "EventFollower", "ForgettingRuns"]

_PAGE = 1000


class CompositeEvents:
    """`EventStorage` that is written to the log, and read from both.

    While the catalog is away, the log answers for all that it has, and what it may lack raises.

    Args:
        log: Has every event at once.
        catalog: Has them up to the id that it has reached.
        let_go: Up to which id the log may have let go of some.
    """

    def __init__(self, log: EventStorage, catalog: EventCatalog, let_go: LetGo) -> None:
        self._log = log
        self._catalog = catalog
        self._let_go = let_go
        self.append, self.last_id = log.append, log.last_id
        self.step_stats, self.steps_of = log.step_stats, log.steps_of

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        """A run's events in the order they were stored."""

        def newer(after: int, limit: int) -> list[StoredEvent]:
            return self._log.of_run(run_id, after=after, limit=limit, types=types, step_keys=step_keys)

        try:
            reached = self._catalog.reached()
            found: list[StoredEvent] = []
            if after < reached:
                found = self._catalog.of_run(run_id, after=after, limit=limit, types=types, step_keys=step_keys)
        except StorageUnavailableError:
            # A run has events from its making on, and the log lets go of all of a run's or of none.
            if self._let_go.upto() > after and not self._log.of_run(run_id, limit=1):
                raise
            return newer(after, limit)
        found = [each for each in found if each.id <= reached]  # what is being brought meanwhile may lack its beginning
        return found if len(found) == limit else found + newer(max(after, reached), limit - len(found))

    def of_types(
        self,
        types: Sequence[str],
        *,
        after: int | None = None,
        before: int | None = None,
        since: float | None = None,
        until: float | None = None,
        jobs: Sequence[str] | None = None,
        ascending: bool = True,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """Events of these types over all runs, oldest first or newest first."""

        def part(
            source: EventStorage | EventCatalog, after: int | None, before: int | None, limit: int
        ) -> list[StoredEvent]:
            if limit == 0 or (after is not None and before is not None and after + 1 >= before):
                return []
            return source.of_types(
                types,
                after=after,
                before=before,
                since=since,
                until=until,
                jobs=jobs,
                ascending=ascending,
                limit=limit,
            )

        try:
            reached = self._catalog.reached()
            newer = partial(part, self._log, reached if after is None else max(after, reached), before)
            older = partial(part, self._catalog, after, reached + 1 if before is None else min(before, reached + 1))
            first, second = (older, newer) if ascending else (newer, older)
            found = first(limit)
            return found + second(limit - len(found))
        except StorageUnavailableError:
            found = part(self._log, after, before, limit)
            gone = self._let_go.upto()
            reaches_back = not ascending and len(found) == limit and found[-1].id > gone
            if gone > (after or 0) and not reaches_back:
                raise
            return found

    def failures(self, run_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """What ended each of these runs that has failed, as far as its events are kept."""
        found = self._log.failures(run_ids)
        for run_id in run_ids:
            for kind in ("STEP_FAILURE", "RUN_FAILURE"):
                if run_id not in found:
                    found.update((run_id, event) for event in self.of_run(run_id, types=[kind], limit=1))
        return found

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        if (found := self._log.get(event_id)) is not None or event_id > self._let_go.upto():
            return found
        return self._catalog.get(event_id)


class ForgettingRuns:
    """`RunStorage` that has the catalog forget the events of a run before it is deleted: nothing stays of it."""

    def __init__(self, runs: RunStorage, log: RunStorage, catalog: EventCatalog) -> None:
        self._runs = runs
        self._log = log
        self._catalog = catalog
        self.get, self.page, self.count, self.snapshot = runs.get, runs.page, runs.count, runs.snapshot
        self.search, self.tally, self.latest_of_jobs = runs.search, runs.tally, runs.latest_of_jobs
        self.tag_keys, self.tag_values, self.add_tags = runs.tag_keys, runs.tag_values, runs.add_tags
        self.queued, self.queued_of_share = runs.queued, runs.queued_of_share
        self.active, self.expired = runs.active, runs.expired
        self.create, self.claim, self.take_over, self.renew = runs.create, runs.claim, runs.take_over, runs.renew
        self.record, self.explain_waiting = runs.record, runs.explain_waiting

    def delete(self, run_id: str) -> bool:
        """Remove an ended run with its events; asset history stays."""
        run = self._log.get(run_id)
        if run is not None and run.is_finished:
            self._catalog.forget(run_id)
        return self._runs.delete(run_id)


class EventFollower:
    """`Follower` that brings events to the catalog in the order of their ids, which is that of their commits.

    Args:
        log: The way to read the whole log in that order.
        runs: The runs of the storage that decides.
        last_id: The id of the newest event there.
        catalog: Where the events are brought.
    """

    setting = "event_log_storage"

    def __init__(self, log: Archive, runs: RunStorage, last_id: Callable[[], int], catalog: EventCatalog) -> None:
        self._log = log
        self._runs = runs
        self._last_id = last_id
        self._catalog = catalog

    def follow(self) -> bool:
        """Bring over the events that follow on those which it has, a page of them."""
        reached = self._catalog.reached()
        last = self._last_id()
        if last <= reached:
            return False
        page = self._log.log(after=reached, limit=_PAGE)
        is_whole = len(page) < _PAGE
        events = [each for each in page if not each.kept]  # a history that outlived its run is no part of the log
        jobs = self._jobs({each.run_id for each in events if each.run_id is not None})
        self._catalog.put(
            [
                CopiedEvent(
                    id=each.id,
                    run_id=each.run_id,
                    job=None if each.run_id is None else jobs.get(each.run_id),
                    attempt=each.attempt,
                    event=each.event,
                )
                for each in events
            ],
            reached=max([last, *(each.id for each in page)]) if is_whole else page[-1].id,
        )
        return not is_whole

    def reached(self) -> int:
        """The id up to which the catalog has all events."""
        return self._catalog.reached()

    def behind_since(self) -> float | None:
        """When the oldest event happened that it lacks."""
        page = self._log.log(after=self._catalog.reached(), limit=1)
        return page[0].event.time if page else None

    def _jobs(self, run_ids: set[str]) -> dict[str, str]:
        found = self._runs.page(RunFilter(run_ids=tuple(run_ids)), limit=len(run_ids)) if run_ids else []
        return {run.run_id: run.job for run in found}
