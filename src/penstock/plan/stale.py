"""Which assets a run is to make that is to make no more than is needed: those that are stale or were never made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..engine.staleness import Staleness
from ..records.location import AssetDescription, JobDescription
from ..records.run import Tag
from ..storage.protocols import AssetStorage

__all__ = ["is_memoized", "only_stale"]


def is_memoized(job: JobDescription, tags: Mapping[str, str]) -> bool:
    """Whether a run of the job with these tags leaves out the assets that are up to date."""
    return bool(job.assets) and {**job.tags, **job.run_tags, **tags}.get(Tag.MEMOIZED) == "true"


def only_stale(
    job: JobDescription,
    chosen: Sequence[str] | None,
    partition: str | None,
    known: Mapping[str, AssetDescription],
    assets: AssetStorage,
) -> tuple[str, ...]:
    """The assets among the chosen ones that are not up to date.

    Args:
        job: The job.
        chosen: Those of its assets that were asked for; None for all. One that is not known is left in, for the plan to
            refuse.
        partition: The partition that the run works on, if one.
        known: The assets of all code locations.
        assets: What is stored of them.
    """
    wanted = job.assets if chosen is None else chosen
    if partition is None:
        staleness = Staleness(known, assets.data_versions(list(known)))
    else:
        plain = [each.key for each in known.values() if each.partitions is None]
        alike = [each.key for each in known.values() if each.partitions == job.partitions]
        versions = assets.data_versions(plain) | assets.data_versions(alike, partition=partition)
        staleness = Staleness(known, versions, partition=partition)
    stale = staleness.stale(key for key in wanted if key in known)
    return tuple(key for key in wanted if key in stale or key not in known)
