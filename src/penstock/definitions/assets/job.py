"""Jobs of assets: declared by a selection, made when the whole asset graph is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...errors import DefinitionError, NotFoundError
from ...partitions.definition import PartitionsDefinition
from ..executors import ExecutorDefinition
from ..names import check_name
from ..ops.hooks import HookDefinition
from ..ops.job import JobDefinition, partitions_of
from ..ops.retry import RetryPolicy
from ..source import Source, source_of_call
from .graph import AssetGraph
from .layer import AssetLayer
from .selection import AssetSelection, CoercibleToAssetSelection

if TYPE_CHECKING:
    from ...config.run_config import RunConfig
    from ..partitioned_config import PartitionedConfig

__all__ = ["UnresolvedAssetJobDefinition", "define_asset_job"]


class UnresolvedAssetJobDefinition:
    """A job of assets whose selection waits for the `Definitions` that it is given to."""

    def __init__(
        self,
        name: str,
        selection: AssetSelection,
        options: Mapping[str, Any],
        source: Source | None,
        automation_condition: Any = None,
    ) -> None:
        self.name = check_name(name, "a job")
        self.selection = selection
        self.options = dict(options)
        self.source = source
        self.automation_condition = automation_condition

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The partitions that were given, by a partitioned config too; None leaves them to the selected assets."""
        return partitions_of(self.options.get("partitions_def"), self.options.get("config"), f'Job "{self.name}"')

    def resolve(self, graph: AssetGraph) -> JobDefinition:
        """The job in this asset graph.

        Raises:
            DefinitionError: The selection names what does not exist, is empty, or mixes partitions.
        """
        what = f'Job "{self.name}"'
        try:
            chosen = self.selection.keys_in(graph)
            checks = self.selection.resolve_checks(graph)
        except NotFoundError as error:
            raise DefinitionError(f"{what} ({self.source}): {error}") from error
        assets = frozenset(key for key in chosen if graph.assets[key].definition is not None)
        if not assets and not checks:
            raise DefinitionError(
                f"{what} ({self.source}) selects nothing that can be made: {self.selection.to_text()}; "
                "choose assets that a function here makes."
            )
        options = dict(self.options)
        options["partitions_def"] = self._partitions(graph, assets, what)
        layer = AssetLayer(graph, assets, frozenset(checks))
        return JobDefinition(name=self.name, asset_layer=layer, source=self.source, **options)

    def _partitions(self, graph: AssetGraph, assets: Iterable[str], what: str) -> PartitionsDefinition | None:
        found = {node.partitions_def: node.key for node in (graph.assets[key] for key in sorted(assets))}
        found.pop(None, None)
        given = self.partitions_def
        if given is not None:
            others = [key for each, key in found.items() if each != given]
            if others:
                raise DefinitionError(
                    f"{what} ({self.source}) has other partitions than its asset {others[0]}; "
                    "drop partitions_def, or select assets with these partitions."
                )
            return given
        if len(found) > 1:
            first, second = list(found.values())[:2]
            raise DefinitionError(
                f"{what} ({self.source}) selects assets with different partitions, for example {first} and {second}; "
                "make a job for each set of partitions."
            )
        return next(iter(found), None)

    def __repr__(self) -> str:
        return f"UnresolvedAssetJobDefinition({self.name!r}, {self.selection!r})"


def define_asset_job(
    name: str,
    selection: CoercibleToAssetSelection = None,
    config: Mapping[str, Any] | RunConfig | PartitionedConfig | None = None,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    run_tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    partitions_def: PartitionsDefinition | None = None,
    executor_def: ExecutorDefinition | None = None,
    hooks: Iterable[HookDefinition] | None = None,
    op_retry_policy: RetryPolicy | None = None,
    op_timeout: float | None = None,
    owners: Iterable[str] | None = None,
    automation_condition: Any = None,
) -> UnresolvedAssetJobDefinition:
    """Declare a job that makes assets.

    Args:
        name: Its name: letters, digits and `_`.
        selection: The assets: a selection, its text, or keys or definitions; all if not given.
        config: The run config that a run gets where none is given; or one for each partition.
        description: What it does.
        tags: Its tags, which its runs carry too unless `run_tags` are given.
        run_tags: Tags of its runs.
        metadata: Facts about it.
        partitions_def: The partitions that its runs work on; those of the assets if not given.
        executor_def: What runs its steps.
        hooks: Hooks for all of its steps.
        op_retry_policy: The retry policy of the functions that have none of their own.
        op_timeout: Seconds after which steps are stopped whose functions have no timeout of their own.
        owners: Who answers for it.
        automation_condition: When it is run without being asked for.
    """
    options = {
        "config": config,
        "description": description,
        "tags": tags,
        "run_tags": run_tags,
        "metadata": metadata,
        "partitions_def": partitions_def,
        "executor_def": executor_def,
        "hook_defs": hooks,
        "op_retry_policy": op_retry_policy,
        "op_timeout": op_timeout,
        "owners": owners,
    }
    chosen = AssetSelection.all() if selection is None else AssetSelection.from_coercible(selection)
    return UnresolvedAssetJobDefinition(name, chosen, options, source_of_call(), automation_condition)
