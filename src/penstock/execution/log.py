"""`context.log`: a logger whose lines are facts of the run; and Python loggers whose lines go there as well."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeAlias

from ..errors import UsageError
from ..records.errors import ErrorInfo, describe_exception
from ..records.event import Fact, LogLine
from .python_logs import PythonLogs

__all__ = ["USER_LOGGER", "ContextLogger", "get_logger", "level_name", "lines_to", "managed_loggers"]

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
        level: The lowest level that is taken.
    """

    def __init__(self, emit: Emit, name: str = "penstock", *, level: int = logging.NOTSET) -> None:
        super().__init__(name, level or logging.DEBUG)
        self._emit = emit

    def log(self, level: int | str, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line; the level is a number or its name."""
        number = logging.getLevelNamesMapping().get(level.upper()) if isinstance(level, str) else level
        if number is None:
            known = ", ".join(sorted(logging.getLevelNamesMapping()))
            raise UsageError(f"There is no log level {level!r}; use one of {known}, or a number.")
        super().log(number, msg, *args, **kwargs)

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


USER_LOGGER = "penstock.user"
"""The Python logger whose lines always go to the run, and those below it."""


def get_logger(name: str | None = None) -> logging.Logger:
    """A Python logger whose lines go to the log of the run, and of the step, in which they are written.

    Args:
        name: What tells it from others; the lines carry it.
    """
    logging.getLogger(USER_LOGGER).setLevel(logging.DEBUG)  # the run takes every line; its reader chooses
    return logging.getLogger(USER_LOGGER if name is None else f"{USER_LOGGER}.{name}")


class _ToRun(logging.Handler):
    """Hands records to what the thread or coroutine works for, or, in a thread of user code, to what was begun last."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.open: list[Emit] = []
        self.attached: Counter[logging.Logger] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        # A record passes here twice where a logger and one above it are both listened to.
        if self.open and not getattr(record, "penstock_told", False):
            record.penstock_told = True
            emit = _HERE.get() or self.open[-1]
            emit(_line(record))


_TO_RUN = _ToRun()
_HERE: ContextVar[Emit | None] = ContextVar("penstock_lines_to", default=None)
"""Where lines go that are written here: in this thread, or in a coroutine that this thread has begun."""


@contextlib.contextmanager
def lines_to(emit: Emit) -> Iterator[None]:
    """Send the lines of the loggers that are listened to here until the context ends."""
    _TO_RUN.open.append(emit)
    before = _HERE.set(emit)
    try:
        yield
    finally:
        _HERE.reset(before)
        _TO_RUN.open.remove(emit)


@contextlib.contextmanager
def managed_loggers(settings: PythonLogs, emit: Emit) -> Iterator[None]:
    """Listen to Python loggers as an instance says, and send their lines here, until the context ends."""
    managed = [logging.getLogger(None if name == "root" else name) for name in settings.managed]
    levels = [each.level for each in managed]
    loggers = [*managed, logging.getLogger(USER_LOGGER)]
    for each in managed:
        if settings.level != logging.NOTSET:
            each.setLevel(settings.level)
    for each in loggers:
        _TO_RUN.attached[each] += 1
        each.addHandler(_TO_RUN)
    try:
        with lines_to(emit):
            yield
    finally:
        for each in loggers:
            _TO_RUN.attached[each] -= 1
            if not _TO_RUN.attached[each]:
                each.removeHandler(_TO_RUN)
        for each, level in zip(managed, levels, strict=True):
            each.setLevel(level)


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
