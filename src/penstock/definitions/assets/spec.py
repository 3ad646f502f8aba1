"""What is said of an asset without the code that makes it: its key, dependencies, group, tags and partitions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...partitions.mapping import PartitionMapping
from ...records.conditions.condition import AutomationCondition
from ...records.freshness import AnyFreshnessPolicy
from ...records.keys import AssetKey, CoercibleToAssetKey
from ...records.labels import LABELS
from ...records.metadata import Metadata, normalize_metadata
from ..function import UNKNOWN
from ..names import check_owners, kinds_as_tags, normalize_tags
from ..ops.ports import NO_METADATA
from ..source import place_of_call
from .backfill_policy import BackfillPolicy

__all__ = ["DEFAULT_GROUP", "AssetDep", "AssetIn", "AssetOut", "AssetSpec", "CoercibleToAssetDep", "to_deps"]

DEFAULT_GROUP = "default"
IO_MANAGER_KEY = "penstock/io_manager_key"
"""The label of the metadata that names the resource which loads an asset's values."""
_GROUP = re.compile(r"[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*")
_KEEP: Any = msgspec.UNSET


class AssetDep(msgspec.Struct, frozen=True):
    """A dependency on an asset, without loading its value.

    Args:
        asset: The asset: its key, or its definition.
        partition_mapping: Which of its partitions a partition of the dependent needs; None is the default rule.
        metadata: Facts about the dependency.
    """

    asset: Any
    partition_mapping: Any = None
    metadata: Mapping[str, Any] = NO_METADATA

    def __post_init__(self) -> None:
        if self.partition_mapping is not None and not isinstance(self.partition_mapping, PartitionMapping):
            raise DefinitionError(
                f"The dependency on {self.asset!r}{place_of_call()} has the partition_mapping "
                f"{self.partition_mapping!r}; give a PartitionMapping, for example IdentityPartitionMapping()."
            )

    @property
    def asset_key(self) -> AssetKey:
        """The key of the asset."""
        return self.asset if isinstance(self.asset, AssetKey) else _one_key(self.asset)


CoercibleToAssetDep: TypeAlias = Any
"""A key, a text of one part, a sequence of parts, an `AssetSpec`, an `AssetsDefinition` or an `AssetDep`."""


