"""Runs the coroutines of one attempt of a step in an event loop that other steps share, from the attempt's thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from ..errors import ExecutionInterruptedError, StepTimeoutError, UserCodeError

__all__ = ["StepCoroutines"]

_AGAIN = 1.0
"""Seconds after which a coroutine is cancelled again that went on."""


class StepCoroutines:
    """What one attempt runs in a shared loop, one coroutine after another.

    Args:
        loop: The loop; it runs in another thread.
        timeout: Seconds after which what runs is cancelled, counted from now; None for no limit.
        overtime: Says what is told then.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, timeout: float | None, overtime: Callable[[], str]) -> None:
        self._loop = loop
        self._overtime = overtime
        self._task: asyncio.Task[Any] | None = None
        self._stopped = False
        self._late = False
        self._due = None if timeout is None else loop.time() + timeout

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end; called from the attempt's thread. Its context variables are that thread's.

        Raises:
            ExecutionInterruptedError: It was cancelled since the run is to stop.
            StepTimeoutError: It was cancelled since the step's time is over.
        """
        try:
            return self._run(coroutine, cancelable=True)
        except asyncio.CancelledError as error:
            if self._late:
                raise StepTimeoutError(self._overtime()) from error
            if self._stopped:
                raise ExecutionInterruptedError("The run was asked to stop.") from error
            raise UserCodeError("The step was cancelled by its own code, not by Penstock.") from error

    def clean_up(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, whatever is asked meanwhile; called from the attempt's thread."""
        return self._run(coroutine, cancelable=False)

    def stop(self) -> None:
        """Cancel what runs, and what would run after it; called in the loop's thread."""
        self._stopped = True
        self._cancel()

    def _run(self, coroutine: Coroutine[Any, Any, Any], *, cancelable: bool) -> Any:
        ended: Future[Any] = Future()
        self._loop.call_soon_threadsafe(self._begin, coroutine, ended, cancelable)
        try:
            return ended.result()
        finally:
            coroutine.close()  # it never began, if it was cancelled before

    def _begin(self, coroutine: Coroutine[Any, Any, Any], ended: Future[Any], cancelable: bool) -> None:
        task = self._loop.create_task(_guarded(coroutine))
        task.add_done_callback(lambda done: self._end(done, ended))
        if not cancelable:
            return
        self._task = task
        if self._stopped:
            self._cancel()
        elif self._due is not None:
            self._loop.call_at(self._due, self._cancel_late, task)

    def _end(self, task: asyncio.Task[tuple[bool, Any]], ended: Future[Any]) -> None:
        if task is self._task:
            self._task = None
        if task.cancelled():
            ended.set_exception(asyncio.CancelledError())
            return
        well, outcome = task.result()
        if well:
            ended.set_result(outcome)
        else:
            ended.set_exception(outcome)

    def _cancel_late(self, task: asyncio.Task[Any]) -> None:
        if task is self._task:
            self._late = True
            self._cancel()

    def _cancel(self) -> None:
        """Cancel what runs, again and again while it goes on."""
        task = self._task
        if task is not None:
            task.cancel()
            self._loop.call_later(_AGAIN, self._cancel_again, task)

    def _cancel_again(self, task: asyncio.Task[Any]) -> None:
        if task is self._task:
            self._cancel()


async def _guarded(coroutine: Coroutine[Any, Any, Any]) -> tuple[bool, Any]:
    """Whether it ended well, and what it gave or raised: what would end a loop (SystemExit) is the step's alone."""
    try:
        return True, await coroutine
    except asyncio.CancelledError:
        raise
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread of the step
        return False, error
