"""IO managers: resources that store outputs and load inputs."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, overload

from .resource import ResourceDefinition

__all__ = ["IOManager", "IOManagerDefinition", "io_manager"]


class IOManager(ABC):
    """Stores outputs and loads inputs. Subclass it and override both methods."""

    __penstock_resource__ = True

    @abstractmethod
    def handle_output(self, context: Any, obj: Any) -> None:
        """Store a value.

        Args:
            context: The `OutputContext`: what the value is of, and where metadata about it goes.
            obj: The value.
        """

    @abstractmethod
    def load_input(self, context: Any) -> Any:
        """Load a value.

        Args:
            context: The `InputContext`: the output that was stored (`upstream_output`), or the asset.
        """


class IOManagerDefinition(ResourceDefinition):
    """How to set up an IO manager. Make one with `@io_manager`."""

    @staticmethod
    def hardcoded_io_manager(value: IOManager, description: str | None = None) -> IOManagerDefinition:
        """A definition that gives this IO manager."""
        return IOManagerDefinition(lambda: value, description=description)


@overload
def io_manager(config_schema: Callable[..., IOManager], /) -> IOManagerDefinition: ...
@overload
def io_manager(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> Callable[[Callable[..., IOManager]], IOManagerDefinition]: ...
def io_manager(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> IOManagerDefinition | Callable[[Callable[..., IOManager]], IOManagerDefinition]:
    """Make an IO manager's definition of a function that returns the IO manager.

    Args:
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for; the function's docstring if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    if inspect.isfunction(config_schema):
        return IOManagerDefinition(config_schema)

    def define(fn: Callable[..., IOManager]) -> IOManagerDefinition:
        return IOManagerDefinition(fn, config_schema, description, required_resource_keys)

    return define
