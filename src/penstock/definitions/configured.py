"""`@configured`: a definition whose config a function makes of another form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import DefinitionError
from .resources.resource import ResourceDefinition

__all__ = ["configured"]


def configured(
    configurable: Any, config_schema: Any = None, *, name: str | None = None, description: str | None = None
) -> Callable[[Callable[[Any], Any]], Any]:
    """Make a copy of a definition whose config the decorated function makes of what a run config gives.

    Args:
        configurable: An op, a graph with a config mapping, a resource, an IO manager, a logger or an executor.
        config_schema: What the function takes; by its annotation, or anything, if not given.
        name: The name of the copy, where such definitions have one; the function's if not given.
        description: What the copy does; what the original does, if not given.

    Raises:
        DefinitionError: It cannot be configured.
    """
    if not hasattr(configurable, "configured") or isinstance(configurable, type):
        raise DefinitionError(
            f"{configurable!r} cannot be configured; what can is an op, a graph with a config mapping, a resource, an "
            "IO manager, a logger or an executor."
        )

    def define(fn: Callable[[Any], Any]) -> Any:
        named = {} if isinstance(configurable, ResourceDefinition) else {"name": name or fn.__name__}
        return configurable.configured(fn, config_schema=config_schema, description=description, **named)

    return define
