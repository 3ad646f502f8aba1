"""One op with the assets and checks that it makes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ...errors import DefinitionError
from ...partitions.definition import PartitionsDefinition
from ...records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..ops.composition import active
from ..ops.hooks import HookDefinition, check_hooks
from ..ops.op import OpDefinition
from ..resources.resource import ResourceDefinition
from ..source import Source
from .backfill_policy import BackfillPolicy
from .check_spec import AssetCheckSpec
from .spec import AssetSpec

__all__ = ["AssetInput", "AssetsDefinition"]


class AssetInput(msgspec.Struct, frozen=True):
    """What a parameter of an asset's function is loaded from.

    `key` is in text form; where `exact` is false only the parameter's name says it, and an asset of the same group with
    that last part is meant too.
    """

    key: str
    exact: bool
    partition_mapping: Any = None


class AssetsDefinition:
    """A function and the assets and checks that it makes. Make one with `@asset`, `@multi_asset` or `@asset_check`.

    Called, it runs its function, as a test does.
    """

    def __init__(
        self,
        *,
        op: OpDefinition,
        specs: Mapping[str, AssetSpec],
        inputs: Mapping[str, AssetInput],
        check_outputs: Mapping[str, AssetCheckSpec] | None = None,
        can_subset: bool = False,
        backfill_policy: BackfillPolicy | None = None,
        resource_defs: Mapping[str, ResourceDefinition] | None = None,
        hooks: Iterable[HookDefinition] | None = None,
    ) -> None:
        self.op = op
        self.specs_by_output = dict(specs)
        self.inputs = dict(inputs)
        self.check_outputs = dict(check_outputs or {})
        self.can_subset = can_subset
        self.backfill_policy = backfill_policy
        self.resource_defs = dict(resource_defs or {})
        self.hooks = check_hooks(hooks, op.what)

    @property
    def specs(self) -> Iterable[AssetSpec]:
        """The specs of its assets."""
        return self.specs_by_output.values()

    @property
    def node_def(self) -> OpDefinition:
        """Its op."""
        return self.op

    @property
    def source(self) -> Source | None:
        """Where it is written."""
        return self.op.source

    @property
    def keys(self) -> frozenset[AssetKey]:
        """The keys of its assets."""
        return frozenset(spec.key for spec in self.specs_by_output.values())

    @property
    def key(self) -> AssetKey:
        """The key of its one asset; raises `DefinitionError` if it has another number of them."""
        if len(self.specs_by_output) != 1:
            raise DefinitionError(f"{self.op.what} makes {len(self.specs_by_output)} assets; use .keys.")
        return next(iter(self.specs_by_output.values())).key

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
            raise DefinitionError(f"{self.op.what} evaluates {len(self.check_outputs)} checks; use .check_keys.")
        return next(iter(self.check_outputs.values())).key

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The partitions of its assets, which are the same for all of them."""
        for spec in self.specs_by_output.values():
            return spec.partitions_def
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
        return {spec.key: spec.group_name or "default" for spec in self.specs}

    @property
    def descriptions_by_key(self) -> Mapping[AssetKey, str | None]:
        """The descriptions of its assets."""
        return {spec.key: spec.description for spec in self.specs}

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """The resources that it needs, those of its IO managers included."""
        stores = {
            self.op.outs[name].io_manager_key for name in self.specs_by_output if not self.op.outs[name].is_nothing
        }
        return self.op.required_resource_keys | stores

    def get_asset_spec(self, key: CoercibleToAssetKey | None = None) -> AssetSpec:
        """The spec of its asset of that key, or of its only one.

        Raises:
            DefinitionError: It has no such asset, or several and no key is given.
        """
        wanted = self.key if key is None else AssetKey.from_coercible(key)
        for spec in self.specs:
            if spec.key == wanted:
                return spec
        raise DefinitionError(f"{self.op.what} does not make the asset {wanted}.")

    def with_hooks(self, hook_defs: Iterable[HookDefinition]) -> AssetsDefinition:
        """This definition with further hooks for its step."""
        return self.replaced(hooks=self.hooks | check_hooks(hook_defs, self.op.what))

    def replaced(self, **changes: Any) -> AssetsDefinition:
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
                f"{composition.what} ({composition.source}) calls {self.op.what[0].lower()}{self.op.what[1:]}; jobs of "
                "assets are made by define_asset_job, and In(asset_key=...) loads an asset in an op."
            )
        from ..doors import invoke

        return invoke(self, args, kwargs)

    def __repr__(self) -> str:
        names = sorted(str(each) for each in self.keys) or sorted(each.to_user_string() for each in self.check_keys)
        return f"{type(self).__name__}({', '.join(names)})"
