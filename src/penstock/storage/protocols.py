"""The seams of storage: what Penstock asks of a database, one small Protocol per noun.

Rules that every implementation keeps, and that the contract suite in `penstock.testing` checks:

* A call is one transaction; when it returns, its effect is durable and visible to every other process.
* Derived rows (run row, step statistics, asset, partition and check states) change in the same transaction as the
  events that change them.
* A run's state moves only along `records.run.TRANSITIONS`. An event that would move it otherwise is not stored.
* A step that is open when its run ends is closed by a `StepFailure` that is stored before the end.
* Assets and partitions that a run announced and had not made when it failed or was canceled have failed with it; one
  that succeeded left them out on purpose, and they are as before. Checks without a result are EXECUTION_FAILED after
  a failure, else SKIPPED.
* Writes of a run worker name their attempt; after the attempt has ended or passed on they raise `FencedError`.
* Times are seconds since the Unix epoch. Pages are keyset pages: `before`/`after` name the last item seen.
* A database that cannot be reached, or cannot work for the time being, raises `StorageUnavailableError`: the same call
  may go well later. Every other refusal is a plain `StorageError`.
* After a change the storage publishes its topics (see `Notifier`); what is published is a hint, the row is the truth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from ..records.asset import AssetEvent, AssetState, CheckState, PartitionState, PartitionStatuses, PlannedAsset
from ..records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus
from ..records.conditions.evaluation import EvaluationRecord, StoredEvaluation
from ..records.data_version import DataVersionState
from ..records.errors import ErrorInfo
from ..records.event import AssetFact, Event, Fact, StoredEvent
from ..records.lease import Lease, ProcessInfo
from ..records.pool import ClaimOutcome, PoolState, SlotRequest
from ..records.run import Run, RunStatus, StepStats
from ..records.wire import LoadStatus
from .notifier import Notifier

__all__ = [
    "FAR",
    "AssetStorage",
    "EventStorage",
    "InstigatorStorage",
    "LeaseStorage",
    "LocationStorage",
    "NewRun",
    "RunFilter",
    "RunSearch",
    "RunStorage",
    "RunTally",
    "SlotStorage",
    "Storage",
    "StoredLocation",
]


FAR = 10
"""Nobody takes a lease for so many times its usual length."""


class RunFilter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which runs: all given conditions hold. `tags` maps a key to a value, to several of which one must
    fit, or to None for any value; `without_tags` are keys that the run must not have."""

    run_ids: tuple[str, ...] | None = None
    statuses: tuple[RunStatus, ...] | None = None
    job: str | None = None
    location: str | None = None
    tags: dict[str, str | tuple[str, ...] | None] = {}
    without_tags: tuple[str, ...] = ()
    asset: str | None = None  # runs that planned this asset
    created_after: float | None = None
    created_before: float | None = None
    updated_after: float | None = None
    updated_before: float | None = None
    ended_after: float | None = None  # ended after this, or not yet ended


class NewRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run to be made, with its first facts (planned assets and checks, `RunEnqueued`) and its job's description.

    `snapshot` is the JSON of a `JobDescription`, stored once under its content hash, which the stored run names.
    """

    run: Run
    facts: tuple[Fact, ...] = ()
    snapshot: bytes | None = None


class RunSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What one search has found. `until` is the cursor to go on from where it has ended before the page was full,
    although there may be more beyond; None where there is nothing to go on for, or the last run says where."""

    runs: tuple[Run, ...] = ()
    until: str | None = None


