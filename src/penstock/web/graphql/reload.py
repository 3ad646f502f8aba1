"""Loading the code of locations anew."""

from __future__ import annotations

from ...auth.permissions import Permission
from ...errors import CodeServerUnreachableError
from ...locations.catalog import CatalogLocation
from ...records.act import ActKind, location_subject
from ...storage.acting import act_of
from ..threads import ThreadPool
from .context import Context
from .failures import RefusedError, ReloadNotSupported, RepositoryLocationNotFound
from .fields import Fields
from .workspace import Workspace, workspace_of

__all__ = ["TABLES"]

_AT_ONCE = 8

_MUTATION = Fields("Mutation", source=type(None))

TABLES = (_MUTATION,)


@_MUTATION.named("reloadRepositoryLocation", needs=Permission.RELOAD)
def reload_repository_location(_source: None, context: Context, repository_location_name: str) -> CatalogLocation:
    name = repository_location_name
    location = context.catalog.locations.get(name)
    if location is None:
        raise RefusedError(RepositoryLocationNotFound(message=f"There is no code location {name!r}."))
    context.require(Permission.RELOAD, name)
    if not location.stored.address:
        message = f"No code server serves the location {name!r} now; start it, then it loads by itself."
        raise RefusedError(ReloadNotSupported(message=message))
    context.storage.acts.add(act_of(ActKind.RELOAD, location_subject(name)))
    context.catalog.client(name).reload()
    context.catalog.refresh()
    return context.catalog.locations[name]


@_MUTATION.named("reloadWorkspace", needs=Permission.RELOAD)
def reload_workspace(_source: None, context: Context) -> Workspace:
    named = [name for name, location in context.catalog.locations.items() if location.stored.address]
    for name in named:
        context.require(Permission.RELOAD, name)
    context.storage.acts.add([act for name in named for act in act_of(ActKind.RELOAD, location_subject(name))])

    def reload(name: str) -> str | None:
        try:
            context.catalog.client(name).reload()
        except CodeServerUnreachableError as error:
            return str(error)
        return None

    pool = ThreadPool(_AT_ONCE, "reload")
    loads = [pool.submit(reload, name) for name in named]
    faults = [fault for load in loads if (fault := load.result()) is not None]
    pool.shutdown()
    context.catalog.refresh()
    if faults:
        raise CodeServerUnreachableError(" ".join(faults))
    return workspace_of(context)
