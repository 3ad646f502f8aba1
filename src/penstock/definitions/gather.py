"""Sorts a pile of definitions of every kind, as repositories and modules hold them, into `Definitions`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from ..errors import DefinitionError
from .assets.asset_check import AssetChecksDefinition
from .assets.definition import AssetsDefinition
from .assets.from_modules import calling_module, find, modules_of, package_named
from .assets.job import UnresolvedAssetJobDefinition
from .assets.spec import AssetSpec
from .automation.partitioned_schedule import PartitionedSchedule
from .automation.schedule import ScheduleDefinition
from .automation.sensor import SensorDefinition
from .definitions import Definitions
from .executors import ExecutorDefinition
from .ops.graph import GraphDefinition
from .ops.job import JobDefinition

__all__ = [
    "gather",
    "load_definitions_from_current_module",
    "load_definitions_from_module",
    "load_definitions_from_modules",
    "load_definitions_from_package_module",
    "load_definitions_from_package_name",
]

_PLACES: Mapping[type, str] = {
    AssetChecksDefinition: "asset_checks",
    AssetsDefinition: "assets",
    AssetSpec: "assets",
    JobDefinition: "jobs",
    UnresolvedAssetJobDefinition: "jobs",
    ScheduleDefinition: "schedules",
    PartitionedSchedule: "schedules",
    SensorDefinition: "sensors",
}


def gather(items: Iterable[Any], what: str, **others: Any) -> Definitions:
    """Definitions of a pile of assets, checks, jobs, graphs, schedules and sensors, lists of them included.

    Args:
        items: The pile; an object that occurs twice counts once.
        what: Where it is from, as messages call it.
        others: Further arguments of `Definitions`.

    Raises:
        DefinitionError: Something in it is no definition.
    """
    sorted_out: dict[str, dict[int, Any]] = {
        "assets": {},
        "asset_checks": {},
        "jobs": {},
        "schedules": {},
        "sensors": {},
    }
    resources: dict[str, Any] = dict(others.pop("resources", None) or {})
    waiting = list(items)
    for item in waiting:  # grows while it is walked
        if isinstance(item, list | tuple):
            waiting += item
            continue
        if isinstance(item, GraphDefinition):
            item = item.to_job()
        place = next((place for kind, place in _PLACES.items() if isinstance(item, kind)), None)
        if place is None:
            raise DefinitionError(
                f"{what} has {item!r}, which is none; give assets, checks, jobs, graphs, schedules and sensors."
            )
        sorted_out[place][id(item)] = item
    kinds: dict[str, Any] = {place: list(found.values()) for place, found in sorted_out.items()}
    return Definitions(**kinds, resources=resources or None, **others)


def load_definitions_from_modules(
    modules: Iterable[ModuleType],
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
) -> Definitions:
    """Everything at the top of modules, lists included, each once: assets, checks, jobs, schedules and sensors.

    Args:
        modules: Where to look.
        resources: Resources by key.
        loggers: Loggers by name.
        executor: What runs the steps of the jobs that name no executor.

    Raises:
        DefinitionError: Something given is no module, or a part is not what its place asks for.
    """
    modules = list(modules)
    found: dict[int, Any] = {}
    for kind in _PLACES:
        found |= {id(each): each for each in find(modules, kind)}
    others: dict[str, Any] = {} if loggers is None else {"loggers": loggers}
    return gather(found.values(), "A module", resources=resources, executor=executor, **others)


def load_definitions_from_module(
    module: ModuleType,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
) -> Definitions:
    """Everything at the top of a module; arguments as for `load_definitions_from_modules`.

    Args:
        module: The module.
    """
    return load_definitions_from_modules([module], resources, loggers, executor)


def load_definitions_from_current_module(
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
) -> Definitions:
    """Everything at the top of the calling module; arguments as for `load_definitions_from_modules`."""
    return load_definitions_from_modules([calling_module()], resources, loggers, executor)


def load_definitions_from_package_module(
    package_module: ModuleType,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
) -> Definitions:
    """Everything in a package and all modules inside it; arguments as for `load_definitions_from_modules`.

    Args:
        package_module: The package, which is searched with all that is in it.
    """
    return load_definitions_from_modules(modules_of(package_module), resources, loggers, executor)


def load_definitions_from_package_name(
    package_name: str,
    resources: Mapping[str, Any] | None = None,
    loggers: Mapping[str, Any] | None = None,
    executor: ExecutorDefinition | None = None,
) -> Definitions:
    """Everything in the package of that name; arguments as for `load_definitions_from_modules`.

    Args:
        package_name: The dotted name of the package.
    """
    return load_definitions_from_package_module(package_named(package_name), resources, loggers, executor)
