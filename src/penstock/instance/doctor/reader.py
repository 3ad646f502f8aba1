"""Gathers the facts that the checks judge; it changes nothing."""

from __future__ import annotations

from pathlib import Path

from ...errors import StorageError, StorageUnavailableError
from ...records.automation import Tick, TickStatus
from ...storage.following import Followed
from ...storage.protocols import Storage
from ...storage.upkeep import SchemaDifference, Tended, Upkeep
from ..instance import Instance
from ..settings import FILE_NAME, Settings
from .facts import Facts, FileFacts, FollowerFacts

__all__ = ["gather", "read_followers"]

_MOST_QUEUED = 1000


def gather(instance: Instance) -> Facts:
    """The facts about an instance, now.

    Raises:
        StorageError: The storage does not answer, or it is not as this version needs it.
    """
    storage = instance.storage
    upkeep = storage.upkeep if isinstance(storage, Tended) else None
    database = None if upkeep is None else upkeep.facts()
    now = instance.clock.now()
    stored = None if upkeep is None else upkeep.stored_version()
    if upkeep is not None and stored != upkeep.known_version:
        # Its tables are those of another version, and are not read.
        return Facts(
            now=now,
            settings=instance.settings,
            known_version=upkeep.known_version,
            stored_version=stored,
            database=database,
            files=_files(instance, () if database is None else database.files),
        )
    differences, not_compared = _compared(upkeep)
    found = [storage.locations.get(name) for name in sorted(storage.locations.digests())]
    return Facts(
        now=now,
        settings=instance.settings,
        active=tuple(storage.runs.active()),
        queued=tuple(storage.runs.queued(limit=_MOST_QUEUED)),
        leases=tuple(storage.leases.all()),
        processes=tuple(storage.leases.processes(seen_after=0.0)),
        open_ticks=tuple(_open_ticks(instance)),
        locations=tuple(each for each in found if each is not None),
        stray_claims=() if upkeep is None else tuple(upkeep.stray_claims()),
        known_version=None if upkeep is None else upkeep.known_version,
        stored_version=stored,
        differences=differences,
        not_compared=not_compared,
        tables=() if upkeep is None else tuple(upkeep.tables()),
        database=database,
        files=_files(instance, () if database is None else database.files),
        followers=read_followers(storage),
    )


def read_followers(storage: Storage) -> tuple[FollowerFacts, ...]:
    """How the stores of the user's own stand that follow a storage; one that is away is told of as such."""
    found = []
    for follower in storage.followers if isinstance(storage, Followed) else ():
        try:
            found.append(FollowerFacts(setting=follower.setting, behind_since=follower.behind_since()))
        except StorageError as error:
            found.append(FollowerFacts(setting=follower.setting, error=str(error)))
    return tuple(found)


def _compared(upkeep: Upkeep | None) -> tuple[tuple[SchemaDifference, ...], str | None]:
    """What differs in the schema, and why that could not be found out."""
    if upkeep is None:
        return (), None
    try:
        return tuple(upkeep.differences()), None
    except StorageUnavailableError:
        raise
    except StorageError as error:  # a user of the database without the right to it
        return (), str(error)


def _open_ticks(instance: Instance) -> list[Tick]:
    instigators = instance.storage.instigators
    return [
        tick
        for name in sorted(instigators.states())
        for tick in instigators.ticks(name, statuses=(TickStatus.STARTED,))
    ]


def _files(instance: Instance, of_database: tuple[str, ...]) -> tuple[FileFacts, ...]:
    if instance.home is None:
        return ()
    settings_file = instance.home / FILE_NAME
    paths = [instance.home, settings_file, *map(Path, of_database)]
    return tuple(
        FileFacts(
            path=str(path),
            mode=path.stat().st_mode,
            is_secret=path == settings_file and _holds_password(instance.settings, path.read_text(encoding="utf-8")),
        )
        for path in paths
        if path.exists()
    )


def _holds_password(settings: Settings, text: str) -> bool:
    """Whether the file itself has a password of the database, and not a reference to where it is."""
    given = settings.storage.postgres
    if given is None:
        return False
    if given.postgres_db is not None and given.postgres_db.password:
        return given.postgres_db.password in text
    url = given.postgres_url or ""
    return "@" in url and ":" in url.rpartition("@")[0].partition("//")[2] and url in text
