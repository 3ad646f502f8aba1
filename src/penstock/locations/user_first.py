"""An error of user code as a record that begins with the user's own lines."""

from __future__ import annotations

import importlib
from itertools import dropwhile

import msgspec

from ..errors import PenstockError
from ..records.errors import ErrorInfo, Frame, describe_exception

__all__ = ["describe_user_first"]


def describe_user_first(error: BaseException) -> ErrorInfo:
    """The record of the error, without the frames of ours and of Python's import system that lead to the user's code.

    An error that we raised ourselves keeps the user's frames alone, so that its last one is the line to correct; one
    about something that is not there has none at all, nor a cause that has none: its text says everything.
    """
    return _from_users_code(describe_exception(error), ours=isinstance(error, PenstockError))


def _from_users_code(error: ErrorInfo, *, ours: bool) -> ErrorInfo:
    cause = _from_users_code(error.cause, ours=False) if error.cause is not None else None
    if ours:
        frames = tuple(frame for frame in error.frames if _is_users(frame))
        if error.cause is not None and not any(_is_users(frame) for frame in error.cause.frames):
            cause = None
    else:
        frames = tuple(dropwhile(lambda frame: not _is_users(frame), error.frames)) or error.frames
    return msgspec.structs.replace(
        error,
        frames=frames,
        cause=cause,
        context=_from_users_code(error.context, ours=False) if error.context is not None else None,
    )


def _is_users(frame: Frame) -> bool:
    return frame.user and frame.file != importlib.__file__
