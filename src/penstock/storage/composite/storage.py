"""A storage that decides, and stores of the user's own that follow it and answer: for runs, events, ticks."""

from __future__ import annotations

from ...clock import Clock
from ...errors import SettingsError
from ..archive import Archive, Archived
from ..event_catalog import EventCatalog
from ..following import Follower
from ..inbox import Inbox, Receiving
from ..notifier import Notifier
from ..outbox import Outbox, Posting
from ..protocols import (
    AccountStorage,
    ActStorage,
    AssetStorage,
    BackfillStorage,
    EventStorage,
    InstigatorStorage,
    LeaseStorage,
    LocationStorage,
    OneOffStorage,
    RunStorage,
    SlotStorage,
    Storage,
)
from ..retention import Retained, Retention
from ..run_catalog import RunCatalog
from ..shared_clock import clock_of
from ..tick_catalog import TickCatalog
from ..upkeep import Tended, Upkeep
from .events import CompositeEvents, EventFollower, ForgettingRuns
from .let_go import LetGo
from .retention import CopiedRetention
from .run_changes import ShownArchive, ShownBackfills, ShownEvents, ShownInstigators, ShownOneOffs, ShownSlots
from .run_follower import RunFollower
from .runs import CompositeRuns
from .ticks import CompositeInstigators, TickFollower

__all__ = ["CompositeStorage", "TendedCompositeStorage", "composite"]


