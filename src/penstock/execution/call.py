"""Calls a user's function in any of its four forms and gives its results one after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..definitions.function import CallForm, Function
from .interrupt import INTERRUPTS

__all__ = ["call", "yields"]


def yields(function: Function) -> bool:
    """Whether the function yields its results, rather than returning one."""
    return function.form in (CallForm.GENERATOR, CallForm.ASYNC_GENERATOR)


def call(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Any]:
    """What the function returns (one value), or yields (each in turn, while it goes on).

    User code runs inside `INTERRUPTS.user_code`; what the caller does between two results does not.
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
            import asyncio

            with user_code:
                value = asyncio.run(function.fn(*args, **kwargs))
            yield value
        case CallForm.ASYNC_GENERATOR:
            yield from _each_async(function, args, kwargs)


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


def _each_async(function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[Any]:
    import asyncio

    generator = function.fn(*args, **kwargs)

    async def following() -> tuple[bool, Any]:
        try:
            return True, await anext(generator)
        except StopAsyncIteration:
            return False, None

    with asyncio.Runner() as runner:
        try:
            while True:
                with INTERRUPTS.user_code:
                    more, value = runner.run(following())
                if not more:
                    return
                yield value
        finally:
            runner.run(generator.aclose())
