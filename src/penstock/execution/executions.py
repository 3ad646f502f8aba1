"""The executor of a run, made ready: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..definitions.executors import ExecutorRequirement
from ..engine.step_messages import Done
from ..errors import UnmetExecutorRequirementsError
from ..plan.model import OrderOnly
from .driver import Driver
from .executor_choice import ExecutorChoice, choose_executor
from .forked import ForkedAttempts
from .in_process import InProcessExecution
from .loop import Watch
from .recorder import Recorder
from .scope import RunScope, is_in_memory
from .user_executor import UserExecution, make_executor

__all__ = ["Execution", "executor_of", "prepare"]


class Execution(Protocol):
    """An executor that has a run's steps before it."""

    @property
    def interrupted(self) -> bool:
        """Whether the run was asked to stop."""
        ...

    @property
    def error(self) -> BaseException | None:
        """What the first failed step's user code raised, as far as it is known in this process."""
        ...

    def run(self) -> Done:
        """Run all steps; gives how they came out."""
        ...


def executor_of(scope: RunScope, *, reconstructable: bool) -> ExecutorChoice:
    """The executor that the run's job and config name.

    Args:
        scope: The run.
        reconstructable: Whether other processes can load the job.

    Raises:
        DefinitionError: There is no such executor.
        UnmetExecutorRequirementsError: It needs what job or instance do not have.
    """
    choice = choose_executor(scope.job.executor_def, scope.config.values)
    name = choice.definition.name
    for each in choice.definition.requirements(choice.config):
        missing = _missing(each, scope, reconstructable=reconstructable)
        if missing is not None:
            raise UnmetExecutorRequirementsError(f'The executor "{name}" of job "{scope.job.name}" {missing}')
    return choice


def prepare(
    choice: ExecutorChoice,
    scope: RunScope,
    recorder: Recorder,
    relay: Recorder,
    watches: Sequence[Watch] = (),
    *,
    fail_fast: bool = False,
) -> Execution:
    """The execution of a run by its executor.

    Args:
        choice: The executor.
        scope: The run.
        recorder: Takes its facts.
        relay: Takes the facts that other processes have sent, which they have told to loggers.
        watches: What an executor that forks attends to.
        fail_fast: Start nothing more once a step has failed; not heeded where steps run in processes.

    Raises:
        DefinitionError: A user's executor cannot be made.
    """
    scope.retries = choice.retries
    own = make_executor(choice, scope)
    if own is not None:
        scope.retries = own.retries
        return UserExecution(own, scope, recorder, fail_fast=fail_fast)
    if not choice.forks:
        return InProcessExecution(scope, recorder, fail_fast=fail_fast)
    return Driver(
        scope,
        recorder,
        ForkedAttempts(scope, recorder),
        relay=relay,
        max_concurrent=choice.max_concurrent,
        tag_limits=choice.tag_limits,
        watches=watches,
    )


def _missing(requirement: ExecutorRequirement, scope: RunScope, *, reconstructable: bool) -> str | None:
    """What a requirement misses, as the end of a sentence; None if it is met."""
    match requirement:
        case ExecutorRequirement.RECONSTRUCTABLE_JOB if not reconstructable:
            return "runs steps in processes that load the job again; pass reconstructable(...) of it."
        case ExecutorRequirement.NON_EPHEMERAL_INSTANCE if getattr(scope.environment.instance, "home", None) is None:
            return "needs an instance that other processes can open; pass one that has a home."
        case ExecutorRequirement.PERSISTENT_OUTPUTS:
            for step in scope.plan.steps.values():
                for given in step.inputs:
                    if isinstance(given.source, OrderOnly):
                        continue
                    for source in given.upstream():
                        outputs = scope.plan.steps[source.step].outputs
                        key = next(each.io_manager_key for each in outputs if each.name == source.output)
                        if is_in_memory(scope.resources.get(key)):
                            return (
                                f'needs outputs that other processes can load, but the IO manager "{key}", which '
                                f'stores what step "{step.key}" loads, keeps values in memory; use another one.'
                            )
    return None
