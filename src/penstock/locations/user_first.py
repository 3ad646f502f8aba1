"""An error of user code as a record that begins with the user's own lines."""

from __future__ import annotations

from itertools import dropwhile

import msgspec

from ..errors import PenstockError
from ..records.errors import ErrorInfo, describe_exception

__all__ = ["describe_user_first"]


def describe_user_first(error: BaseException) -> ErrorInfo:
    """The record of the error, without the frames of ours and of Python's import system that lead to the user's code.

    An error that we raised ourselves about something that is not there has no frames at all: its text says everything.
    """
    return _from_users_code(describe_exception(error), ours=isinstance(error, PenstockError))


def _from_users_code(error: ErrorInfo, *, ours: bool) -> ErrorInfo:
    frames = tuple(dropwhile(lambda frame: not frame.user, error.frames))
    return msgspec.structs.replace(
        error,
        frames=frames if frames or ours else error.frames,
        cause=_from_users_code(error.cause, ours=False) if error.cause is not None else None,
        context=_from_users_code(error.context, ours=False) if error.context is not None else None,
    )
