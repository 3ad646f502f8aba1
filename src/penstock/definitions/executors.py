"""Executors as jobs name them: which one runs the steps, and with what config."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from ..errors import DefinitionError
from .function import docstring
from .names import check_name

if TYPE_CHECKING:
    from ..config.declared import DeclaredConfig
    from ..execution.step_launcher import LaunchingExecutor

__all__ = [
    "BUILT_IN",
    "Executor",
    "ExecutorDefinition",
    "ExecutorRequirement",
    "InitExecutorContext",
    "async_executor",
    "default_executor",
    "executor",
    "in_process_executor",
    "multi_or_in_process_executor",
    "multiple_process_executor_requirements",
    "multiprocess_executor",
]


class ExecutorRequirement(StrEnum):
    """What an executor needs of the job and the instance."""

    RECONSTRUCTABLE_JOB = "RECONSTRUCTABLE_JOB"
    """Other processes can load the job: it is part of a code location, or made by `reconstructable`."""

    NON_EPHEMERAL_INSTANCE = "NON_EPHEMERAL_INSTANCE"
    """The run is stored where other processes find it."""

    PERSISTENT_OUTPUTS = "PERSISTENT_OUTPUTS"
    """Outputs are stored where other processes can load them."""


def multiple_process_executor_requirements() -> list[ExecutorRequirement]:
    """What an executor needs that runs steps in other processes."""
    return list(ExecutorRequirement)


class InitExecutorContext:
    """What an executor sees while it is made.

    Args:
        job: The job whose steps it will run.
        executor_def: Its definition.
        executor_config: Its config, checked.
        instance: The instance that the run is of; None if there is none.
    """

    __slots__ = ("executor_config", "executor_def", "instance", "job")

    def __init__(
        self, job: Any, executor_def: ExecutorDefinition, executor_config: Mapping[str, Any], instance: Any = None
    ) -> None:
        self.job = job
        self.executor_def = executor_def
        self.executor_config = executor_config
        self.instance = instance


class Executor(ABC):
    """Runs the steps of a plan in its own way: subclass it, and give it to jobs with `@executor`."""

    @property
    def retries(self) -> bool:
        """Whether steps that failed are tried again as their policies say."""
        return True

    @abstractmethod
    def execute(self, plan_context: Any, execution_plan: Any) -> Iterable[Any] | None:
        """Run the steps, all that become ready, until none is left.

        Args:
            plan_context: A `PlanContext`: it gives the steps that may run, runs them, and records events.
            execution_plan: The plan: its `steps` by key.

        Returns:
            Nothing, or facts about the run to record, as a generator yields them.
        """


ExecutorFunction: TypeAlias = "Callable[[InitExecutorContext], Executor | LaunchingExecutor]"


class ExecutorDefinition:
    """An executor of steps, by name, with the schema of its config.

    Args:
        name: `in_process`, `multiprocess`, `async`, `multi_or_in_process` where the run config chooses, or the name of
            one of your own.
        config_schema: What its config looks like, in any form that `config_schema` takes.
        requirements: What it needs, or a function of its config that says so.
        executor_creation_fn: Makes an executor of your own; takes an `InitExecutorContext`.
        description: How it runs steps.
    """

    def __init__(
        self,
        name: str,
        config_schema: Any = None,
        requirements: Requirements = None,
        executor_creation_fn: ExecutorFunction | None = None,
        description: str | None = None,
    ) -> None:
        self.name = check_name(name, "an executor")
        self.description = description
        self.executor_creation_fn = executor_creation_fn
        self._requirements = requirements
        self.config_schema = config_schema if config_schema is not None else {}

    @cached_property
    def declared_config(self) -> DeclaredConfig:
        """The config that it takes."""
        from ..config.declared import OpenConfig

        schema = self.config_schema
        return OpenConfig(schema() if callable(schema) and not isinstance(schema, type) else schema)

    def requirements(self, config: Mapping[str, Any]) -> list[ExecutorRequirement]:
        """What it needs with this config.

        Raises:
            DefinitionError: It names something else than an `ExecutorRequirement`.
        """
        given = self._requirements(config) if callable(self._requirements) else self._requirements
        result = list(given or ())
        for each in result:
            if not isinstance(each, ExecutorRequirement):
                raise DefinitionError(
                    f'The executor "{self.name}" requires {each!r}; use members of ExecutorRequirement: '
                    f"{', '.join(ExecutorRequirement)}."
                )
        return result

    def configured(
        self,
        config_or_config_fn: Any,
        name: str | None = None,
        config_schema: Any = None,
        description: str | None = None,
    ) -> ExecutorDefinition:
        """This executor with its config given here, or made by a function of what a run config gives.

        Args:
            config_or_config_fn: The config, or a function that makes it.
            name: The name of the new executor; this one's if not given.
            config_schema: What the function takes; by its annotation, or anything, if not given.
            description: How the new one runs steps; what this one says, if not given.

        Raises:
            InvalidRunConfigError: The config does not fit its schema.
        """
        from ..config.declared import configured_config

        made = ExecutorDefinition(
            # The built-in ones are chosen by their names.
            self.name if name is None or self.executor_creation_fn is None else name,
            self.config_schema,
            self._requirements,
            self.executor_creation_fn,
            description or self.description,
        )
        what = f'the executor "{name or self.name}"'
        made.declared_config = configured_config(self.declared_config, config_or_config_fn, config_schema, what)
        return made

    def __repr__(self) -> str:
        return f"ExecutorDefinition({self.name!r})"


Requirements: TypeAlias = (
    Iterable[ExecutorRequirement] | Callable[[Mapping[str, Any]], Iterable[ExecutorRequirement]] | None
)


@overload
def executor(name: ExecutorFunction, /) -> ExecutorDefinition: ...
@overload
def executor(
    name: str | None = None, config_schema: Any = None, requirements: Requirements = None
) -> Callable[[ExecutorFunction], ExecutorDefinition]: ...
def executor(
    name: str | ExecutorFunction | None = None, config_schema: Any = None, requirements: Requirements = None
) -> ExecutorDefinition | Callable[[ExecutorFunction], ExecutorDefinition]:
    """Make an executor of a function that takes an `InitExecutorContext` and returns an `Executor`, or a
    `LaunchingExecutor`.

    Args:
        name: Its name; the function's if not given.
        config_schema: What its config looks like, read as `context.executor_config`.
        requirements: What it needs of job and instance, or a function of its config that says so.

    Raises:
        DefinitionError: The name has other characters than letters, digits and `_`, or is one of the built-in ones.
    """

    def define(fn: ExecutorFunction) -> ExecutorDefinition:
        own_name = name if isinstance(name, str) else fn.__name__
        if own_name in BUILT_IN:
            raise DefinitionError(f'The executor name "{own_name}" is taken by a built-in executor; choose another.')
        return ExecutorDefinition(own_name, config_schema, requirements, fn, docstring(fn))

    return define(name) if callable(name) else define


def _retries() -> Any:
    from ..config.fields import Field, Selector

    return Field(
        Selector({"enabled": Field({}, is_required=False), "disabled": Field({}, is_required=False)}),
        is_required=False,
        description="Whether steps that failed are tried again as their policies say; they are if not given.",
    )


def _in_process_config() -> dict[str, Any]:
    return {"retries": _retries()}


def _limits(otherwise: str) -> dict[str, Any]:
    from ..config.fields import Field, Noneable

    return {
        "max_concurrent": Field(
            Noneable(int), is_required=False, description=f"How many steps run at once; {otherwise} if not given."
        ),
        "tag_concurrency_limits": Field(
            [{"key": str, "value": Field(Any, is_required=False), "limit": int}],
            is_required=False,
            description="How many steps with a tag run at once.",
        ),
        "retries": _retries(),
    }


def _async_config() -> dict[str, Any]:
    return _limits("100")


def _multiprocess_config() -> dict[str, Any]:
    from ..config.fields import Field

    return {
        **_limits("as many as CPUs"),
        "reuse_processes": Field(
            bool,
            is_required=False,
            description="Whether a process takes one step after another, for many small steps; if not given, each step "
            "has a process of its own.",
        ),
    }


def _either_config() -> Any:
    from ..config.fields import Field, Selector

    either = Selector(
        {
            "multiprocess": Field(_multiprocess_config(), is_required=False),
            "in_process": Field(_in_process_config(), is_required=False),
        }
    )
    return Field(either, is_required=False)


in_process_executor = ExecutorDefinition(
    "in_process", _in_process_config, description="Runs all steps in the run's own process, one after another."
)
"""Runs all steps in the run's own process, one after another."""

multiprocess_executor = ExecutorDefinition(
    "multiprocess", _multiprocess_config, description="Runs each step in a process of its own, several at once."
)
"""Runs each step in a process of its own, several at once."""

async_executor = ExecutorDefinition(
    "async",
    _async_config,
    description="Runs the coroutines of steps together in one event loop of the run's own process.",
)
"""Runs the coroutines of steps together in one event loop of the run's own process."""

default_executor = multi_or_in_process_executor = ExecutorDefinition(
    "multi_or_in_process",
    _either_config,
    description="Runs each step in a process of its own unless the run config says otherwise.",
)
"""What jobs without an executor use: multiprocess, or what the run config chooses."""

BUILT_IN = frozenset(
    each.name for each in (in_process_executor, multiprocess_executor, async_executor, default_executor)
)
"""The names that choose an executor of Penstock's own."""
