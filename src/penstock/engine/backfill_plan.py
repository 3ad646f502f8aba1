"""Cuts what a backfill is to make into groups: assets that one run can make together, in the order of their needs.

Assets go together that have the same code location, job, partition set, choice of partitions and backfill policy, and
that need the same partition of each other. An asset that needs one of another group is of a later rank than that, so
that no two groups need each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from ..errors import DefinitionError
from ..partitions.mapping import IdentityPartitionMapping, TimeWindowPartitionMapping
from ..partitions.mapping_multi import PartitionMappingRecord, default_mapping
from ..partitions.subset import Subset
from ..records.backfill import BackfillGroup, BackfillNeed
from ..records.location import AssetDescription

__all__ = ["Wanted", "groups_of"]

_Maker: TypeAlias = tuple[str, ...]


class Wanted(NamedTuple):
    """An asset that is to be made.

    Args:
        asset: The asset.
        location: The code location that makes it.
        job: The job that does.
        chosen: Which of its partitions; position 0 if it has none.
        step: The step that makes it, where that cannot but make others as well; they go into one group if they can.
    """

    asset: AssetDescription
    location: str
    job: str
    chosen: Subset
    step: str | None = None

    @property
    def maker(self) -> tuple[str, ...]:
        """What it shares with all that are made by the same step."""
        return (self.asset.key,) if self.step is None else (self.location, self.job, self.step)


def groups_of(wanted: Iterable[Wanted]) -> tuple[BackfillGroup, ...]:
    """The groups, each after those that it needs.

    Args:
        wanted: The assets, each once.

    Raises:
        DefinitionError: Assets need each other in a circle.
    """
    by_key = {each.asset.key: each for each in wanted}
    ranks = _ranks(by_key)
    members: dict[tuple[object, ...], list[str]] = {}
    for key in sorted(by_key):
        members.setdefault((ranks[key], *_alike(by_key[key])), []).append(key)
    in_order = sorted(members.items(), key=lambda each: (each[0][0], each[1][0]))
    index = {key: place for place, (_, keys) in enumerate(in_order) for key in keys}
    return tuple(_group([by_key[key] for key in keys], by_key, index) for _, keys in in_order)


def _alike(wanted: Wanted) -> tuple[object, ...]:
    asset = wanted.asset
    return wanted.location, wanted.job, asset.partitions, asset.max_partitions_per_run, wanted.chosen


def _ranks(by_key: Mapping[str, Wanted]) -> dict[str, int]:
    """The rank of each asset; those of one maker have the same."""
    made: dict[_Maker, list[str]] = {}
    for key, each in sorted(by_key.items()):
        made.setdefault(each.maker, []).append(key)
    ranks: dict[str, int] = {}
    for maker in _topological(by_key, made):
        rank = 0
        for here in (by_key[key] for key in made[maker]):
            above = [by_key[dep] for dep in here.asset.deps if dep in by_key and by_key[dep].maker != maker]
            rank = max([rank, *(ranks[each.asset.key] + (not _share_runs(each, here)) for each in above)])
        ranks |= dict.fromkeys(made[maker], rank)
    return ranks


def _share_runs(upstream: Wanted, downstream: Wanted) -> bool:
    return _alike(upstream) == _alike(downstream) and _stays(upstream, downstream)


def _topological(by_key: Mapping[str, Wanted], made: Mapping[_Maker, Sequence[str]]) -> list[_Maker]:
    """The makers, each after those that it needs."""
    left = {
        maker: {by_key[dep].maker for key in keys for dep in by_key[key].asset.deps if dep in by_key} - {maker}
        for maker, keys in made.items()
    }
    followers: dict[_Maker, list[_Maker]] = {}
    for maker, needed in left.items():
        for each in needed:
            followers.setdefault(each, []).append(maker)
    ready = [maker for maker, needed in left.items() if not needed]
    ordered: list[_Maker] = []
    while ready:
        maker = ready.pop()
        ordered.append(maker)
        for follower in followers.get(maker, ()):
            left[follower].discard(maker)
            if not left[follower]:
                ready.append(follower)
    if len(ordered) < len(left):
        circle = sorted(key for maker in left.keys() - set(ordered) for key in made[maker])
        raise DefinitionError(
            f"Assets need each other in a circle, so that none can be made first: {', '.join(circle[:5])}."
        )
    return ordered


def _mapping(upstream: AssetDescription, downstream: AssetDescription) -> PartitionMappingRecord | None:
    """The rule between two assets; None where it is one of the user's."""
    if upstream.key in downstream.mappings:
        return downstream.mappings[upstream.key]
    if upstream.partitions is None:
        return IdentityPartitionMapping()
    if upstream.key in downstream.mapped_deps and upstream.key != downstream.key:
        return None
    return default_mapping(downstream.partitions, upstream.partitions)


def _stays(upstream: Wanted, downstream: Wanted) -> bool:
    """Whether a partition needs the one of the same position: then both are made by one run."""
    match _mapping(upstream.asset, downstream.asset):
        case IdentityPartitionMapping():
            return True
        case TimeWindowPartitionMapping(start_offset=0, end_offset=0):
            return True
        case _:
            return upstream.asset.partitions is None and downstream.asset.partitions is None


def _group(members: list[Wanted], by_key: Mapping[str, Wanted], index: Mapping[str, int]) -> BackfillGroup:
    first = members[0]
    own = index[first.asset.key]
    needs: dict[BackfillNeed, None] = {}
    for each in members:
        for dep in each.asset.deps:
            if dep not in by_key:
                continue
            is_inside = index[dep] == own
            if is_inside and (dep != each.asset.key or _stays(by_key[dep], each)):
                continue
            mapping = _mapping(by_key[dep].asset, each.asset)
            needs[BackfillNeed(group=index[dep], asset=dep, mapping=mapping)] = None
    return BackfillGroup(
        location=first.location,
        job=first.job,
        assets=tuple(each.asset.key for each in members),
        partitions=first.asset.partitions,
        chosen=first.chosen,
        at_most=1 if first.asset.partitions is None else first.asset.max_partitions_per_run,
        needs=tuple(needs),
    )
