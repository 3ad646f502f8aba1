"""Hooks: functions that run after a step, when it succeeded or when it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any, overload

import msgspec

from ...errors import DefinitionError
from ..names import check_name
from ..source import Source, source_of_function

__all__ = ["HookDefinition", "HookEvent", "check_hooks", "failure_hook", "success_hook"]


class HookEvent(StrEnum):
    """What a hook waits for."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"


class HookDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A function that is called with a `HookContext` after a step of the jobs and ops that it is attached to."""

    name: str
    hook_fn: Callable[..., Any]
    event: HookEvent
    required_resource_keys: frozenset[str] = frozenset()

    @property
    def source(self) -> Source | None:
        """Where it is written."""
        return source_of_function(self.hook_fn)

    def __call__(self, context: Any) -> Any:
        """Call the function itself, as tests do."""
        return self.hook_fn(context)


def check_hooks(hooks: Iterable[HookDefinition] | None, what: str) -> frozenset[HookDefinition]:
    """The hooks as a set; raises `DefinitionError` if one is none."""
    result = frozenset(hooks or ())
    for hook in result:
        if not isinstance(hook, HookDefinition):
            raise DefinitionError(
                f"{what} has {hook!r} among its hooks; give functions made by @success_hook or @failure_hook."
            )
    return result


HookFunction = Callable[[Any], Any]


@overload
def success_hook(hook_fn: HookFunction, /) -> HookDefinition: ...
@overload
def success_hook(
    *, name: str | None = None, required_resource_keys: Iterable[str] | None = None
) -> Callable[[HookFunction], HookDefinition]: ...
def success_hook(
    hook_fn: HookFunction | None = None,
    /,
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> HookDefinition | Callable[[HookFunction], HookDefinition]:
    """Make a hook that runs after each step that succeeds.

    Args:
        name: Its name; the function's if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    return _hook(hook_fn, HookEvent.SUCCESS, name, required_resource_keys)


@overload
def failure_hook(hook_fn: HookFunction, /) -> HookDefinition: ...
@overload
def failure_hook(
    *, name: str | None = None, required_resource_keys: Iterable[str] | None = None
) -> Callable[[HookFunction], HookDefinition]: ...
def failure_hook(
    hook_fn: HookFunction | None = None,
    /,
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> HookDefinition | Callable[[HookFunction], HookDefinition]:
    """Make a hook that runs after each step that fails for good.

    Args:
        name: Its name; the function's if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    return _hook(hook_fn, HookEvent.FAILURE, name, required_resource_keys)


def _hook(
    fn: HookFunction | None, event: HookEvent, name: str | None, keys: Iterable[str] | None
) -> HookDefinition | Callable[[HookFunction], HookDefinition]:
    def define(function: HookFunction) -> HookDefinition:
        return HookDefinition(
            name=check_name(name or function.__name__, "a hook"),
            hook_fn=function,
            event=event,
            required_resource_keys=frozenset(keys or ()),
        )

    return define if fn is None else define(fn)
