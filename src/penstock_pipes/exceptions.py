"""What a script raised, as the orchestrator is told of it."""

from __future__ import annotations

import traceback

from .wire import PipesException

__all__ = ["describe"]


def describe(error: BaseException, *, depth: int = 8) -> PipesException:
    """An exception with its causes, at most `depth` of them."""
    cause = error.__cause__ if depth else None
    context = error.__context__ if depth and cause is None and not error.__suppress_context__ else None
    return {
        "message": traceback.format_exception_only(type(error), error)[-1],
        "stack": traceback.format_tb(error.__traceback__),
        "name": type(error).__name__,
        "cause": None if cause is None else describe(cause, depth=depth - 1),
        "context": None if context is None else describe(context, depth=depth - 1),
    }
