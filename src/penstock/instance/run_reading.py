"""What an instance tells users of its runs, and the little that they change there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ..errors import RunNotFoundError, UsageError
from ..execution.event_log import EventLogEntry, read_records
from ..logs.store import LogStore
from ..records.event_type import EventType
from ..records.run import Run, StepStats, StepStatus
from ..storage.protocols import RunFilter, Storage
from .filters import RunsFilter
from .pages import EventRecordsResult, RunRecord, RunStats

__all__ = ["RunReading"]

_PAGE = 500
_ORDERS = (None, "id", "create_timestamp")


class RunReading:
    """The part of an instance that is about runs and their logs."""

    storage: Storage
    logs: LogStore

    # -- runs ---------------------------------------------------------------------------------------------------------

    def get_run_by_id(self, run_id: str) -> Run | None:
        """The run of that id, if there is one."""
        return self.storage.runs.get(run_id)

    def has_run(self, run_id: str) -> bool:
        """Whether there is a run of that id."""
        return self.storage.runs.get(run_id) is not None

    def get_runs(
        self,
        filters: RunsFilter | None = None,
        cursor: str | None = None,
        limit: int | None = None,
        ascending: bool = False,
    ) -> Sequence[Run]:
        """Runs, newest first.

        Args:
            filters: Which.
            cursor: The id of the last run that was seen.
            limit: The most to give; all if not given.
            ascending: Oldest first.
        """
        where = (filters or RunsFilter()).where()
        return list(self._runs(where, cursor, limit, ascending=ascending))

    def get_run_ids(
        self, filters: RunsFilter | None = None, cursor: str | None = None, limit: int | None = None
    ) -> Sequence[str]:
        """The ids of runs, newest first; it takes what `get_runs` takes."""
        return [run.run_id for run in self.get_runs(filters, cursor, limit)]

    def get_runs_count(self, filters: RunsFilter | None = None) -> int:
        """How many runs there are."""
        return self.storage.runs.count((filters or RunsFilter()).where(), at_most=2**62)

    def get_run_records(
        self,
        filters: RunsFilter | None = None,
        limit: int | None = None,
        order_by: str | None = None,
        ascending: bool = False,
        cursor: str | None = None,
    ) -> Sequence[RunRecord]:
        """Runs with the times of their lives, newest first.

        Args:
            filters: Which.
            limit: The most to give; all if not given.
            order_by: By what they are ordered: `create_timestamp`, which is also how it is if not given.
            ascending: Oldest first.
            cursor: The id of the last run that was seen.

        Raises:
            UsageError: They shall be ordered by something else.
        """
        if order_by not in _ORDERS:
            raise UsageError(f"Runs are not kept in the order of {order_by!r}; leave order_by out, and sort the page.")
        return [RunRecord(run) for run in self.get_runs(filters, cursor, limit, ascending)]

    def get_run_record_by_id(self, run_id: str) -> RunRecord | None:
        """The run of that id with the times of its life, if there is one."""
        run = self.storage.runs.get(run_id)
        return None if run is None else RunRecord(run)

    def get_run_stats(self, run_id: str) -> RunStats:
        """What a run came to so far.

        Raises:
            RunNotFoundError: There is no such run.
        """
        run = self.storage.runs.get(run_id)
        if run is None:
            raise RunNotFoundError(f"There is no run {run_id!r}.")
        steps = self.storage.events.step_stats(run_id)
        return RunStats(
            run_id=run_id,
            steps_succeeded=sum(step.status is StepStatus.SUCCESS for step in steps),
            steps_failed=sum(step.status is StepStatus.FAILURE for step in steps),
            materializations=len(self.all_logs(run_id, of_type=EventType.ASSET_MATERIALIZATION)),
            enqueued_time=run.queued,
            launch_time=run.launched,
            start_time=run.started,
            end_time=run.ended,
        )

    def get_run_step_stats(self, run_id: str, step_keys: Sequence[str] | None = None) -> Sequence[StepStats]:
        """What is known of the steps of a run that have begun.

        Args:
            run_id: The run.
            step_keys: Which of them; all if not given.
        """
        found = self.storage.events.step_stats(run_id)
        return found if step_keys is None else [step for step in found if step.step_key in step_keys]

    def add_run_tags(self, run_id: str, new_tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        from ..definitions.names import normalize_tags  # with what users write, which no service does

        self.storage.runs.add_tags(run_id, normalize_tags(new_tags, f"Run {run_id}"))

    def get_run_tag_keys(self) -> Sequence[str]:
        """All tag keys in use, sorted."""
        return self.storage.runs.tag_keys()

    def get_run_tags(
        self, tag_keys: Sequence[str], value_prefix: str | None = None, limit: int | None = None
    ) -> Sequence[tuple[str, set[str]]]:
        """Tag keys with their values in use.

        Args:
            tag_keys: The keys.
            value_prefix: Only values that begin so.
            limit: The most values to give of a key; 1,000 if not given.
        """
        runs = self.storage.runs
        most = 1000 if limit is None else limit
        return [(key, set(runs.tag_values(key, prefix=value_prefix or "", limit=most))) for key in sorted(tag_keys)]

    def delete_run(self, run_id: str) -> None:
        """Remove a run that has ended, with its log and what its steps printed; the history of assets stays.

        Raises:
            RunNotFoundError: There is no such run.
            UsageError: It has not ended.
        """
        if self.storage.runs.delete(run_id):
            self.logs.delete(run_id)
            return
        run = self.storage.runs.get(run_id)
        if run is None:
            raise RunNotFoundError(f"There is no run {run_id!r}.")
        raise UsageError(
            f"The run {run_id} is {run.status}; only a run that has ended can be deleted. Cancel it first."
        )

    def _runs(self, where: RunFilter, cursor: str | None, limit: int | None, *, ascending: bool) -> Iterator[Run]:
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            page = self.storage.runs.page(where, limit=size, before=cursor, ascending=ascending)
            yield from page
            if len(page) < size:
                return
            cursor = page[-1].run_id
            left = None if left is None else left - len(page)

    # -- the log of a run ---------------------------------------------------------------------------------------------

    def all_logs(self, run_id: str, of_type: EventType | Iterable[EventType] | None = None) -> Sequence[EventLogEntry]:
        """A run's whole log, in order.

        Args:
            run_id: The run.
            of_type: Only events of this type, or of one of these.
        """
        found: list[EventLogEntry] = []
        cursor: str | None = None
        while True:
            page = self.get_records_for_run(run_id, cursor=cursor, of_type=of_type, limit=_PAGE)
            found += [record.event_log_entry for record in page.records]
            if not page.has_more:
                return found
            cursor = page.cursor

    def get_records_for_run(
        self,
        run_id: str,
        cursor: str | None = None,
        of_type: EventType | Iterable[EventType] | None = None,
        limit: int = _PAGE,
    ) -> EventRecordsResult:
        """A page of a run's log, in order.

        Args:
            run_id: The run.
            cursor: Where the page begins, as the page before told it.
            of_type: Only events of this type, or of one of these.
            limit: The most to give.
        """
        types = None
        if of_type is not None:
            types = [of_type] if isinstance(of_type, str) else list(of_type)
        after = 0 if cursor is None else int(cursor)
        found = self.storage.events.of_run(run_id, after=after, limit=limit + 1, types=types)
        page = found[:limit]
        return EventRecordsResult(
            records=read_records(self.storage, page),
            cursor=str(page[-1].id if page else after),
            has_more=len(found) > limit,
        )
