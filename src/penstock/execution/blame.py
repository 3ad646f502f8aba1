"""Errors of user code as records that begin with the user's own lines."""

from __future__ import annotations

from types import TracebackType

from ..records.errors import ErrorInfo, describe_exception

__all__ = ["describe_user_error", "is_from_user_code"]

_PENSTOCK = __file__.rsplit("/execution/", 1)[0] + "/"


def is_from_user_code(error: BaseException) -> bool:
    """Whether a frame outside Penstock took part in raising the error."""
    return _outside(error.__traceback__) is not None


def _outside(trace: TracebackType | None) -> TracebackType | None:
    """A traceback from its first frame outside Penstock on."""
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PENSTOCK):
        trace = trace.tb_next
    return trace


def describe_user_error(error: BaseException) -> ErrorInfo:
    """The record of an error that user code raised, without our frames before the user's."""
    seen: BaseException | None = error
    while seen is not None:
        seen.__traceback__ = _outside(seen.__traceback__) or seen.__traceback__
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return describe_exception(error)