def to_deps(given: Iterable[CoercibleToAssetDep] | None, what: str) -> tuple[AssetDep, ...]:
    """Dependencies in their one form, each asset once.

    Raises:
        DefinitionError: One is given in two ways, or is nothing that names an asset.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        raise DefinitionError(f"{what} has the text {given!r} as its deps; give a list, even for one.")
    result: dict[str, AssetDep] = {}
    for each in given:
        for dep in _deps_of(each, what):
            text = dep.asset_key.to_user_string()
            if result.setdefault(text, dep) != dep:
                raise DefinitionError(f"{what} names {text} twice among its deps, in two ways; keep one of them.")
    return tuple(result.values())


def _deps_of(given: CoercibleToAssetDep, what: str) -> Iterable[AssetDep]:
    if not isinstance(given, AssetDep):
        return [AssetDep(key) for key in _keys(given, what)]
    if isinstance(given.asset, AssetKey):
        return (given,)
    return [AssetDep(key, given.partition_mapping, given.metadata) for key in _keys(given.asset, what)]


def _keys(given: Any, what: str) -> Iterable[AssetKey]:
    if isinstance(given, AssetKey):
        return (given,)
    if isinstance(given, str) or (isinstance(given, list | tuple) and all(isinstance(part, str) for part in given)):
        return (AssetKey.from_coercible(given),)
    keys: Any = getattr(given, "keys", None)
    if isinstance(given, AssetSpec):
        return (given.key,)
    if isinstance(keys, frozenset | set):
        return sorted(keys)
    raise DefinitionError(f"{what} depends on {given!r}; name an asset by its key, its AssetSpec or its definition.")


def _one_key(given: Any) -> AssetKey:
    keys = list(_keys(given, "An AssetDep"))
    if len(keys) != 1:
        raise DefinitionError(f"An AssetDep needs one asset, but {given!r} is {len(keys)}; name the one that is meant.")
    return keys[0]


class AssetSpec:
    """What is said of an asset without the code that makes it.

    Args:
        key: Its key.
        deps: The assets that it depends on.
        description: What it holds.
        metadata: Facts about it; `penstock/io_manager_key` names the resource that loads its values.
        skippable: Whether a run may leave it out.
        group_name: The group that it is shown in.
        code_version: The version of the code that makes it.
        owners: Who answers for it: e-mail addresses or `team:name`.
        tags: Its tags.
        kinds: What it is or is made with, for its icons; at most three.
        partitions_def: Its partitions.
        automation_condition: When it is made without being asked for.
        freshness_policy: How fresh it shall be.
        is_virtual: Whether it is a view: it holds no data of its own, so its data is as new as what it depends on.

    Raises:
        DefinitionError: A part is not valid.
    """

    __slots__ = (
        "automation_condition",
        "code_version",
        "deps",
        "description",
        "freshness_policy",
        "group_name",
        "io_manager_key",
        "is_virtual",
        "key",
        "metadata",
        "owners",
        "partitions_def",
        "skippable",
        "tags",
    )

    def __init__(
        self,
        key: CoercibleToAssetKey,
        *,
        deps: Iterable[CoercibleToAssetDep] | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        skippable: bool = False,
        group_name: str | None = None,
        code_version: str | None = None,
        owners: Sequence[str] | None = None,
        tags: Mapping[str, str] | None = None,
        kinds: Iterable[str] | None = None,
        partitions_def: PartitionsDefinition | None = None,
        automation_condition: Any = None,
        freshness_policy: AnyFreshnessPolicy | None = None,
        is_virtual: bool = False,
    ) -> None:
        self.key = AssetKey.from_coercible(key)
        what = f"Asset {self.key.to_user_string()}"
        self.deps = to_deps(deps, what)
        self.description = description
        self.metadata: Mapping[str, Any] = metadata if metadata is not None else NO_METADATA
        self.skippable = skippable
        self.group_name = check_group(group_name, what)
        self.code_version = code_version
        self.owners = check_owners(owners, what) if owners else ()
        self.tags = normalize_tags(tags, what) if tags else {}
        if kinds:
            self.tags |= kinds_as_tags(kinds, what)
        if partitions_def is not None and not isinstance(partitions_def, PartitionsDefinition):
            raise DefinitionError(
                f"{what}{place_of_call()} has {partitions_def!r} as its partitions_def; give a PartitionsDefinition."
            )
        self.partitions_def = partitions_def
        if automation_condition is not None and not isinstance(automation_condition, AutomationCondition):
            raise DefinitionError(
                f"{what}{place_of_call()} has {automation_condition!r} as its automation_condition; give an "
                "AutomationCondition, for example AutomationCondition.eager()."
            )
        self.automation_condition = automation_condition
        if freshness_policy is not None and not isinstance(freshness_policy, AnyFreshnessPolicy):
            raise DefinitionError(
                f"{what}{place_of_call()} has {freshness_policy!r} as its freshness_policy; give a FreshnessPolicy."
            )
        self.freshness_policy = freshness_policy
        self.is_virtual = is_virtual
        self.io_manager_key: str | None = next(
            (value for label, value in self.metadata.items() if LABELS.read(label) == IO_MANAGER_KEY), None
        )

    @property
    def kinds(self) -> set[str]:
        """What it is or is made with."""
        return {tag.removeprefix("penstock/kind/") for tag in self.tags if tag.startswith("penstock/kind/")}

    def normalized_metadata(self) -> Metadata:
        """The facts about it as typed values."""
        return normalize_metadata(self.metadata) if self.metadata else {}

    def replace_attributes(
        self,
        *,
        key: CoercibleToAssetKey = _KEEP,
        deps: Iterable[CoercibleToAssetDep] | None = _KEEP,
        description: str | None = _KEEP,
        metadata: Mapping[str, Any] | None = _KEEP,
        skippable: bool = _KEEP,
        group_name: str | None = _KEEP,
        code_version: str | None = _KEEP,
        owners: Sequence[str] | None = _KEEP,
        tags: Mapping[str, str] | None = _KEEP,
        kinds: Iterable[str] | None = _KEEP,
        partitions_def: PartitionsDefinition | None = _KEEP,
        automation_condition: Any = _KEEP,
        freshness_policy: AnyFreshnessPolicy | None = _KEEP,
        is_virtual: bool = _KEEP,
    ) -> AssetSpec:
        """This spec with the given parts in the place of its own."""

        def choose(given: Any, present: Any) -> Any:
            return present if given is _KEEP else given

        own_tags = {tag: value for tag, value in self.tags.items() if not tag.startswith("penstock/kind/")}
        made = AssetSpec(
            choose(key, self.key),
            deps=choose(deps, self.deps),
            description=choose(description, self.description),
            metadata=choose(metadata, self.metadata),
            skippable=choose(skippable, self.skippable),
            group_name=choose(group_name, self.group_name),
            code_version=choose(code_version, self.code_version),
            owners=choose(owners, self.owners),
            tags=choose(tags, own_tags),
            kinds=choose(kinds, self.kinds),
            partitions_def=choose(partitions_def, self.partitions_def),
            automation_condition=choose(automation_condition, self.automation_condition),
            freshness_policy=choose(freshness_policy, self.freshness_policy),
            is_virtual=choose(is_virtual, self.is_virtual),
        )
        made.io_manager_key = made.io_manager_key or self.io_manager_key
        return made

    def merge_attributes(
        self,
        *,
        deps: Iterable[CoercibleToAssetDep] = (),
        metadata: Mapping[str, Any] = NO_METADATA,
        owners: Sequence[str] = (),
        tags: Mapping[str, str] = NO_METADATA,
        kinds: Iterable[str] = (),
    ) -> AssetSpec:
        """This spec with the given parts added to its own."""
        present = {dep.asset_key: dep for dep in self.deps}
        added = {dep.asset_key: dep for dep in to_deps(deps, f"Asset {self.key}")}
        return self.replace_attributes(
            deps=(present | added).values(),
            metadata={**self.metadata, **metadata},
            owners=list(dict.fromkeys([*self.owners, *owners])),
            tags={**{tag: each for tag, each in self.tags.items() if not tag.startswith("penstock/kind/")}, **tags},
            kinds=self.kinds | set(kinds),
        )

    def with_io_manager_key(self, io_manager_key: str) -> AssetSpec:
        """This spec with the resource that loads its values."""
        made = self.replace_attributes()
        made.io_manager_key = io_manager_key
        return made

    def moved(self, keys: Mapping[str, AssetKey]) -> AssetSpec:
        """This spec with new keys, by the text form of the old ones, for itself and what it depends on."""
        own = self.key.to_user_string()
        deps = [
            AssetDep(keys.get(dep.asset_key.to_user_string(), dep.asset_key), dep.partition_mapping, dep.metadata)
            for dep in self.deps
        ]
        return self.replace_attributes(key=keys.get(own, self.key), deps=deps)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetSpec) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"AssetSpec({self.key!r})"


class AssetIn(msgspec.Struct, frozen=True):
    """How a parameter of an asset's function is loaded from an upstream asset.

    Args:
        key: The upstream asset; the parameter's name if not given.
        metadata: Facts that the IO manager can read when it loads the value.
        key_prefix: Parts to put before the parameter's name, in place of a key.
        input_manager_key: The resource that loads it, instead of the upstream asset's IO manager.
        partition_mapping: Which upstream partitions a partition needs; None is the default rule.
        python_type: What the value is; the parameter's annotation if not given.
    """

    key: CoercibleToAssetKey | None = None
    metadata: Mapping[str, Any] = NO_METADATA
    key_prefix: str | Sequence[str] | None = None
    input_manager_key: str | None = None
    partition_mapping: Any = None
    python_type: Any = UNKNOWN

    def __post_init__(self) -> None:
        if self.key is not None and self.key_prefix is not None:
            raise DefinitionError(f"An AssetIn has the key {self.key!r} and a key_prefix; give one of them.")

    def key_for(self, parameter: str) -> AssetKey | None:
        """The upstream key, or None if only the parameter's name says it."""
        if self.key is not None:
            return AssetKey.from_coercible(self.key)
        return None if self.key_prefix is None else AssetKey([parameter]).with_prefix(self.key_prefix)