class CompositeStorage:
    """`Storage` of a log that decides, and of catalogs that follow it.

    Args:
        log: Keeps everything, and decides what becomes of a run in the transaction that writes its events.
        catalog: Keeps the runs for whoever looks for them; None to look for them in the log.
        events: Keeps the raw events for whoever reads them; None to read them in the log. It needs a log that is
            `Archived`.
        ticks: Keeps the ticks for whoever reads them; None and `Archived` likewise.
        clock: Tells the time; the one that counts for the log if not given.

    Raises:
        SettingsError: The log is not `Archived`, and has to be.
    """

    def __init__(
        self,
        log: Storage,
        catalog: RunCatalog | None = None,
        *,
        events: EventCatalog | None = None,
        ticks: TickCatalog | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock_of(log) if clock is None else clock
        self._log = log
        self._catalogs = {"runs": catalog, "events": events, "ticks": ticks}
        self._runs, self._events, self._instigators, self._slots = log.runs, log.events, log.instigators, log.slots
        self._one_offs = log.one_offs
        self._backfills = log.backfills
        self._run_follower: RunFollower | None = None
        self._event_follower: EventFollower | None = None
        self._tick_follower: TickFollower | None = None
        self._followers: list[Follower] = []
        self._events_gone = LetGo(log.locations, "event_log_storage.let_go")
        self._ticks_gone = LetGo(log.locations, "schedule_storage.let_go")
        if catalog is not None:
            self._run_follower = follower = RunFollower(log.runs, catalog, log.notifier, clock)
            self._followers.append(follower)
            self._runs = CompositeRuns(log.runs, catalog, follower)
            self._events = ShownEvents(log.events, follower)
            self._instigators = ShownInstigators(log.instigators, follower)
            self._one_offs = ShownOneOffs(log.one_offs, follower)
            self._slots = ShownSlots(log.slots, log.runs, follower)
            self._backfills = ShownBackfills(log.backfills, follower)
        if events is not None:
            archive = _archive_of(log, EventFollower.setting)
            self._event_follower = EventFollower(archive, log.runs, log.events.last_id, events)
            self._followers.append(self._event_follower)
            self._runs = ForgettingRuns(self._runs, log.runs, events)
            self._events = CompositeEvents(self._events, events, self._events_gone)
        if ticks is not None:
            archive = _archive_of(log, TickFollower.setting)
            self._tick_follower = TickFollower(log.instigators, archive, ticks, clock)
            self._followers.append(self._tick_follower)
            self._instigators = CompositeInstigators(self._instigators, archive, ticks, self._ticks_gone)

    @property
    def runs(self) -> RunStorage:
        """Runs and their states."""
        return self._runs

    @property
    def events(self) -> EventStorage:
        """The event log."""
        return self._events

    @property
    def assets(self) -> AssetStorage:
        """What is known of assets."""
        return self._log.assets

    @property
    def instigators(self) -> InstigatorStorage:
        """Schedules and sensors."""
        return self._instigators

    @property
    def one_offs(self) -> OneOffStorage:
        """One-off runs."""
        return self._one_offs

    @property
    def leases(self) -> LeaseStorage:
        """Leases and processes."""
        return self._log.leases

    @property
    def locations(self) -> LocationStorage:
        """Code locations and named values."""
        return self._log.locations

    @property
    def slots(self) -> SlotStorage:
        """Slots of concurrency pools."""
        return self._slots

    @property
    def backfills(self) -> BackfillStorage:
        """Backfills."""
        return self._backfills

    @property
    def accounts(self) -> AccountStorage:
        """Accounts and their API tokens."""
        return self._log.accounts

    @property
    def acts(self) -> ActStorage:
        """What people did."""
        return self._log.acts

    @property
    def notifier(self) -> Notifier:
        """Wakes whoever waits."""
        return self._log.notifier

    @property
    def shared_clock(self) -> Clock:
        """The time that counts for the log."""
        return clock_of(self._log)

    @property
    def followers(self) -> tuple[Follower, ...]:
        """The catalogs, as those see them who look after them."""
        return tuple(self._followers)

    def migrate(self) -> None:
        """Bring all up to this version, and copy the runs that their catalog lacks."""
        self._log.migrate()
        for catalog in self._catalogs.values():
            if catalog is not None:
                catalog.migrate()
        if self._run_follower is not None:
            self._run_follower.catch_up()

    def describe(self) -> dict[str, str]:
        """Facts for people: those of the log, and those of each catalog with "runs", "events" or "ticks" before
        them."""
        facts = self._log.describe()
        for name, catalog in self._catalogs.items():
            if catalog is not None:
                facts |= {f"{name} {key}": fact for key, fact in catalog.describe().items()}
        return facts

    def close(self) -> None:
        """Let go of every connection of this process."""
        for catalog in self._catalogs.values():
            if catalog is not None:
                catalog.close()
        self._log.close()


class TendedCompositeStorage(CompositeStorage):
    """One whose log can tell of its database, remove what is old and keep messages, and has a bulk way out and in."""

    @property
    def archive(self) -> Archive:
        """The bulk way out and in; runs that are loaded are shown in their catalog."""
        assert isinstance(self._log, Archived)
        return self._log.archive if self._run_follower is None else ShownArchive(self._log.archive, self._run_follower)

    @property
    def upkeep(self) -> Upkeep:
        """What the log's database tells those who tend it."""
        assert isinstance(self._log, Tended)
        return self._log.upkeep

    @property
    def retention(self) -> Retention:
        """What is old in the log, and its removal once the catalogs have it; old runs are deleted by `runs`."""
        assert isinstance(self._log, Retained)
        return CopiedRetention(
            self._log.retention,
            events=self._event_follower,
            events_gone=self._events_gone,
            ticks=self._tick_follower,
            ticks_gone=self._ticks_gone,
        )

    @property
    def inbox(self) -> Inbox:
        """What is sent to webhook sensors; it stays with the log."""
        assert isinstance(self._log, Receiving)
        return self._log.inbox

    @property
    def outbox(self) -> Outbox:
        """Messages that are on their way; they stay with the log."""
        assert isinstance(self._log, Posting)
        return self._log.outbox


def composite(
    log: Storage,
    catalog: RunCatalog | None = None,
    *,
    events: EventCatalog | None = None,
    ticks: TickCatalog | None = None,
    clock: Clock | None = None,
) -> CompositeStorage:
    """The composite of these, which can tell of its database and remove what is old, and has a bulk way, if the log can
    and has."""
    is_tended = all(isinstance(log, each) for each in (Tended, Archived, Retained, Posting))
    made = TendedCompositeStorage if is_tended else CompositeStorage
    return made(log, catalog, events=events, ticks=ticks, clock=clock)


def _archive_of(log: Storage, setting: str) -> Archive:
    if not isinstance(log, Archived):
        raise SettingsError(
            f"{setting} follows a storage that can be read in bulk, and {type(log).__name__} cannot: it has no "
            f"property `archive`. Remove {setting}, or let the storage's class have one."
        )
    return log.archive
