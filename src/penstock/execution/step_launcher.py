"""The seam by which steps run elsewhere: in processes, containers, pods, or as tasks of another system.

The suite `penstock.testing.step_launcher_contract.StepLauncherContract` checks what is promised here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from ..engine.limits import tag_limit
from .step_order import StepOrder

__all__ = ["LaunchingExecutor", "StepCheck", "StepLauncher"]


class StepCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a launcher knows of an ordered step.

    Args:
        running: Whether it runs, or will.
        what: What runs it, as the subject of a sentence: `The process 12 of the step`.
        reason: How that ended, as the rest of the sentence: `ended with exit code 1.` Whether the step itself did well
            is told by its events.
        exit_code: Its exit code, minus the signal that killed it; None where that is not known.
        out_of_memory: Whether it is known to have been killed because memory ran out.
    """

    running: bool
    what: str
    reason: str = ""
    exit_code: int | None = None
    out_of_memory: bool = False


class StepLauncher(Protocol):
    """Runs steps elsewhere.

    An order is known by its `name`, not by the object: another launcher, in another process, finds what this one has
    launched. Each method may raise what it will: a launch has failed then; the others are called again later.
    """

    @property
    def interval(self) -> float:
        """Seconds between two checks of a step that tells nothing. 0 checks whenever a child process has ended."""
        ...

    def launch(self, order: StepOrder) -> None:
        """Start what carries out the order (see `PROGRAM`), once: an order that was launched before is let be."""
        ...

    def check(self, order: StepOrder) -> StepCheck:
        """Whether it runs; not running, if it was never launched."""
        ...

    def terminate(self, order: StepOrder, *, force: bool) -> None:
        """Ask it to end, as SIGTERM does, or end it by force. It is no error if it has ended, or never began."""
        ...

    def forget(self, order: StepOrder) -> None:
        """Remove what is left of an order that runs no more. It may be launched anew after that."""
        ...


class LaunchingExecutor:
    """What a function made into an executor by `@executor` returns to have steps run by a launcher.

    Args:
        launcher: Runs them.
        max_concurrent: How many at once; None for as many as there are CPUs.
        tag_concurrency_limits: How many with certain tags at once, in the form that the run config of the
            multiprocess executor has.
        retries: Whether steps that failed are tried again as their policies say.
    """

    def __init__(
        self,
        launcher: StepLauncher,
        *,
        max_concurrent: int | None = None,
        tag_concurrency_limits: Sequence[Mapping[str, Any]] = (),
        retries: bool = True,
    ) -> None:
        self.launcher = launcher
        self.max_concurrent = max_concurrent
        self.tag_limits = tuple(tag_limit(each) for each in tag_concurrency_limits)
        self.retries = retries
