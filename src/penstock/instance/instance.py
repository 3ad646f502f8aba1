"""The instance: what one deployment shares, filled from the settings of its home, with what users ask of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..codec import decode_json
from ..engine.pools import PoolRules
from ..errors import SettingsError
from ..logs.store import LogStore
from ..records.automation import Tick, TickStatus
from ..records.wire import StorageAccess
from ..storage.protocols import Storage
from ..storage.shared_clock import clock_of
from .asset_reading import AssetReading
from .event_reading import EventReading
from .postgres import open_postgres
from .run_reading import RunReading
from .settings import FILE_NAME, LocalLogSettings, Settings

if TYPE_CHECKING:
    from ..execution.python_logs import PythonLogs
    from ..launch.protocols import RunCoordinator, RunLauncher

__all__ = ["Instance", "prepare_home"]


class Instance(RunReading, EventReading, AssetReading):
    """Storage, logs, coordinator and launcher of one deployment. Use `open` or `ephemeral`; close it at the end.

    Args:
        home: The folder of the instance; None for an ephemeral one.
        settings: What its `penstock.yaml` says.
        storage: Runs, events and the rest.
        logs: Captured stdout and stderr.
        artifacts: The root folder of the file system IO manager.
        clock: Tells the time; the one that counts for the storage if not given.
        access: How the storage is reached, where that is not by the settings.
    """

    def __init__(
        self,
        *,
        home: Path | None,
        settings: Settings,
        storage: Storage,
        logs: LogStore,
        artifacts: Path,
        clock: Clock | None = None,
        access: StorageAccess | None = None,
    ) -> None:
        self.home = home
        self.settings = settings
        self.storage = storage
        self.logs = logs
        self.artifacts = artifacts
        self.clock = clock_of(storage) if clock is None else clock
        self._access = access
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
    def compose(
        cls, home: Path, settings: Settings, *, clock: Clock | None = None, access: StorageAccess | None = None
    ) -> Instance:
        """The instance that the settings describe, with nothing opened yet: for a home that `open` has prepared.

        Args:
            home: The folder.
            settings: The settings.
            clock: Tells the time.
            access: How the storage is reached, where that is not by the settings.
        """
        return cls(
            home=home,
            settings=settings,
            storage=_storage(home, settings, access, clock),
            logs=_logs(home, settings),
            artifacts=_artifacts(home, settings),
            clock=clock,
            access=access,
        )

    @classmethod
    def get(cls) -> Instance:
        """The instance in the folder that PENSTOCK_HOME names; it raises what `open` raises."""
        return cls.open()

    @classmethod
    def from_config(cls, config_dir: str | Path, config_filename: str = FILE_NAME) -> Instance:
        """The instance in a folder, with the settings of a file there; it raises what `open` raises.

        Args:
            config_dir: The folder.
            config_filename: The name of the file.
        """
        from .settings_file import read_settings

        home = prepare_home(Path(config_dir))
        instance = cls.compose(home, read_settings(home, file_name=config_filename))
        instance.storage.migrate()
        return instance

    @classmethod
    def ephemeral(
        cls,
        tempdir: str | Path | None = None,
        settings: Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
    ) -> Instance:
        """An instance that ends with this process: storage in memory, files in a temporary folder.

        Args:
            tempdir: The folder for files, which stays; a temporary one if not given.
            settings: Settings as `penstock.yaml` has them.
            clock: Tells the time.

        Raises:
            SettingsError: The settings are not valid.
        """
        from ..logs.local import LocalLogStore
        from ..storage.sqlite.storage import SqliteStorage

        with _folder(tempdir) as (folder, temporary):
            instance = cls(
                home=None,
                settings=_read(settings, folder) if settings else Settings(),
                storage=SqliteStorage(None),
                logs=LocalLogStore(folder / "logs"),
                artifacts=folder / "storage",
                clock=clock,
            )
            instance._temporary = temporary
        return instance

    @classmethod
    def local_temp(
        cls,
        tempdir: str | Path | None = None,
        overrides: Mapping[str, Any] | None = None,
        *,
        clock: Clock | None = None,
    ) -> Instance:
        """An instance in a temporary home, which other processes can open while it lives.

        Args:
            tempdir: The home, which stays; a temporary folder if not given.
            overrides: Settings as `penstock.yaml` has them, which is written so.
            clock: Tells the time.

        Raises:
            SettingsError: The settings are not valid.
        """
        with _folder(tempdir) as (folder, temporary):
            instance = cls.compose(folder, _read(overrides or {}, folder), clock=clock)
            instance._temporary = temporary
            instance.storage.migrate()
        return instance

    @property
    def is_ephemeral(self) -> bool:
        """Whether it ends with this process."""
        return self.home is None

    @property
    def pool_rules(self) -> PoolRules:
        """What the settings say of concurrency pools."""
        return self.settings.pool_rules

    @property
    def python_logs(self) -> PythonLogs:
        """What the settings say of Python's loggers."""
        from ..execution.python_logs import PythonLogs, level_of_name

        said = self.settings.python_logs
        level = level_of_name(said.python_log_level)
        return PythonLogs(managed=said.managed_python_loggers, level=level, handlers=said.handler_config)

    @property
    def reference(self) -> dict[str, Any] | None:
        """What another process needs in order to open it; None for one that ends with this process."""
        from .reference import InstanceRef

        if self.home is None:
            return None
        reference = InstanceRef(
            home=str(self.home), settings=self.settings, withheld=self._access is not None, access=self._access
        )
        return decode_json(reference.encode(), dict)

    def upgrade(self) -> None:
        """Bring the storage up to this version; `open` does so too."""
        self.storage.migrate()

    def get_ticks(
        self,
        instigator: str,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_timestamp: float | None = None,
    ) -> Sequence[Tick]:
        """The evaluations of a schedule or sensor, newest first.

        Args:
            instigator: Its id: `location/schedule/name` or `location/sensor/name`.
            before: The id of the last one that was seen.
            limit: The most to give.
            statuses: Only those that ended so.
            after_timestamp: Only those that began after this time, in seconds since the epoch.
        """
        found = self.storage.instigators
        return found.ticks(instigator, before=before, limit=limit, statuses=statuses, after_time=after_timestamp)

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

    def dispose(self) -> None:
        """Let go of the storage and of temporary files, by the name that older code uses."""
        self.close()

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


