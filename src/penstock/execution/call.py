"""Calls a user's function in any of its four forms and gives its results one after another."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

from ..definitions.function import CallForm, Function
from .interrupt import INTERRUPTS

__all__ = ["Coroutines", "call", "yields"]


class Coroutines(Protocol):
    """Runs a function's coroutines, from a thread that has no event loop."""

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run one to its end."""
        ...

    def clean_up(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run one to its end that cleans up after others, also where they were stopped."""
        ...


def yields(function: Function) -> bool:
    """Whether the function yields its results, rather than returning one."""
    return function.form in (CallForm.GENERATOR, CallForm.ASYNC_GENERATOR)


def call(
    function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], coroutines: Coroutines | None = None
) -> Iterator[Any]:
    """What the function returns (one value), or yields (each in turn, while it goes on).

    User code runs inside `INTERRUPTS.user_code`; what the caller does between two results does not.

    Args:
        function: The function.
        args, kwargs: What it is called with.
        coroutines: Runs its coroutines, if it has any; a loop of its own if not given.
    """
    user_code = INTERRUPTS.user_code
    match function.form:
        case CallForm.SYNC:
            with user_code:
                value = function.fn(*args, **kwargs)
            yield value
        case CallForm.GENERATOR:
            yield from _each(function, args, kwargs)
        case CallForm.ASYNC:
            with _own_loop() if coroutines is None else nullcontext(coroutines) as running, user_code:
                value = running.run(function.fn(*args, **kwargs))
            yield value
        case CallForm.ASYNC_GENERATOR:
            with _own_loop() if coroutines is None else nullcontext(coroutines) as running:
                yield from _each_async(function, args, kwargs, running)


def _each(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Any]:
    generator = function.fn(*args, **kwargs)
    try:
        while True:
            try:
                with INTERRUPTS.user_code:
                    value = next(generator)
            except StopIteration:
                return
            yield value
    finally:
        generator.close()


def _each_async(
    function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any], running: Coroutines
) -> Iterator[Any]:
    generator = function.fn(*args, **kwargs)

    async def following() -> tuple[bool, Any]:
        try:
            return True, await anext(generator)
        except StopAsyncIteration:
            return False, None

    try:
        while True:
            with INTERRUPTS.user_code:
                more, value = running.run(following())
            if not more:
                return
            yield value
    finally:
        running.clean_up(generator.aclose())


class _OwnLoop:
    """A loop for one call."""

    def __init__(self, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self.run = self.clean_up = run


@contextmanager
def _own_loop() -> Iterator[Coroutines]:
    import asyncio  # here, since most processes need none

    with asyncio.Runner() as runner:
        yield _OwnLoop(runner.run)
