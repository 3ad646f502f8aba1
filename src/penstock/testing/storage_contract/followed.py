"""Event log storages and schedule storages of one's own, beside a log in SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ...storage.composite import CompositeStorage
from ...storage.event_catalog import EventCatalog
from ...storage.protocols import EventStorage, InstigatorStorage, Storage
from ...storage.sqlite import SqliteStorage
from ...storage.tick_catalog import TickCatalog
from ..clock import FakeClock
from .acts import ActContract
from .builders import NOW
from .event_catalog import EventCatalogContract
from .events import EventContract
from .instigators import InstigatorContract
from .operators import OperatorContract
from .runs import RunContract
from .steps import StepContract
from .tick_catalog import TickCatalogContract

__all__ = ["EventLogStorageContract", "ScheduleStorageContract"]

_LONG_AFTER = NOW + 1e9


class _UpToDate(CompositeStorage):
    """One whose catalogs have everything whenever it is asked for events or ticks, so that they answer alone."""

    @property
    def events(self) -> EventStorage:
        self._follow()
        return super().events

    @property
    def instigators(self) -> InstigatorStorage:
        self._follow()
        return super().instigators

    def _follow(self) -> None:
        for follower in self.followers:
            while follower.follow():
                pass


class EventLogStorageContract(EventCatalogContract, EventContract, RunContract, StepContract, ActContract):
    """Its own promises, and those of a storage that reads its events there."""

    @pytest.fixture
    def log(self, tmp_path: Path) -> Storage:
        """A SQLite file; a class may have another storage in its place."""
        return SqliteStorage(tmp_path / "home" / "penstock.db")

    @pytest.fixture
    def storage(self, log: Storage, catalog: EventCatalog) -> Iterator[Storage]:
        """The log with this catalog."""
        storage = _UpToDate(log, events=catalog)
        storage.migrate()
        yield storage
        storage.close()


class ScheduleStorageContract(TickCatalogContract, InstigatorContract, OperatorContract, ActContract):
    """Its own promises, and those of a storage that reads its ticks there."""

    @pytest.fixture
    def log(self, tmp_path: Path) -> Storage:
        """A SQLite file; a class may have another storage in its place."""
        return SqliteStorage(tmp_path / "home" / "penstock.db")

    @pytest.fixture
    def storage(self, log: Storage, catalog: TickCatalog) -> Iterator[Storage]:
        """The log with this catalog."""
        storage = _UpToDate(log, ticks=catalog, clock=FakeClock(_LONG_AFTER))
        storage.migrate()
        yield storage
        storage.close()
