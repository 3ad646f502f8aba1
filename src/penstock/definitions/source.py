"""Where a definition is written, so that every mistake in it can name the place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, FunctionType
from typing import Any, NamedTuple

__all__ = ["Source", "caller_frame", "described", "place_of_call", "source_of_call", "source_of_function"]

_PACKAGE = __file__.rsplit("/definitions/", 1)[0] + "/"


class Source(NamedTuple):
    """A file and a line in it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def source_of_function(fn: Callable[..., Any]) -> Source | None:
    """Where a function is written; its decorators count as part of it."""
    code = getattr(fn, "__code__", None) or getattr(getattr(fn, "__wrapped__", None), "__code__", None)
    return Source(code.co_filename, code.co_firstlineno) if code is not None else None


def described(given: object) -> str:
    """Something that stands where a definition should, as messages name it: functions and classes with their name."""
    if isinstance(given, FunctionType):
        return f"the function {given.__name__} ({source_of_function(given)})"
    return f"the class {given.__qualname__}" if isinstance(given, type) else repr(given)


def caller_frame() -> FrameType | None:
    """The innermost frame that runs code outside Penstock."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def source_of_call() -> Source | None:
    """Where the user's code called into Penstock."""
    frame = caller_frame()
    return Source(frame.f_code.co_filename, frame.f_lineno) if frame is not None else None


def place_of_call() -> str:
    """Where the user's code called into Penstock, in brackets, for a message about what it gave."""
    source = source_of_call()
    return f" ({source})" if source is not None else ""