@contextmanager
def _folder(given: str | Path | None) -> Iterator[tuple[Path, tempfile.TemporaryDirectory[str] | None]]:
    """A given folder, or a temporary one, which is removed if what is done in the context fails."""
    if given is not None:
        yield Path(given), None
        return
    temporary = tempfile.TemporaryDirectory(prefix="penstock-")
    try:
        yield Path(temporary.name), temporary
    except BaseException:
        temporary.cleanup()
        raise


def _read(settings: Mapping[str, Any], folder: Path) -> Settings:
    """Write settings into the file of a folder, and read them as they are read everywhere."""
    import yaml

    from .settings_file import read_settings

    folder.mkdir(parents=True, exist_ok=True)
    if settings:
        (folder / FILE_NAME).write_text(yaml.safe_dump(dict(settings)), encoding="utf-8")
    return read_settings(folder)


def _storage(home: Path, settings: Settings, access: StorageAccess | None, clock: Clock | None) -> Storage:
    if access is not None:
        from ..storage.remote.client import open_storage

        return open_storage(access)
    log = _log(home, settings)
    if not settings.followers:
        return log
    from ..storage.composite.storage import composite
    from .components import build

    built = {key: build(component, key) for key, component in settings.followers.items()}
    return composite(
        log,
        built.get("run_storage"),
        events=built.get("event_log_storage"),
        ticks=built.get("schedule_storage"),
        clock=clock,
    )


def _log(home: Path, settings: Settings) -> Storage:
    if settings.storage.custom is not None:
        from .components import build

        storage: Storage = build(settings.storage.custom, "storage")
        return storage
    if settings.storage.postgres is not None:
        return open_postgres(settings.storage.postgres)
    from ..storage.sqlite.storage import SqliteStorage

    folder = home / settings.storage.sqlite.base_dir if settings.storage.sqlite else home
    return SqliteStorage(folder / "penstock.db")


def _logs(home: Path, settings: Settings) -> LogStore:
    if settings.compute_logs.custom is not None:
        from .components import build

        logs: LogStore = build(settings.compute_logs.custom, "compute_logs")
        return logs
    from ..logs.local import LocalLogStore

    far = settings.compute_logs.object_store
    near = far or settings.compute_logs.local or LocalLogSettings()
    local = LocalLogStore(home / near.base_dir, most_bytes=near.max_stream_bytes)
    if far is None:
        return local
    from ..logs.object_store import ObjectLogStore

    options, interval = far.storage_options, far.upload_interval_seconds
    return ObjectLogStore(far.url, local, options=options, upload_interval=interval)


def _artifacts(home: Path, settings: Settings) -> Path:
    named = settings.local_artifact_storage
    return home / (named.base_dir if named is not None else "storage")
