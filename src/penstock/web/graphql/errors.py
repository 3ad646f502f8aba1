"""Errors as the API tells them: the class, the message, the frames, and the causes behind it."""

from __future__ import annotations

from typing import NamedTuple

from ...records.errors import ErrorInfo, Frame
from .context import Context
from .fields import Fields

__all__ = ["TABLES", "plain_error"]

_ERROR = Fields("PythonError", source=ErrorInfo)
_ERROR.rename(class_name="cls")

_FRAME = Fields("ErrorFrame", source=Frame)


class _Link(NamedTuple):
    error: ErrorInfo
    explicit: bool


_LINK = Fields("ErrorChainLink", source=_Link)
_LINK.rename(message="error.message", is_explicit_link="explicit")

TABLES = (_ERROR, _FRAME, _LINK)


def plain_error(error: Exception) -> ErrorInfo:
    """An error of Penstock's own as an answer: its text says all that a caller needs."""
    return ErrorInfo(cls=type(error).__name__, message=str(error))


@_ERROR.field
def stack(error: ErrorInfo, _: Context) -> list[str]:
    return [
        f'  File "{frame.file}", line {frame.line}, in {frame.function}\n'
        + (f"    {frame.code}\n" if frame.code else "")
        for frame in error.frames
    ]


@_ERROR.field
def root_cause(error: ErrorInfo, _: Context) -> ErrorInfo | None:
    return error.root() if error.cause is not None else None


@_ERROR.field
def error_chain(error: ErrorInfo, _: Context) -> list[_Link]:
    links: list[_Link] = []
    at: ErrorInfo | None = error
    while at is not None:
        following = at.cause or at.context
        if following is not None:
            links.append(_Link(following, at.cause is not None))
        at = following
    return links
