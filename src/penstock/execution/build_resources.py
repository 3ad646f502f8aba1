"""Resources outside of a run: set up for a `with`, or for a context that is made for calling things directly."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Self

from ..clock import SYSTEM_CLOCK
from ..definitions.resources.resource import to_resources
from ..records.run import Run
from .configuration import resource_configs
from .resources import InitResourceContext, Resources, set_up

__all__ = ["HoldsResources", "build_init_resource_context", "build_resources"]


class HoldsResources:
    """What contexts outside of a run have in common: they are context managers that tear their resources down.

    Without `with` this is done when they are collected.
    """

    def _set_up(self, resources: Mapping[str, Any] | None, instance: Any) -> Resources:
        self._stack = ExitStack()
        return self._stack.enter_context(build_resources(resources or {}, instance))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def __del__(self) -> None:
        self._stack.close()


class DirectInitResourceContext(HoldsResources, InitResourceContext):
    """The context of a resource that is set up directly."""

    def __init__(self, config: Any, resources: Mapping[str, Any] | None, instance: Any) -> None:
        opened = self._set_up(resources, instance)
        super().__init__(resource_config=config, resources=opened, instance=instance)


@contextmanager
def build_resources(
    resources: Mapping[str, Any],
    instance: Any = None,
    resource_config: Mapping[str, Any] | None = None,
    run: Run | None = None,
    log: logging.Logger | None = None,
    event_loop: Any = None,
) -> Iterator[Resources]:
    """Set resources up outside of a run, as attributes of what it gives; tear them down at the end.

    Args:
        resources: By key, what `Definitions` takes as resources.
        instance: The instance that they may ask.
        resource_config: By key, the entry of a run config: a mapping with `config`.
        run: The run that they shall believe to be set up for.
        log: What they log to; nothing is kept of their lines if not given.
        event_loop: What they see as `context.event_loop`.

    Raises:
        InvalidRunConfigError: A config does not fit its schema.
        ResourceError: A set-up raised.
    """
    definitions = to_resources(resources, "build_resources")
    with set_up(
        definitions,
        definitions,
        resource_configs(definitions, resource_config or {}),
        clock=SYSTEM_CLOCK,
        emit=lambda _: None,
        run=run,
        instance=instance,
        log=log,
        event_loop=event_loop,
    ) as opened:
        yield opened.view(frozenset(definitions))


def build_init_resource_context(
    config: Any = None, resources: Mapping[str, Any] | None = None, instance: Any = None
) -> DirectInitResourceContext:
    """A context for setting up a resource directly; a context manager that tears down what it has set up.

    Args:
        config: The resource's config.
        resources: What it requires, by key, as `Definitions` takes resources; they are set up now.
        instance: The instance.
    """
    return DirectInitResourceContext(config, resources, instance)
