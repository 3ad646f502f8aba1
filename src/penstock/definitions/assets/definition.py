"""One op or graph with the assets and checks that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import msgspec

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..ops.composition import active
from ..ops.graph import GraphDefinition
from ..ops.hooks import HookDefinition, check_hooks
from ..ops.op import OpDefinition
from ..ops.ports import Out
from ..resources.resource import ResourceDefinition
from ..source import Source
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .spec import DEFAULT_GROUP, AssetSpec

if TYPE_CHECKING:
    from .source_asset import SourceAsset

__all__ = ["AssetInput", "AssetsDefinition"]


class AssetInput(msgspec.Struct, frozen=True):
    """What a parameter of an asset's function is loaded from.

    `key` is in text form; where `exact` is false only the parameter's name says it, and an asset of the same group with
    that last part is meant too. `io_manager_key` is the resource that loads it for a graph, instead of the upstream
    asset's IO manager; for an op, its input says that.
    """

    key: str
    exact: bool
    partition_mapping: Any = None
    io_manager_key: str | None = None


class AssetsDefinition:
    """An op or graph and the assets and checks that it makes. Make one with `@asset`, `@multi_asset` or `@asset_check`.

    Called, it runs its function, as a test does.

    Args:
        keys_by_input_name: By input of the op or graph, the asset that it is loaded from; its name if not given.
        keys_by_output_name: By output, the asset that it makes; its name if not given.
        node_def: The op or graph; if not given, nothing here makes the assets of `specs`.
        partitions_def: The partitions of its assets.
        partition_mappings: By input, which upstream partitions a partition needs.
        asset_deps: By asset, those that it depends on, where it is not every input.
        can_subset: Whether a run may ask for some of the assets.
        resource_defs: Resources of its own.
        group_names_by_key: Groups of the assets.
        metadata_by_key: Facts about the assets.
        tags_by_key: Tags of the assets.
        backfill_policy: How a backfill cuts their partitions into runs.
        descriptions_by_key: Descriptions of the assets.
        check_specs_by_output_name: Checks that it evaluates, by the output that carries the result.
        owners_by_key: Who answers for the assets.
        specs: The assets, one for each output in its order, in place of what is said by key.
        hook_defs: Hooks for its steps.

    Raises:
        DefinitionError: The parts do not fit together.
    """

    node: OpDefinition | GraphDefinition | None
    what: str
    source: Source | None
    specs_by_output: dict[str, AssetSpec]
    inputs: dict[str, AssetInput]
    check_outputs: dict[str, AssetCheckSpec]
    can_subset: bool
    backfill_policy: BackfillPolicy | None
    resource_defs: dict[str, ResourceDefinition]
    hooks: frozenset[HookDefinition]
    observes: bool

    def __init__(
        self,
        *,
        keys_by_input_name: Mapping[str, CoercibleToAssetKey] | None = None,
        keys_by_output_name: Mapping[str, CoercibleToAssetKey] | None = None,
        node_def: OpDefinition | GraphDefinition | None = None,
        partitions_def: PartitionsDefinition | None = None,
        partition_mappings: Mapping[str, Any] | None = None,
        asset_deps: Mapping[AssetKey, Iterable[AssetKey]] | None = None,
        can_subset: bool = False,
        resource_defs: Mapping[str, Any] | None = None,
        group_names_by_key: Mapping[AssetKey, str] | None = None,
        metadata_by_key: Mapping[AssetKey, Mapping[str, Any]] | None = None,
        tags_by_key: Mapping[AssetKey, Mapping[str, str]] | None = None,
        backfill_policy: BackfillPolicy | None = None,
        descriptions_by_key: Mapping[AssetKey, str] | None = None,
        check_specs_by_output_name: Mapping[str, AssetCheckSpec] | None = None,
        owners_by_key: Mapping[AssetKey, Sequence[str]] | None = None,
        specs: Sequence[AssetSpec] | None = None,
        hook_defs: Iterable[HookDefinition] | None = None,
    ) -> None:
        from .from_node import from_node

        made = from_node(
            node_def,
            keys_by_input=keys_by_input_name,
            keys_by_output=keys_by_output_name,
            partitions_def=partitions_def,
            partition_mappings=partition_mappings,
            deps_by_key=asset_deps,
            can_subset=can_subset,
            resource_defs=resource_defs,
            backfill_policy=backfill_policy,
            checks_by_output=check_specs_by_output_name,
            specs=specs,
            hooks=hook_defs,
            about_key={
                "group_name": group_names_by_key,
                "metadata": metadata_by_key,
                "tags": tags_by_key,
                "description": descriptions_by_key,
                "owners": owners_by_key,
            },
        )
        self.__dict__.update(made.__dict__)

    @classmethod
    def of(
        cls,
        node: OpDefinition | GraphDefinition | None,
        *,
        specs: Mapping[str, AssetSpec],
        inputs: Mapping[str, AssetInput],
        what: str | None = None,
        check_outputs: Mapping[str, AssetCheckSpec] | None = None,
        can_subset: bool = False,
        backfill_policy: BackfillPolicy | None = None,
        resource_defs: Mapping[str, ResourceDefinition] | None = None,
        hooks: Iterable[HookDefinition] | None = None,
        observes: bool = False,
    ) -> Self:
        """A definition of parts that fit together.

        Args:
            node: The op or graph; None where nothing here makes the assets.
            specs: Its assets by output.
            inputs: What its inputs are loaded from.
            what: What it is, as messages call it; what its op is if not given.
            check_outputs: Its checks by output.
            can_subset: Whether a run may ask for some of them.
            backfill_policy: How a backfill cuts its partitions into runs.
            resource_defs: Resources of its own.
            hooks: Hooks for its steps.
            observes: Whether it looks at its assets, which something else makes, instead of making them.
        """
        made = object.__new__(cls)
        made.node = node
        made.what = what or (node.what if isinstance(node, OpDefinition) else "An AssetsDefinition")
        made.source = None if node is None else node.source
        made.specs_by_output = dict(specs)
        made.inputs = dict(inputs)
        made.check_outputs = dict(check_outputs or {})
        made.can_subset = can_subset
        made.backfill_policy = backfill_policy
        made.resource_defs = dict(resource_defs or {})
        made.hooks = check_hooks(hooks, made.what)
        made.observes = observes
        return made

    @staticmethod
    def from_graph(graph_def: GraphDefinition, **options: Any) -> AssetsDefinition:
        """Assets made by a graph; the options are those of `from_node.from_graph`."""
        from .from_node import from_graph

        return from_graph(graph_def, **options)

    @staticmethod
    def from_op(op_def: OpDefinition, **options: Any) -> AssetsDefinition:
        """Assets made by an op; the options are those of `from_node.from_op`."""
        from .from_node import from_op

        return from_op(op_def, **options)

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of its op or graph, with which the keys of its steps begin."""
        return self.node_def.name

    @property
    def node_def(self) -> OpDefinition | GraphDefinition:
        """Its op or graph; raises `DefinitionError` if nothing here makes its assets."""
        if self.node is None:
            raise DefinitionError(f"{self.what} only describes assets, so it has no op.")
        return self.node

    @property
    def op(self) -> OpDefinition:
        """Its op; raises `DefinitionError` if it has a graph or nothing in its place."""
        if not isinstance(self.node, OpDefinition):
            raise DefinitionError(f"{self.what} ({self.source}) has no op of its own; use .node_def.")
        return self.node

    @property
    def is_executable(self) -> bool:
        """Whether something here makes, observes or checks its assets."""
        return self.node is not None

    @property
    def is_materializable(self) -> bool:
        """Whether something here makes its assets."""
        return self.node is not None and not self.observes and bool(self.specs_by_output)

    @property
    def is_observable(self) -> bool:
        """Whether it looks at its assets, which something else makes."""
        return self.observes

    def out(self, output: str) -> Out:
        """The output of its op of that name; of a graph, the output of the op inside it that gives the value."""
        node = self.node_def
        while isinstance(node, GraphDefinition):
            inner = node.wiring.returns[output]
            node, output = node.nodes[inner.node].definition, inner.output
        return node.outs[output]

    # -- its assets and checks ----------------------------------------------------------------------------------------

    @property
    def specs(self) -> Iterable[AssetSpec]:
        """The specs of its assets."""
        return self.specs_by_output.values()

    @property
    def keys(self) -> frozenset[AssetKey]:
        """The keys of its assets."""
        return frozenset(spec.key for spec in self.specs_by_output.values())

    @property
    def key(self) -> AssetKey:
        """The key of its one asset; raises `DefinitionError` if it has another number of them."""
        if len(self.specs_by_output) != 1:
            raise DefinitionError(f"{self.what} makes {len(self.specs_by_output)} assets; use .keys.")
        return next(iter(self.specs_by_output.values())).key

    @property
    def keys_by_output_name(self) -> Mapping[str, AssetKey]:
        """The keys of its assets, by output."""
        return {output: spec.key for output, spec in self.specs_by_output.items()}

    @property
    def keys_by_input_name(self) -> Mapping[str, AssetKey]:
        """The keys of the assets that it loads, by input."""
        return {name: AssetKey.from_user_string(given.key) for name, given in self.inputs.items()}

    @property
    def check_specs(self) -> Iterable[AssetCheckSpec]:
        """The specs of its checks."""
        return self.check_outputs.values()

    @property
    def check_keys(self) -> frozenset[AssetCheckKey]:
        """The keys of its checks."""
        return frozenset(spec.key for spec in self.check_outputs.values())

    @property
    def check_key(self) -> AssetCheckKey:
        """The key of its one check; raises `DefinitionError` if it has another number of them."""
        if len(self.check_outputs) != 1:
            raise DefinitionError(f"{self.what} evaluates {len(self.check_outputs)} checks; use .check_keys.")
        return next(iter(self.check_outputs.values())).key

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The partitions of its assets, or of its checks, which are the same for all of them."""
        for spec in self.specs_by_output.values():
            return spec.partitions_def
        for check in self.check_outputs.values():
            return check.partitions_def
        return None

    @property
    def dependency_keys(self) -> frozenset[AssetKey]:
        """The assets that it depends on."""
        return frozenset(dep.asset_key for spec in self.specs for dep in spec.deps)

    @property
    def asset_deps(self) -> Mapping[AssetKey, frozenset[AssetKey]]:
        """For each of its assets, those that it depends on."""
        return {spec.key: frozenset(dep.asset_key for dep in spec.deps) for spec in self.specs}

    @property
    def group_names_by_key(self) -> Mapping[AssetKey, str]:
        """The groups of its assets."""
        return {spec.key: spec.group_name or DEFAULT_GROUP for spec in self.specs}

    @property
    def descriptions_by_key(self) -> Mapping[AssetKey, str | None]:
        """The descriptions of its assets."""
        return {spec.key: spec.description for spec in self.specs}

    @property
    def metadata_by_key(self) -> Mapping[AssetKey, Mapping[str, Any]]:
        """The facts about its assets."""
        return {spec.key: spec.metadata for spec in self.specs}

    @property
    def tags_by_key(self) -> Mapping[AssetKey, Mapping[str, str]]:
        """The tags of its assets."""
        return {spec.key: spec.tags for spec in self.specs}

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """The resources that it needs, those of its IO managers and input managers included."""
        if self.node is None:
            return frozenset(spec.io_manager_key for spec in self.specs if spec.io_manager_key is not None)
        outs = (self.out(name) for name in self.specs_by_output)
        stores = {out.io_manager_key for out in outs if not out.is_nothing}
        loaders = {each.input_manager_key for op in self.ops() for each in op.ins.values() if each.input_manager_key}
        return frozenset(stores.union(loaders, *(op.required_resource_keys for op in self.ops())))

    def ops(self) -> list[OpDefinition]:
        """Its ops: one, or all of its graph."""
        if self.node is None:
            return []
        return [self.node] if isinstance(self.node, OpDefinition) else self.node.all_ops()

    def get_asset_spec(self, key: CoercibleToAssetKey | None = None) -> AssetSpec:
        """The spec of its asset of that key, or of its only one.

        Raises:
            DefinitionError: It has no such asset, or several and no key is given.
        """
        wanted = self.key if key is None else AssetKey.from_coercible(key)
        for spec in self.specs:
            if spec.key == wanted:
                return spec
        raise DefinitionError(f"{self.what} does not make the asset {wanted}.")

    def get_partition_mapping(self, in_asset_key: CoercibleToAssetKey) -> Any:
        """Which partitions of an upstream asset a partition of its own needs; None is the default rule."""
        wanted = AssetKey.from_coercible(in_asset_key)
        for spec in self.specs:
            for dep in spec.deps:
                if dep.asset_key == wanted:
                    return dep.partition_mapping
        return None

    def to_source_asset(self, key: CoercibleToAssetKey | None = None) -> SourceAsset:
        """Its asset of that key, or its only one, as one that something else makes."""
        from .source_asset import SourceAsset

        spec = self.get_asset_spec(key)
        output = next(name for name, each in self.specs_by_output.items() if each is spec)
        return SourceAsset(
            spec.key,
            metadata=spec.metadata,
            io_manager_key=self.out(output).io_manager_key if self.node is not None else spec.io_manager_key,
            description=spec.description,
            partitions_def=spec.partitions_def,
            group_name=spec.group_name,
            tags=spec.tags,
        )

    def to_source_assets(self) -> list[SourceAsset]:
        """Its assets as ones that something else makes."""
        return [self.to_source_asset(spec.key) for spec in self.specs]

    # -- changed copies -----------------------------------------------------------------------------------------------

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> Self:
        """This definition with further hooks for its steps."""
        return self.replaced(hooks=self.hooks | check_hooks(hook_defs, self.what))

    def map_asset_specs(self, fn: Callable[[AssetSpec], AssetSpec]) -> Self:
        """This definition with specs changed by a function.

        Raises:
            DefinitionError: The function gives no AssetSpec.
        """
        from .map_specs import mapped

        return mapped(self, fn)

    def replaced(self, **changes: Any) -> Self:
        """A copy with some of its attributes changed; who calls it sees to it that they still fit together."""
        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.__dict__.update(changes)
        return made

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the function with these arguments.

        Raises:
            DefinitionError: A graph is being composed; assets are no part of graphs.
        """
        composition = active()
        if composition is not None:
            raise DefinitionError(
                f"{composition.what} ({composition.source}) calls {self.what[0].lower()}{self.what[1:]}; jobs of "
                "assets are made by define_asset_job, and In(asset_key=...) loads an asset in an op."
            )
        from ..doors import invoke

        return invoke(self, args, kwargs)

    def __repr__(self) -> str:
        names = sorted(str(each) for each in self.keys) or sorted(each.to_user_string() for each in self.check_keys)
        return f"{type(self).__name__}({', '.join(names)})"
