"""`Definitions`: everything that a code location offers, in one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..errors import DefinitionError, NotFoundError
from ..records.keys import AssetKey, CoercibleToAssetKey
from ..records.location import REPOSITORY
from ..records.metadata import Metadata, normalize_metadata
from ..wording import did_you_mean
from .assets.definition import AssetsDefinition
from .assets.graph import AssetGraph
from .assets.map_specs import map_asset_specs
from .assets.selection import AssetSelection, CoercibleToAssetSelection
from .assets.spec import AssetSpec
from .automation.partitioned_schedule import PartitionedSchedule
from .automation.schedule import ScheduleDefinition
from .automation.sensor import SensorDefinition
from .automation.target import ExecutableJob
from .doors import loader_of_values
from .executors import ExecutorDefinition
from .loggers import LoggerDefinition, check_loggers
from .ops.job import JobDefinition
from .resolution import Resolution, resolve
from .source import Source, described, source_of_call

if TYPE_CHECKING:
    from ..execution.asset_values import AssetValueLoader
    from .repository import RepositoryDefinition

__all__ = ["Definitions"]

T = TypeVar("T")
AnySchedule: TypeAlias = ScheduleDefinition | PartitionedSchedule


class Definitions:
    """Everything that a code location offers. Make one at module level; what it holds is checked when it is loaded.

    Args:
        assets: Functions that make assets, and specs of assets that something else makes.
        schedules: Schedules; the jobs that they start come along.
        sensors: Sensors; the jobs that they may start come along.
        jobs: Jobs.
        resources: By key: configurable resources, IO managers, resource definitions, or any other objects.
        executor: What runs the steps of the jobs that name no executor.
        loggers: By name, the loggers of the jobs that name none.
        asset_checks: Functions that evaluate checks.
        metadata: Facts about the code location.

    Raises:
        DefinitionError: A part is not what its place asks for.
    """

    def __init__(
        self,
        assets: Iterable[AssetsDefinition | AssetSpec] | None = None,
        schedules: Iterable[AnySchedule] | None = None,
        sensors: Iterable[SensorDefinition] | None = None,
        jobs: Iterable[ExecutableJob] | None = None,
        resources: Mapping[str, Any] | None = None,
        executor: ExecutorDefinition | None = None,
        loggers: Mapping[str, LoggerDefinition] | None = None,
        asset_checks: Iterable[AssetsDefinition] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self.source: Source | None = source_of_call()
        self.assets = self._take("assets", assets, (AssetsDefinition, AssetSpec), "an asset")
        self.schedules = self._take("schedules", schedules, (ScheduleDefinition, PartitionedSchedule), "a schedule")
        self.sensors = self._take("sensors", sensors, (SensorDefinition,), "a sensor")
        self.jobs = self._take("jobs", jobs, ExecutableJob.__args__, "a job")
        self.resources = dict(resources or {})
        self.executor = executor
        self.loggers = None if loggers is None else check_loggers(loggers, "Definitions")
        self.asset_checks = self._take("asset_checks", asset_checks, (AssetsDefinition,), "a check")
        self.metadata: Metadata = normalize_metadata(metadata)

    def _take(self, name: str, given: Iterable[Any] | None, kinds: tuple[type, ...], what: str) -> list[Any]:
        try:
            items = list(given or ())
        except TypeError as error:
            raise DefinitionError(f"Definitions ({self.source}) has {name}={given!r}; give a list.") from error
        for item in items:
            if not isinstance(item, kinds):
                hint = "remove it"
                if isinstance(item, list | tuple):
                    hint = "put the items of that list into this one, for example with *"
                elif isinstance(item, FunctionType):
                    hint = "add the decorator that makes it one"
                elif isinstance(item, str):
                    hint = "give the object itself"
                raise DefinitionError(
                    f"Definitions ({self.source}) has {described(item)} among its {name}, where each is {what}; {hint}."
                )
        return items

    @cached_property
    def resolved(self) -> Resolution:
        """The definitions checked and tied together, at the first call.

        Raises:
            DefinitionError: They do not fit together.
        """
        return resolve(
            assets=[*self.assets, *self.asset_checks],
            schedules=self.schedules,
            sensors=self.sensors,
            jobs=self.jobs,
            resources=self.resources,
            executor=self.executor,
            loggers=self.loggers,
        )

    # -- what is in them ----------------------------------------------------------------------------------------------

    def get_job_def(self, name: str) -> JobDefinition:
        """The job of that name, with its resources; `__ASSET_JOB` is the one of all assets.

        Raises:
            NotFoundError: There is no such job.
        """
        return _named(self.resolved.jobs, name, "job")

    def get_schedule_def(self, name: str) -> ScheduleDefinition:
        """The schedule of that name; raises `NotFoundError` if there is none."""
        return _named(self.resolved.schedules, name, "schedule")

    def get_sensor_def(self, name: str) -> SensorDefinition:
        """The sensor of that name; raises `NotFoundError` if there is none."""
        return _named(self.resolved.sensors, name, "sensor")

    def map_asset_specs(
        self, *, func: Callable[[AssetSpec], AssetSpec], selection: CoercibleToAssetSelection | None = None
    ) -> Definitions:
        """These definitions with specs of assets changed by a function.

        Args:
            func: Gives the new spec for a spec; the key stays.
            selection: Which assets; all that are declared if not given.

        Raises:
            DefinitionError: The function gives no spec, or one with another key.
            NotFoundError: The selection names an asset that does not exist.
        """
        chosen: set[str] | None = None
        if selection is not None:
            chosen = AssetSelection.from_coercible(selection).keys_in(self.resolved.asset_graph)

        def change(spec: AssetSpec) -> AssetSpec:
            return func(spec) if chosen is None or spec.key.to_user_string() in chosen else spec

        return self._with(assets=map_asset_specs(change, self.assets))

    map_resolved_asset_specs = map_asset_specs

    def _with(self, **changes: Any) -> Definitions:
        """A copy with some of what it was made of changed."""
        made = object.__new__(type(self))
        made.__dict__.update({name: value for name, value in self.__dict__.items() if name != "resolved"})
        made.__dict__.update(changes)
        return made

    def get_repository_def(self) -> RepositoryDefinition:
        """These definitions as a repository, for a context of tests that takes one."""
        from .repository import RepositoryDefinition

        return RepositoryDefinition(REPOSITORY, definitions=self)

    def resolve_asset_graph(self) -> AssetGraph:
        """All assets and checks with their dependencies."""
        return self.resolved.asset_graph

    def resolve_all_asset_keys(self) -> list[AssetKey]:
        """The keys of all assets, of those that are only depended on too."""
        return [node.spec.key for node in self.resolved.asset_graph.assets.values()]

    def resolve_all_asset_specs(self) -> list[AssetSpec]:
        """The specs of all declared assets, with the groups that they are in."""
        nodes = [node for node in self.resolved.asset_graph.assets.values() if node.declared]
        return [
            node.spec if node.spec.group_name else node.spec.replace_attributes(group_name=node.group) for node in nodes
        ]

    def get_asset_value_loader(self, instance: Any = None) -> AssetValueLoader:
        """What loads stored values of several assets outside of a run; use it with `with`.

        Args:
            instance: The instance in whose folder the values are where their IO manager names none.
        """
        return loader_of_values(self, instance)

    def load_asset_value(
        self,
        asset_key: CoercibleToAssetKey,
        *,
        python_type: Any = None,
        instance: Any = None,
        partition_key: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Any:
        """The stored value of an asset, loaded by the IO manager that stored it.

        Args:
            asset_key: The asset.
            python_type: What the IO manager shall load it as, which it reads as `context.python_type`.
            instance: The instance in whose folder the value is where the IO manager names none.
            partition_key: The partition to load.
            metadata: What the IO manager reads as `context.definition_metadata`.

        Raises:
            NotFoundError: There is no such asset or partition.
            InvocationError: The asset has partitions and none is named, or the other way round.
        """
        with self.get_asset_value_loader(instance) as loader:
            return loader.load_asset_value(
                asset_key,
                python_type=python_type,
                partition_key=partition_key,
                input_definition_metadata=metadata,
            )

    @staticmethod
    def validate_loadable(defs: Definitions) -> None:
        """Check that these definitions fit together.

        Raises:
            DefinitionError: They do not.
        """
        from .describe import describe

        describe(defs, "check")

    @staticmethod
    def merge(*def_sets: Definitions) -> Definitions:
        """One set with everything of these; where several name an executor or a resource, it must be the same one.

        Raises:
            DefinitionError: Two have different resources of one key, or different executors.
        """
        resources: dict[str, Any] = {}
        executor: ExecutorDefinition | None = None
        loggers: dict[str, LoggerDefinition] | None = None
        metadata: dict[str, Any] = {}
        for defs in def_sets:
            for key, value in defs.resources.items():
                if key in resources and resources[key] is not value and resources[key] != value:
                    raise DefinitionError(
                        f'Definitions at {defs.source} have another resource "{key}" than those that they are '
                        "merged with; "
                        "rename one of them."
                    )
                resources[key] = value
            if defs.executor is not None:
                if executor is not None and executor is not defs.executor:
                    raise DefinitionError(
                        f"Definitions at {defs.source} have another executor than those that they are merged with; "
                        "keep one of them."
                    )
                executor = defs.executor
            for name, given in (defs.loggers or {}).items():
                if (loggers := {} if loggers is None else loggers).setdefault(name, given) is not given:
                    raise DefinitionError(
                        f'Definitions at {defs.source} have another logger "{name}" than those that they are merged '
                        "with; rename one of them."
                    )
            metadata |= defs.metadata
        return Definitions(
            assets=_distinct(each for defs in def_sets for each in defs.assets),
            schedules=_distinct(each for defs in def_sets for each in defs.schedules),
            sensors=_distinct(each for defs in def_sets for each in defs.sensors),
            jobs=_distinct(each for defs in def_sets for each in defs.jobs),
            resources=resources,
            executor=executor,
            loggers=loggers,
            asset_checks=_distinct(each for defs in def_sets for each in defs.asset_checks),
            metadata=metadata,
        )

    def __repr__(self) -> str:
        counts = {
            "assets": len(self.assets),
            "jobs": len(self.jobs),
            "schedules": len(self.schedules),
            "sensors": len(self.sensors),
        }
        return f"Definitions({', '.join(f'{count} {name}' for name, count in counts.items())})"


def _named(found: Mapping[str, T], name: str, what: str) -> T:
    try:
        return found[name]
    except KeyError:
        raise NotFoundError(f'There is no {what} "{name}" here{did_you_mean(name, found)}') from None


def _distinct(items: Iterable[Any]) -> list[Any]:
    """The items, each object once."""
    return list({id(each): each for each in items}.values())
