"""Makes requests of what a tick of automation requested: a backfill, and as few runs as policies allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ...partitions.subset import Subset
from ...records.automation import BackfillRequestRecord, PartitionChoice, RunRequestRecord
from ..partition_runs import runs_over
from .graph import Entity, Kind
from .view import View

__all__ = ["backfill_request", "run_requests"]


class _Group(msgspec.Struct, frozen=True):
    """Assets and checks that have the same partitions to update."""

    partitions: Subset
    entities: tuple[Entity, ...]


def run_requests(view: View, requested: Mapping[str, Subset], tags: Mapping[str, str]) -> list[RunRequestRecord]:
    """The runs that update what was requested.

    What has the same partitions shares a run. A check without a condition of its own comes along with its asset. A run
    works on as many partitions next to each other as every asset in it allows.

    Args:
        view: The graph at the instant of the tick.
        requested: The partitions to update, by entity.
        tags: Tags of all runs.
    """
    entities = [view.graph.entities[key] for key in requested]
    found: list[RunRequestRecord] = []
    for group in _groups(entities, requested):
        if group.entities[0].kind is Kind.JOB:
            found += _of_job(view, group, tags)
        else:
            found += _of_assets(view, group, tags)
    return found


def backfill_request(
    view: View, requested: Mapping[str, Subset], tags: Mapping[str, str]
) -> tuple[BackfillRequestRecord | None, Mapping[str, Subset]]:
    """The backfill that makes what several partitions are requested of, and what is left for runs.

    With it goes whatever is requested that depends on it or that it depends on, so that each is made after what it
    needs, whatever the partitions of both. Checks come along with their assets.

    Args:
        view: The graph at the instant of the tick.
        requested: The partitions to update, by entity.
        tags: Tags of its runs.
    """
    waiting = [key for key, partitions in requested.items() if len(partitions) > 1]
    included: set[str] = set()
    while waiting:
        key = waiting.pop()
        entity = view.graph.entities[key]
        if key in requested and key not in included and _is_made(entity):
            included.add(key)
            waiting += [*(dep.id for dep in entity.deps), *entity.dependents]
    if not included:
        return None, requested
    alike: dict[tuple[object, Subset], list[str]] = {}
    for key in requested:
        if key in included:
            alike.setdefault((view.graph.entities[key].partitions, requested[key]), []).append(key)
    choices = (
        PartitionChoice(assets=tuple(keys), keys=view.keys(view.graph.entities[keys[0]], chosen), count=len(chosen))
        for (_, chosen), keys in alike.items()
    )
    along = {check for key in included for check in view.graph.entities[key].checks}
    left = {key: each for key, each in requested.items() if key not in included and key not in along}
    return BackfillRequestRecord(choices=tuple(choices), tags=dict(tags)), left


def _is_made(entity: Entity) -> bool:
    return entity.kind is Kind.ASSET and entity.materializable and not entity.observed


def _groups(entities: Iterable[Entity], requested: Mapping[str, Subset]) -> list[_Group]:
    """Entities by their partition set, and then by the partitions to update; each job is a group of its own."""
    sets: dict[object, dict[Subset, list[Entity]]] = {}
    for entity in entities:
        same_set = sets.setdefault(entity.id if entity.kind is Kind.JOB else (entity.partitions,), {})
        same_set.setdefault(requested[entity.id], []).append(entity)
    groups: list[_Group] = []
    for same_set in sets.values():
        split: list[_Group] = []
        for partitions, members in same_set.items():
            split = _split(split, _Group(partitions, tuple(members)))
        groups += split
    return groups


def _split(groups: Iterable[_Group], new: _Group) -> list[_Group]:
    """Disjoint groups, with one more: where it meets another, that part of the partitions has the entities of both."""
    result: list[_Group] = []
    left = new.partitions
    for group in groups:
        common = group.partitions.intersection(left)
        if not common:
            result.append(group)
            continue
        rest = group.partitions.difference(common)
        result.append(_Group(common, (*group.entities, *new.entities)))
        if rest:
            result.append(_Group(rest, group.entities))
        left = left.difference(common)
    if left:
        result.append(_Group(left, new.entities))
    return result


def _of_job(view: View, group: _Group, tags: Mapping[str, str]) -> Iterable[RunRequestRecord]:
    job = group.entities[0]
    for partition, own in _pieces(view, job, group.partitions, 1):
        yield RunRequestRecord(job=job.id.removeprefix("job "), partition=partition, tags={**tags, **own})


def _of_assets(view: View, group: _Group, tags: Mapping[str, str]) -> Iterable[RunRequestRecord]:
    assets = [each for each in group.entities if each.kind is Kind.ASSET]
    checks = {each.id: None for each in group.entities if each.kind is Kind.CHECK}
    for asset in assets:
        checks |= {key: None for key in asset.checks if view.graph.entities[key].condition is None}
    limits = [each.partitions_per_run for each in assets if each.partitions_per_run is not None]
    for partition, own in _pieces(view, group.entities[0], group.partitions, min(limits, default=None)):
        yield RunRequestRecord(
            partition=partition,
            tags={**tags, **own},
            assets=tuple(each.id for each in assets),
            checks=tuple(key.removeprefix("check ") for key in checks),
        )


def _pieces(
    view: View, entity: Entity, partitions: Subset, at_most: int | None
) -> Iterable[tuple[str | None, dict[str, str]]]:
    """(partition, tags) of each run over some partitions."""
    space = view.space(entity)
    if space is None:
        yield None, {}
        return
    yield from runs_over(space, partitions, at_most)
