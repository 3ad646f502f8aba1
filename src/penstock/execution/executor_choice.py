"""Which executor runs the steps of a run, and with what settings: the job's executor and the run's config say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..definitions.executors import BUILT_IN, Executor, ExecutorDefinition, default_executor
from ..engine.limits import TagLimit, tag_limit
from ..errors import DefinitionError
from .step_launcher import LaunchingExecutor

__all__ = ["ExecutorChoice", "choose_executor"]

_MULTIPROCESS = "multiprocess"
_ASYNC = "async"


class ExecutorChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An executor and its settings.

    Args:
        name: `in_process`, `multiprocess`, `async`, or the name of a user's own.
        definition: What the job names, or the default.
        config: Its config.
        retries: Whether steps that failed are tried again as their policies say.
        max_concurrent: How many steps at once; None for as many as the executor chooses.
        tag_limits: How many steps with certain tags at once.
        reuse_processes: Whether a process takes one step after another.
        own: What the function of a user's own executor has made.
    """

    name: str
    definition: ExecutorDefinition
    config: Mapping[str, Any] = {}
    retries: bool = True
    max_concurrent: int | None = None
    tag_limits: tuple[TagLimit, ...] = ()
    reuse_processes: bool = False
    own: Executor | LaunchingExecutor | None = None

    @property
    def forks(self) -> bool:
        """Whether it runs steps in forks of the process."""
        return self.name == _MULTIPROCESS

    @property
    def awaits(self) -> bool:
        """Whether it runs the coroutines of steps in one event loop."""
        return self.name == _ASYNC and self.own is None

    @property
    def loops(self) -> bool:
        """Whether one loop in the main thread follows the processes in which steps run."""
        return self.forks or isinstance(self.own, LaunchingExecutor)


def choose_executor(definition: ExecutorDefinition, run_config: Mapping[str, Any]) -> ExecutorChoice:
    """The executor of a run.

    Args:
        definition: The executor that the job names, or the default.
        run_config: The run's whole config, checked.

    Raises:
        DefinitionError: There is no such executor.
    """
    config = run_config.get("execution", {}).get("config") or {}
    name = definition.name
    if name == default_executor.name:
        name = next(iter(config), _MULTIPROCESS)
        config = config.get(name) or {}
    if definition.executor_creation_fn is not None:
        return ExecutorChoice(name=name, definition=definition, config=config)
    if name not in BUILT_IN:
        raise DefinitionError(
            f"There is no executor {name!r}; use one of {', '.join(sorted(BUILT_IN))}, or make one with @executor."
        )
    return ExecutorChoice(
        name=name,
        definition=definition,
        config=config,
        retries="disabled" not in (config.get("retries") or {}),
        max_concurrent=config.get("max_concurrent"),
        tag_limits=tuple(tag_limit(each) for each in config.get("tag_concurrency_limits") or ()),
        reuse_processes=config.get("reuse_processes", False),
    )
