"""Hooks: functions that run after a step, when it succeeded or when it failed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias, overload

import msgspec

from ...errors import DefinitionError
from ...records.event import Event, StepFailure, StepSuccess
from ..names import check_name
from ..source import Source, described, place_of_call, source_of_function

__all__ = ["HookDefinition", "HookExecutionResult", "check_hooks", "failure_hook", "success_hook"]


class HookExecutionResult(msgspec.Struct, frozen=True):
    """What a hook's function may return to say that there was nothing to do.

    Args:
        hook_name: The hook.
        is_skipped: Whether it had nothing to do.
    """

    hook_name: str
    is_skipped: bool = False


HookFunction: TypeAlias = Callable[[Any, Sequence[Event]], HookExecutionResult | None]
UserFunction: TypeAlias = Callable[[Any], Any]


class HookDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A function that is called after each step of the jobs and ops that it is attached to, when the step has ended.

    Most are made with `@success_hook` and `@failure_hook`; one that looks at all that happened is made with this class.

    Args:
        name: Its name.
        hook_fn: Takes a `HookContext` and the events of the step's attempt; may return a `HookExecutionResult`.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        decorated_fn: The user's own function where `hook_fn` is made of one; it takes the context alone.
    """

    name: str
    hook_fn: HookFunction
    required_resource_keys: frozenset[str] = frozenset()
    decorated_fn: UserFunction | None = None

    def __post_init__(self) -> None:
        check_name(self.name, "a hook")
        # A frozen record takes what users give as a set of keys.
        msgspec.structs.force_setattr(self, "required_resource_keys", frozenset(self.required_resource_keys or ()))

    @property
    def source(self) -> Source | None:
        """Where it is written."""
        return source_of_function(self.decorated_fn or self.hook_fn)

    def __call__(self, *args: Any) -> Any:
        """Call the user's own function, as tests do: with a context made by `build_hook_context`."""
        return self.hook_fn(*args) if self.decorated_fn is None else self.decorated_fn(*args)


def check_hooks(hooks: Iterable[HookDefinition] | None, what: str) -> frozenset[HookDefinition]:
    """The hooks as a set; raises `DefinitionError` if one is none."""
    result = frozenset(hooks or ())
    for hook in result:
        if not isinstance(hook, HookDefinition):
            raise DefinitionError(
                f"{what}{place_of_call()} has {described(hook)} among its hooks; give functions made by "
                "@success_hook or @failure_hook."
            )
    return result


@overload
def success_hook(hook_fn: UserFunction, /) -> HookDefinition: ...
@overload
def success_hook(
    *, name: str | None = None, required_resource_keys: Iterable[str] | None = None
) -> Callable[[UserFunction], HookDefinition]: ...
def success_hook(
    hook_fn: UserFunction | None = None,
    /,
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> HookDefinition | Callable[[UserFunction], HookDefinition]:
    """Make a hook that runs after each step that succeeds.

    Args:
        name: Its name; the function's if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    return _hook(hook_fn, StepSuccess, name, required_resource_keys)


@overload
def failure_hook(hook_fn: UserFunction, /) -> HookDefinition: ...
@overload
def failure_hook(
    *, name: str | None = None, required_resource_keys: Iterable[str] | None = None
) -> Callable[[UserFunction], HookDefinition]: ...
def failure_hook(
    hook_fn: UserFunction | None = None,
    /,
    *,
    name: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> HookDefinition | Callable[[UserFunction], HookDefinition]:
    """Make a hook that runs after each step that fails for good.

    Args:
        name: Its name; the function's if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    return _hook(hook_fn, StepFailure, name, required_resource_keys)


def _hook(
    fn: UserFunction | None, event: type[StepSuccess | StepFailure], name: str | None, keys: Iterable[str] | None
) -> HookDefinition | Callable[[UserFunction], HookDefinition]:
    def define(function: UserFunction) -> HookDefinition:
        own_name = check_name(name or function.__name__, "a hook")

        def run(context: Any, events: Sequence[Event]) -> HookExecutionResult:
            happened = any(isinstance(each.fact, event) for each in events)
            if happened:
                function(context)
            return HookExecutionResult(own_name, is_skipped=not happened)

        return HookDefinition(
            name=own_name, hook_fn=run, required_resource_keys=frozenset(keys or ()), decorated_fn=function
        )

    return define if fn is None else define(fn)
