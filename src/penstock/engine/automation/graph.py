"""What conditions are evaluated over: assets, checks and jobs, how they depend on each other, and who watches whom.

It is made once for each load of the code and holds nothing that changes with time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeAlias

import msgspec

from ...codec import digest
from ...partitions.mapping import ClosedMapping
from ...partitions.spec import PartitionsSpec
from ...records.conditions.condition import AutomationCondition
from ...records.conditions.nodes import (
    AllChecks,
    AllDeps,
    And,
    AnyChecks,
    AnyDeps,
    AnyDownstream,
    BackfillInProgress,
    CheckResultIs,
    CronTickPassed,
    DataVersionChanged,
    EntityMatches,
    ExecutionFailed,
    InitialEvaluation,
    InLatestTimeWindow,
    JobRoots,
    LatestRunTags,
    Missing,
    NewlyRequested,
    NewlyTrue,
    NewlyUpdated,
    NewUpdateTags,
    Not,
    Or,
    RootTarget,
    RunInProgress,
    Since,
    WillBeRequested,
    tag_of,
)
from ...records.freshness import AnyFreshnessPolicy

__all__ = ["AutomationGraph", "Dependency", "Entity", "Kin", "Kind"]

_DIGEST = 12  # hex digits

_QUESTIONS: frozenset[type] = frozenset(
    {
        BackfillInProgress,
        CheckResultIs,
        CronTickPassed,
        DataVersionChanged,
        ExecutionFailed,
        InLatestTimeWindow,
        InitialEvaluation,
        LatestRunTags,
        Missing,
        NewUpdateTags,
        NewlyRequested,
        NewlyUpdated,
        RootTarget,
        RunInProgress,
        WillBeRequested,
    }
)
_HOPS: frozenset[type] = frozenset({AllChecks, AllDeps, AnyChecks, AnyDeps, EntityMatches, JobRoots})
_SAME_FOR_ALL = _QUESTIONS - {LatestRunTags, RootTarget, WillBeRequested}
_LEAVE_NOTHING = _QUESTIONS | _HOPS | {And, Not, Or}
_FOLLOW_FROM_ANSWERS = _LEAVE_NOTHING | {NewlyTrue, Since}

Path: TypeAlias = tuple[AutomationCondition, ...]
"""How to get from one entity to others: hops over dependencies, checks, root assets, or to a named asset."""


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
        partitions_def: The same as users declare it, which conditions of their own see.
        code_version: An asset's code version.
        observed: Whether what runs here observes the asset and does not make it.
        materializable: Whether what runs here makes the asset.
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
    partitions_def: Any = None
    code_version: str | None = None
    observed: bool = False
    materializable: bool = True
    siblings: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    partitions_per_run: int | None = 1
    freshness: AnyFreshnessPolicy | None = None


class Kin(msgspec.Struct, frozen=True):
    """A root with what its condition asks about.

    Args:
        shape: The same number for all roots of one condition that are alike in this: how many entities it asks about,
            of what kind and with which partitions they are, and which part of the condition asks about which of them.
        entities: The root, and then the others: those of two roots of one shape correspond, one by one.
    """

    shape: int
    entities: tuple[Entity, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the entities."""
        return tuple(each.id for each in self.entities)


