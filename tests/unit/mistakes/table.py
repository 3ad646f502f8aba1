"""The table of mistakes: by a sentence that says what somebody did wrong, code that does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["MISTAKES", "mistake"]

MISTAKES: dict[str, Callable[..., Any]] = {}
"""A function that writes files takes the folder for them."""


def mistake(said: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Take a function into the table."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        assert said not in MISTAKES, said
        MISTAKES[said] = function
        return function

    return register
