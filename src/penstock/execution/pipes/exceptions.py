"""What an external process raised, as an error of ours: Python's tracebacks become frames, other texts stay texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ...records.errors import ErrorInfo, Frame

__all__ = ["error_from_wire"]

_FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+), in (?P<function>.*)\n?(?:    (?P<code>.*))?')


class _Raised(msgspec.Struct, frozen=True):
    message: str = ""
    stack: Sequence[str] = ()
    name: str | None = None
    cause: _Raised | None = None
    context: _Raised | None = None


def error_from_wire(raised: Any) -> ErrorInfo:
    """The error that a `closed` message tells of; whatever it is, it is shown."""
    try:
        return _error(msgspec.convert(raised, _Raised))
    except msgspec.ValidationError:
        return ErrorInfo(cls="Exception", message=str(raised))


def _error(raised: _Raised) -> ErrorInfo:
    name = raised.name or "Exception"
    frames = [_FRAME.match(entry) for entry in raised.stack]
    others = [entry for entry, frame in zip(raised.stack, frames, strict=True) if frame is None]
    message = raised.message.strip().removeprefix(f"{name}: ")
    return ErrorInfo(
        cls=name,
        message="\n".join([message, *(each.rstrip() for each in others)]),
        frames=tuple(
            Frame(file=each["file"], line=int(each["line"]), function=each["function"], code=each["code"] or "")
            for each in frames
            if each is not None
        ),
        cause=None if raised.cause is None else _error(raised.cause),
        context=None if raised.context is None else _error(raised.context),
    )
