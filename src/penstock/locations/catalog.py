"""What the code locations define, read from the storage: decoded once per content hash, looked up by name."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType

import msgspec

from ..codec import decode_json
from ..errors import CodeServerUnreachableError, ConfigurationError
from ..records.location import (
    AssetDescription,
    CheckDescription,
    JobDescription,
    LocationDescription,
    ResourceDescription,
    ScheduleDescription,
    SensorDescription,
)
from ..storage.protocols import LocationStorage, StoredLocation
from .asset_columns import AssetColumns, columns_of
from .client import CodeServerClient

__all__ = ["Catalog", "CatalogLocation", "client_of"]

log = logging.getLogger("penstock.locations")


class CatalogLocation:
    """One location as stored, with its last good description taken apart by name.

    Args:
        stored: The location as last heard of, without the description's JSON.
        description: What its code defines; None when it has never been loaded.
    """

    def __init__(self, stored: StoredLocation, description: LocationDescription | None) -> None:
        self.stored = stored
        self.description = description

    @cached_property
    def jobs(self) -> dict[str, JobDescription]:
        """Jobs by name."""
        return {job.name: job for job in self.description.jobs} if self.description else {}

    @cached_property
    def assets(self) -> dict[str, AssetDescription]:
        """Assets by the text form of their key, also those that nothing here makes."""
        return {asset.key: asset for asset in self.description.assets} if self.description else {}

    @cached_property
    def checks(self) -> dict[str, CheckDescription]:
        """Checks by key, `asset/key:name`."""
        return {check.key: check for check in self.description.checks} if self.description else {}

    @cached_property
    def schedules(self) -> dict[str, ScheduleDescription]:
        """Schedules by name."""
        return {schedule.name: schedule for schedule in self.description.schedules} if self.description else {}

    @cached_property
    def sensors(self) -> dict[str, SensorDescription]:
        """Sensors by name."""
        return {sensor.name: sensor for sensor in self.description.sensors} if self.description else {}

    @cached_property
    def resources(self) -> dict[str, ResourceDescription]:
        """Resources by name."""
        return {resource.name: resource for resource in self.description.resources} if self.description else {}

    @cached_property
    def pools(self) -> frozenset[str]:
        """The concurrency pools that steps of its jobs are in."""
        return frozenset(step.pool for job in self.jobs.values() for step in job.steps if step.pool)


class _View:
    """All locations at one moment, and what follows from them together."""

    def __init__(self, locations: dict[str, CatalogLocation]) -> None:
        self.locations: Mapping[str, CatalogLocation] = MappingProxyType(locations)

    @cached_property
    def assets(self) -> dict[str, tuple[CatalogLocation, AssetDescription]]:
        """Each asset with the location that makes it, or else one that knows it."""
        found: dict[str, tuple[CatalogLocation, AssetDescription]] = {}
        for name in sorted(self.locations):
            location = self.locations[name]
            for key, asset in location.assets.items():
                if key not in found or (asset.executable and not found[key][1].executable):
                    found[key] = (location, asset)
        return found

    @cached_property
    def descriptions(self) -> dict[str, AssetDescription]:
        """The descriptions of the assets."""
        return {key: asset for key, (_, asset) in self.assets.items()}

    @cached_property
    def asset_columns(self) -> AssetColumns:
        """The same in columns."""
        return columns_of({key: (location.stored.name, asset) for key, (location, asset) in self.assets.items()})

    @cached_property
    def dependents(self) -> dict[str, tuple[str, ...]]:
        """The assets that are made from each asset, sorted."""
        found: dict[str, set[str]] = {}
        for location in self.locations.values():
            for asset in location.assets.values():
                for upstream in asset.deps:
                    found.setdefault(upstream, set()).add(asset.key)
        return {key: tuple(sorted(keys)) for key, keys in found.items()}


class Catalog:
    """A read view of the stored locations; safe to share between threads. It is empty until the first `refresh`.

    Args:
        storage: Where code servers store what they have loaded.
        token: What to show to code servers; by default that of the environment.
    """

    def __init__(self, storage: LocationStorage, token: str | None = None) -> None:
        self._storage = storage
        self._token = token
        self._lock = threading.Lock()
        self._seen: dict[str, object] = {}
        self._view = _View({})
        self._clients: dict[str, CodeServerClient] = {}

    @property
    def locations(self) -> Mapping[str, CatalogLocation]:
        """Locations by name, as of the last refresh."""
        return self._view.locations

    def refresh(self) -> bool:
        """Take in what has changed since the last refresh; cheap when nothing has. Gives whether something had."""
        with self._lock:
            digests: dict[str, object] = dict(self._storage.digests())
            if digests == self._seen:
                return False
            before = self._view.locations
            locations = {}
            for name, digest in digests.items():
                if name in before and self._seen.get(name) == digest:
                    locations[name] = before[name]
                elif (stored := self._storage.get(name)) is not None:
                    locations[name] = _decoded(stored, before.get(name))
            self._view = _View(locations)
            self._seen = digests
            return True

    def asset(self, key: str) -> tuple[CatalogLocation, AssetDescription] | None:
        """The asset of that key (text form), with the location that makes it or else one that knows it."""
        return self._view.assets.get(key)

    @property
    def assets(self) -> Mapping[str, AssetDescription]:
        """All assets by key (text form), as told by the location that makes them or else one that knows them."""
        return self._view.descriptions

    @property
    def asset_columns(self) -> AssetColumns:
        """The same in columns, which are made at the first use after a change."""
        return self._view.asset_columns

    def job(self, location: str, name: str) -> JobDescription | None:
        """A job of a location."""
        found = self._view.locations.get(location)
        return found.jobs.get(name) if found else None

    def dependents(self, key: str) -> tuple[str, ...]:
        """The keys of the assets made from this one, in any location, sorted."""
        return self._view.dependents.get(key, ())

    def client(self, location_name: str) -> CodeServerClient:
        """The client of a location's code server. Raises `CodeServerUnreachableError` when none has served it yet."""
        found = self._view.locations.get(location_name)
        stored = found.stored if found else None
        client = self._clients.get(location_name)
        if client is None or stored is None or client.address != stored.address:
            client = self._clients[location_name] = client_of(location_name, stored, self._token)
        return client


def client_of(name: str, stored: StoredLocation | None, token: str | None = None) -> CodeServerClient:
    """The client of the code server that serves a location.

    Raises:
        CodeServerUnreachableError: No code server has served it on this instance.
    """
    if stored is None or not stored.address:
        raise CodeServerUnreachableError(
            f"No code server serves the location {name!r} on this instance; start `penstock dev` or "
            "`penstock code-server` with its code."
        )
    return CodeServerClient(stored.address, token)


def _decoded(stored: StoredLocation, before: CatalogLocation | None) -> CatalogLocation:
    plain = msgspec.structs.replace(stored, description=None)
    if before is not None and before.description is not None and before.stored.digest == stored.digest:
        return CatalogLocation(plain, before.description)
    if not stored.description:
        return CatalogLocation(plain, None)
    try:
        return CatalogLocation(plain, decode_json(stored.description, LocationDescription))
    except (msgspec.MsgspecError, ConfigurationError) as error:
        log.error(
            "what the code location %s defines is not understood here, so it counts as not loaded: %s Let its code "
            "server and this process run neighbouring versions of Penstock and of time zone data.",
            stored.name,
            error,
        )
        return CatalogLocation(plain, None)
