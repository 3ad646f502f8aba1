"""One backfill as the daemon that sees to it knows it: what its runs came to, and its next step."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cache

import msgspec

from ..clock import Clock
from ..engine.backfill import BackfillMachine, Unit
from ..engine.retry import RetryPolicyOfRuns, RetryRun, decide_retry
from ..errors import CodeServerUnreachableError, ConfigurationError, EnvironmentalError, StorageError
from ..launch.protocols import RunCoordinator
from ..locations.catalog import Catalog, CatalogLocation
from ..locations.partition_runs import partition_runs
from ..partitions.space import KeySpace, open_space
from ..partitions.subset import Subset
from ..plan.backfill_runs import GroupRuns, backfill_tags
from ..records.backfill import Backfill, BackfillLine, BackfillPart, BackfillPlan, BackfillStatus, PartStatus
from ..records.lease import Lease
from ..records.run import Run, RunStatus, Tag
from ..records.wire import PartitionRun
from ..storage.protocols import BackfillAdvance, NewRun, RunFilter, Storage
from .retries import retry_id

__all__ = ["Course"]

log = logging.getLogger("penstock.daemon.backfills")

_BATCH = 250
_MOST_FAILURES = 5
_FIRST_PAUSE = 5.0
_LOOK_AT_LOCATION = 10.0


class _WaitsError(Exception):
    """The next runs cannot be made now; the text says what they wait for."""


class Course:
    """A backfill under one lease. When anything fails it is dropped, and the next one begins from what is stored.

    Args:
        storage: The instance's storage.
        coordinator: Takes the new runs.
        catalog: What the code locations define.
        clock: Tells the time.
        backfill: The backfill.
        plan: What it is to make.
        epoch: That of the lease.
        retries: When runs are run again by themselves; None where they are not.
        most_open: How many runs it may have open at once.
    """

    def __init__(
        self,
        storage: Storage,
        coordinator: RunCoordinator,
        catalog: Catalog,
        clock: Clock,
        backfill: Backfill,
        plan: BackfillPlan,
        *,
        epoch: int,
        retries: RetryPolicyOfRuns | None,
        most_open: int,
    ) -> None:
        self.epoch = epoch
        self.rest: float | None = None
        """When it could not go on, the seconds until it is to be tried again; it is of no more use then."""
        self._storage = storage
        self._coordinator = coordinator
        self._catalog = catalog
        self._clock = clock
        self._plan = plan
        self._retries = retries
        self._most_open = most_open
        self._makers: dict[int, GroupRuns] = {}
        self._canceled: set[str] = set()
        self._priority: int | None = None
        self._machine = BackfillMachine(plan)
        self._machine.take(storage.backfills.parts(backfill.backfill_id))
        left = RunFilter(tags={Tag.BACKFILL: backfill.backfill_id}, statuses=(RunStatus.NOT_STARTED,))
        coordinator.dispatch([run.run_id for run in storage.runs.page(left, limit=most_open, ascending=True)])

    def step(self, backfill: Backfill, lease: Lease) -> bool:
        """Do what there is to do, up to a batch of runs; gives whether there may be more at once."""
        step = self._taken_in(backfill)
        made: list[NewRun] = []
        more = False
        match backfill.status:
            case BackfillStatus.CANCELING | BackfillStatus.FAILING:
                step, more = self._ending(backfill, step)
            case _ if backfill.paused:
                step = msgspec.structs.replace(step, note="It is paused.")
            case _:
                self._set_priority(backfill)
                step, made = self._going_on(backfill, step)
        if step != BackfillAdvance(note=backfill.note, failures=backfill.failures):
            after = self._storage.backfills.advance(backfill.backfill_id, step, lease=lease, now=self._clock.now())
            if not after.is_open:
                log.info("backfill %s has ended: %s", after.backfill_id, after.status)
        self._coordinator.dispatch([new.run.run_id for new in made])
        return more or len(made) == _BATCH

    # -- what has happened --------------------------------------------------------------------------------------------

    def _taken_in(self, backfill: Backfill) -> BackfillAdvance:
        """What became of the runs that have ended since the last time."""
        seen: list[BackfillPart] = []
        settled: list[BackfillPart] = []
        repeated: list[BackfillPart] = []
        for part in self._storage.backfills.parts(backfill.backfill_id, news=True):
            if part.status is not PartStatus.ENDED:
                seen.append(part)
                continue
            run = None if part.run_id is None else self._storage.runs.get(part.run_id)
            if run is not None and run.status is RunStatus.FAILURE:
                again = retry_id(run)
                if self._storage.runs.get(again) is not None:
                    repeated.append(msgspec.structs.replace(part, run_id=again))
                    continue
                if self._is_to_be_repeated(run):
                    continue
            settled.append(self._settled(part, run))
        self._machine.take([*seen, *settled])
        lines = [self._line(f"{len(bad)} of its runs failed.", "WARNING")] if (bad := _failed(settled)) else []
        return BackfillAdvance(
            seen=tuple(seen),
            settled=tuple(settled),
            repeated=tuple(repeated),
            note=backfill.note,
            failures=backfill.failures,
            lines=tuple(lines),
        )

    def _is_to_be_repeated(self, run: Run) -> bool:
        if self._retries is None or run.tags.get(Tag.WILL_RETRY) == "false":
            return False
        root = run.root_run_id or run.run_id
        chain = self._storage.runs.count(RunFilter(tags={Tag.ROOT_RUN: root}))
        try:
            return isinstance(decide_retry(run, self._retries, made=chain), RetryRun)
        except ConfigurationError:
            return False  # the duty that repeats runs says so in its log

    def _settled(self, part: BackfillPart, run: Run | None) -> BackfillPart:
        """The outcome of a part whose last run has ended and did not make all, as it seems."""
        group = self._plan.groups[part.group]
        made = self._made(part, run) if group.assets else {}
        if group.assets and all(len(made.get(asset, ())) == part.size for asset in group.assets):
            return msgspec.structs.replace(part, status=PartStatus.DONE)
        status = PartStatus.FAILED
        if run is not None and run.status is RunStatus.SUCCESS:
            status = PartStatus.SKIPPED
        elif run is not None and run.status is RunStatus.CANCELED:
            status = PartStatus.CANCELED
        return msgspec.structs.replace(part, status=status, made=made)

    def _made(self, part: BackfillPart, run: Run | None) -> dict[str, Subset]:
        chain: list[str] = []
        while run is not None and run.tags.get(Tag.BACKFILL):
            chain.append(run.run_id)
            parent = run.parent_run_id
            run = None if parent is None or parent in chain else self._storage.runs.get(parent)
        space = self._machine.space(part.group)
        group = self._plan.groups[part.group]
        found: dict[str, Subset] = {}
        for asset, keys in self._storage.backfills.made(chain).items():
            if asset not in group.assets:
                continue
            if space is None:
                found[asset] = Subset.span(0, 1)
            else:
                positions = space.positions(key for key in keys if key is not None)
                found[asset] = Subset.of(position for position in positions if position is not None)
        return found

    # -- what follows -------------------------------------------------------------------------------------------------

    def _going_on(self, backfill: Backfill, step: BackfillAdvance) -> tuple[BackfillAdvance, list[NewRun]]:
        """The next runs, or why there are none now."""
        room = min(_BATCH, self._most_open - self._machine.open_runs)
        todo = self._machine.next(room)
        closed = tuple(_without_run(unit, PartStatus.SKIPPED) for unit in todo.skipped)
        try:
            made = self._planned(backfill, todo.runs)
        except _WaitsError as waits:
            return self._waiting(backfill, step, str(waits)), []
        except (ConfigurationError, EnvironmentalError) as error:
            if isinstance(error, StorageError):
                raise
            return self._refused(backfill, step, error), []
        lines = list(step.lines)
        if closed:
            lost = sum(part.size for part in closed)
            lines.append(
                self._line(f"{lost} partitions are skipped, as what is upstream of them was not made.", "WARNING")
            )
        runs = tuple(
            (
                BackfillPart(
                    group=unit.group,
                    first=unit.first,
                    last=unit.last,
                    size=unit.size,
                    status=PartStatus.OPEN,
                    run_id=new.run.run_id,
                ),
                self._coordinator.prepare(new),
            )
            for unit, new in zip(todo.runs, made, strict=True)
        )
        status = None
        if self._machine.is_over:
            status = BackfillStatus.COMPLETED_FAILED if self._machine.has_lost else BackfillStatus.COMPLETED_SUCCESS
            lines.append(self._line(f"It has ended: {status}."))
        return (
            msgspec.structs.replace(
                step, runs=runs, closed=closed, status=status, note=None, failures=0, lines=tuple(lines)
            ),
            made,
        )

    def _planned(self, backfill: Backfill, units: Sequence[Unit]) -> list[NewRun]:
        if not units:
            return []
        now = self._clock.now()
        tags = backfill_tags(backfill)
        dynamic_keys = cache(self._storage.assets.dynamic_partitions)

        @cache
        def today(group: int) -> KeySpace | None:
            spec = self._plan.groups[group].partitions
            return None if spec is None else open_space(spec, dynamic_keys, now)

        own = self._own(units)
        return [
            self._maker(unit.group).run(
                unit, tags, own=own.get(unit), today=today(unit.group), now=now, dynamic_keys=dynamic_keys
            )
            for unit in units
        ]

    def _maker(self, group: int) -> GroupRuns:
        described = self._location(group).description
        assert described is not None
        maker = self._makers.get(group)
        if maker is None or maker.location is not described:
            maker = self._makers[group] = GroupRuns(self._plan, group, self._machine.space(group), described)
        return maker

    def _location(self, group: int) -> CatalogLocation:
        name = self._plan.groups[group].location
        entry = self._catalog.locations.get(name)
        if entry is None or entry.description is None:
            raise _WaitsError(f"Waits for the code location {name}, of which no code is loaded.")
        return entry

    def _own(self, units: Iterable[Unit]) -> dict[Unit, PartitionRun]:
        """What user code gives for the partitions of jobs where it has a say."""
        by_group: dict[int, dict[str, Unit]] = {}
        for unit in units:
            space = self._machine.space(unit.group)
            job = self._location(unit.group).jobs.get(self._plan.groups[unit.group].job)
            if space is not None and unit.size == 1 and job is not None and job.config_by_partition:
                by_group.setdefault(unit.group, {})[space.key(unit.first)] = unit
        found: dict[Unit, PartitionRun] = {}
        for index, by_key in by_group.items():
            group = self._plan.groups[index]
            job = self._catalog.locations[group.location].jobs[group.job]
            try:
                answers = partition_runs(self._catalog, group.location, job, list(by_key))
            except CodeServerUnreachableError as error:
                raise _WaitsError(f"Waits for the code location {group.location}: {error}") from error
            found |= {by_key[key]: answer for key, answer in answers.items()}
        return found

    def _waiting(self, backfill: Backfill, step: BackfillAdvance, note: str) -> BackfillAdvance:
        self.rest = _LOOK_AT_LOCATION
        lines = step.lines if note == backfill.note else (*step.lines, self._line(note, "WARNING"))
        return msgspec.structs.replace(step, note=note, lines=lines)

    def _refused(self, backfill: Backfill, step: BackfillAdvance, error: Exception) -> BackfillAdvance:
        failures = backfill.failures + 1
        note = f"Its next runs cannot be made: {error}"
        status = BackfillStatus.FAILING if failures >= _MOST_FAILURES else None
        self.rest = 0.0 if status else _FIRST_PAUSE * 2.0 ** (failures - 1)
        lines = (*step.lines, self._line(note, "ERROR"))
        return msgspec.structs.replace(step, note=note, failures=failures, status=status, lines=lines)

    # -- what people want ---------------------------------------------------------------------------------------------

    def _ending(self, backfill: Backfill, step: BackfillAdvance) -> tuple[BackfillAdvance, bool]:
        """End what is open, and then the backfill; says whether there is more of that at once."""
        is_canceling = backfill.status is BackfillStatus.CANCELING
        if self._machine.open_runs:
            return step, is_canceling and self._cancel_runs(backfill)
        if not is_canceling:
            return msgspec.structs.replace(step, status=BackfillStatus.FAILED), False
        closed = tuple(_without_run(unit, PartStatus.CANCELED) for unit in self._machine.waiting())
        lines = (*step.lines, self._line("It has ended: CANCELED."))
        return msgspec.structs.replace(step, closed=closed, status=BackfillStatus.CANCELED, lines=lines), False

    def _cancel_runs(self, backfill: Backfill) -> bool:
        """Ask some of the open runs to stop; says whether those were some of more."""
        parts = self._storage.backfills.parts(backfill.backfill_id, open_only=True)
        left = [part.run_id for part in parts if part.run_id is not None and part.run_id not in self._canceled]
        for run_id in left[:_BATCH]:
            self._coordinator.cancel(run_id)
            self._canceled.add(run_id)
        return bool(left)

    def _set_priority(self, backfill: Backfill) -> None:
        """Let the runs that wait have the priority that the backfill has now."""
        if self._priority == backfill.priority:
            return
        waiting = RunFilter(tags={Tag.BACKFILL: backfill.backfill_id}, statuses=(RunStatus.QUEUED,))
        for run in self._storage.runs.page(waiting, limit=self._most_open):
            if run.priority != backfill.priority:
                self._storage.runs.add_tags(run.run_id, {Tag.PRIORITY: str(backfill.priority)})
        self._priority = backfill.priority

    def _line(self, message: str, level: str = "INFO") -> BackfillLine:
        return BackfillLine(time=self._clock.now(), message=message, level=level)


def _failed(parts: Iterable[BackfillPart]) -> list[BackfillPart]:
    return [part for part in parts if part.status is PartStatus.FAILED]


def _without_run(unit: Unit, status: PartStatus) -> BackfillPart:
    return BackfillPart(group=unit.group, first=unit.first, last=unit.last, size=unit.size, status=status)