class AssetOut(msgspec.Struct, frozen=True):
    """One of several assets that a function makes.

    Args:
        key_prefix: Parts to put before the output's name.
        key: Its whole key, in place of prefix and name.
        python_type: What its value is; `Nothing` stores no value.
        description: What it holds.
        is_required: Whether the function must give it.
        io_manager_key: The resource that stores it.
        metadata: Facts about it.
        group_name: The group that it is shown in.
        code_version: The version of the code that makes it.
        owners: Who answers for it.
        tags: Its tags.
        kinds: What it is or is made with.
        backfill_policy: How a backfill cuts its partitions into runs; the same for all outputs.
        automation_condition: When it is made without being asked for.
        freshness_policy: How fresh it shall be.
        is_virtual: Whether it is a view, without data of its own.
    """

    key_prefix: str | Sequence[str] | None = None
    key: CoercibleToAssetKey | None = None
    python_type: Any = UNKNOWN
    description: str | None = None
    is_required: bool = True
    io_manager_key: str = "io_manager"
    metadata: Mapping[str, Any] = NO_METADATA
    group_name: str | None = None
    code_version: str | None = None
    owners: Sequence[str] | None = None
    tags: Mapping[str, str] | None = None
    kinds: Iterable[str] | None = None
    backfill_policy: BackfillPolicy | None = None
    automation_condition: Any = None
    freshness_policy: AnyFreshnessPolicy | None = None
    is_virtual: bool = False
    _deps: tuple[AssetDep, ...] = ()
    _partitions_def: PartitionsDefinition | None = None

    @staticmethod
    def from_spec(
        spec: AssetSpec,
        python_type: Any = UNKNOWN,
        is_required: bool = True,
        io_manager_key: str | None = None,
        backfill_policy: BackfillPolicy | None = None,
    ) -> AssetOut:
        """The output that makes the asset of a spec.

        Args:
            spec: The asset; what it depends on is added to what the function loads.
            python_type: What its value is; `Nothing` stores no value.
            is_required: Whether the function must give it, unless the spec is skippable.
            io_manager_key: The resource that stores it; the spec's if not given.
            backfill_policy: How a backfill cuts its partitions into runs.
        """
        own_tags = {tag: value for tag, value in spec.tags.items() if not tag.startswith("penstock/kind/")}
        return AssetOut(
            key=spec.key,
            python_type=python_type,
            description=spec.description,
            is_required=is_required and not spec.skippable,
            io_manager_key=io_manager_key or spec.io_manager_key or "io_manager",
            metadata=spec.metadata,
            group_name=spec.group_name,
            code_version=spec.code_version,
            owners=spec.owners,
            tags=own_tags,
            kinds=spec.kinds,
            backfill_policy=backfill_policy,
            automation_condition=spec.automation_condition,
            freshness_policy=spec.freshness_policy,
            is_virtual=spec.is_virtual,
            _deps=spec.deps,
            _partitions_def=spec.partitions_def,
        )

    def spec(self, name: str, deps: Iterable[AssetDep], partitions_def: PartitionsDefinition | None) -> AssetSpec:
        """The spec of the asset, for the output of that name."""
        key = AssetKey([name]) if self.key is None else AssetKey.from_coercible(self.key)
        return AssetSpec(
            key.with_prefix(self.key_prefix) if self.key_prefix and self.key is None else key,
            deps={dep.asset_key: dep for dep in (*deps, *self._deps)}.values(),
            description=self.description,
            metadata=self.metadata,
            skippable=not self.is_required,
            group_name=self.group_name,
            code_version=self.code_version,
            owners=self.owners,
            tags=self.tags,
            kinds=self.kinds,
            partitions_def=partitions_def or self._partitions_def,
            automation_condition=self.automation_condition,
            freshness_policy=self.freshness_policy,
            is_virtual=self.is_virtual,
        )


def check_group(name: str | None, what: str) -> str | None:
    """The group's name if it is valid; raises `DefinitionError` otherwise."""
    if name is None or _GROUP.fullmatch(name):
        return name
    raise DefinitionError(f"{what}{place_of_call()} has the group {name!r}; use letters, digits and underscores.")
