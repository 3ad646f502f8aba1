"""Runs of a composite storage: the log changes them, the catalog finds them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from ...records.event import Fact
from ...records.lease import Lease
from ...records.run import Run
from ..protocols import NewRun, RunFilter, RunSearch, RunStorage, RunTally
from ..run_catalog import RunCatalog
from .run_follower import RunFollower

__all__ = ["CompositeRuns"]


class CompositeRuns:
    """`RunStorage` of which the catalog answers for what people look at, and the log for what the daemon acts on."""

    def __init__(self, log: RunStorage, catalog: RunCatalog, follower: RunFollower) -> None:
        self._log = log
        self._catalog = catalog
        self._follower = follower

    # -- finding ------------------------------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        return self._catalog.get(run_id)

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first, after the cursor `before`."""
        finder = self._catalog if where.asset is None else self._log  # only the log knows what a run planned
        return finder.page(where, limit=limit, before=before, ascending=ascending)

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match, at most `at_most`."""
        finder = self._catalog if where.asset is None else self._log
        return finder.count(where, at_most=at_most)

    def search(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> RunSearch:
        """Runs newest first, as far as one search looks; a catalog looks at all."""
        if where.asset is not None:
            return self._log.search(where, limit=limit, before=before, ascending=ascending)
        return RunSearch(runs=tuple(self._catalog.page(where, limit=limit, before=before, ascending=ascending)))

    def tally(self, where: RunFilter, *, at_most: int = 10_000) -> RunTally:
        """How many runs match, as far as one search looks; a catalog looks at all."""
        if where.asset is not None:
            return self._log.tally(where, at_most=at_most)
        return RunTally(number=self._catalog.count(where, at_most=at_most))

    def latest_of_jobs(self, jobs: Sequence[tuple[str, str]], *, limit: int) -> dict[tuple[str, str], list[Run]]:
        """The newest runs of each of these (location, job), newest first; a catalog is asked for one at a time."""
        found = {
            (location, job): self._catalog.page(RunFilter(location=location, job=job), limit=limit)
            for location, job in jobs
        }
        return {job: runs for job, runs in found.items() if runs}

    def tag_keys(self) -> list[str]:
        """All tag keys in use, sorted."""
        return self._catalog.tag_keys()

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        return self._catalog.tag_values(key, prefix=prefix, limit=limit)

    # -- what is acted on: no older than the log ----------------------------------------------------------------------

    def queued(self, *, limit: int, by_share: bool = False, but: Collection[str] = ()) -> list[Run]:
        """Queued runs, highest priority first, then oldest first."""
        return self._log.queued(limit=limit, by_share=by_share, but=but)

    def queued_of_share(self, share: str, *, untold: str | None) -> list[str]:
        """The ids of the queued runs of a share whose note is not this one."""
        return self._log.queued_of_share(share, untold=untold)

    def active(self) -> list[Run]:
        """Runs that are STARTING, STARTED or CANCELING."""
        return self._log.active()

    def expired(self, now: float) -> list[Run]:
        """Active runs whose lease has ended."""
        return self._log.expired(now)

    def snapshot(self, digest: str) -> bytes | None:
        """The JSON of the `JobDescription` stored under this hash."""
        return self._log.snapshot(digest)

    # -- changing -----------------------------------------------------------------------------------------------------

    def create(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store new runs with their first facts, all or none."""
        with self._follower.changing(new.run.run_id for new in runs):
            return self._log.create(runs)

    def claim(
        self, run_ids: Sequence[str], *, owner: str, until: float, now: float, under: Lease | None = None
    ) -> list[Run]:
        """Move those of the runs that nobody has claimed to STARTING, each under a new attempt held by `owner`."""
        with self._follower.changing(run_ids):
            return self._log.claim(run_ids, owner=owner, until=until, now=now, under=under)

    def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
        """Pass this attempt's lease to `owner`; False if the attempt is not current or has ended."""
        taken = self._log.take_over(run_id, attempt=attempt, owner=owner, until=until)
        self._follower.copy([run_id])  # said again by the next renewal if we die here
        return taken

    def renew(self, owner: str, *, until: float) -> list[tuple[str, int]]:
        """Prolong all unended attempts of `owner` at once; gives the (run id, attempt) that it still holds."""
        held = self._log.renew(owner, until=until)
        self._follower.copy([run_id for run_id, _ in held])  # said again by the next renewal if we die here
        return held

    def record(self, run_id: str, facts: Sequence[Fact], *, now: float, attempt: int | None = None) -> bool:
        """Store facts about a run from outside its worker; all of them, or none where the run's state refuses one."""
        with self._follower.changing([run_id]):
            return self._log.record(run_id, facts, now=now, attempt=attempt)

    def explain_waiting(self, notes: Mapping[str, str | None]) -> None:
        """Store for each queued run the one rule that it waits for."""
        known = {run.run_id: run.note for run in self._log.page(RunFilter(run_ids=tuple(notes)), limit=len(notes) or 1)}
        changed = {run_id: note for run_id, note in notes.items() if run_id in known and known[run_id] != note}
        if changed:
            with self._follower.changing(changed):
                self._log.explain_waiting(changed)

    def add_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        with self._follower.changing([run_id]):
            self._log.add_tags(run_id, tags)

    def delete(self, run_id: str) -> bool:
        """Remove an ended run with its events; asset history stays."""
        with self._follower.changing([run_id]):
            return self._log.delete(run_id)
