"""`context.log`: a logger whose lines are facts of the run; and Python loggers whose lines go there as well."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, TypeAlias

from ..records.errors import ErrorInfo, describe_exception
from ..records.event import Fact, LogLine

__all__ = ["ContextLogger", "managed_loggers"]

Emit: TypeAlias = Callable[[Fact], None]
_ExcInfo: TypeAlias = (
    bool
    | BaseException
    | tuple[type[BaseException], BaseException, TracebackType | None]
    | tuple[None, None, None]
    | None
)


class ContextLogger(logging.Logger):
    """A logger for user code. It has the methods of any Python logger and may be handed to libraries that want one.

    Args:
        emit: Takes each line as a fact.
        name: The name that the lines carry.
    """

    def __init__(self, emit: Emit, name: str = "penstock") -> None:
        super().__init__(name, logging.DEBUG)
        self._emit = emit

    def _log(
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: _ExcInfo = None,
        extra: Mapping[str, object] | None = None,
        stack_info: bool = False,
        stacklevel: int = 1,
    ) -> None:
        self._emit(
            LogLine(
                level=level_name(level), message=_text(msg, args), logger=self.name, error=_describe_current(exc_info)
            )
        )

    def handle(self, record: logging.LogRecord) -> None:
        """Take a record that another logger made."""
        self._emit(_line(record))


class _ToRun(logging.Handler):
    def __init__(self, emit: Emit) -> None:
        super().__init__(logging.DEBUG)
        self._emit = emit

    def emit(self, record: logging.LogRecord) -> None:
        self._emit(_line(record))


@contextlib.contextmanager
def managed_loggers(names: Sequence[str], emit: Emit) -> Iterator[None]:
    """Send the lines of these Python loggers (`root` is the root logger) to the run until the context ends."""
    handler = _ToRun(emit)
    loggers = [logging.getLogger(None if name == "root" else name) for name in names]
    for each in loggers:
        each.addHandler(handler)
    try:
        yield
    finally:
        for each in loggers:
            each.removeHandler(handler)


def level_name(level: int) -> str:
    """The name of the highest standard level that is not above `level`."""
    return next((name for floor, name in _LEVELS if level >= floor), "DEBUG")


_LEVELS = (
    (logging.CRITICAL, "CRITICAL"),
    (logging.ERROR, "ERROR"),
    (logging.WARNING, "WARNING"),
    (logging.INFO, "INFO"),
)


def _line(record: logging.LogRecord) -> LogLine:
    error = record.exc_info[1] if record.exc_info else None
    return LogLine(
        level=level_name(record.levelno),
        message=_text(record.msg, record.args),
        logger=record.name,
        error=None if error is None else describe_exception(error),
    )


def _text(message: object, args: Any) -> str:
    """The message with its arguments; a mistake in them is shown in the line, since a log call must not fail a step."""
    text = str(message)
    if not args:
        return text
    try:
        return str(text % args)
    except (TypeError, ValueError, KeyError) as error:
        return f"{text} {args!r} ({error})"


def _describe_current(exc_info: _ExcInfo) -> ErrorInfo | None:
    match exc_info:
        case BaseException():
            return describe_exception(exc_info)
        case (_, BaseException() as error, _):
            return describe_exception(error)
        case True:
            error_now = sys.exception()
            return None if error_now is None else describe_exception(error_now)
    return None
