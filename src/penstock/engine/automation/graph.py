"""What conditions are evaluated over: assets, checks and jobs, how they depend on each other, and who watches whom.

It is made once for each load of the code and holds nothing that changes with time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Any

import msgspec

from ...codec import digest
from ...partitions.mapping import ClosedMapping
from ...partitions.spec import PartitionsSpec
from ...records.conditions.condition import AutomationCondition
from ...records.conditions.nodes import (
    AllChecks,
    AllDeps,
    AnyChecks,
    AnyDeps,
    AnyDownstream,
    CronTickPassed,
    EntityMatches,
    FreshnessIs,
    JobRoots,
)
from ...records.freshness import AnyFreshnessPolicy

__all__ = ["AutomationGraph", "Dependency", "Entity", "Kind"]

_DIGEST = 12  # hex digits


class Kind(StrEnum):
    """What can have a condition."""

    ASSET = "ASSET"
    CHECK = "CHECK"
    JOB = "JOB"


class Dependency(msgspec.Struct, frozen=True):
    """An asset that an entity depends on, and which of its partitions; a mapping of None is the default one."""

    id: str
    mapping: ClosedMapping | None = None


class Entity(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """An asset, check or job.

    Args:
        id: Its id, see `records/conditions/entity`.
        kind: What it is.
        condition: When it is run; None leaves that to people. Its selections are bound to this entity.
        deps: What it depends on; a check depends on its asset too.
        dependents: Assets and checks that depend on it.
        checks: The ids of an asset's checks.
        blocking: Whether a check is blocking.
        partitions: Its partitions.
        code_version: An asset's code version.
        observed: Whether what runs here observes the asset and does not make it.
        siblings: The assets that the same function cannot but make with it.
        roots: The assets of a job that depend on none of its others.
        partitions_per_run: How many partitions next to each other a run may update; None for any number.
        freshness: How fresh an asset shall be.
    """

    id: str
    kind: Kind = Kind.ASSET
    condition: AutomationCondition | None = None
    deps: tuple[Dependency, ...] = ()
    dependents: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    blocking: bool = False
    partitions: PartitionsSpec | None = None
    code_version: str | None = None
    observed: bool = False
    siblings: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    partitions_per_run: int | None = 1
    freshness: AnyFreshnessPolicy | None = None


class AutomationGraph:
    """All entities by id, each after those that it depends on, and the check of an asset before its dependents.

    Args:
        entities: Them, in that order.
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self.entities: dict[str, Entity] = {each.id: each for each in entities}
        self._digests: dict[int, tuple[str, AutomationCondition]] = {}

    @cached_property
    def roots(self) -> dict[str, Entity]:
        """Those that have a condition, in order."""
        return {key: each for key, each in self.entities.items() if each.condition is not None}

    @cached_property
    def watchers(self) -> Mapping[str, tuple[str, ...]]:
        """For each entity, those whose conditions look at it."""
        found: dict[str, dict[str, None]] = {}
        for root in self.roots.values():
            assert root.condition is not None
            for seen in self._reach(root.condition, root.id):
                found.setdefault(seen, {})[root.id] = None
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def restless(self) -> frozenset[str]:
        """Those whose conditions may change without any stored fact: users' own ones, and freshness."""
        return frozenset(
            root.id for root in self.roots.values() if any(self._is_restless(each) for each in self.conditions(root.id))
        )

    @cached_property
    def crons(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """For each cron text and zone, those whose conditions name it."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for root in self.roots.values():
            for each in self.conditions(root.id):
                if isinstance(each, CronTickPassed):
                    found.setdefault((each.cron_schedule, each.cron_timezone), {})[root.id] = None
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def fingerprint(self) -> str:
        """A content hash of all that evaluations depend on; another one means that the code has changed."""
        return digest(
            [
                (
                    each.id,
                    self.digest_of(each.condition) if each.condition is not None else None,
                    [dep.id for dep in each.deps],
                    each.code_version,
                )
                for each in self.entities.values()
            ]
        )

    def conditions(self, key: str) -> Iterable[AutomationCondition]:
        """All parts of an entity's condition, those of assets downstream included where it asks for them."""
        condition = self.entities[key].condition
        if condition is None:
            return
        for each in condition.walk():
            yield each
            if isinstance(each, AnyDownstream):
                for borrowed in self.downstream_conditions(key, each):
                    yield from borrowed.walk()

    def downstream_conditions(self, key: str, asked: AnyDownstream) -> list[AutomationCondition]:
        """The different conditions of all assets downstream that ask for none themselves."""
        found: dict[str, AutomationCondition] = {}
        seen = {key}
        waiting = list(self.entities[key].dependents)
        while waiting:
            entity = self.entities[waiting.pop()]
            if entity.id in seen or (asked.only is not None and entity.id not in asked.only):
                continue
            seen.add(entity.id)
            waiting += entity.dependents
            condition = entity.condition
            if condition is not None and not any(isinstance(each, AnyDownstream) for each in condition.walk()):
                found[self.digest_of(condition)] = condition
        return list(found.values())

    def digest_of(self, condition: AutomationCondition) -> str:
        """A short content hash of a condition; that of one which users wrote is of its class and its words."""
        # By identity, because what users wrote need not be hashable; the object is kept so that its id stays its own.
        known = self._digests.get(id(condition))
        if known is None:
            known = self._digests[id(condition)] = (digest(_content(condition))[:_DIGEST], condition)
        return known[0]

    def _reach(self, condition: AutomationCondition, key: str) -> Iterable[str]:
        yield key
        entity = self.entities.get(key)
        if entity is None:
            return
        match condition:
            case AnyDeps() | AllDeps():
                for dep in self.deps(entity, condition):
                    yield from self._reach(condition.operand, dep.id)
            case AnyChecks() | AllChecks():
                for check in self.checks(entity, condition):
                    yield from self._reach(condition.operand, check)
            case EntityMatches():
                yield from self._reach(condition.operand, condition.key)
            case JobRoots():
                for root in entity.roots:
                    yield from self._reach(condition.operand, root)
            case AnyDownstream():
                for borrowed in self.downstream_conditions(key, condition):
                    yield from self._reach(borrowed, key)
            case _:
                for child in condition.children:
                    yield from self._reach(child, key)

    def deps(self, entity: Entity, condition: AnyDeps | AllDeps) -> Iterable[Dependency]:
        """The dependencies that a condition looks at."""
        only = condition.only
        return entity.deps if only is None else [each for each in entity.deps if each.id in only]

    def checks(self, entity: Entity, condition: AnyChecks | AllChecks) -> Iterable[str]:
        """The checks that a condition looks at."""
        return [
            each
            for each in entity.checks
            if (condition.only is None or each in condition.only)
            and (self.entities[each].blocking or not condition.blocking_only)
        ]

    @staticmethod
    def _is_restless(condition: AutomationCondition) -> bool:
        return isinstance(condition, FreshnessIs) or not isinstance(condition, msgspec.Struct)


def _content(condition: AutomationCondition) -> Any:
    """A condition as plain values; labels are no part of what it means."""
    if not isinstance(condition, msgspec.Struct):
        kind = type(condition)
        return [f"{kind.__module__}.{kind.__qualname__}", [_content(each) for each in condition.children]]
    fields: dict[str, Any] = {}
    for name in condition.__struct_fields__:
        value = getattr(condition, name)
        if isinstance(value, AutomationCondition):
            fields[name] = _content(value)
        elif name == "operands":
            fields[name] = [_content(each) for each in value]
        elif name not in {"label", "allowed", "ignored"}:
            fields[name] = value
    return [condition.__struct_config__.tag, fields]
