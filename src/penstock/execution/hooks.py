"""Runs the hooks of a step after its end. A hook that raises is told of and fails nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..definitions.ops.hooks import HookDefinition, HookEvent
from ..errors import ExecutionInterruptedError
from ..records.event import HookCompleted, HookErrored, HookSkipped
from .attempt import Attempt
from .blame import describe_user_error
from .interrupt import INTERRUPTS

if TYPE_CHECKING:
    from .log import ContextLogger

__all__ = ["HookContext", "run_hooks"]


class HookContext:
    """What a hook sees.

    Args:
        hook_def: The hook.
        attempt: The attempt that has ended.
        exception: What it failed with; None if it succeeded.
        values: What it gave: (output, mapping key) -> value.
    """

    __slots__ = ("_attempt", "_values", "hook_def", "op_exception")

    def __init__(
        self,
        hook_def: HookDefinition,
        attempt: Attempt,
        exception: BaseException | None,
        values: Mapping[tuple[str, str | None], Any],
    ) -> None:
        self.hook_def = hook_def
        self.op_exception = exception
        self._attempt = attempt
        self._values = values

    @property
    def log(self) -> ContextLogger:
        """A logger whose lines belong to the run."""
        return self._attempt.log

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self._attempt.run.run_id

    @property
    def job_name(self) -> str:
        """The job's name."""
        return self._attempt.run.job

    @property
    def step_key(self) -> str:
        """The step's key."""
        return self._attempt.key

    @property
    def op(self) -> Any:
        """The op's definition."""
        return self._attempt.op

    @property
    def op_config(self) -> Any:
        """The op's config as plain values."""
        return self._attempt.config

    @property
    def instance(self) -> Any:
        """The instance that the run is of; None if there is none."""
        return self._attempt.instance

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """The resources that the hook requires."""
        return self.hook_def.required_resource_keys

    @property
    def resources(self) -> Any:
        """The resources that the hook requires, by key as attributes."""
        return self._attempt.opened.view(self.hook_def.required_resource_keys)

    @property
    def op_output_values(self) -> dict[str, Any]:
        """The values that the step gave, by output; of a dynamic output a dict by mapping key."""
        result: dict[str, Any] = {}
        for (name, mapping_key), value in self._values.items():
            if mapping_key is None:
                result[name] = value
            else:
                result.setdefault(name, {})[mapping_key] = value
        return result

    @property
    def op_output_metadata(self) -> dict[str, Any]:
        """The facts that the step added to its outputs, by output."""
        return {name: metadata for (name, _), metadata in self._attempt.output_metadata.items()}


def run_hooks(
    attempt: Attempt,
    hooks: frozenset[HookDefinition],
    event: HookEvent,
    exception: BaseException | None,
    values: Mapping[tuple[str, str | None], Any],
) -> None:
    """Run the hooks of a step that ended with `event`, in the order of their names."""
    for hook in sorted(hooks, key=lambda each: each.name):
        if hook.event is not event:
            attempt.emit(HookSkipped(hook=hook.name))
            continue
        try:
            with INTERRUPTS.user_code:
                hook.hook_fn(HookContext(hook, attempt, exception, values))
        except (Exception, SystemExit, ExecutionInterruptedError) as error:  # noqa: BLE001 - told of; a hook fails nothing
            attempt.emit(HookErrored(hook=hook.name, error=describe_user_error(error)))
        else:
            attempt.emit(HookCompleted(hook=hook.name))
