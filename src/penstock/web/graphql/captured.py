"""Captured stdout and stderr in increments: each answer says where the next one goes on."""

from __future__ import annotations

from ...logs.fold import fold, readable
from ...logs.store import LogKey, Stream, check_log_key
from .context import Context
from .failures import Result
from .fields import Fields

__all__ = ["TABLES"]

_MOST_BYTES = 1 << 20

_QUERY = Fields("Query", source=type(None))

TABLES = (_QUERY,)


class CapturedLogs(Result, frozen=True, kw_only=True):
    """What is new in both streams; None where nothing is. `cursor` holds the two offsets in bytes."""

    log_key: tuple[str, ...]
    stdout: str | None
    stderr: str | None
    cursor: str


@_QUERY.field
def captured_logs(
    _source: None, context: Context, log_key: list[str], cursor: str | None = None, limit: int | None = None
) -> CapturedLogs:
    check_log_key(log_key)
    key = tuple(log_key)
    size = _MOST_BYTES if limit is None else max(4, min(limit, _MOST_BYTES))
    first, _, second = (cursor or "").partition(":")
    offsets = [int(each) if each.isdecimal() else 0 for each in (first, second)]
    stdout, out_end = _read(context, key, "stdout", offsets[0], size)
    stderr, err_end = _read(context, key, "stderr", offsets[1], size)
    return CapturedLogs(log_key=key, stdout=stdout or None, stderr=stderr or None, cursor=f"{out_end}:{err_end}")


def _read(context: Context, key: LogKey, stream: Stream, offset: int, size: int) -> tuple[str, int]:
    logs = context.instance.logs
    data, end = logs.read(key, stream, offset=offset, limit=size)
    # A character of several bytes may be cut at the end, by the limit or because it is being written now.
    text, used = readable(data, last=False)
    if data and not text and logs.size(key, stream) > end:
        text, used = readable(data, last=True)  # nothing more of it comes: what follows is left out
    return fold(text), end - (len(data) - used)