class AutomationGraph:
    """All entities by id, each after those that it depends on, and the check of an asset before its dependents.

    Args:
        entities: Them, in that order.
    """

    def __init__(self, entities: Iterable[Entity]) -> None:
        self.entities: dict[str, Entity] = {each.id: each for each in entities}
        self._known_looks: dict[int, _Look] = {}
        self._digests: dict[int, tuple[str, AutomationCondition]] = {}
        self._names: dict[int, tuple[str, str, AutomationCondition]] = {}
        self._known_effects: dict[int, tuple[bool, AutomationCondition]] = {}

    def prepare(self) -> None:
        """Work out now what is else worked out when it is first asked for."""
        _ = (self.roots, self.assets, self.watchers, self.restless, self.crons, self.partition_sets, self.fingerprint)
        _ = self.kin

    @cached_property
    def roots(self) -> dict[str, Entity]:
        """Those that have a condition, in order."""
        return {key: each for key, each in self.entities.items() if each.condition is not None}

    @cached_property
    def assets(self) -> Sequence[str]:
        """The ids of all assets, in order."""
        return [key for key, each in self.entities.items() if each.kind is Kind.ASSET]

    @cached_property
    def watchers(self) -> Mapping[str, tuple[str, ...]]:
        """For each entity, those whose conditions look at it."""
        found: dict[str, dict[str, None]] = {}
        for root in self.roots.values():
            for seen in {
                each for asked, look in self._looks(root) for path in look.paths for each in self._follow(asked, path)
            }:
                found.setdefault(seen, {})[root.id] = None
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def restless(self) -> frozenset[str]:
        """Those whose conditions may change without any stored fact: users' own ones."""
        return frozenset(root.id for root in self.roots.values() if any(look.restless for _, look in self._looks(root)))

    @cached_property
    def crons(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """For each cron text and zone, those whose conditions name it."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for root in self.roots.values():
            for cron in {each for _, look in self._looks(root) for each in look.crons}:
                found.setdefault(cron, {})[root.id] = None
        return {key: tuple(each) for key, each in found.items()}

    @cached_property
    def partition_sets(self) -> Mapping[str, tuple[str, ...]]:
        """For each set of partitions, by its content hash, the entities that have it and that conditions look at."""
        found: dict[PartitionsSpec, list[str]] = {}
        for key in self.watchers:
            entity = self.entities.get(key)
            if entity is not None and entity.partitions is not None:
                found.setdefault(entity.partitions, []).append(key)
        return {digest(spec)[:_DIGEST]: tuple(each) for spec, each in found.items()}

    @cached_property
    def kin(self) -> Mapping[str, Kin]:
        """The kin of each root that has the shape of another one, and whose evaluation follows from the answers to
        questions and from what it remembers."""
        shapes: dict[tuple[Any, ...], list[tuple[Entity, ...]]] = {}
        for root in self.roots.values():
            assert root.condition is not None
            look = self._look(root.condition)
            ends = [self._follow(root.id, path) for path in look.paths] if look.is_near else []
            places = {
                key: place
                for place, key in enumerate(dict.fromkeys([root.id, *(key for each in ends for key in each)]))
            }
            if not look.is_near or not places.keys() <= self.entities.keys():
                continue
            entities = tuple([self.entities[key] for key in places])
            shape = (
                id(root.condition),
                tuple([(each.kind, each.partitions) for each in entities]),
                tuple([tuple([places[key] for key in each]) for each in ends]),
                tuple([(places.get(dep.id), dep.mapping) for dep in root.deps]),
            )
            shapes.setdefault(shape, []).append(entities)
        several = [each for each in shapes.values() if len(each) > 1]
        return {alike[0].id: Kin(number, alike) for number, each in enumerate(several) for alike in each}

    @cached_property
    def fingerprint(self) -> str:
        """A content hash of all that evaluations depend on; another one means that the code has changed."""
        specs = {each.partitions for each in self.entities.values() if each.partitions is not None}
        names = {spec: digest(spec) for spec in specs}
        return digest(
            [
                (
                    each.id,
                    self.digest_of(each.condition) if each.condition is not None else None,
                    [dep.id for dep in each.deps],
                    each.code_version,
                    names[each.partitions] if each.partitions is not None else None,
                    each.observed,
                    each.freshness,
                )
                for each in self.entities.values()
            ]
        )

    def _looks(self, root: Entity) -> list[tuple[str, _Look]]:
        """What a root's condition looks at, and with it the conditions of assets downstream where it asks for them:
        each with the entity that it is asked about."""
        assert root.condition is not None
        own = self._look(root.condition)
        borrowed = [
            (key, self._look(each))
            for path, asked in own.downstream
            for key in self._follow(root.id, path)
            if key in self.entities
            for each in self.downstream_conditions(key, asked)
        ]
        return [(root.id, own), *borrowed]

    def _look(self, condition: AutomationCondition) -> _Look:
        known = self._known_looks.get(id(condition))
        if known is None:
            known = self._known_looks[id(condition)] = _look_of(condition)
        return known

    def _follow(self, key: str, path: Path) -> Iterable[str]:
        """The entities that a path leads to."""
        ends = [key]
        for hop in path:
            ends = [each for key in ends if key in self.entities for each in self._hop(self.entities[key], hop)]
        return ends

    def _hop(self, entity: Entity, hop: AutomationCondition) -> Iterable[str]:
        match hop:
            case AnyDeps() | AllDeps():
                return [dep.id for dep in self.deps(entity, hop)]
            case AnyChecks() | AllChecks():
                return self.checks(entity, hop)
            case EntityMatches():
                return (hop.key,)
            case _:
                return entity.roots

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
        """A short content hash of a condition; that of users' own is of its class and plain attributes."""
        # By identity, because what users wrote need not be hashable; the object is kept so that its id stays its own.
        known = self._digests.get(id(condition))
        if known is None:
            known = self._digests[id(condition)] = (digest(_content(condition))[:_DIGEST], condition)
        return known[0]

    def names_of(self, condition: AutomationCondition) -> tuple[str, str]:
        """How a condition is called, and the tag of its class; `custom` for one that users wrote."""
        known = self._names.get(id(condition))
        if known is None:
            kind = tag_of(condition) if condition.is_record else "custom"
            known = self._names[id(condition)] = (condition.words, kind, condition)
        return known[:2]

    def leaves_nothing(self, condition: AutomationCondition) -> bool:
        """Whether an evaluation of a condition comes to an answer and does nothing else: no part of it remembers
        anything, or says when it changes by time alone."""
        known = self._known_effects.get(id(condition))
        if known is None:
            found = ({type(each) for each in condition.walk()} <= _LEAVE_NOTHING, condition)
            known = self._known_effects[id(condition)] = found
        return known[0]

    @staticmethod
    def is_same_for_all(question: AutomationCondition) -> bool:
        """Whether the answer to a question about an entity is the same for all roots, whenever they ask in a tick."""
        return type(question) in _SAME_FOR_ALL

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


class _Look(msgspec.Struct, frozen=True):
    """What a condition looks at besides the entity itself, whatever that is; `is_near` says that this is no more than a
    hop away, and that what it comes to follows from the answers to its questions and from what it remembers."""

    paths: tuple[Path, ...]
    is_near: bool
    crons: frozenset[tuple[str, str]]
    restless: bool
    downstream: tuple[tuple[Path, AnyDownstream], ...]


def _look_of(condition: AutomationCondition) -> _Look:
    places = list(_places(condition, ()))
    parts = [each for _, each in places]
    return _Look(
        paths=tuple(dict.fromkeys(path for path, _ in places)),
        is_near=all(len(path) < 2 and type(each) in _FOLLOW_FROM_ANSWERS for path, each in places),
        crons=frozenset((each.cron_schedule, each.cron_timezone) for each in parts if isinstance(each, CronTickPassed)),
        restless=any(not each.is_record for each in parts),
        downstream=tuple((path, each) for path, each in places if isinstance(each, AnyDownstream)),
    )


def _places(condition: AutomationCondition, path: Path) -> Iterable[tuple[Path, AutomationCondition]]:
    """Each part, after the way to the entities that it is asked about."""
    yield path, condition
    if isinstance(condition, AnyDeps | AllDeps | AnyChecks | AllChecks | EntityMatches | JobRoots):
        # What is asked at the end, and how the hop is called, makes no difference to where it leads.
        hop = msgspec.structs.replace(condition, operand=Missing(), label=None)
        if isinstance(hop, AllDeps):
            hop = AnyDeps(operand=hop.operand, only=hop.only)
        path = (*path, hop)
    for child in condition.children:
        yield from _places(child, path)


def _content(condition: Any) -> Any:
    """A condition as plain values; labels are no part of what it means."""
    if not condition.is_record:
        kind = type(condition)
        given = {name: repr(value) for name, value in getattr(condition, "__dict__", {}).items() if _is_plain(value)}
        return [f"{kind.__module__}.{kind.__qualname__}", given, [_content(each) for each in condition.children]]
    fields: dict[str, Any] = {}
    for name in condition.__struct_fields__:
        value = getattr(condition, name)
        if isinstance(value, AutomationCondition):
            fields[name] = _content(value)
        elif name == "operands":
            fields[name] = [_content(each) for each in value]
        elif name not in {"label", "allowed", "ignored"}:
            fields[name] = value
    return [tag_of(condition), fields]


def _is_plain(value: Any) -> bool:
    """Whether a value is written in the same way in every process."""
    if isinstance(value, tuple | list):
        return all(_is_plain(each) for each in value)
    return value is None or isinstance(value, str | int | float | date | timedelta)
