"""The instance: what one deployment shares. A bag without behaviour, filled from the settings of its home."""

from __future__ import annotations

import os
import tempfile
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import SettingsError
from ..logs.store import LogStore
from ..storage.protocols import Storage
from .settings import Settings

if TYPE_CHECKING:
    from ..launch.protocols import RunCoordinator, RunLauncher

__all__ = ["Instance", "prepare_home"]


class Instance:
    """Storage, logs, coordinator and launcher of one deployment. Use `open` or `ephemeral`; close it at the end.

    Args:
        home: The folder of the instance; None for an ephemeral one.
        settings: What its `penstock.yaml` says.
        storage: Runs, events and the rest.
        logs: Captured stdout and stderr.
        artifacts: The root folder of the file system IO manager.
        clock: Tells the time.
    """

    def __init__(
        self,
        *,
        home: Path | None,
        settings: Settings,
        storage: Storage,
        logs: LogStore,
        artifacts: Path,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.home = home
        self.settings = settings
        self.storage = storage
        self.logs = logs
        self.artifacts = artifacts
        self.clock = clock
        self._temporary: tempfile.TemporaryDirectory[str] | None = None

    @classmethod
    def open(cls, home: Path | None = None) -> Instance:
        """The instance in a folder, which is made if need be; its storage is brought up to date.

        Args:
            home: The folder; None for the one that PENSTOCK_HOME names.

        Raises:
            SettingsError: No folder is named, it cannot be made or written, or its settings are not valid.
            StorageError: The storage cannot be opened.
        """
        from .settings_file import read_settings

        home = prepare_home(home)
        instance = cls.compose(home, read_settings(home))
        instance.storage.migrate()
        return instance

    @classmethod
    def compose(cls, home: Path, settings: Settings) -> Instance:
        """The instance that the settings describe, with nothing opened yet: for a home that `open` has prepared."""
        return cls(
            home=home,
            settings=settings,
            storage=_storage(home, settings),
            logs=_logs(home, settings),
            artifacts=_artifacts(home, settings),
        )

    @classmethod
    def ephemeral(cls) -> Instance:
        """An instance that ends with this process: storage in memory, files in a temporary folder."""
        from ..logs.local import LocalLogStore
        from ..storage.sqlite.storage import SqliteStorage

        temporary = tempfile.TemporaryDirectory(prefix="penstock-")
        folder = Path(temporary.name)
        instance = cls(
            home=None,
            settings=Settings(),
            storage=SqliteStorage(None),
            logs=LocalLogStore(folder / "logs"),
            artifacts=folder / "storage",
        )
        instance._temporary = temporary
        return instance

    @cached_property
    def launcher(self) -> RunLauncher:
        """Starts and stops run workers."""
        from ..launch.local import LocalRunLauncher
        from ..locations.addresses import AddressBook
        from .components import build

        component = self.settings.run_launcher
        client_for = AddressBook(self.storage.locations).client
        if component is None:
            return LocalRunLauncher(client_for)
        launcher: RunLauncher = build(component, "run_launcher", client_for=client_for)
        return launcher

    @cached_property
    def coordinator(self) -> RunCoordinator:
        """Takes runs that are asked for."""
        from ..launch.coordinators import QueuedRunCoordinator
        from .components import build

        component = self.settings.run_coordinator
        runs, launcher, clock = self.storage.runs, self.launcher, self.clock
        if component is None:
            return QueuedRunCoordinator(runs=runs, launcher=launcher, clock=clock)
        coordinator: RunCoordinator = build(component, "run_coordinator", runs=runs, launcher=launcher, clock=clock)
        return coordinator

    def close(self) -> None:
        """Let go of the storage and of temporary files."""
        self.storage.close()
        if self._temporary is not None:
            self._temporary.cleanup()
            self._temporary = None

    def __enter__(self) -> Instance:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def prepare_home(home: Path | None) -> Path:
    """The home's absolute path, after making the folder.

    Raises:
        SettingsError: No home is named, or it cannot be made or written.
    """
    if home is None:
        named = os.environ.get("PENSTOCK_HOME")
        if not named:
            raise SettingsError("Which instance? Set PENSTOCK_HOME to its folder.")
        home = Path(named)
    home = home.expanduser().absolute()
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The home {home} cannot be made: {error.strerror}. Name another folder by PENSTOCK_HOME or --home."
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise SettingsError(
            f"The home {home} cannot be written by this user. Change its permissions, or name another folder by "
            "PENSTOCK_HOME or --home."
        )
    return home


def _storage(home: Path, settings: Settings) -> Storage:
    if settings.storage.custom is not None:
        from .components import build

        storage: Storage = build(settings.storage.custom, "storage")
        return storage
    from ..storage.sqlite.storage import SqliteStorage

    folder = home / settings.storage.sqlite.base_dir if settings.storage.sqlite else home
    return SqliteStorage(folder / "penstock.db")


def _logs(home: Path, settings: Settings) -> LogStore:
    if settings.compute_logs.custom is not None:
        from .components import build

        logs: LogStore = build(settings.compute_logs.custom, "compute_logs")
        return logs
    from ..logs.local import LocalLogStore

    return LocalLogStore(home / settings.compute_logs.local.base_dir if settings.compute_logs.local else home / "logs")


def _artifacts(home: Path, settings: Settings) -> Path:
    named = settings.local_artifact_storage
    return home / (named.base_dir if named is not None else "storage")
