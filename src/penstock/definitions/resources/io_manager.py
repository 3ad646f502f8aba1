"""IO managers: resources that store outputs and load inputs."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, overload

from .input_manager import InputManager
from .resource import ResourceDefinition

__all__ = ["IOManager", "IOManagerDefinition", "io_manager"]


class IOManager(InputManager):
    """Stores outputs and loads inputs. Subclass it and override both methods."""

    @abstractmethod
    def handle_output(self, context: Any, obj: Any) -> Any:
        """Store a value.

        It may be a generator that yields facts about the stored value, as a dict of metadata or an
        `AssetMaterialization` or `AssetObservation`.

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
    """How to set up an IO manager. Make one with `@io_manager`.

    Args:
        resource_fn: Makes the IO manager; see `ResourceDefinition`.
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        version: The version of its code.
        input_config_schema: What each input that names it as `input_manager_key` may be told by the run config, read
            as `context.config`.
        output_config_schema: The same of each output that it stores.
    """

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
        input_config_schema: Any = None,
        output_config_schema: Any = None,
    ) -> None:
        super().__init__(resource_fn, config_schema, description, required_resource_keys, version)
        self.input_config_schema = input_config_schema
        self.output_config_schema = output_config_schema

    @staticmethod
    def hardcoded_io_manager(value: IOManager, description: str | None = None) -> IOManagerDefinition:
        """A definition that gives this IO manager."""
        return IOManagerDefinition(lambda: value, description=description)


@overload
def io_manager(config_schema: Callable[..., Any], /) -> IOManagerDefinition: ...
@overload
def io_manager(
    config_schema: Any = None,
    description: str | None = None,
    output_config_schema: Any = None,
    input_config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Callable[[Callable[..., Any]], IOManagerDefinition]: ...
def io_manager(
    config_schema: Any = None,
    description: str | None = None,
    output_config_schema: Any = None,
    input_config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> IOManagerDefinition | Callable[[Callable[..., Any]], IOManagerDefinition]:
    """Make an IO manager's definition of a function that returns it, or that yields it and then tears it down.

    Args:
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for; the function's docstring if not given.
        output_config_schema: What each output that it stores may be told by the run config, under
            `ops.<op>.outputs.<output>`, read as `context.config`.
        input_config_schema: The same of each input that names it as `input_manager_key`, under
            `ops.<op>.inputs.<input>`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        version: The version of its code.
    """
    if inspect.isfunction(config_schema):
        return IOManagerDefinition(config_schema)

    def define(fn: Callable[..., Any]) -> IOManagerDefinition:
        return IOManagerDefinition(
            fn, config_schema, description, required_resource_keys, version, input_config_schema, output_config_schema
        )

    return define
