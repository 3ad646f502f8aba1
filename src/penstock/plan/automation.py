"""The graph that automation conditions are evaluated over, from the definitions of a code location."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..definitions.assets.definition import AssetsDefinition
from ..definitions.assets.graph import AssetGraph, AssetNode, CheckNode
from ..definitions.automation.binding import root_assets
from ..definitions.garbage import paused_collection
from ..definitions.ops.job import JobDefinition
from ..definitions.resolution import Resolution
from ..engine.automation.graph import AutomationGraph, Dependency, Entity, Kind
from ..partitions.definition import PartitionsDefinition
from ..partitions.mapping import PartitionMapping
from ..partitions.users_mapping import closed
from ..records.conditions.condition import AutomationCondition
from ..records.conditions.entity import check_id, job_id

__all__ = ["automation_graph", "prepared_graph"]


def automation_graph(resolved: Resolution) -> AutomationGraph:
    """All assets and checks, and the jobs that have a condition, as the evaluation sees them.

    Args:
        resolved: The definitions.
    """
    graph, conditions = resolved.asset_graph, resolved.conditions
    builder = _Builder(graph, conditions)
    entities: list[Entity] = []
    for node in graph.assets.values():
        entities.append(builder.asset(node))
        entities += [builder.check(graph.checks[key]) for key in node.checks]
    jobs = ((name, job) for name, job in resolved.jobs.items() if job_id(name) in conditions)
    entities += [_job(name, job, conditions[job_id(name)]) for name, job in jobs]
    return AutomationGraph(entities)


def prepared_graph(resolved: Resolution) -> AutomationGraph:
    """The graph with all that follows from it: at once for an evaluation, or before a process forks for one."""
    with paused_collection():
        graph = automation_graph(resolved)
        graph.prepare()
    return graph


class _Builder:
    def __init__(self, graph: AssetGraph, conditions: Mapping[str, AutomationCondition]) -> None:
        self._graph = graph
        self._conditions = conditions
        self._checks_by_dep: dict[str, list[str]] = {}
        for check in graph.checks.values():
            for dep in (check.asset, *check.deps):
                self._checks_by_dep.setdefault(dep, []).append(check_id(check.key))

    def asset(self, node: AssetNode) -> Entity:
        """An asset."""
        spec, definition = node.spec, node.definition
        policy = definition.backfill_policy if definition is not None else None
        return Entity(
            id=node.key,
            condition=self._conditions.get(node.key),
            deps=tuple(self._deps(node)),
            dependents=(*node.dependents, *self._checks_by_dep.get(node.key, ())),
            checks=tuple(check_id(key) for key in node.checks),
            partitions=_spec(spec.partitions_def),
            partitions_def=spec.partitions_def,
            code_version=spec.code_version,
            observed=definition is not None and definition.observes,
            materializable=node.materializable,
            siblings=_siblings(definition, node.key),
            partitions_per_run=1 if policy is None else policy.max_partitions_per_run,
            freshness=spec.freshness_policy,
        )

    def check(self, node: CheckNode) -> Entity:
        """A check, which depends on the asset that it looks at."""
        additional = {dep.asset_key.to_user_string(): dep.partition_mapping for dep in node.spec.additional_deps}
        return Entity(
            id=check_id(node.key),
            kind=Kind.CHECK,
            condition=self._conditions.get(check_id(node.key)),
            deps=(
                Dependency(node.asset),
                *(self._dep(dep, additional.get(dep), node.spec.partitions_def) for dep in node.deps),
            ),
            blocking=node.spec.blocking,
            partitions=_spec(node.spec.partitions_def),
            partitions_def=node.spec.partitions_def,
            siblings=_siblings(node.definition, None),
        )

    def _deps(self, node: AssetNode) -> Iterable[Dependency]:
        mappings: dict[str, Any] = {dep.asset_key.to_user_string(): dep.partition_mapping for dep in node.spec.deps}
        if node.definition is not None:
            for given in self._graph.inputs[node.definition.name].values():
                if given.partition_mapping is not None:
                    mappings[given.key] = given.partition_mapping
        return (self._dep(dep, mappings.get(dep), node.spec.partitions_def) for dep in node.deps)

    def _dep(self, key: str, mapping: PartitionMapping | None, own: PartitionsDefinition | None) -> Dependency:
        above = self._graph.assets[key].partitions_def
        return Dependency(key, None if mapping is None or above is None else closed(mapping, own, above))


def _siblings(definition: AssetsDefinition | None, own: str | None) -> tuple[str, ...]:
    """The assets that a function cannot but make."""
    if definition is None or definition.can_subset:
        return ()
    keys = (spec.key.to_user_string() for spec in definition.specs)
    return tuple(key for key in keys if key != own)


def _job(name: str, job: JobDefinition, condition: AutomationCondition) -> Entity:
    return Entity(
        id=job_id(name),
        kind=Kind.JOB,
        condition=condition,
        partitions=_spec(job.partitions_def),
        partitions_def=job.partitions_def,
        roots=tuple(root_assets(job)),
    )


def _spec(partitions: PartitionsDefinition | None) -> Any:
    return None if partitions is None else partitions.spec
