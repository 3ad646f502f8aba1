"""Code locations and what each defines. A location has one repository, so one record stands behind both."""

from __future__ import annotations

from ...locations.catalog import CatalogLocation
from ...records.errors import ErrorInfo
from ...records.location import REPOSITORY, AssetJobName, ResourceDescription
from ...records.wire import LoadStatus
from .context import Context
from .failures import Result
from .fields import Fields
from .find import assets_of, loaded, location_named, schedules_of, sensors_of
from .inputs import RepositorySelector
from .nodes import AssetNode, JobNode, ScheduleNode, SensorNode

__all__ = ["ASSET_JOB", "TABLES", "Workspace", "jobs_of", "workspace_of"]

ASSET_JOB = AssetJobName

_QUERY = Fields("Query", source=type(None))
_ENTRY = Fields("WorkspaceLocationEntry", source=CatalogLocation)
_LOCATION = Fields("RepositoryLocation", source=CatalogLocation)
_REPOSITORY = Fields("Repository", source=CatalogLocation)
_RESOURCE = Fields("ResourceDetails", source=ResourceDescription)

TABLES = (_QUERY, _ENTRY, _LOCATION, _REPOSITORY, _RESOURCE)


class Workspace(Result, frozen=True, kw_only=True):
    """Every code location."""

    location_entries: tuple[CatalogLocation, ...]
    id: str = "workspace"


class RepositoryConnection(Result, frozen=True, kw_only=True):
    """Every loaded code location's definitions."""

    nodes: tuple[CatalogLocation, ...]


class AssetGroup(Result, frozen=True, kw_only=True):
    """The assets of a group; `asset_keys` in text form."""

    id: str
    group_name: str
    asset_keys: tuple[str, ...]


def workspace_of(context: Context) -> Workspace:
    """The workspace, locations by name."""
    locations = context.catalog.locations
    return Workspace(location_entries=tuple(locations[name] for name in sorted(locations)))


def jobs_of(location: CatalogLocation) -> list[JobNode]:
    """A location's jobs by name, the implicit one of all assets last."""
    names = sorted(location.jobs, key=lambda name: (name == ASSET_JOB, name))
    return [JobNode(location, location.jobs[name]) for name in names]


@_QUERY.field
def workspace_or_error(_source: None, context: Context) -> Workspace:
    return workspace_of(context)


@_QUERY.field
def workspace_location_entry_or_error(_source: None, context: Context, name: str) -> CatalogLocation | None:
    return context.catalog.locations.get(name)


@_QUERY.field
def repository_or_error(_source: None, context: Context, repository_selector: RepositorySelector) -> CatalogLocation:
    return location_named(context, repository_selector)


@_QUERY.field
def repositories_or_error(
    _source: None, context: Context, repository_selector: RepositorySelector | None = None
) -> RepositoryConnection:
    if repository_selector is not None:
        return RepositoryConnection(nodes=(location_named(context, repository_selector),))
    entries = workspace_of(context).location_entries
    return RepositoryConnection(nodes=tuple(each for each in entries if each.description is not None))


# -- a location --------------------------------------------------------------------------------------------------------

_ENTRY.rename(id="stored.name", name="stored.name", updated_timestamp="stored.updated", origin="stored.origin")


@_ENTRY.field
def load_status(location: CatalogLocation, _: Context) -> str:
    return "LOADING" if location.stored.status is LoadStatus.LOADING else "LOADED"


@_ENTRY.field
def location_or_load_error(location: CatalogLocation, _: Context) -> CatalogLocation | ErrorInfo | None:
    return location if location.description is not None else location.stored.error


@_ENTRY.field
def load_error(location: CatalogLocation, _: Context) -> ErrorInfo | None:
    return location.stored.error


@_ENTRY.field
def stale(location: CatalogLocation, _: Context) -> bool:
    return location.stored.status is LoadStatus.FAILED and location.description is not None


@_ENTRY.field
def version_key(location: CatalogLocation, _: Context) -> str:
    return location.stored.digest or ""


@_ENTRY.field
def job_count(location: CatalogLocation, _: Context) -> int:
    return sum(1 for name in location.jobs if name != ASSET_JOB)


@_ENTRY.field
def asset_count(location: CatalogLocation, _: Context) -> int:
    return len(location.assets)


@_ENTRY.field
def schedule_count(location: CatalogLocation, _: Context) -> int:
    return len(location.schedules)


@_ENTRY.field
def sensor_count(location: CatalogLocation, _: Context) -> int:
    return len(location.sensors)


_LOCATION.rename(id="stored.name", name="stored.name", server_id="stored.address")


@_LOCATION.field
def is_reload_supported(location: CatalogLocation, _: Context) -> bool:
    return bool(location.stored.address)


@_LOCATION.field
def repositories(location: CatalogLocation, _: Context) -> list[CatalogLocation]:
    return [location]


# -- what it defines ---------------------------------------------------------------------------------------------------

_REPOSITORY.rename(id="stored.name")


@_REPOSITORY.field
def name(_location: CatalogLocation, _: Context) -> str:
    return REPOSITORY


@_REPOSITORY.field
def location(source: CatalogLocation, _: Context) -> CatalogLocation:
    return source


@_REPOSITORY.named("jobs", "pipelines")
def jobs(location: CatalogLocation, context: Context) -> list[JobNode]:
    context.latest_runs.expect((location.stored.name, name) for name in location.jobs)
    return jobs_of(location)


@_REPOSITORY.field
def asset_nodes(location: CatalogLocation, context: Context) -> list[AssetNode]:
    nodes = assets_of(location)
    context.expect_assets(node.asset for node in nodes)
    return nodes


@_REPOSITORY.field
def asset_groups(location: CatalogLocation, _: Context) -> list[AssetGroup]:
    groups: dict[str, list[str]] = {}
    for node in assets_of(location):
        groups.setdefault(node.asset.group, []).append(node.asset.key)
    return [
        AssetGroup(id=f"{location.stored.name}/{group}", group_name=group, asset_keys=tuple(keys))
        for group, keys in sorted(groups.items())
    ]


@_REPOSITORY.field
def schedules(location: CatalogLocation, context: Context) -> list[ScheduleNode]:
    return schedules_of(context, location)


@_REPOSITORY.field
def sensors(location: CatalogLocation, context: Context) -> list[SensorNode]:
    return sensors_of(context, location)


@_REPOSITORY.field
def all_top_level_resource_details(location: CatalogLocation, _: Context) -> list[ResourceDescription]:
    return sorted(loaded(location).resources, key=lambda resource: resource.name)


_RESOURCE.rename(resource_type="type_name", configured_values="config")
