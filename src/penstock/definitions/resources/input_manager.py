"""Input managers: resources that load inputs and store nothing."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, overload

from .resource import ResourceDefinition

__all__ = ["InputManager", "InputManagerDefinition", "input_manager"]


class InputManager(ABC):
    """Loads the inputs that name it as `input_manager_key`. Subclass it and override `load_input`."""

    __penstock_resource__ = True

    @abstractmethod
    def load_input(self, context: Any) -> Any:
        """Load a value.

        Args:
            context: The `InputContext`. It has the output or asset that feeds the input, where one does.
        """


class _FunctionInputManager(InputManager):
    def __init__(self, load: Callable[..., Any]) -> None:
        self._load = load
        self._takes_context = bool(inspect.signature(load).parameters)

    def load_input(self, context: Any) -> Any:
        return self._load(context) if self._takes_context else self._load()


class InputManagerDefinition(ResourceDefinition):
    """How to set up an input manager. Make one with `@input_manager`.

    Args:
        resource_fn: Makes the input manager; see `ResourceDefinition`.
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for.
        input_config_schema: What each input that it loads may be told by the run config, read as `context.config`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        version: The version of its code.
    """

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        input_config_schema: Any = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
    ) -> None:
        super().__init__(resource_fn, config_schema, description, required_resource_keys, version)
        self.input_config_schema = input_config_schema


@overload
def input_manager(config_schema: Callable[..., Any], /) -> InputManagerDefinition: ...
@overload
def input_manager(
    config_schema: Any = None,
    description: str | None = None,
    input_config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Callable[[Callable[..., Any]], InputManagerDefinition]: ...
def input_manager(
    config_schema: Any = None,
    description: str | None = None,
    input_config_schema: Any = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> InputManagerDefinition | Callable[[Callable[..., Any]], InputManagerDefinition]:
    """Make an input manager of a function that takes the `InputContext` and returns the value.

    Args:
        config_schema: What its own config looks like, read as `context.resource_config`.
        description: What it is for; the function's docstring if not given.
        input_config_schema: What each input that it loads may be told by the run config (`ops.<op>.inputs.<input>`),
            read as `context.config`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        version: The version of its code.
    """

    def define(fn: Callable[..., Any]) -> InputManagerDefinition:
        loads = _FunctionInputManager(fn)

        def make() -> InputManager:
            return loads

        make.__name__, make.__doc__ = fn.__name__, fn.__doc__
        schema = None if fn is config_schema else config_schema
        return InputManagerDefinition(make, schema, description, input_config_schema, required_resource_keys, version)

    return define(config_schema) if inspect.isfunction(config_schema) else define
