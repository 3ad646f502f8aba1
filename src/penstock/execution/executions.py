"""The executor of a run, made ready: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ..definitions.executors import Executor, ExecutorRequirement
from ..engine.step_messages import Done
from ..errors import UnmetExecutorRequirementsError
from .driver import Attempts, Driver
from .executor_choice import ExecutorChoice, choose_executor
from .fork_where_safe import ForkedWhereSafe
from .forked import ForkedAttempts
from .in_process import InProcessExecution
from .launched import LaunchedAttempts
from .loop import Watch
from .process_launcher import ProcessStepLauncher
from .recorder import Recorder
from .reused import ReusedProcesses
from .scope import RunScope, is_in_memory
from .step_launcher import LaunchingExecutor, StepLauncher
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
        DefinitionError: A user's executor cannot be made.
        UnmetExecutorRequirementsError: It needs what job or instance do not have.
    """
    choice = choose_executor(scope.job.executor_def, scope.config.values)
    name = choice.definition.name
    for each in choice.definition.requirements(choice.config):
        missing = _missing(each, scope, reconstructable=reconstructable)
        if missing is not None:
            raise UnmetExecutorRequirementsError(f'The executor "{name}" of job "{scope.job.name}" {missing}')
    return msgspec.structs.replace(choice, own=make_executor(choice, scope))


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
        UnmetExecutorRequirementsError: Other processes cannot come to the run's code or instance.
    """
    scope.retries = choice.retries if choice.own is None else choice.own.retries
    match choice.own:
        case Executor() as own:
            return UserExecution(own, scope, recorder, fail_fast=fail_fast)
        case LaunchingExecutor() as own:
            attempts: Attempts = _launched(own.launcher, scope, recorder, choice)
            limits = own.max_concurrent, own.tag_limits
        case _ if choice.awaits:
            from .one_loop import OneLoopExecution  # here: it loads asyncio, which no other process of steps needs

            limits = choice.max_concurrent, choice.tag_limits
            return OneLoopExecution(
                scope, recorder, max_concurrent=limits[0], tag_limits=limits[1], fail_fast=fail_fast
            )
        case _ if not choice.forks:
            return InProcessExecution(scope, recorder, fail_fast=fail_fast)
        case _:
            attempts = _forked(choice, scope, recorder)
            limits = choice.max_concurrent, choice.tag_limits
    return Driver(
        scope,
        recorder,
        attempts,
        relay=relay,
        max_concurrent=limits[0],
        tag_limits=limits[1],
        watches=watches,
    )


def _forked(choice: ExecutorChoice, scope: RunScope, recorder: Recorder) -> Attempts:
    """Forks, and fresh processes where a fork is not safe."""
    forks = ReusedProcesses(scope, recorder) if choice.reuse_processes else ForkedAttempts(scope, recorder)
    where, storage = scope.environment.elsewhere, scope.environment.storage
    fresh = None
    if where is not None and storage is not None:
        fresh = LaunchedAttempts(scope, recorder, ProcessStepLauncher(), where, storage)
    return ForkedWhereSafe(scope, recorder, forks, fresh)


def _launched(launcher: StepLauncher, scope: RunScope, recorder: Recorder, choice: ExecutorChoice) -> LaunchedAttempts:
    where, storage = scope.environment.elsewhere, scope.environment.storage
    if where is None or storage is None:
        raise UnmetExecutorRequirementsError(
            f'The executor "{choice.name}" of job "{scope.job.name}" runs steps in processes that load the job again '
            "and open the instance; run it from a code location, or by execute_job(reconstructable(...), instance=...) "
            "with an instance that has a home."
        )
    return LaunchedAttempts(scope, recorder, launcher, where, storage)


def _missing(requirement: ExecutorRequirement, scope: RunScope, *, reconstructable: bool) -> str | None:
    """What a requirement misses, as the end of a sentence; None if it is met."""
    match requirement:
        case ExecutorRequirement.RECONSTRUCTABLE_JOB if not reconstructable:
            return "runs steps in processes that load the job again; pass reconstructable(...) of it."
        case ExecutorRequirement.NON_EPHEMERAL_INSTANCE if getattr(scope.environment.instance, "home", None) is None:
            return "needs an instance that other processes can open; pass one that has a home."
        case ExecutorRequirement.PERSISTENT_OUTPUTS:
            for step in scope.plan.steps.values():
                for _, key in scope.plan.stores_loaded_by(step):
                    if is_in_memory(scope.resources.get(key)):
                        return (
                            f'needs outputs that other processes can load, but the IO manager "{key}", which '
                            f'stores what step "{step.key}" loads, keeps values in memory; use another one.'
                        )
    return None
