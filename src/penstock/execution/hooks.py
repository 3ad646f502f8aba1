"""Runs the hooks of a step after its end. A hook that raises is told of and fails nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from ..clock import SYSTEM_CLOCK
from ..definitions.ops.composition import PendingNodeInvocation
from ..definitions.ops.hooks import HookDefinition, HookExecutionResult
from ..definitions.ops.op import OpDefinition
from ..errors import ExecutionInterruptedError, InvocationError
from ..ids import new_run_id
from ..plan.selection import base_step_key
from ..records.event import Event, HookCompleted, HookErrored, HookSkipped, StepOutput
from ..records.run import Run
from .attempt import Attempt
from .blame import describe_user_error
from .build_context import DIRECT_CALL, attempt_outside
from .interrupt import INTERRUPTS
from .own_instance import opened

if TYPE_CHECKING:
    from .log import ContextLogger

__all__ = ["DirectHookContext", "HookContext", "build_hook_context", "run_hooks"]


class HookContext:
    """What a hook sees.

    Args:
        hook_def: The hook; None where a test calls one directly.
        attempt: The attempt that has ended.
        exception: What it failed with; None if it succeeded.
        values: What it gave: (output, mapping key) -> value.
        events: Its events.
    """

    __slots__ = ("_attempt", "_events", "_values", "hook_def", "op_exception")

    def __init__(
        self,
        hook_def: HookDefinition | None,
        attempt: Attempt,
        exception: BaseException | None,
        values: Mapping[tuple[str, str | None], Any],
        events: Sequence[Event] = (),
    ) -> None:
        self.hook_def = hook_def
        self.op_exception = exception
        self._attempt = attempt
        self._values = values
        self._events = events

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
        """The op's definition, under the name that its node has in the graph."""
        op, name = self._attempt.op, base_step_key(self._attempt.key).rpartition(".")[2]
        return op if op is None or op.name == name else op.renamed(name)

    @property
    def op_config(self) -> Any:
        """The op's config as plain values."""
        return self._attempt.config

    @property
    def instance(self) -> Any:
        """The instance that the run is of; where none was given, one in memory that ends with the execution."""
        return opened(self._attempt.instance)

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """The resources that the hook requires."""
        return frozenset() if self.hook_def is None else self.hook_def.required_resource_keys

    @property
    def resources(self) -> Any:
        """The resources that the hook requires, by key as attributes."""
        return self._attempt.opened.view(self.required_resource_keys)

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
        """The facts about the step's outputs, by output; of a dynamic output a dict by mapping key."""
        result: dict[str, Any] = {}
        for event in self._events:
            match event.fact:
                case StepOutput(output=name, mapping_key=None, metadata=metadata):
                    result[name] = metadata
                case StepOutput(output=name, mapping_key=mapping_key, metadata=metadata):
                    result.setdefault(name, {})[mapping_key] = metadata
        return result


def run_hooks(
    attempt: Attempt,
    hooks: frozenset[HookDefinition],
    events: Sequence[Event],
    exception: BaseException | None,
    values: Mapping[tuple[str, str | None], Any],
) -> None:
    """Run the hooks of a step whose attempt has ended with these events, in the order of their names."""
    for hook in sorted(hooks, key=lambda each: each.name):
        try:
            with INTERRUPTS.user_code:
                result = hook.hook_fn(HookContext(hook, attempt, exception, values, events), events)
        except (Exception, SystemExit, ExecutionInterruptedError) as error:  # noqa: BLE001 - told of; a hook fails nothing
            attempt.emit(HookErrored(hook=hook.name, error=describe_user_error(error)))
        else:
            skipped = isinstance(result, HookExecutionResult) and result.is_skipped
            attempt.emit(HookSkipped(hook=hook.name) if skipped else HookCompleted(hook=hook.name))


def build_hook_context(
    resources: Mapping[str, Any] | None = None,
    op: OpDefinition | PendingNodeInvocation | None = None,
    run_id: str | None = None,
    job_name: str | None = None,
    op_exception: BaseException | None = None,
    instance: Any = None,
) -> DirectHookContext:
    """A context for calling a hook directly, as tests do.

    Args:
        resources: By key, what `Definitions` takes as resources; they are set up now, and torn down at the end of
            `with`, or when the context is collected.
        op: The op that it shall believe to follow.
        run_id: The id of that run.
        job_name: The name of that job.
        op_exception: What the op raised.
        instance: What `context.instance` gives.

    Raises:
        InvocationError: The op is none.
        UserCodeError: A resource could not be set up.
    """
    definition = op.definition if isinstance(op, PendingNodeInvocation) else op
    if definition is not None and not isinstance(definition, OpDefinition):
        raise InvocationError(f"build_hook_context was given {op!r} as its op; give an op.")
    run = Run(run_id=run_id or new_run_id(), location="", job=job_name or DIRECT_CALL, created=SYSTEM_CLOCK.now())
    attempt, _, stack = attempt_outside(run, resources, instance=instance, op=definition)
    return DirectHookContext(attempt, op_exception, stack)


class DirectHookContext(HookContext):
    """The context of a hook that is called directly: a context manager, at whose end its resources are torn down."""

    __slots__ = ("_stack",)

    def __init__(self, attempt: Attempt, exception: BaseException | None, stack: ExitStack) -> None:
        super().__init__(None, attempt, exception, {})
        self._stack = stack

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    def __del__(self) -> None:
        self._stack.close()

    @property
    def resources(self) -> Any:
        """All resources that it was made with, by key as attributes."""
        return self._attempt.resources