class RunTally(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs one search has counted; there may be more beyond the cursor `until`, if it is given."""

    number: int
    until: str | None = None


class RunStorage(Protocol):
    """Runs and their states."""

    def create(self, runs: Sequence[NewRun]) -> list[Run]:
        """Store new runs with their first facts, all or none. Raises `StorageError` if an id exists already."""
        ...

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        ...

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first (by id, which sorts by creation), after the cursor `before` (a run id)."""
        ...

    def search(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> RunSearch:
        """What `page` gives, as far as one search looks: it ends after some thousands of runs that do not match, and
        says how far it came. So it costs the same however long the history is. A run whose id tells another time of
        its making than `created`, by more than a day, may be missed by a filter on that time that very many fit."""
        ...

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match; counting stops at `at_most`."""
        ...

    def tally(self, where: RunFilter, *, at_most: int = 10_000) -> RunTally:
        """What `count` gives, as far as one search looks."""
        ...

    def queued(self, *, limit: int, by_share: bool = False) -> list[Run]:
        """Queued runs, highest priority first, then oldest first.

        Args:
            limit: At most so many; fewer are all that there are.
            by_share: Which ones, of equal priority: the first of every share (`Run.share`) before the second of any,
                instead of the oldest.
        """
        ...

    def active(self) -> list[Run]:
        """Runs that are STARTING, STARTED or CANCELING."""
        ...

    def claim(
        self, run_ids: Sequence[str], *, owner: str, until: float, now: float, under: Lease | None = None
    ) -> list[Run]:
        """Move those that are still QUEUED or NOT_STARTED to STARTING, each under a new attempt that `owner` holds.

        Raises `FencedError` when `under`, the lease of who has decided it, has passed on: somebody else decides now."""
        ...

    def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
        """Pass this attempt's lease to `owner` (the launched worker's code server); False if the attempt is not current
        or has ended."""
        ...

    def renew(self, owner: str, *, until: float) -> list[tuple[str, int]]:
        """Prolong all unended attempts of `owner` at once; gives the (run id, attempt) that it still holds."""
        ...

    def expired(self, now: float) -> list[Run]:
        """Active runs whose lease has ended."""
        ...

    def record(self, run_id: str, facts: Sequence[Fact], *, now: float, attempt: int | None = None) -> bool:
        """Store facts about a run from outside its worker (coordinator, daemon, code server), moving its state.

        Gives False, and stores nothing, when the run's present state does not allow it, or when `attempt` is given
        and is no longer current: a run that waits in the queue again has given up the attempt that it had. A step that
        is still open when a run ends is closed as failed by the same call.
        """
        ...

    def explain_waiting(self, notes: Mapping[str, str | None]) -> None:
        """Store for each queued run the one rule that it waits for."""
        ...

    def add_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags of a run."""
        ...

    def tag_keys(self) -> list[str]:
        """All tag keys in use, sorted."""
        ...

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        ...

    def delete(self, run_id: str) -> bool:
        """Remove an ended run with its events; asset history stays. False if it does not exist or has not ended."""
        ...

    def snapshot(self, digest: str) -> bytes | None:
        """The JSON of the `JobDescription` stored under this hash."""
        ...


class EventStorage(Protocol):
    """The event log."""

    def append(self, run_id: str, attempt: int, events: Sequence[Event], *, now: float) -> int:
        """Store a batch of a run worker's numbered events; gives the id of the last one.

        Events whose number is stored already are passed over, so a batch may be sent again, the last one also after it
        has ended the run. Events that the run's state does not allow, and those after its end, are left out. A fact
        that holds what no store can keep becomes an `EngineNote`. Raises `FencedError` when the attempt is not current,
        or the run waits or has ended.
        """
        ...

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
        ...

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
        """Events of these types over all runs, oldest first or newest first: those with ids between `after` and
        `before` and with times between `since` and `until`, these bounds left out, of runs of these jobs."""
        ...

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        ...

    def last_id(self) -> int:
        """The id of the newest event; 0 when there is none."""
        ...

    def failures(self, run_ids: Sequence[str]) -> dict[str, StoredEvent]:
        """What ended each of these runs that has failed: its first `StepFailure`, or else its `RunFailure`. Those
        whose events are no longer kept are left out."""
        ...

    def step_stats(self, run_id: str) -> list[StepStats]:
        """What is known of each step that has begun, in the order they began."""
        ...

    def steps_of(self, run_ids: Sequence[str]) -> dict[str, list[StepStats]]:
        """What `step_stats` gives, of several runs; those of which no step has begun are left out."""
        ...


class AssetStorage(Protocol):
    """What is known of assets. Keys are in text form."""

    def states(self, assets: Sequence[str] | None = None) -> dict[str, AssetState]:
        """The latest facts of these assets (None: of all that were ever planned, made or observed)."""
        ...

    def history(
        self,
        asset: str,
        *,
        types: Sequence[str] = ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION"),
        partition: str | None = None,
        before: int | None = None,
        after: int | None = None,
        since: float | None = None,
        until: float | None = None,
        ascending: bool = False,
        limit: int = 100,
    ) -> list[AssetEvent]:
        """An asset's events, newest first or, if `ascending`, oldest first: those with ids between `after` and `before`
        and with times between `since` and `until`, these bounds left out. They are in the order of their ids, or of
        their times where these alone bound them."""
        ...

    def latest_materializations(self, assets: Sequence[str]) -> dict[str, AssetEvent]:
        """The newest materialization of each asset."""
        ...

    def partition_states(self, asset: str, partitions: Sequence[str] | None = None) -> dict[str, PartitionState]:
        """What is known of these partitions (None: of all), by key; those of which nothing is are left out."""
        ...

    def partition_statuses(self, assets: Mapping[str, int]) -> dict[str, PartitionStatuses]:
        """Where all partitions of assets stand, in short. Assets without any are left out.

        Args:
            assets: For each asset, of how many places the keys are known to whoever asks; 0 for none. The letters of
                those places are given as of all others.
        """
        ...

    def planned(self, run_ids: Sequence[str] | None = None) -> list[PlannedAsset]:
        """What these runs announced to make (None: what runs that have not ended are still to make)."""
        ...

    def data_versions(self, assets: Sequence[str], *, partition: str | None = None) -> dict[str, DataVersionState]:
        """Which content each asset holds, or its partition of that key; those that were never made are left out.

        Without a partition it is what the asset's latest event says, of whichever partition that is.
        """
        ...

    def partition_data_versions(self, asset: str, partitions: Sequence[str]) -> dict[str, DataVersionState]:
        """Which content each of these partitions of an asset holds; those that were never made are left out."""
        ...

    def check_states(self, assets: Sequence[str]) -> dict[str, CheckState]:
        """The latest execution of each check on these assets, by check key (`asset:name`)."""
        ...

    def check_history(self, asset: str, check: str, *, before: int | None = None, limit: int = 50) -> list[CheckState]:
        """Executions of one check, newest first; `before` is the `event` of the last one seen."""
        ...

    def report(self, facts: Sequence[AssetFact], *, now: float) -> list[int]:
        """Store facts about assets that no run made; gives the event ids. After `AssetWiped` nothing is known of what
        it names but its checks, and its history is gone."""
        ...

    def dynamic_partitions(self, name: str) -> list[str]:
        """The keys of a dynamic partition set, in the order they were added."""
        ...

    def add_dynamic_partitions(self, name: str, keys: Sequence[str]) -> list[str]:
        """Add keys; gives those that were new."""
        ...

    def delete_dynamic_partitions(self, name: str, keys: Sequence[str]) -> None:
        """Remove keys."""
        ...


class InstigatorStorage(Protocol):
    """Schedules and sensors: switches, cursors, ticks."""

    def states(self) -> dict[str, InstigatorState]:
        """All stored states by id."""
        ...

    def get(self, instigator: str) -> InstigatorState | None:
        """One state."""
        ...

    def switch(
        self, instigator: str, location: str, kind: InstigatorKind, name: str, status: InstigatorStatus, *, now: float
    ) -> InstigatorState:
        """Turn it on, off, or back to what the code says; its next due time is forgotten, to be computed from now, and
        so is when it was turned on, unless it is turned on by this call."""
        ...

    def set_cursor(
        self, instigator: str, location: str, name: str, cursor: str | None, *, now: float
    ) -> InstigatorState:
        """Set a sensor's cursor by hand; a tick that is at work meanwhile does not overwrite it."""
        ...

    def plan(self, states: Sequence[InstigatorState]) -> None:
        """Store `next_due` and `fingerprint` of these, making rows that do not exist, and `turned_on` where none is
        stored; nothing else of a row changes."""
        ...

    def begin_tick(self, instigator: str, due: float, *, lease: Lease, now: float) -> Tick | None:
        """Begin the tick of that due time. None when it is over already. One that a dead daemon left STARTED begins
        again with a higher `attempt`. Raises `FencedError` when the lease has passed on."""
        ...

    def complete_tick(
        self,
        tick: Tick,
        *,
        lease: Lease,
        runs: Sequence[tuple[str | None, NewRun]] = (),
        facts: Sequence[AssetFact] = (),
        evaluations: Sequence[EvaluationRecord] = (),
        cursor: str | None = None,
        next_due: float | None = None,
        now: float,
    ) -> Tick:
        """End a tick, in one transaction with everything it causes: the changes of dynamic partition sets that it
        carries, its runs, each under its (instigator, run key), facts about assets, what automation conditions came to,
        the cursor (None keeps it), and the next due time. A run whose key was used before is not made again. Gives the
        tick as stored, with the ids of the runs that it made. Raises `FencedError` when the lease has passed on."""
        ...

    def evaluations(self, entity: str, *, before: int | None = None, limit: int = 50) -> list[StoredEvaluation]:
        """What the automation condition of an asset, check or job (an entity id) came to, newest first, before the id
        `before`."""
        ...

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        """Ticks, newest first, before the tick id `before`."""
        ...


class LeaseStorage(Protocol):
    """Leases of daemon duties, and the processes of the deployment."""

    def acquire(self, name: str, holder: str, *, ttl: float, now: float) -> Lease | None:
        """Take the lease if it is free, over, or held by `holder` already; a change of holder raises its epoch.

        One that would last `FAR` times `ttl` from now is free as well: since it was taken the clock was set back, and
        whoever lives has renewed it by the new time.
        """
        ...

    def renew(self, leases: Sequence[Lease], *, ttl: float, now: float) -> list[Lease]:
        """Prolong these at once; gives those that are still held, without the ones that have passed to another."""
        ...

    def release(self, lease: Lease) -> None:
        """Give it up at once."""
        ...

    def all(self) -> list[Lease]:
        """Every lease, by name."""
        ...

    def beat(self, process: ProcessInfo) -> None:
        """Say that this process lives."""
        ...

    def gone(self, process_id: str) -> None:
        """Say that this process ends."""
        ...

    def processes(self, *, seen_after: float) -> list[ProcessInfo]:
        """Processes heard of after that time."""
        ...


class StoredLocation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code location as last heard of: its state, and the JSON of its last good `LocationDescription`."""

    name: str
    status: LoadStatus
    digest: str | None = None
    description: bytes | None = None
    error: ErrorInfo | None = None
    loaded_at: float | None = None
    updated: float = 0.0
    origin: str = ""  # where it is loaded from, for people: a file, a module
    address: str = ""  # where its code server answers: `unix:/path/to.sock` or `http://host:port`


class LocationStorage(Protocol):
    """Code locations as last heard of, and a few named values."""

    def put(self, location: StoredLocation) -> None:
        """Store; without a `description` the one stored before stays, and its digest."""
        ...

    def get(self, name: str) -> StoredLocation | None:
        """One location."""
        ...

    def digests(self) -> dict[str, tuple[LoadStatus, str | None, float]]:
        """(status, digest, updated) of each location: what a reader needs to see whether it must fetch anew."""
        ...

    def forget(self, names: Iterable[str]) -> None:
        """Remove locations that the workspace no longer names."""
        ...

    def get_value(self, key: str) -> str | None:
        """A named value."""
        ...

    def set_value(self, key: str, value: str) -> None:
        """Set a named value."""
        ...

    def settle_value(self, key: str, value: str) -> str:
        """Set a named value unless it is set; gives the one that it has now, the same to all who settle it at once."""
        ...


class SlotStorage(Protocol):
    """Slots of concurrency pools: a run's attempt holds them for its steps, for no longer than its lease.

    A claim counts while its attempt is the run's current one, the run is active, and the lease is not over. It ends in
    the transaction that stores the step's STEP_SUCCESS, STEP_FAILURE, STEP_SKIPPED or STEP_UP_FOR_RETRY, the run's end,
    or its return to the queue; then `slots` is published, and `pools` with every change that a reader may show.
    """

    def limits(self) -> dict[str, int]:
        """The limits that were set, by pool."""
        ...

    def set_limit(self, pool: str, slots: int) -> None:
        """Set how many slots a pool has, 0 to `LARGEST_LIMIT`. Who holds more than that now keeps them."""
        ...

    def delete_limit(self, pool: str) -> bool:
        """Let the default limit hold for a pool again; False if it had none of its own."""
        ...

    def claim(
        self,
        run_id: str,
        attempt: int,
        requests: Sequence[SlotRequest],
        *,
        now: float,
        default_limit: int | None = None,
        at_most: int | None = None,
        dead_before: float | None = None,
    ) -> ClaimOutcome:
        """Take the slots that can be taken, and wait for the others; one transaction, notes in the run's log included.

        No pool is ever above its limit. Those that wait, of all runs, have their turn by priority, then by `since`; the
        slots of one that still lacks some are kept for it. All events of the run's ended steps must be stored before.

        Args:
            run_id: The run.
            attempt: Its attempt that claims.
            requests: All that the run waits for now: what it waited for and is not among them is withdrawn. One that
                holds its slots already is granted again.
            now: The time.
            default_limit: The limit of pools that have none of their own; None for no limit.
            at_most: How many more steps the run could start. When so many are granted, the others do not wait for
                pools.
            dead_before: Holders whose leases ended until then are taken for dead: if need be their slots are taken
                away, and their attempts are fenced, so that they neither renew nor write. `now` if not given.

        Raises:
            FencedError: The attempt is not current or has ended.
        """
        ...

    def free(self, run_id: str, step_key: str | None = None, *, now: float) -> int:
        """Take away what a run holds and waits for, if there is anything (of that step), when its lease is over or it
        is not active; its attempt is fenced. Gives how many claims were asked for; 0 while the run is alive."""
        ...

    def pools(self, *, now: float, default_limit: int | None = None) -> list[PoolState]:
        """Every pool that has a limit of its own or that somebody claims, by name."""
        ...


class Storage(Protocol):
    """The storages of one instance. Normally one database; each part can be another implementation."""

    @property
    def runs(self) -> RunStorage: ...
    @property
    def events(self) -> EventStorage: ...
    @property
    def assets(self) -> AssetStorage: ...
    @property
    def instigators(self) -> InstigatorStorage: ...
    @property
    def leases(self) -> LeaseStorage: ...
    @property
    def locations(self) -> LocationStorage: ...
    @property
    def slots(self) -> SlotStorage: ...
    @property
    def notifier(self) -> Notifier: ...

    def migrate(self) -> None:
        """Bring the schema up to this version, safely with several processes starting at once."""
        ...

    def describe(self) -> dict[str, str]:
        """Facts for people: kind, place, schema version, size."""
        ...

    def close(self) -> None:
        """Let go of every connection of this process."""
        ...
