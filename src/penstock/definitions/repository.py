"""Repositories: the older form in which a code location offers its definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ..errors import DefinitionError
from ..records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..records.metadata import Metadata
from .assets.definition import AssetsDefinition
from .automation.schedule import ScheduleDefinition
from .automation.sensor import SensorDefinition
from .definitions import Definitions
from .executors import ExecutorDefinition
from .gather import gather
from .names import check_name
from .ops.job import JobDefinition
from .source import source_of_function

if TYPE_CHECKING:
    from ..execution.asset_values import AssetValueLoader

__all__ = ["RepositoryDefinition", "create_repository_using_definitions_args", "repository"]

_PARTS = ("jobs", "schedules", "sensors", "assets", "asset_checks")


class RepositoryDefinition:
    """Definitions under a name. Make one with `@repository`; new code makes `Definitions`.

    Args:
        name: Its name.
        definitions: What it holds.
        description: What it is for.
    """

    def __init__(self, name: str, *, definitions: Definitions, description: str | None = None) -> None:
        self.name = check_name(name, "a repository")
        self.definitions = definitions
        self.description = description

    @property
    def metadata(self) -> Metadata:
        """Facts about it."""
        return self.definitions.metadata

    # -- jobs ---------------------------------------------------------------------------------------------------------

    @property
    def job_names(self) -> list[str]:
        """The names of its jobs."""
        return list(self.definitions.resolved.jobs)

    def get_all_jobs(self) -> list[JobDefinition]:
        """Its jobs, with their resources."""
        return list(self.definitions.resolved.jobs.values())

    def has_job(self, name: str) -> bool:
        """Whether it has a job of that name."""
        return name in self.definitions.resolved.jobs

    def get_job(self, name: str) -> JobDefinition:
        """The job of that name; raises `NotFoundError` if there is none."""
        return self.definitions.get_job_def(name)

    # -- schedules and sensors ----------------------------------------------------------------------------------------

    @property
    def schedule_defs(self) -> Sequence[ScheduleDefinition]:
        """Its schedules."""
        return list(self.definitions.resolved.schedules.values())

    def has_schedule_def(self, name: str) -> bool:
        """Whether it has a schedule of that name."""
        return name in self.definitions.resolved.schedules

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of that name; raises `NotFoundError` if there is none."""
        return self.definitions.get_schedule_def(name)

    @property
    def sensor_defs(self) -> Sequence[SensorDefinition]:
        """Its sensors."""
        return list(self.definitions.resolved.sensors.values())

    def has_sensor_def(self, name: str) -> bool:
        """Whether it has a sensor of that name."""
        return name in self.definitions.resolved.sensors

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of that name; raises `NotFoundError` if there is none."""
        return self.definitions.get_sensor_def(name)

    # -- assets -------------------------------------------------------------------------------------------------------

    @property
    def assets_defs_by_key(self) -> Mapping[AssetKey, AssetsDefinition]:
        """The definitions that make or observe assets, by the keys of these."""
        nodes = self.definitions.resolved.asset_graph.assets.values()
        return {node.spec.key: node.definition for node in nodes if node.definition is not None}

    @property
    def source_assets_by_key(self) -> Mapping[AssetKey, AssetsDefinition]:
        """The assets that nothing here makes or observes, by key."""
        nodes = self.definitions.resolved.asset_graph.assets.values()
        return {
            node.spec.key: AssetsDefinition(specs=[node.spec])
            for node in nodes
            if node.definition is None and node.declared
        }

    @property
    def asset_checks_defs_by_key(self) -> Mapping[AssetCheckKey, AssetsDefinition]:
        """The definitions that evaluate checks, by the keys of these."""
        return {node.spec.key: node.definition for node in self.definitions.resolved.asset_graph.checks.values()}

    def get_asset_value_loader(self, instance: Any = None) -> AssetValueLoader:
        """What loads stored values of several assets outside of a run; see `Definitions.get_asset_value_loader`."""
        return self.definitions.get_asset_value_loader(instance)

    def load_asset_value(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        python_type: Any = None,
        instance: Any = None,
        partition_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        resource_config: Mapping[str, Any] | None = None,
    ) -> Any:
        """The stored value of an asset, loaded by the IO manager that stored it; see `Definitions.load_asset_value`.

        `resource_config` is the config of resources, by key, as in a run config.
        """
        with self.get_asset_value_loader(instance) as loader:
            return loader.load_asset_value(
                asset_key,
                python_type=python_type,
                partition_key=partition_key,
                input_definition_metadata=metadata,
                resource_config=resource_config,
            )

    def __repr__(self) -> str:
        return f"RepositoryDefinition({self.name!r}, {self.definitions!r})"


@overload
def repository(definitions_fn: Callable[[], Any], /) -> RepositoryDefinition: ...
@overload
def repository(
    *,
    name: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    default_executor_def: ExecutorDefinition | None = None,
    default_logger_defs: Mapping[str, Any] | None = None,
) -> Callable[[Callable[[], Any]], RepositoryDefinition]: ...
def repository(
    definitions_fn: Callable[[], Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    default_executor_def: ExecutorDefinition | None = None,
    default_logger_defs: Mapping[str, Any] | None = None,
) -> RepositoryDefinition | Callable[[Callable[[], Any]], RepositoryDefinition]:
    """Make a repository of what a function returns: a list of definitions, or a dict of them.

    A dict has the keys `jobs`, `schedules`, `sensors`, `assets` and `asset_checks`; under each, definitions by name,
    or functions without arguments that give one.

    Args:
        name: Its name; the function's if not given.
        description: What it is for; the function's docstring if not given.
        metadata: Facts about it.
        default_executor_def: What runs the steps of the jobs that name no executor.
        default_logger_defs: Loggers of the jobs that name none, by name.

    Raises:
        DefinitionError: The function returns something else.
    """

    def define(fn: Callable[[], Any]) -> RepositoryDefinition:
        own_name = name or fn.__name__
        what = f'Repository "{own_name}" ({source_of_function(fn)})'
        returned = fn()
        others: dict[str, Any] = {} if default_logger_defs is None else {"loggers": default_logger_defs}
        made = gather(_items(returned, what), what, executor=default_executor_def, metadata=metadata, **others)
        return RepositoryDefinition(own_name, definitions=made, description=description or fn.__doc__)

    return define if definitions_fn is None else define(definitions_fn)


def _items(returned: Any, what: str) -> Iterable[Any]:
    if isinstance(returned, list | tuple):
        return returned
    if not isinstance(returned, Mapping):
        raise DefinitionError(f"{what} returns {returned!r}; return a list of definitions.")
    if unknown := sorted(set(returned) - set(_PARTS)):
        raise DefinitionError(f"{what} returns a dict with the key {unknown[0]!r}; its keys are {', '.join(_PARTS)}.")
    items = []
    for part in _PARTS:
        given = returned.get(part, ())
        for item_name, item in given.items() if isinstance(given, Mapping) else ((None, each) for each in given):
            made = item() if item_name is not None and _is_plain_function(item) else item
            if item_name is not None and getattr(made, "name", item_name) != item_name:
                raise DefinitionError(
                    f"{what} has {made!r} under the name {item_name!r}; give it under its own name, {made.name!r}."
                )
            items.append(made)
    return items


def _is_plain_function(value: Any) -> bool:
    return callable(value) and hasattr(value, "__code__")


def create_repository_using_definitions_args(
    name: str,
    assets: Iterable[Any] | None = None,
    schedules: Iterable[Any] | None = None,
    sensors: Iterable[Any] | None = None,
    jobs: Iterable[Any] | None = None,
    resources: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
    loggers: Mapping[str, Any] | None = None,
    asset_checks: Iterable[Any] | None = None,
) -> RepositoryDefinition:
    """A repository of the arguments of `Definitions`.

    Args:
        name: Its name.
        assets: Assets.
        schedules: Schedules.
        sensors: Sensors.
        jobs: Jobs.
        resources: Resources by key.
        executor: What runs the steps of the jobs that name no executor.
        loggers: Loggers by name.
        asset_checks: Functions that evaluate checks.

    Raises:
        DefinitionError: A part is not what its place asks for.
    """
    others: dict[str, Any] = {} if loggers is None else {"loggers": loggers}
    return RepositoryDefinition(
        name,
        definitions=Definitions(
            assets=assets,
            schedules=schedules,
            sensors=sensors,
            jobs=jobs,
            resources=resources,
            executor=executor,
            asset_checks=asset_checks,
            **others,
        ),
    )
