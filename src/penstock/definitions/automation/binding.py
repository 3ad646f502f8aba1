"""Binds conditions to what has them: selections become keys, and equal conditions one object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ...errors import DefinitionError, NotFoundError
from ...records.conditions.condition import AutomationCondition, checked
from ...records.conditions.entity import check_id, job_id
from ...records.conditions.nodes import (
    AllChecks,
    AllDeps,
    AnyChecks,
    AnyDeps,
    AnyDownstream,
    CustomCondition,
    EntityMatches,
    JobRoots,
)
from ..assets.graph import AssetGraph
from ..assets.selection import AssetSelection
from ..ops.job import JobDefinition

__all__ = ["as_record", "bind_conditions", "declared_conditions", "root_assets"]

Scoped = AnyDeps | AllDeps | AnyChecks | AllChecks | AnyDownstream


def declared_conditions(graph: AssetGraph, jobs: Mapping[str, Any]) -> dict[str, AutomationCondition]:
    """The conditions of what can be run here, by entity id.

    Args:
        graph: The assets and checks.
        jobs: The conditions of jobs, by name; None where a job has none.

    Raises:
        DefinitionError: What is given is no condition.
    """
    found: dict[str, tuple[Any, str]] = {}
    for key, asset in graph.assets.items():
        if asset.definition is not None:
            found[key] = (asset.spec.automation_condition, f"Asset {key}")
    for key, check in graph.checks.items():
        found[check_id(key)] = (check.spec.automation_condition, f"Check {key}")
    for name, condition in jobs.items():
        found[job_id(name)] = (condition, f'Job "{name}"')
    return {
        key: checked(given, f"{what}: automation_condition")
        for key, (given, what) in found.items()
        if given is not None
    }


def bind_conditions(
    conditions: Mapping[str, AutomationCondition], graph: AssetGraph, jobs: Mapping[str, JobDefinition]
) -> dict[str, AutomationCondition]:
    """The conditions as they are evaluated.

    Args:
        conditions: The conditions as users gave them, by entity id.
        graph: The assets and checks.
        jobs: The jobs, by name.

    Raises:
        DefinitionError: One names an asset that there is not.
    """
    binder = _Binder(graph, jobs)
    return {key: binder.bind(key, each) for key, each in conditions.items()}


def root_assets(job: JobDefinition) -> Iterator[str]:
    """The assets of a job that depend on none of its others; of a job of ops, none."""
    layer = job.asset_layer
    if layer is not None:
        for key in layer.graph.assets:
            if key in layer.assets and not any(dep in layer.assets for dep in layer.graph.assets[key].deps):
                yield key


def as_record(condition: AutomationCondition) -> Any:
    """The condition as a description carries it: what users wrote is named and not contained."""
    if condition.is_record:
        return condition.mapped(as_record)
    return CustomCondition(kind=type(condition).__qualname__, label=condition.get_label())


class _Binder:
    def __init__(self, graph: AssetGraph, jobs: Mapping[str, JobDefinition]) -> None:
        self._graph = graph
        self._jobs = jobs
        self._same: dict[AutomationCondition, AutomationCondition] = {}
        self._free: set[int] = set()
        self._selected: dict[int, tuple[frozenset[str], Any]] = {}

    def bind(self, key: str, given: AutomationCondition) -> AutomationCondition:
        condition = self._one(given)
        if id(condition) in self._free:
            return condition
        if not any(_is_bound_here(each) for each in condition.walk()):
            self._free.add(id(condition))
            return condition
        try:
            return self._one(self._bound(condition, {key}))
        except (NotFoundError, DefinitionError) as error:
            raise DefinitionError(f"The automation condition of {key}: {error}") from error

    def _one(self, condition: AutomationCondition) -> AutomationCondition:
        """One object for all equal conditions."""
        try:
            return self._same.setdefault(condition, condition)
        except TypeError:  # a user's own condition that cannot be hashed
            return condition

    def _bound(self, condition: AutomationCondition, entities: set[str]) -> AutomationCondition:
        """A condition with its selections bound to what it is asked for."""
        below = entities
        match condition:
            case AnyDeps() | AllDeps():
                below = {dep for each in entities for dep in self._deps(each)}
            case AnyChecks() | AllChecks():
                below = {check_id(check) for each in entities for check in self._checks(each)}
            case AnyDownstream():
                below = set(self._graph.assets)
            case EntityMatches():
                if condition.key not in self._graph.assets:
                    raise DefinitionError(
                        f"It asks about the asset {condition.key}, which is not there"
                        f"{self._graph.nearest(condition.key)}"
                    )
                below = {condition.key}
            case JobRoots():
                below = {root for each in entities for root in root_assets(self._jobs[each.removeprefix("job ")])}
        if isinstance(condition, Scoped) and (condition.allowed is not None or condition.ignored is not None):
            if condition.allowed is not None:
                below = below & self._keys(condition.allowed)
            if condition.ignored is not None:
                below = below - self._keys(condition.ignored)
            condition = msgspec.structs.replace(
                condition,
                only=tuple(sorted(below)),
                allowed=_text(condition.allowed),
                ignored=_text(condition.ignored),
            )
        return condition.mapped(lambda child: self._bound(child, below))

    def _deps(self, entity: str) -> Iterable[str]:
        if entity in self._graph.assets:
            return self._graph.assets[entity].deps
        check = self._graph.checks.get(entity.removeprefix("check "))
        return () if check is None else (check.asset, *check.deps)

    def _checks(self, asset: str) -> Iterable[str]:
        return self._graph.assets[asset].checks if asset in self._graph.assets else ()

    def _keys(self, selection: Any) -> frozenset[str]:
        """The ids of the assets and checks of a selection."""
        known = self._selected.get(id(selection))
        if known is None:
            chosen = AssetSelection.from_coercible(selection)
            checks = {check_id(check) for check in chosen.resolve_checks(self._graph)}
            known = self._selected[id(selection)] = (frozenset(chosen.keys_in(self._graph) | checks), selection)
        return known[0]


def _is_bound_here(condition: AutomationCondition) -> bool:
    if isinstance(condition, Scoped):
        return condition.allowed is not None or condition.ignored is not None
    return isinstance(condition, EntityMatches)


def _text(selection: Any) -> str | None:
    return None if selection is None else AssetSelection.from_coercible(selection).to_text()
