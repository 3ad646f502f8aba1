"""Which of the assets that a request for a run names are to be made, where it asks for stale ones alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..engine.staleness import Staleness
from ..records.automation import RunRequestRecord
from ..records.location import AssetDescription, AssetJobName, LocationDescription
from ..storage.protocols import AssetStorage

__all__ = ["only_stale"]


def only_stale(
    request: RunRequestRecord,
    location: LocationDescription,
    own_job: str | None,
    known: Mapping[str, AssetDescription],
    assets: AssetStorage,
) -> RunRequestRecord | None:
    """The request without the assets that are fresh; None where all are.

    Args:
        request: The request. What it names and the location does not have is left in, for the plan to refuse.
        location: The code location of the job.
        own_job: The job of a request that names none.
        known: The assets of all code locations.
        assets: What is stored of them.
    """
    name = request.job or own_job or AssetJobName
    job = next((each for each in location.jobs if each.name == name), None)
    if job is None:
        return request
    wanted = job.assets if request.assets is None else request.assets
    if request.partition is None:
        staleness = Staleness(known, assets.data_versions(list(known)))
    else:
        plain = [each.key for each in known.values() if each.partitions is None]
        alike = [each.key for each in known.values() if each.partitions == job.partitions]
        versions = assets.data_versions(plain) | assets.data_versions(alike, partition=request.partition)
        staleness = Staleness(known, versions, partition=request.partition)
    stale = staleness.stale(key for key in wanted if key in known)
    left = tuple(key for key in wanted if key in stale or key not in known)
    if not left:
        return None
    return msgspec.structs.replace(request, assets=left)
